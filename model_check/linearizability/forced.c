/* forced.c: segments, their zones, and whether these fit into time. See forced.h. */
#include "forced.h"

#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = 12,    /* parts between asking for a line of the table and using it */
    RECENT = 1024, /* a power of two */
};

#define NOBODY UINT32_MAX
#define DELETED (UINT32_C(1) << 31) /* of a consumer: it is a part that deletes, not a value */

/* A value that the cell held: who wrote it, who consumed it, and the reads of it. */
struct value {
    uint64_t latest;   /* invocation of a read; 0: none */
    uint64_t earliest; /* response of a read; UINT64_MAX: none */
    uint32_t writer;   /* part; NOBODY: it was there at first */
    uint32_t consumer; /* the value that replaced it, or DELETED | part, or NOBODY */
};

/* Forward: the cell is taken from low to high. Backward: an instant of low ... high is enough. */
struct zone {
    uint64_t low, high;
    uint32_t at; /* its first value, or DELETED | the part that saw the cell absent */
};

struct untied {
    uint32_t part, own; /* the value it wrote, if it wrote one */
};

struct lin_forced {
    struct value *values;
    uint64_t *table; /* of values: some bits of what they are, and index + 1; 0: free */
    uint32_t recent[RECENT]; /* the values written last, by what they are: index + 1 */
    struct untied *untied;   /* parts that saw none of those */
    uint64_t untied_count, untied_capacity;
    struct zone *zones, *forward, *spare;
    uint32_t *readers; /* for an order: parts, by the value they read */
    uint64_t value_capacity, table_capacity, zone_capacity, bytes;

    const lin_part *parts;
    uint64_t count, mask;
    lin_state initial;
    bool blind;        /* it is a register */
    bool unanswered;   /* some part has no response */
    bool *wanted;      /* then: a part with a response saw the value ... */
    bool *asked;       /* ... or any part that changes the cell may have */
    uint64_t wanted_capacity;
    uint32_t value_count, zone_count, forward_count;
    uint64_t begun; /* until then the cell is taken by what was there at first */
    uint64_t failed;
};

lin_forced *lin_forced_new(void) {
    return calloc(1, sizeof(lin_forced));
}

void lin_forced_free(lin_forced *f) {
    if (f == NULL)
        return;
    free(f->values);
    free(f->table);
    free(f->untied);
    free(f->zones);
    free(f->forward);
    free(f->spare);
    free(f->readers);
    free(f->wanted);
    free(f->asked);
    free(f);
}

uint64_t lin_forced_bytes(const lin_forced *f) {
    return f->bytes;
}

/* ------------------------------------------------------------------ room -------------------- */

static bool grow(struct lin_forced *f, void *memory, uint64_t have, uint64_t want, size_t size) {
    void **at = memory; /* the address of a pointer */
    void *more = realloc(*at, want * size);
    if (more == NULL)
        return false;
    *at = more;
    f->bytes += (want - have) * size;
    return true;
}

static bool make_room(struct lin_forced *f, uint64_t writes, uint64_t others) {
    uint64_t values = writes + 1, zones = writes + 1 + others, size = 16;
    while (size < 2 * values)
        size *= 2;
    f->mask = size - 1;
    if (values > f->value_capacity) {
        if (!grow(f, &f->values, f->value_capacity, values, sizeof *f->values))
            return false;
        f->value_capacity = values;
    }
    if (size > f->table_capacity) {
        if (!grow(f, &f->table, f->table_capacity, size, sizeof *f->table))
            return false;
        f->table_capacity = size;
    }
    if (zones > f->zone_capacity) {
        if (!grow(f, &f->zones, f->zone_capacity, zones, sizeof *f->zones) ||
            !grow(f, &f->forward, f->zone_capacity, zones, sizeof *f->forward))
            return false;
        f->zone_capacity = zones;
    }
    if (f->unanswered && values > f->wanted_capacity) {
        if (!grow(f, &f->wanted, f->wanted_capacity, values, sizeof *f->wanted) ||
            !grow(f, &f->asked, f->wanted_capacity, values, sizeof *f->asked))
            return false;
        f->wanted_capacity = values;
    }
    memset(f->table, 0, size * sizeof *f->table);
    f->value_count = f->zone_count = f->forward_count = 0;
    f->begun = 0;
    return true;
}

