/* witness.h: an order that somebody proposes, verified in one pass.
 *
 * A service that numbers the versions of an object (a revision, a slot) tells in which order its calls took
 * effect. Nothing has to be believed: if the order keeps to the times and explains every result, the
 * history is linearizable, whatever the numbers mean; if it does not, nothing follows, and another way has
 * to decide.
 */
#ifndef LIN_WITNESS_H
#define LIN_WITNESS_H

#include "model.h"

/* `order` holds `length` different indices of the `count` parts. True: it explains all that responded. */
bool lin_witness_holds(const lin_part *parts, uint64_t count, lin_state initial,
                       const lin_model *model, const uint32_t *order, uint64_t length);

#endif
