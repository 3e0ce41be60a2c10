/* test_hints.c: inner pages know where their children are, whichever of a process's trees it is.
 *
 * No answer depends on a hint (hint.h), so nothing but time would show that they have come to nothing. */
#define _GNU_SOURCE
#include "support.h"

#include "hint.h"
#include "tree.h"

#include <sys/mman.h>

enum { KEYS = 20000, GAP = 64 << 20 };

static void fill(bw_tree *tree) {
    /* The second time, writers put old hints right: each but those of leaves that were replaced last. */
    for (unsigned round = 0; round < 2; round++)
        for (uint64_t i = 0; i < KEYS; i++)
            CHECK_LE(0, bw_put(tree, i * UINT64_C(0x9E3779B97F4A7C15), i, NULL));
}

/* In how many of 100 entries of inner pages the hint names the child's page. */
static unsigned right_of_100(bw_tree *tree) {
    const bw_pid end = (bw_pid)atomic_load_explicit(&tree->next_pid, memory_order_relaxed);
    unsigned entries = 0;
    unsigned right = 0;
    for (bw_pid pid = 0; pid < end; pid++) {
        const bw_page *page = bw_map_load(tree, pid);
        if (!bw_map_is_page(page) || page->level == 0)
            continue;
        for (unsigned i = 0; i < page->count; i++) {
            const uint32_t hint = bw_hint_load(&bw_page_hints(tree, page)[i]);
            const bw_page *child = bw_map_load(tree, (bw_pid)bw_page_value(page, i));
            entries++;
            right += hint != 0 && bw_map_word_page(bw_hint_word(tree, hint)) == child;
        }
    }
    CHECK_LT(50, entries);
    return 100 * right / entries;
}

static void every_tree_of_a_process_has_hints(void) {
    /* What is unmapped above the second tree's table is where the system puts its first chunks. */
    void *gap = mmap(NULL, GAP, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(gap != MAP_FAILED);
    bw_options options = options_of(64, 8, 64, 2);
    bw_tree *trees[3];
    trees[0] = tree_open(&options);
    fill(trees[0]);
    trees[1] = tree_open(&options);
    CHECK_EQ(munmap(gap, GAP), 0);
    fill(trees[1]);
    trees[2] = tree_open(&options);
    fill(trees[2]);
    for (unsigned i = 0; i < 3; i++) {
        check_trying("tree %u", i);
        CHECK_LE(70, right_of_100(trees[i]));
        tree_free(trees[i]);
    }
}

static void a_page_out_of_reach_has_no_hint(void) {
    bw_options options = options_tiny();
    bw_tree *tree = tree_open(&options);
    const uint64_t table = (uint64_t)(uintptr_t)tree->map & ~(uint64_t)(BW_PAGE_UNIT - 1);
    const uint64_t gib = UINT64_C(1) << 30;
    const uint64_t count = UINT64_C(200) << BW_MAP_COUNT_SHIFT;
    CHECK_EQ(bw_hint_word(tree, bw_hint_of(tree, (table + gib / 2) | count)),
             (table + gib / 2) | count);
    CHECK_EQ(bw_hint_word(tree, bw_hint_of(tree, (table - 2 * gib) | count)),
             (table - 2 * gib) | count);
    CHECK_EQ(bw_hint_of(tree, (table + gib) | count), 0);
    CHECK_EQ(bw_hint_of(tree, (table - 4 * gib) | count), 0);
    tree_free(tree);
}

CHECK_MAIN({"every_tree_of_a_process_has_hints", every_tree_of_a_process_has_hints},
           {"a_page_out_of_reach_has_no_hint", a_page_out_of_reach_has_no_hint})
