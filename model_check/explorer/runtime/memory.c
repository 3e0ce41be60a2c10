/* memory.c: the program's memory, and what an execution has changed in it.
 *
 * Before each execution the program's variables become what they were before main: markers.S puts a
 * symbol in front of and behind the program's .data and .bss (the runtime's own come after them). Small
 * programs are copied back whole; of large ones, the pages that were written.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <sys/mman.h>

enum { PAGE = 4096, COPIED_WHOLE = 16384, PARTS = 2 };

extern char bwx_data_begin[], bwx_data_end[], bwx_bss_begin[], bwx_bss_end[];

bwx_space bwx_watched;
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
    void *memory = mmap((void *)BWX_BASE, BWX_SPACE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory != (void *)BWX_BASE)
        bwx_fatal("cannot reserve the address space at %p", (void *)BWX_BASE);
    for (unsigned i = 0; i < BWX_THREADS;
         i++) /* a stack that overflows meets a page without access */
        (void)mprotect((void *)bwx_stack_base(i), PAGE, PROT_NONE);
    bwx_watched.globals = (uintptr_t)bwx_data_begin & ~(uintptr_t)7;
    bwx_watched.globals_size = (uintptr_t)bwx_bss_end - bwx_watched.globals + 8;
    size_t cells = (BWX_SPACE + bwx_watched.globals_size) / 8 + 1;
    bwx_watched.cells = bwx_reserve(cells * sizeof *bwx_watched.cells);
    bwx_watched.records = bwx_reserve(cells * sizeof *bwx_watched.records);
    part_open(0, bwx_data_begin, bwx_data_end);
    part_open(1, bwx_bss_begin, bwx_bss_end);
}

void bwx_globals(const char **begin, const char **end, unsigned part) {
    *begin = parts[part].begin;
    *end = parts[part].begin + parts[part].size;
}

bwx_cell *bwx_cell_fresh(bwx_cell *cell, uintptr_t address) {
    cell->execution = bwx.execution;
    cell->location = BWX_NONE;
    cell->block = 0;
    cell->initialised = 0xff;
    cell->count = 0;
    cell->more = 0;
    if (bwx_is_heap(address)) {
        cell->block = bwx_block_index(address);
        cell->initialised = cell->block == 0 ? 0 : bwx_block_zeros(cell->block - 1, address);
    }
    return cell;
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
