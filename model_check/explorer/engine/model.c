/* model.c: the sequential ordered map (model.h). */
#include "model.h"

#include <stdio.h>
#include <string.h>

enum { MODEL_THREADS = MAX_THREADS + 2 }; /* with the main thread and the worker */

typedef struct state {
    uint32_t
        begun; /* zero in a fresh state: then it is not yet the map as it was before the threads */
    uint32_t closed;
    uint32_t present;              /* a bit for each key */
    uint8_t turn[MODEL_THREADS];   /* calls with parts that are done */
    uint8_t placed[MODEL_THREADS]; /* parts of the present one that have had their turn … */
    uint8_t
        sum[MODEL_THREADS]; /* … and how many of them found (put_many: did not find) their key */
    uint64_t values[MAX_KEYS];
} state;

static state first;
uint32_t contents_present;
uint64_t contents_values[MAX_KEYS];

/* A key's bit; every key of a call is one of the program's. */
UNSEEN static uint32_t bit(int key) {
    return UINT32_C(1) << ((unsigned)key % MAX_KEYS);
}

UNSEEN int model_key(uint64_t key) {
    for (unsigned i = 0; i < engine_program.key_count; i++)
        if (engine_program.keys[i] == key)
            return (int)i;
    return -1;
}

/* ---- one key ---- */

UNSEEN static bool is_present(const state *s, int key) {
    return (s->present & bit(key)) != 0;
}

UNSEEN static void set(state *s, int key, uint64_t value) {
    s->present |= bit(key);
    s->values[key] = value;
}

UNSEEN static void unset(state *s, int key) {
    s->present &= ~bit(key);
    s->values[key] = 0; /* so that equal maps are equal bytes */
}

/* Is this what an operation says that found the key, or did not? */
UNSEEN static bool saw(const state *s, const bwx_call *call, int key, int found, int absent) {
    return is_present(s, key) ? call->status == found && call->value == s->values[key]
                              : call->status == absent;
}

UNSEEN static bool compare_exchange(state *s, const bwx_call *call, int key) {
    bool matches = is_present(s, key) && s->values[key] == call->arguments[1];
    if (!saw(s, call, key, matches ? BW_OK : BW_MISMATCH, BW_NOT_FOUND))
        return false;
    if (matches)
        set(s, key, call->arguments[2]);
    return true;
}

/* ---- neighbours ---- */

/* The number of the greatest (below) or least present key in [from, to); -1: none. */
UNSEEN static int nearest(const state *s, int from, int to, bool greatest) {
    int found = -1;
    for (int i = from; i < to; i++)
        if (is_present(s, i) && (greatest || found < 0))
            found = i;
    return found;
}

UNSEEN static int sought(const state *s, const bwx_call *call, int key) {
    int end = (int)engine_program.key_count;
    switch (call->operation) {
    case FLOOR: return nearest(s, 0, key + 1, true);
    case LOWER: return nearest(s, 0, key, true);
    case CEILING: return nearest(s, key, end, false);
    case HIGHER: return nearest(s, key + 1, end, false);
    case FIRST:
    case POP_FIRST: return nearest(s, 0, end, false);
    default: return nearest(s, 0, end, true);
    }
}

UNSEEN static bool neighbour(state *s, const bwx_call *call, int key) {
    int found = sought(s, call, key);
    if (found < 0)
        return call->status == BW_NOT_FOUND;
    if (call->status != BW_OK || call->value != ENTRY(found, s->values[found]))
        return false;
    if (call->operation == POP_FIRST || call->operation == POP_LAST)
        unset(s, found);
    return true;
}

/* ---- parts ---- */

UNSEEN static bool part(state *s, const bwx_call *call, int key) {
    unsigned thread = (unsigned)call->thread % MODEL_THREADS;
    uint32_t place = (uint32_t)call->arguments[2];
    if (s->turn[thread] != call->arguments[2] >> 32 ||
        (place != NO_PLACE && place != s->placed[thread]))
        return false;
    bool present = is_present(s, key);
    switch (call->operation) {
    case PART_LOOK:
        if (!saw(s, call, key, BW_OK, BW_NOT_FOUND))
            return false;
        s->sum[thread] += present;
        break;
    case PART_COUNT: s->sum[thread] += present; break;
    case PART_PUT:
        s->sum[thread] += !present;
        set(s, key, call->arguments[1]);
        break;
    default:
        s->sum[thread] += present;
        unset(s, key);
        break;
    }
    s->placed[thread]++;
    return true;
}

/* The call whose parts these were. Its value is the sum; that a part is missing is the history's to
 * find, which must have all that are not optional. */
UNSEEN static bool whole(state *s, const bwx_call *call) {
    unsigned thread = (unsigned)call->thread % MODEL_THREADS;
    if (s->turn[thread] != call->arguments[2] >> 32)
        return false;
    bool parts_are_done = s->placed[thread] == (uint32_t)call->value;
    bool right = s->sum[thread] == call->value >> 32;
    s->turn[thread]++;
    s->placed[thread] = s->sum[thread] = 0;
    /* A call that ended early does not know how many parts it had. */
    return right && (parts_are_done || call->status < 0);
}

/* ---- all ---- */

UNSEEN static bool same_contents(const state *s) {
    if (s->present != contents_present)
        return false;
    for (unsigned i = 0; i < engine_program.key_count; i++)
        if (is_present(s, (int)i) && s->values[i] != contents_values[i])
            return false;
    return true;
}

