/* search.c: which search a tree uses: chosen once, when it is opened. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

static bool processor_has(bw_simd level) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (level == BW_SIMD_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    if (level == BW_SIMD_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
#endif
    return level == BW_SIMD_SCALAR;
}

static const bw_search *search_of(bw_simd level) {
    switch (level) {
#if defined(__x86_64__)
    case BW_SIMD_AVX512: return &bw_search_avx512;
    case BW_SIMD_AVX2: return &bw_search_avx2;
#endif
    default: return &bw_search_scalar;
    }
}

const bw_search *bw_search_select(bw_simd level, bw_status *status, const char **message) {
    *status = BW_OK;
    *message = "";
    if (level == BW_SIMD_AUTO) {
        const char *wish = getenv("BWTREE_SIMD");
        if (wish == NULL || *wish == '\0' || strcmp(wish, "auto") == 0) {
            level = processor_has(BW_SIMD_AVX512) ? BW_SIMD_AVX512
                    : processor_has(BW_SIMD_AVX2) ? BW_SIMD_AVX2
                                                  : BW_SIMD_SCALAR;
        } else if (strcmp(wish, "scalar") == 0) {
            level = BW_SIMD_SCALAR;
        } else if (strcmp(wish, "avx2") == 0) {
            level = BW_SIMD_AVX2;
        } else if (strcmp(wish, "avx512") == 0) {
            level = BW_SIMD_AVX512;
        } else {
            *status = BW_EINVAL;
            *message = "the environment variable BWTREE_SIMD must be auto, scalar, avx2 or avx512";
            return NULL;
        }
    }
    if (!processor_has(level)) {
        *status = BW_EUNSUPPORTED;
        *message = level == BW_SIMD_AVX512
                       ? "this processor has no AVX-512: choose auto, scalar or avx2"
                       : "this processor has no AVX2: choose auto or scalar";
        return NULL;
    }
    return search_of(level);
}
