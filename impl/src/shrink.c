/* shrink.c: chunks that hold nothing go back to the allocator while the tree lives.
 *
 * Nobody reads a free object that is not his own: a thread owns those in its magazines, and whoever
 * takes a stack of the depot takes the whole of it by one exchange. So a thread may gather all that it
 * can get hold of (the depot, its own magazines, those of registrations whose threads have ended), sort
 * it by chunk, and when the objects in its hands are all that was ever cut from a chunk, and nobody
 * cuts from that any more, the chunk holds nothing and nobody can come to look at it: it goes back at
 * once. The rest goes to the depot in new batches.
 *
 * How much has been cut from a chunk stands in its header from the moment when its pool takes another
 * one. A chunk that a pool still has can go when the pool is this thread's own or, again, one of a
 * registration whose thread has ended.
 *
 * What this cannot reach: a chunk stays as long as one of its objects is in use, in limbo, or in a
 * magazine of another live thread (64 pages a class and 1024 records at most), and while a live thread
 * cuts from it. The worker empties its magazines when it is idle; other threads do it by collecting
 * themselves, or by bw_thread_detach.
 *
 * One thread at a time does this: two would only take from each other what makes a chunk whole. The
 * others go on meanwhile, and find an empty depot. As it may take long, the thread is not pinned, which
 * would keep everybody's pages in limbo; bw_close looks at tree->shrinking instead.
 */
#include "tree.h"

#include <stdlib.h>

/* A chunk and what of it is in hand. */
typedef struct bw_lot {
    bw_chunk *chunk;
    uint64_t bytes; /* of the objects */
    bw_free_node *objects[BW_CLASSES];
} bw_lot;

typedef struct bw_haul {
    bw_lot *lots; /* by address */
    size_t count;
    bw_free_node *strays[BW_CLASSES]; /* of chunks that came meanwhile */
} bw_haul;

/* ---- chunks ---- */

static void chunks_push(bw_tree *tree, bw_chunk *first, bw_chunk *last) {
    bw_chunk *head = atomic_load_explicit(&tree->depot.chunks, memory_order_relaxed);
    do {
        last->next = head;
        /* relaxed: who follows the links is the next one that shrinks, or bw_close, and both come after
         * this one by tree->shrinking. What other threads have put there meanwhile stays published by
         * their release, as this is a read-modify-write. */
    } while (!atomic_compare_exchange_weak_explicit(&tree->depot.chunks, &head, first,
                                                    memory_order_relaxed, memory_order_relaxed));
}

static int by_address(const void *left, const void *right) {
    uintptr_t a = (uintptr_t)((const bw_lot *)left)->chunk;
    uintptr_t b = (uintptr_t)((const bw_lot *)right)->chunk;
    return (a > b) - (a < b);
}

/* Takes all chunks. False if there are none, or no memory for a haul; then nothing is taken. */
static bool haul_begin(bw_tree *tree, bw_haul *haul) {
    /* acquire: pairs with the release in chunk_refill, so that headers are readable. */
    bw_chunk *first = atomic_exchange_explicit(&tree->depot.chunks, NULL, memory_order_acquire);
    bw_chunk *last = first;
    if (first == NULL)
        return false;
    size_t count = 0;
    for (bw_chunk *chunk = first; chunk != NULL; chunk = chunk->next, count++)
        last = chunk;
    *haul = (bw_haul){.count = count};
    haul->lots = bw_alloc(&tree->options, count * sizeof *haul->lots, BW_CACHE_LINE);
    if (haul->lots == NULL) {
        chunks_push(tree, first, last);
        return false;
    }
    bw_lot *lot = haul->lots;
    for (bw_chunk *chunk = first; chunk != NULL; chunk = chunk->next)
        *lot++ = (bw_lot){.chunk = chunk};
    qsort(haul->lots, count, sizeof *haul->lots, by_address);
    return true;
}

