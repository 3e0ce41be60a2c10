/* verdict.h: what judging a history can end in, and what it took. */
#ifndef LIN_VERDICT_H
#define LIN_VERDICT_H

#include <stdint.h>

enum lin_verdict {
    LIN_NOT_FORCED =
        -1, /* not a verdict: the values do not force an order, a search has to decide */
    LIN_OK = 0,
    LIN_VIOLATION = 1,
    LIN_UNKNOWN_LIMIT = 2,   /* more configurations than the limit */
    LIN_UNKNOWN_TIME = 3,    /* the time limit */
    LIN_UNKNOWN_MEMORY = 4,  /* no memory to be had */
    LIN_UNKNOWN_STOPPED = 5, /* asked to stop */
    LIN_UNKNOWN_WIDE = 6,    /* too many parts of one key in flight at once */
    LIN_UNKNOWN_MODEL = 7,   /* the model failed: what it raised says why */
    LIN_UNKNOWN_DISPUTE = 8, /* two algorithms disagree: a defect of this checker */
};

/* Ways to judge a key; judge.h. LIN_DEEP is the search that goes depth first from the beginning. */
enum lin_algorithm { LIN_FORCED = 0, LIN_SEARCHED = 1, LIN_DEEP = 2, LIN_ALGORITHMS = 3 };

typedef struct lin_figures {
    uint64_t keys[2], parts[2]; /* judged by each algorithm */
    uint64_t partitioned;       /* parts of the history */
    uint64_t peak;              /* most configurations alive at once */
    uint64_t overlapping;       /* parts in flight beside another */
    uint64_t deep;              /* times that a search went depth first */
    uint64_t bytes;             /* of tables, at most */
} lin_figures;

#endif
