/* differential.c: see differential.h. */
#include "differential.h"
#include "judge.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ random histories -------- */

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t below(uint64_t *dice, uint32_t bound) {
    return (uint32_t)((draw(dice) >> 32) * bound >> 32);
}

enum style { NAMED, BLIND, MIXED, STYLES };

/* A step that is possible in the state, which it changes. */
static lin_part right_part(uint64_t *dice, enum style style, uint32_t index, lin_state *state) {
    lin_part part = {.record = index, .need = LIN_ABSENT};
    if (state->present) {
        part.need = style == MIXED && below(dice, 5) == 0 ? LIN_SOME : LIN_VALUE;
        part.want = part.need == LIN_VALUE ? state->value : 0;
    }
    uint32_t what = below(dice, 8);
    bool blind = (style == BLIND && what < 5) || (style == MIXED && below(dice, 6) == 0);
    if (what < 3) {
        part.effect = LIN_KEEPS;
    } else if (what < 7 || style == BLIND) {
        part.effect = LIN_SETS;
        part.give = style == MIXED && below(dice, 4) == 0 ? 1 + below(dice, 3) : 100 + index;
    } else {
        part.effect = LIN_DELETES;
    }
    if (blind && (part.effect != LIN_KEEPS || below(dice, 4) == 0)) {
        part.need = LIN_ANY;
        part.want = 0;
    }
    if (part.effect != LIN_KEEPS)
        *state = (lin_state){part.give, part.effect == LIN_SETS};
    return part;
}

static void spoil(uint64_t *dice, lin_part *parts, uint32_t count) {
    lin_part *part = &parts[below(dice, count)], *other = &parts[below(dice, count)];
    uint32_t shift = below(dice, 30);
    switch (below(dice, 6)) {
    case 0: /* in time */
        part->invoked += shift;
        if (part->responded != LIN_NEVER_RESPONDED)
            part->responded += shift;
        break;
    case 1:
        part->invoked -= shift < part->invoked ? shift : 0;
        if (part->responded != LIN_NEVER_RESPONDED)
            part->responded =
                part->responded > part->invoked + shift ? part->responded - shift : part->invoked;
        break;
    case 2:
        part->need = LIN_VALUE;
        part->want = other->effect == LIN_SETS ? other->give : 100 + below(dice, count);
        break;
    case 3:
        part->need = LIN_ABSENT;
        part->want = 0;
        break;
    case 4: { /* exchanged results */
        lin_part spare = *part;
        part->need = other->need;
        part->want = other->want;
        other->need = spare.need;
        other->want = spare.want;
        break;
    }
    default: *part = *other; break;
    }
}

uint32_t lin_random_parts(uint64_t seed, uint64_t number, lin_part *parts, lin_state *initial) {
    uint64_t dice = seed * UINT64_C(0xd1342543de82ef95) + number;
    uint32_t count = 1 + below(&dice, LIN_RANDOM_PARTS - 1);
    enum style style = (enum style)below(&dice, STYLES);
    static const uint32_t widths[] = {0, 6, 14, 45, 120};
    uint32_t width = widths[below(&dice, 5)], often = below(&dice, 3) == 0 ? 4 : 1000;
    lin_state state = {.present = below(&dice, 2)};
    state.value = state.present;
    *initial = state;
    for (uint32_t i = 0; i < count; i++) {
        lin_part part = right_part(&dice, style, i, &state);
        uint32_t at = 10 * i + 130;
        part.invoked = at - below(&dice, width + 1);
        part.responded =
            below(&dice, often) == 0 ? LIN_NEVER_RESPONDED : (uint64_t)at + below(&dice, width + 1);
        parts[i] = part;
    }
    while (below(&dice, 2) == 0)
        spoil(&dice, parts, count);
    for (uint32_t i = 1; i < count; i++) {
        lin_part part = parts[i];
        uint32_t at = i;
        for (; at > 0 && parts[at - 1].invoked > part.invoked; at--)
            parts[at] = parts[at - 1];
        parts[at] = part;
    }
    return count;
}

/* ------------------------------------------------------------------ all orders -------------- */

struct orders {
    const lin_part *parts;
    uint32_t count, demanded; /* bits of parts that responded */
    bool tried[1 << LIN_RANDOM_PARTS][LIN_RANDOM_PARTS + 2];
};

/* States by number: absent, the first state, what part 0, 1, ... wrote. The numbers of equal states may
 * differ: they are tried twice then. */
