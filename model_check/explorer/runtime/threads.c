/* threads.c: creation, end and join of modelled threads, thread-specific data, marks of progress.
 *
 * A fresh thread runs at once up to its first visible operation, then its creator goes on: what it does
 * before is local. The end of main does not end the execution: it waits for all threads.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <limits.h>

int bwx_argc;
char **bwx_argv;

static struct {
    bool used;
    void (*destructor)(void *);
} keys[BWX_KEYS];

int __real_main(int argc, char **argv, char **environment);
extern char **environ;

void bwx_solo_update(void) {
    bwx.solo = true;
    for (unsigned i = 0; i < bwx.thread_count; i++) {
        const bwx_thread *thread = &bwx.threads[i];
        if (thread != bwx.current && !(thread->status == BWX_FINISHED && thread->joined))
            bwx.solo = false;
    }
}

static bwx_thread *fresh_thread(void (*run)(void)) {
    bwx_thread *thread = &bwx.threads[bwx.thread_count];
    memset(thread, 0, sizeof *thread);
    thread->id = (uint8_t)bwx.thread_count++;
    thread->status = BWX_ALIVE;
    thread->op.kind = BWX_BEGIN;
    thread->op.object = BWX_NONE;
    bwx_fiber_prepare(thread, run);
    bwx_fiber_fresh_locals(thread);
    bwx.unfinished++;
    return thread;
}

void bwx_threads_reset(void) {
    bwx.thread_count = 0;
    bwx.unfinished = 0;
    memset(keys, 0, sizeof keys);
    fresh_thread(bwx_main_thread);
    bwx.solo = true;
}

/* The body of the main thread. */
void bwx_main_thread(void) {
    int code = __real_main(bwx_argc, bwx_argv, environ);
    bwx_thread *self = bwx.current;
    if (code != 0)
        bwx_find(BWX_ASSERTION, self->op.pc, 0, "main returned %d", code);
    self->status = BWX_FINISHED;
    bwx.unfinished--;
    bwx_next(self);
}

static void run_destructors(bwx_thread *self) {
    for (int round = 0; round < 4; round++)
        for (unsigned i = 0; i < BWX_KEYS; i++) {
            void *value = self->keys[i];
            if (value == NULL || keys[i].destructor == NULL)
                continue;
            self->keys[i] = NULL;
            keys[i].destructor(value);
        }
}

void bwx_thread_exit(void *result) {
    bwx_thread *self = bwx.current;
    if (self->id == 0)
        bwx_find(BWX_UNSUPPORTED, self->op.pc, 0,
                 "pthread_exit in the main thread is not modelled");
    run_destructors(self);
    self->result = result;
    bwx_op op = {.kind = BWX_END, .pc = self->op.pc, .object = BWX_NONE};
    bwx_step *step = bwx_step_add(self, &op);
    step->trace = self->trace;
    for (unsigned i = 0; i < bwx.location_count; i++)
        if (bwx_locations[i].is_object && bwx_locations[i].owner == self->id + 1U)
            bwx_find(BWX_MISUSE, self->op.pc, 0, "thread %u ends while it holds a mutex", self->id);
    self->status = BWX_FINISHED;
    bwx.unfinished--;
    bwx_next(self);
}

static void body(void) {
    bwx_thread *self = bwx.current;
    void *result = self->entry != NULL ? self->entry(self->argument)
                                       : (void *)(intptr_t)self->entry_c11(self->argument);
    bwx_thread_exit(result);
}

int bwx_thread_create(void *(*entry)(void *), int (*entry_c11)(void *), void *argument,
                      bool detached, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    if (bwx.thread_count == BWX_THREADS)
        bwx_find(BWX_UNSUPPORTED, pc, 0, "more than %d threads in one execution", BWX_THREADS);
    bwx_op op = {.kind = BWX_CREATE, .pc = pc, .object = BWX_NONE, .other = bwx.thread_count};
    bwx_step *step = bwx_step_add(self, &op);
    step->value = bwx.thread_count;
    step->trace = self->trace;
    bwx_thread *thread = fresh_thread(body);
    thread->entry = entry;
    thread->entry_c11 = entry_c11;
    thread->argument = argument;
    thread->detached = detached;
    thread->now = self->now;
    thread->acquired = self->now;
    thread->trace = self->trace;
    thread->op.pc = pc;
    bwx.solo = false;
    bwx_thread *outer = bwx.creator;
    bwx.creator = self;
    bwx_fiber_switch(self, thread);
    bwx.creator = outer;
    return (int)thread->id;
}

int bwx_thread_join(unsigned id, void **result, uint32_t pc) {
    bwx_thread *self = bwx.current;
    bwx_side_effect(self);
    self->op.pc = pc;
    if (id >= bwx.thread_count || id == self->id || bwx.threads[id].joined ||
        bwx.threads[id].detached)
        bwx_find(BWX_MISUSE, pc, 0, "thread %u joins a thread that cannot be joined", self->id);
    bwx_thread *thread = &bwx.threads[id];
    bwx_op op = {.kind = BWX_JOIN, .pc = pc, .object = BWX_NONE, .other = id};
    bwx_reach(self, &op); /* even if it has finished: pieces are the same in whatever order */
    thread->joined = true;
    bwx_step *step = bwx_step_add(self, &op);
    step->value = id;
    bwx_view_join(&self->now, &thread->now);
    bwx_clock_join(&self->trace, &thread->trace);
    bwx_step_link(step);
    bwx_solo_update();
    if (result != NULL)
        *result = thread->result;
    return 0;
}

/* ---- thread-specific data ---- */

int bwx_key_create(unsigned *key, void (*destructor)(void *)) {
    for (unsigned i = 0; i < BWX_KEYS; i++) {
        if (keys[i].used)
            continue;
        keys[i].used = true;
        keys[i].destructor = destructor;
        *key = i;
        return 0;
    }
    return EAGAIN;
}

int bwx_key_delete(unsigned key) {
    if (key >= BWX_KEYS || !keys[key].used)
        return EINVAL;
    keys[key].used = false;
    keys[key].destructor = NULL;
    return 0;
}

void **bwx_key_slot(unsigned key) {
    return key < BWX_KEYS && keys[key].used ? &bwx.current->keys[key] : NULL;
}

/* ---- marks ---- */

void bwx_nonblocking_begin(void) {
    bwx.current->claims_nonblocking = true;
}

void bwx_nonblocking_end(void) {
    bwx.current->claims_nonblocking = false;
}

void bwx_setup_begin(void) {
    bwx.current->setup = true;
}

void bwx_setup_end(void) {
    bwx.current->setup = false;
}
