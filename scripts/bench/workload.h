/* workload.h: the workloads: which keys, and what is done with them. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "adapter.h"
#include "latency.h"
#include "stream.h"

#include <stdbool.h>

enum { SCAN_LENGTH = 100, BATCH_LENGTH = 1024, SHORT_BATCH = 64, SUM_LENGTH = 1 << 16 };

/* One thread's part in a workload. */
typedef struct task {
    const bench_adapter *adapter;
    void *session;
    const uint64_t *keys, *fresh; /* fresh: NULL unless the workload needs it */
    latency *latency;             /* of loops that look at the clock */
} task;

/* Does operations `from` up to `to` of the task's stream: gives how many answers were wrong. */
typedef uint64_t timed_loop(const task *t, uint64_t from, uint64_t to);

/* What an index must offer beyond what every one has. */
typedef enum need { NEED_NOTHING, NEED_REMOVE, NEED_GET_MANY, NEED_PUT_MANY, NEED_SUM } need;

typedef struct workload {
    const char *name;
    const char *description;
    timed_loop *loop;
    timed_loop *clocked; /* the same, with a look at the clock around each operation */
    choice keys;
    choice load; /* which load its keys are of; a load's own: its keys */
    bool fresh;  /* it also needs keys that were never loaded */
    need needs;
    uint64_t few;         /* of CHOOSE_FEW */
    unsigned fewer_times; /* how many times fewer operations than a get: scans are long */
    unsigned least_keys;  /* with fewer its keys cannot be chosen */
    unsigned
        user_bytes; /* that one operation writes, for write amplification; 0: not only writes */
} workload;

/* All workloads, in the order in which they must run; ends with a NULL name. */
extern const workload workloads[];

const workload *workload_find(const char *name, size_t length);

/* Whether it is a load itself. */
static inline bool workload_is_load(const workload *w) {
    return w->keys == w->load;
}

/* Whether it goes once over everything, so that there is nothing to warm up with. */
static inline bool workload_is_whole(const workload *w) {
    return workload_is_load(w) || w->keys == CHOOSE_WHOLE;
}

static inline bool workload_fits(const workload *w, const bench_adapter *adapter) {
    return (w->needs != NEED_REMOVE || adapter->remove != NULL) &&
           (w->needs != NEED_GET_MANY || adapter->get_many != NULL) &&
           (w->needs != NEED_PUT_MANY || adapter->put_many != NULL) &&
           (w->needs != NEED_SUM || adapter->sum != NULL);
}

#endif
