/* dekker.c: the oldest mutual exclusion of two threads (Dekker, in Dijkstra 1965).
 *
 * expect: pass (sc, rc11)
 * expect -DNO_FENCE: data-race (rc11)
 *     The wish waits past the look at the other's: both come in.
 * expect -DRELAXED_LEAVE: data-race (sc, rc11)
 *     What was done inside is not handed to the next.
 * expect -DBOTH_INSIST: livelock (sc, rc11)
 *     Nobody takes the wish back, and each waits for the other.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED_LEAVE
#define LEAVE memory_order_relaxed
#else
#define LEAVE memory_order_release
#endif

static atomic_int wishes[2], turn;
static int count; /* kept by the algorithm */

static void wish(int self) {
    atomic_store_explicit(&wishes[self], 1, memory_order_relaxed);
#ifndef NO_FENCE
    /* seq_cst: the wish before the look; pairs with the same fence of the other thread. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static void enter(int self) {
    int other = 1 - self;
    wish(self);
    /* acquire: what the other did inside; pairs with the release in leave. */
    while (atomic_load_explicit(&wishes[other], memory_order_acquire) != 0) {
#ifndef BOTH_INSIST
        if (atomic_load_explicit(&turn, memory_order_relaxed) == self)
            continue;
        atomic_store_explicit(&wishes[self], 0, memory_order_relaxed);
        while (atomic_load_explicit(&turn, memory_order_relaxed) != self)
            continue;
        wish(self);
#endif
    }
}

static void leave(int self) {
    atomic_store_explicit(&turn, 1 - self, memory_order_relaxed);
    /* release: what was done inside. */
    atomic_store_explicit(&wishes[self], 0, LEAVE);
}

static void *first(void *unused) {
    (void)unused;
    enter(0);
    count++;
    leave(0);
    return NULL;
}

static void *second(void *unused) {
    (void)unused;
    enter(1);
    count++;
    leave(1);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(count == 2 && "no increment is lost");
    return 0;
}
