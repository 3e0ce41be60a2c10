/* tree.c: a tree's life: open, close, free.
 *
 * Closing has two steps, like the words of a gate: first the state says that no call may begin, then,
 * when no thread is pinned any more, all memory but the handle goes. A call announces its pin before
 * it reads the state, bw_close writes the state before it reads the announcements, each with a fence
 * between: so either the call sees the closing or the closing sees the call.
 */
#include "tree.h"

#include <string.h>

static bw_status make_root(bw_tree *tree) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_page *root = bw_page_build(self, 0, NULL, NULL, 0, 0, 0, BW_NO_PID, 0);
    if (root != NULL)
        bw_map_store(tree, BW_ROOT, root);
    bw_leave(self);
    return root == NULL ? BW_ENOMEM : BW_OK;
}

bw_status bw_open(const bw_options *options, bw_tree **tree) {
    if (tree == NULL)
        return BW_EINVAL;
    *tree = NULL;
    bw_options defaults;
    if (options == NULL) {
        bw_options_init(&defaults);
        options = &defaults;
    }
    bw_status status = bw_options_check(options, NULL, 0);
    if (status != BW_OK)
        return status;
    const char *message;
    const bw_search *search = bw_search_select(options->simd, &status, &message);
    if (search == NULL)
        return status;
    bw_tree *made = bw_alloc(options, sizeof *made, _Alignof(bw_tree));
    if (made == NULL)
        return BW_ENOMEM;
    memset(made, 0, sizeof *made);
    made->options = *options;
    made->search = search;
    made->hints_at = (uint32_t)bw_page_hints_offset(options->inner_log);
    made->leaf_blocks_at = (uint32_t)bw_page_blocks_offset(options->leaf_log, 0);
    made->inner_blocks_at =
        (uint32_t)bw_page_blocks_offset(options->inner_log, options->inner_capacity);
    if (pthread_mutex_init(&made->worker_mutex, NULL) != 0) {
        bw_dealloc(options, made, sizeof *made, _Alignof(bw_tree));
        return BW_ENOMEM;
    }
    atomic_store_explicit(&made->epoch, 1, memory_order_relaxed);
    atomic_store_explicit(&made->next_pid, BW_ROOT + 1, memory_order_relaxed);
    bw_registry_add(made);
    status = bw_map_open(made);
    if (status == BW_OK)
        status = make_root(made);
    if (status == BW_OK && options->worker)
        status = bw_worker_start(made);
    if (status != BW_OK) {
        (void)bw_free(made);
        return status;
    }
    *tree = made;
    return BW_OK;
}

/* ---- closing ---- */

static bool someone_is_at_work(const bw_tree *tree) {
    const bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next)
        /* acquire: pairs with the release in bw_epoch_unpin: what the call did is done. */
        if (atomic_load_explicit(&thread->announced, memory_order_acquire) != 0)
            return true;
    /* Asked after the pins, since a thread announces this under one. acquire: pairs with the release in
     * bw_memory_shrink: what it did is done. */
    return atomic_load_explicit(&tree->shrinking, memory_order_acquire) != 0;
}

/* Without pooling each page and record goes back by itself. */
static void release_pages(bw_tree *tree) {
    bw_thread *any = atomic_load_explicit(&tree->threads, memory_order_acquire);
    uint64_t pids = atomic_load_explicit(&tree->next_pid, memory_order_relaxed);
    for (uint64_t pid = 0; any != NULL && tree->map != NULL && pid < pids; pid++) {
        bw_page *page = bw_map_load(tree, (bw_pid)pid);
        if (bw_map_is_page(page))
            bw_page_release_deep(any, page);
    }
    for (bw_thread *thread = any; thread != NULL; thread = thread->next)
        bw_epoch_free_all(thread);
}

/* Under the registry's mutex, with nobody pinned (or, in a forked child, nobody else alive). */
static void release_memory(bw_tree *tree, bool forked) {
    BW_EVENT(CLOSE, tree, 0, 0);
    /* A forked child may have been made in the middle of another thread's call: lists of single pages
     * are then not to be trusted and their memory stays. The list of chunks is whole at any time; those
     * that bw_memory_shrink had in its hands are not in it and stay, too. */
    if (!tree->options.pooling && !forked)
        release_pages(tree);
    for (bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
         thread != NULL; thread = thread->next) {
        memset(&thread->limbo, 0, sizeof thread->limbo);
        memset(&thread->pool, 0, sizeof thread->pool);
    }
    atomic_store_explicit(&tree->orphans, NULL, memory_order_relaxed);
    bw_memory_close(tree);
    bw_map_close(tree);
    atomic_store_explicit(&tree->state, BW_STATE_CLOSED, memory_order_relaxed);
}

bw_status bw_close(bw_tree *tree) {
    if (tree == NULL)
        return BW_EINVAL;
    uint64_t state = BW_STATE_OPEN;
    /* relaxed: the fence below orders it before the look at the announcements. */
    atomic_compare_exchange_strong_explicit(&tree->state, &state, BW_STATE_CLOSING,
                                            memory_order_relaxed, memory_order_relaxed);
    if (state == BW_STATE_FORKED)
        bw_worker_abandon(tree);
    else if (state !=
             BW_STATE_CLOSED) /* a closed tree's mutex may be a forked child's, held for ever */
        bw_worker_join(tree);
    bw_registry_lock();
    bw_status status = BW_OK;
    state = atomic_load_explicit(&tree->state, memory_order_relaxed);
    if (state != BW_STATE_CLOSED) {
        atomic_thread_fence(memory_order_seq_cst); /* pairs with the fence in bw_epoch_pin */
        bool forked = state == BW_STATE_FORKED;
        if (!forked && someone_is_at_work(tree))
            status = BW_EBUSY;
        else
            release_memory(tree, forked);
    }
    bw_registry_unlock();
    return status;
}

bw_status bw_free(bw_tree *tree) {
    if (tree == NULL)
        return BW_OK;
    bw_status status = bw_close(tree);
    if (status != BW_OK)
        return status;
    /* acquire: pairs with the release in bw_cursor_free. */
    if (atomic_load_explicit(&tree->cursors, memory_order_acquire) != 0)
        return BW_EBUSY;
    bw_registry_lock();
    bw_registry_remove(tree);
    bw_registry_unlock();
    bw_options options = tree->options;
    /* relaxed: whoever closed the tree, under the registry's mutex, has met all of them. */
    bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_relaxed);
    while (thread != NULL) {
        bw_thread *next = thread->next;
        bw_dealloc(&options, thread, sizeof *thread, _Alignof(bw_thread));
        thread = next;
    }
    (void)pthread_mutex_destroy(&tree->worker_mutex);
    bw_dealloc(&options, tree, sizeof *tree, _Alignof(bw_tree));
    return BW_OK;
}
