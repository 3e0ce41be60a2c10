/* clock.c: may the cores' counters be compared? Measured once, see clock.h. */
#define _GNU_SOURCE /* for sched_getaffinity and thread affinity */
#include "clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

int rec_clock_kind = REC_CLOCK_MONOTONIC;

static pthread_once_t selected = PTHREAD_ONCE_INIT;
static pthread_once_t measured = PTHREAD_ONCE_INIT;
static double frequency = 1e9;

uint64_t rec_clock_monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if REC_HAVE_COUNTER && defined(__linux__)

enum { HANDOVERS = 2000, CORES_TRIED = 8 };

/* Two threads on two cores pass a token: the stamp that the last holder took. */
struct token {
    _Atomic uint64_t turn; /* counts hand-overs; thread 0 moves at even counts */
    _Atomic uint64_t stamp;
    _Atomic bool backward;
};

struct player {
    struct token *token;
    int core;
    uint64_t parity;
};

/* Where pinning is refused the token moves between two threads wherever they run: still a test. */
static void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *pass(void *argument) {
    struct player *player = argument;
    struct token *token = player->token;
    pin_to(player->core);
    for (uint64_t turn = player->parity; turn < HANDOVERS; turn += 2) {
        unsigned spins = 0;
        /* acquire: pairs with the release below, so the stamp read is the other thread's. */
        while (atomic_load_explicit(&token->turn, memory_order_acquire) != turn)
            if (++spins % 1024 == 0)
                sched_yield();
        /* Not rec_clock_before: that one may be read before the token has been seen. */
        uint64_t mine = rec_clock_after();
        if (mine < atomic_load_explicit(&token->stamp, memory_order_relaxed))
            atomic_store_explicit(&token->backward, true, memory_order_relaxed);
        atomic_store_explicit(&token->stamp, rec_clock_after(), memory_order_relaxed);
        /* release: hands the stamp over; pairs with the acquire above. */
        atomic_store_explicit(&token->turn, turn + 1, memory_order_release);
    }
    return NULL;
}

static bool pair_agrees(int first, int second) {
    struct token token = {0};
    struct player players[2] = {{&token, first, 0}, {&token, second, 1}};
    pthread_t other, one;
    if (pthread_create(&one, NULL, pass, &players[0]) != 0)
        return false;
    if (pthread_create(&other, NULL, pass, &players[1]) != 0) {
        /* Without a partner the first thread would wait for ever: play the partner's part here. */
        pass(&players[1]);
        pthread_join(one, NULL);
        return false;
    }
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return !atomic_load_explicit(&token.backward, memory_order_relaxed);
}

static bool counters_agree(void) {
    cpu_set_t allowed;
    int cores[CORES_TRIED], count = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    for (int core = 0; core < CPU_SETSIZE && count < CORES_TRIED; core++)
        if (CPU_ISSET((size_t)core, &allowed))
            cores[count++] = core;
    for (int first = 0; first < count; first++)
        for (int second = first + 1; second < count; second++)
            if (!pair_agrees(cores[first], cores[second]))
                return false;
    return true;
}

static void select_once(void) {
    rec_clock_kind = REC_CLOCK_COUNTER; /* the threads of the test stamp with the counter */
    if (!counters_agree())
        rec_clock_kind = REC_CLOCK_MONOTONIC;
}

#else

static void select_once(void) {
    rec_clock_kind = REC_CLOCK_MONOTONIC;
}

#endif

int rec_clock_select(void) {
    pthread_once(&selected, select_once);
    return rec_clock_kind;
}

static void measure_once(void) {
    if (rec_clock_select() == REC_CLOCK_MONOTONIC)
        return;
    uint64_t start = rec_clock_monotonic(), first = rec_clock_before();
    while (rec_clock_monotonic() - start < 5000000)
        continue;
    uint64_t last = rec_clock_after(), end = rec_clock_monotonic();
    frequency = (double)(last - first) * 1e9 / (double)(end - start);
}

double rec_clock_frequency(void) {
    pthread_once(&measured, measure_once);
    return frequency;
}
