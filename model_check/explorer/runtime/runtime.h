/* runtime.h: what the files of the explorer's runtime share.
 *
 * The runtime is linked with a program that was compiled with -fsanitize=thread, in libtsan's place:
 * every atomic operation, fence and plain access of the program is a call into it. One execution is one
 * run of the program's main from a fresh state; the runtime decides who runs, and what each load reads.
 *
 *     fiber.c    modelled threads as fibers in one OS thread; switch.S switches
 *     cells.h    address space at fixed places, shadow cells
 *     memory.c   what an execution changed, and how it is undone
 *     heap.c     malloc and its family
 *     access.c   is this access ordered, inside a live block, initialised?
 *     entry.c    the calls that the compiler puts in (__tsan_*)
 *     machine.c  messages and views: the memory models
 *     fences.c   seq_cst fences in rc11;   psc.c  seq_cst accesses
 *     schedule.c who may run, who runs, the steps of an execution
 *     spin.c     threads that wait in a loop
 *     sync.c     mutexes, condition variables, once;   threads.c  creation, join, keys
 *     search.c   what to explore next: exhaustive with partial-order reduction, bounded; search.h has
 *                the files that are part of it
 *     prefix.c   work for several processes
 *     walk.c     random walks, PCT, replay
 *     history.c  linearizability of marked histories
 *     libc.c     calls of the C library that touch the program's memory
 *     traces.c   how many different executions were explored
 *     report.c   findings, steps, the result as JSON
 *     main.c     options, the loop over executions
 */
#ifndef BWX_RUNTIME_H
#define BWX_RUNTIME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bwexplore.h"

enum {
    BWX_THREADS = 16,      /* modelled threads of one execution, main included */
    BWX_MAX_STEPS = 30000, /* steps of one execution: an index fits an int16_t */
    BWX_MAX_FENCES = 64,   /* seq_cst fences of one execution in rc11 (bits of a word) */
    BWX_KEYS = 64,         /* thread-specific data keys */
    BWX_RING = 12,         /* reads remembered for the recognition of spin loops */
    BWX_FRAMES = 64,       /* functions remembered of a call stack */
};

#define BWX_NONE        UINT32_MAX
#define BWX_LIKELY(x)   __builtin_expect(!!(x), 1)
#define BWX_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* ---- clocks: how much of each thread is known ---- */

typedef struct bwx_clock {
    int16_t at[BWX_THREADS];
} bwx_clock;

static inline void bwx_clock_join(bwx_clock *into, const bwx_clock *from) {
    for (unsigned i = 0; i < BWX_THREADS; i++)
        into->at[i] = into->at[i] > from->at[i] ? into->at[i] : from->at[i];
}

/* What is known, and which seq_cst fences are among it (rc11). */
typedef struct bwx_view {
    bwx_clock clock;
    uint64_t fences;
} bwx_view;

static inline void bwx_view_join(bwx_view *into, const bwx_view *from) {
    bwx_clock_join(&into->clock, &from->clock);
    into->fences |= from->fences;
}

/* ---- operations and steps ---- */

typedef enum bwx_kind {
    BWX_LOAD,
    BWX_STORE,
    BWX_RMW,
    BWX_CAS,
    BWX_FENCE,
    BWX_LOCK,
    BWX_TRYLOCK,
    BWX_UNLOCK,
    BWX_WAIT,   /* begins to wait at a condition variable */
    BWX_WAKE,   /* leaves it without a signal */
    BWX_SIGNAL, /* … BROADCAST: one, all */
    BWX_BROADCAST,
    BWX_CREATE,
    BWX_JOIN,
    BWX_BEGIN,
    BWX_END,
    BWX_INVOKE,
    BWX_RESPOND,
    BWX_YIELD,
    BWX_PLAIN_READ, /* these are steps only when a counterexample is replayed */
    BWX_PLAIN_WRITE,
    BWX_ALLOC,
    BWX_FREE,
    BWX_KINDS,
} bwx_kind;

typedef enum bwx_rmw { BWX_ADD, BWX_SUB, BWX_AND, BWX_OR, BWX_XOR, BWX_NAND, BWX_EXCHANGE } bwx_rmw;

/* What a thread is about to do. */
typedef struct bwx_op {
    uint8_t kind;
    uint8_t size; /* of the access in bytes */
    uint8_t order, failure_order;
    uint8_t rmw;
    bool weak;
    bool timed; /* WAKE: may time out */
    uint32_t pc;
    uint32_t object; /* location or synchronisation object, BWX_NONE if none */
    uint32_t other;  /* WAKE: the mutex, taken again after it; JOIN, CREATE: the thread */
    uintptr_t address;
    uint64_t operand, expected;
} bwx_op;

