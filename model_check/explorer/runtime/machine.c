/* machine.c: the memory models, as messages and views.
 *
 * A location holds its stores as messages in modification order. A thread has a view: for each thread,
 * how many of its steps happened before now (a vector clock). What a thread may read follows from it.
 *
 * sc: a load reads the newest message, a store becomes the newest one. The steps of an execution are
 * then an interleaving. Views say only what happened before what (for races), by the orders written.
 *
 * rc11: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI 2017.
 * Every step extends an execution graph at the end of po and rf, so po ∪ rf is acyclic (NO-THIN-AIR, no
 * load buffering). Rule by rule:
 *   coherence (hb; eco? irreflexive): a load must not read a message older than one that a step of
 *     its view has read or written; a store gets any place in modification order after those (bound);
 *   atomicity: nothing comes between an RMW and the message that it read (attached); two RMWs never
 *     read the same message;
 *   sw: an acquire load joins the message's view into its thread's; a relaxed load keeps it for the
 *     next acquire fence (acquired). A release store's message has its thread's view; a relaxed one
 *     that of the last release fence (released), and that of its own thread's earlier release store to
 *     the same location (the [W]; po|loc part of a release sequence); an RMW's message has, besides,
 *     the view of the message it read ((rf; rmw)* of a release sequence);
 *   psc for seq_cst fences: fences.c; with seq_cst accesses: psc.c;
 *   races: access.c.
 * As the graph decides, and not the order in which its steps were added, a load and a store to the same
 * location that do not read from one another may be exchanged (search.c makes use of that), but not two
 * RMWs that could read the same message.
 *
 * While only one thread exists, operations go to memory at once: all later steps come after them.
 */
#include "runtime.h"

bwx_location *bwx_locations;
bwx_message *bwx_messages;

enum { MAX_LOCATIONS = 1 << 16, MAX_MESSAGES = 1 << 17, MAX_OPTIONS = 256, SOLO_LIMIT = 50000000 };
enum { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

static uint32_t read_options[MAX_OPTIONS];

static bool acquires(int order) {
    return order == ACQUIRE || order == CONSUME || order == ACQ_REL || order == SEQ_CST;
}

static bool releases(int order) {
    return order == RELEASE || order == ACQ_REL || order == SEQ_CST;
}

static uint64_t memory_get(uintptr_t address, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, (const void *)address, size);
    return value;
}

static void memory_put(uintptr_t address, unsigned size, uint64_t value) {
    bwx_dirty(address, size);
    memcpy((void *)address, &value, size);
}

/* ---- locations ---- */

void bwx_machine_open(void) {
    bwx_locations = bwx_reserve(sizeof *bwx_locations * MAX_LOCATIONS);
    bwx_messages = bwx_reserve(sizeof *bwx_messages * MAX_MESSAGES);
}

uint32_t bwx_location_of(uintptr_t address, unsigned size) {
    bwx_cell *cell = bwx_cell_of(address);
    if (cell == NULL)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0,
                 "an atomic access at %p, which is memory that the explorer does not watch (the C "
                 "library's, or read-only)",
                 (void *)address);
    for (uint32_t i = cell->location; i != BWX_NONE; i = bwx_locations[i].next) {
        bwx_location *location = &bwx_locations[i];
        if (location->address == address && location->size == size)
            return i;
        if (location->made && location->address < address + size &&
            address < location->address + location->size)
            bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0,
                     "atomic accesses of different sizes (%u and %u bytes) to the same bytes at %p",
                     location->size, size, (void *)address);
    }
    if (bwx.location_count == MAX_LOCATIONS)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0, "more than %d atomic locations",
                 MAX_LOCATIONS);
    uint32_t number = bwx.location_count++;
    bwx_location *location = &bwx_locations[number];
    static const bwx_location blank; /* copied: a memset of this size is a slow instruction */
    *location = blank;
    location->address = address;
    location->size = (uint8_t)size;
    location->next = cell->location;
    location->oldest = location->newest = BWX_NONE;
    location->last_step = location->last_write = BWX_NONE;
    cell->location = number;
    return number;
}

