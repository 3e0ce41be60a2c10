/* epoch_reclamation.c: memory is freed two epochs after it was unlinked (Fraser, 2004).
 *
 * A reader announces the global epoch it read, then looks at shared memory. The epoch moves on only
 * when every announced epoch is the present one, so what was retired in epoch e is out of everybody's
 * sight when the epoch is e + 2.
 *
 * expect: pass (sc, rc11)
 * expect -DNO_PIN_FENCE: use-after-free (rc11)
 *     The announcement waits past the reader's look at the object.
 * expect -DNO_ADVANCE_FENCE: use-after-free (rc11)
 *     The unlinking waits past the look at the announcements.
 * expect -DONE_EPOCH_EARLY: use-after-free (sc, rc11)
 *     A reader that announced the epoch of the unlinking may still hold the object.
 * expect -DRELAXED_UNPIN: use-after-free (sc, rc11)
 *     The reader's last access is not ordered before the free.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef RELAXED_UNPIN
#define LEAVE memory_order_relaxed
#else
#define LEAVE memory_order_release
#endif
#ifdef ONE_EPOCH_EARLY
enum { GRACE = 1 };
#else
enum { GRACE = 2 };
#endif

static atomic_int epoch = 1;
static atomic_int announced; /* of the reader; 0: not pinned */
static _Atomic(int *) shared;

static void *reader(void *unused) {
    (void)unused;
    int now = atomic_load_explicit(&epoch, memory_order_relaxed);
    atomic_store_explicit(&announced, now, memory_order_relaxed);
#ifndef NO_PIN_FENCE
    /* seq_cst: announced before the look at shared; pairs with the fence in advance. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    /* acquire: what the object is made of; pairs with the release of the writer. */
    int *object = atomic_load_explicit(&shared, memory_order_acquire);
    assert(*object == 1 || *object == 2);
    /* release: the last look at the object; pairs with the acquire in advance. */
    atomic_store_explicit(&announced, 0, LEAVE);
    return NULL;
}

static bool advance(void) {
#ifndef NO_ADVANCE_FENCE
    /* seq_cst: unlinked before the look at the announcement; pairs with the reader's fence. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    int now = atomic_load_explicit(&epoch, memory_order_relaxed);
    /* acquire: a reader that is gone has looked for the last time. */
    int pinned = atomic_load_explicit(&announced, memory_order_acquire);
    if (pinned != 0 && pinned != now)
        return false;
    atomic_store_explicit(&epoch, now + 1, memory_order_relaxed); /* nobody else advances */
    return true;
}

static int *make(int value) {
    int *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        abort();
    *fresh = value;
    return fresh;
}

static void *writer(void *kept) {
    int *fresh = make(2);
    /* release: publishes the new object; pairs with the acquire of the reader. */
    int *old = atomic_exchange_explicit(&shared, fresh, memory_order_release);
    int advanced = 0;
    while (advanced < GRACE && advance())
        advanced++;
    if (advanced == GRACE)
        free(old);
    else
        *(int **)kept = old; /* main frees it when the reader has been joined */
    return NULL;
}

int main(void) {
    int *kept = NULL;
    atomic_store_explicit(&shared, make(1), memory_order_relaxed);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, &kept);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    free(kept);
    free(atomic_load_explicit(&shared, memory_order_relaxed));
    return 0;
}
