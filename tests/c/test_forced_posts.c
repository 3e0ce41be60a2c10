/* test_forced_posts.c: a split whose separator is posted late, when the page has been merged meanwhile or is
 * being merged. What other threads do in that very moment the test does, from inside the call: at its
 * allocation of a record, or between its way down and its look at the leaf's log. */
#include "by_hand.h"

#include <unistd.h>

enum { PATIENCE_S = 10, KEYS = 12, STEP = 10 };

typedef struct scene {
    bw_tree *tree;
    bw_thread *self;
    bw_duty missing; /* the separator that the root lacks */
    void (*act)(
        struct scene *); /* what others do in the moment that is chosen; NULL: nothing, or done */
    bool while_writing;  /* that moment is in a write, not at an allocation */
} scene;

static scene planned;

static void intrude(void) {
    void (*act)(scene *) = planned.act;
    planned.act = NULL;
    act(&planned);
}

/* ---- the two moments ---- */

static void *alloc_late(void *context, size_t size, size_t alignment) {
    if (planned.act != NULL && !planned.while_writing)
        intrude();
    return plain_alloc(context, size, alignment);
}

static const bw_search *usual;

static const uint64_t *seek_slowly(bw_tree *tree, uint64_t key, bool value, bw_place *place,
                                   bw_scan *scan) {
    if (planned.act == NULL)
        return usual->seek(tree, key, value, place, scan);
    usual->descend(tree, key, 0, place);
    intrude();
    return usual->look(place->page, key, scan);
}

/* ---- a leaf that its parent does not name ---- */

/* Two leaves and more under a root; one of them is split without telling the root. The caller is pinned. */
static void open_scene(void) {
    bw_options options = options_of(8, 4, 8, 4);
    options.pooling = false; /* so that each record is one call of the allocator */
    options.allocator = (bw_allocator){alloc_late, plain_release, NULL};
    planned = (scene){.tree = tree_open(&options)};
    bw_tree *tree = planned.tree;
    for (uint64_t key = 0; key < KEYS; key++)
        CHECK_OK(bw_put(tree, STEP * key, key, NULL));
    CHECK_OK(bw_consolidate(tree));
    CHECK_OK(bw_enter(tree, &planned.self));
    alarm(PATIENCE_S); /* a call that goes astray may go on for ever */
    const bw_page *root = bw_map_load(tree, BW_ROOT);
    CHECK_EQ(root->level, 1);
    const bw_pid pid = (bw_pid)bw_page_value(root, 0);
    bw_page *leaf = bw_map_load(tree, pid);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    const unsigned n = bw_page_entries(leaf, tree->search, bw_log_length(leaf), keys, values);
    const unsigned left = n / 2;
    const bw_pid right =
        by_hand_publish(planned.self, leaf, keys + left, values + left, n - left, keys[left]);
    by_hand_replace(planned.self, pid, leaf, keys, values, left, keys[left], right);
    planned.missing =
        (bw_duty){.separator = keys[left], .pid = right, .level = 1, .kind = BW_DUTY_POST};
    tree_check(tree, false);
}

static void close_scene(void) {
    CHECK(planned.act == NULL); /* it did happen */
    for (uint64_t key = 0; key < KEYS; key++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(planned.tree, STEP * key, &value));
        CHECK_EQ(value, key);
    }
    bw_leave(planned.self);
    CHECK_OK(bw_consolidate(planned.tree));
    tree_free(planned.tree); /* which checks that each page that is named is alive */
    alarm(0);
}

/* ---- claims ---- */

static void post_and_merge(scene *s) {
    bw_duties duties = {0};
    CHECK_OK(bw_post(s->self, s->missing, &duties));
    CHECK_OK(bw_merge_start(s->self, s->missing, true, &duties));
    CHECK(bw_page_is_tombstone(bw_map_load(s->tree, s->missing.pid)));
}

static void a_post_that_loses_its_slot_asks_again_whether_the_page_is_alive(void) {
    open_scene();
    planned.act = post_and_merge;
    const uint64_t lost = tree_stats(planned.tree).appends_lost;
    bw_duties duties = {0};
    CHECK_OK(bw_post(planned.self, planned.missing, &duties));
    CHECK_EQ(tree_stats(planned.tree).appends_lost, lost + 1);
    close_scene();
}

/* The root hears of the page; its merge begins: it is marked and removed. */
static void post_and_remove(scene *s) {
    bw_duties duties = {0};
    CHECK_OK(bw_post(s->self, s->missing, &duties));
    bw_page *root = bw_map_load(s->tree, BW_ROOT);
    CHECK(by_hand_append(s->self, root, BW_KIND_MARK, s->missing.separator, s->missing.pid));
    bw_page *page = bw_map_load(s->tree, s->missing.pid);
    CHECK(bw_log_append(page, bw_log_length(page), BW_REMOVE_WORD));
}

static void who_came_by_an_old_view_of_the_parent_does_not_take_a_merge_for_finished(void) {
    open_scene();
    planned.act = post_and_remove;
    planned.while_writing = true;
    usual = planned.tree->search;
    bw_search slow = *usual;
    slow.seek = seek_slowly;
    planned.tree->search = &slow;
    const uint64_t key = planned.missing.separator;
    uint64_t seen = SENTINEL;
    CHECK_OK(bw_update(planned.tree, key, key / STEP, &seen));
    CHECK_EQ(seen, key / STEP);
    planned.tree->search = usual;
    close_scene();
}

CHECK_MAIN({"a_post_that_loses_its_slot_asks_again_whether_the_page_is_alive",
            a_post_that_loses_its_slot_asks_again_whether_the_page_is_alive},
           {"who_came_by_an_old_view_of_the_parent_does_not_take_a_merge_for_finished",
            who_came_by_an_old_view_of_the_parent_does_not_take_a_merge_for_finished})
