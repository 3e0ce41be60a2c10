/* buckets.h: histories of calls on single keys, judged in two steps that stay in the caches.
 *
 * With a million keys the next part of each key goes to a cold line of memory, its number stands in
 * another and its place in a third: partitioning waits for memory, and what is written is read once more. So
 * the calls are first dealt out to buckets (dealt.h). A bucket fits into a processor's second cache. Its
 * keys are numbered, its parts unpacked in the order of keys, and judged there, and what was unpacked is not
 * written anywhere.
 *
 * Histories that cannot be dealt out take the general way (parts.h). So does a history with a key that is
 * not linearizable, for what is to be said about it: the verdict of a bucket is only ever believed if it
 * is OK.
 */
#ifndef LIN_BUCKETS_H
#define LIN_BUCKETS_H

#include "dealt.h"
#include "judge.h"

/* What it takes to unpack a bucket; it belongs to one thread. */
typedef struct lin_workspace lin_workspace;

lin_workspace *lin_workspace_new(void);
void lin_workspace_free(lin_workspace *workspace);

/* Judges all keys of one bucket until the first that is not OK: *bad is that key then. Gives an enum
 * lin_verdict. */
int lin_workspace_judge(lin_workspace *workspace, const lin_dealt *dealt, uint64_t bucket,
                        lin_judge *judge, uint64_t *bad);

uint64_t lin_workspace_keys(const lin_workspace *workspace);  /* of the buckets judged so far ... */
uint64_t lin_workspace_parts(const lin_workspace *workspace); /* ... and their parts */
uint64_t lin_workspace_bytes(const lin_workspace *workspace); /* of memory */

#endif
