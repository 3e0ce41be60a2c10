/* dealt.h: the calls of a history, dealt out to buckets by a hash of the key.
 *
 * A call is packed into four words, half a line of the processor's cache, without what only tells where it
 * stood. Calls of a bucket first fill a few lines that stay in the cache; whole lines are then written past
 * it, to chunks of memory. Several dealers share a history by time: each deals out all lanes' calls of its
 * stretch into chunks of its own, and a bucket is what the first dealt to it, then the second, and so on:
 * the same calls in the same order whatever the number of dealers.
 *
 * Only calls on single keys can be dealt out, by lanes that are in the order of their invocations; but the
 * last lane may hold one reading of the whole map behind all other calls, as the recorder makes it.
 */
#ifndef LIN_DEALT_H
#define LIN_DEALT_H

#include "parts.h"

typedef struct lin_packed {
    uint64_t key, want, give;
    uint64_t header; /* ticks since the bucket's call before, duration, need, effect */
} lin_packed;

/* Where a time does not fit into a header its duration is LIN_LONG, and the next lin_packed is an
 * lin_times. */
typedef struct lin_times {
    uint64_t invoked, responded, unused[2];
} lin_times;

enum {
    LIN_CHUNK = 64, /* packed calls */
    LIN_DURATION_AT = 32,
    LIN_NEED_AT = 59,
    LIN_NEED = 7, /* as many bits of it */
    LIN_EFFECT_AT = 62,
};
#define LIN_LONG ((UINT64_C(1) << (LIN_NEED_AT - LIN_DURATION_AT)) - 1)

/* What one dealer dealt to one bucket: a list of chunks. */
typedef struct lin_pile {
    uint32_t chunk; /* the first */
    uint32_t count; /* of lin_packed */
    uint32_t calls;
} lin_pile;

/* Of one dealer. */
typedef struct lin_hand {
    lin_pile *piles; /* of each bucket */
    lin_packed *chunks;
    uint32_t *following; /* of each chunk: the next of its pile */
    uint64_t base;       /* no call was invoked before */
    uint32_t chunk_count, chunk_capacity;
} lin_hand;

/* Entries of a map, by bucket. */
typedef struct lin_entries {
    rec_pair *all;
    uint32_t *first; /* of each bucket, and the end */
} lin_entries;

typedef struct lin_dealt {
    unsigned bits; /* there are 2^bits buckets */
    uint32_t hand_count;
    lin_hand *hands;
    lin_entries initial, final;
    const rec_record *reading; /* of the whole map; NULL: none */
    uint64_t bytes;            /* of memory */
} lin_dealt;

/* Deals a history out with up to `workers` threads. NULL: it has to take the general way (parts.h), or there
 * is no memory. The history must outlive it; from then on any thread may read it. */
lin_dealt *lin_dealt_new(const rec_history *history, uint32_t workers);
void lin_dealt_free(lin_dealt *dealt);

static inline uint64_t lin_dealt_count(const lin_dealt *dealt) {
    return (uint64_t)1 << dealt->bits;
}

/* A hash of a key, the number of its bucket in the uppermost bits. */
static inline uint64_t lin_scatter_key(uint64_t key) {
    return (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t lin_bucket_of(const lin_dealt *dealt, uint64_t key) {
    return lin_scatter_key(key) >> 1 >> (63 - dealt->bits);
}

/* ------------------------------------------------------------------ reading a pile ---------- */

typedef struct lin_reader {
    const lin_packed *at, *end;
    const lin_hand *hand;
    int64_t ahead; /* from a call to its place in the chunk that is read next */
    uint32_t chunk;
    uint32_t left;  /* lin_packed behind this chunk */
    uint32_t after; /* the chunk to be read behind the pile */
    uint64_t invoked;
} lin_reader;

static inline void lin_reader_enter(lin_reader *r, uint32_t chunk) {
    uint32_t here = r->left < LIN_CHUNK ? r->left : LIN_CHUNK;
    r->chunk = chunk;
    r->at = r->hand->chunks + (uint64_t)chunk * LIN_CHUNK;
    r->end = r->at + here;
    r->left -= here;
    uint32_t next = r->left > 0 ? r->hand->following[chunk] : r->after;
    r->ahead = ((int64_t)next - chunk) * LIN_CHUNK;
}

static inline void lin_reader_begin(lin_reader *r, const lin_hand *hand, uint64_t bucket,
                                    bool is_last) {
    const lin_pile *pile = &hand->piles[bucket];
    *r = (lin_reader){.hand = hand, .left = pile->count, .invoked = hand->base};
    r->after = pile[is_last ? 0 : 1].chunk;
    if (pile->count > 0)
        lin_reader_enter(r, pile->chunk);
}

static inline const lin_packed *lin_reader_step(lin_reader *r) {
    if (r->at == r->end)
        lin_reader_enter(r, r->hand->following[r->chunk]);
    __builtin_prefetch(r->at + r->ahead); /* the next chunk, while this one is read */
    return r->at++;
}

/* The next call, of as many as the pile has, and when it was. */
static inline const lin_packed *lin_reader_next(lin_reader *r, uint64_t *invoked,
                                                uint64_t *responded) {
    const lin_packed *call = lin_reader_step(r);
    uint64_t duration = call->header >> LIN_DURATION_AT & LIN_LONG;
    r->invoked += (uint32_t)call->header;
    *invoked = r->invoked;
    *responded = r->invoked + duration;
    if (duration == LIN_LONG) {
        const lin_times *times = (const lin_times *)lin_reader_step(r);
        *invoked = r->invoked = times->invoked;
        *responded = times->responded;
    }
    return call;
}

#endif
