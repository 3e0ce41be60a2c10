/* heap.c: malloc and its family.
 *
 * Each modelled thread allocates from an arena of its own at a fixed address, by moving a pointer: a
 * block's address depends only on what its own thread has allocated before, not on the interleaving.
 * Nothing is given out twice in one execution (quarantine), so that every use of a freed block is seen;
 * between blocks lie bytes that belong to none. An execution's end drops everything at once.
 *
 * With the option failures=N, each allocation may fail, N at most in one execution.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { UNIT = 16, GAP = 16, MAX_BLOCKS = 1 << 20 };

bwx_block *bwx_blocks;
static uint32_t block_count;
static uint32_t *block_of_unit; /* number + 1; may be stale: the block's range decides */
static size_t used[BWX_THREADS];
static uint32_t live;

void bwx_heap_open(void) {
    bwx_blocks = bwx_reserve(MAX_BLOCKS * sizeof *bwx_blocks);
    block_of_unit =
        bwx_reserve((size_t)BWX_THREADS * BWX_HEAP_BYTES / UNIT * sizeof *block_of_unit);
}

void bwx_heap_reset(void) {
    block_count = 0;
    live = 0;
    for (unsigned i = 0; i < bwx.thread_count; i++)
        used[i] = 0;
}

uint32_t bwx_block_index(uintptr_t address) {
    uint32_t index = block_of_unit[(address - bwx_heap_base(0)) / UNIT];
    if (index == 0 || index > block_count)
        return 0;
    const bwx_block *block = &bwx_blocks[index - 1];
    uintptr_t granule = address & ~(uintptr_t)7;
    return granule - block->address < ((block->size + 7) & ~(size_t)7) ? index : 0;
}

uint8_t bwx_block_zeros(uint32_t number, uintptr_t address) {
    const bwx_block *block = &bwx_blocks[number];
    if (!block->zeroed)
        return 0;
    size_t rest = block->address + block->size - (address & ~(uintptr_t)7);
    return rest >= 8 ? 0xff : (uint8_t)((1U << rest) - 1);
}

bwx_block *bwx_block_of(uintptr_t address) {
    if (!bwx_is_heap(address))
        return NULL;
    uint32_t index = bwx_block_index(address);
    if (index == 0 || address - bwx_blocks[index - 1].address >= bwx_blocks[index - 1].size)
        return NULL;
    return &bwx_blocks[index - 1];
}

/* Does the program's allocation fail this time? */
static bool fails(void) {
    if (bwx.failures_left == 0)
        return false;
    static const uint32_t options[2] = {0, 1};
    if (bwx_choice(options, 2, 0) == 0)
        return false;
    bwx.failures_left--;
    return true;
}

static void *allocate(size_t size, size_t alignment, bool zeroed, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    if (alignment < UNIT)
        alignment = UNIT;
    size_t room = size == 0 ? 1 : size;
    size_t offset = (used[self->id] + alignment - 1) & ~(alignment - 1);
    if (room > BWX_HEAP_BYTES || offset + room + GAP > BWX_HEAP_BYTES) {
        if (room > (size_t)BWX_HEAP_BYTES / 2) { /* no sane program: the answer of a full heap */
            errno = ENOMEM;
            return NULL;
        }
        bwx_find(BWX_UNSUPPORTED, pc, 0,
                 "one thread allocates more than %d MiB in one execution; make the program smaller",
                 BWX_HEAP_BYTES >> 20);
    }
    if (block_count == MAX_BLOCKS)
        bwx_find(BWX_UNSUPPORTED, pc, 0, "more than %d allocations in one execution", MAX_BLOCKS);
    bwx_block *block = &bwx_blocks[block_count++];
    live++;
    *block = (bwx_block){.address = bwx_heap_base(self->id) + offset,
                         .size = size,
                         .pc = pc,
                         .thread = self->id,
                         .zeroed = zeroed};
    used[self->id] = (offset + room + GAP + UNIT - 1) & ~(size_t)(UNIT - 1);
    uint32_t *unit = &block_of_unit[(block->address - bwx_heap_base(0)) / UNIT];
    for (size_t i = 0; i < (room + GAP + UNIT - 1) / UNIT; i++)
        unit[i] = i < (room + UNIT - 1) / UNIT ? block_count : 0;
    if (zeroed)
        memset((void *)block->address, 0, size);
    if (bwx_room_to_log() && !bwx.solo) {
        bwx_op op = {.kind = BWX_ALLOC,
                     .pc = pc,
                     .object = BWX_NONE,
                     .address = block->address,
                     .operand = size};
        bwx_step_add(self, &op);
    }
    return (void *)block->address;
}

static void release(void *memory, uint32_t pc) {
    if (memory == NULL)
        return;
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    bwx_block *block = bwx_block_of((uintptr_t)memory);
    if (block != NULL && block->address == (uintptr_t)memory && block->freed)
        bwx_find(BWX_DOUBLE_FREE, pc, block->free_pc,
                 "the block of %zu bytes at %p was freed before, by thread %u", block->size, memory,
                 block->free_thread);
    if (block == NULL || block->address != (uintptr_t)memory || block->mapped)
        bwx_find(BWX_INVALID_FREE, pc, block != NULL ? block->pc : 0,
                 "%p is not the address of a block from malloc%s", memory,
                 block != NULL ? ", but lies inside one" : "");
    bwx_access_free(block, pc);
    block->freed = true;
    block->free_pc = pc;
    block->free_thread = self->id;
    block->free_epoch = (int16_t)(self->steps + 1);
    live--;
    if (bwx_room_to_log() && !bwx.solo) {
        bwx_op op = {.kind = BWX_FREE,
                     .pc = pc,
                     .object = BWX_NONE,
                     .address = block->address,
                     .operand = block->size};
        bwx_step_add(self, &op);
    }
}

