/* depth.c: one way after another. See depth.h. */
#include "depth.h"

#define RESPONSE (UINT32_C(1) << 31) /* of an event: the part responds; otherwise it is invoked */

struct frame {
    uint32_t event;           /* the response that waits for a choice */
    uint32_t choice;          /* the next slot to try; DEMANDED, then 0, 1, ... */
    uint64_t entered, chosen; /* length of the trail before this frame, and before its choices */
};

#define DEMANDED UINT32_MAX

/* Configurations with their event as `node`. */
struct memory {
    unsigned char *items;
    uint32_t *table;
    uint64_t count, capacity, mask;
};

struct depth {
    lin_depth_task *task;
    uint32_t words;
    uint32_t *events;
    uint64_t event_count, at; /* events before `at` have happened */
    uint32_t *slot;           /* of each part */
    uint64_t *occupied, *mutators;
    uint32_t *part; /* in each slot */
    unsigned char *frames;
    uint64_t depth, frame_capacity;
    uint64_t trail_capacity;
    struct memory memory;
    uint64_t furthest;
    int trouble;
};

static struct frame *frame_at(const struct depth *d, uint64_t index) {
    return (struct frame *)(void *)(d->frames +
                                    index * (sizeof(struct frame) + config_size(d->words)));
}

/* Each frame is followed by its configuration. */
static configuration *config_of(struct frame *frame) {
    return (configuration *)(void *)(frame + 1);
}

/* ------------------------------------------------------------------ events ------------------ */

struct due {
    uint64_t time;
    uint32_t part;
};

