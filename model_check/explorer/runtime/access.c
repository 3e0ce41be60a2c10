/* access.c: is this access ordered, inside a live block, initialised?
 *
 * Two accesses to the same byte by different threads, one of them a write and not both atomic, must be
 * ordered by happens-before (C11 5.1.2.4p25), else they race. Each shadow cell keeps, for every thread,
 * kind and set of bytes, when that was last done (the thread's own count of steps): enough to find, for
 * every new access, whether an earlier one is unordered. A plain write that is ordered after a record
 * makes it superfluous: whoever races with the older access races with the write as well.
 *
 * Giving a block back is like a plain write to all of it: an access that is not ordered before it is a
 * use after free, in whichever order the two have been executed.
 *
 * A read is reported as uninitialised when none of its bytes has ever been written: compilers load
 * padding together with what is beside it. Copies (memcpy, struct assignment) may copy such bytes.
 */
#include "runtime.h"

enum { WRITE = 1, ATOMIC = 2, MAX_MORE = 60000, MORE_RECORDS = 8 };

typedef struct more {
    uint16_t next, count;
    bwx_record records[MORE_RECORDS];
} more;

static more *overflow;
static unsigned overflow_count;

void bwx_access_reset(void) {
    if (overflow == NULL)
        overflow = bwx_reserve(sizeof(more) * (MAX_MORE + 1));
    overflow_count = 0;
}

static const char *kind_of(unsigned who) {
    static const char *const names[4] = {"read", "write", "atomic read", "atomic write"};
    return names[who & 3];
}

static inline bool conflict(unsigned one, unsigned other) {
    return ((one | other) & WRITE) != 0 && (one & other & ATOMIC) == 0;
}

static void race(const bwx_record *old, uintptr_t address, unsigned size, unsigned kind,
                 uint32_t pc) {
    bwx_find(BWX_DATA_RACE, pc, old->pc,
             "thread %u's %s of %u byte%s at %p and thread %u's %s there are not ordered",
             bwx.current->id, kind_of(kind), size, size == 1 ? "" : "s", (void *)address,
             old->who >> 2U, kind_of(old->who));
}

/* Drops the records whose bits are set. */
static unsigned drop(bwx_record *records, unsigned count, uint32_t superfluous) {
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        if ((superfluous >> i & 1) == 0)
            records[kept++] = records[i];
    return kept;
}

/* Looks at one array of records; drops those that the new access supersedes. */
static inline unsigned check(bwx_record *records, unsigned count, uint8_t bytes, unsigned kind,
                             uintptr_t address, unsigned size, uint32_t pc) {
    const bwx_thread *self = bwx.current;
    uint32_t superfluous = 0;
    for (unsigned i = 0; i < count; i++) {
        const bwx_record *record = &records[i];
        if ((record->bytes & bytes) == 0)
            continue;
        unsigned thread = record->who >> 2U;
        if (thread != self->id && conflict(record->who, kind) &&
            record->epoch > self->now.clock.at[thread])
            race(record, address, size, kind, pc);
        if ((record->bytes & ~bytes) == 0 &&
            (kind == WRITE || (thread == self->id && (record->who & 3U) == kind)))
            superfluous |= 1U << i;
    }
    return superfluous == 0 ? count : drop(records, count, superfluous);
}

static void add_overflow(bwx_cell *cell, bwx_record record) {
    uint16_t *link = &cell->more;
    while (*link != 0 && overflow[*link].count == MORE_RECORDS)
        link = &overflow[*link].next;
    if (*link == 0) {
        if (overflow_count == MAX_MORE)
            bwx_find(BWX_UNSUPPORTED, record.pc, 0,
                     "too many different accesses to the same bytes in one execution");
        *link = (uint16_t)++overflow_count;
        overflow[*link].next = 0;
        overflow[*link].count = 0;
    }
    more *extra = &overflow[*link];
    extra->records[extra->count++] = record;
}

static void outside(uintptr_t address, unsigned size, unsigned kind, uint32_t pc) {
    const bwx_block *near = NULL;
    for (uintptr_t back = address & ~(uintptr_t)15; near == NULL && address - back < 256;
         back -= 16)
        near = bwx_block_of(back);
    if (near != NULL)
        bwx_find(BWX_OUT_OF_BOUNDS, pc, near->pc,
                 "a %s of %u bytes at %p, %zu bytes behind the begin of a block of %zu",
                 kind_of(kind), size, (void *)address, (size_t)(address - near->address),
                 near->size);
    bwx_find(BWX_OUT_OF_BOUNDS, pc, 0, "a %s of %u bytes at %p, which belongs to no block",
             kind_of(kind), size, (void *)address);
}

