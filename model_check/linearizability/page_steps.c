/* page_steps.c: see page_steps.h. */
#include "page_steps.h"
#include "ranges.h"
#include "room.h"

#include <stdlib.h>

static bool more(void *memory, uint64_t count, uint64_t *room, size_t size) {
    void **at = memory; /* the address of a pointer */
    if (count < *room)
        return true;
    const uint64_t wanted = *room + *room / 2 + 64;
    void *fresh = realloc(*at, wanted * size);
    if (fresh == NULL)
        return false;
    *at = fresh;
    *room = wanted;
    return true;
}

uint32_t lin_page_steps_other(lin_page_steps *s, lin_place what, uint64_t low, uint64_t high) {
    if (!more(&s->others, s->other_count, &s->other_room, sizeof *s->others))
        return LIN_NO_STEP;
    s->others[s->other_count++] = what;
    return lin_instants_step(s->instants, low, high);
}

static bool is_walk(const rec_record *r) {
    return r->kind >= REC_SCAN_FORWARD && r->kind <= REC_WALK_BACKWARD;
}

static bool has_changed_something(const rec_record *r) {
    lin_part part;
    if (lin_part_of_record(r, &part))
        return part.effect != LIN_KEEPS;
    return r->kind == REC_CLEAR || r->kind == REC_DELETE_RANGE || r->kind == REC_POP_FIRST ||
           r->kind == REC_POP_LAST;
}

/* Notes which records are of many keys; false: out of memory. Walks get their steps later. */
static bool sort_out(lin_page_steps *s, uint32_t lane, uint64_t index) {
    const rec_lane *l = &s->history->lanes[lane];
    const rec_record *r = &l->records[index];
    lin_range range;
    uint32_t *many = &s->many[s->base[lane] + index];
    if (r->responded == LIN_NEVER_RESPONDED) {
        s->figures.open = s->figures.open || has_changed_something(r);
        return true;
    }
    if (is_walk(r)) {
        if ((r->flags & REC_PAGED) == 0) {
            s->figures.untold++;
            return true;
        }
        if (!more(&s->walks, s->walk_count, &s->walk_room, sizeof *s->walks))
            return false;
        *many = (uint32_t)s->walk_count + 2;
        struct lin_walk *walk = &s->walks[s->walk_count++];
        *walk = (struct lin_walk){.lane = lane, .record = (uint32_t)index};
        walk->ends = rec_page_ends(r, l->pairs, &walk->pages);
        walk->down = r->kind == REC_SCAN_BACKWARD || r->kind == REC_WALK_BACKWARD;
        s->figures.page_reads += walk->pages;
    } else if (lin_range_of_record(r, l->pairs, &range)) {
        *many = 1;
        s->figures.whole++;
    }
    return true;
}

/* The page reads of a walk, one before the other. */
static bool add_walk(lin_page_steps *s, struct lin_walk *walk) {
    const rec_record *r = &s->history->lanes[walk->lane].records[walk->record];
    lin_place what = {.lane = walk->lane, .record = walk->record, .exact = 1};
    for (uint64_t page = 0; page < walk->pages; page++) {
        what.page = (uint32_t)page;
        const uint32_t step = lin_page_steps_other(s, what, r->invoked, r->responded);
        const lin_link link = {.from = step - 1, .to = step, .why = LIN_PAGE};
        if (step == LIN_NO_STEP || (page > 0 && !lin_instants_before(s->instants, link)))
            return false;
        if (page == 0)
            walk->first = step;
    }
    return true;
}

bool lin_page_steps_make(lin_page_steps *s, const rec_history *h, lin_instants *instants) {
    *s = (lin_page_steps){.history = h, .instants = instants};
    s->base = malloc((h->lane_count + 1) * sizeof *s->base);
    if (s->base == NULL)
        return false;
    for (uint32_t t = 0; t < h->lane_count; t++) {
        s->base[t] = s->record_count;
        s->record_count += h->lanes[t].record_count;
    }
    s->many = lin_room(s->record_count * sizeof *s->many, true);
    if (s->many == NULL)
        return false;
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++)
            if (!sort_out(s, t, i))
                return false;
    if (s->figures.open || s->figures.page_reads + s->figures.whole == 0)
        return true;
    const uint64_t unnamed = s->record_count / 16;
    if (!lin_instants_expect(instants, s->record_count + s->figures.page_reads + unnamed))
        return false;
    for (uint32_t t = 0; t < h->lane_count; t++)
        for (uint64_t i = 0; i < h->lanes[t].record_count; i++) {
            const rec_record *r = &h->lanes[t].records[i];
            if (lin_instants_step(instants, r->invoked, r->responded) == LIN_NO_STEP)
                return false;
        }
    for (uint64_t w = 0; w < s->walk_count; w++)
        if (!add_walk(s, &s->walks[w]))
            return false;
    return true;
}

void lin_page_steps_free(lin_page_steps *s) {
    lin_room_free(s->many, s->record_count * sizeof *s->many);
    free(s->base);
    free(s->walks);
    free(s->others);
}

uint32_t lin_page_steps_of(const lin_page_steps *s, const lin_part *part, uint64_t key) {
    const uint64_t record = s->base[part->lane] + part->record;
    if (s->many[record] < 2)
        return (uint32_t)record;
    const struct lin_walk *walk = &s->walks[s->many[record] - 2];
    uint64_t low = 0,
             high = walk->pages - 1; /* the first page read that ends at the key or beyond */
    while (low < high) {
        const uint64_t middle = (low + high) / 2;
        if (walk->down ? walk->ends[middle] > key : walk->ends[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return walk->first + (uint32_t)low;
}
