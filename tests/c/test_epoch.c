/* test_epoch.c: nothing is freed while someone may still hold it, everything is freed afterwards, and
 * the figures say so. An allocator that sees every page tells what is freed. */
#include "support.h"

#include "tree.h"

/* Options that retire a page at almost every write. */
static bw_options options_of_epochs(meter *m, uint32_t retire_batch, uint32_t free_limit) {
    bw_options options = options_of(4, 1, 4, 1);
    options.retire_batch = retire_batch;
    options.free_limit = free_limit;
    return options_metered(options, m);
}

static void churn(bw_tree *tree, unsigned writes) {
    for (uint64_t i = 0; i < writes; i++)
        CHECK_DONE(bw_put(tree, i % 20, i, NULL));
}

/* ---- a second thread that pins when it is told to ---- */

enum { REST, PINNED, UNPINNED };

typedef struct pinner {
    pthread_t thread;
    bw_tree *tree;
    _Atomic uint64_t wanted, is;
} pinner;

static void *pinner_main(void *argument) {
    pinner *p = argument;
    CHECK_OK(bw_pin(p->tree));
    atomic_store(&p->is, PINNED);
    while (atomic_load(&p->wanted) != UNPINNED)
        sched_yield();
    CHECK_OK(bw_unpin(p->tree));
    return NULL;
}

static void pinner_start(pinner *p, bw_tree *tree) {
    p->tree = tree;
    atomic_store(&p->wanted, PINNED);
    atomic_store(&p->is, REST);
    CHECK_EQ(pthread_create(&p->thread, NULL, pinner_main, p), 0);
    while (atomic_load(&p->is) != PINNED)
        sched_yield();
}

static void pinner_end(pinner *p) {
    atomic_store(&p->wanted, UNPINNED);
    CHECK_EQ(pthread_join(p->thread, NULL), 0);
}

/* ---- what a pin holds back ---- */

static void a_pin_holds_back_what_is_retired_after_it(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    churn(tree, 500);
    CHECK_OK(bw_collect(tree, NULL));
    for (unsigned round = 0; round < 5; round++) {
        pinner p;
        pinner_start(&p, tree);
        bw_stats before = tree_stats(tree);
        churn(tree, 300);
        CHECK_OK(bw_consolidate(tree));
        uint64_t freed = SENTINEL;
        CHECK_OK(bw_collect(tree, &freed));
        CHECK_OK(bw_collect(tree, &freed));
        bw_stats during = tree_stats(tree);
        CHECK_LE(250, during.retired - before.retired);
        CHECK_EQ(freed, 0);
        CHECK_EQ(during.freed, before.freed);
        CHECK_LE(during.epoch, before.epoch + 1); /* it can begin one new epoch, not two */
        CHECK_EQ(during.limbo_pages, during.retired - during.freed);
        pinner_end(&p);
        CHECK_OK(bw_collect(tree, &freed));
        CHECK_EQ(freed, during.limbo_pages);
        CHECK_EQ(tree_stats(tree).limbo_pages, 0);
        CHECK_EQ(tree_stats(tree).limbo_bytes, 0);
    }
    tree_free(tree);
    meter_check_empty(&m);
}

/* What a reader found under its pin stays readable until it unpins. */
static void what_a_pinned_reader_holds_stays_readable(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    churn(tree, 100);
    for (unsigned round = 0; round < 50; round++) {
        bw_thread *self;
        const bw_page *held[20];
        CHECK_OK(bw_enter(tree, &self));
        for (uint64_t key = 0; key < 20; key++) {
            bw_place place;
            tree->search->descend(tree, key, 0, &place);
            held[key] = place.page;
        }
        churn(tree, 60);
        for (unsigned i = 0; i < 4; i++)
            CHECK_OK(bw_collect(tree, NULL));
        for (uint64_t key = 0; key < 20; key++) {
            uint64_t value = SENTINEL;
            CHECK(tree->search->lookup(held[key], key, &value));
            CHECK_LT(value, 100); /* what churn puts; freed memory is overwritten */
        }
        bw_leave(self);
    }
    tree_free(tree);
    meter_check_empty(&m);
}

