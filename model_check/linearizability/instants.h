/* instants.h: can steps be given instants?
 *
 * A step happens at one instant of its interval [low, high]. Some steps must come before others (edges), and
 * of some pairs of edges one must hold (choices). Instants are real numbers; steps at the same instant are put
 * in an order, too.
 *
 *     lin_instants_new; steps; lin_instants_within; edges, choices; lin_instants_solve; what it found
 *
 * An edge moves `low` of what follows up, and `high` of what precedes down. Where no edges run in a cycle and
 * low <= high everywhere, every step may have its low for an instant, and steps of the same instant follow the
 * edges. So without choices this is all, and a conflict is a cycle of edges, or of edges and one step of time: a
 * step that cannot be before `low` comes before one that cannot be after `high`, and high < low.
 *
 * An edge is left out when the intervals imply it. Hence edges are between steps that overlap, and the search
 * for cycles stays among these.
 *
 * Choices are settled first as far as one of their edges is impossible, over and over. For the rest one edge is
 * tried, in the order of time, and the other where that leads to a conflict: up to a limit.
 */
#ifndef LIN_INSTANTS_H
#define LIN_INSTANTS_H

#include "page_report.h"
#include "verdict.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct lin_instants lin_instants;

lin_instants *lin_instants_new(void);
void lin_instants_free(lin_instants *instants);

/* These give false, or LIN_NO_STEP, when out of memory. The first makes room for so many steps at once. */
bool lin_instants_expect(lin_instants *instants, uint64_t steps);
uint32_t lin_instants_step(lin_instants *instants, uint64_t low, uint64_t high);
bool lin_instants_before(lin_instants *instants, lin_link link);
bool lin_instants_either(lin_instants *instants, lin_link one, lin_link other);

/* Narrows a step's interval; before the first lin_instants_solve. */
void lin_instants_within(lin_instants *instants, uint32_t step, uint64_t low, uint64_t high);
uint64_t lin_instants_low(const lin_instants *instants, uint32_t step);
uint64_t lin_instants_high(const lin_instants *instants, uint32_t step);

/* LIN_OK; LIN_VIOLATION; LIN_UNKNOWN_LIMIT (more than `conflicts` of them), _MEMORY, _STOPPED. Once. */
int lin_instants_solve(lin_instants *instants, uint64_t conflicts, const _Atomic bool *stop);

/* After LIN_VIOLATION: links in a cycle, each `to` the next one's `from`; perhaps a second cycle behind a
 * LIN_INSTEAD. */
const lin_link *lin_instants_cycle(const lin_instants *instants, uint64_t *count);

uint64_t lin_instants_edges(const lin_instants *instants);
uint64_t lin_instants_choices(const lin_instants *instants); /* that were tried */
uint64_t lin_instants_bytes(const lin_instants *instants);

#endif
