/* room.c: see room.h. */
#define _DEFAULT_SOURCE /* for madvise */
#include "room.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

static const size_t huge = (size_t)2 << 20;

/* Blocks that are kept, the largest first to be used: whole huge pages, their size in their first word. */
enum { KEPT = 2 };
static _Atomic(uintptr_t) kept[KEPT];

/* Larger blocks go back to the system at once: memory is to be bounded by what is in use. */
static const size_t most_kept = (size_t)1 << 30;

static size_t rounded(size_t size) {
    return (size + huge - 1) / huge * huge;
}

/* A kept block of at least `size`, and at most twice as much. */
static void *reuse(size_t size) {
    for (int i = 0; i < KEPT; i++) {
        /* acquire: pairs with the release in lin_room_free, which made the block ours to read. */
        uintptr_t block = atomic_exchange_explicit(&kept[i], 0, memory_order_acquire);
        if (block == 0)
            continue;
        size_t has = *(size_t *)block;
        if (has >= size && has <= 2 * size)
            return (void *)block;
        free((void *)block);
    }
    return NULL;
}

void *lin_room(size_t size, bool cleared) {
    if (size < huge)
        return cleared ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
    size = rounded(size);
    void *room = reuse(size);
    if (room == NULL) {
        room = aligned_alloc(huge, size);
        if (room == NULL)
            return NULL;
#ifdef __linux__
        (void)madvise(room, size, MADV_HUGEPAGE); /* without them it is slower, not wrong */
#endif
    }
    if (cleared)
        memset(room, 0, size);
    return room;
}

void lin_room_free(void *room, size_t size) {
    if (room == NULL || size < huge || rounded(size) > most_kept) {
        free(room);
        return;
    }
    *(size_t *)room =
        rounded(size); /* it may have been larger: then less is known of it, no more */
    uintptr_t block = (uintptr_t)room;
    for (int i = 0; i < KEPT && block != 0; i++)
        /* release: hands the block over; acquire: the one that comes back is another thread's. */
        block = atomic_exchange_explicit(&kept[i], block, memory_order_acq_rel);
    free((void *)block);
}