void bwx_location_forget(const bwx_cell *cell, uintptr_t address, unsigned size) {
    for (uint32_t i = cell->location; i != BWX_NONE; i = bwx_locations[i].next) {
        if (bwx_locations[i].is_object || bwx_locations[i].address >= address + size ||
            address >= bwx_locations[i].address + bwx_locations[i].size)
            continue;
        bwx_locations[i].made = false;
        bwx_locations[i].last_step = bwx_locations[i].last_write = BWX_NONE;
    }
}

static uint32_t message_new(void) {
    if (bwx.message_count == MAX_MESSAGES)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0, "more than %d stores in one execution",
                 MAX_MESSAGES);
    return bwx.message_count++;
}

/* The first message of a location is what memory holds. */
static void make(bwx_location *location) {
    if (location->made)
        return;
    uint32_t number = message_new();
    bwx_message *message = &bwx_messages[number];
    static const bwx_message blank;
    *message = blank;
    message->before = message->after = message->step = BWX_NONE;
    message->value = memory_get(location->address, location->size);
    location->oldest = location->newest = number;
    location->made = true;
}

/* Puts a new message behind `place` in modification order. */
static uint32_t insert(bwx_location *location, uint32_t place) {
    uint32_t number = message_new();
    bwx_message *message = &bwx_messages[number];
    static const bwx_message blank;
    *message = blank;
    message->before = place;
    message->after = bwx_messages[place].after;
    message->position = bwx_messages[place].position + 1;
    bwx_messages[place].after = number;
    if (message->after == BWX_NONE)
        location->newest = number;
    else
        bwx_messages[message->after].before = number;
    for (uint32_t i = message->after; i != BWX_NONE; i = bwx_messages[i].after)
        bwx_messages[i].position++;
    return number;
}

int32_t bwx_bound(const bwx_location *location, const bwx_clock *clock) {
    int32_t bound = 0;
    int32_t newest = bwx_messages[location->newest].position;
    for (uint32_t i = location->last_step; i != BWX_NONE; i = bwx_steps[i].previous) {
        const bwx_step *step = &bwx_steps[i];
        if (step->index > clock->at[step->thread])
            continue;
        int32_t position = bwx_messages[step->message].position;
        bound = position > bound ? position : bound;
        if (bound == newest)
            break;
    }
    return bound;
}

/* ---- steps ---- */

bwx_step *bwx_step_add(bwx_thread *self, const bwx_op *op) {
    if (bwx.step_count >= BWX_MAX_STEPS - 1)
        bwx_find(BWX_UNSUPPORTED, op->pc, 0, "more than %d steps in one execution", BWX_MAX_STEPS);
    bwx_step *step = &bwx_steps[bwx.step_count++];
    bool counted = op->kind < BWX_PLAIN_READ;
    step->thread = self->id;
    step->kind = op->kind;
    step->order = op->order;
    step->size = op->size;
    step->rmw = op->rmw;
    step->flags = self->setup ? BWX_ALONE : 0;
    step->index = counted ? ++self->steps : self->steps;
    step->pc = op->pc;
    step->object = op->object;
    step->message = step->source = step->previous = BWX_NONE;
    step->node = BWX_NONE;
    step->piece = bwx_piece_count - 1U;
    step->address = op->address;
    step->value = op->operand;
    step->seen = 0;
    step->fences = self->now.fences;
    if (!counted)
        bwx.log_steps++;
    if (counted) {
        self->now.clock.at[self->id] = self->steps;
        self->trace.at[self->id] = self->steps;
    }
    if (BWX_UNLIKELY(bwx.logging))
        step->happened = self->now.clock;
    return step;
}

