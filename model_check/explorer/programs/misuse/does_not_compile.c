/* does_not_compile.c: a variable that nobody declared.
 *
 * expect: cannot-run "does not compile"
 */
#include <pthread.h>

static void *thread(void *unused) {
    (void)unused;
    counter++;
    return 0;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, 0, thread, 0);
    pthread_join(other, 0);
    return 0;
}
