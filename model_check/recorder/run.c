/* run.c: the threads of a run, and the known states between its rounds. See run.h. */
#define _GNU_SOURCE /* for thread affinity */
#include "run.h"
#include "clock.h"
#include "lane.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { READ_BACK_CHUNK = 256 };

typedef struct pair_list {
    rec_pair *pairs;
    uint64_t count, capacity;
} pair_list;

struct rec_run {
    bw_tree *tree;
    rec_options options;
    rec_plan plan;
    uint64_t round;
    rec_writer *writers;
    rec_request **programs;
    uint64_t *program_lengths;
    pair_list initial, final;
    rec_record final_record[1];
    rec_lane *lanes; /* threads + 1: the last is what rec_run_finish read */
    rec_history history;
    double seconds;
    char error[640];
    _Atomic uint32_t ready; /* threads that have arrived at the start */
    _Atomic bool go, stop;
};

struct thread_start {
    rec_run *run;
    uint32_t thread;
};

static bool list_push(pair_list *list, uint64_t key, uint64_t value) {
    if (list->count == list->capacity) {
        uint64_t capacity = list->capacity ? 2 * list->capacity : 1024;
        rec_pair *pairs = realloc(list->pairs, capacity * sizeof *pairs);
        if (pairs == NULL)
            return false;
        list->pairs = pairs;
        list->capacity = capacity;
    }
    list->pairs[list->count++] = (rec_pair){key, value};
    return true;
}

/* Memory that is there: written once, so that no thread takes a page fault while it is timed; in huge pages
 * where there are any: it is written and read from end to end. */
static void *touched(size_t size) {
    const size_t huge = (size_t)2 << 20;
    void *memory;
    if (size < huge) {
        memory = malloc(size ? size : 1);
    } else {
        size = (size + huge - 1) / huge * huge;
        memory = aligned_alloc(huge, size);
#ifdef __linux__
        if (memory != NULL)
            (void)madvise(memory, size, MADV_HUGEPAGE);
#endif
    }
    if (memory != NULL)
        memset(memory, 0, size ? size : 1);
    return memory;
}

rec_run *rec_run_new(bw_tree *tree, const rec_options *options, const rec_workload *workload,
                     const char **message) {
    *message = "out of memory for the records: ask for fewer operations";
    if (options->threads == 0 || options->threads > 1024) {
        *message = "threads must be from 1 to 1024";
        return NULL;
    }
    rec_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->tree = tree;
    run->options = *options;
    const char *wrong = rec_plan_make(&run->plan, workload);
    if (wrong != NULL) {
        *message = wrong;
        free(run);
        return NULL;
    }
    uint32_t threads = options->threads;
    run->writers = aligned_alloc(_Alignof(rec_writer), threads * sizeof *run->writers);
    run->programs = calloc(threads, sizeof *run->programs);
    run->program_lengths = calloc(threads, sizeof *run->program_lengths);
    run->lanes = calloc(threads + 1, sizeof *run->lanes);
    if (run->writers != NULL)
        memset(run->writers, 0, threads * sizeof *run->writers);
    bool enough = run->writers && run->programs && run->program_lengths && run->lanes;
    for (uint32_t t = 0; enough && t < threads; t++) {
        rec_writer *writer = &run->writers[t];
        writer->tree = tree;
        writer->thread = t;
        writer->record = options->record;
        writer->capacity = options->records + REC_MAX_BATCH;
        writer->pairs_capacity = 2 * options->records + (uint64_t)4 * REC_MAX_SCAN;
        if (!options->record)
            continue;
        writer->records = touched(writer->capacity * sizeof *writer->records);
        writer->pairs = touched(writer->pairs_capacity * sizeof *writer->pairs);
        enough = writer->records != NULL && writer->pairs != NULL;
    }
    if (!enough) {
        rec_run_free(run);
        return NULL;
    }
    rec_clock_select();
    return run;
}

void rec_run_free(rec_run *run) {
    if (run == NULL)
        return;
    for (uint32_t t = 0; t < run->options.threads; t++) {
        if (run->writers)
            free(run->writers[t].records);
        if (run->writers)
            free(run->writers[t].pairs);
        if (run->programs)
            free(run->programs[t]);
    }
    free(run->writers);
    free(run->programs);
    free(run->program_lengths);
    free(run->lanes);
    free(run->initial.pairs);
    free(run->final.pairs);
    free(run);
}

int rec_run_program(rec_run *run, uint32_t thread, const rec_request *requests, uint64_t count) {
    if (thread >= run->options.threads)
        return -1;
    rec_request *copy = malloc((count ? count : 1) * sizeof *copy);
    if (copy == NULL)
        return -1;
    if (count)
        memcpy(copy, requests, count * sizeof *copy);
    free(run->programs[thread]);
    run->programs[thread] = copy;
    run->program_lengths[thread] = count;
    return 0;
}

static int broken(rec_run *run, const char *what, bw_status status) {
    snprintf(run->error, sizeof run->error, "%s: status %d (%s)", what, (int)status,
             bw_strerror(status));
    return -1;
}

