/* lane.c: call, look at the clock before and after, write one record. See lane.h. */
#include "lane.h"
#include "clock.h"

#include <stdio.h>

const char *const rec_kind_names[REC_KINDS] = {
    "get",          "put",       "insert", "update",    "remove",    "compare_exchange",
    "floor",        "ceiling",   "lower",  "higher",    "first",     "last",
    "scan",         "scan_back", "walk",   "walk_back", "get_many",  "put_many",
    "count",        "clear",     "size",   "upkeep",    "pop_first", "pop_last",
    "delete_range",
};

static bool fail(rec_writer *writer, const rec_request *request, bw_status status,
                 const char *what) {
    writer->failed = true;
    snprintf(writer->error, sizeof writer->error,
             "thread %u, call %llu: %s(%llu) gave status %d (%s)%s%s", writer->thread,
             (unsigned long long)writer->calls, rec_kind_names[request->kind],
             (unsigned long long)request->key, (int)status, bw_strerror(status),
             what[0] ? ": " : "", what);
    return false;
}

static uint64_t fresh_value(rec_writer *writer) {
    return ((uint64_t)(writer->thread + 1) << 48) | ++writer->counter;
}

static void recall(rec_writer *writer, uint64_t key, uint64_t value) {
    writer->recalled[rec_mix64(key) % REC_RECALLED] = (rec_pair){key, value};
}

static uint64_t recalled(const rec_writer *writer, uint64_t key) {
    const rec_pair *pair = &writer->recalled[rec_mix64(key) % REC_RECALLED];
    return pair->key == key ? pair->value : 0;
}

static void keep(rec_writer *writer, const rec_record *record) {
    if (writer->record)
        writer->records[writer->used] = *record;
    writer->used++;
}

static inline uint64_t before(const rec_writer *writer) {
    return writer->record ? rec_clock_before() : 0;
}

static inline uint64_t after(const rec_writer *writer) {
    return writer->record ? rec_clock_after() : 0;
}

static bool call_point(rec_writer *writer, const rec_request *q) {
    bool pops = q->kind == REC_POP_FIRST || q->kind == REC_POP_LAST;
    rec_record r = {.key = pops ? 0 : q->key, .kind = q->kind};
    bw_tree *tree = writer->tree;
    bw_status status;
    if (q->kind == REC_PUT || q->kind == REC_INSERT || q->kind == REC_UPDATE ||
        q->kind == REC_COMPARE_EXCHANGE)
        r.argument = fresh_value(writer);
    if (q->kind == REC_COMPARE_EXCHANGE)
        r.expected = recalled(writer, q->key);
    r.invoked = before(writer);
    switch (q->kind) {
    case REC_GET: status = bw_get(tree, q->key, &r.seen); break;
    case REC_PUT: status = bw_put(tree, q->key, r.argument, &r.seen); break;
    case REC_INSERT: status = bw_insert(tree, q->key, r.argument, &r.seen); break;
    case REC_UPDATE: status = bw_update(tree, q->key, r.argument, &r.seen); break;
    case REC_REMOVE: status = bw_remove(tree, q->key, &r.seen); break;
    case REC_COMPARE_EXCHANGE:
        status = bw_compare_exchange(tree, q->key, r.expected, r.argument, &r.seen);
        break;
    case REC_FLOOR: status = bw_floor(tree, q->key, &r.argument, &r.seen); break;
    case REC_CEILING: status = bw_ceiling(tree, q->key, &r.argument, &r.seen); break;
    case REC_LOWER: status = bw_lower(tree, q->key, &r.argument, &r.seen); break;
    case REC_HIGHER: status = bw_higher(tree, q->key, &r.argument, &r.seen); break;
    case REC_FIRST: status = bw_first(tree, &r.argument, &r.seen); break;
    case REC_LAST: status = bw_last(tree, &r.argument, &r.seen); break;
    case REC_COUNT: status = bw_count(tree, q->key, q->limit, &r.seen); break;
    case REC_CLEAR: status = bw_clear(tree, &r.seen); break;
    case REC_POP_FIRST: status = bw_pop_first(tree, &r.key, &r.seen); break;
    case REC_POP_LAST: status = bw_pop_last(tree, &r.key, &r.seen); break;
    case REC_DELETE_RANGE: status = bw_delete_range(tree, q->key, q->limit, &r.seen); break;
    default: status = bw_size(tree, &r.seen); break;
    }
    r.responded = after(writer);
    if (status < 0)
        return fail(writer, q, status, "");
    r.status = (int16_t)status;
    if (q->kind == REC_COUNT || q->kind == REC_DELETE_RANGE)
        r.argument = q->limit;
    bool writes = (q->kind == REC_PUT) ||
                  (status == BW_OK && (q->kind == REC_INSERT || q->kind == REC_UPDATE ||
                                       q->kind == REC_COMPARE_EXCHANGE));
    if (q->kind <= REC_COMPARE_EXCHANGE)
        recall(writer, q->key, writes ? r.argument : r.seen);
    keep(writer, &r);
    return true;
}

