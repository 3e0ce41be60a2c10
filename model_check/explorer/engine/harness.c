/* harness.c: runs a program (program.h) on a tree, and checks what it did.
 *
 * The main thread opens the tree, does what is to be done before, makes the threads, joins them, and then
 * looks: the structure, what the map holds, that closing gives all memory back. Each thread's calls are
 * marked, so that the whole history is compared with an ordered map (model.h).
 *
 * The program's text is the first argument, else the environment variable ENGINE_PROGRAM.
 */
#include "actor.h"

#include "events.h"
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>

actor actor_of_others;
static actor actors[MAX_THREADS];
static actor main_actor;
static _Thread_local actor *myself;

/* ---- the allocator ---- */

void actor_become(actor *self) {
    myself = self;
}

static bool fails(actor *self) {
    if (self->fail_at > 0)
        return --self->fail_at == 0;
    if (self->failures == 0 || bwx_choose(2) == 0)
        return false;
    self->failures--;
    return true;
}

static void *take(void *context, size_t size, size_t alignment) {
    (void)context;
    actor *self = myself == NULL ? &actor_of_others : myself;
    if (fails(self))
        return NULL;
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory != NULL) {
        self->allocated++;
        self->allocated_bytes += size;
    }
    return memory;
}

static void give_back(void *context, void *memory, size_t size, size_t alignment) {
    (void)context;
    (void)alignment;
    actor *self = myself == NULL ? &actor_of_others : myself;
    self->released++;
    self->released_bytes += size;
    free(memory);
}

void actor_allocator(bw_options *options) {
    options->allocator = (bw_allocator){.alloc = take, .release = give_back};
}

/* ---- threads ---- */

static bool claims_nonblocking(const operation *op) {
    return op->kind != ATTACH && op->kind != DETACH && op->kind != CLOSE && op->kind != FREE &&
           op->kind != TOLD;
}

/* Registration takes a mutex and comes first and last in every thread: unless the program is about just
 * that, it is not explored, so that the operations are. */
static void *act(void *argument) {
    actor *self = argument;
    actor_become(self);
    bool registers = (uint32_t)(self - actors) < engine_program.attach;
    if (registers) {
        bwx_setup_begin();
        bw_status status = bw_thread_attach(self->tree);
        bwx_check(status == BW_OK || (status == BW_ECLOSED && engine_program.closes),
                  "a thread cannot register");
        bwx_setup_end();
    }
    self->failures = engine_program.failures;
    for (unsigned i = 0; i < self->operations->count; i++) {
        const operation *op = &self->operations->operations[i];
        bool nonblocking = claims_nonblocking(op) && (registers || i > 0);
        if (nonblocking)
            bwx_nonblocking_begin();
        actor_do(self, op);
        if (nonblocking)
            bwx_nonblocking_end();
    }
    self->failures = 0;
    self->fail_at = 0;
    if (engine_program.detach != 0 && !self->freed) {
        bwx_setup_begin();
        (void)bw_thread_detach(
            self->tree); /* a thread that stays pinned ends with its registration */
        bwx_setup_end();
    }
    return NULL;
}

/* False if one of them has freed the tree. */
static bool run_threads(bw_tree *tree) {
    for (unsigned i = 0; i < engine_program.thread_count; i++) {
        actor *one = &actors[i];
        one->tree = tree;
        one->operations = &engine_program.threads[i];
        one->marks = true;
        bwx_check(pthread_create(&one->thread, NULL, act, one) == 0, "no thread can be made");
    }
    for (unsigned i = 0; i < engine_program.thread_count; i++)
        (void)pthread_join(actors[i].thread, NULL);
    bool there = true;
    for (unsigned i = 0; i < engine_program.thread_count; i++)
        there = there && !actors[i].freed;
    return there;
}

/* ---- before and after ---- */

static void check_structure(bw_tree *tree, const char *when) {
    char message[160] = "";
    char sentence[240];
    bw_status status = bw_self_check(tree, true, message, sizeof message);
    snprintf(sentence, sizeof sentence, "bw_self_check %s: %s: %s", when, bw_strerror(status),
             message);
    bwx_check(status == BW_OK, sentence);
}

/* What the execution has reached: asked for by tests that the catalogue leaves nothing out. */
static void tell_figures(bw_tree *tree) {
    bw_stats stats;
    if (bw_get_stats(tree, &stats) == BW_OK)
        bwx_outcome("splits=%d merges=%d collapses=%d freed=%d", (int)stats.splits,
                    (int)stats.merges, (int)stats.root_collapses, (int)stats.freed);
}

static void check_memory(void) {
    uint64_t blocks = main_actor.allocated + actor_of_others.allocated;
    uint64_t bytes = main_actor.allocated_bytes + actor_of_others.allocated_bytes;
    uint64_t gone = main_actor.released + actor_of_others.released;
    uint64_t gone_bytes = main_actor.released_bytes + actor_of_others.released_bytes;
    for (unsigned i = 0; i < engine_program.thread_count; i++) {
        blocks += actors[i].allocated;
        bytes += actors[i].allocated_bytes;
        gone += actors[i].released;
        gone_bytes += actors[i].released_bytes;
    }
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "of %llu blocks with %llu bytes, %llu with %llu came back from the closed tree",
             (unsigned long long)blocks, (unsigned long long)bytes, (unsigned long long)gone,
             (unsigned long long)gone_bytes);
    bwx_check(blocks == gone && bytes == gone_bytes, sentence);
}

static void run(void) {
    bw_tree *tree = NULL;
    actor_become(&main_actor);
    char message[160] = "";
    actor_allocator(&engine_program.options);
    (void)bw_options_check(&engine_program.options, message, sizeof message);
    bwx_check(message[0] == 0, message);
    bwx_check(bw_open(&engine_program.options, &tree) == BW_OK, "the tree cannot be opened");
    main_actor.tree = tree;
    events_watch(tree);
    for (unsigned i = 0; i < engine_program.before.count; i++)
        actor_do(&main_actor, &engine_program.before.operations[i]);
    main_actor.marks = true;
    bool there = run_threads(tree);
    if (!engine_program.closes) {
        inside_end(tree);
        for (unsigned i = 0; i < engine_program.after.count; i++)
            actor_do(&main_actor, &engine_program.after.operations[i]);
        if (engine_program.options.worker)
            (void)bw_worker_stop(tree);
        check_structure(tree, "when all threads have ended");
        tell_figures(tree);
        actor_read_contents(&main_actor);
    }
    if (engine_program.leak != 0)
        (void)take(NULL, 64, 64);
    if (there)
        bwx_check(bw_free(tree) == BW_OK, "the tree cannot be freed when all threads have ended");
    check_memory();
}

int main(int argc, char **argv) {
    const char *text = argc > 1 ? argv[1] : getenv("ENGINE_PROGRAM");
    if (text == NULL)
        text = "";
    const char *problem = program_read(text);
    if (problem != NULL) {
        char sentence[200];
        snprintf(sentence, sizeof sentence, "the harness cannot read its program: %s", problem);
        bwx_check(0, sentence);
        return 2;
    }
    model_begin();
    bwx_use_model(&engine_model);
    run();
    return 0;
}
