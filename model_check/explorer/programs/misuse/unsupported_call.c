/* unsupported_call.c: a call whose effect on memory and threads the explorer does not know.
 *
 * expect: cannot-run "socketpair"
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

static int ends[2];

static void *thread(void *unused) {
    (void)unused;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    return NULL;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    return 0;
}
