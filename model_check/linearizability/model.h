/* model.h: what an object does, as far as a search has to know: from state to state.
 *
 * The cell of a map (absent, or a value) is built in: parts.h. Any other object is a lin_model: its states
 * are numbers that the model hands out, 0 the first; its calls are numbers, too, and a call stands for a
 * method with its arguments *and* its result. objects.h has models of common objects.
 */
#ifndef LIN_MODEL_H
#define LIN_MODEL_H

#include "parts.h"

#include <stddef.h>

typedef struct lin_model {
    /* May the call have had its result in state `from`? 1: yes, *to is the state behind it; 0: no;
     * -1: the model failed, and the verdict is unknown. */
    int (*step)(void *context, uint64_t from, uint64_t call, uint64_t *to);
    void *context;
} lin_model;

/* One step of a part: as lin_model.step, in place. */
static inline int lin_step(const lin_model *model, const lin_part *part, lin_state *state) {
    switch (part->need) {
    case LIN_ANY: break;
    case LIN_ABSENT:
        if (state->present)
            return 0;
        break;
    case LIN_SOME:
        if (!state->present)
            return 0;
        break;
    case LIN_VALUE:
        if (!state->present || state->value != part->want)
            return 0;
        break;
    case LIN_OTHER:
        if (state->present && state->value == part->want)
            return 0;
        break;
    case LIN_CALL:
        if (model == NULL)
            return 0; /* a cell has no such calls */
        return model->step(model->context, state->value, part->want, &state->value);
    default: return 0;
    }
    if (part->effect != LIN_KEEPS) {
        state->present = part->effect == LIN_SETS;
        state->value = part->effect == LIN_SETS ? part->give : 0;
    }
    return 1;
}

#endif
