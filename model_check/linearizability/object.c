/* object.c: see object.h. */
#include "object.h"
#include "sequences.h"
#include "witness.h"

#include <stdlib.h>

struct call {
    uint64_t value;
    int method;
};

struct lin_object {
    int kind;
    lin_step_function step;
    void *context;
    lin_model model;
    lin_judge *judge;
    lin_steps steps;
    lin_sequences sequences;
    struct call *calls;
    uint64_t call_count, call_capacity;
    _Atomic bool stop;
};

/* ------------------------------------------------------------------ steps ------------------- */

static int step_queue(lin_object *o, const struct call *call, uint64_t from, uint64_t *to) {
    uint64_t first, rest;
    if (call->method != LIN_PUTS) {
        bool there = lin_sequences_split(&o->sequences, from, &first, &rest);
        if (there == (call->method == LIN_FINDS_NONE))
            return 0;
        if (call->method == LIN_TAKES && first != call->value)
            return 0;
        *to = there ? rest : from;
        return 1;
    }
    *to = o->kind == LIN_STACK ? lin_sequences_before(&o->sequences, call->value, from)
                               : lin_sequences_behind(&o->sequences, from, call->value);
    return *to == UINT64_MAX ? -1 : 1;
}

static int step_counter(const struct call *call, uint64_t from, uint64_t *to) {
    if (call->method == LIN_TAKES)
        return call->value == from;
    *to = from + call->value; /* modulo 2^64: negative numbers add as they should */
    return 1;
}

static int step_once(void *context, uint64_t from, uint64_t number, uint64_t *to) {
    lin_object *o = context;
    if (o->kind == LIN_COUNTER)
        return step_counter(&o->calls[number], from, to);
    uint64_t behind = from;
    int known = lin_steps_find(&o->steps, from, number, &behind);
    if (known == LIN_STEP_UNKNOWN) {
        known = o->kind == LIN_STEPPED ? o->step(o->context, from, number, &behind)
                                       : step_queue(o, &o->calls[number], from, &behind);
        if (known < 0 || !lin_steps_add(&o->steps, from, number, known == 1, behind))
            return -1;
    }
    if (known == LIN_STEP_POSSIBLE)
        *to = behind;
    return known;
}

/* ------------------------------------------------------------------ objects ----------------- */

lin_object *lin_object_new(int kind, lin_step_function step, void *context, uint64_t configurations,
                           uint64_t milliseconds) {
    lin_object *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    lin_limits limits = {configurations, milliseconds, &o->stop};
    o->kind = kind;
    o->step = step;
    o->context = context;
    o->model = (lin_model){step_once, o};
    o->judge = lin_judge_new(&limits, kind == LIN_CELL ? NULL : &o->model);
    o->call_count = 1;
    if (o->judge == NULL || !lin_sequences_make(&o->sequences)) {
        lin_object_free(o);
        return NULL;
    }
    return o;
}

void lin_object_free(lin_object *o) {
    if (o == NULL)
        return;
    lin_judge_free(o->judge);
    lin_steps_free(&o->steps);
    lin_sequences_free(&o->sequences);
    free(o->calls);
    free(o);
}

void lin_object_stop(lin_object *o) {
    atomic_store_explicit(&o->stop, true, memory_order_relaxed);
}

uint64_t lin_object_call(lin_object *o, int method, uint64_t value) {
    if (o->call_count >= o->call_capacity) {
        uint64_t capacity = o->call_capacity ? 2 * o->call_capacity : 256;
        struct call *calls = realloc(o->calls, capacity * sizeof *calls);
        if (calls == NULL)
            return 0;
        o->calls = calls;
        o->call_capacity = capacity;
    }
    o->calls[o->call_count] = (struct call){value, method};
    return o->call_count++;
}

int lin_object_judge(lin_object *o, const lin_part *parts, uint64_t count, const lin_state *initial,
                     uint64_t initial_count, uint64_t *failed, uint32_t *order) {
    return lin_judge_parts(o->judge, parts, count, initial, initial_count, failed, order);
}

bool lin_object_witness(lin_object *o, const lin_part *parts, uint64_t count,
                        const lin_state *initial, const uint32_t *order, uint64_t length) {
    const lin_model *model = o->kind == LIN_CELL ? NULL : &o->model;
    return lin_witness_holds(parts, count, *initial, model, order, length);
}

void lin_object_figures(const lin_object *o, lin_figures *figures) {
    lin_judge_figures(o->judge, figures);
}
