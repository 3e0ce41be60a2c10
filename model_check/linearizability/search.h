/* search.h: can the parts of one key be put in an order that explains every result? For any history.
 *
 * A complete search after Wing and Gong (1993) with Lowe's memoisation (2017). It walks through
 * invocations and responses in order of time. All that matters of the past is a *configuration*: the
 * state of the object, and which of the parts in flight have taken effect. So
 *
 *   - equal configurations are kept once (the memoisation), and a part in flight is one bit of them:
 *     their size depends on the concurrency, not on the length of the history;
 *   - a mutator takes effect in a configuration only when some part's response demands it, since
 *     waiting excludes nothing;
 *   - a read takes effect as soon as the state suits it, since that excludes nothing either: it
 *     changes no state and is then done with;
 *   - at a response, configurations in which that part cannot have taken effect are dropped. None
 *     left: no order explains the history up to here: a violation;
 *   - of parts in flight that do the same, the one that must respond first goes first: exchanging the
 *     two in an order leaves an order;
 *   - a part that never responded is never demanded: it takes effect, or not. A configuration in which
 *     fewer of them have taken effect, all else equal, can do whatever one with more can: it stands for
 *     both.
 *
 * Breadth first, all configurations of one instant are alive at once and nothing else is kept: memory
 * does not grow with the length. Where they become very many (blind writes by many threads) there may be
 * a short way through all the same: then the search goes on depth first (depth.c), with the memory of
 * Wing, Gong and Lowe, for a while, and breadth first again if that has not helped.
 */
#ifndef LIN_SEARCH_H
#define LIN_SEARCH_H

#include "model.h"
#include "verdict.h"

#include <stdatomic.h>

typedef struct lin_limits {
    uint64_t configurations; /* alive at once, or remembered by the search depth first */
    uint64_t milliseconds;   /* of the whole check; 0: no limit */
    const _Atomic bool *stop;
} lin_limits;

typedef struct lin_search lin_search;

/* NULL: out of memory. `model` may be NULL where no part is a LIN_CALL. */
lin_search *lin_search_new(const lin_limits *limits, const lin_model *model);
void lin_search_free(lin_search *search);

/* Go depth first from the beginning, instead of where it seems better. */
void lin_search_go_deep(lin_search *search, bool always);

/* Judges `count` parts, ascending by invocation, from any of the given states. On LIN_VIOLATION,
 * *failed is the part at whose response no configuration was left. `order` (optional, count
 * entries) receives an order that explains all, when the verdict is LIN_OK, and LIN_NO_PART at its end
 * for parts that never responded and took no effect. */
int lin_search_judge(lin_search *search, const lin_part *parts, uint64_t count,
                     const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                     uint32_t *order);

uint64_t lin_search_peak(const lin_search *search); /* most configurations alive at once */
uint64_t lin_search_deep(const lin_search *search); /* times that it went deep */

#endif
