/* check.c: all keys of a history, by one worker or several. See check.h. */
#include "check.h"
#include "buckets.h"
#include "judge.h"
#include "page_reads.h"
#include "workers.h"

#include <stdlib.h>
#include <string.h>

enum { STRIDE = 16 }; /* steps that a worker takes at a time, where there are many */

struct worker {
    lin_judge *judge;
    lin_workspace *workspace;
    /* The first of its steps that was not OK. */
    uint64_t step, key, failed;
    int verdict;
};

/* Either the buckets are judged, or the partition is made; after a verdict other than OK both are there. */
struct lin_check {
    const rec_history *history;
    lin_dealt *dealt;
    lin_partition partition;
    struct worker *workers;
    uint32_t worker_count;
    lin_page_reads *page_reads;
    uint64_t record_count;
    uint64_t bad, failed; /* rank of the key in the way; part, counted from its first */
    _Atomic bool stop;
    /* of the steps that are being taken */
    _Atomic uint64_t next, until; /* until: the first of those known not to be OK */
    uint64_t last, stride;
};

/* All judges begin now: the time limit is the check's. */
static bool hire(lin_check *check, uint32_t count, const lin_limits *limits) {
    check->worker_count = count < 1 ? 1 : count < LIN_MOST_WORKERS ? count : LIN_MOST_WORKERS;
    check->workers = calloc(check->worker_count, sizeof *check->workers);
    for (uint32_t i = 0; check->workers != NULL && i < check->worker_count; i++) {
        check->workers[i].judge = lin_judge_new(limits, NULL);
        if (check->workers[i].judge == NULL)
            return false;
    }
    return check->workers != NULL;
}

static bool give_workspaces(lin_check *check) {
    for (uint32_t i = 0; i < check->worker_count; i++)
        if ((check->workers[i].workspace = lin_workspace_new()) == NULL)
            return false;
    return true;
}

lin_check *lin_check_new(const rec_history *history, uint64_t configurations, uint64_t milliseconds,
                         uint32_t workers, const char **message) {
    *message = "out of memory: check fewer operations at a time";
    lin_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return NULL;
    lin_limits limits = {configurations, milliseconds, &check->stop};
    check->history = history;
    for (uint32_t t = 0; t < history->lane_count; t++)
        check->record_count += history->lanes[t].record_count;
    bool made = hire(check, workers, &limits);
    if (made)
        check->dealt = lin_dealt_new(history, check->worker_count);
    if (made && check->dealt != NULL)
        made = give_workspaces(check);
    const char *wrong = NULL;
    int result = made && !check->dealt ? lin_partition_make(&check->partition, history, &wrong) : 0;
    if (result == -2)
        *message = wrong;
    if (!made || result != 0) {
        lin_check_free(check);
        return NULL;
    }
    return check;
}

void lin_check_free(lin_check *check) {
    if (check == NULL)
        return;
    for (uint32_t i = 0; check->workers != NULL && i < check->worker_count; i++) {
        lin_judge_free(check->workers[i].judge);
        lin_workspace_free(check->workers[i].workspace);
    }
    free(check->workers);
    lin_dealt_free(check->dealt);
    lin_partition_free(&check->partition);
    lin_page_reads_free(check->page_reads);
    free(check);
}

void lin_check_stop(lin_check *check) {
    atomic_store_explicit(&check->stop, true, memory_order_relaxed);
}

/* Makes the partition, for what the buckets do not know. False: out of memory. */
static bool know_all(lin_check *check) {
    const char *wrong;
    return check->partition.keys != NULL ||
           lin_partition_make(&check->partition, check->history, &wrong) == 0;
}

/* ------------------------------------------------------------------ steps ------------------- */

static int judge_key(const lin_check *check, lin_judge *judge, uint64_t key, uint64_t *failed,
                     uint32_t *order) {
    const lin_partition *p = &check->partition;
    return lin_judge_parts(judge, p->parts + p->first[key], p->first[key + 1] - p->first[key],
                           &p->initial[key], 1, failed, order);
}

/* *key is the one in the way: its rank, or what it is, where there are buckets. */
static int take_step(const lin_check *check, struct worker *worker, uint64_t step, uint64_t *key,
                     uint64_t *failed) {
    if (atomic_load_explicit(&check->stop, memory_order_relaxed))
        return LIN_UNKNOWN_STOPPED;
    *key = step;
    if (check->dealt != NULL)
        return lin_workspace_judge(worker->workspace, check->dealt, step, worker->judge, key);
    return judge_key(check, worker->judge, step, failed, NULL);
}

