/* stream.h: the keys and operations of a workload, made before the clock starts.
 *
 * The i-th key of a random load is splitmix64(i): a bijection of the 64-bit integers, so that keys
 * never repeat and "loaded" means an index below n. A value always tells which key it belongs to
 * (key * VALUE_FACTOR + version, with a version below 2^16), so that a timed loop can check what it
 * gets with one multiplication.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_FACTOR   0x9E6C63D0876A9A47u
#define VALUE_VERSIONS 65536u

static inline uint64_t splitmix64(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline uint64_t value_of(uint64_t key, uint64_t version) {
    return key * VALUE_FACTOR + version % VALUE_VERSIONS;
}

static inline bool value_belongs(uint64_t key, uint64_t value) {
    return value - key * VALUE_FACTOR < VALUE_VERSIONS;
}

/* A sequence of pseudo-random numbers: splitmix64 of a counter. */
typedef struct rng {
    uint64_t state;
} rng;

static inline uint64_t rng_next(rng *r) {
    return splitmix64(r->state++);
}

/* Uniform below n, by multiplication (the bias, n / 2^64, is far below anything measured here). */
static inline uint64_t rng_below(rng *r, uint64_t n) {
    return (uint64_t)(((unsigned __int128)rng_next(r) * n) >> 64);
}

/* Ranks 0 … n-1 with probability proportional to 1 / (rank+1)^theta, by the method of Gray et al.
 * ("Quickly generating billion-record synthetic databases", SIGMOD 1994) that YCSB uses. */
typedef struct zipf {
    uint64_t n;
    double theta, alpha, zeta_n, eta, second;
} zipf;

void zipf_init(zipf *z, uint64_t n, double theta);
uint64_t zipf_next(const zipf *z, rng *r);

/* The sum of 1 / i^theta for i = 1 … n: the first terms one by one, the rest by the
 * Euler-Maclaurin formula, whose error is below 1e-12 here. */
double zipf_zeta(uint64_t n, double theta);

/* How the keys of a stream are chosen: of the loaded ones where nothing else is said. */
typedef enum choice {
    CHOOSE_UNIFORM,
    CHOOSE_ZIPF,           /* scrambled: the hot keys lie anywhere in the key space */
    CHOOSE_SCAN,           /* uniform among those that have many greater keys behind them */
    CHOOSE_ONCE,           /* each at most once, in an order unlike that of the load */
    CHOOSE_FRESH,          /* keys that were never loaded, each once */
    CHOOSE_RANDOM_LOAD,    /* the load itself: splitmix64(first), splitmix64(first + step), … */
    CHOOSE_ASCENDING_LOAD, /* first, first + step, … */
    CHOOSE_DESCENDING_LOAD,
    CHOOSE_CLUSTERED_LOAD,    /* runs of CLUSTER neighbours, each run anywhere */
    CHOOSE_CLUSTERED,         /* runs of those, whole ones, chosen uniformly */
    CHOOSE_HOT,               /* nine of ten among a hundredth of the keys, which lie anywhere */
    CHOOSE_UP,                /* uniform, then put in ascending order */
    CHOOSE_DOWN,              /* … in descending order */
    CHOOSE_FEW,               /* uniform among the first `few` */
    CHOOSE_ZIPF_SCAN,         /* as CHOOSE_ZIPF, of keys that have many greater keys behind them */
    CHOOSE_LATEST,            /* the later a key was loaded or inserted, the likelier: zipfian */
    CHOOSE_ASCENDING_BATCHES, /* as CHOOSE_ASCENDING_LOAD, for a load of its own */
    CHOOSE_WHOLE,             /* all keys in order: streams_make fills it, not stream_fill */
} choice;

enum {
    CLUSTER = 64,
    LATEST_PERIOD =
        20, /* of so many operations of CHOOSE_LATEST the last one inserts a fresh key */
};

/* Which keys a thread works on: `thread` of `threads`. */
typedef struct share {
    uint64_t loaded;
    uint64_t seed;
    unsigned thread, threads;
    uint64_t fresh; /* fresh keys are splitmix64(fresh), …; at least `loaded` */
    uint64_t few;
} share;

/* Writes the n keys of this thread's stream. zipf may be NULL unless `how` is zipfian. */
void stream_fill(uint64_t *keys, size_t n, choice how, const share *mine, const zipf *z);

/* Sorts keys in ascending order. */
void stream_sort(uint64_t *keys, size_t n);

#endif
