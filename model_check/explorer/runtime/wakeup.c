/* wakeup.c: wakeup trees: what is still to be explored behind each node.
 *
 * Optimal dynamic partial order reduction (Abdulla, Aronis, Jonsson, Sagonas, "Source Sets: A Foundation for
 * Optimal Dynamic Partial Order Reduction", J. ACM 64(4), 2017). Source sets with sleep sets never complete
 * the same trace twice, but begin executions that they cannot finish: a thread is put first, and what then
 * happens has been explored. So a node keeps not only which thread is to run, but the whole sequence of
 * pieces that shows something new:
 *
 *   race      of two pieces e, e' of a finished execution E: v = those pieces behind e that do not come after
 *             it (notdep(e, E)), then e'. It is explored from e's node on, instead of e.
 *   covered   if a thread that sleeps there, or has been explored there, is a weak initial of v: its first
 *             piece in v comes after nothing in v, or it has none and is independent of all of v.
 *   insert    v goes down the node's tree along branches that are weak initials of what is left of it. At a
 *             leaf all that can follow will be explored: nothing to do. Where no branch fits, what is left
 *             becomes a new one, the last.
 *
 * A branch is a thread; beneath it, one for each result of a choice that was not the default (a failed
 * allocation, bwx_choose, which thread a signal takes): all results are explored anyway, v goes down only one
 * of them. Races are looked at when an execution is complete, all of them each time: v ends with it.
 *
 * The late piece of v is not what it was in E, since it comes before e: what it may touch is taken from
 * its pending operation (a compare-and-swap may write), and everything if the operation has ever been followed
 * by a setup piece. A thread whose loop waited can go on in v if one of the writes that it waited for is in
 * v or before e. What is taken for dependent without need costs executions, never misses one.
 *
 * Branches take room from a pool; when it is used up, a sequence is cut short: it then stands for more.
 */
#include "search.h"

typedef struct branch {
    uint32_t next;    /* of the same place, or of the free ones */
    uint32_t threads; /* what comes behind it */
    uint32_t options; /* the same, by results of its choices that are not the default */
    uint32_t label;   /* a thread, or an option … */
    uint32_t ordinal; /* … of which choice of its piece */
    bwx_touch touch;
} branch;

typedef struct race {
    uint32_t early, late; /* pieces */
    uint32_t step;        /* the late one */
} race;

enum { POOL = 1 << 20, MAX_RACES = 1 << 18 };

static branch *pool;
static uint32_t pool_used, pool_free;
static race *races;
static unsigned race_count;
static uint32_t *sequence; /* v, as pieces */
/* What is to come where the present execution leaves the last one. */
static uint32_t guide, guide_options;

void bwx_wakeup_open(void) {
    pool = bwx_reserve(sizeof *pool * POOL);
    races = bwx_reserve(sizeof *races * MAX_RACES);
    sequence = bwx_reserve(sizeof *sequence * BWX_MAX_STEPS);
    bwx_wakeup_forget();
}

void bwx_wakeup_forget(void) {
    pool_used = 0;
    pool_free = guide = guide_options = BWX_NONE;
    race_count = 0;
}

/* ---- branches ---- */

static uint32_t take(uint32_t label, uint32_t ordinal) {
    uint32_t number = pool_free;
    if (number != BWX_NONE)
        pool_free = pool[number].next;
    else if (pool_used < POOL)
        number = pool_used++;
    else
        return BWX_NONE;
    pool[number] = (branch){.next = BWX_NONE,
                            .threads = BWX_NONE,
                            .options = BWX_NONE,
                            .label = label,
                            .ordinal = ordinal};
    return number;
}

static uint32_t *end_of(uint32_t *list) {
    while (*list != BWX_NONE)
        list = &pool[*list].next;
    return list;
}

static void give_back(uint32_t number) {
    pool[number].next = pool_free;
    pool_free = number;
}

void bwx_wakeup_drop(uint32_t *branches) {
    while (*branches != BWX_NONE) {
        uint32_t number = *branches;
        *end_of(&pool[number].threads) = pool[number].options;
        *end_of(&pool[number].threads) = pool[number].next;
        *branches = pool[number].threads;
        give_back(number);
    }
}

