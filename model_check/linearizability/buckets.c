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
    lin_workspace *workspace = calloc(1, sizeof *workspace);
    if (workspace == NULL)
        return NULL;
    workspace->table_bits = 9;
    workspace->key_capacity = 1 << 8;
    workspace->table = malloc(sizeof *workspace->table << workspace->table_bits);
    workspace->keys = malloc(workspace->key_capacity * sizeof *workspace->keys);
    workspace->states = malloc(workspace->key_capacity * sizeof *workspace->states);
    workspace->places = malloc((workspace->key_capacity + 1) * sizeof *workspace->places);
    if (workspace->table && workspace->keys && workspace->states && workspace->places)
        return workspace;
    lin_workspace_free(workspace);
    return NULL;
}

void lin_workspace_free(lin_workspace *workspace) {
    if (workspace == NULL)
        return;
    lin_room_free(workspace->parts, workspace->part_capacity * sizeof *workspace->parts);
    free(workspace->table);
    free(workspace->keys);
    free(workspace->states);
    free(workspace->places);
    free(workspace->numbers);
    free(workspace);
}

uint64_t lin_workspace_keys(const lin_workspace *workspace) {
    return workspace->keys_judged;
}

uint64_t lin_workspace_parts(const lin_workspace *workspace) {
    return workspace->parts_judged;
}

uint64_t lin_workspace_bytes(const lin_workspace *workspace) {
    return workspace->part_capacity * (sizeof *workspace->parts + sizeof *workspace->numbers) +
           (sizeof *workspace->table << workspace->table_bits) +
           workspace->key_capacity *
               (sizeof *workspace->keys + sizeof *workspace->states + sizeof *workspace->places);
}

static bool room_for_parts(lin_workspace *workspace, uint64_t count) {
    if (count <= workspace->part_capacity)
        return true;
    lin_room_free(workspace->parts, workspace->part_capacity * sizeof *workspace->parts);
    free(workspace->numbers);
    workspace->part_capacity = count + count / 4;
    workspace->parts = lin_room(workspace->part_capacity * sizeof *workspace->parts, false);
    workspace->numbers = malloc(workspace->part_capacity * sizeof *workspace->numbers);
    return workspace->parts != NULL && workspace->numbers != NULL;
}

/* ------------------------------------------------------------------ the keys of a bucket ---- */

static uint64_t slot_of(const lin_workspace *workspace, const lin_dealt *dealt, uint64_t key) {
    return lin_scatter_key(key) << dealt->bits >> (64 - workspace->table_bits);
}

static bool more_keys(lin_workspace *workspace, const lin_dealt *dealt) {
    uint32_t capacity = 2 * workspace->key_capacity;
    uint64_t *keys = realloc(workspace->keys, capacity * sizeof *keys);
    workspace->keys = keys ? keys : workspace->keys;
    lin_state *states = realloc(workspace->states, capacity * sizeof *states);
    workspace->states = states ? states : workspace->states;
    uint32_t *places = realloc(workspace->places, ((size_t)capacity + 1) * sizeof *places);
    workspace->places = places ? places : workspace->places;
    struct slot *table = malloc(sizeof *table << (workspace->table_bits + 1));
    if (!keys || !states || !places || !table) {
        free(table);
        return false;
    }
    free(workspace->table);
    workspace->table = table;
    workspace->table_bits++;
    workspace->key_capacity = capacity;
    memset(table, 0, sizeof *table << workspace->table_bits);
    uint64_t mask = ((uint64_t)1 << workspace->table_bits) - 1;
    for (uint32_t k = 0; k < workspace->key_count; k++) {
        uint64_t at = slot_of(workspace, dealt, workspace->keys[k]);
        while (table[at].number != 0)
            at = (at + 1) & mask;
        table[at] = (struct slot){workspace->keys[k], k + 1};
    }
    return true;
}

/* The number of the key in its bucket; UINT32_MAX: out of memory. */
static inline uint32_t number_of(lin_workspace *workspace, const lin_dealt *dealt, uint64_t key) {
    uint64_t mask = ((uint64_t)1 << workspace->table_bits) - 1, at = slot_of(workspace, dealt, key);
    for (; workspace->table[at].number != 0; at = (at + 1) & mask)
        if (workspace->table[at].key == key)
            return workspace->table[at].number - 1;
    uint32_t number = workspace->key_count++;
    workspace->table[at] = (struct slot){key, number + 1};
    workspace->keys[number] = key;
    workspace->states[number] = (lin_state){0, 0};
    workspace->places[number] = 0;
    return workspace->key_count < workspace->key_capacity || more_keys(workspace, dealt)
               ? number
               : UINT32_MAX;
}

