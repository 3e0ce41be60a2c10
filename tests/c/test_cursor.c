/* test_cursor.c: a cursor is a gap between two keys: what it gives in both directions, across leaves
 * that are empty, in batches, and while others write. */
#include "support.h"

static bw_cursor *cursor_open(bw_tree *tree) {
    bw_cursor *cursor = NULL;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    CHECK(cursor != NULL);
    return cursor;
}

/* The gap of a model's cursor: it lies before entry `at`. */
static void check_step(bw_cursor *cursor, const model *m, size_t *at, bool up) {
    uint64_t key = SENTINEL;
    uint64_t value = SENTINEL;
    bool more = up ? *at < m->count : *at > 0;
    size_t entry = up ? *at : *at - 1;
    CHECK_STATUS(up ? bw_cursor_next(cursor, &key, &value) : bw_cursor_prev(cursor, &key, &value),
                 more ? BW_OK : BW_NOT_FOUND);
    CHECK_EQ(key, more ? m->keys[entry] : SENTINEL);
    CHECK_EQ(value, more ? m->values[entry] : SENTINEL);
    if (more)
        *at = up ? *at + 1 : *at - 1;
}

enum { MOST = 700 };

/* next_many or prev_many with a random size and limit, compared entry by entry. */
static void check_many(bw_cursor *cursor, const model *m, size_t *at, bool up,
                       check_random *random) {
    uint64_t keys[MOST + 1];
    uint64_t values[MOST + 1];
    static const size_t sizes[] = {0, 1, 2, 3, 7, 64, MOST};
    size_t n = sizes[check_below(random, sizeof sizes / sizeof *sizes)];
    uint64_t limit = up ? UINT64_MAX : 0;
    if (m->count > 0 && check_below(random, 2) == 0)
        limit = m->keys[check_below(random, m->count)] + check_below(random, 3) - 1;
    size_t want = 0;
    while (want < n && (up ? *at + want < m->count && m->keys[*at + want] <= limit
                           : want < *at && m->keys[*at - 1 - want] >= limit))
        want++;
    size_t count = 12345;
    keys[n] = values[n] = SENTINEL;
    check_trying("%s_many of %zu up to %" PRIu64 ", gap before entry %zu of %zu",
                 up ? "next" : "prev", n, limit, *at, m->count);
    CHECK_STATUS(up ? bw_cursor_next_many(cursor, limit, keys, values, n, &count)
                    : bw_cursor_prev_many(cursor, limit, keys, values, n, &count),
                 n > 0 && want == 0 ? BW_NOT_FOUND : BW_OK);
    CHECK_EQ(count, want);
    CHECK_EQ(keys[n], SENTINEL);
    CHECK_EQ(values[n], SENTINEL);
    for (size_t i = 0; i < want; i++) {
        size_t entry = up ? *at + i : *at - 1 - i;
        CHECK_EQ(keys[i], m->keys[entry]);
        CHECK_EQ(values[i], m->values[entry]);
    }
    *at = up ? *at + want : *at - want;
}

/* ---- a tree that nobody changes ---- */

/* Random keys, some in runs, and runs removed, so that leaves in a row are empty. */
static void fill(bw_tree *tree, model *m, check_random *random) {
    for (unsigned i = 0; i < 400; i++) {
        uint64_t key = i % 4 == 0   ? check_next(random)
                       : i % 4 == 1 ? i
                                    : UINT64_MAX - check_below(random, 500);
        CHECK_DONE(bw_put(tree, key, i, NULL));
        model_put(m, key, i);
    }
    for (unsigned runs = 0; runs < 4; runs++) {
        size_t from = check_below(random, m->count - 30);
        for (unsigned i = 0; i < 30; i++) {
            CHECK_OK(bw_remove(tree, m->keys[from], NULL));
            model_remove(m, m->keys[from]);
        }
    }
}