/* Takes the branch out of its list: what is beneath it comes next. */
static void follow(uint32_t *place) {
    uint32_t number = *place;
    *place = pool[number].next;
    guide = pool[number].threads;
    guide_options = pool[number].options;
    give_back(number);
}

static void lose(void) {
    bwx_wakeup_drop(&guide);
    bwx_wakeup_drop(&guide_options);
}

static uint32_t *find(uint32_t *list, uint32_t label, uint32_t ordinal) {
    while (*list != BWX_NONE && (pool[*list].label != label || pool[*list].ordinal != ordinal))
        list = &pool[*list].next;
    return list;
}

/* ---- the search goes along them ---- */

/* Which thread runs at a new node: the first that is wanted, else `otherwise`. */
unsigned bwx_wakeup_node(bwx_node *at, uint32_t candidates, unsigned otherwise) {
    bwx_wakeup_drop(&guide_options);
    at->branches = guide;
    guide = BWX_NONE;
    bool astray = false;
    while (at->branches != BWX_NONE) {
        unsigned wanted = pool[at->branches].label;
        follow(&at->branches);
        if ((candidates >> wanted & 1) == 0) {
            astray = astray || (at->enabled >> wanted & 1) == 0;
            lose();
            continue;
        }
        if (astray)
            bwx_wakeup_every(at, candidates & ~(1U << wanted));
        return wanted;
    }
    if (astray) /* it cannot run after all: whoever can is to */
        bwx_wakeup_every(at, candidates & ~(1U << otherwise));
    return otherwise;
}

/* Each of these threads is to run at the node, too. */
void bwx_wakeup_every(bwx_node *at, uint32_t threads) {
    for (; threads != 0; threads &= threads - 1) {
        unsigned thread = (unsigned)__builtin_ctz(threads);
        uint32_t *place = find(&at->branches, thread, 0);
        if (*place != BWX_NONE)
            continue;
        uint32_t number = take(thread, 0);
        if (number == BWX_NONE)
            bwx_fatal("the wakeup trees have no room left");
        pool[number].touch = bwx_touch_of(&bwx.threads[thread].op);
        bwx_touch_anything(&pool[number].touch);
        *place = number;
    }
}

/* Only this thread can run. */
void bwx_wakeup_forced(unsigned thread) {
    bwx_wakeup_drop(&guide_options);
    uint32_t rest = guide;
    guide = BWX_NONE;
    uint32_t *place = find(&rest, thread, 0);
    if (*place != BWX_NONE)
        follow(place);
    bwx_wakeup_drop(&rest);
}

/* A new choice, the ordinal-th of its piece, of which `option` comes first. */
void bwx_wakeup_choice(bwx_option_choice *at, unsigned ordinal, uint32_t option) {
    at->branches = BWX_NONE;
    for (uint32_t *place = &guide_options; *place != BWX_NONE;) {
        uint32_t number = *place;
        if (pool[number].ordinal != ordinal) {
            place = &pool[number].next;
            continue;
        }
        *place = pool[number].next;
        pool[number].next = at->branches;
        at->branches = number;
    }
    if (option != at->usual)
        bwx_wakeup_other_option(at, option);
}

void bwx_wakeup_other_option(bwx_option_choice *at, uint32_t option) {
    lose();
    uint32_t *place = &at->branches;
    while (*place != BWX_NONE && pool[*place].label != option)
        place = &pool[*place].next;
    if (option != at->usual && *place != BWX_NONE)
        follow(place);
}

/* Goes on with another thread at the node: false if there is nothing left to be done. */
bool bwx_wakeup_other_thread(bwx_node *at) {
    lose();
    while (at->branches != BWX_NONE) {
        unsigned wanted = pool[at->branches].label;
        follow(&at->branches);
        if ((at->enabled >> wanted & 1) != 0 && ((at->done | at->sleep) >> wanted & 1) == 0) {
            at->thread = (uint8_t)wanted;
            return true;
        }
        lose();
    }
    return false;
}

unsigned bwx_wakeup_left(const bwx_node *at) {
    unsigned n = 0;
    for (uint32_t i = at->branches; i != BWX_NONE; i = pool[i].next)
        n++;
    return n;
}

/* ---- races ---- */

void bwx_wakeup_forget_races(uint32_t step) {
    while (race_count > 0 && races[race_count - 1].step >= step)
        race_count--;
}

