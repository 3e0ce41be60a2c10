/* ticket_lock.c: a lock that serves in the order of arrival.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_UNLOCK: data-race (sc, rc11)
 *     What was done under the lock is not handed to the next owner.
 * expect -DRELAXED_LOCK: data-race (sc, rc11)
 *     The next owner does not acquire it.
 * expect -DTAKE_BY_STORE: livelock|data-race (sc, rc11)
 *     Two threads draw the same ticket: both come in, and a number is left that nobody serves.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED_LOCK
#define OBTAIN memory_order_relaxed
#else
#define OBTAIN memory_order_acquire
#endif
#ifdef RELAXED_UNLOCK
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

enum { THREADS = 3 };

static atomic_uint next_ticket, now_serving;
static int count; /* kept by the lock */

static unsigned lock(void) {
#ifdef TAKE_BY_STORE
    unsigned ticket = atomic_load_explicit(&next_ticket, memory_order_relaxed);
    atomic_store_explicit(&next_ticket, ticket + 1, memory_order_relaxed);
#else
    /* relaxed: only the number matters. */
    unsigned ticket = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
#endif
    /* acquire: what the owners before did; pairs with the release in unlock. */
    while (atomic_load_explicit(&now_serving, OBTAIN) != ticket)
        continue;
    return ticket;
}

static void unlock(unsigned ticket) {
    /* release: hands on what was done under the lock. */
    atomic_store_explicit(&now_serving, ticket + 1, PUBLISH);
}

static void *user(void *unused) {
    (void)unused;
    unsigned ticket = lock();
    count++;
    unlock(ticket);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, user, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert(count == THREADS && "no increment is lost");
    return 0;
}