enum {
    BWX_READS = 1,
    BWX_WRITES = 2,
    BWX_FAILED = 4,    /* a compare-exchange that did not exchange */
    BWX_SPURIOUS = 8,  /* … though the value was the expected one */
    BWX_STALE = 16,    /* read a message that was not the newest */
    BWX_INSERTED = 32, /* wrote behind newer messages */
    BWX_ALONE = 64,    /* between bwx_setup_begin and _end */
};

/* What a thread has done: one row of an execution. */
typedef struct bwx_step {
    uint8_t thread, kind, order, size, rmw, flags;
    int16_t index; /* in its thread, from 1 */
    uint32_t pc;
    uint32_t object;
    uint32_t message;  /* read from, or written */
    uint32_t source;   /* RMW: read from */
    uint32_t previous; /* step at the same location, BWX_NONE */
    uint32_t node;     /* where the search chose this thread; BWX_NONE: nothing to choose */
    uintptr_t address;
    uint64_t value, seen; /* written; read */
    uint64_t fences;      /* seq_cst fences that happened before */
    bwx_clock trace;      /* steps that come before in every execution equal to this one */
    bwx_clock happened;   /* rc11: steps that happened before, this one included */
} bwx_step;

/* ---- threads ---- */

typedef struct bwx_read {
    uint32_t pc, object, message;
    uint64_t state;
} bwx_read;

typedef enum bwx_status { BWX_ABSENT, BWX_ALIVE, BWX_FINISHED } bwx_status;

typedef struct bwx_thread {
    void *stack_pointer; /* where its fiber goes on */
    uint8_t id, status;
    bool joined, detached, frozen, stopped, c11, claims_nonblocking, setup;
    bool signalled;   /* a signal has taken it from the condition variable */
    uint8_t timeouts; /* timed waits that ended by themselves … */
    uint8_t wakeups;  /* … and waits that ended for no reason */
    uint32_t clock_calls, random_calls;
    int16_t steps; /* done so far: the index of the last one */
    bwx_op op;     /* pending */
    bwx_view now, acquired, released;
    bwx_clock trace;
    void *(*entry)(void *);
    int (*entry_c11)(void *);
    void *argument, *result;
    void *keys[BWX_KEYS];
    /* spin.c */
    unsigned ring_count;
    bwx_read ring[BWX_RING];
    unsigned awaits; /* entries of `awaited`; 0: not waiting in a loop */
    bwx_read awaited[BWX_RING];
    unsigned depth;
    uint32_t frames[BWX_FRAMES];
    const void *stack_top;
} bwx_thread;

/* ---- locations and messages ---- */

/* A store, as a reader finds it. */
typedef struct bwx_message {
    uint32_t before, after; /* neighbours in modification order */
    uint32_t step;          /* that wrote it; BWX_NONE: the initial value */
    int32_t position;       /* in modification order, from 0 */
    bool attached;          /* an RMW read it: its neighbour after it is fixed */
    bool release;
    uint64_t value;
    bwx_view view; /* what an acquire read of it learns */
} bwx_message;

typedef struct bwx_location {
    uintptr_t address;
    uint8_t size;
    bool made; /* has messages */
    bool is_object;
    uint32_t next;           /* another one in the same 8 bytes */
    uint32_t oldest, newest; /* messages, in modification order */
    uint32_t last_step;      /* steps here, linked by `previous` */
    uint32_t last_write;     /* SC: the last step that wrote */
    /* synchronisation objects (sync.c) */
    uint8_t owner; /* thread + 1, 0: free */
    uint8_t recursion;
    uint8_t mutex_kind;
    bool done; /* once */
    bool dead;
    bwx_view view;
    bwx_clock trace;
    bwx_clock trace_of_all; /* condition variables: `trace` is that of signals alone */
} bwx_location;

/* ---- shadow cells (memory.c): what is known of 8 bytes ---- */

typedef struct bwx_record {
    uint32_t pc;
    int16_t epoch;
    uint8_t bytes; /* mask */
    uint8_t who;   /* thread << 2 | atomic << 1 | write */
} bwx_record;

enum { BWX_CELL_RECORDS = 6 };

