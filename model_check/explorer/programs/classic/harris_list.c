/* harris_list.c: a sorted set as a linked list without locks (Harris, DISC 2001).
 *
 * A removal first marks the removed node's own next pointer, which ends inserts behind it, and only
 * then unlinks it. A search unlinks marked nodes that it meets. Nodes are never used again here.
 *
 * expect: pass (sc, rc11)
 * expect -DUNMARKED: assertion (sc, rc11)
 *     Unlinking without the mark loses a node that was inserted behind the removed one meanwhile.
 * expect -DRELAXED_LINK: data-race (sc, rc11)
 *     A node's key is not published with the link to it.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef RELAXED_LINK
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

typedef struct node {
    int key;
    _Atomic uintptr_t next; /* a node's address; the lowest bit marks the node that holds it */
} node;

enum { MARK = 1 };

static node head, tail = {.key = 100};
static node nodes[3] = {{.key = 1}, {.key = 2}, {.key = 3}};

static node *unmarked(uintptr_t word) {
    return (node *)(word & ~(uintptr_t)MARK); /* NOLINT(performance-no-int-to-ptr) */
}

/* The first node with a key not below this one; `before` is the node that points to it. */
static node *find(int key, node **before) {
    for (;;) {
        node *left = &head;
        /* acquire, as all loads of next: the key of the node behind; pairs with PUBLISH. */
        node *right = unmarked(atomic_load_explicit(&left->next, memory_order_acquire));
        for (;;) {
            uintptr_t next = atomic_load_explicit(&right->next, memory_order_acquire);
            if ((next & MARK) != 0) {
                uintptr_t seen = (uintptr_t)right;
                /* release: hands on what was acquired of the node behind. */
                if (!atomic_compare_exchange_strong_explicit(
                        &left->next, &seen, (uintptr_t)unmarked(next), memory_order_release,
                        memory_order_relaxed))
                    break; /* begin again */
                right = unmarked(next);
                continue;
            }
            if (right->key >= key) {
                *before = left;
                return right;
            }
            left = right;
            right = unmarked(next);
        }
    }
}

static bool insert(node *fresh, int key) {
    for (;;) {
        node *left;
        node *right = find(key, &left);
        if (right->key == key)
            return false;
        fresh->key = key;
        atomic_store_explicit(&fresh->next, (uintptr_t)right, memory_order_relaxed);
        uintptr_t seen = (uintptr_t)right;
        /* release: publishes key and next; pairs with the acquires in find. */
        if (atomic_compare_exchange_strong_explicit(&left->next, &seen, (uintptr_t)fresh, PUBLISH,
                                                    memory_order_relaxed))
            return true;
    }
}

static bool removed(int key) {
    for (;;) {
        node *left;
        node *right = find(key, &left);
        if (right->key != key)
            return false;
        uintptr_t next = atomic_load_explicit(&right->next, memory_order_acquire);
#ifndef UNMARKED
        if ((next & MARK) != 0)
            continue; /* another thread removes it */
        if (!atomic_compare_exchange_strong_explicit(&right->next, &next, next | MARK,
                                                     memory_order_relaxed, memory_order_relaxed))
            continue;
#endif
        uintptr_t seen = (uintptr_t)right;
        /* release: as in find, which does this if it fails here. */
        if (!atomic_compare_exchange_strong_explicit(&left->next, &seen, next, memory_order_release,
                                                     memory_order_relaxed))
            find(key, &left);
        return true;
    }
}

static void *inserts_two(void *unused) {
    (void)unused;
    assert(insert(&nodes[1], 2));
    return NULL;
}

static void *removes_one(void *unused) {
    (void)unused;
    assert(removed(1));
    return NULL;
}

int main(void) {
    atomic_store_explicit(&head.next, (uintptr_t)&tail, memory_order_relaxed);
    assert(insert(&nodes[0], 1));
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, inserts_two, NULL);
    pthread_create(&threads[1], NULL, removes_one, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    node *before;
    assert(find(2, &before)->key == 2 && "what was inserted is there");
    assert(find(1, &before)->key != 1 && "what was removed is not");
    assert(insert(&nodes[2], 3));
    return 0;
}
