/* room.h: large memory that is accessed at random: aligned for huge pages, and asked for as such. */
#ifndef LIN_ROOM_H
#define LIN_ROOM_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

/* To be freed with free; NULL: out of memory. The including file defines _DEFAULT_SOURCE. */
static inline void *lin_room(size_t size, bool cleared) {
    const size_t huge = (size_t)2 << 20;
    if (size < huge)
        return cleared ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
    void *room = aligned_alloc(huge, (size + huge - 1) / huge * huge);
    if (room == NULL)
        return NULL;
#ifdef __linux__
    (void)madvise(room, size, MADV_HUGEPAGE); /* without them it is slower, not wrong */
#endif
    if (cleared)
        memset(room, 0, size);
    return room;
}

#endif
