/* pieces.c: an execution as a row of pieces: what each touches, what it comes after, who sleeps.
 *
 * A piece is what a thread does from one choice of a thread to the next: a step, and behind it steps that
 * nobody else can see (fences in sc, creations, unlocks that nobody tries) or that are made in one piece
 * with it (between bwx_setup_begin and _end). The search orders pieces; that two of them depend on one
 * another is decided by all of their steps.
 *
 * Two steps depend on one another when
 *   sc    they touch the same location and one of them writes it;
 *   rc11  the load reads from the store, or two RMWs could read the same message: nothing else of an
 *         execution graph depends on the order of its steps (machine.c). A thread whose load sleeps has
 *         explored the messages that there were; it wakes when a new one arrives, and then reads only
 *         messages that are new (limits);
 * and in both: operations on the same mutex or condition variable, and marks of a history.
 *
 * What a piece does behind its first step is known when it has been done: a thread goes to sleep with what
 * it has touched then. For a piece that has not been done in this place (the late one of a race), it is
 * known only whether its first step has ever been followed by something (may_go_on).
 */
#include "search.h"

enum { GOES_ON = 1024 };

bwx_piece *bwx_pieces;
unsigned bwx_piece_count;
uint16_t bwx_asleep;
uint32_t bwx_limits[BWX_THREADS];
bool bwx_pieces_news;

static bwx_touch sleeping[BWX_THREADS];
static uint32_t last_piece[BWX_THREADS];
static unsigned threads_known;
static bool behind_known; /* some piece has had something behind its first step */
static uint32_t
    goes_on[GOES_ON]; /* first steps that have, by their place in the program; a hash table */
static unsigned goes_on_count;

/* ---- what depends on what ---- */

static bool is_access(unsigned kind) {
    return kind <= BWX_CAS;
}

static bool is_mark(unsigned kind) {
    return kind == BWX_INVOKE || kind == BWX_RESPOND;
}

static bool is_sync(unsigned kind) {
    return kind >= BWX_LOCK && kind <= BWX_BROADCAST;
}

/* Comes to a condition variable, or leaves it. */
static bool waits(unsigned kind) {
    return kind == BWX_WAIT || kind == BWX_WAKE;
}

static uint64_t bit_of(uintptr_t address) {
    return UINT64_C(1) << (((address >> 2) * UINT64_C(0x9e3779b97f4a7c15)) >> 58);
}

static bool first_steps_depend(const bwx_touch *one, const bwx_touch *other) {
    if (is_mark(one->kind))
        return is_mark(other->kind) && one->kind != other->kind;
    if (one->address != other->address)
        return false;
    if (is_access(one->kind))
        return is_access(other->kind) && (one->writes || other->writes);
    return is_sync(one->kind) && is_sync(other->kind) && !(waits(one->kind) && waits(other->kind));
}

/* Does `step` touch what has been done in one piece behind the step of `other`? */
static bool meets_behind(const bwx_touch *step, const bwx_touch *other) {
    if (is_sync(step->kind))
        return (other->syncs_behind & bit_of(step->address)) != 0;
    if (!is_access(step->kind)) /* all bits: marks are there, too */
        return is_mark(step->kind) && ~other->syncs_behind == 0;
    uint64_t met = other->writes_behind | (step->writes ? other->reads_behind : 0);
    return (met & bit_of(step->address)) != 0;
}

bool bwx_touches_depend(const bwx_touch *one, const bwx_touch *other) {
    return first_steps_depend(one, other) || meets_behind(one, other) || meets_behind(other, one) ||
           (one->syncs_behind & other->syncs_behind) != 0 ||
           (one->writes_behind & (other->reads_behind | other->writes_behind)) != 0 ||
           (one->reads_behind & other->writes_behind) != 0;
}

bwx_touch bwx_touch_of(const bwx_op *op) {
    return (bwx_touch){.kind = op->kind,
                       .writes = is_access(op->kind) && op->kind != BWX_LOAD,
                       .address = op->address};
}

void bwx_touch_anything(bwx_touch *touch) {
    touch->writes = is_access(touch->kind) && touch->kind != BWX_LOAD;
    touch->reads_behind = touch->writes_behind = touch->syncs_behind = UINT64_MAX;
}

static bwx_touch touch_of_step(const bwx_step *step) {
    return (bwx_touch){
        .kind = step->kind, .writes = (step->flags & BWX_WRITES) != 0, .address = step->address};
}

