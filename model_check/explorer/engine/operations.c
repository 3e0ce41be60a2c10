/* operations.c: one operation of a program: the call of the library, between its marks.
 *
 * A call's result is first looked at by itself (is this status possible at all?), then handed to the
 * history, or, where nobody else is there, to the model.
 */
#include "actor.h"

#include "events.h"
#include "inside.h"

#include <stdatomic.h>
#include <stdio.h>

enum { SENTENCE = 200 };

/* ---- marks ---- */

static void begin(actor *self, int what, uint64_t a, uint64_t b, uint64_t c) {
    self->call = (bwx_call){.operation = what, .arguments = {a, b, c}};
    self->parts = self->sum = 0;
    if (engine_program.states != 0) { /* where it begins is then a step by itself */
        static _Atomic uint64_t nothing;
        (void)atomic_load_explicit(&nothing, memory_order_relaxed);
    }
    if (self->marks && engine_program.states == 0)
        bwx_invoke(what, a, b, c);
    events_call(what, a, b, c);
}

static void agree(const bwx_call *call) {
    if (model_before(call))
        return;
    char text[SENTENCE];
    char sentence[2 * SENTENCE];
    engine_model.describe(call, text, sizeof text);
    snprintf(sentence, sizeof sentence,
             "the model does not agree, with no other thread at work: %s", text);
    bwx_check(0, sentence);
}

/* A part of the call that is going on; `counts` if its key is one of those that the call counts. */
static void part(actor *self, int what, uint64_t key, uint64_t value, bw_status status,
                 uint32_t place, bool optional) {
    uint64_t order = PART_ORDER(self->turn, place);
    /* The value given to PART_PUT is an argument, that of PART_LOOK a result. */
    uint64_t given = what == PART_PUT ? value : 0;
    uint64_t seen = what == PART_LOOK ? value : 0;
    self->parts++;
    if (self->marks) {
        bwx_part(what, status, seen, key, given, order, optional);
        return;
    }
    bwx_call call = {
        .operation = what, .status = status, .value = seen, .arguments = {key, given, order}};
    agree(&call);
}

static void end(actor *self, bw_status status, uint64_t value) {
    if (self->marks && ++self->calls == engine_program.lie)
        value ^= 1;
    self->call.status = status;
    self->call.value = value;
    events_answer(status, value);
    if (engine_program.states != 0)
        return; /* who asks for states compares all of them, and histories of so many calls are not kept */
    if (self->marks)
        bwx_respond(status, value);
    else
        agree(&self->call);
}

/* Of a call with parts: `sum` of them count. */
static void end_whole(actor *self, bw_status status, uint64_t sum) {
    end(self, status, sum << 32 | self->parts);
    if (status != BW_ECLOSED)
        self->turn++;
}

/* ---- which statuses are possible at all ---- */

static void wrong(const operation *op, bw_status status, const char *why) {
    char sentence[SENTENCE];
    snprintf(sentence, sizeof sentence, "%s gave '%s': %s", operation_word(op->kind),
             bw_strerror(status), why);
    bwx_check(0, sentence);
}

static void judge(const actor *self, const operation *op, bw_status status) {
    if (self->closed && status != BW_ECLOSED && op->kind != CLOSE && op->kind != FREE)
        wrong(op, status, "the same thread has closed the tree before");
    if (status >= 0)
        return;
    bool possible =
        (status == BW_ENOMEM && engine_program.fails) ||
        (status == BW_EPIDS && engine_program.options.max_pids < 64) ||
        (status == BW_ECLOSED && engine_program.closes) ||
        (status == BW_EBUSY && (op->kind == CLOSE || op->kind == DETACH || op->kind == FREE)) ||
        (status == BW_EINVAL && op->kind == UNPIN);
    if (!possible)
        wrong(op, status, "nothing in this program can be the reason");
}

/* ---- atomic operations ---- */

static bw_status call_atomic(bw_tree *tree, const operation *op, uint64_t *key, uint64_t *value) {
    const uint64_t *a = op->arguments;
    switch (op->kind) {
    case GET: return bw_get(tree, a[0], value);
    case PUT: return bw_put(tree, a[0], a[1], value);
    case INSERT: return bw_insert(tree, a[0], a[1], value);
    case UPDATE: return bw_update(tree, a[0], a[1], value);
    case REMOVE: return bw_remove(tree, a[0], value);
    case COMPARE_EXCHANGE: return bw_compare_exchange(tree, a[0], a[1], a[2], value);
    case FLOOR: return bw_floor(tree, a[0], key, value);
    case CEILING: return bw_ceiling(tree, a[0], key, value);
    case LOWER: return bw_lower(tree, a[0], key, value);
    case HIGHER: return bw_higher(tree, a[0], key, value);
    case FIRST: return bw_first(tree, key, value);
    case LAST: return bw_last(tree, key, value);
    case POP_FIRST: return bw_pop_first(tree, key, value);
    default: return bw_pop_last(tree, key, value);
    }
}

static bool gives_value(operation_kind kind, bw_status status) {
    if (kind == PUT || kind == INSERT)
        return status == BW_EXISTS;
    return status == BW_OK || status == BW_MISMATCH;
}

