/* test_self_check.c: the self check sees each thing that can be broken in a tree, and says which. Each test
 * breaks one thing by hand, asks, and mends it again. */
#include "by_hand.h"

#include <unistd.h>

enum { PATIENCE_S = 20, CAPACITY = 32, KEYS = 100, STEP = 10 };

typedef struct scene {
    bw_tree *tree;
    bw_thread *self;
    bw_page *root;
    bw_pid pids[3]; /* of the first three leaves … */
    bw_page *leaves[3];
} scene;

/* A root over leaves of two blocks; the caller is pinned. */
static scene open_scene(void) {
    bw_options options = options_of(CAPACITY, 4, 16, 4);
    scene s = {.tree = tree_open(&options)};
    for (uint64_t key = 0; key < KEYS; key++)
        CHECK_OK(bw_put(s.tree, STEP * key, key, NULL));
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(bw_consolidate(s.tree));
    CHECK_OK(bw_enter(s.tree, &s.self));
    s.root = bw_map_load(s.tree, BW_ROOT);
    CHECK_EQ(s.root->level, 1);
    CHECK_LE(3, s.root->count);
    for (unsigned i = 0; i < 3; i++) {
        s.pids[i] = (bw_pid)bw_page_value(s.root, i);
        s.leaves[i] = bw_map_load(s.tree, s.pids[i]);
        CHECK_LT(BW_BLOCK, s.leaves[i]->count);
        CHECK_EQ(bw_log_length(s.leaves[i]), 0);
    }
    alarm(PATIENCE_S); /* a walk over a broken tree may go on for ever */
    return s;
}

static void close_scene(scene *s) {
    bw_leave(s->self);
    tree_free(s->tree); /* it is whole again */
    alarm(0);
}

static bw_block *block_of(const bw_page *page, unsigned entry) {
    return (bw_block *)bw_page_blocks(page) + entry / BW_BLOCK;
}

/* The check says that the tree is broken, with these words. */
static void says(const scene *s, bool quiescent, const char *words) {
    char message[256] = "";
    check_trying("a broken tree whose check must say: %s", words);
    CHECK_STATUS(bw_self_check(s->tree, quiescent, message, sizeof message), BW_ECORRUPT);
    if (strstr(message, words) == NULL)
        check_fail(__FILE__, __LINE__, words, "%s", message);
    CHECK_STATUS(bw_self_check(s->tree, quiescent, NULL, 0), BW_ECORRUPT);
    check_trying("%s", "");
}

/* ---- bases ---- */

static void keys_ascend(void) {
    scene s = open_scene();
    uint64_t *keys = block_of(s.leaves[1], 0)->keys;
    const uint64_t key = keys[2];
    keys[2] = keys[1]; /* equal keys do not ascend either */
    says(&s, true, "at 2 is not greater than the one before it");
    says(&s, false, "at 2 is not greater than the one before it");
    keys[2] = key;
    close_scene(&s);
}

static void keys_lie_within_the_fences(void) {
    scene s = open_scene();
    bw_page *leaf = s.leaves[1];
    uint64_t *last = &block_of(leaf, leaf->count - 1)->keys[(leaf->count - 1) % BW_BLOCK];
    const uint64_t key = *last;
    *last = leaf->high - 1;
    tree_check(s.tree, true);
    *last = leaf->high;
    says(&s, true, "lies outside its fences [");
    *last = key;
    close_scene(&s);
}

static void samples_are_those_of_the_blocks(void) {
    scene s = open_scene();
    s.leaves[1]->samples[1]++;
    says(&s, true, "sample 1 is not that of the first key of its block");
    s.leaves[1]->samples[1]--;
    close_scene(&s);
}

static void a_page_holds_no_more_than_its_capacity(void) {
    scene s = open_scene();
    uint32_t most = 0;
    for (unsigned i = 0; i < s.root->count; i++) {
        const bw_page *leaf = bw_map_load(s.tree, (bw_pid)bw_page_value(s.root, i));
        most = leaf->count > most ? leaf->count : most;
    }
    s.tree->options.leaf_capacity = most;
    tree_check(s.tree, true);
    s.tree->options.leaf_capacity = most - 1;
    char words[64];
    (void)snprintf(words, sizeof words, "holds %u entries, its capacity is %u", most, most - 1);
    says(&s, true, words);
    s.tree->options.leaf_capacity = CAPACITY;
    s.tree->options.inner_capacity = s.root->count;
    tree_check(s.tree, true);
    s.tree->options.inner_capacity = s.root->count - 1;
    (void)snprintf(words, sizeof words, "page 0 holds %u entries", s.root->count);
    says(&s, true, words);
    s.tree->options.inner_capacity = 16;
    close_scene(&s);
}

