/* stdatomic.h: the compiler's own, with weak compare-exchanges that stay weak.
 *
 * gcc's instrumentation has a call of its own for each kind of compare-exchange. clang's has one for both,
 * whose result says "exchanged" whenever the value was the expected one: a spurious failure cannot be
 * told. So with clang the weak ones are written as the calls that gcc makes, in what is built for the
 * explorer; programs for real threads that find this header get the compiler's own.
 */
#if defined(__clang__)
#pragma clang system_header
#if __has_feature(thread_sanitizer)
#define BWX_WEAK_CALLS
#endif
#endif
#include_next <stdatomic.h>

#if defined(BWX_WEAK_CALLS) && !defined(BWX_STDATOMIC_H)
#define BWX_STDATOMIC_H

int __tsan_atomic8_compare_exchange_weak(volatile void *, void *, unsigned char, int, int);
int __tsan_atomic16_compare_exchange_weak(volatile void *, void *, unsigned short, int, int);
int __tsan_atomic32_compare_exchange_weak(volatile void *, void *, unsigned int, int, int);
int __tsan_atomic64_compare_exchange_weak(volatile void *, void *, unsigned long, int, int);
/* libatomic's, for other sizes: refused when the program is built, by this name. */
_Bool bwx_wide_compare_exchange(__SIZE_TYPE__, volatile void *, void *, void *, int,
                                int) __asm__("__atomic_compare_exchange");

#define BWX_WEAK(bits, type, object, expected, desired, success, failure)                         \
    {                                                                                             \
        type bits_of_it;                                                                          \
        __builtin_memcpy(&bits_of_it, desired, sizeof bits_of_it);                                \
        return __tsan_atomic##bits##_compare_exchange_weak(object, expected, bits_of_it, success, \
                                                           failure);                              \
    }

static inline __attribute__((always_inline, unused))
_Bool bwx_compare_exchange_weak(__SIZE_TYPE__ size, volatile void *object, void *expected,
                                void *desired, int success, int failure) {
    switch (size) {
    case 1: BWX_WEAK(8, unsigned char, object, expected, desired, success, failure)
    case 2: BWX_WEAK(16, unsigned short, object, expected, desired, success, failure)
    case 4: BWX_WEAK(32, unsigned int, object, expected, desired, success, failure)
    case 8: BWX_WEAK(64, unsigned long, object, expected, desired, success, failure)
    default: return bwx_wide_compare_exchange(size, object, expected, desired, success, failure);
    }
}

#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_weak_explicit(object, expected, desired, success, failure)        \
    __extension__({                                                                               \
        volatile void *bwx_object_ = (object);                                                    \
        __typeof__(expected) bwx_expected_ = (expected);                                          \
        __typeof__(*(expected)) bwx_desired_ = (desired);                                         \
        bwx_compare_exchange_weak(sizeof bwx_desired_, bwx_object_, bwx_expected_, &bwx_desired_, \
                                  (int)(success), (int)(failure));                                \
    })
#define atomic_compare_exchange_weak(object, expected, desired)                        \
    atomic_compare_exchange_weak_explicit(object, expected, desired, __ATOMIC_SEQ_CST, \
                                          __ATOMIC_SEQ_CST)
#endif
