/* inside.c: steps of the library by themselves (inside.h). */
#include "inside.h"

#include "bwexplore.h"
#include "events.h"
#include "hint.h"
#include "tree.h"

enum { PAGES = 128, PIDS = 8, ASIDE = MAX_OPERATIONS };

/* What programs have taken, by number. relaxed: a program's numbers order nothing. */
static _Atomic(bw_page *) pages[PAGES];
static _Atomic uint64_t pids[PIDS]; /* page id + 1 */

/* Page ids that were taken since the list was empty: more than there are numbers. */
static _Atomic uint64_t aside[ASIDE];
static _Atomic uint64_t aside_count;

static bw_status take_pages(bw_thread *self, const uint64_t *arguments) {
    for (uint64_t i = 0; i < arguments[1]; i++) {
        unsigned units = (unsigned)arguments[2];
        bw_page *page = bw_page_alloc(self, &units, 0);
        if (page == NULL)
            return BW_ENOMEM;
        page->units = (uint8_t)units;
        atomic_store_explicit(&pages[(arguments[0] + i) % PAGES], page, memory_order_relaxed);
    }
    return BW_OK;
}

static void give_pages(bw_thread *self, const uint64_t *arguments) {
    for (uint64_t i = 0; i < arguments[1]; i++) {
        bw_page *page =
            atomic_load_explicit(&pages[(arguments[0] + i) % PAGES], memory_order_relaxed);
        bwx_assume(page != NULL);
        bw_page_release(self, page);
    }
}

static bw_status take_pid(bw_thread *self, uint64_t number) {
    bw_pid pid;
    if (!bw_pids_take(self, 1, &pid))
        return BW_EPIDS;
    atomic_store_explicit(&pids[number % PIDS], (uint64_t)pid + 1, memory_order_relaxed);
    return BW_OK;
}

static void give_pid(bw_thread *self, uint64_t number) {
    uint64_t taken = atomic_load_explicit(&pids[number % PIDS], memory_order_relaxed);
    bwx_assume(taken != 0);
    bw_pid pid = (bw_pid)(taken - 1);
    atomic_store_explicit(&pids[number % PIDS], 0, memory_order_relaxed);
    bw_pids_give_back(self, 1, &pid);
}

/* ---- the list of free page ids, step by step (model_check/conformance/tour_free_list.py) ---- */

static bw_status pop_pid(bw_thread *self) {
    bw_pid pid;
    bwx_check(self->spare_pid_count == 0, "pop_pid is of a thread that has no page id to spare");
    if (!bw_pids_take(self, 1, &pid))
        return BW_EPIDS;
    if (pid < PIDS) {
        atomic_store_explicit(&pids[pid], (uint64_t)pid + 1, memory_order_relaxed);
        return BW_OK;
    }
    uint64_t place = atomic_fetch_add_explicit(&aside_count, 1, memory_order_relaxed);
    bwx_check(place < ASIDE, "pop_pid has met an empty list too often");
    atomic_store_explicit(&aside[place], pid, memory_order_relaxed);
    return BW_OK;
}

static void push_pid(bw_thread *self, uint64_t number) {
    uint64_t taken = atomic_load_explicit(&pids[number % PIDS], memory_order_relaxed);
    bwx_assume(taken != 0);
    /* Before it is in the list, where another thread may take it. */
    atomic_store_explicit(&pids[number % PIDS], 0, memory_order_relaxed);
    self->spare_pids[self->spare_pid_count++] = (bw_pid)(taken - 1);
    bw_pids_hand_over(self);
}

static void use_pid(bw_thread *self, uint64_t number) {
    uint64_t taken = atomic_load_explicit(&pids[number % PIDS], memory_order_relaxed);
    bwx_assume(taken != 0);
    bw_map_store(self->tree, (bw_pid)(taken - 1), &bw_tombstone);
}

/* ---- the epoch, step by step (model_check/conformance/tour_epochs.py) ---- */

static _Thread_local bw_page *unlinked;

static bw_status unlink_root(bw_thread *self) {
    bw_tree *tree = self->tree;
    bw_page *page = bw_map_word_page(bw_map_peek(tree, BW_ROOT)); /* acquired before */
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(page, tree->search, bw_log_length(page), keys, values);
    bw_page *fresh = bw_page_build(self, page->level, keys, values, n, page->low, page->high,
                                   page->right, page->units);
    if (fresh == NULL)
        return BW_ENOMEM;
    if (!bw_map_install(tree, BW_ROOT, page, fresh)) {
        bw_page_release(self, fresh);
        return BW_EAGAIN;
    }
    BW_EVENT(INSTALL, page, BW_ROOT, fresh);
    unlinked = page;
    return BW_OK;
}

static bw_status do_unpinned(bw_tree *tree, const operation *op) {
    bw_thread *self = bw_thread_cached[tree->id % BW_THREAD_CACHE].thread;
    /* A step by itself: what comes before it is another one. relaxed: the state is not looked at. */
    (void)atomic_load_explicit(&tree->state, memory_order_relaxed);
    if (op->kind == SEAL)
        bw_epoch_seal(self);
    else if (bw_epoch_free_eligible(self, 1) == 0)
        events_nothing();
    return BW_OK;
}

static bw_status do_pinned(bw_thread *self, const operation *op) {
    switch (op->kind) {
    case ADVANCE:
        bw_epoch_seal(self);
        (void)bw_epoch_try_advance(self);
        (void)bw_epoch_free_eligible(self, UINT64_MAX);
        return BW_OK;
    case RECLAIM: (void)bw_epoch_free_eligible(self, UINT64_MAX); return BW_OK;
    case HAND_OVER: bw_pool_hand_over(self); return BW_OK;
    case TAKE_PAGES: return take_pages(self, op->arguments);
    case GIVE_PAGES: give_pages(self, op->arguments); return BW_OK;
    case TAKE_PID: return take_pid(self, op->arguments[0]);
    case GIVE_PID: give_pid(self, op->arguments[0]); return BW_OK;
    case POP_PID: return pop_pid(self);
    case PUSH_PID: push_pid(self, op->arguments[0]); return BW_OK;
    case USE_PID: use_pid(self, op->arguments[0]); return BW_OK;
    case ACQUIRE: (void)bw_map_load(self->tree, BW_ROOT); return BW_OK;
    case UNLINK: return unlink_root(self);
    case RETIRE: bw_epoch_retire(self, unlinked); return BW_OK;
    case TRY_ADVANCE: (void)bw_epoch_try_advance(self); return BW_OK;
    default:
        bwx_check(bw_pids_left(self, (unsigned)op->arguments[0]),
                  "page ids that are free all the time are not seen to be left");
        return BW_OK;
    }
}

bw_status inside_do(bw_tree *tree, const operation *op) {
    if (op->kind == SHRINK)
        return bw_memory_shrink(tree);
    if (op->kind == SEAL || op->kind == FREE_ONE)
        return do_unpinned(tree, op);
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    status = do_pinned(self, op);
    bw_leave(self);
    return status;
}

void inside_end(bw_tree *tree) {
    bw_thread *self;
    if (bw_enter(tree, &self) != BW_OK)
        return;
    for (uint64_t i = 0; i < PIDS; i++)
        if (atomic_load_explicit(&pids[i], memory_order_relaxed) != 0)
            give_pid(self, i);
    uint64_t count = atomic_load_explicit(&aside_count, memory_order_relaxed);
    for (uint64_t i = 0; i < count; i++) {
        bw_pid pid = (bw_pid)atomic_load_explicit(&aside[i], memory_order_relaxed);
        bw_pids_give_back(self, 1, &pid);
    }
    bw_leave(self);
}
