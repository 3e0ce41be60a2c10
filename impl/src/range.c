/* range.c: what concerns many keys without a cursor: count, size. */
#include "tree.h"

bw_status bw_count(bw_tree *tree, uint64_t low, uint64_t high, uint64_t *count) {
    if (count == NULL)
        return BW_EINVAL;
    *count = 0;
    bw_thread *self;
    bw_status status;
    uint64_t total = 0;
    uint64_t key = low;
    for (bool more = true; more;) {
        status = bw_enter(tree, &self); /* a pin a leaf, so that reclamation goes on */
        if (status != BW_OK)
            return status;
        if (low <= high) {
            uint64_t keys[BW_MAX_ENTRIES];
            uint64_t values[BW_MAX_ENTRIES];
            bw_found place;
            bw_find(tree, key, 0, &place);
            unsigned n = bw_page_entries(place.page, tree->search, place.slots, keys, values);
            for (unsigned i = 0; i < n; i++)
                total += keys[i] >= key && keys[i] <= high;
            more = !bw_page_is_rightmost(place.page) && place.page->high <= high;
            key = place.page->high;
        } else {
            more = false;
        }
        bw_leave(self);
    }
    *count = total;
    return BW_OK;
}

bw_status bw_size(bw_tree *tree, uint64_t *size) {
    if (size == NULL)
        return BW_EINVAL;
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    int64_t total = 0;
    const bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next)
        total += atomic_load_explicit(&thread->figures.size, memory_order_relaxed);
    bw_leave(self);
    /* A removal may be counted before the insertion that it undid was: never negative. */
    *size = total > 0 ? (uint64_t)total : 0;
    return BW_OK;
}
