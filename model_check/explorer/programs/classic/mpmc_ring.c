/* mpmc_ring.c: a bounded queue for many producers and consumers (Vyukov).
 *
 * Each slot has a turn: i when it waits for the put with number i, i + 1 when it waits for the take
 * with number i, i + SLOTS when it waits for the next put. Positions are claimed by CAS, the turn
 * hands the slot over.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_PUT: data-race (sc, rc11)
 *     A slot's value is not published with its turn.
 * expect -DRELAXED_TAKE: data-race (sc, rc11)
 *     The look at a slot is not ordered before its next use.
 * expect -DCLAIM_BY_STORE: data-race (sc, rc11)
 *     Two producers claim one position.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef RELAXED_PUT
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif
#ifdef RELAXED_TAKE
#define GIVE_BACK memory_order_relaxed
#else
#define GIVE_BACK memory_order_release
#endif

enum { SLOTS = 2 };

static struct {
    atomic_uint turn;
    int value;
} slots[SLOTS];
static atomic_uint puts, takes;

static bool claim(atomic_uint *position, unsigned *at) {
#ifdef CLAIM_BY_STORE
    atomic_store_explicit(position, *at + 1, memory_order_relaxed);
    return true;
#else
    /* relaxed: the slot's turn, which was acquired, hands over the slot. */
    return atomic_compare_exchange_strong_explicit(position, at, *at + 1, memory_order_relaxed,
                                                   memory_order_relaxed);
#endif
}

static bool put(int value) {
    unsigned at = atomic_load_explicit(&puts, memory_order_relaxed);
    for (;;) {
        /* acquire: the take before is done with the slot; pairs with the release in take. */
        unsigned turn = atomic_load_explicit(&slots[at % SLOTS].turn, memory_order_acquire);
        if ((int)(turn - at) < 0)
            return false; /* full */
        if (turn == at && claim(&puts, &at)) {
            slots[at % SLOTS].value = value;
            /* release: publishes the value; pairs with the acquire in take. */
            atomic_store_explicit(&slots[at % SLOTS].turn, at + 1, PUBLISH);
            return true;
        }
        if (turn != at)
            at = atomic_load_explicit(&puts, memory_order_relaxed);
    }
}

static bool take(int *value) {
    unsigned at = atomic_load_explicit(&takes, memory_order_relaxed);
    for (;;) {
        /* acquire: the slot's value; pairs with the release in put. */
        unsigned turn = atomic_load_explicit(&slots[at % SLOTS].turn, memory_order_acquire);
        if ((int)(turn - (at + 1)) < 0)
            return false; /* empty */
        if (turn == at + 1 && claim(&takes, &at)) {
            *value = slots[at % SLOTS].value;
            /* release: done with the slot; pairs with the acquire in put. */
            atomic_store_explicit(&slots[at % SLOTS].turn, at + SLOTS, GIVE_BACK);
            return true;
        }
        if (turn != at + 1)
            at = atomic_load_explicit(&takes, memory_order_relaxed);
    }
}

static int kept[2]; /* by each thread: what it has put, less what it has taken */

static void *puts_two(void *sum) {
    for (int value = 2; value <= 3; value++)
        *(int *)sum += put(value) ? value : 0;
    return NULL;
}

static void *takes_two_and_puts_one(void *sum) {
    int value;
    if (take(&value)) {
        assert(value == 1 && "first in, first out");
        *(int *)sum -= value;
    }
    if (take(&value))
        *(int *)sum -= value;
    *(int *)sum += put(4) ? 4 : 0;
    return NULL;
}

int main(void) {
    for (unsigned i = 0; i < SLOTS; i++)
        atomic_store_explicit(&slots[i].turn, i, memory_order_relaxed);
    put(1);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, puts_two, &kept[0]);
    pthread_create(&threads[1], NULL, takes_two_and_puts_one, &kept[1]);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    int left = 1 + kept[0] + kept[1];
    int value;
    while (take(&value))
        left -= value;
    assert(left == 0 && "each value that was put comes out once");
    return 0;
}
