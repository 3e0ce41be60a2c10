/* parts.c: from records to the parts of each key. See parts.h. */
#include "parts.h"
#include "deletions.h"
#include "ranges.h"

#include "bwtree.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ one record -------------- */

static void needs(lin_part *part, uint8_t need, uint64_t want) {
    part->need = need;
    part->want = want;
}

static void sets(lin_part *part, uint64_t value) {
    part->effect = LIN_SETS;
    part->give = value;
}

bool lin_part_of_record(const rec_record *r, lin_part *part) {
    *part = (lin_part){.invoked = r->invoked, .responded = r->responded, .need = LIN_NEVER};
    switch (r->kind) {
    case REC_GET:
    case REC_GET_MANY:
        if (r->status == BW_OK)
            needs(part, LIN_VALUE, r->seen);
        if (r->status == BW_NOT_FOUND)
            needs(part, LIN_ABSENT, 0);
        return true;
    case REC_PUT:
        if (r->status == BW_OK)
            needs(part, LIN_ABSENT, 0);
        if (r->status == BW_EXISTS)
            needs(part, LIN_VALUE, r->seen);
        sets(part, r->argument);
        return true;
    case REC_PUT_MANY:
        if (r->flags & REC_BLIND)
            needs(part, LIN_ANY, 0);
        else if (r->flags & REC_PRESENT)
            needs(part, LIN_SOME, 0);
        else
            needs(part, LIN_ABSENT, 0);
        sets(part, r->argument);
        return true;
    case REC_INSERT:
        if (r->status == BW_OK) {
            needs(part, LIN_ABSENT, 0);
            sets(part, r->argument);
        }
        if (r->status == BW_EXISTS)
            needs(part, LIN_VALUE, r->seen);
        return true;
    case REC_UPDATE:
        if (r->status == BW_OK) {
            needs(part, LIN_VALUE, r->seen);
            sets(part, r->argument);
        }
        if (r->status == BW_NOT_FOUND)
            needs(part, LIN_ABSENT, 0);
        return true;
    case REC_REMOVE:
        if (r->status == BW_OK) {
            needs(part, LIN_VALUE, r->seen);
            part->effect = LIN_DELETES;
        }
        if (r->status == BW_NOT_FOUND)
            needs(part, LIN_ABSENT, 0);
        return true;
    case REC_COMPARE_EXCHANGE:
        if (r->status == BW_OK && r->seen == r->expected) {
            needs(part, LIN_VALUE, r->seen);
            sets(part, r->argument);
        }
        if (r->status == BW_MISMATCH && r->seen != r->expected)
            needs(part, LIN_VALUE, r->seen);
        if (r->status == BW_NOT_FOUND)
            needs(part, LIN_ABSENT, 0);
        return true;
    default: return false;
    }
}

/* ------------------------------------------------------------------ the dictionary ---------- */

struct dictionary {
    uint64_t *keys;
    uint64_t count, capacity;
    uint32_t *table; /* index + 1 into keys */
    uint64_t mask;
};

static uint64_t scatter(uint64_t key) {
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 29);
}

static bool rehash(struct dictionary *d, uint64_t size) {
    uint32_t *table = calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    for (uint64_t i = 0; i < d->count; i++) {
        uint64_t at = scatter(d->keys[i]) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = (uint32_t)(i + 1);
    }
    free(d->table);
    d->table = table;
    d->mask = size - 1;
    return true;
}

static uint64_t find_slot(const struct dictionary *d, uint64_t key) {
    uint64_t at = scatter(key) & d->mask;
    while (d->table[at] != 0 && d->keys[d->table[at] - 1] != key)
        at = (at + 1) & d->mask;
    return at;
}

static bool add_key(struct dictionary *d, uint64_t key) {
    uint64_t at = find_slot(d, key);
    if (d->table[at] != 0)
        return true;
    if (d->count == d->capacity) {
        uint64_t capacity = 2 * d->capacity;
        uint64_t *keys = realloc(d->keys, capacity * sizeof *keys);
        if (keys == NULL || capacity > UINT32_MAX / 2)
            return false;
        d->keys = keys;
        d->capacity = capacity;
        if (!rehash(d, 4 * capacity))
            return false;
        at = find_slot(d, key);
    }
    d->keys[d->count++] = key;
    d->table[at] = (uint32_t)d->count;
    return true;
}

