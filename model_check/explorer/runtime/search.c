/* search.c: which executions are explored: exhaustive with partial-order reduction, and bounded.
 *
 * Stateless search: an execution is repeated from its beginning up to the last place where something
 * else can be chosen. A node is a place where several threads could run, a choice one where an operation
 * has several results (which message a load reads, where a store goes, …).
 *
 * Exhaustive: source-DPOR with sleep sets (Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial
 * Order Reduction", POPL 2014). Two steps depend on one another when
 *   sc    they touch the same location and one of them writes it;
 *   rc11  the load reads from the store, or two RMWs could read the same message: nothing else of an execution graph depends on the order of its
 *         steps (machine.c). A thread whose load sleeps has explored the messages that there were; it
 *         wakes when a new one arrives, and then reads only messages that are new (limits).
 * and in both: operations on the same mutex or condition variable. A race is a pair of steps that could
 * come in the other order; in rc11, a load and a later store that does not come after it in po ∪ rf.
 *
 * Bounded: all schedules with at most so many preemptions (a switch away from a thread that could go on)
 * and at most so many weak choices (a result other than the default one: the newest message).
 */
#include "runtime.h"

#include <stdlib.h>

typedef struct node {
    uint8_t thread;
    uint8_t previous; /* that ran before */
    uint16_t enabled, backtrack, done, sleep;
    uint16_t preemptions;
    uint32_t first_choice, messages;
    uint32_t pc; /* what the thread was about to do, to see that a repetition does the same */
    uintptr_t address;
    uint32_t limits[BWX_THREADS];
} node;

typedef struct choice {
    uint32_t first; /* of its options */
    uint16_t n, now;
} choice;

enum { MAX_NODES = BWX_MAX_STEPS, MAX_CHOICES = 4 * BWX_MAX_STEPS, MAX_OPTIONS = 1 << 20 };

static node *nodes;
static choice *choices;
static uint32_t *options;
static unsigned node_count, choice_count;   /* of the present path */
static unsigned nodes_begun, choices_begun; /* of this execution so far */
static unsigned nodes_repeated;             /* the path's length when it began */
static uint32_t option_count;
static unsigned previous; /* thread that ran last */
static unsigned preemptions, weak;
static uint16_t sleep;
static uint32_t limits[BWX_THREADS];
static uint32_t node_of_step; /* for the step that is now made */

/* Is this node one of the prefix? Then it is what the prefix says. */
static void fix_node(node *at, unsigned number) {
    if (number >= bwx_prefix_nodes)
        return;
    bwx_prefix_node(number, &at->thread, &at->done);
    at->backtrack = (uint16_t)(1U << at->thread);
    if ((at->enabled >> at->thread & 1) == 0)
        bwx_fatal("the prefix belongs to another program or other options");
}

static void fix_choice(choice *at, unsigned number) {
    if (number >= bwx_prefix_choices)
        return;
    at->now = bwx_prefix_choice(number);
    if (at->now >= at->n)
        bwx_fatal("the prefix belongs to another program or other options");
}

void bwx_search_open(void) {
    nodes = bwx_reserve(sizeof *nodes * MAX_NODES);
    choices = bwx_reserve(sizeof *choices * MAX_CHOICES);
    options = bwx_reserve(sizeof *options * MAX_OPTIONS);
    if (bwx.options.prefix != NULL)
        bwx_prefix_read(bwx.options.prefix);
    bwx_walk_open();
}

static bool walking(void) {
    return bwx.options.strategy >= BWX_PCT;
}

void bwx_search_begin(void) {
    nodes_begun = choices_begun = 0;
    nodes_repeated = node_count;
    previous = 0;
    preemptions = weak = 0;
    sleep = 0;
    memset(limits, 0, sizeof limits);
    node_of_step = BWX_NONE;
    bwx_walk_begin();
}

uint32_t bwx_search_limit(unsigned thread) {
    return limits[thread];
}

