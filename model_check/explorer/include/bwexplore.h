/* bwexplore.h: what a program under the explorer may say to it. Using it is optional.
 *
 * Without the explorer nothing defines these functions: keep them to test programs.
 */
#ifndef BWEXPLORE_H
#define BWEXPLORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Adds to this execution's outcome, as printf would print it. The explorer reports the set of
 * outcomes, each with the number of executions that had it. */
void bwx_outcome(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As assert, with a sentence that says what was wrong. */
void bwx_check(int condition, const char *sentence);

/* When the condition is false, the calling thread goes no further, and how the execution ends is not judged:
 * it is counted as cut. What the other threads do is, since they could have done it before. */
void bwx_assume(int condition);

/* One of `n` numbers, 0 … n - 1: every one of them is explored. */
int bwx_choose(int n);

/* Between these marks the thread runs without a switch to another one (but when it must wait): for
 * preparations whose interleavings are of no interest, such as registering a thread. */
void bwx_setup_begin(void);
void bwx_setup_end(void);

/* ---- histories: is every execution linearizable? ----
 *
 * A thread calls bwx_invoke before an operation and bwx_respond after it. When the execution has
 * ended, the explorer looks for an order of all operations that respects who finished before whom
 * began and in which every result is what the model gives. In rc11, "finished before" means
 * happens-before: there is no other time between threads. */
typedef struct bwx_call {
    int operation;  /* the program's own numbers */
    int status;     /* the result … */
    uint64_t value; /* … and what came with it */
    uint64_t arguments[3];
    int thread;
} bwx_call;

/* The sequential object: `state` is `state_size` bytes that begin as zeros. apply changes the state
 * and says (0 or 1) whether the call's result is right there. describe (optional) prints a call. */
typedef struct bwx_model {
    size_t state_size;
    int (*apply)(void *state, const bwx_call *call);
    void (*describe)(const bwx_call *call, char *text, size_t capacity);
} bwx_model;

void bwx_use_model(const bwx_model *model);
void bwx_invoke(int operation, uint64_t a, uint64_t b, uint64_t c);
void bwx_respond(int status, uint64_t value);

/* Between bwx_invoke and its bwx_respond: a part of this thread's open call, which takes effect by itself
 * between the two; for calls that are not atomic, whose parts' results are known only when they are back.
 * `optional`: it may also not have taken effect. Not a step. */
void bwx_part(int operation, int status, uint64_t value, uint64_t a, uint64_t b, uint64_t c,
              int optional);

/* ---- events ----
 *
 * What the program tells about this execution, in order; not a step. The explorer hands them on from each
 * complete execution if it is asked to, and can be asked for an execution with given ones (events.c). */
void bwx_event(int kind, unsigned n, const uint64_t *values);

/* ---- progress ----
 *
 * Between these two marks a thread claims to be non-blocking: with --freeze, the explorer stops it for
 * ever at each of its steps there, and the others must finish all the same. */
void bwx_nonblocking_begin(void);
void bwx_nonblocking_end(void);

#ifdef __cplusplus
}
#endif

#endif
