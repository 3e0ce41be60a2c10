/* test_worker.c: the background worker: started and stopped any number of times, it shortens logs,
 * collects, and gets into nobody's way. Waiting is for what the figures show, never for time. */
#include "support.h"

#include <errno.h>

enum { PATIENCE = 400000000 }; /* turns of waiting before a test says that nothing happens */

static bw_options options_with_worker(bool at_open) {
    bw_options options = options_of(64, 32, 16, 8);
    options.worker = at_open;
    options.worker_interval_us = 100;
    options.worker_log_length = 4;
    return options;
}

static void starting_and_stopping_are_idempotent(void) {
    for (unsigned at_open = 0; at_open < 2; at_open++) {
        bw_options options = options_with_worker(at_open != 0);
        bw_tree *tree = tree_open(&options);
        CHECK_EQ(tree_stats(tree).worker, at_open);
        for (unsigned i = 0; i < 20; i++) {
            CHECK_OK(bw_worker_start(tree));
            CHECK_OK(bw_worker_start(tree));
            CHECK(tree_stats(tree).worker);
            CHECK_OK(bw_worker_stop(tree));
            CHECK(!tree_stats(tree).worker);
            CHECK_OK(bw_worker_stop(tree));
        }
        CHECK_EQ(tree_stats(tree).threads, 1); /* each worker gave its registration back */
        tree_free(tree);
    }
}

/* Waits until the worker has consolidated `want` pages and nothing is in limbo. */
static void await(bw_tree *tree, uint64_t want) {
    for (uint64_t turn = 0; turn < PATIENCE; turn++) {
        bw_stats stats = tree_stats(tree);
        if (stats.consolidations >= want && stats.limbo_pages == 0)
            return;
        sched_yield();
    }
    check_fail(__FILE__, __LINE__, "the worker works", "it has done nothing");
}

static void it_consolidates_long_logs_and_collects(void) {
    bw_options options = options_with_worker(false);
    bw_tree *tree = tree_open(&options);
    for (uint64_t key = 0; key < 4; key++) /* as long as it takes, far from full */
        CHECK_OK(bw_put(tree, key, key, NULL));
    CHECK_EQ(tree_stats(tree).consolidations, 0);
    CHECK_OK(bw_worker_start(tree));
    await(tree, 1);
    CHECK_OK(bw_worker_stop(tree));
    CHECK_EQ(tree_stats(tree).consolidations, 1);
    tree_check(tree, true);
    for (uint64_t key = 0; key < 3; key++) /* shorter: these it leaves alone */
        CHECK_STATUS(bw_put(tree, key, key, NULL), BW_EXISTS);
    CHECK_OK(bw_worker_start(tree));
    while (tree_stats(tree).threads < 2) /* it is in its first sweep, or behind it */
        sched_yield();
    CHECK_OK(bw_worker_stop(tree));
    CHECK_EQ(tree_stats(tree).consolidations, 1);
    tree_free(tree);
}

static void it_keeps_up_after_a_long_idle_time(void) {
    bw_options options = options_with_worker(true);
    bw_tree *tree = tree_open(&options);
    for (unsigned round = 1; round <= 5; round++) {
        uint64_t done = tree_stats(tree).consolidations;
        for (uint64_t key = 0; key < 8; key++)
            CHECK_DONE(bw_put(tree, key, round, NULL));
        await(tree, done + 1);
    }
    tree_free(tree);
}

static void closing_stops_it(void) {
    for (unsigned round = 0; round < 40; round++) {
        meter m;
        bw_options options = options_metered(options_with_worker(true), &m);
        options.pooling = round % 2 == 0;
        bw_tree *tree = tree_open(&options);
        for (uint64_t key = 0; key < round * 5; key++)
            CHECK_OK(bw_put(tree, key, key, NULL));
        if (round % 4 < 2)
            CHECK_OK(bw_close(tree)); /* the worker's own calls are not in flight afterwards */
        CHECK_OK(bw_free(tree));
        meter_check_empty(&m);
    }
}

/* ---- beside writers ---- */

enum { WORK = CHECK_SANITIZED ? 3000 : 20000 };

static void write_beside(crew *me) {
    bw_tree *tree = me->shared;
    model m = {0};
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < WORK; i++) {
        uint64_t key = check_below(&random, 200) * me->count + me->index;
        model_write(&m, tree, key, i, check_below(&random, 3) == 0);
        if (me->index == 0 && i % (WORK / 16) == 0)
            CHECK_OK(i / (WORK / 16) % 2 == 0 ? bw_worker_stop(tree) : bw_worker_start(tree));
    }
    model_free(&m);
}

static void writers_do_not_notice_it(void) {
    static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {4, 4, 4, 3}, {64, 16, 16, 8}};
    for (unsigned s = 0; s < 3; s++) {
        for (unsigned pooling = 0; pooling < 2; pooling++) {
            bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
            options.worker = true;
            options.worker_interval_us = 100;
            options.worker_log_length = 1;
            options.pooling = pooling != 0;
            bw_tree *tree = tree_open(&options);
            crew_run(3, write_beside, tree);
            CHECK_OK(bw_worker_stop(tree));
            CHECK_OK(bw_collect(tree, NULL));
            CHECK_EQ(tree_stats(tree).limbo_pages, 0);
            tree_free(tree);
        }
    }
}

static bool no_threads; /* the system has none to give */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument) {
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

static void where_no_thread_can_be_started_nothing_is_left_of_it(void) {
    meter m;
    bw_options options = options_with_worker(false);
    options = options_metered(options, &m);
    bw_tree *tree = tree_open(&options);
    const uint64_t live = atomic_load(&m.live);
    no_threads = true;
    CHECK_STATUS(bw_worker_start(tree), BW_ETHREAD);
    CHECK_EQ(atomic_load(&m.live), live);
    CHECK(!tree_stats(tree).worker);
    options.worker = true;
    bw_tree *other = NULL;
    CHECK_STATUS(bw_open(&options, &other), BW_ETHREAD);
    CHECK(other == NULL);
    CHECK_EQ(atomic_load(&m.live), live);
    no_threads = false;
    CHECK_OK(bw_worker_start(tree)); /* now there is one */
    CHECK(tree_stats(tree).worker);
    tree_free(tree);
    meter_check_empty(&m);
}

static void start_and_stop(crew *me) {
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK((i + me->index) % 2 == 0 ? bw_worker_start(me->shared)
                                          : bw_worker_stop(me->shared));
}

static void many_threads_may_start_and_stop_it(void) {
    bw_options options = options_with_worker(false);
    bw_tree *tree = tree_open(&options);
    crew_run(4, start_and_stop, tree);
    CHECK_OK(bw_worker_stop(tree));
    CHECK_EQ(tree_stats(tree).threads, 1);
    tree_free(tree);
}

CHECK_MAIN({"starting_and_stopping_are_idempotent", starting_and_stopping_are_idempotent},
           {"it_consolidates_long_logs_and_collects", it_consolidates_long_logs_and_collects},
           {"it_keeps_up_after_a_long_idle_time", it_keeps_up_after_a_long_idle_time},
           {"closing_stops_it", closing_stops_it},
           {"writers_do_not_notice_it", writers_do_not_notice_it},
           {"where_no_thread_can_be_started_nothing_is_left_of_it",
            where_no_thread_can_be_started_nothing_is_left_of_it},
           {"many_threads_may_start_and_stop_it", many_threads_may_start_and_stop_it})
