/* cells.h: address space at fixed places, and its shadow cells.
 *
 * The heap, the fibers' stacks and their thread-local variables lie at fixed addresses, and the program
 * is linked at a fixed address, so that an execution can be repeated to the last bit, also in another
 * process. Every 8 bytes of this memory and of the program's variables have a shadow cell. Cells are
 * never cleared: a cell whose execution number is not the present one is stale and begins anew.
 *
 * Every access of the program comes through here, so the common way is in line. runtime.h includes this.
 */
#ifndef BWX_CELLS_H
#define BWX_CELLS_H

enum { BWX_HEAP_BYTES = 16 << 20, BWX_STACK_BYTES = 256 << 10, BWX_LOCALS_BYTES = 128 << 10 };

#define BWX_BASE   ((uintptr_t)0x1000000000)
#define BWX_STACKS ((uintptr_t)BWX_THREADS * BWX_HEAP_BYTES)
#define BWX_LOCALS (BWX_STACKS + (uintptr_t)BWX_THREADS * BWX_STACK_BYTES)
#define BWX_SPACE  (BWX_LOCALS + (uintptr_t)BWX_THREADS * BWX_LOCALS_BYTES)

typedef struct bwx_space {
    bwx_cell *cells;                         /* of BWX_BASE …, then of the program's variables */
    bwx_record (*records)[BWX_CELL_RECORDS]; /* of each cell: beside it, since most have none */
    uintptr_t globals, globals_size;
} bwx_space;

extern bwx_space bwx_watched;

bwx_cell *bwx_cell_fresh(bwx_cell *cell, uintptr_t address);

static inline uintptr_t bwx_heap_base(unsigned thread) {
    return BWX_BASE + (uintptr_t)thread * BWX_HEAP_BYTES;
}

static inline uintptr_t bwx_stack_base(unsigned thread) {
    return BWX_BASE + BWX_STACKS + (uintptr_t)thread * BWX_STACK_BYTES;
}

static inline uintptr_t bwx_locals_base(unsigned thread) {
    return BWX_BASE + BWX_LOCALS + (uintptr_t)thread * BWX_LOCALS_BYTES;
}

static inline bool bwx_is_heap(uintptr_t address) {
    return address - BWX_BASE < BWX_STACKS;
}

/* NULL: memory that is not watched. */
static inline bwx_cell *bwx_cell_of(uintptr_t address) {
    bwx_cell *cell;
    if (BWX_LIKELY(address - BWX_BASE < BWX_SPACE))
        cell = &bwx_watched.cells[(address - BWX_BASE) >> 3];
    else if (address - bwx_watched.globals < bwx_watched.globals_size)
        cell = &bwx_watched.cells[(BWX_SPACE + address - bwx_watched.globals) >> 3];
    else
        return NULL;
    return BWX_LIKELY(cell->execution == bwx.execution) ? cell : bwx_cell_fresh(cell, address);
}

static inline bwx_record *bwx_records_of(const bwx_cell *cell) {
    return bwx_watched.records[cell - bwx_watched.cells];
}

#endif
