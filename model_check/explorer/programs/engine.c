/* engine.c: small programs over the tree, as data: the text in BWX_PROGRAM.
 *
 *     leaf=2 llog=2 inner=3 ilog=2 batch=1 pids=32 merge=25 pool=0 | P1=10 P2=20 | P3=30 G1 | R2
 *
 * First the options (those not named are as above), then what main does beforehand, then one part a
 * thread. Operations: P put, I insert, U update, R remove, X compare_exchange (X1=10:11), G get, and
 * without a key A pop_first, Z pop_last, with a key F floor, C ceiling, and, which have no result that a map
 * explains, K consolidate, E collect, S walk a cursor over everything, B the same backwards, T register,
 * D give the registration back, Y close (by which the others' calls may be refused).
 *
 * Every execution is checked: the history must be linearizable, the structure whole (bw_self_check), a
 * walk must be sorted and hold what nobody removes, all memory must come back, and no call may fail but for
 * want of memory where allocations are made to fail.
 */
#include <bwexplore.h>
#include <bwtree.h>

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 4, MAX_OPERATIONS = 24, MAX_KEYS = 24 };

typedef struct operation {
    char kind;
    uint64_t key, value, desired;
} operation;

typedef struct part {
    unsigned count;
    operation list[MAX_OPERATIONS];
} part;

static part parts[MAX_THREADS + 1];
static unsigned part_count;
static bw_options options;
static bw_tree *tree;
static bool closing;   /* some thread closes the tree */
static bool registers; /* registration itself is explored */

/* ---- the sequential map ---- */

typedef struct map {
    uint64_t count;
    uint64_t keys[MAX_KEYS], values[MAX_KEYS];
} map;

static unsigned place_of(const map *m, uint64_t key) {
    unsigned i = 0;
    while (i < m->count && m->keys[i] < key)
        i++;
    return i;
}

static void drop(map *m, unsigned i) {
    m->count--;
    for (; i < m->count; i++) {
        m->keys[i] = m->keys[i + 1];
        m->values[i] = m->values[i + 1];
    }
    m->keys[m->count] = m->values[m->count] = 0;
}

static void add(map *m, unsigned i, uint64_t key, uint64_t value) {
    for (unsigned j = (unsigned)m->count; j > i; j--) {
        m->keys[j] = m->keys[j - 1];
        m->values[j] = m->values[j - 1];
    }
    m->keys[i] = key;
    m->values[i] = value;
    m->count++;
}

/* status << 1 and what was seen (key and value of an entry are put together). */
static int apply(void *state, const bwx_call *call) {
    map *m = state;
    uint64_t key = call->arguments[0];
    uint64_t value = call->arguments[1];
    if (call->status < 0) /* refused: must have changed nothing */
        return 1;
    unsigned i = place_of(m, key);
    bool present = i < m->count && m->keys[i] == key;
    uint64_t seen = present ? m->values[i] : 0;
    int status = BW_OK;
    switch (call->operation) {
    case 'P':
        status = present ? BW_EXISTS : BW_OK;
        if (present)
            m->values[i] = value;
        else
            add(m, i, key, value);
        break;
    case 'I':
        status = present ? BW_EXISTS : BW_OK;
        if (!present)
            add(m, i, key, value);
        break;
    case 'U':
        status = present ? BW_OK : BW_NOT_FOUND;
        if (present)
            m->values[i] = value;
        break;
    case 'R':
        status = present ? BW_OK : BW_NOT_FOUND;
        if (present)
            drop(m, i);
        break;
    case 'X':
        status = !present ? BW_NOT_FOUND : seen == value ? BW_OK : BW_MISMATCH;
        if (status == BW_OK)
            m->values[i] = call->arguments[2];
        break;
    case 'G': status = present ? BW_OK : BW_NOT_FOUND; break;
    case 'A':
    case 'Z':
        i = call->operation == 'A' || m->count == 0 ? 0 : (unsigned)m->count - 1;
        status = m->count > 0 ? BW_OK : BW_NOT_FOUND;
        seen = m->count > 0 ? m->keys[i] << 32 | m->values[i] : 0;
        if (m->count > 0)
            drop(m, i);
        break;
    case 'F':
        i = present ? i + 1 : i;
        status = i > 0 ? BW_OK : BW_NOT_FOUND;
        seen = i > 0 ? m->keys[i - 1] << 32 | m->values[i - 1] : 0;
        break;
    case 'C':
        status = i < m->count ? BW_OK : BW_NOT_FOUND;
        seen = i < m->count ? m->keys[i] << 32 | m->values[i] : 0;
        break;
    default: return 0;
    }
    return call->status == status && call->value == seen;
}

