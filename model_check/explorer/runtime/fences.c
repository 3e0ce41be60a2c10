/* fences.c: seq_cst fences in rc11.
 *
 * RC11 wants psc acyclic. Between fences it is
 *     psc_F = [F_sc]; (hb ∪ hb; eco; hb); [F_sc]
 * so a fence a comes before a fence b when a happens before b, or when some step e1 after a and some step
 * e2 before b touch one location and e1 comes before e2 there (reads-from, modification order,
 * from-read). Each fence keeps the set of fences that come before it, closed under transitivity.
 *
 * A cycle could only arise from a step that reads or writes in the past: e1, after fence a, that comes
 * before an e2 which happens before a fence b, where b already comes before a. So a thread's reads and
 * writes are bounded by what happened before any fence that comes before one of its own fences
 * (bwx_fences_clock), and no cycle ever arises. Nothing here depends on the order in which the graph has
 * been built: unlike a global view that each fence joins, this forbids no execution that RC11 allows.
 */
#include "runtime.h"

static unsigned count;
static uint64_t before[BWX_MAX_FENCES]; /* of each fence, all that come before it */
static bwx_clock happened[BWX_MAX_FENCES];

void bwx_fences_reset(void) {
    count = 0;
}

/* The given fences and all that come before them. */
static uint64_t closure(uint64_t fences) {
    uint64_t all = fences;
    for (uint64_t rest = fences; rest != 0; rest &= rest - 1)
        all |= before[__builtin_ctzll(rest)];
    return all;
}

const bwx_clock *bwx_fences_clock(const bwx_thread *self, bwx_clock *room) {
    uint64_t more = closure(self->now.fences) & ~self->now.fences;
    if (more == 0)
        return &self->now.clock;
    *room = self->now.clock;
    for (; more != 0; more &= more - 1)
        bwx_clock_join(room, &happened[__builtin_ctzll(more)]);
    return room;
}

/* Fences before a step e1 that comes before some e2 which is in `clock`, at any location. */
static uint64_t fences_before(const bwx_clock *clock) {
    uint64_t found = 0;
    for (uint32_t i = 0; i < bwx.location_count; i++) {
        const bwx_location *location = &bwx_locations[i];
        if (!location->made || location->last_step == BWX_NONE ||
            location->oldest == location->newest)
            continue;
        int32_t bound = bwx_bound(location, clock);
        /* Is the message at the bound read, or only written, by what is in the clock? */
        bool read = false;
        for (uint32_t at = location->last_step; at != BWX_NONE; at = bwx_steps[at].previous) {
            const bwx_step *step = &bwx_steps[at];
            if (step->index <= clock->at[step->thread] && (step->flags & BWX_WRITES) == 0 &&
                bwx_messages[step->message].position == bound)
                read = true;
        }
        for (uint32_t at = location->last_step; at != BWX_NONE; at = bwx_steps[at].previous) {
            const bwx_step *step = &bwx_steps[at];
            int32_t position = bwx_messages[step->message].position;
            if (position < bound || (position == bound && read && (step->flags & BWX_WRITES) != 0))
                found |= step->fences;
        }
    }
    return found;
}

void bwx_fences_add(bwx_thread *self) {
    /* A random walk promises nothing about the executions that it leaves out. */
    if (count == BWX_MAX_FENCES &&
        (bwx.options.strategy == BWX_RANDOM || bwx.options.strategy == BWX_PCT))
        bwx_end(BWX_CUT);
    if (count == BWX_MAX_FENCES)
        bwx_find(BWX_UNSUPPORTED, self->op.pc, 0,
                 "more than %d seq_cst fences in one execution of rc11; make the program smaller",
                 BWX_MAX_FENCES);
    unsigned fence = count++;
    happened[fence] = self->now.clock;
    before[fence] =
        closure(self->now.fences | fences_before(&self->now.clock)) & ~(UINT64_C(1) << fence);
    self->now.fences |= UINT64_C(1) << fence;
}

void bwx_fences_edge(const bwx_thread *self, const bwx_location *location, int32_t position) {
    if (self->now.fences == 0)
        return;
    uint64_t from = closure(self->now.fences);
    for (unsigned b = 0; b < count; b++) {
        if ((from & ~before[b]) == 0 || bwx_bound(location, &happened[b]) <= position)
            continue;
        for (unsigned after = 0; after < count; after++)
            if (after == b || (before[after] >> b & 1) != 0)
                before[after] |= from;
    }
}
