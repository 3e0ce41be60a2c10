/* adapter.h: what an index must offer to be measured by the bench driver.
 *
 * The driver knows indexes only through this table of functions. The tree and its peers are linked
 * in; any other ordered index of 64-bit keys and values can join a run without being part of the
 * project: compile a shared object that exports
 *
 *     const bench_adapter *bench_adapter_get(void);
 *
 * and name it with `--extra-adapter FILE`. (Compile it with -ftls-model=initial-exec if the index
 * uses thread-local variables: those of a library loaded at run time are slow otherwise, which would
 * be a handicap that comes from the loading and not from the index.)
 *
 * An index is opened once a run. Each thread that works on it opens a session of its own, calls the
 * operations with it, and closes it before it ends: cursors, buffers and registrations belong there.
 * Operations on different sessions run at the same time; what the index needs in the way of locks is
 * the adapter's business. Every operation must be linearizable, except scan and get_many, which may
 * be so key by key.
 */
#ifndef BENCH_ADAPTER_H
#define BENCH_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_ADAPTER_ABI 1

typedef struct bench_adapter {
    uint32_t abi;            /* BENCH_ADAPTER_ABI */
    const char *name;        /* short, [a-z0-9_-]: a column of the table */
    const char *description; /* one line, printable ASCII without quotes and backslashes */
    uint64_t max_key;        /* the greatest key that the index takes */

    void *(*open)(void); /* an empty index, or NULL */
    void (*close)(void *index);
    void *(*session_open)(void *index); /* called by the thread that will use it; NULL: failed */
    void (*session_close)(void *session);

    /* Operations give 1 for yes, 0 for no, and -1 for an error of any kind. */
    int (*get)(void *session, uint64_t key, uint64_t *value);   /* 1: present */
    int (*put)(void *session, uint64_t key, uint64_t value);    /* 1: the key was absent */
    int (*insert)(void *session, uint64_t key, uint64_t value); /* 1: absent before, now present */
    int (*update)(void *session, uint64_t key, uint64_t value); /* 1: present before, replaced */
    int (*remove)(void *session, uint64_t key);                 /* 1: present before, now absent */

    /* The values of the first n keys >= low, in order of the keys; gives their number, fewer than n
     * only at the end of the index, or -1. */
    int64_t (*scan)(void *session, uint64_t low, size_t n, uint64_t *values);

    /* Optional (NULL: not offered, not measured): n gets; values[i] is written where keys[i] is
     * present; gives how many were, or -1. */
    int64_t (*get_many)(void *session, const uint64_t *keys, size_t n, uint64_t *values);

    /* Optional: bytes that the index says it has taken from the system. */
    uint64_t (*bytes)(void *index);
} bench_adapter;

#define BENCH_ADAPTER_SYMBOL "bench_adapter_get"

#ifdef __cplusplus
}
#endif

#endif
