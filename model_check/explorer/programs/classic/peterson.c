/* peterson.c: mutual exclusion of two threads by loads and stores alone (Peterson, 1981).
 *
 * Each thread's wish and the look at the other's are a store and a load, as in SB. The turn between them
 * is given away by an exchange: the second of the two reads what the first wrote, and so sees its wish.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_TURN: data-race (rc11)
 *     The wish waits past the look: both come in.
 * expect -DTURN_BEFORE_WISH: data-race (sc, rc11)
 *     The turn is given away before the wish is known.
 * expect -DRELAXED_LEAVE: data-race (sc, rc11)
 *     What was done inside is not handed to the next.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED_TURN
#define TURN memory_order_relaxed
#else
#define TURN memory_order_acq_rel
#endif
#ifdef RELAXED_LEAVE
#define LEAVE memory_order_relaxed
#else
#define LEAVE memory_order_release
#endif

static atomic_int wishes[2], turn;
static int count; /* kept by the algorithm */

static void enter(int self) {
    int other = 1 - self;
#ifdef TURN_BEFORE_WISH
    atomic_exchange_explicit(&turn, other, TURN);
    atomic_store_explicit(&wishes[self], 1, memory_order_relaxed);
#else
    atomic_store_explicit(&wishes[self], 1, memory_order_relaxed);
    /* acq_rel: whoever gives the turn away second has seen the other's wish. */
    atomic_exchange_explicit(&turn, other, TURN);
#endif
    /* acquire: what the other did inside; pairs with the release in leave. */
    while (atomic_load_explicit(&wishes[other], memory_order_acquire) != 0 &&
           atomic_load_explicit(&turn, memory_order_acquire) == other)
        continue;
}

static void leave(int self) {
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