/* The lot of the chunk that an address lies in, NULL if that is no chunk of the haul. */
static bw_lot *lot_at(const bw_haul *haul, const void *address) {
    size_t from = 0; /* the first chunk that begins behind the address is one of these */
    size_t to = haul->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if ((uintptr_t)haul->lots[middle].chunk <= (uintptr_t)address)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == 0)
        return NULL;
    bw_lot *lot = &haul->lots[from - 1];
    return (uintptr_t)address - (uintptr_t)lot->chunk < lot->chunk->size ? lot : NULL;
}

/* ---- gathering ---- */

static void haul_batch(bw_haul *haul, unsigned class, bw_free_node *node) {
    while (node != NULL) {
        bw_free_node *next = node->next;
        bw_lot *lot = lot_at(haul, node);
        bw_free_node **list = lot == NULL ? &haul->strays[class] : &lot->objects[class];
        node->next = *list;
        *list = node;
        if (lot != NULL)
            lot->bytes += bw_class_size(class);
        node = next;
    }
}

static void haul_depot(bw_haul *haul, bw_tree *tree) {
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        for (unsigned i = 0; i < BW_DEPOT_STACKS; i++) {
            /* relaxed: most are empty; of one that is not, what is read comes with the exchange. */
            if (atomic_load_explicit(&tree->depot.batches[class][i], memory_order_relaxed) == NULL)
                continue;
            /* acquire: pairs with the release in stack_fill and stack_push. */
            bw_free_node *batch = atomic_exchange_explicit(&tree->depot.batches[class][i], NULL,
                                                           memory_order_acquire);
            while (batch != NULL) {
                bw_free_node *next = batch->next_batch;
                haul_batch(haul, class, batch);
                batch = next;
            }
        }
    }
}

/* The magazines' objects, as if the pool had given them to the depot. */
typedef struct bw_magazines {
    bw_free_node *active[BW_CLASSES], *full[BW_CLASSES];
} bw_magazines;

static bw_magazines pool_empty(bw_pool *pool) {
    bw_magazines magazines;
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        magazines.active[class] = pool->classes[class].active;
        magazines.full[class] = pool->classes[class].full;
        if (magazines.active[class] == NULL && magazines.full[class] == NULL)
            continue; /* most are: their counts are 0 */
        uint64_t count = bw_figure(&pool->classes[class].active_count);
        if (magazines.active[class] != NULL)
            magazines.active[class]->count = count;
        count += bw_figure(&pool->classes[class].full_count);
        bw_figure_add(&pool->classes[class].supplied, 0 - count);
        pool->classes[class].active = NULL;
        pool->classes[class].full = NULL;
        bw_figure_set(&pool->classes[class].active_count, 0);
        bw_figure_set(&pool->classes[class].full_count, 0);
    }
    return magazines;
}

static void haul_magazines(bw_haul *haul, const bw_magazines *magazines) {
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        haul_batch(haul, class, magazines->active[class]);
        haul_batch(haul, class, magazines->full[class]);
    }
}

void bw_pool_hand_over(bw_thread *self) {
    bw_magazines magazines = pool_empty(&self->pool);
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        if (magazines.active[class] != NULL)
            bw_depot_push(self, class, magazines.active[class]);
        if (magazines.full[class] != NULL)
            bw_depot_push(self, class, magazines.full[class]);
    }
}

/* ---- giving back ---- */

/* The pool lets go of its chunk if all that it has cut from it is in hand. */
static void pool_leave_chunk(const bw_haul *haul, bw_pool *pool) {
    const bw_lot *lot = pool->chunk == NULL ? NULL : lot_at(haul, pool->chunk);
    if (lot == NULL || lot->bytes != bw_pool_chunk_cut(pool))
        return;
    /* relaxed: read below, by this thread. */
    atomic_store_explicit(&pool->chunk->cut, lot->bytes, memory_order_relaxed);
    pool->chunk = NULL;
    pool->chunk_next = pool->chunk_end = NULL;
    pool->chunk_size = 0;
}

/* Batches in the making, one a class. */
typedef struct bw_batches {
    bw_free_node *first[BW_CLASSES];
    unsigned count[BW_CLASSES];
} bw_batches;

