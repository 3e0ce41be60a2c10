/* room.c: see room.h. */
#define _DEFAULT_SOURCE /* for madvise */
#include "room.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

static const size_t huge = (size_t)2 << 20;

/* Before each large room, in its own line of the cache. */
enum { HEADER = 64 };
struct block {
    size_t size; /* of all of it: whole huge pages */
};

/* Blocks that were given back, the oldest first. Together they are at most `most_kept`: memory is to be
 * bounded by what is in use. */
enum { KEPT = 16 };
static struct block *kept[KEPT];
static unsigned kept_count;
static size_t kept_together;
static const size_t most_kept = (size_t)1 << 30;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

static bool is_large(size_t size) {
    return size >= huge;
}

static struct block *take(unsigned place) {
    struct block *block = kept[place];
    kept_together -= block->size;
    kept_count--;
    memmove(&kept[place], &kept[place + 1], (kept_count - place) * sizeof kept[0]);
    return block;
}

/* The smallest kept block of at least `size`, and at most twice as much. */
static struct block *reuse(size_t size) {
    unsigned best = KEPT;
    (void)pthread_mutex_lock(&keeping);
    for (unsigned i = 0; i < kept_count; i++)
        if (kept[i]->size >= size && kept[i]->size <= 2 * size &&
            (best == KEPT || kept[i]->size < kept[best]->size))
            best = i;
    struct block *block = best < KEPT ? take(best) : NULL;
    (void)pthread_mutex_unlock(&keeping);
    return block;
}

static void keep(struct block *block) {
    if (block->size > most_kept) {
        free(block);
        return;
    }
    (void)pthread_mutex_lock(&keeping);
    while (kept_count == KEPT || kept_together + block->size > most_kept)
        free(take(0));
    kept[kept_count++] = block;
    kept_together += block->size;
    (void)pthread_mutex_unlock(&keeping);
}

void *lin_room(size_t size, bool cleared) {
    if (!is_large(size))
        return cleared ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
    size_t whole = (size + HEADER + huge - 1) / huge * huge;
    struct block *block = reuse(whole);
    if (block == NULL) {
        block = aligned_alloc(huge, whole);
        if (block == NULL)
            return NULL;
#ifdef __linux__
        (void)madvise(block, whole, MADV_HUGEPAGE); /* without them it is slower, not wrong */
#endif
        block->size = whole;
    }
    void *room = (char *)block + HEADER;
    if (cleared)
        memset(room, 0, size);
    return room;
}

void lin_room_free(void *room, size_t size) {
    if (room == NULL || !is_large(size))
        free(room);
    else
        keep((struct block *)((char *)room - HEADER));
}