static void do_atomic(actor *self, const operation *op) {
    uint64_t key = 0;
    uint64_t value = 0;
    begin(self, op->kind, op->arguments[0], op->arguments[1], op->arguments[2]);
    bw_status status = call_atomic(self->tree, op, &key, &value);
    judge(self, op, status);
    if (!gives_value(op->kind, status))
        value = 0;
    if (op->kind >= FLOOR && status == BW_OK) {
        int number = model_key(key);
        if (number < 0 || value > UINT32_MAX)
            wrong(op, status, "the key or value that came with it was never put");
        value = ENTRY(number, value);
    }
    end(self, status, value);
}

/* ---- operations with parts ---- */

static unsigned lowest_in(uint64_t low) {
    unsigned i = 0;
    while (i < engine_program.key_count && engine_program.keys[i] < low)
        i++;
    return i;
}

static void do_count(actor *self, const operation *op) {
    uint64_t low = op->arguments[0];
    uint64_t high = op->arguments[1];
    uint64_t count = 0;
    begin(self, op->kind, low, high, PART_ORDER(self->turn, NO_PLACE));
    bw_status status = op->kind == COUNT ? bw_count(self->tree, low, high, &count)
                                         : bw_delete_range(self->tree, low, high, &count);
    judge(self, op, status);
    /* A deletion that ended early has removed some of the keys. */
    bool optional = status < 0;
    if (op->kind == COUNT && status < 0)
        count = 0;
    else
        for (unsigned i = lowest_in(low);
             i < engine_program.key_count && engine_program.keys[i] <= high; i++)
            part(self, op->kind == COUNT ? PART_COUNT : PART_REMOVE, engine_program.keys[i], 0,
                 BW_OK, NO_PLACE, optional);
    end_whole(self, status, count);
}

static void do_get_many(actor *self, const operation *op) {
    uint64_t values[MAX_ARGUMENTS] = {0};
    bool present[MAX_ARGUMENTS] = {false};
    size_t hits = 0;
    size_t found = 0;
    begin(self, op->kind, op->arguments[0], 0, PART_ORDER(self->turn, NO_PLACE));
    bw_status status = bw_get_many(self->tree, op->arguments, op->count, values, present, &hits);
    judge(self, op, status);
    for (unsigned i = 0; i < op->count && status == BW_OK; i++) {
        part(self, PART_LOOK, op->arguments[i], present[i] ? values[i] : 0,
             present[i] ? BW_OK : BW_NOT_FOUND, NO_PLACE, false);
        found += present[i];
    }
    if (status == BW_OK && found != hits)
        wrong(op, status, "its hits are not the number of keys that it says are present");
    end_whole(self, status, hits);
}

static void do_put_many(actor *self, const operation *op) {
    uint64_t keys[MAX_ARGUMENTS] = {0};
    uint64_t values[MAX_ARGUMENTS] = {0};
    size_t n = op->count / 2;
    size_t done = 0;
    size_t inserted = 0;
    for (size_t i = 0; i < n; i++) {
        keys[i] = op->arguments[2 * i];
        values[i] = op->arguments[2 * i + 1];
    }
    begin(self, op->kind, keys[0], 0, PART_ORDER(self->turn, NO_PLACE));
    bw_status status = bw_put_many(self->tree, keys, values, n, &done, &inserted);
    judge(self, op, status);
    if (status == BW_OK ? done != n : done >= n)
        wrong(op, status, "the number of pairs that it says it has put does not fit");
    for (size_t i = 0; i < done && i < n; i++)
        part(self, PART_PUT, keys[i], values[i], BW_OK, (uint32_t)i, false);
    end_whole(self, status, inserted);
}

/* ---- walks ---- */

/* The keys of the program in [from, to) were passed over: each was absent at some moment. */
static void passed(actor *self, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++)
        part(self, PART_LOOK, engine_program.keys[i], 0, BW_NOT_FOUND, NO_PLACE, false);
}

/* One step; `gap` is the number of the first key behind the cursor. False at the end. */
static bool step(actor *self, const operation *op, bw_cursor *cursor, bool forward, unsigned *gap) {
    uint64_t key = 0;
    uint64_t value = 0;
    bw_status status =
        forward ? bw_cursor_next(cursor, &key, &value) : bw_cursor_prev(cursor, &key, &value);
    judge(self, op, status);
    if (status != BW_OK) {
        passed(self, forward ? *gap : 0, forward ? engine_program.key_count : *gap);
        return false;
    }
    int found = model_key(key);
    if (found < 0)
        wrong(op, status, "the walk has given a key that was never put");
    unsigned number = (unsigned)found;
    if (forward ? number < *gap : number >= *gap)
        wrong(op, status, "the walk has given a key on the wrong side of its cursor");
    if (forward)
        passed(self, *gap, number);
    else
        passed(self, number + 1, *gap);
    part(self, PART_LOOK, key, value, BW_OK, NO_PLACE, false);
    self->sum++;
    *gap = forward ? number + 1 : number;
    return true;
}

