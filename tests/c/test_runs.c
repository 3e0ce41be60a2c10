/* test_runs.c: ascending keys. Runs of them in a batch go into their leaf at a stroke (bulk.c), single
 * ones are looked for in the leaf of the last write first (write.c): both must do what single puts from the
 * root do, also when memory fails, when others write, and when the leaf has gone. */
#include "by_hand.h"
#include "support.h"

enum { MOST = 1500, BATCHES = CHECK_SANITIZED ? 12 : 40 };

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {6, 3, 4, 2}, {16, 16, 8, 4}, {256, 16, 256, 2}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static bw_options options_shape(unsigned shape) {
    return options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
}

static void runs_do_what_single_puts_do(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_options options = options_shape(shape);
        bw_tree *tree = tree_open(&options);
        model m = {0};
        check_random random = check_random_of(shape);
        uint64_t keys[MOST];
        uint64_t values[MOST];
        for (unsigned i = 0; i < BATCHES; i++) {
            size_t n = check_below(&random, MOST);
            /* Dense or sparse; long runs, or short ones with steps back and equal neighbours. */
            uint64_t step = 1 + check_below(&random, 1 + i % 3 * 40);
            uint64_t back = i % 2 == 0 ? 0 : 1 + check_below(&random, 30);
            uint64_t key = check_below(&random, 20000);
            size_t before = m.count;
            for (size_t j = 0; j < n; j++) {
                keys[j] = key;
                values[j] = check_next(&random);
                model_put(&m, key, values[j]);
                if (back != 0 && check_below(&random, back) == 0)
                    key -=
                        check_below(&random, 3) * step < key ? check_below(&random, 2) * step : 0;
                else
                    key += 1 + check_below(&random, step);
            }
            size_t done = SENTINEL;
            size_t inserted = SENTINEL;
            check_trying("shape %u, batch %u of %zu keys", shape, i, n);
            CHECK_OK(bw_put_many(tree, keys, values, n, &done, &inserted));
            CHECK_EQ(done, n);
            CHECK_EQ(inserted, m.count - before);
            for (unsigned j = 0; j < 40; j++) /* records in logs, and holes */
                model_write(&m, tree, check_below(&random, 20000), j, j % 4 != 0);
            if (i % 10 == 9)
                model_check(&m, tree);
        }
        model_check(&m, tree);
        model_free(&m);
        tree_free(tree);
    }
}

