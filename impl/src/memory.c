/* memory.c: where pages and records come from, and where they go back to.
 *
 * Chunks of 64 KiB to 2 MiB come from the allocator and stay until they hold nothing and somebody
 * collects (shrink.c), or the tree is closed. A thread cuts objects from its own chunk, pages from the
 * front and records from behind, so that no space is lost between them, and keeps what it frees on two
 * stacks a class (magazines, as in Bonwick and Adams, "Magazines and Vmem", USENIX 2001): when both are full, one goes to the tree's
 * depot as a batch; when both are empty, a batch comes back. So a thread that only appends and one
 * that only consolidates reach a steady state, and the common case touches no shared line.
 *
 * The depot keeps a few stacks of batches a class. Pushing is a CAS; popping takes a whole stack by an
 * exchange, keeps its first batch and puts the rest back, almost always by one CAS of the stack that it
 * has just emptied: with no CAS that pops there is no ABA problem. A thread that meets a stack in that
 * moment takes from the next one, so that it does not cut fresh memory while there are free batches.
 *
 * With the option pooling = false each object is one call of the allocator.
 */
#define _GNU_SOURCE
#include "memory.h"

#include "tree.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, SMALL_PAGE = 4096 };

/* ---- the allocator ---- */

/* Chunks come straight from the system, so that they go straight back: what aligned_alloc gives may stay with the
 * C library when it is freed. They also lie below the mapping table then, where hints reach (hint.h); the C
 * library's heap, where even large blocks come from once such a block has been freed, does not. */
