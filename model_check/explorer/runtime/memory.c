/* memory.c: address space at fixed places, shadow cells, and what an execution has changed.
 *
 * The heap, the fibers' stacks and their thread-local variables lie at fixed addresses, and the program
 * is linked at a fixed address, so that an execution can be repeated to the last bit, also in another
 * process. Every 8 bytes of this memory and of the program's variables have a shadow cell. Cells are
 * never cleared: a cell whose execution number is not the present one is stale and begins anew.
 *
 * Before each execution the program's variables become what they were before main: markers.S puts a
 * symbol in front of and behind the program's .data and .bss (the runtime's own come after them). Small
 * programs are copied back whole; of large ones, the pages that were written.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <sys/mman.h>

#define BASE   ((uintptr_t)0x1000000000)
#define STACKS ((uintptr_t)BWX_THREADS * BWX_HEAP_BYTES)
#define LOCALS (STACKS + (uintptr_t)BWX_THREADS * BWX_STACK_BYTES)
#define TOTAL  (LOCALS + (uintptr_t)BWX_THREADS * BWX_LOCALS_BYTES)

enum { PAGE = 4096, COPIED_WHOLE = 16384, PARTS = 2 };

extern char bwx_data_begin[], bwx_data_end[], bwx_bss_begin[], bwx_bss_end[];

static bwx_cell *cells;        /* of BASE … */
static bwx_cell *global_cells; /* of the program's variables */
static uintptr_t globals_begin, globals_size;
static struct {
    char *begin;
    size_t size;
    char *image;
    bool whole;
    uint8_t *dirty; /* a byte for each page */
} parts[PARTS];

void *bwx_reserve(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        bwx_fatal("cannot reserve %zu bytes of address space", bytes);
    return memory;
}

static void part_open(unsigned number, char *begin, const char *end) {
    size_t size = (size_t)(end - begin);
    parts[number].begin = begin;
    parts[number].size = size;
    parts[number].image = bwx_reserve(size + PAGE);
    parts[number].whole = size <= COPIED_WHOLE;
    parts[number].dirty = bwx_reserve(size / PAGE + 2);
    memcpy(parts[number].image, begin, size);
}

void bwx_memory_open(void) {
    void *memory = mmap((void *)BASE, TOTAL, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory != (void *)BASE)
        bwx_fatal("cannot reserve the address space at %p", (void *)BASE);
    for (unsigned i = 0; i < BWX_THREADS;
         i++) /* a stack that overflows meets a page without access */
        (void)mprotect((void *)bwx_stack_base(i), PAGE, PROT_NONE);
    cells = bwx_reserve(TOTAL / 8 * sizeof *cells);
    globals_begin = (uintptr_t)bwx_data_begin & ~(uintptr_t)7;
    globals_size = (uintptr_t)bwx_bss_end - globals_begin + 8;
    global_cells = bwx_reserve((globals_size / 8 + 1) * sizeof *global_cells);
    part_open(0, bwx_data_begin, bwx_data_end);
    part_open(1, bwx_bss_begin, bwx_bss_end);
}

uintptr_t bwx_heap_base(unsigned thread) {
    return BASE + (uintptr_t)thread * BWX_HEAP_BYTES;
}

uintptr_t bwx_stack_base(unsigned thread) {
    return BASE + STACKS + (uintptr_t)thread * BWX_STACK_BYTES;
}

uintptr_t bwx_locals_base(unsigned thread) {
    return BASE + LOCALS + (uintptr_t)thread * BWX_LOCALS_BYTES;
}

bool bwx_is_heap(uintptr_t address) {
    return address - BASE < STACKS;
}

bool bwx_is_global(uintptr_t address) {
    return address - globals_begin < globals_size;
}

void bwx_globals(const char **begin, const char **end, unsigned part) {
    *begin = parts[part].begin;
    *end = parts[part].begin + parts[part].size;
}

static inline bwx_cell *fresh(bwx_cell *cell, uintptr_t address) {
    if (BWX_LIKELY(cell->execution == bwx.execution))
        return cell;
    cell->execution = bwx.execution;
    cell->location = BWX_NONE;
    cell->block = 0;
    cell->initialised = 0xff;
    cell->count = 0;
    cell->more = 0;
    if (bwx_is_heap(address)) {
        cell->block = bwx_block_index(address);
        if (cell->block != 0 && !bwx_block_number(cell->block - 1)->zeroed)
            cell->initialised = 0;
    }
    return cell;
}

bwx_cell *bwx_cell_of(uintptr_t address) {
    uintptr_t offset = address - BASE;
    if (BWX_LIKELY(offset < TOTAL))
        return fresh(&cells[offset >> 3], address);
    offset = address - globals_begin;
    if (offset < globals_size)
        return fresh(&global_cells[offset >> 3], address);
    return NULL;
}

void bwx_dirty(uintptr_t address, size_t size) {
    for (unsigned i = 0; i < PARTS; i++) {
        uintptr_t offset = address - (uintptr_t)parts[i].begin;
        if (parts[i].whole || offset >= parts[i].size)
            continue;
        for (size_t page = offset / PAGE; page <= (offset + size - 1) / PAGE; page++)
            parts[i].dirty[page] = 1;
    }
}

void bwx_memory_reset(void) {
    for (unsigned i = 0; i < PARTS; i++) {
        if (parts[i].whole) {
            memcpy(parts[i].begin, parts[i].image, parts[i].size);
            continue;
        }
        for (size_t page = 0; page * PAGE < parts[i].size; page++) {
            if (parts[i].dirty[page] == 0)
                continue;
            size_t rest = parts[i].size - page * PAGE;
            memcpy(parts[i].begin + page * PAGE, parts[i].image + page * PAGE,
                   rest < PAGE ? rest : PAGE);
            parts[i].dirty[page] = 0;
        }
    }
}