/* Takes steps that nobody has taken, in ascending order, until one is not OK or lies behind such a one:
 * all before the first that is not OK are then taken by somebody, and the answer is the same whoever took
 * which. */
static void take_steps(void *context, uint32_t number) {
    lin_check *check = context;
    struct worker *worker = &check->workers[number];
    worker->verdict = LIN_OK;
    for (;;) {
        /* relaxed: the numbers are all that the workers share; what they found is read after joining. */
        uint64_t step =
            atomic_fetch_add_explicit(&check->next, check->stride, memory_order_relaxed);
        for (uint64_t i = 0; i < check->stride; i++, step++) {
            uint64_t until = atomic_load_explicit(&check->until, memory_order_relaxed);
            if (step >= until)
                return;
            worker->verdict = take_step(check, worker, step, &worker->key, &worker->failed);
            if (worker->verdict == LIN_OK)
                continue;
            worker->step = step;
            while (step < until &&
                   !atomic_compare_exchange_weak_explicit(
                       &check->until, &until, step, memory_order_relaxed, memory_order_relaxed))
                continue;
            return;
        }
    }
}

/* A bucket only tells which key is in the way; the general way finds out what is wrong with it. */
static int judge_again(lin_check *check, uint64_t key) {
    if (!know_all(check))
        return LIN_UNKNOWN_MEMORY;
    check->bad = lin_rank(&check->partition, key);
    int verdict = judge_key(check, check->workers[0].judge, check->bad, &check->failed, NULL);
    return verdict == LIN_OK ? LIN_UNKNOWN_DISPUTE : verdict;
}

int lin_check_run(lin_check *check, uint64_t first, uint64_t last) {
    uint64_t steps = lin_check_steps(check);
    last = last < steps ? last : steps;
    uint64_t count = last > first ? last - first : 0;
    check->next = first;
    check->until = check->last = last;
    check->stride = count / (STRIDE * (uint64_t)check->worker_count) > STRIDE ? STRIDE : 1;
    lin_workers_do(count < check->worker_count ? (uint32_t)count : check->worker_count, take_steps,
                   check);
    const struct worker *bad = NULL;
    for (uint32_t i = 0; count > 0 && i < check->worker_count; i++) {
        const struct worker *worker = &check->workers[i];
        if (worker->verdict != LIN_OK && (bad == NULL || worker->step < bad->step))
            bad = worker;
    }
    if (bad == NULL)
        return LIN_OK;
    bool again = check->dealt != NULL && bad->verdict != LIN_UNKNOWN_MEMORY &&
                 bad->verdict != LIN_UNKNOWN_STOPPED;
    if (again)
        return judge_again(check, bad->key);
    check->bad = check->dealt != NULL ? 0 : bad->key;
    check->failed = bad->failed;
    return bad->verdict;
}

/* ------------------------------------------------------------------ page reads -------------- */

int lin_check_pages(lin_check *check, lin_page_figures *figures) {
    *figures = (lin_page_figures){0};
    if (check->dealt != NULL) /* calls on single keys */
        return LIN_OK;
    lin_page_reads_free(check->page_reads);
    check->page_reads = lin_page_reads_new();
    if (check->page_reads == NULL)
        return LIN_UNKNOWN_MEMORY;
    int verdict =
        lin_page_reads_judge(check->page_reads, check->history, &check->partition, &check->stop);
    lin_page_reads_figures(check->page_reads, figures);
    return verdict;
}

const lin_link *lin_check_cycle(const lin_check *check, uint64_t *count) {
    return lin_page_reads_cycle(check->page_reads, count);
}

lin_place lin_check_place(const lin_check *check, uint32_t step) {
    return lin_page_reads_place(check->page_reads, step);
}

/* ------------------------------------------------------------------ figures ----------------- */

uint64_t lin_check_steps(const lin_check *check) {
    return check->dealt ? lin_dealt_count(check->dealt) : check->partition.key_count;
}

uint64_t lin_check_keys(const lin_check *check) {
    uint64_t keys = 0;
    if (check->partition.keys != NULL)
        return check->partition.key_count;
    for (uint32_t i = 0; i < check->worker_count; i++)
        keys += lin_workspace_keys(check->workers[i].workspace);
    return keys;
}

uint64_t lin_check_records(const lin_check *check) {
    return check->record_count;
}

uint64_t lin_check_parts(lin_check *check) {
    return know_all(check) ? check->partition.part_count : 0;
}

