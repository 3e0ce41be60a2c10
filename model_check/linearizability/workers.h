/* workers.h: the same work done by several threads, each on a share of its own. */
#ifndef LIN_WORKERS_H
#define LIN_WORKERS_H

#include <stdint.h>

enum { LIN_MOST_WORKERS = 256 };

/* Calls work(context, 0) ... work(context, count-1), one of them on this thread, the others at the same
 * time on threads of their own, and comes back when all have: what they wrote is then seen here. Where no
 * thread is to be had, this one does that share, too. */
void lin_workers_do(uint32_t count, void (*work)(void *context, uint32_t worker), void *context);

#endif
