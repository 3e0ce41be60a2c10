/* inside.c: steps of the library by themselves (inside.h). */
#include "inside.h"

#include "bwexplore.h"
#include "tree.h"

enum { PAGES = 128, PIDS = 8 };

/* What programs have taken, by number. relaxed: a program's numbers order nothing. */
static _Atomic(bw_page *) pages[PAGES];
static _Atomic uint64_t pids[PIDS]; /* page id + 1 */

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
    default:
        bwx_check(bw_pids_left(self, (unsigned)op->arguments[0]),
                  "page ids that are free all the time are not seen to be left");
        return BW_OK;
    }
}

bw_status inside_do(bw_tree *tree, const operation *op) {
    if (op->kind == SHRINK)
        return bw_memory_shrink(tree);
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
    bw_leave(self);
}
