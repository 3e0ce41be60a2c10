/* lanes.c: see lanes.h. */
#include "lanes.h"
#include "parts.h"

#include <stdlib.h>

enum { FEW = 8 }; /* lanes that are compared one by one: their branches can be foreseen */

struct lin_cursor {
    uint64_t invoked; /* of the next call on one key */
    const rec_lane *lane;
    uint64_t at;
    uint16_t number;
};

static void sink(lin_lanes *lanes, uint32_t at) {
    struct lin_cursor *heap = lanes->heap, moving = heap[at];
    for (uint32_t child = 2 * at + 1; child < lanes->count; child = 2 * at + 1) {
        if (child + 1 < lanes->count && heap[child + 1].invoked < heap[child].invoked)
            child++;
        if (heap[child].invoked >= moving.invoked)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

/* To the next call on one key of the lane; false: there is none. */
static bool go_on(lin_lanes *lanes, struct lin_cursor *c) {
    uint64_t before = c->invoked;
    while (c->at < c->lane->record_count && !lin_is_point(&c->lane->records[c->at]))
        c->at++;
    if (c->at == c->lane->record_count)
        return false;
    c->invoked = c->lane->records[c->at].invoked;
    lanes->unsorted |= c->invoked < before;
    return true;
}

bool lin_lanes_begin(lin_lanes *lanes, const rec_history *h) {
    *lanes = (lin_lanes){.heap = malloc((h->lane_count + 1) * sizeof *lanes->heap)};
    if (lanes->heap == NULL)
        return false;
    for (uint32_t t = 0; t < h->lane_count; t++) {
        struct lin_cursor *c = &lanes->heap[lanes->count];
        *c = (struct lin_cursor){.lane = &h->lanes[t], .number = (uint16_t)t};
        lanes->count += go_on(lanes, c);
    }
    for (uint32_t i = lanes->count / 2; i > 0; i--)
        sink(lanes, i - 1);
    return true;
}

void lin_lanes_end(lin_lanes *lanes) {
    free(lanes->heap);
}

/* The same for few lanes, in no order. */
static uint32_t next_of_few(lin_lanes *lanes, lin_call *calls, uint32_t most) {
    uint32_t count = 0;
    for (; lanes->count > 0 && count < most; count++) {
        struct lin_cursor *c = lanes->heap;
        for (uint32_t i = 1; i < lanes->count; i++)
            c = lanes->heap[i].invoked < c->invoked ? &lanes->heap[i] : c;
        calls[count] = (lin_call){&c->lane->records[c->at], (uint32_t)c->at, c->number};
        c->at++;
        if (!go_on(lanes, c))
            *c = lanes->heap[--lanes->count];
    }
    return count;
}

uint32_t lin_lanes_next(lin_lanes *lanes, lin_call *calls, uint32_t most) {
    uint32_t count = 0;
    if (lanes->count <= FEW)
        return next_of_few(lanes, calls, most);
    for (; lanes->count > 0 && count < most; count++) {
        struct lin_cursor *c = lanes->heap;
        calls[count] = (lin_call){&c->lane->records[c->at], (uint32_t)c->at, c->number};
        c->at++;
        if (!go_on(lanes, c))
            *c = lanes->heap[--lanes->count];
        if (lanes->count > 1)
            sink(lanes, 0);
    }
    return count;
}
