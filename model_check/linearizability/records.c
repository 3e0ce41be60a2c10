/* records.c: what a record says about the one key that it is a call on. See parts.h. */
#include "parts.h"
#include "ranges.h"

#include "bwtree.h"

struct meaning {
    uint8_t need, effect;
};

#define NO_RESULT {LIN_NEVER, LIN_KEEPS}

/* What a call on one key says, by its status. */
static const struct meaning meanings[REC_COMPARE_EXCHANGE + 1][BW_MISMATCH + 1] = {
    [REC_GET] = {{LIN_VALUE, LIN_KEEPS}, {LIN_ABSENT, LIN_KEEPS}, NO_RESULT, NO_RESULT},
    [REC_PUT] = {{LIN_ABSENT, LIN_SETS}, NO_RESULT, {LIN_VALUE, LIN_SETS}, NO_RESULT},
    [REC_INSERT] = {{LIN_ABSENT, LIN_SETS}, NO_RESULT, {LIN_VALUE, LIN_KEEPS}, NO_RESULT},
    [REC_UPDATE] = {{LIN_VALUE, LIN_SETS}, {LIN_ABSENT, LIN_KEEPS}, NO_RESULT, NO_RESULT},
    [REC_REMOVE] = {{LIN_VALUE, LIN_DELETES}, {LIN_ABSENT, LIN_KEEPS}, NO_RESULT, NO_RESULT},
    [REC_COMPARE_EXCHANGE] = {{LIN_VALUE, LIN_SETS},
                              {LIN_ABSENT, LIN_KEEPS},
                              NO_RESULT,
                              {LIN_VALUE, LIN_KEEPS}},
};

/* The same of a call that never returned: it has no result, but it may have changed the key. */
static const struct meaning open_meanings[REC_COMPARE_EXCHANGE + 1] = {
    [REC_GET] = {LIN_ANY, LIN_KEEPS},       [REC_PUT] = {LIN_ANY, LIN_SETS},
    [REC_INSERT] = {LIN_ABSENT, LIN_SETS},  [REC_UPDATE] = {LIN_SOME, LIN_SETS},
    [REC_REMOVE] = {LIN_SOME, LIN_DELETES}, [REC_COMPARE_EXCHANGE] = {LIN_VALUE, LIN_SETS},
};

bool lin_part_of_record(const rec_record *r, lin_part *part) {
    if (!lin_is_point(r))
        return false;
    bool open = r->responded == LIN_NEVER_RESPONDED;
    struct meaning meaning = NO_RESULT;
    if (r->kind == REC_PUT_MANY || (r->flags & REC_BLIND) != 0) {
        bool blind = open || (r->flags & REC_BLIND) != 0;
        meaning.need = blind ? LIN_ANY : r->flags & REC_PRESENT ? LIN_SOME : LIN_ABSENT;
        meaning.effect = LIN_SETS;
    } else {
        unsigned kind = r->kind == REC_GET_MANY ? REC_GET : r->kind;
        if (open)
            meaning = open_meanings[kind];
        else if ((unsigned)r->status <= BW_MISMATCH)
            meaning = meanings[kind][r->status];
        if (kind == REC_COMPARE_EXCHANGE && meaning.need == LIN_VALUE && !open &&
            (r->seen == r->expected) != (r->status == BW_OK))
            meaning = (struct meaning)NO_RESULT;
    }
    *part = (lin_part){.invoked = r->invoked,
                       .responded = r->responded,
                       .need = meaning.need,
                       .effect = meaning.effect};
    if (meaning.need == LIN_VALUE)
        part->want = open ? r->expected : r->seen;
    if (meaning.effect == LIN_SETS)
        part->give = r->argument;
    return true;
}

/* The page reads of a walk go in its direction, and together answer for all its keys. */
static const char *unsound_pages(const rec_lane *lane, const rec_record *r) {
    const bool down = r->kind == REC_SCAN_BACKWARD || r->kind == REC_WALK_BACKWARD;
    const uint64_t room = lane->pair_count - r->seen - r->count;
    uint64_t pages;
    lin_range range;
    if (room == 0)
        return "the page reads of a scan stand outside the pairs of its lane";
    const uint64_t *ends = rec_page_ends(r, lane->pairs, &pages);
    if (pages == 0 || pages > UINT32_MAX || rec_page_pairs(pages) > room)
        return "the page reads of a scan stand outside the pairs of its lane";
    for (uint64_t i = 1; i < pages; i++)
        if (down ? ends[i] >= ends[i - 1] : ends[i] <= ends[i - 1])
            return "the page reads of a scan are not in its direction";
    (void)lin_range_of_record(r, lane->pairs, &range);
    if (range.low <= range.high &&
        (down ? ends[pages - 1] > range.low : ends[pages - 1] < range.high))
        return "the page reads of a scan end before it does";
    return NULL;
}

const char *lin_unsound(const rec_lane *lane, const rec_record *r) {
    if (r->kind >= REC_KINDS)
        return "a record is of an unknown kind";
    if (r->invoked > r->responded)
        return "a record ends before it begins";
    if (r->invoked == LIN_NEVER_RESPONDED)
        return "a record begins at 2^64-1, which stands for: never returned";
    if (r->status < 0)
        return "a record holds an error instead of a result";
    if (r->kind >= REC_SCAN_FORWARD && r->kind <= REC_WALK_BACKWARD) {
        if (r->seen > lane->pair_count || r->count > lane->pair_count - r->seen)
            return "a scan points outside the pairs of its lane";
        if (r->count > r->expected)
            return "a scan returned more than it was asked for";
        if ((r->flags & REC_PAGED) != 0)
            return unsound_pages(lane, r);
    }
    return NULL;
}
