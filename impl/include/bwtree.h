/* bwtree.h: a latch-free ordered map from 64-bit keys to 64-bit values. This header is the manual.
 *
 * A bw_tree is a Bw-tree (Levandoski, Lomet, Sengupta: "The Bw-Tree", ICDE 2013): pages are named
 * by page ids, a mapping table takes a page id to its current page, a page is an immutable sorted
 * base with a write-once log of records, and every change is one compare-and-swap on a slot of a
 * log or on an entry of the mapping table. Pages that grow too large are split, pages that hold too
 * little are merged, and the page ids of merged pages are used again. Keys and values are unsigned
 * and use their full range: no key and no value is reserved. Keys are ordered as unsigned integers.
 *
 * Threads. Every function may be called from any thread at any time, except where its comment says
 * otherwise. A thread is registered with a tree at its first call and its registration is given
 * back when the thread ends (bw_thread_attach and bw_thread_detach do both by hand). Functions must
 * not be called from signal handlers, nor from allocator hooks.
 *
 * Progress. get and the other reads are lock-free and neither write to the tree nor allocate (but
 * navigation past 32 empty leaves and bw_cursor_open allocate); they pass pages that are being
 * split or merged without helping. A thread's first call of a tree registers it: it allocates, may
 * return BW_ENOMEM, and takes a mutex of the process, which bw_close holds while it gives memory
 * back. That mutex is taken also by a call of a thread that has used, since its last call of this
 * tree, another one whose place in the thread's cache of four trees is the same. Writes are
 * lock-free: when one retries, another has made progress, and what another has begun (a
 * consolidation, split, merge, or change of height) they finish if it is in their way. A thread
 * that is stopped for ever inside such a call never blocks the others' operations; it delays only
 * the reclamation of memory and of page ids. Not lock-free: bw_open, bw_close, bw_free,
 * bw_thread_attach, bw_thread_detach, bw_worker_start, bw_worker_stop and bw_get_stats, which take
 * mutexes; bw_close and bw_worker_stop wait for the worker to end.
 *
 * Linearization. Each operation on one key takes effect at one instant between its call and its
 * return: its linearization point. For writes that change the map it is the compare-and-swap that
 * puts the record into a free slot of the page's log (bw_delete_range may also replace a whole
 * leaf, and bw_put_many a leaf by one or two pages that hold a run of its keys: then it is the
 * compare-and-swap of the mapping table's entry, for all keys of the run at once). Reads, and
 * writes that find nothing to change, take effect when they see that the first free slot is still
 * free or, on a page that has none, when they load the page from the mapping table or when the page
 * becomes full, whichever is later. Reads of a page that is about to go into its left sibling take
 * effect when they load from the mapping table a sibling that still names it.
 *
 * Results. Every function that can fail returns a bw_status. Statuses of 0 and above tell what the
 * operation saw; those below 0 are errors: the map is unchanged by the call (batch calls say how
 * far they came) and the tree stays usable. An out-parameter named `seen` receives the value that
 * the key had at the linearization point; it is written if and only if the key was present then.
 * Every out-parameter that a comment calls optional may be NULL.
 *
 * Misuse that is detected: a NULL tree, cursor or required pointer and bad options (BW_EINVAL), use
 * after bw_close (BW_ECLOSED), use in a forked child (BW_EFORKED), closing while calls are in
 * flight or freeing while cursors are open (BW_EBUSY). Misuse that cannot be detected and is
 * undefined: any use of a tree after bw_free or of a cursor after bw_cursor_free; one cursor used
 * by two threads at once; arrays shorter than the count given with them; an allocator hook that
 * breaks its contract.
 */
#ifndef BWTREE_H
#define BWTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BW_VERSION_MAJOR 0
#define BW_VERSION_MINOR 1
#define BW_VERSION_PATCH 0

#if defined(BW_SHARED) && defined(__GNUC__)
#define BW_API __attribute__((visibility("default")))
#else
#define BW_API
#endif

