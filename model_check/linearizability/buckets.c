/* buckets.c: see buckets.h. */
#include "buckets.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t key;
    uint32_t number; /* of the key in its bucket, + 1; 0: free */
};

struct lin_workspace {
    struct slot *table;
    unsigned table_bits;
    uint64_t *keys;
    lin_state *states;
    uint32_t *places; /* of each key: how many parts, then where they end */
    uint32_t key_count, key_capacity;
    uint32_t *numbers; /* of each call: its key */
    lin_part *parts;
    uint64_t part_capacity;
    uint64_t keys_judged, parts_judged;
};

/* ------------------------------------------------------------------ room -------------------- */

lin_workspace *lin_workspace_new(void) {
    lin_workspace *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->table_bits = 9;
    b->key_capacity = 1 << 8;
    b->table = malloc(sizeof *b->table << b->table_bits);
    b->keys = malloc(b->key_capacity * sizeof *b->keys);
    b->states = malloc(b->key_capacity * sizeof *b->states);
    b->places = malloc((b->key_capacity + 1) * sizeof *b->places);
    if (b->table && b->keys && b->states && b->places)
        return b;
    lin_workspace_free(b);
    return NULL;
}

void lin_workspace_free(lin_workspace *b) {
    if (b == NULL)
        return;
    lin_room_free(b->parts, b->part_capacity * sizeof *b->parts);
    free(b->table);
    free(b->keys);
    free(b->states);
    free(b->places);
    free(b->numbers);
    free(b);
}

uint64_t lin_workspace_keys(const lin_workspace *b) {
    return b->keys_judged;
}

uint64_t lin_workspace_parts(const lin_workspace *b) {
    return b->parts_judged;
}

uint64_t lin_workspace_bytes(const lin_workspace *b) {
    return b->part_capacity * (sizeof *b->parts + sizeof *b->numbers) +
           (sizeof *b->table << b->table_bits) +
           b->key_capacity * (sizeof *b->keys + sizeof *b->states + sizeof *b->places);
}

static bool room_for_parts(lin_workspace *b, uint64_t count) {
    if (count <= b->part_capacity)
        return true;
    lin_room_free(b->parts, b->part_capacity * sizeof *b->parts);
    free(b->numbers);
    b->part_capacity = count + count / 4;
    b->parts = lin_room(b->part_capacity * sizeof *b->parts, false);
    b->numbers = malloc(b->part_capacity * sizeof *b->numbers);
    return b->parts != NULL && b->numbers != NULL;
}

/* ------------------------------------------------------------------ the keys of a bucket ---- */

static uint64_t slot_of(const lin_workspace *b, const lin_dealt *dealt, uint64_t key) {
    return lin_scatter_key(key) << dealt->bits >> (64 - b->table_bits);
}

static bool more_keys(lin_workspace *b, const lin_dealt *dealt) {
    uint32_t capacity = 2 * b->key_capacity;
    uint64_t *keys = realloc(b->keys, capacity * sizeof *keys);
    b->keys = keys ? keys : b->keys;
    lin_state *states = realloc(b->states, capacity * sizeof *states);
    b->states = states ? states : b->states;
    uint32_t *places = realloc(b->places, ((size_t)capacity + 1) * sizeof *places);
    b->places = places ? places : b->places;
    struct slot *table = malloc(sizeof *table << (b->table_bits + 1));
    if (!keys || !states || !places || !table) {
        free(table);
        return false;
    }
    free(b->table);
    b->table = table;
    b->table_bits++;
    b->key_capacity = capacity;
    memset(table, 0, sizeof *table << b->table_bits);
    uint64_t mask = ((uint64_t)1 << b->table_bits) - 1;
    for (uint32_t k = 0; k < b->key_count; k++) {
        uint64_t at = slot_of(b, dealt, b->keys[k]);
        while (table[at].number != 0)
            at = (at + 1) & mask;
        table[at] = (struct slot){b->keys[k], k + 1};
    }
    return true;
}

/* The number of the key in its bucket; UINT32_MAX: out of memory. */
static inline uint32_t number_of(lin_workspace *b, const lin_dealt *dealt, uint64_t key) {
    uint64_t mask = ((uint64_t)1 << b->table_bits) - 1, at = slot_of(b, dealt, key);
    for (; b->table[at].number != 0; at = (at + 1) & mask)
        if (b->table[at].key == key)
            return b->table[at].number - 1;
    uint32_t number = b->key_count++;
    b->table[at] = (struct slot){key, number + 1};
    b->keys[number] = key;
    b->states[number] = (lin_state){0, 0};
    b->places[number] = 0;
    return b->key_count < b->key_capacity || more_keys(b, dealt) ? number : UINT32_MAX;
}

