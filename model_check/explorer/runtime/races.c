/* races.c: which steps could have come in the other order.
 *
 * A race is a pair of steps that depend on one another with nothing between them; in rc11, a load and a
 * later store that does not come after it in po ∪ rf. Where wakeup trees are used (wakeup.c), races are
 * collected and looked at when the execution has ended. Elsewhere each is looked at when it shows: source
 * sets (Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014): some thread
 * with which the other order can begin is to run where the early step's thread ran.
 */
#include "search.h"

/* Comes to a condition variable, or leaves it. */
static bool waits(unsigned kind) {
    return kind == BWX_WAIT || kind == BWX_WAKE;
}

/* ---- source sets ---- */

/* A step of `thread`, its index-th, with `trace` before it, could have come before `early`: sees to it that
 * this is explored. `end`: the steps between the two. */
static void reverse(uint32_t early, uint32_t end, unsigned thread, const bwx_clock *trace) {
    /* What a thread has done in one piece moves with the step before, for which the thread was chosen. */
    while ((bwx_steps[early].flags & BWX_ALONE) != 0 && early > 0 &&
           bwx_steps[early - 1].thread == bwx_steps[early].thread)
        early--;
    uint32_t number = bwx_steps[early].node;
    if (number == BWX_NONE || number < bwx_prefix_nodes)
        return;
    bwx_node *at = &bwx_nodes[number];
    const bwx_step *first = &bwx_steps[early];
    /* v: the steps after `early` that do not come after it in the trace, then the late one. Which
     * threads can begin v? Those whose first step in v has none of v before it. */
    int16_t begins[BWX_THREADS];
    uint32_t seen = 0;
    uint32_t initials = 0;
    for (uint32_t i = early + 1; i <= end; i++) {
        const bwx_step *step = &bwx_steps[i];
        bool last = i == end;
        if (!last &&
            (step->kind == BWX_FENCE || step->kind == BWX_CREATE || step->kind >= BWX_PLAIN_READ ||
             step->trace.at[first->thread] >= first->index))
            continue;
        unsigned who = last ? thread : step->thread;
        if ((seen >> who & 1) != 0)
            continue;
        const bwx_clock *known = last ? trace : &step->trace;
        bool initial = true;
        for (uint32_t rest = seen; rest != 0; rest &= rest - 1) {
            unsigned u = (unsigned)__builtin_ctz(rest);
            initial = initial && known->at[u] < begins[u];
        }
        seen |= 1U << who;
        begins[who] = last ? INT16_MAX : step->index;
        initials |= (uint32_t)initial << who;
    }
    initials &= at->enabled;
    if (initials == 0 || (initials & (uint32_t)(at->backtrack | at->sleep | at->done)) != 0)
        return;
    if ((initials >> thread & 1) != 0)
        at->backtrack |= (uint16_t)(1U << thread);
    else
        at->backtrack |= (uint16_t)(initials & -initials);
}

static void reverse_steps(uint32_t early, const bwx_step *late) {
    if (bwx_by_trees())
        bwx_wakeup_race(early, (uint32_t)(late - bwx_steps));
    else
        reverse(early, (uint32_t)(late - bwx_steps), late->thread, &late->trace);
}

void bwx_search_attached(const bwx_thread *self, uint32_t message) {
    if (bwx.options.strategy != BWX_EXHAUSTIVE || !bwx_search_fresh())
        return;
    uint32_t early = bwx_messages[bwx_messages[message].after].step;
    bwx_clock trace = self->trace;
    if (bwx_messages[message].step != BWX_NONE)
        bwx_clock_join(&trace, &bwx_steps[bwx_messages[message].step].trace);
    const bwx_step *step = &bwx_steps[early];
    if (step->thread != self->id && step->index > trace.at[step->thread])
        reverse(early, bwx.step_count, self->id, &trace);
}

/* ---- finding them ---- */

static bool unordered(const bwx_step *early, const bwx_step *late, const bwx_clock *before) {
    return early->thread != late->thread && early->index > before->at[early->thread];
}

static void races_at_location(const bwx_step *step, const bwx_location *location) {
    bool writes = (step->flags & BWX_WRITES) != 0;
    if (!bwx.sc) {
        for (uint32_t i = writes ? location->last_step : BWX_NONE; i != BWX_NONE;
             i = bwx_steps[i].previous)
            if ((bwx_steps[i].flags & BWX_READS) != 0 &&
                unordered(&bwx_steps[i], step, &step->trace))
                reverse_steps(i, step);
        return;
    }
    bool read_since = false;
    for (uint32_t i = writes ? location->last_step : location->last_write;
         i != location->last_write; i = bwx_steps[i].previous) {
        read_since = true;
        if (unordered(&bwx_steps[i], step, &bwx.before))
            reverse_steps(i, step);
    }
    uint32_t write = location->last_write;
    if (!read_since && write != BWX_NONE && unordered(&bwx_steps[write], step, &bwx.before))
        reverse_steps(write, step);
}

static bool takes(const bwx_step *step) {
    return step->kind == BWX_LOCK || (step->kind == BWX_TRYLOCK && step->value != 0);
}

/* Objects: mutexes, condition variables, the history. */
static void races_at_object(const bwx_step *step, const bwx_location *object) {
    bool came = false;
    for (uint32_t i = object->last_step; i != BWX_NONE; i = bwx_steps[i].previous) {
        const bwx_step *early = &bwx_steps[i];
        if (step->kind == BWX_INVOKE || step->kind == BWX_RESPOND) {
            if (early->kind != step->kind && unordered(early, step, &bwx.before))
                reverse_steps(i, step);
            continue;
        }
        if (waits(step->kind) && waits(early->kind))
            continue;
        if (step->kind == BWX_SIGNAL || step->kind == BWX_BROADCAST) {
            if (!waits(early->kind) && came)
                return; /* one who came or left since is between the two */
            came = came || waits(early->kind);
            if (unordered(early, step, &bwx.before))
                reverse_steps(i, step);
            if (!waits(early->kind))
                return;
            continue;
        }
        if (step->kind == BWX_LOCK && !takes(early))
            continue; /* a lock cannot come before the unlock that makes it possible */
        if (unordered(early, step, &bwx.before))
            reverse_steps(i, step);
        return; /* all that came before comes before this one, too */
    }
}

/* Who still waits for a mutex, since a thread that goes no further holds it, could have been faster. */
void bwx_races_at_end(void) {
    for (unsigned q = 0; q < bwx.thread_count; q++) {
        const bwx_thread *thread = &bwx.threads[q];
        if (thread->status != BWX_ALIVE || thread->frozen || thread->stopped ||
            thread->op.kind != BWX_LOCK)
            continue;
        uint32_t early = bwx_locations[thread->op.object].last_step;
        while (early != BWX_NONE && !takes(&bwx_steps[early]))
            early = bwx_steps[early].previous;
        if (early == BWX_NONE ||
            !unordered(&bwx_steps[early], &(bwx_step){.thread = thread->id}, &thread->trace))
            continue;
        if (bwx_by_trees())
            bwx_wakeup_pending(early, thread);
        else
            reverse(early, bwx.step_count, q, &thread->trace);
    }
}

void bwx_races_at(const bwx_step *step) {
    const bwx_location *location = &bwx_locations[step->object];
    if (location->is_object)
        races_at_object(step, location);
    else
        races_at_location(step, location);
}
