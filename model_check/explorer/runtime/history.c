/* history.c: is the history that the program has marked linearizable?
 *
 * An order of all calls is looked for that keeps every "responded before the other was invoked" and in
 * which the program's sequential model gives every result (Wing and Gong, "Testing and Verifying
 * Concurrent Objects", 1993, with the states remembered that led nowhere). In sc, "before" is the order
 * of the execution, and the search treats an invocation and another thread's response as dependent. In
 * rc11 it is happens-before. A call that a frozen thread never ended may have taken effect or not.
 *
 * Many executions have the same history: those found linearizable are remembered by their hash.
 */
#include "runtime.h"

enum { MAX_CALLS = 62, STATE_BYTES = 4096, SEEN_BITS = 14, KNOWN_BITS = 16 };

typedef struct entry {
    bwx_call call;
    bool ended, part, optional;
    int16_t ended_index;    /* rc11: the response's index in its thread */
    uint32_t begun, finish; /* sc: places in the execution */
    bwx_clock view;         /* at the invocation */
    uint32_t pc;
} entry;

static const bwx_model *model;
static entry calls[MAX_CALLS];
static unsigned call_count;
static uint64_t before[MAX_CALLS]; /* calls that must come before each one */
static struct {
    uint64_t done, state;
    uint32_t stamp;
} seen[1 << SEEN_BITS];
static uint32_t stamp;
static uint64_t known[1 << KNOWN_BITS];
static uint32_t mark_object = BWX_NONE;
static bwx_clock invoked, responded;
static uint64_t mark; /* what the marks' location has for an address */

void bwx_history_reset(void) {
    model = NULL;
    call_count = 0;
    mark_object = BWX_NONE;
    memset(&invoked, 0, sizeof invoked);
    memset(&responded, 0, sizeof responded);
}

void bwx_use_model(const bwx_model *wanted) {
    if (wanted->state_size > STATE_BYTES)
        bwx_find(BWX_UNSUPPORTED, BWX_PC, 0, "a model's state may have %d bytes, not %zu",
                 STATE_BYTES, wanted->state_size);
    model = wanted;
}

/* A mark is a step; in sc, one whose place among the other threads' marks matters. */
static bwx_step *mark_step(unsigned kind, uint32_t pc, uint64_t value) {
    bwx_thread *self = bwx.current;
    bwx_op op = {.kind = (uint8_t)kind,
                 .pc = pc,
                 .object = BWX_NONE,
                 .operand = value,
                 .address = (uintptr_t)&mark};
    bwx_side_effect(self);
    if (bwx.sc && !bwx.solo) {
        if (mark_object == BWX_NONE) {
            mark_object = bwx.location_count++;
            bwx_location *location = &bwx_locations[mark_object];
            memset(location, 0, sizeof *location);
            location->next = BWX_NONE;
            location->last_step = location->last_write = BWX_NONE;
            location->is_object = true;
        }
        op.object = mark_object;
        bwx_reach(self, &op);
    }
    bwx_step *step = bwx_step_add(self, &op);
    bwx_clock_join(&self->trace, kind == BWX_INVOKE ? &responded : &invoked);
    if (op.object != BWX_NONE)
        bwx_step_link(step);
    else
        step->trace = self->trace;
    bwx_clock_join(kind == BWX_INVOKE ? &invoked : &responded, &self->trace);
    return step;
}

void bwx_invoke(int operation, uint64_t a, uint64_t b, uint64_t c) {
    uint32_t pc = BWX_PC;
    if (call_count == MAX_CALLS)
        bwx_find(BWX_UNSUPPORTED, pc, 0, "a history of more than %d calls", MAX_CALLS);
    unsigned number = call_count++;
    entry *call = &calls[number];
    memset(call, 0, sizeof *call);
    bwx_step *step = mark_step(BWX_INVOKE, pc, number);
    call->call =
        (bwx_call){.operation = operation, .arguments = {a, b, c}, .thread = bwx.current->id};
    call->begun = (uint32_t)(step - bwx_steps);
    call->view = bwx.current->now.clock;
    call->pc = pc;
}

static entry *open_call(void) {
    for (unsigned i = call_count; i-- > 0;)
        if (calls[i].call.thread == bwx.current->id && !calls[i].ended && !calls[i].part)
            return &calls[i];
    return NULL;
}

void bwx_part(int operation, int status, uint64_t value, uint64_t a, uint64_t b, uint64_t c,
              int optional) {
    uint32_t pc = BWX_PC;
    if (call_count == MAX_CALLS)
        bwx_find(BWX_UNSUPPORTED, pc, 0, "a history of more than %d calls", MAX_CALLS);
    const entry *call = open_call();
    if (call == NULL)
        bwx_find(BWX_MISUSE, pc, 0, "bwx_part outside bwx_invoke and bwx_respond");
    entry *part = &calls[call_count++];
    *part = *call;
    part->call = (bwx_call){.operation = operation,
                            .status = status,
                            .value = value,
                            .arguments = {a, b, c},
                            .thread = bwx.current->id};
    part->part = true;
    part->optional = optional != 0;
    part->pc = pc;
}