static void describe(const bwx_call *call, char *text, size_t capacity) {
    snprintf(text, capacity, "%c%llu=%llu gave %s, %llu", call->operation,
             (unsigned long long)call->arguments[0], (unsigned long long)call->arguments[1],
             bw_strerror((bw_status)call->status), (unsigned long long)call->value);
}

static const bwx_model model = {sizeof(map), apply, describe};

/* ---- reading the program ---- */

static uint64_t number(const char **text) {
    char *end;
    uint64_t value = strtoull(*text, &end, 10);
    *text = end;
    return value;
}

static bool option(const char **text) {
    static const char names[][8] = {
        "leaf=", "llog=", "inner=", "ilog=", "batch=", "pids=", "merge=", "pool="};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(*text, names[i], length) != 0)
            continue;
        *text += length;
        uint64_t value = number(text);
        switch (i) {
        case 0: options.leaf_capacity = (uint32_t)value; break;
        case 1: options.leaf_log = (uint32_t)value; break;
        case 2: options.inner_capacity = (uint32_t)value; break;
        case 3: options.inner_log = (uint32_t)value; break;
        case 4: options.retire_batch = (uint32_t)value; break;
        case 5: options.max_pids = value; break;
        case 6: options.merge_threshold = (uint32_t)value; break;
        default: options.pooling = value != 0; break;
        }
        return true;
    }
    return false;
}

static void read_program(const char *text) {
    bw_options_init(&options);
    options.leaf_capacity = options.leaf_log = 2;
    options.inner_capacity = 3;
    options.inner_log = 2;
    options.retire_batch = 1;
    options.max_pids = 32;
    options.simd = BW_SIMD_SCALAR;
    options.pooling = false;
    options.backoff_min = options.backoff_max = 1;
    part_count = 0;
    bool begun = false;
    while (*text != 0) {
        if (*text == '|') {
            part_count += begun;
            begun = true;
            bwx_check(part_count <= MAX_THREADS, "BWX_PROGRAM: too many threads");
            text++;
        } else if (*text == ' ' || option(&text)) {
            text += *text == ' ';
        } else {
            part *now = &parts[part_count];
            bwx_check(now->count < MAX_OPERATIONS, "BWX_PROGRAM: too many operations");
            operation *one = &now->list[now->count++];
            one->kind = *text++;
            one->key = number(&text);
            if (*text == '=') {
                text++;
                one->value = number(&text);
            }
            if (*text == ':') {
                text++;
                one->desired = number(&text);
            }
            closing = closing || one->kind == 'Y';
            registers = registers || one->kind == 'T';
        }
    }
    part_count += begun;
}

/* ---- doing it ---- */

static bool may_fail(bw_status status) {
    return status == BW_ENOMEM || status == BW_EPIDS || (closing && status == BW_ECLOSED) ||
           status == BW_EBUSY;
}

/* Is the key one that no part removes, and main has put? */
static bool stays(uint64_t key) {
    bool put = false;
    for (unsigned p = 0; p < part_count; p++)
        for (unsigned i = 0; i < parts[p].count; i++) {
            const operation *one = &parts[p].list[i];
            if (one->kind == 'R' && one->key == key)
                return false;
            if (one->kind == 'A' || one->kind == 'Z')
                return false;
            put = put || (p == 0 && one->kind == 'P' && one->key == key);
        }
    return put;
}

static void walk(bool forwards) {
    bw_cursor *cursor;
    bw_status status = bw_cursor_open(tree, &cursor);
    if (status != BW_OK) {
        bwx_check(may_fail(status), "bw_cursor_open failed");
        return;
    }
    if (!forwards)
        bwx_check(bw_cursor_seek_end(cursor) == BW_OK, "bw_cursor_seek_end failed");
    uint64_t keys[MAX_KEYS];
    unsigned n = 0;
    uint64_t key;
    uint64_t value;
    while ((status = forwards ? bw_cursor_next(cursor, &key, &value)
                              : bw_cursor_prev(cursor, &key, &value)) == BW_OK) {
        bwx_check(n < MAX_KEYS, "a walk does not end");
        bwx_check(n == 0 || (forwards ? key > keys[n - 1] : key < keys[n - 1]),
                  "a walk is out of order");
        keys[n++] = key;
    }
    bwx_check(status == BW_NOT_FOUND || may_fail(status), "a walk ended with an error");
    for (uint64_t wanted = 0; wanted < MAX_KEYS && status == BW_NOT_FOUND; wanted++) {
        bool found = !stays(wanted);
        for (unsigned i = 0; i < n; i++)
            found = found || keys[i] == wanted;
        bwx_check(found, "a walk has missed a key that was there all the time");
    }
    bw_cursor_free(cursor);
}

