/* tree.h: the tree's own state, and what every file of the engine shares.
 *
 *     options.c   defaults, checks                    tree.c      open, close, free
 *     memory.c    pages and records from pools        shrink.c    memory goes back to the allocator
 *     mapping.c   page ids
 *     thread.c    registration, pinning calls         epoch.c     when memory may be freed
 *     page.c      what a page and its log hold        search.*    the way down, in SIMD
 *     read.c      get, get_many                       write.c     put, insert, update, remove, …
 *     consolidate.c  a fresh page from a frozen one   split.c     two pages, and the post to the parent
 *     merge.c     a page into its left sibling        collapse.c  a root with a single child
 *     detour.c    how readers pass pages that are being merged
 *     navigate.c  floor, ceiling, …                   cursor.c    walking
 *     range.c     count, size                         trim.c      delete_range, clear, pop
 *     bulk.c      many keys into one leaf             hint.h      where children probably are
 *     upkeep.c    consolidate everything, the worker
 *     stats.c     figures                             check.c     self_check
 */
#ifndef BWTREE_TREE_H
#define BWTREE_TREE_H

#include "bwtree.h"
#include "epoch.h"
#include "event.h"
#include "figure.h"
#include "memory.h"
#include "page.h"
#include "search.h"

#include <pthread.h>

/* One thread's registration with one tree. The first line is written by its owner at every pin and
 * read by whoever tries to advance the epoch; the rest belongs to the owner (figures are read by
 * bw_get_stats, hence atomic). A registration is never freed before its tree: when its thread ends,
 * another thread takes it over with its pools and figures. */
enum {
    BW_MAX_PIECES = 4, /* pages that one replacement builds at most: of two, each twice too large */
    BW_SPARE_PIDS = 2 * BW_MAX_PIECES,
};

/* Who works with a registration. */
typedef enum bw_taken {
    BW_TAKEN_BY_NONE = 0, /* its thread has ended */
    BW_TAKEN_BY_THREAD = 1,
    BW_TAKEN_BY_COLLECTOR = 2, /* for a moment, to empty its pool (shrink.c) */
} bw_taken;

typedef struct bw_thread {
    _Alignas(BW_CACHE_LINE) _Atomic uint64_t announced; /* the epoch of the pin, 0: not pinned */
    _Atomic uint64_t pins;                              /* pins so far */
    bw_tree *tree;
    uint32_t depth;  /* nested pins */
    uint32_t jitter; /* state of the backoff's random numbers */
    bw_pid last_pid; /* the leaf that it wrote to last, so many times in a row (write.c), … */
    uint32_t last_run;
    uint64_t last_recycled; /* … and tree->recycled then */

    _Alignas(BW_CACHE_LINE) bw_limbo limbo;
    bw_pool pool;
    unsigned depot_turn; /* the depot's stack that it pushed onto last */
    unsigned spare_pid_count;
    bw_pid spare_pids[BW_SPARE_PIDS]; /* free ones, for its next splits (mapping.c) */

    struct {
        _Atomic int64_t size; /* keys inserted less keys removed by this thread */
        _Atomic uint64_t appends, appends_lost;
        _Atomic uint64_t consolidations, consolidations_lost;
        _Atomic uint64_t splits, root_splits, posts, helps;
        _Atomic uint64_t merges, merges_lost, root_collapses;
        _Atomic uint64_t pids_recycled;
        _Atomic uint64_t page_bytes; /* of the pages that it has built */
    } figures;

    /* For how long this thread has been seen to block the epoch (epoch.c). */
    _Atomic uint64_t blocked_pins;
    _Atomic uint64_t blocked_since_ns;

    _Atomic uint64_t taken;        /* a bw_taken */
    struct bw_thread *next;        /* in the tree's list, fixed */
    struct bw_thread *next_owned;  /* in its owner's list, under the registry's mutex */
    struct bw_thread **owned_link; /* what points to it in that list */
} bw_thread;

/* What a tree is doing; anything but OPEN ends a call that begins. */
typedef enum bw_state {
    BW_STATE_OPEN = 0,
    BW_STATE_CLOSING = 1, /* no new calls; memory is still there */
    BW_STATE_CLOSED = 2,  /* only the handle is left */
    BW_STATE_FORKED = 3,  /* this is a child of the process that opened it */
} bw_state;

