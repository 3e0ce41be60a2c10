/* support.h: what tests of trees share: opening and closing them, an allocator that counts and fails,
 * a sorted array that says what a map must answer, and threads that start together. */
#ifndef BWTREE_TESTS_SUPPORT_H
#define BWTREE_TESTS_SUPPORT_H

#include "check.h"

#include "bwtree.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SENTINEL UINT64_C(0xA5A5A5A5A5A5A5A5) /* what an out-parameter holds before a call */

/* ---- trees ---- */

static inline bw_options options_of(uint32_t leaf_capacity, uint32_t leaf_log,
                                    uint32_t inner_capacity, uint32_t inner_log) {
    bw_options options;
    bw_options_init(&options);
    options.leaf_capacity = leaf_capacity;
    options.leaf_log = leaf_log;
    options.inner_capacity = inner_capacity;
    options.inner_log = inner_log;
    options.max_pids = 1 << 20;
    options.retire_batch = 4;
    return options;
}

/* The smallest pages that there are: every few writes split one. */
static inline bw_options options_tiny(void) {
    return options_of(2, 1, 3, 1);
}

static inline bw_tree *tree_open(const bw_options *options) {
    bw_tree *tree = NULL;
    char message[256];
    if (options != NULL && bw_options_check(options, message, sizeof message) != BW_OK)
        check_fail(__FILE__, __LINE__, "bw_options_check", "%s", message);
    CHECK_OK(bw_open(options, &tree));
    CHECK(tree != NULL);
    return tree;
}

static inline bw_tree *tree_open_tiny(void) {
    bw_options options = options_tiny();
    return tree_open(&options);
}

/* The structure is what it should be; with `quiescent`, sizes agree and no page is lost. */
static inline void tree_check(bw_tree *tree, bool quiescent) {
    char message[256] = "";
    bw_status status = bw_self_check(tree, quiescent, message, sizeof message);
    if (status != BW_OK)
        check_fail(__FILE__, __LINE__, "bw_self_check", "%s: %s", bw_strerror(status), message);
}

static inline bw_stats tree_stats(bw_tree *tree) {
    bw_stats stats;
    CHECK_OK(bw_get_stats(tree, &stats));
    return stats;
}

/* Checks the tree once more, and that it can be freed. */
static inline void tree_free(bw_tree *tree) {
    tree_check(tree, true);
    CHECK_OK(bw_free(tree));
}

/* ---- an allocator that does no more than it must ---- */

