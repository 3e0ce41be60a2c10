/* judge.c: the search through the parts of one key. See judge.h. */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64, LINEAR = 12, STOP_EVERY = 1 << 14 };
#define NO_NODE UINT32_MAX

typedef struct configuration {
    uint64_t value;
    uint64_t done; /* bit s: the part in slot s has taken effect */
    uint32_t present;
    uint32_t node; /* last step of the order that led here */
} configuration;

/* A list without duplicates; beyond LINEAR members a table finds them. */
typedef struct set {
    configuration *items;
    uint64_t count, capacity;
    uint32_t *table; /* index + 1 */
    uint64_t mask;
    bool hashed;
} set;

struct node {
    uint32_t part, before;
};

struct lin_judge {
    uint64_t limit, peak, overlapping;
    const _Atomic bool *stop;
    set now, next, visited;
    const lin_part *parts;
    uint64_t occupied, mutators; /* bits of slots */
    uint32_t slot_part[SLOTS];
    struct node *nodes; /* only when an order is wanted */
    uint64_t node_count, node_capacity;
    bool ordering;
    int trouble; /* enum lin_verdict of what ended the search, LIN_OK if nothing */
};

lin_judge *lin_judge_new(uint64_t limit, const _Atomic bool *stop) {
    lin_judge *judge = calloc(1, sizeof *judge);
    if (judge != NULL) {
        judge->limit = limit;
        judge->stop = stop;
    }
    return judge;
}

void lin_judge_free(lin_judge *judge) {
    if (judge == NULL)
        return;
    set *sets[] = {&judge->now, &judge->next, &judge->visited};
    for (int i = 0; i < 3; i++) {
        free(sets[i]->items);
        free(sets[i]->table);
    }
    free(judge->nodes);
    free(judge);
}

uint64_t lin_judge_peak(const lin_judge *judge) {
    return judge->peak;
}
uint64_t lin_judge_overlapping(const lin_judge *judge) {
    return judge->overlapping;
}

/* ------------------------------------------------------------------ sets -------------------- */

static void set_clear(set *s) {
    s->count = 0;
    s->hashed = false;
}

static uint64_t hash(const configuration *c) {
    uint64_t x = (c->value + c->present) * 0x9e3779b97f4a7c15u ^ c->done * 0xc2b2ae3d27d4eb4fu;
    return x ^ (x >> 31);
}

static bool same(const configuration *a, const configuration *b) {
    return a->done == b->done && a->present == b->present && a->value == b->value;
}

static bool set_rehash(set *s) {
    uint64_t size = s->mask + 1;
    if (s->table == NULL || size < 4 * s->capacity) {
        size = 4 * s->capacity; /* a power of two */
        free(s->table);
        s->table = malloc(size * sizeof *s->table);
        if (s->table == NULL)
            return false;
        s->mask = size - 1;
    }
    memset(s->table, 0, size * sizeof *s->table);
    for (uint64_t i = 0; i < s->count; i++) {
        uint64_t at = hash(&s->items[i]) & s->mask;
        while (s->table[at] != 0)
            at = (at + 1) & s->mask;
        s->table[at] = (uint32_t)(i + 1);
    }
    s->hashed = true;
    return true;
}

static void set_add(lin_judge *judge, set *s, const configuration *c) {
    uint64_t at = 0;
    if (!s->hashed && s->count >= LINEAR && !set_rehash(s)) {
        judge->trouble = LIN_UNKNOWN_MEMORY;
        return;
    }
    if (s->hashed) {
        at = hash(c) & s->mask;
        for (; s->table[at] != 0; at = (at + 1) & s->mask)
            if (same(&s->items[s->table[at] - 1], c))
                return;
    } else {
        for (uint64_t i = 0; i < s->count; i++)
            if (same(&s->items[i], c))
                return;
    }
    if (s->count == s->capacity) {
        uint64_t capacity = s->capacity ? 2 * s->capacity : 64;
        configuration *items = realloc(s->items, capacity * sizeof *items);
        if (items == NULL) {
            judge->trouble = LIN_UNKNOWN_MEMORY;
            return;
        }
        s->items = items;
        s->capacity = capacity;
        if (s->hashed && !set_rehash(s)) {
            judge->trouble = LIN_UNKNOWN_MEMORY;
            return;
        }
        if (s->hashed)
            for (at = hash(c) & s->mask; s->table[at] != 0;)
                at = (at + 1) & s->mask;
    }
    if (s->count >= judge->limit) {
        judge->trouble = LIN_UNKNOWN_LIMIT;
        return;
    }
    s->items[s->count++] = *c;
    if (s->hashed)
        s->table[at] = (uint32_t)s->count;
}

