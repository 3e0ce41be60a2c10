/* writers.c: N threads write to one location: N! different executions.
 *
 * An example that papers on partial-order reduction count, as are the others of this folder. main's joins
 * come after all of it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifndef N
#define N 3
#endif

static atomic_int x;

static void *writer(void *number) {
    atomic_store_explicit(&x, (int)(intptr_t)number, memory_order_relaxed);
    return NULL;
}

int main(void) {
    pthread_t threads[N];
    for (intptr_t i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, writer, (void *)(i + 1));
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
