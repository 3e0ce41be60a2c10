/* latency.c: see latency.h. */
#include "latency.h"

void latency_merge(latency *into, const latency *from) {
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        into->count[i] += from->count[i];
    into->operations += from->operations;
    if (from->greatest > into->greatest)
        into->greatest = from->greatest;
}

/* The least time of a bucket. */
static double floor_of(unsigned bucket) {
    const unsigned steps = 1u << LATENCY_STEP_BITS;
    unsigned power = bucket >> LATENCY_STEP_BITS, step = bucket & (steps - 1);
    if (power == 0)
        return step;
    return (double)(steps + step) * (double)((uint64_t)1 << (power - 1));
}

double latency_percentile(const latency *l, double part) {
    double wanted = part * (double)l->operations;
    uint64_t below = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS - 1; i++) {
        below += l->count[i];
        if (l->count[i] != 0 && (double)below >= wanted)
            return (floor_of(i) + floor_of(i + 1)) / 2;
    }
    return (double)l->greatest;
}

double latency_of_clock(void) {
    enum { TIMES = 10000 };
    uint64_t start = nanoseconds(), last = start;
    for (unsigned i = 0; i < TIMES; i++)
        last = nanoseconds();
    return (double)(last - start) / TIMES;
}