static bool backward(uint8_t kind) {
    return kind == REC_SCAN_BACKWARD || kind == REC_WALK_BACKWARD;
}

/* Puts the cursor into the gap behind `key` for a walk downwards that includes it. */
static bw_status seek_behind(bw_cursor *cursor, uint64_t key) {
    return key == UINT64_MAX ? bw_cursor_seek_end(cursor) : bw_cursor_seek(cursor, key + 1);
}

/* Writes down which pages a scan read, behind its pairs; where there is no room for it, the record does not
 * tell. */
static void keep_reads(rec_writer *writer, rec_record *r) {
    const rec_reads *reads = &writer->reads;
    const uint64_t pairs = rec_page_pairs(reads->count);
    if (reads->count == 0 || reads->more || writer->pairs_capacity - writer->pairs_used < pairs)
        return;
    const uint64_t *ends = backward(r->kind) ? reads->first : reads->last;
    rec_pair *to = &writer->pairs[writer->pairs_used];
    to[0] = (rec_pair){reads->count, ends[0]};
    for (uint32_t i = 1; i < reads->count; i += 2)
        to[(i + 1) / 2] = (rec_pair){ends[i], i + 1 < reads->count ? ends[i + 1] : 0};
    writer->pairs_used += pairs;
    r->flags = REC_PAGED;
}

static bool call_cursor(rec_writer *writer, const rec_request *q) {
    rec_record r = {.key = q->key, .kind = q->kind, .expected = q->count};
    uint32_t count = 0;
    bw_status status;
    r.argument = q->limit;
    r.seen = writer->pairs_used;
    rec_reads_into(writer->record ? &writer->reads : NULL);
    r.invoked = before(writer);
    if (writer->cursor == NULL && (status = bw_cursor_open(writer->tree, &writer->cursor)) != BW_OK)
        return fail(writer, q, status, "opening a cursor");
    status = backward(q->kind) ? seek_behind(writer->cursor, q->key)
                               : bw_cursor_seek(writer->cursor, q->key);
    if (status < 0)
        return fail(writer, q, status, "seeking");
    if (q->kind == REC_SCAN_FORWARD || q->kind == REC_SCAN_BACKWARD) {
        size_t many = 0;
        status = q->kind == REC_SCAN_FORWARD
                     ? bw_cursor_next_many(writer->cursor, q->limit, writer->scan_keys,
                                           writer->scan_values, q->count, &many)
                     : bw_cursor_prev_many(writer->cursor, q->limit, writer->scan_keys,
                                           writer->scan_values, q->count, &many);
        if (many > q->count)
            return fail(writer, q, status, "more entries than asked for");
        if (status >= 0 && (status == BW_NOT_FOUND) != (many == 0))
            return fail(writer, q, status, "status and number of entries contradict each other");
        count = (uint32_t)many;
    } else {
        status = BW_OK;
        while (count < q->count && status == BW_OK) {
            uint64_t *key = &writer->scan_keys[count], *value = &writer->scan_values[count];
            status = q->kind == REC_WALK_FORWARD ? bw_cursor_next(writer->cursor, key, value)
                                                 : bw_cursor_prev(writer->cursor, key, value);
            if (status == BW_OK)
                count++;
        }
    }
    r.responded = after(writer);
    rec_reads_into(NULL);
    if (status < 0)
        return fail(writer, q, status, "");
    r.status = (int16_t)(count > 0 ? BW_OK : BW_NOT_FOUND);
    r.count = count;
    if (writer->record)
        for (uint32_t i = 0; i < count; i++)
            writer->pairs[writer->pairs_used + i] =
                (rec_pair){writer->scan_keys[i], writer->scan_values[i]};
    writer->pairs_used += count;
    if (writer->record)
        keep_reads(writer, &r);
    keep(writer, &r);
    return true;
}

