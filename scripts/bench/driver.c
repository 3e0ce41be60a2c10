/* driver.c: measures one index in one process and prints what it found as one line of JSON.
 *
 *     bench_driver --adapter NAME|FILE.so [--threads T] [--keys N] [--operations N] [--seed S]
 *                  [--workloads A,B,…] [--latency]
 *     bench_driver --adapter NAME|FILE.so --check      only checks that its answers are right
 *     bench_driver --list        prints the adapters built in, and the workloads, each with its load and
 *                                the bytes that a user writes with one operation
 *     bench_driver --dram        prints what one access to memory costs here
 *
 * With --latency the clock is looked at around each operation, which the throughput of that run pays
 * for.
 *
 * One process an index and thread count: memory is read from the process, and no index meets the
 * heap that another has left behind. run.py interleaves the processes and makes the tables.
 * Exit status: 0, 1 (the index gave a wrong answer), 2 (could not run).
 */
#include "check.h"
#include "command_line.h"
#include "dram.h"
#include "latency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_latency(const latency *l) {
    printf(",\"latency\":{\"operations\":%" PRIu64, l->operations);
    static const struct {
        const char *name;
        double part;
    } shown[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        printf(",\"%s\":%.0f", shown[i].name, latency_percentile(l, shown[i].part));
    printf(",\"greatest\":%" PRIu64 ",\"clock\":%.1f}", l->greatest, latency_of_clock());
}

static void print_outcome(const workload *w, const bench_run *run, const outcome *out) {
    printf("{\"workload\":\"%s\",\"operations\":%" PRIu64 ",\"seconds\":%.9f,"
           "\"processor_seconds\":%.9f,\"errors\":%" PRIu64,
           w->name, out->operations, out->seconds, out->processor_seconds, out->errors);
    if (workload_is_load(w))
        printf(",\"resident_bytes\":%" PRId64 ",\"own_bytes\":%" PRIu64, out->resident_bytes,
               run->adapter->bytes != NULL ? run->adapter->bytes(run->index) : 0);
    if (w->user_bytes != 0 && run->adapter->written != NULL)
        printf(",\"written_bytes\":%" PRIu64 ",\"user_bytes\":%" PRIu64, out->written_bytes,
               w->user_bytes * out->operations);
    if (run->clocked)
        print_latency(&out->latency);
    printf("}");
}

/* Runs the selected workloads; prints the results as they come. 0, WRONG or CANNOT. */
static int measure(bench_run *run, const bool *selected) {
    static outcome out; /* too large for a stack to be sure of */
    int status = 0;
    const char *comma = "";
    printf("\"results\":[");
    for (const workload *w = workloads; w->name != NULL; w++) {
        if (!selected[w - workloads] || !workload_fits(w, run->adapter))
            continue;
        if (!workload_run(w, run, &out)) {
            fprintf(stderr, "out of memory for the operations of %s: ask for fewer\n", w->name);
            return CANNOT;
        }
        printf("%s", comma);
        print_outcome(w, run, &out);
        comma = ",";
        if (out.errors != 0) {
            fprintf(stderr,
                    "%s gave %" PRIu64 " wrong answers in %s (%u threads, seed %" PRIu64 ")\n",
                    run->adapter->name, out.errors, w->name, run->threads, run->seed);
            status = WRONG;
        }
    }
    printf("]}\n");
    return status;
}

static int print_dram(void) {
    double small, huge;
    if (!dram_measure(&small, &huge)) {
        fprintf(stderr, "no memory for the measurement of memory: it takes 256 MiB\n");
        return CANNOT;
    }
    printf("{\"small_pages\":%.1f,\"huge_pages\":%.1f}\n", small, huge);
    return 0;
}

int main(int argc, char **argv) {
    arguments a = command_line_defaults("driver.c", 1);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        command_line_list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--dram") == 0)
        return print_dram();
    if (!command_line_parse(argc, argv, &a))
        return CANNOT;
    const bench_adapter *adapter = a.adapters[0];
    int status = check_apart(adapter, a.seed);
    if (status != 0 || a.check)
        return status;
    if (!memory_suffices(a.loaded, 1))
        return CANNOT;
    bench_run run = {.adapter = adapter,
                     .crew = crew_start((unsigned)a.threads),
                     .threads = (unsigned)a.threads,
                     .loaded = a.loaded,
                     .operations = a.operations,
                     .seed = a.seed,
                     .clocked = a.clocked};
    if (run.crew == NULL || !bench_run_open(&run))
        return CANNOT;
    printf("{\"adapter\":\"%s\",\"description\":\"%s\",\"threads\":%u,\"keys\":%" PRIu64
           ",\"seed\":%" PRIu64 ",",
           adapter->name, adapter->description, run.threads, run.loaded, a.seed);
    status = measure(&run, a.selected);
    if (fflush(stdout) != 0 && status == 0) {
        fprintf(stderr, "cannot write the results: %s\n", strerror(errno));
        status = CANNOT;
    }
    bench_run_close(&run);
    crew_stop(run.crew);
    return status;
}
