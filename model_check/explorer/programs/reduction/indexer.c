/* indexer.c: N threads put four messages each into a hash table of 128 entries (Flanagan and Godefroid,
 * POPL 2005). Up to 11 threads nobody meets anybody; from 12 on, each thread more meets others in three
 * places: 1, 8, 64, 512, 4096 different executions with 11, …, 15 threads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifndef N
#define N 11
#endif

enum { SIZE = 128, MOST = 4 };

static atomic_int table[SIZE];

static void *indexer(void *number) {
    int thread = (int)(intptr_t)number;
    for (int m = 0; m < MOST;) {
        int word = ++m * 11 + thread;
        int place = (word * 7) % SIZE;
        int empty = 0;
        while (!atomic_compare_exchange_strong_explicit(
            &table[place], &empty, word, memory_order_relaxed, memory_order_relaxed)) {
            place = (place + 1) % SIZE;
            empty = 0;
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[N];
    for (intptr_t i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, indexer, (void *)i);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
