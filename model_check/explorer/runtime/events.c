/* events.c: what a program tells about an execution (bwx_event), and executions that are led by it.
 *
 * With events=1, the events of each complete execution are reported, in the order in which they happened:
 * an event belongs to the step before it. With follow=T:K,T:K,… an execution is wanted in which thread T
 * tells an event of kind K, and so on: until it has, T runs, as far as it can, and main where it cannot.
 * Events of main, of what is done between bwx_setup_begin and _end, of kinds from 64 on, and of kinds whose bit
 * is set in unwatched= are not counted.
 * An event that comes out of turn is a finding: the program does not do what was wanted. With events=1, too,
 * what is reported are the events that count, up to the last one that was wanted, each with those of kinds from
 * 64 on that come after it; also where something was found, up to there.
 */
#include "runtime.h"

#include "bwexplore.h"

#include <stdlib.h>

enum { MAX_EVENTS = 1 << 15, MAX_WORDS = 1 << 20, MAX_FOLLOWED = 1 << 14, COUNTED_KINDS = 64 };

static struct {
    uint8_t thread;
    uint8_t kind, n;
    uint32_t first; /* of its words */
} *events;
static uint64_t *words;
static unsigned event_count, word_count;

static struct {
    uint8_t thread, kind;
} *followed;
static unsigned followed_count, followed_done;
static bool followed_all; /* and something has come after the last one */

void bwx_events_open(void) {
    if (bwx.options.events) {
        events = bwx_reserve(sizeof *events * MAX_EVENTS);
        words = bwx_reserve(sizeof *words * MAX_WORDS);
    }
    if (bwx.options.follow == NULL)
        return;
    followed = bwx_reserve(sizeof *followed * MAX_FOLLOWED);
    for (const char *at = bwx.options.follow; *at != 0;) {
        char *end;
        unsigned long thread = strtoul(at, &end, 10);
        unsigned long kind = *end == ':' ? strtoul(end + 1, &end, 10) : COUNTED_KINDS;
        if (thread >= BWX_THREADS || kind >= COUNTED_KINDS || followed_count == MAX_FOLLOWED)
            bwx_fatal("follow= is damaged, or too long, at '%.20s'", at);
        followed[followed_count].thread = (uint8_t)thread;
        followed[followed_count++].kind = (uint8_t)kind;
        at = *end == ',' ? end + 1 : end;
    }
}

void bwx_events_reset(void) {
    event_count = word_count = followed_done = 0;
    followed_all = false;
}

unsigned bwx_events_thread(uint32_t enabled) {
    unsigned wanted =
        followed_done < followed_count ? followed[followed_done].thread : bwx.current->id;
    if ((enabled >> wanted & 1) != 0)
        return wanted;
    return (unsigned)__builtin_ctz(enabled); /* main makes threads, and waits for them */
}

/* Is the event one that nobody asks for? */
static bool passed_over(const bwx_thread *self, int kind) {
    if (bwx.options.follow == NULL)
        return false;
    if (self->id == 0 || self->setup ||
        (kind < COUNTED_KINDS && (bwx.options.unwatched >> kind & 1) != 0))
        return true;
    followed_all |= kind < COUNTED_KINDS && followed_done == followed_count;
    return followed_all;
}

static void follow(const bwx_thread *self, int kind) {
    if (bwx.options.follow == NULL || kind >= COUNTED_KINDS)
        return;
    if (followed[followed_done].thread != self->id || followed[followed_done].kind != kind)
        bwx_find(BWX_NONDETERMINISM, self->op.pc, 0,
                 "event %u should be of kind %u, of thread %u; but thread %u has told kind %d",
                 followed_done, followed[followed_done].kind, followed[followed_done].thread,
                 self->id, kind);
    followed_done++;
}

void bwx_event(int kind, unsigned n, const uint64_t *values) {
    const bwx_thread *self = bwx.current;
    if (passed_over(self, kind))
        return;
    if (bwx.options.events) {
        if (event_count == MAX_EVENTS || word_count + n > MAX_WORDS)
            bwx_find(BWX_UNSUPPORTED, BWX_PC, 0, "more than %d events in one execution",
                     MAX_EVENTS);
        events[event_count].thread = self->id;
        events[event_count].kind = (uint8_t)kind;
        events[event_count].n = (uint8_t)n;
        events[event_count++].first = word_count;
        memcpy(words + word_count, values, n * sizeof *values);
        word_count += n;
    }
    follow(self, kind);
}

void bwx_events_report(FILE *out) {
    if (!bwx.options.events)
        return;
    fprintf(out, "{\"type\": \"events\", \"followed\": %u, \"events\": [", followed_done);
    for (unsigned i = 0; i < event_count; i++) {
        fprintf(out, "%s[%u, %u", i == 0 ? "" : ", ", events[i].thread, events[i].kind);
        for (unsigned k = 0; k < events[i].n; k++)
            fprintf(out, ", %llu", (unsigned long long)words[events[i].first + k]);
        fputc(']', out);
    }
    fputs("]}\n", out);
}
