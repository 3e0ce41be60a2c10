/* mailbox.c: a condition variable between a sender and two receivers.
 *
 * expect: pass (sc, rc11)
 * expect -DIF_INSTEAD_OF_WHILE: assertion (sc, rc11)
 *     Who is woken looks no second time, and another receiver was faster.
 * expect -DSIGNAL_ONE_TOO_FEW: deadlock (sc, rc11)
 *     Two letters, one signal: a receiver sleeps on.
 * expect -DLOCKS_CROSSED: deadlock (sc, rc11)
 *     Sender and receivers take the two locks in different orders.
 */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int letters; /* kept by lock */
static int logged;  /* kept by log_lock */

static void note(void) {
    pthread_mutex_lock(&log_lock);
    logged++;
    pthread_mutex_unlock(&log_lock);
}

static void *receiver(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
#ifdef IF_INSTEAD_OF_WHILE
    if (letters == 0)
#else
    while (letters == 0)
#endif
        pthread_cond_wait(&filled, &lock);
    letters--;
    assert(letters >= 0 && "nobody takes a letter that is not there");
    note();
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void put(void) {
#ifdef LOCKS_CROSSED
    pthread_mutex_lock(&log_lock);
    pthread_mutex_lock(&lock);
    letters++;
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&log_lock);
#else
    pthread_mutex_lock(&lock);
    letters++;
    pthread_mutex_unlock(&lock);
#endif
}

static void *sender(void *unused) {
    (void)unused;
    put();
#ifndef SIGNAL_ONE_TOO_FEW
    pthread_cond_signal(&filled);
#endif
    put();
    pthread_cond_signal(&filled);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, receiver, NULL);
    pthread_create(&threads[1], NULL, receiver, NULL);
    pthread_create(&threads[2], NULL, sender, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(letters == 0 && logged == 2);
    return 0;
}