/* Links a step to its location and tells the search about it. */
void bwx_step_link(bwx_step *step) {
    uint32_t number = (uint32_t)(step - bwx_steps);
    step->trace = bwx.threads[step->thread].trace;
    step->happened = bwx.threads[step->thread].now.clock;
    if (step->order == SEQ_CST && !bwx.sc && step->kind <= BWX_CAS)
        bwx.sc_accesses = true;
    step->node = bwx_search_node();
    bwx_search_step(step, number);
    if (step->object == BWX_NONE)
        return;
    bwx_location *location = &bwx_locations[step->object];
    step->previous = location->last_step;
    location->last_step = number;
    if ((step->flags & BWX_WRITES) != 0)
        location->last_write = number;
}

/* ---- what a read may read ---- */

static bool would_exchange(const bwx_op *op, uint64_t seen) {
    return op->kind == BWX_RMW || (op->kind == BWX_CAS && seen == op->expected);
}

static bool psc_allows(const bwx_thread *self, const bwx_op *op, uint32_t source, bool exchange) {
    int order = op->kind == BWX_CAS && !exchange ? op->failure_order : op->order;
    return bwx_psc_allows(self, op, acquires(order) ? &bwx_messages[source].view.clock : NULL,
                          source, true, exchange, order);
}

/* An option is a message's number twice, plus 1 for a spurious failure. */
static unsigned options_of(const bwx_thread *self, const bwx_op *op, const bwx_location *location) {
    unsigned n = 0;
    int32_t bound = INT32_MAX;
    uint32_t limit = 0;
    if (!bwx.sc) {
        bwx_clock room;
        bound = bwx_bound(location, bwx_fences_clock(self, &room));
        limit = bwx_search_limit(self->id);
    }
    for (uint32_t i = location->newest; i != BWX_NONE; i = bwx_messages[i].before) {
        const bwx_message *message = &bwx_messages[i];
        if (i != location->newest && message->position < bound)
            break;
        if (self->awaits > 0 && i == self->awaited[0].message && i != location->newest)
            break; /* the turn of a loop that reads what the last one read changes nothing */
        bool exchange = would_exchange(op, message->value);
        if (i >= limit) {
            if (n + 2 > MAX_OPTIONS)
                bwx_find(BWX_UNSUPPORTED, op->pc, 0,
                         "more than %d stores could be read by one load", MAX_OPTIONS / 2);
            bool newest = i == location->newest;
            if (exchange && message->attached)
                bwx_search_attached(self, i);
            else if (newest || psc_allows(self, op, i, exchange))
                read_options[n++] = i * 2;
            if (exchange && op->kind == BWX_CAS && op->weak && bwx.spurious_left > 0 &&
                (newest || psc_allows(self, op, i, false)))
                read_options[n++] = i * 2 + 1;
        }
        if (bwx.sc)
            break;
    }
    return n;
}

bool bwx_finds_news(const bwx_thread *self) {
    const bwx_op *op = &self->op;
    if (op->kind != BWX_LOAD && op->kind != BWX_RMW && op->kind != BWX_CAS)
        return true;
    return options_of(self, op, &bwx_locations[op->object]) > 0;
}

static uint64_t compute(const bwx_op *op, uint64_t seen) {
    switch (op->kind == BWX_CAS ? BWX_EXCHANGE : (bwx_rmw)op->rmw) {
    case BWX_ADD: return seen + op->operand;
    case BWX_SUB: return seen - op->operand;
    case BWX_AND: return seen & op->operand;
    case BWX_OR: return seen | op->operand;
    case BWX_XOR: return seen ^ op->operand;
    case BWX_NAND: return ~(seen & op->operand);
    case BWX_EXCHANGE: break;
    }
    return op->operand;
}

static uint64_t truncate(uint64_t value, unsigned size) {
    return size == 8 ? value : value & ((UINT64_C(1) << (size * 8)) - 1);
}

/* Joins what the message's reader learns. */
static void learn(bwx_thread *self, const bwx_message *message, int order) {
    if (acquires(order))
        bwx_view_join(&self->now, &message->view);
    else
        bwx_view_join(&self->acquired, &message->view);
    if (!bwx.sc && message->step != BWX_NONE)
        bwx_clock_join(&self->trace, &bwx_steps[message->step].trace);
}