unsigned bwx_search_preemptions(void) {
    return preemptions;
}

uint32_t bwx_search_node(void) {
    return node_of_step;
}

void bwx_search_alone(void) {
    node_of_step = BWX_NONE;
}

/* How much has been explored, if what is not known yet is like what is: at each node and choice of the
 * path, the part of its alternatives that is done. */
double bwx_search_done(void) {
    if (walking())
        return 0;
    double done = 0;
    double part = 1;
    unsigned c = 0;
    for (unsigned i = 0; i <= node_count; i++) {
        for (; c < (i < node_count ? nodes[i].first_choice : choice_count); c++) {
            part /= choices[c].n;
            done += part * choices[c].now;
        }
        if (i == node_count)
            break;
        uint32_t all = nodes[i].backtrack & ~(uint32_t)nodes[i].sleep;
        part /= __builtin_popcount(all | 1U << nodes[i].thread);
        done += part * __builtin_popcount(nodes[i].done);
    }
    return node_count == bwx_prefix_nodes && choice_count == bwx_prefix_choices ? 1 : done;
}

/* ---- choosing ---- */

static void changed(const char *what) {
    bwx_find(
        BWX_NONDETERMINISM, bwx.current->op.pc, 0,
        "the same choices led to another state: at step %u %s; the program depends on something "
        "besides its schedule (time, addresses, the environment)",
        bwx.step_count, what);
}

/* The present execution repeats the path up to here: is it the same? */
static void compare(node *at, uint32_t enabled, unsigned number) {
    const bwx_op *op = &bwx.threads[at->thread].op;
    if (at->enabled != enabled)
        changed("other threads can run");
    if (number + 1 < nodes_repeated && (at->pc != op->pc || at->address != op->address))
        changed("the thread that runs next does something else");
    at->pc = op->pc;
    at->address = op->address;
}

static uint16_t bounded_set(uint32_t enabled) {
    bool could_go_on = (enabled >> previous & 1) != 0;
    if (could_go_on && preemptions >= bwx.options.preemptions) {
        bwx.limited = true;
        return (uint16_t)(1U << previous);
    }
    return (uint16_t)enabled;
}

static node *new_node(uint32_t enabled) {
    if (node_count == MAX_NODES)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0, "more than %d choices in one execution",
                 MAX_NODES);
    uint32_t candidates = enabled & ~(uint32_t)sleep;
    if (candidates == 0)
        return NULL;
    node *at = &nodes[node_count++];
    at->enabled = (uint16_t)enabled;
    at->sleep = sleep;
    at->done = 0;
    at->previous = (uint8_t)previous;
    at->first_choice = choice_count;
    at->messages = bwx.message_count;
    at->preemptions = (uint16_t)preemptions;
    memcpy(at->limits, limits, sizeof limits);
    at->thread = (uint8_t)((candidates >> previous & 1) != 0 ? previous
                                                             : (unsigned)__builtin_ctz(candidates));
    at->backtrack = (uint16_t)(1U << at->thread);
    if (bwx.options.strategy == BWX_BOUNDED)
        at->backtrack = bounded_set(enabled);
    else if (node_count <= bwx.options.split || bwx.nothing_else)
        at->backtrack =
            (uint16_t)enabled; /* whose time is over first: no step shows that it matters */
    fix_node(at, node_count - 1);
    at->pc = bwx.threads[at->thread].op.pc;
    at->address = bwx.threads[at->thread].op.address;
    return at;
}

