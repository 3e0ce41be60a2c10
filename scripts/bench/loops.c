/* loops.c: the timed loops. A loop does nothing but call the index and look at the answer.
 *
 * An operation is a function that does the stream's i-th operation, adds the wrong answers to *errors and
 * gives how many operations it was: batches are several. The compiler puts it into both its loops.
 */
#include "loops.h"

#define OPERATION(name)                                                                         \
    static inline uint64_t do_##name(const task *t, uint64_t i, uint64_t to, uint64_t *errors); \
    uint64_t loop_##name(const task *t, uint64_t from, uint64_t to) {                           \
        uint64_t errors = 0;                                                                    \
        for (uint64_t i = from; i < to;)                                                        \
            i += do_##name(t, i, to, &errors);                                                  \
        return errors;                                                                          \
    }                                                                                           \
    uint64_t clocked_##name(const task *t, uint64_t from, uint64_t to) {                        \
        uint64_t errors = 0;                                                                    \
        for (uint64_t i = from; i < to;) {                                                      \
            uint64_t start = nanoseconds();                                                     \
            uint64_t done = do_##name(t, i, to, &errors);                                       \
            latency_add(t->latency, nanoseconds() - start, done);                               \
            i += done;                                                                          \
        }                                                                                       \
        return errors;                                                                          \
    }                                                                                           \
    static inline uint64_t do_##name(const task *t, uint64_t i, uint64_t to, uint64_t *errors)

/* A die with n sides for operation i, which does not hang on its key: hot keys are both read and
 * updated. */
static inline uint64_t die(uint64_t i, unsigned n) {
    return splitmix64(i) % n;
}

static inline void get_one(const task *t, uint64_t key, uint64_t *errors) {
    uint64_t value = 0;
    *errors += t->adapter->get(t->session, key, &value) != 1 || !value_belongs(key, value);
}

static inline void update_one(const task *t, uint64_t key, uint64_t version, uint64_t *errors) {
    *errors += t->adapter->update(t->session, key, value_of(key, version)) != 1;
}

static inline void insert_one(const task *t, uint64_t key, uint64_t *errors) {
    *errors += t->adapter->insert(t->session, key, value_of(key, 0)) != 1;
}

/* The key that the scan starts at is in the index, so its value comes first. */
static inline void scan_one(const task *t, uint64_t key, size_t n, uint64_t *errors) {
    uint64_t values[SCAN_LENGTH];
    *errors += t->adapter->scan(t->session, key, n, values) != (int64_t)n ||
               !value_belongs(key, values[0]);
}

/* From 1 to SCAN_LENGTH, whatever the die of the operation shows. */
static inline size_t short_length(uint64_t i) {
    return 1 + splitmix64(~i) % SCAN_LENGTH;
}

static inline uint64_t batch(const task *t, uint64_t i, uint64_t to, size_t most,
                             uint64_t *errors) {
    uint64_t values[BATCH_LENGTH];
    size_t n = to - i < most ? to - i : most;
    *errors += t->adapter->get_many(t->session, t->keys + i, n, values) != (int64_t)n;
    for (size_t j = 0; j < n; j++)
        *errors += !value_belongs(t->keys[i + j], values[j]);
    return n;
}

OPERATION(insert) {
    (void)to;
    insert_one(t, t->keys[i], errors);
    return 1;
}

OPERATION(put_many) {
    uint64_t values[BATCH_LENGTH];
    size_t n = to - i < BATCH_LENGTH ? to - i : BATCH_LENGTH;
    for (size_t j = 0; j < n; j++)
        values[j] = value_of(t->keys[i + j], 0);
    *errors += t->adapter->put_many(t->session, t->keys + i, values, n) != (int64_t)n;
    return n;
}

OPERATION(get) {
    (void)to;
    get_one(t, t->keys[i], errors);
    return 1;
}

OPERATION(get_many) {
    return batch(t, i, to, BATCH_LENGTH, errors);
}

OPERATION(get_many_short) {
    return batch(t, i, to, SHORT_BATCH, errors);
}

OPERATION(scan) {
    (void)to;
    scan_one(t, t->keys[i], SCAN_LENGTH, errors);
    return 1;
}

OPERATION(scan_short) {
    (void)to;
    scan_one(t, t->keys[i], short_length(i), errors);
    return 1;
}

/* `fresh` holds the sum of the values up to and with each key. */
OPERATION(sum) {
    size_t n = to - i < SUM_LENGTH ? to - i : SUM_LENGTH;
    uint64_t sum = 0, expected = t->fresh[i + n - 1] - (i > 0 ? t->fresh[i - 1] : 0);
    *errors += t->adapter->sum(t->session, t->keys[i], t->keys[i + n - 1], &sum) != (int64_t)n ||
               sum != expected;
    return n;
}

OPERATION(update) {
    (void)to;
    update_one(t, t->keys[i], i, errors);
    return 1;
}

OPERATION(read_update) {
    (void)to;
    if (die(i, 2) != 0)
        get_one(t, t->keys[i], errors);
    else
        update_one(t, t->keys[i], i, errors);
    return 1;
}

OPERATION(read_mostly) {
    (void)to;
    if (die(i, 20) != 0)
        get_one(t, t->keys[i], errors);
    else
        update_one(t, t->keys[i], i, errors);
    return 1;
}

/* CHOOSE_LATEST knows which operations insert. */
OPERATION(read_latest) {
    (void)to;
    if (i % LATEST_PERIOD != LATEST_PERIOD - 1)
        get_one(t, t->keys[i], errors);
    else
        insert_one(t, t->fresh[i], errors);
    return 1;
}

OPERATION(scan_insert) {
    (void)to;
    if (die(i, 20) != 0)
        scan_one(t, t->keys[i], short_length(i), errors);
    else
        insert_one(t, t->fresh[i], errors);
    return 1;
}

OPERATION(read_modify_write) {
    (void)to;
    get_one(t, t->keys[i], errors);
    if (die(i, 2) != 0)
        update_one(t, t->keys[i], i, errors);
    return 1;
}

OPERATION(insert_read) {
    (void)to;
    if (die(i, 2) != 0)
        get_one(t, t->keys[i], errors);
    else
        insert_one(t, t->fresh[i], errors);
    return 1;
}

OPERATION(remove) {
    (void)to;
    *errors += t->adapter->remove(t->session, t->keys[i]) != 1;
    return 1;
}
