/* lastzero.c: N threads each set one place of an array to the place before it plus one, and one thread
 * looks from the array's end for a zero (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014).
 *
 * How far the looking thread goes, and hence what it depends on, is decided by what it reads: the example
 * in which sleep sets alone begin executions that they then cannot finish.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifndef N
#define N 3
#endif

static atomic_int array[N + 1];

static void *looker(void *unused) {
    int i = N;
    while (atomic_load_explicit(&array[i], memory_order_relaxed) != 0)
        i--;
    return unused;
}

static void *writer(void *number) {
    intptr_t i = (intptr_t)number;
    int before = atomic_load_explicit(&array[i - 1], memory_order_relaxed);
    atomic_store_explicit(&array[i], before + 1, memory_order_relaxed);
    return NULL;
}

int main(void) {
    pthread_t threads[N + 1];
    for (intptr_t i = 0; i <= N; i++)
        pthread_create(&threads[i], NULL, i == 0 ? looker : writer, (void *)i);
    for (int i = 0; i <= N; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