static bool call_get_many(rec_writer *writer, const rec_request *q) {
    rec_record r = {.kind = q->kind, .count = q->count};
    size_t hits = 0, present = 0;
    r.invoked = before(writer);
    bw_status status = bw_get_many(writer->tree, writer->batch_keys, q->count, writer->batch_values,
                                   writer->batch_present, &hits);
    r.responded = after(writer);
    if (status < 0)
        return fail(writer, q, status, "");
    for (uint32_t i = 0; i < q->count; i++) {
        r.key = writer->batch_keys[i];
        r.expected = i;
        r.status = writer->batch_present[i] ? BW_OK : BW_NOT_FOUND;
        r.seen = writer->batch_present[i] ? writer->batch_values[i] : 0;
        if (writer->batch_present[i])
            recall(writer, r.key, r.seen);
        present += writer->batch_present[i];
        keep(writer, &r);
    }
    return present == hits || fail(writer, q, status, "hits is not the number of keys present");
}

static bool call_put_many(rec_writer *writer, const rec_request *q) {
    rec_record r = {.kind = q->kind, .count = q->count};
    size_t done = 0, inserted = 0;
    for (uint32_t i = 0; i < q->count; i++)
        writer->batch_values[i] = fresh_value(writer);
    r.invoked = before(writer);
    bw_status status = bw_put_many(writer->tree, writer->batch_keys, writer->batch_values, q->count,
                                   &done, &inserted);
    r.responded = after(writer);
    if (status < 0)
        return fail(writer, q, status, "");
    if (done != q->count || inserted > done)
        return fail(writer, q, status, "done and inserted contradict the number of keys");
    /* All absent before, all present before, or some: then nothing is known about a single one. */
    r.status = inserted == q->count ? BW_OK : BW_EXISTS;
    r.flags = inserted == q->count ? 0 : inserted == 0 ? REC_PRESENT : REC_BLIND;
    r.seen = inserted;
    for (uint32_t i = 0; i < q->count; i++) {
        r.key = writer->batch_keys[i];
        r.argument = writer->batch_values[i];
        r.expected = i;
        recall(writer, r.key, r.argument);
        keep(writer, &r);
    }
    return true;
}

/* Calls that change nothing that a reader could see, each in its turn. */
static bool call_upkeep(rec_writer *writer, const rec_request *q) {
    rec_record r = {.kind = q->kind, .expected = writer->upkeep++ % 8};
    bw_status status = BW_OK;
    bw_stats stats;
    char message[256] = "";
    r.invoked = before(writer);
    switch (r.expected) {
    case 0: status = bw_collect(writer->tree, NULL); break;
    case 1: status = bw_self_check(writer->tree, false, message, sizeof message); break;
    case 2: status = bw_consolidate(writer->tree); break;
    case 3: status = bw_get_stats(writer->tree, &stats); break;
    case 4: status = bw_pin(writer->tree); break;
    case 5: status = bw_thread_attach(writer->tree); break;
    case 6: status = bw_thread_detach(writer->tree); break;
    default: status = bw_collect(writer->tree, &r.seen); break;
    }
    if (r.expected == 4 && status == BW_OK) {
        uint64_t value; /* a call inside a pin */
        status = bw_get(writer->tree, q->key, &value);
        if (status >= 0)
            status = bw_unpin(writer->tree);
    }
    r.responded = after(writer);
    if (status < 0)
        return fail(writer, q, status, message);
    keep(writer, &r);
    return true;
}

bool rec_writer_call(rec_writer *writer, const rec_request *request) {
    writer->calls++;
    switch (request->kind) {
    case REC_SCAN_FORWARD:
    case REC_SCAN_BACKWARD:
    case REC_WALK_FORWARD:
    case REC_WALK_BACKWARD: {
        if (writer->pairs_capacity - writer->pairs_used >= request->count)
            return call_cursor(writer, request);
        rec_request get = *request; /* no room for what a scan would return: read one key */
        get.kind = REC_GET;
        return call_point(writer, &get);
    }
    case REC_GET_MANY: return call_get_many(writer, request);
    case REC_PUT_MANY: return call_put_many(writer, request);
    case REC_UPKEEP: return call_upkeep(writer, request);
    default: return call_point(writer, request);
    }
}
