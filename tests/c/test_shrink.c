/* test_shrink.c: memory goes back to the allocator while the tree lives: chunks that hold nothing, and
 * only those, whoever collects, whatever others do meanwhile and whichever allocation fails. */
#include "support.h"

#include "tree.h"

enum { KEYS = CHECK_SANITIZED ? 200000 : 600000, THREADS = 2 };

/* What one live thread may still cut from. */
enum { LAST_CHUNKS = BW_CHUNK_MIN + BW_CHUNK_MAX };

static uint64_t at_least_last(uint64_t bytes) {
    return bytes > LAST_CHUNKS ? bytes : LAST_CHUNKS;
}

/* What may be left of an emptied tree. */
static uint64_t two_percent(uint64_t peak) {
    return at_least_last(peak / 50);
}

/* Pages of a few entries, so that few keys need many chunks. */
static bw_options options_small(void) {
    bw_options options = options_of(4, 2, 8, 2);
    options.retire_batch = 64;
    return options;
}

/* Options whose chunks, too, come from the meter. */
static bw_options options_small_metered(meter *m) {
    bw_options options = options_metered(options_small(), m);
    options.pooling = true;
    return options;
}

static uint64_t key_of(uint64_t i, uint64_t keys) {
    return i * 7919 % keys; /* 7919 is prime and divides no number of keys used here */
}

typedef struct job {
    bw_tree *tree;
    uint64_t keys;
} job;

static void put_share(crew *me) {
    const job *j = me->shared;
    for (uint64_t i = me->index; i < j->keys; i += me->count)
        CHECK_OK(bw_put(j->tree, key_of(i, j->keys), i, NULL));
}

static void remove_share(crew *me) {
    const job *j = me->shared;
    for (uint64_t i = me->index; i < j->keys; i += me->count)
        CHECK_OK(bw_remove(j->tree, key_of(i * 31, j->keys), NULL));
}

static void check_holds(const job *j) {
    for (uint64_t i = 0; i < j->keys; i++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(j->tree, key_of(i, j->keys), &value));
        CHECK_EQ(value, i);
    }
    CHECK_EQ(tree_stats(j->tree).size, j->keys);
    tree_check(j->tree, true);
}

static void empty_and_collect(const job *j) {
    CHECK_OK(bw_clear(j->tree, NULL));
    CHECK_OK(bw_consolidate(j->tree));
    CHECK_OK(bw_collect(j->tree, NULL));
}

/* ---- an emptied tree ---- */

static void an_emptied_tree_keeps_two_percent_at_most(void) {
    bw_options options = options_small();
    job j = {tree_open(&options), KEYS};
    crew_run(THREADS, put_share, &j);
    uint64_t peak = tree_stats(j.tree).bytes_reserved;
    crew_run(THREADS, remove_share, &j);
    CHECK_OK(bw_consolidate(j.tree));
    CHECK_OK(bw_collect(j.tree, NULL));
    bw_stats stats = tree_stats(j.tree);
    CHECK_EQ(stats.size, 0);
    CHECK_EQ(stats.pages, 1);
    CHECK_EQ(stats.limbo_pages, 0);
    CHECK(CHECK_SANITIZED || LAST_CHUNKS <= peak / 50);
    CHECK_LE(stats.bytes_reserved, two_percent(peak));
    CHECK_LE(stats.bytes_live, stats.bytes_reserved);
    j.keys = KEYS / 10;
    crew_run(THREADS, put_share, &j);
    check_holds(&j);
    tree_free(j.tree);
}

static void what_is_in_use_stays_as_it_is(void) {
    bw_options options = options_small();
    job j = {tree_open(&options), KEYS / 10};
    crew_run(THREADS, put_share, &j);
    CHECK_OK(bw_consolidate(j.tree));  /* so that their pages stay where they are from now on */
    for (unsigned i = 0; i < 3; i++) { /* keys far right come and go */
        for (uint64_t key = 0; key < KEYS / 2; key++)
            CHECK_OK(bw_put(j.tree, (UINT64_C(1) << 40) + key, key, NULL));
        uint64_t peak = tree_stats(j.tree).bytes_reserved;
        CHECK_OK(bw_delete_range(j.tree, UINT64_C(1) << 40, UINT64_MAX, NULL));
        CHECK_OK(bw_consolidate(j.tree));
        CHECK_OK(bw_collect(j.tree, NULL));
        /* How much depends on how the keys that stay lie among the chunks. */
        CHECK_LT(tree_stats(j.tree).bytes_reserved, peak);
        check_holds(&j);
    }
    tree_free(j.tree);
}

/* ---- the allocator ---- */

/* From here on there are as many registrations as threads, however these overlap later. */
static void attach_at_once(crew *me) {
    const job *j = me->shared;
    CHECK_OK(bw_thread_attach(j->tree));
    crew_meet(me);
}

