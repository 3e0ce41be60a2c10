/* test_threads.c: real threads on shared trees: nothing is lost, nothing happens twice, and threads
 * and trees may come and go. Stress is counted in operations, never in time. */
#include "support.h"

enum { THREADS = 4, WORK = CHECK_SANITIZED ? 1500 : 8000 };

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {8, 4, 5, 2}, {64, 16, 16, 8}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct arena {
    bw_tree *tree;
    _Atomic uint64_t sum;
    uint8_t won[WORK];
} arena;

static arena shared;

static void for_each_shape(void (*work)(crew *), void (*judge)(void)) {
    for (unsigned s = 0; s < SHAPES; s++) {
        for (unsigned pooling = 0; pooling < 2; pooling++) {
            bw_options options = options_of(shapes[s][0], shapes[s][1], shapes[s][2], shapes[s][3]);
            meter m;
            options = options_metered(options, &m);
            options.pooling = pooling != 0;
            memset(&shared, 0, sizeof shared);
            shared.tree = tree_open(&options);
            crew_run(THREADS, work, &shared);
            judge();
            bw_stats stats = tree_stats(shared.tree);
            CHECK_LE(stats.posts, stats.splits - stats.root_splits); /* each separator once */
            CHECK_LE(stats.pids_used, stats.pages + stats.pids_free + stats.limbo_pages);
            CHECK_OK(bw_collect(shared.tree, NULL)); /* what threads that ended have left, too */
            CHECK_EQ(tree_stats(shared.tree).limbo_pages, 0);
            tree_free(shared.tree);
            meter_check_empty(&m); /* without pooling: no page, no record of a loser is lost */
        }
    }
}

/* ---- threads with keys of their own see only what they did ---- */

static void own_keys(crew *me) {
    bw_tree *tree = shared.tree;
    model m = {0};
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < WORK; i++) {
        uint64_t key = check_below(&random, 150) * me->count + me->index;
        uint64_t current = SENTINEL;
        uint64_t seen = SENTINEL;
        bool present = model_get(&m, key, &current);
        check_trying("thread %u, step %u, key %" PRIu64, me->index, i, key);
        switch (check_below(&random, 5)) {
        case 0: CHECK_STATUS(bw_get(tree, key, &seen), present ? BW_OK : BW_NOT_FOUND); break;
        case 1:
            CHECK_STATUS(bw_put(tree, key, i, &seen), present ? BW_EXISTS : BW_OK);
            model_put(&m, key, i);
            break;
        case 2:
            CHECK_STATUS(bw_insert(tree, key, i, &seen), present ? BW_EXISTS : BW_OK);
            if (!present)
                model_put(&m, key, i);
            break;
        case 3:
            CHECK_STATUS(bw_remove(tree, key, &seen), present ? BW_OK : BW_NOT_FOUND);
            model_remove(&m, key);
            break;
        default:
            CHECK_STATUS(bw_update(tree, key, i, &seen), present ? BW_OK : BW_NOT_FOUND);
            if (present)
                model_put(&m, key, i);
        }
        CHECK_EQ(seen, current);
        if (i % 512 == 0)
            tree_check(tree, false);
    }
    for (size_t i = 0; i < m.count; i++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(tree, m.keys[i], &value));
        CHECK_EQ(value, m.values[i]);
    }
    atomic_fetch_add(&shared.sum, m.count);
    model_free(&m);
}

static void judge_size(void) {
    uint64_t size = 0;
    CHECK_OK(bw_size(shared.tree, &size));
    CHECK_EQ(size, atomic_load(&shared.sum));
    tree_check(shared.tree, true);
}

static void threads_with_keys_of_their_own_do_not_meet(void) {
    for_each_shape(own_keys, judge_size);
}

/* ---- counters: every increment counts once ---- */

enum { COUNTERS = 3 };

