/* test_operations.c: each call on one key does what a sorted array does, for every shape of page. */
#include "support.h"

typedef struct shape {
    uint32_t leaf, leaf_log, inner, inner_log;
} shape;

static const shape shapes[] = {
    {2, 1, 3, 1},      {2, 2, 3, 2},      {3, 1, 3, 2},       {3, 3, 4, 1},     {4, 4, 4, 3},
    {5, 3, 7, 4},      {16, 8, 16, 4},    {17, 1, 8, 7},      {31, 16, 33, 32}, {128, 64, 5, 1},
    {255, 64, 100, 8}, {256, 16, 256, 8}, {256, 64, 256, 64}, {256, 1, 3, 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ---- keys: of four kinds, so that neighbours, fences and both ends of the range are met ---- */

static uint64_t some_key(check_random *random, unsigned kind) {
    static const uint64_t edges[] = {
        0,
        1,
        2,
        UINT64_MAX,
        UINT64_MAX - 1,
        UINT64_MAX - 2,
        UINT64_C(1) << 63,
        (UINT64_C(1) << 63) - 1,
        (UINT64_C(1) << 63) + 1,
        UINT32_MAX,
        UINT64_C(1) << 32,
    };
    switch (kind % 4) {
    case 0: return check_below(random, 100);
    case 1: return edges[check_below(random, sizeof edges / sizeof *edges)];
    case 2: return UINT64_MAX - check_below(random, 300);
    default: /* a thousand keys all over the range */
        return check_below(random, 1000) * UINT64_C(0x9E3779B97F4A7C15);
    }
}

static uint64_t some_value(check_random *random) {
    switch (check_below(random, 4)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: /* few different ones, so that compare_exchange finds what it expects */
        return check_below(random, 3);
    default: return check_next(random);
    }
}

typedef enum operation { GET, PUT, INSERT, UPDATE, REMOVE, EXCHANGE, OPERATIONS } operation;

static const char *const operation_names[] = {"get",    "put",    "insert",
                                              "update", "remove", "compare_exchange"};

/* Makes the call, and compares its status and `seen` with what the model says. */
static void step(bw_tree *tree, model *m, check_random *random, operation what, uint64_t key) {
    uint64_t current = 0;
    uint64_t value = some_value(random);
    uint64_t seen = SENTINEL;
    bool present = model_get(m, key, &current);
    uint64_t expected = check_below(random, 2) == 0 ? current : some_value(random);
    uint64_t *out = check_below(random, 8) == 0 ? NULL : &seen;
    bw_status status = BW_EINVAL;
    bw_status want = BW_EINVAL;
    switch (what) {
    case GET:
        want = present ? BW_OK : BW_NOT_FOUND;
        status = bw_get(tree, key, out);
        break;
    case PUT:
        want = present ? BW_EXISTS : BW_OK;
        status = bw_put(tree, key, value, out);
        model_put(m, key, value);
        break;
    case INSERT:
        want = present ? BW_EXISTS : BW_OK;
        status = bw_insert(tree, key, value, out);
        if (!present)
            model_put(m, key, value);
        break;
    case UPDATE:
        want = present ? BW_OK : BW_NOT_FOUND;
        status = bw_update(tree, key, value, out);
        if (present)
            model_put(m, key, value);
        break;
    case REMOVE:
        want = present ? BW_OK : BW_NOT_FOUND;
        status = bw_remove(tree, key, out);
        model_remove(m, key);
        break;
    default:
        want = !present ? BW_NOT_FOUND : current == expected ? BW_OK : BW_MISMATCH;
        status = bw_compare_exchange(tree, key, expected, value, out);
        if (want == BW_OK)
            model_put(m, key, value);
        break;
    }
    check_trying("%s of key %" PRIu64 ", which was %s", operation_names[what], key,
                 present ? "present" : "absent");
    CHECK_STATUS(status, want);
    if (out != NULL)
        CHECK_EQ(seen, present ? current : SENTINEL);
}

static void random_walk(const bw_options *options, uint64_t salt, unsigned steps) {
    check_random random = check_random_of(salt);
    model m = {0};
    bw_tree *tree = tree_open(options);
    for (unsigned i = 0; i < steps; i++) {
        /* Phases that grow and phases that shrink: pages fill, split and run empty. */
        operation what = (operation)check_below(&random, OPERATIONS);
        if (i / 256 % 3 < 2 && what == REMOVE)
            what = PUT;
        if (i / 256 % 3 == 2 && (what == PUT || what == INSERT))
            what = REMOVE;
        step(tree, &m, &random, what, some_key(&random, (unsigned)check_next(&random)));
        if (i % 256 == 100)
            CHECK_OK(bw_consolidate(tree));
        if (i % 256 == 200)
            CHECK_OK(bw_collect(tree, NULL));
        if (i % 128 == 127)
            model_check(&m, tree);
    }
    model_check(&m, tree);
    model_free(&m);
    tree_free(tree);
}

static void every_shape_answers_like_a_sorted_array(void) {
    for (unsigned s = 0; s < SHAPES; s++) {
        for (unsigned pooling = 0; pooling < 2; pooling++) {
            for (int simd = BW_SIMD_SCALAR; simd <= BW_SIMD_AVX512; simd++) {
                bw_options options = options_of(shapes[s].leaf, shapes[s].leaf_log, shapes[s].inner,
                                                shapes[s].inner_log);
                options.pooling = pooling != 0;
                options.simd = (bw_simd)simd;
                options.retire_batch = 1 + s;
                if (bw_options_check(&options, NULL, 0) != BW_EUNSUPPORTED)
                    random_walk(&options, s * 8 + pooling * 4 + (unsigned)simd, 1100);
            }
        }
    }
}

static void default_options_answer_like_a_sorted_array(void) {
    random_walk(NULL, 1000, 4000);
}

/* ---- orders of insertion ---- */

typedef enum order { ASCENDING, DESCENDING, ZIGZAG, DENSE, ORDERS } order;

static uint64_t ordered_key(order way, uint64_t i, uint64_t n) {
    uint64_t spread = way == DENSE ? 1 : UINT64_MAX / (n - 1);
    uint64_t at = way == ASCENDING    ? i
                  : way == DESCENDING ? n - 1 - i
                  : way == DENSE      ? i * 37 % n
                  : i % 2 == 0        ? i / 2
                                      : n - 1 - i / 2;
    return at * spread;
}

static void keys_in_any_order_make_a_sound_tree(void) {
    enum { KEYS = 700 };
    for (unsigned s = 0; s < SHAPES; s++) {
        for (order way = ASCENDING; way < ORDERS; way++) {
            bw_options options = options_of(shapes[s].leaf, shapes[s].leaf_log, shapes[s].inner,
                                            shapes[s].inner_log);
            bw_tree *tree = tree_open(&options);
            model m = {0};
            for (uint64_t i = 0; i < KEYS; i++) {
                uint64_t key = ordered_key(way, i, KEYS);
                check_trying("key %" PRIu64 ", leaves of %" PRIu32, key, options.leaf_capacity);
                CHECK_OK(bw_insert(tree, key, i, NULL));
                model_put(&m, key, i);
            }
            model_check(&m, tree);
            bw_stats stats = tree_stats(tree);
            CHECK_EQ(stats.appends, KEYS + stats.appends_lost);
            CHECK_EQ(stats.helps, 0); /* each split posts its separator at once */
            for (uint64_t i = 0; i < KEYS; i++) {
                uint64_t seen = SENTINEL;
                CHECK_OK(bw_remove(tree, ordered_key(way, i, KEYS), &seen));
                CHECK_EQ(seen, i);
            }
            CHECK_EQ(tree_stats(tree).helps, 0);
            m.count = 0;
            model_check(&m, tree);
            model_free(&m);
            tree_free(tree);
        }
    }
}

static void ascending_inserts_leave_full_pages(void) {
    bw_options options = options_of(64, 8, 64, 8);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < 6400; key++)
        CHECK_OK(bw_insert(tree, key, key, NULL));
    CHECK_LE(tree_stats(tree).pages, 6400 * 100 / 85 / 64 + 8);
    tree_free(tree);
    tree = tree_open(&options);
    for (uint64_t key = 6400; key-- > 0;)
        CHECK_OK(bw_insert(tree, key, key, NULL));
    CHECK_LE(tree_stats(tree).pages, 6400 * 100 / 85 / 64 + 8);
    tree_free(tree);
}

/* As two threads load a tree of which one falls behind. */
static void ascending_inserts_between_others_leave_full_pages(void) {
    bw_options options = options_of(64, 16, 64, 2);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < 6400; key += 2)
        CHECK_OK(bw_insert(tree, key, key, NULL));
    for (uint64_t key = 1; key < 6400; key += 2)
        CHECK_OK(bw_insert(tree, key, key, NULL));
    CHECK_LE(tree_stats(tree).pages, 6400 * 100 / 90 / 64 + 8);
    tree_free(tree);
}

