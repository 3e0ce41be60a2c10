/* ranges.h: which keys a read of many keys passes over, and which entries it found there.
 *
 * Scans, walks, floor and its kin, and pops: every key in [low, high] was absent, each at some instant of
 * the call, but for `count` pairs. A pop also takes the one entry that it finds away.
 */
#ifndef LIN_RANGES_H
#define LIN_RANGES_H

#include "history.h"

typedef struct lin_range {
    uint64_t low, high;
    bool empty; /* it says nothing about any key but those of the pairs */
    bool takes; /* the pair found is removed */
    const rec_pair *pairs;
    uint64_t count;
    bool descending; /* the pairs are */
    rec_pair found;  /* a pair of its own, for navigation and pops */
} lin_range;

/* False: the record is of another kind. `pairs` are those of its lane. *range may point into itself: it
 * is not to be copied. */
bool lin_range_of_record(const rec_record *record, const rec_pair *pairs, lin_range *range);

/* Are the pairs in order and within the range? */
bool lin_range_is_sound(const lin_range *range);

/* The keys that a REC_CLEAR or REC_DELETE_RANGE passes; none if *low > *high. */
static inline void lin_range_of_deletion(const rec_record *record, uint64_t *low, uint64_t *high) {
    *low = record->kind == REC_CLEAR ? 0 : record->key;
    *high = record->kind == REC_CLEAR ? UINT64_MAX : record->argument;
}

#endif