static void increment(crew *me) {
    (void)me;
    for (unsigned i = 0; i < WORK / 2; i++) {
        uint64_t key = i % COUNTERS;
        uint64_t seen = 0;
        bw_status status = bw_insert(shared.tree, key, 1, &seen);
        while (status != BW_OK) {
            CHECK(status == BW_EXISTS || status == BW_MISMATCH);
            uint64_t expected = seen;
            status = bw_compare_exchange(shared.tree, key, expected, expected + 1, &seen);
            CHECK_EQ(status == BW_OK, seen == expected);
        }
    }
}

static void judge_counters(void) {
    uint64_t sum = 0;
    for (uint64_t key = 0; key < COUNTERS; key++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(shared.tree, key, &value));
        sum += value;
    }
    CHECK_EQ(sum, THREADS * (uint64_t)(WORK / 2));
}

static void contended_counters_are_exact(void) {
    for_each_shape(increment, judge_counters);
}

/* ---- races for one key have one winner ---- */

static void race_to_insert(crew *me) {
    for (uint64_t key = 0; key < WORK / 2; key++) {
        uint64_t seen = SENTINEL;
        bw_status status = bw_insert(shared.tree, key, me->index, &seen);
        if (status == BW_OK) {
            atomic_fetch_add(&shared.sum, 1);
            shared.won[key]++; /* a second winner would race here, which sanitizers see */
            seen = me->index;
        }
        CHECK(status == BW_OK || status == BW_EXISTS);
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(shared.tree, key, &value));
        CHECK_EQ(value, seen); /* the first value stays, and losers were told it */
    }
}

static void judge_one_winner_each(void) {
    CHECK_EQ(atomic_load(&shared.sum), WORK / 2);
    for (uint64_t key = 0; key < WORK / 2; key++)
        CHECK_EQ(shared.won[key], 1);
    judge_size();
}

static void an_insert_has_one_winner(void) {
    for_each_shape(race_to_insert, judge_one_winner_each);
}

/* Each key is inserted and removed over and over by all: successes alternate, so they balance. */
static void race_to_insert_and_remove(crew *me) {
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < WORK; i++) {
        uint64_t key = check_below(&random, 6);
        uint64_t seen = SENTINEL;
        if (check_below(&random, 2) == 0) {
            if (bw_insert(shared.tree, key, key * 7, &seen) == BW_OK)
                atomic_fetch_add(&shared.sum, 1);
        } else if (bw_remove(shared.tree, key, &seen) == BW_OK) {
            CHECK_EQ(seen, key * 7);
            atomic_fetch_sub(&shared.sum, 1);
        }
        CHECK(seen == SENTINEL || seen == key * 7);
    }
}

static void inserts_and_removes_of_a_key_alternate(void) {
    for_each_shape(race_to_insert_and_remove, judge_size);
}

/* A put gives back what it replaced: every value put is replaced once, or is still there. */
static void exchange_values(crew *me) {
    check_random random = check_random_of(me->index);
    for (uint64_t i = 0; i < WORK; i++) {
        uint64_t mine = (i * me->count + me->index) * 2 + 1;
        uint64_t seen = 0;
        CHECK_DONE(bw_put(shared.tree, check_below(&random, 2), mine, &seen));
        atomic_fetch_add(&shared.sum, mine - seen);
    }
}

static void judge_values(void) {
    uint64_t sum = 0;
    for (uint64_t key = 0; key < 2; key++) {
        uint64_t value = 0;
        CHECK_OK(bw_get(shared.tree, key, &value));
        sum += value;
    }
    CHECK_EQ(sum, atomic_load(&shared.sum));
}

static void every_value_put_is_replaced_once(void) {
    for_each_shape(exchange_values, judge_values);
}

/* Ascending keys: all threads split the same pages at the same time. */
static void append_at_the_right(crew *me) {
    for (uint64_t i = 0; i < WORK; i++) {
        uint64_t key = i * me->count + me->index;
        CHECK_OK(bw_insert(shared.tree, key, ~key, NULL));
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(shared.tree, key, &value));
        CHECK_EQ(value, ~key);
        if (i == WORK / 2)
            CHECK_OK(bw_consolidate(shared.tree));
    }
    atomic_fetch_add(&shared.sum, WORK);
}

