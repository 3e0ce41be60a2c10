/* test_page_ids.c: page ids that are in limbo are found again when no others are left. */
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

CHECK_MAIN({"page_ids_in_limbo_are_free_when_no_others_are_left",
            page_ids_in_limbo_are_free_when_no_others_are_left})
