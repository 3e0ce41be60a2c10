/* test_navigation.c: floor, ceiling, lower, higher, first, last: the nearest entry, also across leaves
 * that have run empty, and also while others write. */
#include "support.h"

static uint64_t key_out;
static uint64_t value_out;

/* Compares an answer with entry `at` of the model, absent if at >= count. */
static void check_answer(bw_status status, const model *m, size_t at) {
    CHECK_STATUS(status, at < m->count ? BW_OK : BW_NOT_FOUND);
    CHECK_EQ(key_out, at < m->count ? m->keys[at] : SENTINEL);
    CHECK_EQ(value_out, at < m->count ? m->values[at] : SENTINEL);
    key_out = value_out = SENTINEL;
}

static void check_around(bw_tree *tree, const model *m, uint64_t key) {
    size_t at = model_at(m, key); /* ceiling */
    bool hit = at < m->count && m->keys[at] == key;
    key_out = value_out = SENTINEL;
    check_trying("key %" PRIu64 ", ceiling", key);
    check_answer(bw_ceiling(tree, key, &key_out, &value_out), m, at);
    check_trying("key %" PRIu64 ", higher", key);
    check_answer(bw_higher(tree, key, &key_out, &value_out), m, at + hit);
    check_trying("key %" PRIu64 ", floor", key);
    check_answer(bw_floor(tree, key, &key_out, &value_out), m, hit ? at : at - 1);
    check_trying("key %" PRIu64 ", lower", key);
    check_answer(bw_lower(tree, key, &key_out, &value_out), m, at - 1);
    check_trying("first and last");
    check_answer(bw_first(tree, &key_out, &value_out), m, 0);
    check_answer(bw_last(tree, &key_out, &value_out), m, m->count - 1);
}

static void check_everywhere(bw_tree *tree, const model *m, check_random *random) {
    static const uint64_t edges[] = {0, 1, UINT64_MAX - 1, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        check_around(tree, m, edges[i]);
    for (unsigned i = 0; i < 30; i++) {
        uint64_t key = check_next(random);
        if (m->count > 0 && i % 3 != 0)
            key = m->keys[check_below(random, m->count)] + check_below(random, 3) - 1;
        check_around(tree, m, key);
    }
}

static void every_answer_is_that_of_a_sorted_array(void) {
    static const uint32_t shapes[][4] = {
        {2, 1, 3, 1}, {3, 2, 3, 2}, {4, 4, 5, 3}, {64, 16, 16, 8}, {256, 16, 256, 8}};
    for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
        bw_tree *tree = tree_open(&options);
        model m = {0};
        check_random random = check_random_of(s);
        check_everywhere(tree, &m, &random);
        for (unsigned round = 0; round < 24; round++) {
            /* Remove a whole range now and then: leaves in a row run empty, but stay. */
            if (round % 4 == 3 && m.count > 20) {
                size_t from = check_below(&random, m.count / 2);
                for (size_t n = m.count / 3; n > 0; n--) {
                    CHECK_OK(bw_remove(tree, m.keys[from], NULL));
                    model_remove(&m, m.keys[from]);
                }
            } else {
                for (unsigned i = 0; i < 50; i++) {
                    uint64_t key = check_below(&random, 4) == 0
                                       ? check_next(&random)
                                       : (i % 2 == 0 ? i * 3 : UINT64_MAX - i * 3);
                    CHECK_DONE(bw_put(tree, key, round, NULL));
                    model_put(&m, key, round);
                }
            }
            if (round % 5 == 4)
                CHECK_OK(bw_consolidate(tree));
            check_everywhere(tree, &m, &random);
        }
        model_free(&m);
        tree_free(tree);
    }
}