static void random_walks_follow_a_sorted_array(void) {
    static const uint32_t shapes[][4] = {
        {2, 1, 3, 1}, {2, 2, 3, 2}, {5, 3, 4, 2}, {64, 16, 16, 8}, {256, 64, 256, 8}};
    for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
        bw_tree *tree = tree_open(&options);
        model m = {0};
        check_random random = check_random_of(s);
        fill(tree, &m, &random);
        bw_cursor *cursor = cursor_open(tree);
        size_t at = 0;
        for (unsigned i = 0; i < 6000; i++) {
            uint64_t key;
            check_trying("shape %u, step %u, gap before entry %zu of %zu", s, i, at, m.count);
            switch (check_below(&random, 12)) {
            case 0:
                key = check_below(&random, 2) == 0
                          ? check_next(&random)
                          : m.keys[check_below(&random, m.count)] + check_below(&random, 3) - 1;
                CHECK_OK(bw_cursor_seek(cursor, key));
                at = model_at(&m, key);
                break;
            case 1:
                if (check_below(&random, 4) != 0)
                    break;
                CHECK_OK(bw_cursor_seek_end(cursor));
                at = m.count;
                break;
            case 2: check_many(cursor, &m, &at, true, &random); break;
            case 3: check_many(cursor, &m, &at, false, &random); break;
            default: /* runs in one direction, so that it goes far */
                check_step(cursor, &m, &at,
                           i / 64 % 2 == 0 ? check_below(&random, 8) != 0
                                           : check_below(&random, 8) == 0);
            }
        }
        bw_cursor_free(cursor);
        model_free(&m);
        tree_free(tree);
    }
}

static void both_ends_can_be_reached_and_left(void) {
    bw_tree *tree = tree_open_tiny();
    bw_cursor *cursor = cursor_open(tree);
    CHECK_STATUS(bw_cursor_next(cursor, NULL, NULL), BW_NOT_FOUND);
    CHECK_STATUS(bw_cursor_prev(cursor, NULL, NULL), BW_NOT_FOUND);
    CHECK_OK(bw_put(tree, 0, 1, NULL));
    CHECK_OK(bw_put(tree, UINT64_MAX, 2, NULL));
    model m = {0};
    model_put(&m, 0, 1);
    model_put(&m, UINT64_MAX, 2);
    CHECK_OK(bw_cursor_seek(cursor, 0));
    size_t at = 0;
    static const bool ups[] = {false, true, true, true, true, false, false, false, false, true};
    for (size_t i = 0; i < sizeof ups / sizeof *ups; i++)
        check_step(cursor, &m, &at, ups[i]);
    CHECK_OK(bw_cursor_seek(cursor, UINT64_MAX));
    at = 1;
    check_step(cursor, &m, &at, true);
    CHECK_OK(bw_cursor_seek_end(cursor));
    at = 2;
    check_step(cursor, &m, &at, true);
    check_step(cursor, &m, &at, false);
    bw_cursor_free(cursor);
    model_free(&m);
    tree_free(tree);
}

/* ---- a tree that changes under the cursor ---- */

/* Keys 10, 20 … 100, each in a leaf of one or two, of which only the first and the last remain. */
static bw_tree *tree_of_empty_leaves(void) {
    bw_tree *tree = tree_open_tiny();
    for (uint64_t key = 10; key <= 100; key += 10)
        CHECK_OK(bw_put(tree, key, key, NULL));
    for (uint64_t key = 20; key <= 90; key += 10)
        CHECK_OK(bw_remove(tree, key, NULL));
    return tree;
}

