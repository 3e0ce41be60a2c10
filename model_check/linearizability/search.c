/* search.c: breadth first through the parts of one key. See search.h. */
#include "search.h"
#include "depth.h"
#include "slots.h"

#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE = 1 << 12,   /* configurations alive before the search tries to go deep */
    DEEP_FIRST = 1 << 16, /* configurations that the first such try may remember */
    MOST_WORDS = 256,     /* 16,384 parts of one key in flight */
};

#define NO_NODE UINT32_MAX

struct node {
    uint32_t part, before;
};

struct lin_search {
    lin_limits limits;
    const lin_model *model;
    lin_clock clock;
    uint64_t peak, deep;
    config_set now, next, visited;
    configuration *scratch[2];
    lin_slots slots;
    const lin_part *parts;
    struct node *nodes; /* only when an order is wanted */
    uint64_t node_count, node_capacity;
    uint64_t room; /* configurations in one set, before going deep or giving up */
    bool ordering, always_deep;
    int trouble; /* enum lin_verdict of what ended the search, LIN_OK if nothing */
};

lin_search *lin_search_new(const lin_limits *limits, const lin_model *model) {
    lin_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    search->limits = *limits;
    search->model = model;
    lin_clock_start(&search->clock, limits);
    return search;
}

static void forget(lin_search *search) {
    config_set_free(&search->now);
    config_set_free(&search->next);
    config_set_free(&search->visited);
    free(search->scratch[0]);
    free(search->scratch[1]);
    search->scratch[0] = search->scratch[1] = NULL;
    lin_slots_free(&search->slots);
}

void lin_search_free(lin_search *search) {
    if (search == NULL)
        return;
    forget(search);
    free(search->nodes);
    free(search);
}

void lin_search_go_deep(lin_search *search, bool always) {
    search->always_deep = always;
}

uint64_t lin_search_peak(const lin_search *search) {
    return search->peak;
}
uint64_t lin_search_deep(const lin_search *search) {
    return search->deep;
}

/* Configurations with bits for `words` times 64 parts in flight. */
static bool widen(lin_search *search, uint32_t words) {
    forget(search);
    config_set *sets[] = {&search->now, &search->next, &search->visited};
    for (int i = 0; i < 3; i++)
        sets[i]->words = words;
    search->scratch[0] = calloc(1, config_size(words));
    search->scratch[1] = calloc(1, config_size(words));
    return lin_slots_make(&search->slots, words) && search->scratch[0] && search->scratch[1];
}

/* ------------------------------------------------------------------ steps ------------------- */

static void add(lin_search *search, config_set *set, const configuration *c) {
    int added = config_set_add(set, c, search->slots.open);
    if (added < 0)
        search->trouble = LIN_UNKNOWN_MEMORY;
    else if (added > 0 && set->count > search->room)
        search->trouble = LIN_UNKNOWN_LIMIT;
}

static void note(lin_search *search, configuration *c, uint32_t part) {
    if (!search->ordering)
        return;
    if (search->node_count == search->node_capacity) {
        uint64_t capacity = search->node_capacity ? 2 * search->node_capacity : 1024;
        struct node *nodes = realloc(search->nodes, capacity * sizeof *nodes);
        if (nodes != NULL)
            search->nodes = nodes;
        if (nodes == NULL || capacity >= NO_NODE) {
            search->trouble = LIN_UNKNOWN_MEMORY;
            return;
        }
        search->node_capacity = capacity;
    }
    search->nodes[search->node_count] = (struct node){part, c->node};
    c->node = (uint32_t)search->node_count++;
}

/* The part takes effect in the configuration, if its result allows that. */
static bool step(lin_search *search, configuration *c, uint32_t part) {
    lin_state state = {c->value, c->present};
    int possible = lin_step(search->model, &search->parts[part], &state);
    if (possible < 0)
        search->trouble = LIN_UNKNOWN_MODEL;
    if (possible <= 0)
        return false;
    c->value = state.value;
    c->present = state.present;
    note(search, c, part);
    return true;
}

/* Every read in flight that the state suits takes effect. */
static void settle(lin_search *search, configuration *c) {
    const lin_slots *slots = &search->slots;
    for (uint32_t w = 0; w < slots->words; w++) {
        uint64_t reads = slots->occupied[w] & ~slots->mutators[w] & ~c->done[w];
        for (; reads != 0; reads &= reads - 1) {
            uint32_t slot = 64 * w + (uint32_t)__builtin_ctzll(reads);
            if (step(search, c, slots->part[slot]))
                set_bit(c->done, slot);
        }
    }
}