/* ------------------------------------------------------------------ steps ------------------- */

static bool fits(const lin_part *part, const configuration *c) {
    switch (part->need) {
    case LIN_ANY: return true;
    case LIN_ABSENT: return !c->present;
    case LIN_SOME: return c->present;
    case LIN_VALUE: return c->present && c->value == part->want;
    default: return false;
    }
}

static void note(lin_judge *judge, configuration *c, uint32_t part) {
    if (!judge->ordering)
        return;
    if (judge->node_count == judge->node_capacity) {
        uint64_t capacity = judge->node_capacity ? 2 * judge->node_capacity : 1024;
        struct node *nodes = realloc(judge->nodes, capacity * sizeof *nodes);
        if (nodes == NULL || capacity >= NO_NODE) {
            if (nodes != NULL)
                judge->nodes = nodes;
            judge->trouble = LIN_UNKNOWN_MEMORY;
            return;
        }
        judge->nodes = nodes;
        judge->node_capacity = capacity;
    }
    judge->nodes[judge->node_count] = (struct node){part, c->node};
    c->node = (uint32_t)judge->node_count++;
}

/* The state behind a part that fits. */
static void change(const lin_part *part, configuration *c) {
    if (part->effect == LIN_KEEPS)
        return;
    c->present = part->effect == LIN_SETS;
    c->value = part->effect == LIN_SETS ? part->give : 0;
}

/* Every read in flight that the state suits takes effect. */
static void settle(lin_judge *judge, configuration *c) {
    uint64_t reads = judge->occupied & ~judge->mutators & ~c->done;
    for (; reads != 0; reads &= reads - 1) {
        int slot = __builtin_ctzll(reads);
        if (!fits(&judge->parts[judge->slot_part[slot]], c))
            continue;
        c->done |= UINT64_C(1) << slot;
        note(judge, c, judge->slot_part[slot]);
    }
}

static configuration after_step(lin_judge *judge, const configuration *c, int slot) {
    configuration n = *c;
    change(&judge->parts[judge->slot_part[slot]], &n);
    n.done |= UINT64_C(1) << slot;
    note(judge, &n, judge->slot_part[slot]);
    settle(judge, &n);
    return n;
}

static void swap_sets(lin_judge *judge) {
    set spare = judge->now;
    judge->now = judge->next;
    judge->next = spare;
    set_clear(&judge->next);
    if (judge->now.count > judge->peak)
        judge->peak = judge->now.count;
}

static void keep(lin_judge *judge, configuration c, uint64_t bit) {
    c.done &= ~bit;
    set_add(judge, &judge->next, &c);
}

/* All configurations in which the part in `slot` has taken effect, by as few steps as that takes. */
static void respond(lin_judge *judge, int slot) {
    uint64_t bit = UINT64_C(1) << slot;
    set *queue = &judge->visited;
    const lin_part *part = &judge->parts[judge->slot_part[slot]];
    set_clear(queue);
    for (uint64_t i = 0; i < judge->now.count; i++) {
        if (judge->now.items[i].done & bit)
            keep(judge, judge->now.items[i], bit);
        else
            set_add(judge, queue, &judge->now.items[i]);
    }
    for (uint64_t i = 0; i < queue->count && judge->trouble == LIN_OK; i++) {
        configuration c = queue->items[i];
        if ((judge->mutators & bit) && fits(part, &c))
            keep(judge, after_step(judge, &c, slot), bit);
        uint64_t others = judge->mutators & judge->occupied & ~c.done & ~bit;
        for (; others != 0; others &= others - 1) {
            int other = __builtin_ctzll(others);
            if (!fits(&judge->parts[judge->slot_part[other]], &c))
                continue;
            configuration n = after_step(judge, &c, other);
            if (n.done & bit)
                keep(judge, n, bit);
            else
                set_add(judge, queue, &n);
        }
    }
    judge->occupied &= ~bit;
    swap_sets(judge);
}

