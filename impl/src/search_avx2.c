/* search_avx2.c: the search with AVX2, four keys a step (compiled with -mavx2 -mbmi2). */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* AVX2 compares signed integers only: flipping the top bits maps unsigned order to signed order. Each lane that
 * is greater is all ones; packed, two bytes of it are left. */
static inline unsigned count_le_16(const uint64_t *keys, uint64_t key) {
    const __m256i top = _mm256_set1_epi64x(INT64_MIN);
    const __m256i probe = _mm256_xor_si256(_mm256_set1_epi64x((long long)key), top);
    __m256i greater[4];
    for (unsigned i = 0; i < 4; i++) {
        const __m256i four = _mm256_loadu_si256((const __m256i *)(keys + (size_t)4 * i));
        greater[i] = _mm256_cmpgt_epi64(_mm256_xor_si256(four, top), probe);
    }
    const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(greater[0], greater[1]),
                                              _mm256_packs_epi32(greater[2], greater[3]));
    return 16U - (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(packed)) / 2;
}

static inline unsigned count_samples(const int32_t *samples, int32_t sample) {
    const __m256i probe = _mm256_set1_epi32(sample);
    const __m256i a = _mm256_loadu_si256((const __m256i *)samples);
    const __m256i b = _mm256_loadu_si256((const __m256i *)(samples + 8));
    const __m256i greater =
        _mm256_packs_epi32(_mm256_cmpgt_epi32(a, probe), _mm256_cmpgt_epi32(b, probe));
    return 16U - (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(greater)) / 2;
}

#define SEARCH       bw_search_avx2
#define SEARCH_LEVEL BW_SIMD_AVX2
#include "search.inc"