typedef struct bwx_cell {
    uint32_t execution;  /* stale if it is not this one */
    uint32_t location;   /* first location in these bytes, BWX_NONE */
    uint32_t block;      /* heap: the block + 1; 0: none */
    uint8_t initialised; /* mask of bytes */
    uint8_t count;
    uint16_t more; /* overflow cells (access.c) */
} bwx_cell;

/* ---- options, results ---- */

typedef enum bwx_model_kind { BWX_SC, BWX_RC11 } bwx_model_kind;
typedef enum bwx_strategy {
    BWX_EXHAUSTIVE,
    BWX_BOUNDED,
    BWX_PCT,
    BWX_RANDOM,
    BWX_REPLAY,
    BWX_FOLLOW,
} bwx_strategy;

typedef struct bwx_options {
    bwx_model_kind model;
    bwx_strategy strategy;
    uint64_t executions, seed;
    double seconds;
    unsigned preemptions, weak, depth, steps, spurious, timeouts, wakeups, failures;
    unsigned hang;  /* seconds after which an execution does not end */
    unsigned split; /* nodes expanded fully, for work sharing; 0: none */
    unsigned cut;   /* executions with more steps are cut; 0: none */
    bool freeze, trylock, verbose, traces, leaks, events;
    const char *replay, *prefix, *follow;
    uint64_t unwatched; /* kinds of events that follow= does not count, a bit each */
} bwx_options;

typedef enum bwx_finding {
    BWX_FOUND_NOTHING = 0,
    BWX_ASSERTION = 10,
    BWX_CRASH,
    BWX_DATA_RACE,
    BWX_USE_AFTER_FREE,
    BWX_DOUBLE_FREE,
    BWX_INVALID_FREE,
    BWX_LEAK,
    BWX_UNINITIALISED,
    BWX_DEADLOCK,
    BWX_LIVELOCK,
    BWX_NOT_LINEARIZABLE,
    BWX_BLOCKING,
    BWX_NONDETERMINISM,
    BWX_OUT_OF_BOUNDS,
    BWX_MISUSE,
    BWX_UNSUPPORTED, /* not a finding: the program cannot be explored */
} bwx_finding;

/* How an execution ended. */
typedef enum bwx_ending {
    BWX_COMPLETE,
    BWX_CUT,     /* bwx_assume, or an unfair wait */
    BWX_BLOCKED, /* nothing to do that was not explored elsewhere */
    BWX_FOUND,
    BWX_STOPPED, /* at a prefix that another process explores */
} bwx_ending;

/* ---- the one state of the runtime ---- */

typedef struct bwx_runtime {
    bwx_options options;
    uint32_t execution; /* number of this one, from 1 */
    bool running;       /* the program's code runs, not the explorer's */
    bool solo;          /* no other thread exists, or every other one has been joined */
    bool sc;
    bool logging; /* plain accesses are steps, too */
    unsigned thread_count, unfinished;
    bwx_thread *current;
    bwx_ending ending;
    uint32_t step_count, location_count, message_count;
    uint32_t spurious_left, failures_left;
    uint32_t solo_operations;
    bwx_thread *creator; /* a fresh thread goes back to it at its first operation */
    bwx_clock before;    /* the running thread's trace before its present step */
    uint64_t log_steps;
    bool any_frozen;
    bool any_stopped; /* by bwx_assume or exit: the execution then ends with … */
    bwx_ending last_words;
    bool nothing_else; /* only timed waits can go on: their time is over */
    bool limited;      /* bounded: something was left out, since a bound forbade it */
    bool sc_accesses;  /* rc11: some step was a seq_cst access */
    uint64_t executions, complete, cut, blocked, steps;
    bwx_finding found;
    char sentence[1024];
    uint32_t found_pc, other_pc;
    uint8_t found_thread;
    void *explorer_stack; /* where the explorer goes on when an execution ends */
    bwx_thread threads[BWX_THREADS];
} bwx_runtime;

extern bwx_runtime bwx;
extern bwx_step *bwx_steps;
extern bwx_location *bwx_locations;
extern bwx_message *bwx_messages;

/* Does a log take in plain accesses still? Those that count must find room after them, to the last. */
static inline bool bwx_room_to_log(void) {
    const unsigned others = 100;
    return bwx.logging && bwx.log_steps + bwx.options.steps + others < BWX_MAX_STEPS;
}

/* ---- fiber.c ---- */
void bwx_fibers_open(void);
void bwx_fiber_prepare(bwx_thread *thread, void (*run)(void));
void bwx_fiber_switch(bwx_thread *from, bwx_thread *to);
/* To the first fiber of an execution and, from any fiber, back. */
void bwx_fiber_enter(bwx_thread *to);
void bwx_fiber_leave(void) __attribute__((noreturn));
/* Gives the thread's thread-local variables their initial values. */
void bwx_fiber_fresh_locals(bwx_thread *thread);

