/* differential.h: do all ways of judging agree, on very many small random histories?
 *
 * A history is made from a seed and its number: right by construction, then spoilt in about half of the
 * cases. Each is judged by the forced order (where the values force one), by the search breadth first and
 * depth first, and by trying all orders, which is a page of code that can be believed by reading it. Orders
 * that come back are replayed.
 */
#ifndef LIN_DIFFERENTIAL_H
#define LIN_DIFFERENTIAL_H

#include "parts.h"
#include "verdict.h"

enum { LIN_RANDOM_PARTS = 10 };

typedef struct lin_comparison {
    uint64_t compared, right, forced, open, long_ones; /* open: with a part that never responded */
    uint64_t disputed; /* number of a history on which they disagree, when the result is -1 */
    int verdicts[4];   /* then: forced, breadth first, depth first, all orders */
    int what; /* then: 0 a verdict, else 1 + which of them gave an order that explains nothing */
} lin_comparison;

/* Gives the history `number` of the seed: how many of parts[LIN_RANDOM_PARTS] it has. */
uint32_t lin_random_parts(uint64_t seed, uint64_t number, lin_part *parts, lin_state *initial);

/* Compares the histories first ... last-1 of a seed. 0, -1 at a disagreement, -2 out of memory. */
int lin_compare(uint64_t seed, uint64_t first, uint64_t last, lin_comparison *comparison);

#endif
