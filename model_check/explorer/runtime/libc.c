/* libc.c: calls of the C library that touch the program's memory, print, or ask what time it is.
 *
 * Copies and comparisons are accesses like others. What the program prints is dropped, but for replays.
 * Clocks stand still but for a microsecond at each call of the thread, random numbers depend on how many
 * the thread has drawn: an execution depends on nothing but its choices.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static void touch(const void *at, size_t size, unsigned flags, uint32_t pc) {
    if (bwx.running && size > 0)
        bwx_plain((uintptr_t)at, size, flags, pc);
}

static bool initialised(const char *at) {
    const bwx_cell *cell = bwx_cell_of((uintptr_t)at);
    return cell == NULL || (cell->initialised >> ((uintptr_t)at & 7) & 1) != 0;
}

static void forget(const char *at) {
    bwx_cell_of((uintptr_t)at)->initialised &= (uint8_t)~(1U << ((uintptr_t)at & 7));
}

/* Uninitialised bytes stay what they are when they are copied. */
static void copy_state(const char *to, const char *from, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!initialised(from + i))
            forget(to + i);
}

/* As copy_state, of a move within one block, whose source is written to before it has been read. */
static void move_state(const char *to, const char *from, size_t n, uint32_t pc) {
    static bool were[1 << 16];
    if (n > sizeof were)
        bwx_find(BWX_UNSUPPORTED, pc, 0, "a move of %zu bytes onto itself: %zu are the most", n,
                 sizeof were);
    for (size_t i = 0; i < n; i++)
        were[i] = initialised(from + i);
    touch(to, n, BWX_WRITES, pc);
    for (size_t i = 0; i < n; i++)
        if (!were[i])
            forget(to + i);
}

static void *copy(void *to, const void *from, size_t n, uint32_t pc) {
    uintptr_t target = (uintptr_t)to;
    uintptr_t source = (uintptr_t)from;
    bool with_state = bwx.running && bwx_is_heap(source) && bwx_is_heap(target);
    touch(from, n, BWX_READS | BWX_QUIET, pc);
    if (with_state && (target - source < n || source - target < n)) {
        move_state(to, from, n, pc);
        return memmove(to, from, n);
    }
    touch(to, n, BWX_WRITES, pc);
    if (with_state)
        copy_state(to, from, n);
    return memmove(to, from, n);
}

void *__wrap_memcpy(void *to, const void *from, size_t n) {
    return copy(to, from, n, BWX_PC);
}

void *__wrap_memmove(void *to, const void *from, size_t n) {
    return copy(to, from, n, BWX_PC);
}

void *__wrap_memset(void *to, int byte, size_t n) {
    touch(to, n, BWX_WRITES, BWX_PC);
    return memset(to, byte, n);
}

void *__tsan_memcpy(void *to, const void *from, size_t n) {
    return copy(to, from, n, BWX_PC);
}

void *__tsan_memmove(void *to, const void *from, size_t n) {
    return copy(to, from, n, BWX_PC);
}

void *__tsan_memset(void *to, int byte, size_t n) {
    touch(to, n, BWX_WRITES, BWX_PC);
    return memset(to, byte, n);
}

int __wrap_memcmp(const void *one, const void *other, size_t n) {
    touch(one, n, BWX_READS, BWX_PC);
    touch(other, n, BWX_READS, BWX_PC);
    return memcmp(one, other, n);
}

size_t __wrap_strlen(const char *text) {
    size_t n = strlen(text);
    touch(text, n + 1, BWX_READS, BWX_PC);
    return n;
}

int __wrap_strcmp(const char *one, const char *other) {
    touch(one, strlen(one) + 1, BWX_READS, BWX_PC);
    touch(other, strlen(other) + 1, BWX_READS, BWX_PC);
    return strcmp(one, other);
}

char *__wrap_strcpy(char *to, const char *from) {
    copy(to, from, strlen(from) + 1, BWX_PC);
    return to;
}

int __wrap_vsnprintf(char *to, size_t capacity, const char *format, va_list arguments) {
    int n = vsnprintf(to, capacity, format, arguments);
    if (capacity > 0 && n >= 0)
        touch(to, (size_t)n < capacity ? (size_t)n + 1 : capacity, BWX_WRITES, BWX_PC);
    return n;
}

int __wrap_snprintf(char *to, size_t capacity, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(to, capacity, format, arguments);
    va_end(arguments);
    if (capacity > 0 && n >= 0)
        touch(to, (size_t)n < capacity ? (size_t)n + 1 : capacity, BWX_WRITES, BWX_PC);
    return n;
}

