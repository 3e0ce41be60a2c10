/* test_cuts.c: where a full leaf is cut in two depends on where its log's records lie. The pages of keys that
 * ascend or descend are filled, and only those; see left_share in consolidate.c. */
#include "by_hand.h"

enum { CAPACITY = 64, LOG = 16, STEP = 100, FIRST = 1000 };

/* The root is a leaf with these entries, FIRST, FIRST + STEP, ...; the caller is pinned. */
static bw_page *leaf_of(bw_thread *self, unsigned count) {
    uint64_t keys[CAPACITY];
    uint64_t values[CAPACITY];
    for (unsigned i = 0; i < count; i++) {
        keys[i] = FIRST + (uint64_t)i * STEP;
        values[i] = i;
    }
    bw_page *empty = bw_map_load(self->tree, BW_ROOT);
    by_hand_replace(self, BW_ROOT, empty, keys, values, count, 0, BW_NO_PID);
    bw_count_size(self, count);
    return bw_map_load(self->tree, BW_ROOT);
}

/* Entries of the left page, if a leaf of `count` entries has these records in its log when it is split. */
static unsigned left_page_of(unsigned count, const uint64_t *records, unsigned n) {
    bw_options options = options_of(CAPACITY, LOG, 8, 2);
    bw_tree *tree = tree_open(&options);
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    bw_page *leaf = leaf_of(self, count);
    for (unsigned i = 0; i < n; i++)
        CHECK(by_hand_append(self, leaf, BW_KIND_PUT, records[i], i));
    bw_count_size(self, n);
    bw_log_freeze(leaf);
    bw_duties duties = {0};
    CHECK_OK(bw_consolidate_page(self, BW_ROOT, leaf, &duties));
    const bw_page *root = bw_map_load(tree, BW_ROOT);
    CHECK_EQ(root->level, 1);
    CHECK_EQ(root->count, 2);
    const bw_page *left = bw_map_load(tree, (bw_pid)bw_page_value(root, 0));
    const bw_page *right = bw_map_load(tree, (bw_pid)bw_page_value(root, 1));
    CHECK_EQ(left->count + right->count, count + n);
    const unsigned entries = left->count;
    bw_leave(self);
    tree_free(tree);
    return entries;
}

enum { BEHIND = FIRST + STEP * CAPACITY }; /* keys behind all of the base, and before it from 0 */

static void records_behind_the_base_fill_the_left_page(void) {
    const uint64_t behind[] = {BEHIND + 2, BEHIND, BEHIND + 1, BEHIND + 3};
    CHECK_EQ(left_page_of(CAPACITY, behind, 4), CAPACITY);
}

static void records_before_the_base_fill_the_right_page(void) {
    const uint64_t before[] = {9, 7, 8, 6};
    CHECK_EQ(left_page_of(CAPACITY, before, 4), 4);
}

static void where_three_in_four_lie_behind_it_the_left_page_is_nine_tenths_full(void) {
    const uint64_t most[] = {BEHIND, FIRST + 1, BEHIND + 1, BEHIND + 2};
    CHECK_EQ(left_page_of(CAPACITY, most, 4), (CAPACITY + 4) * 9 / 10);
    const uint64_t half[] = {BEHIND, FIRST + 1, BEHIND + 1, FIRST + 2};
    CHECK_EQ(left_page_of(CAPACITY, half, 4), (CAPACITY + 4) / 2);
}

static void where_three_in_four_lie_before_it_the_right_page_is_nine_tenths_full(void) {
    const uint64_t most[] = {9, FIRST + 1, 7, 8};
    CHECK_EQ(left_page_of(CAPACITY, most, 4), CAPACITY + 4 - (CAPACITY + 4) * 9 / 10);
}

static void no_page_gets_more_than_it_holds(void) {
    uint64_t most[LOG - 2];
    for (unsigned i = 0; i < LOG - 2; i++)
        most[i] = i == 3 ? FIRST + 1 : BEHIND + (i ^ 1U);
    CHECK_EQ(left_page_of(CAPACITY, most, LOG - 2), CAPACITY); /* nine tenths would be 70 */
}

static void records_at_both_ends_cut_it_in_the_middle(void) {
    const uint64_t ends[] = {BEHIND, 1, BEHIND + 1, 2};
    CHECK_EQ(left_page_of(CAPACITY, ends, 4), (CAPACITY + 4) / 2);
}

/* They would be behind the base or before it if its last or first key counted. */
static void records_beside_the_outermost_keys_are_amid_the_base(void) {
    const uint64_t last = FIRST + (CAPACITY - 1) * STEP;
    const uint64_t inside[] = {last - 2, FIRST + 1, last - 1, FIRST + 2};
    CHECK_EQ(left_page_of(CAPACITY, inside, 4), (CAPACITY + 4) / 2);
}

/* Up to the last record all is there; each entry behind it will have one more beside it. */
static void records_that_ascend_amid_the_base_leave_room_behind_them_alone(void) {
    enum { RECORDS = 8 };
    uint64_t ascending[RECORDS];
    for (unsigned i = 0; i < RECORDS; i++)
        ascending[i] = FIRST + (uint64_t)i * STEP + 1;
    const unsigned done = 2 * RECORDS; /* each record stands behind an entry of the base */
    CHECK_EQ(left_page_of(CAPACITY, ascending, RECORDS), (CAPACITY + done) / 2);

    CHECK_EQ(left_page_of(CAPACITY, ascending, RECORDS - 1), (CAPACITY + RECORDS - 1) / 2);

    const uint64_t last = ascending[RECORDS - 1];
    ascending[RECORDS - 1] = ascending[0] + 1; /* one that does not ascend */
    CHECK_EQ(left_page_of(CAPACITY, ascending, RECORDS), (CAPACITY + RECORDS) / 2);
    ascending[RECORDS - 1] = last;

    for (unsigned i = 0; i < RECORDS; i++)
        ascending[i] += (uint64_t)(CAPACITY - RECORDS - 1) * STEP;
    CHECK_EQ(left_page_of(CAPACITY, ascending, RECORDS), CAPACITY);
}

CHECK_MAIN({"records_behind_the_base_fill_the_left_page",
            records_behind_the_base_fill_the_left_page},
           {"records_before_the_base_fill_the_right_page",
            records_before_the_base_fill_the_right_page},
           {"where_three_in_four_lie_behind_it_the_left_page_is_nine_tenths_full",
            where_three_in_four_lie_behind_it_the_left_page_is_nine_tenths_full},
           {"where_three_in_four_lie_before_it_the_right_page_is_nine_tenths_full",
            where_three_in_four_lie_before_it_the_right_page_is_nine_tenths_full},
           {"no_page_gets_more_than_it_holds", no_page_gets_more_than_it_holds},
           {"records_at_both_ends_cut_it_in_the_middle", records_at_both_ends_cut_it_in_the_middle},
           {"records_beside_the_outermost_keys_are_amid_the_base",
            records_beside_the_outermost_keys_are_amid_the_base},
           {"records_that_ascend_amid_the_base_leave_room_behind_them_alone",
            records_that_ascend_amid_the_base_leave_room_behind_them_alone})
