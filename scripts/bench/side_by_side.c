/* side_by_side.c: measures several indexes in one process, slice by slice, and prints what it found
 * as one line of JSON.
 *
 *     bench_side_by_side --adapter NAME|FILE.so --adapter NAME|FILE.so … [--threads T] [--keys N]
 *                        [--operations N] [--seed S] [--slices N] [--workloads A,B,…]
 *
 * On a shared machine whole seconds are slower than others, so figures of processes that ran one
 * after the other scatter more than the indexes differ. Here each workload is cut into slices of a
 * fraction of a second; within a slice every index does the same operations, one index after the
 * other, and the next slice begins with the next index. The first quarter of a turn brings the index
 * back into the caches and is not timed. What slows the machine slows all sides of most slices, so
 * ratios are taken within a round (as many slices as there are indexes, so that each was first once);
 * bench_side_by_side.py makes medians and quartiles of them. Memory is not measured: the indexes
 * share a heap.
 *
 * --check only checks that the answers of each are right.
 *
 * Like driver.c this checks each index before it is timed, pins the threads, makes the operations
 * before the clock starts and looks at every answer.
 * Exit status: 0, 1 (an index gave a wrong answer), 2 (could not run).
 */
#include "check.h"
#include "command_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEWEST_TIMES = 10, /* the greatest `fewer_times` of all workloads */
    UNTIMED = 4,       /* one operation of so many begins a turn untimed */
};

/* One turn: what one index took for one slice. */
typedef struct turn {
    double seconds, processor_seconds;
} turn;

typedef struct match {
    bench_run runs[MOST_ADAPTERS];
    size_t count; /* of indexes */
    size_t slices;
    turn *turns[MOST_ADAPTERS]; /* of the workload on its way: one for each slice */
    uint64_t errors[MOST_ADAPTERS];
} match;

/* Whether the index takes part in the workload. */
static bool plays(const match *m, size_t index, const workload *w) {
    return workload_fits(w, m->runs[index].adapter);
}

/* Lets every index do operations `from` up to `to` of each thread; `slice` says who begins. */
static void run_slice(match *m, streams *s, const workload *w, size_t slice, uint64_t from,
                      uint64_t to, bool timed) {
    for (size_t i = 0; i < m->count; i++) {
        size_t at = (slice + i) % m->count;
        if (!plays(m, at, w))
            continue;
        uint64_t middle = timed ? from + (to - from) / UNTIMED : to;
        streams_run(s, &m->runs[at], from, middle, &m->errors[at]);
        if (timed) {
            double seconds = streams_run(s, &m->runs[at], middle, to, &m->errors[at]);
            m->turns[at][slice] = (turn){seconds, crew_processor_seconds(m->runs[at].crew)};
        }
    }
}

/* Gives how many timed operations a slice has, over all threads; 0: no memory for them. */
static uint64_t run_workload(match *m, const workload *w) {
    const bench_run *first = &m->runs[0];
    uint64_t in_slice = workload_share(w, first) / m->slices; /* main has seen that it is not 0 */
    uint64_t each = in_slice * m->slices;
    uint64_t warm = workload_is_whole(w) ? 0 : each / 10;
    streams *s = streams_make(w, first, warm + each);
    if (s == NULL)
        return 0;
    memset(m->errors, 0, sizeof m->errors);
    if (warm > 0)
        run_slice(m, s, w, 0, 0, warm, false);
    for (size_t slice = 0; slice < m->slices; slice++)
        run_slice(m, s, w, slice, warm + slice * in_slice, warm + (slice + 1) * in_slice, true);
    streams_free(s);
    return (in_slice - in_slice / UNTIMED) * first->threads;
}

static void print_turns(const match *m, size_t index, bool processor) {
    for (size_t slice = 0; slice < m->slices; slice++) {
        const turn *t = &m->turns[index][slice];
        printf("%s%.9f", slice == 0 ? "" : ",", processor ? t->processor_seconds : t->seconds);
    }
}

static void print_workload(const match *m, const workload *w, uint64_t operations) {
    const char *comma = "";
    printf("{\"workload\":\"%s\",\"operations\":%" PRIu64 ",\"indexes\":{", w->name, operations);
    for (size_t i = 0; i < m->count; i++) {
        if (!plays(m, i, w))
            continue;
        printf("%s\"%s\":{\"errors\":%" PRIu64 ",\"seconds\":[", comma, m->runs[i].adapter->name,
               m->errors[i]);
        print_turns(m, i, false);
        printf("],\"processor_seconds\":[");
        print_turns(m, i, true);
        printf("]}");
        comma = ",";
    }
    printf("}}");
}