static void a_leaf_that_no_page_id_is_left_to_split_still_takes_writes(void) {
    enum { CAPACITY = 16, LOG = 16, MORE = 6, RUN = 8 };
    bw_options options = options_of(CAPACITY, LOG, 8, 2);
    options.max_pids = 4;
    bw_tree *tree = tree_open(&options);
    uint64_t end = 0;
    bw_status status = BW_OK;
    while (status == BW_OK) { /* ascending: the first leaf stays full, or nearly so */
        end += 100;
        status = bw_put(tree, end, end, NULL);
    }
    CHECK_STATUS(status, BW_EPIDS);
    /* The first leaf's log gets so many records that a consolidation would have to split. */
    for (uint64_t key = 1; key <= MORE; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    uint64_t keys[RUN];
    for (uint64_t i = 0; i < RUN; i++)
        keys[i] = 10 + i;
    size_t done = SENTINEL;
    CHECK_OK(bw_put_many(tree, keys, keys, RUN, &done, NULL));
    CHECK_EQ(done, RUN);
    CHECK_OK(bw_remove(tree, 100, NULL));
    uint64_t count;
    CHECK_OK(bw_count(tree, 0, 99, &count));
    CHECK_EQ(count, MORE + RUN);
    tree_free(tree);
}

static void the_last_keys_of_all_can_be_in_a_run(void) {
    bw_tree *tree = tree_open(NULL);
    model m = {0};
    uint64_t keys[300];
    for (unsigned i = 0; i < 300; i++) {
        keys[i] = UINT64_MAX - 299 + i;
        model_put(&m, keys[i], keys[i]);
    }
    CHECK_OK(bw_put_many(tree, keys, keys, 300, NULL, NULL));
    CHECK_OK(bw_put_many(tree, keys, keys, 300, NULL, NULL));
    model_check(&m, tree);
    model_free(&m);
    tree_free(tree);
}

static void runs_at_the_right_end_leave_full_pages(void) {
    enum { KEYS = 100000, BATCH = 1000 };
    bw_tree *tree = tree_open(NULL);
    uint64_t keys[BATCH];
    for (uint64_t i = 0; i < KEYS; i += BATCH) {
        for (unsigned j = 0; j < BATCH; j++)
            keys[j] = i + j;
        CHECK_OK(bw_put_many(tree, keys, keys, BATCH, NULL, NULL));
    }
    bw_stats stats = tree_stats(tree);
    CHECK_LE(stats.pages, KEYS / 256 + 10);
    CHECK_EQ(stats.appends, 0); /* none went through a leaf's log */
    tree_free(tree);
}

static void a_run_without_memory_says_how_far_it_came(void) {
    enum { KEYS = 400 };
    for (unsigned shape = 0; shape + 1 < SHAPES; shape++) {
        for (uint64_t nth = 1; nth < 120; nth += 1 + nth / (CHECK_SANITIZED ? 3 : 10)) {
            meter m;
            bw_options options = options_metered(options_shape(shape), &m);
            bw_tree *tree = tree_open(&options);
            uint64_t keys[KEYS];
            for (uint64_t i = 0; i < KEYS; i++)
                keys[i] = 3 * i;
            for (uint64_t i = 0; i < KEYS; i += 7)
                CHECK_OK(bw_put(tree, keys[i] + 1, 0, NULL));
            check_trying("shape %u, allocation %" PRIu64, shape, nth);
            meter_fail_nth(&m, nth);
            size_t done = SENTINEL;
            bw_status status = bw_put_many(tree, keys, keys, KEYS, &done, NULL);
            meter_fail_none(&m);
            CHECK(status == BW_OK ? done == KEYS : status == BW_ENOMEM && done < KEYS);
            for (uint64_t i = 0; i < KEYS; i++)
                CHECK_STATUS(bw_get(tree, keys[i], NULL), i < done ? BW_OK : BW_NOT_FOUND);
            CHECK_OK(bw_put_many(tree, keys + done, keys + done, KEYS - done, NULL, NULL));
            tree_free(tree);
            meter_check_empty(&m);
        }
    }
}

/* ---- the leaf of the last write ---- */

typedef struct gone {
    bw_tree *tree;
    uint64_t from, put;
    model *model;
} gone;

/* Another thread empties what lies from `from` on, so that those leaves merge and their page ids are taken
 * for others. */
static void *empty_and_refill(void *argument) {
    gone *g = argument;
    uint64_t freed;
    CHECK_OK(bw_delete_range(g->tree, g->from, UINT64_MAX, NULL));
    CHECK_OK(bw_consolidate(g->tree));
    CHECK_OK(bw_collect(g->tree, &freed));
    for (uint64_t i = 0; i < g->put; i++) {
        CHECK_OK(bw_put(g->tree, 5 * i, i, NULL));
        model_put(g->model, 5 * i, i);
    }
    return NULL;
}

static void a_leaf_that_has_gone_is_not_written_to(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (uint64_t start = 5; start < 60; start += CHECK_SANITIZED ? 27 : 9) {
            bw_options options = options_shape(shape);
            bw_tree *tree = tree_open(&options);
            model m = {0};
            for (uint64_t i = 0; i < 600;
                 i++) /* as far as needed for leaves of the largest shape */
                model_write(&m, tree, 10000 + i, i, false);
            uint64_t recycled = tree_stats(tree).pids_recycled;
            gone g = {.tree = tree, .from = 10000, .put = 400, .model = &m};
            for (uint64_t i = 0; i < 600; i++)
                model_remove(&m, 10000 + i);
            pthread_t thread;
            CHECK_EQ(pthread_create(&thread, NULL, empty_and_refill, &g), 0);
            CHECK_EQ(pthread_join(thread, NULL), 0);
            CHECK_LT(recycled, tree_stats(tree).pids_recycled); /* or this would test nothing */
            check_trying("shape %u, start %" PRIu64, shape, start);
            for (uint64_t i = 0; i < 40; i++)
                model_write(&m, tree, 10600 + i * start, i, false);
            model_check(&m, tree);
            model_free(&m);
            tree_free(tree);
        }
    }
}

/* A split that is about to be lost has published its right page for a moment, though nothing leads there: the page
 * id that a thread remembers may be just that one, if it was free meanwhile. */
