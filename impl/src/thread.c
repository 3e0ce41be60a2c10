/* thread.c: which threads use which trees.
 *
 * A thread's registration with a tree (bw_thread) is made at its first call and found again through a
 * small thread-local cache. When the thread ends, a thread-specific-data destructor hands its bags
 * over and frees the registration for the next thread. The registry's mutex orders three rare
 * things: registering, a thread's end, and closing or freeing a tree. An operation takes it only where
 * the thread's cache (of four trees) lacks the registration.
 *
 * A forked child has copies of trees whose other threads do not exist there: the fork handler marks
 * every tree, and each call then says BW_EFORKED.
 */
#include "tree.h"

#include <string.h>

BW_TLS bw_thread_cache bw_thread_cached[BW_THREAD_CACHE];

static BW_TLS bw_thread *owned; /* this thread's registrations */

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool exit_key_made;
static bw_tree *trees;

void bw_registry_lock(void) {
    (void)pthread_mutex_lock(&registry);
}

void bw_registry_unlock(void) {
    (void)pthread_mutex_unlock(&registry);
}

/* ---- giving registrations back ---- */

static void forget_cached(const bw_thread *thread) {
    bw_thread_cache *cached = &bw_thread_cached[thread->tree->id % BW_THREAD_CACHE];
    if (cached->thread == thread)
        *cached = (bw_thread_cache){0};
}

/* Under the registry's mutex. */
static void unlink_owned(bw_thread *thread) {
    if (thread->owned_link == NULL)
        return;
    *thread->owned_link = thread->next_owned;
    if (thread->next_owned != NULL)
        thread->next_owned->owned_link = thread->owned_link;
    thread->owned_link = NULL;
    thread->next_owned = NULL;
}

/* Under the registry's mutex, in the owning thread. */
static void detach(bw_thread *self) {
    bw_tree *tree = self->tree;
    self->depth = 0;
    /* release: as in bw_epoch_unpin; a thread that ends while pinned must not stop the epoch. */
    atomic_store_explicit(&self->announced, 0, memory_order_release);
    BW_EVENT(UNPIN, self, 0, 0);
    uint64_t state = atomic_load_explicit(&tree->state, memory_order_relaxed);
    if (state == BW_STATE_OPEN || state == BW_STATE_CLOSING) {
        bw_epoch_hand_over(self);
        bw_pids_hand_over(self);
    }
    forget_cached(self);
    unlink_owned(self);
    /* release: the next owner sees pools and figures as left here; pairs with the CAS in take. */
    atomic_store_explicit(&self->taken, BW_TAKEN_BY_NONE, memory_order_release);
}

static void thread_ends(void *unused) {
    (void)unused;
    bw_registry_lock();
    while (owned != NULL)
        detach(owned);
    bw_registry_unlock();
}

/* ---- fork ---- */

static void after_fork_in_child(void) {
    for (bw_tree *tree = trees; tree != NULL; tree = tree->next_tree) {
        uint64_t state = atomic_load_explicit(&tree->state, memory_order_relaxed);
        if (state != BW_STATE_CLOSED)
            atomic_store_explicit(&tree->state, BW_STATE_FORKED, memory_order_relaxed);
    }
    bw_registry_unlock();
}

static void initialize(void) {
    exit_key_made = pthread_key_create(&exit_key, thread_ends) == 0;
    (void)pthread_atfork(bw_registry_lock, bw_registry_unlock, after_fork_in_child);
}

/* ---- trees ---- */

void bw_registry_add(bw_tree *tree) {
    static uint64_t last_id;
    (void)pthread_once(&once, initialize);
    bw_registry_lock();
    tree->id = ++last_id;
    tree->next_tree = trees;
    tree->tree_link = &trees;
    if (trees != NULL)
        trees->tree_link = &tree->next_tree;
    trees = tree;
    bw_registry_unlock();
}

/* Under the registry's mutex: takes the tree and its registrations out of every list. */
void bw_registry_remove(bw_tree *tree) {
    *tree->tree_link = tree->next_tree;
    if (tree->next_tree != NULL)
        tree->next_tree->tree_link = tree->tree_link;
    /* relaxed: whoever closed the tree, under the registry's mutex, has met all of them. */
    bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_relaxed);
    for (; thread != NULL; thread = thread->next)
        unlink_owned(thread);
}

/* ---- registering ---- */

