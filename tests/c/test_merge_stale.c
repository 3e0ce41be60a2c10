/* test_merge_stale.c: a removed page that has gone into its left sibling is not believed any more, by any
 * kind of read, even if the thread that merged it never comes to delete its entry in the parent.
 *
 * Such a state is made by memory that runs out just there. That the map then changes without passing
 * the removed page takes a thread that was slow between two loads; its writes are done by hand here. Nor is a
 * leaf taken for the parent that was there before the tree became lower. */
#include "by_hand.h"

#include <unistd.h>

static const uint32_t shapes[][4] = {
    {4, 2, 4, 3}, {4, 4, 3, 2}, {8, 4, 5, 2}, {2, 1, 4, 3}, {2, 2, 5, 4}};
enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    KEYS = 120,
    PATIENCE_S = 60,
    STRIDE = CHECK_SANITIZED ? 4 : 1, /* of the removals, one in so many is tried */
};

typedef struct scene {
    bw_tree *tree;
    bw_thread *self;
    meter meter;
} scene;

/* A page of the level that is removed, mapped, and no longer named by the page on its left. */
static bool find_stale(bw_tree *tree, unsigned level, bw_pid *stale) {
    uint64_t used = tree_stats(tree).pids_used;
    for (bw_pid pid = 1; pid < used; pid++) {
        const bw_page *page = bw_map_load(tree, pid);
        if (!bw_map_is_page(page) || page->level != level || page->low == 0 ||
            !bw_page_is_removed(page))
            continue;
        bw_found left;
        bw_find(tree, page->low - 1, level, &left);
        *stale = pid;
        if (left.page->right != pid)
            return true;
    }
    return false;
}

/* Fills a tree and removes keys; in the last removal no allocation succeeds from the n-th on. Does that
 * leave such a page? */
static bool make_stale(scene *s, unsigned shape, unsigned step, unsigned level, unsigned at,
                       unsigned n, bw_pid *stale) {
    bw_options options =
        options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
    options = options_metered(options, &s->meter);
    s->tree = tree_open(&options);
    for (uint64_t i = 0; i < KEYS; i++)
        CHECK_OK(bw_put(s->tree, i * 7 % KEYS * 10, i, NULL));
    for (uint64_t i = 0; i < at; i++)
        CHECK_OK(bw_remove(s->tree, i * step % KEYS * 10, NULL));
    meter_fail_nth(&s->meter, n);
    atomic_store(&s->meter.fail_end, UINT64_MAX); /* and all that follow */
    bw_status status = bw_remove(s->tree, (uint64_t)at * step % KEYS * 10, NULL);
    CHECK(status == BW_OK || status == BW_ENOMEM);
    meter_fail_none(&s->meter);
    return find_stale(s->tree, level, stale);
}

static void scene_close(scene *s) {
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(bw_consolidate(s->tree));
    CHECK_OK(bw_collect(s->tree, NULL));
    CHECK_EQ(tree_stats(s->tree).removed, 0);
    tree_free(s->tree);
    meter_check_empty(&s->meter);
}

static bool put_by_hand(const scene *s, bw_page *page, uint64_t key, uint64_t value) {
    return by_hand_append(s->self, page, BW_KIND_PUT, key, value);
}

static void check_all_reads(bw_tree *tree, uint64_t key, uint64_t value) {
    uint64_t k = SENTINEL;
    uint64_t v = SENTINEL;
    bool present = false;
    CHECK_OK(bw_get(tree, key, &v));
    CHECK_EQ(v, value);
    uint64_t keys[3] = {key, key, key};
    uint64_t values[3] = {0};
    size_t hits = 0;
    CHECK_OK(bw_get_many(tree, keys, 3, values, NULL, &hits));
    CHECK_EQ(hits, 3);
    CHECK_EQ(values[2], value);
    CHECK_OK(bw_get_many(tree, keys, 1, &v, &present, NULL));
    CHECK(present && v == value);
    CHECK_OK(bw_floor(tree, key, &k, &v));
    CHECK(k == key && v == value);
    CHECK_OK(bw_ceiling(tree, key, &k, &v));
    CHECK(k == key && v == value);
    CHECK_OK(bw_higher(tree, key - 1, &k, &v));
    CHECK(k == key && v == value);
    CHECK_OK(bw_count(tree, key, key, &v));
    CHECK_EQ(v, 1);
    bw_cursor *cursor;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    CHECK_OK(bw_cursor_seek(cursor, key));
    CHECK_OK(bw_cursor_next(cursor, &k, &v));
    CHECK(k == key && v == value);
    CHECK_OK(bw_cursor_prev(cursor, &k, &v));
    CHECK(k == key && v == value);
    bw_cursor_free(cursor);
    tree_check(tree, true);
}

