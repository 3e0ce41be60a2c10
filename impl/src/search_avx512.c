/* search_avx512.c: the search with AVX-512, eight keys a step (compiled with -mavx512f -mbmi2). */
#include <immintrin.h>
#include <stdint.h>

static inline unsigned count_le_16(const uint64_t *keys, uint64_t key) {
    const __m512i probe = _mm512_set1_epi64((long long)key);
    const __mmask8 low = _mm512_cmple_epu64_mask(_mm512_loadu_si512(keys), probe);
    const __mmask8 high = _mm512_cmple_epu64_mask(_mm512_loadu_si512(keys + 8), probe);
    return (unsigned)__builtin_popcount(_cvtmask16_u32(_mm512_kunpackb(high, low)));
}

static inline unsigned count_samples(const int32_t *samples, int32_t sample) {
    const __mmask16 less =
        _mm512_cmple_epi32_mask(_mm512_loadu_si512(samples), _mm512_set1_epi32(sample));
    return (unsigned)__builtin_popcount(_cvtmask16_u32(less));
}

#define SEARCH       bw_search_avx512
#define SEARCH_LEVEL BW_SIMD_AVX512
#include "search.inc"
