/* schedule.c: who may run, who runs, and how an execution begins and ends.
 *
 * A thread that reaches a visible operation (an atomic access, a lock, …) tells what it is about to do
 * and asks the search who goes on. What lies between two visible operations of a thread is local: plain
 * accesses need no choice, since a race between two of them is found in whatever order they are run
 * (access.c).
 */
#include "runtime.h"

bwx_runtime bwx;
bwx_step *bwx_steps;

static bool enabled(const bwx_thread *thread, bool nothing_else) {
    if (thread->status != BWX_ALIVE || thread->frozen || thread->stopped)
        return false;
    switch (thread->op.kind) {
    case BWX_LOAD:
    case BWX_RMW:
    case BWX_CAS: return bwx_spin_may_run(thread);
    case BWX_LOCK:
    case BWX_WAKE:
    case BWX_JOIN: return bwx_sync_enabled(thread, nothing_else);
    default: return true;
    }
}

static uint32_t all_enabled(bool nothing_else) {
    uint32_t mask = 0;
    for (unsigned i = 0; i < bwx.thread_count; i++)
        if (enabled(&bwx.threads[i], nothing_else))
            mask |= 1U << i;
    return mask;
}

/* Threads that can go on; 0: none that could count on it. */
static uint32_t enabled_threads(void) {
    bwx.nothing_else = false;
    uint32_t mask = all_enabled(false);
    if (mask == 0) {
        mask = all_enabled(true);
        bwx.nothing_else = mask != 0;
    }
    for (unsigned i = 0; mask != 0 && bwx.options.wakeups > 0 && i < bwx.thread_count; i++)
        if (bwx_may_wake(&bwx.threads[i]))
            mask |= 1U << i;
    return mask;
}

/* Nobody can go on. */
static void stuck(void) __attribute__((noreturn));
static void stuck(void) {
    if (bwx.any_stopped)
        bwx_end(bwx.last_words);
    char text[600];
    size_t used = 0;
    bool spinning = false;
    bool frozen = false;
    bool only_detached = bwx.threads[0].status == BWX_FINISHED;
    uint32_t pc = 0;
    text[0] = 0;
    for (unsigned i = 0; i < bwx.thread_count; i++) {
        const bwx_thread *thread = &bwx.threads[i];
        if (thread->status != BWX_ALIVE)
            continue;
        if (thread->frozen) {
            frozen = true;
            continue;
        }
        if (bwx.any_frozen && thread->op.kind == BWX_JOIN && bwx.threads[thread->op.other].frozen)
            continue; /* waits for the stopped thread's end: no fault of the others */
        only_detached = only_detached && thread->detached;
        spinning = spinning || thread->awaits > 0;
        pc = pc == 0 || thread->awaits > 0 ? thread->op.pc : pc;
        used += (size_t)__builtin_snprintf(
            text + used, sizeof text - used, "%sthread %u %s", used == 0 ? "" : ", ", i,
            thread->awaits > 0            ? "waits in a loop"
            : thread->op.kind == BWX_LOCK ? "waits for a mutex"
            : thread->op.kind == BWX_WAKE ? "waits at a condition variable for a signal"
            : thread->op.kind == BWX_JOIN ? "waits for a thread's end"
                                          : "waits");
        if (used >= sizeof text)
            used = sizeof text - 1;
    }
    if (frozen && used > 0)
        bwx_find(BWX_BLOCKING, pc, 0, "with one thread stopped for ever, others cannot finish: %s",
                 text);
    if (frozen || only_detached)
        bwx_end(BWX_COMPLETE);
    if (spinning)
        bwx_find(BWX_LIVELOCK, pc, 0, "no thread can make a change that ends the waiting: %s",
                 text);
    bwx_find(BWX_DEADLOCK, pc, 0, "no thread can go on: %s", text);
}

/* Is the thread stopped for ever here? (--freeze: one thread of an execution, at any of its steps) */
static void maybe_freeze(bwx_thread *self) {
    static const uint32_t options[2] = {0, 1};
    if (!self->claims_nonblocking || bwx.any_frozen || bwx.solo)
        return;
    if (bwx_choice(options, 2, 0) == 1) {
        self->frozen = true;
        bwx.any_frozen = true;
    }
}

