/* main.c: options, signals, and the loop over executions.
 *
 * Options come in the environment variable BWX_OPTIONS, as name=value separated by spaces; without it
 * the program is explored exhaustively under sc, so that the binary can also be run by hand or in gdb.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

extern int bwx_output;
volatile int bwx_tick;

static volatile sig_atomic_t seconds_without_end;
static volatile sig_atomic_t interrupted;

static uint64_t number(const char *text, const char *name) {
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != 0)
        bwx_fatal("BWX_OPTIONS: %s wants a number, not '%s'", name, text);
    return value;
}

static void option(bwx_options *options, const char *name, const char *value) {
    static const char *const models[] = {"sc", "rc11"};
    static const char *const strategies[] = {"exhaustive", "bounded", "pct", "random", "replay"};
    if (strcmp(name, "model") == 0) {
        for (unsigned i = 0; i < 2; i++)
            if (strcmp(value, models[i]) == 0)
                options->model = (bwx_model_kind)i;
    } else if (strcmp(name, "strategy") == 0) {
        for (unsigned i = 0; i < 5; i++)
            if (strcmp(value, strategies[i]) == 0)
                options->strategy = (bwx_strategy)i;
    } else if (strcmp(name, "replay") == 0) {
        options->replay = value;
        options->strategy = BWX_REPLAY;
    } else if (strcmp(name, "follow") == 0) {
        options->follow = value;
        options->strategy = BWX_FOLLOW;
    } else if (strcmp(name, "prefix") == 0) {
        options->prefix = value;
    } else if (strcmp(name, "seconds") == 0) {
        options->seconds = strtod(value, NULL);
    } else if (strcmp(name, "executions") == 0) {
        options->executions = number(value, name);
    } else if (strcmp(name, "seed") == 0) {
        options->seed = number(value, name);
    } else if (strcmp(name, "unwatched") == 0) {
        options->unwatched = number(value, name);
    } else {
        const struct {
            const char *name;
            unsigned *where;
        } numbers[] = {{"preemptions", &options->preemptions},
                       {"weak", &options->weak},
                       {"depth", &options->depth},
                       {"steps", &options->steps},
                       {"hang", &options->hang},
                       {"spurious", &options->spurious},
                       {"timeouts", &options->timeouts},
                       {"wakeups", &options->wakeups},
                       {"cut", &options->cut},
                       {"failures", &options->failures},
                       {"split", &options->split}};
        const struct {
            const char *name;
            bool *where;
        } switches[] = {{"freeze", &options->freeze},   {"trylock", &options->trylock},
                        {"verbose", &options->verbose}, {"leaks", &options->leaks},
                        {"traces", &options->traces},   {"events", &options->events},
                        {"log", &bwx.logging}};
        for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            if (strcmp(name, numbers[i].name) == 0) {
                *numbers[i].where = (unsigned)number(value, name);
                return;
            }
        for (unsigned i = 0; i < sizeof switches / sizeof switches[0]; i++)
            if (strcmp(name, switches[i].name) == 0) {
                *switches[i].where = number(value, name) != 0;
                return;
            }
        if (strcmp(name, "out") == 0)
            bwx_output = (int)number(value, name);
        else
            bwx_fatal("BWX_OPTIONS: there is no option '%s'", name);
    }
}

static void read_options(void) {
    bwx.options = (bwx_options){.executions = UINT64_MAX,
                                .seconds = 1e18,
                                .preemptions = 2,
                                .weak = 2,
                                .depth = 3,
                                .steps = 5000,
                                .hang = 10,
                                .spurious = 1,
                                .timeouts = 1,
                                .wakeups = 1,
                                .leaks = true};
    const char *given = getenv("BWX_OPTIONS");
    if (given == NULL)
        return;
    char *text = strdup(given);
    for (char *save, *word = strtok_r(text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (value == NULL)
            bwx_fatal("BWX_OPTIONS: '%s' is not name=value", word);
        *value++ = 0;
        option(&bwx.options, word, value);
    }
}

/* ---- signals ---- */

static int exit_code(void) {
    return bwx.found == BWX_UNSUPPORTED ? 2 : (int)bwx.found;
}

static void on_tick(int signal) {
    (void)signal;
    bwx_tick = 1;
    if ((unsigned)++seconds_without_end < bwx.options.hang)
        return;
    bwx.found = BWX_LIVELOCK;
    bwx.found_thread = bwx.current != NULL ? bwx.current->id : 0;
    bwx.found_pc = bwx.current != NULL ? bwx.current->op.pc : 0;
    snprintf(
        bwx.sentence, sizeof bwx.sentence,
        "one execution has run for %u seconds: thread %u does not terminate (a loop without any "
        "operation that other threads can see)",
        bwx.options.hang, bwx.found_thread);
    bwx_report_result(false, "an execution does not end");
    _exit(exit_code());
}

