/* lanes.h: the calls on one key of all lanes, in order of time. */
#ifndef LIN_LANES_H
#define LIN_LANES_H

#include "history.h"

typedef struct lin_call {
    const rec_record *record;
    uint32_t index; /* in its lane */
    uint16_t lane;
} lin_call;

/* The lane with the next invocation is at the root of a heap. */
typedef struct lin_lanes {
    struct lin_cursor *heap;
    uint32_t count;
    bool unsorted; /* some lane is not in the order of its invocations: nor is what comes out */
} lin_lanes;

bool lin_lanes_begin(lin_lanes *lanes, const rec_history *history);
void lin_lanes_end(lin_lanes *lanes);

/* Up to `most` calls; 0: there are no more. */
uint32_t lin_lanes_next(lin_lanes *lanes, lin_call *calls, uint32_t most);

#endif
