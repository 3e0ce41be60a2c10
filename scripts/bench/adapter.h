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
 * the adapter's business. Every operation must be linearizable; scan, sum, get_many and
 * put_many may be so key by key.
 */
#ifndef BENCH_ADAPTER_H
#define BENCH_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_ADAPTER_ABI 2

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
    /* 1: present before, now absent. Optional: NULL where threads cannot remove at the same time. */
    int (*remove)(void *session, uint64_t key);

    /* The values of the first n keys >= low, in order of the keys; gives their number, fewer than n
     * only at the end of the index, or -1. */
    int64_t (*scan)(void *session, uint64_t low, size_t n, uint64_t *values);

    /* Optional (NULL: not offered, not measured): n gets; values[i] is written where keys[i] is
     * present; gives how many were, or -1. */
    int64_t (*get_many)(void *session, const uint64_t *keys, size_t n, uint64_t *values);

    /* Optional: bytes that the index says it has taken from the system. */
    uint64_t (*bytes)(void *index);

    /* Not 0: writes do not look whether the key was there, and give 1 whatever was. Such an index is
     * never asked to insert a present key, nor to update or remove an absent one. */
    int blind;

    /* Optional: n puts of ascending keys, the batch as a whole or key by key; gives how many keys were
     * absent (a blind index: n), or -1. */
    int64_t (*put_many)(void *session, const uint64_t *keys, const uint64_t *values, size_t n);

    /* Optional: adds up the values of all keys from low to high, both inclusive, modulo 2^64, each of
     * them read from the index; gives their number, or -1. */
    int64_t (*sum)(void *session, uint64_t low, uint64_t high, uint64_t *sum);

    /* Optional: bytes written so far to what holds the entries: pages, nodes, records, files; without
     * those that an allocator writes for itself. Asked only when no operation runs. */
    uint64_t (*written)(void *index);
} bench_adapter;

#define BENCH_ADAPTER_SYMBOL "bench_adapter_get"

#ifdef __cplusplus
}
#endif

#endif
