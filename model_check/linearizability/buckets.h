/* buckets.h: histories of calls on single keys, checked in two steps that stay in the caches.
 *
 * With a million keys the next part of each key goes to a cold line of memory, its number stands in
 * another and its place in a third: partitioning waits for memory, and what is written is read once more. So
 * the calls are first dealt out to buckets, by some bits of a hash of the key: what is written to then are as
 * many lines as there are buckets. They are packed: three to five words a call, without what only tells where
 * it stood. A bucket fits into a processor's second cache. Its keys are numbered, its parts unpacked in the
 * order of keys, and judged there, and what was unpacked is not written anywhere.
 *
 * The last lane may hold one reading of the whole map behind all other calls, as the recorder makes it. Other
 * histories with calls on many keys, and those whose lanes are not in the order of their invocations, take
 * the general way (parts.h). So does a history with a key that is not linearizable, for what is to be said
 * about it: the verdict of a bucket is only ever believed if it is OK.
 */
#ifndef LIN_BUCKETS_H
#define LIN_BUCKETS_H

#include "judge.h"

typedef struct lin_buckets lin_buckets;

/* Deals a history out. NULL: it has to take the general way, or there is no memory. The history must
 * outlive the buckets. */
lin_buckets *lin_buckets_new(const rec_history *history);
void lin_buckets_free(lin_buckets *buckets);

uint64_t lin_buckets_count(const lin_buckets *buckets);

/* Judges all keys of one bucket until the first that is not OK: *bad is that key then. Gives an enum
 * lin_verdict. */
int lin_buckets_judge(lin_buckets *buckets, uint64_t number, lin_judge *judge, uint64_t *bad);

uint64_t lin_buckets_keys(const lin_buckets *buckets);  /* of the buckets judged so far ... */
uint64_t lin_buckets_parts(const lin_buckets *buckets); /* ... and their parts */
uint64_t lin_buckets_bytes(const lin_buckets *buckets); /* of memory */

#endif
