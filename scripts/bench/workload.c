/* workload.c: see workload.h. A loop does nothing but call the index and look at the answer. */
#include "workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOP(name)                                                                          \
    static uint64_t name(const bench_adapter *adapter, void *session, const uint64_t *keys, \
                         const uint64_t *fresh, uint64_t from, uint64_t to)

LOOP(loop_insert) {
    uint64_t errors = 0;
    (void)fresh;
    for (uint64_t i = from; i < to; i++)
        errors += adapter->insert(session, keys[i], value_of(keys[i], 0)) != 1;
    return errors;
}

LOOP(loop_get) {
    uint64_t errors = 0;
    (void)fresh;
    for (uint64_t i = from; i < to; i++) {
        uint64_t value = 0;
        errors += adapter->get(session, keys[i], &value) != 1 || !value_belongs(keys[i], value);
    }
    return errors;
}

LOOP(loop_get_many) {
    uint64_t errors = 0, values[BATCH_LENGTH];
    (void)fresh;
    for (uint64_t i = from; i < to;) {
        size_t n = to - i < BATCH_LENGTH ? to - i : BATCH_LENGTH;
        errors += adapter->get_many(session, keys + i, n, values) != (int64_t)n;
        for (size_t j = 0; j < n; j++)
            errors += !value_belongs(keys[i + j], values[j]);
        i += n;
    }
    return errors;
}

LOOP(loop_scan) {
    uint64_t errors = 0, values[SCAN_LENGTH];
    (void)fresh;
    for (uint64_t i = from; i < to; i++) {
        /* The key that the scan starts at is in the index, so its value comes first. */
        errors += adapter->scan(session, keys[i], SCAN_LENGTH, values) != SCAN_LENGTH ||
                  !value_belongs(keys[i], values[0]);
    }
    return errors;
}

LOOP(loop_read_update) {
    uint64_t errors = 0;
    (void)fresh;
    for (uint64_t i = from; i < to; i++) {
        uint64_t key = keys[i], value = 0;
        /* A coin that does not hang on the key: hot keys are both read and updated. */
        if (splitmix64(i) & 1)
            errors += adapter->get(session, key, &value) != 1 || !value_belongs(key, value);
        else
            errors += adapter->update(session, key, value_of(key, i)) != 1;
    }
    return errors;
}

LOOP(loop_insert_read) {
    uint64_t errors = 0;
    for (uint64_t i = from; i < to; i++) {
        uint64_t value = 0;
        if (splitmix64(i) & 1)
            errors += adapter->get(session, keys[i], &value) != 1 || !value_belongs(keys[i], value);
        else
            errors += adapter->insert(session, fresh[i], value_of(fresh[i], 0)) != 1;
    }
    return errors;
}

LOOP(loop_remove) {
    uint64_t errors = 0;
    (void)fresh;
    for (uint64_t i = from; i < to; i++)
        errors += adapter->remove(session, keys[i]) != 1;
    return errors;
}

const workload workloads[] = {
    {.name = "load_random",
     .description = "load, random order",
     .loop = loop_insert,
     .keys = CHOOSE_RANDOM_LOAD,
     .load = true,
     .fewer_times = 1},
    {.name = "load_ascending",
     .description = "load, ascending",
     .loop = loop_insert,
     .keys = CHOOSE_ASCENDING_LOAD,
     .load = true,
     .fewer_times = 1},
    {.name = "get_uniform",
     .description = "get, uniform",
     .loop = loop_get,
     .keys = CHOOSE_UNIFORM,
     .fewer_times = 1},
    {.name = "get_zipf",
     .description = "get, zipfian 0.99",
     .loop = loop_get,
     .keys = CHOOSE_ZIPF,
     .fewer_times = 1},
    {.name = "get_many",
     .description = "get in batches of 1024, uniform",
     .loop = loop_get_many,
     .keys = CHOOSE_UNIFORM,
     .batch = true,
     .fewer_times = 1},
    {.name = "scan",
     .description = "scan of 100 keys",
     .loop = loop_scan,
     .keys = CHOOSE_SCAN,
     .fewer_times = 10},
    {.name = "read_update",
     .description = "50 % get, 50 % update, zipfian 0.99",
     .loop = loop_read_update,
     .keys = CHOOSE_ZIPF,
     .fewer_times = 1},
    {.name = "insert_read",
     .description = "50 % insert, 50 % get, uniform",
     .loop = loop_insert_read,
     .keys = CHOOSE_UNIFORM,
     .fresh = true,
     .fewer_times = 1},
    {.name = "remove",
     .description = "remove, each key once",
     .loop = loop_remove,
     .keys = CHOOSE_ONCE,
     .fewer_times = 1},
    {.name = NULL},
};

const workload *workload_find(const char *name, size_t length) {
    for (const workload *w = workloads; w->name != NULL; w++)
        if (strlen(w->name) == length && strncmp(w->name, name, length) == 0)
            return w;
    return NULL;
}

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
    s->errors[thread].count = s->what->loop(s->run->adapter, s->run->sessions[thread],
                                            s->keys[thread], s->fresh[thread], s->from, s->to);
}

streams *streams_make(const workload *what, const bench_run *run, uint64_t each) {
    streams *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->what = what;
    s->threads = run->threads;
    s->to = each;
    s->all = (share){.loaded = run->loaded, .seed = run->seed, .threads = run->threads};
    for (unsigned t = 0; t < run->threads; t++) {
        s->keys[t] = malloc(each * sizeof(uint64_t));
        s->fresh[t] = what->fresh ? malloc(each * sizeof(uint64_t)) : NULL;
        if (s->keys[t] == NULL || (what->fresh && s->fresh[t] == NULL)) {
            streams_free(s);
            return NULL;
        }
    }
    if (what->keys == CHOOSE_ZIPF)
        zipf_init(&s->zipf, run->loaded, 0.99);
    crew_run(run->crew, job_fill, s);
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
    return (what->load ? run->loaded : run->operations / what->fewer_times) / run->threads;
}

bool workload_run(const workload *what, bench_run *run, outcome *out) {
    uint64_t each = workload_share(what, run);
    uint64_t warm = what->load ? 0 : each / 10;
    streams *s = streams_make(what, run, warm + each);
    if (s == NULL)
        return false;
    *out = (outcome){.operations = each * run->threads};
    if (warm > 0)
        streams_run(s, run, 0, warm, &out->errors);
    int64_t before = resident_bytes();
    out->seconds = streams_run(s, run, warm, warm + each, &out->errors);
    out->resident_bytes = resident_bytes() - before;
    out->processor_seconds = crew_processor_seconds(run->crew);
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
