/* records.h: what a record says about the one key that it is a call on; records.c has the table. Inline,
 * since millions a second are asked for. */
#ifndef LIN_RECORDS_H
#define LIN_RECORDS_H

#include "parts.h"

#include "bwtree.h"

typedef struct lin_meaning {
    uint8_t need, effect;
} lin_meaning;

/* What a call that returned says, by its kind and its status. */
extern const lin_meaning lin_meanings[REC_COMPARE_EXCHANGE + 1][BW_MISMATCH + 1];

/* The same of any call on one key: batches, blind writes, calls that never returned. */
lin_meaning lin_meaning_of_any(const rec_record *record);

/* Of a call on one key. */
static inline lin_meaning lin_meaning_of(const rec_record *r) {
    if (r->kind > REC_COMPARE_EXCHANGE || r->flags != 0 || (unsigned)r->status > BW_MISMATCH ||
        r->responded == LIN_NEVER_RESPONDED)
        return lin_meaning_of_any(r);
    lin_meaning meaning = lin_meanings[r->kind][r->status];
    /* An exchange takes place exactly if what was seen is what was expected. */
    bool differs = (r->seen == r->expected) != (r->status == BW_OK);
    if ((r->kind == REC_COMPARE_EXCHANGE) & (meaning.need == LIN_VALUE) & differs)
        return (lin_meaning){LIN_NEVER, LIN_KEEPS};
    return meaning;
}

/* The value that a call with this meaning saw, and the one it wrote; 0: none. */
static inline uint64_t lin_value_seen(const rec_record *r, lin_meaning meaning) {
    uint64_t seen = r->responded == LIN_NEVER_RESPONDED ? r->expected : r->seen;
    return meaning.need == LIN_VALUE ? seen : 0;
}

static inline uint64_t lin_value_written(const rec_record *r, lin_meaning meaning) {
    return meaning.effect == LIN_SETS ? r->argument : 0;
}

#endif
