/* instants.c: edges, what they imply, and choices between them. See instants.h. */
#include "instants.h"

#include <stdlib.h>
#include <string.h>

#define NO_EDGE UINT32_MAX

struct step {
    uint64_t low, high;
    uint32_t out, in;          /* the last edge that was linked from here, to here */
    uint32_t low_by, high_by;  /* the edge that has moved it; NO_EDGE: it is the step's own */
    uint32_t visited, came_by; /* by the walk with this number, along this edge */
};

struct edge {
    uint64_t key;
    uint32_t from, to, next_out, next_in;
    uint8_t why, how;
};

struct choice {
    uint64_t time;
    struct edge one[2];
};

/* What was there before a change, to be undone. */
struct change {
    uint64_t bound;
    uint32_t step, by;
    bool is_low;
};

/* A choice that was tried: where the changes began, and whether the other edge has failed already. */
struct trial {
    uint64_t choice, changes, edges;
    uint8_t edge;
    bool last;
};

struct lin_instants {
    struct step *steps;
    struct edge *edges; /* those linked come first */
    struct choice *choices;
    struct change *changes;
    struct trial *trials;
    uint32_t *stack;
    lin_link *cycle;
    uint64_t step_count, edge_count, linked, choice_count, change_count, trial_count, cycle_count;
    uint64_t step_room, edge_room, choice_room, change_room, trial_room, stack_room, cycle_room;
    uint64_t tried, conflicts;
    uint32_t walk;
    bool starved, searching;
};

/* ------------------------------------------------------------------ room -------------------- */

static bool more(lin_instants *i, void *memory, uint64_t count, uint64_t *room, size_t size) {
    void **at = memory; /* the address of a pointer */
    if (count < *room)
        return true;
    const uint64_t wanted = *room + *room / 2 + 64;
    void *fresh = realloc(*at, wanted * size);
    if (fresh == NULL) {
        i->starved = true;
        return false;
    }
    *at = fresh;
    *room = wanted;
    return true;
}

lin_instants *lin_instants_new(void) {
    return calloc(1, sizeof(lin_instants));
}

void lin_instants_free(lin_instants *i) {
    if (i == NULL)
        return;
    free(i->steps);
    free(i->edges);
    free(i->choices);
    free(i->changes);
    free(i->trials);
    free(i->stack);
    free(i->cycle);
    free(i);
}

bool lin_instants_expect(lin_instants *i, uint64_t steps) {
    if (steps <= i->step_room)
        return true;
    struct step *fresh = realloc(i->steps, steps * sizeof *fresh);
    if (fresh == NULL)
        return false;
    i->steps = fresh;
    i->step_room = steps;
    return true;
}

uint32_t lin_instants_step(lin_instants *i, uint64_t low, uint64_t high) {
    if (i->step_count == LIN_NO_STEP ||
        !more(i, &i->steps, i->step_count, &i->step_room, sizeof *i->steps))
        return LIN_NO_STEP;
    i->steps[i->step_count] = (struct step){.low = low,
                                            .high = high,
                                            .out = NO_EDGE,
                                            .in = NO_EDGE,
                                            .low_by = NO_EDGE,
                                            .high_by = NO_EDGE};
    return (uint32_t)i->step_count++;
}

void lin_instants_within(lin_instants *i, uint32_t step, uint64_t low, uint64_t high) {
    struct step *s = &i->steps[step];
    s->low = low > s->low ? low : s->low;
    s->high = high < s->high ? high : s->high;
}

uint64_t lin_instants_low(const lin_instants *i, uint32_t step) {
    return i->steps[step].low;
}

uint64_t lin_instants_high(const lin_instants *i, uint32_t step) {
    return i->steps[step].high;
}

uint64_t lin_instants_edges(const lin_instants *i) {
    return i->edge_count;
}

uint64_t lin_instants_choices(const lin_instants *i) {
    return i->tried;
}

uint64_t lin_instants_bytes(const lin_instants *i) {
    return i->step_room * sizeof *i->steps + i->edge_room * sizeof *i->edges +
           i->choice_room * sizeof *i->choices + i->change_room * sizeof *i->changes +
           i->trial_room * sizeof *i->trials + i->stack_room * sizeof *i->stack +
           i->cycle_room * sizeof *i->cycle;
}

/* ------------------------------------------------------------------ edges and choices ------- */

static struct edge edge_of(lin_link link) {
    return (struct edge){.key = link.key, .from = link.from, .to = link.to, .why = link.why};
}

static bool is_implied(const lin_instants *i, uint32_t from, uint32_t to) {
    return i->steps[from].high < i->steps[to].low;
}

