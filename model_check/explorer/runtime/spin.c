/* spin.c: threads that wait in a loop.
 *
 * A loop that waits for another thread would be explored without end: each turn is one more step. But
 * a thread that is in the very state in which it has been before (the same call, the same registers and
 * stack), that has changed nothing in between and has read the same messages all the while, will do the
 * same again for ever unless something it reads changes. So it is stopped until one of these locations
 * has a newer message; if that can never be, the loop never ends: a livelock.
 *
 * The state of a thread is its kept registers and its stack, as switch.S finds them at the call. Memory
 * of its own beyond the stack counts as changed when it is written. Loops that count their turns are
 * in another state each time and run on.
 */
#include "runtime.h"

enum { SHALLOW = 64 }; /* words */

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t state_of(const bwx_thread *self, const uint64_t *registers) {
    const uint64_t *end = self->stack_top;
    uint64_t hash = 1;
    for (const uint64_t *word = registers; word < end; word++)
        hash = mix(hash, *word);
    return hash;
}

void bwx_side_effect(bwx_thread *self) {
    self->ring_count = 0;
}

void bwx_spin_check(bwx_thread *self, const bwx_op *op, const uint64_t *registers) {
    self->awaits = 0;
    if (registers == NULL || self->ring_count == 0)
        return;
    uint64_t state = 0;
    for (unsigned i = 0; i < self->ring_count; i++) {
        const bwx_read *entry = &self->ring[i];
        if (entry->state == 0 || entry->pc != op->pc || entry->object != op->object)
            continue;
        if (state == 0)
            state = state_of(self, registers);
        if (entry->state != state)
            continue;
        self->awaits = self->ring_count - i;
        memcpy(self->awaited, entry, self->awaits * sizeof *entry);
        return;
    }
}

void bwx_spin_note(bwx_thread *self, const bwx_op *op, const uint64_t *registers,
                   uint32_t message) {
    if (registers == NULL)
        return;
    /* Deep stacks are looked at from a loop's second turn on. */
    bool looked = (const uint64_t *)self->stack_top - registers <= SHALLOW;
    for (unsigned i = 0; i < self->ring_count && !looked; i++)
        looked = self->ring[i].pc == op->pc && self->ring[i].object == op->object;
    uint64_t state = looked ? state_of(self, registers) : 0;
    if (self->ring_count == BWX_RING) {
        memmove(&self->ring[0], &self->ring[1], (BWX_RING - 1) * sizeof self->ring[0]);
        self->ring_count--;
    }
    self->ring[self->ring_count++] =
        (bwx_read){.pc = op->pc, .object = op->object, .message = message, .state = state};
}

/* Has something changed of what the loop reads? */
bool bwx_spin_may_run(const bwx_thread *self) {
    if (self->awaits == 0)
        return true;
    for (unsigned i = 0; i < self->awaits; i++) {
        const bwx_location *location = &bwx_locations[self->awaited[i].object];
        if (!location->made || location->newest != self->awaited[i].message)
            return true;
    }
    return false;
}
