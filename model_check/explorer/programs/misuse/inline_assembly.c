/* inline_assembly.c: a store that the compiler cannot turn into a call of the explorer.
 *
 * expect: cannot-run "assembly"
 */
#include <pthread.h>
#include <stddef.h>

static int word;

static void *thread(void *unused) {
    (void)unused;
#if defined(__x86_64__)
    __asm__ volatile("lock addl $1, %0" : "+m"(word) : : "cc", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("str %w1, %0" : "=m"(word) : "r"(1) : "memory");
#else
#error "this program is for x86-64 and aarch64"
#endif
    return NULL;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    return word == 1 ? 0 : 1;
}
