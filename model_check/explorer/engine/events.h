/* events.h: events of the engine (impl/src/event.h) for the explorer. */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include "program.h"

/* From here on events come with the tree's state, if the program asks for it (options states=1). */
void events_watch(const bw_tree *tree);

/* A call of the program begins, has its answer. */
void events_call(int what, uint64_t a, uint64_t b, uint64_t c);
void events_answer(bw_status status, uint64_t value);

/* An operation that was to free a page has freed none. */
void events_nothing(void);

#endif