/* ------------------------------------------------------------------ values ------------------ */

static inline uint64_t scatter(uint64_t x) {
    x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ (x >> 32);
}

static uint64_t held(const struct lin_forced *f, uint32_t value) {
    uint32_t writer = f->values[value].writer;
    return writer == NOBODY ? f->initial.value : f->parts[writer].give;
}

/* Where a word of the table differs from the tag in the upper half, no value has to be looked at. */
static uint64_t tag_of(uint64_t hash) {
    return hash & ~(uint64_t)UINT32_MAX;
}

/* The place of the value in the table: there, or free. */
static uint64_t place(const struct lin_forced *f, uint64_t wanted, uint64_t hash) {
    uint64_t at = hash & f->mask;
    for (; f->table[at] != 0; at = (at + 1) & f->mask)
        if (tag_of(f->table[at] ^ hash) == 0 && held(f, (uint32_t)f->table[at] - 1) == wanted)
            break;
    return at;
}

static uint32_t find(const struct lin_forced *f, uint64_t wanted) {
    return (uint32_t)f->table[place(f, wanted, scatter(wanted))] - 1; /* NOBODY if it is free */
}

static void ask_ahead(const struct lin_forced *f, uint64_t value) {
    __builtin_prefetch(&f->table[scatter(value) & f->mask]);
}

/* The state before the first part is value 0 if the cell is present, or if it is a register. */
static bool has_beginning(const struct lin_forced *f) {
    return f->initial.present || f->blind;
}

static void add_value(struct lin_forced *f, uint32_t writer) {
    f->values[f->value_count++] =
        (struct value){.earliest = UINT64_MAX, .writer = writer, .consumer = NOBODY};
}

/* ------------------------------------------------------------------ which histories --------- */

/* What the parts are as a whole. False: nothing forces their order. */
static bool classify(struct lin_forced *f, uint64_t *writes, uint64_t *misses) {
    bool deletes = false;
    f->blind = f->unanswered = false;
    *writes = *misses = 0;
    for (uint64_t i = 0; i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        bool open = part->responded == LIN_NEVER_RESPONDED;
        if (part->need == LIN_CALL || ((part->need == LIN_SOME || part->need == LIN_OTHER) && !open))
            return false;
        f->unanswered |= open;
        *writes += part->effect == LIN_SETS;
        deletes |= part->effect == LIN_DELETES;
        if (part->effect == LIN_DELETES && (open || part->need == LIN_ANY))
            return false;
        f->blind |= part->effect == LIN_SETS && part->need == LIN_ANY && !open;
        *misses += part->need == LIN_ABSENT;
    }
    return !(f->blind && deletes);
}

/* A part without a response that is left out: nobody asks for what it would have written. */
static bool is_left_out(const struct lin_forced *f, const lin_part *part, uint32_t own) {
    if (part->responded != LIN_NEVER_RESPONDED)
        return false;
    return part->effect != LIN_SETS || !f->wanted[own];
}

/* Decides about the parts without a response. False: what they did is not forced. */
static bool settle_unanswered(struct lin_forced *f) {
    memset(f->wanted, 0, f->value_count);
    memset(f->asked, 0, f->value_count);
    for (uint64_t i = 0; i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        bool open = part->responded == LIN_NEVER_RESPONDED;
        if (part->need != LIN_VALUE || (open && part->effect == LIN_KEEPS))
            continue;
        uint32_t seen = find(f, part->want);
        if (seen == NOBODY)
            continue;
        f->asked[seen] = true;
        f->wanted[seen] |= !open;
    }
    for (uint32_t v = 0; v < f->value_count; v++) {
        uint32_t writer = f->values[v].writer;
        if (writer == NOBODY || f->parts[writer].responded != LIN_NEVER_RESPONDED)
            continue;
        if (f->asked[v] != f->wanted[v])
            return false; /* only a part that may not have happened asks for it */
        uint8_t need = f->parts[writer].need;
        if (f->wanted[v] && (need == LIN_SOME || (need == LIN_ANY && !f->blind)))
            return false; /* it happened, and does not say what it replaced */
    }
    return true;
}

