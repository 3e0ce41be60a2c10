/* epoch.c: when is it safe to free a page that nobody can reach any more?
 *
 * A reader pins before it loads a page from the mapping table and unpins after its last use. Pinning
 * reads the global epoch G and announces it. A page is retired after the CAS that unlinked it; it goes
 * into the retiring thread's open bag. Sealing a full bag tags it with G, read then; its pages are
 * freed once G has moved two past the tag. G moves from e to e + 1 when every announced epoch is e.
 * (Epoch-based reclamation: Fraser, "Practical lock-freedom", 2004, §5.2.3.)
 *
 * Why two: let a reader hold a page, let e be the epoch it announced and `pub` be G at the moment its
 * announcement became visible. While it is pinned, e <= pub <= G <= pub + 1: advancing to pub + 1 may
 * have begun its scan before; advancing further needs its announcement. The page was unlinked after
 * the reader loaded it, and G is read for the tag after the unlinking: tag >= pub. So while it is
 * held, G <= pub + 1 < tag + 2. The tag must be G itself: a thread's own announced epoch may be one
 * behind, and then the page is freed too early (spec/MCEpochReclamation_fail_*.cfg shows it).
 *
 * Fences. Two places each write one thing and then read another's: pin (announce, then load the map)
 * and seal (unlink by CAS, then read G). Their sequentially consistent fences are totally ordered, which
 * gives the two facts used above:
 *   - if a reader loads the page before it is unlinked, its pin fence comes before the seal fence,
 *     so the seal reads a G at least as new as what the reader announced;
 *   - an advance from a G newer than the tag is made by a thread that has pinned under that very G: it
 *     meets its own announcement, too, and any other would stop it. It read that G before its pin
 *     fence, which so comes after the seal fence, hence after the reader's pin fence; and it reads the
 *     announcements after its pin fence, so it sees the reader's (or the unpin that followed).
 * So an advance needs no fence of its own, but its caller must be pinned.
 *
 *   spec/EpochReclamation.tla      here
 *   ReadEpoch, Announce            bw_epoch_pin
 *   Unpin                          bw_epoch_unpin
 *   Retire, Tag                    bw_epoch_retire, bw_epoch_seal
 *   AdvanceStart, Scan, ScanBlocked, Commit, CommitLost   bw_epoch_try_advance
 *   Free                           bw_epoch_free_eligible
 *   spec/StructureShortcuts.tla
 *   Reclaim, GiveBack              bw_epoch_free_eligible
 */
#define _GNU_SOURCE
#include "tree.h"

#include <time.h>

enum { GRACE = 2 };

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* What freeing the page gives back: itself and the records of its (full) log. */
static size_t page_bytes(const bw_page *page) {
    return (size_t)page->units * BW_PAGE_UNIT + page->log_slots * sizeof(bw_record);
}

void bw_epoch_retire(bw_thread *self, bw_page *page) {
    bw_limbo *limbo = &self->limbo;
    page->limbo_next = limbo->open;
    limbo->open = page;
    limbo->open_count++;
    BW_EVENT(RETIRE, page, 0, 0);
    bw_figure_add(&limbo->retired, 1);
    bw_figure_add(&limbo->retired_bytes, page_bytes(page));
    if (limbo->open_count >= self->tree->options.retire_batch) {
        uint64_t known_epoch = limbo->known_epoch;
        bw_epoch_seal(self);
        /* One advance in the time of a bag is enough, whoever makes it: while another thread does, this
         * one spares itself and all others the visit to everybody's announcement. */
        if (limbo->known_epoch == known_epoch)
            bw_epoch_try_advance(self);
        bw_epoch_free_eligible(self, self->tree->options.free_limit);
    }
}

void bw_epoch_seal(bw_thread *self) {
    bw_limbo *limbo = &self->limbo;
    bw_page *bag = limbo->open;
    if (bag == NULL)
        return;
    atomic_thread_fence(memory_order_seq_cst); /* unlinked, then G: see "Fences" above */
    bag->limbo_tag = atomic_load_explicit(&self->tree->epoch, memory_order_relaxed);
    limbo->known_epoch = bag->limbo_tag;
    bag->limbo_next_bag = NULL;
    if (limbo->sealed_first == NULL)
        limbo->sealed_first = bag;
    else
        limbo->sealed_last->limbo_next_bag = bag;
    limbo->sealed_last = bag;
    limbo->open = NULL;
    limbo->open_count = 0;
    BW_EVENT(TAG, bag, bag->limbo_tag, 0);
}

/* Remembers since when this very pin has been seen to block the epoch. */
static uint64_t blocked_for_ns(bw_thread *thread) {
    uint64_t pins = atomic_load_explicit(&thread->pins, memory_order_relaxed);
    uint64_t now = now_ns();
    /* relaxed: figures; two observers at once may lose one observation. */
    if (atomic_load_explicit(&thread->blocked_pins, memory_order_relaxed) != pins) {
        atomic_store_explicit(&thread->blocked_since_ns, now, memory_order_relaxed);
        atomic_store_explicit(&thread->blocked_pins, pins, memory_order_relaxed);
        return 0;
    }
    uint64_t since = atomic_load_explicit(&thread->blocked_since_ns, memory_order_relaxed);
    return now > since ? now - since : 0;
}

