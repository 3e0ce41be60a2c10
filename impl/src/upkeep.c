/* upkeep.c: work that nobody waits for: consolidating whole levels, collecting, the worker.
 *
 * A page whose log is not full is frozen first, by FREEZE in its first free slot, so that it is never
 * replaced while something could still be appended to it. The worker walks by keys, not by page ids:
 * what it learnt under one pin may be gone under the next.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <string.h>
#include <time.h>

/* Would the page's consolidation have to split it, with no page id left? Then it must not be frozen:
 * it would take no more writes. */
static bool would_lack_pids(const bw_thread *self, const bw_page *page, unsigned length) {
    const bw_options *options = &self->tree->options;
    unsigned capacity = page->level == 0 ? options->leaf_capacity : options->inner_capacity;
    if (length > 0 && bw_word_kind(bw_slot(page, length - 1)) > BW_KIND_FREEZE)
        return false; /* frozen by a merge, which asks for itself */
    return page->count + length > capacity && !bw_pids_left(self, 2);
}

/* Takes up merges that were given up, or that could not begin earlier, at the page that begins at `low`. */
static bw_status tend_merges(bw_thread *self, bw_pid pid, uint64_t low, unsigned level,
                             bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_page *page = bw_map_load(tree, pid);
    if (bw_page_is_tombstone(page) || page->low != low || page->level != level ||
        (level == 0 && page->count >= bw_least_entries(&tree->options, 0)))
        return BW_OK;
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(page, tree->search, bw_log_length(page), keys, values);
    bw_status status = BW_OK;
    for (unsigned i = 0; level > 0 && i < n && status == BW_OK; i++)
        if ((values[i] & BW_MARKED) != 0)
            status = bw_merge_finish(self,
                                     (bw_duty){.separator = keys[i],
                                               .pid = (bw_pid)values[i],
                                               .level = (uint16_t)level,
                                               .kind = BW_DUTY_FINISH},
                                     true, duties);
    if (status == BW_OK && pid == BW_ROOT)
        return bw_collapse(self, duties);
    bw_merge_if_small(self, pid, page, n, duties);
    return status;
}

/* Consolidates the page of `level` at `key` if its log has at least `length` records; posts what is
 * found missing on the way, and merges. Gives the key of the next page. */
static bw_status tend(bw_thread *self, unsigned level, uint64_t *key, unsigned length, bool *worked,
                      bool *more) {
    bw_tree *tree = self->tree;
    uint64_t merges = atomic_load_explicit(&self->figures.merges, memory_order_relaxed);
    bw_duties duties;
    duties.count = 0;
    bw_found place;
    bw_find(tree, *key, level, &place);
    *more = place.page->level == level && !bw_page_is_rightmost(place.page);
    *key = place.page->high;
    if (place.page->level != level)
        return BW_OK; /* the tree has become lower */
    bw_status status = BW_OK;
    bool frozen = place.slots > 0 && bw_word_freezes(bw_slot(place.page, place.slots - 1));
    if (place.slots >= length || frozen) {
        if (would_lack_pids(self, place.page, place.slots)) {
            status = BW_EPIDS;
        } else {
            bw_log_freeze(place.page);
            status = bw_consolidate_page(self, place.pid, place.page, &duties);
            *worked = true;
        }
    }
    if (place.crossed) {
        bw_count_up(&self->figures.helps);
        bw_duties_add(&duties, place.missing);
    }
    bw_do_duties(self, &duties);
    if (status == BW_OK) {
        status = tend_merges(self, place.pid, place.page->low, level, &duties);
        bw_do_duties(self, &duties);
    }
    *worked |= atomic_load_explicit(&self->figures.merges, memory_order_relaxed) != merges;
    return status;
}

static bool must_stop(const struct bw_worker *worker);