typedef enum bw_status {
    BW_OK = 0,
    BW_NOT_FOUND = 1, /* the key is absent; no such entry */
    BW_EXISTS = 2,    /* the key was present */
    BW_MISMATCH = 3,  /* compare_exchange: present, with another value than expected */

    BW_ENOMEM = -1,       /* out of memory: nothing changed, try again when there is some */
    BW_EINVAL = -2,       /* an argument or option is not valid */
    BW_EPIDS = -3,        /* page ids are exhausted: open the tree with a higher max_pids, or remove
                             keys elsewhere: merged pages give theirs back */
    BW_EFORKED = -4,      /* the tree belongs to the parent process */
    BW_ECLOSED = -5,      /* the tree has been closed */
    BW_EBUSY = -6,        /* calls are in flight, or cursors are open */
    BW_EUNSUPPORTED = -7, /* this processor or build lacks what was asked for */
    BW_ECORRUPT = -8,     /* bw_self_check found the structure broken: a defect of the library */
    BW_ETHREAD = -9,      /* the system could not start a thread */
    BW_EAGAIN = -10,      /* a navigation call gave up after its retry limit (see bw_floor) */
} bw_status;

typedef struct bw_tree bw_tree;
typedef struct bw_cursor bw_cursor;

/* A sentence for a status, in static storage; never NULL, also for numbers that are no status. */
BW_API const char *bw_strerror(bw_status status);

/* "0.1.0", in static storage. */
BW_API const char *bw_version(void);

/* ------------------------------------------------------------------ options, open, close ------ */

typedef enum bw_simd {
    BW_SIMD_AUTO = 0, /* the best this processor has, unless the environment variable BWTREE_SIMD
                         says scalar, avx2 or avx512 */
    BW_SIMD_SCALAR = 1,
    BW_SIMD_AVX2 = 2,
    BW_SIMD_AVX512 = 3,
} bw_simd;

/* Allocator hooks. Both are called from many threads at once, with `context` as given.
 * alloc returns `size` bytes at an address that is a multiple of `alignment` (a power of two), or
 * NULL: the call that needed them then gives BW_ENOMEM. release gets back what alloc returned, with
 * the same size and alignment. The mapping table does not pass through the hooks (it is reserved
 * address space), nor do the stacks of threads. */
typedef struct bw_allocator {
    void *(*alloc)(void *context, size_t size, size_t alignment);
    void (*release)(void *context, void *memory, size_t size, size_t alignment);
    void *context;
} bw_allocator;

typedef struct bw_options {
    uint32_t size; /* sizeof(bw_options), set by bw_options_init; tells versions apart */

    uint32_t leaf_capacity;  /* entries of a leaf's base, 2 … 256; default 256 */
    uint32_t inner_capacity; /* entries of an inner page's base, 3 … 256; default 256 */
    uint32_t leaf_log;       /* slots of a leaf's log, 1 … 64 and <= leaf_capacity; default 16 */
    uint32_t inner_log;      /* slots of an inner page's log, 1 … 64, < inner_capacity; default 2 */

    uint32_t merge_threshold; /* a page that a consolidation leaves with fewer entries than this
                                 percentage of its capacity is merged with its left (else its
                                 right) sibling if both fill three quarters of a page at most, 0 … 50;
                                 default 25. Empty leaves, and inner pages with a single child,
                                 are merged in any case */

    uint64_t max_pids; /* page ids, 4 … 2^32-2; default 2^26. Address space of 8 bytes each is
                          reserved at bw_open, memory is used as page ids are */

    uint32_t retire_batch; /* pages retired before their bag is sealed, 1 … 4096; default 8 */
    uint32_t free_limit;   /* pages freed at most by one operation, 1 … 2^20; default 128 */

    uint32_t retry_limit; /* lost compare-and-swaps before backing off, 0 … 2^20; default 0 */
    uint32_t backoff_min; /* first backoff, in spin hints, 1 … 2^20; doubles up to … */
    uint32_t
        backoff_max; /* … this many, >= backoff_min, <= 2^20; each is jittered; default 64, 256 */

    bw_simd simd; /* instructions for searching pages; a level this processor lacks is an error */

    bool pooling; /* pages and records come from per-thread pools over large chunks (default true);
                     false: each is one call of the allocator, so that memory checkers see it */

    bool worker;                 /* start the background worker at open; default false */
    uint32_t worker_interval_us; /* pause between two sweeps of the worker, in microseconds,
                                    100 … 10^7; default 10000 */
    uint32_t worker_log_length;  /* the worker consolidates pages with at least so many records in
                                    their log, 1 … 64; default 4 */

    bw_allocator allocator; /* both hooks NULL (default): the library's own */
} bw_options;

