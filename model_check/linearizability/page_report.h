/* page_report.h: what judging page reads gives (page_reads.h): figures, and steps that would each have to be before the
 * next, and the last before the first. */
#ifndef LIN_PAGE_REPORT_H
#define LIN_PAGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#define LIN_NO_STEP UINT32_MAX

/* Why a step must come before another; about one key. */
enum lin_why {
    LIN_WROTE,   /* it wrote the value that the other saw or replaced */
    LIN_SAW,     /* it saw the value that the other replaced or removed */
    LIN_CAME,    /* it saw the key absent, and the other made it present */
    LIN_WENT,    /* it made the key absent, and the other saw it absent */
    LIN_NEXT,    /* it made the key absent, and the other made it present again */
    LIN_PAGE,    /* it read the page before in the same walk */
    LIN_TIME,    /* it cannot be after `high`, and the other not before `low`, which is later */
    LIN_INSTEAD, /* not a link: what follows says why the last choice's other edge is impossible */
    LIN_WHYS
};

enum lin_how {
    LIN_GIVEN,
    LIN_FORCED_CHOICE, /* it was one of two, and the other was impossible */
    LIN_TRIED,         /* it was one of two, and whichever is taken, there is a conflict */
};

typedef struct lin_link {
    uint32_t from, to;
    uint64_t key;
    uint64_t high, low; /* LIN_TIME: of `from`, and of `to` */
    uint8_t why;        /* enum lin_why */
    uint8_t how;        /* enum lin_how */
} lin_link;

typedef struct lin_page_figures {
    uint64_t page_reads; /* judged */
    uint64_t whole;      /* navigation and pops that were judged */
    uint64_t untold;     /* scans and walks whose pages are not known: judged per key only */
    uint64_t keys;       /* that these saw */
    uint64_t left_out;   /* keys that were not judged: a value was written twice */
    uint64_t unnamed;    /* ends of values that no call names: a deletion, a put_many */
    uint64_t edges;      /* what must be before what, where time does not say it */
    uint64_t choices;    /* places of absent keys that had to be tried */
    uint64_t bytes;
    bool open; /* a call that may have changed something never returned: nothing was judged */
} lin_page_figures;

/* What a step is, to be told: a record, and which of its page reads. */
typedef struct lin_place {
    uint32_t lane, record;
    uint32_t page; /* LIN_NO_STEP: it is the record as a whole, or one key's part of it */
    uint32_t
        exact; /* 0: it stands for some call that is not known; the record is one that may be */
} lin_place;

#endif