/* Numbers the keys of a bucket, and counts the parts of each. */
static bool number_keys(lin_workspace *workspace, const lin_dealt *dealt, uint64_t bucket) {
    const lin_entries *initial = &dealt->initial, *final = &dealt->final;
    uint32_t at = 0;
    memset(workspace->table, 0, sizeof *workspace->table << workspace->table_bits);
    workspace->key_count = 0;
    for (uint32_t i = initial->first[bucket]; i < initial->first[bucket + 1]; i++) {
        uint32_t number = number_of(workspace, dealt, initial->all[i].key);
        if (number == UINT32_MAX)
            return false;
        workspace->states[number] = (lin_state){initial->all[i].value, 1};
    }
    for (uint32_t h = 0; h < dealt->hand_count; h++) {
        lin_reader r;
        lin_reader_begin(&r, &dealt->hands[h], bucket, bucket + 1 == lin_dealt_count(dealt));
        for (uint32_t left = dealt->hands[h].piles[bucket].calls; left > 0; left--) {
            uint64_t invoked, responded;
            uint32_t number =
                number_of(workspace, dealt, lin_reader_next(&r, &invoked, &responded)->key);
            if (number == UINT32_MAX)
                return false;
            workspace->numbers[at++] = number;
            workspace->places[number]++;
        }
    }
    for (uint32_t i = final->first[bucket]; i < final->first[bucket + 1]; i++)
        if (number_of(workspace, dealt, final->all[i].key) == UINT32_MAX)
            return false;
    return true;
}

/* ------------------------------------------------------------------ their parts ------------- */

/* From how many parts each key has to where they begin. */
static void lay_out(lin_workspace *workspace, const lin_dealt *dealt) {
    uint32_t at = 0;
    for (uint32_t k = 0; k < workspace->key_count; k++) {
        uint32_t count = workspace->places[k] + (dealt->reading != NULL);
        workspace->places[k] = at;
        at += count;
    }
}

/* Unpacks the parts in the order of keys, and within each in that of their invocations. */
static void unpack(lin_workspace *workspace, const lin_dealt *dealt, uint64_t bucket) {
    const uint32_t *number = workspace->numbers;
    for (uint32_t h = 0; h < dealt->hand_count; h++) {
        lin_reader r;
        lin_reader_begin(&r, &dealt->hands[h], bucket, bucket + 1 == lin_dealt_count(dealt));
        for (uint32_t left = dealt->hands[h].piles[bucket].calls; left > 0; left--) {
            lin_part *part = &workspace->parts[workspace->places[*number++]++];
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
static void unpack_reading(lin_workspace *workspace, const lin_dealt *dealt, uint64_t bucket) {
    const rec_record *reading = dealt->reading;
    const lin_entries *final = &dealt->final;
    lin_part absent = {
        .invoked = reading->invoked, .responded = reading->responded, .need = LIN_ABSENT};
    for (uint32_t k = 0; k < workspace->key_count; k++)
        workspace->parts[workspace->places[k]++] = absent;
    for (uint32_t i = final->first[bucket]; i < final->first[bucket + 1]; i++) {
        lin_part *part =
            &workspace
                 ->parts[workspace->places[number_of(workspace, dealt, final->all[i].key)] - 1];
        part->need = LIN_VALUE;
        part->want = final->all[i].value;
    }
}

int lin_workspace_judge(lin_workspace *workspace, const lin_dealt *dealt, uint64_t bucket,
                        lin_judge *judge, uint64_t *bad) {
    uint64_t calls = 0, entries = dealt->initial.first[bucket + 1] - dealt->initial.first[bucket] +
                                  dealt->final.first[bucket + 1] - dealt->final.first[bucket];
    for (uint32_t h = 0; h < dealt->hand_count; h++)
        calls += dealt->hands[h].piles[bucket].calls;
    /* With a reading each key has a part more; there are as many keys as calls and entries at most. */
    uint64_t count = calls + entries;
    if (!room_for_parts(workspace, dealt->reading ? count + calls : count) ||
        count > UINT32_MAX / 2 || !number_keys(workspace, dealt, bucket))
        return LIN_UNKNOWN_MEMORY;
    lay_out(workspace, dealt);
    unpack(workspace, dealt, bucket);
    if (dealt->reading != NULL)
        unpack_reading(workspace, dealt, bucket);
    uint32_t first = 0;
    for (uint32_t k = 0; k < workspace->key_count; k++) {
        uint64_t failed;
        int verdict = lin_judge_parts(judge, workspace->parts + first, workspace->places[k] - first,
                                      &workspace->states[k], 1, &failed, NULL);
        first = workspace->places[k];
        *bad = workspace->keys[k];
        if (verdict != LIN_OK)
            return verdict;
    }
    workspace->keys_judged += workspace->key_count;
    workspace->parts_judged += first;
    return LIN_OK;
}
