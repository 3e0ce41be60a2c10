/* parts.c: from records to the parts of each key. See parts.h. */
#include "parts.h"
#include "deletions.h"
#include "dictionary.h"
#include "lanes.h"
#include "ranges.h"
#include "room.h"

#include "bwtree.h"

#include <stdlib.h>
#include <string.h>

static void needs(lin_part *part, uint8_t need, uint64_t want) {
    part->need = need;
    part->want = want;
}

/* ------------------------------------------------------------------ making parts ------------ */

struct maker {
    lin_partition *out;
    lin_dictionary names;
    uint64_t *first_write; /* of each key: the least invocation of what could insert it */
    uint64_t
        *next; /* of each key, by number: how many parts it has; then where the next one goes */
    uint64_t next_capacity;
    uint32_t *numbers; /* of the keys of calls on one key, in the order of the records */
    uint64_t number_count;
    uint64_t *lane_numbers; /* where those of each lane begin; then where the next one is */
    uint32_t *by_rank;      /* the number of the key of each rank */
    bool unsorted;          /* some lane is not in the order of its invocations */
    bool ranges;            /* there are reads of many keys, pops or deletions */
    bool filling;           /* last pass: write parts; before: count them */
};

uint64_t lin_rank(const lin_partition *p, uint64_t key) {
    uint64_t low = 0, high = p->key_count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (p->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void emit(struct maker *m, uint64_t rank, const lin_part *part) {
    uint64_t *next = &m->next[m->by_rank[rank]];
    if (m->filling)
        m->out->parts[*next] = *part;
    ++*next;
}

/* Every history allows this key to be absent at any instant of the call. (At its beginning would do for the key,
 * but not for a page read, which has one instant for all its keys.) */
static bool surely_absent(const struct maker *m, uint64_t rank, const lin_part *part) {
    return !m->out->initial[rank].present && part->responded < m->first_write[rank];
}

static void emit_range(struct maker *m, const lin_range *range, lin_part part) {
    const lin_partition *p = m->out;
    if (!lin_range_is_sound(range)) {
        part.need = LIN_NEVER;
        emit(m, lin_dictionary_number(&m->names, range->pairs[0].key), &part);
        return;
    }
    if (range->empty || range->low > range->high)
        return;
    uint64_t given = 0;
    for (uint64_t i = lin_rank(p, range->low); i < p->key_count && p->keys[i] <= range->high; i++) {
        uint64_t at = range->descending ? range->count - 1 - given : given;
        if (given < range->count && range->pairs[at].key == p->keys[i]) {
            given++;
            lin_part found = part;
            needs(&found, LIN_VALUE, range->pairs[at].value);
            if (range->takes)
                found.effect = LIN_DELETES;
            emit(m, i, &found);
            continue;
        }
        needs(&part, LIN_ABSENT, 0);
        if (!surely_absent(m, i, &part))
            emit(m, i, &part);
    }
}

/* A count says something about single keys when it is 0 or all that there could be. */
static void emit_count(struct maker *m, const rec_record *r, lin_part part) {
    const lin_partition *p = m->out;
    if (r->key > r->argument) {
        part.need = LIN_NEVER;
        if (r->seen != 0)
            emit(m, lin_dictionary_number(&m->names, r->key), &part);
        return;
    }
    uint64_t low = lin_rank(p, r->key), high = lin_rank(p, r->argument);
    if (high < p->key_count && p->keys[high] == r->argument)
        high++;
    if (r->seen == 0) {
        lin_range none = {.low = r->key, .high = r->argument};
        emit_range(m, &none, part);
    } else if (r->seen > high - low) {
        part.need = LIN_NEVER;
        emit(m, lin_dictionary_number(&m->names, r->key), &part);
    } else if (r->seen == high - low) {
        part.need = LIN_SOME;
        for (uint64_t i = low; i < high; i++)
            emit(m, i, &part);
    }
}

/* A deletion passes each key of its range once. Its first key has a part in any case: it stands for the
 * number of keys removed, which lin_deletions_judge looks at. */
static void emit_deletion(struct maker *m, const rec_record *r, lin_part part) {
    const lin_partition *p = m->out;
    uint64_t low, high;
    lin_range_of_deletion(r, &low, &high);
    if (low > high) {
        part.need = r->seen == 0 ? LIN_ANY : LIN_NEVER;
        emit(m, lin_dictionary_number(&m->names, low), &part);
        return;
    }
    part.effect = LIN_DELETES;
    uint64_t first = lin_rank(p, low);
    /* Unlike a read, a deletion that overlaps the first write may be needed behind it. */
    for (uint64_t i = first; i < p->key_count && p->keys[i] <= high; i++)
        if (i == first || p->initial[i].present || part.responded >= m->first_write[i])
            emit(m, i, &part);
}

/* A call that never returned may have changed any key that it could meet, but says nothing. */
static void emit_open(struct maker *m, const rec_record *r, lin_part part) {
    const lin_partition *p = m->out;
    bool pops = r->kind == REC_POP_FIRST || r->kind == REC_POP_LAST;
    if (!pops && r->kind != REC_CLEAR && r->kind != REC_DELETE_RANGE)
        return;
    uint64_t low = 0, high = UINT64_MAX;
    if (!pops)
        lin_range_of_deletion(r, &low, &high);
    part.need = LIN_SOME;
    part.effect = LIN_DELETES;
    for (uint64_t i = lin_rank(p, low); i < p->key_count && p->keys[i] <= high; i++)
        if (p->initial[i].present || m->first_write[i] != UINT64_MAX)
            emit(m, i, &part);
}

static void emit_range_record(struct maker *m, const rec_lane *lane, uint16_t number,
                              uint32_t index) {
    const rec_record *r = &lane->records[index];
    lin_part part = {.invoked = r->invoked,
                     .responded = r->responded,
                     .record = index,
                     .lane = number,
                     .need = LIN_ANY};
    lin_range range;
    if (r->responded == LIN_NEVER_RESPONDED)
        emit_open(m, r, part);
    else if (lin_range_of_record(r, lane->pairs, &range))
        emit_range(m, &range, part);
    else if (r->kind == REC_COUNT)
        emit_count(m, r, part);
    else if (r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE)
        emit_deletion(m, r, part);
}

static void emit_ranges(struct maker *m, const rec_history *h) {
    for (uint32_t t = 0; m->ranges && t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++)
            if (!lin_is_point(&h->lanes[t].records[i]))
                emit_range_record(m, &h->lanes[t], (uint16_t)t, (uint32_t)i);
}

/* Calls on one key, in order of time, a block at a time: the lines where their parts go are asked for
 * before they are written. */
static bool fill_points(struct maker *m, const rec_history *h) {
    uint64_t *next = m->next;
    uint32_t numbers[LIN_BLOCK];
    lin_call calls[LIN_BLOCK];
    lin_lanes lanes;
    if (!lin_lanes_begin(&lanes, h))
        return false;
    for (uint32_t count; (count = lin_lanes_next(&lanes, calls, LIN_BLOCK)) > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            numbers[i] = m->numbers[m->lane_numbers[calls[i].lane]++];
            __builtin_prefetch(&next[numbers[i]], 1);
        }
        for (uint32_t i = 0; i < count; i++)
            __builtin_prefetch(&m->out->parts[next[numbers[i]]], 1);
        for (uint32_t i = 0; i < count; i++) {
            lin_part *part = &m->out->parts[next[numbers[i]]++];
            (void)lin_part_of_record(calls[i].record, part);
            part->lane = calls[i].lane;
            part->record = calls[i].index;
        }
    }
    m->unsorted = lanes.unsorted;
    lin_lanes_end(&lanes);
    return true;
}

/* Adds keys, and counts the parts that each has from calls on one key. */
static bool count_keys(struct maker *m, const uint64_t *keys, uint32_t count, bool parts) {
    uint32_t spare[LIN_BLOCK], *numbers = parts ? m->numbers + m->number_count : spare;
    if (!lin_dictionary_add(&m->names, keys, count, numbers))
        return false;
    m->number_count += parts ? count : 0;
    if (m->names.count > m->next_capacity) {
        uint64_t had = m->next_capacity, capacity = m->names.capacity;
        uint64_t *next = lin_room(capacity * sizeof *next, true);
        if (next == NULL)
            return false;
        if (had > 0)
            memcpy(next, m->next, had * sizeof *next);
        lin_room_free(m->next, had * sizeof *next);
        m->next = next;
        m->next_capacity = capacity;
    }
    for (uint32_t i = 0; parts && i < count; i++)
        m->next[numbers[i]]++;
    return true;
}

static bool has_key(const rec_record *r) {
    return r->kind == REC_COUNT || r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE;
}

static int collect_lane(struct maker *m, const rec_lane *lane, const char **message) {
    uint64_t points[LIN_BLOCK];
    uint32_t count = 0;
    if (lane->record_count > UINT32_MAX) {
        *message = "a lane has more than 2^32-1 records";
        return -2;
    }
    for (uint64_t i = 0; i < lane->record_count; i++) {
        const rec_record *r = &lane->records[i];
        lin_range range;
        if ((*message = lin_unsound(lane, r)) != NULL)
            return -2;
        if (lin_is_point(r)) {
            points[count++] = r->key;
            if (count == LIN_BLOCK && !count_keys(m, points, count, true))
                return -1;
            count %= LIN_BLOCK;
            continue;
        }
        m->ranges = true;
        if (has_key(r) && !count_keys(m, &r->key, 1, false))
            return -1;
        if (has_key(r) || r->responded == LIN_NEVER_RESPONDED ||
            !lin_range_of_record(r, lane->pairs, &range))
            continue;
        for (uint64_t k = 0; k < range.count; k++)
            if (!count_keys(m, &range.pairs[k].key, 1, false))
                return -1;
    }
    return count_keys(m, points, count, true) ? 0 : -1;
}

static int collect_keys(struct maker *m, const rec_history *h, const char **message) {
    uint64_t last = 0;
    for (uint64_t i = 0; i < h->initial_count; i++) {
        if (i > 0 && h->initial[i].key <= last) {
            *message = "the initial entries are not in ascending order of keys";
            return -2;
        }
        last = h->initial[i].key;
        if (!count_keys(m, &last, 1, false))
            return -1;
    }
    for (uint32_t t = 0; t < h->lane_count; t++) {
        m->lane_numbers[t] = m->number_count;
        int result = collect_lane(m, &h->lanes[t], message);
        if (result != 0)
            return result;
    }
    return 0;
}

static void note_initial(struct maker *m, const rec_history *h) {
    for (uint64_t i = 0, rank = 0; i < h->initial_count; i++, rank++) {
        while (m->out->keys[rank] != h->initial[i].key)
            rank++; /* both ascend */
        m->out->initial[rank] = (lin_state){h->initial[i].value, 1};
    }
}

/* Only what reads of many keys say needs to know it. */
static bool note_first_writes(struct maker *m, const rec_history *h) {
    uint64_t count = m->out->key_count;
    if (!m->ranges)
        return true;
    m->first_write = malloc((count + 1) * sizeof *m->first_write);
    if (m->first_write == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++)
        m->first_write[i] = UINT64_MAX;
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++) {
            lin_part part;
            const rec_record *r = &h->lanes[t].records[i];
            if (!lin_part_of_record(r, &part) || part.effect != LIN_SETS)
                continue;
            uint64_t *first = &m->first_write[lin_dictionary_number(&m->names, r->key)];
            if (part.invoked < *first)
                *first = part.invoked;
        }
    return true;
}