static void *map_chunk(size_t size) {
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

/* `size` is a multiple of HUGE_PAGE. */
static void *map_huge(size_t size) {
    char *room = map_chunk(size + HUGE_PAGE);
    if (room == NULL)
        return NULL;
    size_t before = (0 - (uintptr_t)room) & (HUGE_PAGE - 1);
    if (before > 0)
        (void)munmap(room, before);
    (void)munmap(room + before + size, HUGE_PAGE - before);
    /* Huge pages save a second memory access in most translations; failing to get them is harmless. */
    (void)madvise(room + before, size, MADV_HUGEPAGE);
    return room + before;
}

void *bw_alloc(const bw_options *options, size_t size, size_t alignment) {
    const bw_allocator *hooks = &options->allocator;
    if (hooks->alloc != NULL)
        return hooks->alloc(hooks->context, size, alignment);
    size = (size + alignment - 1) / alignment * alignment;
    if (alignment == HUGE_PAGE)
        return map_huge(size);
    return alignment == SMALL_PAGE ? map_chunk(size) : aligned_alloc(alignment, size);
}

void bw_dealloc(const bw_options *options, void *memory, size_t size, size_t alignment) {
    const bw_allocator *hooks = &options->allocator;
    if (memory == NULL)
        return;
    if (hooks->release != NULL)
        hooks->release(hooks->context, memory, size, alignment);
    else if (alignment == HUGE_PAGE || alignment == SMALL_PAGE)
        (void)munmap(memory, size);
    else
        free(memory);
}

/* ---- chunks ---- */

static bool chunk_refill(bw_thread *self) {
    bw_tree *tree = self->tree;
    bw_pool *pool = &self->pool;
    size_t size = pool->chunk_size == 0 ? BW_CHUNK_MIN : pool->chunk_size;
    size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : SMALL_PAGE;
    bw_chunk *chunk = bw_alloc(&tree->options, size, alignment);
    if (chunk == NULL)
        return false;
    chunk->size = size;
    chunk->alignment = alignment;
    atomic_store_explicit(&chunk->cut, BW_CHUNK_OPEN, memory_order_relaxed);
    bw_chunk *head = atomic_load_explicit(&tree->depot.chunks, memory_order_relaxed);
    do {
        chunk->next = head;
        /* release: publishes the header; pairs with the acquire in haul_begin (shrink.c). */
    } while (!atomic_compare_exchange_weak_explicit(&tree->depot.chunks, &head, chunk,
                                                    memory_order_release, memory_order_relaxed));
    if (pool->chunk != NULL)
        /* release: this thread is done with it; pairs with the acquire in shrink.c, which frees it. */
        atomic_store_explicit(&pool->chunk->cut, bw_pool_chunk_cut(pool), memory_order_release);
    pool->chunk = chunk;
    pool->chunk_next = (char *)chunk + BW_CACHE_LINE;
    pool->chunk_end = (char *)chunk + size;
    pool->chunk_size = size < BW_CHUNK_MAX ? 2 * size : size;
    bw_figure_add(&pool->reserved_bytes, size);
    return true;
}

void bw_memory_close(bw_tree *tree) {
    /* relaxed: the tree is closed: all calls that have put chunks there are seen to be over (tree.c). */
    bw_chunk *chunk = atomic_exchange_explicit(&tree->depot.chunks, NULL, memory_order_relaxed);
    while (chunk != NULL) {
        bw_chunk *next = chunk->next;
        bw_dealloc(&tree->options, chunk, chunk->size, chunk->alignment);
        chunk = next;
    }
}

/* ---- the depot ---- */

/* Puts the chain of batches onto an empty stack. */
static bool stack_fill(_Atomic(bw_free_node *) *stack, bw_free_node *chain) {
    bw_free_node *empty = NULL;
    /* relaxed load: only a hint that spares the CAS. release: publishes the links of the batches; pairs
     * with the acquire in depot_pop. */
    return atomic_load_explicit(stack, memory_order_relaxed) == NULL &&
           atomic_compare_exchange_strong_explicit(stack, &empty, chain, memory_order_release,
                                                   memory_order_relaxed);
}

/* Puts the chain of batches, which ends with `last`, onto a stack that may not be empty. */
static void stack_push(_Atomic(bw_free_node *) *stack, bw_free_node *chain, bw_free_node *last) {
    bw_free_node *head = atomic_load_explicit(stack, memory_order_relaxed);
    do {
        last->next_batch = head;
        /* release: as in stack_fill. */
    } while (!atomic_compare_exchange_weak_explicit(stack, &head, chain, memory_order_release,
                                                    memory_order_relaxed));
}

/* Inlined, so that releasing an object needs no more registers than it has at hand. */
__attribute__((always_inline)) static inline void depot_push(bw_thread *self, unsigned class,
                                                             bw_free_node *batch) {
    _Atomic(bw_free_node *) *stacks = self->tree->depot.batches[class];
    batch->next_batch = NULL;
    for (unsigned i = 0; i < BW_DEPOT_STACKS; i++)
        if (stack_fill(&stacks[i], batch))
            return;
    self->depot_turn = (self->depot_turn + 1) % BW_DEPOT_STACKS;
    stack_push(&stacks[self->depot_turn], batch, batch);
}

void bw_depot_push(bw_thread *self, unsigned class, bw_free_node *batch) {
    depot_push(self, class, batch);
}

static bw_free_node *depot_pop(bw_tree *tree, unsigned class) {
    _Atomic(bw_free_node *) *stacks = tree->depot.batches[class];
    for (unsigned i = 0; i < BW_DEPOT_STACKS; i++) {
        /* relaxed: only a hint that spares the exchange of a shared line. */
        if (atomic_load_explicit(&stacks[i], memory_order_relaxed) == NULL)
            continue;
        bw_free_node *first = atomic_exchange_explicit(&stacks[i], NULL, memory_order_acquire);
        if (first == NULL)
            continue;
        bw_free_node *rest = first->next_batch;
        if (rest != NULL && !stack_fill(&stacks[i], rest)) {
            bw_free_node *last = rest;
            while (last->next_batch != NULL)
                last = last->next_batch;
            stack_push(&stacks[i], rest, last);
        }
        return first;
    }
    return NULL;
}

/* ---- objects ---- */

static size_t class_alignment(unsigned class) {
    return class == BW_CLASS_RECORD ? sizeof(bw_record) : BW_CACHE_LINE;
}

uint64_t bw_pool_live_bytes(const bw_pool *pool) {
    uint64_t bytes = 0;
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        uint64_t objects = bw_figure(&pool->classes[class].supplied) -
                           bw_figure(&pool->classes[class].active_count) -
                           bw_figure(&pool->classes[class].full_count);
        bytes += objects * bw_class_size(class);
    }
    return bytes;
}

static void *pool_cut(bw_thread *self, unsigned class) {
    bw_pool *pool = &self->pool;
    size_t size = bw_class_size(class);
    /* The chunk's ends keep the alignment of pages and records, whose sizes are multiples of it. */
    bool fits = pool->chunk != NULL && (size_t)(pool->chunk_end - pool->chunk_next) >= size;
    if (!fits && !chunk_refill(self))
        return NULL;
    bw_figure_add(&pool->classes[class].supplied, 1);
    if (class == BW_CLASS_RECORD)
        return pool->chunk_end -= size;
    void *page = pool->chunk_next;
    pool->chunk_next += size;
    return page;
}