/* Tends all pages, leaves first, a pin each, and says whether there was anything to do. Goes on after a failure, and returns the first. */
static bw_status sweep(bw_tree *tree, unsigned length, const struct bw_worker *worker,
                       bool *worked) {
    bw_status first = BW_OK;
    for (unsigned level = 0; level < BW_MAX_LEVEL; level++) {
        uint64_t key = 0;
        for (bool more = true; more;) {
            bw_thread *self;
            bw_status status = bw_enter(tree, &self);
            if (status != BW_OK)
                return status;
            bool top = bw_map_load(tree, BW_ROOT)->level == level;
            status = tend(self, level, &key, length, worked, &more);
            bw_leave(self);
            if (first == BW_OK)
                first = status;
            if (worker != NULL && must_stop(worker))
                return first;
            if (top && !more)
                return first;
        }
    }
    return first;
}

bw_status bw_consolidate(bw_tree *tree) {
    bool worked = false;
    return sweep(tree, 1, NULL, &worked);
}

/* Frees what this thread and ended threads have retired, if no pin holds it. */
static bw_status free_retired(bw_tree *tree, uint64_t *freed) {
    bw_thread *self;
    *freed = 0;
    /* Two advances end the grace period of what is sealed in the first round; an own pin would hold
     * up the second, so each round has a pin of its own. */
    for (unsigned round = 0; round < 3; round++) {
        bw_status status = bw_enter(tree, &self);
        if (status != BW_OK)
            return status;
        bw_epoch_seal(self);
        bw_epoch_try_advance(self);
        *freed += bw_epoch_free_eligible(self, UINT64_MAX);
        bw_leave(self);
    }
    return BW_OK;
}

bw_status bw_collect(bw_tree *tree, uint64_t *freed) {
    uint64_t total;
    bw_status status = free_retired(tree, &total);
    if (status == BW_OK)
        status = bw_memory_shrink(tree);
    if (status == BW_OK && freed != NULL)
        *freed = total;
    return status;
}

/* ---- the worker ---- */

struct bw_worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    _Atomic uint64_t stop;
    uint64_t left; /* free bytes when it last tried to give memory back, or the least since */
    unsigned idle_rounds, patience; /* rounds without work; after how many of them it tries again */
    bw_tree *tree;
};

static bool must_stop(const struct bw_worker *worker) {
    /* relaxed: joining the thread orders everything else. */
    return atomic_load_explicit(&worker->stop, memory_order_relaxed) != 0;
}

static void pause_worker(struct bw_worker *worker, uint64_t ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec += (long)(ns % 1000000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&worker->mutex);
    int timed_out = 0;
    while (!must_stop(worker) && timed_out == 0)
        timed_out = pthread_cond_timedwait(&worker->wake, &worker->mutex, &until);
    (void)pthread_mutex_unlock(&worker->mutex);
}

/* Gives memory back, if much more is free than when that was last tried, or the worker has been idle for
 * some rounds. Looking costs time for each free object: the more often it finds nothing, the longer an
 * idle worker waits before it looks again. It keeps no free objects to itself, where others could not
 * take them. */
static void shrink(struct bw_worker *worker, bool idle) {
    enum { LEAST_PATIENCE = 2, MOST_PATIENCE = 1024 };
    bw_tree *tree = worker->tree;
    worker->idle_rounds = idle ? worker->idle_rounds + 1 : 0;
    if (worker->patience == 0)
        worker->patience = LEAST_PATIENCE;
    uint64_t reserved;
    uint64_t live;
    bw_memory_bytes(tree, &reserved, &live);
    uint64_t unused = reserved > live ? reserved - live : 0;
    if (unused < worker->left)
        worker->left = unused;
    if (unused - worker->left > reserved / 4 + BW_CHUNK_MIN ||
        (worker->idle_rounds >= worker->patience && unused != worker->left)) {
        (void)bw_memory_shrink(tree);
        bw_memory_bytes(tree, &reserved, &live);
        worker->left = reserved > live ? reserved - live : 0;
        if (worker->left < unused)
            worker->patience = LEAST_PATIENCE;
        else if (worker->patience < MOST_PATIENCE)
            worker->patience *= 2;
    }
    bw_thread *self;
    if (idle && bw_enter(tree, &self) == BW_OK) {
        bw_pool_hand_over(self);
        bw_leave(self);
    }
}