int rec_run_prefill(rec_run *run, double share) {
    const rec_workload *w = &run->plan.workload;
    for (uint64_t position = 0; position < w->space; position++) {
        uint64_t dice = rec_mix64(w->seed ^ rec_mix64(position)) >> 11;
        if ((double)dice * 0x1p-53 >= share)
            continue;
        uint64_t key = rec_key_at(w, position), value = position + 1;
        bw_status status = bw_put(run->tree, key, value, NULL);
        if (status != BW_OK)
            return broken(run, "filling the tree before the run: put", status);
        if (!list_push(&run->initial, key, value))
            return broken(run, "noting the initial state", BW_ENOMEM);
    }
    return 0;
}

static void pin_to_core(uint32_t thread) {
#ifdef __linux__
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int cores = CPU_COUNT(&allowed), wanted = (int)thread % (cores ? cores : 1);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, &allowed) || wanted-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        (void)pthread_setaffinity_np(pthread_self(), sizeof one, &one);
        return;
    }
#else
    (void)thread;
#endif
}

static bool stopping(rec_run *run) {
    return atomic_load_explicit(&run->stop, memory_order_relaxed);
}

static void run_program(rec_run *run, rec_writer *writer) {
    const rec_request *program = run->programs[writer->thread];
    uint64_t length = run->program_lengths[writer->thread];
    for (uint64_t i = 0; i < length && !stopping(run); i++) {
        for (uint32_t spin = 0; spin < program[i].pause; spin++)
            (void)rec_clock_before();
        for (uint32_t k = 0; k < program[i].count && k < REC_MAX_BATCH; k++)
            writer->batch_keys[k] = program[i].key + k;
        if (writer->capacity - writer->used < rec_request_records(&program[i]))
            return;
        if (!rec_writer_call(writer, &program[i]))
            return;
    }
}

static void run_stream(rec_run *run, rec_writer *writer) {
    rec_stream stream;
    rec_request request;
    rec_stream_start(&stream, &run->plan, rec_mix64(run->plan.workload.seed) + run->round,
                     writer->thread, run->options.threads);
    while (writer->used < run->options.records && !stopping(run)) {
        rec_stream_next(&stream, &request, writer->batch_keys);
        if (!rec_writer_call(writer, &request))
            return;
    }
}

static void *run_thread(void *argument) {
    struct thread_start *start = argument;
    rec_run *run = start->run;
    rec_writer *writer = &run->writers[start->thread];
    if (run->options.pin)
        pin_to_core(start->thread);
    atomic_fetch_add_explicit(&run->ready, 1, memory_order_relaxed);
    unsigned spins = 0;
    /* acquire: pairs with the release in rec_run_execute: the clock and buffers are ready. */
    while (!atomic_load_explicit(&run->go, memory_order_acquire))
        if (++spins % 256 == 0)
            sched_yield();
    if (run->programs[start->thread] != NULL)
        run_program(run, writer);
    else
        run_stream(run, writer);
    bw_cursor_free(writer->cursor);
    writer->cursor = NULL;
    if (writer->failed)
        atomic_store_explicit(&run->stop, true, memory_order_relaxed);
    return NULL;
}

int rec_run_execute(rec_run *run) {
    uint32_t threads = run->options.threads, started = 0;
    pthread_t *handles = calloc(threads, sizeof *handles);
    struct thread_start *starts = calloc(threads, sizeof *starts);
    if (handles == NULL || starts == NULL) {
        free(handles);
        free(starts);
        return broken(run, "starting the threads", BW_ENOMEM);
    }
    run->error[0] = '\0';
    atomic_store_explicit(&run->ready, 0, memory_order_relaxed);
    atomic_store_explicit(&run->go, false, memory_order_relaxed);
    for (; started < threads; started++) {
        starts[started] = (struct thread_start){run, started};
        if (pthread_create(&handles[started], NULL, run_thread, &starts[started]) != 0)
            break;
    }
    if (started < threads)
        atomic_store_explicit(&run->stop, true, memory_order_relaxed);
    while (atomic_load_explicit(&run->ready, memory_order_relaxed) < started)
        sched_yield();
    uint64_t begun = rec_clock_monotonic();
    atomic_store_explicit(&run->go, true, memory_order_release);
    for (uint32_t t = 0; t < started; t++)
        pthread_join(handles[t], NULL);
    run->seconds = (double)(rec_clock_monotonic() - begun) * 1e-9;
    free(handles);
    free(starts);
    if (started < threads)
        return broken(run, "the system could not start a thread", BW_ETHREAD);
    for (uint32_t t = 0; t < threads; t++)
        if (run->writers[t].failed) {
            snprintf(run->error, sizeof run->error, "%s", run->writers[t].error);
            return -1;
        }
    return 0;
}

void rec_run_stop(rec_run *run) {
    atomic_store_explicit(&run->stop, true, memory_order_relaxed);
}