static bool add(lin_instants *i, struct edge edge) {
    if (!more(i, &i->edges, i->edge_count, &i->edge_room, sizeof *i->edges))
        return false;
    i->edges[i->edge_count++] = edge;
    return true;
}

bool lin_instants_before(lin_instants *i, lin_link link) {
    return link.from == link.to || is_implied(i, link.from, link.to) || add(i, edge_of(link));
}

bool lin_instants_either(lin_instants *i, lin_link one, lin_link other) {
    if (is_implied(i, one.from, one.to) || is_implied(i, other.from, other.to))
        return true;
    if (!more(i, &i->choices, i->choice_count, &i->choice_room, sizeof *i->choices))
        return false;
    const uint64_t a = i->steps[one.from].low, b = i->steps[other.from].low;
    i->choices[i->choice_count++] =
        (struct choice){.time = a > b ? a : b, .one = {edge_of(one), edge_of(other)}};
    return true;
}

/* ------------------------------------------------------------------ what is wrong ----------- */

static void tell(lin_instants *i, lin_link link) {
    if (more(i, &i->cycle, i->cycle_count, &i->cycle_room, sizeof *i->cycle))
        i->cycle[i->cycle_count++] = link;
}

static void tell_edge(lin_instants *i, const struct edge *edge) {
    tell(i, (lin_link){.from = edge->from,
                       .to = edge->to,
                       .key = edge->key,
                       .why = edge->why,
                       .how = edge->how});
}

/* The links from this one on. (There may be none at all, and no array of them.) */
static void reverse_from(lin_instants *i, uint64_t from) {
    for (uint64_t a = from, b = i->cycle_count; a + 1 < b; a++, b--) {
        const lin_link spare = i->cycle[a];
        i->cycle[a] = i->cycle[b - 1];
        i->cycle[b - 1] = spare;
    }
}

/* The edges that have moved the step's low up, from the first one on; gives where they begin. */
static uint32_t tell_low(lin_instants *i, uint32_t step) {
    const uint64_t from = i->cycle_count;
    for (uint32_t by; (by = i->steps[step].low_by) != NO_EDGE; step = i->edges[by].from)
        tell_edge(i, &i->edges[by]);
    reverse_from(i, from);
    return step;
}

static uint32_t tell_high(lin_instants *i, uint32_t step) {
    for (uint32_t by; (by = i->steps[step].high_by) != NO_EDGE; step = i->edges[by].to)
        tell_edge(i, &i->edges[by]);
    return step;
}

/* `first` cannot be before low(first), leads to `last` by edges, and high(last) < low(first). `edge` is what
 * leads from the one to the other, or NULL if they are the same. */
static void tell_time(lin_instants *i, uint32_t first, const struct edge *edge, uint32_t last) {
    first = tell_low(i, first);
    if (edge != NULL)
        tell_edge(i, edge);
    last = tell_high(i, last);
    tell(i, (lin_link){.from = last,
                       .to = first,
                       .why = LIN_TIME,
                       .high = i->steps[last].high,
                       .low = i->steps[first].low});
}

/* The way from `step`, where the last walk came, back to where it began. */
static void tell_way(lin_instants *i, uint32_t begin, uint32_t step) {
    const uint64_t from = i->cycle_count;
    for (; step != begin; step = i->edges[i->steps[step].came_by].from)
        tell_edge(i, &i->edges[i->steps[step].came_by]);
    reverse_from(i, from);
}

const lin_link *lin_instants_cycle(const lin_instants *i, uint64_t *count) {
    *count = i->cycle_count;
    return i->cycle;
}

/* ------------------------------------------------------------------ edges take effect ------- */

static bool push(lin_instants *i, uint64_t *depth, uint32_t step) {
    if (!more(i, &i->stack, *depth, &i->stack_room, sizeof *i->stack))
        return false;
    i->stack[(*depth)++] = step;
    return true;
}

/* Do edges lead from one step to the other? What is between has bounds between theirs. */
static bool leads(lin_instants *i, uint32_t from, uint32_t to) {
    const uint64_t low = i->steps[to].low, high = i->steps[to].high;
    uint64_t depth = 0;
    if (i->steps[from].low > low || i->steps[from].high > high)
        return false;
    i->walk++;
    i->steps[from].visited = i->walk;
    if (!push(i, &depth, from))
        return false;
    while (depth > 0) {
        const uint32_t at = i->stack[--depth];
        if (at == to)
            return true;
        for (uint32_t e = i->steps[at].out; e != NO_EDGE; e = i->edges[e].next_out) {
            struct step *next = &i->steps[i->edges[e].to];
            if (next->visited == i->walk || next->low > low || next->high > high)
                continue;
            next->visited = i->walk;
            next->came_by = e;
            if (!push(i, &depth, i->edges[e].to))
                return false;
        }
    }
    return false;
}

