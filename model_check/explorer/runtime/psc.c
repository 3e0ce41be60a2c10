/* psc.c: seq_cst accesses in rc11.
 *
 * RC11 wants psc = psc_base ∪ psc_F acyclic (PLDI 2017, definition 1), with
 *     scb      = po ∪ po≠loc; hb; po≠loc ∪ hb|loc ∪ mo ∪ fr
 *     psc_base = ([E_sc] ∪ [F_sc]; hb?); scb; ([E_sc] ∪ hb?; [F_sc])
 *     psc_F    = [F_sc]; (hb ∪ hb; eco; hb); [F_sc]
 * An event that reads the newest message, or writes the newest one, has only edges that lead to it, and
 * closes no cycle. So only results in the past are looked at: would the graph with this result have a
 * cycle? The graph is built anew for each such question, as the definitions say it. That is slow for long
 * executions with many such accesses, and only programs with seq_cst accesses pay for it; those with
 * seq_cst fences alone have fences.c.
 */
#include "runtime.h"

enum { SEQ_CST = 5, MAX_EVENTS = 512, MAX_NODES = 64 };

/* One event of the graph. Places in modification order are doubled, so that there is room between. */
typedef struct event {
    uint8_t thread;
    bool reads, writes, fence, sc;
    int16_t index;
    uint32_t object;
    int32_t read_at, written_at;
    const bwx_clock *happened;
    int first_elsewhere,
        last_elsewhere; /* in its thread: next and last event at another location */
} event;

static event events[MAX_EVENTS];
static int count;
static uint64_t node_of[MAX_EVENTS]; /* bit of a seq_cst event, else 0 */
static uint64_t fences;              /* bits of seq_cst fences */
static int event_of_node[MAX_NODES];
static uint64_t follows[MAX_NODES];

static bool hb(int a, int b) {
    return a != b && events[a].index <= events[b].happened->at[events[a].thread];
}

static bool same_place(const event *a, const event *b) {
    return !a->fence && !b->fence && a->object == b->object;
}

static bool before_in_order(const event *a, const event *b) {
    if (!same_place(a, b) || !b->writes)
        return false;
    return (a->writes && a->written_at < b->written_at) ||     /* mo */
           (a->reads && a->read_at < b->written_at && a != b); /* fr */
}

static bool eco(const event *a, const event *b) {
    if (a == b || !same_place(a, b))
        return false;
    return before_in_order(a, b) || (a->writes && b->reads && a->written_at <= b->read_at) ||
           (a->reads && b->reads && a->read_at < b->read_at);
}

static bool scb(int one, int other) {
    const event *a = &events[one];
    const event *b = &events[other];
    if (a->thread == b->thread && a->index < b->index)
        return true;
    if (before_in_order(a, b) || (same_place(a, b) && hb(one, other)))
        return true;
    return a->first_elsewhere >= 0 && b->last_elsewhere >= 0 &&
           hb(a->first_elsewhere, b->last_elsewhere);
}

static event *add(unsigned thread, int16_t index, const bwx_clock *happened, uint32_t pc) {
    if (count == MAX_EVENTS)
        bwx_find(
            BWX_UNSUPPORTED, pc, 0,
            "seq_cst accesses in an execution of rc11 with more than %d atomic steps; make the "
            "program smaller",
            MAX_EVENTS);
    event *one = &events[count++];
    memset(one, 0, sizeof *one);
    one->thread = (uint8_t)thread;
    one->index = index;
    one->happened = happened;
    return one;
}

static void collect(uint32_t pc) {
    count = 0;
    for (uint32_t i = 0; i < bwx.step_count; i++) {
        const bwx_step *step = &bwx_steps[i];
        if (step->kind > BWX_FENCE)
            continue;
        event *one = add(step->thread, step->index, &step->happened, pc);
        one->fence = step->kind == BWX_FENCE;
        one->sc = step->order == SEQ_CST;
        one->object = step->object;
        one->reads = (step->flags & BWX_READS) != 0;
        one->writes = (step->flags & BWX_WRITES) != 0;
        if (one->reads)
            one->read_at = bwx_messages[step->source].position * 2;
        if (one->writes)
            one->written_at = bwx_messages[step->message].position * 2;
    }
}

