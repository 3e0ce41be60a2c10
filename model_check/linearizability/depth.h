/* depth.h: the search depth first, from where there were too many configurations at once. Internal to
 * search.c.
 *
 * The same steps as breadth first (search.h), but one way is followed to its end before the next is tried,
 * and every configuration in which a choice had to be made is remembered with its place in time, so that
 * none is tried twice. A history that many orders explain is done with in one go; one that none explains
 * takes as many configurations as there are, now all remembered: hence the bound.
 */
#ifndef LIN_DEPTH_H
#define LIN_DEPTH_H

#include "slots.h"

typedef struct lin_depth_task {
    const lin_part *parts;
    uint64_t next, count; /* parts from `next` on have not been invoked */
    const lin_model *model;
    const lin_slots *slots; /* what is in flight */
    const config_set *from;
    uint64_t most; /* configurations to remember */
    lin_clock *clock;
    /* With LIN_OK: the way. */
    uint64_t origin; /* index in `from` */
    uint32_t *steps; /* parts in order; to be freed by the caller, with any verdict */
    uint64_t step_count;
} lin_depth_task;

/* An enum lin_verdict; LIN_UNKNOWN_LIMIT: `most` was reached. */
int lin_depth_search(lin_depth_task *task, uint64_t *failed);

#endif