/* What reads of many keys add comes behind, so a key's parts are a few ascending runs: merge them. */
// NOLINTBEGIN(clang-analyzer-*): the analyzer does not follow how parts were counted and filled
static void sort_parts(lin_part *parts, uint64_t count, lin_part *spare) {
    for (;;) {
        uint64_t out = 0, runs = 0, at = 0;
        while (at < count) {
            uint64_t middle = at + 1;
            while (middle < count && parts[middle - 1].invoked <= parts[middle].invoked)
                middle++;
            if (at == 0 && middle == count)
                return;
            uint64_t end = middle < count ? middle + 1 : middle;
            while (end < count && parts[end - 1].invoked <= parts[end].invoked)
                end++;
            uint64_t a = at, b = middle;
            while (a < middle || b < end) {
                bool left = b == end || (a < middle && parts[a].invoked <= parts[b].invoked);
                spare[out++] = left ? parts[a++] : parts[b++];
            }
            at = end;
            runs++;
        }
        memcpy(parts, spare, count * sizeof *parts);
        if (runs <= 1)
            return;
    }
}
// NOLINTEND(clang-analyzer-*)

static int sort_all(lin_partition *p) {
    lin_part *spare = NULL;
    uint64_t room = 0;
    for (uint64_t i = 0; i < p->key_count; i++) {
        uint64_t count = p->first[i + 1] - p->first[i];
        if (count > room) {
            lin_room_free(spare, room * sizeof *spare);
            room = 2 * count;
            spare = lin_room(room * sizeof *spare, false);
            if (spare == NULL)
                return -1;
        }
        sort_parts(p->parts + p->first[i], count, spare);
    }
    lin_room_free(spare, room * sizeof *spare);
    return 0;
}

