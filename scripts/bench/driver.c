/* driver.c: measures one index in one process and prints what it found as one line of JSON.
 *
 *     bench_driver --adapter NAME|FILE.so [--threads T] [--keys N] [--operations N] [--seed S]
 *                  [--workloads A,B,…]
 *     bench_driver --adapter NAME|FILE.so --check      only checks that its answers are right
 *     bench_driver --list        prints the adapters built in and the workloads
 *
 * One process an index and thread count: memory is read from the process, and no index meets the
 * heap that another has left behind. run.py interleaves the processes and makes the tables.
 * Exit status: 0, 1 (the index gave a wrong answer), 2 (could not run).
 */
#include "check.h"
#include "command_line.h"
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Runs the selected workloads; prints the results as they come. 0, WRONG or CANNOT. */
static int measure(bench_run *run, const bool *selected) {
    int status = 0;
    const char *comma = "";
    printf("\"results\":[");
    for (size_t i = 0; workloads[i].name != NULL; i++) {
        const workload *w = &workloads[i];
        if (!selected[i] || (w->batch && run->adapter->get_many == NULL))
            continue;
        outcome out;
        if (!workload_run(w, run, &out)) {
            fprintf(stderr, "out of memory for the operations of %s: ask for fewer\n", w->name);
            return CANNOT;
        }
        printf("%s{\"workload\":\"%s\",\"operations\":%" PRIu64 ",\"seconds\":%.9f,"
               "\"processor_seconds\":%.9f,\"errors\":%" PRIu64,
               comma, w->name, out.operations, out.seconds, out.processor_seconds, out.errors);
        if (w->load)
            printf(",\"resident_bytes\":%" PRId64 ",\"own_bytes\":%" PRIu64, out.resident_bytes,
                   run->adapter->bytes != NULL ? run->adapter->bytes(run->index) : 0);
        printf("}");
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

int main(int argc, char **argv) {
    arguments a = command_line_defaults("driver.c", 1);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        command_line_list();
        return 0;
    }
    if (!command_line_parse(argc, argv, &a))
        return CANNOT;
    const bench_adapter *adapter = a.adapters[0];
    int status = check_apart(adapter, a.seed);
    if (status != 0 || a.check)
        return status;
    bench_run run = {.adapter = adapter,
                     .crew = crew_start((unsigned)a.threads),
                     .threads = (unsigned)a.threads,
                     .loaded = a.loaded,
                     .operations = a.operations,
                     .seed = a.seed};
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
