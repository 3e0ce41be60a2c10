/* search.h: what the files of the search share: the present path, its pieces, what they touch.
 *
 *     search.c    the path, and the next one
 *     pieces.c    an execution as a row of pieces; what each touches and comes after; who sleeps
 *     races.c     which steps could have come in the other order; source sets
 *     wakeup.c    wakeup trees
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
    uint32_t branches; /* wakeup.c: what is to be explored here after this */
    uint32_t pc;       /* what the thread was about to do, to see that a repetition does the same */
    uintptr_t address;
    bwx_touch touches[BWX_THREADS]; /* of those that sleep or are done */
} bwx_node;

typedef struct bwx_option_choice {
    uint32_t first; /* of its options */
    uint16_t n, now;
    uint32_t usual;    /* the default option */
    uint32_t branches; /* wakeup.c: for options that are not the default one */
} bwx_option_choice;

/* From one choice of a thread to the next; forced ones (one thread can run) included. */
typedef struct bwx_piece {
    uint8_t thread;
    bool waited;               /* a loop of the thread waited; it can go on since … */
    uint32_t node;             /* BWX_NONE: forced */
    uint32_t first;            /* step */
    uint32_t choices;          /* made before it */
    uint32_t before;           /* of its thread, or the one that has created it; BWX_NONE */
    uint32_t wakers[BWX_RING]; /* … one of these pieces has written */
    unsigned waker_count;
    bwx_touch touch;
    bwx_clock
        clock; /* steps that come before it in every execution equal to this one, and its own */
} bwx_piece;

extern bwx_node *bwx_nodes;
extern bwx_option_choice *bwx_choices;
extern uint32_t *bwx_options_there; /* of the choices */
extern bwx_piece *bwx_pieces;
extern bool bwx_pieces_news; /* something may go on of which this was not known */

/* Are wakeup trees used? In sc. In rc11 which store is read is a choice of its own, and source sets are
 * enough; whether a thread can be stopped for ever depends on all others (--freeze). */
static inline bool bwx_by_trees(void) {
    return bwx.sc && bwx.options.strategy == BWX_EXHAUSTIVE && !bwx.options.freeze;
}

unsigned bwx_search_choices(void); /* of the present path */
bool bwx_search_fresh(void); /* does the present execution go on where the last one has not been? */

/* ---- pieces.c ---- */
void bwx_pieces_open(void);
void bwx_pieces_begin(void);
void bwx_pieces_next(unsigned thread, uint32_t node, unsigned choices);
uint32_t bwx_pieces_pending(const bwx_thread *thread);
void bwx_pieces_close(void); /* the last one, at an execution's end */
bool bwx_touches_depend(const bwx_touch *one, const bwx_touch *other);
bwx_touch bwx_touch_of(const bwx_op *op);
void bwx_touch_anything(bwx_touch *touch);       /* in one piece with its step, for all we know */
int16_t bwx_piece_index(const bwx_piece *piece); /* its first step's in its thread */
bool bwx_may_go_on(const bwx_piece *late);       /* could it do more than it did, read otherwise? */
extern uint16_t bwx_asleep;
extern uint32_t bwx_limits[BWX_THREADS];
void bwx_sleep_begin(void);
void bwx_sleep_at(bwx_node *at); /* remembers there who sleeps */
void bwx_sleep_on(uint32_t threads);
void bwx_sleep_step(const bwx_step *step);

/* ---- races.c ---- */
void bwx_races_at(const bwx_step *step);
void bwx_races_at_end(void);

/* ---- wakeup.c ---- */
void bwx_wakeup_open(void);
void bwx_wakeup_forget(void); /* everything */
void bwx_wakeup_race(uint32_t early, uint32_t late);
void bwx_wakeup_pending(uint32_t early, const bwx_thread *thread);
void bwx_wakeup_forget_races(uint32_t step); /* of this step and later ones */
void bwx_wakeup_insert_all(void);            /* at the end of an execution */
unsigned bwx_wakeup_node(bwx_node *at, uint32_t candidates, unsigned otherwise);
void bwx_wakeup_every(bwx_node *at, uint32_t threads);
void bwx_wakeup_forced(unsigned thread);
void bwx_wakeup_choice(bwx_option_choice *at, unsigned ordinal, uint32_t option);
void bwx_wakeup_other_option(bwx_option_choice *at, uint32_t option);
bool bwx_wakeup_other_thread(bwx_node *at);
void bwx_wakeup_drop(uint32_t *branches);
unsigned bwx_wakeup_left(const bwx_node *at);

/* ---- prefix.c ---- */
/* Fixes a node of the prefix, and writes one into another process's. */
void bwx_prefix_node(bwx_node *at, unsigned number);
size_t bwx_prefix_write(const bwx_node *at, char *text, size_t room);

#endif