/* ------------------------------------------------------------------ segments ---------------- */

static bool violated(struct lin_forced *f, uint64_t part) {
    f->failed = part;
    return false;
}

static void add_zone(struct lin_forced *f, uint64_t earliest, uint64_t latest, uint32_t at) {
    if (earliest < latest)
        f->forward[f->forward_count++] = (struct zone){earliest, latest, at};
    else
        f->zones[f->zone_count++] = (struct zone){latest, earliest, at};
}

static void note_read(struct value *value, const lin_part *part) {
    if (part->invoked > value->latest)
        value->latest = part->invoked;
    if (part->responded < value->earliest)
        value->earliest = part->responded;
}

/* Ties a part to the value that it saw. False: that cannot be, f->failed. */
static bool tie(struct lin_forced *f, uint64_t index, uint32_t seen, uint32_t own) {
    const lin_part *part = &f->parts[index];
    if (seen == NOBODY)
        return violated(f, index);
    struct value *value = &f->values[seen];
    if (part->effect == LIN_KEEPS) {
        note_read(value, part);
        return true;
    }
    if (value->consumer != NOBODY)
        return violated(f, index);
    value->consumer = part->effect == LIN_SETS ? own : DELETED | (uint32_t)index;
    return true;
}

/* The same for parts that saw no value. */
static bool tie_absent(struct lin_forced *f, uint64_t index, uint32_t own) {
    const lin_part *part = &f->parts[index];
    if (part->need == LIN_ANY)
        return true; /* blind: a segment of its own; or it says nothing */
    if (part->need != LIN_ABSENT)
        return violated(f, index);
    if (f->blind)
        return tie(f, index, f->initial.present ? NOBODY : 0, own);
    if (part->effect != LIN_SETS)
        add_zone(f, part->responded, part->invoked, DELETED | (uint32_t)index);
    return true;
}

static bool put_off(struct lin_forced *f, uint64_t part, uint32_t own) {
    if (f->untied_count == f->untied_capacity) {
        uint64_t capacity = f->untied_capacity ? 2 * f->untied_capacity : 64;
        if (!grow(f, &f->untied, f->untied_capacity, capacity, sizeof *f->untied))
            return false;
        f->untied_capacity = capacity;
    }
    f->untied[f->untied_count++] = (struct untied){(uint32_t)part, own};
    return true;
}

static uint32_t find_recent(const struct lin_forced *f, uint64_t wanted, uint64_t hash) {
    uint32_t found = f->recent[hash % RECENT];
    return found != 0 && held(f, found - 1) == wanted ? found - 1 : NOBODY;
}

static void enter_beginning(struct lin_forced *f) {
    uint64_t hash = scatter(f->initial.value);
    add_value(f, NOBODY);
    if (!f->initial.present)
        return;
    f->table[hash & f->mask] = tag_of(hash) | 1;
    f->recent[hash % RECENT] = 1;
}

/* Enters all values, and ties parts to those that were written just before; the others wait. Most parts
 * saw what was written last, so that only writes go to the large table. LIN_OK, or what ends it; a
 * violation is known only when no value comes twice, so all are entered in any case. */
