/* test_allocation_failures.c: every call that allocates, with its n-th allocation failing, for
 * n = 1, 2, 3 … until it succeeds: each failure changes nothing, and everything comes back at the end.
 *
 * Pages are tiny, so that single writes consolidate, split, split the root and post. */
#include "support.h"

typedef struct scene {
    bw_tree *tree;
    meter meter;
    model model;
    bw_cursor *cursor;
    uint64_t key;
} scene;

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {4, 2, 4, 3}, {4, 4, 4, 3}};
enum { SHAPES = sizeof shapes / sizeof *shapes, LONG_LOGS = SHAPES - 1, KEYS = 60 };

static void scene_open(scene *s, unsigned shape, unsigned keys) {
    memset(s, 0, sizeof *s);
    bw_options options =
        options_of(shapes[shape][0], shapes[shape][1], shapes[shape][2], shapes[shape][3]);
    options = options_metered(options, &s->meter);
    s->tree = tree_open(&options);
    for (uint64_t i = 0; i < keys; i++) {
        uint64_t key = i * 37 % keys * 10;
        CHECK_OK(bw_put(s->tree, key, key, NULL));
        model_put(&s->model, key, key);
    }
}

static void scene_close(scene *s) {
    bw_cursor_free(s->cursor);
    model_check(&s->model, s->tree);
    bw_stats stats = tree_stats(s->tree);
    /* Failed splits gave theirs back, to be used again. */
    CHECK_LE(stats.pids_used, stats.pages + stats.pids_free + stats.limbo_pages);
    tree_free(s->tree);
    meter_check_empty(&s->meter);
    model_free(&s->model);
}

/* ---- the calls, and what they change in the model when they succeed ---- */

typedef bw_status (*act)(scene *s);

static bw_status insert(scene *s) {
    return bw_insert(s->tree, s->key, s->key, NULL);
}
static bw_status put(scene *s) {
    return bw_put(s->tree, s->key, s->key, NULL);
}
static bw_status update(scene *s) {
    return bw_update(s->tree, s->key, s->key + 1, NULL);
}
static bw_status exchange(scene *s) {
    return bw_compare_exchange(s->tree, s->key, s->key, s->key + 1, NULL);
}
static bw_status take_away(scene *s) {
    return bw_remove(s->tree, s->key, NULL);
}

typedef struct write {
    const char *name;
    act call;
    bool to_absent;  /* of a key that is absent, otherwise present */
    uint64_t change; /* added to the key it is the value stored; SENTINEL: removed */
} write;

static const write writes[] = {
    {"insert", insert, true, 0},
    {"put of an absent key", put, true, 0},
    {"put of a present key", put, false, 0},
    {"update", update, false, 1},
    {"compare_exchange", exchange, false, 1},
    {"remove", take_away, false, SENTINEL},
};

/* Makes the call until none of its allocations fails; returns how many failures it reported. */
static unsigned fail_each(scene *s, const char *name, act call) {
    unsigned failures = 0;
    for (uint64_t n = 1;; n++) {
        check_trying("%s of key %" PRIu64 ", allocation %" PRIu64 " fails", name, s->key, n);
        meter_fail_nth(&s->meter, n);
        bw_status status = call(s);
        bool failed = atomic_load(&s->meter.failed) > 0;
        meter_fail_none(&s->meter);
        if (status != BW_ENOMEM) {
            CHECK(status >= 0); /* duties given up for want of memory are not the call's failure */
            return failures;
        }
        CHECK(failed);
        failures++;
        tree_check(s->tree, true);
        model_check_reads(&s->model, s->tree);
    }
}

static void every_write_fails_without_a_trace(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        for (unsigned w = 0; w < sizeof writes / sizeof *writes; w++) {
            const write *what = &writes[w];
            unsigned failures = 0;
            scene s;
            scene_open(&s, shape, KEYS);
            for (uint64_t i = 0; i < KEYS; i++) {
                s.key = i * 10 + (what->to_absent ? 5 : 0);
                failures += fail_each(&s, what->name, what->call);
                if (what->change == SENTINEL)
                    model_remove(&s.model, s.key);
                else
                    model_put(&s.model, s.key, s.key + what->change);
                model_check_reads(&s.model, s.tree);
            }
            CHECK_LE(KEYS, failures); /* each write has at least its record to fail for */
            scene_close(&s);
        }
    }
}

/* A tree that grows from nothing while every second allocation fails, through several root splits. */
static void a_tree_grows_through_failures(void) {
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        scene s;
        scene_open(&s, shape, 0);
        for (s.key = 0; s.key < 3 * KEYS; s.key++) {
            (void)fail_each(&s, "insert", insert);
            model_put(&s.model, s.key, s.key);
        }
        CHECK_LE(4, tree_stats(s.tree).height);
        scene_close(&s);
    }
}