/* ---- single claims ---- */

static void both_ends_of_the_key_range_are_keys_like_others(void) {
    static const uint64_t keys[] = {0, UINT64_MAX};
    bw_tree *tree = tree_open_tiny();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2; i++) {
            uint64_t seen = SENTINEL;
            CHECK_STATUS(bw_get(tree, keys[i], &seen), BW_NOT_FOUND);
            CHECK_EQ(seen, SENTINEL);
            CHECK_OK(bw_insert(tree, keys[i], UINT64_MAX, &seen));
            CHECK_EQ(seen, SENTINEL);
            CHECK_STATUS(bw_insert(tree, keys[i], 5, &seen), BW_EXISTS);
            CHECK_EQ(seen, UINT64_MAX);
            CHECK_OK(bw_compare_exchange(tree, keys[i], UINT64_MAX, 0, &seen));
            CHECK_EQ(seen, UINT64_MAX);
            CHECK_STATUS(bw_compare_exchange(tree, keys[i], 1, 2, &seen), BW_MISMATCH);
            CHECK_EQ(seen, 0);
            CHECK_OK(bw_remove(tree, keys[i], &seen));
            CHECK_EQ(seen, 0);
        }
        CHECK_OK(bw_put(tree, 100 + round, round, NULL)); /* so that pages split between them */
    }
    tree_free(tree);
}

