/* test_batches.c: get_many and put_many do what that many gets and puts do, for sizes around the
 * groups and pins that they work in, and say how far they came when they fail. */
#include "support.h"

static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 31, 33, 255, 256, 257, 1023, 1024, 1025, 3000};
enum { SIZES = sizeof sizes / sizeof *sizes, MOST = 3000 };

static uint64_t keys[MOST + 1];
static uint64_t values[MOST + 1];
static bool present[MOST + 1];

static void check_get_many(bw_tree *tree, const model *m, size_t n) {
    size_t hits = SENTINEL;
    size_t want = 0;
    for (size_t i = 0; i <= n; i++) {
        values[i] = SENTINEL;
        present[i] = i % 2 == 0;
    }
    check_trying("get_many of %zu keys", n);
    CHECK_OK(bw_get_many(tree, keys, n, values, present, &hits));
    for (size_t i = 0; i < n; i++) {
        uint64_t value = SENTINEL;
        bool is = model_get(m, keys[i], &value);
        CHECK_EQ(present[i], is);
        CHECK_EQ(values[i], value);
        want += is;
    }
    CHECK_EQ(hits, want);
    CHECK_EQ(values[n], SENTINEL);
    CHECK_EQ(present[n], n % 2 == 0);
    for (size_t i = 0; i < n; i++)
        values[i] = SENTINEL;
    CHECK_OK(bw_get_many(tree, keys, n, values, NULL, NULL));
    for (size_t i = 0; i < n; i++) {
        uint64_t value = SENTINEL;
        (void)model_get(m, keys[i], &value);
        CHECK_EQ(values[i], value);
    }
}

static void batches_of_every_size_do_what_single_calls_do(void) {
    static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {16, 8, 8, 4}, {256, 16, 256, 8}};
    for (unsigned s = 0; s < 3; s++) {
        for (int simd = BW_SIMD_SCALAR; simd <= BW_SIMD_AVX512; simd++) {
            bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
            options.simd = (bw_simd)simd;
            if ((CHECK_SANITIZED && simd != (int)s + 1) ||
                bw_options_check(&options, NULL, 0) == BW_EUNSUPPORTED)
                continue;
            bw_tree *tree = tree_open(&options);
            model m = {0};
            check_random random = check_random_of(s);
            for (unsigned i = 0; i < SIZES; i++) {
                size_t n = sizes[i];
                size_t done = SENTINEL;
                size_t inserted = SENTINEL;
                size_t before = m.count;
                for (size_t j = 0; j < n; j++) { /* some keys twice: the later value stands */
                    keys[j] =
                        check_below(&random, 2 * MOST) * (i % 2 == 0 ? 1 : UINT64_MAX / MOST / 2);
                    values[j] = check_next(&random);
                    model_put(&m, keys[j], values[j]);
                }
                check_trying("put_many of %zu keys", n);
                CHECK_OK(bw_put_many(tree, keys, values, n, &done, &inserted));
                CHECK_EQ(done, n);
                CHECK_EQ(inserted, m.count - before);
                check_get_many(tree, &m, n);
                for (size_t j = 0; j < n; j++)
                    keys[j] += check_below(&random, 2);
                check_get_many(tree, &m, n);
            }
            model_check(&m, tree);
            model_free(&m);
            tree_free(tree);
        }
    }
}

static void both_ends_of_the_key_range_can_be_in_a_batch(void) {
    bw_tree *tree = tree_open_tiny();
    model m = {0};
    keys[0] = UINT64_MAX;
    keys[1] = 0;
    values[0] = 0;
    values[1] = UINT64_MAX;
    CHECK_OK(bw_put_many(tree, keys, values, 2, NULL, NULL));
    model_put(&m, UINT64_MAX, 0);
    model_put(&m, 0, UINT64_MAX);
    keys[2] = 1;
    check_get_many(tree, &m, 3);
    model_free(&m);
    tree_free(tree);
}

