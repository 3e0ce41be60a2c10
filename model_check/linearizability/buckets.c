/* buckets.c: see buckets.h.
 *
 * A packed call is [key][invoked][duration, need, effect][want, if it saw a value][give, if it wrote one].
 */
#include "buckets.h"
#include "ranges.h"
#include "room.h"

#include "bwtree.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKET_CALLS = 4096, /* unpacked: a sixth of a cache of a megabyte */
    MOST_BITS = 12,      /* of the hash: the lines written to fit into that cache, too */
    CHUNK = 256,         /* words; a bucket is a list of chunks */
    MOST_WORDS = 5,      /* of a packed call */
    AHEAD = 16,          /* records between asking for one and reading it */
    FEW_LANES = 8,       /* are compared one by one to find the next call */
    LINE = 8,            /* words of a line of the cache */
    SAMPLE = 64,         /* records at a lane's ends that are looked at first */
};

/* A duration that does not fit; the true one is the word behind the call. */
#define LONG UINT32_MAX

struct slot {
    uint64_t key;
    uint32_t number; /* of the key in its bucket, + 1; 0: free */
};

struct bucket {
    uint64_t *next, *end; /* of the chunk that is written to */
    uint32_t first, last; /* chunks */
    uint32_t calls;
    uint32_t initial; /* where its first entries begin, and what the whole map was read as */
    uint32_t final;
};

struct lin_buckets {
    unsigned bits;
    struct bucket *all; /* one more than there are: the end */
    uint64_t *words;    /* chunks; the first word of each is the number of the next */
    uint32_t chunk_count, chunk_capacity;
    uint64_t calls, keys_judged, parts_judged;
    rec_pair *initial, *final; /* by bucket */
    uint64_t initial_count, final_count;
    const rec_record *reading; /* of the whole map; NULL: none */
    /* of one bucket */
    struct slot *table;
    unsigned table_bits;
    uint64_t *keys;
    lin_state *states;
    uint32_t *places; /* of each key: how many parts, then where they end */
    uint32_t key_count, key_capacity;
    uint32_t *numbers; /* of each call: its key */
    lin_part *parts;
    uint64_t part_capacity;
    uint64_t spent; /* bytes of all of these */
};

