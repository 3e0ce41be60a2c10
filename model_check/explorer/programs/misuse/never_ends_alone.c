/* never_ends_alone.c: a thread computes for ever, and never does anything that others could see.
 *
 * expect: livelock
 */
#include <pthread.h>
#include <stddef.h>

static void *thread(void *seed) {
    unsigned number = *(unsigned *)seed;
    for (;;) /* with any other condition a compiler may take it that the loop ends (C11, 6.8.5) */
        number = number * 3 + 2;
}

int main(void) {
    unsigned seed = 1;
    pthread_t other;
    pthread_create(&other, NULL, thread, &seed);
    pthread_join(other, NULL);
    return 0;
}