bool bw_epoch_try_advance(bw_thread *self) {
    assert(self->depth > 0);
    bw_tree *tree = self->tree;
    /* relaxed: no fence either, see "Fences" above. */
    uint64_t epoch = atomic_load_explicit(&tree->epoch, memory_order_relaxed);
    BW_EVENT(ADVANCE_START, self, epoch, 0);
    /* acquire: pairs with the release in registration, so that the record is initialized. */
    bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next) {
        /* acquire: pairs with the release in bw_epoch_unpin (and in the announcement that may have
         * followed it): what the thread read under that pin happened before what is freed later. */
        uint64_t announced = atomic_load_explicit(&thread->announced, memory_order_acquire);
        if (announced != 0 && announced != epoch) {
            BW_EVENT(SCAN_BLOCKED, thread, epoch, announced);
            (void)blocked_for_ns(thread);
            return false;
        }
        BW_EVENT(SCAN, thread, epoch, announced);
    }
    /* release: hands on what this walk has acquired to the threads that free under the new epoch; pairs
     * with the acquire in bw_epoch_free_eligible. No acquire: this walk has met every thread itself, so
     * that there is nothing to hand on from the advances before it. */
    if (!atomic_compare_exchange_strong_explicit(&tree->epoch, &epoch, epoch + 1,
                                                 memory_order_release, memory_order_relaxed)) {
        BW_EVENT(COMMIT_LOST, self, epoch, 0);
        return false;
    }
    BW_EVENT(COMMIT, self, epoch, 0);
    self->limbo.known_epoch = epoch + 1;
    return true;
}

uint64_t bw_epoch_free_eligible(bw_thread *self, uint64_t limit) {
    bw_limbo *limbo = &self->limbo;
    bw_epoch_adopt(self);
    /* acquire: pairs with the CAS in bw_epoch_try_advance. */
    uint64_t epoch = atomic_load_explicit(&self->tree->epoch, memory_order_acquire);
    uint64_t freed = 0;
    while (limbo->sealed_first != NULL && freed < limit) {
        bw_page *page = limbo->sealed_first;
        if (epoch < page->limbo_tag + GRACE)
            break;
        bw_page *rest = page->limbo_next;
        if (rest != NULL) { /* the bag goes on with its next page */
            rest->limbo_tag = page->limbo_tag;
            rest->limbo_next_bag = page->limbo_next_bag;
            if (limbo->sealed_last == page)
                limbo->sealed_last = rest;
        } else {
            rest = page->limbo_next_bag;
        }
        limbo->sealed_first = rest;
        if (rest == NULL)
            limbo->sealed_last = NULL;
        BW_EVENT(FREE, page, page->limbo_tag, epoch);
        bw_figure_add(&limbo->freed, 1);
        bw_figure_add(&limbo->freed_bytes, page_bytes(page));
        if (page->limbo_pid != BW_NO_PID) {
            /* Whoever could know the page id could hold the page, or remembers it with the number before
             * this one. relaxed: whoever then finds another page under the page id has acquired its
             * publication, which comes after. */
            atomic_fetch_add_explicit(&self->tree->recycled, 1, memory_order_relaxed);
            BW_EVENT(RECYCLE_PID, page, page->limbo_pid, 0);
            bw_pids_give_back(self, 1, &page->limbo_pid);
            bw_count_up(&self->figures.pids_recycled);
        }
        bw_page_release_deep(self, page);
        freed++;
    }
    return freed;
}

void bw_epoch_hand_over(bw_thread *self) {
    bw_limbo *limbo = &self->limbo;
    bw_epoch_seal(self);
    if (limbo->sealed_first == NULL)
        return;
    _Atomic(bw_page *) *orphans = &self->tree->orphans;
    bw_page *head = atomic_load_explicit(orphans, memory_order_relaxed);
    do {
        limbo->sealed_last->limbo_next_bag = head;
        /* release: publishes the bags' links; pairs with the acquire in bw_epoch_adopt. */
    } while (!atomic_compare_exchange_weak_explicit(orphans, &head, limbo->sealed_first,
                                                    memory_order_release, memory_order_relaxed));
    limbo->sealed_first = limbo->sealed_last = NULL;
}

void bw_epoch_adopt(bw_thread *self) {
    bw_limbo *limbo = &self->limbo;
    _Atomic(bw_page *) *orphans = &self->tree->orphans;
    /* relaxed: only a hint that spares the exchange of a shared line. */
    if (atomic_load_explicit(orphans, memory_order_relaxed) == NULL)
        return;
    bw_page *first = atomic_exchange_explicit(orphans, NULL, memory_order_acquire);
    if (first == NULL)
        return;
    bw_page *last = first;
    while (last->limbo_next_bag != NULL)
        last = last->limbo_next_bag;
    last->limbo_next_bag = limbo->sealed_first;
    if (limbo->sealed_first == NULL)
        limbo->sealed_last = last;
    limbo->sealed_first = first;
}

void bw_epoch_free_all(bw_thread *self) {
    bw_limbo *limbo = &self->limbo;
    bw_epoch_seal(self);
    bw_epoch_adopt(self);
    while (limbo->sealed_first != NULL) {
        bw_page *bag = limbo->sealed_first;
        limbo->sealed_first = bag->limbo_next_bag;
        while (bag != NULL) {
            bw_page *next = bag->limbo_next;
            bw_figure_add(&limbo->freed, 1);
            bw_figure_add(&limbo->freed_bytes, page_bytes(bag));
            bw_page_release_deep(self, bag);
            bag = next;
        }
    }
    limbo->sealed_last = NULL;
}

uint64_t bw_epoch_oldest_pin_ns(bw_tree *tree) {
    uint64_t epoch = atomic_load_explicit(&tree->epoch, memory_order_relaxed);
    uint64_t oldest = 0;
    bw_thread *thread = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (; thread != NULL; thread = thread->next) {
        uint64_t announced = atomic_load_explicit(&thread->announced, memory_order_relaxed);
        if (announced == 0 || announced == epoch)
            continue;
        uint64_t blocked = blocked_for_ns(thread);
        oldest = blocked > oldest ? blocked : oldest;
    }
    return oldest;
}