static void threads_that_split_the_same_pages_lose_nothing(void) {
    for_each_shape(append_at_the_right, judge_size);
}

/* A key that stays is always found, and its value never goes back, whatever becomes of its page. */
static void read_beside_splits(crew *me) {
    enum { STEADY = 64 };
    bw_tree *tree = shared.tree;
    if (me->index == 0) {
        for (uint64_t round = 1; round < WORK / 4; round++)
            CHECK_DONE(bw_put(tree, round % STEADY * 1000, round, NULL));
    } else if (me->index == 1) {
        check_random random = check_random_of(1);
        for (uint64_t i = 0; i < WORK; i++) {
            uint64_t key = check_below(&random, STEADY * 1000);
            if (key % 1000 != 0)
                CHECK_DONE(i / 64 % 2 == 0 ? bw_put(tree, key, i, NULL)
                                           : bw_remove(tree, key, NULL));
        }
    } else {
        uint64_t last[STEADY] = {0};
        for (uint64_t i = 0; i < WORK; i++) {
            uint64_t key = i % STEADY;
            uint64_t value = 0;
            bw_status status = bw_get(tree, key * 1000, &value);
            CHECK(status == BW_OK || (status == BW_NOT_FOUND && last[key] == 0));
            CHECK_LE(last[key], value);
            last[key] = value;
        }
    }
}

static void judge_soundness(void) {
    tree_check(shared.tree, true);
}

static void a_key_never_goes_back_to_an_older_value(void) {
    for_each_shape(read_beside_splits, judge_soundness);
}

/* The root changes its level most often while a tree is small: so many small trees, one after another,
 * each checked without pause while it grows. */
enum { SAPLINGS = CHECK_SANITIZED ? 300 : 2000 };

typedef struct nursery {
    bw_tree *trees[SAPLINGS];
    _Atomic uint64_t growing; /* which of them */
} nursery;

static void grow_or_check(crew *me) {
    nursery *n = me->shared;
    for (unsigned i = 0; i < SAPLINGS; i++)
        CHECK_OK(bw_thread_attach(n->trees[i]));
    crew_meet(me);
    if (me->index > 0) {
        for (uint64_t at = 0; at < SAPLINGS; at = atomic_load(&n->growing))
            tree_check(n->trees[at], false);
        return;
    }
    for (uint64_t at = 0; at < SAPLINGS; at++) {
        atomic_store(&n->growing, at);
        for (uint64_t key = 0; key < 40; key++)
            CHECK_OK(bw_put(n->trees[at], key, key, NULL));
    }
    atomic_store(&n->growing, SAPLINGS);
}

static void a_tree_may_be_checked_while_it_grows(void) {
    static nursery n;
    bw_options options = options_tiny();
    options.max_pids = 1000;
    options.pooling = false; /* which reserves less */
    atomic_store(&n.growing, 0);
    for (unsigned i = 0; i < SAPLINGS; i++)
        n.trees[i] = tree_open(&options);
    crew_run(2, grow_or_check, &n);
    for (unsigned i = 0; i < SAPLINGS; i++)
        tree_free(n.trees[i]);
}

/* ---- registrations ---- */

static void write_once(crew *me) {
    for (uint64_t key = 0; key < 40; key++)
        CHECK_DONE(bw_put(shared.tree, key * 10 + me->index, key, NULL));
}

