/* search_avx2.c: the search with AVX2, four keys a step (compiled with -mavx2). */
#include <immintrin.h>
#include <stdint.h>

/* AVX2 compares signed integers only: flipping the top bits maps unsigned order to signed order. */
static inline unsigned count_le_8(const uint64_t *keys, uint64_t key) {
    const __m256i top = _mm256_set1_epi64x(INT64_MIN);
    const __m256i probe = _mm256_xor_si256(_mm256_set1_epi64x((long long)key), top);
    const __m256i a = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)keys), top);
    const __m256i b = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(keys + 4)), top);
    /* Each lane that is greater counts -1. */
    unsigned greater_a =
        (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(a, probe)));
    unsigned greater_b =
        (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(b, probe)));
    return 8U - (unsigned)__builtin_popcount(greater_a | greater_b << 4);
}

static inline unsigned count_le_16(const uint64_t *keys, uint64_t key) {
    return count_le_8(keys, key) + count_le_8(keys + 8, key);
}

#define SEARCH       bw_search_avx2
#define SEARCH_LEVEL BW_SIMD_AVX2
#include "search.inc"
