/* test_range.c: count, size and clear, alone and beside other writers. */
#include "support.h"

static uint64_t count_of(bw_tree *tree, uint64_t low, uint64_t high) {
    uint64_t count = SENTINEL;
    CHECK_OK(bw_count(tree, low, high, &count));
    return count;
}

static uint64_t size_of(bw_tree *tree) {
    uint64_t size = SENTINEL;
    CHECK_OK(bw_size(tree, &size));
    return size;
}

static void count_is_that_of_a_sorted_array(void) {
    static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {7, 5, 4, 2}, {256, 16, 256, 8}};
    for (unsigned s = 0; s < 3; s++) {
        bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
        bw_tree *tree = tree_open(&options);
        model m = {0};
        check_random random = check_random_of(s);
        CHECK_EQ(count_of(tree, 0, UINT64_MAX), 0);
        for (unsigned i = 0; i < 1500; i++) {
            uint64_t key = i % 3 == 0 ? check_next(&random) : i % 3 == 1 ? i : UINT64_MAX - i;
            CHECK_DONE(bw_put(tree, key, i, NULL));
            model_put(&m, key, i);
            if (i % 5 == 4) {
                key = m.keys[check_below(&random, m.count)];
                CHECK_OK(bw_remove(tree, key, NULL));
                model_remove(&m, key);
            }
            uint64_t low = m.keys[check_below(&random, m.count)] + check_below(&random, 3) - 1;
            uint64_t high = m.keys[check_below(&random, m.count)] + check_below(&random, 3) - 1;
            size_t from = model_at(&m, low);
            size_t to = high == UINT64_MAX ? m.count : model_at(&m, high + 1);
            check_trying("step %u, from %" PRIu64 " to %" PRIu64, i, low, high);
            CHECK_EQ(count_of(tree, low, high), low > high ? 0 : to - from);
        }
        CHECK_EQ(count_of(tree, 0, UINT64_MAX), m.count);
        CHECK_EQ(count_of(tree, UINT64_MAX, 0), 0);
        CHECK_EQ(size_of(tree), m.count);
        model_free(&m);
        tree_free(tree);
    }
}

static void clear_removes_every_key(void) {
    for (unsigned pooling = 0; pooling < 2; pooling++) {
        bw_options options = options_tiny();
        options.pooling = pooling != 0;
        bw_tree *tree = tree_open(&options);
        uint64_t removed = SENTINEL;
        CHECK_OK(bw_clear(tree, &removed));
        CHECK_EQ(removed, 0);
        for (unsigned round = 0; round < 3; round++) {
            for (uint64_t i = 0; i < 500; i++)
                CHECK_OK(bw_put(tree, i * (UINT64_MAX / 499), i, NULL));
            CHECK_OK(bw_clear(tree, &removed));
            CHECK_EQ(removed, 500);
            CHECK_EQ(size_of(tree), 0);
            CHECK_EQ(count_of(tree, 0, UINT64_MAX), 0);
            CHECK_STATUS(bw_first(tree, NULL, NULL), BW_NOT_FOUND);
            tree_check(tree, true);
        }
        CHECK_OK(bw_clear(tree, NULL));
        tree_free(tree);
    }
}

/* ---- beside others ---- */

enum { EACH = CHECK_SANITIZED ? 1500 : 10000, THREADS = 4 };

typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t removed, inserted, writing;
} arena;

/* Every key inserted is removed once, by a clear or by the last one. */
static void insert_or_clear(crew *me) {
    arena *a = me->shared;
    if (me->index > 0) {
        check_random random = check_random_of(me->index);
        for (unsigned i = 0; i < EACH; i++)
            if (bw_insert(a->tree, check_below(&random, 400), me->index, NULL) == BW_OK)
                atomic_fetch_add(&a->inserted, 1);
        atomic_fetch_sub(&a->writing, 1);
        return;
    }
    while (atomic_load(&a->writing) > 0) {
        uint64_t removed = 0;
        CHECK_OK(bw_clear(a->tree, &removed));
        atomic_fetch_add(&a->removed, removed);
    }
}

static void clears_and_inserts_balance(void) {
    arena a = {tree_open_tiny(), 0, 0, THREADS - 1};
    uint64_t removed = 0;
    crew_run(THREADS, insert_or_clear, &a);
    CHECK_EQ(size_of(a.tree), atomic_load(&a.inserted) - atomic_load(&a.removed));
    CHECK_OK(bw_clear(a.tree, &removed));
    CHECK_EQ(atomic_load(&a.inserted), atomic_load(&a.removed) + removed);
    tree_free(a.tree);
}

/* Steady keys stay, each other thread has at most one of its own keys in the tree at any time. */
static void count_or_flicker(crew *me) {
    enum { STEADY = 100 };
    arena *a = me->shared;
    if (me->index > 0) {
        for (unsigned i = 0; i < EACH; i++) {
            uint64_t key = 1000 + i % 50 * 10 + me->index;
            CHECK_OK(bw_insert(a->tree, key, 0, NULL));
            CHECK_OK(bw_remove(a->tree, key, NULL));
        }
        atomic_fetch_sub(&a->writing, 1);
        return;
    }
    while (atomic_load(&a->writing) > 0) {
        CHECK_EQ(count_of(a->tree, 0, 999), STEADY);
        CHECK_LE(STEADY, count_of(a->tree, 0, 5000));
        CHECK_LE(size_of(a->tree), STEADY + THREADS * (uint64_t)EACH);
    }
}

static void what_stays_is_counted_beside_writers(void) {
    arena a = {tree_open_tiny(), 0, 0, THREADS - 1};
    for (uint64_t i = 0; i < 100; i++)
        CHECK_OK(bw_put(a.tree, i * 10, i, NULL));
    crew_run(THREADS, count_or_flicker, &a);
    CHECK_EQ(size_of(a.tree), 100);
    tree_free(a.tree);
}

CHECK_MAIN({"count_is_that_of_a_sorted_array", count_is_that_of_a_sorted_array},
           {"clear_removes_every_key", clear_removes_every_key},
           {"clears_and_inserts_balance", clears_and_inserts_balance},
           {"what_stays_is_counted_beside_writers", what_stays_is_counted_beside_writers})
