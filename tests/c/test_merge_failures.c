/* test_merge_failures.c: the n-th allocation fails inside a write that splits, merges or changes the
 * tree's height, for every write of a program and every n. Whatever was begun then, the tree answers
 * rightly at once, and is made whole by later calls. */
#include "support.h"

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {3, 1, 3, 1}, {4, 2, 4, 3}};
enum { SHAPES = sizeof shapes / sizeof *shapes, KEYS = 36 };

typedef struct scene {
    bw_tree *tree;
    meter meter;
    model model;
} scene;

static void scene_open(scene *s, unsigned shape) {
    memset(s, 0, sizeof *s);
    bw_options options =
        options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
    options = options_metered(options, &s->meter);
    s->tree = tree_open(&options);
}

static void scene_close(scene *s) {
    tree_free(s->tree);
    meter_check_empty(&s->meter);
    model_free(&s->model);
}

/* The i-th write of a program: all keys come in one order, and go in another. */
typedef struct program {
    const char *name;
    unsigned in,
        out; /* factors, without a common divisor with KEYS; out 0: by pop, from both ends */
} program;

static const program programs[] = {
    {"up, up", 1, 1}, {"up, down", 1, KEYS - 1}, {"mixed, mixed", 7, 11}, {"mixed, popped", 7, 0}};
enum { PROGRAMS = sizeof programs / sizeof *programs, STEPS = 2 * KEYS };

/* Does it, and the same to the model if it succeeded. */
static bw_status step(scene *s, const program *p, unsigned i) {
    uint64_t key = (i < KEYS ? i * p->in : (i - KEYS) * p->out) % KEYS * 10;
    if (i < KEYS) {
        bw_status status = bw_insert(s->tree, key, key, NULL);
        if (status == BW_OK)
            model_put(&s->model, key, key);
        return status;
    }
    bw_status status;
    if (p->out == 0)
        status = i % 2 == 0 ? bw_pop_first(s->tree, &key, NULL) : bw_pop_last(s->tree, &key, NULL);
    else
        status = bw_remove(s->tree, key, NULL);
    if (status == BW_OK) {
        if (p->out == 0)
            CHECK_EQ(key, s->model.keys[i % 2 == 0 ? 0 : s->model.count - 1]);
        model_remove(&s->model, key);
    }
    return status;
}

/* Everything that was given up is taken up again: no mark stays, no removed page. */
static bw_stats settle(scene *s) {
    bw_stats before;
    bw_stats after = tree_stats(s->tree);
    do {
        before = after;
        CHECK_OK(bw_consolidate(s->tree));
        CHECK_OK(bw_collect(s->tree, NULL));
        after = tree_stats(s->tree);
    } while (after.pages != before.pages);
    CHECK_EQ(after.marked, 0);
    CHECK_EQ(after.removed, 0);
    return after;
}

/* Runs the program up to step `at`, lets allocation n fail there, checks, finishes what was given up either
 * at once or by going on. False if that step has no n-th allocation. */
static bool fail_at(unsigned shape, const program *p, unsigned at, uint64_t n, bool at_once,
                    unsigned *unfinished) {
    scene s;
    scene_open(&s, shape);
    for (unsigned i = 0; i < at; i++)
        CHECK_OK(step(&s, p, i));
    meter_fail_nth(&s.meter, n);
    bw_status status = step(&s, p, at);
    bool failed = atomic_load(&s.meter.failed) > 0;
    meter_fail_none(&s.meter);
    CHECK(status == BW_OK || (failed && status == BW_ENOMEM));
    tree_check(s.tree, true);
    model_check_reads(&s.model, s.tree);
    bw_stats stats = tree_stats(s.tree);
    *unfinished += stats.marked + stats.removed > 0;
    if (at_once) {
        (void)settle(&s);
        model_check(&s.model, s.tree);
    }
    if (status != BW_OK)
        CHECK_OK(step(&s, p, at));
    for (unsigned i = at + 1; i < STEPS; i++)
        CHECK_OK(step(&s, p, i));
    model_check(&s.model, s.tree);
    stats = settle(&s);
    CHECK_EQ(stats.pages, 1);
    CHECK_EQ(stats.pids_free, stats.pids_used - 1);
    scene_close(&s);
    return failed;
}

