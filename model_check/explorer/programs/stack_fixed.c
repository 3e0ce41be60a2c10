/* stack_fixed.c: the lock-free stack of docs/explorer.md, repaired: a push releases, and a node that was
 * popped is kept until nobody can hold it any more, here until both threads have ended. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct node {
    int value;
    struct node *next;
    struct node *next_popped;
};

static _Atomic(struct node *) top;
static _Thread_local struct node *popped; /* by this thread */

static void push(int value) {
    struct node *node = malloc(sizeof *node);
    node->value = value;
    node->next = atomic_load_explicit(&top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&top, &node->next, node, memory_order_release,
                                                  memory_order_relaxed))
        ;
}

static int pop(void) {
    struct node *node = atomic_load_explicit(&top, memory_order_acquire);
    while (node != NULL && !atomic_compare_exchange_weak_explicit(
                               &top, &node, node->next, memory_order_acquire, memory_order_acquire))
        ;
    if (node == NULL)
        return -1;
    node->next_popped = popped;
    popped = node;
    return node->value;
}

static void *run(void *argument) {
    push((int)(long)argument);
    assert(pop() >= 0);
    return popped;
}

static void free_popped(struct node *node) {
    while (node != NULL) {
        struct node *next = node->next_popped;
        free(node);
        node = next;
    }
}

int main(void) {
    pthread_t one, two;
    pthread_create(&one, NULL, run, (void *)1);
    pthread_create(&two, NULL, run, (void *)2);
    void *popped_by_one, *popped_by_two;
    pthread_join(one, &popped_by_one);
    pthread_join(two, &popped_by_two);
    assert(pop() == -1);
    free_popped(popped_by_one);
    free_popped(popped_by_two);
    return 0;
}