struct bw_tree {
    /* Read by every operation, written at open. */
    _Atomic uint64_t *map; /* see bw_map_word */
    const bw_search *search;
    uint64_t id; /* of all trees of this process, never used again */
    _Atomic uint64_t state;
    uint32_t leaf_blocks_at, inner_blocks_at, hints_at; /* where these begin in pages */
    bw_options options;

    /* Written rarely. */
    _Alignas(BW_CACHE_LINE) _Atomic uint64_t epoch;    /* the global epoch, from 1 */
    _Alignas(BW_CACHE_LINE) _Atomic uint64_t next_pid; /* the first that was never taken */
    _Atomic uint64_t free_pids;   /* head of the list of free ones: page id | pops so far << 32 */
    _Atomic uint64_t recycled;    /* page ids that were free again so far */
    _Atomic(bw_thread *) threads; /* every registration */
    _Atomic(bw_page *) orphans;   /* bags of threads that have ended */
    _Atomic uint64_t cursors;     /* open ones */
    _Atomic uint64_t shrinking;   /* 1: a thread is in bw_memory_shrink */
    bw_depot depot;

    struct bw_worker *worker;
    pthread_mutex_t worker_mutex;

    struct bw_tree *next_tree; /* list of all trees, under the registry's mutex */
    struct bw_tree **tree_link;
};

/* ---- pinning (epoch.c has the rules) ---- */