static void an_empty_tree_has_no_nearest_key(void) {
    bw_tree *tree = tree_open_tiny();
    model m = {0};
    for (uint64_t key = 0; key < 100; key++)
        CHECK_OK(bw_put(tree, key * 1000, key, NULL));
    CHECK_OK(bw_clear(tree, NULL)); /* a hundred empty leaves: more than are remembered in place */
    check_around(tree, &m, 0);
    check_around(tree, &m, 50000);
    check_around(tree, &m, UINT64_MAX);
    CHECK_OK(bw_put(tree, 0, 1, NULL));
    model_put(&m, 0, 1);
    check_around(tree, &m, UINT64_MAX);
    CHECK_OK(bw_put(tree, UINT64_MAX, 2, NULL));
    model_put(&m, UINT64_MAX, 2);
    check_around(tree, &m, 50000);
    tree_free(tree);
    model_free(&m);
}

static void out_parameters_are_optional(void) {
    bw_tree *tree = tree_open_tiny();
    CHECK_OK(bw_put(tree, 5, 50, NULL));
    CHECK_OK(bw_floor(tree, 9, NULL, NULL));
    CHECK_OK(bw_ceiling(tree, 1, NULL, NULL));
    CHECK_OK(bw_lower(tree, 9, NULL, NULL));
    CHECK_OK(bw_higher(tree, 1, NULL, NULL));
    CHECK_OK(bw_first(tree, NULL, &value_out));
    CHECK_EQ(value_out, 50);
    CHECK_OK(bw_last(tree, &key_out, NULL));
    CHECK_EQ(key_out, 5);
    tree_free(tree);
}

/* ---- linearizable while others write ---- */

enum { LOW = 1000, HIGH = 9000, READERS = 2, SEARCHES = CHECK_SANITIZED ? 5000 : 40000 };

typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t reading;
} arena;

static void check_low_or_high(bw_status status, const uint64_t *key) {
    CHECK_OK(status);
    CHECK(*key == LOW || *key == HIGH);
}

/* At every instant LOW or HIGH is present; other leaves lie between them. A search that looked at the
 * one's leaf and then at the other's could miss both. */
static void swing(crew *me) {
    arena *a = me->shared;
    uint64_t key = SENTINEL;
    for (uint64_t i = 0; me->index == 0 && atomic_load(&a->reading) > 0; i++) {
        CHECK_OK(bw_insert(a->tree, HIGH, i, NULL));
        CHECK_OK(bw_remove(a->tree, LOW, NULL));
        CHECK_OK(bw_insert(a->tree, LOW, i, NULL));
        CHECK_OK(bw_remove(a->tree, HIGH, NULL));
    }
    if (me->index == 0)
        return;
    for (unsigned i = 0; i < SEARCHES; i++) {
        check_low_or_high(bw_first(a->tree, &key, NULL), &key);
        check_low_or_high(bw_last(a->tree, &key, NULL), &key);
        check_low_or_high(bw_floor(a->tree, HIGH, &key, NULL), &key);
        check_low_or_high(bw_ceiling(a->tree, LOW, &key, NULL), &key);
    }
    atomic_fetch_sub(&a->reading, 1);
}

static void a_search_across_leaves_is_from_one_instant(void) {
    /* Short logs: leaves are replaced by consolidations. Long ones: only their slots fill. */
    static const uint32_t leaves[][2] = {{2, 1}, {2, 2}, {8, 8}, {32, 32}};
    for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        bw_options options = options_of(leaves[i][0], leaves[i][1], 4, 1);
        arena a = {tree_open(&options), READERS};
        for (uint64_t key = LOW; key <= HIGH; key += 100)
            CHECK_OK(bw_put(a.tree, key, 0, NULL));
        for (uint64_t key = LOW + 100; key <= HIGH; key += 100)
            CHECK_OK(bw_remove(a.tree, key, NULL));
        crew_run(READERS + 1, swing, &a);
        tree_free(a.tree);
    }
}

CHECK_MAIN({"every_answer_is_that_of_a_sorted_array", every_answer_is_that_of_a_sorted_array},
           {"an_empty_tree_has_no_nearest_key", an_empty_tree_has_no_nearest_key},
           {"out_parameters_are_optional", out_parameters_are_optional},
           {"a_search_across_leaves_is_from_one_instant",
            a_search_across_leaves_is_from_one_instant})
