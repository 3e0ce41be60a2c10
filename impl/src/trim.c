/* trim.c: removing many keys, and the first or the last one: delete_range, clear, pop_first, pop_last.
 *
 * A leaf whose whole range is to go is not written key by key: it is frozen, and instead of its
 * consolidation an empty page is installed, by the same CAS. Freezing has fixed what it holds, so all of
 * that goes at the moment of the CAS; helpers that were consolidating the leaf lose it and look again.
 * Where the helper wins, the leaf is then written key by key after all: freezing it again could undo, and
 * be undone by, a single put for ever (spec/MCDeltaLog_fail_drop_again.cfg).
 * Empty leaves in a row are merged at once, each into the one before it, which costs next to nothing
 * while both are empty.
 *
 * pop_first looks at the leftmost leaf only: all keys of other leaves are greater than all that this
 * one may hold. Its smallest entry, seen with slot n free, is the map's first when the CAS of DELETE
 * into slot n succeeds, since the leaf was current then (I1) and nothing was appended in between. If the
 * leaf has no entry it answers for the map only if it is the only leaf; otherwise the next leaf is merged
 * into it, whatever it holds, and the call looks again. If that leaf has another parent, the parents
 * are merged first. pop_last is the same at the right end, where an empty leaf goes into the one on its
 * left.
 */
#include "tree.h"

/* ---- ranges ---- */

/* How far a deletion has come. */
typedef struct bw_trim {
    uint64_t low, high; /* the range */
    uint64_t key;       /* what lies below is done */
    bool lost;          /* another thread has replaced the leaf at `key` before it was emptied */
    bool in_a_row;      /* the leaf before was dropped, too … */
    uint64_t row;       /* … and this is where the first of them began */
    uint64_t removed;
} bw_trim;

/* Empties a leaf at one stroke, if it holds nothing below trim->key. BW_OK with *done false: it has
 * changed, look again. */
static bw_status drop(bw_thread *self, bw_trim *trim, bw_pid pid, bw_page *leaf, bool *done,
                      bw_duties *duties) {
    bw_tree *tree = self->tree;
    *done = false;
    bw_page *fresh =
        bw_page_build(self, 0, NULL, NULL, 0, leaf->low, leaf->high, leaf->right, leaf->units);
    if (fresh == NULL)
        return BW_ENOMEM;
    bw_log_freeze(leaf);
    unsigned slots = bw_log_length(leaf);
    bw_kind last = bw_word_kind(bw_slot(leaf, slots - 1));
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(leaf, tree->search, slots, keys, values);
    if (last == BW_KIND_REMOVE || last == BW_KIND_MERGE || (n > 0 && keys[0] < trim->key)) {
        bw_page_release(self, fresh);
        return bw_consolidate_page(self, pid, leaf, duties);
    }
    if (!bw_map_install(tree, pid, leaf, fresh)) {
        BW_EVENT(DROP_LOST, leaf, pid, 0);
        bw_count_up(&self->figures.consolidations_lost);
        bw_page_release(self, fresh);
        trim->lost = true;
        return BW_OK;
    }
    BW_EVENT(DROP, leaf, pid, fresh);
    bw_count_up(&self->figures.consolidations);
    bw_count_size(self, -(int64_t)n);
    bw_epoch_retire(self, leaf);
    trim->removed += n;
    *done = true;
    return BW_OK;
}

/* Removes those of the entries that lie in the range, one by one. */
static bw_status remove_each(bw_thread *self, const uint64_t *keys, unsigned n, uint64_t low,
                             uint64_t high, uint64_t *removed) {
    for (unsigned i = 0; i < n; i++) {
        if (keys[i] < low || keys[i] > high)
            continue;
        bw_status status = bw_remove_pinned(self, keys[i], NULL);
        if (status < 0)
            return status;
        *removed += status == BW_OK;
    }
    return BW_OK;
}

/* The leaf at trim->key. *more: there are others. */
static bw_status trim_leaf(bw_thread *self, bw_trim *trim, bool *more) {
    bw_tree *tree = self->tree;
    bw_duties duties;
    duties.count = 0;
    bw_found found;
    bw_find(tree, trim->key, 0, &found);
    bw_page *leaf = found.page;
    bool rightmost = bw_page_is_rightmost(leaf);
    bool whole = leaf->low >= trim->low &&
                 (rightmost ? trim->high == UINT64_MAX : leaf->high - 1 <= trim->high);
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(leaf, tree->search, found.slots, keys, values);
    bool done = true;
    bw_status status = BW_OK;
    /* The leaf may reach back to where all is done, if it was merged since; what has been put there
     * meanwhile stays. */
    whole = whole && !trim->lost && (n == 0 || keys[0] >= trim->key);
    if (!whole)
        status = remove_each(self, keys, n, trim->key, trim->high, &trim->removed);
    else if (n > 0)
        status = drop(self, trim, found.pid, leaf, &done, &duties);
    if (status == BW_OK && done) {
        if (whole && trim->in_a_row)
            (void)bw_merge_start(
                self,
                (bw_duty){
                    .separator = leaf->low, .pid = found.pid, .level = 1, .kind = BW_DUTY_MERGE},
                true, &duties);
        else if (whole)
            trim->row = leaf->low;
        trim->in_a_row = whole;
        *more = !rightmost && leaf->high <= trim->high;
        trim->key = leaf->high;
        trim->lost = false;
    }
    bw_do_duties(self, &duties);
    return status;
}

