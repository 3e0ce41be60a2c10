/* test_forced_races.c: what must be looked at twice. Between the two looks of one call the test does
 * what other threads would have to do in that very moment: it stands before two functions of the engine
 * (cmake/tests.cmake), and steps in at one chosen call of them. */
#include "by_hand.h"

#include <unistd.h>

enum { PATIENCE_S = 60, LEAF_CAPACITY = 8 };

typedef struct intrusion {
    void (*act)(struct intrusion *); /* NULL: none is planned, or it has been */
    const bw_page *page;             /* after this one has been read … */
    unsigned finds;                  /* … or before this many more descents */
    unsigned acts;                   /* how often it has happened, where it may happen again */
    bw_tree *tree;
    bw_thread *self;
    bw_pid left_pid, right_pid;
    uint64_t separator;
    uint64_t near_key, far_key; /* put in this order, the first where the call has been already */
} intrusion;

static intrusion planned;

static void intrude(void) {
    void (*act)(intrusion *) = planned.act;
    planned.act = NULL;
    act(&planned);
}

unsigned __real_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values);
unsigned __wrap_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values);
void __real_bw_find(bw_tree *tree, uint64_t key, unsigned level, bw_found *found);
void __wrap_bw_find(bw_tree *tree, uint64_t key, unsigned level, bw_found *found);

unsigned __wrap_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values) {
    unsigned n = __real_bw_page_range(page, search, slots, low, high, limit, keys, values);
    if (planned.act != NULL && planned.page == page)
        intrude();
    return n;
}

void __wrap_bw_find(bw_tree *tree, uint64_t key, unsigned level, bw_found *found) {
    if (planned.act != NULL && planned.finds > 0 && --planned.finds == 0)
        intrude();
    __real_bw_find(tree, key, level, found);
}

static bw_tree *open_pinned(void) {
    bw_options options = options_of(LEAF_CAPACITY, 4, 8, 4);
    planned = (intrusion){.tree = tree_open(&options)};
    CHECK_OK(bw_enter(planned.tree, &planned.self));
    alarm(PATIENCE_S); /* a search that goes astray may go on for ever */
    return planned.tree;
}

static void close_pinned(void) {
    bw_leave(planned.self);
    CHECK_EQ(planned.act == NULL, true); /* it did happen */
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(bw_consolidate(planned.tree));
    CHECK_EQ(tree_stats(planned.tree).removed, 0);
    tree_free(planned.tree);
    alarm(0);
}

static unsigned entries_of(bw_page *page, uint64_t *keys, uint64_t *values) {
    return bw_page_entries(page, planned.tree->search, bw_log_length(page), keys, values);
}

/* ---- merging by hand ---- */

static void mark_and_remove(intrusion *i, bw_page *parent) {
    CHECK(by_hand_append(i->self, parent, BW_KIND_MARK, i->separator, i->right_pid));
    bw_page *right = bw_map_load(i->tree, i->right_pid);
    CHECK(bw_log_append(right, bw_log_length(right), BW_REMOVE_WORD));
}

/* The right page goes into the left one; its parent goes on naming it. */
static void merge_right_into_left(intrusion *i) {
    bw_page *left = bw_map_load(i->tree, i->left_pid);
    bw_duties duties = {0};
    CHECK(by_hand_append(i->self, left, BW_KIND_MERGE, i->separator, i->right_pid));
    CHECK_OK(bw_consolidate_page(i->self, i->left_pid, left, &duties));
    CHECK_EQ(duties.count, 0); /* both fit one page */
}

/* ---- a root with one child, which is split and merged again ---- */

/* The only child is split in two; the root hears of it; the right half is removed and goes back into
 * the left one, which is alone again while the root still has both. */
static void split_and_merge_again(intrusion *i) {
    bw_page *child = bw_map_load(i->tree, i->left_pid);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = entries_of(child, keys, values);
    i->separator = keys[n / 2];
    i->right_pid =
        by_hand_publish(i->self, child, keys + n / 2, values + n / 2, n - n / 2, i->separator);
    by_hand_replace(i->self, i->left_pid, child, keys, values, n / 2, i->separator, i->right_pid);
    bw_page *root = bw_map_load(i->tree, BW_ROOT);
    CHECK(by_hand_append(i->self, root, BW_KIND_PUT, i->separator, i->right_pid));
    mark_and_remove(i, root);
    merge_right_into_left(i);
    CHECK(bw_page_is_rightmost(bw_map_load(i->tree, i->left_pid)));
}

static void a_child_that_is_alone_again_is_not_collapsed_under_a_root_with_two(void) {
    enum { KEYS = LEAF_CAPACITY - 2 };
    bw_tree *tree = open_pinned();
    intrusion *i = &planned;
    uint64_t keys[KEYS];
    uint64_t values[KEYS];
    for (unsigned k = 0; k < KEYS; k++) {
        keys[k] = 10 * k;
        values[k] = 7 + k;
    }
    bw_page *leaf = bw_map_load(tree, BW_ROOT);
    i->left_pid = by_hand_publish(i->self, leaf, keys, values, KEYS, 0);
    bw_count_size(i->self, KEYS);
    uint64_t low = 0;
    uint64_t child = i->left_pid;
    bw_page *root = bw_page_build(i->self, 1, &low, &child, 1, 0, 0, BW_NO_PID, 0);
    CHECK(root != NULL);
    bw_log_freeze(leaf);
    CHECK(bw_map_install(tree, BW_ROOT, leaf, root));
    bw_epoch_retire(i->self, leaf);
    tree_check(tree, false);

    i->page = root;
    i->act = split_and_merge_again;
    bw_duties duties = {0};
    CHECK_OK(bw_collapse(i->self, &duties));
    CHECK(i->act == NULL);
    /* Otherwise who comes to the removed half looks for the left one, finds that removed, too, and
     * starts again, for ever. */
    CHECK(!bw_page_is_removed(bw_map_load(tree, i->left_pid)));
    for (unsigned k = 0; k < KEYS; k++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(tree, keys[k], &value));
        CHECK_EQ(value, values[k]);
    }
    close_pinned();
}