void bwx_wakeup_race(uint32_t early, uint32_t late) {
    race found = {.early = bwx_steps[early].piece, .late = bwx_steps[late].piece, .step = late};
    if (found.early == BWX_NONE || bwx_pieces[found.early].node == BWX_NONE ||
        bwx_pieces[found.early].node < bwx_prefix_nodes)
        return; /* nobody else could run, or others see to it */
    for (unsigned i = race_count; i-- > 0 && races[i].late == found.late;)
        if (races[i].early == found.early)
            return;
    if (race_count == MAX_RACES)
        bwx_find(BWX_UNSUPPORTED, bwx_steps[late].pc, 0, "more than %d races in one execution",
                 MAX_RACES);
    races[race_count++] = found;
}

static bool comes_after(const bwx_piece *late, const bwx_piece *early) {
    return late->clock.at[early->thread] >= bwx_piece_index(early);
}

/* Can what the thread waited for be there without what comes after `first`? */
static bool can_go_on(const bwx_piece *piece, const bwx_piece *first) {
    if (!piece->waited)
        return true;
    for (unsigned i = 0; i < piece->waker_count; i++)
        if (piece->wakers[i] == BWX_NONE || !comes_after(&bwx_pieces[piece->wakers[i]], first))
            return true;
    return false;
}

static const bwx_piece *late_piece; /* of the race that is looked at … */
static bwx_touch late_touch;        /* … and what it may touch */

static const bwx_touch *touch_of(uint32_t number) {
    return &bwx_pieces[number] == late_piece ? &late_touch : &bwx_pieces[number].touch;
}

/* The place of the thread's first piece in v; n: it has none. */
static unsigned first_of(unsigned thread, const uint32_t *v, unsigned n) {
    unsigned i = 0;
    while (i < n && bwx_pieces[v[i]].thread != thread)
        i++;
    return i;
}

static bool independent(const bwx_touch *touch, const uint32_t *v, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (bwx_touches_depend(touch, touch_of(v[i])))
            return false;
    return true;
}

/* Does the i-th piece of v, its thread's first, come after nothing in v? The late
 * one comes after what its thread's last piece does, and what it depends on. */
static bool initial(const uint32_t *v, unsigned i) {
    const bwx_piece *piece = &bwx_pieces[v[i]];
    bool late = piece == late_piece;
    if (late && piece->before == BWX_NONE)
        return independent(&late_touch, v, i);
    if (late)
        piece = &bwx_pieces[piece->before];
    for (unsigned j = 0; j < i; j++)
        if (comes_after(piece, &bwx_pieces[v[j]]))
            return false;
    return !late || independent(&late_touch, v, i);
}

static bool covered(const bwx_node *at, const uint32_t *v, unsigned n) {
    for (uint32_t rest = at->sleep | at->done; rest != 0; rest &= rest - 1) {
        unsigned q = (unsigned)__builtin_ctz(rest);
        unsigned i = first_of(q, v, n);
        if (i < n ? initial(v, i) : independent(&at->touches[q], v, n))
            return true;
    }
    return false;
}

/* Goes to the branch for a result that was not the default, from `*list`'s one for the piece: for each such
 * result of it. `make`: makes what is not there. False: there is none. */
static bool follow_options(uint32_t piece, uint32_t **threads, uint32_t **options, bool make) {
    unsigned first = bwx_pieces[piece].choices;
    unsigned end =
        piece + 1 < bwx_piece_count ? bwx_pieces[piece + 1].choices : bwx_search_choices();
    for (unsigned c = first; c < end; c++) {
        const bwx_option_choice *choice = &bwx_choices[c];
        uint32_t option = bwx_options_there[choice->first + choice->now];
        if (option == choice->usual)
            continue;
        uint32_t *place = find(*options, option, c - first);
        if (*place == BWX_NONE && make)
            *place = take(option, c - first);
        if (*place == BWX_NONE)
            return false;
        *threads = &pool[*place].threads;
        *options = &pool[*place].options;
    }
    return true;
}

static void append(uint32_t *list, const uint32_t *v, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        uint32_t number = take(bwx_pieces[v[i]].thread, 0);
        if (number == BWX_NONE && i == 0)
            bwx_fatal("the wakeup trees have no room left");
        if (number == BWX_NONE)
            return;
        *end_of(list) = number;
        pool[number].touch = *touch_of(v[i]);
        list = &pool[number].threads;
        uint32_t *options = &pool[number].options;
        if (&bwx_pieces[v[i]] != late_piece && !follow_options(v[i], &list, &options, true))
            return;
    }
}

