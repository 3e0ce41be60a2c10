/* latency.h: how long single operations took, as a histogram that a loop can fill cheaply.
 *
 * Buckets are logarithmic with 32 steps for each power of two, so that a percentile is off by 3 % at
 * most. Each thread fills one of its own; they are added up afterwards.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>
#include <time.h>

enum { LATENCY_STEP_BITS = 5, LATENCY_BUCKETS = 64 << LATENCY_STEP_BITS };

typedef struct latency {
    uint64_t count[LATENCY_BUCKETS];
    uint64_t operations, greatest;
} latency;

static inline uint64_t nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline unsigned latency_bucket(uint64_t ns) {
    if (ns < 1u << LATENCY_STEP_BITS)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns), shift = power - LATENCY_STEP_BITS;
    return ((shift + 1) << LATENCY_STEP_BITS) +
           (unsigned)((ns >> shift) - (1u << LATENCY_STEP_BITS));
}

/* `operations` that took ns together count as so many of the same length. */
static inline void latency_add(latency *l, uint64_t ns, uint64_t operations) {
    l->count[latency_bucket(ns / operations)] += operations;
    l->operations += operations;
    if (ns > l->greatest)
        l->greatest = ns;
}

void latency_merge(latency *into, const latency *from);

/* The time that `part` (0 to 1) of the operations did not exceed, in ns: the middle of its bucket. */
double latency_percentile(const latency *l, double part);

/* What looking at the clock twice takes, in ns: it is part of every latency. */
double latency_of_clock(void);

#endif