unsigned bwx_search_thread(uint32_t enabled, bool *ended) {
    node_of_step = BWX_NONE;
    if ((enabled & (enabled - 1)) == 0) { /* one thread: nothing to choose */
        if ((enabled & sleep) != 0)
            *ended = true;
        previous = (unsigned)__builtin_ctz(enabled);
        return previous;
    }
    if (walking()) {
        node_of_step = nodes_begun++;
        unsigned chosen = bwx_walk_thread(enabled, node_of_step);
        preemptions += chosen != previous && (enabled >> previous & 1) != 0;
        previous = chosen;
        return previous;
    }
    node *at;
    if (nodes_begun < node_count) {
        at = &nodes[nodes_begun];
        compare(at, enabled, nodes_begun);
    } else {
        if (bwx.options.split > 0 && node_count >= bwx.options.split && !bwx.logging)
            bwx_end(BWX_STOPPED);
        at = new_node(enabled);
        if (at == NULL) {
            *ended = true;
            return 0;
        }
    }
    node_of_step = nodes_begun++;
    if (at->thread != at->previous && (enabled >> at->previous & 1) != 0)
        preemptions++;
    previous = at->thread;
    bwx_walk_record(true, previous);
    return previous;
}

uint32_t bwx_search_option(const uint32_t *given, unsigned n, uint32_t default_option) {
    if (walking())
        return bwx_walk_option(given, n, default_option);
    if (choices_begun < choice_count) {
        const choice *at = &choices[choices_begun++];
        uint32_t option = options[at->first + at->now];
        bool there = false;
        for (unsigned i = 0; i < n && !there; i++)
            there = given[i] == option;
        if (!there)
            changed("an operation has other results");
        weak += option != default_option;
        bwx_walk_record(false, option == default_option ? 0 : option + 1);
        return option;
    }
    if (choice_count == MAX_CHOICES || option_count + n > MAX_OPTIONS)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0, "more than %d choices in one execution",
                 MAX_CHOICES);
    choice *at = &choices[choice_count++];
    choices_begun++;
    at->first = option_count;
    at->now = 0;
    if (bwx.options.strategy == BWX_BOUNDED && weak >= bwx.options.weak) {
        bool there = false;
        for (unsigned i = 0; i < n; i++)
            there = there || given[i] == default_option;
        bwx.limited = bwx.limited || (there && n > 1);
        if (there)
            n = 1;
        options[option_count++] = there ? default_option : given[0];
        for (unsigned i = 1; i < n; i++)
            options[option_count++] = given[i];
    } else {
        memcpy(&options[option_count], given, n * sizeof *given);
        option_count += n;
    }
    at->n = (uint16_t)n;
    fix_choice(at, choice_count - 1);
    uint32_t option = options[at->first + at->now];
    weak += option != default_option;
    bwx_walk_record(false, option == default_option ? 0 : option + 1);
    return option;
}

/* ---- which steps depend on one another ---- */

static bool reads(unsigned kind) {
    return kind == BWX_LOAD || kind == BWX_RMW || kind == BWX_CAS;
}

/* Comes to a condition variable, or leaves it. */
static bool waits(unsigned kind) {
    return kind == BWX_WAIT || kind == BWX_WAKE;
}

/* Does the step that has just been done concern what thread q is about to do? */
static bool wakes(const bwx_step *step, const bwx_op *op) {
    if (step->kind == BWX_INVOKE || step->kind == BWX_RESPOND)
        return bwx.sc && (op->kind == BWX_INVOKE || op->kind == BWX_RESPOND) &&
               op->kind != step->kind;
    if (op->object == BWX_NONE || step->object == BWX_NONE)
        return false;
    if (step->kind <= BWX_CAS && op->kind <= BWX_CAS) {
        if (op->object != step->object)
            return false;
        if (!bwx.sc)
            return reads(op->kind) && (step->flags & BWX_WRITES) != 0;
        return op->kind != BWX_LOAD || (step->flags & BWX_WRITES) != 0;
    }
    if (op->object != step->object)
        return false;
    return !(waits(op->kind) && waits(step->kind));
}

