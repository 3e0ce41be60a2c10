/* test_misuse.c: misuse that the manual says is detected, is: by the status it names, and without a
 * change to the tree. */
#include "support.h"

static void null_is_refused_everywhere(void) {
    uint64_t a[2] = {1, 2};
    size_t n = 0;
    bw_stats stats;
    bw_cursor *cursor = (bw_cursor *)a;
    CHECK_STATUS(bw_open(NULL, NULL), BW_EINVAL);
    CHECK_STATUS(bw_close(NULL), BW_EINVAL);
    CHECK_OK(bw_free(NULL));
    CHECK_STATUS(bw_get(NULL, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_put(NULL, 1, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_insert(NULL, 1, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_update(NULL, 1, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_remove(NULL, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_compare_exchange(NULL, 1, 1, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_floor(NULL, 1, a, a), BW_EINVAL);
    CHECK_STATUS(bw_ceiling(NULL, 1, a, a), BW_EINVAL);
    CHECK_STATUS(bw_lower(NULL, 1, a, a), BW_EINVAL);
    CHECK_STATUS(bw_lower(NULL, 0, a, a), BW_EINVAL);
    CHECK_STATUS(bw_higher(NULL, 1, a, a), BW_EINVAL);
    CHECK_STATUS(bw_higher(NULL, UINT64_MAX, a, a), BW_EINVAL);
    CHECK_STATUS(bw_first(NULL, a, a), BW_EINVAL);
    CHECK_STATUS(bw_last(NULL, a, a), BW_EINVAL);
    CHECK_STATUS(bw_cursor_open(NULL, &cursor), BW_EINVAL);
    CHECK(cursor == NULL);
    bw_cursor_free(NULL);
    CHECK_STATUS(bw_cursor_seek(NULL, 1), BW_EINVAL);
    CHECK_STATUS(bw_cursor_seek_end(NULL), BW_EINVAL);
    CHECK_STATUS(bw_cursor_next(NULL, a, a), BW_EINVAL);
    CHECK_STATUS(bw_cursor_prev(NULL, a, a), BW_EINVAL);
    CHECK_STATUS(bw_cursor_next_many(NULL, 1, a, a, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_cursor_prev_many(NULL, 1, a, a, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_get_many(NULL, a, 1, a, NULL, &n), BW_EINVAL);
    CHECK_STATUS(bw_put_many(NULL, a, a, 1, &n, &n), BW_EINVAL);
    CHECK_STATUS(bw_count(NULL, 0, 1, a), BW_EINVAL);
    CHECK_STATUS(bw_size(NULL, a), BW_EINVAL);
    CHECK_STATUS(bw_clear(NULL, a), BW_EINVAL);
    CHECK_STATUS(bw_consolidate(NULL), BW_EINVAL);
    CHECK_STATUS(bw_collect(NULL, a), BW_EINVAL);
    CHECK_STATUS(bw_worker_start(NULL), BW_EINVAL);
    CHECK_STATUS(bw_worker_stop(NULL), BW_EINVAL);
    CHECK_STATUS(bw_thread_attach(NULL), BW_EINVAL);
    CHECK_STATUS(bw_thread_detach(NULL), BW_EINVAL);
    CHECK_STATUS(bw_pin(NULL), BW_EINVAL);
    CHECK_STATUS(bw_unpin(NULL), BW_EINVAL);
    CHECK_STATUS(bw_get_stats(NULL, &stats), BW_EINVAL);
    CHECK_STATUS(bw_self_check(NULL, true, NULL, 0), BW_EINVAL);
    bw_options_init(NULL);
}

static void required_pointers_are_required(void) {
    uint64_t a[2] = {1, 2};
    size_t n = 99;
    bw_tree *tree = tree_open_tiny();
    bw_cursor *cursor;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    CHECK_STATUS(bw_cursor_open(tree, NULL), BW_EINVAL);
    CHECK_STATUS(bw_cursor_next_many(cursor, 1, NULL, a, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_cursor_next_many(cursor, 1, a, NULL, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_cursor_next_many(cursor, 1, a, a, 1, NULL), BW_EINVAL);
    CHECK_STATUS(bw_cursor_prev_many(cursor, 1, NULL, a, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_cursor_prev_many(cursor, 1, a, NULL, 1, &n), BW_EINVAL);
    CHECK_STATUS(bw_cursor_prev_many(cursor, 1, a, a, 1, NULL), BW_EINVAL);
    CHECK_OK(bw_cursor_next_many(cursor, 1, NULL, NULL, 0, &n));
    CHECK_EQ(n, 0);
    CHECK_STATUS(bw_get_many(tree, NULL, 1, a, NULL, NULL), BW_EINVAL);
    CHECK_STATUS(bw_get_many(tree, a, 1, NULL, NULL, NULL), BW_EINVAL);
    CHECK_OK(bw_get_many(tree, NULL, 0, NULL, NULL, &n));
    n = 99;
    CHECK_STATUS(bw_put_many(tree, NULL, a, 1, &n, NULL), BW_EINVAL);
    CHECK_EQ(n, 0);
    CHECK_STATUS(bw_put_many(tree, a, NULL, 1, NULL, NULL), BW_EINVAL);
    CHECK_OK(bw_put_many(tree, NULL, NULL, 0, NULL, NULL));
    CHECK_STATUS(bw_count(tree, 0, 1, NULL), BW_EINVAL);
    CHECK_STATUS(bw_size(tree, NULL), BW_EINVAL);
    CHECK_STATUS(bw_get_stats(tree, NULL), BW_EINVAL);
    CHECK_OK(bw_self_check(tree, true, NULL, 0));
    CHECK_EQ(tree_stats(tree).size, 0);
    bw_cursor_free(cursor);
    tree_free(tree);
}

/* Every call on a closed tree says so, and writes nothing but what it always writes. */
static void check_closed(bw_tree *tree, bw_cursor *cursor) {
    uint64_t a[2] = {SENTINEL, SENTINEL};
    uint64_t b[2] = {1, 2};
    size_t n = 0;
    bw_cursor *other;
    bw_stats stats;
    CHECK_STATUS(bw_get(tree, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_put(tree, 1, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_insert(tree, 1, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_update(tree, 1, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_remove(tree, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_compare_exchange(tree, 1, 1, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_floor(tree, 1, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_ceiling(tree, 1, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_lower(tree, 1, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_lower(tree, 0, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_higher(tree, 1, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_higher(tree, UINT64_MAX, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_first(tree, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_last(tree, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_open(tree, &other), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_seek(cursor, 1), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_seek_end(cursor), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_next(cursor, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_prev(cursor, a, a), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_next_many(cursor, 1, a, a, 1, &n), BW_ECLOSED);
    CHECK_STATUS(bw_cursor_prev_many(cursor, 1, a, a, 1, &n), BW_ECLOSED);
    CHECK_STATUS(bw_get_many(tree, b, 2, a, NULL, &n), BW_ECLOSED);
    CHECK_STATUS(bw_get_many(tree, b, 0, a, NULL, &n), BW_ECLOSED);
    CHECK_STATUS(bw_put_many(tree, b, b, 2, &n, NULL), BW_ECLOSED);
    CHECK_STATUS(bw_put_many(tree, b, b, 0, &n, NULL), BW_ECLOSED);
    CHECK_STATUS(bw_consolidate(tree), BW_ECLOSED);
    CHECK_STATUS(bw_collect(tree, a), BW_ECLOSED);
    CHECK_STATUS(bw_worker_start(tree), BW_ECLOSED);
    CHECK_STATUS(bw_worker_stop(tree), BW_ECLOSED);
    CHECK_STATUS(bw_thread_attach(tree), BW_ECLOSED);
    CHECK_STATUS(bw_thread_detach(tree), BW_ECLOSED);
    CHECK_STATUS(bw_pin(tree), BW_ECLOSED);
    CHECK_STATUS(bw_self_check(tree, false, NULL, 0), BW_ECLOSED);
    CHECK_STATUS(bw_self_check(tree, true, NULL, 0), BW_ECLOSED);
    CHECK_EQ(a[0], SENTINEL);
    CHECK_STATUS(bw_count(tree, 0, 1, a), BW_ECLOSED);
    CHECK_STATUS(bw_count(tree, 1, 0, a), BW_ECLOSED);
    CHECK_STATUS(bw_size(tree, a), BW_ECLOSED);
    CHECK_STATUS(bw_clear(tree, a), BW_ECLOSED);
    CHECK_STATUS(bw_get_stats(tree, &stats), BW_ECLOSED);
}

static void closing_ends_every_call(void) {
    for (unsigned pooling = 0; pooling < 2; pooling++) {
        meter m;
        bw_options options = options_metered(options_tiny(), &m);
        options.pooling = pooling != 0;
        bw_tree *tree = tree_open(&options);
        bw_cursor *cursor;
        for (uint64_t key = 0; key < 50; key++)
            CHECK_OK(bw_put(tree, key, key, NULL));
        CHECK_OK(bw_cursor_open(tree, &cursor));
        CHECK_OK(bw_cursor_next(cursor, NULL, NULL));
        CHECK_OK(bw_close(tree));
        CHECK_LE(atomic_load(&m.live), 3); /* the handle, this thread's registration, the cursor */
        check_closed(tree, cursor);
        CHECK_OK(bw_close(tree));
        CHECK_STATUS(bw_free(tree), BW_EBUSY); /* a cursor is open */
        check_closed(tree, cursor);
        bw_cursor_free(cursor);
        CHECK_OK(bw_free(tree));
        meter_check_empty(&m);
    }
}

static void freeing_with_open_cursors_closes_only(void) {
    bw_tree *tree = tree_open_tiny();
    bw_cursor *cursors[2];
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(bw_cursor_open(tree, &cursors[i]));
    CHECK_STATUS(bw_free(tree), BW_EBUSY);
    check_closed(tree, cursors[1]);
    bw_cursor_free(cursors[0]);
    CHECK_STATUS(bw_free(tree), BW_EBUSY);
    bw_cursor_free(cursors[1]);
    CHECK_OK(bw_free(tree));
}

static void a_pinned_thread_cannot_close(void) {
    bw_tree *tree = tree_open_tiny();
    bw_cursor *cursor;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    CHECK_OK(bw_put(tree, 1, 1, NULL));
    CHECK_OK(bw_pin(tree));
    CHECK_OK(bw_pin(tree));
    CHECK_STATUS(bw_close(tree), BW_EBUSY);
    check_closed(tree, cursor); /* to new calls, though its memory is kept */
    CHECK_STATUS(bw_free(tree), BW_EBUSY);
    CHECK_OK(bw_unpin(tree));
    CHECK_STATUS(bw_close(tree), BW_EBUSY);
    CHECK_OK(bw_unpin(tree));
    CHECK_STATUS(bw_unpin(tree), BW_EINVAL);
    CHECK_OK(bw_close(tree));
    bw_cursor_free(cursor);
    CHECK_OK(bw_free(tree));
}

static void pins_nest_and_end(void) {
    bw_tree *tree = tree_open_tiny();
    CHECK_STATUS(bw_unpin(tree), BW_EINVAL);
    for (unsigned depth = 0; depth < 5; depth++)
        CHECK_OK(bw_pin(tree));
    for (uint64_t key = 0; key < 200; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    for (unsigned depth = 0; depth < 5; depth++) {
        CHECK_STATUS(bw_thread_detach(tree), BW_EBUSY);
        CHECK_OK(bw_unpin(tree));
    }
    CHECK_STATUS(bw_unpin(tree), BW_EINVAL);
    CHECK_OK(bw_thread_detach(tree));
    CHECK_OK(bw_thread_detach(tree));
    CHECK_STATUS(bw_unpin(tree), BW_EINVAL);
    CHECK_OK(bw_thread_attach(tree));
    CHECK_OK(bw_thread_attach(tree));
    CHECK_EQ(tree_stats(tree).threads, 1);
    tree_free(tree);
}

static void a_pin_of_one_tree_is_not_one_of_another(void) {
    bw_tree *trees[6]; /* more than a thread finds without searching */
    for (unsigned i = 0; i < 6; i++)
        trees[i] = tree_open_tiny();
    CHECK_OK(bw_pin(trees[0]));
    for (unsigned i = 1; i < 6; i++) {
        CHECK_STATUS(bw_unpin(trees[i]), BW_EINVAL);
        CHECK_OK(bw_put(trees[i], 1, 1, NULL));
        CHECK_OK(bw_thread_detach(trees[i]));
    }
    CHECK_STATUS(bw_thread_detach(trees[0]), BW_EBUSY);
    CHECK_OK(bw_unpin(trees[0]));
    CHECK_STATUS(bw_unpin(trees[0]), BW_EINVAL);
    for (unsigned i = 0; i < 6; i++)
        tree_free(trees[i]);
}

CHECK_MAIN({"null_is_refused_everywhere", null_is_refused_everywhere},
           {"required_pointers_are_required", required_pointers_are_required},
           {"closing_ends_every_call", closing_ends_every_call},
           {"freeing_with_open_cursors_closes_only", freeing_with_open_cursors_closes_only},
           {"a_pinned_thread_cannot_close", a_pinned_thread_cannot_close},
           {"pins_nest_and_end", pins_nest_and_end},
           {"a_pin_of_one_tree_is_not_one_of_another", a_pin_of_one_tree_is_not_one_of_another})
