/* page_steps.h: what has one instant in a history: a record, a page read of a walk, or what no record stands for.
 *
 * Each record has a step. A walk whose pages are known has one more for each page read; the steps of keys that a
 * deletion took, and of the single keys of a call that promises nothing for all of them, come with the keys
 * (key_steps.h).
 */
#ifndef LIN_PAGE_STEPS_H
#define LIN_PAGE_STEPS_H

#include "page_reads.h"

struct lin_walk {
    const uint64_t *ends; /* rec_page_ends */
    uint64_t pages;
    uint32_t lane, record;
    uint32_t first; /* the step of its first page read; the others follow */
    bool down;
};

typedef struct lin_page_steps {
    const rec_history *history;
    lin_instants *instants;
    uint64_t *base; /* of each lane: the step of its first record */
    uint32_t
        *many; /* of each record: 0 it is of single keys, 1 of many at one instant, 2 + a walk */
    uint64_t record_count;
    struct lin_walk *walks;
    uint64_t walk_count, walk_room;
    lin_place *others; /* the steps behind those of records */
    uint64_t other_count, other_room;
    lin_page_figures figures;
} lin_page_steps;

/* False: out of memory. Nothing but figures.open is set where that makes judging impossible. */
bool lin_page_steps_make(lin_page_steps *steps, const rec_history *history, lin_instants *instants);
void lin_page_steps_free(lin_page_steps *steps);

/* Another step. LIN_NO_STEP: out of memory. */
uint32_t lin_page_steps_other(lin_page_steps *steps, lin_place what, uint64_t low, uint64_t high);

/* The part is of a step that is about many keys. */
static inline bool lin_page_steps_is_many(const lin_page_steps *steps, const lin_part *part) {
    return steps->many[steps->base[part->lane] + part->record] != 0;
}

/* The step that a part for this key belongs to. */
uint32_t lin_page_steps_of(const lin_page_steps *steps, const lin_part *part, uint64_t key);

#endif