static void an_own_pin_holds_back_too(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    CHECK_OK(bw_pin(tree));
    CHECK_OK(bw_pin(tree));
    churn(tree, 200);
    CHECK_OK(bw_unpin(tree)); /* pins nest: this one ends nothing */
    uint64_t freed = SENTINEL;
    CHECK_OK(bw_collect(tree, &freed));
    CHECK_EQ(freed, 0);
    CHECK_EQ(tree_stats(tree).freed, 0);
    CHECK_OK(bw_unpin(tree));
    CHECK_OK(bw_collect(tree, &freed));
    CHECK_EQ(freed, tree_stats(tree).retired);
    tree_free(tree);
    meter_check_empty(&m);
}

/* A reader whose pin is one epoch old holds what was retired in the epoch after, too: the tag must be
 * the global epoch, and two must pass. The writer is in the reader's next epoch when it retires. */
static void a_pin_of_the_epoch_before_holds_back_too(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    churn(tree, 100);
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_OK(bw_thread_attach(tree));
    pinner p;
    pinner_start(&p, tree);
    bw_thread *self;
    CHECK_OK(bw_enter(tree, &self));
    uint64_t begun = atomic_load(&tree->epoch);
    CHECK(bw_epoch_try_advance(self)); /* both announced it */
    CHECK(!bw_epoch_try_advance(self));
    CHECK_EQ(atomic_load(&tree->epoch), begun + 1);
    bw_leave(self);
    uint64_t frees = tree_stats(tree).freed;
    churn(tree, 50);
    CHECK_EQ(tree_stats(tree).freed, frees);
    CHECK_EQ(atomic_load(&tree->epoch), begun + 1);
    pinner_end(&p);
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_EQ(tree_stats(tree).limbo_pages, 0);
    tree_free(tree);
    meter_check_empty(&m);
}

/* A bag sealed by a thread that announced an older epoch than the global one is tagged with the
 * global one; then it must wait for two advances from there. */
static void a_bag_is_tagged_with_the_global_epoch(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 4096, 1 << 20);
    bw_tree *tree = tree_open(&options);
    bw_thread *self;
    churn(tree, 50);
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_OK(bw_enter(tree, &self));
    uint64_t announced = atomic_load(&tree->epoch);
    CHECK_EQ(atomic_load(&self->announced), announced);
    CHECK(bw_epoch_try_advance(self));
    churn(tree, 20); /* under the pin of the epoch before */
    CHECK(self->limbo.open != NULL);
    bw_epoch_seal(self);
    CHECK(self->limbo.open == NULL);
    CHECK_EQ(self->limbo.sealed_first->limbo_tag, announced + 1);
    CHECK_EQ(bw_epoch_free_eligible(self, UINT64_MAX), 0);
    bw_leave(self);
    for (unsigned advances = 0; advances < 2; advances++) {
        CHECK_OK(bw_enter(tree, &self));
        CHECK_EQ(bw_epoch_free_eligible(self, UINT64_MAX), 0);
        CHECK(bw_epoch_try_advance(self));
        bw_leave(self);
    }
    CHECK_OK(bw_enter(tree, &self));
    CHECK_LT(0, bw_epoch_free_eligible(self, UINT64_MAX));
    CHECK(self->limbo.sealed_first == NULL);
    bw_leave(self);
    tree_free(tree);
    meter_check_empty(&m);
}

/* ---- limits ---- */

static void one_operation_frees_at_most_its_limit(void) {
    static const uint32_t limits[] = {1, 3, 10};
    for (unsigned i = 0; i < 3; i++) {
        meter m;
        bw_options options = options_of_epochs(&m, 1, limits[i]);
        bw_tree *tree = tree_open(&options);
        churn(tree, 100);
        pinner p;
        pinner_start(&p, tree);
        churn(tree, 300);
        pinner_end(&p);
        uint64_t backlog = tree_stats(tree).limbo_pages;
        CHECK_LE(200, backlog);
        uint64_t most = 0;
        for (uint64_t key = 0; key < 400; key++) {
            bw_stats before = tree_stats(tree);
            CHECK_STATUS(bw_put(tree, key % 20, 0, NULL), BW_EXISTS);
            bw_stats after = tree_stats(tree);
            CHECK_LE(after.freed - before.freed, limits[i] * (after.retired - before.retired));
            most = after.freed - before.freed > most ? after.freed - before.freed : most;
        }
        CHECK_EQ(most, limits[i]);
        uint64_t freed = 0;
        CHECK_OK(bw_collect(tree, &freed)); /* knows no limit */
        CHECK_EQ(tree_stats(tree).limbo_pages, 0);
        tree_free(tree);
        meter_check_empty(&m);
    }
}

