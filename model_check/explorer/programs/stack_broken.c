/* stack_broken.c: the lock-free stack of docs/explorer.md, with its defects. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct node {
    int value;
    struct node *next;
};

static _Atomic(struct node *) top;

static void push(int value) {
    struct node *node = malloc(sizeof *node);
    node->value = value;
    node->next = atomic_load_explicit(&top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&top, &node->next, node, memory_order_relaxed,
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
    int value = node->value;
    free(node);
    return value;
}

static void *run(void *argument) {
    push((int)(long)argument);
    assert(pop() >= 0);
    return NULL;
}

int main(void) {
    pthread_t one, two;
    pthread_create(&one, NULL, run, (void *)1);
    pthread_create(&two, NULL, run, (void *)2);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    assert(pop() == -1);
    return 0;
}
