/* object.h: the history of one object of any kind, as an array of parts; not from records.
 *
 * A cell (a key of a map, a register, a mutex ...) needs no model. Any other object is stepped by a
 * function; each step is asked for once and remembered, so that the function may be slow: Python.
 */
#ifndef LIN_OBJECT_H
#define LIN_OBJECT_H

#include "judge.h"

typedef int (*lin_step_function)(void *context, uint64_t from, uint64_t call, uint64_t *to);

/* Models in C, for the objects whose states grow; their calls are made by lin_object_call. */
enum lin_object_kind { LIN_CELL, LIN_STEPPED, LIN_QUEUE, LIN_STACK, LIN_COUNTER };

typedef struct lin_object lin_object;

/* NULL: out of memory. `step` is for LIN_STEPPED. */
lin_object *lin_object_new(int kind, lin_step_function step, void *context, uint64_t configurations,
                           uint64_t milliseconds);
void lin_object_free(lin_object *object);
void lin_object_stop(lin_object *object); /* from any thread */

enum lin_object_method {
    LIN_PUTS,       /* queue, stack: puts `value`; counter: adds it */
    LIN_TAKES,      /* queue, stack: gave back `value`; counter: was read as it */
    LIN_TAKES_SOME, /* queue, stack: took what was there, which nobody knows */
    LIN_FINDS_NONE, /* queue, stack: was empty */
};

/* The number that stands for the call in a part; 0 is for no call: out of memory. */
uint64_t lin_object_call(lin_object *object, int method, uint64_t value);

/* Parts ascending by invocation; `want` of a LIN_CALL part is the number of its call. As lin_judge_parts. */
int lin_object_judge(lin_object *object, const lin_part *parts, uint64_t count,
                     const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                     uint32_t *order);

/* Does a proposed order explain the parts? witness.h. */
bool lin_object_witness(lin_object *object, const lin_part *parts, uint64_t count,
                        const lin_state *initial, const uint32_t *order, uint64_t length);

void lin_object_figures(const lin_object *object, lin_figures *figures);

#endif
