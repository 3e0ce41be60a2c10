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

/* One workload on its way: each thread's streams, and its count of wrong answers. */
typedef struct work {
    const workload *what;
    bench_run *run;
    uint64_t from, to;
    zipf zipf;
    uint64_t *keys[CREW_MAX];
    uint64_t *fresh[CREW_MAX];
    struct {
        uint64_t count;
        uint64_t apart[7]; /* one line each */
    } errors[CREW_MAX];
} work;

static void job_fill(unsigned thread, void *context) {
    work *w = context;
    share mine = {w->run->loaded, w->run->seed, thread, w->run->threads};
    stream_fill(w->keys[thread], w->to, w->what->keys, &mine, &w->zipf);
    if (w->what->fresh)
        stream_fill(w->fresh[thread], w->to, CHOOSE_FRESH, &mine, NULL);
}

static void job_loop(unsigned thread, void *context) {
    work *w = context;
    w->errors[thread].count += w->what->loop(w->run->adapter, w->run->sessions[thread],
                                             w->keys[thread], w->fresh[thread], w->from, w->to);
}

static bool allocate(work *w, uint64_t each) {
    bool good = true;
    for (unsigned t = 0; t < w->run->threads; t++) {
        w->keys[t] = malloc(each * sizeof(uint64_t));
        w->fresh[t] = w->what->fresh ? malloc(each * sizeof(uint64_t)) : NULL;
        good = good && w->keys[t] != NULL && (w->fresh[t] != NULL || !w->what->fresh);
    }
    return good;
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

bool workload_run(const workload *what, bench_run *run, outcome *out) {
    uint64_t total = what->load ? run->loaded : run->operations / what->fewer_times;
    uint64_t each = total / run->threads;
    uint64_t warm = what->load ? 0 : each / 10;
    work *w = calloc(1, sizeof *w);
    bool good = false;
    if (w == NULL)
        return false;
    w->what = what;
    w->run = run;
    if (allocate(w, warm + each)) {
        if (what->keys == CHOOSE_ZIPF)
            zipf_init(&w->zipf, run->loaded, 0.99);
        w->to = warm + each;
        crew_run(run->crew, job_fill, w);
        if (warm > 0) {
            w->to = warm;
            crew_run(run->crew, job_loop, w);
            w->from = warm;
            w->to = warm + each;
        }
        int64_t before = resident_bytes();
        out->seconds = crew_run(run->crew, job_loop, w);
        out->resident_bytes = resident_bytes() - before;
        out->processor_seconds = crew_processor_seconds(run->crew);
        out->operations = each * run->threads;
        out->errors = 0;
        for (unsigned t = 0; t < run->threads; t++)
            out->errors += w->errors[t].count;
        good = true;
    }
    for (unsigned t = 0; t < run->threads; t++) {
        free(w->keys[t]);
        free(w->fresh[t]);
    }
    free(w);
    return good;
}
