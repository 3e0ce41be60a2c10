/* forced.h: the order of one key's parts where the values name it, in O(n log n).
 *
 * Two kinds of history leave no choice about which write follows which; docs/linearizability.md has the
 * theorem and its proof.
 *
 *   A map's key: every part that changes the cell says what it saw. The value names its predecessor, so
 *   the life of the key falls into *segments*: an insertion into the absent cell, what replaced its value,
 *   what replaced that, ..., a removal. Reads belong to the value they saw.
 *
 *   A register: nothing deletes, and a write may be blind (it does not say what it replaced). A segment
 *   is a blind write, the exchanges that follow from its value, and the reads of all these values. With
 *   blind writes only it is what Gibbons and Korach (1997) solve.
 *
 * Inside a segment the order is forced. Between segments only time decides: with f the earliest response
 * and l the latest invocation in it, a segment whose l is not behind f fits into one instant of [l, f]; any
 * other occupies the cell from f to l. So two segments of the second kind must not overlap, and nothing of
 * the first kind, and no part that saw the cell absent, may lie strictly inside one.
 *
 * A part that has no response (responded = LIN_NEVER_RESPONDED) may or may not have taken effect. It did
 * if a part with a response saw its value, and it is left out if nothing asks for its value.
 */
#ifndef LIN_FORCED_H
#define LIN_FORCED_H

#include "parts.h"
#include "verdict.h"

typedef struct lin_forced lin_forced;

lin_forced *lin_forced_new(void);
void lin_forced_free(lin_forced *forced);

/* Judges `count` parts, ascending by invocation. Gives LIN_OK, LIN_VIOLATION (*failed is a part that has
 * to do with it), LIN_UNKNOWN_MEMORY or LIN_NOT_FORCED. `order` (optional, count entries) receives, with
 * LIN_OK, an order that explains all, and LIN_NO_PART in the places of parts left out. */
int lin_forced_judge(lin_forced *forced, const lin_part *parts, uint64_t count, lin_state initial,
                     uint64_t *failed, uint32_t *order);

/* Bytes that its tables have taken, at most. */
uint64_t lin_forced_bytes(const lin_forced *forced);

#endif
