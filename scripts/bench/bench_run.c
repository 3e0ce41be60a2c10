/* bench_run.c: see bench_run.h. */
#include "bench_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes to have ready for a key: in the greediest index (std::map), and in streams and their making. */
enum { INDEX_BYTES = 64, STREAM_BYTES = 24 };

/* Each thread's streams, and where in them it is at work. */
struct streams {
    const workload *what;
    unsigned threads;
    uint64_t from, to;
    share all;      /* what the threads share in, as thread 0 sees it */
    bench_run *run; /* that is at work */
    zipf zipf;
    uint64_t *keys[CREW_MAX];
    uint64_t *fresh[CREW_MAX];
    latency *latencies; /* one for each thread; NULL: the clock is not looked at */
    struct {
        uint64_t count;
        uint64_t apart[7]; /* one line each */
    } errors[CREW_MAX];
};

static void job_fill(unsigned thread, void *context) {
    streams *s = context;
    share mine = s->all;
    mine.thread = thread;
    stream_fill(s->keys[thread], s->to, s->what->keys, &mine, &s->zipf);
    if (s->what->fresh)
        stream_fill(s->fresh[thread], s->to, CHOOSE_FRESH, &mine, NULL);
}

static void job_loop(unsigned thread, void *context) {
    streams *s = context;
    task mine = {.adapter = s->run->adapter,
                 .session = s->run->sessions[thread],
                 .keys = s->keys[thread],
                 .fresh = s->fresh[thread],
                 .latency = s->latencies != NULL ? &s->latencies[thread] : NULL};
    timed_loop *loop = s->latencies != NULL ? s->what->clocked : s->what->loop;
    s->errors[thread].count = loop(&mine, s->from, s->to);
}

/* All loaded keys in order, cut among the threads, each with the sum of the values up to and with it.
 * false: no memory. */
static bool fill_whole(streams *s) {
    uint64_t each = s->to, n = each * s->threads;
    uint64_t *all = malloc(n * sizeof *all);
    if (all == NULL)
        return false;
    for (uint64_t i = 0; i < n; i++)
        all[i] = splitmix64(i);
    stream_sort(all, n);
    for (unsigned t = 0; t < s->threads; t++) {
        uint64_t sum = 0;
        for (uint64_t i = 0; i < each; i++) {
            s->keys[t][i] = all[t * each + i];
            s->fresh[t][i] = sum += value_of(s->keys[t][i], 0);
        }
    }
    free(all);
    return true;
}

streams *streams_make(const workload *what, const bench_run *run, uint64_t each) {
    streams *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    bool whole = what->keys == CHOOSE_WHOLE, good = true;
    s->what = what;
    s->threads = run->threads;
    s->to = each;
    /* Each workload has fresh keys of its own: several may run one after the other. */
    s->all = (share){.loaded = run->loaded,
                     .seed = run->seed,
                     .threads = run->threads,
                     .fresh = (uint64_t)(what - workloads + 1) << 40,
                     .few = what->few};
    for (unsigned t = 0; t < run->threads; t++) {
        s->keys[t] = malloc(each * sizeof(uint64_t));
        s->fresh[t] = what->fresh || whole ? malloc(each * sizeof(uint64_t)) : NULL;
        good = good && s->keys[t] != NULL && (s->fresh[t] != NULL || !(what->fresh || whole));
    }
    if (run->clocked)
        s->latencies = calloc(run->threads, sizeof *s->latencies);
    good = good && (s->latencies != NULL || !run->clocked);
    zipf_init(&s->zipf, run->loaded, 0.99);
    if (good && whole)
        good = fill_whole(s);
    else if (good)
        crew_run(run->crew, job_fill, s);
    if (!good) {
        streams_free(s);
        return NULL;
    }
    return s;
}

double streams_run(streams *s, bench_run *run, uint64_t from, uint64_t to, uint64_t *errors) {
    s->run = run;
    s->from = from;
    s->to = to;
    double seconds = crew_run(run->crew, job_loop, s);
    for (unsigned t = 0; t < s->threads; t++)
        *errors += s->errors[t].count;
    return seconds;
}

void streams_free(streams *s) {
    for (unsigned t = 0; t < s->threads; t++) {
        free(s->keys[t]);
        free(s->fresh[t]);
    }
    free(s->latencies);
    free(s);
}

static int64_t resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    int64_t all = 0, resident = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%" SCNd64 " %" SCNd64, &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

uint64_t workload_share(const workload *what, const bench_run *run) {
    uint64_t all = workload_is_whole(what) ? run->loaded : run->operations / what->fewer_times;
    return all / run->threads;
}

bool workload_run(const workload *what, bench_run *run, outcome *out) {
    uint64_t each = workload_share(what, run);
    uint64_t warm = workload_is_whole(what) ? 0 : each / 10;
    const bench_adapter *adapter = run->adapter;
    streams *s = streams_make(what, run, warm + each);
    if (s == NULL)
        return false;
    memset(out, 0, sizeof *out);
    out->operations = each * run->threads;
    if (warm > 0)
        streams_run(s, run, 0, warm, &out->errors);
    if (s->latencies != NULL)
        memset(s->latencies, 0, run->threads * sizeof *s->latencies);
    int64_t before = resident_bytes();
    uint64_t written = adapter->written != NULL ? adapter->written(run->index) : 0;
    out->seconds = streams_run(s, run, warm, warm + each, &out->errors);
    out->processor_seconds = crew_processor_seconds(run->crew);
    out->resident_bytes = resident_bytes() - before;
    if (adapter->written != NULL)
        out->written_bytes = adapter->written(run->index) - written;
    for (unsigned t = 0; run->clocked && t < run->threads; t++)
        latency_merge(&out->latency, &s->latencies[t]);
    streams_free(s);
    return true;
}

static void job_open(unsigned thread, void *context) {
    bench_run *run = context;
    run->sessions[thread] = run->adapter->session_open(run->index);
}

static void job_close(unsigned thread, void *context) {
    bench_run *run = context;
    if (run->sessions[thread] != NULL)
        run->adapter->session_close(run->sessions[thread]);
}

bool bench_run_open(bench_run *run) {
    run->index = run->adapter->open();
    if (run->index == NULL) {
        fprintf(stderr, "%s cannot be opened\n", run->adapter->name);
        return false;
    }
    crew_run(run->crew, job_open, run);
    for (unsigned t = 0; t < run->threads; t++)
        if (run->sessions[t] == NULL) {
            fprintf(stderr, "%s gave no session to thread %u\n", run->adapter->name, t);
            return false;
        }
    return true;
}

void bench_run_close(bench_run *run) {
    crew_run(run->crew, job_close, run);
    run->adapter->close(run->index);
}

static uint64_t available_bytes(void) {
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    uint64_t kib = UINT64_MAX >> 10; /* unknown: let it be tried */
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib << 10;
}

bool memory_suffices(uint64_t keys, size_t indexes) {
    double need = (double)keys * (double)(indexes * INDEX_BYTES + STREAM_BYTES);
    double there = (double)available_bytes();
    if (need <= there)
        return true;
    fprintf(stderr,
            "%" PRIu64 " keys need about %.1f GiB of memory and %.1f GiB are available: ask for "
            "fewer with --keys\n",
            keys, need / 0x1p30, there / 0x1p30);
    return false;
}
