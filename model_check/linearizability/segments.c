/* segments.c: segments, their zones, and whether these fit into time. See forced.h. */
#include "segments.h"

#include <string.h>

/* ------------------------------------------------------------------ segments ---------------- */

void lin_segments_add_zone(struct lin_forced *f, uint64_t earliest, uint64_t latest, uint32_t at) {
    bool goes_forward = earliest < latest;
    struct zones *zones = goes_forward ? &f->forward : &f->backward;
    if (zones->count == zones->capacity) {
        uint64_t capacity = zones->capacity + zones->capacity / 4 + 64;
        if (!grow(f, &zones->all, zones->capacity, capacity, sizeof *zones->all)) {
            f->starved = true;
            return;
        }
        zones->capacity = capacity;
    }
    zones->all[zones->count++] =
        goes_forward ? (struct zone){earliest, latest, at} : (struct zone){latest, earliest, at};
}

static bool begins_segment(const struct lin_forced *f, const lin_part *part) {
    return part->need == (f->blind ? LIN_ANY : LIN_ABSENT);
}

/* The read of the value that responded first: only to name it. */
static uint64_t first_reader(const struct lin_forced *f, uint32_t value) {
    for (uint64_t i = 0; i < f->count; i++) {
        const lin_part *part = &f->parts[i];
        bool sees = part->need == LIN_VALUE ? lin_forced_find(f, part->want) == value
                                            : part->need == LIN_ABSENT;
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
        lin_segments_add_zone(f, earliest, latest, first);
    return true;
}

bool lin_segments_follow(struct lin_forced *f) {
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

bool lin_segments_fit(struct lin_forced *f) {
    sort_zones(f->forward.all, f->forward.count);
    if (f->forward.count > 0 && f->forward.all[0].low < f->begun)
        return violated(f, part_of(f, &f->forward.all[0]));
    for (uint32_t i = 1; i < f->forward.count; i++)
        if (f->forward.all[i - 1].high > f->forward.all[i].low)
            return violated(f, part_of(f, &f->forward.all[i]));
    uint32_t next = 0; /* the first forward zone whose low is not before that of the backward one */
    for (uint32_t i = 0; i < f->backward.count; i++) {
        const struct zone *zone = &f->backward.all[i];
        if (zone->high < f->begun)
            return violated(f, part_of(f, zone));
        while (next < f->forward.count && f->forward.all[next].low < zone->low)
            next++;
        while (next > 0 && f->forward.all[next - 1].low >= zone->low)
            next--;
        if (next > 0 && zone->high < f->forward.all[next - 1].high)
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
            uint32_t seen = part->need == LIN_VALUE ? lin_forced_find(f, part->want) : 0;
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
    for (uint32_t i = 0; i < f->backward.count; i++) {
        uint32_t low = 0, high = f->forward.count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (f->forward.all[middle].low < f->backward.all[i].low)
                low = middle + 1;
            else
                high = middle;
        }
        if (low > 0 && f->backward.all[i].low < f->forward.all[low - 1].high)
            f->backward.all[i].low = f->forward.all[low - 1].high;
    }
    qsort(f->backward.all, f->backward.count, sizeof *f->backward.all, by_low);
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

bool lin_segments_order(struct lin_forced *f, uint32_t *order) {
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
    for (uint32_t i = 0; i < f->forward.count; i++) {
        while (b < f->backward.count && f->backward.all[b].low <= f->forward.all[i].low)
            put_zone(f, &f->backward.all[b++], first, &out);
        put_zone(f, &f->forward.all[i], first, &out);
    }
    while (b < f->backward.count)
        put_zone(f, &f->backward.all[b++], first, &out);
    put_the_rest(f, &out);
    free(first);
    return true;
}
