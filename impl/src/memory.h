/* memory.h: pools of pages and records; memory.c has the rules, shrink.c those of giving back. */
#ifndef BWTREE_MEMORY_H
#define BWTREE_MEMORY_H

#include "figure.h"
#include "page.h"

struct bw_thread;

/* A free object, in its own memory. */
typedef struct bw_free_node {
    struct bw_free_node *next;       /* in the same batch */
    struct bw_free_node *next_batch; /* in a batch's first node, in the depot */
    uint64_t count;                  /* of nodes in the batch, likewise */
} bw_free_node;

enum {
    BW_CLASS_RECORD = 0, /* classes 1 … are pages of so many units */
    BW_CLASSES = BW_PAGE_CLASSES + 1,
};

/* What pages and records are cut from. */
typedef struct bw_chunk {
    struct bw_chunk *next; /* in the tree's list */
    size_t size;
    size_t alignment;
    _Atomic uint64_t cut; /* bytes of the objects cut from it; BW_CHUNK_OPEN: a pool has it */
} bw_chunk;

#define BW_CHUNK_OPEN UINT64_MAX

enum {
    BW_CHUNK_MIN = 64 << 10,
    BW_CHUNK_MAX = 2 << 20,
    BW_MAGAZINE_PAGES = 32,
    BW_MAGAZINE_RECORDS = 512,
};

/* A thread's pool: per class two stacks, so that a thread that only frees hands full ones to the
 * depot and one that only allocates takes them from there; and the rest of a chunk. */
typedef struct bw_pool {
    struct {
        bw_free_node *active, *full;
        _Atomic uint64_t active_count, full_count;
        _Atomic uint64_t supplied; /* objects from chunks and depot less those to the depot */
    } classes[BW_CLASSES];
    bw_chunk *chunk; /* the one it cuts from */
    char *chunk_next,
        *chunk_end;    /* what is left of it: pages come from the front, records from behind */
    size_t chunk_size; /* of the next one, 0: the least */
    _Atomic uint64_t reserved_bytes;
} bw_pool;

/* Bytes of the objects that this thread has allocated, less those that it has freed, modulo 2^64:
 * summed over the threads of a tree, what is in use. */
uint64_t bw_pool_live_bytes(const bw_pool *pool);

/* What the threads of a tree share: stacks of batches of free objects, and all chunks. */
enum { BW_DEPOT_STACKS = 8 };
typedef struct bw_depot {
    _Atomic(bw_free_node *) batches[BW_CLASSES][BW_DEPOT_STACKS];
    _Atomic(bw_chunk *) chunks;
} bw_depot;

static inline size_t bw_class_size(unsigned class) {
    return class == BW_CLASS_RECORD ? sizeof(bw_record) : (size_t)class * BW_PAGE_UNIT;
}

/* The most objects of a magazine, and so of a batch. */
static inline unsigned bw_magazine(unsigned class) {
    return class == BW_CLASS_RECORD ? BW_MAGAZINE_RECORDS : BW_MAGAZINE_PAGES;
}

/* Puts a batch, whose first node has the count, into the depot. */
void bw_depot_push(struct bw_thread *self, unsigned class, bw_free_node *batch);

/* Bytes of the objects that have been cut from the pool's chunk. */
static inline uint64_t bw_pool_chunk_cut(const bw_pool *pool) {
    return pool->chunk->size - BW_CACHE_LINE - (size_t)(pool->chunk_end - pool->chunk_next);
}

/* Uninitialized memory, or NULL when out of memory. A page of at least *units; *units becomes what it
 * has: at most an eighth more, or any number if it is to take the place of a page that is larger than
 * it must be (`replaced` units, 0 for none): a tree that shrinks has nothing but large pages to spare. */
bw_page *bw_page_alloc(struct bw_thread *self, unsigned *units, unsigned replaced);
bw_record *bw_record_alloc(struct bw_thread *self);

/* What bw_record_alloc does nearly always, without a call: one from the thread's own stack, or NULL. */
static inline bw_record *bw_pool_pop_record(bw_pool *pool) {
    bw_free_node *node = pool->classes[BW_CLASS_RECORD].active;
    if (node != NULL) {
        pool->classes[BW_CLASS_RECORD].active = node->next;
        bw_figure_add(&pool->classes[BW_CLASS_RECORD].active_count, UINT64_MAX);
    }
    return (bw_record *)node;
}

/* Gives one back that no thread can hold: never published, or after its grace period. */
void bw_page_release(struct bw_thread *self, bw_page *page);
void bw_record_release(struct bw_thread *self, bw_record *record);

/* The page and the records in its log. */
void bw_page_release_deep(struct bw_thread *self, bw_page *page);

/* Gives all chunks back to the allocator. */
void bw_memory_close(bw_tree *tree);

/* Gives those back that hold nothing, as far as the calling thread can get hold of what is free in them.
 * BW_OK also if another thread is at it, or there is no memory for the work. Caller is not in a call;
 * bw_close waits for it as for one that is. */
bw_status bw_memory_shrink(bw_tree *tree);

/* Gives what is in the thread's magazines to all. */
void bw_pool_hand_over(struct bw_thread *self);

/* The allocator's hooks, the library's own if the options name none. */
void *bw_alloc(const bw_options *options, size_t size, size_t alignment);
void bw_dealloc(const bw_options *options, void *memory, size_t size, size_t alignment);

#endif