void bwx_respond(int status, uint64_t value) {
    uint32_t pc = BWX_PC;
    for (unsigned i = call_count; i-- > 0;) {
        entry *call = &calls[i];
        if (call->call.thread != bwx.current->id || call->ended || call->part)
            continue;
        bwx_step *step = mark_step(BWX_RESPOND, pc, i);
        call->call.status = status;
        call->call.value = value;
        call->finish = (uint32_t)(step - bwx_steps);
        call->ended_index = step->index;
        call->ended = true;
        for (unsigned j = i + 1; j < call_count; j++) {
            entry *part = &calls[j];
            if (!part->part || part->ended || part->call.thread != call->call.thread)
                continue;
            part->finish = call->finish;
            part->ended_index = call->ended_index;
            part->ended = true;
        }
        return;
    }
    bwx_find(BWX_MISUSE, pc, 0, "bwx_respond without a bwx_invoke before it");
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(const char *bytes, size_t n) {
    uint64_t hash = n;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = mix(hash, word);
    }
    for (size_t i = n & ~(size_t)7; i < n; i++)
        hash = mix(hash, (unsigned char)bytes[i]);
    return hash;
}

static bool search(const char *state, uint64_t done, uint64_t must) {
    if ((must & ~done) == 0)
        return true;
    uint64_t hash = hash_bytes(state, model->state_size);
    uint64_t slot = mix(hash, done) & ((1U << SEEN_BITS) - 1);
    if (seen[slot].stamp == stamp && seen[slot].done == done && seen[slot].state == hash)
        return false;
    for (unsigned i = 0; i < call_count; i++) {
        if ((done >> i & 1) != 0 || (before[i] & ~done & must) != 0)
            continue;
        char next[STATE_BYTES] __attribute__((aligned(16)));
        memcpy(next, state, model->state_size);
        bwx_call call = calls[i].call;
        if (calls[i].ended && model->apply(next, &call) &&
            search(next, done | UINT64_C(1) << i, must))
            return true;
    }
    seen[slot].stamp = stamp;
    seen[slot].done = done;
    seen[slot].state = hash;
    return false;
}

static void order(void) {
    for (unsigned i = 0; i < call_count; i++) {
        before[i] = 0;
        for (unsigned j = 0; j < call_count; j++) {
            if (i == j || !calls[j].ended)
                continue;
            bool earlier = bwx.sc ? calls[j].finish < calls[i].begun
                                  : calls[j].ended_index <= calls[i].view.at[calls[j].call.thread];
            if (earlier)
                before[i] |= UINT64_C(1) << j;
        }
    }
}

static uint64_t hash_history(void) {
    uint64_t hash = call_count;
    for (unsigned i = 0; i < call_count; i++) {
        const bwx_call *call = &calls[i].call;
        hash = mix(hash, (uint64_t)(unsigned)call->operation << 32 | (unsigned)call->status);
        hash = mix(hash,
                   (uint64_t)call->thread << 2 | (uint64_t)calls[i].optional << 1 | calls[i].ended);
        hash = mix(hash, call->value);
        for (unsigned k = 0; k < 3; k++)
            hash = mix(hash, call->arguments[k]);
        hash = mix(hash, before[i]);
    }
    return hash | 1;
}

static size_t describe(char *text, size_t capacity, const entry *one) {
    if (model->describe != NULL) {
        model->describe(&one->call, text, capacity);
        return strlen(text);
    }
    return (size_t)__builtin_snprintf(
        text, capacity, "operation %d(%llu, %llu) gave %d, %llu", one->call.operation,
        (unsigned long long)one->call.arguments[0], (unsigned long long)one->call.arguments[1],
        one->call.status, (unsigned long long)one->call.value);
}

bool bwx_history_wrong(void) {
    if (model == NULL || call_count == 0)
        return false;
    order();
    uint64_t hash = hash_history();
    if (known[hash & ((1U << KNOWN_BITS) - 1)] == hash)
        return false;
    /* A call that never ended may be left out, or have taken effect: without its result the model
     * cannot say which, so histories with one are not judged. */
    uint64_t must = 0;
    for (unsigned i = 0; i < call_count; i++) {
        if (!calls[i].ended)
            return false;
        if (!calls[i].optional)
            must |= UINT64_C(1) << i;
    }
    stamp++;
    char state[STATE_BYTES] __attribute__((aligned(16)));
    memset(state, 0, model->state_size);
    if (search(state, 0, must)) {
        known[hash & ((1U << KNOWN_BITS) - 1)] = hash;
        return false;
    }
    char text[900];
    size_t used = 0;
    for (unsigned i = 0; i < call_count && used + 120 < sizeof text; i++) {
        used +=
            (size_t)__builtin_snprintf(text + used, sizeof text - used,
                                       "%sthread %d: ", i == 0 ? "" : "; ", calls[i].call.thread);
        used += describe(text + used, sizeof text - used, &calls[i]);
    }
    va_list nothing;
    memset(&nothing, 0, sizeof nothing);
    char sentence[960];
    __builtin_snprintf(sentence, sizeof sentence,
                       "no order of these calls explains their results: %s", text);
    for (char *at = sentence; *at != 0; at++)
        if (*at == '%')
            *at = ' ';
    bwx_note_finding(BWX_NOT_LINEARIZABLE, calls[0].pc, 0, sentence, nothing);
    return true;
}