static bool rank_keys(struct maker *m) {
    lin_partition *p = m->out;
    uint64_t count = m->names.count;
    p->key_count = count;
    m->by_rank = malloc((count + 1) * sizeof *m->by_rank);
    p->initial = calloc(count + 1, sizeof *p->initial);
    p->first = malloc((count + 1) * sizeof *p->first);
    bool enough =
        m->by_rank && p->initial && p->first && lin_dictionary_sort(&m->names, m->by_rank);
    p->keys = m->names.keys;
    return enough;
}

/* From how many parts each key has to where they begin. */
static void lay_out(struct maker *m) {
    lin_partition *p = m->out;
    uint64_t begin = 0;
    for (uint64_t rank = 0; rank < p->key_count; rank++) {
        uint64_t *next = &m->next[m->by_rank[rank]], count = *next;
        *next = p->first[rank] = begin;
        begin += count;
    }
    p->first[p->key_count] = p->part_count = begin;
    m->filling = true;
}

static int make(struct maker *m, const rec_history *h, const char **message) {
    lin_partition *p = m->out;
    for (uint32_t t = 0; t < h->lane_count; t++)
        p->record_count += h->lanes[t].record_count;
    m->numbers = lin_room(p->record_count * sizeof *m->numbers, false);
    m->lane_numbers = malloc((h->lane_count + 1) * sizeof *m->lane_numbers);
    if (m->numbers == NULL || m->lane_numbers == NULL || !lin_dictionary_make(&m->names))
        return -1;
    int result = collect_keys(m, h, message);
    if (result != 0)
        return result;
    if (!rank_keys(m))
        return -1;
    note_initial(m, h);
    if (!note_first_writes(m, h))
        return -1;
    emit_ranges(m, h);
    lay_out(m);
    p->parts = lin_room(p->part_count * sizeof *p->parts, false);
    if (p->parts == NULL)
        return -1;
    if (!fill_points(m, h))
        return -1;
    emit_ranges(m, h);
    if ((m->ranges || m->unsorted) && sort_all(p) != 0)
        return -1;
    return !m->ranges || lin_deletions_judge(p, h) ? 0 : -1;
}

