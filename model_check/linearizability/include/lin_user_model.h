/* lin_user_model.h: a model of your own object, in C, for `bwcheck lin FILE --model MODEL.c:NAME`.
 *
 *     #include <lin_user_model.h>
 *
 *     static void initial(void *state) { *(int64_t *)state = 2; }
 *
 *     static int step(void *state, const lin_user_call *call) {
 *         int64_t *left = state;
 *         if (lin_is(call, "acquire"))
 *             return *left > 0 && ((*left)--, 1);
 *         if (lin_is(call, "release"))
 *             return (*left)++, 1;
 *         return call->result == NULL || call->result->number == *left;
 *     }
 *
 *     const lin_user_model semaphore = {sizeof(int64_t), initial, step, "value"};
 *
 * States are compared byte by byte: two states that are alike must have the same bytes, so clear
 * what a state does not use, padding included (the state that `initial` and `step` get is clear
 * wherever they have not written). A model keeps nothing between calls of its functions.
 * It runs within the checker: where it crashes, the checker does.
 */
#ifndef LIN_USER_MODEL_H
#define LIN_USER_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum lin_user_kind { LIN_USER_NOTHING, LIN_USER_NUMBER, LIN_USER_TEXT } lin_user_kind;

/* An argument or a result: nothing, a whole number (false is 0, true is 1), or a text. */
typedef struct lin_user_value {
    lin_user_kind kind;
    int64_t number;
    const char *text;
} lin_user_value;

/* A call of the history. `result` is NULL if it never returned: then step says what it did if it took
 * effect. Of a pair, as cas has it, `count` is 2; of a call without argument 0. */
typedef struct lin_user_call {
    const char *name;
    size_t count;
    const lin_user_value *arguments;
    const lin_user_value *result;
} lin_user_call;

typedef struct lin_user_model {
    size_t state_bytes;           /* of a state, at most 65,536 */
    void (*initial)(void *state); /* writes the first state; NULL: all bytes are 0 */
    /* May the call have had this result in this state? 1: yes, and the state is now the one behind it;
     * 0: no (what is left in the state does not matter). */
    int (*step)(void *state, const lin_user_call *call);
    const char *reads; /* names of calls that never change the state, with spaces; may be NULL */
} lin_user_model;

/* Is it a call of this name? */
static inline int lin_is(const lin_user_call *call, const char *name) {
    return strcmp(call->name, name) == 0;
}

#endif