static inline void bw_epoch_pin(bw_tree *tree, bw_thread *self) {
    if (self->depth++ > 0)
        return;
    bw_count_up(&self->pins);
    /* relaxed: an old epoch is announced at worst, which only delays the next advance. */
    uint64_t epoch = atomic_load_explicit(&tree->epoch, memory_order_relaxed);
    BW_EVENT(READ_EPOCH, self, epoch, 0);
    /* release: keeps what this thread did under its last pin before this announcement, too, for
     * whoever reads the announcement in bw_epoch_try_advance instead of the unpin. */
    atomic_store_explicit(&self->announced, epoch, memory_order_release);
    BW_EVENT(ANNOUNCE, self, epoch, 0);
    /* Announced, then the map: pairs with the fence in seal, with those of other pins when this thread or
     * theirs advances the epoch, and with the fence in bw_close. On x86-64 a locked no-op or mfence, on
     * aarch64 dmb ish. */
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void bw_epoch_unpin(bw_thread *self) {
    if (--self->depth > 0)
        return;
    /* release: every use of a page came before; pairs with the acquire in bw_epoch_try_advance. */
    atomic_store_explicit(&self->announced, 0, memory_order_release);
    BW_EVENT(UNPIN, self, 0, 0);
}

/* ---- mapping.c: page ids and the table that takes them to pages ---- */

bw_status bw_map_open(bw_tree *tree);
void bw_map_close(bw_tree *tree);

/* An entry of the table is a page's address and, above it, how many entries its base has: so that a search
 * that has learnt the page id can guess where in the page a key lies, and start that load too, before
 * the page's header arrives (search.inc). It is a function of the page, so a page has one word. */
enum { BW_MAP_COUNT_SHIFT = 48 };

static inline uint64_t bw_map_word(const bw_page *page) {
    return (uint64_t)(uintptr_t)page | (uint64_t)page->count << BW_MAP_COUNT_SHIFT;
}

static inline bw_page *bw_map_word_page(uint64_t word) {
    return (bw_page *)(uintptr_t)(word & ((UINT64_C(1) << BW_MAP_COUNT_SHIFT) - 1));
}

/* acquire: pairs with the release of bw_map_store and bw_map_install, so that a page is seen whole. */
static inline uint64_t bw_map_load_word(const bw_tree *tree, bw_pid pid) {
    return atomic_load_explicit(&tree->map[pid], memory_order_acquire);
}

static inline bw_page *bw_map_load(const bw_tree *tree, bw_pid pid) {
    bw_page *page = bw_map_word_page(bw_map_load_word(tree, pid));
    BW_EVENT(LOAD_MAPPING, page, pid, 0);
    return page;
}

/* For a page id that no other thread can know yet. release: as above. */
static inline void bw_map_store(bw_tree *tree, bw_pid pid, bw_page *page) {
    atomic_store_explicit(&tree->map[pid], bw_map_word(page), memory_order_release);
    BW_EVENT(PUBLISH, page, pid, 0);
}

/* Replaces a frozen page; false if another helper has done it. release: as above; relaxed on
 * failure: the page seen is not used. */
static inline bool bw_map_install(bw_tree *tree, bw_pid pid, bw_page *frozen, bw_page *fresh) {
    uint64_t expected = bw_map_word(frozen);
    return atomic_compare_exchange_strong_explicit(&tree->map[pid], &expected, bw_map_word(fresh),
                                                   memory_order_release, memory_order_relaxed);
}

/* What the mapping table holds for a page id whose page has gone into another: a page of no use, whose
 * fences send every key on to the root, so that a search that meets it starts again by itself. */
extern bw_page bw_tombstone;

static inline bool bw_page_is_tombstone(const bw_page *page) {
    return page == &bw_tombstone;
}

/* Is it a page, and not a tombstone, a free page id or nothing? Asked only by those who walk over all
 * page ids: whoever has learnt one under its pin finds a page or a tombstone. */
static inline bool bw_map_is_page(const bw_page *page) {
    return page != NULL && ((uintptr_t)page & 1) == 0 && !bw_page_is_tombstone(page);
}

/* Takes n page ids (n <= BW_MAX_PIECES), or none and false. */
bool bw_pids_take(bw_thread *self, unsigned n, bw_pid *pids);
/* Gives back page ids that nobody can reach: never published, or after their grace period. */
void bw_pids_give_back(bw_thread *self, unsigned n, const bw_pid *pids);
/* Could bw_pids_take(self, n) succeed now? */
bool bw_pids_left(const bw_thread *self, unsigned n);
/* Gives the thread's spare page ids to all. */
void bw_pids_hand_over(bw_thread *self);
/* The first page id of the list of free ones, and the one that follows there; BW_NO_PID at the end.
 * To be trusted when nothing else runs. */
bw_pid bw_pids_first_free(const bw_tree *tree);
bw_pid bw_pids_next_free(const bw_tree *tree, bw_pid pid);

/* ---- thread.c ---- */

/* Begins a call: finds (or makes) the registration, pins, looks at the tree's state. On BW_OK the
 * caller is pinned until bw_leave. */
bw_status bw_enter_slow(bw_tree *tree, bw_thread **self);

/* The registrations that this thread used last, by tree id: finding one's own is one comparison. */
enum { BW_THREAD_CACHE = 4 };
typedef struct bw_thread_cache {
    uint64_t tree_id;
    bw_thread *thread;
} bw_thread_cache;
#if defined(__GLIBC__)
/* A library that is loaded late gets its few bytes from the reserve that glibc keeps for this. */
#define BW_TLS _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define BW_TLS _Thread_local
#endif
extern BW_TLS bw_thread_cache bw_thread_cached[BW_THREAD_CACHE];

static inline bw_status bw_state_status(uint64_t state) {
    return state == BW_STATE_OPEN ? BW_OK : state == BW_STATE_FORKED ? BW_EFORKED : BW_ECLOSED;
}

static inline void bw_leave(bw_thread *self) {
    bw_epoch_unpin(self);
}

static inline bw_status bw_enter(bw_tree *tree, bw_thread **self) {
    if (__builtin_expect(tree == NULL, 0))
        return BW_EINVAL;
    bw_thread_cache *cached = &bw_thread_cached[tree->id % BW_THREAD_CACHE];
    if (__builtin_expect(cached->tree_id != tree->id, 0))
        return bw_enter_slow(tree, self);
    *self = cached->thread;
    bw_epoch_pin(tree, *self);
    /* relaxed: ordered after the announcement by the fence in bw_epoch_pin; bw_close does the
     * same two steps in the other order, so that one of us sees the other. */
    uint64_t state = atomic_load_explicit(&tree->state, memory_order_relaxed);
    if (__builtin_expect(state != BW_STATE_OPEN, 0)) {
        bw_leave(*self);
        return bw_state_status(state);
    }
    return BW_OK;
}

/* Takes a registration whose thread has ended, if it is one, until it is returned. */
bool bw_thread_borrow(bw_thread *thread);
void bw_thread_return(bw_thread *thread);

/* Steps of bw_close and bw_free that need the registry's mutex. */
void bw_registry_add(bw_tree *tree);
void bw_registry_lock(void);
void bw_registry_unlock(void);
void bw_registry_remove(bw_tree *tree);

/* ---- detour.c ---- */

/* What a reader has found: the page and, when it is being merged, what shows that it was still true:
 * as long as the mapping table holds `witness` for `witness_pid`, the page is what it was. */
typedef struct bw_found {
    bw_page *page;
    bw_pid pid;
    unsigned slots;         /* of the log that count */
    const bw_page *witness; /* NULL: the page speaks for itself */
    bw_pid witness_pid;
    bool crossed; /* as in bw_place */
    bw_duty missing;
} bw_found;

/* Descends, and makes sure that what the page holds (base and `slots` slots) was the truth at one
 * moment since the call began. Neither writes nor allocates. If the tree is lower than `level`, the page
 * found is the root. Caller is pinned. */
void bw_find(bw_tree *tree, uint64_t key, unsigned level, bw_found *found);

/* A get that knows all detours, for one that met a page where the plain way ends. */
bool bw_get_around(bw_tree *tree, uint64_t key, uint64_t *value);

/* Where a descent goes on when it is at place->page and the plain way ends there: a right link to be
 * crossed, a deleted separator, a tombstone, a REMOVE. */
bw_pid bw_detour(bw_tree *tree, uint64_t key, bw_place *place);

/* ---- consolidate.c, split.c ---- */

/* Duties that a call has run into and not yet done. They may be dropped: what is to be done is found
 * again, by the next thread that comes by or by bw_consolidate. */
typedef struct bw_duties {
    unsigned count;
    bw_duty list[BW_MAX_LEVEL];
} bw_duties;

static inline void bw_duties_add(bw_duties *duties, bw_duty duty) {
    if (duties->count < BW_MAX_LEVEL)
        duties->list[duties->count++] = duty;
}

/* Builds a page; NULL when out of memory. `replaced` is the size in units of the page whose place it
 * takes, 0 if none (memory.h). */
bw_page *bw_page_build(bw_thread *self, unsigned level, const uint64_t *keys,
                       const uint64_t *values, unsigned n, uint64_t low, uint64_t high,
                       bw_pid right, unsigned replaced);

/* Makes the page frozen if it is not, by FREEZE in its first free slot. */
void bw_log_freeze(bw_page *page);

/* Does what a frozen page needs, so that its range can be written again: replaces it by its
 * consolidation, in two pages if it has grown too large (then adds the post to duties), with its right
 * sibling's entries if the log ends with MERGE; or finishes its own merge if that ends with REMOVE.
 * BW_OK also if another helper was faster. BW_ENOMEM, BW_EPIDS: nothing changed. */
bw_status bw_consolidate_page(bw_thread *self, bw_pid pid, bw_page *page, bw_duties *duties);

/* The part of it for n > capacity entries; *won: this call did it. */
bw_status bw_split(bw_thread *self, bw_pid pid, bw_page *page, const uint64_t *keys,
                   const uint64_t *values, unsigned n, unsigned left, bw_duties *duties, bool *won);

/* Does duties until none is left; gives up what fails. */
void bw_do_duties(bw_thread *self, bw_duties *duties);

/* Posts a separator to its parent. BW_OK also if it is there, or its page has gone. */
bw_status bw_post(bw_thread *self, bw_duty duty, bw_duties *duties);

/* ---- merge.c, collapse.c ---- */

/* Fewer entries than this, and a page of this level is merged. */
static inline unsigned bw_least_entries(const bw_options *options, unsigned level) {
    unsigned capacity = level == 0 ? options->leaf_capacity : options->inner_capacity;
    unsigned least = capacity * options->merge_threshold / 100;
    unsigned floor = level == 0 ? 1 : 2;
    return least < floor ? floor : least;
}

/* Adds the duty to merge the page if n entries are too few for it. */
static inline void bw_merge_if_small(const bw_thread *self, bw_pid pid, const bw_page *page,
                                     unsigned n, bw_duties *duties) {
    if (pid != BW_ROOT && n < bw_least_entries(&self->tree->options, page->level))
        bw_duties_add(duties, (bw_duty){.separator = page->low,
                                        .pid = pid,
                                        .level = (uint16_t)(page->level + 1U),
                                        .kind = BW_DUTY_MERGE});
}

/* Merges the page that the duty names with a sibling if it still holds too little and both fit; with
 * `force` in any case, and into the left one. BW_OK also if there is nothing to do. */
bw_status bw_merge_start(bw_thread *self, bw_duty duty, bool force, bw_duties *duties);

/* One step towards the merge of the duty's page, which does not begin at 0, into the page on its left,
 * whichever parent that has: posts, or merges the parents, first. BW_OK: others or this call have changed
 * something; look again. */
bw_status bw_merge_left(bw_thread *self, bw_duty duty, bw_duties *duties);

/* Takes a merge that has begun to its end: `marked` says that the parent's entry is marked, otherwise
 * the page's log ends with REMOVE. */
bw_status bw_merge_finish(bw_thread *self, bw_duty duty, bool marked, bw_duties *duties);

/* The last step of consolidating a page whose log ends with MERGE. */
bw_status bw_merge_install(bw_thread *self, bw_pid pid, bw_page *page, bw_duties *duties);

/* Replaces a root that has a single child by what that child holds, again and again; BW_OK also if
 * there is nothing to do. */
bw_status bw_collapse(bw_thread *self, bw_duties *duties);

/* The same, when the child's log ends with REMOVE. */
bw_status bw_collapse_finish(bw_thread *self, bw_pid child_pid, bw_page *child);

/* Ends the life of a removed page that nothing leads to any more: CAS of its mapping entry to the
 * tombstone; the winner retires the page and its page id. */
bool bw_bury(bw_thread *self, bw_pid pid, bw_page *page);

/* ---- write.c ---- */

/* CAS of a free slot. False if another thread took it. */
static inline bool bw_log_append(bw_page *page, unsigned slot, uint64_t word) {
    uint64_t expected = 0;
    /* release: publishes the record's fields; pairs with the acquire in bw_slot. relaxed on failure:
     * the loser loads the slot again through bw_slot. */
    return atomic_compare_exchange_strong_explicit(&page->log[slot], &expected, word,
                                                   memory_order_release, memory_order_relaxed);
}

/* The n-th loss in a row of one call: a spin hint up to retry_limit, then exponential, jittered. */
void bw_backoff(bw_thread *self, unsigned lost);

/* Keys inserted less keys removed by this thread. relaxed: a figure that only its owner writes. */
static inline void bw_count_size(bw_thread *self, int64_t change) {
    int64_t size = atomic_load_explicit(&self->figures.size, memory_order_relaxed);
    atomic_store_explicit(&self->figures.size, size + change, memory_order_relaxed);
}

/* ---- bulk.c ---- */

enum { BW_LEAST_RUN = 8 }; /* fewer keys are put one by one: freezing wastes the rest of the log */

/* Puts the first of the n > 0 keys that ascend and belong to one leaf, and adds those that were absent to
 * *fresh. Returns how many it has put: 0 if they are better put one by one. *run: how many belong there.
 * Caller is pinned. */
size_t bw_put_run(bw_thread *self, const uint64_t *keys, const uint64_t *values, size_t n,
                  size_t *run, size_t *fresh);

/* bw_remove for a caller that is pinned. */
bw_status bw_remove_pinned(bw_thread *self, uint64_t key, uint64_t *seen);

/* ---- stats.c ---- */

/* Memory taken from the allocator, and of it, what is in use. */
void bw_memory_bytes(const bw_tree *tree, uint64_t *reserved, uint64_t *live);

/* ---- upkeep.c ---- */

/* Ends the worker if there is one. */
void bw_worker_join(bw_tree *tree);
/* In a forked child, where its thread does not exist: frees only its memory. */
void bw_worker_abandon(bw_tree *tree);

#endif