/* Reads everything forward into run->final, then backward, and compares. */
static int read_back(rec_run *run, bw_cursor *cursor) {
    uint64_t keys[READ_BACK_CHUNK], values[READ_BACK_CHUNK];
    size_t many;
    bw_status status = bw_cursor_seek(cursor, 0);
    run->final.count = 0;
    while (status == BW_OK) {
        status = bw_cursor_next_many(cursor, UINT64_MAX, keys, values, READ_BACK_CHUNK, &many);
        for (size_t i = 0; status == BW_OK && i < many; i++)
            if (!list_push(&run->final, keys[i], values[i]))
                status = BW_ENOMEM;
    }
    if (status != BW_NOT_FOUND)
        return broken(run, "reading the tree back", status);
    uint64_t left = run->final.count;
    status = bw_cursor_seek_end(cursor);
    while (status == BW_OK) {
        status = bw_cursor_prev_many(cursor, 0, keys, values, READ_BACK_CHUNK, &many);
        for (size_t i = 0; status == BW_OK && i < many; i++) {
            if (left == 0 || run->final.pairs[left - 1].key != keys[i] ||
                run->final.pairs[left - 1].value != values[i])
                return broken(run, "a quiescent scan backward differs from one forward", BW_OK);
            left--;
        }
    }
    if (status != BW_NOT_FOUND)
        return broken(run, "reading the tree backward", status);
    if (left != 0)
        return broken(run, "a quiescent scan backward ends early", BW_OK);
    return 0;
}

int rec_run_finish(rec_run *run) {
    char message[384] = "";
    uint64_t size = 0, count = 0, begun = rec_clock_before();
    bw_cursor *cursor = NULL;
    bw_status status = bw_cursor_open(run->tree, &cursor);
    if (status != BW_OK)
        return broken(run, "opening a cursor to read the tree back", status);
    int result = read_back(run, cursor);
    bw_cursor_free(cursor);
    if (result != 0)
        return result;
    run->final_record[0] = (rec_record){.invoked = begun,
                                        .responded = rec_clock_after(),
                                        .argument = UINT64_MAX,
                                        .expected = run->final.count + 1,
                                        .kind = REC_SCAN_FORWARD,
                                        .status = run->final.count ? BW_OK : BW_NOT_FOUND,
                                        .count = (uint32_t)run->final.count};
    status = bw_size(run->tree, &size);
    if (status == BW_OK)
        status = bw_count(run->tree, 0, UINT64_MAX, &count);
    if (status != BW_OK)
        return broken(run, "size or count of the quiescent tree", status);
    if (size != run->final.count || count != run->final.count) {
        snprintf(run->error, sizeof run->error,
                 "the quiescent tree holds %llu keys, but size says %llu and count says %llu",
                 (unsigned long long)run->final.count, (unsigned long long)size,
                 (unsigned long long)count);
        return -1;
    }
    /* The worker merges pages, too: at rest is a tree without it. */
    bw_stats stats;
    status = bw_get_stats(run->tree, &stats);
    if (status == BW_OK)
        status = bw_worker_stop(run->tree);
    if (status != BW_OK)
        return broken(run, "stopping the worker", status);
    status = bw_self_check(run->tree, true, message, sizeof message);
    if (status == BW_OK && stats.worker)
        status = bw_worker_start(run->tree);
    if (status != BW_OK) {
        snprintf(run->error, sizeof run->error, "self check after the run: status %d (%s): %s",
                 (int)status, bw_strerror(status), message);
        return -1;
    }
    return 0;
}

const rec_history *rec_run_history(const rec_run *run) {
    rec_run *self = (rec_run *)run; /* the view of the lanes is a cache */
    uint32_t threads = run->options.threads;
    for (uint32_t t = 0; t < threads; t++) {
        const rec_writer *w = &run->writers[t];
        self->lanes[t] = (rec_lane){w->records, w->record ? w->used : 0, w->pairs,
                                    w->record ? w->pairs_used : 0};
    }
    bool finished = run->final_record[0].responded != 0;
    self->lanes[threads] =
        (rec_lane){run->final_record, finished, run->final.pairs, run->final.count};
    self->history = (rec_history){run->initial.pairs, run->initial.count, run->lanes, threads + 1};
    return &self->history;
}

void rec_run_next_round(rec_run *run) {
    pair_list spare = run->initial;
    run->initial = run->final;
    run->final = spare;
    run->final.count = 0;
    run->final_record[0] = (rec_record){0};
    run->round++;
    for (uint32_t t = 0; t < run->options.threads; t++) {
        run->writers[t].used = 0;
        run->writers[t].pairs_used = 0;
        run->writers[t].calls = 0;
    }
    atomic_store_explicit(&run->stop, false, memory_order_relaxed);
}

const char *rec_run_error(const rec_run *run) {
    return run->error;
}

double rec_run_seconds(const rec_run *run) {
    return run->seconds;
}

uint64_t rec_run_operations(const rec_run *run) {
    uint64_t sum = 0;
    for (uint32_t t = 0; t < run->options.threads; t++)
        sum += run->writers[t].used;
    return sum;
}

uint64_t rec_run_calls(const rec_run *run) {
    uint64_t sum = 0;
    for (uint32_t t = 0; t < run->options.threads; t++)
        sum += run->writers[t].calls;
    return sum;
}
