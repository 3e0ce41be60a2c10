/* test_trim.c: delete_range, clear, pop_first and pop_last: what goes, what stays, and that many threads
 * that pop share the keys out among them, in order. */
#include "support.h"

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {3, 1, 4, 3},
                                     {4, 4, 4, 3}, {8, 4, 5, 2}, {64, 16, 16, 8}};
enum { SHAPES = sizeof shapes / sizeof *shapes, KEYS = 600 };

static bw_tree *open_shape(unsigned shape) {
    bw_options options =
        options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
    return tree_open(&options);
}

static void fill(bw_tree *tree, model *m, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = i * 7 % n * 10;
        CHECK_DONE(bw_put(tree, key, key + 1, NULL));
        if (m != NULL)
            model_put(m, key, key + 1);
    }
}

/* ---- delete_range ---- */

static uint64_t model_delete_range(model *m, uint64_t low, uint64_t high) {
    uint64_t removed = 0;
    while (low <= high) {
        size_t at = model_at(m, low);
        if (at == m->count || m->keys[at] > high)
            break;
        model_remove(m, m->keys[at]);
        removed++;
    }
    return removed;
}

static void a_range_goes_and_the_rest_stays(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_tree *tree = open_shape(shape);
        check_random random = check_random_of(shape);
        model m = {0};
        for (unsigned round = 0; round < 40; round++) {
            if (round % 8 == 0)
                fill(tree, &m, KEYS);
            uint64_t low = check_below(&random, KEYS * 10);
            uint64_t high = round % 5 == 0 ? low : low + check_below(&random, KEYS * 4);
            if (round % 9 == 1)
                high = UINT64_MAX;
            if (round % 9 == 2)
                low = 0;
            check_trying("shape %u, round %u, %" PRIu64 " to %" PRIu64, shape, round, low, high);
            uint64_t removed = SENTINEL;
            CHECK_OK(bw_delete_range(tree, low, high, &removed));
            CHECK_EQ(removed, model_delete_range(&m, low, high));
            model_check(&m, tree);
        }
        model_free(&m);
        tree_free(tree);
    }
}

static void both_ends_of_a_range_belong_to_it(void) {
    bw_tree *tree = open_shape(0);
    uint64_t removed = SENTINEL;
    CHECK_OK(bw_put(tree, 0, 0, NULL));
    CHECK_OK(bw_put(tree, UINT64_MAX, 0, NULL));
    CHECK_OK(bw_put(tree, 5, 0, NULL));
    CHECK_OK(bw_delete_range(tree, 6, UINT64_MAX - 1, &removed));
    CHECK_EQ(removed, 0);
    CHECK_OK(bw_delete_range(tree, 6, 5, &removed)); /* empty */
    CHECK_EQ(removed, 0);
    CHECK_OK(bw_delete_range(tree, UINT64_MAX, UINT64_MAX, &removed));
    CHECK_EQ(removed, 1);
    CHECK_OK(bw_delete_range(tree, 0, 0, NULL));
    CHECK_OK(bw_get(tree, 5, NULL));
    CHECK_EQ(tree_stats(tree).size, 1);
    CHECK_STATUS(bw_delete_range(NULL, 0, 0, &removed), BW_EINVAL);
    tree_free(tree);
}

/* Whole leaves go without a record for each key, and their pages merge. */
static void a_cleared_tree_is_one_leaf_and_took_no_records(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_tree *tree = open_shape(shape);
        check_trying("shape %u", shape);
        fill(tree, NULL, KEYS);
        uint64_t appends = tree_stats(tree).appends;
        uint64_t removed = SENTINEL;
        CHECK_OK(bw_clear(tree, &removed));
        CHECK_EQ(removed, KEYS);
        bw_stats stats = tree_stats(tree);
        CHECK_EQ(stats.appends, appends);
        CHECK_EQ(stats.size, 0);
        CHECK_LE(stats.pages, 3);
        CHECK_STATUS(bw_first(tree, NULL, NULL), BW_NOT_FOUND);
        CHECK_OK(bw_clear(tree, &removed));
        CHECK_EQ(removed, 0);
        fill(tree, NULL, KEYS);
        CHECK_EQ(tree_stats(tree).size, KEYS);
        tree_free(tree);
    }
}

