/* test_fork.c: a forked child is told that the tree is its parent's, may close its copy and open a
 * tree of its own; the parent notices nothing, even when the fork comes in the middle of writes. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

/* Every call says BW_EFORKED; then the copy can be closed and freed. */
static void check_child(bw_tree *tree, bw_cursor *cursor) {
    uint64_t a[2] = {SENTINEL, SENTINEL};
    uint64_t b[2] = {1, 2};
    size_t n = 0;
    bw_stats stats;
    bw_cursor *other;
    CHECK_STATUS(bw_get(tree, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_put(tree, 1, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_insert(tree, 1, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_update(tree, 1, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_remove(tree, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_compare_exchange(tree, 1, 1, 1, a), BW_EFORKED);
    CHECK_STATUS(bw_floor(tree, 1, a, a), BW_EFORKED);
    CHECK_STATUS(bw_ceiling(tree, 1, a, a), BW_EFORKED);
    CHECK_STATUS(bw_lower(tree, 1, a, a), BW_EFORKED);
    CHECK_STATUS(bw_lower(tree, 0, a, a), BW_EFORKED);
    CHECK_STATUS(bw_higher(tree, 1, a, a), BW_EFORKED);
    CHECK_STATUS(bw_higher(tree, UINT64_MAX, a, a), BW_EFORKED);
    CHECK_STATUS(bw_first(tree, a, a), BW_EFORKED);
    CHECK_STATUS(bw_last(tree, a, a), BW_EFORKED);
    CHECK_STATUS(bw_cursor_open(tree, &other), BW_EFORKED);
    if (cursor != NULL) {
        CHECK_STATUS(bw_cursor_seek(cursor, 1), BW_EFORKED);
        CHECK_STATUS(bw_cursor_seek_end(cursor), BW_EFORKED);
        CHECK_STATUS(bw_cursor_next(cursor, a, a), BW_EFORKED);
        CHECK_STATUS(bw_cursor_prev(cursor, a, a), BW_EFORKED);
        CHECK_STATUS(bw_cursor_next_many(cursor, 1, a, a, 1, &n), BW_EFORKED);
        CHECK_STATUS(bw_cursor_prev_many(cursor, 1, a, a, 1, &n), BW_EFORKED);
    }
    CHECK_STATUS(bw_get_many(tree, b, 2, a, NULL, &n), BW_EFORKED);
    CHECK_STATUS(bw_put_many(tree, b, b, 2, &n, NULL), BW_EFORKED);
    CHECK_STATUS(bw_count(tree, 0, 1, b), BW_EFORKED);
    CHECK_STATUS(bw_size(tree, b), BW_EFORKED);
    CHECK_STATUS(bw_clear(tree, b), BW_EFORKED);
    CHECK_STATUS(bw_consolidate(tree), BW_EFORKED);
    CHECK_STATUS(bw_collect(tree, a), BW_EFORKED);
    CHECK_STATUS(bw_worker_start(tree), BW_EFORKED);
    CHECK_STATUS(bw_worker_stop(tree), BW_EFORKED);
    CHECK_STATUS(bw_thread_attach(tree), BW_EFORKED);
    CHECK_STATUS(bw_thread_detach(tree), BW_EFORKED);
    CHECK_STATUS(bw_pin(tree), BW_EFORKED);
    CHECK_STATUS(bw_get_stats(tree, &stats), BW_EFORKED);
    CHECK_STATUS(bw_self_check(tree, false, NULL, 0), BW_EFORKED);
    CHECK_EQ(a[0], SENTINEL);
    CHECK_OK(bw_close(tree));
    CHECK_OK(bw_close(tree));
    CHECK_STATUS(bw_get(tree, 1, a), BW_ECLOSED);
    if (cursor != NULL)
        CHECK_STATUS(bw_free(tree), BW_EBUSY);
    bw_cursor_free(cursor);
    CHECK_OK(bw_free(tree));
}

/* The child's own trees work. No threads here: a child of many threads must not start any under some
 * sanitizers. */
static void check_own_tree(void) {
    bw_tree *tree = tree_open_tiny();
    for (uint64_t key = 0; key < 100; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    CHECK_EQ(tree_stats(tree).size, 100);
    tree_free(tree);
}

/* Forks; the child makes its checks and ends without those of the parent's atexit. */
static pid_t fork_child(bw_tree *tree, bw_cursor *cursor) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        check_child(tree, cursor);
        check_own_tree();
        _Exit(0);
    }
    return child;
}

static void await_child(pid_t child) {
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}

static void a_child_is_told_that_the_tree_is_not_its_own(void) {
    for (unsigned kind = 0; kind < 4; kind++) {
        bw_options options = options_tiny();
        options.pooling = kind % 2 == 0;
        options.worker = kind >= 2;
        bw_tree *tree = tree_open(&options);
        model m = {0};
        bw_cursor *cursor;
        CHECK_OK(bw_cursor_open(tree, &cursor));
        for (uint64_t key = 0; key < 100; key++) {
            CHECK_OK(bw_put(tree, key, key, NULL));
            model_put(&m, key, key);
        }
        CHECK_OK(bw_cursor_next(cursor, NULL, NULL));
        await_child(fork_child(tree, cursor));
        uint64_t key = 0;
        CHECK_OK(bw_cursor_next(cursor, &key, NULL));
        CHECK_EQ(key, 1);
        bw_cursor_free(cursor);
        model_check(&m, tree);
        model_free(&m);
        tree_free(tree);
    }
}

static void a_tree_closed_before_the_fork_stays_closed(void) {
    bw_tree *tree = tree_open_tiny();
    CHECK_OK(bw_close(tree));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_STATUS(bw_get(tree, 1, NULL), BW_ECLOSED);
        CHECK_OK(bw_free(tree));
        _Exit(0);
    }
    await_child(child);
    CHECK_OK(bw_free(tree));
}

static void a_pin_at_the_fork_does_not_stop_the_child_from_closing(void) {
    bw_tree *tree = tree_open_tiny();
    CHECK_OK(bw_put(tree, 1, 1, NULL));
    CHECK_OK(bw_pin(tree));
    await_child(fork_child(tree, NULL));
    CHECK_OK(bw_unpin(tree));
    CHECK_EQ(tree_stats(tree).size, 1);
    tree_free(tree);
}

/* ---- while others write ---- */

typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t forking, written;
} arena;

static void fork_or_write(crew *me) {
    enum { FORKS = CHECK_SANITIZED ? 8 : 20 };
    arena *a = me->shared;
    if (me->index == 0) {
        for (unsigned i = 0; i < FORKS; i++) {
            uint64_t written = atomic_load(&a->written);
            while (atomic_load(&a->written) < written + 100)
                sched_yield();
            await_child(fork_child(a->tree, NULL));
        }
        atomic_store(&a->forking, 0);
        return;
    }
    for (uint64_t i = 0; atomic_load(&a->forking); i++) {
        uint64_t key = i % 200 * 2 + me->index % 2;
        uint64_t value = SENTINEL;
        CHECK_DONE(bw_put(a->tree, key, i, NULL));
        CHECK_OK(bw_get(a->tree, key, &value));
        CHECK_EQ(value, i);
        atomic_fetch_add(&a->written, 1);
    }
}

static void a_fork_in_the_middle_of_writes_disturbs_nobody(void) {
    for (unsigned pooling = 0; pooling < 2; pooling++) {
        bw_options options = options_tiny();
        options.pooling = pooling != 0;
        arena a = {tree_open(&options), 1, 0};
        crew_run(3, fork_or_write, &a);
        tree_free(a.tree);
    }
}

CHECK_MAIN({"a_child_is_told_that_the_tree_is_not_its_own",
            a_child_is_told_that_the_tree_is_not_its_own},
           {"a_tree_closed_before_the_fork_stays_closed",
            a_tree_closed_before_the_fork_stays_closed},
           {"a_pin_at_the_fork_does_not_stop_the_child_from_closing",
            a_pin_at_the_fork_does_not_stop_the_child_from_closing},
           {"a_fork_in_the_middle_of_writes_disturbs_nobody",
            a_fork_in_the_middle_of_writes_disturbs_nobody})