/* Keys 0, 1, 2 … until an error; `done` keys must be there and no other. */
static void check_partial(bw_tree *tree, bw_status want) {
    size_t done = SENTINEL;
    size_t inserted = SENTINEL;
    uint64_t size = 0;
    for (size_t i = 0; i < MOST; i++)
        keys[i] = values[i] = i;
    CHECK_STATUS(bw_put_many(tree, keys, values, MOST, &done, &inserted), want);
    CHECK_LT(done, MOST);
    CHECK_EQ(inserted, done);
    CHECK_OK(bw_size(tree, &size));
    CHECK_EQ(size, done);
    for (size_t i = 0; i < MOST; i++)
        CHECK_STATUS(bw_get(tree, i, NULL), i < done ? BW_OK : BW_NOT_FOUND);
    tree_check(tree, true);
}

static void a_batch_without_page_ids_says_how_far_it_came(void) {
    for (uint64_t max_pids = 4; max_pids < 400; max_pids += 33) {
        bw_options options = options_tiny();
        options.max_pids = max_pids;
        bw_tree *tree = tree_open(&options);
        check_partial(tree, BW_EPIDS);
        tree_free(tree);
    }
}

static void a_batch_without_memory_says_how_far_it_came(void) {
    for (uint64_t nth = 1; nth < 3000; nth += CHECK_SANITIZED ? 700 : 100) {
        meter m;
        bw_options options = options_metered(options_tiny(), &m);
        bw_tree *tree = tree_open(&options);
        meter_fail_nth(&m, nth);
        atomic_store(&m.fail_end, UINT64_MAX);
        check_partial(tree, BW_ENOMEM);
        meter_fail_none(&m);
        CHECK_OK(bw_put_many(tree, keys, values, MOST, NULL, NULL));
        tree_free(tree);
        meter_check_empty(&m);
    }
}

/* A batch is not atomic, but each of its gets is: keys that stay are always found. */
typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t reading;
} arena;

static void read_or_write(crew *me) {
    enum { STEADY = 300, BATCHES = CHECK_SANITIZED ? 60 : 300 };
    arena *a = me->shared;
    if (me->index == 0) {
        uint64_t wanted[STEADY];
        uint64_t found[STEADY];
        size_t hits = 0;
        for (uint64_t i = 0; i < STEADY; i++)
            wanted[i] = i * 4;
        CHECK_OK(bw_put_many(a->tree, wanted, wanted, STEADY, NULL, NULL));
        crew_meet(me);
        for (unsigned i = 0; i < BATCHES; i++) {
            CHECK_OK(bw_get_many(a->tree, wanted, STEADY, found, NULL, &hits));
            CHECK_EQ(hits, STEADY);
            CHECK_EQ(memcmp(wanted, found, sizeof wanted), 0);
        }
        atomic_store(&a->reading, 0);
        return;
    }
    check_random random = check_random_of(me->index);
    crew_meet(me);
    while (atomic_load(&a->reading)) {
        uint64_t key = check_below(&random, 4 * STEADY);
        if (key % 4 != 0)
            CHECK_DONE(check_below(&random, 3) == 0 ? bw_remove(a->tree, key, NULL)
                                                    : bw_put(a->tree, key, key, NULL));
    }
}

static void keys_that_stay_are_found_by_every_batch(void) {
    arena a = {tree_open_tiny(), 1};
    crew_run(3, read_or_write, &a);
    tree_free(a.tree);
}

CHECK_MAIN({"batches_of_every_size_do_what_single_calls_do",
            batches_of_every_size_do_what_single_calls_do},
           {"both_ends_of_the_key_range_can_be_in_a_batch",
            both_ends_of_the_key_range_can_be_in_a_batch},
           {"a_batch_without_page_ids_says_how_far_it_came",
            a_batch_without_page_ids_says_how_far_it_came},
           {"a_batch_without_memory_says_how_far_it_came",
            a_batch_without_memory_says_how_far_it_came},
           {"keys_that_stay_are_found_by_every_batch", keys_that_stay_are_found_by_every_batch})
