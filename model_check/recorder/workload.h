/* workload.h: what a thread does next: a seeded mix of operations over a distribution of keys.
 *
 * Keys live at positions 0 … space-1; position p is the key first_key + p * stride, so the order of
 * positions is the order of keys. Everything a thread does follows from the seed and its number.
 */
#ifndef REC_WORKLOAD_H
#define REC_WORKLOAD_H

#include "history.h"

#include <stddef.h>

enum rec_distribution {
    REC_UNIFORM,
    REC_ZIPFIAN,   /* skew as given; ranks are scattered over the positions */
    REC_HOT,       /* hot_share of the calls go to the first hot_keys positions */
    REC_ASCENDING, /* every thread strides upwards through the positions, over and over */
    REC_CLUSTERED, /* 64 calls in a row stay within 16 neighbouring positions */
};

enum { REC_MAX_BATCH = 64, REC_MAX_SCAN = 256, REC_MIX_TABLE = 4096 };

typedef struct rec_workload {
    uint64_t seed;
    uint64_t space;
    uint64_t first_key;
    uint64_t stride;
    uint32_t distribution;
    double skew;
    uint64_t hot_keys;
    double hot_share;
    uint32_t weight[REC_KINDS]; /* relative frequencies of the kinds of call */
    uint32_t scan_length;       /* entries asked for by a scan: 1 … this */
    uint32_t batch;             /* keys of a batch: 1 … this */
    uint32_t span;              /* positions that a scan, count or deletion covers: 1 … this */
} rec_workload;

/* One call to make; `pause` spins are waited before it. */
typedef struct rec_request {
    uint64_t key;
    uint64_t limit; /* other end of a scan, count or deletion */
    uint32_t count; /* entries asked for, keys of a batch */
    uint32_t pause;
    uint8_t kind;
} rec_request;

/* What all threads share, made once a run. */
typedef struct rec_plan {
    rec_workload workload;
    double zeta, eta, alpha;    /* of the zipfian generator (Gray et al., SIGMOD 1994) */
    uint8_t mix[REC_MIX_TABLE]; /* kinds, as often as their weights say */
} rec_plan;

/* One thread's place in its stream. */
typedef struct rec_stream {
    const rec_plan *plan;
    uint64_t state[4]; /* xoshiro256** */
    uint64_t step;     /* calls generated */
    uint64_t cluster;
    uint32_t thread, threads;
} rec_stream;

/* NULL, or a sentence on what is wrong with the workload. */
const char *rec_plan_make(rec_plan *plan, const rec_workload *workload);
void rec_stream_start(rec_stream *stream, const rec_plan *plan, uint64_t seed, uint32_t thread,
                      uint32_t threads);

/* Fills *request; for batches also `keys` (REC_MAX_BATCH of them), distinct within the batch. */
void rec_stream_next(rec_stream *stream, rec_request *request, uint64_t *keys);

/* A number that depends on all bits of x. */
static inline uint64_t rec_mix64(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t rec_key_at(const rec_workload *workload, uint64_t position) {
    return workload->first_key + position * workload->stride;
}

#endif
