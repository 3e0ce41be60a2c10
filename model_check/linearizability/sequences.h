/* sequences.h: states of queues and stacks, and steps that were asked for before, as numbers. Internal to
 * object.c. */
#ifndef LIN_SEQUENCES_H
#define LIN_SEQUENCES_H

#include <stdbool.h>
#include <stdint.h>

/* Steps (from, call) -> to. */
typedef struct lin_steps {
    struct lin_known_step *table;
    uint64_t count, mask;
} lin_steps;

enum { LIN_STEP_IMPOSSIBLE = 0, LIN_STEP_POSSIBLE = 1, LIN_STEP_UNKNOWN = 2 };

int lin_steps_find(const lin_steps *steps, uint64_t from, uint64_t call, uint64_t *to);
bool lin_steps_add(lin_steps *steps, uint64_t from, uint64_t call, bool possible, uint64_t to);
void lin_steps_free(lin_steps *steps);

/* Sequences of values; equal ones have the same number, the empty one 0. A sequence is its first value and
 * the number of the rest. */
typedef struct lin_sequences {
    struct lin_sequence *all;
    uint64_t count, capacity;
    uint32_t *table;
    uint64_t mask;
} lin_sequences;

bool lin_sequences_make(lin_sequences *sequences);
void lin_sequences_free(lin_sequences *sequences);

/* The number of `value` followed by the sequence `rest`; UINT64_MAX: out of memory. */
uint64_t lin_sequences_before(lin_sequences *sequences, uint64_t value, uint64_t rest);

/* The number of the sequence followed by `value`; UINT64_MAX: out of memory. */
uint64_t lin_sequences_behind(lin_sequences *sequences, uint64_t sequence, uint64_t value);

/* False: it is empty. */
bool lin_sequences_split(const lin_sequences *sequences, uint64_t sequence, uint64_t *first,
                         uint64_t *rest);

#endif