static void do_walk(actor *self, const operation *op) {
    begin(self, op->kind, op->arguments[0], 0, PART_ORDER(self->turn, NO_PLACE));
    bw_cursor *cursor = NULL;
    bw_status status = bw_cursor_open(self->tree, &cursor);
    bool from_end = op->arguments[0] == UINT64_MAX;
    if (status == BW_OK)
        status = from_end ? bw_cursor_seek_end(cursor) : bw_cursor_seek(cursor, op->arguments[0]);
    judge(self, op, status);
    if (status == BW_OK) {
        unsigned gap = from_end ? engine_program.key_count : lowest_in(op->arguments[0]);
        uint64_t n = op->arguments[1];
        for (uint64_t i = 0; i < n && step(self, op, cursor, true, &gap); i++) {
        }
        n = op->arguments[2];
        for (uint64_t i = 0; i < n && step(self, op, cursor, false, &gap); i++) {
        }
    }
    bw_cursor_free(cursor);
    end_whole(self, status, self->sum);
}

void actor_read_contents(actor *self) {
    bw_cursor *cursor = NULL;
    contents_present = 0;
    bwx_check(bw_cursor_open(self->tree, &cursor) == BW_OK,
              "no cursor can be opened when all threads have ended");
    uint64_t key;
    uint64_t value;
    uint64_t size = 0;
    uint64_t count = 0;
    bool ordered = true;
    bool known = true;
    uint64_t digest = 0; /* a word of the call, since histories of equal words are judged once */
    for (int last = -1; bw_cursor_next(cursor, &key, &value) == BW_OK; count++) {
        int number = model_key(key);
        known = known && number >= 0;
        ordered = ordered && number > last;
        last = number;
        if (number < 0)
            break;
        contents_present |= UINT32_C(1) << number;
        contents_values[number] = value;
        digest = (digest ^ value ^ (uint64_t)number << 32) * UINT64_C(0x9e3779b97f4a7c15);
        digest ^= digest >> 32;
    }
    bw_cursor_free(cursor);
    bwx_check(known, "at the end the map holds a key that was never put");
    bwx_check(ordered, "at the end a cursor does not give the keys in order");
    bwx_check(bw_size(self->tree, &size) == BW_OK && size == count,
              "at the end bw_size is not the number of keys that the map holds");
    begin(self, CONTENTS, digest, 0, 0);
    end(self, BW_OK, 0);
}

/* ---- operations that change no key ---- */

static bw_status call_upkeep(actor *self, const operation *op) {
    bw_stats stats;
    bw_level_stats level;
    uint64_t size = 0;
    char message[SENTENCE] = "";
    bw_status status;
    switch (op->kind) {
    case CONSOLIDATE: return bw_consolidate(self->tree);
    case COLLECT: return bw_collect(self->tree, NULL);
    case ATTACH: return bw_thread_attach(self->tree);
    case DETACH: return bw_thread_detach(self->tree);
    case PIN: return bw_pin(self->tree);
    case UNPIN: return bw_unpin(self->tree);
    case SIZE:
        status = bw_size(self->tree, &size);
        bwx_check(size <= engine_program.key_count + MAX_THREADS * MAX_OPERATIONS,
                  "bw_size is off by more than the writes that run beside it");
        return status;
    case STATS: return bw_get_stats(self->tree, &stats);
    case LEVEL_STATS: return bw_get_level_stats(self->tree, (uint32_t)op->arguments[0], &level);
    case CHECK:
        status = bw_self_check(self->tree, false, message, sizeof message);
        bwx_check(status != BW_ECORRUPT, message);
        return status;
    case OPEN_CURSOR: return bw_cursor_open(self->tree, &self->cursor);
    case FREE_CURSOR: bw_cursor_free(self->cursor); return BW_OK;
    default: return inside_do(self->tree, op);
    }
}

/* Closing, or freeing: the history knows both as a closing. */
static void do_close(actor *self, const operation *op) {
    begin(self, CLOSE, 0, 0, 0);
    bw_status status = op->kind == CLOSE ? bw_close(self->tree) : bw_free(self->tree);
    judge(self, op, status);
    self->closed = true;
    self->freed = op->kind == FREE && status == BW_OK;
    end(self, status, 0);
}

static void do_upkeep(actor *self, const operation *op) {
    static _Atomic uint64_t told;
    switch (op->kind) {
    case FAIL: self->fail_at = op->arguments[0]; break;
    case CLOSE:
    case FREE: do_close(self, op); break;
    case TELL: atomic_store_explicit(&told, 1, memory_order_relaxed); break;
    case TOLD: bwx_assume(atomic_load_explicit(&told, memory_order_relaxed) != 0); break;
    default: judge(self, op, call_upkeep(self, op));
    }
}

void actor_do(actor *self, const operation *op) {
    switch (op->kind) {
    case COUNT:
    case DELETE_RANGE: do_count(self, op); break;
    case GET_MANY: do_get_many(self, op); break;
    case PUT_MANY: do_put_many(self, op); break;
    case WALK: do_walk(self, op); break;
    default:
        if (op->kind < COUNT)
            do_atomic(self, op);
        else
            do_upkeep(self, op);
    }
}