/* The same again since the thread's last step: nobody else has run in between. */
static inline bool known(const bwx_cell *cell, uint8_t who, uint8_t bytes, int16_t epoch) {
    const bwx_record *records = bwx_records_of(cell);
    for (unsigned i = 0; i < cell->count; i++)
        if (records[i].who == who && records[i].bytes == bytes && records[i].epoch == epoch)
            return true;
    return false;
}

static inline uint8_t bytes_of(uintptr_t address, size_t size) {
    return (uint8_t)(((1U << size) - 1) << (address & 7));
}

/* One access within 8 bytes. */
static inline void access_cell(uintptr_t address, unsigned size, unsigned flags, uint32_t pc) {
    bwx_cell *cell = bwx_cell_of(address);
    if (cell == NULL)
        return;
    bwx_thread *self = bwx.current;
    unsigned kind =
        ((flags & BWX_WRITES) != 0 ? WRITE : 0) | ((flags & BWX_ATOMIC) != 0 ? ATOMIC : 0);
    uint8_t bytes = bytes_of(address, size);
    if (bwx_is_heap(address)) {
        if (cell->block == 0)
            outside(address, size, kind, pc);
        const bwx_block *block = &bwx_blocks[cell->block - 1];
        if (BWX_UNLIKELY(address + size > block->address + block->size || address < block->address))
            outside(address, size, kind, pc);
        if (BWX_UNLIKELY(block->freed))
            bwx_find(BWX_USE_AFTER_FREE, pc, block->free_pc,
                     "thread %u's %s of %u bytes, %zu bytes into a block of %zu that thread %u has "
                     "freed",
                     self->id, kind_of(kind), size, (size_t)(address - block->address), block->size,
                     block->free_thread);
        if ((cell->initialised & bytes) != bytes) {
            if ((flags & BWX_READS) != 0 && (cell->initialised & bytes) == 0 &&
                (flags & BWX_QUIET) == 0)
                bwx_find(
                    BWX_UNINITIALISED, pc, block->pc,
                    "thread %u's %s of %u bytes, %zu bytes into a block of %zu that nobody has "
                    "written yet",
                    self->id, kind_of(kind), size, (size_t)(address - block->address), block->size);
            if ((flags & BWX_WRITES) != 0)
                cell->initialised |= bytes;
        }
    }
    if (cell->location != BWX_NONE && kind == WRITE)
        bwx_location_forget(cell, address, size);
    if (bwx.solo) /* ordered after all that was, and before all that will be */
        return;
    int16_t epoch = (int16_t)(self->steps + ((flags & BWX_ATOMIC) != 0 ? 0 : 1));
    uint8_t who = (uint8_t)(self->id << 2U | kind);
    if (known(cell, who, bytes, epoch))
        return;
    bwx_record *records = bwx_records_of(cell);
    cell->count = (uint8_t)check(records, cell->count, bytes, kind, address, size, pc);
    for (uint16_t at = cell->more; at != 0; at = overflow[at].next)
        overflow[at].count = (uint16_t)check(overflow[at].records, overflow[at].count, bytes, kind,
                                             address, size, pc);
    bwx_record record = {.pc = pc, .epoch = epoch, .bytes = bytes, .who = who};
    if (BWX_LIKELY(cell->count < BWX_CELL_RECORDS))
        records[cell->count++] = record;
    else
        add_overflow(cell, record);
}

/* Many bytes of one block that are written, or copied by the only thread: what there is to do without a
 * look at each access. Tells whether that was all. */
static bool whole_range(uintptr_t address, size_t size, unsigned flags, uint32_t pc) {
    const bwx_block *block = bwx_block_of(address);
    if (block == NULL || block->freed || ((address | size) & 7) != 0 ||
        size > block->size - (address - block->address))
        return false;
    if ((flags & BWX_WRITES) == 0)
        return bwx.solo && (flags & BWX_QUIET) != 0;
    uint32_t number = (uint32_t)(block - bwx_blocks) + 1;
    bwx_record record = {.pc = pc,
                         .epoch = (int16_t)(bwx.current->steps + 1),
                         .bytes = 0xff,
                         .who = (uint8_t)(bwx.current->id << 2U | WRITE)};
    for (uintptr_t at = address; at < address + size; at += 8) {
        bwx_cell *cell = &bwx_watched.cells[(at - BWX_BASE) >> 3];
        if (cell->execution != bwx.execution) { /* nobody has touched it */
            *cell = (bwx_cell){.execution = bwx.execution,
                               .location = BWX_NONE,
                               .block = number,
                               .initialised = 0xff,
                               .count = !bwx.solo};
            bwx_records_of(cell)[0] = record;
        } else if (bwx.solo) {
            if (cell->location != BWX_NONE)
                bwx_location_forget(cell, at, 8);
            cell->initialised = 0xff;
        } else {
            access_cell(at, 8, flags, pc);
        }
    }
    return true;
}