/* Tries every removal and every allocation to fail from; `test` says whether it could use the state. */
static void for_each_stale(unsigned level, bool (*test)(scene *, bw_pid)) {
    unsigned tested = 0;
    for (unsigned i = 0; i < SHAPES * 3; i++) {
        static const unsigned steps[] = {1, 11, KEYS - 1}; /* up, mixed, down */
        unsigned shape = i / 3;
        unsigned step = steps[i % 3];
        for (unsigned at = i % STRIDE; at < KEYS; at += STRIDE) {
            for (unsigned n = 1; n < 30; n++) {
                scene s;
                bw_pid stale;
                alarm(PATIENCE_S); /* a read that believes such a page may search for ever */
                check_trying("shape %u, step %u, removal %u, allocation %u", shape, step, at, n);
                bool made = make_stale(&s, shape, step, level, at, n, &stale);
                bool failed = atomic_load(&s.meter.failed) > 0;
                if (made) {
                    CHECK_OK(bw_enter(s.tree, &s.self));
                    tested += test(&s, stale);
                    bw_leave(s.self);
                }
                scene_close(&s);
                if (!failed)
                    break;
            }
        }
    }
    CHECK_LE(5, tested);
    alarm(0);
}

/* A key of the merged leaf's range is put into the leaf that took it in. */
static bool write_behind_a_leaf(scene *s, bw_pid stale) {
    const bw_page *removed = bw_map_load(s->tree, stale);
    bw_found now;
    bw_find(s->tree, removed->low, 0, &now);
    CHECK(now.page != removed);
    uint64_t key = removed->low + 1; /* of the test's keys, none is this one */
    if (!put_by_hand(s, now.page, key, 777))
        return false;
    bw_count_size(s->self, 1);
    check_all_reads(s->tree, key, 777);
    uint64_t seen = SENTINEL; /* a write that goes down finishes the merge, and sees it, too */
    s->self->last_run = 0;
    CHECK_OK(bw_update(s->tree, key, 778, &seen));
    CHECK_EQ(seen, 777);
    CHECK_EQ(tree_stats(s->tree).removed, 0);
    return true;
}

static void a_merged_leaf_is_not_believed(void) {
    for_each_stale(0, write_behind_a_leaf);
}

/* A child of the merged inner page is merged, too, and then its range is split off again as another
 * page: what the removed page names is dead. */
static bool replace_a_child(scene *s, bw_pid stale) {
    bw_tree *tree = s->tree;
    const bw_page *removed = bw_map_load(tree, stale);
    bw_found now;
    bw_find(tree, removed->low, removed->level, &now);
    CHECK(now.page != removed);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(now.page, tree->search, now.slots, keys, values);
    unsigned i = 0;
    while (i < n && keys[i] != removed->low)
        i++;
    if (i == n || (values[i] & BW_MARKED) != 0)
        return false;
    bw_pid old = (bw_pid)values[i];
    bw_page *child = bw_map_load(tree, old);
    unsigned slots = bw_log_length(child);
    bw_place left;
    tree->search->descend(tree, removed->low - 1, child->level, &left);
    unsigned left_slots = bw_log_length(left.page);
    unsigned capacity = tree->options.leaf_capacity;
    if (left.page->count + left_slots > capacity || child->count + slots > capacity ||
        child->log_slots < 2 || child->level > 0 || left.page->right != old ||
        bw_page_is_removed(child) || left_slots == left.page->log_slots ||
        (left_slots > 0 && bw_word_freezes(bw_slot(left.page, left_slots - 1))))
        return false;
    n = bw_page_entries(child, tree->search, slots, keys, values);
    bw_pid fresh = by_hand_publish(s->self, child, keys, values, n, child->low);
    bw_page *copy = bw_map_load(tree, fresh);
    if (!put_by_hand(s, now.page, removed->low, fresh)) {
        bw_pids_give_back(s->self, 1, &fresh);
        bw_page_release(s->self, copy);
        return false;
    }
    n = bw_page_entries(left.page, tree->search, left_slots, keys, values);
    by_hand_replace(s->self, left.pid, left.page, keys, values, n, left.page->high, fresh);
    CHECK(bw_bury(s->self, old, child));
    CHECK(put_by_hand(s, copy, removed->low + 1, 777));
    bw_count_size(s->self, 1);
    check_all_reads(tree, removed->low + 1, 777);
    return true;
}

