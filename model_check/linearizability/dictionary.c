/* dictionary.c: see dictionary.h. Linear probing over one array of keys with their numbers. */
#include "dictionary.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_KEYS = 1024 };

static uint64_t scatter(uint64_t key) {
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return key ^ (key >> 29);
}

static bool rehash(lin_dictionary *d, uint64_t size) {
    struct lin_key_slot *table = lin_room(size * sizeof *table, true);
    if (table == NULL)
        return false;
    for (uint64_t i = 0; i < d->count; i++) {
        uint64_t at = scatter(d->keys[i]) & (size - 1);
        while (table[at].number != 0)
            at = (at + 1) & (size - 1);
        table[at] = (struct lin_key_slot){d->keys[i], i + 1};
    }
    if (d->table != NULL)
        lin_room_free(d->table, (d->mask + 1) * sizeof *d->table);
    d->table = table;
    d->mask = size - 1;
    return true;
}

bool lin_dictionary_make(lin_dictionary *d) {
    *d = (lin_dictionary){.capacity = FIRST_KEYS};
    d->keys = malloc(d->capacity * sizeof *d->keys);
    return d->keys != NULL && rehash(d, 2 * d->capacity);
}

void lin_dictionary_free(lin_dictionary *d) {
    free(d->keys);
    lin_room_free(d->table, (d->mask + 1) * sizeof *d->table);
    *d = (lin_dictionary){0};
}

static uint64_t slot_of(const lin_dictionary *d, uint64_t key) {
    uint64_t at = scatter(key) & d->mask;
    while (d->table[at].number != 0 && d->table[at].key != key)
        at = (at + 1) & d->mask;
    return at;
}

static bool enlarge(lin_dictionary *d) {
    uint64_t capacity = 2 * d->capacity;
    if (capacity > UINT32_MAX / 2)
        return false;
    uint64_t *keys = realloc(d->keys, capacity * sizeof *keys);
    if (keys == NULL)
        return false;
    d->keys = keys;
    d->capacity = capacity;
    return rehash(d, 2 * capacity);
}

static void ask_for(const lin_dictionary *d, const uint64_t *keys, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(&d->table[scatter(keys[i]) & d->mask]);
}

bool lin_dictionary_add(lin_dictionary *d, const uint64_t *keys, uint32_t count,
                        uint32_t *numbers) {
    ask_for(d, keys, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = slot_of(d, keys[i]);
        if (d->table[at].number == 0) {
            if (d->count == d->capacity) {
                if (!enlarge(d))
                    return false;
                at = slot_of(d, keys[i]);
            }
            d->keys[d->count++] = keys[i];
            d->table[at] = (struct lin_key_slot){keys[i], d->count};
        }
        numbers[i] = (uint32_t)(d->table[at].number - 1);
    }
    return true;
}

void lin_dictionary_find(const lin_dictionary *d, const uint64_t *keys, uint32_t count,
                         uint32_t *numbers) {
    ask_for(d, keys, count);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)(d->table[slot_of(d, keys[i])].number - 1);
}

/* ------------------------------------------------------------------ order ------------------- */

struct numbered {
    uint64_t key;
    uint32_t number;
};

/* Byte by byte from the last; bytes that are the same in all keys take no pass. */
static struct numbered *radix_sort(struct numbered *from, struct numbered *to, uint64_t count) {
    uint64_t differing = 0;
    for (uint64_t i = 1; i < count; i++)
        differing |= from[i].key ^ from[0].key;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differing >> shift & 0xff) == 0)
            continue;
        uint64_t first[257] = {0};
        for (uint64_t i = 0; i < count; i++)
            first[(from[i].key >> shift & 0xff) + 1]++;
        for (unsigned b = 0; b < 256; b++)
            first[b + 1] += first[b];
        for (uint64_t i = 0; i < count; i++)
            to[first[from[i].key >> shift & 0xff]++] = from[i];
        struct numbered *spare = from;
        from = to;
        to = spare;
    }
    return from;
}

bool lin_dictionary_sort(lin_dictionary *d, uint32_t *before) {
    struct numbered *one = malloc((d->count + 1) * sizeof *one);
    struct numbered *two = malloc((d->count + 1) * sizeof *two);
    if (one != NULL && two != NULL) {
        for (uint64_t i = 0; i < d->count; i++)
            one[i] = (struct numbered){d->keys[i], (uint32_t)i};
        const struct numbered *sorted = radix_sort(one, two, d->count);
        for (uint64_t i = 0; i < d->count; i++) {
            d->keys[i] = sorted[i].key;
            before[i] = sorted[i].number;
        }
    }
    bool enough = one != NULL && two != NULL && rehash(d, d->mask + 1);
    free(one);
    free(two);
    return enough;
}