/* ---- logs ---- */

/* The check of a page with these words in its log. */
static void log_says(const scene *s, bw_page *page, uint64_t first, uint64_t second,
                     const char *words) {
    atomic_store(&page->log[0], first);
    atomic_store(&page->log[1], second);
    says(s, true, words);
    atomic_store(&page->log[0], 0);
    atomic_store(&page->log[1], 0);
}

static uint64_t put_of(const bw_record *record) {
    return bw_word(bw_tag(record->key), record, BW_KIND_PUT);
}

static void a_log_holds_what_belongs_into_it(void) {
    scene s = open_scene();
    bw_page *leaf = s.leaves[1];
    /* A word has its kind in the bits that are zero in the address of a record, which is aligned. */
    _Alignas(BW_CACHE_LINE) const bw_record inside = {.key = leaf->low + 1};
    _Alignas(BW_CACHE_LINE) const bw_record below = {.key = leaf->low - 1};
    _Alignas(BW_CACHE_LINE) const bw_record above = {.key = leaf->high};
    const uint16_t tag = bw_tag(inside.key);
    const char *unknown = "holds a record of unknown kind";
    const char *astray = "has a wrong tag or lies outside the fences";
    log_says(&s, leaf, put_of(&below), 0, astray);
    log_says(&s, leaf, put_of(&above), 0, astray);
    log_says(&s, leaf, bw_word(tag ^ 1U, &inside, BW_KIND_PUT), 0, astray);
    log_says(&s, leaf, bw_word(tag, &inside, BW_KIND_MARK), 0, unknown); /* of inner pages only */
    log_says(&s, leaf, bw_word(tag, &inside, (bw_kind)9), 0, unknown);
    log_says(&s, leaf, bw_word(0, NULL, BW_KIND_PUT), 0, unknown);
    log_says(&s, leaf, BW_FREEZE_WORD, put_of(&inside), "a record follows the one in slot 0");
    atomic_store(&leaf->log[0], BW_FREEZE_WORD);
    tree_check(s.tree, true);
    atomic_store(&leaf->log[0], bw_word(tag, &inside, BW_KIND_DELETE));
    tree_check(s.tree, true);
    atomic_store(&leaf->log[0], 0);
    close_scene(&s);
}

/* ---- children ---- */

/* The check of a root whose entry names this. */
static void entry_says(const scene *s, unsigned entry, uint64_t value, const char *words) {
    uint64_t *values = block_of(s->root, entry)->values;
    const uint64_t named = values[entry];
    values[entry] = value;
    says(s, true, words);
    values[entry] = named;
}

static void an_entry_names_its_child(void) {
    scene s = open_scene();
    const char *words = "which is not its child";
    bw_pid free[2];
    CHECK(bw_pids_take(s.self, 2, free));
    entry_says(&s, 1, free[0], words); /* no page at all: nobody has used it yet */
    bw_map_store(s.tree, free[1], &bw_tombstone);
    entry_says(&s, 1, free[1], words);
    bw_pids_give_back(s.self, 2, free);
    entry_says(&s, 1, s.pids[2], words); /* another page */
    entry_says(&s, 1, BW_ROOT, words);   /* of another level */
    close_scene(&s);
}

static void a_removed_page_has_a_marked_entry(void) {
    scene s = open_scene();
    atomic_store(&s.leaves[1]->log[0], BW_REMOVE_WORD);
    says(&s, true, "which is removed though the entry is not marked");
    says(&s, false, "which is removed though the entry is not marked");
    block_of(s.root, 1)->values[1] |= BW_MARKED;
    tree_check(s.tree, true);
    block_of(s.root, 1)->values[1] &= ~BW_MARKED;
    atomic_store(&s.leaves[1]->log[0], 0);
    close_scene(&s);
}

