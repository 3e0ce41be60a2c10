/* stream.c: see stream.h. */
#include "stream.h"

#include <math.h>
#include <stdlib.h>

enum { ZETA_EXACT = 10000 };

double zipf_zeta(uint64_t n, double theta) {
    uint64_t exact = n < ZETA_EXACT ? n : ZETA_EXACT;
    double sum = 0;
    for (uint64_t i = 1; i <= exact; i++)
        sum += pow((double)i, -theta);
    if (n > exact) {
        double a = (double)exact, b = (double)n;
        double integral = (pow(b, 1 - theta) - pow(a, 1 - theta)) / (1 - theta);
        double ends = (pow(b, -theta) - pow(a, -theta)) / 2;
        double slopes = theta * (pow(a, -theta - 1) - pow(b, -theta - 1)) / 12;
        sum += integral + ends + slopes;
    }
    return sum;
}

void zipf_init(zipf *z, uint64_t n, double theta) {
    z->n = n;
    z->theta = theta;
    z->alpha = 1 / (1 - theta);
    z->zeta_n = zipf_zeta(n, theta);
    z->second = 1 + pow(0.5, theta);
    z->eta = (1 - pow(2.0 / (double)n, 1 - theta)) / (1 - z->second / z->zeta_n);
}

uint64_t zipf_next(const zipf *z, rng *r) {
    double u = (double)(rng_next(r) >> 11) * 0x1p-53;
    double uz = u * z->zeta_n;
    if (uz < 1)
        return 0;
    if (uz < z->second)
        return 1;
    uint64_t rank = (uint64_t)((double)z->n * pow(z->eta * u - z->eta + 1, z->alpha));
    return rank < z->n ? rank : z->n - 1;
}

static uint64_t gcd(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A stride that visits all of 0 … n-1 before it comes back, near the golden section of n so that
 * the order is unlike that of the load. */
static uint64_t stride_for(uint64_t n) {
    uint64_t stride = (uint64_t)((double)n * 0.6180339887498949) | 1;
    while (gcd(stride, n) != 1)
        stride += 2;
    return stride;
}

/* A scan must find all the keys it asks for: leave out the last tenth of the key space, where with
 * 10,000 keys or more a thousand keys are to be expected. */
#define SCAN_LIMIT (UINT64_MAX / 10 * 9)

static uint64_t zipf_key(const share *mine, const zipf *z, rng *r) {
    return splitmix64(splitmix64(zipf_next(z, r) + mine->seed) % mine->loaded);
}

static uint64_t hot_key(const share *mine, rng *r) {
    uint64_t hot = mine->loaded / 100 + 1;
    if (rng_below(r, 10) == 0)
        return splitmix64(rng_below(r, mine->loaded));
    return splitmix64(splitmix64(rng_below(r, hot) + mine->seed) % mine->loaded);
}

/* Counts back from the newest key: those that this thread has inserted itself before its operation i,
 * then the loaded ones. */
static uint64_t latest_key(const share *mine, const zipf *z, rng *r, uint64_t i) {
    uint64_t back = zipf_next(z, r), own = i / LATEST_PERIOD;
    if (back >= own)
        return splitmix64(mine->loaded - 1 - (back - own));
    uint64_t at = (own - back) * LATEST_PERIOD - 1;
    return splitmix64(mine->fresh + mine->thread + at * mine->threads);
}

/* Clusters are numbered over all threads, which take turns, as their keys are in the load. */
static uint64_t cluster_key(uint64_t cluster, uint64_t within) {
    return (splitmix64(cluster) & ~(uint64_t)(CLUSTER - 1)) | within;
}

static uint64_t scannable(uint64_t (*next)(const share *, const zipf *, rng *), const share *mine,
                          const zipf *z, rng *r) {
    uint64_t key;
    do
        key = next(mine, z, r);
    while (key > SCAN_LIMIT);
    return key;
}

static uint64_t uniform_key(const share *mine, const zipf *z, rng *r) {
    (void)z;
    return splitmix64(rng_below(r, mine->loaded));
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void stream_sort(uint64_t *keys, size_t n) {
    qsort(keys, n, sizeof *keys, by_value);
}

static void reverse(uint64_t *keys, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        uint64_t key = keys[i];
        keys[i] = keys[n - 1 - i];
        keys[n - 1 - i] = key;
    }
}

void stream_fill(uint64_t *keys, size_t n, choice how, const share *mine, const zipf *z) {
    rng r = {splitmix64(mine->seed ^ ((uint64_t)mine->thread << 32 | (uint64_t)how << 40))};
    uint64_t stride = stride_for(mine->loaded);
    uint64_t clusters = mine->loaded / mine->threads / CLUSTER * mine->threads;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = mine->thread + i * mine->threads; /* this thread's place in a shared order */
        switch (how) {
        case CHOOSE_UNIFORM:
        case CHOOSE_UP:
        case CHOOSE_DOWN:
        case CHOOSE_WHOLE: keys[i] = uniform_key(mine, z, &r); break;
        case CHOOSE_ZIPF: keys[i] = zipf_key(mine, z, &r); break;
        case CHOOSE_SCAN: keys[i] = scannable(uniform_key, mine, z, &r); break;
        case CHOOSE_ZIPF_SCAN: keys[i] = scannable(zipf_key, mine, z, &r); break;
        case CHOOSE_ONCE:
            keys[i] = splitmix64((uint64_t)((unsigned __int128)at * stride % mine->loaded));
            break;
        case CHOOSE_FRESH: keys[i] = splitmix64(mine->fresh + at); break;
        case CHOOSE_RANDOM_LOAD: keys[i] = splitmix64(at); break;
        case CHOOSE_ASCENDING_BATCHES:
        case CHOOSE_ASCENDING_LOAD: keys[i] = at; break;
        case CHOOSE_DESCENDING_LOAD: keys[i] = mine->loaded - 1 - at; break;
        case CHOOSE_CLUSTERED_LOAD:
            keys[i] = cluster_key(i / CLUSTER * mine->threads + mine->thread, i % CLUSTER);
            break;
        case CHOOSE_CLUSTERED:
            keys[i] = i % CLUSTER == 0 ? cluster_key(rng_below(&r, clusters), 0) : keys[i - 1] + 1;
            break;
        case CHOOSE_HOT: keys[i] = hot_key(mine, &r); break;
        case CHOOSE_FEW: keys[i] = splitmix64(rng_below(&r, mine->few)); break;
        case CHOOSE_LATEST: keys[i] = latest_key(mine, z, &r, i); break;
        }
    }
    if (how == CHOOSE_UP || how == CHOOSE_DOWN)
        stream_sort(keys, n);
    if (how == CHOOSE_DOWN)
        reverse(keys, n);
}