static void every_allocation_of_a_split_or_merge_may_fail(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (unsigned p = 0; p < PROGRAMS; p++) {
            unsigned unfinished = 0;
            unsigned most = 0;
            for (unsigned at = 0; at < STEPS; at++) {
                bool more = true;
                for (unsigned n = 1; more; n++) {
                    check_trying("shape %u, %s, step %u, allocation %u", shape, programs[p].name,
                                 at, n);
                    more = fail_at(shape, &programs[p], at, n, n % 2 == 0, &unfinished);
                    most = n > most ? n : most;
                }
            }
            CHECK_LE(8, most);       /* some step has a whole merge in it … */
            CHECK_LE(5, unfinished); /* … and some were left unfinished */
        }
    }
}

/* Memory fails again and again while the tree grows and shrinks; calls are repeated until they succeed. */
static void a_tree_grows_and_shrinks_through_failures(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (unsigned every = 2; every < 7; every++) {
            scene s;
            scene_open(&s, shape);
            check_random random = check_random_of(shape * 16 + every);
            for (unsigned i = 0; i < 3000; i++) {
                uint64_t key = check_below(&random, 60);
                bool grows = i / 300 % 2 == 0;
                bool puts = check_below(&random, 8) < (grows ? 6 : 2);
                bw_status status = BW_ENOMEM;
                for (unsigned turn = 0; status == BW_ENOMEM; turn++) {
                    check_trying("shape %u, every %u, step %u, turn %u", shape, every, i, turn);
                    CHECK_LT(turn, 50);
                    /* Later turns get further. */
                    meter_fail_nth(&s.meter, 1 + check_below(&random, every) + turn);
                    if (turn % 2 == 0) /* and all that follow, too */
                        atomic_store(&s.meter.fail_end, UINT64_MAX);
                    status = puts ? bw_put(s.tree, key, i, NULL) : bw_remove(s.tree, key, NULL);
                    meter_fail_none(&s.meter);
                }
                CHECK(status >= 0);
                if (puts)
                    model_put(&s.model, key, i);
                else
                    model_remove(&s.model, key);
                if (i % 20 == 0) {
                    tree_check(s.tree, true);
                    model_check_reads(&s.model, s.tree);
                }
            }
            (void)settle(&s);
            model_check(&s.model, s.tree);
            scene_close(&s);
        }
    }
}

/* Ranges and pops that fail say so, and go on when they are called again. */
static void trimming_goes_on_where_it_failed(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (uint64_t n = 1; n < 40; n++) {
            scene s;
            scene_open(&s, shape);
            for (unsigned i = 0; i < KEYS; i++)
                CHECK_OK(step(&s, &programs[2], i));
            uint64_t total = 0;
            uint64_t removed = SENTINEL;
            meter_fail_nth(&s.meter, n);
            bw_status status = bw_delete_range(s.tree, 15, (KEYS - 2) * 10, &removed);
            CHECK(status == BW_OK || (atomic_load(&s.meter.failed) > 0 && status == BW_ENOMEM));
            meter_fail_none(&s.meter);
            tree_check(s.tree, true);
            total += removed;
            CHECK_OK(bw_delete_range(s.tree, 15, (KEYS - 2) * 10, &removed));
            CHECK_EQ(total + removed, KEYS - 3); /* all but 0, 10 and the last */
            (void)settle(&s);
            CHECK_EQ(tree_stats(s.tree).size, 3);
            scene_close(&s);
        }
    }
}

CHECK_MAIN({"every_allocation_of_a_split_or_merge_may_fail",
            every_allocation_of_a_split_or_merge_may_fail},
           {"a_tree_grows_and_shrinks_through_failures", a_tree_grows_and_shrinks_through_failures},
           {"trimming_goes_on_where_it_failed", trimming_goes_on_where_it_failed})