static void a_thread_that_ends_hands_over_what_it_retired(void) {
    meter m;
    bw_options options = options_metered(options_tiny(), &m);
    options.retire_batch = 4096; /* threads seal no bag themselves */
    shared.tree = tree_open(&options);
    for (unsigned round = 0; round < 5; round++) {
        crew_run(THREADS, write_once, NULL);
        bw_stats before = tree_stats(shared.tree);
        CHECK_LE(1, before.limbo_pages);
        CHECK_EQ(before.threads, 1);
        uint64_t freed = 0;
        CHECK_OK(bw_collect(shared.tree, &freed));
        CHECK_EQ(freed, before.limbo_pages);
        CHECK_EQ(tree_stats(shared.tree).limbo_pages, 0);
        CHECK_EQ(tree_stats(shared.tree).limbo_bytes, 0);
    }
    /* Registrations are used again: no more than there were threads at once. */
    uint64_t live = atomic_load(&m.live);
    crew_run(1, write_once, NULL);
    CHECK_OK(bw_collect(shared.tree, NULL));
    CHECK_LE(atomic_load(&m.live), live + 1);
    tree_free(shared.tree);
    meter_check_empty(&m);
}

static void pin_and_end(crew *me) {
    CHECK_OK(bw_pin(shared.tree));
    CHECK_OK(bw_pin(shared.tree));
    write_once(me);
}

static void a_thread_that_ends_pinned_stops_nothing(void) {
    shared.tree = tree_open_tiny();
    crew_run(THREADS, pin_and_end, NULL);
    CHECK_EQ(tree_stats(shared.tree).threads, 1);
    CHECK_OK(bw_collect(shared.tree, NULL));
    CHECK_EQ(tree_stats(shared.tree).limbo_pages, 0);
    crew_run(1, write_once, NULL); /* in a registration that was pinned */
    CHECK_OK(bw_close(shared.tree));
    CHECK_OK(bw_free(shared.tree));
}

static void detach_between_calls(crew *me) {
    for (unsigned i = 0; i < 60; i++) {
        write_once(me);
        if (i % 3 == me->index % 3)
            CHECK_OK(bw_thread_detach(shared.tree));
    }
}

static void threads_may_detach_between_calls(void) {
    shared.tree = tree_open_tiny();
    crew_run(THREADS, detach_between_calls, NULL);
    CHECK_EQ(tree_stats(shared.tree).threads, 1);
    CHECK_EQ(tree_stats(shared.tree).size, 40 * THREADS);
    CHECK_OK(bw_collect(shared.tree, NULL));
    CHECK_EQ(tree_stats(shared.tree).limbo_pages, 0);
    tree_free(shared.tree);
}

/* ---- many trees ---- */

enum { TREES = 11 }; /* more than a thread finds without searching */
static bw_tree *trees[TREES];

static void use_all_trees(crew *me) {
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < WORK; i++) {
        uint64_t t = check_below(&random, TREES);
        uint64_t key = check_below(&random, 50) * me->count + me->index;
        uint64_t value = SENTINEL;
        CHECK_DONE(bw_put(trees[t], key, t * 1000 + key, NULL));
        CHECK_OK(bw_get(trees[t], key, &value));
        CHECK_EQ(value, t * 1000 + key);
    }
}

static void trees_do_not_mix(void) {
    for (unsigned t = 0; t < TREES; t++)
        trees[t] = tree_open_tiny();
    crew_run(THREADS, use_all_trees, NULL);
    for (unsigned t = 0; t < TREES; t++) {
        CHECK_EQ(tree_stats(trees[t]).threads, 1); /* all others have ended */
        tree_free(trees[t]);
    }
}

/* Threads that make trees and free them, while a tree of all stays. */
static void churn(crew *me) {
    for (unsigned round = 0; round < 60; round++) {
        bw_tree *own[3];
        for (unsigned t = 0; t < 3; t++)
            own[t] = tree_open_tiny();
        for (uint64_t key = 0; key < 30; key++) {
            CHECK_OK(bw_put(own[key % 3], key, key, NULL));
            CHECK_DONE(bw_put(shared.tree, key * me->count + me->index, key, NULL));
        }
        for (unsigned t = 0; t < 3; t++) {
            CHECK_EQ(tree_stats(own[t]).size, 10);
            tree_free(own[t]);
        }
    }
}