static void pages_wait_in_batches(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 50, 1 << 20);
    bw_tree *tree = tree_open(&options);
    for (unsigned i = 0; tree_stats(tree).retired < 49; i++)
        CHECK_DONE(bw_put(tree, 1, i, NULL));
    CHECK_EQ(tree_stats(tree).limbo_pages, 49);
    CHECK_EQ(tree_stats(tree).epoch, 1);
    churn(tree, 2000);
    CHECK_LE(tree_stats(tree).limbo_pages, 4 * 50);
    CHECK_LE(2000 / 50 / 2, tree_stats(tree).epoch);
    tree_free(tree);
    meter_check_empty(&m);
}

/* Without anybody in the way, limbo stays bounded however long the tree is used. */
static void limbo_stays_bounded(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 8, 16);
    bw_tree *tree = tree_open(&options);
    churn(tree, 2000);
    uint64_t live = atomic_load(&m.live);
    churn(tree, 20000);
    CHECK_LE(tree_stats(tree).limbo_pages, 5 * 8);
    CHECK_LE(atomic_load(&m.live), live + 2 * 5 * 8);
    CHECK_EQ(tree_stats(tree).bytes_live, tree_stats(tree).bytes_reserved);
    tree_free(tree);
    meter_check_empty(&m);
}

static void pooled_memory_is_used_again(void) {
    bw_options options = options_of(4, 1, 4, 1);
    bw_tree *tree = tree_open(&options);
    churn(tree, 5000);
    uint64_t reserved = tree_stats(tree).bytes_reserved;
    churn(tree, 50000);
    CHECK_EQ(tree_stats(tree).bytes_reserved, reserved);
    CHECK_OK(bw_clear(tree, NULL));
    CHECK_OK(bw_consolidate(tree));
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_LE(tree_stats(tree).bytes_live, tree_stats(tree).pages * 1024);
    tree_free(tree);
}

/* ---- memory that one thread frees and another needs ---- */

typedef struct pair {
    bw_tree *tree;
    _Atomic uint64_t turn;
} pair;

static void append_or_consolidate(crew *me) {
    enum { TURNS = CHECK_SANITIZED ? 200 : 1000 };
    pair *p = me->shared;
    for (uint64_t i = 0; i < TURNS; i++) {
        while (atomic_load(&p->turn) % 2 != me->index)
            sched_yield();
        if (me->index == 0) {
            for (uint64_t key = 0; key < 30; key++)
                CHECK_DONE(bw_put(p->tree, key, i, NULL));
        } else {
            CHECK_OK(bw_consolidate(p->tree));
            CHECK_OK(bw_collect(p->tree, NULL));
        }
        atomic_fetch_add(&p->turn, 1);
    }
}

static void what_one_thread_frees_another_uses_again(void) {
    bw_options options = options_of(64, 64, 8, 4); /* never full: only the second consolidates */
    pair p = {tree_open(&options), 0};
    crew_run(2, append_or_consolidate, &p);
    CHECK_LE(tree_stats(p.tree).bytes_reserved, 1 << 20);
    tree_free(p.tree);
}

/* ---- figures ---- */