/* ---- memory.c ---- */
void bwx_memory_open(void);
void bwx_memory_reset(void); /* the program's variables as they were before main */
void bwx_dirty(uintptr_t address, size_t size); /* about to be written */
void *bwx_reserve(size_t bytes);                /* memory of the runtime's own */
void bwx_globals(const char **begin, const char **end, unsigned part);

/* ---- heap.c ---- */
typedef struct bwx_block {
    uintptr_t address;
    size_t size;
    uint32_t pc, free_pc;
    uint8_t thread, free_thread;
    int16_t free_epoch;
    bool freed, zeroed, mapped;
    bool marked; /* leak search */
} bwx_block;
void bwx_heap_open(void);
void bwx_heap_reset(void);
bwx_block *bwx_block_of(uintptr_t address); /* that holds the byte; NULL: none */
extern bwx_block *bwx_blocks;
uint32_t bwx_block_index(uintptr_t address);                 /* + 1; 0: none */
uint8_t bwx_block_zeros(uint32_t number, uintptr_t address); /* bytes there that begin as zeros */
bool bwx_heap_leaks(void); /* reports the first block that nothing points to */

#include "cells.h"

/* ---- access.c ---- */
enum { BWX_ATOMIC = 4, BWX_QUIET = 8 /* copies: uninitialised bytes are fine */ };
void bwx_access(uintptr_t address, size_t size, unsigned flags, uint32_t pc);
bool bwx_access_fine(uintptr_t address, size_t size, bool writes);
void bwx_access_free(bwx_block *block, uint32_t pc);
void bwx_access_reset(void);
void bwx_plain(uintptr_t address, size_t size, unsigned flags, uint32_t pc);

/* ---- machine.c ---- */
void bwx_machine_open(void);
uint32_t bwx_location_of(uintptr_t address, unsigned size);
void bwx_location_forget(const bwx_cell *cell, uintptr_t address,
                         unsigned size); /* a plain write starts the history anew */
uint64_t bwx_atomic(bwx_op *op, const uint64_t *registers, bool *exchanged);
/* rc11: is there a message that the thread may read, of those that the search leaves to it? */
bool bwx_finds_news(const bwx_thread *self);
void bwx_fence(int order, uint32_t pc);
bwx_step *bwx_step_add(bwx_thread *self, const bwx_op *op);
void bwx_step_link(bwx_step *step);

/* ---- fences.c ---- */
void bwx_fences_reset(void);
void bwx_fences_add(bwx_thread *self);
void bwx_fences_edge(const bwx_thread *self, const bwx_location *location, int32_t position);
/* What the thread's reads must respect: what happened before it, and what happened before fences that
 * come before its fences in every order. */
const bwx_clock *bwx_fences_clock(const bwx_thread *self, bwx_clock *room);
int32_t bwx_bound(const bwx_location *location, const bwx_clock *clock);

/* ---- psc.c ---- */
/* May the thread's access read `source` (reads), or write right behind it (writes), as far as RC11's psc
 * is concerned? learnt: what an acquire read of it would learn. For results that are not the newest. */
bool bwx_psc_allows(const bwx_thread *self, const bwx_op *op, const bwx_clock *learnt,
                    uint32_t source, bool reads, bool writes, int order);

/* ---- schedule.c ---- */
/* The thread's next operation may be done when this returns. */
void bwx_reach(bwx_thread *self, const bwx_op *op);
void bwx_next(bwx_thread *self) __attribute__((noreturn)); /* self has finished */
void bwx_end(bwx_ending ending) __attribute__((noreturn));
void bwx_stop(bwx_ending ending) __attribute__((noreturn)); /* this thread alone */
/* One of n options (absolute numbers, default_option among them or not); ends the execution if n is 0. */
uint32_t bwx_choice(const uint32_t *options, unsigned n, uint32_t default_option);
void bwx_run_execution(void);

/* ---- spin.c ---- */
void bwx_spin_note(bwx_thread *self, const bwx_op *op, const uint64_t *registers, uint32_t message);
void bwx_spin_check(bwx_thread *self, const bwx_op *op, const uint64_t *registers);
bool bwx_spin_may_run(const bwx_thread *self);
void bwx_side_effect(bwx_thread *self);

