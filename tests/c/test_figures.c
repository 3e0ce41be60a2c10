/* test_figures.c: what the figures say in moments that only other threads bring about. Who loses the exchange of
 * a page counts it, and leaves nothing behind: what the winner does the test does, from inside the loser's
 * call, at an allocation of its. */
#include "by_hand.h"

enum { CAPACITY = 16, LOG = 16, STEP = 10 };

typedef struct scene {
    bw_tree *tree;
    bw_thread *self;
    void (*act)(struct scene *); /* what the winner does; NULL: nothing, or done */
    bw_pid pid;                  /* of the page that both want to replace */
    bw_page *page;
} scene;

static scene planned;

static void *alloc_after_the_winner(void *context, size_t size, size_t alignment) {
    void (*act)(scene *) = planned.act;
    planned.act = NULL;
    if (act != NULL)
        act(&planned);
    return plain_alloc(context, size, alignment);
}

/* A tree with these keys, 0, STEP, ...; the caller is pinned. */
static void open_scene(unsigned keys) {
    bw_options options = options_of(CAPACITY, LOG, CAPACITY, LOG / 2);
    options.pooling = false; /* so that each page is one call of the allocator */
    options.allocator = (bw_allocator){alloc_after_the_winner, plain_release, NULL};
    planned = (scene){.tree = tree_open(&options)};
    for (uint64_t key = 0; key < keys; key++)
        CHECK_OK(bw_put(planned.tree, STEP * key, key, NULL));
    CHECK_OK(bw_enter(planned.tree, &planned.self));
}

/* The leaf that both want to replace: the first one. */
static void choose_first_leaf(void) {
    bw_place place;
    planned.tree->search->descend(planned.tree, 0, 0, &place);
    planned.pid = place.pid;
    planned.page = place.page;
}

/* One exchange was won and one lost, and no page or page id was. */
static void close_scene(const bw_stats *before) {
    CHECK(planned.act == NULL); /* it did happen */
    const bw_stats after = tree_stats(planned.tree);
    CHECK_EQ(after.consolidations_lost, before->consolidations_lost + 1);
    CHECK_EQ(after.consolidations, before->consolidations + 1);
    bw_leave(planned.self);
    CHECK_OK(bw_consolidate(planned.tree));
    tree_free(planned.tree);
}

static void replace_it(scene *s) {
    bw_duties duties = {0};
    bw_log_freeze(s->page);
    CHECK_OK(bw_consolidate_page(s->self, s->pid, s->page, &duties));
    CHECK(bw_map_load(s->tree, s->pid) != s->page);
    bw_do_duties(s->self, &duties);
}

/* Freezes and replaces the chosen page, which somebody else does first. */
static void lose_a_consolidation(void) {
    const bw_stats before = tree_stats(planned.tree);
    bw_duties duties = {0};
    bw_log_freeze(planned.page);
    planned.act = replace_it;
    CHECK_OK(bw_consolidate_page(planned.self, planned.pid, planned.page, &duties));
    CHECK_EQ(duties.count, 0); /* they are the winner's */
    close_scene(&before);
}

static void a_lost_consolidation_is_counted(void) {
    open_scene(CAPACITY / 2);
    choose_first_leaf();
    lose_a_consolidation();
}

/* Puts keys into the chosen leaf until it must be split. */
static void overfill(void) {
    for (uint64_t key = 1; bw_log_length(planned.page) + planned.page->count <= CAPACITY; key++)
        CHECK(by_hand_append(planned.self, planned.page, BW_KIND_PUT, key, key));
    bw_count_size(planned.self, bw_log_length(planned.page));
}

static void a_lost_split_of_the_root_is_counted(void) {
    open_scene(0);
    choose_first_leaf();
    CHECK_OK(bw_put(planned.tree, 1000, 0, NULL));
    CHECK_OK(bw_put(planned.tree, 2000, 0, NULL));
    bw_log_freeze(planned.page);
    bw_duties duties = {0};
    CHECK_OK(bw_consolidate_page(planned.self, planned.pid, planned.page, &duties));
    choose_first_leaf();
    CHECK_EQ(planned.pid, BW_ROOT);
    overfill();
    lose_a_consolidation();
}

static void a_lost_split_is_counted(void) {
    open_scene(3 * CAPACITY);
    choose_first_leaf();
    CHECK(planned.pid != BW_ROOT);
    bw_log_freeze(planned.page);
    bw_duties duties = {0};
    CHECK_OK(bw_consolidate_page(planned.self, planned.pid, planned.page, &duties));
    choose_first_leaf();
    overfill();
    lose_a_consolidation();
}

static void a_lost_run_of_puts_is_counted(void) {
    enum { RUN = 8 };
    open_scene(CAPACITY / 2);
    choose_first_leaf();
    const bw_stats before = tree_stats(planned.tree);
    uint64_t keys[RUN];
    for (uint64_t i = 0; i < RUN; i++)
        keys[i] = 1 + i;
    size_t run;
    size_t fresh;
    planned.act = replace_it;
    CHECK_EQ(bw_put_run(planned.self, keys, keys, RUN, &run, &fresh), 0);
    close_scene(&before);
}

static void a_lost_clearing_of_a_leaf_is_counted(void) {
    open_scene(CAPACITY / 2);
    choose_first_leaf();
    const bw_stats before = tree_stats(planned.tree);
    planned.act = replace_it;
    uint64_t removed = SENTINEL;
    CHECK_OK(bw_delete_range(planned.tree, 0, UINT64_MAX, &removed));
    CHECK_EQ(removed, CAPACITY / 2);
    CHECK(planned.act == NULL);
    const bw_stats after = tree_stats(planned.tree);
    CHECK_EQ(after.consolidations_lost, before.consolidations_lost + 1);
    bw_leave(planned.self);
    tree_free(planned.tree);
}

