/* pieces.c: an execution as a row of pieces: what each touches, who sleeps.
 *
 * A piece is what a thread does from one choice of a thread to the next: a step, and behind it steps that
 * nobody else can see (fences in sc, creations, unlocks that nobody tries) or that are made in one piece
 * with it (between bwx_setup_begin and _end). The search orders pieces; whether a step wakes a thread that
 * sleeps is decided by all steps of the piece that this one would do.
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
 * it has touched then.
 */
#include "search.h"

uint16_t bwx_asleep;
uint32_t bwx_limits[BWX_THREADS];

static bwx_touch sleeping[BWX_THREADS];
static struct {
    unsigned thread;
    uint32_t node;  /* where it was chosen; BWX_NONE: forced */
    uint32_t first; /* step */
} piece;            /* the present one */

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

static bwx_touch touch_of_step(const bwx_step *step) {
    return (bwx_touch){
        .kind = step->kind, .writes = (step->flags & BWX_WRITES) != 0, .address = step->address};
}

/* ---- pieces ---- */

void bwx_pieces_begin(void) {
    piece.node = BWX_NONE;
}

void bwx_pieces_next(unsigned thread, uint32_t node) {
    piece.thread = thread;
    piece.node = node;
    piece.first = bwx.step_count;
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

void bwx_pieces_close(void) {
    if (piece.node == BWX_NONE || piece.first >= bwx.step_count)
        return;
    bwx_touch *touch = &bwx_nodes[piece.node].touches[piece.thread];
    /* With another result it may write, or not. */
    touch->writes = touch->writes || (bwx_steps[piece.first].flags & BWX_WRITES) != 0;
    for (uint32_t i = piece.first + 1; i < bwx.step_count; i++)
        if ((bwx_steps[i].flags & BWX_ALONE) != 0)
            add_behind(touch, &bwx_steps[i]);
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
