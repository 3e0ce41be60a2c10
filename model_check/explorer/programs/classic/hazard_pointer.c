/* hazard_pointer.c: a reader announces what it looks at, and who unlinks it looks before freeing
 * (Michael, PODC 2002).
 *
 * The announcement and the reader's second look, the unlinking and the scan: a store and a load of
 * either side, as in SB, so a seq_cst fence stands between them on both.
 *
 * expect: pass (sc, rc11)
 * expect -DNO_READER_FENCE: use-after-free (rc11)
 *     The announcement waits past the second look.
 * expect -DNO_SCAN_FENCE: use-after-free (rc11)
 *     The unlinking waits past the scan.
 * expect -DNO_SECOND_LOOK: use-after-free (sc, rc11)
 *     The object may have been unlinked and scanned for before it was announced.
 * expect -DRELAXED_CLEAR: use-after-free (sc, rc11)
 *     The reader's last access is not ordered before the free.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef RELAXED_CLEAR
#define CLEAR memory_order_relaxed
#else
#define CLEAR memory_order_release
#endif

static _Atomic(int *) shared;
static _Atomic(int *) hazard;

static void *reader(void *unused) {
    (void)unused;
    int *seen = atomic_load_explicit(&shared, memory_order_relaxed);
    atomic_store_explicit(&hazard, seen, memory_order_relaxed);
#ifndef NO_READER_FENCE
    /* seq_cst: announced before the second look; pairs with the fence of the writer. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
#ifndef NO_SECOND_LOOK
    /* acquire: what the object is made of; pairs with the release of the writer. */
    if (atomic_load_explicit(&shared, memory_order_acquire) == seen)
#else
    if (atomic_load_explicit(&shared, memory_order_acquire) != NULL)
#endif
        assert(*seen == 1 || *seen == 2);
    /* release: the last look at the object before the end of the announcement; pairs with scan. */
    atomic_store_explicit(&hazard, NULL, CLEAR);
    return NULL;
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
#ifndef NO_SCAN_FENCE
    /* seq_cst: unlinked before the scan; pairs with the fence of the reader. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    /* acquire: a reader that has ended has looked for the last time. */
    if (atomic_load_explicit(&hazard, memory_order_acquire) != old)
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