void lin_check_figures(const lin_check *check, lin_figures *figures) {
    *figures = (lin_figures){0};
    for (uint32_t i = 0; i < check->worker_count; i++) {
        const struct worker *worker = &check->workers[i];
        lin_figures one;
        lin_judge_figures(worker->judge, &one);
        for (int way = 0; way < 2; way++) {
            figures->keys[way] += one.keys[way];
            figures->parts[way] += one.parts[way];
        }
        figures->peak = one.peak > figures->peak ? one.peak : figures->peak;
        figures->overlapping += one.overlapping;
        figures->deep += one.deep;
        figures->bytes += one.bytes;
        if (worker->workspace != NULL)
            figures->partitioned += lin_workspace_parts(worker->workspace);
    }
    if (check->partition.keys != NULL)
        figures->partitioned = check->partition.part_count;
}

uint64_t lin_check_bytes(const lin_check *check) {
    const lin_partition *p = &check->partition;
    lin_figures figures;
    lin_check_figures(check, &figures);
    uint64_t bytes = figures.bytes + (check->dealt ? check->dealt->bytes : 0);
    for (uint32_t i = 0; check->dealt && i < check->worker_count; i++)
        bytes += lin_workspace_bytes(check->workers[i].workspace);
    return bytes + p->part_count * sizeof *p->parts +
           p->key_count * (sizeof *p->keys + sizeof *p->initial + sizeof *p->first);
}

uint64_t lin_check_bad_key(const lin_check *check) {
    return check->partition.keys ? check->partition.keys[check->bad] : 0;
}

uint64_t lin_check_bad_key_parts(const lin_check *check) {
    const uint64_t *first = check->partition.first;
    return first[check->bad + 1] - first[check->bad];
}

uint64_t lin_check_bad_response(const lin_check *check) {
    const lin_partition *p = &check->partition;
    return p->parts[p->first[check->bad] + check->failed].responded;
}

/* ------------------------------------------------------------------ the failing window ------- */

/* A failing key, cut at an instant: parts that end before it are forgotten, and the state it begins
 * in may be any that the forgotten ones can have left behind. */
struct window {
    lin_check *check;
    const lin_part *parts; /* of the key, those invoked up to the failing response */
    uint64_t count;
    lin_state start; /* of the key */
    lin_part *kept;
    lin_state *states;
    uint64_t state_count;
    uint64_t *written; /* values that parts write, with the invocation: sorted by value */
};

struct write {
    uint64_t value, invoked;
};

