/* forced.c: values, and what each part has to do with them. See forced.h. */
#include "forced.h"
#include "room.h"
#include "segments.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 12 }; /* parts between asking for a line of the table and using it */

lin_forced *lin_forced_new(void) {
    return calloc(1, sizeof(lin_forced));
}

void lin_forced_free(lin_forced *f) {
    if (f == NULL)
        return;
    lin_room_free(f->values, f->value_capacity * sizeof *f->values);
    lin_room_free(f->table, f->table_capacity * sizeof *f->table);
    free(f->untied);
    free(f->backward.all);
    free(f->forward.all);
    free(f->readers);
    free(f->wanted);
    free(f->asked);
    free(f);
}

uint64_t lin_forced_bytes(const lin_forced *f) {
    return f->bytes;
}

/* ------------------------------------------------------------------ room -------------------- */

/* The same for memory that is read at random, whose contents need not stay. */
static bool renew(struct lin_forced *f, void *memory, uint64_t have, uint64_t want, size_t size) {
    void **at = memory;
    lin_room_free(*at, have * size);
    *at = lin_room(want * size, false);
    f->bytes += (want - have) * size;
    return *at != NULL;
}

static bool make_room(struct lin_forced *f, uint64_t writes) {
    uint64_t values = writes + 1, size = values + values / 2 + 8;
    f->table_size = size;
    f->recent_mask = 7;
    while (f->recent_mask < 2 * values && f->recent_mask < RECENT - 1)
        f->recent_mask = 2 * f->recent_mask + 1;
    if (values > f->value_capacity) {
        uint64_t had = f->value_capacity;
        f->value_capacity = 0;
        if (!renew(f, &f->values, had, values, sizeof *f->values))
            return false;
        f->value_capacity = values;
    }
    if (size > f->table_capacity) {
        uint64_t had = f->table_capacity;
        f->table_capacity = 0;
        if (!renew(f, &f->table, had, size, sizeof *f->table))
            return false;
        f->table_capacity = size;
    }
    if (f->unanswered && values > f->wanted_capacity) {
        if (!grow(f, &f->wanted, f->wanted_capacity, values, sizeof *f->wanted) ||
            !grow(f, &f->asked, f->wanted_capacity, values, sizeof *f->asked))
            return false;
        f->wanted_capacity = values;
    }
    memset(f->table, 0, size * sizeof *f->table);
    f->value_count = f->forward.count = f->backward.count = 0;
    f->starved = false;
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

/* Where to look for it first; the size of the table need not be a power of two. */
static uint64_t home(const struct lin_forced *f, uint64_t hash) {
    return (hash & UINT32_MAX) * f->table_size >> 32;
}

/* The place of the value in the table: there, or free. */
static uint64_t place(const struct lin_forced *f, uint64_t wanted, uint64_t hash) {
    uint64_t at = home(f, hash);
    for (; f->table[at] != 0; at = at + 1 == f->table_size ? 0 : at + 1)
        if (tag_of(f->table[at] ^ hash) == 0 && held(f, (uint32_t)f->table[at] - 1) == wanted)
            break;
    return at;
}

uint32_t lin_forced_find(const struct lin_forced *f, uint64_t wanted) {
    return (uint32_t)f->table[place(f, wanted, scatter(wanted))] - 1; /* NOBODY if it is free */
}

static void ask_ahead(const struct lin_forced *f, uint64_t value) {
    __builtin_prefetch(&f->table[home(f, scatter(value))]);
}

static void add_value(struct lin_forced *f, uint32_t writer) {
    f->values[f->value_count++] =
        (struct value){.earliest = UINT64_MAX, .writer = writer, .consumer = NOBODY};
}

/* ------------------------------------------------------------------ which histories --------- */

/* A need and an effect, as one bit of a set of such pairs. */
static inline uint32_t pair_bit(uint32_t need, uint32_t effect) {
    return UINT32_C(1) << (effect * 8 + need);
}

static uint32_t with_need(uint32_t need) {
    return pair_bit(need, LIN_KEEPS) | pair_bit(need, LIN_SETS) | pair_bit(need, LIN_DELETES);
}

/* What the parts are as a whole. False: nothing forces their order. */
static bool classify(struct lin_forced *f, uint64_t *writes) {
    const uint32_t deletions = UINT32_C(0xff) << 8 * LIN_DELETES;
    uint32_t closed = 0, open = 0;
    uint64_t sets = 0;
    for (uint64_t i = 0; i < f->count; i++) { /* no branches: they could not be foreseen */
        const lin_part *part = &f->parts[i];
        uint32_t bit = pair_bit(part->need, part->effect);
        bool is_open = part->responded == LIN_NEVER_RESPONDED;
        closed |= is_open ? 0 : bit;
        open |= is_open ? bit : 0;
        sets += part->effect == LIN_SETS;
    }
    *writes = sets;
    f->unanswered = open != 0;
    f->blind = (closed & pair_bit(LIN_ANY, LIN_SETS)) != 0;
    if (((closed | open) & with_need(LIN_CALL)) != 0 || (open & deletions) != 0 ||
        (closed & (with_need(LIN_SOME) | with_need(LIN_OTHER) | pair_bit(LIN_ANY, LIN_DELETES))))
        return false;
    return !(f->blind && (closed & deletions) != 0);
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
        uint32_t seen = lin_forced_find(f, part->want);
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

/* ------------------------------------------------------------------ parts and values --------- */

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
        lin_segments_add_zone(f, part->responded, part->invoked, DELETED | (uint32_t)index);
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
    uint32_t found = f->recent[hash & f->recent_mask];
    return found != 0 && held(f, found - 1) == wanted ? found - 1 : NOBODY;
}

static void enter_beginning(struct lin_forced *f) {
    uint64_t hash = scatter(f->initial.value);
    add_value(f, NOBODY);
    if (!f->initial.present)
        return;
    f->table[home(f, hash)] = tag_of(hash) | 1;
    f->recent[hash & f->recent_mask] = 1;
}

/* Enters all values, and ties parts to those that were written just before; the others wait. Most parts
 * saw what was written last, so that only writes go to the large table. LIN_OK, or what ends it; a
 * violation is known only when no value comes twice, so all are entered in any case. */
static int enter_and_tie(struct lin_forced *f) {
    int verdict = LIN_OK;
    f->untied_count = 0;
    memset(f->recent, 0, (f->recent_mask + 1) * sizeof *f->recent);
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
            f->recent[hash & f->recent_mask] = f->value_count;
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
        if (!(part->need == LIN_VALUE ? tie(f, u.part, lin_forced_find(f, part->want), u.own)
                                      : tie_absent(f, u.part, u.own)))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ all of it --------------- */

int lin_forced_judge(lin_forced *f, const lin_part *parts, uint64_t count, lin_state initial,
                     uint64_t *failed, uint32_t *order) {
    uint64_t writes;
    f->parts = parts;
    f->count = count;
    f->initial = initial;
    if (count >= DELETED - 1 || !classify(f, &writes))
        return LIN_NOT_FORCED;
    if (!make_room(f, writes))
        return LIN_UNKNOWN_MEMORY;
    int verdict = enter_and_tie(f);
    if (verdict == LIN_OK && f->unanswered && !settle_unanswered(f))
        return LIN_NOT_FORCED;
    if (verdict == LIN_OK && !(tie_the_rest(f) && lin_segments_follow(f) && lin_segments_fit(f)))
        verdict = LIN_VIOLATION;
    *failed = f->failed;
    if (f->starved)
        return LIN_UNKNOWN_MEMORY;
    if (verdict == LIN_OK && order != NULL && !lin_segments_order(f, order))
        return LIN_UNKNOWN_MEMORY;
    return verdict;
}