/* Sets every field to its default. */
BW_API void bw_options_init(bw_options *options);

/* Checks options (and BWTREE_SIMD). BW_OK, BW_EINVAL or BW_EUNSUPPORTED; then `message` (optional,
 * `capacity` bytes) receives a sentence that names the field, its value and what is allowed. */
BW_API bw_status bw_options_check(const bw_options *options, char *message, size_t capacity);

/* Opens an empty tree. options: NULL for the defaults. On BW_OK *tree is the new tree, otherwise it
 * is NULL: BW_EINVAL, BW_EUNSUPPORTED (see bw_options_check), BW_ENOMEM, BW_ETHREAD (worker). */
BW_API bw_status bw_open(const bw_options *options, bw_tree **tree);

/* Closes the tree: every call that begins afterwards returns BW_ECLOSED. Stops the worker. When no
 * call is in flight, gives back all pages and returns BW_OK; otherwise returns BW_EBUSY: the tree
 * is closed to new calls but its memory is kept: call again to finish. Closing a closed tree is
 * BW_OK. In a forked child it gives back the child's copy of the memory (but with pooling = false,
 * where another thread may have been at work on it when the process forked, the pages stay). Not
 * linearizable with calls in flight; those finish as usual. */
BW_API bw_status bw_close(bw_tree *tree);

/* Closes the tree if need be and gives back the handle itself: `tree` must not be used afterwards,
 * by any thread. BW_EBUSY while calls are in flight or cursors are open: the tree is closed, but
 * the handle is kept: call again. NULL is BW_OK. */
BW_API bw_status bw_free(bw_tree *tree);

/* ------------------------------------------------------------------ operations on one key ----- */

/* Gives the key's value. BW_OK with *value (optional) written, or BW_NOT_FOUND.
 * Never writes to the tree; lock-free, and a registered thread's call never waits. */
BW_API bw_status bw_get(bw_tree *tree, uint64_t key, uint64_t *value);

/* Sets the key's value, whether or not it is present. BW_OK: it was absent; BW_EXISTS: it was
 * present and *seen (optional) is the value replaced. BW_ENOMEM, BW_EPIDS: nothing changed. */
BW_API bw_status bw_put(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen);

/* Inserts if absent. BW_OK, or BW_EXISTS with *seen (optional), nothing changed.
 * BW_ENOMEM, BW_EPIDS: nothing changed. */
BW_API bw_status bw_insert(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen);

/* Replaces if present. BW_OK with *seen (optional) the value replaced, or BW_NOT_FOUND.
 * BW_ENOMEM, BW_EPIDS: nothing changed. */
BW_API bw_status bw_update(bw_tree *tree, uint64_t key, uint64_t value, uint64_t *seen);

/* Removes. BW_OK with *seen (optional) the value removed, or BW_NOT_FOUND.
 * BW_ENOMEM, BW_EPIDS: nothing changed (a record of the removal must be logged). */
BW_API bw_status bw_remove(bw_tree *tree, uint64_t key, uint64_t *seen);

/* Replaces the value by `desired` if it is `expected`. BW_OK (*seen, optional, is `expected`),
 * BW_MISMATCH with *seen, or BW_NOT_FOUND. BW_ENOMEM, BW_EPIDS: nothing changed. */
BW_API bw_status bw_compare_exchange(bw_tree *tree, uint64_t key, uint64_t expected,
                                     uint64_t desired, uint64_t *seen);

/* ------------------------------------------------------------------ navigation ---------------- */

/* The entry with the greatest key <= key (floor), the least key >= key (ceiling), the greatest
 * key < key (lower), the least key > key (higher), the least key (first), the greatest (last).
 * BW_OK with *found_key and *found_value (both optional), or BW_NOT_FOUND.
 *
 * Linearizable: when the answer lies on another page than the search began on, the call checks
 * that the pages it found empty of an answer have not changed meanwhile, and starts again if they
 * have. Lock-free: a restart means that another thread's operation, or a consolidation, completed.
 * BW_ENOMEM: more than 32 pages in a row without a live entry, and no memory to remember them.
 * BW_EAGAIN: restarted a million times. */