static bool try_all(struct orders *o, uint32_t done, uint32_t number, lin_state state) {
    if ((done & o->demanded) == o->demanded)
        return true;
    if (o->tried[done][number])
        return false;
    o->tried[done][number] = true;
    uint64_t end = UINT64_MAX;
    for (uint32_t i = 0; i < o->count; i++)
        if (!(done >> i & 1) && o->parts[i].responded < end)
            end = o->parts[i].responded;
    for (uint32_t i = 0; i < o->count; i++) {
        const lin_part *part = &o->parts[i];
        lin_state after = state;
        if ((done >> i & 1) || part->invoked > end || lin_step(NULL, part, &after) != 1)
            continue;
        uint32_t next = part->effect == LIN_KEEPS ? number : part->effect == LIN_SETS ? i + 2 : 0;
        if (try_all(o, done | 1u << i, next, after))
            return true;
    }
    return false;
}

static int judge_by_all_orders(struct orders *o, const lin_part *parts, uint32_t count,
                               lin_state initial) {
    memset(o->tried, 0, ((size_t)1 << count) * sizeof *o->tried);
    o->parts = parts;
    o->count = count;
    o->demanded = 0;
    for (uint32_t i = 0; i < count; i++)
        if (parts[i].responded != LIN_NEVER_RESPONDED)
            o->demanded |= 1u << i;
    return try_all(o, 0, 1, initial) ? LIN_OK : LIN_VIOLATION;
}

/* Does the order explain every result, keep the order of time, and hold all that must be in it? */
static bool explains(const lin_part *parts, uint32_t count, lin_state state,
                     const uint32_t *order) {
    uint32_t done = 0, length = 0;
    while (length < count && order[length] != LIN_NO_PART)
        length++;
    for (uint32_t at = 0; at < length; at++) {
        const lin_part *part = &parts[order[at]];
        for (uint32_t later = at + 1; later < length; later++)
            if (parts[order[later]].responded < part->invoked)
                return false;
        if ((done >> order[at] & 1) || lin_step(NULL, part, &state) != 1)
            return false;
        done |= 1u << order[at];
    }
    for (uint32_t i = 0; i < count; i++)
        if (!(done >> i & 1) && parts[i].responded != LIN_NEVER_RESPONDED)
            return false;
    return true;
}

/* ------------------------------------------------------------------ comparing --------------- */

enum { WAYS = 3 };

/* False: they disagree, and how stands in *c. */
static bool agree(lin_judge *judge, struct orders *orders, const lin_part *parts, uint32_t count,
                  lin_state initial, lin_comparison *c) {
    static const int ways[WAYS] = {LIN_FORCED, LIN_SEARCHED, LIN_DEEP};
    uint32_t order[LIN_RANDOM_PARTS];
    uint64_t failed;
    int truth = judge_by_all_orders(orders, parts, count, initial);
    c->verdicts[WAYS] = truth;
    for (int way = 0; way < WAYS; way++) {
        lin_judge_use(judge, ways[way]);
        c->verdicts[way] = lin_judge_parts(judge, parts, count, &initial, 1, &failed, order);
        c->what = 0;
        if (c->verdicts[way] == LIN_NOT_FORCED)
            continue;
        if (c->verdicts[way] != truth)
            return false;
        c->what = way + 1;
        if (truth == LIN_OK && !explains(parts, count, initial, order))
            return false;
    }
    c->forced += c->verdicts[0] != LIN_NOT_FORCED;
    c->right += truth == LIN_OK;
    return true;
}

int lin_compare(uint64_t seed, uint64_t first, uint64_t last, lin_comparison *c) {
    lin_limits limits = {.configurations = UINT64_C(1) << 20};
    lin_judge *judge = lin_judge_new(&limits, NULL);
    struct orders *orders = malloc(sizeof *orders);
    int result = judge != NULL && orders != NULL ? 0 : -2;
    *c = (lin_comparison){0};
    for (uint64_t number = first; result == 0 && number < last; number++) {
        lin_part parts[LIN_RANDOM_PARTS];
        lin_state initial;
        uint32_t count = lin_random_parts(seed, number, parts, &initial);
        bool open = false;
        for (uint32_t i = 0; i < count; i++)
            open = open || parts[i].responded == LIN_NEVER_RESPONDED;
        c->compared++;
        c->open += open;
        c->long_ones += count >= 6;
        if (!agree(judge, orders, parts, count, initial, c)) {
            c->disputed = number;
            result = -1;
        }
    }
    lin_judge_free(judge);
    free(orders);
    return result;
}
