/* deletions.c: who took the values that nobody names? See deletions.h. */
#include "deletions.h"
#include "ranges.h"

#include <stdlib.h>

struct deletion {
    uint32_t lane, record;
    uint64_t low;
    uint64_t said;      /* keys removed, says the call */
    uint64_t must, may; /* keys it took for certain, at most */
    uint64_t counted;   /* rank + 1 of the last key counted in `may` */
    uint64_t parent;    /* towards the one that stands for all it contends with … */
    uint64_t all_said, all_must, all_may; /* … which has their sums */
    bool open, all_open;                  /* it never returned, and so said nothing */
};

/* One value of a key: its life as far as the history knows it. */
struct life {
    uint64_t value, invoked, responded; /* of the write */
    uint64_t seen;                      /* invocation of the last read of it */
    bool named;                         /* a call says that it replaced or removed it */
};

struct judge {
    lin_partition *partition;
    struct deletion *deletions; /* by lane, then by record */
    uint64_t count;
    struct life *lives;
    uint64_t life_count;
    const lin_part **takers; /* deletions that pass the key, by invocation … */
    uint64_t *latest;        /* … and the latest response of the first 1, 2, … of them */
    uint64_t taker_count;
};

static bool deletes(const rec_record *r) {
    return r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE;
}

static bool collect(struct judge *j, const rec_history *h) {
    uint64_t count = 0;
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++)
            count += deletes(&h->lanes[t].records[i]);
    j->deletions = malloc((count ? count : 1) * sizeof *j->deletions);
    if (j->deletions == NULL)
        return false;
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++) {
            const rec_record *r = &h->lanes[t].records[i];
            if (!deletes(r))
                continue;
            struct deletion *d = &j->deletions[j->count];
            uint64_t high;
            *d = (struct deletion){.lane = t, .record = (uint32_t)i, .said = r->seen};
            d->open = r->responded == LIN_NEVER_RESPONDED;
            d->parent = j->count++;
            lin_range_of_deletion(r, &d->low, &high);
        }
    return true;
}

