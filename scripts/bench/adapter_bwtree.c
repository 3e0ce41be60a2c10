/* adapter_bwtree.c: the tree, measured through its public header and with its default options. */
#include "adapter.h"
#include "bwtree.h"

#include <stdlib.h>

enum { SCAN_KEYS = 4096 };

/* A session keeps one cursor: opening a cursor for each scan would measure malloc. */
typedef struct session {
    bw_tree *tree;
    bw_cursor *cursor;
    uint64_t keys[SCAN_KEYS], values[SCAN_KEYS];
} session;

static int yes_if(bw_status status, bw_status yes) {
    return status < 0 ? -1 : status == yes;
}

static void *tree_open(void) {
    bw_tree *tree = NULL;
    return bw_open(NULL, &tree) == BW_OK ? tree : NULL;
}

static void tree_close(void *index) {
    bw_free(index);
}

static void *session_open(void *index) {
    session *own = malloc(sizeof *own);
    if (own == NULL)
        return NULL;
    own->tree = index;
    if (bw_thread_attach(index) < 0 || bw_cursor_open(index, &own->cursor) < 0) {
        free(own);
        return NULL;
    }
    return own;
}

static void session_close(void *opaque) {
    session *own = opaque;
    bw_cursor_free(own->cursor);
    bw_thread_detach(own->tree);
    free(own);
}

static int tree_get(void *opaque, uint64_t key, uint64_t *value) {
    return yes_if(bw_get(((session *)opaque)->tree, key, value), BW_OK);
}

static int tree_put(void *opaque, uint64_t key, uint64_t value) {
    return yes_if(bw_put(((session *)opaque)->tree, key, value, NULL), BW_OK);
}

static int tree_insert(void *opaque, uint64_t key, uint64_t value) {
    return yes_if(bw_insert(((session *)opaque)->tree, key, value, NULL), BW_OK);
}

static int tree_update(void *opaque, uint64_t key, uint64_t value) {
    return yes_if(bw_update(((session *)opaque)->tree, key, value, NULL), BW_OK);
}

static int tree_remove(void *opaque, uint64_t key) {
    return yes_if(bw_remove(((session *)opaque)->tree, key, NULL), BW_OK);
}

static int64_t tree_scan(void *opaque, uint64_t low, size_t n, uint64_t *values) {
    session *own = opaque;
    size_t count = 0;
    if (n > SCAN_KEYS || bw_cursor_seek(own->cursor, low) < 0 ||
        bw_cursor_next_many(own->cursor, UINT64_MAX, own->keys, values, n, &count) < 0)
        return -1;
    return (int64_t)count;
}

static int64_t tree_get_many(void *opaque, const uint64_t *keys, size_t n, uint64_t *values) {
    size_t hits = 0;
    bw_status status = bw_get_many(((session *)opaque)->tree, keys, n, values, NULL, &hits);
    return status < 0 ? -1 : (int64_t)hits;
}

static int64_t tree_put_many(void *opaque, const uint64_t *keys, const uint64_t *values, size_t n) {
    size_t absent = 0;
    bw_status status = bw_put_many(((session *)opaque)->tree, keys, values, n, NULL, &absent);
    return status < 0 ? -1 : (int64_t)absent;
}

static int64_t tree_sum(void *opaque, uint64_t low, uint64_t high, uint64_t *sum) {
    session *own = opaque;
    size_t count = SCAN_KEYS;
    int64_t all = 0;
    *sum = 0;
    if (bw_cursor_seek(own->cursor, low) < 0)
        return -1;
    while (count == SCAN_KEYS) {
        if (bw_cursor_next_many(own->cursor, high, own->keys, own->values, SCAN_KEYS, &count) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            *sum += own->values[i];
        all += (int64_t)count;
    }
    return all;
}

#ifdef BENCH_HAVE_WRITTEN
static uint64_t tree_written(void *index) {
    bw_stats stats;
    return bw_get_stats(index, &stats) < 0 ? 0 : stats.bytes_written;
}
#endif

static uint64_t tree_bytes(void *index) {
    bw_stats stats;
    if (bw_get_stats(index, &stats) < 0)
        return 0;
    /* The mapping table is not the allocator's: one word for each page id in use. */
    return stats.bytes_reserved + 8 * stats.pids_used;
}

#ifndef BENCH_TREE_NAME
#define BENCH_TREE_NAME "bwtree"
#endif

extern const bench_adapter bench_adapter_bwtree;
const bench_adapter bench_adapter_bwtree = {
    .abi = BENCH_ADAPTER_ABI,
    .name = BENCH_TREE_NAME,
    .description = "this project's tree, default options",
    .max_key = UINT64_MAX,
    .open = tree_open,
    .close = tree_close,
    .session_open = session_open,
    .session_close = session_close,
    .get = tree_get,
    .put = tree_put,
    .insert = tree_insert,
    .update = tree_update,
    .remove = tree_remove,
    .scan = tree_scan,
    .get_many = tree_get_many,
    .bytes = tree_bytes,
    .put_many = tree_put_many,
    .sum = tree_sum,
#ifdef BENCH_HAVE_WRITTEN
    .written = tree_written,
#endif
};

#ifdef BENCH_TREE_SHARED
/* For bench_quick.py, which loads the trees of two commits into one process. */
__attribute__((visibility("default"))) const bench_adapter *bench_adapter_get(void);
const bench_adapter *bench_adapter_get(void) {
    return &bench_adapter_bwtree;
}
#endif