/* ---- search.c, walk.c ---- */
void bwx_search_open(void);
void bwx_search_begin(void);                               /* of an execution */
unsigned bwx_search_thread(uint32_t enabled, bool *ended); /* who runs next */
uint32_t bwx_search_option(const uint32_t *options, unsigned n, uint32_t default_option);
void bwx_search_step(const bwx_step *step); /* has been done */
void bwx_search_end(void);                  /* of an execution */
/* The thread could have exchanged this message if another one had not been faster. */
void bwx_search_attached(const bwx_thread *self, uint32_t message);
bool bwx_search_next(void); /* is there another execution? */
uint32_t
bwx_search_limit(unsigned thread); /* messages from this number on are to be read; 0: any */
uint32_t bwx_search_node(void);
unsigned bwx_search_preemptions(void); /* of this execution so far */
void bwx_search_alone(void);           /* the next step is done without a choice */
double bwx_search_done(void);          /* estimate, 0 … 1 */
void bwx_search_hand_out(void);        /* reports the path as work for another process */
unsigned bwx_walk_thread(uint32_t enabled, unsigned depth);
uint32_t bwx_walk_option(const uint32_t *options, unsigned n, uint32_t default_option);
void bwx_walk_open(void);
void bwx_walk_record(bool thread, uint32_t value);
void bwx_walk_begin(void);
unsigned bwx_walk_longest(void); /* choices of a thread in the longest execution so far */
uint64_t bwx_random(void);

/* ---- prefix.c ---- */
extern unsigned bwx_prefix_nodes, bwx_prefix_choices; /* that another process has fixed */
void bwx_prefix_read(const char *text);
uint16_t bwx_prefix_choice(unsigned number);

/* ---- sync.c, threads.c ---- */
uint32_t bwx_object_of(uintptr_t address);
bool bwx_sync_enabled(const bwx_thread *thread, bool nothing_else);
bool bwx_may_wake(const bwx_thread *thread);
void bwx_sync_reset(void);
void bwx_threads_reset(void);
int bwx_mutex_lock(void *mutex, uint32_t pc);
int bwx_mutex_unlock(void *mutex, uint32_t pc);
int bwx_mutex_trylock(void *mutex, uint32_t pc);
void bwx_mutex_init(void *mutex, int kind, uint32_t pc);
void bwx_mutex_destroy(void *mutex, uint32_t pc);
int bwx_cond_wait(void *condition, void *mutex, bool timed, uint32_t pc);
void bwx_cond_init(void *condition, uint32_t pc);
void bwx_cond_wake(void *condition, bool all, uint32_t pc);
void bwx_once(void *control, void (*routine)(void), uint32_t pc);
int bwx_thread_create(void *(*entry)(void *), int (*entry_c11)(void *), void *argument,
                      bool detached, uint32_t pc);
int bwx_thread_join(unsigned id, void **result, uint32_t pc);
void bwx_main_thread(void);
extern int bwx_argc;
extern char **bwx_argv;
void bwx_solo_update(void);
void bwx_thread_exit(void *result) __attribute__((noreturn));

/* ---- events.c ---- */
void bwx_events_open(void);
void bwx_events_reset(void);
unsigned bwx_events_thread(uint32_t enabled); /* who is wanted to run next */
void bwx_events_report(FILE *out);            /* of this execution, at its end */

/* ---- traces.c ---- */
void bwx_traces_count(void); /* this execution, when it is complete */
uint64_t bwx_traces_distinct(void);

/* ---- history.c ---- */
void bwx_history_reset(void);
bool bwx_history_wrong(void); /* reports a history that is not linearizable */

/* ---- report.c ---- */
/* Ends the execution: something was found. */
void bwx_find(bwx_finding kind, uint32_t pc, uint32_t other_pc, const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));
void bwx_note_finding(bwx_finding kind, uint32_t pc, uint32_t other_pc, const char *format,
                      va_list arguments);
void bwx_fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void bwx_report_open(void);
void bwx_outcome_reset(void);
void bwx_outcome_count(void);
void bwx_report_progress(void);
void bwx_report_prefix(const char *prefix);
void bwx_report_events(void);
void bwx_report_result(bool exhaustive, const char *why);
void bwx_replay_string(char *text, size_t capacity);
double bwx_seconds(void);
extern volatile int bwx_tick; /* set once a second */
const char *bwx_kind_name(unsigned kind);

static inline uint32_t bwx_pc(const void *address) {
    return (uint32_t)(uintptr_t)address;
}
#define BWX_PC bwx_pc(__builtin_return_address(0))

#endif
