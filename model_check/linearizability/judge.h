/* judge.h: can the parts of one key be put in an order that explains every result?
 *
 * A complete search after Wing and Gong (1993) with Lowe's memoisation (2017), made breadth first
 * ("just in time"). It walks through invocations and responses in order of time and keeps the set of
 * all *configurations* that the history allows so far: the state of the cell, and which of the parts
 * in flight have taken effect. Nothing else of the past matters, so
 *
 *   - equal configurations are kept once (the memoisation);
 *   - a mutator takes effect in a configuration only when some part's response demands it, since
 *     waiting excludes nothing;
 *   - a read takes effect as soon as the state suits it, since that excludes nothing either: it
 *     changes no state and is then done with;
 *   - at a response, configurations in which that part cannot have taken effect are dropped. None
 *     left: no order explains the history up to here: a violation.
 *
 * A part in flight is one bit, so memory is (configurations) x 24 bytes however long the history is,
 * and time is linear in its length. With unique values and mutators that say what they saw there is
 * mostly one configuration. Parts whose results are unknown (put_many) can make more: `limit` bounds
 * their number, and the verdict is then LIN_UNKNOWN, as it is above 64 parts in flight on one key.
 */
#ifndef LIN_JUDGE_H
#define LIN_JUDGE_H

#include "parts.h"

#include <stdatomic.h>

enum lin_verdict {
    LIN_OK = 0,
    LIN_VIOLATION = 1,
    LIN_UNKNOWN_LIMIT = 2,     /* more configurations than the limit */
    LIN_UNKNOWN_IN_FLIGHT = 3, /* more than 64 parts of one key in flight */
    LIN_UNKNOWN_MEMORY = 4,
    LIN_UNKNOWN_STOPPED = 5,
};

typedef struct lin_judge lin_judge;

lin_judge *lin_judge_new(uint64_t limit, const _Atomic bool *stop);
void lin_judge_free(lin_judge *judge);

/* Judges `count` parts, ascending by invocation, from any of the given states. On LIN_VIOLATION,
 * *failed is the part at whose response no configuration was left. `order` (optional, count
 * entries) receives an order that explains all, when the verdict is LIN_OK. */
int lin_judge_parts(lin_judge *judge, const lin_part *parts, uint64_t count,
                    const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                    uint32_t *order);

/* The most configurations that were alive at once since the judge was made. */
uint64_t lin_judge_peak(const lin_judge *judge);

/* The parts judged since then that were in flight together with another part of their key. */
uint64_t lin_judge_overlapping(const lin_judge *judge);

#endif
