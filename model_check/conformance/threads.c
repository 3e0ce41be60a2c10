/* threads.c: real threads on the engine at full speed, with the events that it tells.
 *
 * Each thread has a buffer of its own, so that telling orders nothing between threads. An event carries the
 * time at which it was told: what it is about happened after the thread's event before it, and before that
 * time. Usage:
 *
 *     threads THREADS CALLS SEED KEYS VALUES CAPACITY LOG BATCH PACE INNER
 *
 * Prints a line for each event: thread, time in ns, kind, words (model_check/explorer/engine/event_words.h).
 * Calls are of one key each: get, put, insert, update, remove, compare_exchange, as often as each other.
 * Each PACE calls the threads wait for each other, each on a core of its own if there are as many: so they run
 * side by side, however busy the machine is, and there are moments at which nobody is in a call.
 */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): sched_setaffinity */
#include "event_words.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_THREADS = 16, EVENTS_A_CALL = 40, CALLS = COMPARE_EXCHANGE + 1 };

typedef struct event {
    uint64_t time;
    uint32_t kind, n;
    uint64_t words[EVENT_WORDS];
} event;

typedef struct teller {
    pthread_t thread;
    uint64_t chance;
    event *events;
    size_t count, room;
} teller;

static teller tellers[MOST_THREADS + 1]; /* the main thread is number 0 */
static _Thread_local teller *myself = &tellers[0];
static bw_tree *tree;
static unsigned long calls, keys, values, pace;
static _Atomic unsigned long ready; /* how often a thread has come to a start */
static unsigned wanted;

static event *tell(uint32_t kind, unsigned n) {
    if (myself->count == myself->room) {
        fprintf(stderr, "threads: more events than there is room for\n");
        exit(2);
    }
    struct timespec now;
    event *one = &myself->events[myself->count++];
    one->kind = kind;
    one->n = n;
    clock_gettime(CLOCK_MONOTONIC, &now);
    one->time = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    return one;
}

void bw_event(enum bw_event_kind kind, const void *what, uint64_t a, uint64_t b) {
    /* Of single slots LOOK says as much; who has lost a slot to freeze goes on to the next; the way down is not
     * followed, and the list of free page ids is no part of the specs that traces are compared with. */
    if (kind == BW_EVENT_READ || kind == BW_EVENT_PASS ||
        (kind >= BW_EVENT_POP_SEES && kind <= BW_EVENT_PUSH_PID) ||
        (kind == BW_EVENT_APPEND_LOST && b == BW_FREEZE_WORD))
        return;
    uint64_t words[EVENT_WORDS];
    unsigned n = event_words(kind, what, a, b, words);
    event *one = tell((uint32_t)kind, n);
    for (unsigned i = 0; i < n; i++)
        one->words[i] = words[i];
}

/* splitmix64 (Steele, Lea, Flood, 2014). */
static uint64_t chance(uint64_t n) {
    uint64_t z = myself->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % n;
}

static bw_status call(operation_kind kind, uint64_t key, uint64_t a, uint64_t b, uint64_t *seen) {
    switch (kind) {
    case GET: return bw_get(tree, key, seen);
    case PUT: return bw_put(tree, key, a, seen);
    case INSERT: return bw_insert(tree, key, a, seen);
    case UPDATE: return bw_update(tree, key, a, seen);
    case REMOVE: return bw_remove(tree, key, seen);
    default: return bw_compare_exchange(tree, key, a, b, seen);
    }
}

static void one_call(void) {
    operation_kind kind = (operation_kind)chance(CALLS);
    uint64_t key = 1 + chance(keys);
    uint64_t a = kind == GET || kind == REMOVE ? 0 : 1 + chance(values);
    uint64_t b = kind == COMPARE_EXCHANGE ? 1 + chance(values) : 0;
    uint64_t seen = 0;
    event *one = tell(EVENT_CALL, 4);
    one->words[0] = kind;
    one->words[1] = key;
    one->words[2] = a;
    one->words[3] = b;
    bw_status status = call(kind, key, a, b, &seen);
    one = tell(EVENT_ANSWER, 2);
    one->words[0] = (uint64_t)(int64_t)status;
    one->words[1] = seen;
}

/* Keep the calling thread on one of the cores that the process may use. Where that fails it runs anywhere. */
static void stay(unsigned number) {
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    unsigned skip = number % (unsigned)CPU_COUNT(&all);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && skip-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            (void)sched_setaffinity(0, sizeof one, &one);
            return;
        }
}

/* Wait for all threads, for the nth time. (The wait orders nothing that the engine does not order itself:
 * relaxed.) */
static void start_together(unsigned long n) {
    atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed);
    while (atomic_load_explicit(&ready, memory_order_relaxed) < n * wanted)
        sched_yield();
}

static void *work(void *argument) {
    myself = argument;
    stay((unsigned)(myself - tellers));
    (void)bw_thread_attach(tree);
    for (unsigned long i = 0; i < calls; i++) {
        if (i % pace == 0)
            start_together(i / pace + 1);
        one_call();
    }
    return NULL;
}

static void give(unsigned number) {
    const teller *one = &tellers[number];
    for (size_t i = 0; i < one->count; i++) {
        const event *each = &one->events[i];
        printf("%u %llu %u", number, (unsigned long long)each->time, each->kind);
        for (unsigned k = 0; k < each->n; k++)
            printf(" %llu", (unsigned long long)each->words[k]);
        putchar('\n');
    }
}

int main(int argc, char **argv) {
    if (argc != 11) {
        fprintf(stderr, "usage: threads THREADS CALLS SEED KEYS VALUES CAPACITY LOG BATCH PACE "
                        "INNER, all numbers\n");
        return 2;
    }
    unsigned long given[10];
    for (unsigned i = 0; i < 10; i++)
        given[i] = strtoul(argv[i + 1], NULL, 10);
    bw_options options;
    bw_options_init(&options);
    options.leaf_capacity = (uint32_t)given[5];
    options.leaf_log = (uint32_t)given[6];
    options.retire_batch = (uint32_t)given[7];
    if (given[9] != 0) {
        options.inner_capacity = (uint32_t)given[9];
        options.inner_log = 2;
        options.merge_threshold = 50;
    }
    options.worker = false;
    options.simd = BW_SIMD_SCALAR;
    char message[160] = "";
    wanted = (unsigned)given[0];
    calls = given[1];
    keys = given[3];
    values = given[4];
    pace = given[8];
    if (wanted == 0 || wanted > MOST_THREADS || keys == 0 || values == 0 || pace == 0 ||
        bw_options_check(&options, message, sizeof message) != BW_OK) {
        fprintf(stderr, "threads: 1 to %d threads, and options of a tree: %s\n", MOST_THREADS,
                message);
        return 2;
    }
    for (unsigned i = 0; i <= wanted; i++) {
        tellers[i].room = i == 0 ? 4096 : 64 + calls * EVENTS_A_CALL;
        tellers[i].events = calloc(tellers[i].room, sizeof(event));
        tellers[i].chance = given[2] * 64 + i;
        if (tellers[i].events == NULL)
            return 2;
    }
    if (bw_open(&options, &tree) != BW_OK)
        return 2;
    for (unsigned i = 1; i <= wanted; i++)
        if (pthread_create(&tellers[i].thread, NULL, work, &tellers[i]) != 0)
            return 2;
    for (unsigned i = 1; i <= wanted; i++)
        (void)pthread_join(tellers[i].thread, NULL);
    for (unsigned i = 0; i <= wanted; i++)
        give(i);
    return bw_free(tree) == BW_OK ? 0 : 1;
}
