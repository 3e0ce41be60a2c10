/* test_merge_threads.c: merges under real threads. Capacities from 2 to 8 make every few writes a merge
 * or a split; the structure is checked while it changes and whenever it is at rest. */
#include "support.h"

enum { THREADS = 4, ROUNDS = 3, WORK = CHECK_SANITIZED ? 1500 : 8000 };

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {2, 2, 3, 2}, {3, 1, 3, 1},
                                     {4, 2, 4, 2}, {4, 4, 4, 3}, {8, 4, 5, 2}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct arena {
    bw_tree *tree;
    unsigned round;
    _Atomic uint64_t working; /* threads that still change something */
} arena;

static arena shared;

/* Runs `work` in every shape, with pools and without (where a memory checker sees every page), and ends
 * with an emptied tree that must be one leaf again. */
static void for_each_shape(bool worker, void (*work)(crew *)) {
    uint64_t root_splits = 0, merges = 0;
    for (unsigned s = 0; s < 2 * SHAPES; s++) {
        const uint32_t *shape = shapes[s % SHAPES];
        bw_options options = options_of(shape[0], shape[1], shape[2], shape[3]);
        meter m;
        options = options_metered(options, &m);
        options.pooling = s >= SHAPES;
        options.retire_batch = 1 + s % 4 * 8;
        options.worker = worker;
        options.worker_interval_us = 100;
        options.worker_log_length = 1;
        shared.tree = tree_open(&options);
        for (shared.round = 0; shared.round < ROUNDS; shared.round++) {
            atomic_store(&shared.working, THREADS);
            crew_run(THREADS, work, &shared);
            if (worker)
                CHECK_OK(bw_worker_stop(shared.tree));
            tree_check(shared.tree, true); /* a quiescent point */
            if (worker)
                CHECK_OK(bw_worker_start(shared.tree));
        }
        CHECK_OK(bw_worker_stop(shared.tree));
        CHECK_OK(bw_clear(shared.tree, NULL));
        for (unsigned i = 0; i < 3; i++) {
            CHECK_OK(bw_consolidate(shared.tree));
            CHECK_OK(bw_collect(shared.tree, NULL));
        }
        bw_stats stats = tree_stats(shared.tree);
        CHECK_EQ(stats.pages, 1);
        root_splits += stats.root_splits;
        merges += stats.merges;
        CHECK_EQ(stats.limbo_pages, 0);
        CHECK_EQ(stats.pids_free, stats.pids_used - 1);
        CHECK_LE(stats.root_collapses, stats.root_splits);
        tree_free(shared.tree);
        meter_check_empty(&m);
    }
    /* Of all shapes together: where threads take turns by chance, a large page may never fill. */
    CHECK_LE(1, root_splits);
    CHECK_LE(1, merges);
}

/* ---- keys of their own: each thread knows exactly what it must find ---- */

static void own_keys(crew *me) {
    enum { OWN = 60 };
    bw_tree *tree = shared.tree;
    check_random random = check_random_of(shared.round * 64 + me->index);
    bool present[OWN] = {false};
    uint64_t values[OWN];
    for (unsigned i = 0; i < OWN; i++) /* what the round before has left */
        present[i] = bw_get(tree, (uint64_t)i * me->count + me->index, &values[i]) == BW_OK;
    for (unsigned i = 0; i < WORK; i++) {
        /* Waves: keys come, then go. */
        bool shrinks = (i / (WORK / 8) + me->index / 2) % 2 == 1;
        uint64_t which = check_below(&random, OWN);
        uint64_t key = which * me->count + me->index;
        uint64_t seen = SENTINEL;
        check_trying("round %u, thread %u, step %u, key %" PRIu64, shared.round, me->index, i, key);
        uint64_t what = check_below(&random, 8);
        if (what < (shrinks ? 5 : 2)) {
            CHECK_STATUS(bw_remove(tree, key, &seen), present[which] ? BW_OK : BW_NOT_FOUND);
            CHECK_EQ(seen, present[which] ? values[which] : SENTINEL);
            present[which] = false;
        } else if (what < 7) {
            CHECK_STATUS(bw_put(tree, key, i, &seen), present[which] ? BW_EXISTS : BW_OK);
            CHECK_EQ(seen, present[which] ? values[which] : SENTINEL);
            present[which] = true;
            values[which] = i;
        } else {
            CHECK_STATUS(bw_get(tree, key, &seen), present[which] ? BW_OK : BW_NOT_FOUND);
            CHECK_EQ(seen, present[which] ? values[which] : SENTINEL);
        }
        if (i % 256 == 0)
            tree_check(tree, false);
        if (i % 700 == 0)
            CHECK_OK(bw_consolidate(tree));
    }
}

static void threads_that_merge_each_others_pages_lose_nothing(void) {
    for_each_shape(false, own_keys);
}

static void so_they_do_beside_the_worker(void) {
    for_each_shape(true, own_keys);
}

/* ---- readers: what is present throughout is always found, in order, once ---- */

enum { STEADY = 40, GAP = 8 }; /* the keys that stay are the multiples of GAP below STEADY * GAP */

