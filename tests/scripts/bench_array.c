/* bench_array.c: a sorted array under a mutex as an adapter of the bench driver, for its tests.
 *
 * BUG, a number given to the compiler, plants one defect that the driver must find; 0 plants none.
 */
#include "adapter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifndef BUG
#define BUG 0
#endif

enum { CAPACITY = 1 << 16 };

typedef struct array {
    pthread_mutex_t mutex;
    size_t count;
    uint64_t keys[CAPACITY], values[CAPACITY];
} array;

static void *array_open(void) {
    array *a = calloc(1, sizeof *a);
    if (a != NULL)
        pthread_mutex_init(&a->mutex, NULL);
    return a;
}

static void array_close(void *index) {
    free(index);
}

static void *session_open(void *index) {
    return index;
}

static void session_close(void *session) {
    (void)session;
}

/* The first place whose key is >= key; the mutex is held. */
static size_t place_of(const array *a, uint64_t key) {
    size_t from = 0, to = a->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (a->keys[middle] < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

enum { GET, PUT, INSERT, UPDATE, REMOVE };

static int array_do(void *session, int what, uint64_t key, uint64_t *value) {
    array *a = session;
    pthread_mutex_lock(&a->mutex);
    size_t at = place_of(a, key);
    int present = at < a->count && a->keys[at] == key;
    size_t behind = a->count - at;
    /* 1: a neighbour's value; 8: only where there are more keys than the check has. */
    int neighbour = BUG == 1 || (BUG == 8 && a->count > 8192);
    if (what == GET && present)
        *value = a->values[neighbour && at > 0 ? at - 1 : at];
    if (what == REMOVE && present && BUG != 2) { /* 2: remove leaves the key */
        memmove(&a->keys[at], &a->keys[at + 1], (behind - 1) * sizeof *a->keys);
        memmove(&a->values[at], &a->values[at + 1], (behind - 1) * sizeof *a->values);
        a->count--;
    }
    if (what != GET && what != REMOVE && present && BUG != 3) /* 3: update and put are lost */
        if (what != INSERT || BUG == 4)                       /* 4: insert overwrites */
            a->values[at] = *value;
    if ((what == PUT || what == INSERT) && !present) {
        if (a->count == CAPACITY)
            abort();
        memmove(&a->keys[at + 1], &a->keys[at], behind * sizeof *a->keys);
        memmove(&a->values[at + 1], &a->values[at], behind * sizeof *a->values);
        a->keys[at] = key;
        a->values[at] = *value;
        a->count++;
    }
    pthread_mutex_unlock(&a->mutex);
    return what == PUT || what == INSERT ? !present : present;
}

static int array_get(void *session, uint64_t key, uint64_t *value) {
    return array_do(session, GET, key, value);
}

static int array_put(void *session, uint64_t key, uint64_t value) {
    return array_do(session, PUT, key, &value);
}

static int array_insert(void *session, uint64_t key, uint64_t value) {
    return array_do(session, INSERT, key, &value);
}

static int array_update(void *session, uint64_t key, uint64_t value) {
    return array_do(session, UPDATE, key, &value);
}

static int array_remove(void *session, uint64_t key) {
    return array_do(session, REMOVE, key, NULL);
}

static int64_t array_scan(void *session, uint64_t low, size_t n, uint64_t *values) {
    array *a = session;
    pthread_mutex_lock(&a->mutex);
    size_t at = place_of(a, low) + (BUG == 5); /* 5: the scan leaves out its first key */
    size_t count = at >= a->count ? 0 : a->count - at < n ? a->count - at : n;
    memcpy(values, &a->values[at], count * sizeof *values);
    pthread_mutex_unlock(&a->mutex);
    return (int64_t)count;
}

static int64_t array_get_many(void *session, const uint64_t *keys, size_t n, uint64_t *values) {
    int64_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += array_get(session, keys[i], &values[i]);
    return BUG == 6 ? (int64_t)n : hits; /* 6: absent keys are counted, too */
}

static int64_t array_put_many(void *session, const uint64_t *keys, const uint64_t *values,
                              size_t n) {
    int64_t absent = 0;
    for (size_t i = 0; i < n; i++)
        absent += array_put(session, keys[i], values[i]);
    return BUG == 9 ? (int64_t)n : absent; /* 9: present keys are counted, too */
}

static int64_t array_sum(void *session, uint64_t low, uint64_t high, uint64_t *sum) {
    array *a = session;
    int64_t count = 0;
    *sum = BUG == 10; /* 10: the sum is off by one */
    pthread_mutex_lock(&a->mutex);
    for (size_t at = place_of(a, low); at < a->count && a->keys[at] <= high; at++) {
        *sum += a->values[at];
        count++;
    }
    pthread_mutex_unlock(&a->mutex);
    return count;
}

const bench_adapter *bench_adapter_get(void);
const bench_adapter *bench_adapter_get(void) {
    static const bench_adapter adapter = {
        .abi = BENCH_ADAPTER_ABI + (BUG == 7), /* 7: made for another driver */
        .name = "array",
        .description = "a sorted array under a mutex",
        .max_key = UINT64_MAX,
        .open = array_open,
        .close = array_close,
        .session_open = session_open,
        .session_close = session_close,
        .get = array_get,
        .put = array_put,
        .insert = array_insert,
        .update = array_update,
        .remove = array_remove,
        .scan = array_scan,
        .get_many = array_get_many,
        .put_many = array_put_many,
        .sum = array_sum,
    };
    return &adapter;
}