static int by_time(const void *a, const void *b) {
    const struct due *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

static bool says_something(const lin_part *part) {
    return part->effect != LIN_KEEPS || part->responded != LIN_NEVER_RESPONDED;
}

static bool lay_out_events(struct depth *d) {
    const lin_depth_task *task = d->task;
    const lin_slots *slots = task->slots;
    uint64_t left = task->count - task->next, most = left + slots->taken, due_count = 0;
    struct due *due = malloc((most + 1) * sizeof *due);
    d->events = malloc((2 * most + 1) * sizeof *d->events);
    d->slot = malloc((task->count + 1) * sizeof *d->slot);
    lin_slots run;
    bool enough = lin_slots_make(&run, slots->words) && due && d->events && d->slot;
    for (uint32_t s = 0; enough && s < 64 * slots->words; s++) {
        if (!bit_is_set(slots->occupied, s))
            continue;
        d->slot[slots->part[s]] = s;
        if (!bit_is_set(slots->open, s))
            due[due_count++] = (struct due){task->parts[slots->part[s]].responded, slots->part[s]};
    }
    for (uint64_t i = task->next; enough && i < task->count; i++)
        if (task->parts[i].responded != LIN_NEVER_RESPONDED)
            due[due_count++] = (struct due){task->parts[i].responded, (uint32_t)i};
    if (enough) {
        qsort(due, due_count, sizeof *due, by_time);
        memcpy(run.occupied, slots->occupied, slots->words * sizeof(uint64_t));
    }
    uint64_t next = task->next, first = 0;
    while (enough && (next < task->count || first < due_count)) {
        if (next < task->count &&
            (first == due_count || task->parts[next].invoked <= due[first].time)) {
            uint32_t part = (uint32_t)next++, w = 0;
            if (!says_something(&task->parts[part]))
                continue;
            while (w < run.words && run.occupied[w] == UINT64_MAX)
                w++;
            if (w == run.words) {
                d->trouble = LIN_UNKNOWN_LIMIT; /* wider configurations are needed first */
                break;
            }
            d->slot[part] = 64 * w + (uint32_t)__builtin_ctzll(~run.occupied[w]);
            set_bit(run.occupied, d->slot[part]);
            d->events[d->event_count++] = part;
        } else {
            clear_bit(run.occupied, d->slot[due[first].part]);
            d->events[d->event_count++] = RESPONSE | due[first++].part;
        }
    }
    lin_slots_free(&run);
    free(due);
    return enough;
}

static void happen(struct depth *d, uint32_t event) {
    uint32_t part = event & ~RESPONSE, slot = d->slot[part];
    if (event & RESPONSE) {
        clear_bit(d->occupied, slot);
        return;
    }
    set_bit(d->occupied, slot);
    d->part[slot] = part;
    if (d->task->parts[part].effect == LIN_KEEPS)
        clear_bit(d->mutators, slot);
    else
        set_bit(d->mutators, slot);
}

/* Back to the moment before the event. */
static void undo(struct depth *d, uint32_t event) {
    if (event & RESPONSE)
        happen(d, event & ~RESPONSE);
    else
        clear_bit(d->occupied, d->slot[event]);
}

static void go_back(struct depth *d, uint64_t event) {
    while (d->at > event)
        undo(d, d->events[--d->at]);
}

/* ------------------------------------------------------------------ memory ------------------ */

static uint64_t hash_of(const struct depth *d, const configuration *c) {
    uint64_t x = (c->value + c->present) * UINT64_C(0x9e3779b97f4a7c15) ^ c->node;
    for (uint32_t w = 0; w < d->words; w++)
        x = (x ^ (x >> 29) ^ c->done[w]) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return x ^ (x >> 31);
}

static bool enlarge(struct depth *d) {
    struct memory *m = &d->memory;
    size_t size = config_size(d->words);
    uint64_t capacity = m->capacity ? 2 * m->capacity : 1024;
    unsigned char *items = realloc(m->items, capacity * size);
    if (items != NULL)
        m->items = items;
    uint32_t *table = calloc(2 * capacity, sizeof *table);
    if (items == NULL || table == NULL || capacity > UINT32_MAX / 2) {
        free(table);
        return false;
    }
    free(m->table);
    m->table = table;
    m->capacity = capacity;
    m->mask = 2 * capacity - 1;
    for (uint64_t i = 0; i < m->count; i++) {
        uint64_t at = hash_of(d, (const configuration *)(void *)(m->items + i * size)) & m->mask;
        while (table[at] != 0)
            at = (at + 1) & m->mask;
        table[at] = (uint32_t)(i + 1);
    }
    return true;
}

/* False: it was there before, or there is trouble. */
static bool remember(struct depth *d, const configuration *c) {
    struct memory *m = &d->memory;
    size_t size = config_size(d->words);
    if (m->count == m->capacity && !enlarge(d)) {
        d->trouble = LIN_UNKNOWN_MEMORY;
        return false;
    }
    uint64_t at = hash_of(d, c) & m->mask;
    for (; m->table[at] != 0; at = (at + 1) & m->mask)
        if (memcmp(m->items + (m->table[at] - 1) * size, c, size) == 0)
            return false;
    if (m->count >= d->task->most) {
        d->trouble = LIN_UNKNOWN_LIMIT;
        return false;
    }
    memcpy(m->items + m->count++ * size, c, size);
    m->table[at] = (uint32_t)m->count;
    return true;
}

/* ------------------------------------------------------------------ steps ------------------- */

static bool step(struct depth *d, configuration *c, uint32_t slot) {
    lin_depth_task *task = d->task;
    uint32_t part = d->part[slot];
    lin_state state = {c->value, c->present};
    int possible = lin_step(task->model, &task->parts[part], &state);
    if (possible < 0)
        d->trouble = LIN_UNKNOWN_MODEL;
    if (possible <= 0)
        return false;
    c->value = state.value;
    c->present = state.present;
    set_bit(c->done, slot);
    if (task->step_count == d->trail_capacity) {
        uint64_t capacity = d->trail_capacity ? 2 * d->trail_capacity : 1024;
        uint32_t *steps = realloc(task->steps, capacity * sizeof *steps);
        if (steps == NULL) {
            d->trouble = LIN_UNKNOWN_MEMORY;
            return false;
        }
        task->steps = steps;
        d->trail_capacity = capacity;
    }
    task->steps[task->step_count++] = part;
    return true;
}

static void settle(struct depth *d, configuration *c) {
    for (uint32_t w = 0; w < d->words; w++) {
        uint64_t reads = d->occupied[w] & ~d->mutators[w] & ~c->done[w];
        for (; reads != 0; reads &= reads - 1)
            (void)step(d, c, 64 * w + (uint32_t)__builtin_ctzll(reads));
    }
}

/* Through all events up to the next response that calls for a choice. */
static void advance(struct depth *d, configuration *c) {
    for (; d->at < d->event_count && d->trouble == LIN_OK; d->at++) {
        uint32_t event = d->events[d->at], slot = d->slot[event & ~RESPONSE];
        if (event & RESPONSE) {
            if (!bit_is_set(c->done, slot))
                return;
            clear_bit(c->done, slot);
            happen(d, event);
            continue;
        }
        happen(d, event);
        if (!bit_is_set(d->mutators, slot))
            (void)step(d, c, slot);
    }
}

/* Another in flight does the same and must respond earlier: that one goes first. */
static bool may_go(const struct depth *d, const configuration *c, uint32_t slot) {
    const lin_part *parts = d->task->parts, *part = &parts[d->part[slot]];
    for (uint32_t w = 0; w < d->words; w++) {
        uint64_t others = d->occupied[w] & d->mutators[w] & ~c->done[w];
        for (; others != 0; others &= others - 1) {
            uint32_t other = 64 * w + (uint32_t)__builtin_ctzll(others);
            const lin_part *twin = &parts[d->part[other]];
            if (other != slot && lin_same_effect(part, twin) &&
                (twin->responded < part->responded ||
                 (twin->responded == part->responded && other < slot)))
                return false;
        }
    }
    return true;
}

static struct frame *push(struct depth *d, const configuration *from) {
    if (d->depth == d->frame_capacity) {
        uint64_t capacity = d->frame_capacity ? 2 * d->frame_capacity : 64;
        unsigned char *frames =
            realloc(d->frames, capacity * (sizeof(struct frame) + config_size(d->words)));
        if (frames == NULL) {
            d->trouble = LIN_UNKNOWN_MEMORY;
            return NULL;
        }
        d->frames = frames;
        d->frame_capacity = capacity;
    }
    struct frame *frame = frame_at(d, d->depth++);
    memcpy(config_of(frame), from, config_size(d->words));
    return frame;
}

/* Takes the next choice of the uppermost frame. False: there is none left. */
static bool choose(struct depth *d, configuration *to) {
    lin_depth_task *task = d->task;
    for (;;) {
        struct frame *frame = frame_at(d, d->depth - 1);
        uint32_t demanded = d->slot[d->events[frame->event] & ~RESPONSE], slot = frame->choice;
        if (slot == DEMANDED) {
            frame->choice = 0;
            slot = demanded;
        } else {
            if (slot >= 64 * d->words)
                return false;
            frame->choice++;
            if (slot == demanded)
                continue;
        }
        const configuration *c = config_of(frame);
        if (!bit_is_set(d->occupied, slot) || !bit_is_set(d->mutators, slot) ||
            bit_is_set(c->done, slot) || (slot != demanded && !may_go(d, c, slot)))
            continue;
        task->step_count = frame->chosen;
        memcpy(to, c, config_size(d->words));
        if (step(d, to, slot)) {
            settle(d, to);
            return true;
        }
    }
}

/* Follows a configuration until it is at the end, or must choose. True: at the end. */
static bool enter(struct depth *d, const configuration *from, uint64_t entered) {
    struct frame *frame = push(d, from);
    if (frame == NULL)
        return false;
    frame->entered = entered;
    advance(d, config_of(frame));
    if (d->trouble != LIN_OK)
        return false;
    if (d->at == d->event_count)
        return true;
    frame->event = (uint32_t)d->at;
    frame->choice = DEMANDED;
    frame->chosen = d->task->step_count;
    config_of(frame)->node = frame->event;
    if (d->at > d->furthest)
        d->furthest = d->at;
    if (!remember(d, config_of(frame)))
        frame->choice = 64 * d->words; /* known: nothing to choose */
    return false; /* NOLINT(clang-analyzer-unix.Malloc): the frame is part of d->frames */
}

static int follow(struct depth *d, const configuration *origin, configuration *spare) {
    d->task->step_count = 0;
    if (enter(d, origin, 0))
        return LIN_OK;
    while (d->depth > 0 && d->trouble == LIN_OK) {
        d->trouble = lin_clock_tick(d->task->clock);
        if (d->trouble != LIN_OK)
            break;
        struct frame *frame = frame_at(d, d->depth - 1);
        go_back(d, frame->event);
        if (!choose(d, spare)) {
            d->task->step_count = frame_at(d, d->depth - 1)->entered;
            d->depth--;
            continue;
        }
        if (enter(d, spare, frame_at(d, d->depth - 1)->chosen))
            return LIN_OK;
    }
    go_back(d, 0);
    return d->trouble != LIN_OK ? d->trouble : LIN_VIOLATION;
}

/* ------------------------------------------------------------------ the whole --------------- */

static bool begin(struct depth *d) {
    const lin_slots *slots = d->task->slots;
    size_t size = d->words * sizeof(uint64_t);
    d->occupied = malloc(size);
    d->mutators = malloc(size);
    d->part = malloc(64 * size);
    if (!d->occupied || !d->mutators || !d->part || !lay_out_events(d))
        return false;
    memcpy(d->occupied, slots->occupied, size);
    memcpy(d->mutators, slots->mutators, size);
    memcpy(d->part, slots->part, (size_t)64 * d->words * sizeof *d->part);
    return true;
}

int lin_depth_search(lin_depth_task *task, uint64_t *failed) {
    struct depth d = {.task = task, .words = task->slots->words};
    configuration *spare = calloc(1, config_size(d.words));
    int verdict = LIN_UNKNOWN_MEMORY;
    if (spare != NULL && begin(&d)) {
        verdict = d.trouble != LIN_OK ? d.trouble : LIN_VIOLATION;
        for (uint64_t i = 0; verdict == LIN_VIOLATION && i < task->from->count; i++) {
            task->origin = i;
            verdict = follow(&d, config_at(task->from, i), spare);
        }
        if (verdict == LIN_VIOLATION && d.event_count > 0)
            *failed = d.events[d.furthest] & ~RESPONSE;
    }
    free(spare);
    free(d.events);
    free(d.slot);
    free(d.occupied);
    free(d.mutators);
    free(d.part);
    free(d.frames);
    free(d.memory.items);
    free(d.memory.table);
    return verdict;
}