/* The first leaf of a row of empty ones, which all others have gone into. */
static void end_row(bw_thread *self, uint64_t row) {
    bw_duties duties;
    duties.count = 0;
    bw_found found;
    bw_find(self->tree, row, 0, &found);
    bw_merge_if_small(self, found.pid, found.page, found.page->count, &duties);
    bw_do_duties(self, &duties);
}

bw_status bw_delete_range(bw_tree *tree, uint64_t low, uint64_t high, uint64_t *removed) {
    bw_trim trim = {.low = low, .high = high, .key = low, .row = low};
    bw_status status = BW_OK;
    if (removed != NULL)
        *removed = 0;
    for (bool more = true; more && status == BW_OK;) {
        bw_thread *self;
        status = bw_enter(tree, &self); /* a pin a leaf, so that reclamation goes on */
        if (status != BW_OK)
            return status;
        bool in_a_row = trim.in_a_row;
        if (low > high)
            more = false;
        else
            status = trim_leaf(self, &trim, &more);
        bool ends = !trim.in_a_row || !more || status != BW_OK;
        if (ends && (in_a_row || trim.in_a_row))
            end_row(self, trim.row);
        bw_leave(self);
        if (removed != NULL)
            *removed = trim.removed;
    }
    return status;
}

bw_status bw_clear(bw_tree *tree, uint64_t *removed) {
    return bw_delete_range(tree, 0, UINT64_MAX, removed);
}

/* ---- the first and the last ---- */

typedef enum bw_end { FIRST, LAST } bw_end;

/* The leaf at this end is empty and not the only one: gives it, or the one that it goes into, entries. */
static bw_status fill_end(bw_thread *self, bw_end end, const bw_place *place, bw_duties *duties) {
    bw_pid pid = end == FIRST ? place->page->right : place->pid;
    bw_page *page = end == FIRST ? bw_map_load(self->tree, pid) : place->page;
    if (bw_page_is_tombstone(page))
        return BW_OK;
    return bw_merge_left(
        self, (bw_duty){.separator = page->low, .pid = pid, .level = 1, .kind = BW_DUTY_MERGE},
        duties);
}

/* One attempt at the leaf of this end. *again: something has changed, look again. */
static bw_status try_pop(bw_thread *self, bw_end end, bw_record **record, uint64_t *key,
                         uint64_t *value, bool *again, bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_place place;
    tree->search->descend(tree, end == FIRST ? 0 : UINT64_MAX, 0, &place);
    bw_page *leaf = place.page;
    *again = true;
    unsigned slots = bw_log_length(leaf);
    if (slots == leaf->log_slots || (slots > 0 && bw_word_freezes(bw_slot(leaf, slots - 1))))
        return bw_consolidate_page(self, place.pid, leaf, duties);
    bool found = end == FIRST ? bw_page_ceiling(leaf, tree->search, slots, 0, key, value)
                              : bw_page_floor(leaf, tree->search, slots, UINT64_MAX, key, value);
    if (!found) {
        *again = end == FIRST ? !bw_page_is_rightmost(leaf) : leaf->low != 0;
        return *again ? fill_end(self, end, &place, duties) : BW_NOT_FOUND;
    }
    if (*record == NULL)
        *record = bw_record_alloc(self);
    if (*record == NULL)
        return BW_ENOMEM;
    **record = (bw_record){.key = *key};
    const uint64_t word = bw_word(bw_tag(*key), *record, BW_KIND_DELETE);
    if (!bw_log_append(leaf, slots, word)) {
        BW_EVENT(APPEND_LOST, leaf, slots, word);
        return BW_OK;
    }
    BW_EVENT(APPEND, leaf, slots, word);
    *record = NULL;
    *again = false;
    bw_count_up(&self->figures.appends);
    bw_count_size(self, -1);
    if (slots + 1 == leaf->log_slots)
        (void)bw_consolidate_page(self, place.pid, leaf, duties); /* others will, if this fails */
    return BW_OK;
}

static bw_status pop(bw_tree *tree, bw_end end, uint64_t *popped_key, uint64_t *popped_value) {
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    uint64_t key = 0;
    uint64_t value = 0;
    bw_record *record = NULL;
    bw_duties duties;
    duties.count = 0;
    bool again = true;
    for (unsigned lost = 0; again && status == BW_OK; lost++) {
        if (lost > 0)
            bw_backoff(self, lost);
        status = try_pop(self, end, &record, &key, &value, &again, &duties);
    }
    if (record != NULL)
        bw_record_release(self, record);
    bw_do_duties(self, &duties);
    bw_leave(self);
    if (status == BW_OK && popped_key != NULL)
        *popped_key = key;
    if (status == BW_OK && popped_value != NULL)
        *popped_value = value;
    return status;
}

bw_status bw_pop_first(bw_tree *tree, uint64_t *key, uint64_t *value) {
    return pop(tree, FIRST, key, value);
}

bw_status bw_pop_last(bw_tree *tree, uint64_t *key, uint64_t *value) {
    return pop(tree, LAST, key, value);
}
