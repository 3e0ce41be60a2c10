/* search.c: which executions are explored: exhaustive with partial-order reduction, and bounded.
 *
 * Stateless search: an execution is repeated from its beginning up to the last place where something
 * else can be chosen. A node is a place where several threads could run, a choice one where an operation
 * has several results (which message a load reads, where a store goes, …).
 *
 * Exhaustive: one execution of each set of executions that differ only in the order of independent steps
 * (pieces.c says which are). Sleep sets: a thread that has been explored at a node sleeps on the other ways
 * from there, until a step depends on what it would do; an execution in which all sleep ends. What has to be
 * explored at a node follows from the races of executions (races.c), as source sets.
 *
 * Bounded: all schedules with at most so many preemptions (a switch away from a thread that could go on)
 * and at most so many weak choices (a result other than the default one: the newest message).
 */
#include "search.h"

#include <stdlib.h>

enum { MAX_NODES = BWX_MAX_STEPS, MAX_CHOICES = 4 * BWX_MAX_STEPS, MAX_OPTIONS = 1 << 20 };

typedef struct choice {
    uint32_t first; /* of its options */
    uint16_t n, now;
} choice;

bwx_node *bwx_nodes;
static choice *choices;
static uint32_t *options_there;                   /* of the choices */
static unsigned node_count, choice_count;         /* of the present path */
static unsigned nodes_begun, choices_begun;       /* of this execution so far */
static unsigned nodes_repeated, choices_repeated; /* the path's length when it began */
static uint32_t option_count;
static unsigned previous; /* thread that ran last */
static unsigned preemptions, weak;
static uint32_t node_of_step; /* for the step that is now made */

/* Is this node one of the prefix? Then it is what the prefix says. */
static void fix_node(bwx_node *at, unsigned number) {
    if (number >= bwx_prefix_nodes)
        return;
    bwx_prefix_node(at, number);
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
    bwx_nodes = bwx_reserve(sizeof *bwx_nodes * MAX_NODES);
    choices = bwx_reserve(sizeof *choices * MAX_CHOICES);
    options_there = bwx_reserve(sizeof *options_there * MAX_OPTIONS);
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
    choices_repeated = choice_count;
    previous = 0;
    preemptions = weak = 0;
    node_of_step = BWX_NONE;
    bwx_pieces_begin();
    bwx_sleep_begin();
    bwx_walk_begin();
}

uint32_t bwx_search_limit(unsigned thread) {
    return bwx_limits[thread];
}

unsigned bwx_search_preemptions(void) {
    return preemptions;
}

