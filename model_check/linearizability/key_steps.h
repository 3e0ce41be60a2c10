/* key_steps.h: what the steps of a history must be before, as far as one key tells.
 *
 * The values of a key name who wrote and who consumed them, so its life falls into *segments*: from the write into
 * the absent key to the removal (forced.h). From this follow, for each key:
 *
 *     the writer of a value is before all that saw it, and these are before the one that consumed it
 *     of two segments one ends before the other begins
 *     what saw the key absent is before a segment begins, or behind its end
 *
 * A call on this key alone that only saw a value needs no step: there is an instant for it if the writer has none
 * behind its response and the consumer none before its invocation. One that saw it absent needs none if some
 * instant of it lies outside of all segments, whatever their instants are.
 *
 * A segment whose end no call names was ended by a deletion of a range, or by a put_many that does not tell what it
 * replaced. A step stands for it, within the hull of the calls that may have been it.
 */
#ifndef LIN_KEY_STEPS_H
#define LIN_KEY_STEPS_H

#include "page_steps.h"

typedef struct lin_key_steps lin_key_steps;

/* NULL: out of memory. */
lin_key_steps *lin_key_steps_new(lin_page_steps *steps);
void lin_key_steps_free(lin_key_steps *key_steps);

/* Adds what the parts of one key say, which are ascending by invocation. False: out of memory. */
bool lin_key_steps_add(lin_key_steps *key_steps, uint64_t key, const lin_part *parts,
                       uint64_t count, lin_state initial);

#endif