static void put_to_sleep(const bwx_step *step) {
    uint16_t asleep = sleep;
    if (step->node != BWX_NONE && step->node < node_count) {
        const node *at = &nodes[step->node];
        for (uint32_t done = at->done; done != 0; done &= done - 1)
            limits[__builtin_ctz(done)] = at->messages;
        asleep |= at->done;
    }
    asleep &= (uint16_t)~(1U << step->thread);
    limits[step->thread] = 0;
    for (uint32_t rest = asleep; rest != 0; rest &= rest - 1) {
        unsigned q = (unsigned)__builtin_ctz(rest);
        if (wakes(step, &bwx.threads[q].op))
            asleep &= (uint16_t)~(1U << q);
    }
    sleep = asleep;
}

/* ---- races ---- */

/* A step of `thread`, its index-th, with `trace` before it, could have come before `early`: sees to it that
 * this is explored. `end`: the steps between the two. */
static void reverse(uint32_t early, uint32_t end, unsigned thread, const bwx_clock *trace) {
    /* What a thread has done in one piece moves with the step before, for which the thread was chosen. */
    while ((bwx_steps[early].flags & BWX_ALONE) != 0 && early > 0 &&
           bwx_steps[early - 1].thread == bwx_steps[early].thread)
        early--;
    uint32_t number = bwx_steps[early].node;
    if (number == BWX_NONE || number < bwx_prefix_nodes)
        return;
    node *at = &nodes[number];
    const bwx_step *first = &bwx_steps[early];
    /* v: the steps after `early` that do not come after it in the trace, then the late one. Which
     * threads can begin v? Those whose first step in v has none of v before it. */
    int16_t begins[BWX_THREADS];
    uint32_t seen = 0;
    uint32_t initials = 0;
    for (uint32_t i = early + 1; i <= end; i++) {
        const bwx_step *step = &bwx_steps[i];
        bool last = i == end;
        if (!last &&
            (step->kind == BWX_FENCE || step->kind == BWX_CREATE || step->kind >= BWX_PLAIN_READ ||
             step->trace.at[first->thread] >= first->index))
            continue;
        unsigned who = last ? thread : step->thread;
        if ((seen >> who & 1) != 0)
            continue;
        const bwx_clock *known = last ? trace : &step->trace;
        bool initial = true;
        for (uint32_t rest = seen; rest != 0; rest &= rest - 1) {
            unsigned u = (unsigned)__builtin_ctz(rest);
            initial = initial && known->at[u] < begins[u];
        }
        seen |= 1U << who;
        begins[who] = last ? INT16_MAX : step->index;
        initials |= (uint32_t)initial << who;
    }
    initials &= at->enabled;
    if (initials == 0 || (initials & (uint32_t)(at->backtrack | at->sleep | at->done)) != 0)
        return;
    if ((initials >> thread & 1) != 0)
        at->backtrack |= (uint16_t)(1U << thread);
    else
        at->backtrack |= (uint16_t)(initials & -initials);
}

static void reverse_steps(uint32_t early, const bwx_step *late) {
    reverse(early, (uint32_t)(late - bwx_steps), late->thread, &late->trace);
}

void bwx_search_attached(const bwx_thread *self, uint32_t message) {
    if (bwx.options.strategy != BWX_EXHAUSTIVE || nodes_begun < nodes_repeated)
        return;
    uint32_t early = bwx_messages[bwx_messages[message].after].step;
    bwx_clock trace = self->trace;
    if (bwx_messages[message].step != BWX_NONE)
        bwx_clock_join(&trace, &bwx_steps[bwx_messages[message].step].trace);
    const bwx_step *step = &bwx_steps[early];
    if (step->thread != self->id && step->index > trace.at[step->thread])
        reverse(early, bwx.step_count, self->id, &trace);
}

static bool unordered(const bwx_step *early, const bwx_step *late, const bwx_clock *before) {
    return early->thread != late->thread && early->index > before->at[early->thread];
}