/* Only the leaves at its two ends hold keys that stay. */
static void the_leaves_amid_a_range_take_no_records(void) {
    enum { CAPACITY = 16 };
    bw_options options = options_of(CAPACITY, 4, 8, 2);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < KEYS; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    const uint64_t appends = tree_stats(tree).appends;
    uint64_t removed = SENTINEL;
    CHECK_OK(bw_delete_range(tree, 5, KEYS - 6, &removed));
    CHECK_EQ(removed, KEYS - 10);
    CHECK_LE(tree_stats(tree).appends, appends + 2 * (CAPACITY + 4));
    tree_free(tree);
}

/* ---- pop ---- */

static void pop_gives_the_first_and_the_last(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_tree *tree = open_shape(shape);
        check_random random = check_random_of(shape);
        model m = {0};
        for (unsigned i = 0; i < 8000; i++) {
            bool grows = i / 1000 % 2 == 0;
            uint64_t key = SENTINEL;
            uint64_t value = SENTINEL;
            check_trying("shape %u, step %u", shape, i);
            if (check_below(&random, 8) < (grows ? 6 : 2)) {
                uint64_t put = check_below(&random, 5000);
                CHECK_DONE(bw_put(tree, put, i, NULL));
                model_put(&m, put, i);
                continue;
            }
            bool first = check_below(&random, 2) == 0;
            bw_status status =
                first ? bw_pop_first(tree, &key, &value) : bw_pop_last(tree, &key, &value);
            CHECK_STATUS(status, m.count == 0 ? BW_NOT_FOUND : BW_OK);
            if (m.count == 0) {
                CHECK_EQ(key, SENTINEL);
                continue;
            }
            size_t at = first ? 0 : m.count - 1;
            CHECK_EQ(key, m.keys[at]);
            CHECK_EQ(value, m.values[at]);
            model_remove(&m, key);
            if (i % 500 == 0)
                model_check(&m, tree);
        }
        model_check(&m, tree);
        model_free(&m);
        tree_free(tree);
    }
}

static void pop_passes_rows_of_empty_leaves(void) {
    bw_options options = options_of(4, 4, 4, 3); /* logs so long that leaves run empty unnoticed */
    for (unsigned last = 0; last < 2; last++) {
        bw_tree *tree = tree_open(&options);
        fill(tree, NULL, KEYS);
        CHECK_OK(bw_consolidate(tree));
        uint64_t stays = last != 0 ? 0 : (KEYS - 1) * 10;
        for (uint64_t i = 0; i < KEYS; i++)
            if (i * 10 != stays)
                CHECK_OK(bw_remove(tree, i * 10, NULL));
        CHECK_LE(30, tree_stats(tree).pages);
        uint64_t key = SENTINEL;
        CHECK_OK(last != 0 ? bw_pop_last(tree, &key, NULL) : bw_pop_first(tree, &key, NULL));
        CHECK_EQ(key, stays);
        CHECK_STATUS(last != 0 ? bw_pop_last(tree, NULL, NULL) : bw_pop_first(tree, NULL, NULL),
                     BW_NOT_FOUND);
        CHECK_LE(tree_stats(tree).pages, 3); /* it merged what it passed */
        tree_free(tree);
    }
    CHECK_STATUS(bw_pop_first(NULL, NULL, NULL), BW_EINVAL);
    CHECK_STATUS(bw_pop_last(NULL, NULL, NULL), BW_EINVAL);
}

/* ---- threads ---- */

enum { THREADS = 4, WORK = CHECK_SANITIZED ? 2000 : 10000 };

typedef struct arena {
    bw_tree *tree;
    bool last;
    uint8_t popped[THREADS * WORK];
    _Atomic uint64_t count;
} arena;

static arena shared;

/* All keys are there from the start: each is popped once, and each thread sees them in order. */
static void pop_all(crew *me) {
    (void)me;
    uint64_t before = shared.last ? UINT64_MAX : 0;
    for (bool begun = false;; begun = true) {
        uint64_t key = SENTINEL;
        uint64_t value = SENTINEL;
        bw_status status = shared.last ? bw_pop_last(shared.tree, &key, &value)
                                       : bw_pop_first(shared.tree, &key, &value);
        if (status == BW_NOT_FOUND)
            break;
        CHECK_OK(status);
        CHECK_EQ(value, ~key);
        CHECK_LT(key, THREADS * WORK);
        shared.popped[key]++; /* a second one would race here, which sanitizers see */
        if (begun)
            CHECK(shared.last ? key < before : before < key);
        before = key;
        atomic_fetch_add(&shared.count, 1);
    }
}

