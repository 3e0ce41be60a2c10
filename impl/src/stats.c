/* stats.c: figures of a tree, summed over its threads. */
#include "tree.h"

#include <string.h>

static void add_thread(bw_stats *stats, const bw_thread *thread, uint64_t *retired_bytes,
                       uint64_t *freed_bytes) {
    stats->appends += bw_figure(&thread->figures.appends);
    stats->appends_lost += bw_figure(&thread->figures.appends_lost);
    stats->consolidations += bw_figure(&thread->figures.consolidations);
    stats->consolidations_lost += bw_figure(&thread->figures.consolidations_lost);
    stats->splits += bw_figure(&thread->figures.splits);
    stats->root_splits += bw_figure(&thread->figures.root_splits);
    stats->posts += bw_figure(&thread->figures.posts);
    stats->helps += bw_figure(&thread->figures.helps);
    /* freed before retired: a page that is freed meanwhile is then counted in neither or in both. */
    *freed_bytes += bw_figure(&thread->limbo.freed_bytes);
    stats->freed += bw_figure(&thread->limbo.freed);
    stats->retired += bw_figure(&thread->limbo.retired);
    *retired_bytes += bw_figure(&thread->limbo.retired_bytes);
    stats->bytes_live += bw_pool_live_bytes(&thread->pool);
    stats->bytes_reserved += bw_figure(&thread->pool.reserved_bytes);
    stats->threads += bw_figure(&thread->taken);
}

bw_status bw_get_stats(bw_tree *tree, bw_stats *stats) {
    if (stats == NULL)
        return BW_EINVAL;
    memset(stats, 0, sizeof *stats);
    bw_status status = bw_size(tree, &stats->size);
    bw_thread *self;
    if (status == BW_OK)
        status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    uint64_t retired_bytes = 0;
    uint64_t freed_bytes = 0;
    const bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next)
        add_thread(stats, thread, &retired_bytes, &freed_bytes);
    stats->limbo_pages = stats->retired > stats->freed ? stats->retired - stats->freed : 0;
    stats->limbo_bytes = retired_bytes > freed_bytes ? retired_bytes - freed_bytes : 0;
    stats->height = bw_map_load(tree, BW_ROOT)->level + 1U;
    stats->pids_used = bw_figure(&tree->next_pid);
    for (uint64_t pid = 0; pid < stats->pids_used; pid++)
        stats->pages += bw_map_load(tree, (bw_pid)pid) != NULL;
    stats->max_pids = tree->options.max_pids;
    stats->epoch = bw_figure(&tree->epoch);
    stats->oldest_pin_ns = bw_epoch_oldest_pin_ns(tree);
    stats->simd = tree->search->level;
    bw_leave(self);
    (void)pthread_mutex_lock(&tree->worker_mutex);
    stats->worker = tree->worker != NULL;
    (void)pthread_mutex_unlock(&tree->worker_mutex);
    return BW_OK;
}
