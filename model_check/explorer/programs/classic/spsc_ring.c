/* spsc_ring.c: a bounded queue between one producer and one consumer (Lamport, 1983).
 *
 * Each side writes one index and reads the other's. Slots are plain memory: the indices alone keep
 * the two apart.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_TAIL: data-race (sc, rc11)
 *     A slot is not published with the new tail.
 * expect -DRELAXED_HEAD: data-race (sc, rc11)
 *     The consumer's look at a slot is not ordered before its next use.
 * expect -DFULL_TOO_LATE: assertion|data-race (sc, rc11)
 *     The producer takes one slot more than there are.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef RELAXED_TAIL
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif
#ifdef RELAXED_HEAD
#define GIVE_BACK memory_order_relaxed
#else
#define GIVE_BACK memory_order_release
#endif
#ifdef FULL_TOO_LATE
enum { SLOTS = 2, LIMIT = SLOTS + 1 };
#else
enum { SLOTS = 2, LIMIT = SLOTS };
#endif

static int slots[SLOTS];
static atomic_uint head, tail; /* how many were taken, how many were put */

static bool put(int value) {
    unsigned end = atomic_load_explicit(&tail, memory_order_relaxed); /* this side's own */
    /* acquire: the consumer is done with the slot; pairs with the release in take. */
    if (end - atomic_load_explicit(&head, memory_order_acquire) == LIMIT)
        return false;
    slots[end % SLOTS] = value;
    /* release: publishes the slot; pairs with the acquire in take. */
    atomic_store_explicit(&tail, end + 1, PUBLISH);
    return true;
}

static bool take(int *value) {
    unsigned begin = atomic_load_explicit(&head, memory_order_relaxed); /* this side's own */
    /* acquire: the slot's contents; pairs with the release in put. */
    if (begin == atomic_load_explicit(&tail, memory_order_acquire))
        return false;
    *value = slots[begin % SLOTS];
    /* release: done with the slot; pairs with the acquire in put. */
    atomic_store_explicit(&head, begin + 1, GIVE_BACK);
    return true;
}

static void *producer(void *unused) {
    (void)unused;
    for (int value = 1; value <= 3; value++) {
        if (!put(value))
            break;
    }
    return NULL;
}

static void *consumer(void *unused) {
    (void)unused;
    for (int expected = 1; expected <= 3; expected++) {
        int value;
        if (!take(&value))
            break;
        assert(value == expected && "first in, first out");
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, producer, NULL);
    pthread_create(&threads[1], NULL, consumer, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