static void threads_share_the_keys_out_in_order(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (unsigned last = 0; last < 2; last++) {
            memset(&shared, 0, sizeof shared);
            shared.tree = open_shape(shape);
            shared.last = last != 0;
            for (uint64_t i = 0; i < WORK; i++)
                CHECK_OK(bw_put(shared.tree, i * 7 % WORK, ~(i * 7 % WORK), NULL));
            crew_run(THREADS, pop_all, NULL);
            CHECK_EQ(atomic_load(&shared.count), WORK);
            CHECK_EQ(tree_stats(shared.tree).size, 0);
            tree_free(shared.tree);
        }
    }
}

/* Keys come at the right in order, by threads with keys of their own, and go at the left: whoever pops
 * sees the keys of each producer in order, and nothing is lost. */
static void produce_or_consume(crew *me) {
    enum { PRODUCERS = 2 };
    bw_tree *tree = shared.tree;
    if (me->index < PRODUCERS) {
        for (uint64_t i = 0; i < WORK; i++)
            CHECK_OK(bw_insert(tree, i * PRODUCERS + me->index, i, NULL));
        return;
    }
    while (atomic_load(&shared.count) < PRODUCERS * WORK) {
        uint64_t key = SENTINEL;
        bw_status status = bw_pop_first(tree, &key, NULL);
        if (status == BW_NOT_FOUND) {
            sched_yield();
            continue;
        }
        CHECK_OK(status);
        shared.popped[key]++;
        atomic_fetch_add(&shared.count, 1);
    }
}

static void a_queue_loses_nothing_and_gives_nothing_twice(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        memset(&shared, 0, sizeof shared);
        shared.tree = open_shape(shape);
        crew_run(THREADS, produce_or_consume, NULL);
        for (uint64_t key = 0; key < 2 * WORK; key++)
            CHECK_EQ(shared.popped[key], 1);
        tree_check(shared.tree, true);
        CHECK_EQ(tree_stats(shared.tree).size, 0);
        CHECK_LE(tree_stats(shared.tree).pages, 40);
        tree_free(shared.tree);
    }
}

/* Deleting ranges beside writers: keys outside are untouched, and sizes agree at the end. */
static void delete_beside_writers(crew *me) {
    bw_tree *tree = shared.tree;
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < WORK / 8; i++) {
        uint64_t key = check_below(&random, 400);
        if (me->index == 0) { /* 1000 … 1399 and nothing else */
            uint64_t low = 1000 + key;
            uint64_t high = low + check_below(&random, 1400 - low);
            CHECK_OK(bw_delete_range(tree, low, high, NULL));
        } else if (me->index == 1) { /* those keys come again and again */
            for (uint64_t k = 1000; k < 1400; k += 1 + i % 7)
                CHECK_DONE(bw_put(tree, k, k, NULL));
        } else { /* keys on both sides, each thread its own */
            uint64_t mine = (key < 200 ? 400 : 1000) + key * 2 + me->index % 2;
            CHECK_DONE(bw_put(tree, mine, i, NULL));
            uint64_t seen = SENTINEL;
            CHECK_OK(bw_get(tree, mine, &seen));
            CHECK_EQ(seen, i);
            if (i % 3 == 0)
                CHECK_OK(bw_remove(tree, mine, NULL));
        }
        if (i % 64 == 0)
            tree_check(tree, false);
    }
}

static void ranges_are_deleted_beside_writers(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        memset(&shared, 0, sizeof shared);
        shared.tree = open_shape(shape);
        crew_run(THREADS, delete_beside_writers, NULL);
        tree_check(shared.tree, true);
        uint64_t removed = SENTINEL;
        uint64_t size = tree_stats(shared.tree).size;
        CHECK_OK(bw_clear(shared.tree, &removed));
        CHECK_EQ(removed, size);
        tree_free(shared.tree);
    }
}

CHECK_MAIN({"a_range_goes_and_the_rest_stays", a_range_goes_and_the_rest_stays},
           {"both_ends_of_a_range_belong_to_it", both_ends_of_a_range_belong_to_it},
           {"a_cleared_tree_is_one_leaf_and_took_no_records",
            a_cleared_tree_is_one_leaf_and_took_no_records},
           {"the_leaves_amid_a_range_take_no_records", the_leaves_amid_a_range_take_no_records},
           {"pop_gives_the_first_and_the_last", pop_gives_the_first_and_the_last},
           {"pop_passes_rows_of_empty_leaves", pop_passes_rows_of_empty_leaves},
           {"threads_share_the_keys_out_in_order", threads_share_the_keys_out_in_order},
           {"a_queue_loses_nothing_and_gives_nothing_twice",
            a_queue_loses_nothing_and_gives_nothing_twice},
           {"ranges_are_deleted_beside_writers", ranges_are_deleted_beside_writers})