static uint64_t index_of(const struct dictionary *d, uint64_t key) {
    return d->table[find_slot(d, key)] - 1;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ------------------------------------------------------------------ making parts ------------ */

struct maker {
    lin_partition *out;
    struct dictionary names;
    uint64_t *first_write; /* of each key: the least invocation of what could insert it */
    bool filling;          /* second pass: write parts; first pass: count them */
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
    uint64_t *first = m->out->first;
    if (m->filling)
        m->out->parts[first[rank + 1]++] = *part;
    else
        first[rank + 2]++;
}

/* Every history allows this key to be absent at the beginning of the call. */
static bool surely_absent(const struct maker *m, uint64_t rank, const lin_part *part) {
    return !m->out->initial[rank].present && part->invoked <= m->first_write[rank];
}

static void emit_range(struct maker *m, const lin_range *range, lin_part part) {
    const lin_partition *p = m->out;
    if (!lin_range_is_sound(range)) {
        part.need = LIN_NEVER;
        emit(m, index_of(&m->names, range->pairs[0].key), &part);
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
            emit(m, index_of(&m->names, r->key), &part);
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
        emit(m, index_of(&m->names, r->key), &part);
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
        emit(m, index_of(&m->names, low), &part);
        return;
    }
    part.effect = LIN_DELETES;
    uint64_t first = lin_rank(p, low);
    /* Unlike a read, a deletion that overlaps the first write may be needed behind it. */
    for (uint64_t i = first; i < p->key_count && p->keys[i] <= high; i++)
        if (i == first || p->initial[i].present || part.responded >= m->first_write[i])
            emit(m, i, &part);
}

static void emit_record(struct maker *m, const rec_lane *lane, uint16_t number, uint32_t index) {
    const rec_record *r = &lane->records[index];
    lin_part part;
    lin_range range;
    if (lin_part_of_record(r, &part)) {
        part.lane = number;
        part.record = index;
        emit(m, index_of(&m->names, r->key), &part);
        return;
    }
    part = (lin_part){.invoked = r->invoked,
                      .responded = r->responded,
                      .record = index,
                      .lane = number,
                      .need = LIN_ANY};
    if (lin_range_of_record(r, lane->pairs, &range)) {
        emit_range(m, &range, part);
    } else if (r->kind == REC_COUNT) {
        emit_count(m, r, part);
    } else if (r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE) {
        emit_deletion(m, r, part);
    }
}

static void emit_all(struct maker *m, const rec_history *h) {
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++)
            emit_record(m, &h->lanes[t], (uint16_t)t, (uint32_t)i);
}

static const char *unsound(const rec_lane *lane, const rec_record *r) {
    if (r->kind >= REC_KINDS)
        return "a record is of an unknown kind";
    if (r->invoked > r->responded)
        return "a record ends before it begins";
    if (r->status < 0)
        return "a record holds an error instead of a result";
    if (r->kind >= REC_SCAN_FORWARD && r->kind <= REC_WALK_BACKWARD) {
        if (r->seen > lane->pair_count || r->count > lane->pair_count - r->seen)
            return "a scan points outside the pairs of its lane";
        if (r->count > r->expected)
            return "a scan returned more than it was asked for";
    }
    return NULL;
}

static int collect_keys(struct dictionary *d, const rec_history *h, const char **message) {
    uint64_t last = 0;
    for (uint64_t i = 0; i < h->initial_count; i++) {
        if (i > 0 && h->initial[i].key <= last) {
            *message = "the initial entries are not in ascending order of keys";
            return -2;
        }
        last = h->initial[i].key;
        if (!add_key(d, last))
            return -1;
    }
    for (uint32_t t = 0; t < h->lane_count; t++) {
        const rec_lane *lane = &h->lanes[t];
        if (lane->record_count > UINT32_MAX) {
            *message = "a lane has more than 2^32-1 records";
            return -2;
        }
        for (uint64_t i = 0; i < lane->record_count; i++) {
            const rec_record *r = &lane->records[i];
            lin_part part;
            if ((*message = unsound(lane, r)) != NULL)
                return -2;
            lin_range range;
            bool point = lin_part_of_record(r, &part) || r->kind == REC_COUNT ||
                         r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE;
            if (point && !add_key(d, r->key))
                return -1;
            if (point || !lin_range_of_record(r, lane->pairs, &range))
                continue;
            for (uint64_t k = 0; k < range.count; k++)
                if (!add_key(d, range.pairs[k].key))
                    return -1;
        }
    }
    return 0;
}