/* Goes on with whoever is chosen; returns when `self` is. */
static void schedule(bwx_thread *self) {
    uint32_t mask = enabled_threads();
    if (mask == 0)
        stuck();
    bool ended = false;
    unsigned chosen = bwx_search_thread(mask, &ended);
    if (ended)
        bwx_end(BWX_BLOCKED);
    if (chosen != self->id)
        bwx_fiber_switch(self, &bwx.threads[chosen]);
}

void bwx_reach(bwx_thread *self, const bwx_op *op) {
    self->op = *op;
    if (self->setup && enabled(self, false)) {
        bwx_search_alone();
        bwx.before = self->trace;
        return;
    }
    if (bwx.creator != NULL) { /* a fresh thread's first operation: its creator goes on first */
        bwx_thread *creator = bwx.creator;
        bwx.creator = NULL;
        bwx_fiber_switch(self, creator);
    } else {
        if (bwx.options.freeze)
            maybe_freeze(self);
        schedule(self);
    }
    bool too_long = bwx.step_count - bwx.log_steps >= bwx.options.steps;
    if (BWX_UNLIKELY(too_long && bwx.any_stopped)) /* it may wait for one that goes no further */
        bwx_end(bwx.last_words);
    if (BWX_UNLIKELY(too_long))
        bwx_find(BWX_LIVELOCK, op->pc, 0,
                 "no end within %u steps: a loop that makes no progress, or --steps is too small",
                 bwx.options.steps);
    if (BWX_UNLIKELY(bwx.options.cut > 0 && bwx.step_count - bwx.log_steps >= bwx.options.cut))
        bwx_end(BWX_CUT);
    bwx.before = self->trace;
}

void bwx_next(bwx_thread *self) {
    if (bwx.creator != NULL) {
        bwx_thread *creator = bwx.creator;
        bwx.creator = NULL;
        bwx_fiber_switch(self, creator);
    } else if (bwx.unfinished == 0) {
        bwx_end(BWX_COMPLETE);
    } else {
        schedule(self);
    }
    __builtin_unreachable();
}

/* The thread goes no further, others do: they could have come before. When they have no more to do, the
 * execution ends in this way. */
void bwx_stop(bwx_ending ending) {
    bwx_thread *self = bwx.current;
    self->stopped = true;
    bwx.last_words = bwx.any_stopped && bwx.last_words == BWX_CUT ? BWX_CUT : ending;
    bwx.any_stopped = true;
    if (bwx.creator != NULL) {
        bwx_thread *creator = bwx.creator;
        bwx.creator = NULL;
        bwx_fiber_switch(self, creator);
    } else {
        schedule(self);
    }
    __builtin_unreachable();
}

void bwx_end(bwx_ending ending) {
    bwx.ending = ending;
    bwx_fiber_leave();
}

uint32_t bwx_choice(const uint32_t *options, unsigned n, uint32_t default_option) {
    if (n == 0)
        bwx_end(BWX_BLOCKED);
    return bwx_search_option(options, n, default_option);
}

void bwx_run_execution(void) {
    bwx.execution++;
    if (bwx_steps == NULL)
        bwx_steps = bwx_reserve(sizeof *bwx_steps * BWX_MAX_STEPS);
    bwx_memory_reset();
    bwx_heap_reset();
    bwx_access_reset();
    bwx_fences_reset();
    bwx_sync_reset();
    bwx_history_reset();
    bwx_outcome_reset();
    bwx_events_reset();
    bwx.step_count = 0;
    bwx.log_steps = 0;
    bwx.location_count = 0;
    bwx.message_count = 0;
    bwx.spurious_left = bwx.options.spurious;
    bwx.failures_left = bwx.options.failures;
    bwx.solo_operations = 0;
    bwx.creator = NULL;
    bwx.any_frozen = bwx.any_stopped = false;
    bwx.sc_accesses = false;
    bwx_threads_reset();
    bwx_search_begin();
    bwx.executions++;
    bwx.running = true;
    bwx_fiber_enter(&bwx.threads[0]);
    bwx.running = false;
    bwx_search_end();
    bwx.steps += bwx.step_count;
}