/* All memory gone: reads and writes that change nothing work, others fail until there is some. */
static void without_any_memory_reads_work(void) {
    scene s;
    scene_open(&s, 0, KEYS);
    meter_fail_all(&s.meter);
    for (uint64_t key = 0; key < 10 * KEYS; key++) {
        bool present = key % 10 == 0;
        check_trying("key %" PRIu64 " without memory", key);
        CHECK_STATUS(bw_get(s.tree, key, NULL), present ? BW_OK : BW_NOT_FOUND);
        CHECK_OK(bw_floor(s.tree, key, NULL, NULL));
        if (present) {
            uint64_t seen = SENTINEL;
            CHECK_STATUS(bw_insert(s.tree, key, 1, &seen), BW_EXISTS);
            CHECK_EQ(seen, key);
            seen = SENTINEL;
            CHECK_STATUS(bw_put(s.tree, key, 1, &seen), BW_ENOMEM);
            CHECK_STATUS(bw_remove(s.tree, key, &seen), BW_ENOMEM);
            CHECK_EQ(seen, SENTINEL); /* an error writes nothing */
        } else {
            CHECK_STATUS(bw_remove(s.tree, key, NULL), BW_NOT_FOUND);
            CHECK_STATUS(bw_update(s.tree, key, 1, NULL), BW_NOT_FOUND);
            CHECK_STATUS(bw_insert(s.tree, key, 1, NULL), BW_ENOMEM);
        }
    }
    CHECK_OK(bw_collect(s.tree, NULL));
    tree_check(s.tree, true);
    meter_fail_none(&s.meter);
    scene_close(&s);
}

/* ---- calls on more than one key ---- */

static bw_status cursor_make(scene *s) {
    return bw_cursor_open(s->tree, &s->cursor);
}
static bw_status first(scene *s) {
    return bw_first(s->tree, &s->key, NULL);
}
static bw_status last(scene *s) {
    return bw_last(s->tree, &s->key, NULL);
}
static bw_status consolidate(scene *s) {
    return bw_consolidate(s->tree);
}
static bw_status worker(scene *s) {
    return bw_worker_start(s->tree);
}

static void opening_a_cursor_fails_without_a_trace(void) {
    scene s;
    scene_open(&s, 0, KEYS);
    CHECK_EQ(fail_each(&s, "cursor_open", cursor_make), 1);
    CHECK_OK(bw_cursor_next(s.cursor, NULL, NULL));
    scene_close(&s);
}

/* The searches remember 32 leaves in place, then 64, 128 … on the heap. Leaves stay although they are
 * empty as long as nobody consolidates them: while their logs have room. */
static void a_search_over_many_empty_leaves_fails_without_a_trace(void) {
    enum { MANY = 400 };
    scene s;
    scene_open(&s, LONG_LOGS, MANY);
    CHECK_OK(bw_consolidate(s.tree));
    for (uint64_t i = 1; i < MANY - 1; i++) {
        CHECK_OK(bw_remove(s.tree, i * 10, NULL));
        model_remove(&s.model, i * 10);
    }
    CHECK_OK(bw_remove(s.tree, 0, NULL));
    model_remove(&s.model, 0);
    CHECK_LE(2, fail_each(&s, "first", first));
    CHECK_EQ(s.key, (MANY - 1) * 10);
    CHECK_OK(bw_remove(s.tree, (MANY - 1) * 10, NULL));
    model_remove(&s.model, (MANY - 1) * 10);
    CHECK_OK(bw_put(s.tree, 0, 0, NULL));
    model_put(&s.model, 0, 0);
    CHECK_LE(2, fail_each(&s, "last", last));
    CHECK_EQ(s.key, 0);
    scene_close(&s);
}

static void consolidating_fails_without_a_trace(void) {
    for (unsigned shape = 1; shape < SHAPES; shape++) {
        scene s;
        scene_open(&s, shape, KEYS + 1);
        CHECK_LE(1, fail_each(&s, "consolidate", consolidate));
        scene_close(&s);
    }
}

static void starting_the_worker_fails_without_a_trace(void) {
    scene s;
    scene_open(&s, 0, KEYS);
    CHECK_LE(1, fail_each(&s, "worker_start", worker));
    CHECK(tree_stats(s.tree).worker);
    CHECK_OK(bw_worker_stop(s.tree));
    scene_close(&s);
}

/* A batch says how far it came, and goes on from there. */
static void put_many_goes_on_where_it_failed(void) {
    enum { BATCH = 150 };
    uint64_t keys[BATCH];
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        scene s;
        scene_open(&s, shape, KEYS);
        for (uint64_t i = 0; i < BATCH; i++)
            keys[i] = i * 7 + 1;
        unsigned failures = 0;
        for (size_t at = 0; at < BATCH;) {
            size_t done = SENTINEL;
            meter_fail_nth(&s.meter, 1 + failures % 5);
            bw_status status = bw_put_many(s.tree, keys + at, keys + at, BATCH - at, &done, NULL);
            meter_fail_none(&s.meter);
            CHECK_STATUS(status, done == BATCH - at ? BW_OK : BW_ENOMEM);
            for (size_t i = 0; i < done; i++)
                model_put(&s.model, keys[at + i], keys[at + i]);
            at += done;
            failures++;
            tree_check(s.tree, true);
            model_check_reads(&s.model, s.tree);
        }
        scene_close(&s);
    }
}

