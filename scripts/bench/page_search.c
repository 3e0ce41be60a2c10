/* page_search.c: how fast a page finds a key that is hot in the cache, beside a branchy binary search.
 *
 *     bench_page_search
 *
 * For each fill of a page and each SIMD level that this processor has: nanoseconds a search, and how many times
 * as many searches as the binary search, over sorted keys in one array, does in that time. Half of the keys
 * that are looked for are there. Medians of rounds in which all take turns.
 * Exit status: 0, 1 (two searches disagree), 2 (could not run).
 */
#include "tree.h"

#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PROBES = 1 << 14, ROUNDS = 15, LEVELS = 3 };

static uint64_t keys[BW_MAX_CAPACITY];
static uint64_t probes[PROBES];

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* How many keys are <= key, by a branch at every step. */
__attribute__((noinline)) static int binary(const uint64_t *sorted, unsigned n, uint64_t key) {
    unsigned from = 0;
    unsigned to = n;
    while (from < to) {
        unsigned middle = (from + to) / 2;
        if (sorted[middle] <= key)
            from = middle + 1;
        else
            to = middle;
        __asm__ volatile(
            "" ::
                : "memory"); /* keeps it a branch: compilers make it a conditional move */
    }
    return (int)from - 1;
}

static int by_key(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times) {
    qsort(times, ROUNDS, sizeof *times, by_number);
    return times[ROUNDS / 2];
}

int main(void) {
    static const unsigned fills[] = {1, 8, 16, 32, 64, 128, 192, 256};
    static const char *const names[LEVELS] = {"scalar", "avx2", "avx512"};
    const bw_search *searches[LEVELS] = {NULL};
    bw_tree *tree;
    bw_thread *self;
    if (bw_open(NULL, &tree) != BW_OK || bw_enter(tree, &self) != BW_OK) {
        fprintf(stderr, "out of memory for a tree\n");
        return 2;
    }
    printf("%5s %10s", "keys", "binary");
    for (unsigned l = 0; l < LEVELS; l++) {
        bw_status status;
        const char *message;
        searches[l] = bw_search_select((bw_simd)(BW_SIMD_SCALAR + (int)l), &status, &message);
        if (searches[l] != NULL)
            printf(" %18s", names[l]);
    }
    printf("\n");
    for (unsigned f = 0; f < sizeof fills / sizeof *fills; f++) {
        const unsigned n = fills[f];
        for (unsigned i = 0; i < n; i++)
            keys[i] = splitmix64(i);
        qsort(keys, n, sizeof *keys, by_key);
        for (unsigned i = 0; i < PROBES; i++)
            probes[i] = i % 2 == 0 ? keys[splitmix64(i) % n] : splitmix64(i + 1000000);
        bw_page *page = bw_page_build(self, 0, keys, keys, n, 0, 0, BW_NO_PID, 0);
        if (page == NULL) {
            fprintf(stderr, "out of memory for a page\n");
            return 2;
        }
        double times[1 + LEVELS][ROUNDS];
        int64_t sums[1 + LEVELS] = {0};
        for (unsigned round = 0; round < ROUNDS; round++)
            for (unsigned which = 0; which <= LEVELS; which++) {
                const bw_search *search = which == 0 ? NULL : searches[which - 1];
                int64_t sum = 0;
                const double begin = now_ns();
                if (which == 0)
                    for (unsigned i = 0; i < PROBES; i++)
                        sum += binary(keys, n, probes[i]);
                else if (search != NULL)
                    for (unsigned i = 0; i < PROBES; i++)
                        sum += search->floor(page, probes[i]);
                times[which][round] = (now_ns() - begin) / PROBES;
                sums[which] = sum;
            }
        const double base = median(times[0]);
        printf("%5u %7.2f ns", n, base);
        for (unsigned l = 0; l < LEVELS; l++) {
            if (searches[l] == NULL)
                continue;
            if (sums[l + 1] != sums[0]) {
                fprintf(stderr, "%s and the binary search disagree\n", names[l]);
                return 1;
            }
            const double own = median(times[l + 1]);
            printf(" %7.2f ns x %5.2f", own, base / own);
        }
        printf("\n");
        bw_page_release(self, page);
    }
    bw_leave(self);
    return bw_free(tree) == BW_OK ? 0 : 2;
}
