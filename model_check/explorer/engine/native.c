/* native.c: bwexplore.h on real threads, for tests of the harness itself.
 *
 * Linked in the runtime's place it gives one execution of the harness at full speed. Time is a counter
 * that every mark takes a number of, so "before" is real time. The history is judged at exit, by the same
 * kind of search as the runtime's (history.c there): an order of all calls that keeps "responded before
 * the other was invoked", in which the model gives every result; what led nowhere is remembered.
 *
 * Exit codes are the runtime's: 10 for a failed check, 20 for a history that is not linearizable.
 */
#include "bwexplore.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_CALLS = 62,
    STATE_BYTES = 4096,
    SEEN = 1 << 14,
    ASSERTION = 10,
    NOT_LINEARIZABLE = 20,
};

typedef struct entry {
    bwx_call call;
    bool part, optional, ended;
    uint64_t begun, finish;
} entry;

static const bwx_model *sequential;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static entry calls[MOST_CALLS];
static unsigned call_count;
static uint64_t now;
static uint64_t before[MOST_CALLS]; /* calls that must come before each one */
static uint64_t seen[SEEN];

static _Atomic int threads;
static _Thread_local int number; /* + 1 */
static _Thread_local uint64_t chance;

static int thread_number(void) {
    if (number == 0)
        number = atomic_fetch_add(&threads, 1) + 1;
    return number - 1;
}

/* ---- checks, choices ---- */

static _Noreturn void finding(int code, const char *sentence) {
    fprintf(stderr, "%s\n", sentence);
    fflush(stderr);
    _exit(code);
}

void bwx_check(int condition, const char *sentence) {
    if (!condition)
        finding(ASSERTION, sentence);
}

void bwx_assume(int condition) {
    if (!condition)
        _exit(0);
}

void bwx_outcome(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

int bwx_choose(int n) {
    if (chance == 0) {
        const char *seed = getenv("ENGINE_SEED");
        chance = (seed == NULL ? 0 : strtoull(seed, NULL, 10)) * 64 + (unsigned)thread_number() + 1;
    }
    /* splitmix64 (Steele, Lea, Flood, 2014). */
    uint64_t z = chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int)((z ^ z >> 31) % (unsigned)n);
}

void bwx_setup_begin(void) {
}

void bwx_setup_end(void) {
}

void bwx_nonblocking_begin(void) {
}

void bwx_nonblocking_end(void) {
}

/* ---- marks ---- */

static entry *add(const bwx_call *call) {
    if (call_count == MOST_CALLS)
        finding(2, "a history of more than 62 calls");
    entry *one = &calls[call_count++];
    *one = (entry){.call = *call};
    one->call.thread = thread_number();
    return one;
}

static entry *open_call(void) {
    for (unsigned i = call_count; i-- > 0;)
        if (calls[i].call.thread == thread_number() && !calls[i].ended && !calls[i].part)
            return &calls[i];
    finding(2, "a response without an invocation");
}

void bwx_invoke(int operation, uint64_t a, uint64_t b, uint64_t c) {
    bwx_call call = {.operation = operation, .arguments = {a, b, c}};
    pthread_mutex_lock(&mutex);
    add(&call)->begun = ++now;
    pthread_mutex_unlock(&mutex);
}

void bwx_part(int operation, int status, uint64_t value, uint64_t a, uint64_t b, uint64_t c,
              int optional) {
    bwx_call call = {
        .operation = operation, .status = status, .value = value, .arguments = {a, b, c}};
    pthread_mutex_lock(&mutex);
    uint64_t begun = open_call()->begun;
    entry *one = add(&call);
    one->begun = begun;
    one->part = true;
    one->optional = optional != 0;
    pthread_mutex_unlock(&mutex);
}

void bwx_respond(int status, uint64_t value) {
    pthread_mutex_lock(&mutex);
    entry *one = open_call();
    uint64_t finish = ++now;
    one->call.status = status;
    one->call.value = value;
    one->finish = finish;
    one->ended = true;
    for (entry *part = one + 1; part < &calls[call_count]; part++)
        if (part->part && !part->ended && part->call.thread == one->call.thread) {
            part->finish = finish;
            part->ended = true;
        }
    pthread_mutex_unlock(&mutex);
}

/* ---- the search ---- */

static uint64_t hash_of(const char *bytes, size_t n, uint64_t done) {
    uint64_t hash = done + UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 29;
    }
    return hash | 1;
}

/* Can the calls of `must` that are not done come next, in some order? */
static bool explains(const char *state, uint64_t done, uint64_t must) {
    if ((must & ~done) == 0)
        return true;
    uint64_t hash = hash_of(state, sequential->state_size, done);
    if (seen[hash % SEEN] == hash)
        return false;
    for (unsigned i = 0; i < call_count; i++) {
        if ((done >> i & 1) != 0 || (before[i] & ~done & must) != 0)
            continue;
        _Alignas(16) char next[STATE_BYTES];
        memcpy(next, state, sequential->state_size);
        if (sequential->apply(next, &calls[i].call) &&
            explains(next, done | UINT64_C(1) << i, must))
            return true;
    }
    seen[hash % SEEN] = hash;
    return false;
}

static void tell(void) {
    char text[200];
    fprintf(stderr, "no order of these calls explains their results:\n");
    for (unsigned i = 0; i < call_count; i++) {
        sequential->describe(&calls[i].call, text, sizeof text);
        fprintf(stderr, "  thread %d, %llu to %llu: %s\n", calls[i].call.thread,
                (unsigned long long)calls[i].begun, (unsigned long long)calls[i].finish, text);
    }
}

static void judge(void) {
    uint64_t must = 0;
    for (unsigned i = 0; i < call_count; i++) {
        if (!calls[i].optional)
            must |= UINT64_C(1) << i;
        for (unsigned j = 0; j < call_count; j++)
            if (calls[j].finish < calls[i].begun)
                before[i] |= UINT64_C(1) << j;
    }
    _Alignas(16) char state[STATE_BYTES] = {0};
    if (explains(state, 0, must))
        return;
    tell();
    finding(NOT_LINEARIZABLE, "the history is not linearizable");
}

void bwx_use_model(const bwx_model *model) {
    if (model->state_size > STATE_BYTES)
        finding(2, "a model's state may have 4096 bytes");
    (void)thread_number();
    sequential = model;
    (void)atexit(judge);
}
