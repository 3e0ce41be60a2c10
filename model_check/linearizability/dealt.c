/* dealt.c: see dealt.h. */
#include "dealt.h"
#include "ranges.h"
#include "records.h"
#include "room.h"
#include "workers.h"

#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    BUCKET_CALLS = 4096, /* unpacked: a sixth of a cache of a megabyte */
    MOST_BITS = 11,      /* of the hash: the lines that are filled fit into half of that cache */
    BUFFER = 4,          /* packed calls that are collected: two lines */
    FAR = 6,             /* bits from which on the chunks are too many to stay in a cache */
    AHEAD = 16,          /* records between asking for one and reading it */
    FEW_LANES = 8,       /* are compared one by one to find the next call */
    SAMPLE = 64,         /* records at a lane's ends that are looked at first */
    KEY_SAMPLE = 1024,   /* and records of all lanes, for their keys */
    SHARE = 1 << 12,     /* calls that are worth the start of a dealer's thread */
};

/* ------------------------------------------------------------------ which histories --------- */

static inline bool is_plain(const rec_record *r) {
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

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* More than a quarter of the calls, as far as a sample tells, are on one key. Then its bucket, unpacked, is
 * as large as a quarter of the history, beside what was dealt out: the general way takes less memory. */
static bool leans_on_one_key(const rec_history *h, uint32_t lanes) {
    uint64_t keys[KEY_SAMPLE], count = 0, run = 0, longest = 0;
    for (uint32_t t = 0; t < lanes; t++) {
        uint64_t n = h->lanes[t].record_count, most = KEY_SAMPLE / lanes + 1;
        for (uint64_t i = 0; i < most && i < n && count < KEY_SAMPLE; i++)
            keys[count++] = h->lanes[t].records[n <= most ? i : i * (n / most)].key;
    }
    qsort(keys, count, sizeof *keys, by_number);
    for (uint64_t i = 0; i < count; i++) {
        run = i > 0 && keys[i] == keys[i - 1] ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return 4 * longest > count;
}

/* ------------------------------------------------------------------ dealing out ------------- */

struct lane_cursor {
    const rec_record *at, *end;
    uint64_t invoked; /* of *at; UINT64_MAX: none is left */
    uint32_t number;
};

/* Of a bucket, while it is dealt to. */
struct open {
    uint64_t invoked; /* of the last call */
    uint32_t count;   /* of lin_packed */
    uint32_t longs;   /* of these, times of calls before them */
    uint32_t chunk;
};

struct dealer {
    const lin_dealt *dealt;
    lin_hand *hand;
    struct open *open;
    lin_packed *buffers; /* BUFFER of each bucket */
    struct lane_cursor *lanes;
    uint32_t lane_count;
    bool dealt_all; /* all calls are such that they can be dealt out */
};

static inline void copy_past_the_cache(lin_packed *to, const lin_packed *from) {
#ifdef __SSE2__
    for (unsigned i = 0; i < BUFFER * sizeof *from / sizeof(__m128i); i++)
        _mm_stream_si128((__m128i *)to + i, _mm_load_si128((const __m128i *)from + i));
#else
    memcpy(to, from, BUFFER * sizeof *from);
#endif
}

/* Stores past the cache are seen by other threads only behind a fence. */
static void finish_copies(void) {
#ifdef __SSE2__
    _mm_sfence();
#endif
}

static uint32_t open_chunk(lin_hand *hand, struct open *open, uint64_t bucket) {
    uint32_t chunk = hand->chunk_count++;
    if (open->count <= BUFFER)
        hand->piles[bucket].chunk = chunk;
    else
        hand->following[open->chunk] = chunk;
    return chunk;
}

/* Moves a bucket's collected calls, the last that were counted, to where they stay. */
static void flush(struct dealer *d, uint64_t bucket, struct open *open) {
    uint32_t place = (open->count - 1) / BUFFER * BUFFER % LIN_CHUNK;
    if (place == 0)
        open->chunk = open_chunk(d->hand, open, bucket);
    lin_packed *to = d->hand->chunks + (uint64_t)open->chunk * LIN_CHUNK + place;
    const lin_packed *from = d->buffers + bucket * BUFFER;
    if (d->dealt->bits >= FAR)
        copy_past_the_cache(to, from);
    else
        memcpy(to, from, BUFFER * sizeof *from);
}

static inline void put(struct dealer *d, uint64_t bucket, struct open *open, lin_packed packed) {
    d->buffers[bucket * BUFFER + open->count % BUFFER] = packed;
    if (++open->count % BUFFER == 0)
        flush(d, bucket, open);
}

static inline void pack(struct dealer *d, const rec_record *r) {
    uint64_t bucket = lin_bucket_of(d->dealt, r->key);
    struct open *open = &d->open[bucket];
    lin_meaning meaning = lin_meaning_of(r);
    uint64_t since = r->invoked - open->invoked, duration = r->responded - r->invoked;
    bool is_long = since > UINT32_MAX || duration >= LIN_LONG;
    if (is_long) {
        since = 0;
        duration = LIN_LONG;
    }
    open->invoked = r->invoked;
    put(d, bucket, open,
        (lin_packed){.key = r->key,
                     .want = lin_value_seen(r, meaning),
                     .give = lin_value_written(r, meaning),
                     .header = since | duration << LIN_DURATION_AT |
                               (uint64_t)meaning.need << LIN_NEED_AT |
                               (uint64_t)meaning.effect << LIN_EFFECT_AT});
    if (is_long) {
        open->longs++;
        put(d, bucket, open, (lin_packed){r->invoked, r->responded, 0, 0});
    }
}

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

/* Of two lanes that go on at the same time the first one does. */
static inline bool is_before(const struct lane_cursor *a, const struct lane_cursor *b) {
    return a->invoked != b->invoked ? a->invoked < b->invoked : a->number < b->number;
}

static void sink(struct lane_cursor *heap, uint32_t count) {
    struct lane_cursor moving = heap[0];
    uint32_t at = 0;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static int by_invocation(const void *a, const void *b) {
    return is_before(b, a) - is_before(a, b);
}

/* All calls, in the order of their invocations. */
static bool deal(struct dealer *d) {
    struct lane_cursor *lanes = d->lanes;
    uint32_t count = d->lane_count;
    bool plain = true;
    if (count <= FEW_LANES) {
        while (plain) {
            struct lane_cursor *least = lanes;
            for (uint32_t i = 1; i < count; i++) /* without branches that are hard to foresee */
                least = lanes[i].invoked < least->invoked ? &lanes[i] : least;
            if (least->invoked == UINT64_MAX)
                break;
            pack(d, least->at);
            plain = go_on(least);
        }
        return plain;
    }
    qsort(lanes, count, sizeof *lanes, by_invocation); /* sorted is a heap */
    while (plain && lanes->invoked != UINT64_MAX) {
        pack(d, lanes->at);
        plain = go_on(lanes);
        sink(lanes, count);
    }
    return plain;
}

/* ------------------------------------------------------------------ shares of the dealers --- */

/* The first record of the lane that was not invoked before `time`. */
static uint64_t place_of(const rec_lane *lane, uint64_t time) {
    uint64_t low = 0, high = lane->record_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (lane->records[middle].invoked < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_dealer(struct dealer *d, const lin_dealt *dealt, lin_hand *hand, uint32_t lanes) {
    uint64_t buckets = lin_dealt_count(dealt);
    *d = (struct dealer){.dealt = dealt, .hand = hand};
    d->lanes = calloc((size_t)lanes + 1, sizeof *d->lanes);
    d->open = calloc(buckets, sizeof *d->open);
    d->buffers = aligned_alloc(BUFFER * sizeof *d->buffers, buckets * BUFFER * sizeof *d->buffers);
    hand->piles = calloc(buckets, sizeof *hand->piles);
    return d->lanes && d->open && d->buffers && hand->piles;
}

static void free_dealer(struct dealer *d) {
    free(d->lanes);
    free(d->open);
    free(d->buffers);
}

/* Gives a dealer the calls of each lane from one time to another, and room for them. */
static bool give_share(struct dealer *d, const rec_history *h, uint32_t lanes, uint64_t from,
                       uint64_t until) {
    uint64_t calls = 0, buckets = lin_dealt_count(d->dealt);
    lin_hand *hand = d->hand;
    hand->base = UINT64_MAX;
    for (uint32_t t = 0; t < lanes; t++) {
        const rec_lane *lane = &h->lanes[t];
        uint64_t first = place_of(lane, from);
        uint64_t last = until == UINT64_MAX ? lane->record_count : place_of(lane, until);
        if (first >= last)
            continue;
        const rec_record *at = lane->records + first;
        if (!is_plain(at))
            return false;
        d->lanes[d->lane_count++] = (struct lane_cursor){at, lane->records + last, at->invoked, t};
        calls += last - first;
        hand->base = at->invoked < hand->base ? at->invoked : hand->base;
    }
    /* A call whose times do not fit takes two places, and each pile may end inside a chunk. */
    uint64_t chunks = 2 * calls / LIN_CHUNK + buckets + 1;
    if (chunks > UINT32_MAX)
        return false;
    hand->chunk_capacity = (uint32_t)chunks;
    hand->chunks = lin_room(chunks * LIN_CHUNK * sizeof *hand->chunks, false);
    hand->following = malloc(chunks * sizeof *hand->following);
    for (uint64_t n = 0; n < buckets; n++)
        d->open[n].invoked = hand->base;
    return hand->chunks != NULL && hand->following != NULL;
}

static void deal_share(void *context, uint32_t worker) {
    struct dealer *d = (struct dealer *)context + worker;
    d->dealt_all = d->lane_count == 0 || deal(d);
    for (uint64_t n = 0; n < lin_dealt_count(d->dealt); n++) {
        struct open *open = &d->open[n];
        if (open->count % BUFFER != 0)
            flush(d, n, open);
        d->hand->piles[n].count = open->count;
        d->hand->piles[n].calls = open->count - open->longs;
    }
    finish_copies();
}

/* The dealers' stretches of time are such that each has as much of the longest lane. */
static bool deal_lanes(lin_dealt *dealt, const rec_history *h, uint32_t lanes) {
    uint32_t count = dealt->hand_count, made = 0;
    const rec_lane *longest = h->lanes;
    for (uint32_t t = 0; t < lanes; t++)
        if (h->lanes[t].record_count > longest->record_count)
            longest = &h->lanes[t];
    struct dealer *dealers = calloc(count, sizeof *dealers);
    bool fits = dealers != NULL;
    uint64_t from = 0;
    for (; fits && made < count; made++) {
        uint64_t next = longest->record_count * (made + 1) / count;
        uint64_t until = made + 1 == count ? UINT64_MAX : longest->records[next].invoked;
        fits = make_dealer(&dealers[made], dealt, &dealt->hands[made], lanes) &&
               give_share(&dealers[made], h, lanes, from, until);
        from = until;
    }
    if (fits)
        lin_workers_do(count, deal_share, dealers);
    for (uint32_t i = 0; i < made; i++) {
        const lin_hand *hand = dealers[i].hand;
        fits = fits && dealers[i].dealt_all;
        dealt->bytes += hand->chunk_count * (LIN_CHUNK * sizeof *hand->chunks + sizeof(uint32_t));
        dealt->bytes += lin_dealt_count(dealt) * sizeof *hand->piles;
        free_dealer(&dealers[i]);
    }
    free(dealers);
    return fits;
}

/* By counting. */
static bool deal_entries(lin_dealt *dealt, const rec_pair *pairs, uint64_t count,
                         lin_entries *entries) {
    uint64_t buckets = lin_dealt_count(dealt);
    entries->all = malloc((count + 1) * sizeof *entries->all);
    entries->first = calloc(buckets + 1, sizeof *entries->first);
    if (entries->all == NULL || entries->first == NULL || count >= UINT32_MAX)
        return false;
    dealt->bytes += (count + 1) * sizeof *entries->all + buckets * sizeof *entries->first;
    for (uint64_t i = 0; i < count; i++)
        entries->first[lin_bucket_of(dealt, pairs[i].key)]++;
    for (uint64_t n = 1; n <= buckets; n++)
        entries->first[n] += entries->first[n - 1];
    for (uint64_t i = count; i > 0; i--) /* from the end of each bucket down to its beginning */
        entries->all[--entries->first[lin_bucket_of(dealt, pairs[i - 1].key)]] = pairs[i - 1];
    return true;
}

static bool make(lin_dealt *dealt, const rec_history *h, uint32_t workers) {
    uint32_t lanes = h->lane_count;
    uint64_t calls = 0, until = 0;
    if (lanes > 0 && is_reading(&h->lanes[lanes - 1]))
        dealt->reading = h->lanes[--lanes].records;
    for (uint32_t t = 0; t < lanes; t++) {
        const rec_lane *lane = &h->lanes[t];
        if (!looks_plain(lane))
            return false;
        calls += lane->record_count;
        if (lane->record_count > 0 && lane->records[lane->record_count - 1].invoked > until)
            until = lane->records[lane->record_count - 1].invoked;
    }
    if (leans_on_one_key(h, lanes) || (dealt->reading != NULL && dealt->reading->invoked < until))
        return false;
    for (uint64_t i = 1; i < h->initial_count; i++)
        if (h->initial[i].key <= h->initial[i - 1].key)
            return false; /* the general way says what is wrong with it */
    while (dealt->bits < MOST_BITS && (calls + h->initial_count) >> dealt->bits > BUCKET_CALLS)
        dealt->bits++;
    dealt->hand_count = 1;
    while (dealt->hand_count < workers && calls / SHARE > dealt->hand_count)
        dealt->hand_count++;
    dealt->hands = calloc(dealt->hand_count, sizeof *dealt->hands);
    if (dealt->hands == NULL)
        return false;
    const rec_pair *final = NULL;
    uint64_t final_count = dealt->reading != NULL ? dealt->reading->count : 0;
    if (final_count > 0)
        final = h->lanes[lanes].pairs + dealt->reading->seen;
    return deal_entries(dealt, h->initial, h->initial_count, &dealt->initial) &&
           deal_entries(dealt, final, final_count, &dealt->final) && deal_lanes(dealt, h, lanes);
}

lin_dealt *lin_dealt_new(const rec_history *history, uint32_t workers) {
    lin_dealt *dealt = calloc(1, sizeof *dealt);
    if (dealt != NULL && make(dealt, history, workers))
        return dealt;
    lin_dealt_free(dealt);
    return NULL;
}

void lin_dealt_free(lin_dealt *dealt) {
    if (dealt == NULL)
        return;
    for (uint32_t i = 0; dealt->hands != NULL && i < dealt->hand_count; i++) {
        lin_hand *hand = &dealt->hands[i];
        uint64_t calls = (uint64_t)hand->chunk_capacity * LIN_CHUNK;
        lin_room_free(hand->chunks, calls * sizeof *hand->chunks);
        free(hand->following);
        free(hand->piles);
    }
    free(dealt->hands);
    free(dealt->initial.all);
    free(dealt->initial.first);
    free(dealt->final.all);
    free(dealt->final.first);
    free(dealt);
}
