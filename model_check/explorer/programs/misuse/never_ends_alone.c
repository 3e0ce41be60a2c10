/* never_ends_alone.c: a thread computes for ever, and never does anything that others could see.
 *
 * expect: livelock
 */
#include <pthread.h>
#include <stddef.h>

static void *thread(void *seed) {
    unsigned number = *(unsigned *)seed;
    while (number != 0) /* an odd number stays odd */
        number = number * 3 + 2;
    return NULL;
}

int main(void) {
    unsigned seed = 1;
    pthread_t other;
    pthread_create(&other, NULL, thread, &seed);
    pthread_join(other, NULL);
    return 0;
}
