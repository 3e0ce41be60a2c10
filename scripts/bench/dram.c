/* dram.c: see dram.h.
 *
 * A chain of lines that are visited in an order no prefetcher guesses: line x names line
 * (FACTOR * x + STEP) mod LINES, a generator of full period, so that filling the chain is one pass and
 * every line is met once before any is met again. The least of a few passes counts: what disturbs a
 * pass only makes it longer.
 */
#include "dram.h"

#include "latency.h"

#include <stddef.h>
#include <sys/mman.h>

#define LINES  ((uint64_t)1 << 22) /* 256 MiB: more than any cache */
#define FACTOR 2862933555777941757u
#define STEP   3037000493u
enum { LINE = 64, HOPS = 1 << 18, PASSES = 5, HUGE_PAGE = 2 << 20 };

/* 0: no memory. */
static double chase(int advice) {
    size_t size = LINES * LINE, room = size + HUGE_PAGE;
    char *mapped = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return 0;
    char *lines = mapped + (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE);
    (void)madvise(lines, size,
                  advice); /* a kernel without huge pages says no: then both are small */
    for (uint64_t x = 0; x < LINES; x++)
        *(uint64_t *)(void *)(lines + x * LINE) = (FACTOR * x + STEP) % LINES;
    uint64_t at = 0, least = UINT64_MAX;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        uint64_t start = nanoseconds();
        for (unsigned i = 0; i < HOPS; i++)
            at = *(volatile uint64_t *)(void *)(lines + at * LINE);
        uint64_t took = nanoseconds() - start;
        least = took < least ? took : least;
    }
    munmap(mapped, room);
    return (double)least / HOPS;
}

bool dram_measure(double *small_pages, double *huge_pages) {
    *small_pages = chase(MADV_NOHUGEPAGE);
    *huge_pages = chase(MADV_HUGEPAGE);
    return *small_pages > 0 && *huge_pages > 0;
}