BW_API bw_status bw_floor(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value);
BW_API bw_status bw_ceiling(bw_tree *tree, uint64_t key, uint64_t *found_key,
                            uint64_t *found_value);
BW_API bw_status bw_lower(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value);
BW_API bw_status bw_higher(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value);
BW_API bw_status bw_first(bw_tree *tree, uint64_t *found_key, uint64_t *found_value);
BW_API bw_status bw_last(bw_tree *tree, uint64_t *found_key, uint64_t *found_value);

/* Removes the entry with the least (greatest) key and gives it. BW_OK with *key and *value (both
 * optional), or BW_NOT_FOUND: the map was empty. BW_ENOMEM, BW_EPIDS: nothing was removed.
 *
 * Linearizable: takes effect at the compare-and-swap that puts the record into the log of the first
 * (last) leaf, or when it sees that the only leaf holds nothing. Lock-free. Takes long only when it
 * meets a row of empty leaves, which it merges. */
BW_API bw_status bw_pop_first(bw_tree *tree, uint64_t *key, uint64_t *value);
BW_API bw_status bw_pop_last(bw_tree *tree, uint64_t *key, uint64_t *value);

/* ------------------------------------------------------------------ cursors ------------------- */

/* A cursor stands in a gap between two keys and walks in both directions. It holds no pin between
 * calls: it keeps a copy of the live entries of one leaf and seeks anew when it leaves that leaf,
 * so an idle cursor holds back nothing. Entries of one leaf are from one instant (after the seek or
 * step that reached it); entries of different leaves may be from different instants. What is
 * present throughout a walk is returned exactly once, in order; what is absent throughout, never. A
 * cursor belongs to one thread at a time. */

/* Makes a cursor before the first key. BW_OK with *cursor, BW_EINVAL, BW_ENOMEM, BW_ECLOSED,
 * BW_EFORKED. Free it with bw_cursor_free before bw_free. */
BW_API bw_status bw_cursor_open(bw_tree *tree, bw_cursor **cursor);

/* Gives the cursor back. NULL is fine. May be called after bw_close. */
BW_API void bw_cursor_free(bw_cursor *cursor);

/* Puts the cursor into the gap just before the least key >= key (so that bw_cursor_next gives that
 * entry and bw_cursor_prev the one before it), or behind all keys. The copy of the leaf is dropped:
 * what comes next is read afresh. BW_OK, BW_EINVAL, BW_ECLOSED, BW_EFORKED. */
BW_API bw_status bw_cursor_seek(bw_cursor *cursor, uint64_t key);
BW_API bw_status bw_cursor_seek_end(bw_cursor *cursor);

/* Gives the entry behind (next) or before (prev) the gap and moves the gap past it.
 * BW_OK with *key and *value (both optional), or BW_NOT_FOUND at the end, where the cursor stays (a
 * later call looks again). BW_ECLOSED, BW_EFORKED as usual. Allocates nothing but the registration
 * of a thread's first call (BW_ENOMEM). */
BW_API bw_status bw_cursor_next(bw_cursor *cursor, uint64_t *key, uint64_t *value);
BW_API bw_status bw_cursor_prev(bw_cursor *cursor, uint64_t *key, uint64_t *value);

/* Gives up to n entries behind (before) the gap, with keys <= limit (>= limit), and moves past
 * them. keys and values: arrays of n; *count: how many were given; fewer than n only when there
 * are no more within the limit (then BW_NOT_FOUND if *count is 0, else BW_OK). On an error *count
 * entries have been given, and the cursor stands behind (before) the last of them. n = 0: BW_OK. */
BW_API bw_status bw_cursor_next_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys,
                                     uint64_t *values, size_t n, size_t *count);
BW_API bw_status bw_cursor_prev_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys,
                                     uint64_t *values, size_t n, size_t *count);

/* ------------------------------------------------------------------ many keys ----------------- */

/* Looks up n keys, in groups whose memory accesses overlap. values[i] is written and present[i] is
 * true where keys[i] is present; otherwise present[i] is false and values[i] is untouched. present:
 * optional. *hits (optional): how many were present; 0 on an error, when what was written to values
 * and present means nothing. Each key is one bw_get: linearizable by itself, not the batch as a
 * whole. */
