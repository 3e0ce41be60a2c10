/* nondeterministic.c: what the threads do depends on a processor's counter, not on the schedule.
 *
 * expect: nondeterminism
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

static atomic_int words[2];

static uint64_t counter(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__clang__)
    return __builtin_readcyclecounter();
#else
#error "this program is for x86-64, or for clang"
#endif
}

static void *thread(void *unused) {
    (void)unused;
    for (int i = 0; i < 4; i++)
        atomic_fetch_add_explicit(&words[(counter() >> 5) % 2], 1, memory_order_relaxed);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, thread, NULL);
    pthread_create(&threads[1], NULL, thread, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
