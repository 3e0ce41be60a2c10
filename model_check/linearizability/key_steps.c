/* key_steps.c: values, segments, and what saw the key absent. See key_steps.h. */
#include "key_steps.h"

#include <stdlib.h>
#include <string.h>

#define NO_VALUE UINT32_MAX

struct value {
    uint64_t value;
    uint64_t low, high; /* latest invocation, earliest response of calls on this key that saw it */
    uint32_t writer;    /* LIN_NO_STEP: it was there at first */
    uint32_t consumer;  /* LIN_NO_STEP: no call names it */
    uint32_t next;      /* the value that this one wrote */
    uint32_t readers;   /* parts of steps of many keys that saw it: a list */
    bool begins;        /* it does not name what it replaced */
};

struct reader {
    const lin_part *part;
    uint32_t next;
};

struct segment {
    uint32_t begin, end; /* LIN_NO_STEP: it was there at first, it stays */
    uint64_t low, high;  /* the key is absent before, and behind */
    uint64_t furthest;   /* the greatest `high` up to here */
};

/* A call that may have ended a segment without naming its value. */
struct taker {
    const lin_part *part;
    uint64_t reach; /* the latest response so far */
};

struct lin_key_steps {
    lin_page_steps *steps;
    struct value *values;
    uint32_t *table; /* of values: number + 1; 0: free */
    struct reader *readers;
    struct segment *segments;
    uint64_t *
        reach; /* a tree over segments: the greatest `high` below each node; leaves from `leaves` on */
    uint32_t *met; /* segments, from the last to the first */
    struct taker *takers;
    const lin_part **absent;
    uint64_t room, table_room; /* of all but the table: parts of a key */
    uint32_t leaves, met_count;
    uint32_t near; /* segments that begin before the last part placed had ended */

    uint64_t key;
    const lin_part *parts;
    uint64_t count;
    uint32_t value_count, reader_count, segment_count, taker_count, absent_count;
    uint64_t mask;
    bool starved;
};

lin_key_steps *lin_key_steps_new(lin_page_steps *steps) {
    lin_key_steps *k = calloc(1, sizeof *k);
    if (k != NULL)
        k->steps = steps;
    return k;
}

void lin_key_steps_free(lin_key_steps *k) {
    if (k == NULL)
        return;
    free(k->values);
    free(k->table);
    free(k->readers);
    free(k->segments);
    free(k->reach);
    free(k->met);
    free(k->takers);
    free(k->absent);
    free(k);
}

static bool renew(void *memory, uint64_t count, size_t size) {
    void **at = memory; /* the address of a pointer */
    free(*at);
    *at = malloc(count * size);
    return *at != NULL;
}

static bool make_room(lin_key_steps *k) {
    uint64_t writes = 1, slots = 8;
    for (uint64_t i = 0; i < k->count; i++)
        writes += k->parts[i].effect == LIN_SETS;
    while (slots < 2 * writes)
        slots *= 2;
    if (k->count + 1 > k->room) {
        k->room = 2 * k->count + 64;
        if (!renew(&k->values, k->room, sizeof *k->values) ||
            !renew(&k->readers, k->room, sizeof *k->readers) ||
            !renew(&k->segments, k->room, sizeof *k->segments) ||
            !renew(&k->reach, 4 * k->room, sizeof *k->reach) ||
            !renew(&k->met, k->room, sizeof *k->met) ||
            !renew(&k->takers, k->room, sizeof *k->takers) ||
            !renew(&k->absent, k->room, sizeof(void *)))
            return false;
    }
    if (slots > k->table_room) {
        k->table_room = slots;
        if (!renew(&k->table, slots, sizeof *k->table))
            return false;
    }
    k->mask = slots - 1;
    memset(k->table, 0, slots * sizeof *k->table);
    k->value_count = k->reader_count = k->segment_count = k->taker_count = k->absent_count = 0;
    return true;
}

static void before(lin_key_steps *k, uint32_t from, uint32_t to, enum lin_why why) {
    const lin_link link = {.from = from, .to = to, .key = k->key, .why = (uint8_t)why};
    if (from != LIN_NO_STEP && to != LIN_NO_STEP && !lin_instants_before(k->steps->instants, link))
        k->starved = true;
}

/* ------------------------------------------------------------------ values ------------------ */

static uint64_t scatter(uint64_t x) {
    x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ (x >> 29);
}

/* Where the value is in the table, or where it belongs. */
static uint64_t place(const lin_key_steps *k, uint64_t value) {
    uint64_t at = scatter(value) & k->mask;
    while (k->table[at] != 0 && k->values[k->table[at] - 1].value != value)
        at = (at + 1) & k->mask;
    return at;
}

static uint32_t find(const lin_key_steps *k, uint64_t value) {
    return k->table[place(k, value)] - 1; /* 0 - 1 is NO_VALUE */
}

