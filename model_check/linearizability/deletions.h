/* deletions.h: do the numbers of keys that deletions of ranges say they removed agree with the rest?
 *
 * bw_delete_range and bw_clear tell how many keys they took, not which. Every other call that takes a
 * value away names it. So if the values written to a key differ, those that no call names and that are
 * gone later on (another call finds the key absent, or with another value) were taken by deletions, each
 * by one that passes the key and may have met the value: invoked before it was found gone, not over
 * before it was written or last read. Where a single deletion comes into question it was that one. So
 *
 *     what a deletion must have taken <= what it says <= what it may have taken,
 *
 * at most one value of each key, and the same holds for the sum over deletions that contend for values.
 * If the history ends with a read of all keys, every value is accounted for and both sums are equal.
 *
 * What is not seen: numbers of contending deletions that are wrong by as much in both directions and
 * possible one by one; and on keys that a call which never returned may have changed, on keys where it is unknown what a put_many replaced (REC_BLIND,
 * REC_PRESENT), or where a value was written twice, only the upper bound of one value a key holds.
 */
#ifndef LIN_DELETIONS_H
#define LIN_DELETIONS_H

#include "parts.h"

/* Gives the part of each deletion whose number disagrees, at the first key of its range, the need
 * LIN_NEVER. Of deletions that only disagree together it is one of them. False when out of memory. */
bool lin_deletions_judge(lin_partition *partition, const rec_history *history);

#endif
