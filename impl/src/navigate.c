/* navigate.c: floor, ceiling, lower, higher, first, last.
 *
 * The answer usually lies in the leaf that the key belongs to. If that leaf has none the search goes
 * on to its neighbour, and then an answer alone would not be linearizable: while the neighbour was
 * read, a nearer key may have come into the leaf just left. So the call remembers each leaf that it
 * left, with the number of slots it saw taken, and when it has an answer looks at them again: if each
 * is still what the mapping table holds and its first free slot is still free, none has changed since
 * it was read, hence all were so at the moment when the answer was read. Pages cannot come back at the
 * same address meanwhile, for the caller is pinned. A leaf that is being merged no longer speaks for
 * itself: its witness (detour.c) is looked at again instead.
 */
#include "tree.h"

#include <string.h>

enum { VISITS_ON_STACK = 32, RESTARTS = 1000000 };

typedef struct bw_visit {
    const bw_page *page;
    bw_pid pid;
    unsigned slots;
} bw_visit;

/* Leaves without an answer; grows on the heap past VISITS_ON_STACK. */
typedef struct bw_visits {
    bw_visit *list;
    unsigned count, room;
    bw_visit first[VISITS_ON_STACK];
} bw_visits;

static bool visits_add(bw_visits *visits, const bw_options *options, bw_visit visit) {
    if (visits->count == visits->room) {
        unsigned room = 2 * visits->room;
        bw_visit *list = bw_alloc(options, room * sizeof *list, BW_CACHE_LINE);
        if (list == NULL)
            return false;
        memcpy(list, visits->list, visits->count * sizeof *list);
        if (visits->list != visits->first)
            bw_dealloc(options, visits->list, visits->room * sizeof *list, BW_CACHE_LINE);
        visits->list = list;
        visits->room = room;
    }
    visits->list[visits->count++] = visit;
    return true;
}

static bool visits_unchanged(const bw_tree *tree, const bw_visits *visits) {
    for (unsigned i = 0; i < visits->count; i++) {
        const bw_visit *visit = &visits->list[i];
        if (bw_map_load(tree, visit->pid) != visit->page)
            return false;
        if (visit->slots < visit->page->log_slots && bw_slot(visit->page, visit->slots) != 0)
            return false;
    }
    return true;
}

typedef enum bw_direction { UP, DOWN } bw_direction;

/* One pass over the leaves; sets *changed if it must be repeated. */
static bw_status pass(bw_tree *tree, uint64_t key, bw_direction direction, bw_visits *visits,
                      bool *changed, uint64_t *found_key, uint64_t *found_value) {
    visits->count = 0;
    bw_status status = BW_OK;
    for (;;) {
        bw_found place;
        bw_find(tree, key, 0, &place);
        const bw_page *leaf = place.page;
        unsigned slots = place.slots;
        bool found = direction == UP
                         ? bw_page_ceiling(leaf, tree->search, slots, key, found_key, found_value)
                         : bw_page_floor(leaf, tree->search, slots, key, found_key, found_value);
        if (found)
            break;
        if (direction == UP ? bw_page_is_rightmost(leaf) : leaf->low == 0) {
            status = BW_NOT_FOUND;
            break;
        }
        key = direction == UP ? leaf->high : leaf->low - 1;
        bw_visit visit = {.page = leaf, .pid = place.pid, .slots = slots};
        if (place.witness != NULL)
            visit = (bw_visit){
                .page = place.witness, .pid = place.witness_pid, .slots = place.witness->log_slots};
        if (!visits_add(visits, &tree->options, visit))
            return BW_ENOMEM;
    }
    *changed = !visits_unchanged(tree, visits);
    return status;
}

static bw_status nearest(bw_tree *tree, uint64_t key, bw_direction direction, uint64_t *found_key,
                         uint64_t *found_value) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_visits visits;
    visits.list = visits.first;
    visits.room = VISITS_ON_STACK;
    uint64_t answer_key = 0;
    uint64_t answer_value = 0;
    bool changed = true;
    for (unsigned restarts = 0; changed; restarts++) {
        if (restarts == RESTARTS) {
            status = BW_EAGAIN;
            break;
        }
        changed = false;
        status = pass(tree, key, direction, &visits, &changed, &answer_key, &answer_value);
    }
    bw_leave(self);
    if (visits.list != visits.first)
        bw_dealloc(&tree->options, visits.list, visits.room * sizeof *visits.list, BW_CACHE_LINE);
    if (status == BW_OK && found_key != NULL)
        *found_key = answer_key;
    if (status == BW_OK && found_value != NULL)
        *found_value = answer_value;
    return status;
}

/* What a call without a possible answer says: the same errors, and BW_NOT_FOUND. */
static bw_status none(bw_tree *tree) {
    bw_status status = bw_thread_attach(tree);
    return status == BW_OK ? BW_NOT_FOUND : status;
}

bw_status bw_floor(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value) {
    return nearest(tree, key, DOWN, found_key, found_value);
}

bw_status bw_ceiling(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value) {
    return nearest(tree, key, UP, found_key, found_value);
}

bw_status bw_lower(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value) {
    return key == 0 ? none(tree) : nearest(tree, key - 1, DOWN, found_key, found_value);
}

bw_status bw_higher(bw_tree *tree, uint64_t key, uint64_t *found_key, uint64_t *found_value) {
    return key == UINT64_MAX ? none(tree) : nearest(tree, key + 1, UP, found_key, found_value);
}

bw_status bw_first(bw_tree *tree, uint64_t *found_key, uint64_t *found_value) {
    return nearest(tree, 0, UP, found_key, found_value);
}

bw_status bw_last(bw_tree *tree, uint64_t *found_key, uint64_t *found_value) {
    return nearest(tree, UINT64_MAX, DOWN, found_key, found_value);
}