static void invoke(lin_judge *judge, uint32_t index) {
    if (judge->occupied == UINT64_MAX) {
        judge->trouble = LIN_UNKNOWN_IN_FLIGHT;
        return;
    }
    int slot = __builtin_ctzll(~judge->occupied);
    uint64_t bit = UINT64_C(1) << slot;
    const lin_part *part = &judge->parts[index];
    judge->slot_part[slot] = index;
    judge->occupied |= bit;
    judge->overlapping++;
    judge->mutators &= ~bit;
    if (part->effect != LIN_KEEPS) {
        judge->mutators |= bit;
        return;
    }
    for (uint64_t i = 0; i < judge->now.count; i++) {
        configuration *c = &judge->now.items[i];
        if (!fits(part, c))
            continue;
        c->done |= bit;
        note(judge, c, index);
    }
    judge->now.hashed = false; /* its members have changed; it is only read until the next swap */
}

/* A part with nothing else in flight: it takes effect in every configuration, or that one ends. */
static void alone(lin_judge *judge, uint32_t index) {
    const lin_part *part = &judge->parts[index];
    set *now = &judge->now;
    if (now->count == 1) {
        configuration *c = now->items;
        if (!fits(part, c)) {
            now->count = 0;
            return;
        }
        change(part, c);
        note(judge, c, index);
        return;
    }
    for (uint64_t i = 0; i < now->count; i++) {
        configuration c = now->items[i];
        if (!fits(part, &c))
            continue;
        change(part, &c);
        note(judge, &c, index);
        set_add(judge, &judge->next, &c);
    }
    swap_sets(judge);
}

static int first_response(const lin_judge *judge) {
    int first = -1;
    for (uint64_t left = judge->occupied; left != 0; left &= left - 1) {
        int slot = __builtin_ctzll(left);
        if (first < 0 || judge->parts[judge->slot_part[slot]].responded <
                             judge->parts[judge->slot_part[first]].responded)
            first = slot;
    }
    return first;
}

static void write_order(const lin_judge *judge, uint64_t count, uint32_t *order) {
    uint32_t node = judge->now.items[0].node;
    for (uint64_t i = count; i > 0 && node != NO_NODE; i--) {
        order[i - 1] = judge->nodes[node].part;
        node = judge->nodes[node].before;
    }
}

static bool start(lin_judge *judge, const lin_state *initial, uint64_t count) {
    judge->occupied = judge->mutators = judge->node_count = 0;
    judge->trouble = LIN_OK;
    set_clear(&judge->now);
    set_clear(&judge->next);
    for (uint64_t i = 0; i < count && judge->trouble == LIN_OK; i++) {
        configuration c = {.value = initial[i].present ? initial[i].value : 0,
                           .present = initial[i].present != 0,
                           .node = NO_NODE};
        set_add(judge, &judge->now, &c);
    }
    return judge->trouble == LIN_OK;
}

int lin_judge_parts(lin_judge *judge, const lin_part *parts, uint64_t count,
                    const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                    uint32_t *order) {
    uint64_t next = 0, steps = 0;
    int soonest = -1; /* slot of the earliest response among the parts in flight */
    judge->parts = parts;
    judge->ordering = order != NULL;
    if (count >= UINT32_MAX)
        return LIN_UNKNOWN_MEMORY;
    if (!start(judge, initial, initial_count))
        return judge->trouble;
    while (next < count || judge->occupied != 0) {
        uint64_t now_part = next;
        if (judge->occupied == 0 &&
            (next + 1 == count || parts[next].responded < parts[next + 1].invoked)) {
            alone(judge, (uint32_t)next++);
        } else if (next < count &&
                   (soonest < 0 ||
                    parts[next].invoked <= parts[judge->slot_part[soonest]].responded)) {
            invoke(judge, (uint32_t)next++);
            soonest = first_response(judge);
        } else {
            /* With every part invoked, the loop goes on only for one that has not responded. */
            // NOLINTNEXTLINE(clang-analyzer-security.ArrayBound): so soonest is not negative
            now_part = judge->slot_part[soonest];
            respond(judge, soonest);
            soonest = first_response(judge);
        }
        if (judge->trouble != LIN_OK)
            return judge->trouble;
        if (judge->now.count == 0) {
            *failed = now_part;
            return LIN_VIOLATION;
        }
        if (++steps % STOP_EVERY == 0 && judge->stop != NULL &&
            atomic_load_explicit(judge->stop, memory_order_relaxed))
            return LIN_UNKNOWN_STOPPED;
    }
    if (order != NULL)
        write_order(judge, count, order);
    return LIN_OK;
}