static int enter_and_tie(struct lin_forced *f) {
    int verdict = LIN_OK;
    f->untied_count = 0;
    memset(f->recent, 0, sizeof f->recent);
    if (has_beginning(f))
        enter_beginning(f);
    for (uint64_t i = 0; i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        uint32_t own = NOBODY;
        if (i + AHEAD < f->count && part[AHEAD].effect == LIN_SETS)
            ask_ahead(f, part[AHEAD].give);
        if (part->effect == LIN_SETS) {
            uint64_t hash = scatter(part->give), at = place(f, part->give, hash);
            if (f->table[at] != 0)
                return LIN_NOT_FORCED; /* a value was written twice */
            own = f->value_count;
            add_value(f, (uint32_t)i);
            f->table[at] = tag_of(hash) | f->value_count;
            f->recent[hash % RECENT] = f->value_count;
        }
        if (verdict != LIN_OK)
            continue;
        uint32_t seen = NOBODY;
        if (part->need == LIN_VALUE && !f->unanswered)
            seen = find_recent(f, part->want, scatter(part->want));
        if (seen != NOBODY || (part->need != LIN_VALUE && !f->unanswered)) {
            if (!(seen != NOBODY ? tie(f, i, seen, own) : tie_absent(f, i, own)))
                verdict = LIN_VIOLATION;
        } else if (!put_off(f, i, own)) {
            return LIN_UNKNOWN_MEMORY;
        }
    }
    return verdict;
}

/* The parts that wait. False: that cannot be, f->failed. */
static bool tie_the_rest(struct lin_forced *f) {
    for (uint64_t i = 0; i < f->untied_count; i++) {
        struct untied u = f->untied[i];
        const lin_part *part = &f->parts[u.part];
        if (f->unanswered && is_left_out(f, part, u.own))
            continue;
        if (!(part->need == LIN_VALUE ? tie(f, u.part, find(f, part->want), u.own)
                                      : tie_absent(f, u.part, u.own)))
            return false;
    }
    return true;
}

static bool begins_segment(const struct lin_forced *f, const lin_part *part) {
    return part->need == (f->blind ? LIN_ANY : LIN_ABSENT);
}

/* The read of the value that responded first: only to name it. */
static uint64_t first_reader(const struct lin_forced *f, uint32_t value) {
    for (uint64_t i = 0; i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        bool sees = part->need == LIN_VALUE ? find(f, part->want) == value : part->need == LIN_ABSENT;
        if (sees && part->effect == LIN_KEEPS && part->responded == f->values[value].earliest)
            return i;
    }
    return 0;
}

/* Follows a segment from its first value, and notes its zone. False: time runs backward in it. */
static bool follow(struct lin_forced *f, uint32_t first, uint32_t *reached) {
    uint32_t at = first, writer = f->values[first].writer;
    uint64_t earliest = 0, latest = 0;
    if (writer != NOBODY) {
        earliest = f->parts[writer].responded;
        latest = f->parts[writer].invoked;
    }
    for (;;) {
        const struct value *value = &f->values[at];
        ++*reached;
        /* `latest` is of what comes before in the segment: nothing here may have ended by then. */
        if (value->earliest < latest)
            return violated(f, first_reader(f, at));
        if (value->latest > latest)
            latest = value->latest;
        if (value->earliest < earliest)
            earliest = value->earliest;
        if (value->consumer == NOBODY) {
            if (!f->blind)
                latest = UINT64_MAX; /* the value stays: the cell is never absent again */
            break;
        }
        bool ends = (value->consumer & DELETED) != 0;
        uint32_t next = ends ? value->consumer & ~DELETED : f->values[value->consumer].writer;
        const lin_part *part = &f->parts[next];
        if (part->responded < latest)
            return violated(f, next);
        if (part->invoked > latest)
            latest = part->invoked;
        if (part->responded < earliest)
            earliest = part->responded;
        if (ends)
            break;
        at = value->consumer;
    }
    if (writer == NOBODY)
        f->begun = latest;
    else
        add_zone(f, earliest, latest, first);
    return true;
}

static bool follow_all(struct lin_forced *f) {
    uint32_t reached = 0, alive = 0;
    for (uint32_t v = 0; v < f->value_count; v++) {
        uint32_t writer = f->values[v].writer;
        if (writer != NOBODY) {
            if (f->unanswered && is_left_out(f, &f->parts[writer], v))
                continue;
            alive++;
            if (!begins_segment(f, &f->parts[writer]))
                continue;
        } else {
            alive++;
        }
        if (!follow(f, v, &reached))
            return false;
    }
    if (reached == alive)
        return true;
    /* A ring of values, each written by what consumed another: no insertion reaches them. */
    for (uint32_t v = 0; v < f->value_count; v++) {
        uint32_t writer = f->values[v].writer;
        bool head = writer == NOBODY || begins_segment(f, &f->parts[writer]);
        if (!head && f->values[v].consumer != NOBODY && (f->values[v].consumer & DELETED) == 0)
            f->failed = writer;
    }
    return false;
}