static void *work(void *argument) {
    enum { IDLE_FACTOR = 64 }; /* a worker that finds nothing to do sleeps up to so much longer */
    struct bw_worker *worker = argument;
    bw_tree *tree = worker->tree;
    uint64_t shortest = (uint64_t)tree->options.worker_interval_us * 1000;
    uint64_t interval = shortest;
    while (!must_stop(worker)) {
        bool worked = false;
        (void)sweep(tree, tree->options.worker_log_length, worker, &worked);
        uint64_t freed = 0;
        (void)free_retired(tree, &freed);
        bool idle = !worked && freed == 0;
        shrink(worker, idle);
        if (!idle)
            interval = shortest;
        else if (interval < shortest * IDLE_FACTOR)
            interval *= 2;
        pause_worker(worker, interval);
    }
    return NULL;
}

static struct bw_worker *worker_create(bw_tree *tree, bw_status *status) {
    struct bw_worker *worker = bw_alloc(&tree->options, sizeof *worker, BW_CACHE_LINE);
    *status = BW_ENOMEM;
    if (worker == NULL)
        return NULL;
    memset(worker, 0, sizeof *worker);
    worker->tree = tree;
    pthread_condattr_t attributes;
    *status = BW_ETHREAD;
    if (pthread_condattr_init(&attributes) != 0)
        goto no_attributes;
    /* The clock of pause_worker: setting the time of day must not stop the worker. */
    if (pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&worker->wake, &attributes) != 0)
        goto no_condition;
    if (pthread_mutex_init(&worker->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        goto no_thread;
    (void)pthread_condattr_destroy(&attributes);
    *status = BW_OK;
    return worker;
no_thread:
    (void)pthread_mutex_destroy(&worker->mutex);
no_mutex:
    (void)pthread_cond_destroy(&worker->wake);
no_condition:
    (void)pthread_condattr_destroy(&attributes);
no_attributes:
    bw_dealloc(&tree->options, worker, sizeof *worker, BW_CACHE_LINE);
    return NULL;
}

bw_status bw_worker_start(bw_tree *tree) {
    if (tree == NULL)
        return BW_EINVAL;
    bw_status status = bw_state_status(atomic_load_explicit(&tree->state, memory_order_relaxed));
    if (status != BW_OK)
        return status;
    (void)pthread_mutex_lock(&tree->worker_mutex);
    /* Again, now that bw_close, which sets the state before it takes the mutex, must wait for us. */
    status = bw_state_status(atomic_load_explicit(&tree->state, memory_order_relaxed));
    if (status == BW_OK && tree->worker == NULL)
        tree->worker = worker_create(tree, &status);
    (void)pthread_mutex_unlock(&tree->worker_mutex);
    return status;
}

void bw_worker_join(bw_tree *tree) {
    (void)pthread_mutex_lock(&tree->worker_mutex);
    struct bw_worker *worker = tree->worker;
    if (worker != NULL) {
        (void)pthread_mutex_lock(&worker->mutex);
        atomic_store_explicit(&worker->stop, 1, memory_order_relaxed);
        (void)pthread_cond_signal(&worker->wake);
        (void)pthread_mutex_unlock(&worker->mutex);
        (void)pthread_join(worker->thread, NULL);
        /* First: a child that another thread forks in this moment must not free it again. */
        tree->worker = NULL;
        (void)pthread_mutex_destroy(&worker->mutex);
        (void)pthread_cond_destroy(&worker->wake);
        bw_dealloc(&tree->options, worker, sizeof *worker, BW_CACHE_LINE);
    }
    (void)pthread_mutex_unlock(&tree->worker_mutex);
}

void bw_worker_abandon(bw_tree *tree) {
    bw_dealloc(&tree->options, tree->worker, sizeof *tree->worker, BW_CACHE_LINE);
    tree->worker = NULL;
}

bw_status bw_worker_stop(bw_tree *tree) {
    if (tree == NULL)
        return BW_EINVAL;
    bw_status status = bw_state_status(atomic_load_explicit(&tree->state, memory_order_relaxed));
    if (status == BW_OK)
        bw_worker_join(tree);
    return status;
}