/* False: it was written before. */
static bool add_value(lin_key_steps *k, uint64_t value, uint32_t writer, bool begins) {
    const uint64_t at = place(k, value);
    if (k->table[at] != 0)
        return false;
    k->values[k->value_count++] = (struct value){.value = value,
                                                 .high = UINT64_MAX,
                                                 .writer = writer,
                                                 .consumer = LIN_NO_STEP,
                                                 .next = NO_VALUE,
                                                 .readers = LIN_NO_STEP,
                                                 .begins = begins};
    k->table[at] = k->value_count;
    return true;
}

static bool names(const lin_part *part) {
    return part->need == LIN_VALUE || part->need == LIN_ABSENT;
}

/* Notes each value and who wrote it. False: one was written twice. */
static bool note_writes(lin_key_steps *k, lin_state initial) {
    if (initial.present)
        (void)add_value(k, initial.value, LIN_NO_STEP, true);
    for (uint64_t i = 0; i < k->count; i++) {
        const lin_part *part = &k->parts[i];
        if (part->effect == LIN_KEEPS)
            continue;
        if (!names(part)) {
            struct taker *taker = &k->takers[k->taker_count];
            const uint64_t reach = k->taker_count > 0 ? taker[-1].reach : 0;
            *taker = (struct taker){part, part->responded > reach ? part->responded : reach};
            k->taker_count++;
        }
        if (part->effect == LIN_SETS &&
            !add_value(k, part->give, lin_page_steps_of(k->steps, part, k->key),
                       part->need != LIN_VALUE))
            return false;
    }
    return true;
}

/* Notes who saw and who consumed each value. False: two consumed one, or nobody wrote it, so that no order
 * explains the key for itself. */
static bool note_reads(lin_key_steps *k) {
    for (uint64_t i = 0; i < k->count; i++) {
        const lin_part *part = &k->parts[i];
        if (part->need == LIN_ABSENT && part->effect == LIN_KEEPS)
            k->absent[k->absent_count++] = part;
        if (part->need != LIN_VALUE)
            continue;
        const uint32_t number = find(k, part->want);
        if (number == NO_VALUE)
            return false;
        struct value *value = &k->values[number];
        if (part->effect != LIN_KEEPS) {
            if (value->consumer != LIN_NO_STEP)
                return false;
            value->consumer = lin_page_steps_of(k->steps, part, k->key);
            if (part->effect == LIN_SETS)
                value->next = find(k, part->give);
        } else if (lin_page_steps_is_many(k->steps, part)) {
            k->readers[k->reader_count] = (struct reader){part, value->readers};
            value->readers = k->reader_count++;
        } else {
            value->low = part->invoked > value->low ? part->invoked : value->low;
            value->high = part->responded < value->high ? part->responded : value->high;
        }
    }
    for (uint32_t v = 0; v < k->value_count; v++) {
        const struct value *value = &k->values[v];
        if (value->writer != LIN_NO_STEP && value->high < UINT64_MAX)
            lin_instants_within(k->steps->instants, value->writer, 0, value->high);
        if (value->consumer != LIN_NO_STEP && value->low > 0)
            lin_instants_within(k->steps->instants, value->consumer, value->low, UINT64_MAX);
    }
    return true;
}

/* ------------------------------------------------------------------ segments ---------------- */

static uint64_t low_of(const lin_key_steps *k, uint32_t step) {
    return step == LIN_NO_STEP ? 0 : lin_instants_low(k->steps->instants, step);
}

static uint64_t high_of(const lin_key_steps *k, uint32_t step) {
    return step == LIN_NO_STEP ? UINT64_MAX : lin_instants_high(k->steps->instants, step);
}

/* The earliest response of what was invoked when the value had been written and did not find it. */
static uint64_t found_gone(const lin_key_steps *k, const struct value *value) {
    uint64_t gone = UINT64_MAX, low = 0, high = k->count;
    while (value->writer != LIN_NO_STEP && low < high) {
        const uint64_t middle = (low + high) / 2;
        if (k->parts[middle].invoked <= high_of(k, value->writer))
            low = middle + 1;
        else
            high = middle;
    }
    if (value->writer == LIN_NO_STEP)
        low = 0;
    for (; low < k->count && k->parts[low].invoked <= gone; low++) {
        const lin_part *part = &k->parts[low];
        const bool other = part->need == LIN_ABSENT || part->effect == LIN_SETS ||
                           (part->need == LIN_VALUE && part->want != value->value);
        if (other && part->responded < gone)
            gone = part->responded;
    }
    return gone;
}