/* Takes a registration whose thread has ended, with its pools. */
static bool take(bw_thread *thread, bw_taken as) {
    uint64_t taken = BW_TAKEN_BY_NONE;
    /* acquire: pairs with the release in detach and bw_thread_return. */
    return atomic_compare_exchange_strong_explicit(&thread->taken, &taken, as, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bw_thread *claim(bw_tree *tree) {
    bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    while (thread != NULL && !take(thread, BW_TAKEN_BY_THREAD))
        thread = thread->next;
    return thread;
}

bool bw_thread_borrow(bw_thread *thread) {
    return take(thread, BW_TAKEN_BY_COLLECTOR);
}

void bw_thread_return(bw_thread *thread) {
    /* release: as in detach. */
    atomic_store_explicit(&thread->taken, BW_TAKEN_BY_NONE, memory_order_release);
}

static bw_thread *create(bw_tree *tree) {
    bw_thread *thread = bw_alloc(&tree->options, sizeof *thread, _Alignof(bw_thread));
    if (thread == NULL)
        return NULL;
    memset(thread, 0, sizeof *thread);
    thread->tree = tree;
    thread->jitter = (uint32_t)((uintptr_t)thread >> 6) | 1U;
    atomic_store_explicit(&thread->taken, BW_TAKEN_BY_THREAD, memory_order_relaxed);
    bw_thread *head = atomic_load_explicit(&tree->threads, memory_order_relaxed);
    do {
        thread->next = head;
        /* release: publishes the registration; pairs with the acquire of those who walk the list.
         * An advance that does not see it yet is ordered before its first pin by their fences. */
    } while (!atomic_compare_exchange_weak_explicit(&tree->threads, &head, thread,
                                                    memory_order_release, memory_order_relaxed));
    return thread;
}

static bw_thread *find_owned(const bw_tree *tree) {
    bw_thread *thread = owned;
    while (thread != NULL && thread->tree != tree)
        thread = thread->next_owned;
    return thread;
}

static bw_status find_or_register(bw_tree *tree, bw_thread **self) {
    bw_registry_lock();
    bw_thread *thread = find_owned(tree);
    bw_registry_unlock();
    if (thread == NULL) {
        thread = claim(tree);
        if (thread == NULL)
            thread = create(tree);
        if (thread == NULL)
            return BW_ENOMEM;
        bw_registry_lock();
        thread->next_owned = owned;
        thread->owned_link = &owned;
        if (owned != NULL)
            owned->owned_link = &thread->next_owned;
        owned = thread;
        /* Any value but NULL makes the destructor run. Without it (no key left, no memory) this
         * thread must not keep the registration. */
        if (!exit_key_made || pthread_setspecific(exit_key, &registry) != 0) {
            detach(thread);
            bw_registry_unlock();
            return BW_ENOMEM;
        }
        bw_registry_unlock();
    }
    bw_thread_cached[tree->id % BW_THREAD_CACHE] =
        (bw_thread_cache){.tree_id = tree->id, .thread = thread};
    *self = thread;
    return BW_OK;
}

bw_status bw_enter_slow(bw_tree *tree, bw_thread **self) {
    /* relaxed: a thread that closes the tree at this moment is met again after the pin. */
    bw_status status = bw_state_status(atomic_load_explicit(&tree->state, memory_order_relaxed));
    if (status == BW_OK)
        status = find_or_register(tree, self);
    if (status != BW_OK)
        return status;
    return bw_enter(tree, self);
}

bw_status bw_thread_attach(bw_tree *tree) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status == BW_OK)
        bw_leave(self);
    return status;
}

bw_status bw_thread_detach(bw_tree *tree) {
    if (tree == NULL)
        return BW_EINVAL;
    bw_status status = bw_state_status(atomic_load_explicit(&tree->state, memory_order_relaxed));
    if (status != BW_OK)
        return status;
    bw_registry_lock();
    bw_thread *self = find_owned(tree);
    if (self != NULL && self->depth > 0)
        status = BW_EBUSY;
    else if (self != NULL)
        detach(self);
    bw_registry_unlock();
    return status;
}

bw_status bw_pin(bw_tree *tree) {
    bw_thread *self;
    return bw_enter(tree, &self);
}

bw_status bw_unpin(bw_tree *tree) {
    if (tree == NULL)
        return BW_EINVAL;
    const bw_thread_cache *cached = &bw_thread_cached[tree->id % BW_THREAD_CACHE];
    bw_thread *self = cached->thread;
    if (cached->tree_id != tree->id) {
        bw_registry_lock();
        self = find_owned(tree);
        bw_registry_unlock();
    }
    if (self == NULL || self->depth == 0)
        return BW_EINVAL;
    bw_leave(self);
    return BW_OK;
}
