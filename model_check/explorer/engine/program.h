/* program.h: what the harness runs: a tree's options, and the operations of each thread, as data.
 *
 * A program is a text of sections separated by ';', each a word and a list:
 *
 *     options leaf_capacity=2 leaf_log=1; before put 10 1, put 20 2; thread insert 15 3, get 10;
 *     thread remove 20; after get 15
 *
 * `options` sets bw_options' fields by their names, and the harness's own (program.c). `before` and `after`
 * run in the main thread, before the others are made and after they have been joined. A key or value is a
 * number; "max" is 2^64-1.
 *
 *     get K, put K V, insert K V, update K V, remove K, compare_exchange K OLD NEW
 *     floor K, ceiling K, lower K, higher K, first, last, pop_first, pop_last
 *     count LOW HIGH, delete_range LOW HIGH, get_many K …, put_many K V …
 *     walk K N M           a cursor at K (max: at the end), N entries forward, then M back
 *     consolidate, collect, size, stats, level_stats LEVEL, check (bw_self_check)
 *     attach, detach       a thread's registration; options attach=0 detach=0 leave them to the program
 *     pin, unpin, close, free (the tree; the last of its thread)
 *     open_cursor, free_cursor
 *     tell, told           an execution goes on behind `told` only if it comes after `tell`, which orders
 *                          nothing else: what the user of a tree must know, not how
 *     fail N               the thread's N-th allocation from here on fails
 *
 * inside.h has more, from inside the library.
 */
#ifndef ENGINE_PROGRAM_H
#define ENGINE_PROGRAM_H

#include "bwtree.h"

/* The harness's own reading of its program is no part of what is explored. */
#if defined(__clang__)
#define UNSEEN __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#else
#define UNSEEN __attribute__((no_sanitize_thread))
#endif

enum {
    MAX_THREADS = 4, /* beside the main thread */
#if defined(BW_EVENTS)
    MAX_OPERATIONS = 4096, /* tours are long (model_check/conformance/tour.py) */
#else
    MAX_OPERATIONS = 32,
#endif
    MAX_ARGUMENTS = 8,
    MAX_KEYS = 24,
};

typedef enum operation_kind {
    GET,
    PUT,
    INSERT,
    UPDATE,
    REMOVE,
    COMPARE_EXCHANGE,
    FLOOR,
    CEILING,
    LOWER,
    HIGHER,
    FIRST,
    LAST,
    POP_FIRST,
    POP_LAST,
    /* These are not atomic: their effects are parts (model.h). */
    COUNT,
    DELETE_RANGE,
    GET_MANY,
    PUT_MANY,
    WALK,
    /* These change no key. */
    CONSOLIDATE,
    COLLECT,
    ATTACH,
    DETACH,
    PIN,
    UNPIN,
    SIZE,
    STATS,
    LEVEL_STATS,
    CHECK,
    CLOSE,
    FAIL, /* the calling thread's n-th allocation from now on */
    FREE, /* of the tree: its thread does nothing after that */
    OPEN_CURSOR,
    FREE_CURSOR,
    TELL, /* says so, by a relaxed store … */
    TOLD, /* … to whoever goes on only if it has been said: orders nothing */
    /* Steps from inside the library, by themselves (inside.h). */
    ADVANCE,
    RECLAIM,
    SHRINK,
    HAND_OVER,
    TAKE_PAGES,
    GIVE_PAGES,
    TAKE_PID,
    GIVE_PID,
    PIDS_LEFT,
    POP_PID,
    PUSH_PID,
    USE_PID,
    ACQUIRE,
    UNLINK,
    RETIRE,
    SEAL,
    TRY_ADVANCE,
    FREE_ONE,
    OPERATION_KINDS,
} operation_kind;

typedef struct operation {
    operation_kind kind;
    unsigned count;
    uint64_t arguments[MAX_ARGUMENTS];
} operation;

typedef struct section {
    unsigned count;
    operation operations[MAX_OPERATIONS];
} section;

typedef struct program {
    bw_options options;
    uint32_t failures; /* allocations that may fail in each thread, any of them */
    uint32_t attach;   /* the first so many threads register out of the exploration's sight … */
    uint32_t detach;   /* … and, unless it is 0, all give their registrations back so */
    uint32_t lie; /* the value of each thread's call of this number (from 1) is falsified: a check
                          of the checks */
    uint32_t states; /* events come with what memory holds: 1 of epochs, 2 of the root's page, 3 of
                        free page ids, 4 of all pages (events.c) */
    uint32_t leak;   /* the main thread loses a block: likewise */
    unsigned thread_count;
    section before, threads[MAX_THREADS], after;
    unsigned key_count; /* keys that occur, ascending */
    uint64_t keys[MAX_KEYS];
    bool closes; /* some thread closes or frees the tree */
    bool fails;  /* allocations may fail */
    bool parts;  /* some operation is not atomic */
    bool takes_pages;
} program;

extern program engine_program;

/* Reads the text into engine_program; NULL, or a sentence in static storage about what is wrong. */
const char *program_read(const char *text);

/* The operation's word in program texts. */
const char *operation_word(operation_kind kind);

#endif