/* A step for the end of a value that no call names; LIN_NO_STEP: it stays. */
static uint32_t unnamed_end(lin_key_steps *k, const struct value *value) {
    uint64_t least = low_of(k, value->writer), first = UINT64_MAX, last = 0;
    const uint64_t gone = k->taker_count > 0 ? found_gone(k, value) : 0;
    const lin_part *one = NULL;
    uint32_t found = 0, low = 0, high = k->taker_count;
    least = value->low > least ? value->low : least;
    for (uint32_t r = value->readers; r != LIN_NO_STEP; r = k->readers[r].next)
        least = k->readers[r].part->invoked > least ? k->readers[r].part->invoked : least;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (k->takers[middle].part->invoked <= gone)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t t = low; t > 0 && k->takers[t - 1].reach >= least; t--) {
        const lin_part *part = k->takers[t - 1].part;
        if (part->responded < least || (part->effect == LIN_SETS && part->give == value->value))
            continue;
        one = part;
        found++;
        first = part->invoked < first ? part->invoked : first;
        last = part->responded > last ? part->responded : last;
    }
    if (gone == UINT64_MAX)
        last = gone; /* it may as well have stayed: then its end is no bound for anything */
    if (one == NULL)
        return LIN_NO_STEP;
    k->steps->figures.unnamed++;
    const lin_place what = {
        .lane = one->lane, .record = one->record, .page = LIN_NO_STEP, .exact = found == 1};
    const uint32_t step = lin_page_steps_other(k->steps, what, first > least ? first : least,
                                               last < gone ? last : gone);
    k->starved = k->starved || step == LIN_NO_STEP;
    return step;
}

/* The writer of a value is before all that saw it, and these are before its end. For most of them time says so:
 * their steps are not even looked up. */
static void place_readers(lin_key_steps *k, const struct value *value, uint32_t end) {
    const uint64_t written = high_of(k, value->writer), gone = low_of(k, end);
    for (uint32_t r = value->readers; r != LIN_NO_STEP; r = k->readers[r].next) {
        const lin_part *part = k->readers[r].part;
        const bool behind = value->writer != LIN_NO_STEP && part->invoked <= written;
        const bool ahead = end != LIN_NO_STEP && part->responded >= gone;
        if (!behind && !ahead)
            continue;
        const uint32_t step = lin_page_steps_of(k->steps, part, k->key);
        if (behind)
            before(k, value->writer, step, LIN_WROTE);
        if (ahead)
            before(k, step, end, LIN_SAW);
    }
}

/* Follows a segment from its first value. */
static void follow(lin_key_steps *k, uint32_t number) {
    struct segment *segment = &k->segments[k->segment_count++];
    segment->begin = k->values[number].writer;
    for (uint32_t length = 0; length <= k->value_count && !k->starved; length++) {
        const struct value *value = &k->values[number];
        segment->end = value->consumer == LIN_NO_STEP ? unnamed_end(k, value) : value->consumer;
        before(k, value->writer, segment->end, LIN_WROTE);
        place_readers(k, value, segment->end);
        if (value->next == NO_VALUE)
            break;
        number = value->next;
    }
}

/* Of two segments one ends before the other begins. */
static void order(lin_key_steps *k, const struct segment *a, const struct segment *b) {
    const lin_link one = {.from = a->end, .to = b->begin, .key = k->key, .why = LIN_NEXT};
    const lin_link other = {.from = b->end, .to = a->begin, .key = k->key, .why = LIN_NEXT};
    if (one.from == LIN_NO_STEP || one.to == LIN_NO_STEP)
        before(k, other.from, other.to, LIN_NEXT);
    else if (other.from == LIN_NO_STEP || other.to == LIN_NO_STEP)
        before(k, one.from, one.to, LIN_NEXT);
    else if (!lin_instants_either(k->steps->instants, one, other))
        k->starved = true;
}