static void at_the_end_the_cursor_stays_in_its_gap(void) {
    bw_tree *tree = tree_of_empty_leaves();
    bw_cursor *cursor = cursor_open(tree);
    uint64_t key = SENTINEL;
    CHECK_OK(bw_remove(tree, 100, NULL));
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_EQ(key, 10);
    CHECK_STATUS(bw_cursor_next(cursor, &key, NULL), BW_NOT_FOUND);
    CHECK_OK(bw_put(tree, 20, 0, NULL)); /* behind the gap, in the first of many empty leaves */
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_EQ(key, 20);

    CHECK_OK(bw_clear(tree, NULL));
    CHECK_OK(bw_put(tree, 100, 0, NULL));
    CHECK_OK(bw_cursor_seek_end(cursor));
    CHECK_OK(bw_cursor_prev(cursor, &key, NULL));
    CHECK_EQ(key, 100);
    CHECK_STATUS(bw_cursor_prev(cursor, &key, NULL), BW_NOT_FOUND);
    CHECK_OK(bw_put(tree, 90, 0, NULL));
    CHECK_OK(bw_cursor_prev(cursor, &key, NULL));
    CHECK_EQ(key, 90);
    bw_cursor_free(cursor);
    tree_free(tree);
}

static void a_limit_keeps_the_cursor_in_its_gap(void) {
    uint64_t keys[8];
    uint64_t values[8];
    size_t count;
    uint64_t key = SENTINEL;
    bw_tree *tree = tree_of_empty_leaves();
    bw_cursor *cursor = cursor_open(tree);
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_STATUS(bw_cursor_next_many(cursor, 55, keys, values, 8, &count), BW_NOT_FOUND);
    CHECK_EQ(count, 0);
    CHECK_OK(bw_put(tree, 20, 0, NULL));
    CHECK_OK(bw_cursor_next_many(cursor, 55, keys, values, 8, &count));
    CHECK_EQ(count, 1);
    CHECK_EQ(keys[0], 20);
    CHECK_OK(bw_cursor_seek_end(cursor));
    CHECK_OK(bw_cursor_prev(cursor, &key, NULL));
    CHECK_EQ(key, 100);
    CHECK_STATUS(bw_cursor_prev_many(cursor, 55, keys, values, 8, &count), BW_NOT_FOUND);
    CHECK_EQ(count, 0);
    CHECK_OK(bw_put(tree, 90, 0, NULL));
    CHECK_OK(bw_cursor_prev_many(cursor, 55, keys, values, 8, &count));
    CHECK_EQ(count, 1);
    CHECK_EQ(keys[0], 90);
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_EQ(key, 90);
    bw_cursor_free(cursor);
    tree_free(tree);
}

static void a_seek_reads_the_leaf_afresh(void) {
    bw_options options = options_of(16, 4, 4, 2);
    bw_tree *tree = tree_open(&options);
    bw_cursor *cursor = cursor_open(tree);
    uint64_t key = SENTINEL;
    uint64_t value = SENTINEL;
    CHECK_OK(bw_put(tree, 1, 1, NULL));
    CHECK_OK(bw_put(tree, 5, 5, NULL));
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_OK(bw_put(tree, 3, 3, NULL));
    CHECK_STATUS(bw_put(tree, 5, 6, NULL), BW_EXISTS);
    CHECK_OK(bw_cursor_seek(cursor, 2));
    CHECK_OK(bw_cursor_next(cursor, &key, NULL));
    CHECK_EQ(key, 3);
    CHECK_OK(bw_cursor_next(cursor, &key, &value));
    CHECK_EQ(key, 5);
    CHECK_EQ(value, 6);
    bw_cursor_free(cursor);
    tree_free(tree);
}

static void an_idle_cursor_holds_back_nothing(void) {
    bw_options options = options_of(4, 2, 4, 2);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < 100; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    bw_cursor *cursor = cursor_open(tree);
    CHECK_OK(bw_cursor_next(cursor, NULL, NULL));
    for (uint64_t key = 0; key < 100; key++)
        CHECK_STATUS(bw_put(tree, key, key + 1, NULL), BW_EXISTS);
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_EQ(tree_stats(tree).limbo_pages, 0);
    bw_cursor_free(cursor);
    tree_free(tree);
}

/* ---- while others write ---- */

enum { STEADY = 200, SPACING = 8, WALKS = CHECK_SANITIZED ? 40 : 150 };

typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t walking;
} arena;

static void walk(bw_tree *tree, bw_cursor *cursor, bool up, size_t batch) {
    uint64_t keys[64];
    uint64_t values[64];
    uint64_t steady = 0;
    uint64_t last = SENTINEL;
    size_t count = 0;
    CHECK_OK(up ? bw_cursor_seek(cursor, 0) : bw_cursor_seek_end(cursor));
    for (;;) {
        bw_status status;
        if (batch == 0) {
            status =
                up ? bw_cursor_next(cursor, keys, values) : bw_cursor_prev(cursor, keys, values);
            count = 1;
        } else {
            status = up ? bw_cursor_next_many(cursor, UINT64_MAX, keys, values, batch, &count)
                        : bw_cursor_prev_many(cursor, 0, keys, values, batch, &count);
        }
        if (status == BW_NOT_FOUND)
            break;
        CHECK_OK(status);
        for (size_t i = 0; i < count; i++) {
            check_trying("walk %s, batches of %zu, at %" PRIu64 " after %" PRIu64,
                         up ? "up" : "down", batch, keys[i], last);
            CHECK(last == SENTINEL || (up ? keys[i] > last : keys[i] < last));
            CHECK_EQ(values[i], ~keys[i]);
            CHECK(keys[i] % SPACING != 5); /* never present */
            steady += keys[i] % SPACING == 0;
            last = keys[i];
        }
    }
    CHECK_EQ(steady, STEADY);
    (void)tree;
}

/* Keys that are multiples of SPACING stay; writers put and remove others around them. */
static void walk_or_write(crew *me) {
    arena *a = me->shared;
    if (me->index == 0) {
        bw_cursor *cursor = cursor_open(a->tree);
        for (unsigned i = 0; i < WALKS; i++)
            walk(a->tree, cursor, i % 2 == 0, i % 3 == 0 ? 0 : i % 3 == 1 ? 3 : 64);
        bw_cursor_free(cursor);
        atomic_store(&a->walking, 0);
        return;
    }
    check_random random = check_random_of(me->index);
    while (atomic_load(&a->walking)) {
        uint64_t key = check_below(&random, STEADY * SPACING);
        uint64_t residue = key % SPACING;
        if (residue == 0)
            CHECK_STATUS(bw_put(a->tree, key, ~key, NULL), BW_EXISTS);
        else if (residue != 5 && check_below(&random, 2) == 0)
            CHECK_DONE(bw_put(a->tree, key, ~key, NULL));
        else
            CHECK_DONE(bw_remove(a->tree, key, NULL));
    }
}

static void what_stays_is_given_exactly_once_in_order(void) {
    static const uint32_t shapes[][2] = {{2, 1}, {4, 3}, {32, 8}};
    for (unsigned s = 0; s < 3; s++) {
        bw_options options = options_of(shapes[s][0], shapes[s][1], 4, 2);
        arena a = {tree_open(&options), 1};
        for (uint64_t i = 0; i < STEADY; i++)
            CHECK_OK(bw_put(a.tree, i * SPACING, ~(i * SPACING), NULL));
        crew_run(3, walk_or_write, &a);
        tree_free(a.tree);
    }
}

CHECK_MAIN({"random_walks_follow_a_sorted_array", random_walks_follow_a_sorted_array},
           {"both_ends_can_be_reached_and_left", both_ends_can_be_reached_and_left},
           {"at_the_end_the_cursor_stays_in_its_gap", at_the_end_the_cursor_stays_in_its_gap},
           {"a_limit_keeps_the_cursor_in_its_gap", a_limit_keeps_the_cursor_in_its_gap},
           {"a_seek_reads_the_leaf_afresh", a_seek_reads_the_leaf_afresh},
           {"an_idle_cursor_holds_back_nothing", an_idle_cursor_holds_back_nothing},
           {"what_stays_is_given_exactly_once_in_order", what_stays_is_given_exactly_once_in_order})