static int by_value(const void *a, const void *b) {
    const struct write *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->invoked > y->invoked) - (x->invoked < y->invoked);
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Could the value have been written by a part that was invoked before `cut`? */
static bool written_before(const struct write *writes, uint64_t count, uint64_t value,
                           uint64_t cut) {
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (writes[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && writes[low].value == value && writes[low].invoked < cut;
}

/* Fills kept and the possible states, and gives the verdict of that stretch alone. */
static int judge_from(struct window *w, const struct write *writes, uint64_t write_count,
                      uint64_t cut, uint64_t *kept_count) {
    uint64_t kept = 0, states = 0, wanted = 0, failed = 0;
    uint64_t *values = w->written;
    for (uint64_t i = 0; i < w->count; i++) {
        if (w->parts[i].responded < cut)
            continue;
        w->kept[kept++] = w->parts[i];
        if (w->parts[i].need == LIN_VALUE)
            values[wanted++] = w->parts[i].want;
    }
    *kept_count = kept;
    w->states[states++] = w->start;
    if (kept < w->count) {
        /* Any state that the past allows: absent, a value wanted later on that was written by then,
         * or one that nobody wants; of those, one stands for all. */
        bool unwanted = false;
        if (w->start.present)
            w->states[states++] = (lin_state){0, 0};
        qsort(values, wanted, sizeof *values, by_number);
        for (uint64_t i = 0; i < wanted; i++) {
            if (i > 0 && values[i] == values[i - 1])
                continue;
            if (written_before(writes, write_count, values[i], cut))
                w->states[states++] = (lin_state){values[i], 1};
        }
        for (uint64_t i = 0; i < write_count && !unwanted; i++) {
            if (writes[i].invoked >= cut)
                continue;
            unwanted = bsearch(&writes[i].value, values, wanted, sizeof *values, by_number) == NULL;
            if (unwanted)
                w->states[states++] = (lin_state){writes[i].value, 1};
        }
    }
    w->state_count = states;
    return lin_judge_parts(w->check->workers[0].judge, w->kept, kept, w->states, states, &failed,
                           NULL);
}

uint64_t lin_check_window(lin_check *check, lin_part *window, uint64_t capacity, lin_state *states,
                          uint64_t *state_count, bool *since_start) {
    const lin_partition *p = &check->partition;
    const lin_part *parts = p->parts + p->first[check->bad];
    uint64_t total = lin_check_bad_key_parts(check), until = parts[check->failed].responded;
    uint64_t count = 0, writes = 0, kept = 0;
    while (count < total && parts[count].invoked <= until)
        count++;
    struct window w = {
        .check = check, .parts = parts, .count = count, .start = p->initial[check->bad]};
    uint64_t *ends = malloc((count + 1) * sizeof *ends);
    struct write *written = malloc((count + 1) * sizeof *written);
    w.kept = malloc((count + 1) * sizeof *w.kept);
    w.states = malloc((count + 3) * sizeof *w.states);
    w.written = malloc((count + 1) * sizeof *w.written);
    uint64_t room = *state_count;
    *since_start = true;
    *state_count = 0;
    if (ends && written && w.kept && w.states && w.written) {
        for (uint64_t i = 0; i < count; i++) {
            ends[i] = parts[i].responded;
            if (parts[i].effect == LIN_SETS)
                written[writes++] = (struct write){parts[i].give, parts[i].invoked};
        }
        qsort(ends, count, sizeof *ends, by_number);
        qsort(written, writes, sizeof *written, by_value);
        /* A later cut demands less, so failing is monotone: gallop back from the end, then halve. */
        uint64_t passes = count, fails = count, step = 2;
        while (fails > 0) {
            fails = fails > step ? fails - step : 0;
            step *= 2;
            if (judge_from(&w, written, writes, ends[fails], &kept) == LIN_VIOLATION)
                break;
            passes = fails;
        }
        while (fails + 1 < passes) {
            uint64_t middle = fails + (passes - fails) / 2;
            if (judge_from(&w, written, writes, ends[middle], &kept) == LIN_VIOLATION)
                fails = middle;
            else
                passes = middle;
        }
        (void)judge_from(&w, written, writes, ends[fails], &kept);
        *since_start = kept == count;
        memcpy(window, w.kept, (kept < capacity ? kept : capacity) * sizeof *window);
        memcpy(states, w.states, (w.state_count < room ? w.state_count : room) * sizeof *states);
        *state_count = w.state_count;
    }
    free(ends);
    free(written);
    free(w.kept);
    free(w.states);
    free(w.written);
    return kept;
}

/* ------------------------------------------------------------------ an order ---------------- */

struct placed {
    uint64_t instant, sequence, index;
};

static int by_instant(const void *a, const void *b) {
    const struct placed *x = a, *y = b;
    if (x->instant != y->instant)
        return x->instant < y->instant ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

int lin_check_order(lin_check *check, uint64_t *order) {
    if (!know_all(check))
        return LIN_UNKNOWN_MEMORY;
    const lin_partition *p = &check->partition;
    struct placed *placed = malloc((p->part_count + 1) * sizeof *placed);
    uint32_t *one = malloc((p->part_count + 1) * sizeof *one);
    uint64_t at = 0;
    int verdict = placed && one ? LIN_OK : LIN_UNKNOWN_MEMORY;
    for (uint64_t key = 0; verdict == LIN_OK && key < p->key_count; key++) {
        const lin_part *parts = p->parts + p->first[key];
        uint64_t count = p->first[key + 1] - p->first[key], instant = 0;
        uint64_t failed;
        verdict = judge_key(check, check->workers[0].judge, key, &failed, one);
        for (uint64_t i = 0; verdict == LIN_OK && i < count && one[i] != LIN_NO_PART; i++, at++) {
            if (parts[one[i]].invoked > instant)
                instant = parts[one[i]].invoked;
            placed[at] = (struct placed){instant, at, p->first[key] + one[i]};
        }
    }
    if (verdict == LIN_OK) {
        qsort(placed, at, sizeof *placed, by_instant);
        for (uint64_t i = 0; i < at; i++)
            order[i] = placed[i].index;
        for (uint64_t i = at; i < p->part_count; i++)
            order[i] = UINT64_MAX;
    }
    free(placed);
    free(one);
    return verdict;
}

const lin_part *lin_check_part(const lin_check *check, uint64_t index) {
    return &check->partition.parts[index];
}

uint64_t lin_check_part_key(const lin_check *check, uint64_t index) {
    const lin_partition *p = &check->partition;
    uint64_t low = 0, high = p->key_count;
    while (low + 1 < high) {
        uint64_t middle = (low + high) / 2;
        if (p->first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return p->keys[low];
}
