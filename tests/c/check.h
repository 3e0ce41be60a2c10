/* check.h: what every C test is made of: claims, a table of tests, seeds.
 *
 * A test program is a set of functions and one table of them:
 *
 *     static void insert_keeps_the_first_value(void) { … CHECK_EQ(value, 7); … }
 *     CHECK_MAIN({"insert_keeps_the_first_value", insert_keeps_the_first_value}, …)
 *
 * `test_x` runs all, `test_x NAME…` some, `--seed N` sets what the random ones begin with and `--list`
 * names them. A claim that fails prints where, what, the values, the seed and the command that runs
 * it again, and ends the program with status 1, whichever thread made it.
 */
#ifndef BWTREE_TESTS_CHECK_H
#define BWTREE_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* barriers, fork, setenv */
#endif

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_SANITIZED 1
#endif
#endif
#ifndef CHECK_SANITIZED
#define CHECK_SANITIZED 0
#endif

typedef struct check_test {
    const char *name;
    void (*run)(void);
} check_test;

enum { CHECK_UNAVAILABLE = 77 }; /* exit status: nothing failed, but something cannot run here */

static const char *check_program = "test";
static const char *check_name = "";
static uint64_t check_seed = 1;
static _Thread_local char check_context[160]; /* what the test was trying; printed with a failure */

/* Says what the calling thread is about to try. */
__attribute__((format(printf, 1, 2))) static inline void check_trying(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(check_context, sizeof check_context, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 4, 5), noreturn)) static inline void
check_fail(const char *file, int line, const char *claim, const char *format, ...) {
    char values[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(values, sizeof values, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%d: in %s: %s: %s\n", file, line, check_name, claim, values);
    if (check_context[0] != '\0')
        fprintf(stderr, "    while: %s\n", check_context);
    fprintf(stderr, "    seed %" PRIu64 ", replay: %s --seed %" PRIu64 " %s\n", check_seed,
            check_program, check_seed, check_name);
    fflush(stderr);
    _Exit(1);
}

#define CHECK(claim)                                            \
    do {                                                        \
        if (!(claim))                                           \
            check_fail(__FILE__, __LINE__, #claim, "is false"); \
    } while (0)

#define CHECK_COMPARE_(a, op, b)                                                          \
    do {                                                                                  \
        uint64_t check_a_ = (uint64_t)(a);                                                \
        uint64_t check_b_ = (uint64_t)(b);                                                \
        if (!(check_a_ op check_b_))                                                      \
            check_fail(__FILE__, __LINE__, #a " " #op " " #b, "%" PRIu64 " and %" PRIu64, \
                       check_a_, check_b_);                                               \
    } while (0)
#define CHECK_EQ(a, b) CHECK_COMPARE_(a, ==, b)
#define CHECK_LE(a, b) CHECK_COMPARE_(a, <=, b)
#define CHECK_LT(a, b) CHECK_COMPARE_(a, <, b)

/* A call's bw_status, shown in words. */
#define CHECK_STATUS(call, expected)                                                            \
    do {                                                                                        \
        bw_status check_got_ = (call);                                                          \
        bw_status check_want_ = (expected);                                                     \
        if (check_got_ != check_want_)                                                          \
            check_fail(__FILE__, __LINE__, #call, "%d (%s), expected %d (%s)", (int)check_got_, \
                       bw_strerror(check_got_), (int)check_want_, bw_strerror(check_want_));    \
    } while (0)
#define CHECK_OK(call) CHECK_STATUS(call, BW_OK)

/* Any status that is no error. */
#define CHECK_DONE(call)                                                      \
    do {                                                                      \
        bw_status check_got_ = (call);                                        \
        if (check_got_ < 0)                                                   \
            check_fail(__FILE__, __LINE__, #call, "%d (%s)", (int)check_got_, \
                       bw_strerror(check_got_));                              \
    } while (0)

/* ---- random numbers: splitmix64 (Steele, Lea, Flood, 2014) ---- */

typedef struct check_random {
    uint64_t state;
} check_random;

static inline uint64_t check_next(check_random *random) {
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* A sequence of its own for each salt, all set by --seed. */
static inline check_random check_random_of(uint64_t salt) {
    check_random random = {check_seed};
    random.state = check_next(&random) ^ salt * UINT64_C(0xD1342543DE82EF95);
    return random;
}

/* From 0 to n - 1. */
static inline uint64_t check_below(check_random *random, uint64_t n) {
    return check_next(random) % n;
}

/* ---- running ---- */

static inline double check_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline void check_run(const check_test *test) {
    double begun = check_now();
    check_name = test->name;
    check_context[0] = '\0';
    test->run();
    printf("ok %s (%.2f s)\n", test->name, check_now() - begun);
    fflush(stdout);
}

static inline int check_usage(const char *why, const char *what) {
    fprintf(stderr, "%s%s: usage: %s [--list] [--seed N] [NAME…]\n", why, what, check_program);
    return 2;
}

static inline int check_main(int argc, char **argv, const check_test *tests, size_t n) {
    bool all = true;
    check_program = argv[0];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            for (size_t t = 0; t < n; t++)
                puts(tests[t].name);
            return 0;
        }
        if (strcmp(argv[i], "--seed") == 0) {
            char *end = NULL;
            check_seed = i + 1 < argc ? strtoull(argv[++i], &end, 10) : 0;
            if (end == NULL || *end != '\0')
                return check_usage("--seed needs a number", "");
            continue;
        }
        size_t t = 0;
        while (t < n && strcmp(tests[t].name, argv[i]) != 0)
            t++;
        if (t == n)
            return check_usage("there is no test ", argv[i]);
        check_run(&tests[t]);
        all = false;
    }
    for (size_t t = 0; all && t < n; t++)
        check_run(&tests[t]);
    return 0;
}

#define CHECK_MAIN(...)                                                     \
    int main(int argc, char **argv) {                                       \
        static const check_test tests[] = {__VA_ARGS__};                    \
        return check_main(argc, argv, tests, sizeof tests / sizeof *tests); \
    }

#endif
