/* report.c: findings, outcomes, and the result: one JSON object a line.
 *
 * {"type": "progress", …} about once a second, {"type": "prefix", …} for a part of the work that is left
 * to another process, and at the end {"type": "result", …}. They go to the file descriptor that the
 * option out= names, or to standard output.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_OUTCOMES = 4096, OUTCOME_BYTES = 240, REPLAY_BYTES = 1 << 20 };

static FILE *out;
static double began;
static char outcome[OUTCOME_BYTES];
static size_t outcome_used;
static struct {
    char *text;
    uint64_t count;
} outcomes[MAX_OUTCOMES];
static unsigned outcome_count;
static uint64_t outcomes_lost; /* executions whose outcome has found no room */

int bwx_output = 1;

double bwx_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 - began;
}

void bwx_report_open(void) {
    began = 0;
    began = bwx_seconds();
    out = fdopen(dup(bwx_output), "w");
    if (out == NULL)
        out = stdout;
}

void bwx_fatal(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(2);
}

/* ---- findings ---- */

static const char *const finding_names[] = {
    "assertion",        "crash",    "data-race",      "use-after-free", "double-free",
    "invalid-free",     "leak",     "uninitialised",  "deadlock",       "livelock",
    "not-linearizable", "blocking", "nondeterminism", "out-of-bounds",  "misuse",
    "unsupported",
};

void bwx_note_finding(bwx_finding kind, uint32_t pc, uint32_t other_pc, const char *format,
                      va_list arguments) {
    bwx.found = kind;
    bwx.found_pc = pc;
    bwx.other_pc = other_pc;
    vsnprintf(bwx.sentence, sizeof bwx.sentence, format, arguments);
}

void bwx_find(bwx_finding kind, uint32_t pc, uint32_t other_pc, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bwx_note_finding(kind, pc, other_pc, format, arguments);
    va_end(arguments);
    bwx.found_thread = bwx.current != NULL ? bwx.current->id : 0;
    bwx_end(BWX_FOUND);
}

/* ---- outcomes ---- */

void bwx_outcome(const char *format, ...) {
    va_list arguments;
    if (outcome_used > 0 && outcome_used + 1 < sizeof outcome)
        outcome[outcome_used++] = ' ';
    va_start(arguments, format);
    int n = vsnprintf(outcome + outcome_used, sizeof outcome - outcome_used, format, arguments);
    va_end(arguments);
    outcome_used += n > 0 ? (size_t)n : 0;
    if (outcome_used >= sizeof outcome)
        outcome_used = sizeof outcome - 1;
}

void bwx_outcome_reset(void) {
    outcome_used = 0;
    outcome[0] = 0;
}

/* The search begins anew. */
void bwx_outcome_forget(void) {
    outcome_count = 0;
    outcomes_lost = 0;
}

void bwx_outcome_count(void) {
    if (outcome_used == 0)
        return;
    unsigned i = 0;
    while (i < outcome_count && strcmp(outcomes[i].text, outcome) != 0)
        i++;
    if (i == MAX_OUTCOMES) {
        outcomes_lost++;
        return;
    }
    if (i == outcome_count) {
        outcomes[i].text = strdup(outcome);
        outcomes[i].count = 0;
        outcome_count++;
    }
    outcomes[i].count++;
}

/* ---- JSON ---- */

static void put_text(const char *text) {
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}

static const char *const kinds[BWX_KINDS] = {
    "load",   "store",   "rmw",    "cas",       "fence",  "lock",   "trylock", "unlock",
    "wait",   "wake",    "signal", "broadcast", "create", "join",   "begin",   "end",
    "invoke", "respond", "yield",  "read",      "write",  "malloc", "free",
};

const char *bwx_kind_name(unsigned kind) {
    return kind < BWX_KINDS ? kinds[kind] : "?";
}

static void put_step(const bwx_step *step) {
    static const char *const rmws[] = {"add", "sub", "and", "or", "xor", "nand", "exchange"};
    fprintf(out,
            "{\"thread\": %u, \"kind\": \"%s\", \"order\": %u, \"size\": %u, \"pc\": %u, "
            "\"address\": %llu, \"value\": %llu, \"seen\": %llu, \"flags\": %u, \"rmw\": \"%s\"",
            step->thread, bwx_kind_name(step->kind), step->order, step->size, step->pc,
            (unsigned long long)step->address, (unsigned long long)step->value,
            (unsigned long long)step->seen, step->flags, rmws[step->rmw < 7 ? step->rmw : 6]);
    if (step->kind <= BWX_CAS && step->source != BWX_NONE) {
        uint32_t source = bwx_messages[step->source].step;
        if (source != BWX_NONE)
            fprintf(out, ", \"from\": %u", source);
    }
    fputs(", \"index\": ", out);
    fprintf(out, "%d, \"clock\": [", step->index);
    for (unsigned i = 0; i < bwx.thread_count; i++)
        fprintf(out, "%s%d", i == 0 ? "" : ", ", step->happened.at[i]);
    fputs("]}", out);
}

