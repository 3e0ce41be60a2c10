/* judge.h: can the parts of one key be put in an order that explains every result? By whichever way fits.
 *
 *   forced order    the values name the order of the writes: O(n log n), whatever overlaps (forced.h)
 *   search          any history; exponential in what overlaps, within limits (search.h)
 *
 * What the forced order rejects is searched as well, only to find the response at which no order is left.
 */
#ifndef LIN_JUDGE_H
#define LIN_JUDGE_H

#include "forced.h"
#include "search.h"

typedef struct lin_judge lin_judge;

lin_judge *lin_judge_new(const lin_limits *limits, const lin_model *model);
void lin_judge_free(lin_judge *judge);

/* `only` leaves one way: LIN_FORCED (then LIN_NOT_FORCED may come back), LIN_SEARCHED or LIN_DEEP;
 * LIN_ALGORITHMS: whichever fits. */
void lin_judge_use(lin_judge *judge, int only);

/* Judges `count` parts, ascending by invocation, from any of the given states. On LIN_VIOLATION, *failed
 * is the part at whose response no order is left (or one that has to do with it, where a search for it
 * comes to its limits). `order` as of lin_search_judge. */
int lin_judge_parts(lin_judge *judge, const lin_part *parts, uint64_t count,
                    const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                    uint32_t *order);

void lin_judge_figures(const lin_judge *judge, lin_figures *figures);

#endif