static void a_page_id_that_was_taken_again_is_not_trusted(void) {
    bw_tree *tree = tree_open(NULL);
    for (uint64_t key = 0; key < 10; key++)
        CHECK_OK(bw_put(tree, key, key, NULL));
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    CHECK(self->last_run > 0); /* the test stands where the writes look */
    bw_pid lost = by_hand_publish(self, bw_map_load(tree, BW_ROOT), NULL, NULL, 0, 0);
    self->last_pid = lost;
    atomic_fetch_add(&tree->recycled, 1);
    bw_leave(self);
    CHECK_OK(bw_put(tree, 10, 10, NULL));
    CHECK_OK(bw_enter(tree, &self));
    bw_page_release(self, bw_map_load(tree, lost));
    bw_pids_give_back(self, 1, &lost);
    bw_leave(self);
    CHECK_OK(bw_get(tree, 10, NULL));
    tree_free(tree);
}

static void ascending_writes_go_where_single_ones_go(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_options options = options_shape(shape);
        bw_tree *tree = tree_open(&options);
        model m = {0};
        check_random random = check_random_of(shape);
        uint64_t key = 0;
        for (unsigned i = 0; i < 20000; i++) {
            key = check_below(&random, 50) == 0 ? check_below(&random, 30000)
                                                : key + check_below(&random, 3);
            model_write(&m, tree, key, i, i / 1000 % 3 == 2);
        }
        model_check(&m, tree);
        model_free(&m);
        tree_free(tree);
    }
}

/* ---- threads ---- */

typedef struct race {
    bw_tree *tree;
    _Atomic int64_t size; /* inserted less removed, as the calls said */
} race;

enum { RANGE = 3000, ROUNDS = CHECK_SANITIZED ? 20 : 120 };

static void work(crew *me) {
    race *r = me->shared;
    check_random random = check_random_of(me->index);
    uint64_t keys[300];
    uint64_t values[300];
    int64_t size = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t key = check_below(&random, RANGE);
        for (unsigned i = 0; i < 300; i++) {
            keys[i] = key + i;
            values[i] = (key + i) * 8 + me->index;
        }
        if (me->index % 2 == 0) {
            size_t inserted = 0;
            CHECK_OK(bw_put_many(r->tree, keys, values, 300, NULL, &inserted));
            size += (int64_t)inserted;
            continue;
        }
        for (unsigned i = 0; i < 300; i++) {
            uint64_t seen = keys[i] * 8;
            bool removes = check_below(&random, 2) == 0;
            bw_status status = removes ? bw_remove(r->tree, keys[i], &seen)
                                       : bw_put(r->tree, keys[i], values[i], &seen);
            CHECK_EQ(seen / 8, keys[i]);
            if (removes)
                size -= status == BW_OK;
            else
                size += status == BW_OK;
        }
    }
    atomic_fetch_add(&r->size, size);
}

static void runs_and_single_writes_of_threads_do_not_undo_each_other(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        bw_options options = options_shape(shape);
        race r = {.tree = tree_open(&options)};
        check_trying("shape %u", shape);
        crew_run(4, work, &r);
        uint64_t size = 0;
        CHECK_OK(bw_count(r.tree, 0, UINT64_MAX, &size));
        CHECK_EQ(size, (uint64_t)r.size);
        tree_free(r.tree);
    }
}

CHECK_MAIN({"runs_do_what_single_puts_do", runs_do_what_single_puts_do},
           {"a_leaf_that_no_page_id_is_left_to_split_still_takes_writes",
            a_leaf_that_no_page_id_is_left_to_split_still_takes_writes},
           {"the_last_keys_of_all_can_be_in_a_run", the_last_keys_of_all_can_be_in_a_run},
           {"runs_at_the_right_end_leave_full_pages", runs_at_the_right_end_leave_full_pages},
           {"a_run_without_memory_says_how_far_it_came", a_run_without_memory_says_how_far_it_came},
           {"a_leaf_that_has_gone_is_not_written_to", a_leaf_that_has_gone_is_not_written_to},
           {"a_page_id_that_was_taken_again_is_not_trusted",
            a_page_id_that_was_taken_again_is_not_trusted},
           {"ascending_writes_go_where_single_ones_go", ascending_writes_go_where_single_ones_go},
           {"runs_and_single_writes_of_threads_do_not_undo_each_other",
            runs_and_single_writes_of_threads_do_not_undo_each_other})
