/* lane.h: one thread of a run: it makes a call on the tree and writes down what came back. */
#ifndef REC_LANE_H
#define REC_LANE_H

#include "bwtree.h"
#include "history.h"
#include "told_cursor.h"
#include "workload.h"

#include <stdatomic.h>

enum { REC_RECALLED = 256 };

typedef struct rec_writer {
    _Alignas(64) bw_tree *tree; /* own cache lines: no two threads share one */
    bool record;
    uint32_t thread;
    rec_record *records;
    uint64_t used, capacity; /* records, counted also when nothing is recorded */
    rec_pair *pairs;
    uint64_t pairs_used, pairs_capacity;
    uint64_t calls;
    uint64_t counter; /* of unique values; goes on over rounds */
    bw_cursor *cursor;
    /* Values seen lately, so that compare_exchange has something likely to expect. */
    rec_pair recalled[REC_RECALLED];
    uint64_t batch_keys[REC_MAX_BATCH], batch_values[REC_MAX_BATCH];
    bool batch_present[REC_MAX_BATCH];
    uint64_t scan_keys[REC_MAX_SCAN], scan_values[REC_MAX_SCAN];
    rec_reads reads; /* of pages, by the scan being made */
    uint64_t upkeep; /* turns taken */
    bool failed;
    char error[512];
} rec_writer;

/* Makes the call and records it; writer->batch_keys holds the keys of a batch. False when the call
 * failed, with a sentence in writer->error; nothing is recorded then. */
bool rec_writer_call(rec_writer *writer, const rec_request *request);

/* The most records that one call can take. */
static inline uint64_t rec_request_records(const rec_request *request) {
    return request->kind == REC_GET_MANY || request->kind == REC_PUT_MANY ? request->count : 1;
}

extern const char *const rec_kind_names[REC_KINDS];

#endif