static void trees_come_and_go_beside_others(void) {
    shared.tree = tree_open_tiny();
    for (unsigned round = 0; round < 3; round++)
        crew_run(THREADS, churn, NULL);
    CHECK_EQ(tree_stats(shared.tree).size, 30 * THREADS);
    tree_free(shared.tree);
}

/* A thread that ends after its tree was freed, and one that outlives many trees. */
static void outlive_trees(crew *me) {
    for (unsigned round = 0; round < 20; round++) {
        crew_meet(me);
        if (me->index == 0)
            shared.tree = tree_open_tiny();
        crew_meet(me);
        for (uint64_t key = 0; key < 20; key++)
            CHECK_OK(bw_put(shared.tree, key * me->count + me->index, key, NULL));
        crew_meet(me);
        if (me->index == round % me->count)
            tree_free(shared.tree);
    }
}

static void threads_outlive_trees(void) {
    crew_run(THREADS, outlive_trees, NULL);
}

/* ---- closing from another thread ---- */

static void call_until_closed(crew *me) {
    bw_tree *tree = shared.tree;
    if (me->index == 0) {
        while (atomic_load(&shared.sum) < 200)
            sched_yield();
        bw_status status;
        while ((status = bw_close(tree)) != BW_OK)
            CHECK_STATUS(status, BW_EBUSY);
        return;
    }
    check_random random = check_random_of(me->index);
    for (;;) {
        uint64_t key = check_below(&random, 500);
        bw_status status =
            me->index % 2 == 0 ? bw_put(tree, key, key, NULL) : bw_floor(tree, key, NULL, NULL);
        if (status == BW_ECLOSED)
            break;
        CHECK_DONE(status);
        atomic_fetch_add(&shared.sum, 1);
    }
    CHECK_STATUS(bw_put(tree, 1, 1, NULL), BW_ECLOSED); /* and so it stays */
}

static void closing_beside_calls_ends_them_cleanly(void) {
    for (unsigned round = 0; round < 30; round++) {
        meter m;
        bw_options options = options_metered(options_tiny(), &m);
        options.pooling = round % 2 == 0;
        options.worker = round % 3 == 0;
        memset(&shared, 0, sizeof shared);
        shared.tree = tree_open(&options);
        crew_run(THREADS, call_until_closed, NULL);
        CHECK_OK(bw_free(shared.tree));
        meter_check_empty(&m);
    }
}

CHECK_MAIN({"threads_with_keys_of_their_own_do_not_meet",
            threads_with_keys_of_their_own_do_not_meet},
           {"contended_counters_are_exact", contended_counters_are_exact},
           {"an_insert_has_one_winner", an_insert_has_one_winner},
           {"inserts_and_removes_of_a_key_alternate", inserts_and_removes_of_a_key_alternate},
           {"every_value_put_is_replaced_once", every_value_put_is_replaced_once},
           {"threads_that_split_the_same_pages_lose_nothing",
            threads_that_split_the_same_pages_lose_nothing},
           {"a_key_never_goes_back_to_an_older_value", a_key_never_goes_back_to_an_older_value},
           {"a_tree_may_be_checked_while_it_grows", a_tree_may_be_checked_while_it_grows},
           {"a_thread_that_ends_hands_over_what_it_retired",
            a_thread_that_ends_hands_over_what_it_retired},
           {"a_thread_that_ends_pinned_stops_nothing", a_thread_that_ends_pinned_stops_nothing},
           {"threads_may_detach_between_calls", threads_may_detach_between_calls},
           {"trees_do_not_mix", trees_do_not_mix},
           {"trees_come_and_go_beside_others", trees_come_and_go_beside_others},
           {"threads_outlive_trees", threads_outlive_trees},
           {"closing_beside_calls_ends_them_cleanly", closing_beside_calls_ends_them_cleanly})
