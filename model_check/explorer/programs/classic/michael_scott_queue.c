/* michael_scott_queue.c: a linked queue with a dummy in front (Michael and Scott, PODC 1996).
 *
 * An enqueue links its node behind the last one and then moves the tail; who finds the tail behind
 * helps it on. A dequeue moves the head to the first real node, which becomes the dummy. Old dummies
 * are kept until the end: a slow dequeue may still look at one.
 *
 * expect: pass (sc, rc11)
 * expect -DFREE_AT_ONCE: use-after-free (sc, rc11)
 *     The old dummy is freed by the dequeue that replaced it.
 * expect -DRELAXED_LINK: data-race (sc, rc11)
 *     A node's value is not published with the link to it.
 * expect -DLINK_BY_STORE: assertion (sc, rc11)
 *     Two enqueues that saw the same last node: one value is lost.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef RELAXED_LINK
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

typedef struct node {
    int value;
    _Atomic(struct node *) next;
    struct node *retired;
} node;

static _Atomic(node *) head, tail;
static _Atomic(node *) retired;

static node *new_node(int value) {
    node *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        abort();
    fresh->value = value;
    atomic_init(&fresh->next, NULL);
    fresh->retired = NULL;
    return fresh;
}

static void retire(node *old) {
#ifdef FREE_AT_ONCE
    free(old);
#else
    node *first = atomic_load_explicit(&retired, memory_order_relaxed);
    do {
        old->retired = first;
        /* release: main reads the chain after it has joined, but other links come from others. */
    } while (!atomic_compare_exchange_strong_explicit(&retired, &first, old, memory_order_release,
                                                      memory_order_relaxed));
#endif
}

static void enqueue(int value) {
    node *fresh = new_node(value);
    for (;;) {
        /* acquire: the last node's fields; pairs with the releases of the tail below. */
        node *last = atomic_load_explicit(&tail, memory_order_acquire);
        node *next = atomic_load_explicit(&last->next, memory_order_acquire);
        if (next != NULL) {
            atomic_compare_exchange_strong_explicit(&tail, &last, next, memory_order_release,
                                                    memory_order_relaxed);
            continue;
        }
#ifdef LINK_BY_STORE
        atomic_store_explicit(&last->next, fresh, PUBLISH);
#else
        /* release: publishes value and next; pairs with the acquire loads of next. */
        if (!atomic_compare_exchange_strong_explicit(&last->next, &next, fresh, PUBLISH,
                                                     memory_order_relaxed))
            continue;
#endif
        atomic_compare_exchange_strong_explicit(&tail, &last, fresh, memory_order_release,
                                                memory_order_relaxed);
        return;
    }
}

static int dequeue(void) {
    for (;;) {
        /* acquire: the dummy's fields; pairs with the release that made it the head. */
        node *dummy = atomic_load_explicit(&head, memory_order_acquire);
        node *last = atomic_load_explicit(&tail, memory_order_acquire);
        node *next = atomic_load_explicit(&dummy->next, memory_order_acquire);
        if (next == NULL)
            return 0;
        if (dummy == last) /* the head must not overtake the tail */
            atomic_compare_exchange_strong_explicit(&tail, &last, next, memory_order_release,
                                                    memory_order_relaxed);
        int value = next->value;
        if (atomic_compare_exchange_strong_explicit(&head, &dummy, next, memory_order_release,
                                                    memory_order_relaxed)) {
            retire(dummy);
            return value;
        }
    }
}

static int sums[2];

static void *works(void *sum) {
    enqueue(sum == &sums[0] ? 1 : 2);
    *(int *)sum = dequeue();
    return NULL;
}

int main(void) {
    node *dummy = new_node(0);
    atomic_store_explicit(&head, dummy, memory_order_relaxed);
    atomic_store_explicit(&tail, dummy, memory_order_relaxed);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, works, &sums[0]);
    pthread_create(&threads[1], NULL, works, &sums[1]);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(sums[0] + sums[1] == 3 && "each value comes out once");
    node *left = atomic_load_explicit(&head, memory_order_relaxed);
    assert(atomic_load_explicit(&left->next, memory_order_relaxed) == NULL);
    free(left);
    for (node *old = atomic_load_explicit(&retired, memory_order_relaxed); old != NULL;) {
        node *next = old->retired;
        free(old);
        old = next;
    }
    return 0;
}
