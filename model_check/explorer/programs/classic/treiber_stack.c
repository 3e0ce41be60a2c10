/* treiber_stack.c: a stack as a linked list, whose top every push and pop exchanges (Treiber, 1986).
 *
 * Nodes are numbers from a fixed array and are used again at once, so the top carries a count of
 * changes beside the number of the first node: without it, a pop that slept while the top went from
 * A to B and back to A puts a stale second node on top.
 *
 * expect: pass (sc, rc11)
 * expect -DABA: assertion (sc, rc11)
 *     The top is the node's number alone: two threads come to own one node.
 * expect -DRELAXED_PUSH: data-race (sc, rc11)
 *     The value of a node is not published with it.
 * expect -DRELAXED_POP: data-race (sc, rc11)
 *     Who takes a node does not acquire its value.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef RELAXED_PUSH
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif
#ifdef RELAXED_POP
#define OBTAIN memory_order_relaxed
#else
#define OBTAIN memory_order_acquire
#endif

enum { NODES = 3, NIL = 0 }; /* nodes are numbered from 1 */

static struct {
    int value;
    atomic_uint next; /* atomic: a slow pop may read it while the next owner writes it */
} nodes[NODES + 1];
static _Atomic uint64_t top; /* changes << 32 | number of the first node */
static atomic_int owners[NODES + 1];

static uint64_t changed(uint64_t seen, unsigned first) {
#ifdef ABA
    (void)seen;
    return first;
#else
    return ((seen >> 32) + 1) << 32 | first;
#endif
}

static void push(unsigned node, int value) {
    nodes[node].value = value;
    atomic_fetch_sub_explicit(&owners[node], 1, memory_order_relaxed);
    uint64_t seen = atomic_load_explicit(&top, memory_order_relaxed);
    do {
        atomic_store_explicit(&nodes[node].next, (unsigned)seen, memory_order_relaxed);
        /* release: publishes value and next; pairs with the acquire in pop. */
    } while (!atomic_compare_exchange_strong_explicit(&top, &seen, changed(seen, node), PUBLISH,
                                                      memory_order_relaxed));
}

static unsigned pop(void) {
    /* acquire, here and below: the node's value and next; pairs with the release in push. */
    uint64_t seen = atomic_load_explicit(&top, OBTAIN);
    while ((unsigned)seen != NIL) {
        unsigned next = atomic_load_explicit(&nodes[(unsigned)seen].next, memory_order_relaxed);
        if (atomic_compare_exchange_strong_explicit(&top, &seen, changed(seen, next), OBTAIN,
                                                    OBTAIN)) {
            int before =
                atomic_fetch_add_explicit(&owners[(unsigned)seen], 1, memory_order_relaxed);
            assert(before == 0 && "a node has one owner");
            assert(nodes[(unsigned)seen].value == 10 * (int)(unsigned)seen);
            break;
        }
    }
    return (unsigned)seen;
}

static void *pops_one(void *unused) {
    (void)unused;
    pop();
    return NULL;
}

static void *pops_two_and_pushes_the_first(void *unused) {
    (void)unused;
    unsigned first = pop();
    pop();
    if (first != NIL)
        push(first, 10 * (int)first);
    return NULL;
}

int main(void) {
    for (unsigned node = 1; node <= NODES; node++)
        atomic_store_explicit(&owners[node], 1, memory_order_relaxed);
    for (unsigned node = NODES; node >= 1; node--)
        push(node, 10 * (int)node);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, pops_one, NULL);
    pthread_create(&threads[1], NULL, pops_two_and_pushes_the_first, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    while (pop() != NIL)
        continue;
    return 0;
}