/* ------------------------------------------------------------------ zones ------------------- */

static int by_low(const void *a, const void *b) {
    const struct zone *x = a, *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

/* Segments were found in the order of their first invocation: nearly sorted already. */
static void sort_zones(struct zone *zones, uint32_t count) {
    uint64_t moves = 0;
    for (uint32_t i = 1; i < count; i++) {
        struct zone zone = zones[i];
        uint32_t at = i;
        for (; at > 0 && zones[at - 1].low > zone.low; at--)
            zones[at] = zones[at - 1];
        zones[at] = zone;
        moves += i - at;
        if (moves > 8 * (uint64_t)count) {
            qsort(zones, count, sizeof *zones, by_low);
            return;
        }
    }
}

static uint64_t part_of(const struct lin_forced *f, const struct zone *zone) {
    if (zone->at & DELETED)
        return zone->at & ~DELETED;
    uint32_t writer = f->values[zone->at].writer;
    return writer == NOBODY ? 0 : writer;
}

static bool zones_fit(struct lin_forced *f) {
    sort_zones(f->forward, f->forward_count);
    if (f->forward_count > 0 && f->forward[0].low < f->begun)
        return violated(f, part_of(f, &f->forward[0]));
    for (uint32_t i = 1; i < f->forward_count; i++)
        if (f->forward[i - 1].high > f->forward[i].low)
            return violated(f, part_of(f, &f->forward[i]));
    uint32_t next = 0; /* the first forward zone whose low is not before that of the backward one */
    for (uint32_t i = 0; i < f->zone_count; i++) {
        const struct zone *zone = &f->zones[i];
        if (zone->high < f->begun)
            return violated(f, part_of(f, zone));
        while (next < f->forward_count && f->forward[next].low < zone->low)
            next++;
        while (next > 0 && f->forward[next - 1].low >= zone->low)
            next--;
        if (next > 0 && zone->high < f->forward[next - 1].high)
            return violated(f, part_of(f, zone));
    }
    return true;
}

/* ------------------------------------------------------------------ an order ---------------- */

struct output {
    uint32_t *order;
    uint64_t count;
};

/* Parts with LIN_KEEPS by the value they saw, each group in order of invocation: counting sort into
 * f->readers, with first[v] ... first[v+1] the places of value v. */
static bool group_readers(struct lin_forced *f, uint32_t **first) {
    uint32_t *starts = calloc((uint64_t)f->value_count + 2, sizeof *starts);
    uint32_t *readers = realloc(f->readers, (f->count + 1) * sizeof *readers);
    if (readers != NULL)
        f->readers = readers;
    if (starts == NULL || readers == NULL) {
        free(starts);
        return false;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < f->count; i++) {
            const lin_part *part = &f->parts[i];
            bool sees = part->need == LIN_VALUE || (part->need == LIN_ABSENT && f->blind);
            if (part->effect != LIN_KEEPS || part->responded == LIN_NEVER_RESPONDED || !sees)
                continue;
            uint32_t seen = part->need == LIN_VALUE ? find(f, part->want) : 0;
            if (pass == 0)
                starts[seen + 2]++;
            else
                readers[starts[seen + 1]++] = (uint32_t)i;
        }
        for (uint32_t v = 1; pass == 0 && v <= f->value_count; v++)
            starts[v + 1] += starts[v];
    }
    *first = starts;
    return true;
}

static void put_segment(const struct lin_forced *f, uint32_t at, const uint32_t *first,
                        struct output *out) {
    uint32_t writer = f->values[at].writer;
    if (writer != NOBODY)
        out->order[out->count++] = writer;
    for (;;) {
        for (uint32_t i = first[at]; i < first[at + 1]; i++)
            out->order[out->count++] = f->readers[i];
        uint32_t consumer = f->values[at].consumer;
        if (consumer == NOBODY)
            return;
        bool ends = (consumer & DELETED) != 0;
        out->order[out->count++] = ends ? consumer & ~DELETED : f->values[consumer].writer;
        if (ends)
            return;
        at = consumer;
    }
}

