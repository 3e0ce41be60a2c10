/* slots.c: parts come into flight and leave. See slots.h. */
#define _POSIX_C_SOURCE 200809L /* for clock_gettime */
#include "slots.h"

#include <time.h>

/* ------------------------------------------------------------------ time -------------------- */

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void lin_clock_start(lin_clock *clock, const lin_limits *limits) {
    *clock = (lin_clock){.stop = limits->stop};
    if (limits->milliseconds != 0)
        clock->deadline = now() + 1000000u * limits->milliseconds;
}

int lin_clock_look(const lin_clock *clock) {
    if (clock->stop != NULL && atomic_load_explicit(clock->stop, memory_order_relaxed))
        return LIN_UNKNOWN_STOPPED;
    return clock->deadline != 0 && now() > clock->deadline ? LIN_UNKNOWN_TIME : LIN_OK;
}

/* ------------------------------------------------------------------ slots ------------------- */

bool lin_slots_make(lin_slots *slots, uint32_t words) {
    uint64_t count = 64 * (uint64_t)words;
    *slots = (lin_slots){.words = words};
    slots->occupied = calloc(words, sizeof(uint64_t));
    slots->mutators = calloc(words, sizeof(uint64_t));
    slots->open = calloc(words, sizeof(uint64_t));
    slots->part = calloc(count, sizeof(uint32_t));
    slots->heap = calloc(count, sizeof(uint32_t));
    slots->twin_before = calloc(count, sizeof(uint32_t));
    slots->twin_after = calloc(count, sizeof(uint32_t));
    return slots->occupied && slots->mutators && slots->open && slots->part && slots->heap &&
           slots->twin_before && slots->twin_after;
}

void lin_slots_free(lin_slots *slots) {
    free(slots->occupied);
    free(slots->mutators);
    free(slots->open);
    free(slots->part);
    free(slots->heap);
    free(slots->twin_before);
    free(slots->twin_after);
    *slots = (lin_slots){0};
}

void lin_slots_clear(lin_slots *slots) {
    size_t size = slots->words * sizeof(uint64_t);
    memset(slots->occupied, 0, size);
    memset(slots->mutators, 0, size);
    memset(slots->open, 0, size);
    slots->taken = slots->due = 0;
}

static bool earlier(const lin_slots *slots, uint32_t a, uint32_t b) {
    return slots->parts[slots->part[a]].responded < slots->parts[slots->part[b]].responded;
}

static void heap_push(lin_slots *slots, uint32_t slot) {
    uint32_t at = slots->due++;
    for (; at > 0 && earlier(slots, slot, slots->heap[(at - 1) / 2]); at = (at - 1) / 2)
        slots->heap[at] = slots->heap[(at - 1) / 2];
    slots->heap[at] = slot;
}

static void heap_pop(lin_slots *slots) {
    uint32_t last = slots->heap[--slots->due], at = 0;
    for (uint32_t child = 1; child < slots->due; child = 2 * at + 1) {
        if (child + 1 < slots->due && earlier(slots, slots->heap[child + 1], slots->heap[child]))
            child++;
        if (!earlier(slots, slots->heap[child], last))
            break;
        slots->heap[at] = slots->heap[child];
        at = child;
    }
    slots->heap[at] = last;
}

static void chain(lin_slots *slots, uint32_t slot) {
    const lin_part *part = &slots->parts[slots->part[slot]];
    uint32_t before = LIN_NO_SLOT, after = LIN_NO_SLOT;
    for (uint32_t w = 0; w < slots->words; w++) {
        uint64_t others = slots->mutators[w] & slots->occupied[w];
        for (; others != 0; others &= others - 1) {
            uint32_t other = 64 * w + (uint32_t)__builtin_ctzll(others);
            if (other == slot || !lin_same_effect(part, &slots->parts[slots->part[other]]))
                continue;
            if (earlier(slots, slot, other)) {
                if (after == LIN_NO_SLOT || earlier(slots, other, after))
                    after = other;
            } else if (before == LIN_NO_SLOT || !earlier(slots, other, before)) {
                before = other;
            }
        }
    }
    /* Of several that respond together the chain keeps one order: behind the one that is last in it. */
    while (before != LIN_NO_SLOT && slots->twin_after[before] != LIN_NO_SLOT &&
           slots->twin_after[before] != after && !earlier(slots, slot, slots->twin_after[before]))
        before = slots->twin_after[before];
    if (before != LIN_NO_SLOT)
        after = slots->twin_after[before];
    else
        while (after != LIN_NO_SLOT && slots->twin_before[after] != LIN_NO_SLOT)
            after = slots->twin_before[after];
    slots->twin_before[slot] = before;
    slots->twin_after[slot] = after;
    if (before != LIN_NO_SLOT)
        slots->twin_after[before] = slot;
    if (after != LIN_NO_SLOT)
        slots->twin_before[after] = slot;
}

uint32_t lin_slots_enter(lin_slots *slots, const lin_part *parts, uint32_t index) {
    uint32_t w = 0;
    while (w < slots->words && slots->occupied[w] == UINT64_MAX)
        w++;
    if (w == slots->words)
        return LIN_NO_SLOT;
    uint32_t slot = 64 * w + (uint32_t)__builtin_ctzll(~slots->occupied[w]);
    const lin_part *part = &parts[index];
    slots->parts = parts;
    slots->part[slot] = index;
    slots->taken++;
    set_bit(slots->occupied, slot);
    clear_bit(slots->mutators, slot);
    slots->twin_before[slot] = slots->twin_after[slot] = LIN_NO_SLOT;
    if (part->responded == LIN_NEVER_RESPONDED)
        set_bit(slots->open, slot);
    else
        heap_push(slots, slot);
    if (part->effect != LIN_KEEPS) {
        set_bit(slots->mutators, slot);
        chain(slots, slot);
    }
    return slot;
}

void lin_slots_leave(lin_slots *slots, const lin_part *parts, uint32_t slot) {
    slots->parts = parts;
    heap_pop(slots);
    slots->taken--;
    clear_bit(slots->occupied, slot);
    if (!bit_is_set(slots->mutators, slot))
        return;
    uint32_t before = slots->twin_before[slot], after = slots->twin_after[slot];
    if (before != LIN_NO_SLOT)
        slots->twin_after[before] = after;
    if (after != LIN_NO_SLOT)
        slots->twin_before[after] = before;
}