/* false: an index gave a wrong answer, and a sentence on stderr has said which. */
static bool all_right(const match *m, const workload *w) {
    bool good = true;
    for (size_t i = 0; i < m->count; i++)
        if (m->errors[i] != 0) {
            fprintf(stderr,
                    "%s gave %" PRIu64 " wrong answers in %s (%u threads, seed %" PRIu64 ")\n",
                    m->runs[i].adapter->name, m->errors[i], w->name, m->runs[i].threads,
                    m->runs[i].seed);
            good = false;
        }
    return good;
}

/* Runs the selected workloads; prints the results as they come. 0, WRONG or CANNOT. */
static int measure(match *m, const bool *selected) {
    int status = 0;
    const char *comma = "";
    printf("\"results\":[");
    for (size_t i = 0; workloads[i].name != NULL; i++) {
        const workload *w = &workloads[i];
        if (!selected[i])
            continue;
        uint64_t operations = run_workload(m, w);
        if (operations == 0) {
            fprintf(stderr, "out of memory for the operations of %s: ask for fewer\n", w->name);
            return CANNOT;
        }
        printf("%s", comma);
        print_workload(m, w, operations);
        comma = ",";
        if (!all_right(m, w))
            status = WRONG;
    }
    printf("]}\n");
    return status;
}

/* Opens every index; one crew works on all of them in turn. 0 or CANNOT. */
static int open_match(match *m, const arguments *a) {
    crew *crew = crew_start((unsigned)a->threads);
    if (crew == NULL)
        return CANNOT;
    m->count = a->count;
    m->slices = a->slices;
    for (size_t i = 0; i < m->count; i++) {
        m->turns[i] = calloc(m->slices, sizeof *m->turns[i]);
        if (m->turns[i] == NULL) {
            fprintf(stderr, "out of memory for %zu slices\n", m->slices);
            return CANNOT;
        }
        m->runs[i] = (bench_run){.adapter = a->adapters[i],
                                 .crew = crew,
                                 .threads = (unsigned)a->threads,
                                 .loaded = a->loaded,
                                 .operations = a->operations,
                                 .seed = a->seed};
        if (!bench_run_open(&m->runs[i]))
            return CANNOT;
    }
    return 0;
}

static void close_match(match *m) {
    for (size_t i = 0; i < m->count; i++) {
        bench_run_close(&m->runs[i]);
        free(m->turns[i]);
    }
    crew_stop(m->runs[0].crew);
}

int main(int argc, char **argv) {
    arguments a = command_line_defaults("side_by_side.c", MOST_ADAPTERS);
    a.slices = 40;
    if (!command_line_parse(argc, argv, &a))
        return CANNOT;
    if (a.clocked) {
        fprintf(stderr, "--latency is for one index in a process: see driver.c\n");
        return CANNOT;
    }
    if (a.count < 2) {
        fprintf(stderr, "name two indexes at least: --adapter NAME --adapter NAME\n");
        return CANNOT;
    }
    uint64_t least = a.slices * a.threads * FEWEST_TIMES;
    if (a.operations < least) {
        fprintf(stderr,
                "--operations must be at least %" PRIu64 " for %" PRIu64 " slices of %" PRIu64
                " threads, got %" PRIu64 "\n",
                least, a.slices, a.threads, a.operations);
        return CANNOT;
    }
    for (size_t i = 0; i < a.count; i++) {
        int status = check_apart(a.adapters[i], a.seed);
        if (status != 0)
            return status;
    }
    match m = {.count = 0};
    if (a.check)
        return 0;
    if (!memory_suffices(a.loaded, a.count))
        return CANNOT;
    if (open_match(&m, &a) != 0)
        return CANNOT;
    printf("{\"threads\":%" PRIu64 ",\"keys\":%" PRIu64 ",\"seed\":%" PRIu64 ",\"slices\":%" PRIu64
           ",",
           a.threads, a.loaded, a.seed, a.slices);
    int status = measure(&m, a.selected);
    if (fflush(stdout) != 0 && status == 0) {
        fprintf(stderr, "cannot write the results: %s\n", strerror(errno));
        status = CANNOT;
    }
    close_match(&m);
    return status;
}
