/* crew.h: the threads that work on an index, started once a run, each pinned to a processor.
 *
 * crew_run lets every thread do one job at the same time and gives the seconds from the first start
 * to the last end. Threads live for the whole run so that an index sees few of them, as in a server.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stdbool.h>

enum { CREW_MAX = 64 };

typedef struct crew crew;
typedef void crew_job(unsigned thread, void *context);

/* Starts `threads` threads; NULL with a sentence on stderr if that fails. Thread i is pinned to the
 * i-th processor that the process may use, round and round. */
crew *crew_start(unsigned threads);
double crew_run(crew *c, crew_job *job, void *context);

/* The processor time that the threads' last job took, in sum, in seconds. */
double crew_processor_seconds(const crew *c);
void crew_stop(crew *c);

#endif