/* ---- pieces ---- */

void bwx_pieces_open(void) {
    bwx_pieces = bwx_reserve(sizeof *bwx_pieces * BWX_MAX_STEPS);
}

void bwx_pieces_begin(void) {
    bwx_piece_count = 0;
    threads_known = 0;
}

int16_t bwx_piece_index(const bwx_piece *piece) {
    return bwx_steps[piece->first].index;
}

/* The pieces one of which had to write for the thread's loop to go on. */
static void note_wakers(bwx_piece *piece, const bwx_thread *thread) {
    for (unsigned i = 0; i < thread->awaits; i++) {
        const bwx_location *location = &bwx_locations[thread->awaited[i].object];
        uint32_t newer = location->made ? bwx_messages[thread->awaited[i].message].after : BWX_NONE;
        if (newer == BWX_NONE || bwx_messages[newer].step == BWX_NONE)
            continue;
        piece->wakers[piece->waker_count++] = bwx_steps[bwx_messages[newer].step].piece;
    }
    piece->waited = piece->waker_count > 0;
}

void bwx_pieces_next(unsigned thread, uint32_t node, unsigned choices) {
    while (threads_known < bwx.thread_count) /* created in the piece that has just ended */
        last_piece[threads_known++] = bwx_piece_count - 1;
    bwx_piece *piece = &bwx_pieces[bwx_piece_count];
    piece->thread = (uint8_t)thread;
    piece->node = node;
    piece->first = bwx.step_count;
    piece->choices = choices;
    piece->before = last_piece[thread];
    piece->waited = false;
    piece->waker_count = 0;
    if (bwx.threads[thread].awaits > 0)
        note_wakers(piece, &bwx.threads[thread]);
    last_piece[thread] = bwx_piece_count++;
}

static void add_behind(bwx_touch *touch, const bwx_step *step) {
    if (is_access(step->kind) && (step->flags & BWX_WRITES) != 0)
        touch->writes_behind |= bit_of(step->address);
    else if (is_access(step->kind))
        touch->reads_behind |= bit_of(step->address);
    else if (is_sync(step->kind))
        touch->syncs_behind |= bit_of(step->address);
    else if (is_mark(step->kind))
        touch->syncs_behind = UINT64_MAX;
}

/* Pieces move whole: what comes after a step of one comes after all of it. */
static void complete_clock(bwx_clock *clock) {
    for (unsigned u = 0; u < bwx.thread_count; u++) {
        uint32_t number = u < threads_known ? last_piece[u] : BWX_NONE;
        if (clock->at[u] == 0)
            continue;
        while (number != BWX_NONE && bwx_pieces[number].thread == u &&
               bwx_piece_index(&bwx_pieces[number]) > clock->at[u])
            number = bwx_pieces[number].before;
        if (number != BWX_NONE && number + 1 < bwx_piece_count)
            bwx_clock_join(clock, &bwx_pieces[number].clock);
    }
}

static uint32_t *goes_on_at(uint32_t pc) {
    unsigned at = (pc * 2654435761U) % GOES_ON;
    while (goes_on[at] != 0 && goes_on[at] != pc)
        at = (at + 1) % GOES_ON;
    return &goes_on[at];
}

static void note_goes_on(uint32_t pc) {
    uint32_t *place = goes_on_at(pc);
    if (*place == pc)
        return;
    if (goes_on_count + 1 == GOES_ON)
        bwx_fatal("more than %d places of the program are followed by a setup piece", GOES_ON - 1);
    goes_on_count++;
    *place = pc;
    bwx_pieces_news = true;
}

bool bwx_may_go_on(const bwx_piece *late) {
    return goes_on_count > 0 && *goes_on_at(bwx_steps[late->first].pc) != 0;
}