static void on_crash(int signal, siginfo_t *information, void *context) {
    (void)context;
    if (!bwx.running) {
        static const char text[] = "the explorer's runtime has crashed: a bug of the explorer\n";
        if (write(2, text, sizeof text - 1) < 0)
            _exit(2);
        _exit(2);
    }
    bwx.found = BWX_CRASH;
    bwx.found_thread = bwx.current->id;
    bwx.found_pc = bwx.current->depth > 0 && bwx.current->depth <= BWX_FRAMES
                       ? bwx.current->frames[bwx.current->depth - 1]
                       : 0;
#if defined(__x86_64__)
    bwx.found_pc = (uint32_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    bwx.found_pc = (uint32_t)((const ucontext_t *)context)->uc_mcontext.pc;
#endif
    snprintf(bwx.sentence, sizeof bwx.sentence, "signal %d (%s) in thread %u, at address %p",
             signal, strsignal(signal), bwx.found_thread, information->si_addr);
    if (bwx.options.follow != NULL)
        bwx_report_events();
    bwx_report_result(false, "found something");
    _exit(exit_code());
}

static void on_interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

static void catch_signals(void) {
    static char stack[64 << 10];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    for (unsigned i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        sigaction(crashes[i], &action, NULL);
    struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigaction(SIGALRM, &tick, NULL);
    struct sigaction interrupt = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    struct itimerval each_second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
    setitimer(ITIMER_REAL, &each_second, NULL);
}

/* ---- the loop ---- */

/* After an execution: true if something was found. */
static bool judge(void) {
    switch (bwx.ending) {
    case BWX_COMPLETE:
        bwx_report_events(); /* even if the history that they tell of is wrong */
        if ((!bwx.any_frozen && bwx_history_wrong()) || (!bwx.any_frozen && bwx_heap_leaks())) {
            bwx.ending = BWX_FOUND;
            return true;
        }
        bwx.complete++;
        bwx_outcome_count();
        if (bwx.options.traces)
            bwx_traces_count();
        return false;
    case BWX_CUT: bwx.cut++; return false;
    case BWX_BLOCKED: bwx.blocked++; return false;
    case BWX_STOPPED: bwx_search_hand_out(); return false;
    case BWX_FOUND:
        if (bwx.options.follow != NULL)
            bwx_report_events();
        break;
    }
    return true;
}

static uint64_t hash_of_steps(void) {
    uint64_t hash = bwx.step_count;
    for (uint32_t i = 0; i < bwx.step_count; i++) {
        const bwx_step *step = &bwx_steps[i];
        const uint64_t words[] = {step->thread,  step->kind,  step->pc,
                                  step->address, step->value, step->seen};
        for (unsigned k = 0; k < sizeof words / sizeof words[0]; k++)
            hash = (hash ^ words[k]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 31);
    }
    return hash;
}

/* The first execution is done twice: the same choices must make the same steps. */
static void repeat(void) {
    if (bwx.ending == BWX_FOUND)
        return;
    uint64_t first = hash_of_steps();
    bwx.executions--;
    bwx.steps -= bwx.step_count;
    bwx_run_execution();
    if (bwx.ending == BWX_FOUND || hash_of_steps() == first)
        return;
    bwx.found = BWX_NONDETERMINISM;
    bwx.ending = BWX_FOUND;
    snprintf(
        bwx.sentence, sizeof bwx.sentence,
        "the same choices made different steps when they were repeated: the program depends on "
        "something besides its schedule (time, addresses, the environment)");
}

int __wrap_main(int argc, char **argv);
int __wrap_main(int argc, char **argv) {
    bwx_argc = argc;
    bwx_argv = argv;
    read_options();
    bwx.sc = bwx.options.model == BWX_SC;
    bwx_report_open();
    bwx_memory_open();
    bwx_fibers_open();
    bwx_heap_open();
    bwx_machine_open();
    bwx_search_open();
    bwx_events_open();
    catch_signals();
    const char *why = "every execution has been explored";
    bool exhaustive = true;
    bool repeated = bwx.options.strategy > BWX_BOUNDED;
    do {
        bwx_run_execution();
        seconds_without_end = 0;
        if (!repeated) {
            repeated = true;
            repeat();
        }
        if (judge()) {
            why = "found something";
            exhaustive = false;
            break;
        }
        if (BWX_UNLIKELY(bwx_tick)) {
            bwx_tick = 0;
            bwx_report_progress();
        }
        if (interrupted) {
            why = "interrupted";
            exhaustive = false;
            break;
        }
        if (bwx.executions >= bwx.options.executions) {
            why = "the number of executions asked for";
            exhaustive = !bwx_search_next() && bwx.options.strategy <= BWX_BOUNDED;
            break;
        }
        if ((bwx.executions & 15) == 0 && bwx_seconds() > bwx.options.seconds) {
            why = "the time asked for";
            exhaustive = false;
            break;
        }
    } while (bwx_search_next());
    if (bwx.options.strategy > BWX_BOUNDED)
        exhaustive = false;
    bwx_report_result(exhaustive, why);
    _exit(exit_code());
}
