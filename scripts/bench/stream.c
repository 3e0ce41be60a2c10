/* stream.c: see stream.h. */
#include "stream.h"

#include <math.h>

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

void stream_fill(uint64_t *keys, size_t n, choice how, const share *mine, const zipf *z) {
    rng r = {splitmix64(mine->seed ^ ((uint64_t)mine->thread << 32 | (uint64_t)how << 40))};
    uint64_t stride = stride_for(mine->loaded);
    for (size_t i = 0; i < n; i++) {
        uint64_t at = mine->thread + i * mine->threads; /* this thread's place in a shared order */
        switch (how) {
        case CHOOSE_UNIFORM: keys[i] = splitmix64(rng_below(&r, mine->loaded)); break;
        case CHOOSE_ZIPF:
            keys[i] = splitmix64(splitmix64(zipf_next(z, &r) + mine->seed) % mine->loaded);
            break;
        case CHOOSE_SCAN:
            do
                keys[i] = splitmix64(rng_below(&r, mine->loaded));
            while (keys[i] > SCAN_LIMIT);
            break;
        case CHOOSE_ONCE:
            keys[i] = splitmix64((uint64_t)((unsigned __int128)at * stride % mine->loaded));
            break;
        case CHOOSE_FRESH: keys[i] = splitmix64(mine->loaded + at); break;
        case CHOOSE_RANDOM_LOAD: keys[i] = splitmix64(at); break;
        case CHOOSE_ASCENDING_LOAD: keys[i] = at; break;
        }
    }
}