static void writes_that_change_nothing_append_nothing(void) {
    bw_tree *tree = tree_open_tiny();
    CHECK_OK(bw_put(tree, 7, 70, NULL));
    uint64_t appends = tree_stats(tree).appends;
    CHECK_STATUS(bw_insert(tree, 7, 71, NULL), BW_EXISTS);
    CHECK_STATUS(bw_update(tree, 8, 80, NULL), BW_NOT_FOUND);
    CHECK_STATUS(bw_remove(tree, 8, NULL), BW_NOT_FOUND);
    CHECK_STATUS(bw_compare_exchange(tree, 7, 1, 2, NULL), BW_MISMATCH);
    CHECK_STATUS(bw_compare_exchange(tree, 8, 1, 2, NULL), BW_NOT_FOUND);
    CHECK_EQ(tree_stats(tree).appends, appends);
    CHECK_STATUS(bw_put(tree, 7, 70, NULL), BW_EXISTS); /* a put is a write, whatever the value */
    CHECK_EQ(tree_stats(tree).appends, appends + 1);
    tree_free(tree);
}

static void the_last_of_many_writes_to_one_key_stands(void) {
    for (unsigned s = 0; s < SHAPES; s++) {
        bw_options options =
            options_of(shapes[s].leaf, shapes[s].leaf_log, shapes[s].inner, shapes[s].inner_log);
        bw_tree *tree = tree_open(&options);
        for (uint64_t i = 0; i < 300; i++) {
            uint64_t seen = SENTINEL;
            CHECK_STATUS(bw_put(tree, 42, i, &seen), i % 3 == 0 ? BW_OK : BW_EXISTS);
            CHECK_EQ(seen, i % 3 == 0 ? SENTINEL : i - 1);
            if (i % 3 == 2) {
                CHECK_OK(bw_remove(tree, 42, &seen));
                CHECK_EQ(seen, i);
            }
        }
        CHECK_EQ(tree_stats(tree).splits, 0); /* one key needs one page */
        tree_free(tree);
    }
}

