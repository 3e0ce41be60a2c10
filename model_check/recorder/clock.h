/* clock.h: time stamps that may be compared across cores.
 *
 * On x86-64 the stamp is the time-stamp counter. Two things could make it lie:
 *
 *   Reordering. rec_clock_before must not be read after the call has begun to look at memory: rdtsc
 *   is followed by lfence, which lets no later instruction begin before rdtsc is done. Reading it too
 *   early is harmless: the interval grows, and a longer interval allows more orders, never fewer.
 *   rec_clock_after must not be read before the call's last access is done: rdtscp waits for all
 *   earlier instructions and their loads, and the stores that make an operation take effect are
 *   locked instructions, visible to all cores once they are done. Reading it too late is harmless.
 *
 *   Skew. A counter that ticks at a constant rate and never stops (constant_tsc, nonstop_tsc) starts
 *   at one reset for all cores, but firmware and hypervisors may have set them apart. So
 *   rec_clock_select passes a token to and fro between every two cores and demands that each stamp is
 *   at least the one that came with the token: a skew that is larger than one hand-over shows. A skew
 *   smaller than that cannot turn two stamps of causally ordered events around, since information
 *   needs one hand-over to cross; so no false alarm comes from it, which is what the comparison
 *   A.responded < B.invoked relies on. If the counters fail, CLOCK_MONOTONIC is used.
 *
 * On aarch64 the virtual counter is architecturally the same for all cores; isb keeps the order.
 * Elsewhere the stamp is CLOCK_MONOTONIC, whose readings the kernel keeps in order across cores.
 */
#ifndef REC_CLOCK_H
#define REC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define REC_HAVE_COUNTER 1
#elif defined(__aarch64__)
#define REC_HAVE_COUNTER 1
#else
#define REC_HAVE_COUNTER 0
#endif

enum { REC_CLOCK_MONOTONIC = 0, REC_CLOCK_COUNTER = 1 };

/* Chooses the clock once per process and gives it; measures the skew between the cores this process
 * may use the first time. Call before threads that stamp are started. */
int rec_clock_select(void);

/* Ticks a second of the chosen clock, measured over some milliseconds the first time. */
double rec_clock_frequency(void);

/* The chosen clock; written by rec_clock_select only. */
extern int rec_clock_kind;

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t rec_clock_monotonic(void);

/* The stamp just before a call. */
static inline uint64_t rec_clock_before(void) {
#if REC_HAVE_COUNTER
    if (rec_clock_kind == REC_CLOCK_COUNTER) {
#if defined(__x86_64__)
        uint32_t low, high;
        __asm__ volatile("rdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
        return (uint64_t)high << 32 | low;
#else
        uint64_t stamp;
        __asm__ volatile("mrs %0, cntvct_el0\n\tisb" : "=r"(stamp)::"memory");
        return stamp;
#endif
    }
#endif
    return rec_clock_monotonic();
}

/* The stamp just after a call. */
static inline uint64_t rec_clock_after(void) {
#if REC_HAVE_COUNTER
    if (rec_clock_kind == REC_CLOCK_COUNTER) {
#if defined(__x86_64__)
        uint32_t low, high;
        __asm__ volatile("rdtscp" : "=a"(low), "=d"(high)::"ecx", "memory");
        return (uint64_t)high << 32 | low;
#else
        uint64_t stamp;
        __asm__ volatile("dsb ish\n\tisb\n\tmrs %0, cntvct_el0" : "=r"(stamp)::"memory");
        return stamp;
#endif
    }
#endif
    return rec_clock_monotonic();
}

#endif