/* ---- a removed leaf that a search has left ---- */

/* The search has left the removed leaf without an answer. That goes into its left sibling, and gets the
 * nearer key by a thread that came to the sibling directly; only then the key further on is put. */
static void merge_and_put(intrusion *i) {
    merge_right_into_left(i);
    bw_place place;
    i->tree->search->descend(i->tree, i->separator - 1, 0, &place);
    CHECK_EQ(place.pid, i->left_pid);
    CHECK(by_hand_append(i->self, place.page, BW_KIND_PUT, i->near_key, 1));
    bw_count_size(i->self, 1);
    if (i->far_key < i->separator) {
        CHECK(by_hand_append(i->self, place.page, BW_KIND_PUT, i->far_key, 2));
        bw_count_size(i->self, 1);
    } else {
        CHECK_OK(bw_put(i->tree, i->far_key, 2, NULL));
    }
}

/* Some leaves with empty logs under a root; plans for the first two. */
static void plan_for_two_leaves(intrusion *i) {
    bw_tree *tree = i->tree;
    for (uint64_t key = 100; key < 100 + 40 * LEAF_CAPACITY; key += 10)
        CHECK_OK(bw_put(tree, key, key, NULL));
    CHECK_OK(bw_consolidate(tree));
    bw_page *root = bw_map_load(tree, BW_ROOT);
    CHECK_EQ(root->level, 1);
    CHECK_LE(3, root->count);
    i->left_pid = (bw_pid)bw_page_value(root, 0);
    i->right_pid = (bw_pid)bw_page_value(root, 1);
    i->separator = bw_page_key(root, 1);
}

/* Takes entries away from a leaf without a log: two stay, from this one on. */
static void keep_two(intrusion *i, bw_pid pid, unsigned first, uint64_t *keys) {
    bw_page *page = bw_map_load(i->tree, pid);
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = entries_of(page, keys, values);
    CHECK_LE(first + 2, n);
    memmove(keys, keys + first, 2 * sizeof *keys);
    by_hand_replace(i->self, pid, page, keys, values + first, 2, page->high, page->right);
    bw_count_size(i->self, 2 - (int64_t)n);
}

static void a_search_does_not_pass_over_a_key_that_came_with_a_merge(void) {
    for (unsigned up = 0; up < 2; up++) {
        bw_tree *tree = open_pinned();
        intrusion *i = &planned;
        plan_for_two_leaves(i);
        uint64_t keys[BW_MAX_ENTRIES]; /* of the right leaf; none has an answer */
        keep_two(i, i->left_pid, 0, keys);
        keep_two(i, i->right_pid, up != 0 ? 0 : 1, keys);
        uint64_t end = bw_map_load(tree, i->right_pid)->high;
        CHECK_OK(bw_remove(tree, end, NULL));
        mark_and_remove(i, bw_map_load(tree, BW_ROOT));
        tree_check(tree, false);

        uint64_t key = up != 0 ? keys[1] + 1 : keys[0] - 1;
        i->near_key = up != 0 ? keys[1] + 2 : i->separator;
        i->far_key = up != 0 ? end + 1 : i->separator - 1;
        i->finds = 2;
        i->act = merge_and_put;
        uint64_t found = SENTINEL;
        CHECK_OK((up != 0 ? bw_ceiling : bw_floor)(tree, key, &found, NULL));
        CHECK(i->act == NULL);
        CHECK_EQ(found, i->near_key); /* which was there before the other */
        close_pinned();
    }
}

/* ---- a leaf that another thread always consolidates first ---- */

/* Whoever reads the leaf finds it consolidated when it has done so, each time. */
static void consolidate_first(intrusion *i) {
    bw_page *leaf = bw_map_load(i->tree, i->left_pid);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = entries_of(leaf, keys, values);
    by_hand_replace(i->self, i->left_pid, leaf, keys, values, n, leaf->high, leaf->right);
    i->page = bw_map_load(i->tree, i->left_pid);
    i->act = consolidate_first;
    i->acts++;
}

static void a_deletion_does_not_freeze_a_leaf_again_and_again(void) {
    enum { KEYS = LEAF_CAPACITY - 2 };
    bw_tree *tree = open_pinned();
    intrusion *i = &planned;
    for (uint64_t key = 0; key < KEYS; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    i->left_pid = BW_ROOT;
    consolidate_first(i);
    uint64_t removed = 0;
    CHECK_OK(bw_clear(tree, &removed)); /* the alarm rings if it goes on for ever */
    CHECK_EQ(removed, KEYS);
    CHECK_LE(3, i->acts); /* before, at the look, and at the exchange */
    i->act = NULL;
    CHECK_EQ(tree_stats(tree).size, 0);
    tree_check(tree, false);
    close_pinned();
}

CHECK_MAIN({"a_child_that_is_alone_again_is_not_collapsed_under_a_root_with_two",
            a_child_that_is_alone_again_is_not_collapsed_under_a_root_with_two},
           {"a_search_does_not_pass_over_a_key_that_came_with_a_merge",
            a_search_does_not_pass_over_a_key_that_came_with_a_merge},
           {"a_deletion_does_not_freeze_a_leaf_again_and_again",
            a_deletion_does_not_freeze_a_leaf_again_and_again})
