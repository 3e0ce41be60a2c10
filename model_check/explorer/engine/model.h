/* model.h: the sequential ordered map that histories of the engine are compared with.
 *
 * An atomic operation is one call of the history. One that is not atomic (count, delete_range, get_many,
 * put_many, a cursor's walk) is a call that has no effect of its own, and a part for each key that it
 * concerns, which takes effect by itself between the operation's invocation and response: so much, and
 * no more, does bwtree.h promise. The call comes after its parts and compares sums: a count is
 * the number of its parts that found their keys.
 */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include "bwexplore.h"
#include "program.h"

/* Operations of a history: operation_kind, and these. */
enum {
    PART_LOOK = OPERATION_KINDS, /* is the key there, and with which value? */
    PART_COUNT,                  /* one more if the key is there */
    PART_PUT,
    PART_REMOVE,
    CONTENTS, /* what the map holds at the end */
};

/* Arguments of parts. `turn` says to which call of its thread the part belongs, `place` where among
 * its parts it stands, if they have an order (put_many). */
#define PART_ORDER(turn, place) ((uint64_t)(turn) << 32 | (uint64_t)(place))
#define NO_PLACE                0xffffffffu

/* An entry that a navigation call found: the key by its number in engine_program. */
#define ENTRY(number, value) ((uint64_t)(number) << 32 | (uint64_t)(value))

/* What the main thread found at the end: a bit for each key, and values. */
extern uint32_t contents_present;
extern uint64_t contents_values[MAX_KEYS];

/* The model for bwx_use_model; program_read and model_begin come before. */
extern bwx_model engine_model;

/* The map is empty. */
void model_begin(void);
/* The call took place while nobody else was there: is its result right? Then the map becomes what it
 * leaves, for model_begin's history, too. */
bool model_before(const bwx_call *call);

/* The key's number, or -1 if the program does not name it. */
int model_key(uint64_t key);

#endif
