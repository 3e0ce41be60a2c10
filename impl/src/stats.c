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
    stats->merges += bw_figure(&thread->figures.merges);
    stats->merges_lost += bw_figure(&thread->figures.merges_lost);
    stats->root_collapses += bw_figure(&thread->figures.root_collapses);
    stats->pids_recycled += bw_figure(&thread->figures.pids_recycled);
    stats->bytes_written += bw_figure(&thread->figures.page_bytes);
    /* freed before retired: a page that is freed meanwhile is then counted in neither or in both. */
    *freed_bytes += bw_figure(&thread->limbo.freed_bytes);
    stats->freed += bw_figure(&thread->limbo.freed);
    stats->retired += bw_figure(&thread->limbo.retired);
    *retired_bytes += bw_figure(&thread->limbo.retired_bytes);
    stats->threads += bw_figure(&thread->taken) == BW_TAKEN_BY_THREAD;
}

/* The threads' figures are added modulo 2^64. One thread may already have counted away what another had
 * not yet counted in when it was asked: a sum below 0 is none. */
static uint64_t none_if_negative(uint64_t sum) {
    return sum > INT64_MAX ? 0 : sum;
}

void bw_memory_bytes(const bw_tree *tree, uint64_t *reserved, uint64_t *live) {
    *reserved = 0;
    *live = 0;
    const bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next) {
        *reserved += bw_figure(&thread->pool.reserved_bytes);
        *live += bw_pool_live_bytes(&thread->pool);
    }
    *reserved = none_if_negative(*reserved);
    *live = none_if_negative(*live);
}

/* What the page says of itself, by its base and what its log has now. */
static void add_page(bw_level_stats *stats, const bw_page *page) {
    unsigned slots = bw_log_length(page);
    stats->pages++;
    stats->entries += page->count;
    stats->records += slots;
    stats->removed += slots > 0 && bw_slot(page, slots - 1) == BW_REMOVE_WORD;
    for (unsigned i = 0; page->level > 0 && i < page->count; i++)
        stats->marked += (bw_page_value(page, i) & BW_MARKED) != 0 &&
                         bw_log_latest(page, slots, bw_page_key(page, i)) == 0;
    for (unsigned i = 0; page->level > 0 && i < slots; i++) {
        uint64_t word = bw_slot(page, i);
        stats->marked += bw_word_kind(word) == BW_KIND_MARK &&
                         bw_log_latest(page, slots, bw_word_record(word)->key) == word;
    }
}

bw_status bw_get_level_stats(bw_tree *tree, uint32_t level, bw_level_stats *stats) {
    if (stats == NULL)
        return BW_EINVAL;
    memset(stats, 0, sizeof *stats);
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    status = BW_NOT_FOUND;
    /* A level that is there has pages, but they may move to page ids already passed, when the root is
     * split or collapses: then the figures of none are not taken for an answer. */
    while (stats->pages == 0 && level <= bw_map_load(tree, BW_ROOT)->level) {
        for (uint64_t pid = 0; pid < bw_figure(&tree->next_pid); pid++) {
            const bw_page *page = bw_map_load(tree, (bw_pid)pid);
            if (bw_map_is_page(page) && page->level == level)
                add_page(stats, page);
        }
    }
    if (stats->pages > 0) {
        stats->capacity = level == 0 ? tree->options.leaf_capacity : tree->options.inner_capacity;
        status = BW_OK;
    }
    bw_leave(self);
    return status;
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
    stats->bytes_written +=
        (stats->appends + stats->posts) * (sizeof(bw_record) + sizeof(uint64_t));
    bw_memory_bytes(tree, &stats->bytes_reserved, &stats->bytes_live);
    stats->limbo_pages = stats->retired > stats->freed ? stats->retired - stats->freed : 0;
    stats->limbo_bytes = retired_bytes > freed_bytes ? retired_bytes - freed_bytes : 0;
    stats->height = bw_map_load(tree, BW_ROOT)->level + 1U;
    stats->pids_used = bw_figure(&tree->next_pid);
    bw_level_stats all = {0};
    for (uint64_t pid = 0; pid < stats->pids_used; pid++) {
        const bw_page *page = bw_map_load(tree, (bw_pid)pid);
        if (bw_map_is_page(page))
            add_page(&all, page);
        stats->pids_free += ((uintptr_t)page & 1) != 0;
    }
    stats->pages = all.pages;
    stats->marked = all.marked;
    stats->removed = all.removed;
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
