/* sync.c: mutexes, condition variables, once.
 *
 * An object is known by its address; its state is ours, the memory of a pthread_mutex_t is only looked
 * at for its kind. Unlocking publishes the owner's view, locking joins it. All operations on one mutex
 * depend on one another.
 *
 * A wait at a condition variable is three steps: the thread becomes a waiter (WAIT), gives the mutex back
 * (UNLOCK), and takes it again (LOCK), which it can once it has been signalled. Which waiter a signal
 * takes is a choice. A waiter may also leave by itself (WAKE) before it takes the mutex again: a timed one
 * because its time is over, any one for no reason, as POSIX allows; `timeouts` and `wakeups` times in each
 * thread. A wakeup for no reason may come, but nothing may depend on its coming: when only such
 * wakeups are left, the threads are stuck. A timed wait does end, when nothing else can happen any more.
 *
 * At one condition variable, signals and broadcasts depend on everything; coming and leaving of
 * different waiters can be exchanged, since signals choose among them as among a set.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <pthread.h>

/* Where each thread waits: the condition variable's number, or BWX_NONE. */
static uint32_t waits_at[BWX_THREADS];
/* The trace of the signal that has taken a waiter: the waiter goes on after it. */
static bwx_clock taken_by[BWX_THREADS];

void bwx_sync_reset(void) {
    for (unsigned i = 0; i < BWX_THREADS; i++)
        waits_at[i] = BWX_NONE;
}

uint32_t bwx_object_of(uintptr_t address) {
    uint32_t number = bwx_location_of(address, 0);
    bwx_locations[number].is_object = true;
    return number;
}

static void touch(const void *object, uint32_t pc) {
    bwx_access((uintptr_t)object, 4, BWX_READS | BWX_ATOMIC | BWX_QUIET, pc);
}

static void initialise(void *object, size_t size, uint32_t pc) {
    bwx_plain((uintptr_t)object, size, BWX_WRITES, pc);
    memset(object, 0, size);
    bwx_location *location = &bwx_locations[bwx_object_of((uintptr_t)object)];
    if (location->owner != 0)
        bwx_find(BWX_MISUSE, pc, 0, "a mutex is initialised while thread %u holds it",
                 location->owner - 1U);
    location->done = false;
    location->recursion = 0;
    location->last_step = BWX_NONE;
    memset(&location->view, 0, sizeof location->view);
    memset(&location->trace, 0, sizeof location->trace);
    memset(&location->trace_of_all, 0, sizeof location->trace_of_all);
}

/* Does the step: joins traces with those who used the object before. */
static bwx_step *step_at(bwx_thread *self, const bwx_op *op) {
    bwx_location *object = &bwx_locations[op->object];
    bwx_step *step = bwx_step_add(self, op);
    bwx_clock_join(&self->trace, &object->trace);
    bwx_clock_join(&object->trace, &self->trace);
    bwx_step_link(step);
    return step;
}

bool bwx_sync_enabled(const bwx_thread *thread, bool nothing_else) {
    const bwx_op *op = &thread->op;
    switch (op->kind) {
    case BWX_JOIN: return bwx.threads[op->other].status == BWX_FINISHED;
    case BWX_LOCK: return bwx_locations[op->object].owner == 0;
    case BWX_WAKE: return op->timed && (nothing_else || thread->timeouts < bwx.options.timeouts);
    default: return true;
    }
}

/* ---- mutexes ---- */