static void insert(uint32_t *list, uint32_t *v, unsigned n) {
    for (bool root = true; n > 0; root = false) {
        if (*list == BWX_NONE && !root)
            return; /* a leaf */
        unsigned i = n;
        uint32_t number = *list;
        for (; number != BWX_NONE; number = pool[number].next) {
            i = first_of(pool[number].label, v, n);
            if (i < n ? initial(v, i) : independent(&pool[number].touch, v, n))
                break;
        }
        if (number == BWX_NONE) {
            append(list, v, n);
            return;
        }
        list = &pool[number].threads;
        uint32_t *options = &pool[number].options;
        if (i == n)
            continue;
        if (&bwx_pieces[v[i]] != late_piece && !follow_options(v[i], &list, &options, false))
            return; /* all that follows this result will be explored */
        memmove(&v[i], &v[i + 1], (--n - i) * sizeof *v);
    }
}

/* v: those pieces that do not come after `first`, then the late one; 0: it cannot be reached so. */
static unsigned without(uint32_t early, uint32_t late, uint32_t *v) {
    const bwx_piece *first = &bwx_pieces[early];
    int16_t lost[BWX_THREADS]; /* from which step on, since its waiting thread cannot go on */
    bool any_lost = false;
    static const bwx_clock nothing;
    unsigned n = 0;
    for (uint32_t k = early + 1; k <= bwx_piece_count; k++) {
        bool last = k == bwx_piece_count;
        const bwx_piece *piece = &bwx_pieces[last ? late : k];
        if (!last && (k == late || comes_after(piece, first)))
            continue;
        bool stays = can_go_on(piece, first);
        const bwx_clock *known = !last                       ? &piece->clock
                                 : piece->before != BWX_NONE ? &bwx_pieces[piece->before].clock
                                                             : &nothing;
        for (unsigned u = 0; any_lost && stays && u < bwx.thread_count; u++)
            stays = known->at[u] < lost[u];
        if (!stays && last)
            return 0;
        if (!stays) {
            for (unsigned u = 0; !any_lost && u < BWX_THREADS; u++)
                lost[u] = INT16_MAX;
            any_lost = true;
            int16_t index = bwx_piece_index(piece);
            lost[piece->thread] = index < lost[piece->thread] ? index : lost[piece->thread];
            continue;
        }
        v[n++] = last ? late : k;
    }
    return n;
}

static void look_at(const race *found) {
    const bwx_piece *early = &bwx_pieces[found->early];
    const bwx_piece *late = &bwx_pieces[found->late];
    if (found->early == found->late || late->before == found->early ||
        (late->before != BWX_NONE && comes_after(&bwx_pieces[late->before], early)))
        return; /* it comes after it anyway */
    bwx_node *at = &bwx_nodes[early->node];
    unsigned n = without(found->early, found->late, sequence);
    if (n == 0 || (at->enabled >> bwx_pieces[sequence[0]].thread & 1) == 0)
        return;
    late_piece = late;
    const bwx_step *step = &bwx_steps[late->first];
    late_touch = late->touch;
    late_touch.writes = late_touch.writes || step->kind == BWX_CAS;
    uint64_t behind = bwx_may_go_on(late) ? UINT64_MAX : 0;
    late_touch.reads_behind = late_touch.writes_behind = late_touch.syncs_behind = behind;
    if (!covered(at, sequence, n))
        insert(&at->branches, sequence, n);
}

/* The late one is what the thread would do next. */
void bwx_wakeup_pending(uint32_t early, const bwx_thread *thread) {
    uint32_t number = bwx_pieces_pending(thread);
    const race found = {.early = bwx_steps[early].piece, .late = number, .step = bwx.step_count};
    if (found.early != BWX_NONE && bwx_pieces[found.early].node != BWX_NONE &&
        bwx_pieces[found.early].node >= bwx_prefix_nodes)
        look_at(&found);
}

void bwx_wakeup_insert_all(void) {
    for (unsigned i = 0; i < race_count; i++)
        look_at(&races[i]);
}
