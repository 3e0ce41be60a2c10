/* sequences.c: see sequences.h. */
#include "sequences.h"

#include <stdlib.h>

struct lin_known_step {
    uint64_t from, call, to;
    uint8_t known; /* 0: the place is free; 1 impossible; 2 possible */
};

struct lin_sequence {
    uint64_t value, rest;
};

static uint64_t mix(uint64_t x, uint64_t y) {
    x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15) + y;
    x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ (x >> 32);
}

/* ------------------------------------------------------------------ steps ------------------- */

static struct lin_known_step *place(const lin_steps *s, uint64_t from, uint64_t call) {
    uint64_t at = mix(from, call) & s->mask;
    while (s->table[at].known != 0 && (s->table[at].from != from || s->table[at].call != call))
        at = (at + 1) & s->mask;
    return &s->table[at];
}

int lin_steps_find(const lin_steps *s, uint64_t from, uint64_t call, uint64_t *to) {
    if (s->table == NULL)
        return LIN_STEP_UNKNOWN;
    const struct lin_known_step *step = place(s, from, call);
    if (step->known == 0)
        return LIN_STEP_UNKNOWN;
    *to = step->to;
    return step->known == 2 ? LIN_STEP_POSSIBLE : LIN_STEP_IMPOSSIBLE;
}

static bool enlarge(lin_steps *s) {
    lin_steps larger = {.mask = s->table == NULL ? 1023 : 2 * s->mask + 1};
    larger.table = calloc(larger.mask + 1, sizeof *larger.table);
    if (larger.table == NULL)
        return false;
    for (uint64_t i = 0; s->table != NULL && i <= s->mask; i++)
        if (s->table[i].known != 0)
            *place(&larger, s->table[i].from, s->table[i].call) = s->table[i];
    larger.count = s->count;
    free(s->table);
    *s = larger;
    return true;
}

bool lin_steps_add(lin_steps *s, uint64_t from, uint64_t call, bool possible, uint64_t to) {
    if ((s->table == NULL || 2 * s->count > s->mask) && !enlarge(s))
        return false;
    *place(s, from, call) = (struct lin_known_step){from, call, to, possible ? 2 : 1};
    s->count++;
    return true;
}

void lin_steps_free(lin_steps *s) {
    free(s->table);
    *s = (lin_steps){0};
}

/* ------------------------------------------------------------------ sequences --------------- */

static bool rehash(lin_sequences *s, uint64_t size) {
    uint32_t *table = calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    for (uint64_t i = 1; i < s->count; i++) {
        uint64_t at = mix(s->all[i].value, s->all[i].rest) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = (uint32_t)i;
    }
    free(s->table);
    s->table = table;
    s->mask = size - 1;
    return true;
}

bool lin_sequences_make(lin_sequences *s) {
    *s = (lin_sequences){.count = 1, .capacity = 512}; /* 0 is the empty one */
    s->all = calloc(s->capacity, sizeof *s->all);
    return s->all != NULL && rehash(s, 2 * s->capacity);
}

void lin_sequences_free(lin_sequences *s) {
    free(s->all);
    free(s->table);
    *s = (lin_sequences){0};
}

uint64_t lin_sequences_before(lin_sequences *s, uint64_t value, uint64_t rest) {
    uint64_t at = mix(value, rest) & s->mask;
    for (; s->table[at] != 0; at = (at + 1) & s->mask) {
        const struct lin_sequence *found = &s->all[s->table[at]];
        if (found->value == value && found->rest == rest)
            return s->table[at];
    }
    if (s->count == s->capacity) {
        struct lin_sequence *all = realloc(s->all, 2 * s->capacity * sizeof *all);
        if (all == NULL || s->count >= UINT32_MAX / 2) {
            if (all != NULL)
                s->all = all;
            return UINT64_MAX;
        }
        s->all = all;
        s->capacity *= 2;
        if (!rehash(s, 2 * s->capacity))
            return UINT64_MAX;
        at = mix(value, rest) & s->mask;
        while (s->table[at] != 0)
            at = (at + 1) & s->mask;
    }
    s->all[s->count] = (struct lin_sequence){value, rest};
    s->table[at] = (uint32_t)s->count;
    return s->count++;
}

uint64_t lin_sequences_behind(lin_sequences *s, uint64_t sequence, uint64_t value) {
    /* The values on the way to the end, then built anew from there. */
    uint64_t length = 0, at = sequence, small[64], *values = small;
    for (uint64_t i = sequence; i != 0; i = s->all[i].rest)
        length++;
    if (length > sizeof small / sizeof *small && (values = malloc(length * sizeof *values)) == NULL)
        return UINT64_MAX;
    for (uint64_t i = 0; i < length; i++, at = s->all[at].rest)
        values[i] = s->all[at].value;
    uint64_t built = lin_sequences_before(s, value, 0);
    for (uint64_t i = length; i > 0 && built != UINT64_MAX; i--)
        built = lin_sequences_before(s, values[i - 1], built);
    if (values != small)
        free(values);
    return built;
}

bool lin_sequences_split(const lin_sequences *s, uint64_t sequence, uint64_t *first,
                         uint64_t *rest) {
    if (sequence == 0)
        return false;
    *first = s->all[sequence].value;
    *rest = s->all[sequence].rest;
    return true;
}