/* *to is *from with the part in `slot` taken effect. */
static bool step_into(lin_search *search, const configuration *from, uint32_t slot,
                      configuration *to) {
    memcpy(to, from, config_size(search->slots.words));
    if (!step(search, to, search->slots.part[slot]))
        return false;
    set_bit(to->done, slot);
    settle(search, to);
    return true;
}

static void swap_sets(lin_search *search) {
    config_set spare = search->now;
    search->now = search->next;
    search->next = spare;
    config_set_clear(&search->next);
    if (search->now.count > search->peak)
        search->peak = search->now.count;
}

/* The part in `slot` has responded: its bit is for another now. */
static void keep(lin_search *search, const configuration *c, uint32_t slot) {
    configuration *kept = search->scratch[1];
    memcpy(kept, c, config_size(search->slots.words));
    clear_bit(kept->done, slot);
    add(search, &search->next, kept);
}

/* Steps from the member `index` of the queue, none of which may move while it is looked at. */
static void expand(lin_search *search, uint64_t index, uint32_t slot) {
    config_set *queue = &search->visited;
    const lin_slots *slots = &search->slots;
    configuration *to = search->scratch[0];
    if (step_into(search, config_at(queue, index), slot, to))
        keep(search, to, slot);
    for (uint32_t w = 0; w < slots->words; w++) {
        uint64_t others =
            slots->mutators[w] & slots->occupied[w] & ~config_at(queue, index)->done[w];
        for (; others != 0 && search->trouble == LIN_OK; others &= others - 1) {
            uint32_t other = 64 * w + (uint32_t)__builtin_ctzll(others);
            const configuration *c = config_at(queue, index);
            if (other == slot || !lin_slots_may_go(slots, c->done, other) ||
                !step_into(search, c, other, to))
                continue;
            if (bit_is_set(to->done, slot))
                keep(search, to, slot);
            else
                add(search, queue, to);
        }
    }
}

/* All configurations in which the part in `slot` has taken effect, by as few steps as that takes. With
 * trouble everything is as before. */
static void respond(lin_search *search, uint32_t slot) {
    config_set *queue = &search->visited;
    config_set_clear(queue);
    config_set_clear(&search->next);
    for (uint64_t i = 0; i < search->now.count; i++) {
        const configuration *c = config_at(&search->now, i);
        if (bit_is_set(c->done, slot))
            keep(search, c, slot);
        else
            add(search, queue, c);
    }
    for (uint64_t i = 0; i < queue->count && search->trouble == LIN_OK; i++) {
        expand(search, i, slot);
        int late = lin_clock_tick(&search->clock);
        if (late != LIN_OK)
            search->trouble = late;
    }
    if (search->trouble != LIN_OK)
        return;
    lin_slots_leave(&search->slots, search->parts, slot);
    swap_sets(search);
}

/* False: there are not enough slots. */
static bool invoke(lin_search *search, uint32_t index) {
    const lin_part *part = &search->parts[index];
    if (part->effect == LIN_KEEPS && part->responded == LIN_NEVER_RESPONDED)
        return true; /* a read without a result says nothing */
    uint32_t slot = lin_slots_enter(&search->slots, search->parts, index);
    if (slot == LIN_NO_SLOT)
        return false;
    if (part->effect != LIN_KEEPS)
        return true;
    for (uint64_t i = 0; i < search->now.count; i++) {
        configuration *c = config_at(&search->now, i);
        if (step(search, c, index))
            set_bit(c->done, slot);
    }
    search->now.hashed = false; /* its members have changed; it is only read until the next swap */
    return true;
}

/* A part with nothing else in flight: it takes effect in every configuration, or that one ends. */
static void alone(lin_search *search, uint32_t index) {
    config_set *now = &search->now;
    if (now->count == 1) {
        if (!step(search, config_at(now, 0), index))
            now->count = 0;
        return;
    }
    for (uint64_t i = 0; i < now->count; i++) {
        configuration *c = config_at(now, i);
        if (step(search, c, index))
            add(search, &search->next, c);
    }
    swap_sets(search);
}

/* ------------------------------------------------------------------ the walk ---------------- */

static void write_order(const lin_search *search, uint32_t node, uint64_t count, uint32_t *order) {
    uint64_t steps = 0;
    for (uint32_t at = node; at != NO_NODE; at = search->nodes[at].before)
        steps++;
    for (uint64_t i = steps; i < count; i++)
        order[i] = LIN_NO_PART;
    for (uint64_t i = steps; i > 0; i--, node = search->nodes[node].before)
        order[i - 1] = search->nodes[node].part;
}

