/* mapping.c: the mapping table, and which page ids are taken.
 *
 * The table is address space for max_pids entries, reserved at once and given memory by the system as
 * it is touched, so that it never moves and an entry is one load away. Page ids are handed out in
 * order. One that a thread took for a split that another helper had done first is kept by the thread
 * for its next split: nobody else can have seen it.
 */
#define _GNU_SOURCE
#include "tree.h"

#include <sys/mman.h>

bw_status bw_map_open(bw_tree *tree) {
    size_t bytes = (size_t)tree->options.max_pids * sizeof *tree->map;
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return BW_ENOMEM;
    tree->map = map;
    return BW_OK;
}

void bw_map_close(bw_tree *tree) {
    if (tree->map != NULL)
        (void)munmap((void *)tree->map, (size_t)tree->options.max_pids * sizeof *tree->map);
    tree->map = NULL;
}

bool bw_pids_left(const bw_thread *self, unsigned n) {
    uint64_t next = atomic_load_explicit(&self->tree->next_pid, memory_order_relaxed);
    return self->spare_pid_count + (self->tree->options.max_pids - next) >= n;
}

bool bw_pids_take(bw_thread *self, unsigned n, bw_pid *pids) {
    bw_tree *tree = self->tree;
    for (unsigned i = 0; i < n; i++) {
        if (self->spare_pid_count > 0) {
            pids[i] = self->spare_pids[--self->spare_pid_count];
            continue;
        }
        /* relaxed: the number alone matters; pages are published through the table. */
        uint64_t next = atomic_load_explicit(&tree->next_pid, memory_order_relaxed);
        do {
            if (next >= tree->options.max_pids) {
                bw_pids_give_back(self, i, pids);
                return false;
            }
        } while (!atomic_compare_exchange_weak_explicit(
            &tree->next_pid, &next, next + 1, memory_order_relaxed, memory_order_relaxed));
        pids[i] = (bw_pid)next;
    }
    return true;
}

void bw_pids_give_back(bw_thread *self, unsigned n, const bw_pid *pids) {
    for (unsigned i = 0; i < n; i++)
        self->spare_pids[self->spare_pid_count++] = pids[i];
}