UNSEEN static bool apply(state *s, const bwx_call *call) {
    if (s->begun == 0) {
        *s = first;
        s->begun = 1;
    }
    int key = model_key(call->arguments[0]);
    if (call->operation == CONTENTS)
        return same_contents(s);
    if (call->status == BW_ECLOSED)
        return s->closed != 0;
    if (call->operation >= PART_LOOK)
        return key >= 0 && part(s, call, key);
    if (call->operation >= COUNT && call->operation <= WALK)
        return whole(s, call);
    if (call->operation == CLOSE) {
        s->closed = 1;
        return true;
    }
    if (call->status < 0)
        return true; /* the map is unchanged; that it may fail has been checked */
    if (call->operation >= FIRST)
        return neighbour(s, call, key);
    if (key < 0)
        return false;
    switch (call->operation) {
    case GET: return saw(s, call, key, BW_OK, BW_NOT_FOUND);
    case PUT:
    case INSERT:
        if (!saw(s, call, key, BW_EXISTS, BW_OK))
            return false;
        if (call->operation == PUT || !is_present(s, key))
            set(s, key, call->arguments[1]);
        return true;
    case UPDATE:
    case REMOVE:
        if (!saw(s, call, key, BW_OK, BW_NOT_FOUND))
            return false;
        if (call->operation == REMOVE)
            unset(s, key);
        else if (is_present(s, key))
            set(s, key, call->arguments[1]);
        return true;
    case COMPARE_EXCHANGE: return compare_exchange(s, call, key);
    default: return neighbour(s, call, key);
    }
}

UNSEEN static int apply_bytes(void *bytes, const bwx_call *call) {
    return apply(bytes, call);
}

/* ---- words ---- */

static const char *status_word(int status) {
    switch (status) {
    case BW_OK: return "ok";
    case BW_NOT_FOUND: return "not found";
    case BW_EXISTS: return "exists";
    case BW_MISMATCH: return "mismatch";
    case BW_ENOMEM: return "no memory";
    case BW_EPIDS: return "no page ids";
    case BW_ECLOSED: return "closed";
    case BW_EBUSY: return "busy";
    default: return bw_strerror((bw_status)status);
    }
}

static void describe_contents(char *text, size_t capacity) {
    size_t used = (size_t)snprintf(text, capacity, "at the end the map holds");
    for (unsigned i = 0; i < engine_program.key_count && used < capacity; i++)
        if ((contents_present >> i & 1) != 0)
            used += (size_t)snprintf(text + used, capacity - used, " %llu=%llu",
                                     (unsigned long long)engine_program.keys[i],
                                     (unsigned long long)contents_values[i]);
}

UNSEEN static void describe(const bwx_call *call, char *text, size_t capacity) {
    static const char *const parts[] = {"  look", "  count", "  put", "  remove"};
    unsigned long long key = call->arguments[0];
    unsigned long long value = call->arguments[1];
    const char *status = status_word(call->status);
    int what = call->operation;
    size_t used;
    if (what == CONTENTS) {
        describe_contents(text, capacity);
        return;
    }
    const char *word =
        what >= PART_LOOK ? parts[what - PART_LOOK] : operation_word((operation_kind)what);
    if (what == PUT || what == INSERT || what == UPDATE || what == PART_PUT || what == COUNT ||
        what == DELETE_RANGE)
        used = (size_t)snprintf(text, capacity, "%s(%llu, %llu) %s", word, key, value, status);
    else if (what == COMPARE_EXCHANGE)
        used = (size_t)snprintf(text, capacity, "%s(%llu, %llu, %llu) %s", word, key, value,
                                (unsigned long long)call->arguments[2], status);
    else if (what == FIRST || what == LAST || what == POP_FIRST || what == POP_LAST ||
             what == CLOSE || what == GET_MANY || what == PUT_MANY)
        used = (size_t)snprintf(text, capacity, "%s() %s", word, status);
    else
        used = (size_t)snprintf(text, capacity, "%s(%llu) %s", word, key, status);
    if (used >= capacity || call->status < 0)
        return;
    unsigned long long found = call->value & UINT32_MAX;
    if (what >= FLOOR && what <= POP_LAST && call->status == BW_OK)
        snprintf(text + used, capacity - used, " %llu=%llu",
                 (unsigned long long)engine_program.keys[call->value >> 32], found);
    else if (what >= COUNT && what <= WALK)
        snprintf(text + used, capacity - used, " %llu", (unsigned long long)(call->value >> 32));
    else if ((what <= COMPARE_EXCHANGE || what == PART_LOOK) && call->status != BW_NOT_FOUND &&
             !(call->status == BW_OK && (what == PUT || what == INSERT)))
        snprintf(text + used, capacity - used, ", saw %llu", (unsigned long long)call->value);
}

bwx_model engine_model;

UNSEEN void model_begin(void) {
    memset(&first, 0, sizeof first);
    engine_model = (bwx_model){
        .state_size = offsetof(state, values) + engine_program.key_count * sizeof(uint64_t),
        .apply = apply_bytes,
        .describe = describe,
    };
}

UNSEEN bool model_before(const bwx_call *call) {
    state next = first;
    next.begun = 1;
    bool right = apply(&next, call);
    first = next;
    return right;
}
