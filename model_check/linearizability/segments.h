/* segments.h: what the forced order knows of a key: the values that its cell held, and when. Internal to
 * forced.c, which ties parts to values, and segments.c, which follows values from one to the next.
 */
#ifndef LIN_SEGMENTS_H
#define LIN_SEGMENTS_H

#include "forced.h"

#include <stdlib.h>

enum { RECENT = 1024 }; /* at most; a power of two */

#define NOBODY  UINT32_MAX
#define DELETED (UINT32_C(1) << 31) /* of a consumer: it is a part that deletes, not a value */

/* A value that the cell held: who wrote it, who consumed it, and the reads of it. */
struct value {
    uint64_t latest;   /* invocation of a read; 0: none */
    uint64_t earliest; /* response of a read; UINT64_MAX: none */
    uint32_t writer;   /* part; NOBODY: it was there at first */
    uint32_t consumer; /* the value that replaced it, or DELETED | part, or NOBODY */
};

/* Forward: the cell is taken from low to high. Backward: an instant of low ... high is enough. */
struct zone {
    uint64_t low, high;
    uint32_t at; /* its first value, or DELETED | the part that saw the cell absent */
};

struct zones {
    struct zone *all;
    uint32_t count;
    uint64_t capacity;
};

struct untied {
    uint32_t part, own; /* the value it wrote, if it wrote one */
};

struct lin_forced {
    struct value *values;
    uint64_t *table;         /* of values: some bits of what they are, and index + 1; 0: free */
    uint32_t recent[RECENT]; /* the values written last, by what they are: index + 1 */
    uint32_t recent_mask;    /* of as many of them as the key calls for */
    struct untied *untied;   /* parts that saw none of those */
    uint64_t untied_count, untied_capacity;
    struct zones forward, backward;
    uint32_t *readers; /* for an order: parts, by the value they read */
    uint64_t value_capacity, table_capacity, bytes;

    const lin_part *parts;
    uint64_t count, table_size;
    lin_state initial;
    bool blind;      /* it is a register */
    bool unanswered; /* some part has no response */
    bool *wanted;    /* then: a part with a response saw the value ... */
    bool *asked;     /* ... or any part that changes the cell may have */
    uint64_t wanted_capacity;
    uint32_t value_count;
    bool starved;   /* there was no memory for a zone */
    uint64_t begun; /* until then the cell is taken by what was there at first */
    uint64_t failed;
};

static inline bool grow(struct lin_forced *f, void *memory, uint64_t have, uint64_t want,
                        size_t size) {
    void **at = memory; /* the address of a pointer */
    void *more = realloc(*at, want * size);
    if (more == NULL)
        return false;
    *at = more;
    f->bytes += (want - have) * size;
    return true;
}

/* The state before the first part is value 0 if the cell is present, or if it is a register. */
static inline bool has_beginning(const struct lin_forced *f) {
    return f->initial.present || f->blind;
}

/* A part without a response that is left out: nobody asks for what it would have written. */
static inline bool is_left_out(const struct lin_forced *f, const lin_part *part, uint32_t own) {
    if (part->responded != LIN_NEVER_RESPONDED)
        return false;
    return part->effect != LIN_SETS || !f->wanted[own];
}

static inline bool violated(struct lin_forced *f, uint64_t part) {
    f->failed = part;
    return false;
}

/* The number of the value; NOBODY: it was never written. */
uint32_t lin_forced_find(const struct lin_forced *f, uint64_t wanted);

/* Notes the zone of what responded first at `earliest`, and was invoked last at `latest`. */
void lin_segments_add_zone(struct lin_forced *forced, uint64_t earliest, uint64_t latest,
                           uint32_t at);

/* False: no order explains the parts, and forced->failed has to do with it. */
bool lin_segments_follow(struct lin_forced *forced);
bool lin_segments_fit(struct lin_forced *forced);

/* False: out of memory. */
bool lin_segments_order(struct lin_forced *forced, uint32_t *order);

#endif