static void do_operation(const operation *one) {
    bw_status status = BW_OK;
    uint64_t seen = 0;
    uint64_t key = 0;
    switch (one->kind) {
    case 'K': status = bw_consolidate(tree); break;
    case 'E': status = bw_collect(tree, NULL); break;
    case 'S': walk(true); return;
    case 'B': walk(false); return;
    case 'T': status = bw_thread_attach(tree); break;
    case 'D': status = bw_thread_detach(tree); break;
    case 'Y': status = bw_close(tree); break;
    default: goto in_history;
    }
    bwx_check(status >= 0 || may_fail(status), "a call failed that cannot fail");
    return;
in_history:
    bwx_invoke(one->kind, one->key, one->value, one->desired);
    switch (one->kind) {
    case 'P': status = bw_put(tree, one->key, one->value, &seen); break;
    case 'I': status = bw_insert(tree, one->key, one->value, &seen); break;
    case 'U': status = bw_update(tree, one->key, one->value, &seen); break;
    case 'R': status = bw_remove(tree, one->key, &seen); break;
    case 'X': status = bw_compare_exchange(tree, one->key, one->value, one->desired, &seen); break;
    case 'G': status = bw_get(tree, one->key, &seen); break;
    case 'A': status = bw_pop_first(tree, &key, &seen); break;
    case 'Z': status = bw_pop_last(tree, &key, &seen); break;
    case 'F': status = bw_floor(tree, one->key, &key, &seen); break;
    case 'C': status = bw_ceiling(tree, one->key, &key, &seen); break;
    default: bwx_check(0, "BWX_PROGRAM: no such operation");
    }
    bwx_respond(status, status == BW_NOT_FOUND ? 0 : key << 32 | seen);
    bwx_check(status >= 0 || may_fail(status), "a call failed that cannot fail");
}

static void *run(void *argument) {
    const part *mine = argument;
    if (!registers) {
        bwx_setup_begin();
        (void)bw_thread_attach(tree);
        bwx_setup_end();
        bwx_nonblocking_begin();
    }
    for (unsigned i = 0; i < mine->count; i++)
        do_operation(&mine->list[i]);
    if (!registers) {
        bwx_nonblocking_end();
        bwx_setup_begin();
        (void)bw_thread_detach(tree);
    }
    return NULL;
}

int main(void) {
    const char *text = getenv("BWX_PROGRAM");
    read_program(text != NULL ? text : "leaf=2 | P1=10 | P2=20 | P3=30");
    char message[200] = "";
    bwx_check(bw_options_check(&options, message, sizeof message) == BW_OK, message);
    bwx_use_model(&model);
    if (bw_open(&options, &tree) != BW_OK)
        return 0; /* an allocation was made to fail */
    for (unsigned i = 0; i < parts[0].count; i++)
        do_operation(&parts[0].list[i]);
    pthread_t threads[MAX_THREADS];
    for (unsigned i = 1; i < part_count; i++)
        pthread_create(&threads[i], NULL, run, &parts[i]);
    for (unsigned i = 1; i < part_count; i++)
        pthread_join(threads[i], NULL);
    if (!closing) {
        bw_status status = bw_self_check(tree, true, message, sizeof message);
        bwx_check(status == BW_OK || status == BW_ENOMEM, message);
        bw_stats stats;
        if (bw_get_stats(tree, &stats) == BW_OK) /* what the program has reached */
            bwx_outcome("splits=%d merges=%d collapses=%d freed=%d", (int)stats.splits,
                        (int)stats.merges, (int)stats.root_collapses, (int)stats.freed);
    }
    bwx_check(bw_free(tree) == BW_OK, "bw_free failed");
    return 0;
}