static void the_allocator_gets_back_what_the_figures_say(void) {
    meter m;
    bw_options options = options_small_metered(&m);
    job j = {tree_open(&options), KEYS / 24};
    crew_run(THREADS, attach_at_once, &j);
    crew_run(THREADS, put_share, &j);
    CHECK_OK(bw_collect(j.tree, NULL));
    uint64_t others = atomic_load(&m.live_bytes) - tree_stats(j.tree).bytes_reserved;
    uint64_t peak = tree_stats(j.tree).bytes_reserved;
    empty_and_collect(&j);
    uint64_t reserved = tree_stats(j.tree).bytes_reserved;
    CHECK_LE(reserved, peak - peak / 4); /* chunks double: the one that stays may be half of all */
    CHECK_EQ(atomic_load(&m.live_bytes), reserved + others);
    crew_run(THREADS, put_share, &j);
    check_holds(&j);
    CHECK_EQ(atomic_load(&m.live_bytes), tree_stats(j.tree).bytes_reserved + others);
    tree_free(j.tree);
    meter_check_empty(&m);
}

static void without_memory_for_the_work_everything_stays(void) {
    meter m;
    bw_options options = options_small_metered(&m);
    job j = {tree_open(&options), KEYS / 24};
    crew_run(THREADS, put_share, &j);
    CHECK_OK(bw_clear(j.tree, NULL));
    CHECK_OK(bw_consolidate(j.tree));
    uint64_t reserved = tree_stats(j.tree).bytes_reserved;
    meter_fail_all(&m);
    CHECK_OK(bw_collect(j.tree, NULL));
    CHECK_EQ(atomic_load(&m.failed), 1);
    CHECK_EQ(tree_stats(j.tree).bytes_reserved, reserved);
    for (uint64_t key = 0; key < 1000; key++) /* what was free is free */
        CHECK_OK(bw_put(j.tree, key, key, NULL));
    meter_fail_none(&m);
    CHECK_EQ(tree_stats(j.tree).bytes_reserved, reserved);
    empty_and_collect(&j);
    CHECK_LT(tree_stats(j.tree).bytes_reserved, reserved / 2);
    tree_free(j.tree);
    meter_check_empty(&m);
}

/* ---- other threads ---- */

static void keep_some_then_detach(crew *me) {
    job *j = me->shared;
    put_share(me);
    remove_share(me);
    uint64_t peak = tree_stats(j->tree).bytes_reserved;
    crew_meet(me); /* all have emptied the tree, and live on with full magazines */
    if (me->index == 0)
        empty_and_collect(j);
    crew_meet(me);
    uint64_t kept = tree_stats(j->tree).bytes_reserved;
    crew_meet(me);
    if (me->index > 0) {
        CHECK_OK(bw_collect(j->tree, NULL)); /* what it has retired itself */
        CHECK_OK(bw_thread_detach(j->tree));
    }
    crew_meet(me);
    if (me->index == 0) {
        CHECK_LT(two_percent(peak), kept);
        CHECK_OK(bw_collect(j->tree, NULL));
        CHECK_LE(tree_stats(j->tree).bytes_reserved, two_percent(peak));
    }
}

static void what_a_live_thread_keeps_goes_back_when_it_detaches(void) {
    bw_options options = options_small();
    job j = {tree_open(&options), KEYS};
    crew_run(THREADS, keep_some_then_detach, &j);
    tree_free(j.tree);
}

/* Threads 0 and 1 put and remove keys of their own, the others collect. */
static void write_or_collect(crew *me) {
    enum { TURNS = CHECK_SANITIZED ? 4 : 20, RUN = 2000 };
    bw_tree *tree = me->shared;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        if (me->index >= 2) {
            for (unsigned i = 0; i < 10; i++)
                CHECK_OK(bw_collect(tree, NULL));
            continue;
        }
        for (uint64_t i = 0; i < RUN; i++)
            CHECK_OK(bw_put(tree, i * 2 + me->index, turn, NULL));
        for (uint64_t i = 0; i < RUN; i++) {
            uint64_t seen = SENTINEL;
            CHECK_OK(bw_remove(tree, i * 2 + me->index, &seen));
            CHECK_EQ(seen, turn);
        }
        CHECK_OK(bw_thread_detach(tree)); /* its pool may be emptied from here on */
    }
}

static void collecting_beside_writers_is_not_noticed(void) {
    for (unsigned worker = 0; worker < 2; worker++) {
        meter m;
        bw_options options = options_small_metered(&m);
        options.worker = worker != 0;
        options.worker_interval_us = 100;
        bw_tree *tree = tree_open(&options);
        crew_run(4, write_or_collect, tree);
        CHECK_OK(bw_worker_stop(tree));
        CHECK_EQ(tree_stats(tree).size, 0);
        tree_check(tree, true);
        CHECK_OK(bw_consolidate(tree));
        CHECK_OK(bw_collect(tree, NULL));
        CHECK_LE(tree_stats(tree).bytes_reserved, BW_CHUNK_MAX); /* the last page keeps one */
        tree_free(tree);
        meter_check_empty(&m);
    }
}

