/* search.h: what the files of the search share: the present path, and what the pieces of an execution touch.
 *
 *     search.c    the path, and the next one
 *     pieces.c    an execution as a row of pieces; what each touches; who sleeps
 *     races.c     which steps could have come in the other order; source sets
 *     prefix.c    parts of an exploration, for several processes
 */
#ifndef BWX_SEARCH_H
#define BWX_SEARCH_H

#include "runtime.h"

/* What a thread does between two choices of a thread: one step, and what it does behind it in one piece
 * (BWX_ALONE), of which only sets of hashed addresses are kept. */
typedef struct bwx_touch {
    uint8_t kind;
    bool writes;
    uintptr_t address;
    uint64_t reads_behind, writes_behind, syncs_behind;
} bwx_touch;

typedef struct bwx_node {
    uint8_t thread;
    uint8_t previous; /* that ran before */
    uint16_t enabled, backtrack, done, sleep;
    uint16_t preemptions;
    uint32_t first_choice, messages;
    uint32_t pc; /* what the thread was about to do, to see that a repetition does the same */
    uintptr_t address;
    bwx_touch touches[BWX_THREADS]; /* of those that sleep or are done */
} bwx_node;

extern bwx_node *bwx_nodes;

bool bwx_search_fresh(void); /* does the present execution go on where the last one has not been? */

/* ---- pieces.c ---- */
void bwx_pieces_begin(void);
void bwx_pieces_next(unsigned thread, uint32_t node);
void bwx_pieces_close(void); /* the present one has ended */
extern uint16_t bwx_asleep;
extern uint32_t bwx_limits[BWX_THREADS];
void bwx_sleep_begin(void);
void bwx_sleep_at(bwx_node *at); /* remembers there who sleeps */
void bwx_sleep_on(uint32_t threads);
void bwx_sleep_step(const bwx_step *step);

/* ---- races.c ---- */
void bwx_races_at(const bwx_step *step);
void bwx_races_at_end(void);

/* ---- prefix.c ---- */
/* Fixes a node of the prefix, and writes one into another process's. */
void bwx_prefix_node(bwx_node *at, unsigned number);
size_t bwx_prefix_write(const bwx_node *at, char *text, size_t room);

#endif
