/* walk.c: strategies without memory: uniform random walks, PCT, and the replay of a string.
 *
 * PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): threads get random priorities, the
 * enabled one with the highest runs, and at d - 1 random steps the running thread falls to the lowest
 * priority. A bug that needs d orderings among n threads and k steps is found by one execution with a
 * probability of at least 1 / (n k^(d-1)).
 *
 * A replay string is what was chosen in an execution: for each place where several threads could run,
 * which did, and for each choice 0 for the default or the option's number + 1. Runs of the same are
 * written once: 0x12,1x3;0x7,4.
 */
#include "runtime.h"

#include <stdlib.h>

enum { MAX_RECORDED = 4 * BWX_MAX_STEPS };

static uint64_t random_state;
static uint8_t *threads_chosen;
static uint32_t *options_chosen;
static unsigned thread_total, option_total;
static uint32_t *replay_threads, *replay_options;
static unsigned replay_thread_count, replay_option_count;
static uint32_t priorities[BWX_THREADS];
static uint32_t lowest;
static unsigned change_points[64];
static unsigned longest; /* steps with a choice, of the executions so far */

enum { UNKNOWN_LENGTH = 32 }; /* of the first execution */

uint64_t bwx_random(void) {
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned parse(const char **text, uint32_t *values) {
    unsigned n = 0;
    while (**text != 0 && **text != ';') {
        char *end;
        unsigned long value = strtoul(*text, &end, 10);
        unsigned long times = 1;
        if (end == *text)
            bwx_fatal("the replay string is damaged at '%.20s'", *text);
        if (*end == 'x')
            times = strtoul(end + 1, &end, 10);
        for (; times > 0 && n < MAX_RECORDED; times--)
            values[n++] = (uint32_t)value;
        *text = *end == ',' ? end + 1 : end;
    }
    if (**text == ';')
        ++*text;
    return n;
}

void bwx_walk_open(void) {
    random_state = bwx.options.seed;
    threads_chosen = bwx_reserve(sizeof *threads_chosen * MAX_RECORDED);
    options_chosen = bwx_reserve(sizeof *options_chosen * MAX_RECORDED);
    if (bwx.options.replay != NULL) {
        replay_threads = bwx_reserve(sizeof *replay_threads * MAX_RECORDED);
        replay_options = bwx_reserve(sizeof *replay_options * MAX_RECORDED);
        const char *text = bwx.options.replay;
        replay_thread_count = parse(&text, replay_threads);
        replay_option_count = parse(&text, replay_options);
    }
}

void bwx_walk_begin(void) {
    longest = thread_total > longest ? thread_total : longest;
    thread_total = option_total = 0;
    if (bwx.options.strategy != BWX_PCT)
        return;
    lowest = 1 << 20;
    for (unsigned i = 0; i < BWX_THREADS; i++)
        priorities[i] = lowest + 1 + (uint32_t)(bwx_random() >> 40);
    for (unsigned i = 0; i + 1 < bwx.options.depth; i++)
        change_points[i] = (unsigned)(bwx_random() % (longest > 0 ? longest : UNKNOWN_LENGTH));
}

unsigned bwx_walk_longest(void) {
    return thread_total > longest ? thread_total : longest;
}

static unsigned random_thread(uint32_t enabled) {
    unsigned nth = (unsigned)(bwx_random() % (unsigned)__builtin_popcount(enabled));
    while (nth-- > 0)
        enabled &= enabled - 1;
    return (unsigned)__builtin_ctz(enabled);
}

static unsigned highest(uint32_t enabled) {
    unsigned best = (unsigned)__builtin_ctz(enabled);
    for (unsigned i = 0; i < BWX_THREADS; i++)
        if ((enabled >> i & 1) != 0 && priorities[i] > priorities[best])
            best = i;
    return best;
}

unsigned bwx_walk_thread(uint32_t enabled, unsigned depth) {
    unsigned chosen;
    switch (bwx.options.strategy) {
    case BWX_REPLAY:
        if (depth < replay_thread_count)
            chosen = replay_threads[depth];
        else /* behind its end, as simply as can be */
            chosen = (enabled >> bwx.current->id & 1) != 0 ? bwx.current->id
                                                           : (unsigned)__builtin_ctz(enabled);
        if (chosen >= BWX_THREADS || (enabled >> chosen & 1) == 0)
            bwx_find(
                BWX_NONDETERMINISM, bwx.current->op.pc, 0,
                "the replay string wants thread %u to run at choice %u, but it cannot run: the "
                "string belongs to another program or other options, or the program depends on "
                "something besides its schedule",
                chosen, depth);
        break;
    case BWX_PCT:
        for (unsigned i = 0; i + 1 < bwx.options.depth; i++)
            if (change_points[i] == depth)
                priorities[highest(enabled)] = --lowest;
        chosen = highest(enabled);
        break;
    case BWX_FOLLOW: chosen = bwx_events_thread(enabled); break;
    default: chosen = random_thread(enabled); break;
    }
    if (thread_total < MAX_RECORDED)
        threads_chosen[thread_total++] = (uint8_t)chosen;
    return chosen;
}

uint32_t bwx_walk_option(const uint32_t *options, unsigned n, uint32_t default_option) {
    uint32_t option;
    if (bwx.options.strategy == BWX_REPLAY) {
        uint32_t wanted = option_total < replay_option_count ? replay_options[option_total] : 0;
        option = wanted == 0 ? default_option : wanted - 1;
        bool there = false;
        for (unsigned i = 0; i < n; i++)
            there = there || options[i] == option;
        if (!there && option_total < replay_option_count)
            bwx_find(
                BWX_NONDETERMINISM, bwx.current->op.pc, 0,
                "the replay string wants option %u at choice %u, which there is not: the string "
                "belongs to another program or other options",
                option, option_total);
        option = there ? option : options[0];
    } else if (bwx.options.strategy == BWX_FOLLOW) {
        option = options[0];
        for (unsigned i = 0; i < n; i++)
            option = options[i] == default_option ? default_option : option;
    } else {
        option = options[bwx_random() % n];
    }
    if (option_total < MAX_RECORDED)
        options_chosen[option_total++] = option == default_option ? 0 : option + 1;
    return option;
}

/* What the search has chosen, too, goes into replay strings (report.c). */
void bwx_walk_record(bool thread, uint32_t value) {
    if (thread && thread_total < MAX_RECORDED)
        threads_chosen[thread_total++] = (uint8_t)value;
    else if (!thread && option_total < MAX_RECORDED)
        options_chosen[option_total++] = value;
}

static size_t put_run(char *text, size_t capacity, size_t used, uint32_t value, unsigned times) {
    char piece[40];
    int length = times == 1 ? __builtin_snprintf(piece, sizeof piece, "%u,", value)
                            : __builtin_snprintf(piece, sizeof piece, "%ux%u,", value, times);
    if (used + (size_t)length + 2 < capacity) {
        memcpy(text + used, piece, (size_t)length + 1);
        used += (size_t)length;
    }
    return used;
}

void bwx_replay_string(char *text, size_t capacity) {
    size_t used = 0;
    text[0] = 0;
    unsigned run = 0;
    for (unsigned i = 0; i < thread_total; i++)
        if (++run, i + 1 == thread_total || threads_chosen[i + 1] != threads_chosen[i]) {
            used = put_run(text, capacity, used, threads_chosen[i], run);
            run = 0;
        }
    text[used > 0 ? used - 1 : used++] = ';';
    text[used] = 0;
    unsigned wanted = option_total; /* defaults at the end need not be said */
    while (wanted > 0 && options_chosen[wanted - 1] == 0)
        wanted--;
    for (unsigned i = 0; i < wanted; i++)
        if (++run, i + 1 == wanted || options_chosen[i + 1] != options_chosen[i]) {
            used = put_run(text, capacity, used, options_chosen[i], run);
            run = 0;
        }
    if (used > 0 && text[used - 1] == ',')
        text[used - 1] = 0;
}
