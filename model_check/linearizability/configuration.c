/* configuration.c: sets of configurations. See configuration.h. */
#include "configuration.h"

static bool rehash(config_set *set, const uint64_t *open) {
    uint64_t size = set->mask + 1;
    if (set->table == NULL || size < 2 * set->capacity) {
        size = 2 * set->capacity; /* a power of two */
        free(set->table);
        set->table = malloc(size * sizeof *set->table);
        if (set->table == NULL) {
            set->mask = 0;
            return false;
        }
        set->mask = size - 1;
    }
    memset(set->table, 0, size * sizeof *set->table);
    for (uint64_t i = 0; i < set->count; i++) {
        uint64_t at = config_hash(config_at(set, i), open, set->words) & set->mask;
        while (set->table[at] != 0)
            at = (at + 1) & set->mask;
        set->table[at] = (uint32_t)(i + 1);
    }
    set->hashed = true;
    return true;
}

bool config_set_prepare(config_set *set, const uint64_t *open) {
    if (set->count == set->capacity) {
        uint64_t capacity = set->capacity ? 2 * set->capacity : 64;
        if (capacity > UINT32_MAX)
            return false;
        unsigned char *items = realloc(set->items, capacity * config_size(set->words));
        if (items == NULL)
            return false;
        set->items = items;
        set->capacity = capacity;
        if (set->hashed)
            return rehash(set, open);
    }
    return set->hashed || set->count < CONFIG_LINEAR || rehash(set, open);
}

int config_set_add(config_set *set, const configuration *c, const uint64_t *open) {
    if (!config_set_prepare(set, open))
        return -1;
    uint64_t at = 0;
    if (set->hashed) {
        at = config_hash(c, open, set->words) & set->mask;
        for (; set->table[at] != 0; at = (at + 1) & set->mask)
            if (config_covers(config_at(set, set->table[at] - 1), c, open, set->words))
                return 0;
    } else {
        for (uint64_t i = 0; i < set->count; i++)
            if (config_covers(config_at(set, i), c, open, set->words))
                return 0;
    }
    memcpy(config_at(set, set->count++), c, config_size(set->words));
    if (set->hashed)
        set->table[at] = (uint32_t)set->count;
    return 1;
}

void config_set_free(config_set *set) {
    free(set->items);
    free(set->table);
    *set = (config_set){0};
}