/* ------------------------------------------------------------------ a single key ------------ */

/* All records that end their lanes are calls on this key, and it alone may be there at first. */
static bool looks_like_one_key(const rec_history *h, uint64_t *key, uint64_t *count) {
    bool known = h->initial_count == 1;
    *key = known ? h->initial[0].key : 0;
    *count = 0;
    for (uint32_t t = 0; t < h->lane_count; t++) {
        const rec_lane *lane = &h->lanes[t];
        uint64_t n = lane->record_count;
        *count += n;
        if (n == 0)
            continue;
        *key = known ? *key : lane->records[0].key;
        known = true;
        if (n > UINT32_MAX || lane->records[0].key != *key || lane->records[n - 1].key != *key)
            return false;
    }
    return *count > 0 && h->initial_count <= 1;
}

static bool fill_one_key(lin_partition *p, const rec_history *h, uint64_t key) {
    lin_call calls[LIN_BLOCK];
    lin_lanes lanes;
    if (!lin_lanes_begin(&lanes, h))
        return false;
    bool fits = true;
    for (uint32_t count; fits && (count = lin_lanes_next(&lanes, calls, LIN_BLOCK)) > 0;)
        for (uint32_t i = 0; fits && i < count; i++) {
            const rec_record *r = calls[i].record;
            lin_part *part = &p->parts[p->part_count++];
            fits = r->key == key && lin_unsound(&h->lanes[calls[i].lane], r) == NULL &&
                   lin_part_of_record(r, part);
            part->lane = calls[i].lane;
            part->record = calls[i].index;
        }
    fits = fits && !lanes.unsorted;
    lin_lanes_end(&lanes);
    return fits;
}

/* A history of one key needs no dictionary and no sorting. False: it is none; nothing was made. */
static bool make_one_key(lin_partition *p, const rec_history *h) {
    uint64_t key, count;
    if (!looks_like_one_key(h, &key, &count))
        return false;
    p->parts = lin_room(count * sizeof *p->parts, false);
    p->keys = malloc(sizeof *p->keys);
    p->initial = calloc(1, sizeof *p->initial);
    p->first = calloc(2, sizeof *p->first);
    bool made = p->parts && p->keys && p->initial && p->first && fill_one_key(p, h, key) &&
                p->part_count == count;
    if (!made) {
        p->part_count = count; /* as it was allocated */
        lin_partition_free(p);
        return false;
    }
    p->keys[0] = key;
    p->key_count = 1;
    p->first[1] = p->record_count = count;
    if (h->initial_count == 1)
        p->initial[0] = (lin_state){h->initial[0].value, 1};
    return true;
}

int lin_partition_make(lin_partition *partition, const rec_history *h, const char **message) {
    *partition = (lin_partition){0};
    if (make_one_key(partition, h))
        return 0;
    struct maker m = {.out = partition};
    int result = make(&m, h, message);
    partition->keys = m.names.keys;
    m.names.keys = NULL; /* the partition has them now */
    lin_dictionary_free(&m.names);
    free(m.first_write);
    lin_room_free(m.next, m.next_capacity * sizeof *m.next);
    free(m.lane_numbers);
    free(m.by_rank);
    lin_room_free(m.numbers, partition->record_count * sizeof *m.numbers);
    if (result != 0)
        lin_partition_free(partition);
    return result;
}

void lin_partition_free(lin_partition *partition) {
    free(partition->keys);
    free(partition->initial);
    free(partition->first);
    lin_room_free(partition->parts, partition->part_count * sizeof *partition->parts);
    *partition = (lin_partition){0};
}
