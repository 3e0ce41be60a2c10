/* bench_run.h: an index under measurement, and what a workload on it took. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "adapter.h"
#include "crew.h"
#include "workload.h"

#include <stdbool.h>

/* An index under measurement, with a crew whose members each have a session. */
typedef struct bench_run {
    const bench_adapter *adapter;
    void *index;
    void *sessions[CREW_MAX];
    crew *crew;
    unsigned threads;
    uint64_t loaded;     /* keys: of the load */
    uint64_t operations; /* timed operations of a workload, over all threads */
    uint64_t seed;
    bool clocked; /* look at the clock around each operation */
} bench_run;

typedef struct outcome {
    uint64_t operations, errors;
    double seconds;           /* from the first thread's start to the last one's end */
    double processor_seconds; /* that the threads have had in sum */
    int64_t resident_bytes;   /* by how much the process's resident memory has grown */
    uint64_t written_bytes;   /* what the index has written, where its adapter knows */
    latency latency;          /* of a clocked run */
} outcome;

/* Opens the index and, in each of the crew's threads, its session. false: it failed, and a sentence
 * on stderr has said why. */
bool bench_run_open(bench_run *run);
void bench_run_close(bench_run *run);

/* How many timed operations of the workload each thread has to do. */
uint64_t workload_share(const workload *w, const bench_run *run);

/* The operations of a workload: `each` for each thread, the same for every index they are run on. */
typedef struct streams streams;

/* NULL: no memory. */
streams *streams_make(const workload *w, const bench_run *run, uint64_t each);

/* Lets each thread do its operations `from` up to `to` on the run's index. Gives the seconds from the
 * first start to the last end, and adds the wrong answers to *errors. */
double streams_run(streams *s, bench_run *run, uint64_t from, uint64_t to, uint64_t *errors);
void streams_free(streams *s);

/* Makes the streams, warms up with a tenth as many operations more, runs, and checks.
 * false: no memory for the streams. */
bool workload_run(const workload *w, bench_run *run, outcome *out);

/* Whether the machine has the memory for `indexes` indexes of so many keys; if not, a sentence on
 * stderr has said so. */
bool memory_suffices(uint64_t keys, size_t indexes);

#endif