BW_API bw_status bw_get_many(bw_tree *tree, const uint64_t *keys, size_t n, uint64_t *values,
                             bool *present, size_t *hits);

/* Puts n pairs in the order given: each is one bw_put, linearizable by itself. Keys that ascend go into
 * their leaf together, many times as fast as one by one. *done (optional): how many were put: n on
 * BW_OK, fewer when an error (BW_ENOMEM, BW_EPIDS) ended the call early.
 * *inserted (optional): how many of those keys were absent before. */
BW_API bw_status bw_put_many(bw_tree *tree, const uint64_t *keys, const uint64_t *values, size_t n,
                             size_t *done, size_t *inserted);

/* Counts the keys in [low, high], both inclusive (0 if low > high). Each leaf is counted at one
 * instant, different leaves at different ones. */
BW_API bw_status bw_count(bw_tree *tree, uint64_t low, uint64_t high, uint64_t *count);

/* How many keys there are: exact when no write runs beside the call, otherwise off by no more than
 * the number of writes that do; never negative. Takes time in the number of threads. */
BW_API bw_status bw_size(bw_tree *tree, uint64_t *size);

/* Removes every key in [low, high], both inclusive (none if low > high), from low to high. A leaf whose
 * whole range lies within is emptied at one instant, without a record for each key, unless another
 * thread replaces or merges it at that moment; the keys of such a leaf and of the others go one by
 * one, each as by bw_remove. The whole is not atomic: keys put behind it meanwhile stay. *removed
 * (optional): how many were removed, also when an error (BW_ENOMEM, BW_EPIDS) ended the call early.
 * */
BW_API bw_status bw_delete_range(bw_tree *tree, uint64_t low, uint64_t high, uint64_t *removed);

/* Removes every key: bw_delete_range over the whole key range. */
BW_API bw_status bw_clear(bw_tree *tree, uint64_t *removed);

/* ------------------------------------------------------------------ upkeep -------------------- */

/* Consolidates every page that has a record in its log, posts separators that are missing, merges
 * pages that hold too little, and finishes merges that were given up. A merge in the course of the
 * call may leave a record in the page above. Runs beside other operations. BW_ENOMEM, BW_EPIDS:
 * some pages keep their logs. */
BW_API bw_status bw_consolidate(bw_tree *tree);

/* Tries to free all retired memory of this thread and of threads that have ended, whatever
 * free_limit says. *freed (optional): pages freed. A thread inside a call, or stopped in one, keeps
 * some of it alive; the bags of other live threads stay theirs.
 *
 * Then gives memory back to the allocator: each chunk (64 KiB to 2 MiB; see `pooling`) all of whose
 * pages and records are free. Those that other live threads keep free for their own use hold their
 * chunks fast, and each of these threads one chunk that it still takes from: such a thread gives
 * them up when it calls bw_collect itself, calls bw_thread_detach, or ends. A single page or record
 * in use also holds its chunk fast; nothing is moved. Takes time in what is free; while one thread
 * does this part others leave it out (BW_OK), and if there is no memory for the work nothing is
 * given back (BW_OK). */
BW_API bw_status bw_collect(bw_tree *tree, uint64_t *freed);

/* Starts or stops the background worker, a thread that consolidates pages with long logs, posts
 * missing separators, merges, finishes merges that were given up, collects, and gives memory back
 * as bw_collect does when much has become free or it has been idle. Both are idempotent. stop
 * returns when it has ended. BW_ETHREAD, BW_ENOMEM. */
BW_API bw_status bw_worker_start(bw_tree *tree);
BW_API bw_status bw_worker_stop(bw_tree *tree);

/* Registers the calling thread with the tree (so that its later calls cannot fail for want of a
 * registration), or gives its registration back before the thread ends; what it had retired is
 * handed over to the others. Both are idempotent. BW_ENOMEM: attach. BW_EBUSY: detach inside
 * bw_pin. */
BW_API bw_status bw_thread_attach(bw_tree *tree);
BW_API bw_status bw_thread_detach(bw_tree *tree);

/* Keeps the calling thread pinned over several calls, which then cost a fence less each. Nothing
 * retired after bw_pin is freed before bw_unpin: keep it short. Pins nest. Between them the thread
 * may call anything but bw_close, bw_free and bw_thread_detach (BW_EBUSY; after bw_close and
 * bw_free the tree is closed all the same). bw_unpin without a pin is BW_EINVAL. */