static void clear_goes_on_where_it_failed(void) {
    scene s;
    scene_open(&s, 1, KEYS);
    uint64_t total = 0;
    for (uint64_t n = 1; total < KEYS; n++) {
        uint64_t removed = SENTINEL;
        meter_fail_nth(&s.meter, 1 + n % 7);
        bw_status status = bw_clear(s.tree, &removed);
        meter_fail_none(&s.meter);
        total += removed;
        CHECK_STATUS(status, total == KEYS && status == BW_OK ? BW_OK : BW_ENOMEM);
        tree_check(s.tree, true);
        CHECK_EQ(tree_stats(s.tree).size, KEYS - total);
    }
    s.model.count = 0;
    scene_close(&s);
}

/* ---- opening, and registering a thread ---- */

static void opening_fails_without_a_trace(void) {
    for (unsigned kind = 0; kind < 4; kind++) {
        unsigned failures = 0;
        meter m;
        bw_options options = options_metered(options_tiny(), &m);
        options.pooling = kind % 2 == 0;
        options.worker = kind >= 2;
        for (uint64_t n = 1;; n++) {
            bw_tree *tree = (bw_tree *)&m;
            check_trying("open, allocation %" PRIu64 " fails", n);
            meter_fail_nth(&m, n);
            bw_status status = bw_open(&options, &tree);
            if (status == BW_OK && atomic_load(&m.failed) == 0) {
                meter_fail_none(&m);
                CHECK_OK(bw_put(tree, 1, 1, NULL));
                tree_free(tree);
                meter_check_empty(&m);
                break;
            }
            if (status == BW_OK) { /* the worker's own failure is not that of opening */
                CHECK(options.worker);
                meter_fail_none(&m);
                tree_free(tree);
            } else {
                CHECK_STATUS(status, BW_ENOMEM);
                CHECK(tree == NULL);
            }
            meter_check_empty(&m);
            failures++;
        }
        CHECK_LE(3, failures); /* the handle, a registration, the root */
    }
}

static void call_without_a_registration(crew *me) {
    scene *s = me->shared;
    uint64_t value = SENTINEL;
    meter_fail_all(&s->meter);
    CHECK_STATUS(bw_thread_attach(s->tree), BW_ENOMEM);
    CHECK_STATUS(bw_get(s->tree, 0, &value), BW_ENOMEM);
    CHECK_STATUS(bw_pin(s->tree), BW_ENOMEM);
    CHECK_STATUS(bw_put(s->tree, 1, 1, NULL), BW_ENOMEM);
    CHECK_STATUS(bw_lower(s->tree, 0, NULL, NULL), BW_ENOMEM);
    CHECK_STATUS(bw_unpin(s->tree), BW_EINVAL);
    CHECK_OK(bw_thread_detach(s->tree)); /* nothing to give back */
    meter_fail_none(&s->meter);
    CHECK_OK(bw_thread_attach(s->tree));
    meter_fail_all(&s->meter);
    CHECK_OK(bw_get(s->tree, 0, &value)); /* registered: reads need nothing more */
    CHECK_EQ(value, 0);
    meter_fail_none(&s->meter);
}

static void a_thread_without_memory_is_not_registered(void) {
    scene s;
    scene_open(&s, 0, KEYS);
    crew_run(1, call_without_a_registration, &s);
    CHECK_EQ(tree_stats(s.tree).threads, 1);
    scene_close(&s);
}

CHECK_MAIN({"every_write_fails_without_a_trace", every_write_fails_without_a_trace},
           {"a_tree_grows_through_failures", a_tree_grows_through_failures},
           {"without_any_memory_reads_work", without_any_memory_reads_work},
           {"opening_a_cursor_fails_without_a_trace", opening_a_cursor_fails_without_a_trace},
           {"a_search_over_many_empty_leaves_fails_without_a_trace",
            a_search_over_many_empty_leaves_fails_without_a_trace},
           {"consolidating_fails_without_a_trace", consolidating_fails_without_a_trace},
           {"starting_the_worker_fails_without_a_trace", starting_the_worker_fails_without_a_trace},
           {"put_many_goes_on_where_it_failed", put_many_goes_on_where_it_failed},
           {"clear_goes_on_where_it_failed", clear_goes_on_where_it_failed},
           {"opening_fails_without_a_trace", opening_fails_without_a_trace},
           {"a_thread_without_memory_is_not_registered", a_thread_without_memory_is_not_registered})