/* What readers of the new message will learn. */
static void teach(const bwx_thread *self, const bwx_location *location, bwx_message *message,
                  int order) {
    if (releases(order)) {
        message->release = true;
        message->view = self->now;
        return;
    }
    message->view = self->released;
    for (uint32_t i = location->last_step; i != BWX_NONE; i = bwx_steps[i].previous) {
        const bwx_step *step = &bwx_steps[i];
        if (step->thread != self->id || (step->flags & BWX_WRITES) == 0 ||
            !bwx_messages[step->message].release)
            continue;
        bwx_view_join(&message->view, &bwx_messages[step->message].view);
        break;
    }
}

static void trace_in_order(bwx_thread *self, const bwx_location *location, bool writes) {
    if (!bwx.sc)
        return;
    if (location->last_write != BWX_NONE)
        bwx_clock_join(&self->trace, &bwx_steps[location->last_write].trace);
    for (uint32_t i = location->last_step; writes && i != location->last_write;
         i = bwx_steps[i].previous)
        bwx_clock_join(&self->trace, &bwx_steps[i].trace);
}

/* ---- the operations ---- */

/* Where a store goes in modification order. */
static uint32_t place_of(const bwx_thread *self, const bwx_op *op, const bwx_location *location) {
    if (bwx.sc)
        return location->newest;
    bwx_clock room;
    int32_t bound = bwx_bound(location, bwx_fences_clock(self, &room));
    unsigned n = 0;
    for (uint32_t i = location->newest; i != BWX_NONE; i = bwx_messages[i].before) {
        if (i != location->newest && bwx_messages[i].position < bound)
            break;
        if (n == MAX_OPTIONS)
            bwx_find(BWX_UNSUPPORTED, op->pc, 0, "more than %d places for one store", MAX_OPTIONS);
        if (!bwx_messages[i].attached &&
            (i == location->newest || bwx_psc_allows(self, op, NULL, i, false, true, op->order)))
            read_options[n++] = i;
    }
    return bwx_choice(read_options, n, location->newest);
}

static uint64_t store(bwx_thread *self, const bwx_op *op, bwx_location *location) {
    uint32_t place = place_of(self, op, location);
    bwx_step *step = bwx_step_add(self, op);
    bwx_access(op->address, op->size, BWX_WRITES | BWX_ATOMIC, op->pc);
    trace_in_order(self, location, true);
    uint32_t number = insert(location, place);
    bwx_message *message = &bwx_messages[number];
    message->value = op->operand;
    message->step = (uint32_t)(step - bwx_steps);
    teach(self, location, message, op->order);
    step->message = number;
    step->flags |= BWX_WRITES;
    if (location->newest == number) {
        memory_put(location->address, location->size, op->operand);
    } else {
        step->flags |= BWX_INSERTED;
        bwx_fences_edge(self, location, message->position);
    }
    bwx_step_link(step);
    bwx_side_effect(self);
    return 0;
}

