/* check.c: every answer of an index beside that of a model.
 *
 * The model is a sorted array of all the keys that the check uses, each with its value or none, so
 * that it is too simple to be wrong. The keys lie close together in places and include both ends of
 * the range.
 */
#include "check.h"

#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 8192, OPERATIONS = 300000, LONGEST_SCAN = 128, BATCH = 64 };

typedef struct model {
    uint64_t keys[KEYS]; /* ascending */
    uint64_t values[KEYS];
    bool present[KEYS];
} model;

typedef struct checker {
    const bench_adapter *adapter;
    void *session;
    model *model;
    rng random;
    uint64_t seed, step;
    char *message;
    size_t capacity;
} checker;

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void model_init(model *m, uint64_t max_key, rng *r) {
    /* Half of the keys alone, half in runs of neighbours; the ends; duplicates are moved on. */
    for (size_t i = 0; i < KEYS; i++)
        m->keys[i] = i % 2 == 0 ? rng_below(r, max_key) : m->keys[i - 1] + 1;
    m->keys[0] = 0;
    m->keys[1] = 1;
    m->keys[KEYS - 2] = max_key - 1;
    m->keys[KEYS - 1] = max_key;
    qsort(m->keys, KEYS, sizeof m->keys[0], by_value);
    memset(m->present, 0, sizeof m->present);
}

static bool wrong(checker *c, const char *what, uint64_t key, int64_t got, int64_t expected) {
    snprintf(c->message, c->capacity,
             "%s gives a wrong answer: %s of key %" PRIu64 " gave %" PRId64 ", expected %" PRId64
             " (step %" PRIu64 ", seed %" PRIu64 ")",
             c->adapter->name, what, key, got, expected, c->step, c->seed);
    return false;
}

static bool check_scan(checker *c, size_t at) {
    model *m = c->model;
    uint64_t got[LONGEST_SCAN];
    size_t n = 1 + rng_below(&c->random, LONGEST_SCAN);
    int64_t count = c->adapter->scan(c->session, m->keys[at], n, got);
    size_t expected = 0;
    for (size_t i = at; i < KEYS && expected < n; i++) {
        if (!m->present[i])
            continue;
        if ((int64_t)expected < count && got[expected] != m->values[i])
            return wrong(c, "scan (an entry's value)", m->keys[i], (int64_t)got[expected],
                         (int64_t)m->values[i]);
        expected++;
    }
    if (count != (int64_t)expected)
        return wrong(c, "scan (the number of entries)", m->keys[at], count, (int64_t)expected);
    return true;
}

static bool check_get_many(checker *c) {
    model *m = c->model;
    uint64_t keys[BATCH], values[BATCH];
    size_t at[BATCH], n = 1 + rng_below(&c->random, BATCH);
    int64_t expected = 0;
    for (size_t i = 0; i < n; i++) {
        at[i] = rng_below(&c->random, KEYS);
        keys[i] = m->keys[at[i]];
        expected += m->present[at[i]];
    }
    int64_t hits = c->adapter->get_many(c->session, keys, n, values);
    if (hits != expected)
        return wrong(c, "get_many (the number of hits)", keys[0], hits, expected);
    for (size_t i = 0; i < n; i++)
        if (m->present[at[i]] && values[i] != m->values[at[i]])
            return wrong(c, "get_many (an entry's value)", keys[i], (int64_t)values[i],
                         (int64_t)m->values[at[i]]);
    return true;
}

/* One operation that changes the map; `yes` is what it must answer. */
static bool check_write(checker *c, size_t at, uint64_t kind) {
    static const char *const names[] = {"put", "insert", "update", "remove"};
    const bench_adapter *a = c->adapter;
    model *m = c->model;
    uint64_t key = m->keys[at], value = rng_next(&c->random);
    bool was = m->present[at], yes = kind < 2 ? !was : was;
    if (a->blind && (kind == 1 ? was : kind > 1 && !was))
        kind = 0; /* what it is never asked for: a put instead */
    yes = yes || a->blind;
    int got;
    switch (kind) {
    case 0: got = a->put(c->session, key, value); break;
    case 1: got = a->insert(c->session, key, value); break;
    case 2: got = a->update(c->session, key, value); break;
    default: got = a->remove(c->session, key); break;
    }
    if (got != (int)yes)
        return wrong(c, names[kind], key, got, yes);
    m->present[at] = kind == 3 ? false : kind == 2 ? was : true;
    if (kind == 0 || (kind == 1 && !was) || (kind == 2 && was))
        m->values[at] = value;
    return true;
}