static inline void *plain_alloc(void *context, size_t size, size_t alignment) {
    (void)context;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static inline void plain_release(void *context, void *memory, size_t size, size_t alignment) {
    (void)context;
    (void)size;
    (void)alignment;
    free(memory);
}

/* ---- an allocator that counts, checks what it gets back, and fails when told ---- */

typedef struct meter {
    _Atomic uint64_t calls; /* of alloc */
    _Atomic uint64_t live;  /* not given back */
    _Atomic uint64_t live_bytes;
    _Atomic uint64_t fail_first; /* the calls from this number on … */
    _Atomic uint64_t fail_end;   /* … and below this one give NULL; 0 and 0: none */
    _Atomic uint64_t failed;
} meter;

static inline void *meter_alloc(void *context, size_t size, size_t alignment) {
    meter *m = context;
    uint64_t call = atomic_fetch_add(&m->calls, 1) + 1;
    if (call >= atomic_load(&m->fail_first) && call < atomic_load(&m->fail_end)) {
        atomic_fetch_add(&m->failed, 1);
        return NULL;
    }
    CHECK(alignment != 0 && (alignment & (alignment - 1)) == 0);
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    CHECK(memory != NULL);
    memset(memory, 0xAB, size); /* nobody may count on zeros */
    atomic_fetch_add(&m->live, 1);
    atomic_fetch_add(&m->live_bytes, size);
    return memory;
}

static inline void meter_release(void *context, void *memory, size_t size, size_t alignment) {
    meter *m = context;
    CHECK(memory != NULL && (uintptr_t)memory % alignment == 0);
    memset(memory, 0xDD, size); /* whoever still reads it shall notice */
    CHECK(atomic_fetch_sub(&m->live, 1) > 0);
    CHECK(atomic_fetch_sub(&m->live_bytes, size) >= size);
    free(memory);
}

/* Options whose every page and record is one call of the meter. */
static inline bw_options options_metered(bw_options options, meter *m) {
    memset(m, 0, sizeof *m);
    options.pooling = false;
    options.allocator = (bw_allocator){meter_alloc, meter_release, m};
    return options;
}

/* The n-th allocation from now fails, and no other. */
static inline void meter_fail_nth(meter *m, uint64_t n) {
    uint64_t at = atomic_load(&m->calls) + n;
    atomic_store(&m->failed, 0);
    atomic_store(&m->fail_end, at + 1);
    atomic_store(&m->fail_first, at);
}

/* Every allocation from now fails. */
static inline void meter_fail_all(meter *m) {
    meter_fail_nth(m, 1);
    atomic_store(&m->fail_end, UINT64_MAX);
}

static inline void meter_fail_none(meter *m) {
    atomic_store(&m->fail_end, 0);
    atomic_store(&m->fail_first, 0);
}

static inline void meter_check_empty(meter *m) {
    CHECK_EQ(atomic_load(&m->live), 0);
    CHECK_EQ(atomic_load(&m->live_bytes), 0);
}

/* ---- what a map must answer: a sorted array ---- */

typedef struct model {
    size_t count, room;
    uint64_t *keys, *values;
} model;

/* The first entry with a key >= key. */
static inline size_t model_at(const model *m, uint64_t key) {
    size_t from = 0;
    size_t to = m->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (m->keys[middle] < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static inline bool model_get(const model *m, uint64_t key, uint64_t *value) {
    size_t at = model_at(m, key);
    if (at == m->count || m->keys[at] != key)
        return false;
    *value = m->values[at];
    return true;
}

static inline void model_put(model *m, uint64_t key, uint64_t value) {
    size_t at = model_at(m, key);
    if (at < m->count && m->keys[at] == key) {
        m->values[at] = value;
        return;
    }
    if (m->count == m->room) {
        m->room = m->room == 0 ? 64 : 2 * m->room;
        m->keys = realloc(m->keys, m->room * sizeof *m->keys);
        m->values = realloc(m->values, m->room * sizeof *m->values);
        CHECK(m->keys != NULL && m->values != NULL);
    }
    memmove(m->keys + at + 1, m->keys + at, (m->count - at) * sizeof *m->keys);
    memmove(m->values + at + 1, m->values + at, (m->count - at) * sizeof *m->values);
    m->keys[at] = key;
    m->values[at] = value;
    m->count++;
}

static inline void model_remove(model *m, uint64_t key) {
    size_t at = model_at(m, key);
    if (at == m->count || m->keys[at] != key)
        return;
    m->count--;
    memmove(m->keys + at, m->keys + at + 1, (m->count - at) * sizeof *m->keys);
    memmove(m->values + at, m->values + at + 1, (m->count - at) * sizeof *m->values);
}

/* Puts a value under the key, or removes it, in both, and checks what the tree says it saw. */
static inline void model_write(model *m, bw_tree *tree, uint64_t key, uint64_t value,
                               bool removes) {
    uint64_t current = SENTINEL;
    uint64_t seen = SENTINEL;
    bool present = model_get(m, key, &current);
    if (removes) {
        CHECK_STATUS(bw_remove(tree, key, &seen), present ? BW_OK : BW_NOT_FOUND);
        model_remove(m, key);
    } else {
        CHECK_STATUS(bw_put(tree, key, value, &seen), present ? BW_EXISTS : BW_OK);
        model_put(m, key, value);
    }
    CHECK_EQ(seen, current);
}

static inline void model_free(model *m) {
    free(m->keys);
    free(m->values);
    *m = (model){0};
}

/* The tree holds what the model holds, asked through every kind of read but cursors, which allocate. */
static inline void model_check_reads(const model *m, bw_tree *tree) {
    uint64_t size = SENTINEL;
    CHECK_OK(bw_size(tree, &size));
    CHECK_EQ(size, m->count);
    CHECK_OK(bw_count(tree, 0, UINT64_MAX, &size));
    CHECK_EQ(size, m->count);
    for (size_t i = 0; i < m->count; i++) {
        uint64_t value = SENTINEL;
        CHECK_OK(bw_get(tree, m->keys[i], &value));
        CHECK_EQ(value, m->values[i]);
    }
    for (size_t i = 0; i < m->count; i += 100) {
        uint64_t found[100];
        size_t n = m->count - i < 100 ? m->count - i : 100;
        size_t hits = 0;
        CHECK_OK(bw_get_many(tree, m->keys + i, n, found, NULL, &hits));
        CHECK_EQ(hits, n);
        CHECK_EQ(memcmp(found, m->values + i, n * sizeof *found), 0);
    }
}

/* The tree holds what the model holds, in order, and is sound. */
static inline void model_check(const model *m, bw_tree *tree) {
    tree_check(tree, true);
    model_check_reads(m, tree);
    bw_cursor *cursor;
    CHECK_OK(bw_cursor_open(tree, &cursor));
    for (size_t i = 0; i < m->count; i++) {
        uint64_t key = SENTINEL;
        uint64_t value = SENTINEL;
        CHECK_OK(bw_cursor_next(cursor, &key, &value));
        CHECK_EQ(key, m->keys[i]);
        CHECK_EQ(value, m->values[i]);
    }
    CHECK_STATUS(bw_cursor_next(cursor, NULL, NULL), BW_NOT_FOUND);
    bw_cursor_free(cursor);
}

/* ---- threads that start together ---- */

typedef struct crew {
    unsigned index, count; /* which of how many threads */
    void *shared;
    pthread_barrier_t *barrier;
    void (*work)(struct crew *);
} crew;

static inline void *crew_main(void *argument) {
    crew *me = argument;
    pthread_barrier_wait(me->barrier);
    me->work(me);
    return NULL;
}

/* Runs work in `count` threads and waits for their ends. */
static inline void crew_run(unsigned count, void (*work)(crew *), void *shared) {
    enum { MOST = 32 };
    pthread_t threads[MOST];
    crew members[MOST];
    pthread_barrier_t barrier;
    CHECK(count <= MOST);
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, count), 0);
    for (unsigned i = 0; i < count; i++) {
        members[i] = (crew){i, count, shared, &barrier, work};
        CHECK_EQ(pthread_create(&threads[i], NULL, crew_main, &members[i]), 0);
    }
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static inline void crew_meet(crew *me) {
    pthread_barrier_wait(me->barrier);
}

#endif