/* One from the thread's own stacks, or NULL. */
static void *pool_pop(bw_pool *pool, unsigned class) {
    if (pool->classes[class].active == NULL) {
        bw_free_node *batch = pool->classes[class].full;
        if (batch == NULL)
            return NULL;
        pool->classes[class].full = NULL;
        bw_figure_set(&pool->classes[class].full_count, 0);
        pool->classes[class].active = batch;
        bw_figure_set(&pool->classes[class].active_count, batch->count);
    }
    bw_free_node *node = pool->classes[class].active;
    pool->classes[class].active = node->next;
    bw_figure_add(&pool->classes[class].active_count, UINT64_MAX);
    return node;
}

/* From the thread's stacks or the depot, of this class or a larger one, or else fresh memory. */
static void *pool_alloc(bw_thread *self, unsigned *class, unsigned largest) {
    bw_pool *pool = &self->pool;
    for (unsigned larger = *class; larger <= largest; larger++) {
        void *object = pool_pop(pool, larger);
        bw_free_node *batch = object != NULL ? NULL : depot_pop(self->tree, larger);
        if (batch != NULL) {
            pool->classes[larger].full = batch;
            bw_figure_set(&pool->classes[larger].full_count, batch->count);
            bw_figure_add(&pool->classes[larger].supplied, batch->count);
            object = pool_pop(pool, larger);
        }
        if (object != NULL) {
            *class = larger;
            return object;
        }
    }
    return pool_cut(self, *class);
}

/* Of a class from *class to `largest`; *class becomes the one it is of. */
static void *object_alloc(bw_thread *self, unsigned *class, unsigned largest) {
    if (self->tree->options.pooling)
        return pool_alloc(self, class, largest);
    void *object = bw_alloc(&self->tree->options, bw_class_size(*class), class_alignment(*class));
    if (object != NULL) {
        bw_figure_add(&self->pool.reserved_bytes, bw_class_size(*class));
        bw_figure_add(&self->pool.classes[*class].supplied, 1);
    }
    return object;
}

static void object_release(bw_thread *self, void *object, unsigned class) {
    bw_pool *pool = &self->pool;
    if (!self->tree->options.pooling) {
        bw_dealloc(&self->tree->options, object, bw_class_size(class), class_alignment(class));
        bw_figure_add(&pool->reserved_bytes, (size_t)0 - bw_class_size(class));
        bw_figure_add(&pool->classes[class].supplied, UINT64_MAX);
        return;
    }
    unsigned magazine = bw_magazine(class);
    bw_free_node *node = object;
    if (bw_figure(&pool->classes[class].active_count) == magazine) {
        bw_free_node *full = pool->classes[class].full;
        if (full != NULL) {
            bw_figure_add(&pool->classes[class].supplied, (uint64_t)0 - full->count);
            depot_push(self, class, full);
        }
        full = pool->classes[class].active;
        full->count = magazine;
        pool->classes[class].full = full;
        bw_figure_set(&pool->classes[class].full_count, magazine);
        pool->classes[class].active = NULL;
        bw_figure_set(&pool->classes[class].active_count, 0);
    }
    node->next = pool->classes[class].active;
    pool->classes[class].active = node;
    bw_figure_add(&pool->classes[class].active_count, 1);
}

bw_page *bw_page_alloc(bw_thread *self, unsigned *units, unsigned replaced) {
    if (*units > BW_PAGE_CLASSES)
        __builtin_unreachable(); /* no page has room for more entries than bw_options_check allows */
    unsigned largest = *units < replaced ? BW_PAGE_CLASSES : *units + *units / 8 + 1;
    return object_alloc(self, units, largest < BW_PAGE_CLASSES ? largest : BW_PAGE_CLASSES);
}

bw_record *bw_record_alloc(bw_thread *self) {
    unsigned class = BW_CLASS_RECORD;
    return object_alloc(self, &class, BW_CLASS_RECORD);
}

void bw_page_release(bw_thread *self, bw_page *page) {
    object_release(self, page, page->units);
}

void bw_record_release(bw_thread *self, bw_record *record) {
    object_release(self, record, BW_CLASS_RECORD);
}

void bw_page_release_deep(bw_thread *self, bw_page *page) {
    for (unsigned i = 0; i < page->log_slots; i++) {
        /* relaxed: nobody else has the page any more; the caller's acquire of the epoch ordered it. */
        uint64_t word = atomic_load_explicit(&page->log[i], memory_order_relaxed);
        if (word == 0)
            break;
        bw_record *record = bw_word_record(word);
        if (record != NULL)
            bw_record_release(self, record);
    }
    bw_page_release(self, page);
}