static bool move(lin_instants *i, uint32_t step, bool is_low, uint64_t bound, uint32_t by) {
    struct step *s = &i->steps[step];
    if (i->searching) {
        if (!more(i, &i->changes, i->change_count, &i->change_room, sizeof *i->changes))
            return false;
        i->changes[i->change_count++] = (struct change){.bound = is_low ? s->low : s->high,
                                                        .step = step,
                                                        .by = is_low ? s->low_by : s->high_by,
                                                        .is_low = is_low};
    }
    *(is_low ? &s->low : &s->high) = bound;
    *(is_low ? &s->low_by : &s->high_by) = by;
    return true;
}

/* Moves bounds along edges from where one has moved. False: at a step nothing is left between them. */
static bool spread(lin_instants *i, uint32_t begin, bool is_low) {
    uint64_t depth = 0;
    if (!push(i, &depth, begin))
        return false;
    while (depth > 0) {
        const uint32_t at = i->stack[--depth];
        const struct step *s = &i->steps[at];
        if (s->low > s->high) {
            if (i->cycle_count == 0)
                tell_time(i, at, NULL, at);
            return false;
        }
        for (uint32_t e = is_low ? s->out : s->in; e != NO_EDGE;
             e = is_low ? i->edges[e].next_out : i->edges[e].next_in) {
            const uint32_t next = is_low ? i->edges[e].to : i->edges[e].from;
            const struct step *n = &i->steps[next];
            if (is_low ? n->low >= s->low : n->high <= s->high)
                continue;
            if (!move(i, next, is_low, is_low ? s->low : s->high, e) || !push(i, &depth, next))
                return false;
        }
    }
    return true;
}

/* Links the edge behind the last one linked. False: it contradicts what is there (or there is no memory). */
static bool link_next(lin_instants *i) {
    const uint32_t number = (uint32_t)i->linked;
    struct edge *edge = &i->edges[number];
    struct step *from = &i->steps[edge->from], *to = &i->steps[edge->to];
    if (from->low > to->high) {
        if (i->cycle_count == 0)
            tell_time(i, edge->from, edge, edge->to);
        return false;
    }
    if (leads(i, edge->to, edge->from)) {
        if (i->cycle_count == 0) {
            tell_way(i, edge->to, edge->from);
            tell_edge(i, edge);
        }
        return false;
    }
    edge->next_out = from->out;
    edge->next_in = to->in;
    from->out = to->in = number;
    i->linked++;
    if (to->low < from->low &&
        (!move(i, edge->to, true, from->low, number) || !spread(i, edge->to, true)))
        return false;
    return from->high <= to->high ||
           (move(i, edge->from, false, to->high, number) && spread(i, edge->from, false));
}

/* ------------------------------------------------------------------ choices ----------------- */

static bool is_impossible(lin_instants *i, const struct edge *edge) {
    return edge->from == edge->to || i->steps[edge->from].low > i->steps[edge->to].high ||
           leads(i, edge->to, edge->from);
}

static bool is_settled(lin_instants *i, const struct edge *edge) {
    return is_implied(i, edge->from, edge->to) || leads(i, edge->from, edge->to);
}

static void tell_impossible(lin_instants *i, const struct edge *edge) {
    if (i->steps[edge->from].low > i->steps[edge->to].high) {
        tell_time(i, edge->from, edge, edge->to);
    } else if (leads(i, edge->to, edge->from)) {
        tell_way(i, edge->to, edge->from);
        tell_edge(i, edge);
    }
}

/* Both edges of a choice are impossible. */
static void tell_both(lin_instants *i, const struct choice *choice) {
    if (i->cycle_count > 0)
        return;
    tell_impossible(i, &choice->one[0]);
    tell(i, (lin_link){.why = LIN_INSTEAD, .from = LIN_NO_STEP, .to = LIN_NO_STEP});
    tell_impossible(i, &choice->one[1]);
}

enum settled { OPEN, SETTLED, CONFLICT };

static bool choose(lin_instants *i, const struct choice *choice, unsigned one, enum lin_how how) {
    struct edge edge = choice->one[one];
    edge.how = how;
    i->edge_count = i->linked;
    return add(i, edge) && link_next(i);
}

/* Settles a choice of which at most one edge is possible. */
static enum settled settle(lin_instants *i, const struct choice *choice) {
    if (is_settled(i, &choice->one[0]) || is_settled(i, &choice->one[1]))
        return SETTLED;
    const bool first = !is_impossible(i, &choice->one[0]);
    const bool second = !is_impossible(i, &choice->one[1]);
    if (first && second)
        return OPEN;
    if (!first && !second) {
        tell_both(i, choice);
        return CONFLICT;
    }
    return choose(i, choice, second, LIN_FORCED_CHOICE) ? SETTLED : CONFLICT;
}