/* ---- leaks: blocks that nothing points to ---- */

static void mark(const char *begin, const char *end);

static void mark_block(bwx_block *block) {
    if (block->marked || block->freed)
        return;
    block->marked = true;
    mark((const char *)block->address, (const char *)block->address + block->size);
}

static void mark(const char *begin, const char *end) {
    for (const char *at = (const char *)(((uintptr_t)begin + 7) & ~(uintptr_t)7); at + 8 <= end;
         at += 8) {
        uintptr_t word;
        memcpy(&word, at, sizeof word);
        if (!bwx_is_heap(word))
            continue;
        bwx_block *block = bwx_block_of(word);
        if (block != NULL)
            mark_block(block);
    }
}

bool bwx_heap_leaks(void) {
    if (!bwx.options.leaks || live == 0)
        return false;
    for (unsigned part = 0; part < 2; part++) {
        const char *begin, *end;
        bwx_globals(&begin, &end, part);
        mark(begin, end);
    }
    /* What the main thread's thread-local variables point to is not lost. */
    mark((const char *)bwx_locals_base(0), (const char *)bwx_locals_base(0) + BWX_LOCALS_BYTES);
    const bwx_block *lost = NULL;
    unsigned count = 0;
    for (uint32_t i = 0; i < block_count; i++) {
        if (bwx_blocks[i].freed || bwx_blocks[i].marked || bwx_blocks[i].mapped)
            continue;
        lost = lost == NULL ? &bwx_blocks[i] : lost;
        count++;
    }
    if (lost == NULL)
        return false;
    bwx.found_thread = lost->thread;
    va_list nothing;
    memset(&nothing, 0, sizeof nothing);
    char sentence[200];
    /* The sentence has no arguments left when it is handed on. */
    __builtin_snprintf(
        sentence, sizeof sentence,
        "%u block(s) are lost at the end of the execution; the first has %zu bytes and "
        "was allocated by thread %u",
        count, lost->size, lost->thread);
    bwx_note_finding(BWX_LEAK, lost->pc, 0, sentence, nothing);
    return true;
}

/* ---- the calls ---- */

void *__wrap_malloc(size_t size) {
    return bwx.running ? allocate(size, UNIT, false, BWX_PC) : malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    size_t bytes;
    if (!bwx.running)
        return calloc(n, size);
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return allocate(bytes, UNIT, true, BWX_PC);
}

void __wrap_free(void *memory) {
    if (bwx.running)
        release(memory, BWX_PC);
    else
        free(memory);
}

void *__wrap_realloc(void *memory, size_t size) {
    if (!bwx.running)
        return realloc(memory, size);
    uint32_t pc = BWX_PC;
    if (memory == NULL)
        return allocate(size, UNIT, false, pc);
    const bwx_block *block = bwx_block_of((uintptr_t)memory);
    if (block == NULL || block->address != (uintptr_t)memory || block->freed)
        release(memory, pc); /* finds what is wrong */
    if (size == 0) {
        release(memory, pc);
        return NULL;
    }
    void *fresh = allocate(size, UNIT, false, pc);
    if (fresh != NULL) {
        size_t bytes = block->size < size ? block->size : size;
        bwx_access((uintptr_t)memory, bytes, BWX_READS | BWX_QUIET, pc);
        memcpy(fresh, memory, bytes);
        bwx_access((uintptr_t)fresh, bytes, BWX_WRITES, pc);
        release(memory, pc);
    }
    return fresh;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    if (!bwx.running)
        return aligned_alloc(alignment, size);
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(size, alignment, false, BWX_PC);
}

void *__wrap_memalign(size_t alignment, size_t size) {
    return allocate(size, alignment, false, BWX_PC);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    *memory = allocate(size, alignment, false, BWX_PC);
    return *memory == NULL ? ENOMEM : 0;
}

char *__wrap_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = allocate(bytes, UNIT, false, BWX_PC);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
        bwx_access((uintptr_t)copy, bytes, BWX_WRITES, BWX_PC);
    }
    return copy;
}

/* Anonymous mappings are zeroed blocks, as large as the program has asked for. */
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, long offset) {
    (void)protection;
    (void)offset;
    if (file >= 0 || (flags & MAP_ANONYMOUS) == 0 || (address != NULL && (flags & MAP_FIXED) != 0))
        bwx_find(BWX_UNSUPPORTED, BWX_PC, 0,
                 "mmap of a file or at a fixed address is not modelled; use malloc");
    char *memory = allocate(bytes, 4096, true, BWX_PC);
    if (memory == NULL)
        return MAP_FAILED;
    bwx_block_of((uintptr_t)memory)->mapped = true;
    return memory;
}

int __wrap_munmap(void *address, size_t bytes) {
    (void)bytes;
    bwx_block *block = bwx_block_of((uintptr_t)address);
    if (block == NULL || !block->mapped || block->address != (uintptr_t)address)
        bwx_find(BWX_UNSUPPORTED, BWX_PC, 0, "munmap of a part of a mapping is not modelled");
    block->mapped = false;
    release(address, BWX_PC);
    return 0;
}

int __wrap_madvise(void *address, size_t bytes, int advice) {
    (void)address;
    (void)bytes;
    (void)advice;
    return 0;
}
