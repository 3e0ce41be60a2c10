/* mapping.c: the mapping table, and which page ids are taken.
 *
 * The table is address space for max_pids entries, reserved at once and given memory by the system as
 * it is touched, so that it never moves and an entry is one load away.
 *
 * The life of a page id: it is handed out, in order, the first time; it names pages; when its last page
 * has gone into another, its entry is the tombstone, and the page id travels with that page through
 * limbo (epoch.c); after the grace period, when nobody can know it any more, it is free. A free page
 * id is one of its thread's few spare ones, or in the tree's list, a stack whose links stand in the
 * table's own entries, told from pages by their lowest bit. The head of the list counts the pops in its
 * upper half: a pop whose CAS succeeds has met no other pop since it read the head, so that the link
 * that it read there is the right one. (It would take exactly 2^32 pops in that moment to deceive it.)
 */
#define _GNU_SOURCE
#include "tree.h"

#include <sys/mman.h>

/* Fences that no key is within, and the root as its right sibling. Never written. */
bw_page bw_tombstone = {.level = UINT8_MAX, .low = UINT64_MAX, .high = 0, .right = BW_ROOT};

bw_status bw_map_open(bw_tree *tree) {
    size_t bytes = (size_t)tree->options.max_pids * sizeof *tree->map;
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return BW_ENOMEM;
    tree->map = map;
    atomic_store_explicit(&tree->free_pids, BW_NO_PID, memory_order_relaxed);
    return BW_OK;
}

void bw_map_close(bw_tree *tree) {
    if (tree->map != NULL)
        (void)munmap((void *)tree->map, (size_t)tree->options.max_pids * sizeof *tree->map);
    tree->map = NULL;
}

/* ---- free page ids ---- */

/* relaxed: the head's release publishes it. */
static void link_to(bw_tree *tree, bw_pid pid, bw_pid next) {
    uint64_t link = (uint64_t)next << 1 | 1;
    atomic_store_explicit(&tree->map[pid], link, memory_order_relaxed);
}

bw_pid bw_pids_next_free(const bw_tree *tree, bw_pid pid) {
    /* relaxed: ordered after the head's acquire; if the page id has been taken meanwhile it may be
     * anything, and then the head has changed. */
    uint64_t link = atomic_load_explicit(&tree->map[pid], memory_order_relaxed);
    bw_pid next = (bw_pid)(link >> 1);
    return (link & 1) != 0 && next < tree->options.max_pids ? next : BW_NO_PID;
}

bw_pid bw_pids_first_free(const bw_tree *tree) {
    /* acquire: pairs with the release in push. */
    return (bw_pid)atomic_load_explicit((_Atomic uint64_t *)&tree->free_pids, memory_order_acquire);
}

static void push(bw_tree *tree, bw_pid pid) {
    uint64_t head = atomic_load_explicit(&tree->free_pids, memory_order_relaxed);
    uint64_t fresh;
    do {
        BW_EVENT(PUSH_SEES, tree, pid, head);
        link_to(tree, pid, (bw_pid)head);
        BW_EVENT(WRITE_LINK, tree, pid, (bw_pid)head);
        fresh = (head & ~(uint64_t)UINT32_MAX) | pid;
        /* release: publishes the link; pairs with the acquire in pop. */
    } while (!atomic_compare_exchange_weak_explicit(&tree->free_pids, &head, fresh,
                                                    memory_order_release, memory_order_relaxed));
    BW_EVENT(PUSH_PID, tree, pid, (bw_pid)head);
}

static bw_pid pop(bw_tree *tree) {
    /* acquire: pairs with the release in push, so that the link is seen. Likewise when the exchange fails;
     * when it succeeds it would not matter (the head counts the pops: it is the one whose link was read),
     * but C11 wants success to be ordered no less than failure. */
    uint64_t head = atomic_load_explicit(&tree->free_pids, memory_order_acquire);
    uint64_t fresh;
    do {
        BW_EVENT(POP_SEES, tree, (bw_pid)head, head);
        if ((bw_pid)head == BW_NO_PID)
            return BW_NO_PID;
        fresh = ((head >> 32) + 1) << 32 | bw_pids_next_free(tree, (bw_pid)head);
        BW_EVENT(READ_LINK, tree, (bw_pid)head, (bw_pid)fresh);
    } while (!atomic_compare_exchange_weak_explicit(&tree->free_pids, &head, fresh,
                                                    memory_order_acquire, memory_order_acquire));
    BW_EVENT(POP_PID, tree, (bw_pid)head, (bw_pid)fresh);
    return (bw_pid)head;
}

static bw_pid take_fresh(bw_tree *tree) {
    /* relaxed: the number alone matters; pages are published through the table. */
    uint64_t next = atomic_load_explicit(&tree->next_pid, memory_order_relaxed);
    do {
        if (next >= tree->options.max_pids)
            return BW_NO_PID;
    } while (!atomic_compare_exchange_weak_explicit(&tree->next_pid, &next, next + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return (bw_pid)next;
}

bool bw_pids_left(const bw_thread *self, unsigned n) {
    const bw_tree *tree = self->tree;
    uint64_t next = atomic_load_explicit((_Atomic uint64_t *)&tree->next_pid, memory_order_relaxed);
    uint64_t left = self->spare_pid_count + (tree->options.max_pids - next);
    for (bw_pid pid = bw_pids_first_free(tree); left < n && pid != BW_NO_PID; left++)
        pid = bw_pids_next_free(tree, pid);
    return left >= n;
}

static bw_pid take(bw_thread *self) {
    if (self->spare_pid_count > 0)
        return self->spare_pids[--self->spare_pid_count];
    bw_pid pid = pop(self->tree);
    return pid != BW_NO_PID ? pid : take_fresh(self->tree);
}

/* Page ids may be in limbo: frees what can be freed without waiting, so that this or a later call finds
 * them. */
static bw_pid take_from_limbo(bw_thread *self) {
    bw_epoch_seal(self);
    bw_epoch_try_advance(self);
    (void)bw_epoch_free_eligible(self, UINT64_MAX);
    return take(self);
}

bool bw_pids_take(bw_thread *self, unsigned n, bw_pid *pids) {
    for (unsigned i = 0; i < n; i++) {
        bw_pid pid = take(self);
        if (pid == BW_NO_PID)
            pid = take_from_limbo(self);
        if (pid == BW_NO_PID) {
            bw_pids_give_back(self, i, pids);
            return false;
        }
        pids[i] = pid;
    }
    return true;
}

void bw_pids_give_back(bw_thread *self, unsigned n, const bw_pid *pids) {
    for (unsigned i = 0; i < n; i++) {
        if (self->spare_pid_count == BW_SPARE_PIDS) {
            push(self->tree, pids[i]);
        } else {
            link_to(self->tree, pids[i], BW_NO_PID); /* says that it is free */
            self->spare_pids[self->spare_pid_count++] = pids[i];
        }
    }
}

void bw_pids_hand_over(bw_thread *self) {
    while (self->spare_pid_count > 0)
        push(self->tree, self->spare_pids[--self->spare_pid_count]);
}
