/* ranges.c: the range of each kind of call. See ranges.h. */
#include "ranges.h"

#include "bwtree.h"

#include <stddef.h>

static void range_of_navigation(const rec_record *r, lin_range *range) {
    bool found = r->status == BW_OK;
    bool first = r->kind == REC_FIRST || r->kind == REC_POP_FIRST;
    bool last = r->kind == REC_LAST || r->kind == REC_POP_LAST;
    uint64_t key = first ? 0 : last ? UINT64_MAX : r->key;
    range->takes = r->kind == REC_POP_FIRST || r->kind == REC_POP_LAST;
    range->found = (rec_pair){range->takes ? r->key : r->argument, r->seen};
    range->pairs = &range->found;
    range->count = found;
    if (r->kind == REC_FLOOR || r->kind == REC_LOWER || last) {
        range->low = found ? range->found.key : 0;
        range->high = key;
        if (r->kind == REC_LOWER) {
            range->empty = key == 0;
            range->high = key - 1;
        }
    } else {
        range->low = key;
        range->high = found ? range->found.key : UINT64_MAX;
        if (r->kind == REC_HIGHER) {
            range->empty = key == UINT64_MAX;
            range->low = key + 1;
        }
    }
}

static void range_of_cursor(const rec_record *r, const rec_pair *pairs, lin_range *range) {
    bool down = r->kind == REC_SCAN_BACKWARD || r->kind == REC_WALK_BACKWARD;
    bool walk = r->kind == REC_WALK_FORWARD || r->kind == REC_WALK_BACKWARD;
    bool ended = r->count < r->expected; /* it came to the limit, or to the end */
    uint64_t limit = !walk ? r->argument : down ? 0 : UINT64_MAX;
    uint64_t last = ended || r->count == 0 ? limit : pairs[r->seen + r->count - 1].key;
    range->pairs = r->count > 0 ? pairs + r->seen : NULL; /* a lane may have none at all */
    range->count = r->count;
    range->descending = down;
    range->low = down ? last : r->key;
    range->high = down ? r->key : last;
}

bool lin_range_of_record(const rec_record *r, const rec_pair *pairs, lin_range *range) {
    *range = (lin_range){0};
    if ((r->kind >= REC_FLOOR && r->kind <= REC_LAST) || r->kind == REC_POP_FIRST ||
        r->kind == REC_POP_LAST)
        range_of_navigation(r, range);
    else if (r->kind >= REC_SCAN_FORWARD && r->kind <= REC_WALK_BACKWARD)
        range_of_cursor(r, pairs, range);
    else
        return false;
    return true;
}

bool lin_range_is_sound(const lin_range *range) {
    if (range->count == 0)
        return true;
    if (range->empty || range->low > range->high)
        return false;
    for (uint64_t i = 0; i < range->count; i++) {
        uint64_t key = range->pairs[i].key;
        if (key < range->low || key > range->high)
            return false;
        if (i > 0 &&
            (range->descending ? key >= range->pairs[i - 1].key : key <= range->pairs[i - 1].key))
            return false;
    }
    return true;
}
