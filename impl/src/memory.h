/* memory.h: pools of pages and records; memory.c has the rules. */
#ifndef BWTREE_MEMORY_H
#define BWTREE_MEMORY_H

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

/* A thread's pool: per class two stacks, so that a thread that only frees hands full ones to the
 * depot and one that only allocates takes them from there; and the rest of a chunk. */
typedef struct bw_pool {
    struct {
        bw_free_node *active, *full;
        unsigned active_count;
    } classes[BW_CLASSES];
    char *chunk_next, *chunk_end;
    size_t chunk_size;
    _Atomic uint64_t live_bytes; /* allocated less freed by this thread, modulo 2^64 */
    _Atomic uint64_t reserved_bytes;
} bw_pool;

/* What the threads of a tree share: stacks of batches of free objects, and all chunks. */
enum { BW_DEPOT_STACKS = 8 };
typedef struct bw_depot {
    _Atomic(bw_free_node *) batches[BW_CLASSES][BW_DEPOT_STACKS];
    _Atomic(struct bw_chunk *) chunks;
} bw_depot;

/* Uninitialized memory, or NULL when out of memory. A page of at least *units; *units becomes what it
 * has. */
bw_page *bw_page_alloc(struct bw_thread *self, unsigned *units);
bw_record *bw_record_alloc(struct bw_thread *self);

/* Gives one back that no thread can hold: never published, or after its grace period. */
void bw_page_release(struct bw_thread *self, bw_page *page);
void bw_record_release(struct bw_thread *self, bw_record *record);

/* The page and the records in its log. */
void bw_page_release_deep(struct bw_thread *self, bw_page *page);

/* Gives all chunks back to the allocator. */
void bw_memory_close(bw_tree *tree);

/* The allocator's hooks, the library's own if the options name none. */
void *bw_alloc(const bw_options *options, size_t size, size_t alignment);
void bw_dealloc(const bw_options *options, void *memory, size_t size, size_t alignment);

#endif
