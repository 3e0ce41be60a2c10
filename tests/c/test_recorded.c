/* test_recorded.c: the recorder and the checker of histories as a C program, so that sanitizers see them:
 * eight threads, every operation there is, capacities from 2 to 8, so that pages split and merge all the
 * time. Every history must be linearizable, and the tree sound whenever it is at rest.
 *
 * One test makes the engine wrong: it stands behind the copying of a page (cmake/tests.cmake), and looks each value
 * up anew. Then each key for itself is right, and the page is not. */
#include "support.h"
#include "tree.h"

#include "linearizability/check.h"
#include "recorder/run.h"

enum { THREADS = 8, ROUNDS = 2, OPERATIONS = CHECK_SANITIZED ? 2000 : 12000 };

static const uint32_t shapes[][4] = {{2, 1, 3, 1}, {3, 2, 3, 2}, {4, 2, 4, 1}, {5, 5, 4, 3},
                                     {6, 3, 5, 2}, {7, 4, 6, 3}, {8, 4, 8, 4}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Every kind of call; those that visit many keys are rarer. */
static rec_workload every_call(uint64_t space) {
    rec_workload workload = {
        .seed = check_seed, .space = space, .stride = 3, .scan_length = 8, .batch = 8, .span = 16};
    for (unsigned kind = 0; kind < REC_KINDS; kind++)
        workload.weight[kind] = 20;
    workload.weight[REC_PUT] = workload.weight[REC_INSERT] = 120;
    workload.weight[REC_REMOVE] = 100;
    workload.weight[REC_PUT_MANY] = 10;
    workload.weight[REC_DELETE_RANGE] = 10;
    workload.weight[REC_UPKEEP] = 4;
    workload.weight[REC_CLEAR] = 1;
    return workload;
}

/* The tree of which a scan looks up each value anew; NULL: none. */
static bw_tree *torn;

unsigned __real_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values);
unsigned __wrap_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values);

unsigned __wrap_bw_page_range(const bw_page *page, const bw_search *search, unsigned slots,
                              uint64_t low, uint64_t high, size_t limit, uint64_t *keys,
                              uint64_t *values) {
    unsigned n = __real_bw_page_range(page, search, slots, low, high, limit, keys, values);
    /* Only a scan asks for less than all there may be. Others have their turn in the midst of it, even where all
     * threads share one core. */
    for (unsigned i = 0; torn != NULL && limit < BW_MAX_ENTRIES && i < n; i++) {
        if (i == n / 2)
            sched_yield();
        (void)torn->search->get(torn, keys[i], &values[i]);
    }
    return n;
}

/* Each key for itself must be linearizable; gives the verdict on page reads, and how many there were. */
static int verdict_on_pages(const rec_run *run, uint64_t records, uint64_t *page_reads) {
    const char *message = "";
    lin_page_figures figures;
    lin_check *check = lin_check_new(rec_run_history(run), 1 << 20, 0, &message);
    if (check == NULL)
        check_fail(__FILE__, __LINE__, "lin_check_new", "%s", message);
    int verdict = lin_check_run(check, 0, lin_check_steps(check));
    if (verdict != LIN_OK)
        check_fail(__FILE__, __LINE__, "lin_check_run", "verdict %d at key %" PRIu64, verdict,
                   lin_check_bad_key(check));
    CHECK_LE(records, lin_check_records(check));
    verdict = lin_check_pages(check, &figures);
    *page_reads = figures.page_reads;
    lin_check_free(check);
    return verdict;
}

static void must_be_linearizable(const rec_run *run) {
    uint64_t page_reads;
    CHECK_EQ(LIN_OK, verdict_on_pages(run, (uint64_t)THREADS * OPERATIONS, &page_reads));
    CHECK_LT(0, page_reads);
}