static bool check_put_many(checker *c, size_t at) {
    model *m = c->model;
    uint64_t values[BATCH];
    size_t n = 1 + rng_below(&c->random, BATCH);
    n = n < KEYS - at ? n : KEYS - at;
    int64_t absent = 0;
    for (size_t i = 0; i < n; i++) {
        values[i] = rng_next(&c->random);
        absent += !m->present[at + i] || c->adapter->blind;
        m->present[at + i] = true;
        m->values[at + i] = values[i];
    }
    int64_t got = c->adapter->put_many(c->session, m->keys + at, values, n);
    return got == absent || wrong(c, "put_many (keys that were absent)", m->keys[at], got, absent);
}

static bool check_sum(checker *c, size_t at) {
    model *m = c->model;
    size_t last = at + rng_below(&c->random, KEYS - at);
    uint64_t sum = 0, expected = 0;
    int64_t count = 0;
    for (size_t i = at; i <= last; i++)
        if (m->present[i]) {
            expected += m->values[i];
            count++;
        }
    int64_t got = c->adapter->sum(c->session, m->keys[at], m->keys[last], &sum);
    if (got != count)
        return wrong(c, "sum (the number of entries)", m->keys[at], got, count);
    if (sum != expected)
        return wrong(c, "sum", m->keys[at], (int64_t)sum, (int64_t)expected);
    return true;
}

static bool check_get(checker *c, size_t at) {
    model *m = c->model;
    uint64_t value = 0;
    int got = c->adapter->get(c->session, m->keys[at], &value);
    if (got != (int)m->present[at])
        return wrong(c, "get", m->keys[at], got, m->present[at]);
    if (got == 1 && value != m->values[at])
        return wrong(c, "get (the value)", m->keys[at], (int64_t)value, (int64_t)m->values[at]);
    return true;
}

static bool check_step(checker *c) {
    size_t at = rng_below(&c->random, KEYS);
    uint64_t kind = rng_below(&c->random, 8);
    if (kind < (c->adapter->remove != NULL ? 4 : 3))
        return check_write(c, at, kind);
    if (kind == 4)
        return check_scan(c, at);
    if (kind == 5 && c->adapter->get_many != NULL)
        return check_get_many(c);
    /* Rarely: long puts would leave no key absent. */
    if (kind == 6 && c->step % 128 == 0 && c->adapter->put_many != NULL)
        return check_put_many(c, at);
    if (kind == 6 && c->step % 128 == 1 && c->adapter->sum != NULL)
        return check_sum(c, at);
    return check_get(c, at);
}

static bool check_all(checker *c) {
    for (c->step = 0; c->step < OPERATIONS; c->step++)
        if (!check_step(c))
            return false;
    for (size_t at = 0; at < KEYS; at++)
        if (c->model->present[at] && c->adapter->remove != NULL && !check_write(c, at, 3))
            return false;
    return check_scan(c, 0);
}

bool check_adapter(const bench_adapter *adapter, uint64_t seed, char *message, size_t capacity) {
    checker c = {.adapter = adapter,
                 .model = malloc(sizeof *c.model),
                 .random = {splitmix64(seed)},
                 .seed = seed,
                 .message = message,
                 .capacity = capacity};
    void *index = c.model != NULL ? adapter->open() : NULL;
    c.session = index != NULL ? adapter->session_open(index) : NULL;
    bool good = false;
    if (c.session == NULL) {
        snprintf(message, capacity, "%s cannot be opened: out of memory, or its open failed",
                 adapter->name);
    } else {
        model_init(c.model, adapter->max_key, &c.random);
        good = check_all(&c);
        adapter->session_close(c.session);
    }
    if (index != NULL)
        adapter->close(index);
    free(c.model);
    return good;
}

int check_apart(const bench_adapter *adapter, uint64_t seed) {
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "cannot start a process for the check: %s\n", strerror(errno));
        return CANNOT;
    }
    if (child == 0) {
        char message[512];
        bool good = check_adapter(adapter, seed, message, sizeof message);
        if (!good)
            fprintf(stderr, "%s\n", message);
        _exit(good ? 0 : WRONG);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) {
            fprintf(stderr, "cannot wait for the check: %s\n", strerror(errno));
            return CANNOT;
        }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "%s crashed in the check: signal %d (seed %" PRIu64 ")\n", adapter->name,
                WTERMSIG(status), seed);
        return WRONG;
    }
    return WEXITSTATUS(status);
}
