/* never_ends.c: a thread works on for ever, with an atomic operation in each turn.
 *
 * expect: livelock
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_uint turns;

static void *thread(void *unused) {
    (void)unused;
    for (;;)
        atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
    return NULL;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    return 0;
}
