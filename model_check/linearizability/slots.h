/* slots.h: the parts in flight at one moment of a walk through time, and how long it may take. Internal to
 * the searches.
 *
 * A part takes a slot when it is invoked and gives it back when it responds; one that never responds
 * keeps it. Mutators that do the same are chained by their responses: the one that must respond first may
 * go first.
 */
#ifndef LIN_SLOTS_H
#define LIN_SLOTS_H

#include "configuration.h"
#include "search.h"

#define LIN_NO_SLOT UINT32_MAX

typedef struct lin_slots {
    uint32_t words;
    uint32_t taken, due;                  /* slots in use; those of them that must respond */
    uint64_t *occupied, *mutators, *open; /* bits; open: never responds */
    uint32_t *part;                       /* in the slot */
    uint32_t *heap;                       /* slots that must respond, the first at the root */
    uint32_t *twin_before, *twin_after;   /* slots of mutators that do the same */
    const lin_part *parts;                /* of the last that entered */
} lin_slots;

bool lin_slots_make(lin_slots *slots, uint32_t words);
void lin_slots_free(lin_slots *slots);
void lin_slots_clear(lin_slots *slots);

/* The slot that the part gets; LIN_NO_SLOT: none is free. */
uint32_t lin_slots_enter(lin_slots *slots, const lin_part *parts, uint32_t index);

/* The part in `slot`, the first that must respond, has responded. */
void lin_slots_leave(lin_slots *slots, const lin_part *parts, uint32_t slot);

/* The part that must respond first; there is one if due > 0. */
static inline uint32_t lin_slots_first(const lin_slots *slots) {
    return slots->part[slots->heap[0]];
}

/* Not before its twin. */
static inline bool lin_slots_may_go(const lin_slots *slots, const uint64_t *done, uint32_t slot) {
    uint32_t twin = slots->twin_before[slot];
    return twin == LIN_NO_SLOT || bit_is_set(done, twin);
}

static inline bool lin_same_effect(const lin_part *a, const lin_part *b) {
    return a->need == b->need && a->effect == b->effect && a->want == b->want && a->give == b->give;
}

typedef struct lin_clock {
    uint64_t deadline, ticks; /* nanoseconds of the monotonic clock; 0: none */
    const _Atomic bool *stop;
} lin_clock;

void lin_clock_start(lin_clock *clock, const lin_limits *limits);
int lin_clock_look(const lin_clock *clock);

/* LIN_OK, or why to end. */
static inline int lin_clock_tick(lin_clock *clock) {
    return (++clock->ticks & 0xfff) != 0 ? LIN_OK : lin_clock_look(clock);
}

#endif