static void an_insert_after_a_remove_is_not_hidden_by_the_base(void) {
    bw_options options = options_of(4, 4, 4, 3);
    bw_tree *tree = tree_open(&options);
    uint64_t seen = SENTINEL;
    CHECK_OK(bw_put(tree, 5, 50, NULL));
    CHECK_OK(bw_consolidate(tree)); /* 5 is in the base, the log is empty */
    CHECK_OK(bw_remove(tree, 5, NULL));
    CHECK_STATUS(bw_get(tree, 5, &seen), BW_NOT_FOUND);
    CHECK_STATUS(bw_remove(tree, 5, &seen), BW_NOT_FOUND);
    CHECK_EQ(seen, SENTINEL);
    CHECK_OK(bw_insert(tree, 5, 51, &seen));
    CHECK_EQ(seen, SENTINEL);
    CHECK_OK(bw_get(tree, 5, &seen));
    CHECK_EQ(seen, 51);
    CHECK_OK(bw_remove(tree, 5, NULL)); /* the fourth record: consolidated away */
    CHECK_STATUS(bw_get(tree, 5, &seen), BW_NOT_FOUND);
    tree_free(tree);
}

static void figures_count_what_was_done(void) {
    bw_options options = options_of(4, 2, 4, 2);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < 200; key++)
        CHECK_OK(bw_put(tree, key * 7 % 200, key, NULL));
    bw_stats stats = tree_stats(tree);
    CHECK_EQ(stats.size, 200);
    CHECK_EQ(stats.appends, 200);
    CHECK_EQ(stats.appends_lost, 0);
    CHECK_EQ(stats.consolidations_lost, 0);
    CHECK_LE(3, stats.height);
    CHECK_EQ(stats.height, stats.root_splits + 1);
    /* A page more for each split, two more for that of a root. */
    CHECK_EQ(stats.pages, 1 + stats.splits + stats.root_splits);
    CHECK_EQ(stats.pids_used, stats.pages);
    CHECK_EQ(stats.posts, stats.splits - stats.root_splits);
    CHECK_EQ(stats.consolidations, stats.retired);
    CHECK_EQ(stats.retired - stats.freed, stats.limbo_pages);
    CHECK_EQ(stats.threads, 1);
    CHECK_EQ(stats.max_pids, options.max_pids);
    CHECK(!stats.worker);
    CHECK_LE(stats.bytes_live, stats.bytes_reserved);
    /* Records, and pages of some 200 to 1000 bytes here: one for a consolidation, one more for a split. */
    uint64_t records = 40 * (stats.appends + stats.posts);
    uint64_t built = stats.consolidations + stats.splits;
    CHECK_LE(records + 200 * built, stats.bytes_written);
    CHECK_LE(stats.bytes_written, records + 1000 * (built + stats.root_splits + 1));
    tree_free(tree);
}

CHECK_MAIN({"every_shape_answers_like_a_sorted_array", every_shape_answers_like_a_sorted_array},
           {"default_options_answer_like_a_sorted_array",
            default_options_answer_like_a_sorted_array},
           {"keys_in_any_order_make_a_sound_tree", keys_in_any_order_make_a_sound_tree},
           {"ascending_inserts_leave_full_pages", ascending_inserts_leave_full_pages},
           {"ascending_inserts_between_others_leave_full_pages",
            ascending_inserts_between_others_leave_full_pages},
           {"both_ends_of_the_key_range_are_keys_like_others",
            both_ends_of_the_key_range_are_keys_like_others},
           {"writes_that_change_nothing_append_nothing", writes_that_change_nothing_append_nothing},
           {"the_last_of_many_writes_to_one_key_stands", the_last_of_many_writes_to_one_key_stands},
           {"an_insert_after_a_remove_is_not_hidden_by_the_base",
            an_insert_after_a_remove_is_not_hidden_by_the_base},
           {"figures_count_what_was_done", figures_count_what_was_done})
