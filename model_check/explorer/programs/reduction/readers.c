/* readers.c: one thread writes a location that N others read: 2^N different executions. */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifndef N
#define N 3
#endif

static atomic_int x;

static void *writer(void *unused) {
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    return unused;
}

static void *reader(void *unused) {
    (void)atomic_load_explicit(&x, memory_order_relaxed);
    return unused;
}

int main(void) {
    pthread_t threads[N + 1];
    for (int i = 0; i <= N; i++)
        pthread_create(&threads[i], NULL, i == 0 ? writer : reader, NULL);
    for (int i = 0; i <= N; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
