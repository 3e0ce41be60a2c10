/* test_page_ids.c: page ids that are in limbo are found again when no others are left, and a merge whose parent
 * is gone writes into nothing. Single steps are done by hand. */
#include "by_hand.h"

static void page_ids_in_limbo_are_free_when_no_others_are_left(void) {
    enum { MOST = 4 };
    bw_options options = options_tiny();
    options.max_pids = MOST;
    bw_tree *tree = tree_open(&options);
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    bw_pid pids[MOST];
    CHECK(!bw_pids_take(self, MOST, pids)); /* the root has one */
    CHECK(bw_pids_take(self, MOST - 1, pids));

    /* A merged page is buried, and with it its page id. */
    bw_page *page = bw_page_build(self, 0, NULL, NULL, 0, 0, 0, BW_NO_PID, 0);
    CHECK(page != NULL);
    bw_map_store(tree, pids[0], page);
    CHECK(bw_bury(self, pids[0], page));
    bw_epoch_seal(self);
    bw_pid again;
    CHECK(!bw_pids_take(self, 1, &again)); /* this thread itself may still read it */
    for (unsigned i = 0; i < 3; i++) {
        bw_leave(self);
        CHECK_OK(bw_enter(tree, &self));
        bw_epoch_try_advance(self);
    }
    CHECK_EQ(tree_stats(tree).limbo_pages, 1);
    CHECK(bw_pids_take(self, 1, &again)); /* without another call that would free it */
    CHECK_EQ(again, pids[0]);
    CHECK_EQ(tree_stats(tree).limbo_pages, 0);
    CHECK_EQ(tree_stats(tree).pids_recycled, 1);
    bw_pids_give_back(self, MOST - 1, pids);
    bw_leave(self);
    tree_free(tree);
}

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

CHECK_MAIN({"page_ids_in_limbo_are_free_when_no_others_are_left",
            page_ids_in_limbo_are_free_when_no_others_are_left},
           {"a_tree_that_has_become_lower_has_no_parent_to_write_into",
            a_tree_that_has_become_lower_has_no_parent_to_write_into})