/* Goes over the choices until none is settled any more. False: there is a conflict. */
static bool settle_all(lin_instants *i, const _Atomic bool *stop) {
    for (bool again = true; again;) {
        uint64_t open = 0;
        for (uint64_t c = 0; c < i->choice_count; c++) {
            if (atomic_load_explicit(stop, memory_order_relaxed))
                return true;
            enum settled how = settle(i, &i->choices[c]);
            if (how == CONFLICT)
                return false;
            if (how == OPEN)
                i->choices[open++] = i->choices[c];
        }
        again = open < i->choice_count;
        i->choice_count = open;
    }
    return true;
}

/* The edge that leaves more room. */
static unsigned likelier(const lin_instants *i, const struct choice *choice) {
    uint64_t room[2];
    for (unsigned k = 0; k < 2; k++)
        room[k] = i->steps[choice->one[k].to].high - i->steps[choice->one[k].from].low;
    return room[1] > room[0];
}

static void undo(lin_instants *i, const struct trial *trial) {
    while (i->change_count > trial->changes) {
        const struct change *c = &i->changes[--i->change_count];
        struct step *s = &i->steps[c->step];
        *(c->is_low ? &s->low : &s->high) = c->bound;
        *(c->is_low ? &s->low_by : &s->high_by) = c->by;
    }
    while (i->linked > trial->edges) {
        const struct edge *edge = &i->edges[--i->linked];
        i->steps[edge->from].out = edge->next_out;
        i->steps[edge->to].in = edge->next_in;
    }
    i->edge_count = i->linked;
}

/* Takes the last trial back whose other edge has not been tried, and tries that; gives the choice to go on
 * with. False: there is none. */
static bool go_back(lin_instants *i, uint64_t *choice) {
    while (i->trial_count > 0) {
        struct trial *trial = &i->trials[i->trial_count - 1];
        undo(i, trial);
        if (trial->last) {
            i->trial_count--;
            continue;
        }
        trial->last = true;
        trial->edge ^= 1;
        *choice = trial->choice + 1;
        if (choose(i, &i->choices[trial->choice], trial->edge, LIN_TRIED)) {
            i->cycle_count = 0;
            return true;
        }
        if (i->starved)
            return false;
    }
    return false;
}

static int search(lin_instants *i, uint64_t most, const _Atomic bool *stop) {
    i->searching = true;
    for (uint64_t c = 0; c < i->choice_count;) {
        if (atomic_load_explicit(stop, memory_order_relaxed))
            return LIN_UNKNOWN_STOPPED;
        const struct choice *choice = &i->choices[c];
        enum settled how = settle(i, choice);
        if (how == OPEN) {
            if (!more(i, &i->trials, i->trial_count, &i->trial_room, sizeof *i->trials))
                return LIN_UNKNOWN_MEMORY;
            const unsigned one = likelier(i, choice);
            i->trials[i->trial_count++] = (struct trial){
                .choice = c, .changes = i->change_count, .edges = i->linked, .edge = (uint8_t)one};
            i->tried++;
            how = choose(i, choice, one, LIN_TRIED) ? SETTLED : CONFLICT;
        }
        c++;
        if (how == SETTLED)
            continue;
        if (i->starved)
            return LIN_UNKNOWN_MEMORY;
        if (++i->conflicts > most)
            return LIN_UNKNOWN_LIMIT;
        if (i->trial_count > 0)
            i->cycle_count = 0; /* of what was only tried */
        if (!go_back(i, &c))
            return i->starved ? LIN_UNKNOWN_MEMORY : LIN_VIOLATION;
    }
    return i->starved ? LIN_UNKNOWN_MEMORY : LIN_OK;
}

static int by_time(const void *a, const void *b) {
    const struct choice *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

int lin_instants_solve(lin_instants *i, uint64_t conflicts, const _Atomic bool *stop) {
    while (i->linked < i->edge_count) {
        if (!link_next(i))
            return i->starved ? LIN_UNKNOWN_MEMORY : LIN_VIOLATION;
        if (atomic_load_explicit(stop, memory_order_relaxed))
            return LIN_UNKNOWN_STOPPED;
    }
    if (i->choice_count > 0)
        qsort(i->choices, i->choice_count, sizeof *i->choices, by_time);
    if (!settle_all(i, stop))
        return i->starved ? LIN_UNKNOWN_MEMORY : LIN_VIOLATION;
    return search(i, conflicts, stop);
}
