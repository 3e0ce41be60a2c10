/* test_merge.c: a tree that has been large becomes small again, its page ids come back, and it answers
 * like a sorted array all the while. One thread; test_merge_threads.c has many. */
#include "support.h"

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {3, 1, 4, 3},
                                     {4, 4, 4, 3}, {8, 4, 5, 2}, {64, 16, 16, 8}};
enum { SHAPES = sizeof shapes / sizeof *shapes, KEYS = 3000 };

static bw_tree *open_shape(unsigned shape) {
    bw_options options =
        options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
    return tree_open(&options);
}

/* Consolidates and collects until nothing changes any more; the tree is then as small as it gets. */
static bw_stats settle(bw_tree *tree) {
    bw_stats before;
    bw_stats after = tree_stats(tree);
    do {
        before = after;
        CHECK_OK(bw_consolidate(tree));
        CHECK_OK(bw_collect(tree, NULL));
        after = tree_stats(tree);
    } while (after.pages != before.pages);
    tree_check(tree, true);
    CHECK_EQ(after.marked, 0);
    CHECK_EQ(after.removed, 0);
    CHECK_EQ(after.limbo_pages, 0);
    CHECK_EQ(after.pids_used, after.pages + after.pids_free);
    return after;
}

typedef enum how { ASCENDING, DESCENDING, RANDOM, OUTSIDE_IN, HOWS } how;

/* The i-th key to go, out of n (which 2 divides and 7 does not). */
static uint64_t turn(how order, uint64_t i, uint64_t n) {
    switch (order) {
    case ASCENDING: return i;
    case DESCENDING: return n - 1 - i;
    case RANDOM: return (i * 7 + 3) % n;
    default: return i % 2 == 0 ? i / 2 : n - 1 - i / 2;
    }
}

static void a_tree_emptied_in_any_order_is_one_leaf_again(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (how order = ASCENDING; order < HOWS; order++) {
            check_trying("shape %u, order %d", shape, (int)order);
            bw_tree *tree = open_shape(shape);
            for (uint64_t i = 0; i < KEYS; i++)
                CHECK_OK(bw_put(tree, i * 11 % KEYS, i, NULL));
            bw_stats full = tree_stats(tree);
            for (uint64_t i = 0; i < KEYS; i++) {
                CHECK_OK(bw_remove(tree, turn(order, i, KEYS), NULL));
                if (i % 500 == 0)
                    tree_check(tree, true);
            }
            bw_stats empty = settle(tree);
            CHECK_EQ(empty.size, 0);
            CHECK_EQ(empty.pages, 1);
            CHECK_EQ(empty.height, 1);
            /* A page less for each merge, a level less for each collapse, and all page ids back. */
            CHECK_EQ(empty.root_collapses, empty.root_splits);
            CHECK_EQ(empty.merges, empty.splits);
            CHECK_EQ(empty.pids_free, empty.pids_used - 1);
            CHECK_LE(full.pids_used, empty.pids_used);
            CHECK_EQ(empty.merges_lost, 0);
            tree_free(tree);
        }
    }
}

/* Most of the shrinking is done by the removals themselves: nobody has to consolidate for it, unless
 * logs are so long that a leaf runs empty before its log is full. */
static void removals_merge_by_themselves(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        if (shapes[shape][1] > 1 && 4 * shapes[shape][1] > shapes[shape][0])
            continue;
        bw_tree *tree = open_shape(shape);
        for (uint64_t i = 0; i < KEYS; i++)
            CHECK_OK(bw_put(tree, i * 11 % KEYS, i, NULL));
        uint64_t full = tree_stats(tree).pages;
        for (uint64_t i = 0; i < KEYS; i++)
            CHECK_OK(bw_remove(tree, turn(RANDOM, i, KEYS), NULL));
        check_trying("shape %u", shape);
        CHECK_LE(tree_stats(tree).pages, full / 4 + 1);
        tree_free(tree);
    }
}

static void growing_and_shrinking_trees_answer_like_a_sorted_array(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_tree *tree = open_shape(shape);
        model m = {0};
        check_random random = check_random_of(shape);
        for (unsigned i = 0; i < 40000; i++) {
            bool shrinks = i / 4000 % 2 == 1;
            uint64_t key = check_below(&random, 2000);
            check_trying("shape %u, step %u, key %" PRIu64, shape, i, key);
            model_write(&m, tree, key, i, check_below(&random, 8) < (shrinks ? 6 : 2));
            if (i % 1000 == 999)
                model_check(&m, tree);
        }
        model_free(&m);
        tree_free(tree);
    }
}