/* Gives the merges that there were. */
static uint64_t record_and_check(const bw_options *options, const rec_workload *workload) {
    bw_tree *tree = tree_open(options);
    const char *message = "";
    rec_options how = {.threads = THREADS, .records = OPERATIONS, .record = true};
    rec_run *run = rec_run_new(tree, &how, workload, &message);
    if (run == NULL)
        check_fail(__FILE__, __LINE__, "rec_run_new", "%s", message);
    bool went = rec_run_prefill(run, 0.5) == 0;
    for (unsigned round = 0; went && round < ROUNDS; round++) {
        if (round > 0)
            rec_run_next_round(run);
        went = rec_run_execute(run) == 0 && rec_run_finish(run) == 0;
        if (went)
            must_be_linearizable(run);
    }
    if (!went)
        check_fail(__FILE__, __LINE__, "the run", "%s", rec_run_error(run));
    rec_run_free(run);
    CHECK_OK(bw_worker_stop(tree));
    uint64_t merges = tree_stats(tree).merges;
    tree_free(tree);
    return merges;
}

static void in_every_shape(bool worker, bool pooling, uint64_t space) {
    rec_workload workload = every_call(space);
    for (unsigned s = 0; s < SHAPES; s++) {
        const uint32_t *shape = shapes[s];
        bw_options options = options_of(shape[0], shape[1], shape[2], shape[3]);
        meter m;
        if (!pooling)
            options = options_metered(options, &m);
        options.retire_batch = 1 + s % 4 * 8;
        options.worker = worker;
        options.worker_interval_us = 100;
        options.worker_log_length = 1;
        workload.seed++;
        check_trying("leaves of %u, %s, %" PRIu64 " keys", shape[0], worker ? "worker" : "alone",
                     space);
        CHECK_LT(0, record_and_check(&options, &workload));
        if (!pooling)
            meter_check_empty(&m);
    }
}

static void eight_threads_that_do_everything_are_linearizable(void) {
    in_every_shape(false, true, 60);
}

static void so_they_are_when_memory_checkers_see_every_page(void) {
    in_every_shape(false, false, 200);
}

static void so_they_are_beside_the_worker(void) {
    in_every_shape(true, false, 60);
}

static void a_page_that_is_read_at_several_instants_is_found(void) {
    enum { FEW_THREADS = 4, FEW = 10000, MOST_ROUNDS = 500 };
    rec_workload workload = {
        .seed = check_seed, .space = 40, .stride = 1, .scan_length = 16, .batch = 1, .span = 32};
    workload.weight[REC_PUT] = 80;
    workload.weight[REC_SCAN_FORWARD] = 20;
    bw_options options = options_of(16, 16, 16, 4);
    bw_tree *tree = tree_open(&options);
    const char *message = "";
    rec_options how = {.threads = FEW_THREADS, .records = FEW, .record = true};
    rec_run *run = rec_run_new(tree, &how, &workload, &message);
    if (run == NULL)
        check_fail(__FILE__, __LINE__, "rec_run_new", "%s", message);
    CHECK_EQ(0, rec_run_prefill(run, 1));
    int verdict = LIN_OK;
    torn = tree;
    for (unsigned round = 0; round < MOST_ROUNDS && verdict == LIN_OK; round++) {
        uint64_t page_reads;
        if (round > 0)
            rec_run_next_round(run);
        if (rec_run_execute(run) != 0 || rec_run_finish(run) != 0)
            check_fail(__FILE__, __LINE__, "the run", "%s", rec_run_error(run));
        verdict = verdict_on_pages(run, (uint64_t)FEW_THREADS * FEW, &page_reads);
        CHECK_LT(FEW / 10, page_reads);
    }
    torn = NULL;
    CHECK_EQ(LIN_VIOLATION, verdict);
    rec_run_free(run);
    tree_free(tree);
}

CHECK_MAIN({"eight_threads_that_do_everything_are_linearizable",
            eight_threads_that_do_everything_are_linearizable},
           {"so_they_are_when_memory_checkers_see_every_page",
            so_they_are_when_memory_checkers_see_every_page},
           {"so_they_are_beside_the_worker", so_they_are_beside_the_worker},
           {"a_page_that_is_read_at_several_instants_is_found",
            a_page_that_is_read_at_several_instants_is_found})