static void batch_push(bw_thread *self, bw_batches *batches, unsigned class) {
    if (batches->count[class] == 0)
        return;
    batches->first[class]->count = batches->count[class];
    bw_depot_push(self, class, batches->first[class]);
    batches->first[class] = NULL;
    batches->count[class] = 0;
}

static void batch_objects(bw_thread *self, bw_batches *batches, bw_free_node *const *objects) {
    for (unsigned class = 0; class < BW_CLASSES; class++) {
        for (bw_free_node *node = objects[class]; node != NULL;) {
            bw_free_node *next = node->next;
            node->next = batches->first[class];
            batches->first[class] = node;
            if (++batches->count[class] == bw_magazine(class))
                batch_push(self, batches, class);
            node = next;
        }
    }
}

/* Gives the chunks back that are whole, and puts everything else where it came from. */
static void haul_end(bw_thread *self, bw_haul *haul) {
    bw_tree *tree = self->tree;
    bw_chunk *first = NULL;
    bw_chunk *last = NULL;
    bw_batches batches = {0};
    for (size_t i = 0; i < haul->count; i++) {
        bw_lot *lot = &haul->lots[i];
        bw_chunk *chunk = lot->chunk;
        /* acquire: pairs with the release in chunk_refill: the thread that cut from it is done with it.
         * Those that used its objects are, since they have freed them. */
        if (atomic_load_explicit(&chunk->cut, memory_order_acquire) == lot->bytes) {
            bw_figure_add(&self->pool.reserved_bytes, 0 - (uint64_t)chunk->size);
            bw_dealloc(&tree->options, chunk, chunk->size, chunk->alignment);
            continue;
        }
        batch_objects(self, &batches, lot->objects);
        chunk->next = first;
        first = chunk;
        if (last == NULL)
            last = chunk;
    }
    batch_objects(self, &batches, haul->strays);
    for (unsigned class = 0; class < BW_CLASSES; class++)
        batch_push(self, &batches, class);
    if (first != NULL)
        chunks_push(tree, first, last);
    bw_dealloc(&tree->options, haul->lots, haul->count * sizeof *haul->lots, BW_CACHE_LINE);
}

static void shrink(bw_thread *self) {
    bw_tree *tree = self->tree;
    uint64_t reserved;
    uint64_t live;
    bw_memory_bytes(tree, &reserved, &live);
    bw_haul haul;
    if (reserved < live + BW_CHUNK_MIN || !haul_begin(tree, &haul))
        return;
    /* The registrations' acquire: as in bw_epoch_try_advance. A registration is borrowed for moments
     * only, so that new threads find it. */
    bw_thread *threads = atomic_load_explicit(&tree->threads, memory_order_acquire);
    for (bw_thread *thread = threads; thread != NULL; thread = thread->next) {
        bool borrowed = thread != self && bw_thread_borrow(thread);
        if (thread != self && !borrowed)
            continue;
        bw_magazines magazines = pool_empty(&thread->pool);
        if (borrowed)
            bw_thread_return(thread);
        haul_magazines(&haul, &magazines);
    }
    haul_depot(&haul, tree);
    pool_leave_chunk(&haul, &self->pool);
    for (bw_thread *thread = threads; thread != NULL; thread = thread->next) {
        if (thread != self && bw_thread_borrow(thread)) {
            pool_leave_chunk(&haul, &thread->pool);
            bw_thread_return(thread);
        }
    }
    haul_end(self, &haul);
}

bw_status bw_memory_shrink(bw_tree *tree) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    uint64_t idle = 0;
    /* Under a pin, so that bw_close meets that or this. acquire: pairs with the release below, so that
     * all that shrink are in a row, and bw_close, which comes after the last, after all. */
    bool alone = tree->options.pooling &&
                 atomic_compare_exchange_strong_explicit(
                     &tree->shrinking, &idle, 1, memory_order_acquire, memory_order_relaxed);
    bw_leave(self);
    if (!alone)
        return BW_OK;
    shrink(self);
    /* release: what was done here is done for the next one (see chunks_push), and for bw_close. */
    atomic_store_explicit(&tree->shrinking, 0, memory_order_release);
    return BW_OK;
}