static void read_all_ways(const bw_tree *constant, bw_cursor *cursor, check_random *random) {
    bw_tree *tree = (bw_tree *)constant;
    uint64_t keys[STEADY * GAP];
    uint64_t values[STEADY * GAP];
    bool present[STEADY];
    uint64_t key = check_below(random, STEADY) * GAP;
    uint64_t found = SENTINEL;
    CHECK_OK(bw_get(tree, key, &found));
    CHECK_EQ(found, key);
    CHECK_OK(bw_floor(tree, key + check_below(random, GAP), &found, NULL));
    CHECK_LE(key, found);
    CHECK_OK(bw_ceiling(tree, key - (key > 0 ? check_below(random, GAP) : 0), &found, NULL));
    CHECK_LE(found, key);
    CHECK_OK(bw_first(tree, &found, NULL));
    CHECK_EQ(found, 0);
    CHECK_OK(bw_last(tree, &found, NULL));
    CHECK_LE((STEADY - 1) * GAP, found);
    uint64_t count = 0;
    uint64_t low = check_below(random, STEADY * GAP);
    uint64_t high = low + check_below(random, STEADY * GAP);
    high = high < STEADY * GAP ? high : STEADY * GAP - 1;
    CHECK_OK(bw_count(tree, low, high, &count));
    CHECK_LE(high / GAP - (low + GAP - 1) / GAP + 1,
             count + (low % GAP != 0 && high / GAP < (low + GAP - 1) / GAP));
    for (unsigned i = 0; i < STEADY; i++)
        keys[i] = (uint64_t)i * GAP;
    size_t hits = 0;
    CHECK_OK(bw_get_many(tree, keys, STEADY, values, present, &hits));
    CHECK_EQ(hits, STEADY);
    for (unsigned i = 0; i < STEADY; i++)
        CHECK_EQ(values[i], keys[i]);
    /* Up and down, one by one and many at once. */
    for (unsigned way = 0; way < 4; way++) {
        bool up = way % 2 == 0;
        uint64_t next = up ? 0 : (STEADY - 1) * GAP; /* the steady key that must come next */
        uint64_t last = 0;
        unsigned steady = 0;
        bool begun = false;
        CHECK_OK(up ? bw_cursor_seek(cursor, 0) : bw_cursor_seek_end(cursor));
        for (;;) {
            size_t n = 1;
            bw_status status;
            if (way < 2)
                status = up ? bw_cursor_next(cursor, keys, values)
                            : bw_cursor_prev(cursor, keys, values);
            else
                status = up ? bw_cursor_next_many(cursor, UINT64_MAX, keys, values, 7, &n)
                            : bw_cursor_prev_many(cursor, 0, keys, values, 7, &n);
            if (status == BW_NOT_FOUND)
                break;
            CHECK_OK(status);
            for (size_t i = 0; i < n; i++) {
                if (begun)
                    CHECK(up ? last < keys[i] : keys[i] < last);
                begun = true;
                last = keys[i];
                if (keys[i] % GAP != 0)
                    continue;
                CHECK_EQ(keys[i], next);
                next = up ? next + GAP : next - GAP;
                steady++;
            }
        }
        CHECK_EQ(steady, STEADY);
    }
}

static void read_beside_merges(crew *me) {
    bw_tree *tree = shared.tree;
    if (me->index == 0)
        for (uint64_t i = 0; i < STEADY; i++)
            CHECK_DONE(bw_put(tree, i * GAP, i * GAP, NULL));
    crew_meet(me);
    check_random random = check_random_of(shared.round * 64 + me->index);
    if (me->index < 2) {
        for (unsigned i = 0; i < WORK; i++) {
            bool shrinks = i / 200 % 2 == 1;
            uint64_t key = check_below(&random, STEADY * GAP);
            if (key % GAP != 0)
                CHECK_DONE(shrinks ? bw_remove(tree, key, NULL) : bw_put(tree, key, key, NULL));
        }
        atomic_fetch_sub(&shared.working, 1);
        return;
    }
    bw_cursor *cursor;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    while (atomic_load(&shared.working) > THREADS - 2)
        read_all_ways(tree, cursor, &random);
    bw_cursor_free(cursor);
}

static void readers_miss_no_key_that_stays(void) {
    for_each_shape(false, read_beside_merges);
}

/* ---- the whole tree comes and goes: the root splits and collapses all the time ---- */

/* The leaves are always there; whatever level is there has pages. */
static void check_levels(bw_tree *tree) {
    bw_level_stats of;
    for (uint32_t level = 0;; level++) {
        bw_status status = bw_get_level_stats(tree, level, &of);
        CHECK_DONE(status);
        CHECK_EQ(of.pages > 0, status == BW_OK);
        if (status == BW_NOT_FOUND) {
            CHECK_LE(1, level);
            return;
        }
    }
}

static void grow_and_shrink(crew *me) {
    bw_tree *tree = shared.tree;
    for (unsigned turn = 0; turn < WORK / 40; turn++) {
        for (uint64_t i = 0; i < 10; i++)
            CHECK_OK(bw_put(tree, i * me->count + me->index, turn, NULL));
        for (uint64_t i = 0; i < 10; i++) {
            uint64_t seen = SENTINEL;
            CHECK_OK(bw_remove(tree, (turn % 2 == 0 ? i : 9 - i) * me->count + me->index, &seen));
            CHECK_EQ(seen, turn);
        }
        check_levels(tree);
        if (turn % 16 == 0) {
            CHECK_OK(bw_consolidate(tree));
            tree_check(tree, false);
        }
    }
}

static void roots_split_and_collapse_beside_each_other(void) {
    for_each_shape(false, grow_and_shrink);
}

CHECK_MAIN({"threads_that_merge_each_others_pages_lose_nothing",
            threads_that_merge_each_others_pages_lose_nothing},
           {"so_they_do_beside_the_worker", so_they_do_beside_the_worker},
           {"readers_miss_no_key_that_stays", readers_miss_no_key_that_stays},
           {"roots_split_and_collapse_beside_each_other",
            roots_split_and_collapse_beside_each_other})