/* Kilobytes of memory that the process has had at most. */
static long memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static void put_figures(void) {
    double seconds = bwx_seconds();
    fprintf(out,
            "\"executions\": %llu, \"complete\": %llu, \"cut\": %llu, \"blocked\": %llu, "
            "\"steps\": %llu, \"seconds\": %.6f, \"done\": %.6f, \"memory\": %ld",
            (unsigned long long)bwx.executions, (unsigned long long)bwx.complete,
            (unsigned long long)bwx.cut, (unsigned long long)bwx.blocked,
            (unsigned long long)bwx.steps, seconds, bwx_search_done(), memory());
}

void bwx_report_progress(void) {
    fputs("{\"type\": \"progress\", ", out);
    put_figures();
    fputs("}\n", out);
    fflush(out);
}

void bwx_report_prefix(const char *prefix) {
    fputs("{\"type\": \"prefix\", \"prefix\": ", out);
    put_text(prefix);
    fputs("}\n", out);
}

void bwx_report_events(void) {
    bwx_events_report(out);
}

static void put_finding(void) {
    static char replay[REPLAY_BYTES];
    bwx_replay_string(replay, sizeof replay);
    fprintf(out, "{\"kind\": \"%s\", \"code\": %d, \"thread\": %u, \"pc\": %u, \"other_pc\": %u, ",
            finding_names[bwx.found - BWX_ASSERTION], bwx.found, bwx.found_thread, bwx.found_pc,
            bwx.other_pc);
    fputs("\"sentence\": ", out);
    put_text(bwx.sentence);
    fputs(", \"replay\": ", out);
    put_text(replay);
    fprintf(out, ", \"step_count\": %u, \"threads\": %u, \"preemptions\": %u, \"stack\": [",
            bwx.step_count, bwx.thread_count, bwx_search_preemptions());
    const bwx_thread *thread = &bwx.threads[bwx.found_thread];
    unsigned depth = thread->depth < BWX_FRAMES ? thread->depth : BWX_FRAMES;
    for (unsigned i = 0; i < depth; i++)
        fprintf(out, "%s%u", i == 0 ? "" : ", ", thread->frames[depth - 1 - i]);
    fputs("], \"steps\": [", out);
    for (uint32_t i = 0; bwx.logging && i < bwx.step_count; i++) {
        fputs(i == 0 ? "" : ",\n", out);
        put_step(&bwx_steps[i]);
    }
    fputs("]}", out);
}

void bwx_report_result(bool exhaustive, const char *why) {
    fprintf(out,
            "{\"type\": \"result\", \"exhaustive\": %s, \"why\": ", exhaustive ? "true" : "false");
    put_text(why);
    fputs(", ", out);
    put_figures();
    fprintf(out,
            ", \"distinct\": %llu, \"limited\": %s, \"threads\": %u, \"longest\": %u, "
            "\"outcomes_lost\": %llu",
            (unsigned long long)bwx_traces_distinct(), bwx.limited ? "true" : "false",
            bwx.thread_count, bwx_walk_longest(), (unsigned long long)outcomes_lost);
    fputs(", \"outcomes\": {", out);
    for (unsigned i = 0; i < outcome_count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        put_text(outcomes[i].text);
        fprintf(out, ": %llu", (unsigned long long)outcomes[i].count);
    }
    fputs("}, \"finding\": ", out);
    if (bwx.found == BWX_FOUND_NOTHING)
        fputs("null", out);
    else
        put_finding();
    if (bwx.logging && bwx.found == BWX_FOUND_NOTHING) {
        fputs(", \"steps_done\": [", out);
        for (uint32_t i = 0; i < bwx.step_count; i++) {
            fputs(i == 0 ? "" : ",\n", out);
            put_step(&bwx_steps[i]);
        }
        fputs("]", out);
    }
    fputs("}\n", out);
    fflush(out);
}