static void put_zone(const struct lin_forced *f, const struct zone *zone, const uint32_t *first,
                     struct output *out) {
    if (zone->at & DELETED)
        out->order[out->count++] = zone->at & ~DELETED;
    else
        put_segment(f, zone->at, first, out);
}

/* Each backward zone goes to its first instant that lies inside no forward zone. */
static void place_backward(struct lin_forced *f) {
    for (uint32_t i = 0; i < f->zone_count; i++) {
        uint32_t low = 0, high = f->forward_count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (f->forward[middle].low < f->zones[i].low)
                low = middle + 1;
            else
                high = middle;
        }
        if (low > 0 && f->zones[i].low < f->forward[low - 1].high)
            f->zones[i].low = f->forward[low - 1].high;
    }
    qsort(f->zones, f->zone_count, sizeof *f->zones, by_low);
}

/* The instant that a part needs in the order so far: what says nothing goes where time lets it. */
static void put_the_rest(const struct lin_forced *f, struct output *out) {
    uint64_t silent = 0;
    for (uint64_t i = 0; i < f->count; i++)
        silent += f->parts[i].need == LIN_ANY && f->parts[i].effect == LIN_KEEPS &&
                  f->parts[i].responded != LIN_NEVER_RESPONDED;
    for (uint64_t i = 0; silent > 0 && i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        if (part->need != LIN_ANY || part->effect != LIN_KEEPS ||
            part->responded == LIN_NEVER_RESPONDED)
            continue;
        uint64_t at = 0; /* behind the last that ended before it began; all later ones may follow */
        for (uint64_t k = out->count; k > 0 && at == 0; k--)
            if (f->parts[out->order[k - 1]].responded < part->invoked)
                at = k;
        memmove(out->order + at + 1, out->order + at, (out->count - at) * sizeof *out->order);
        out->order[at] = (uint32_t)i;
        out->count++;
    }
    while (out->count < f->count)
        out->order[out->count++] = LIN_NO_PART;
}

static bool write_order(struct lin_forced *f, uint32_t *order) {
    uint32_t *first;
    if (!group_readers(f, &first))
        return false;
    struct output out = {.order = order};
    place_backward(f);
    uint32_t b = 0;
    if (has_beginning(f))
        put_segment(f, 0, first, &out);
    /* At the instant where a forward zone begins a backward one goes before it, and where it ends,
     * behind it. */
    for (uint32_t i = 0; i < f->forward_count; i++) {
        while (b < f->zone_count && f->zones[b].low <= f->forward[i].low)
            put_zone(f, &f->zones[b++], first, &out);
        put_zone(f, &f->forward[i], first, &out);
    }
    while (b < f->zone_count)
        put_zone(f, &f->zones[b++], first, &out);
    put_the_rest(f, &out);
    free(first);
    return true;
}

/* ------------------------------------------------------------------ all of it --------------- */

int lin_forced_judge(lin_forced *f, const lin_part *parts, uint64_t count, lin_state initial,
                     uint64_t *failed, uint32_t *order) {
    uint64_t writes, misses;
    f->parts = parts;
    f->count = count;
    f->initial = initial;
    if (count >= DELETED - 1 || !classify(f, &writes, &misses))
        return LIN_NOT_FORCED;
    if (!make_room(f, writes, misses))
        return LIN_UNKNOWN_MEMORY;
    int verdict = enter_and_tie(f);
    if (verdict == LIN_OK && f->unanswered && !settle_unanswered(f))
        return LIN_NOT_FORCED;
    if (verdict == LIN_OK && !(tie_the_rest(f) && follow_all(f) && zones_fit(f)))
        verdict = LIN_VIOLATION;
    *failed = f->failed;
    if (verdict == LIN_OK && order != NULL && !write_order(f, order))
        return LIN_UNKNOWN_MEMORY;
    return verdict;
}