/* Keys come at one end and go at the other: what is left behind is given back. */
static void queue(unsigned shape, bool upwards) {
    enum { LIVE = 60, TURNS = 30000 };
    bw_tree *tree = open_shape(shape);
    uint64_t most_pages = 0;
    uint64_t most_pids = 0;
    for (uint64_t i = 0; i < TURNS; i++) {
        uint64_t in = upwards ? i : UINT64_MAX - i;
        CHECK_OK(bw_insert(tree, in, i, NULL));
        if (i >= LIVE)
            CHECK_OK(bw_remove(tree, upwards ? i - LIVE : UINT64_MAX - (i - LIVE), NULL));
        if (i % 1000 == 999) {
            bw_stats stats = tree_stats(tree);
            uint64_t *pages = i < TURNS / 10 ? &most_pages : NULL;
            if (pages != NULL) {
                most_pages = stats.pages > most_pages ? stats.pages : most_pages;
                most_pids = stats.pids_used;
            }
            CHECK_LE(stats.pages, 2 * LIVE);
            tree_check(tree, true);
        }
    }
    bw_stats stats = tree_stats(tree);
    CHECK_LE(stats.pages, 2 * most_pages);
    CHECK_LE(stats.pids_used, 3 * most_pids); /* after the first tenth hardly any new ones */
    tree_free(tree);
}

static void a_queue_stays_as_small_as_what_is_in_it(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        check_trying("shape %u", shape);
        queue(shape, true);
        queue(shape, false);
    }
}

static void page_ids_of_merged_pages_are_used_again(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_tree *tree = open_shape(shape);
        uint64_t used = 0;
        for (unsigned round = 0; round < 8; round++) {
            for (uint64_t i = 0; i < 500; i++)
                CHECK_OK(bw_put(tree, i * 11 % 500, i, NULL));
            for (uint64_t i = 0; i < 500; i++)
                CHECK_OK(bw_remove(tree, turn(RANDOM, i, 500), NULL));
            bw_stats stats = settle(tree);
            CHECK_EQ(stats.pages, 1);
            if (round == 1)
                used = stats.pids_used;
            if (round > 1)
                CHECK_LE(stats.pids_used, used + used / 8);
        }
        CHECK_LE(used * 4, tree_stats(tree).pids_recycled);
        tree_free(tree);
    }
}

/* Page ids that ran out come back when keys are removed. */
static void a_tree_without_page_ids_takes_writes_again_after_removals(void) {
    for (uint64_t max_pids = 20; max_pids < 100; max_pids += 9) {
        bw_options options = options_of(4, 2, 4, 2);
        options.max_pids = max_pids;
        bw_tree *tree = tree_open(&options);
        model m = {0};
        for (unsigned round = 0; round < 6; round++) {
            bw_status status = BW_OK;
            for (uint64_t key = 0; status == BW_OK; key++) {
                status = bw_put(tree, key * 5, key, NULL);
                if (status == BW_OK)
                    model_put(&m, key * 5, key);
            }
            CHECK_STATUS(status, BW_EPIDS);
            model_check(&m, tree);
            for (unsigned pass = 0; m.count > 0; pass++) {
                CHECK_LT(pass, 4); /* what a full page refused, it takes when others are empty */
                for (size_t i = m.count; i-- > 0;) {
                    uint64_t key = m.keys[i];
                    status = bw_remove(tree, key, NULL);
                    if (status == BW_OK)
                        model_remove(&m, key);
                    else
                        CHECK_STATUS(status, BW_EPIDS);
                }
            }
            model_check(&m, tree);
            CHECK_EQ(settle(tree).pages, 1);
        }
        model_free(&m);
        tree_free(tree);
    }
}

/* ---- when pages merge ---- */

/* Two leaves of capacity 16: keys 1000 … in the left one, 2000 … in the right one. */
static bw_tree *two_leaves(uint32_t threshold, uint64_t left, uint64_t right) {
    bw_options options = options_of(16, 1, 16, 1);
    options.merge_threshold = threshold;
    bw_tree *tree = tree_open(&options);
    for (uint64_t i = 0; i < 16; i++)
        CHECK_OK(bw_put(tree, i < 7 ? 1000 + i : 2000 + i - 7, i, NULL));
    CHECK_OK(bw_put(tree, 1007, 7, NULL)); /* splits in the middle: 8 and 9 */
    for (uint64_t i = left; i < 8; i++)
        CHECK_OK(bw_remove(tree, 1000 + i, NULL));
    for (uint64_t i = 8; i < left; i++)
        CHECK_OK(bw_put(tree, 1000 + i, i, NULL));
    for (uint64_t i = right; i < 9; i++)
        CHECK_OK(bw_remove(tree, 2000 + i, NULL));
    CHECK_EQ(tree_stats(tree).pages, 3);
    return tree;
}