/* Numbers the keys of a bucket, and counts the parts of each. */
static bool number_keys(lin_workspace *b, const lin_dealt *dealt, uint64_t bucket) {
    const lin_entries *initial = &dealt->initial, *final = &dealt->final;
    uint32_t at = 0;
    memset(b->table, 0, sizeof *b->table << b->table_bits);
    b->key_count = 0;
    for (uint32_t i = initial->first[bucket]; i < initial->first[bucket + 1]; i++) {
        uint32_t number = number_of(b, dealt, initial->all[i].key);
        if (number == UINT32_MAX)
            return false;
        b->states[number] = (lin_state){initial->all[i].value, 1};
    }
    for (uint32_t h = 0; h < dealt->hand_count; h++) {
        lin_reader r;
        lin_reader_begin(&r, &dealt->hands[h], bucket, bucket + 1 == lin_dealt_count(dealt));
        for (uint32_t left = dealt->hands[h].piles[bucket].calls; left > 0; left--) {
            uint64_t invoked, responded;
            uint32_t number = number_of(b, dealt, lin_reader_next(&r, &invoked, &responded)->key);
            if (number == UINT32_MAX)
                return false;
            b->numbers[at++] = number;
            b->places[number]++;
        }
    }
    for (uint32_t i = final->first[bucket]; i < final->first[bucket + 1]; i++)
        if (number_of(b, dealt, final->all[i].key) == UINT32_MAX)
            return false;
    return true;
}

/* ------------------------------------------------------------------ their parts ------------- */

/* From how many parts each key has to where they begin. */
static void lay_out(lin_workspace *b, const lin_dealt *dealt) {
    uint32_t at = 0;
    for (uint32_t k = 0; k < b->key_count; k++) {
        uint32_t count = b->places[k] + (dealt->reading != NULL);
        b->places[k] = at;
        at += count;
    }
}

/* Unpacks the parts in the order of keys, and within each in that of their invocations. */
static void unpack(lin_workspace *b, const lin_dealt *dealt, uint64_t bucket) {
    const uint32_t *number = b->numbers;
    for (uint32_t h = 0; h < dealt->hand_count; h++) {
        lin_reader r;
        lin_reader_begin(&r, &dealt->hands[h], bucket, bucket + 1 == lin_dealt_count(dealt));
        for (uint32_t left = dealt->hands[h].piles[bucket].calls; left > 0; left--) {
            lin_part *part = &b->parts[b->places[*number++]++];
            const lin_packed *call = lin_reader_next(&r, &part->invoked, &part->responded);
            part->want = call->want;
            part->give = call->give;
            part->record = 0;
            part->lane = 0;
            part->need = call->header >> LIN_NEED_AT & LIN_NEED;
            part->effect = (uint8_t)(call->header >> LIN_EFFECT_AT);
        }
    }
}

/* What the whole map was read as, as a last part of each key. */
static void unpack_reading(lin_workspace *b, const lin_dealt *dealt, uint64_t bucket) {
    const rec_record *reading = dealt->reading;
    const lin_entries *final = &dealt->final;
    lin_part absent = {
        .invoked = reading->invoked, .responded = reading->responded, .need = LIN_ABSENT};
    for (uint32_t k = 0; k < b->key_count; k++)
        b->parts[b->places[k]++] = absent;
    for (uint32_t i = final->first[bucket]; i < final->first[bucket + 1]; i++) {
        lin_part *part = &b->parts[b->places[number_of(b, dealt, final->all[i].key)] - 1];
        part->need = LIN_VALUE;
        part->want = final->all[i].value;
    }
}

int lin_workspace_judge(lin_workspace *b, const lin_dealt *dealt, uint64_t bucket, lin_judge *judge,
                        uint64_t *bad) {
    uint64_t calls = 0, entries = dealt->initial.first[bucket + 1] - dealt->initial.first[bucket] +
                                  dealt->final.first[bucket + 1] - dealt->final.first[bucket];
    for (uint32_t h = 0; h < dealt->hand_count; h++)
        calls += dealt->hands[h].piles[bucket].calls;
    /* With a reading each key has a part more; there are as many keys as calls and entries at most. */
    uint64_t count = calls + entries;
    if (!room_for_parts(b, dealt->reading ? count + calls : count) || count > UINT32_MAX / 2 ||
        !number_keys(b, dealt, bucket))
        return LIN_UNKNOWN_MEMORY;
    lay_out(b, dealt);
    unpack(b, dealt, bucket);
    if (dealt->reading != NULL)
        unpack_reading(b, dealt, bucket);
    uint32_t first = 0;
    for (uint32_t k = 0; k < b->key_count; k++) {
        uint64_t failed;
        int verdict = lin_judge_parts(judge, b->parts + first, b->places[k] - first, &b->states[k],
                                      1, &failed, NULL);
        first = b->places[k];
        *bad = b->keys[k];
        if (verdict != LIN_OK)
            return verdict;
    }
    b->keys_judged += b->key_count;
    b->parts_judged += first;
    return LIN_OK;
}