static int by_low(const void *a, const void *b) {
    const struct segment *x = a, *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

static void make_tree(lin_key_steps *k) {
    for (k->leaves = 1; k->leaves < k->segment_count;)
        k->leaves *= 2;
    for (uint32_t i = 0; i < k->leaves; i++)
        k->reach[k->leaves + i] = i < k->segment_count ? k->segments[i].high : 0;
    for (uint32_t node = k->leaves - 1; node > 0; node--) {
        const uint64_t *below = k->reach + (uint64_t)2 * node;
        k->reach[node] = below[0] > below[1] ? below[0] : below[1];
    }
}

/* Fills `met` with the segments before number `end` that reach to the instant. Most others that lie between are
 * not looked at: a thread that is stopped within a call makes one long segment among very many. */
static void meet(lin_key_steps *k, uint32_t end, uint64_t instant) {
    k->met_count = 0;
    while (end > 0) {
        uint32_t node = k->leaves + end - 1;
        /* Up to a subtree that reaches so far, and is before `end`; then down in it, to the right. */
        while (k->reach[node] < instant) {
            while (node > 1 && node % 2 == 0)
                node /= 2;
            if (node <= 1)
                return;
            node--;
        }
        while (node < k->leaves)
            node = 2 * node + (k->reach[(uint64_t)2 * node + 1] >= instant);
        end = node - k->leaves;
        k->met[k->met_count++] = end;
    }
}

static void make_segments(lin_key_steps *k) {
    for (uint32_t v = 0; v < k->value_count; v++)
        if (k->values[v].begins)
            follow(k, v);
    for (uint32_t i = 0; i < k->segment_count; i++) {
        k->segments[i].low = low_of(k, k->segments[i].begin);
        k->segments[i].high = high_of(k, k->segments[i].end);
    }
    qsort(k->segments, k->segment_count, sizeof *k->segments, by_low);
    make_tree(k);
    k->near = 0;
    for (uint32_t i = 0; i < k->segment_count && !k->starved; i++) {
        struct segment *segment = &k->segments[i];
        const uint64_t furthest = i > 0 ? segment[-1].furthest : 0;
        segment->furthest = segment->high > furthest ? segment->high : furthest;
        if (furthest < segment->low)
            continue;
        meet(k, i, segment->low);
        for (uint32_t m = 0; m < k->met_count; m++)
            order(k, &k->segments[k->met[m]], &k->segments[i]);
    }
}

/* ------------------------------------------------------------------ absent ------------------ */

/* Fills `met` with the segments that may hold the key within the interval. Parts come in the order of time. */
static void meet_within(lin_key_steps *k, uint64_t low, uint64_t high) {
    while (k->near < k->segment_count && k->segments[k->near].low <= high)
        k->near++;
    while (k->near > 0 && k->segments[k->near - 1].low > high)
        k->near--;
    k->met_count = 0;
    if (k->near > 0 && k->segments[k->near - 1].furthest >= low)
        meet(k, k->near, low);
}

/* Is some instant of it outside of all segments, whatever their instants are? */
static bool fits_anyhow(const lin_key_steps *k, const lin_part *part) {
    uint64_t at = part->invoked;
    for (uint32_t m = k->met_count; m > 0; m--) {
        const struct segment *segment = &k->segments[k->met[m - 1]];
        if (segment->low >= at && segment->begin != LIN_NO_STEP)
            break;
        at = segment->high > at ? segment->high : at;
    }
    return at <= part->responded;
}

/* The step of what saw the key absent; LIN_NO_STEP: none is needed, or there is no memory. */
static uint32_t step_of_absent(lin_key_steps *k, const lin_part *part) {
    if (lin_page_steps_is_many(k->steps, part))
        return lin_page_steps_of(k->steps, part, k->key);
    if (fits_anyhow(k, part))
        return LIN_NO_STEP;
    if (lin_is_point(&k->steps->history->lanes[part->lane].records[part->record]))
        return lin_page_steps_of(k->steps, part, k->key);
    const lin_place what = {
        .lane = part->lane, .record = part->record, .page = LIN_NO_STEP, .exact = 1};
    const uint32_t step = lin_page_steps_other(k->steps, what, part->invoked, part->responded);
    k->starved = k->starved || step == LIN_NO_STEP;
    return step;
}

static void place_absent(lin_key_steps *k, const lin_part *part) {
    meet_within(k, part->invoked, part->responded);
    const uint32_t step = k->met_count > 0 ? step_of_absent(k, part) : LIN_NO_STEP;
    for (uint32_t m = step == LIN_NO_STEP ? 0 : k->met_count; m > 0 && !k->starved; m--) {
        const struct segment *segment = &k->segments[k->met[m - 1]];
        const lin_link came = {.from = step, .to = segment->begin, .key = k->key, .why = LIN_CAME};
        const lin_link went = {.from = segment->end, .to = step, .key = k->key, .why = LIN_WENT};
        if (segment->begin == LIN_NO_STEP)
            before(k, went.from, went.to, LIN_WENT);
        else if (segment->end == LIN_NO_STEP)
            before(k, came.from, came.to, LIN_CAME);
        else if (!lin_instants_either(k->steps->instants, came, went))
            k->starved = true;
    }
}

bool lin_key_steps_add(lin_key_steps *k, uint64_t key, const lin_part *parts, uint64_t count,
                       lin_state initial) {
    bool many = false;
    for (uint64_t i = 0; i < count && !many; i++)
        many = lin_page_steps_is_many(k->steps, &parts[i]);
    if (!many)
        return true;
    k->key = key;
    k->parts = parts;
    k->count = count;
    if (!make_room(k))
        return false;
    k->steps->figures.keys++;
    if (!note_writes(k, initial) || !note_reads(k)) {
        k->steps->figures.left_out++;
        return true;
    }
    make_segments(k);
    for (uint32_t i = 0; i < k->absent_count && !k->starved; i++)
        place_absent(k, k->absent[i]);
    return !k->starved;
}