void bwx_access(uintptr_t address, size_t size, unsigned flags, uint32_t pc) {
    if (bwx.solo && (flags & BWX_WRITES) == 0 && !bwx_is_heap(address))
        return;
    if (size > 8 && whole_range(address, size, flags, pc))
        return;
    while (size > 0) {
        size_t part = 8 - (address & 7);
        part = part < size ? part : size;
        access_cell(address, (unsigned)part, flags, pc);
        address += part;
        size -= part;
    }
}

static void check_free(const bwx_record *records, unsigned count, const bwx_block *block,
                       uintptr_t address, uint32_t pc) {
    const bwx_thread *self = bwx.current;
    for (unsigned i = 0; i < count; i++) {
        unsigned thread = records[i].who >> 2U;
        if (thread == self->id || records[i].epoch <= self->now.clock.at[thread])
            continue;
        bwx_find(
            BWX_USE_AFTER_FREE, records[i].pc, pc,
            "thread %u's %s, %zu bytes into a block of %zu, is not ordered before thread %u frees "
            "the block",
            thread, kind_of(records[i].who), (size_t)(address - block->address), block->size,
            self->id);
    }
}

void bwx_access_free(bwx_block *block, uint32_t pc) {
    for (uintptr_t at = block->address; at < block->address + block->size; at += 8) {
        bwx_cell *cell = bwx_cell_of(at);
        cell->initialised = 0; /* so that whatever touches it again is looked at (bwx_plain) */
        if (bwx.solo)
            continue;
        check_free(bwx_records_of(cell), cell->count, block, at, pc);
        for (uint16_t extra = cell->more; extra != 0; extra = overflow[extra].next)
            check_free(overflow[extra].records, overflow[extra].count, block, at, pc);
    }
}

/* Is it seen at once that the access is fine, and is nothing to be noted? Bytes are only initialised while
 * they belong to a block. */
static inline bool plainly_fine(const bwx_cell *cell, uintptr_t address, size_t size, bool writes) {
    const bwx_thread *self = bwx.current;
    uint8_t bytes = bytes_of(address, size);
    if ((cell->initialised & bytes) != bytes || (writes && cell->location != BWX_NONE))
        return false;
    return bwx.solo ||
           known(cell, (uint8_t)(self->id << 2U | writes), bytes, (int16_t)(self->steps + 1));
}

/* The same, of an atomic access by the only thread. */
bool bwx_access_fine(uintptr_t address, size_t size, bool writes) {
    const bwx_cell *cell = bwx_cell_of(address);
    return cell != NULL && plainly_fine(cell, address, size, writes);
}

/* A plain access of the program. */
void bwx_plain(uintptr_t address, size_t size, unsigned flags, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bool writes = (flags & BWX_WRITES) != 0;
    if (writes) {
        bwx_dirty(address, size);
        if (address - bwx_stack_base(self->id) >= BWX_STACK_BYTES)
            bwx_side_effect(self);
    }
    const bwx_cell *cell = (address & 7) + size <= 8 ? bwx_cell_of(address) : NULL;
    if (cell == NULL || !plainly_fine(cell, address, size, writes))
        bwx_access(address, size, flags, pc);
    if (BWX_UNLIKELY(bwx.logging) && bwx_room_to_log() && !bwx.solo &&
        bwx_cell_of(address) != NULL && address - bwx_stack_base(self->id) >= BWX_STACK_BYTES &&
        address - bwx_locals_base(self->id) >= BWX_LOCALS_BYTES) {
        bwx_op op = {.kind = writes ? BWX_PLAIN_WRITE : BWX_PLAIN_READ,
                     .size = (uint8_t)(size > 255 ? 255 : size),
                     .pc = pc,
                     .object = BWX_NONE,
                     .address = address};
        bwx_step *step = bwx_step_add(self, &op);
        if (!writes && size <= 8)
            memcpy(&step->seen, (const void *)address, size);
    }
}