static uint64_t deletion_of(const struct judge *j, const lin_part *part) {
    uint64_t low = 0, high = j->count;
    while (low + 1 < high) {
        uint64_t middle = (low + high) / 2;
        const struct deletion *d = &j->deletions[middle];
        if (d->lane < part->lane || (d->lane == part->lane && d->record <= part->record))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t find(struct judge *j, uint64_t at) {
    while (j->deletions[at].parent != at) {
        j->deletions[at].parent = j->deletions[j->deletions[at].parent].parent;
        at = j->deletions[at].parent;
    }
    return at;
}

/* ------------------------------------------------------------------ one key ----------------- */

static int by_value(const void *a, const void *b) {
    const struct life *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static struct life *life_of(struct judge *j, uint64_t value) {
    struct life wanted = {.value = value};
    return bsearch(&wanted, j->lives, j->life_count, sizeof wanted, by_value);
}

static bool takes(const lin_part *part) {
    return part->need == LIN_ANY && part->effect == LIN_DELETES;
}

/* It may have taken or replaced a value, and nobody knows which. */
static bool is_obscure(const lin_part *part) {
    return part->responded == LIN_NEVER_RESPONDED && part->effect != LIN_KEEPS;
}

/* Fills takers and lives. False: the key's values do not tell what became of them. */
static bool read_key(struct judge *j, const lin_part *parts, uint64_t count, lin_state initial) {
    bool clear = true;
    j->taker_count = j->life_count = 0;
    if (initial.present)
        j->lives[j->life_count++] = (struct life){.value = initial.value};
    for (uint64_t i = 0; i < count; i++) {
        const lin_part *part = &parts[i];
        if (takes(part)) {
            uint64_t n = j->taker_count++;
            j->takers[n] = part;
            j->latest[n] = part->responded;
            if (n > 0 && j->latest[n - 1] > part->responded)
                j->latest[n] = j->latest[n - 1];
        }
        clear = clear && !is_obscure(part);
        if (part->effect != LIN_SETS)
            continue;
        clear = clear && (part->need == LIN_ABSENT || part->need == LIN_VALUE);
        j->lives[j->life_count++] = (struct life){
            .value = part->give, .invoked = part->invoked, .responded = part->responded};
    }
    if (j->taker_count == 0 || !clear)
        return clear;
    qsort(j->lives, j->life_count, sizeof *j->lives, by_value);
    for (uint64_t i = 1; i < j->life_count; i++)
        clear = clear && j->lives[i - 1].value != j->lives[i].value;
    for (uint64_t i = 0; i < count; i++) {
        struct life *life = parts[i].need == LIN_VALUE ? life_of(j, parts[i].want) : NULL;
        if (life == NULL)
            continue;
        life->named = life->named || parts[i].effect != LIN_KEEPS;
        if (parts[i].invoked > life->seen)
            life->seen = parts[i].invoked;
    }
    return clear;
}

/* The earliest response of a call that began after the value was written and did not find it. */
static uint64_t found_gone(const lin_part *parts, uint64_t count, const struct life *life) {
    uint64_t low = 0, high = count, gone = UINT64_MAX;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (parts[middle].invoked <= life->responded)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && parts[low].invoked <= gone; low++) {
        const lin_part *part = &parts[low];
        bool other =
            part->need == LIN_ABSENT || (part->need == LIN_VALUE && part->want != life->value);
        if (other && part->responded < gone)
            gone = part->responded;
    }
    return gone;
}

/* Every deletion that may have taken the value contends for it. */
static void contend(struct judge *j, uint64_t rank, const struct life *life, uint64_t gone) {
    uint64_t least = life->seen > life->invoked ? life->seen : life->invoked;
    uint64_t low = 0, high = j->taker_count, found = 0, one = 0;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (j->takers[middle]->invoked <= gone)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint64_t i = low; i > 0 && j->latest[i - 1] >= least; i--) {
        if (j->takers[i - 1]->responded < least)
            continue;
        uint64_t at = deletion_of(j, j->takers[i - 1]);
        struct deletion *d = &j->deletions[at];
        d->may += d->counted != rank + 1;
        d->counted = rank + 1;
        if (found++ == 0)
            one = at;
        else
            j->deletions[find(j, at)].parent = find(j, one);
    }
    if (found == 0)
        return; /* if it is gone, no order explains the key */
    struct deletion *d = &j->deletions[one];
    d->must += found == 1 && gone != UINT64_MAX;
    /* Sums are kept where they arise, and brought together at the end. */
    d->all_must += gone != UINT64_MAX;
    d->all_may++;
}

static void account(struct judge *j, uint64_t rank) {
    const lin_partition *p = j->partition;
    const lin_part *parts = p->parts + p->first[rank];
    uint64_t count = p->first[rank + 1] - p->first[rank];
    bool clear = read_key(j, parts, count, p->initial[rank]);
    if (!clear) {
        for (uint64_t i = 0; i < j->taker_count; i++) {
            struct deletion *d = &j->deletions[deletion_of(j, j->takers[i])];
            d->may++;
            d->all_may++;
        }
        return;
    }
    for (uint64_t i = 0; j->taker_count > 0 && i < j->life_count; i++)
        if (!j->lives[i].named)
            contend(j, rank, &j->lives[i], found_gone(parts, count, &j->lives[i]));
}

/* ------------------------------------------------------------------ all of them ------------- */

static void reject(struct judge *j, const struct deletion *d) {
    const lin_partition *p = j->partition;
    uint64_t rank = lin_rank(p, d->low);
    for (uint64_t i = p->first[rank]; i < p->first[rank + 1]; i++)
        if (p->parts[i].lane == d->lane && p->parts[i].record == d->record)
            p->parts[i].need = LIN_NEVER;
}

static void compare(struct judge *j) {
    for (uint64_t i = 0; i < j->count; i++) {
        struct deletion *d = &j->deletions[i], *all = &j->deletions[find(j, i)];
        all->all_said += d->said;
        all->all_open = all->all_open || d->open;
        if (all == d)
            continue;
        all->all_must += d->all_must;
        all->all_may += d->all_may;
    }
    for (uint64_t i = 0; i < j->count; i++) {
        const struct deletion *d = &j->deletions[i];
        bool together = d->parent != i || d->all_open ||
                        (d->all_must <= d->all_said && d->all_said <= d->all_may);
        if (d->open)
            continue;
        if (d->said < d->must || d->said > d->may || !together)
            reject(j, d);
    }
}

bool lin_deletions_judge(lin_partition *partition, const rec_history *history) {
    struct judge j = {.partition = partition};
    uint64_t most = 0;
    for (uint64_t i = 0; i < partition->key_count; i++)
        if (partition->first[i + 1] - partition->first[i] > most)
            most = partition->first[i + 1] - partition->first[i];
    bool enough = collect(&j, history);
    if (enough && j.count > 0) {
        j.lives = malloc((most + 1) * sizeof *j.lives);
        j.takers = malloc((most + 1) * sizeof *j.takers);
        j.latest = malloc((most + 1) * sizeof *j.latest);
        enough = j.lives && j.takers && j.latest;
        for (uint64_t i = 0; enough && i < partition->key_count; i++)
            account(&j, i);
        if (enough)
            compare(&j);
    }
    free(j.deletions);
    free(j.lives);
    free(j.takers);
    free(j.latest);
    return enough;
}