BW_API bw_status bw_pin(bw_tree *tree);
BW_API bw_status bw_unpin(bw_tree *tree);

/* ------------------------------------------------------------------ looking inside ------------ */

typedef struct bw_stats {
    uint64_t size;      /* keys, as bw_size */
    uint64_t height;    /* levels, 1 for a single leaf */
    uint64_t pages;     /* pages in the mapping table */
    uint64_t max_pids;  /* the option */
    uint64_t pids_used; /* page ids ever taken */
    uint64_t
        pids_free; /* of them, free to be taken again; those of merged pages are in limbo first */
    uint64_t pids_recycled; /* page ids that became free after a merge, each time */

    uint64_t appends;             /* records appended */
    uint64_t appends_lost;        /* slot CASes lost to another thread */
    uint64_t consolidations;      /* pages replaced by a consolidation, splits included */
    uint64_t consolidations_lost; /* consolidations that another helper had done first */
    uint64_t splits;              /* page splits, root splits included */
    uint64_t root_splits;
    uint64_t posts; /* separators posted to a parent */
    uint64_t helps; /* separators found missing by a thread that crossed a right link */

    uint64_t merges;         /* pages that have gone into their left siblings */
    uint64_t merges_lost;    /* merges that another helper finished first */
    uint64_t root_collapses; /* roots replaced by their only child */
    uint64_t marked;         /* merges begun and not ended, as their parents know them … */
    uint64_t removed;        /* … and those of them whose page takes no more writes */

    uint64_t epoch;       /* the global epoch */
    uint64_t retired;     /* pages retired */
    uint64_t freed;       /* pages freed after a grace period */
    uint64_t limbo_pages; /* retired, not yet freed */
    uint64_t limbo_bytes;
    uint64_t oldest_pin_ns; /* for how long, in nanoseconds, the longest pin that blocks the epoch
                                has been seen to last; 0 if none is seen */

    uint64_t bytes_reserved; /* memory taken from the allocator and not given back (bw_collect) */
    uint64_t bytes_live;     /* of it, in pages and records that are reachable or in limbo */
    uint64_t threads;        /* threads registered now */
    bw_simd simd;            /* the level in use */
    bool worker;             /* the worker is running */

    /* Bytes written to pages as they were built, also those not installed, and to records with their
     * slots, 40 bytes each. By the bytes of the keys and values that were put: write amplification. */
    uint64_t bytes_written;
} bw_stats;

/* Fills *stats. Counters are read one by one while others work: exact when quiescent. Looks at every
 * page. Waits for a bw_worker_stop or bw_close in progress. */
BW_API bw_status bw_get_stats(bw_tree *tree, bw_stats *stats);

/* The pages of one level: 0 are the leaves. */
typedef struct bw_level_stats {
    uint64_t pages;
    uint64_t capacity; /* entries that one page can hold */
    uint64_t entries;  /* that they hold, as of their last consolidation … */
    uint64_t records;  /* … and the records appended since */
    uint64_t marked;   /* entries marked: their child is being merged */
    uint64_t removed;  /* pages removed, whose merge is not ended */
} bw_level_stats;

/* Fills *stats; BW_NOT_FOUND (all 0) if the tree has no such level: level 0 is always there, the others
 * come and go with the tree's height. As exact as bw_get_stats, but a level that is there shows at
 * least one page. */
BW_API bw_status bw_get_level_stats(bw_tree *tree, uint32_t level, bw_level_stats *stats);

/* Walks the whole structure and checks keys' order, fences, right links, levels, that every child
 * named by a parent is its page, and that the pages of each level cover the key space without gap
 * or overlap, and that at most one entry of an inner page is marked. Every one of these holds in
 * every state, so it may run beside other operations; when nothing else runs (`quiescent` true),
 * also not the worker, it checks that sizes agree, that every page in the mapping table is
 * reachable, and that every page id ever taken names a page, is in limbo, or is free and can be
 * found. BW_OK, or BW_ECORRUPT with a sentence in `message` (optional). */
BW_API bw_status bw_self_check(bw_tree *tree, bool quiescent, char *message, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
