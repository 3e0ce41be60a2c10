/* run.h: N threads call the tree at full speed, and every call is recorded.
 *
 * A run owns the memory for the records; it is allocated and touched before the threads start. Each
 * thread writes only its own lane. Values are unique: thread number + 1 in the top 16 bits, a counter
 * below (0 in the top bits is the value of a key filled in before the run).
 *
 * A run can be executed again and again on the same tree: each execution is one round, which begins
 * from the known state that the round before ended in, so a soak needs the memory of one round.
 *
 *     rec_run_new; rec_run_prefill;
 *     for each round: rec_run_execute; rec_run_finish; check rec_run_history; rec_run_next_round
 *     rec_run_free
 */
#ifndef REC_RUN_H
#define REC_RUN_H

#include "bwtree.h"
#include "history.h"
#include "workload.h"

typedef struct rec_options {
    uint32_t threads;
    uint64_t records; /* of each thread in each round */
    bool record;      /* false: the same calls without stamps and records, to measure the cost */
    bool pin;         /* thread t runs on the t-th core allowed, modulo their number */
} rec_options;

typedef struct rec_run rec_run;

/* Makes a run on a tree. NULL: *message says why. The tree must stay open until rec_run_free. */
rec_run *rec_run_new(bw_tree *tree, const rec_options *options, const rec_workload *workload,
                     const char **message);
void rec_run_free(rec_run *run);

/* Gives thread `thread` a list of calls to make instead of a stream; `requests` is copied. For a
 * batch, key, key + 1, … are its keys. 0, or -1 when out of memory or there is no such thread. */
int rec_run_program(rec_run *run, uint32_t thread, const rec_request *requests, uint64_t count);

/* Puts each position of the space with the given probability, from this thread. -1 on an error. */
int rec_run_prefill(rec_run *run, double share);

/* Starts the threads and waits for them. 0, or -1 on an error of any call: rec_run_error. */
int rec_run_execute(rec_run *run);

/* Asks the threads to end early; what was recorded is a history all the same. From any thread. */
void rec_run_stop(rec_run *run);

/* Reads the quiescent tree back (forward, backward, by size and by count, which must agree), and runs
 * the self check. What it read becomes the last lane. 0, or -1: rec_run_error. */
int rec_run_finish(rec_run *run);

/* The round's history: valid until the next round begins. */
const rec_history *rec_run_history(const rec_run *run);

/* The state read back becomes the initial one, and the records are forgotten. */
void rec_run_next_round(rec_run *run);

/* What ended the run, "" if nothing did. */
const char *rec_run_error(const rec_run *run);

double rec_run_seconds(const rec_run *run);      /* of the last rec_run_execute */
uint64_t rec_run_operations(const rec_run *run); /* records of the last round, also if unrecorded */
uint64_t rec_run_calls(const rec_run *run);      /* calls of the last round, also if unrecorded */

#endif