/* Two leaves are united by two threads. */
static void unite(scene *s) {
    bw_duties duties = {0};
    CHECK_OK(bw_merge_install(s->self, s->pid, s->page, &duties));
    CHECK(bw_map_load(s->tree, s->pid) != s->page);
}

static void a_lost_union_is_counted(void) {
    open_scene(3 * CAPACITY);
    bw_tree *tree = planned.tree;
    bw_page *root = bw_map_load(tree, BW_ROOT);
    CHECK_EQ(root->level, 1);
    const uint64_t separator = bw_page_key(root, 1);
    const bw_pid right_pid = (bw_pid)bw_page_value(root, 1);
    bw_page *right = bw_map_load(tree, right_pid);
    choose_first_leaf();
    CHECK_EQ(planned.page->high, separator);
    CHECK(by_hand_append(planned.self, root, BW_KIND_MARK, separator, right_pid));
    CHECK(bw_log_append(right, bw_log_length(right), BW_REMOVE_WORD));
    CHECK(by_hand_append(planned.self, planned.page, BW_KIND_MERGE, separator, right_pid));
    const bw_stats before = tree_stats(tree);
    bw_duties duties = {0};
    planned.act = unite;
    CHECK_OK(bw_merge_install(planned.self, planned.pid, planned.page, &duties));
    CHECK_EQ(duties.count, 0);
    close_scene(&before);
}

/* A mark counts as long as it is the last word about its entry, in the base or in the log. */
static void what_was_marked_and_is_no_more_is_not_counted(void) {
    open_scene(3 * CAPACITY);
    bw_tree *tree = planned.tree;
    bw_page *root = bw_map_load(tree, BW_ROOT);
    bw_duties duties = {0};
    bw_log_freeze(root);
    CHECK_OK(bw_consolidate_page(planned.self, BW_ROOT, root, &duties));
    root = bw_map_load(tree, BW_ROOT);
    CHECK_EQ(bw_log_length(root), 0);
    const uint64_t separator = bw_page_key(root, 1);
    const bw_pid pid = (bw_pid)bw_page_value(root, 1);
    bw_level_stats inner;
    CHECK_OK(bw_get_level_stats(tree, 1, &inner));
    CHECK_EQ(inner.marked, 0);
    CHECK(by_hand_append(planned.self, root, BW_KIND_MARK, separator, pid));
    CHECK_OK(bw_get_level_stats(tree, 1, &inner));
    CHECK_EQ(inner.marked, 1);
    CHECK(by_hand_append(planned.self, root, BW_KIND_PUT, separator, pid));
    CHECK_OK(bw_get_level_stats(tree, 1, &inner));
    CHECK_EQ(inner.marked, 0);
    CHECK_EQ(inner.records, 2);

    uint64_t *value = ((bw_block *)bw_page_blocks(root))->values + 1;
    *value |= BW_MARKED;
    CHECK_OK(bw_get_level_stats(tree, 1, &inner));
    CHECK_EQ(inner.marked, 0); /* the log says otherwise */
    for (unsigned i = 0; i < 2; i++) {
        bw_record_release(planned.self, bw_word_record(bw_slot(root, i)));
        atomic_store(&root->log[i], 0);
    }
    CHECK_OK(bw_get_level_stats(tree, 1, &inner));
    CHECK_EQ(inner.marked, 1);
    CHECK_EQ(tree_stats(tree).marked, 1);
    *value &= ~BW_MARKED;
    bw_leave(planned.self);
    tree_free(tree);
}

/* One thread has counted away what another has not yet counted in. */
static void a_sum_that_is_below_zero_for_a_moment_is_none(void) {
    open_scene(CAPACITY);
    _Atomic uint64_t *reserved = &planned.self->pool.reserved_bytes;
    const uint64_t bytes = atomic_load(reserved);
    const bw_stats before = tree_stats(planned.tree);
    CHECK(before.bytes_reserved >= bytes);
    atomic_store(reserved, bytes - before.bytes_reserved - 1);
    CHECK_EQ(tree_stats(planned.tree).bytes_reserved, 0);
    atomic_store(reserved, bytes - before.bytes_reserved + 1);
    CHECK_EQ(tree_stats(planned.tree).bytes_reserved, 1);
    atomic_store(reserved, bytes);
    bw_leave(planned.self);
    tree_free(planned.tree);
}

CHECK_MAIN({"a_lost_consolidation_is_counted", a_lost_consolidation_is_counted},
           {"a_lost_split_of_the_root_is_counted", a_lost_split_of_the_root_is_counted},
           {"a_lost_split_is_counted", a_lost_split_is_counted},
           {"a_lost_run_of_puts_is_counted", a_lost_run_of_puts_is_counted},
           {"a_lost_clearing_of_a_leaf_is_counted", a_lost_clearing_of_a_leaf_is_counted},
           {"a_lost_union_is_counted", a_lost_union_is_counted},
           {"what_was_marked_and_is_no_more_is_not_counted",
            what_was_marked_and_is_no_more_is_not_counted},
           {"a_sum_that_is_below_zero_for_a_moment_is_none",
            a_sum_that_is_below_zero_for_a_moment_is_none})
