/* configuration.h: what a search remembers of the past, and sets of it. Internal to search.c and depth.c.
 *
 * A configuration is the state and one bit for each slot: the part in the slot has taken effect. How many
 * words of bits there are is the same for all of a search. */
#ifndef LIN_CONFIGURATION_H
#define LIN_CONFIGURATION_H

#include "parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct configuration {
    uint64_t value;
    uint32_t present;
    uint32_t node; /* last step of the order that led here */
    uint64_t done[];
} configuration;

/* A list without duplicates; beyond a few members a table finds them. */
typedef struct config_set {
    unsigned char *items;
    uint64_t count, capacity; /* of configurations */
    uint32_t *table;          /* index + 1 */
    uint64_t mask;
    uint32_t words;
    bool hashed;
} config_set;

enum { CONFIG_LINEAR = 12 };

static inline size_t config_size(uint32_t words) {
    return sizeof(configuration) + words * sizeof(uint64_t);
}

static inline configuration *config_at(const config_set *set, uint64_t index) {
    return (configuration *)(void *)(set->items + index * config_size(set->words));
}

static inline bool bit_is_set(const uint64_t *bits, uint32_t slot) {
    return bits[slot / 64] >> (slot % 64) & 1;
}
static inline void set_bit(uint64_t *bits, uint32_t slot) {
    bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}
static inline void clear_bit(uint64_t *bits, uint32_t slot) {
    bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* `open` are the slots of parts that never respond: a covers b if it has used no more of them. */
static inline bool config_covers(const configuration *a, const configuration *b,
                                 const uint64_t *open, uint32_t words) {
    if (a->value != b->value || a->present != b->present)
        return false;
    for (uint32_t w = 0; w < words; w++)
        if (((a->done[w] ^ b->done[w]) & ~open[w]) != 0 || (a->done[w] & ~b->done[w]) != 0)
            return false;
    return true;
}

static inline uint64_t config_hash(const configuration *c, const uint64_t *open, uint32_t words) {
    uint64_t x = (c->value + c->present) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t w = 0; w < words; w++)
        x = (x ^ (x >> 29) ^ (c->done[w] & ~open[w])) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return x ^ (x >> 31);
}

static inline void config_set_clear(config_set *set) {
    set->count = 0;
    set->hashed = false;
}

/* Room and table for one more. False: out of memory. */
bool config_set_prepare(config_set *set, const uint64_t *open);

/* 1: added; 0: another stands for it; -1: out of memory. */
int config_set_add(config_set *set, const configuration *c, const uint64_t *open);

void config_set_free(config_set *set);

#endif