static void a_merged_inner_page_is_not_believed(void) {
    for_each_stale(1, replace_a_child);
}

/* Under the page that took the merged one in, a leaf is split off, marked and removed, but not merged:
 * the stale parent, which most searches still meet, lacks its separator. It is not merged for that. */
static bool remove_a_younger_leaf(scene *s, bw_pid stale) {
    bw_tree *tree = s->tree;
    const bw_page *removed = bw_map_load(tree, stale);
    bw_found now;
    bw_find(tree, removed->low, 1, &now);
    bw_place place;
    tree->search->descend(tree, removed->low, 0, &place);
    bw_page *leaf = place.page;
    uint64_t separator = leaf->low + 3;
    uint64_t key = separator + 1; /* neither is one of the test's keys */
    unsigned slots = bw_log_length(leaf);
    if (leaf->count + slots + 1U > tree->options.leaf_capacity || now.slots > 0 ||
        now.page->log_slots < 3 || leaf->low != removed->low || bw_page_is_removed(leaf) ||
        (slots > 0 && bw_word_kind(bw_slot(leaf, slots - 1)) == BW_KIND_MERGE))
        return false;
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    bw_log_freeze(leaf);
    unsigned n = bw_page_entries(leaf, tree->search, bw_log_length(leaf), keys, values);
    unsigned left = n > 0 && keys[0] < separator;
    unsigned right = n - left;
    memmove(keys + left + 1, keys + left, right * sizeof *keys);
    memmove(values + left + 1, values + left, right * sizeof *values);
    keys[left] = key;
    values[left] = 777;
    bw_pid fresh = by_hand_publish(s->self, leaf, keys + left, values + left, right + 1, separator);
    by_hand_replace(s->self, place.pid, leaf, keys, values, left, separator, fresh);
    bw_count_size(s->self, 1);
    CHECK(put_by_hand(s, now.page, separator, fresh));
    CHECK(by_hand_append(s->self, now.page, BW_KIND_MARK, separator, fresh));
    CHECK(bw_log_append(bw_map_load(tree, fresh), 0, BW_REMOVE_WORD));
    check_all_reads(tree, key, 777);
    uint64_t seen = SENTINEL; /* a write finishes both merges */
    CHECK_STATUS(bw_put(tree, key, 778, &seen), BW_EXISTS);
    CHECK_EQ(seen, 777);
    check_all_reads(tree, key, 778);
    CHECK_EQ(tree_stats(tree).removed, 0);
    return true;
}

static void a_removed_leaf_is_not_merged_because_a_parent_lacks_it(void) {
    for_each_stale(1, remove_a_younger_leaf);
}

/* ---- a parent that is gone ---- */

/* The leaf has what the parent of that page would have: its separator with its page id. */
static void a_tree_that_has_become_lower_has_no_parent_to_write_into(void) {
    enum { SEPARATOR = 10, PID = 1 };
    bw_options options = options_of(8, 4, 8, 4);
    bw_tree *tree = tree_open(&options);
    CHECK_OK(bw_put(tree, 5, 0, NULL));
    CHECK_OK(bw_put(tree, SEPARATOR, PID, NULL));
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    const bw_duty duty = {.separator = SEPARATOR, .pid = PID, .level = 1, .kind = BW_DUTY_FINISH};
    bw_duties duties = {0};
    CHECK_OK(bw_merge_start(self, duty, true, &duties));
    CHECK_OK(bw_merge_left(self, duty, &duties));
    CHECK_EQ(duties.count, 0);
    bw_leave(self);
    CHECK_EQ(tree_stats(tree).appends, 2);
    uint64_t value = SENTINEL;
    CHECK_OK(bw_get(tree, SEPARATOR, &value));
    CHECK_EQ(value, PID);
    tree_free(tree);
}

CHECK_MAIN({"a_merged_leaf_is_not_believed", a_merged_leaf_is_not_believed},
           {"a_merged_inner_page_is_not_believed", a_merged_inner_page_is_not_believed},
           {"a_removed_leaf_is_not_merged_because_a_parent_lacks_it",
            a_removed_leaf_is_not_merged_because_a_parent_lacks_it},
           {"a_tree_that_has_become_lower_has_no_parent_to_write_into",
            a_tree_that_has_become_lower_has_no_parent_to_write_into})
