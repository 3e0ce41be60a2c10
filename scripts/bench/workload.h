/* workload.h: what is done to an index, and how long it took. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "adapter.h"
#include "crew.h"
#include "stream.h"

#include <stdbool.h>

enum { SCAN_LENGTH = 100, BATCH_LENGTH = 1024 };

/* What one thread does with its stream, from operation `from` up to `to`: gives how many answers
 * were wrong. */
typedef uint64_t timed_loop(const bench_adapter *adapter, void *session, const uint64_t *keys,
                            const uint64_t *fresh, uint64_t from, uint64_t to);

typedef struct workload {
    const char *name;
    const char *description;
    timed_loop *loop;
    choice keys;
    bool fresh;           /* it also needs keys that were never loaded */
    bool load;            /* it is a load: all of it is timed, and done before the others */
    bool batch;           /* it needs get_many, which an adapter may lack */
    unsigned fewer_times; /* how many times fewer operations than a get: scans are long */
} workload;

/* All workloads, in the order in which they must run; ends with a NULL name. */
extern const workload workloads[];

const workload *workload_find(const char *name, size_t length);

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
} bench_run;

typedef struct outcome {
    uint64_t operations, errors;
    double seconds;           /* from the first thread's start to the last one's end */
    double processor_seconds; /* that the threads have had in sum */
    int64_t resident_bytes;   /* by how much the process's resident memory has grown */
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

#endif
