/* history.h: what was called, what came back, and when: the memory layout of a recorded run.
 *
 * A history is a list of lanes, one a thread. A lane is an array of records in the order of the
 * thread's calls, and an array of pairs that holds what scans returned. Each record is one call, or
 * one key's part of a batch call; the parts of a batch share one interval. docs/history-format.md
 * tells which field means what for each kind; the same layout is written to files.
 *
 * An interval is closed: [invoked, responded]. Call A is before call B only if A.responded <
 * B.invoked; calls whose intervals touch in one point are concurrent.
 */
#ifndef REC_HISTORY_H
#define REC_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

enum rec_kind {
    REC_GET,
    REC_PUT,
    REC_INSERT,
    REC_UPDATE,
    REC_REMOVE,
    REC_COMPARE_EXCHANGE,
    REC_FLOOR,
    REC_CEILING,
    REC_LOWER,
    REC_HIGHER,
    REC_FIRST,
    REC_LAST,
    REC_SCAN_FORWARD,  /* cursor: seek, then next_many within a limit */
    REC_SCAN_BACKWARD, /* cursor: seek, then prev_many within a limit */
    REC_WALK_FORWARD,  /* cursor: seek, then next, step by step */
    REC_WALK_BACKWARD, /* cursor: seek, then prev, step by step */
    REC_GET_MANY,
    REC_PUT_MANY,
    REC_COUNT,
    REC_CLEAR,
    REC_SIZE,
    REC_UPKEEP, /* consolidate, collect, self_check, stats, worker start and stop, in turn */
    REC_POP_FIRST,
    REC_POP_LAST,
    REC_DELETE_RANGE,
    REC_KINDS
};

/* Flags of a record. */
enum {
    REC_BLIND = 1,   /* PUT_MANY: nothing is known about what this part saw */
    REC_PRESENT = 2, /* PUT_MANY: this part saw the key present; with which value is unknown */
    REC_PAGED = 4,   /* a scan: behind its pairs stands which pages it read: rec_page_ends */
};

typedef struct rec_record {
    uint64_t invoked;   /* clock just before the call */
    uint64_t responded; /* clock just after it */
    uint64_t key;       /* of a pop, the key given back */
    uint64_t argument;  /* value to write; limit of a range; key found by navigation */
    uint64_t expected;  /* of compare_exchange; number asked for by a scan */
    uint64_t seen;      /* value seen or found; index of a scan's first pair; a count */
    uint8_t kind;       /* enum rec_kind */
    uint8_t flags;
    int16_t status; /* bw_status, 0 or above */
    uint32_t count; /* pairs of a scan; parts of a batch */
} rec_record;

typedef struct rec_pair {
    uint64_t key;
    uint64_t value;
} rec_pair;

typedef struct rec_lane {
    const rec_record *records;
    uint64_t record_count;
    const rec_pair *pairs;
    uint64_t pair_count;
} rec_lane;

typedef struct rec_history {
    const rec_pair *initial; /* what the map holds before the first call, keys ascending */
    uint64_t initial_count;
    const rec_lane *lanes;
    uint32_t lane_count;
} rec_history;

/* How many pairs `pages` page reads take behind those of their scan: their number, and the end of each. */
static inline uint64_t rec_page_pairs(uint64_t pages) {
    return (pages + 2) / 2;
}

/* Of a scan with REC_PAGED: the last key that each page read answered for, in the direction of the walk;
 * the next page read begins at the key beyond. `pairs` are those of the lane. */
static inline const uint64_t *rec_page_ends(const rec_record *record, const rec_pair *pairs,
                                            uint64_t *pages) {
    const uint64_t *words = (const void *)(pairs + record->seen + record->count);
    *pages = words[0];
    return words + 1;
}

#endif