static void races_at_location(const bwx_step *step, const bwx_location *location) {
    bool writes = (step->flags & BWX_WRITES) != 0;
    if (!bwx.sc) {
        for (uint32_t i = writes ? location->last_step : BWX_NONE; i != BWX_NONE;
             i = bwx_steps[i].previous)
            if ((bwx_steps[i].flags & BWX_READS) != 0 &&
                unordered(&bwx_steps[i], step, &step->trace))
                reverse_steps(i, step);
        return;
    }
    bool read_since = false;
    for (uint32_t i = writes ? location->last_step : location->last_write;
         i != location->last_write; i = bwx_steps[i].previous) {
        read_since = true;
        if (unordered(&bwx_steps[i], step, &bwx.before))
            reverse_steps(i, step);
    }
    uint32_t write = location->last_write;
    if (!read_since && write != BWX_NONE && unordered(&bwx_steps[write], step, &bwx.before))
        reverse_steps(write, step);
}

/* Objects: mutexes, condition variables, the history. */
static void races_at_object(const bwx_step *step, const bwx_location *object) {
    bool came = false;
    for (uint32_t i = object->last_step; i != BWX_NONE; i = bwx_steps[i].previous) {
        const bwx_step *early = &bwx_steps[i];
        if (step->kind == BWX_INVOKE || step->kind == BWX_RESPOND) {
            if (early->kind != step->kind && unordered(early, step, &bwx.before))
                reverse_steps(i, step);
            continue;
        }
        if (waits(step->kind) && waits(early->kind))
            continue;
        if (step->kind == BWX_SIGNAL || step->kind == BWX_BROADCAST) {
            if (!waits(early->kind) && came)
                return; /* one who came or left since is between the two */
            came = came || waits(early->kind);
            if (unordered(early, step, &bwx.before))
                reverse_steps(i, step);
            if (!waits(early->kind))
                return;
            continue;
        }
        if (early->kind == BWX_UNLOCK && !bwx.options.trylock)
            continue; /* a lock cannot come before the unlock that makes it possible */
        if (unordered(early, step, &bwx.before)) {
            reverse_steps(i, step);
            if (!bwx.options.trylock)
                return;
        }
    }
}

void bwx_search_step(const bwx_step *step, uint32_t number) {
    (void)number;
    if (bwx.options.strategy != BWX_EXHAUSTIVE)
        return;
    if (nodes_begun >= nodes_repeated && step->object != BWX_NONE) {
        const bwx_location *location = &bwx_locations[step->object];
        if (location->is_object)
            races_at_object(step, location);
        else
            races_at_location(step, location);
    }
    put_to_sleep(step);
}

/* ---- the next execution ---- */

bool bwx_search_next(void) {
    if (walking())
        return bwx.options.strategy != BWX_REPLAY && bwx.options.strategy != BWX_FOLLOW;
    for (;;) {
        unsigned first = node_count > bwx_prefix_nodes ? nodes[node_count - 1].first_choice : 0;
        if (first < bwx_prefix_choices)
            first = bwx_prefix_choices;
        while (choice_count > first) {
            choice *at = &choices[choice_count - 1];
            option_count = at->first + at->n;
            if (++at->now < at->n)
                return true;
            option_count = at->first;
            choice_count--;
        }
        if (node_count == bwx_prefix_nodes)
            return false;
        node *at = &nodes[node_count - 1];
        at->done |= (uint16_t)(1U << at->thread);
        uint32_t rest = at->backtrack & ~(uint32_t)at->done & ~(uint32_t)at->sleep;
        if (rest != 0) {
            at->thread = (uint8_t)__builtin_ctz(rest);
            return true;
        }
        node_count--;
    }
}

void bwx_search_hand_out(void) {
    static char text[1 << 16];
    size_t used = 0;
    for (unsigned i = 0; i < node_count; i++)
        used += (size_t)__builtin_snprintf(text + used, sizeof text - used, "%u:%x,",
                                           nodes[i].thread, nodes[i].done);
    used += (size_t)__builtin_snprintf(text + used, sizeof text - used, ";");
    for (unsigned i = 0; i < choice_count; i++)
        used += (size_t)__builtin_snprintf(text + used, sizeof text - used, "%u,", choices[i].now);
    bwx_report_prefix(text);
}