static bool start(lin_search *search, const lin_state *initial, uint64_t count) {
    configuration *c = search->scratch[0];
    search->node_count = 0;
    search->trouble = LIN_OK;
    lin_slots_clear(&search->slots);
    config_set_clear(&search->now);
    config_set_clear(&search->next);
    for (uint64_t i = 0; i < count && search->trouble == LIN_OK; i++) {
        memset(c, 0, config_size(search->slots.words));
        c->value = initial[i].present ? initial[i].value : 0;
        c->present = initial[i].present != 0;
        c->node = NO_NODE;
        add(search, &search->now, c);
    }
    return search->trouble == LIN_OK;
}

/* Very many configurations: is there a way through by going deep? LIN_OK and LIN_VIOLATION decide. */
static int go_deep(lin_search *search, uint64_t next, uint64_t count, uint64_t most,
                   uint64_t *failed, uint32_t *order) {
    lin_depth_task task = {.parts = search->parts,
                           .next = next,
                           .count = count,
                           .model = search->model,
                           .slots = &search->slots,
                           .from = &search->now,
                           .most = most,
                           .clock = &search->clock};
    search->deep++;
    int verdict = lin_depth_search(&task, failed);
    if (verdict == LIN_OK && order != NULL) {
        uint32_t node = config_at(&search->now, task.origin)->node;
        for (uint64_t i = 0; i < task.step_count && search->trouble == LIN_OK; i++) {
            configuration last = {.node = node};
            note(search, &last, task.steps[i]);
            node = last.node;
        }
        verdict = search->trouble;
        if (verdict == LIN_OK)
            write_order(search, node, count, order);
    }
    free(task.steps);
    return verdict;
}

static bool is_alone(const lin_search *search, uint64_t next, uint64_t count) {
    const lin_part *parts = search->parts;
    return search->slots.taken == 0 &&
           (parts[next].responded == LIN_NEVER_RESPONDED
                ? false
                : next + 1 == count || parts[next].responded < parts[next + 1].invoked);
}

enum { AGAIN_WIDER = -2 };

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static int walk(lin_search *search, uint64_t count, uint64_t *failed, uint32_t *order) {
    const lin_part *parts = search->parts;
    const lin_slots *slots = &search->slots;
    uint64_t next = 0, most = search->limits.configurations, deep = smaller(DEEP_FIRST, most);
    search->room = smaller(PATIENCE, most);
    if (search->always_deep && count > 0)
        return go_deep(search, 0, count, most, failed, order);
    while (next < count || slots->due > 0) {
        uint64_t now_part = next;
        if (next < count && is_alone(search, next, count)) {
            alone(search, (uint32_t)next++);
        } else if (next < count &&
                   (slots->due == 0 ||
                    parts[next].invoked <= parts[lin_slots_first(slots)].responded)) {
            if (!invoke(search, (uint32_t)next))
                return AGAIN_WIDER;
            next++;
        } else {
            now_part = lin_slots_first(slots);
            respond(search, slots->heap[0]);
        }
        if (search->trouble == LIN_UNKNOWN_LIMIT) {
            search->trouble = LIN_OK;
            int verdict = go_deep(search, next, count, deep, failed, order);
            if (verdict != LIN_UNKNOWN_LIMIT || search->room == most)
                return verdict;
            search->room = smaller(16 * search->room, most);
            deep = smaller(16 * deep, most);
            continue;
        }
        int late = lin_clock_tick(&search->clock);
        if (search->trouble == LIN_OK)
            search->trouble = late;
        if (search->trouble != LIN_OK)
            return search->trouble;
        if (search->now.count == 0) {
            *failed = now_part;
            return LIN_VIOLATION;
        }
    }
    if (order != NULL)
        write_order(search, config_at(&search->now, 0)->node, count, order);
    return LIN_OK;
}

int lin_search_judge(lin_search *search, const lin_part *parts, uint64_t count,
                     const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                     uint32_t *order) {
    if (count >= LIN_NO_PART)
        return LIN_UNKNOWN_MEMORY;
    search->parts = parts;
    search->ordering = order != NULL;
    search->room = UINT64_MAX;
    for (uint32_t words = search->slots.words ? search->slots.words : 1; words <= MOST_WORDS;
         words *= 2) {
        if (words != search->slots.words && !widen(search, words))
            return LIN_UNKNOWN_MEMORY;
        if (!start(search, initial, initial_count))
            return search->trouble;
        int verdict = walk(search, count, failed, order);
        if (verdict != AGAIN_WIDER)
            return verdict;
    }
    return LIN_UNKNOWN_WIDE;
}