static bool is_recursive(const void *mutex) {
    return (((const pthread_mutex_t *)mutex)->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP;
}

static bool is_checking(const void *mutex) {
    return (((const pthread_mutex_t *)mutex)->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK_NP;
}

void bwx_mutex_init(void *mutex, int kind, uint32_t pc) {
    initialise(mutex, sizeof(pthread_mutex_t), pc);
    ((pthread_mutex_t *)mutex)->__data.__kind = kind;
}

void bwx_mutex_destroy(void *mutex, uint32_t pc) {
    touch(mutex, pc);
    const bwx_location *object = &bwx_locations[bwx_object_of((uintptr_t)mutex)];
    if (object->owner != 0)
        bwx_find(BWX_MISUSE, pc, 0, "a mutex is destroyed while thread %u holds it",
                 object->owner - 1U);
}

static void take(bwx_thread *self, uint32_t number) {
    bwx_location *object = &bwx_locations[number];
    object->owner = (uint8_t)(self->id + 1);
    object->recursion = 1;
    bwx_view_join(&self->now, &object->view);
}

static bwx_step *lock_step(bwx_thread *self, const bwx_op *op) {
    bwx_step *step = step_at(self, op);
    take(self, op->object);
    step->happened = self->now.clock;
    return step;
}

int bwx_mutex_lock(void *mutex, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    touch(mutex, pc);
    bwx_op op = {.kind = BWX_LOCK, .pc = pc, .address = (uintptr_t)mutex};
    op.object = bwx_object_of(op.address);
    bwx_location *object = &bwx_locations[op.object];
    if (object->owner == self->id + 1U) {
        if (is_recursive(mutex)) {
            object->recursion++;
            return 0;
        }
        if (is_checking(mutex))
            return EDEADLK;
    }
    if (bwx.solo && object->owner == 0) {
        take(self, op.object);
        return 0;
    }
    bwx_reach(self, &op);
    lock_step(self, &op)->value = true;
    return 0;
}

int bwx_mutex_trylock(void *mutex, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    touch(mutex, pc);
    bwx_op op = {.kind = BWX_TRYLOCK, .pc = pc, .address = (uintptr_t)mutex};
    op.object = bwx_object_of(op.address);
    bwx_location *object = &bwx_locations[op.object];
    if (!bwx.solo) {
        bwx_reach(self, &op);
        step_at(self, &op)->value = object->owner == 0;
    }
    if (object->owner == self->id + 1U && is_recursive(mutex)) {
        object->recursion++;
        return 0;
    }
    if (object->owner != 0)
        return EBUSY;
    take(self, op.object);
    return 0;
}

int bwx_mutex_unlock(void *mutex, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    touch(mutex, pc);
    bwx_op op = {.kind = BWX_UNLOCK, .pc = pc, .address = (uintptr_t)mutex};
    op.object = bwx_object_of(op.address);
    bwx_location *object = &bwx_locations[op.object];
    if (object->owner != self->id + 1U) {
        if (is_checking(mutex))
            return EPERM;
        bwx_find(BWX_MISUSE, pc, 0, "thread %u unlocks a mutex that %s", self->id,
                 object->owner == 0 ? "nobody holds" : "another thread holds");
    }
    if (--object->recursion > 0)
        return 0;
    if (!bwx.solo) {
        /* Who waits for the mutex cannot tell when it was given back, only who tries it can. */
        if (bwx.options.trylock)
            bwx_reach(self, &op);
        else
            bwx.before = self->trace;
        bwx_step *step = bwx_step_add(self, &op);
        bwx_clock_join(&self->trace, &object->trace);
        bwx_clock_join(&object->trace, &self->trace);
        if (bwx.options.trylock) {
            bwx_step_link(step);
        } else {
            step->trace = self->trace;
            step->previous = object->last_step;
            object->last_step = (uint32_t)(step - bwx_steps);
        }
    }
    object->owner = 0;
    object->view = self->now;
    return 0;
}

/* ---- condition variables ---- */

void bwx_cond_init(void *condition, uint32_t pc) {
    initialise(condition, sizeof(pthread_cond_t), pc);
}

/* A wakeup for no reason: it may happen, and nobody may count on it. */
bool bwx_may_wake(const bwx_thread *thread) {
    return thread->status == BWX_ALIVE && !thread->frozen && thread->op.kind == BWX_WAKE &&
           thread->wakeups < bwx.options.wakeups;
}

/* A step at a condition variable: signals come after all that was there, others after signals. */
static bwx_step *step_at_condition(bwx_thread *self, const bwx_op *op) {
    bwx_location *condition = &bwx_locations[op->object];
    bool signals = op->kind == BWX_SIGNAL || op->kind == BWX_BROADCAST;
    bwx_step *step = bwx_step_add(self, op);
    bwx_clock_join(&self->trace, signals ? &condition->trace_of_all : &condition->trace);
    if (signals)
        condition->trace = self->trace;
    bwx_clock_join(&condition->trace_of_all, &self->trace);
    bwx_step_link(step);
    return step;
}

enum { TIME_IS_OVER, NO_REASON, SIGNALLED };

/* Leaves the condition variable without a signal: why? */
static uint32_t leave(bwx_thread *self, const bwx_op *wake) {
    uint32_t reasons[2];
    unsigned n = 0;
    if (wake->timed)
        reasons[n++] = TIME_IS_OVER;
    if (self->wakeups < bwx.options.wakeups)
        reasons[n++] = NO_REASON;
    uint32_t reason = n == 1 ? reasons[0] : bwx_choice(reasons, n, reasons[0]);
    waits_at[self->id] = BWX_NONE;
    step_at_condition(self, wake)->value = reason;
    if (reason == TIME_IS_OVER)
        self->timeouts++;
    else
        self->wakeups++;
    return reason;
}

int bwx_cond_wait(void *condition, void *mutex, bool timed, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    touch(condition, pc);
    uint32_t number = bwx_object_of((uintptr_t)condition);
    uint32_t mutex_number = bwx_object_of((uintptr_t)mutex);
    bwx_op wait = {.kind = BWX_WAIT, .pc = pc, .object = number, .address = (uintptr_t)condition};
    bwx_op wake = {.kind = BWX_WAKE,
                   .pc = pc,
                   .object = number,
                   .other = mutex_number,
                   .address = (uintptr_t)condition,
                   .timed = timed};
    bwx_op lock = {.kind = BWX_LOCK, .pc = pc, .object = mutex_number, .address = (uintptr_t)mutex};
    if (bwx_locations[mutex_number].owner != self->id + 1U)
        bwx_find(BWX_MISUSE, pc, 0, "thread %u waits at a condition variable without its mutex",
                 self->id);
    bwx_reach(self, &wait);
    step_at_condition(self, &wait);
    waits_at[self->id] = number;
    self->signalled = false;
    bwx_locations[mutex_number].recursion = 1;
    bwx_mutex_unlock(mutex, pc);
    uint32_t reason = SIGNALLED;
    if (!self->signalled)
        bwx_reach(self, &wake); /* a signal makes a LOCK of it */
    if (!self->signalled)
        reason = leave(self, &wake);
    if (reason != SIGNALLED || self->op.kind != BWX_LOCK)
        bwx_reach(self, &lock);
    if (reason == SIGNALLED)
        bwx_clock_join(&self->trace, &taken_by[self->id]);
    bwx.before = self->trace;
    lock_step(self, &lock);
    return reason == TIME_IS_OVER ? ETIMEDOUT : 0;
}

static void signal_to(bwx_thread *waiter, const bwx_clock *trace) {
    waits_at[waiter->id] = BWX_NONE;
    waiter->signalled = true;
    taken_by[waiter->id] = *trace;
    if (waiter->op.kind != BWX_WAKE) /* it has not given the mutex back yet */
        return;
    waiter->op.kind = BWX_LOCK;
    waiter->op.object = waiter->op.other;
    waiter->op.address = bwx_locations[waiter->op.other].address;
}

void bwx_cond_wake(void *condition, bool all, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    touch(condition, pc);
    if (bwx.solo)
        return;
    bwx_op op = {
        .kind = all ? BWX_BROADCAST : BWX_SIGNAL, .pc = pc, .address = (uintptr_t)condition};
    op.object = bwx_object_of(op.address);
    bwx_reach(self, &op);
    uint32_t candidates[BWX_THREADS];
    unsigned n = 0;
    for (unsigned i = 0; i < bwx.thread_count; i++)
        if (waits_at[i] == op.object)
            candidates[n++] = i;
    uint32_t one = n > 1 && !all ? bwx_choice(candidates, n, candidates[0]) : candidates[0];
    bwx_step *step = step_at_condition(self, &op);
    step->value = all ? n : n > 0;
    step->seen = n > 0 && !all ? one : 0;
    for (unsigned i = 0; i < n; i++)
        if (all || candidates[i] == one)
            signal_to(&bwx.threads[candidates[i]], &step->trace);
}

/* ---- once ---- */

void bwx_once(void *control, void (*routine)(void), uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    bwx_op op = {.kind = BWX_LOCK, .pc = pc, .address = (uintptr_t)control};
    op.object = bwx_object_of(op.address);
    bwx_location *object = &bwx_locations[op.object];
    bool alone = bwx.solo && object->owner == 0;
    if (!alone) {
        bwx_reach(self, &op);
        step_at(self, &op);
    }
    take(self, op.object);
    if (!object->done) {
        object->done = true;
        routine();
    }
    bwx_mutex_unlock(control, pc);
}
