/* search_scalar.c: the portable search, for every processor; compilers vectorize it as they can. */
#include <stdint.h>

static inline unsigned count_le_8(const uint64_t *keys, uint64_t key) {
    unsigned count = 0;
    for (unsigned i = 0; i < 8; i++)
        count += keys[i] <= key;
    return count;
}

static inline unsigned count_le_16(const uint64_t *keys, uint64_t key) {
    return count_le_8(keys, key) + count_le_8(keys + 8, key);
}

static inline unsigned count_samples(const int32_t *samples, int32_t sample) {
    unsigned count = 0;
    for (unsigned i = 0; i < 16; i++)
        count += samples[i] <= sample;
    return count;
}

#define SEARCH       bw_search_scalar
#define SEARCH_LEVEL BW_SIMD_SCALAR
#include "search.inc"
