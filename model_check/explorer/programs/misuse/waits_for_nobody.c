/* waits_for_nobody.c: two threads wait for a flag that nobody sets.
 *
 * expect: livelock
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int flag;

static void *thread(void *unused) {
    (void)unused;
    while (atomic_load_explicit(&flag, memory_order_acquire) == 0)
        continue;
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