static void note_first_writes(struct maker *m, const rec_history *h) {
    for (uint64_t i = 0; i < m->out->key_count; i++)
        m->first_write[i] = UINT64_MAX;
    for (uint64_t i = 0; i < h->initial_count; i++) {
        uint64_t rank = index_of(&m->names, h->initial[i].key);
        m->out->initial[rank] = (lin_state){h->initial[i].value, 1};
    }
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++) {
            lin_part part;
            const rec_record *r = &h->lanes[t].records[i];
            if (!lin_part_of_record(r, &part) || part.effect != LIN_SETS)
                continue;
            uint64_t rank = index_of(&m->names, r->key);
            if (part.invoked < m->first_write[rank])
                m->first_write[rank] = part.invoked;
        }
}

/* Lanes are in order, so a key's parts are a few ascending runs: merge them. */
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
    uint64_t most = 0;
    for (uint64_t i = 0; i < p->key_count; i++)
        if (p->first[i + 1] - p->first[i] > most)
            most = p->first[i + 1] - p->first[i];
    lin_part *spare = malloc((most ? most : 1) * sizeof *spare);
    if (spare == NULL)
        return -1;
    for (uint64_t i = 0; i < p->key_count; i++)
        sort_parts(p->parts + p->first[i], p->first[i + 1] - p->first[i], spare);
    free(spare);
    return 0;
}

static int make(struct maker *m, const rec_history *h, const char **message) {
    lin_partition *p = m->out;
    struct dictionary *d = &m->names;
    d->capacity = 1024;
    d->keys = malloc(d->capacity * sizeof *d->keys);
    if (d->keys == NULL || !rehash(d, 4 * d->capacity))
        return -1;
    int result = collect_keys(d, h, message);
    if (result != 0)
        return result;
    qsort(d->keys, d->count, sizeof *d->keys, ascending);
    if (!rehash(d, d->mask + 1))
        return -1; /* from here on an index is a rank */

    p->key_count = d->count;
    p->keys = d->keys;
    p->initial = calloc(d->count + 1, sizeof *p->initial);
    /* While filling, first[rank + 1] is where the next part of the key goes; so it needs one more. */
    p->first = calloc(d->count + 2, sizeof *p->first);
    m->first_write = malloc((d->count + 1) * sizeof *m->first_write);
    if (!p->initial || !p->first || !m->first_write)
        return -1;
    note_first_writes(m, h);
    emit_all(m, h);
    for (uint64_t i = 0; i <= d->count; i++)
        p->first[i + 1] += p->first[i];
    p->part_count = p->first[d->count + 1];
    p->parts = malloc((p->part_count ? p->part_count : 1) * sizeof *p->parts);
    if (p->parts == NULL)
        return -1;
    m->filling = true;
    emit_all(m, h);
    if (sort_all(p) != 0)
        return -1;
    return lin_deletions_judge(p, h) ? 0 : -1;
}

int lin_partition_make(lin_partition *partition, const rec_history *h, const char **message) {
    *partition = (lin_partition){0};
    struct maker m = {.out = partition};
    int result = make(&m, h, message);
    partition->keys = m.names.keys;
    free(m.names.table);
    free(m.first_write);
    for (uint32_t t = 0; t < h->lane_count; t++)
        partition->record_count += h->lanes[t].record_count;
    if (result != 0)
        lin_partition_free(partition);
    return result;
}

void lin_partition_free(lin_partition *partition) {
    free(partition->keys);
    free(partition->initial);
    free(partition->first);
    free(partition->parts);
    *partition = (lin_partition){0};
}