static void one_entry_at_most_is_marked_and_not_the_first(void) {
    scene s = open_scene();
    const char *words = "is marked, but it is the first one, or the second mark";
    entry_says(&s, 0, s.pids[0] | BW_MARKED, words);
    block_of(s.root, 1)->values[1] |= BW_MARKED;
    tree_check(s.tree, true);
    entry_says(&s, 2, s.pids[2] | BW_MARKED, words);
    block_of(s.root, 1)->values[1] &= ~BW_MARKED;
    close_scene(&s);
}

/* ---- right links ---- */

static void a_right_link_leads_to_the_next_page(void) {
    scene s = open_scene();
    bw_page *leaf = s.leaves[0];
    bw_pid free[2];
    CHECK(bw_pids_take(s.self, 2, free));
    leaf->right = free[0];
    says(&s, true, "leads nowhere");
    says(&s, false, "leads nowhere");
    bw_map_store(s.tree, free[1], &bw_tombstone);
    leaf->right = free[1];
    says(&s, true, "leads nowhere");
    /* Beside others it may have been merged away since. */
    tree_check(s.tree, false);
    bw_pids_give_back(s.self, 2, free);
    leaf->right = free[1]; /* it leads on along the list of free page ids */
    says(&s, true, "leads nowhere");
    leaf->right = s.pids[2];
    says(&s, true, "; its left sibling says 0 and ");
    leaf->right = BW_ROOT;
    says(&s, true, "page 0 has level 1 and begins at 0; its left sibling says 0 and ");
    leaf->right = s.pids[1];
    close_scene(&s);
}

/* ---- the whole ---- */

static void the_size_is_that_of_the_leaves(void) {
    scene s = open_scene();
    bw_count_size(s.self, 1);
    says(&s, true, "size is 101, but the leaves hold 100 keys");
    tree_check(s.tree, false); /* others may be at work */
    bw_count_size(s.self, -1);
    close_scene(&s);
}

static void every_page_in_the_table_is_reachable(void) {
    scene s = open_scene();
    const uint64_t pages = tree_stats(s.tree).pages;
    bw_pid pid;
    CHECK(bw_pids_take(s.self, 1, &pid));
    bw_map_store(s.tree, pid, s.leaves[0]);
    char words[96];
    (void)snprintf(words, sizeof words,
                   "the mapping table holds %" PRIu64 " pages, but %" PRIu64 " are reachable",
                   pages + 1, pages);
    says(&s, true, words);
    tree_check(s.tree, false);
    bw_pids_give_back(s.self, 1, &pid);
    close_scene(&s);
}

static void every_page_id_is_in_use_or_can_be_found(void) {
    scene s = open_scene();
    bw_pid pid;
    CHECK(bw_pids_take(s.self, 1, &pid));
    bw_pids_give_back(s.self, 1, &pid);
    tree_check(s.tree, true);
    CHECK(bw_pids_take(s.self, 1, &pid));
    says(&s, true, " are in limbo and ");
    bw_map_store(s.tree, pid, &bw_tombstone); /* in limbo */
    tree_check(s.tree, true);
    bw_pids_give_back(s.self, 1, &pid);
    close_scene(&s);
}

CHECK_MAIN({"keys_ascend", keys_ascend}, {"keys_lie_within_the_fences", keys_lie_within_the_fences},
           {"samples_are_those_of_the_blocks", samples_are_those_of_the_blocks},
           {"a_page_holds_no_more_than_its_capacity", a_page_holds_no_more_than_its_capacity},
           {"a_log_holds_what_belongs_into_it", a_log_holds_what_belongs_into_it},
           {"an_entry_names_its_child", an_entry_names_its_child},
           {"a_removed_page_has_a_marked_entry", a_removed_page_has_a_marked_entry},
           {"one_entry_at_most_is_marked_and_not_the_first",
            one_entry_at_most_is_marked_and_not_the_first},
           {"a_right_link_leads_to_the_next_page", a_right_link_leads_to_the_next_page},
           {"the_size_is_that_of_the_leaves", the_size_is_that_of_the_leaves},
           {"every_page_in_the_table_is_reachable", every_page_in_the_table_is_reachable},
           {"every_page_id_is_in_use_or_can_be_found", every_page_id_is_in_use_or_can_be_found})