/* ---- printing ---- */

static bool silent(void) {
    return bwx.running && !bwx.options.verbose;
}

int __wrap_vfprintf(FILE *file, const char *format, va_list arguments) {
    return silent() ? 0 : vfprintf(file, format, arguments);
}

int __wrap_vprintf(const char *format, va_list arguments) {
    return silent() ? 0 : vprintf(format, arguments);
}

int __wrap_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = silent() ? 0 : vprintf(format, arguments);
    va_end(arguments);
    return n;
}

int __wrap_fprintf(FILE *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = silent() ? 0 : vfprintf(file, format, arguments);
    va_end(arguments);
    return n;
}

int __wrap_puts(const char *text) {
    return silent() ? 0 : puts(text);
}

int __wrap_putchar(int byte) {
    return silent() ? byte : putchar(byte);
}

int __wrap_fputs(const char *text, FILE *file) {
    return silent() ? 0 : fputs(text, file);
}

int __wrap_fputc(int byte, FILE *file) {
    return silent() ? byte : fputc(byte, file);
}

int __wrap_fflush(FILE *file) {
    return silent() ? 0 : fflush(file);
}

size_t __wrap_fwrite(const void *from, size_t size, size_t n, FILE *file) {
    return silent() ? n : fwrite(from, size, n, file);
}

/* ---- time, chance ---- */

static uint64_t now_ns(void) {
    return UINT64_C(1000000000000) + UINT64_C(1000) * bwx.current->clock_calls++;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
    (void)clock;
    uint64_t now = now_ns();
    time->tv_sec = (time_t)(now / 1000000000);
    time->tv_nsec = (long)(now % 1000000000);
    return 0;
}

int __wrap_timespec_get(struct timespec *time, int base) {
    __wrap_clock_gettime(CLOCK_REALTIME, time);
    return base;
}

int __wrap_gettimeofday(struct timeval *time, void *zone) {
    (void)zone;
    uint64_t now = now_ns();
    time->tv_sec = (time_t)(now / 1000000000);
    time->tv_usec = (suseconds_t)(now % 1000000000 / 1000);
    return 0;
}

time_t __wrap_time(time_t *where) {
    time_t now = (time_t)(now_ns() / 1000000000);
    if (where != NULL)
        *where = now;
    return now;
}

clock_t __wrap_clock(void) {
    return (clock_t)(now_ns() / 1000);
}

int __wrap_nanosleep(const struct timespec *duration, struct timespec *rest) {
    (void)duration;
    (void)rest;
    return 0;
}

int __wrap_usleep(unsigned microseconds) {
    (void)microseconds;
    return 0;
}

unsigned __wrap_sleep(unsigned seconds) {
    (void)seconds;
    return 0;
}

int __wrap_rand(void) {
    uint64_t z = UINT64_C(0x9e3779b97f4a7c15) * ++bwx.current->random_calls;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (int)((z ^ z >> 31) & 0x7fffffff);
}

void __wrap_srand(unsigned seed) {
    bwx.current->random_calls = seed;
}

/* ---- ends ---- */

void __wrap___assert_fail(const char *condition, const char *file, unsigned line,
                          const char *function) {
    bwx_find(BWX_ASSERTION, BWX_PC, 0, "assert(%s) failed in %s, %s:%u", condition, function, file,
             line);
}

void __wrap_abort(void) {
    bwx_find(BWX_CRASH, BWX_PC, 0, "the program called abort");
}

void __wrap_exit(int code) {
    if (code != 0)
        bwx_find(BWX_ASSERTION, BWX_PC, 0, "the program called exit(%d)", code);
    bwx_stop(BWX_COMPLETE);
}

void __wrap__Exit(int code) {
    __wrap_exit(code);
}

/* ---- what bwexplore.h offers besides histories ---- */

void bwx_check(int condition, const char *sentence) {
    if (!condition)
        bwx_find(BWX_ASSERTION, BWX_PC, 0, "%s", sentence);
}

void bwx_assume(int condition) {
    if (!condition)
        bwx_stop(BWX_CUT);
}

int bwx_choose(int n) {
    uint32_t options[256];
    if (n < 1 || n > 256)
        bwx_find(BWX_UNSUPPORTED, BWX_PC, 0, "bwx_choose(%d): 1 to 256 are possible", n);
    for (int i = 0; i < n; i++)
        options[i] = (uint32_t)i;
    bwx_side_effect(bwx.current);
    return (int)bwx_choice(options, (unsigned)n, 0);
}