static inline uint64_t scatter(uint64_t key) {
    return (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t bucket_of(const lin_buckets *b, uint64_t key) {
    return scatter(key) >> 1 >> (63 - b->bits);
}

/* ------------------------------------------------------------------ which histories --------- */

static bool is_plain(const rec_record *r) {
    return lin_is_point(r) && r->invoked <= r->responded && r->invoked != LIN_NEVER_RESPONDED &&
           r->status >= 0;
}

/* One reading of the whole map, to its end. */
static bool is_reading(const rec_lane *lane) {
    if (lane->record_count != 1)
        return false;
    const rec_record *r = lane->records;
    lin_range range;
    return r->kind == REC_SCAN_FORWARD && r->key == 0 && r->argument == UINT64_MAX &&
           r->count < r->expected && lin_unsound(lane, r) == NULL &&
           r->responded != LIN_NEVER_RESPONDED && lin_range_of_record(r, lane->pairs, &range) &&
           lin_range_is_sound(&range);
}

/* Most histories that have to take the general way show it here, before anything is dealt out. */
static bool looks_plain(const rec_lane *lane) {
    uint64_t n = lane->record_count;
    for (uint64_t i = 0; i < n && i < SAMPLE; i++)
        if (!is_plain(&lane->records[i]) || !is_plain(&lane->records[n - 1 - i]))
            return false;
    return n <= UINT32_MAX;
}

/* ------------------------------------------------------------------ dealing out ------------- */

static void open_chunk(lin_buckets *b, struct bucket *bucket) {
    uint32_t chunk = b->chunk_count++;
    uint64_t *words = b->words + (uint64_t)chunk * CHUNK;
    if (bucket->next == NULL)
        bucket->first = chunk;
    else
        b->words[(uint64_t)bucket->last * CHUNK] = chunk;
    bucket->last = chunk;
    bucket->next = words + 1;
    bucket->end = words + CHUNK;
}

/* Writes a call behind the others of its bucket. */
static inline void pack(lin_buckets *b, const rec_record *r) {
    struct bucket *bucket = &b->all[bucket_of(b, r->key)];
    if (bucket->end - bucket->next < MOST_WORDS + 1)
        open_chunk(b, bucket);
    lin_part part;
    (void)lin_part_of_record(r, &part);
    uint64_t duration = r->responded - r->invoked, *to = bucket->next;
    bool is_long = duration >= LONG;
    to[0] = r->key;
    to[1] = r->invoked;
    to[2] = (is_long ? LONG : duration) | (uint64_t)part.need << 32 | (uint64_t)part.effect << 40;
    to[3] = part.want;
    to += 3 + (part.need == LIN_VALUE);
    *to = part.give;
    to += part.effect == LIN_SETS;
    *to = r->responded;
    to += is_long;
    bucket->next = to;
    bucket->calls++;
}

struct lane_cursor {
    const rec_record *at, *end;
    uint64_t invoked; /* of *at; UINT64_MAX: none is left */
};

/* To the lane's next record. False: it is none that can be dealt out. */
static inline bool go_on(struct lane_cursor *c) {
    if (++c->at == c->end) {
        c->invoked = UINT64_MAX;
        return true;
    }
    __builtin_prefetch(c->at + AHEAD);
    uint64_t before = c->invoked;
    c->invoked = c->at->invoked;
    return c->invoked >= before && is_plain(c->at);
}

static void sink(struct lane_cursor *heap, uint32_t count) {
    struct lane_cursor moving = heap[0];
    uint32_t at = 0;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && heap[child + 1].invoked < heap[child].invoked)
            child++;
        if (heap[child].invoked >= moving.invoked)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static int by_invocation(const void *a, const void *b) {
    const struct lane_cursor *x = a, *y = b;
    return (x->invoked > y->invoked) - (x->invoked < y->invoked);
}

/* All calls, in the order of their invocations. */
static bool deal(lin_buckets *b, struct lane_cursor *lanes, uint32_t count) {
    bool plain = true;
    if (count <= FEW_LANES) {
        while (plain) {
            struct lane_cursor *least = lanes;
            for (uint32_t i = 1; i < count; i++) /* without branches that are hard to foresee */
                least = lanes[i].invoked < least->invoked ? &lanes[i] : least;
            if (least->invoked == UINT64_MAX)
                break;
            pack(b, least->at);
            plain = go_on(least);
        }
        return plain;
    }
    qsort(lanes, count, sizeof *lanes, by_invocation); /* sorted is a heap */
    while (plain && lanes->invoked != UINT64_MAX) {
        pack(b, lanes->at);
        plain = go_on(lanes);
        sink(lanes, count);
    }
    return plain;
}

static bool deal_lanes(lin_buckets *b, const rec_history *h, uint32_t count) {
    struct lane_cursor *lanes = calloc((size_t)count + 1, sizeof *lanes);
    uint32_t used = 0;
    uint64_t until = 0;
    if (lanes == NULL)
        return false;
    for (uint32_t t = 0; t < count; t++) {
        const rec_lane *lane = &h->lanes[t];
        if (lane->record_count == 0)
            continue;
        lanes[used++] = (struct lane_cursor){lane->records, lane->records + lane->record_count,
                                             lane->records->invoked};
        uint64_t last = lane->records[lane->record_count - 1].invoked;
        until = last > until ? last : until;
    }
    bool fits = b->reading == NULL || b->reading->invoked >= until;
    fits = fits && (used == 0 || deal(b, lanes, used));
    free(lanes);
    return fits;
}

/* Entries by bucket, by counting; `where` is the field of each bucket that tells where its own begin. */
static bool deal_pairs(lin_buckets *b, const rec_pair *pairs, uint64_t count, size_t where,
                       rec_pair **dealt) {
    uint64_t buckets = lin_buckets_count(b);
    *dealt = malloc((count + 1) * sizeof **dealt);
    if (*dealt == NULL || count >= UINT32_MAX)
        return false;
    b->spent += (count + 1) * sizeof **dealt;
#define BEGIN(n) (*(uint32_t *)((char *)&b->all[n] + where))
    for (uint64_t i = 0; i < count; i++)
        BEGIN(bucket_of(b, pairs[i].key) + 1)++;
    for (uint64_t n = 1; n <= buckets; n++)
        BEGIN(n) += BEGIN(n - 1);
    for (uint64_t i = count; i > 0; i--) /* from the end of the bucket before down to its own */
        (*dealt)[--BEGIN(bucket_of(b, pairs[i - 1].key) + 1)] = pairs[i - 1];
    for (uint64_t n = 0; n < buckets; n++) /* the ends have become the beginnings: move them back */
        BEGIN(n) = BEGIN(n + 1);
    BEGIN(buckets) = (uint32_t)count;
#undef BEGIN
    return true;
}

/* One key fills one bucket: the general way takes less memory then. */
static bool has_one_key(const rec_history *h, uint32_t lanes) {
    const rec_record *first = NULL;
    for (uint32_t t = 0; t < lanes; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count && i < SAMPLE; i++) {
            const rec_record *r = &h->lanes[t].records[i];
            first = first ? first : r;
            if (r->key != first->key)
                return false;
        }
    return true;
}

static bool make(lin_buckets *b, const rec_history *h) {
    uint32_t lanes = h->lane_count;
    if (lanes > 0 && is_reading(&h->lanes[lanes - 1]))
        b->reading = h->lanes[--lanes].records;
    for (uint32_t t = 0; t < lanes; t++) {
        if (!looks_plain(&h->lanes[t]))
            return false;
        b->calls += h->lanes[t].record_count;
    }
    if (has_one_key(h, lanes))
        return false;
    for (uint64_t i = 1; i < h->initial_count; i++)
        if (h->initial[i].key <= h->initial[i - 1].key)
            return false; /* the general way says what is wrong with it */
    while (b->bits < MOST_BITS && b->calls >> b->bits > BUCKET_CALLS)
        b->bits++;
    uint64_t buckets = lin_buckets_count(b);
    uint64_t chunks = b->calls * (MOST_WORDS + 1) / (CHUNK - 1 - MOST_WORDS) + buckets + 1;
    b->all = calloc(buckets + 1, sizeof *b->all);
    if (b->all == NULL || chunks > UINT32_MAX)
        return false;
    b->chunk_capacity = (uint32_t)chunks;
    b->words = lin_room(chunks * CHUNK * sizeof *b->words, false);
    if (b->words == NULL)
        return false;
    const rec_pair *final = NULL;
    if (b->reading != NULL && b->reading->count > 0)
        final = h->lanes[lanes].pairs + b->reading->seen;
    b->initial_count = h->initial_count;
    b->final_count = b->reading ? b->reading->count : 0;
    return deal_pairs(b, h->initial, b->initial_count, offsetof(struct bucket, initial),
                      &b->initial) &&
           deal_pairs(b, final, b->final_count, offsetof(struct bucket, final), &b->final) &&
           deal_lanes(b, h, lanes);
}

lin_buckets *lin_buckets_new(const rec_history *history) {
    lin_buckets *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->table_bits = 9;
    b->key_capacity = 1 << 8;
    b->table = malloc(sizeof *b->table << b->table_bits);
    b->keys = malloc(b->key_capacity * sizeof *b->keys);
    b->states = malloc(b->key_capacity * sizeof *b->states);
    b->places = malloc((b->key_capacity + 1) * sizeof *b->places);
    if (b->table && b->keys && b->states && b->places && make(b, history))
        return b;
    lin_buckets_free(b);
    return NULL;
}

void lin_buckets_free(lin_buckets *b) {
    if (b == NULL)
        return;
    lin_room_free(b->words, (uint64_t)b->chunk_capacity * CHUNK * sizeof *b->words);
    lin_room_free(b->parts, b->part_capacity * sizeof *b->parts);
    free(b->all);
    free(b->initial);
    free(b->final);
    free(b->table);
    free(b->keys);
    free(b->states);
    free(b->places);
    free(b->numbers);
    free(b);
}

uint64_t lin_buckets_count(const lin_buckets *b) {
    return (uint64_t)1 << b->bits;
}

uint64_t lin_buckets_keys(const lin_buckets *b) {
    return b->keys_judged;
}

uint64_t lin_buckets_parts(const lin_buckets *b) {
    return b->parts_judged;
}

uint64_t lin_buckets_bytes(const lin_buckets *b) {
    return (uint64_t)b->chunk_count * CHUNK * sizeof *b->words + b->spent +
           b->part_capacity * (sizeof *b->parts + sizeof *b->numbers) +
           (sizeof *b->table << b->table_bits) +
           b->key_capacity * (sizeof *b->keys + sizeof *b->states + sizeof *b->places);
}

/* ------------------------------------------------------------------ one bucket -------------- */

static uint64_t slot_of(const lin_buckets *b, uint64_t key) {
    return scatter(key) << b->bits >> (64 - b->table_bits);
}

static bool more_keys(lin_buckets *b) {
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
        uint64_t at = slot_of(b, b->keys[k]);
        while (table[at].number != 0)
            at = (at + 1) & mask;
        table[at] = (struct slot){b->keys[k], k + 1};
    }
    return true;
}

/* The number of the key in its bucket; UINT32_MAX: out of memory. */
static inline uint32_t number_of(lin_buckets *b, uint64_t key) {
    uint64_t mask = ((uint64_t)1 << b->table_bits) - 1, at = slot_of(b, key);
    for (; b->table[at].number != 0; at = (at + 1) & mask)
        if (b->table[at].key == key)
            return b->table[at].number - 1;
    uint32_t number = b->key_count++;
    b->table[at] = (struct slot){key, number + 1};
    b->keys[number] = key;
    b->states[number] = (lin_state){0, 0};
    b->places[number] = 0;
    return b->key_count < b->key_capacity || more_keys(b) ? number : UINT32_MAX;
}

static bool room_for_parts(lin_buckets *b, uint64_t count) {
    if (count <= b->part_capacity)
        return true;
    lin_room_free(b->parts, b->part_capacity * sizeof *b->parts);
    free(b->numbers);
    b->part_capacity = count + count / 4;
    b->parts = lin_room(b->part_capacity * sizeof *b->parts, false);
    b->numbers = malloc(b->part_capacity * sizeof *b->numbers);
    return b->parts != NULL && b->numbers != NULL;
}

struct reader {
    const uint64_t *at, *end;
    uint32_t chunk;
};

static void begin_chunk(const lin_buckets *b, const struct bucket *bucket, struct reader *r,
                        uint32_t chunk) {
    const uint64_t *words = b->words + (uint64_t)chunk * CHUNK;
    if (chunk != bucket->last)
        for (uint32_t i = 0; i < CHUNK; i += LINE) /* the next one, while this one is read */
            __builtin_prefetch(b->words + words[0] * CHUNK + i);
    r->chunk = chunk;
    r->at = words + 1;
    r->end = chunk == bucket->last ? bucket->next : words + CHUNK - MOST_WORDS;
}

/* The next packed call; the reader is behind it when its length has been added. */
static inline const uint64_t *read(const lin_buckets *b, const struct bucket *bucket,
                                   struct reader *r) {
    if (r->at >= r->end)
        begin_chunk(b, bucket, r, (uint32_t)b->words[(uint64_t)r->chunk * CHUNK]);
    return r->at;
}

static inline uint64_t length_of(uint64_t header) {
    return 3 + ((header >> 32 & 0xff) == LIN_VALUE) + (header >> 40 == LIN_SETS) +
           ((uint32_t)header == LONG);
}

/* Numbers the keys of a bucket, and counts the parts of each. */
static bool number_keys(lin_buckets *b, const struct bucket *bucket) {
    struct reader r;
    memset(b->table, 0, sizeof *b->table << b->table_bits);
    b->key_count = 0;
    for (uint32_t i = bucket->initial; i < bucket[1].initial; i++) {
        uint32_t number = number_of(b, b->initial[i].key);
        if (number == UINT32_MAX)
            return false;
        b->states[number] = (lin_state){b->initial[i].value, 1};
    }
    if (bucket->calls > 0)
        begin_chunk(b, bucket, &r, bucket->first);
    for (uint32_t i = 0; i < bucket->calls; i++) {
        const uint64_t *call = read(b, bucket, &r);
        uint32_t number = number_of(b, call[0]);
        if (number == UINT32_MAX)
            return false;
        b->numbers[i] = number;
        b->places[number]++;
        r.at += length_of(call[2]);
    }
    for (uint32_t i = bucket->final; i < bucket[1].final; i++)
        if (number_of(b, b->final[i].key) == UINT32_MAX)
            return false;
    return true;
}

/* Unpacks the parts in the order of keys, and within each in that of their invocations. */
static void unpack(lin_buckets *b, const struct bucket *bucket) {
    struct reader r;
    uint32_t at = 0;
    for (uint32_t k = 0; k < b->key_count; k++) {
        uint32_t count = b->places[k] + (b->reading != NULL);
        b->places[k] = at;
        at += count;
    }
    if (bucket->calls > 0)
        begin_chunk(b, bucket, &r, bucket->first);
    for (uint32_t i = 0; i < bucket->calls; i++) {
        const uint64_t *call = read(b, bucket, &r);
        uint64_t header = call[2];
        unsigned values = (header >> 32 & 0xff) == LIN_VALUE;
        r.at += length_of(header);
        bool is_long = (uint32_t)header == LONG;
        b->parts[b->places[b->numbers[i]]++] =
            (lin_part){.invoked = call[1],
                       .responded = is_long ? r.at[-1] : call[1] + (uint32_t)header,
                       .want = call[3],
                       .give = call[3 + values],
                       .need = header >> 32 & 0xff,
                       .effect = (uint8_t)(header >> 40)};
    }
    if (b->reading == NULL)
        return;
    lin_part absent = {
        .invoked = b->reading->invoked, .responded = b->reading->responded, .need = LIN_ABSENT};
    for (uint32_t k = 0; k < b->key_count; k++)
        b->parts[b->places[k]++] = absent;
    for (uint32_t i = bucket->final; i < bucket[1].final; i++) {
        lin_part *part = &b->parts[b->places[number_of(b, b->final[i].key)] - 1];
        part->need = LIN_VALUE;
        part->want = b->final[i].value;
    }
}

int lin_buckets_judge(lin_buckets *b, uint64_t number, lin_judge *judge, uint64_t *bad) {
    const struct bucket *bucket = &b->all[number];
    uint64_t count = (uint64_t)bucket->calls + (bucket[1].initial - bucket->initial) +
                     (bucket[1].final - bucket->final);
    /* With a reading each key has a part more; there are as many keys as calls and entries at most. */
    if (!room_for_parts(b, b->reading ? count + bucket->calls : count) || count > UINT32_MAX / 2 ||
        !number_keys(b, bucket))
        return LIN_UNKNOWN_MEMORY;
    unpack(b, bucket);
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