static void the_oldest_pin_is_seen_only_while_it_blocks(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    CHECK_EQ(tree_stats(tree).oldest_pin_ns, 0);
    churn(tree, 100);
    CHECK_EQ(tree_stats(tree).oldest_pin_ns, 0);
    pinner p;
    pinner_start(&p, tree);
    churn(tree, 100);
    uint64_t last = 0;
    for (unsigned i = 0; i < 5; i++) {
        uint64_t now;
        do { /* time passes, so it grows */
            now = tree_stats(tree).oldest_pin_ns;
            CHECK_LE(last, now);
        } while (now == last);
        last = now;
    }
    pinner_end(&p);
    churn(tree, 100);
    CHECK_EQ(tree_stats(tree).oldest_pin_ns, 0);
    pinner_start(&p, tree);
    churn(tree, 100);
    (void)tree_stats(tree); /* another pin: its time begins anew */
    pinner_end(&p);
    CHECK_EQ(tree_stats(tree).oldest_pin_ns, 0);
    tree_free(tree);
    meter_check_empty(&m);
}

static void limbo_bytes_are_those_of_pages_and_records(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 4096, 1);
    bw_tree *tree = tree_open(&options);
    for (uint64_t i = 0; i < 10; i++)
        CHECK_DONE(bw_put(tree, 1, i, NULL));
    bw_stats stats = tree_stats(tree);
    CHECK_EQ(stats.limbo_pages, 10);
    CHECK_LE(10 * (sizeof(bw_page) + sizeof(bw_record)), stats.limbo_bytes);
    CHECK_LT(stats.limbo_bytes, stats.bytes_live); /* the current page is live, too */
    uint64_t bytes = atomic_load(&m.live_bytes);
    uint64_t freed = 0;
    CHECK_OK(bw_collect(tree, &freed));
    CHECK_EQ(freed, 10);
    CHECK_EQ(bytes - atomic_load(&m.live_bytes), stats.limbo_bytes);
    CHECK_EQ(tree_stats(tree).limbo_bytes, 0);
    tree_free(tree);
    meter_check_empty(&m);
}

/* ---- readers beside writers: whatever they read is not freed under them ---- */

static void read_or_write(crew *me) {
    enum { ROUNDS = CHECK_SANITIZED ? 1500 : 8000 };
    bw_tree *tree = me->shared;
    check_random random = check_random_of(me->index);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t key = check_below(&random, 40);
        uint64_t value = ~key;
        if (me->index % 2 == 0) {
            CHECK_DONE(bw_put(tree, key, ~key, NULL));
        } else {
            if (i % 16 == 0)
                CHECK_OK(bw_pin(tree));
            CHECK_DONE(bw_get(tree, key, &value));
            CHECK_EQ(value, ~key); /* freed memory is overwritten: it would not be */
            if (i % 16 == 15)
                CHECK_OK(bw_unpin(tree));
        }
    }
}

static void readers_never_see_freed_memory(void) {
    meter m;
    bw_options options = options_of_epochs(&m, 1, 1 << 20);
    bw_tree *tree = tree_open(&options);
    crew_run(4, read_or_write, tree);
    CHECK_OK(bw_collect(tree, NULL));
    CHECK_EQ(tree_stats(tree).limbo_pages, 0);
    tree_free(tree);
    meter_check_empty(&m);
}

CHECK_MAIN(
    {"a_pin_holds_back_what_is_retired_after_it", a_pin_holds_back_what_is_retired_after_it},
    {"what_a_pinned_reader_holds_stays_readable", what_a_pinned_reader_holds_stays_readable},
    {"an_own_pin_holds_back_too", an_own_pin_holds_back_too},
    {"a_pin_of_the_epoch_before_holds_back_too", a_pin_of_the_epoch_before_holds_back_too},
    {"a_bag_is_tagged_with_the_global_epoch", a_bag_is_tagged_with_the_global_epoch},
    {"one_operation_frees_at_most_its_limit", one_operation_frees_at_most_its_limit},
    {"pages_wait_in_batches", pages_wait_in_batches}, {"limbo_stays_bounded", limbo_stays_bounded},
    {"pooled_memory_is_used_again", pooled_memory_is_used_again},
    {"what_one_thread_frees_another_uses_again", what_one_thread_frees_another_uses_again},
    {"the_oldest_pin_is_seen_only_while_it_blocks", the_oldest_pin_is_seen_only_while_it_blocks},
    {"limbo_bytes_are_those_of_pages_and_records", limbo_bytes_are_those_of_pages_and_records},
    {"readers_never_see_freed_memory", readers_never_see_freed_memory})