void bwx_pieces_close(void) {
    if (bwx_piece_count == 0)
        return;
    bwx_piece *piece = &bwx_pieces[bwx_piece_count - 1];
    if (piece->first >= bwx.step_count)
        return;
    const bwx_step *first = &bwx_steps[piece->first];
    piece->touch = touch_of_step(first);
    piece->clock = first->trace;
    for (uint32_t i = piece->first + 1; i < bwx.step_count; i++) {
        bwx_clock_join(&piece->clock, &bwx_steps[i].trace);
        if ((bwx_steps[i].flags & BWX_ALONE) != 0)
            add_behind(&piece->touch, &bwx_steps[i]);
    }
    if ((piece->touch.reads_behind | piece->touch.writes_behind | piece->touch.syncs_behind) != 0) {
        behind_known = true;
        note_goes_on(first->pc);
    }
    if (behind_known) {
        if (piece->before != BWX_NONE)
            bwx_clock_join(&piece->clock, &bwx_pieces[piece->before].clock);
        complete_clock(&piece->clock);
    }
    if (piece->node == BWX_NONE)
        return;
    bwx_touch *touch = &bwx_nodes[piece->node].touches[piece->thread];
    touch->writes |= piece->touch.writes; /* with another result it may write, or not */
    touch->reads_behind |= piece->touch.reads_behind;
    touch->writes_behind |= piece->touch.writes_behind;
    touch->syncs_behind |= piece->touch.syncs_behind;
}

/* A piece that the thread would begin next, and its step, behind the others; they do not count. */
uint32_t bwx_pieces_pending(const bwx_thread *thread) {
    bwx_steps[bwx.step_count] = (bwx_step){.thread = thread->id,
                                           .kind = thread->op.kind,
                                           .index = (int16_t)(thread->steps + 1),
                                           .pc = thread->op.pc,
                                           .trace = thread->trace};
    bwx_pieces[bwx_piece_count] = (bwx_piece){.thread = thread->id,
                                              .node = BWX_NONE,
                                              .first = bwx.step_count,
                                              .before = last_piece[thread->id],
                                              .touch = bwx_touch_of(&thread->op),
                                              .clock = thread->trace};
    return bwx_piece_count;
}

/* ---- who sleeps ---- */

void bwx_sleep_begin(void) {
    bwx_asleep = 0;
    memset(bwx_limits, 0, sizeof bwx_limits);
}

void bwx_sleep_at(bwx_node *at) {
    at->sleep = bwx_asleep;
    for (uint32_t rest = at->enabled; rest != 0; rest &= rest - 1) {
        unsigned q = (unsigned)__builtin_ctz(rest);
        if ((bwx_asleep >> q & 1) != 0)
            at->touches[q] = sleeping[q];
        else
            at->touches[q] =
                (bwx_touch){.kind = bwx.threads[q].op.kind, .address = bwx.threads[q].op.address};
    }
}

/* A new message has woken them, but it is not for them to read: they sleep until there is another one. */
void bwx_sleep_on(uint32_t threads) {
    for (uint32_t rest = threads & ~(uint32_t)bwx_asleep; rest != 0; rest &= rest - 1) {
        unsigned q = (unsigned)__builtin_ctz(rest);
        if (bwx_limits[q] > 0 && !bwx_finds_news(&bwx.threads[q]))
            bwx_asleep |= (uint16_t)(1U << q);
    }
}

void bwx_sleep_step(const bwx_step *step) {
    uint16_t asleep = bwx_asleep;
    if (step->node != BWX_NONE) {
        const bwx_node *at = &bwx_nodes[step->node];
        for (uint32_t done = at->done; done != 0; done &= done - 1) {
            unsigned q = (unsigned)__builtin_ctz(done);
            bwx_limits[q] = at->messages;
            sleeping[q] = at->touches[q];
        }
        asleep |= at->done;
    }
    asleep &= (uint16_t)~(1U << step->thread);
    bwx_limits[step->thread] = 0;
    bwx_asleep = asleep;
    if (asleep == 0)
        return;
    const bwx_touch touch = touch_of_step(step);
    for (uint32_t rest = asleep; rest != 0; rest &= rest - 1) {
        unsigned q = (unsigned)__builtin_ctz(rest);
        const bwx_touch *other = &sleeping[q];
        bool behind = meets_behind(&touch, other);
        bool woken = behind || first_steps_depend(&touch, other);
        if (woken && !bwx.sc && is_access(step->kind)) { /* only a new message is news */
            bool news = (step->flags & BWX_WRITES) != 0;
            behind = behind && news;
            woken = behind || (news && other->kind != BWX_STORE);
        }
        if (!woken)
            continue;
        bwx_asleep &= (uint16_t)~(1U << q);
        if (behind) /* what it reads behind may be new, with an old first message, too */
            bwx_limits[q] = 0;
    }
}