static uint64_t read_or_exchange(bwx_thread *self, const bwx_op *op, const uint64_t *registers,
                                 bwx_location *location, bool *exchanged) {
    unsigned n = options_of(self, op, location);
    uint32_t option = read_options[0];
    if (!bwx.sc || n != 1)
        option = bwx_choice(read_options, n, location->newest * 2);
    uint32_t source = option / 2;
    bool spurious = (option & 1) != 0;
    uint64_t seen = bwx_messages[source].value;
    bool exchange = would_exchange(op, seen) && !spurious;
    int order = op->kind == BWX_CAS && !exchange ? op->failure_order : op->order;
    bwx_step *step = bwx_step_add(self, op);
    step->order = (uint8_t)order;
    bwx_access(op->address, op->size, BWX_READS | BWX_ATOMIC | (exchange ? BWX_WRITES : 0), op->pc);
    trace_in_order(self, location, exchange);
    learn(self, &bwx_messages[source], order);
    step->seen = seen;
    step->message = step->source = source;
    step->flags |= BWX_READS;
    if (source != location->newest)
        step->flags |= BWX_STALE;
    if (op->kind == BWX_CAS && !exchange)
        step->flags |= BWX_FAILED | (spurious ? BWX_SPURIOUS : 0);
    if (spurious)
        bwx.spurious_left--;
    if (source != location->newest)
        bwx_fences_edge(self, location, bwx_messages[source].position);
    if (exchange) {
        uint32_t number = insert(location, source);
        bwx_message *message = &bwx_messages[number];
        bwx_messages[source].attached = true;
        message->value = truncate(compute(op, seen), op->size);
        message->step = (uint32_t)(step - bwx_steps);
        teach(self, location, message, order);
        bwx_view_join(&message->view, &bwx_messages[source].view);
        step->message = number;
        step->value = message->value;
        step->flags |= BWX_WRITES;
        if (location->newest == number)
            memory_put(location->address, location->size, message->value);
        if (message->value != seen)
            bwx_side_effect(self);
    }
    bwx_step_link(step);
    if (spurious) /* the next try is not the same turn of a loop */
        bwx_side_effect(self);
    else
        bwx_spin_note(self, op, registers, step->message);
    if (exchanged != NULL)
        *exchanged = exchange;
    return seen;
}

/* No other thread: memory itself. */
static uint64_t alone(bwx_thread *self, const bwx_op *op, bool *exchanged) {
    self->op.pc = op->pc;
    if (++bwx.solo_operations > SOLO_LIMIT)
        bwx_find(BWX_LIVELOCK, op->pc, 0, "thread %u, the only one, makes no end", self->id);
    uint64_t seen = memory_get(op->address, op->size);
    bool writes = op->kind == BWX_STORE || would_exchange(op, seen);
    if (!bwx_access_fine(op->address, op->size, writes))
        bwx_access(op->address, op->size,
                   BWX_ATOMIC | (writes ? BWX_WRITES : 0) | (op->kind != BWX_STORE ? BWX_READS : 0),
                   op->pc);
    if (writes) {
        bwx_cell *cell = bwx_cell_of(op->address);
        if (cell != NULL)
            bwx_location_forget(cell, op->address, op->size);
        memory_put(op->address, op->size,
                   truncate(op->kind == BWX_STORE ? op->operand : compute(op, seen), op->size));
    }
    if (exchanged != NULL)
        *exchanged = writes;
    return seen;
}

uint64_t bwx_atomic(bwx_op *op, const uint64_t *registers, bool *exchanged) {
    bwx_thread *self = bwx.current;
    op->operand = truncate(op->operand, op->size);
    op->expected = truncate(op->expected, op->size);
    if (BWX_UNLIKELY((op->address & (op->size - 1U)) != 0))
        bwx_find(BWX_UNSUPPORTED, op->pc, 0, "an atomic access at %p, which is not aligned",
                 (void *)op->address);
    if (bwx.solo)
        return alone(self, op, exchanged);
    self->op.pc = op->pc;
    op->object = bwx_location_of(op->address, op->size);
    bwx_location *location = &bwx_locations[op->object];
    make(location);
    if (op->kind != BWX_STORE)
        bwx_spin_check(self, op, registers);
    bwx_reach(self, op);
    make(location);
    uint64_t seen = op->kind == BWX_STORE
                        ? store(self, op, location)
                        : read_or_exchange(self, op, registers, location, exchanged);
    self->awaits = 0;
    return seen;
}

void bwx_fence(int order, uint32_t pc) {
    bwx_thread *self = bwx.current;
    if (bwx.solo || order == RELAXED)
        return;
    bwx_op op = {.kind = BWX_FENCE, .order = (uint8_t)order, .pc = pc, .object = BWX_NONE};
    bwx_step *step = bwx_step_add(self, &op);
    if (acquires(order))
        bwx_view_join(&self->now, &self->acquired);
    if (order == SEQ_CST && !bwx.sc)
        bwx_fences_add(self);
    if (releases(order))
        self->released = self->now;
    step->fences = self->now.fences;
    step->happened = self->now.clock;
    step->trace = self->trace;
}