/* Waits for what the figures show, not for time. */
static void an_idle_worker_gives_memory_back(void) {
    enum { PATIENCE = 400000000 };
    bw_options options = options_small();
    options.worker = true;
    options.worker_interval_us = 100;
    job j = {tree_open(&options), KEYS / 10};
    crew_run(THREADS, put_share, &j);
    uint64_t peak = tree_stats(j.tree).bytes_reserved;
    crew_run(THREADS, remove_share, &j);
    /* No call of bw_collect: what this thread has for itself is a page or two. */
    uint64_t turn = 0;
    uint64_t rest = at_least_last(peak / 4);
    CHECK(CHECK_SANITIZED || rest == peak / 4);
    while (tree_stats(j.tree).bytes_reserved > rest && turn++ < PATIENCE)
        sched_yield();
    CHECK_LE(tree_stats(j.tree).bytes_reserved, rest);
    CHECK_OK(bw_worker_stop(j.tree));
    crew_run(THREADS, put_share, &j);
    check_holds(&j);
    tree_free(j.tree);
}

/* ---- in the middle of it ---- */

/* Whoever collects is held in the allocator, with all chunks in hand, until another thread has had its
 * way with the tree. */
typedef struct stop {
    meter meter;
    bw_tree *tree;
    _Atomic uint64_t armed;
    void (*meanwhile)(struct stop *);
    uint64_t reserved;
} stop;

static void *stop_main(void *argument) {
    stop *s = argument;
    s->meanwhile(s);
    return NULL;
}

static void *stop_alloc(void *context, size_t size, size_t alignment) {
    stop *s = context;
    if (atomic_exchange(&s->armed, 0) != 0) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, stop_main, s), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    return meter_alloc(&s->meter, size, alignment);
}

static void stop_release(void *context, void *memory, size_t size, size_t alignment) {
    meter_release(&((stop *)context)->meter, memory, size, alignment);
}

static void stop_open(stop *s, void (*meanwhile)(stop *)) {
    bw_options options = options_small_metered(&s->meter);
    options.allocator = (bw_allocator){stop_alloc, stop_release, s};
    s->meanwhile = meanwhile;
    atomic_store(&s->armed, 0);
    s->tree = tree_open(&options);
    job j = {s->tree, KEYS / 24};
    crew_run(THREADS, put_share, &j);
    CHECK_OK(bw_clear(s->tree, NULL));
    CHECK_OK(bw_consolidate(s->tree));
    CHECK_OK(bw_thread_attach(s->tree));
    s->reserved = tree_stats(s->tree).bytes_reserved;
    atomic_store(&s->armed, 1);
}

static void close_it(stop *s) {
    CHECK_STATUS(bw_close(s->tree), BW_EBUSY);
}

static void closing_says_that_a_thread_collects(void) {
    stop s;
    stop_open(&s, close_it);
    CHECK_OK(bw_collect(s.tree, NULL)); /* it had begun */
    CHECK_EQ(atomic_load(&s.armed), 0);
    CHECK_STATUS(bw_collect(s.tree, NULL), BW_ECLOSED);
    CHECK_OK(bw_free(s.tree));
    meter_check_empty(&s.meter);
}

static void write_and_collect(stop *s) {
    for (uint64_t key = 0; key < 5000; key++)
        CHECK_OK(bw_put(s->tree, key, key, NULL));
    CHECK_OK(bw_collect(s->tree, NULL)); /* leaves the chunks to the other */
    CHECK_LE(s->reserved, tree_stats(s->tree).bytes_reserved);
    for (uint64_t key = 3; key < 5000; key++)
        CHECK_OK(bw_remove(s->tree, key, NULL));
}

static void a_thread_stopped_while_it_collects_stops_nobody(void) {
    stop s;
    stop_open(&s, write_and_collect);
    CHECK_OK(bw_collect(s.tree, NULL));
    CHECK_EQ(atomic_load(&s.armed), 0);
    for (uint64_t key = 0; key < 3; key++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(s.tree, key, &value));
        CHECK_EQ(value, key);
    }
    CHECK_EQ(tree_stats(s.tree).size, 3);
    CHECK_OK(bw_consolidate(s.tree));
    CHECK_OK(bw_collect(s.tree, NULL));
    CHECK_LT(tree_stats(s.tree).bytes_reserved, s.reserved / 2);
    tree_free(s.tree);
    meter_check_empty(&s.meter);
}

CHECK_MAIN({"an_emptied_tree_keeps_two_percent_at_most", an_emptied_tree_keeps_two_percent_at_most},
           {"what_is_in_use_stays_as_it_is", what_is_in_use_stays_as_it_is},
           {"the_allocator_gets_back_what_the_figures_say",
            the_allocator_gets_back_what_the_figures_say},
           {"without_memory_for_the_work_everything_stays",
            without_memory_for_the_work_everything_stays},
           {"what_a_live_thread_keeps_goes_back_when_it_detaches",
            what_a_live_thread_keeps_goes_back_when_it_detaches},
           {"collecting_beside_writers_is_not_noticed", collecting_beside_writers_is_not_noticed},
           {"an_idle_worker_gives_memory_back", an_idle_worker_gives_memory_back},
           {"closing_says_that_a_thread_collects", closing_says_that_a_thread_collects},
           {"a_thread_stopped_while_it_collects_stops_nobody",
            a_thread_stopped_while_it_collects_stops_nobody})
