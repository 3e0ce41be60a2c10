/* chase_lev_deque.c: work stealing; the owner pushes and takes at the bottom, thieves steal at the top.
 *
 * Chase and Lev (SPAA 2005), with the orders that Lê, Pop, Cohen and Zappa Nardelli give for C11
 * (PPoPP 2013). Owner and thief meet at the last task: the owner's claim of it (bottom) and the
 * thief's look at bottom are a store and a load of either side, as in SB, with a seq_cst fence each.
 *
 * expect: pass (sc, rc11)
 * expect -DNO_FENCE_IN_TAKE: assertion (rc11)
 *     The owner's claim waits past its look at the top: one task is done twice.
 * expect -DNO_FENCE_IN_STEAL: assertion (rc11)
 *     The thief reads an old bottom after an old top: one task is done twice.
 * expect -DRELAXED_PUSH: data-race (sc, rc11)
 *     What a task is made of is not published with it.
 * expect -DTAKE_WITHOUT_CAS: assertion (sc, rc11)
 *     The owner takes the last task without competing for it.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { CAPACITY = 4, TASKS = 2 };

static atomic_long top, bottom;
static _Atomic(int *) tasks[CAPACITY];
static int data[TASKS]; /* what the tasks are made of */
static atomic_int done[TASKS];

static void push(int *task) {
    long b = atomic_load_explicit(&bottom, memory_order_relaxed);
    atomic_store_explicit(&tasks[b % CAPACITY], task, memory_order_relaxed);
#ifndef RELAXED_PUSH
    /* release: the task and its data before the new bottom; pairs with the acquire in steal. */
    atomic_thread_fence(memory_order_release);
#endif
    atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
}

static int *take(void) {
    long b = atomic_load_explicit(&bottom, memory_order_relaxed) - 1;
    atomic_store_explicit(&bottom, b, memory_order_relaxed);
#ifndef NO_FENCE_IN_TAKE
    /* seq_cst: the claim before the look at top; pairs with the fence in steal. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    long t = atomic_load_explicit(&top, memory_order_relaxed);
    if (t > b) {
        atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
        return NULL;
    }
    int *task = atomic_load_explicit(&tasks[b % CAPACITY], memory_order_relaxed);
    if (t == b) { /* the last one: thieves may want it */
#ifndef TAKE_WITHOUT_CAS
        /* relaxed: who moves top from t owns the task; its data is this thread's own. */
        if (!atomic_compare_exchange_strong_explicit(&top, &t, t + 1, memory_order_relaxed,
                                                     memory_order_relaxed))
            task = NULL;
#else
        atomic_store_explicit(&top, t + 1, memory_order_relaxed);
#endif
        atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
    }
    return task;
}

static int *steal(void) {
    /* acquire: orders the look at top before the look at bottom. */
    long t = atomic_load_explicit(&top, memory_order_acquire);
#ifndef NO_FENCE_IN_STEAL
    /* seq_cst: pairs with the fence in take. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    /* acquire: the task and its data; pairs with the release in push. */
    long b = atomic_load_explicit(&bottom, memory_order_acquire);
    if (t >= b)
        return NULL;
    int *task = atomic_load_explicit(&tasks[t % CAPACITY], memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&top, &t, t + 1, memory_order_relaxed,
                                                 memory_order_relaxed))
        return NULL; /* the owner or another thief has it */
    return task;
}

static void finish(const int *task) {
    if (task == NULL)
        return;
    assert(*task == 7 && "the data of a task comes with it");
    int before = atomic_fetch_add_explicit(&done[task - data], 1, memory_order_relaxed);
    assert(before == 0 && "a task is done once");
}

static void *owner(void *unused) {
    (void)unused;
    for (int i = 0; i < TASKS; i++) {
        data[i] = 7;
        push(&data[i]);
    }
    finish(take());
    finish(take());
    return NULL;
}

static void *thief(void *unused) {
    (void)unused;
    finish(steal());
    finish(steal());
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, owner, NULL);
    pthread_create(&threads[1], NULL, thief, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
