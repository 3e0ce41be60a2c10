/* hot_keys.c: many threads that update few keys, the tree beside a std::map under one mutex.
 *
 *     bench_hot_keys [SECONDS]
 *
 * For 1, 10 and 1000 keys and 2, 8 and 64 threads, in rounds: each index in turn takes updates of keys chosen
 * uniformly for SECONDS (0.3 by default); the median over the rounds is printed, in million updates a second,
 * with the latency that 99.9 % of the updates keep to (one in 64 is timed). Threads are pinned, round and round.
 * The peer is std::map under std::shared_mutex, whose writers exclude each other as under a mutex.
 * Exit status: 0, 1 (an update said that its key was absent), 2 (could not run).
 */
#include "adapter.h"
#include "crew.h"
#include "stream.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, EACH_TIMED = 64, MOST_TIMES = 1 << 16, KEYS = 100000 };

extern const bench_adapter bench_adapter_bwtree;
#ifdef BENCH_HAVE_CXX
extern const bench_adapter bench_adapter_std_map;
#endif

static const bench_adapter *const indexes[] = {
    &bench_adapter_bwtree,
#ifdef BENCH_HAVE_CXX
    &bench_adapter_std_map,
#endif
};
enum { INDEXES = sizeof indexes / sizeof *indexes };

typedef struct times {
    uint64_t updates, errors, count;
    uint32_t ns[MOST_TIMES];
} times;

typedef struct contest {
    const bench_adapter *adapter;
    void *index;
    uint64_t hot, seed;
    double seconds;
    times *of[CREW_MAX];
} contest;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void job_update(unsigned thread, void *context) {
    contest *c = context;
    times *t = c->of[thread];
    void *session = c->adapter->session_open(c->index);
    if (session == NULL) {
        t->errors++;
        return;
    }
    rng random = {splitmix64(c->seed + thread)};
    const uint64_t end = now_ns() + (uint64_t)(c->seconds * 1e9);
    for (uint64_t begin = 0; begin < end;) {
        for (unsigned i = 0; i < EACH_TIMED - 1; i++) {
            uint64_t key = splitmix64(rng_below(&random, c->hot));
            t->errors += c->adapter->update(session, key, i) != 1;
        }
        begin = now_ns();
        t->errors +=
            c->adapter->update(session, splitmix64(rng_below(&random, c->hot)), begin) != 1;
        const uint64_t took = now_ns() - begin;
        t->ns[t->count++ % MOST_TIMES] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        t->updates += EACH_TIMED;
    }
    c->adapter->session_close(session);
}

static int by_value(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The latency in µs that 999 of 1000 keep to. */
static double latency(const contest *c, unsigned threads) {
    uint32_t *all = malloc(sizeof *all * MOST_TIMES * threads);
    size_t n = 0;
    if (all == NULL)
        return 0;
    for (unsigned t = 0; t < threads; t++) {
        size_t count = c->of[t]->count < MOST_TIMES ? c->of[t]->count : MOST_TIMES;
        memcpy(all + n, c->of[t]->ns, count * sizeof *all);
        n += count;
    }
    qsort(all, n, sizeof *all, by_value);
    const double found = n == 0 ? 0 : all[n - 1 - n / 1000] / 1e3;
    free(all);
    return found;
}

static int by_number(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run(contest *contests, unsigned threads, uint64_t hot) {
    double speed[INDEXES][ROUNDS], late[INDEXES][ROUNDS];
    crew *crew = crew_start(threads);
    if (crew == NULL)
        return 2;
    uint64_t errors = 0;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned turn = 0; turn < INDEXES; turn++) {
            const unsigned i = (turn + round) % INDEXES;
            contest *c = &contests[i];
            c->hot = hot;
            c->seed = round;
            for (unsigned t = 0; t < threads; t++)
                memset(c->of[t], 0, sizeof *c->of[t]);
            const double seconds = crew_run(crew, job_update, c);
            uint64_t updates = 0;
            for (unsigned t = 0; t < threads; t++) {
                updates += c->of[t]->updates;
                errors += c->of[t]->errors;
            }
            speed[i][round] = (double)updates / seconds / 1e6;
            late[i][round] = latency(c, threads);
        }
    crew_stop(crew);
    printf("%7" PRIu64 " %8u", hot, threads);
    for (unsigned i = 0; i < INDEXES; i++) {
        qsort(speed[i], ROUNDS, sizeof(double), by_number);
        qsort(late[i], ROUNDS, sizeof(double), by_number);
        printf("   %8.2f %12.1f", speed[i][ROUNDS / 2], late[i][ROUNDS / 2]);
    }
    if (INDEXES > 1)
        printf("   %6.2f", speed[0][ROUNDS / 2] / speed[INDEXES - 1][ROUNDS / 2]);
    printf("\n");
    fflush(stdout);
    return errors == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    static const uint64_t hot[] = {1, 10, 1000};
    static const unsigned threads[] = {2, 8, 64};
    char *end = NULL;
    const double seconds = argc > 1 ? strtod(argv[1], &end) : 0.3;
    if (argc > 2 || (end != NULL && *end != '\0') || !(seconds > 0 && seconds <= 60)) {
        fprintf(stderr, "usage: bench_hot_keys [SECONDS], above 0 and at most 60, got %s\n",
                argc > 1 ? argv[1] : "nothing");
        return 2;
    }
    contest contests[INDEXES];
    printf("%7s %8s", "keys", "threads");
    for (unsigned i = 0; i < INDEXES; i++) {
        contest *c = &contests[i];
        *c = (contest){.adapter = indexes[i], .index = indexes[i]->open(), .seconds = seconds};
        void *session = c->index == NULL ? NULL : c->adapter->session_open(c->index);
        for (unsigned t = 0; t < CREW_MAX; t++)
            if ((c->of[t] = malloc(sizeof *c->of[t])) == NULL)
                session = NULL;
        if (session == NULL) {
            fprintf(stderr, "%s cannot be opened: out of memory?\n", indexes[i]->name);
            return 2;
        }
        for (uint64_t k = 0; k < KEYS; k++)
            c->adapter->put(session, splitmix64(k), k);
        c->adapter->session_close(session);
        printf("   %8s %12s", c->adapter->name, "p99.9 in us");
    }
    printf(INDEXES > 1 ? "    ratio\n" : "\n");
    int status = 0;
    for (unsigned h = 0; h < sizeof hot / sizeof *hot; h++)
        for (unsigned t = 0; t < sizeof threads / sizeof *threads; t++) {
            int one = run(contests, threads[t], hot[h]);
            status = one > status ? one : status;
        }
    if (status == 1)
        fprintf(stderr,
                "an update said that its key was absent, or a session could not be opened\n");
    for (unsigned i = 0; i < INDEXES; i++) {
        contests[i].adapter->close(contests[i].index);
        for (unsigned t = 0; t < CREW_MAX; t++)
            free(contests[i].of[t]);
    }
    return status;
}