bool bwx_search_fresh(void) {
    return nodes_begun >= nodes_repeated && choices_begun >= choices_repeated;
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
        for (; c < (i < node_count ? bwx_nodes[i].first_choice : choice_count); c++) {
            part /= choices[c].n;
            done += part * choices[c].now;
        }
        if (i == node_count)
            break;
        const bwx_node *at = &bwx_nodes[i];
        uint32_t all = (at->backtrack | at->done) & ~(uint32_t)at->sleep;
        part /= __builtin_popcount(all | 1U << at->thread);
        done += part * __builtin_popcount(at->done);
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
static void compare(bwx_node *at, uint32_t enabled, unsigned number) {
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

static bwx_node *new_node(uint32_t enabled) {
    if (node_count == MAX_NODES)
        bwx_find(BWX_UNSUPPORTED, bwx.current->op.pc, 0, "more than %d choices in one execution",
                 MAX_NODES);
    if (!bwx.sc && bwx.options.strategy == BWX_EXHAUSTIVE)
        bwx_sleep_on(enabled);
    uint32_t candidates = enabled & ~(uint32_t)bwx_asleep;
    if (candidates == 0)
        return NULL;
    bwx_node *at = &bwx_nodes[node_count++];
    at->enabled = (uint16_t)enabled;
    at->done = 0;
    at->previous = (uint8_t)previous;
    at->first_choice = choice_count;
    at->messages = bwx.message_count;
    at->preemptions = (uint16_t)preemptions;
    bwx_sleep_at(at);
    at->thread = (uint8_t)((candidates >> previous & 1) != 0 ? previous
                                                             : (unsigned)__builtin_ctz(candidates));
    at->backtrack = (uint16_t)(1U << at->thread);
    /* At the cut everything; and whose time is over first: no step shows that it matters. */
    bool every = node_count <= bwx.options.split || bwx.nothing_else;
    if (bwx.options.strategy == BWX_BOUNDED) {
        at->backtrack = bounded_set(enabled);
    } else if (every) {
        at->backtrack = (uint16_t)enabled;
    }
    fix_node(at, node_count - 1);
    at->pc = bwx.threads[at->thread].op.pc;
    at->address = bwx.threads[at->thread].op.address;
    return at;
}

/* Its time is over, since nobody else could go on: it comes after all that was. */
static void after_everything(bwx_thread *thread) {
    for (unsigned i = 0; i < bwx.thread_count; i++)
        bwx_clock_join(&thread->trace, &bwx.threads[i].trace);
}

unsigned bwx_search_thread(uint32_t enabled, bool *ended) {
    node_of_step = BWX_NONE;
    bool exhaustive = bwx.options.strategy == BWX_EXHAUSTIVE;
    bool fresh = exhaustive && bwx_search_fresh();
    if (fresh)
        bwx_pieces_close();
    if ((enabled & (enabled - 1)) == 0) { /* one thread: nothing to choose */
        if ((enabled & bwx_asleep) != 0)
            *ended = true;
        previous = (unsigned)__builtin_ctz(enabled);
        if (exhaustive)
            bwx_pieces_next(previous, BWX_NONE);
        return previous;
    }
    if (walking()) {
        node_of_step = nodes_begun++;
        unsigned chosen = bwx_walk_thread(enabled, node_of_step);
        preemptions += chosen != previous && (enabled >> previous & 1) != 0;
        previous = chosen;
        return previous;
    }
    bwx_node *at;
    if (nodes_begun < node_count) {
        at = &bwx_nodes[nodes_begun];
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
    if (exhaustive)
        bwx_pieces_next(previous, node_of_step);
    if (bwx.nothing_else && exhaustive)
        after_everything(&bwx.threads[previous]);
    bwx_walk_record(true, previous);
    return previous;
}

uint32_t bwx_search_option(const uint32_t *given, unsigned n, uint32_t default_option) {
    if (walking())
        return bwx_walk_option(given, n, default_option);
    if (choices_begun < choice_count) {
        const choice *at = &choices[choices_begun++];
        uint32_t option = options_there[at->first + at->now];
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
        options_there[option_count++] = there ? default_option : given[0];
        for (unsigned i = 1; i < n; i++)
            options_there[option_count++] = given[i];
    } else {
        memcpy(&options_there[option_count], given, n * sizeof *given);
        option_count += n;
    }
    at->n = (uint16_t)n;
    fix_choice(at, choice_count - 1);
    uint32_t option = options_there[at->first + at->now];
    weak += option != default_option;
    bwx_walk_record(false, option == default_option ? 0 : option + 1);
    return option;
}

void bwx_search_step(const bwx_step *step) {
    if (bwx.options.strategy != BWX_EXHAUSTIVE)
        return;
    if (bwx_search_fresh() && step->object != BWX_NONE)
        bwx_races_at(step);
    bwx_sleep_step(step);
}

/* ---- the next execution ---- */

void bwx_search_end(void) {
    if (bwx.options.strategy != BWX_EXHAUSTIVE)
        return;
    bwx_pieces_close();
    if (bwx.ending == BWX_COMPLETE || bwx.ending == BWX_CUT)
        bwx_races_at_end();
}

/* Goes on with another thread at the last node; false if nothing is left there. */
static bool other_thread(bwx_node *at) {
    at->done |= (uint16_t)(1U << at->thread);
    uint32_t rest = at->backtrack & ~(uint32_t)at->done & ~(uint32_t)at->sleep;
    if (rest != 0)
        at->thread = (uint8_t)__builtin_ctz(rest);
    return rest != 0;
}

bool bwx_search_next(void) {
    if (walking())
        return bwx.options.strategy != BWX_REPLAY && bwx.options.strategy != BWX_FOLLOW;
    for (;;) {
        unsigned first = node_count > bwx_prefix_nodes ? bwx_nodes[node_count - 1].first_choice : 0;
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
        if (other_thread(&bwx_nodes[node_count - 1]))
            return true;
        node_count--;
    }
}

void bwx_search_hand_out(void) {
    static char text[1 << 16];
    size_t used = 0;
    for (unsigned i = 0; i < node_count && used < sizeof text; i++)
        used += bwx_prefix_write(&bwx_nodes[i], text + used, sizeof text - used);
    if (used < sizeof text)
        used += (size_t)__builtin_snprintf(text + used, sizeof text - used, ";");
    for (unsigned i = 0; i < choice_count && used < sizeof text; i++)
        used += (size_t)__builtin_snprintf(text + used, sizeof text - used, "%u,", choices[i].now);
    if (used >= sizeof text)
        bwx_fatal("a prefix of more than %zu characters cannot be handed out", sizeof text);
    bwx_report_prefix(text);
}