static void a_page_merges_below_the_threshold_and_not_above(void) {
    /* A quarter of 16 is 4: with 4 the right leaf stays, with 3 it goes. */
    bw_tree *tree = two_leaves(25, 5, 6);
    CHECK_OK(bw_remove(tree, 2000, NULL));
    CHECK_OK(bw_remove(tree, 2001, NULL));
    CHECK_EQ(tree_stats(tree).pages, 3);
    CHECK_OK(bw_remove(tree, 2002, NULL));
    CHECK_EQ(tree_stats(tree).pages, 1); /* and the root with its only child, too */
    tree_free(tree);
    /* Threshold 0: only when it is empty. */
    tree = two_leaves(0, 5, 6);
    for (uint64_t key = 2000; key < 2005; key++) {
        CHECK_OK(bw_remove(tree, key, NULL));
        CHECK_EQ(tree_stats(tree).pages, 3);
    }
    CHECK_OK(bw_remove(tree, 2005, NULL));
    CHECK_EQ(tree_stats(tree).pages, 1);
    tree_free(tree);
}

static void pages_that_together_would_be_nearly_full_stay_apart(void) {
    bw_tree *tree = two_leaves(25, 12, 6); /* 12 + 3 > 3/4 of 16 */
    for (uint64_t key = 2000; key < 2005; key++)
        CHECK_OK(bw_remove(tree, key, NULL));
    CHECK_EQ(tree_stats(tree).pages, 3);
    CHECK_OK(bw_remove(tree, 2005, NULL)); /* but an empty leaf goes in any case */
    CHECK_EQ(tree_stats(tree).pages, 1);
    tree_free(tree);
}

/* A page must see many writes between a split and a merge: the two do not undo each other's work. */
static void splits_and_merges_do_not_alternate(void) {
    enum { CAPACITY = 32, TURNS = 20000 };
    bw_options options = options_of(CAPACITY, 4, 8, 4);
    bw_tree *tree = tree_open(&options);
    check_random random = check_random_of(1);
    for (uint64_t i = 0; i < TURNS; i++) { /* around every fill, again and again */
        uint64_t level = i / 40 % (2 * CAPACITY);
        uint64_t key = check_below(&random, level + 1);
        CHECK_DONE(i % 2 == 0 ? bw_put(tree, key * 3, i, NULL) : bw_remove(tree, key * 3, NULL));
    }
    bw_stats stats = tree_stats(tree);
    CHECK_LE(stats.splits + stats.merges, TURNS / (CAPACITY / 4));
    tree_free(tree);
}

static void levels_tell_what_they_hold(void) {
    bw_tree *tree = open_shape(4);
    for (uint64_t i = 0; i < KEYS; i++)
        CHECK_OK(bw_put(tree, i, i, NULL));
    CHECK_OK(bw_consolidate(tree));
    bw_stats stats = tree_stats(tree);
    uint64_t pages = 0;
    uint64_t below = KEYS;
    for (uint32_t level = 0; level < stats.height; level++) {
        bw_level_stats of;
        CHECK_OK(bw_get_level_stats(tree, level, &of));
        CHECK_EQ(of.capacity, level == 0 ? 8 : 5);
        CHECK_EQ(of.entries, below); /* the entries of a level are the pages of the one below */
        CHECK_EQ(of.records + of.marked + of.removed, 0);
        CHECK_LE(of.entries, of.pages * of.capacity);
        pages += of.pages;
        below = of.pages;
    }
    CHECK_EQ(below, 1);
    CHECK_EQ(pages, stats.pages);
    bw_level_stats none;
    CHECK_STATUS(bw_get_level_stats(tree, (uint32_t)stats.height, &none), BW_NOT_FOUND);
    CHECK_STATUS(bw_get_level_stats(tree, 0, NULL), BW_EINVAL);
    tree_free(tree);
}

CHECK_MAIN({"a_tree_emptied_in_any_order_is_one_leaf_again",
            a_tree_emptied_in_any_order_is_one_leaf_again},
           {"removals_merge_by_themselves", removals_merge_by_themselves},
           {"growing_and_shrinking_trees_answer_like_a_sorted_array",
            growing_and_shrinking_trees_answer_like_a_sorted_array},
           {"a_queue_stays_as_small_as_what_is_in_it", a_queue_stays_as_small_as_what_is_in_it},
           {"page_ids_of_merged_pages_are_used_again", page_ids_of_merged_pages_are_used_again},
           {"a_tree_without_page_ids_takes_writes_again_after_removals",
            a_tree_without_page_ids_takes_writes_again_after_removals},
           {"a_page_merges_below_the_threshold_and_not_above",
            a_page_merges_below_the_threshold_and_not_above},
           {"pages_that_together_would_be_nearly_full_stay_apart",
            pages_that_together_would_be_nearly_full_stay_apart},
           {"splits_and_merges_do_not_alternate", splits_and_merges_do_not_alternate},
           {"levels_tell_what_they_hold", levels_tell_what_they_hold})
