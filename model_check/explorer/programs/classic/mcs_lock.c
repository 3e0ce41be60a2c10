/* mcs_lock.c: a queue of waiters, each spinning on its own flag (Mellor-Crummey and Scott, 1991).
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_HANDOVER: data-race (sc, rc11)
 *     What was done under the lock is not handed to the next owner.
 * expect -DRELAXED_FREE: data-race (sc, rc11)
 *     A lock that nobody waits for is given back without a release.
 * expect -DRELAXED_LINK: livelock (rc11)
 *     The waiter's own preparation of its flag comes after the end of its wait: it waits for ever.
 * expect -DFORGET_LATE_WAITER: livelock (sc, rc11)
 *     A waiter that is in the queue, but not linked yet, is never woken.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct waiter {
    _Atomic(struct waiter *) next;
    atomic_bool waits;
} waiter;

static _Atomic(waiter *) last;
static int count; /* kept by the lock */

static void lock(waiter *self) {
    atomic_store_explicit(&self->next, NULL, memory_order_relaxed);
    atomic_store_explicit(&self->waits, true, memory_order_relaxed);
#ifdef RELAXED_LINK
    waiter *before = atomic_exchange_explicit(&last, self, memory_order_acquire);
#else
    /* acquire: a lock that was free, with what its last owner did; release: own fields. */
    waiter *before = atomic_exchange_explicit(&last, self, memory_order_acq_rel);
#endif
    if (before == NULL)
        return;
#ifdef RELAXED_LINK
    atomic_store_explicit(&before->next, self, memory_order_relaxed);
#else
    /* release: own fields are set; pairs with the acquire of next in unlock. */
    atomic_store_explicit(&before->next, self, memory_order_release);
#endif
    /* acquire: what the owner before did; pairs with the release that ends the wait. */
    while (atomic_load_explicit(&self->waits, memory_order_acquire))
        continue;
}

static void unlock(waiter *self) {
#ifdef RELAXED_HANDOVER
    const memory_order handover = memory_order_relaxed;
#else
    const memory_order handover = memory_order_release;
#endif
#ifdef RELAXED_FREE
    const memory_order give_back = memory_order_relaxed;
#else
    const memory_order give_back = memory_order_release;
#endif
    /* acquire: the waiter's fields; pairs with the release of next in lock. */
    waiter *next = atomic_load_explicit(&self->next, memory_order_acquire);
    if (next == NULL) {
        waiter *seen = self;
        /* release: what was done under the lock, for whoever finds it free. */
        if (atomic_compare_exchange_strong_explicit(&last, &seen, NULL, give_back,
                                                    memory_order_relaxed))
            return;
#ifdef FORGET_LATE_WAITER
        return;
#endif
        while ((next = atomic_load_explicit(&self->next, memory_order_acquire)) == NULL)
            continue;
    }
    /* release: what was done under the lock. */
    atomic_store_explicit(&next->waits, false, handover);
}

static void *user(void *self) {
    lock(self);
    count++;
    unlock(self);
    return NULL;
}

int main(void) {
    static waiter waiters[2];
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, user, &waiters[0]);
    pthread_create(&threads[1], NULL, user, &waiters[1]);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(count == 2 && "no increment is lost");
    return 0;
}
