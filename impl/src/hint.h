/* hint.h: where the children of an inner page probably are.
 *
 * Between an inner page and its child stands the mapping table, whose entry is a cache miss of its own in a
 * large tree: the child's header, and with it all that is guessed about where in the child a key lies,
 * would have to wait for it. So an inner page has a hint for each entry of its base: what the table held
 * for the child when somebody looked, in 4 bytes. A search starts the loads of that page while it waits
 * for the table's entry, and then goes where the entry says.
 *
 * Hints feed prefetches and nothing else, so a wrong one costs time only. They are filled when the inner page is
 * built, put right by writers that find them old, and read and written relaxed. Whatever they say, no
 * result depends on it: so sanitizers and the explorer need not look at these accesses, and to look would
 * only multiply executions that do not differ.
 *
 *     hint: where the page is in the 4 GiB around the table, in units of BW_PAGE_UNIT (26 bits) |
 *           entries / 4 (6 bits)
 *
 * Systems map memory from above to below, and the table is mapped first: so most of the 4 GiB are below it. What has
 * been unmapped above it is mapped again first: so some are above. Pages that lie elsewhere have no hints.
 */
#ifndef BWTREE_HINT_H
#define BWTREE_HINT_H

#include "tree.h"

enum { BW_HINT_COUNT_BITS = 6, BW_HINT_COUNT_UNIT = 4, BW_HINT_GIB_BELOW = 3 };

#define BW_UNSEEN __attribute__((no_sanitize("thread")))

/* The one atomic that is not of 64 bits: lock-free wherever those are. */
typedef _Atomic uint32_t bw_hint;

BW_UNSEEN static inline uint32_t bw_hint_load(const bw_hint *hint) {
    return atomic_load_explicit((bw_hint *)hint, memory_order_relaxed);
}

BW_UNSEEN static inline void bw_hint_store(bw_hint *hint, uint32_t value) {
    atomic_store_explicit(hint, value, memory_order_relaxed);
}

/* The entry of a page id, for a hint only. */
BW_UNSEEN static inline uint64_t bw_map_peek(const bw_tree *tree, bw_pid pid) {
    return atomic_load_explicit(&tree->map[pid], memory_order_relaxed);
}

/* A slot of a log, likewise. */
BW_UNSEEN static inline uint64_t bw_hint_slot(const bw_page *page, unsigned i) {
    return atomic_load_explicit((_Atomic uint64_t *)&page->log[i], memory_order_relaxed);
}

static inline bw_hint *bw_page_hints(const bw_tree *tree, const bw_page *page) {
    return (bw_hint *)((char *)page + tree->hints_at);
}

static inline uint64_t bw_hint_origin(const bw_tree *tree) {
    return ((uint64_t)(uintptr_t)tree->map & ~(uint64_t)(BW_PAGE_UNIT - 1)) -
           ((uint64_t)BW_HINT_GIB_BELOW << 30);
}

/* Such a word as the mapping table's, with the page that the hint means and about as many entries. */
static inline uint64_t bw_hint_word(const bw_tree *tree, uint32_t hint) {
    const uint64_t units = hint >> BW_HINT_COUNT_BITS;
    const uint64_t count = (uint64_t)(hint & ((1U << BW_HINT_COUNT_BITS) - 1)) * BW_HINT_COUNT_UNIT;
    return (bw_hint_origin(tree) + units * BW_PAGE_UNIT) | count << BW_MAP_COUNT_SHIFT;
}

/* The hint of such a word; 0, which means no page, if it does not fit. */
static inline uint32_t bw_hint_of(const bw_tree *tree, uint64_t word) {
    const uint64_t most = (1U << BW_HINT_COUNT_BITS) - 1;
    const uint64_t count = (word >> BW_MAP_COUNT_SHIFT) / BW_HINT_COUNT_UNIT;
    const uint64_t page = (uint64_t)(uintptr_t)bw_map_word_page(word);
    const uint64_t units = (page - bw_hint_origin(tree)) / BW_PAGE_UNIT;
    const uint32_t hint =
        (uint32_t)(units << BW_HINT_COUNT_BITS) | (uint32_t)(count < most ? count : most);
    return bw_map_word_page(bw_hint_word(tree, hint)) == bw_map_word_page(word) ? hint : 0;
}

#endif