static void neighbours(void) {
    for (int i = 0; i < count; i++) {
        events[i].first_elsewhere = events[i].last_elsewhere = -1;
        for (int j = 0; j < count; j++) {
            if (events[j].thread != events[i].thread || same_place(&events[i], &events[j]) ||
                i == j)
                continue;
            if (events[j].index > events[i].index && events[i].first_elsewhere < 0)
                events[i].first_elsewhere = j;
            if (events[j].index < events[i].index)
                events[i].last_elsewhere = j;
        }
    }
}

static void number_nodes(uint32_t pc) {
    int nodes = 0;
    fences = 0;
    for (int i = 0; i < count; i++) {
        node_of[i] = 0;
        if (!events[i].sc)
            continue;
        if (nodes == MAX_NODES)
            bwx_find(BWX_UNSUPPORTED, pc, 0,
                     "more than %d seq_cst operations in one execution of rc11; make the program "
                     "smaller",
                     MAX_NODES);
        event_of_node[nodes] = i;
        follows[nodes] = 0;
        node_of[i] = UINT64_C(1) << nodes++;
        if (events[i].fence)
            fences |= node_of[i];
    }
}

/* [E_sc] ∪ [F_sc]; hb? that end at the event, or the same the other way round that begin there. */
static uint64_t nodes_at(int i, bool ending) {
    uint64_t nodes = node_of[i];
    for (uint64_t rest = fences; rest != 0; rest &= rest - 1) {
        int fence = event_of_node[__builtin_ctzll(rest)];
        if (ending ? hb(fence, i) : hb(i, fence))
            nodes |= rest & -rest;
    }
    return nodes;
}

static void connect(uint64_t from, uint64_t to) {
    for (; from != 0; from &= from - 1)
        follows[__builtin_ctzll(from)] |= to;
}

static bool has_cycle(void) {
    for (int k = 0; k < MAX_NODES; k++)
        for (int i = 0; i < MAX_NODES; i++)
            if ((follows[i] >> k & 1) != 0)
                follows[i] |= follows[k];
    for (int i = 0; i < MAX_NODES; i++)
        if ((follows[i] >> i & 1) != 0)
            return true;
    return false;
}

static bool cyclic(uint32_t pc) {
    static uint64_t begins[MAX_EVENTS];
    static uint64_t ends[MAX_EVENTS];
    memset(follows, 0, sizeof follows);
    number_nodes(pc);
    neighbours();
    for (int i = 0; i < count; i++) {
        begins[i] = nodes_at(i, true);
        ends[i] = nodes_at(i, false);
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            if (i == j || begins[i] == 0 || ends[j] == 0)
                continue;
            if (scb(i, j))
                connect(begins[i], ends[j]);
            if (eco(&events[i], &events[j])) /* hb; eco; hb */
                connect(begins[i] & fences & ~node_of[i], ends[j] & fences & ~node_of[j]);
        }
    for (uint64_t rest = fences; rest != 0; rest &= rest - 1) /* hb */
        connect(rest & -rest,
                nodes_at(event_of_node[__builtin_ctzll(rest)], false) & fences & ~(rest & -rest));
    return has_cycle();
}

bool bwx_psc_allows(const bwx_thread *self, const bwx_op *op, const bwx_clock *learnt,
                    uint32_t source, bool reads, bool writes, int order) {
    if (!bwx.sc_accesses && order != SEQ_CST)
        return true;
    static bwx_clock happened;
    happened = self->now.clock;
    if (learnt != NULL)
        bwx_clock_join(&happened, learnt);
    happened.at[self->id] = (int16_t)(self->steps + 1);
    collect(op->pc);
    event *one = add(self->id, happened.at[self->id], &happened, op->pc);
    one->sc = order == SEQ_CST;
    one->object = op->object;
    one->reads = reads;
    one->writes = writes;
    one->read_at = bwx_messages[source].position * 2;
    one->written_at = one->read_at + 1;
    return !cyclic(op->pc);
}
