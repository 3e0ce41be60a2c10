/* cursor.c: walking in both directions.
 *
 * A cursor is a gap between two keys and a copy of the live entries of one leaf on the side of the gap
 * that it walks to. The gap is kept as a key and a side (before or behind it), so that it means the
 * same whatever happens to the tree; the copy is dropped when the cursor turns or leaves the leaf.
 * Since gaps move in one direction through a walk and fences cover the key space without gap or
 * overlap, no key is given twice, and none that stayed is missed.
 *
 *   spec/StructureShortcuts.tla     here
 *   StepRight, ScanRight            step_right, read_up
 */
#include "tree.h"

#include <string.h>

enum { LEAVES_PER_PIN = 8 }; /* keeps pins short: reclamation goes on beside a long walk */

typedef enum bw_copied { NOTHING, BEHIND_GAP, BEFORE_GAP } bw_copied;

struct bw_cursor {
    bw_tree *tree;
    uint64_t gap; /* the gap lies just before this key … */
    bool behind;  /* … or just behind it */

    bw_copied copied; /* which part of the leaf is copied below: keys[first … end-1] */
    bool last_leaf;   /* there is no leaf further that way */
    uint64_t
        next_gap; /* otherwise where it begins: its low fence going up, its last key going down */
    unsigned first, end;
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
};

static bw_status check(const bw_cursor *cursor) {
    if (cursor == NULL)
        return BW_EINVAL;
    return bw_state_status(atomic_load_explicit(&cursor->tree->state, memory_order_relaxed));
}

bw_status bw_cursor_open(bw_tree *tree, bw_cursor **cursor) {
    if (cursor == NULL)
        return BW_EINVAL;
    *cursor = NULL;
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_cursor *made = bw_alloc(&tree->options, sizeof *made, BW_CACHE_LINE);
    if (made != NULL) {
        made->tree = tree;
        made->gap = 0;
        made->behind = false;
        made->copied = NOTHING;
        /* relaxed: a count; bw_free must not run beside this call anyway. */
        atomic_fetch_add_explicit(&tree->cursors, 1, memory_order_relaxed);
    }
    bw_leave(self);
    *cursor = made;
    return made == NULL ? BW_ENOMEM : BW_OK;
}

void bw_cursor_free(bw_cursor *cursor) {
    if (cursor == NULL)
        return;
    bw_tree *tree = cursor->tree;
    bw_dealloc(&tree->options, cursor, sizeof *cursor, BW_CACHE_LINE);
    /* release: the last access to the tree's options; pairs with the acquire in bw_free. */
    atomic_fetch_sub_explicit(&tree->cursors, 1, memory_order_release);
}

static bw_status seek(bw_cursor *cursor, uint64_t key, bool behind) {
    bw_status status = check(cursor);
    if (status != BW_OK)
        return status;
    cursor->gap = key;
    cursor->behind = behind;
    cursor->copied = NOTHING;
    return BW_OK;
}

bw_status bw_cursor_seek(bw_cursor *cursor, uint64_t key) {
    return seek(cursor, key, false);
}

bw_status bw_cursor_seek_end(bw_cursor *cursor) {
    return seek(cursor, UINT64_MAX, true);
}

/* The keys behind the gap are those >= *low; false if there can be none. */
static bool range_behind(const bw_cursor *cursor, uint64_t *low) {
    *low = cursor->behind ? cursor->gap + 1 : cursor->gap;
    return !(cursor->behind && cursor->gap == UINT64_MAX);
}

/* The keys before the gap are those <= *high; false if there can be none. */
static bool range_before(const bw_cursor *cursor, uint64_t *high) {
    *high = cursor->behind ? cursor->gap : cursor->gap - 1;
    return !(!cursor->behind && cursor->gap == 0);
}

/* Starts the loads of all that a walk over the leaf will read, from `low` on: the records of the log, the
 * blocks of up to `limit` entries and, if they do not suffice, the beginning of the next leaf. Always inline: to
 * the compiler, a function that only prefetches does nothing. */
__attribute__((always_inline)) static inline void
prefetch_leaf(const bw_tree *tree, const bw_found *place, uint64_t low, size_t limit) {
    const bw_page *leaf = place->page;
    for (unsigned i = 0; i < place->slots; i++)
        __builtin_prefetch(bw_word_record(bw_slot(leaf, i)));
    unsigned from = 0;
    if (low > leaf->low)
        while (from + 1U < leaf->blocks && leaf->samples[from + 1] <= bw_page_sample(leaf, low))
            from++;
    const size_t wanted = (limit + BW_BLOCK - 1) / BW_BLOCK + 1;
    const unsigned blocks = wanted < leaf->blocks - from ? (unsigned)wanted : leaf->blocks - from;
    const char *line = (const char *)(bw_page_blocks(leaf) + from);
    const char *end = line + blocks * sizeof(bw_block);
    for (; line < end; line += BW_CACHE_LINE)
        __builtin_prefetch(line);
    if (wanted <= blocks || bw_page_is_rightmost(leaf))
        return;
    const uint64_t word = bw_map_load_word(tree, leaf->right);
    const size_t entries = word >> BW_MAP_COUNT_SHIFT;
    const size_t rest = (wanted - blocks) * BW_BLOCK;
    line = (const char *)bw_map_word_page(word);
    end = line + tree->leaf_blocks_at +
          (rest < entries ? rest : entries) / BW_BLOCK * sizeof(bw_block);
    for (; line < end; line += BW_CACHE_LINE)
        __builtin_prefetch(line);
}

/* Goes on to the leaf on the right, under the same pin; false if that takes a way down from the root. A page
 * that was not removed when it was looked at names a page id that is not taken for another page before the
 * unpin (detour.c); and what it leads to is true in the same way, as the left leaf is its witness. That a removed
 * one is left to bw_find is for simplicity. */
static bool step_right(const bw_tree *tree, bw_found *place) {
    const bw_page *left = place->page;
    if (place->witness != NULL)
        return false;
    bw_page *page = bw_map_load(tree, left->right);
    if (bw_page_is_tombstone(page) || page->low != left->high)
        return false;
    place->pid = left->right;
    place->page = page;
    place->slots = bw_log_length(page);
    return place->slots == 0 || bw_slot(page, place->slots - 1) != BW_REMOVE_WORD;
}

/* Reads up to `limit` entries with keys in [low, high], from at most LEAVES_PER_PIN leaves, the first of which is
 * the one that `low` belongs to, and tells where the next leaf begins. */
static bw_status read_up(bw_cursor *cursor, uint64_t low, uint64_t high, size_t limit,
                         unsigned leaves, uint64_t *keys, uint64_t *values, size_t *n) {
    bw_tree *tree = cursor->tree;
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_found place;
    bw_find(tree, low, 0, &place);
    *n = 0;
    for (;;) {
        const bw_page *leaf = place.page;
        prefetch_leaf(tree, &place, low, limit - *n);
        *n += bw_page_range(leaf, tree->search, place.slots, low, high, limit - *n, keys + *n,
                            values + *n);
        BW_EVENT(READ_RANGE, leaf, low,
                 *n == limit                                       ? keys[*n - 1]
                 : bw_page_is_rightmost(leaf) || leaf->high > high ? high
                                                                   : leaf->high - 1);
        cursor->last_leaf = bw_page_is_rightmost(leaf);
        cursor->next_gap = low = leaf->high;
        if (*n == limit || cursor->last_leaf || low > high || --leaves == 0 ||
            !step_right(tree, &place))
            break;
    }
    bw_leave(self);
    return BW_OK;
}

static bw_status fill_up(bw_cursor *cursor) {
    uint64_t low;
    if (!range_behind(cursor, &low))
        return BW_NOT_FOUND;
    cursor->first = 0;
    size_t n;
    bw_status status =
        read_up(cursor, low, UINT64_MAX, BW_MAX_ENTRIES, 1, cursor->keys, cursor->values, &n);
    if (status == BW_OK) {
        cursor->end = (unsigned)n;
        cursor->copied = BEHIND_GAP;
    }
    return status;
}

static bw_status fill_down(bw_cursor *cursor) {
    uint64_t high;
    if (!range_before(cursor, &high))
        return BW_NOT_FOUND;
    bw_tree *tree = cursor->tree;
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_found place;
    bw_find(tree, high, 0, &place);
    const bw_page *leaf = place.page;
    cursor->end = bw_page_range(leaf, tree->search, place.slots, 0, high, BW_MAX_ENTRIES,
                                cursor->keys, cursor->values);
    BW_EVENT(READ_RANGE, leaf, leaf->low, high);
    cursor->last_leaf = leaf->low == 0;
    cursor->next_gap = leaf->low - 1;
    bw_leave(self);
    cursor->first = 0;
    cursor->copied = BEFORE_GAP;
    return BW_OK;
}

/* Without an entry to give, the cursor stays in the gap where the call found it, and has no copy: a
 * later call looks again, also at the leaves that were empty now. */
static bw_status stay(bw_cursor *cursor, uint64_t gap, bool behind, bw_status status) {
    cursor->gap = gap;
    cursor->behind = behind;
    cursor->copied = NOTHING;
    return status;
}

/* Makes the entry behind the gap cursor->keys[cursor->first], if its key is <= limit. */
static bw_status reach_next(bw_cursor *cursor, uint64_t limit) {
    const uint64_t gap = cursor->gap;
    const bool behind = cursor->behind;
    for (;;) {
        if (cursor->copied != BEHIND_GAP) {
            bw_status status = fill_up(cursor);
            if (status != BW_OK)
                return stay(cursor, gap, behind, status);
        }
        if (cursor->first < cursor->end && cursor->keys[cursor->first] <= limit)
            return BW_OK;
        if (cursor->first < cursor->end || cursor->last_leaf || cursor->next_gap > limit)
            return stay(cursor, gap, behind, BW_NOT_FOUND);
        cursor->gap = cursor->next_gap;
        cursor->behind = false;
        cursor->copied = NOTHING;
    }
}

/* Makes the entry before the gap cursor->keys[cursor->end - 1], if its key is >= limit. */
static bw_status reach_prev(bw_cursor *cursor, uint64_t limit) {
    const uint64_t gap = cursor->gap;
    const bool behind = cursor->behind;
    for (;;) {
        if (cursor->copied != BEFORE_GAP) {
            bw_status status = fill_down(cursor);
            if (status != BW_OK)
                return stay(cursor, gap, behind, status);
        }
        if (cursor->first < cursor->end && cursor->keys[cursor->end - 1] >= limit)
            return BW_OK;
        if (cursor->first < cursor->end || cursor->last_leaf || cursor->next_gap < limit)
            return stay(cursor, gap, behind, BW_NOT_FOUND);
        cursor->gap = cursor->next_gap;
        cursor->behind = true;
        cursor->copied = NOTHING;
    }
}

static void give(uint64_t *key, uint64_t *value, const bw_cursor *cursor, unsigned entry) {
    if (key != NULL)
        *key = cursor->keys[entry];
    if (value != NULL)
        *value = cursor->values[entry];
}

bw_status bw_cursor_next(bw_cursor *cursor, uint64_t *key, uint64_t *value) {
    bw_status status = check(cursor);
    if (status == BW_OK)
        status = reach_next(cursor, UINT64_MAX);
    if (status != BW_OK)
        return status;
    unsigned entry = cursor->first++;
    give(key, value, cursor, entry);
    cursor->gap = cursor->keys[entry];
    cursor->behind = true;
    return BW_OK;
}

bw_status bw_cursor_prev(bw_cursor *cursor, uint64_t *key, uint64_t *value) {
    bw_status status = check(cursor);
    if (status == BW_OK)
        status = reach_prev(cursor, 0);
    if (status != BW_OK)
        return status;
    unsigned entry = --cursor->end;
    give(key, value, cursor, entry);
    cursor->gap = cursor->keys[entry];
    cursor->behind = false;
    return BW_OK;
}

static bw_status check_many(const bw_cursor *cursor, const uint64_t *keys, const uint64_t *values,
                            size_t n, size_t *count) {
    if (count == NULL || (n > 0 && (keys == NULL || values == NULL)))
        return BW_EINVAL;
    *count = 0;
    return check(cursor);
}

/* What a batch of `given` entries that ended with `status` returns. */
static bw_status many_status(bw_status status, size_t given, size_t *count) {
    *count = given;
    return status == BW_NOT_FOUND && given > 0 ? BW_OK : status;
}

/* Reads leaves straight into the caller's arrays; a copy that bw_cursor_next has left is dropped. */
bw_status bw_cursor_next_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys, uint64_t *values,
                              size_t n, size_t *count) {
    bw_status status = check_many(cursor, keys, values, n, count);
    if (status != BW_OK)
        return status;
    uint64_t gap = cursor->gap; /* behind the last entry given */
    bool behind = cursor->behind;
    size_t given = 0;
    while (given < n) {
        uint64_t low;
        size_t got;
        if (!range_behind(cursor, &low) || low > limit) {
            status = BW_NOT_FOUND;
            break;
        }
        status = read_up(cursor, low, limit, n - given, LEAVES_PER_PIN, keys + given,
                         values + given, &got);
        if (status != BW_OK)
            break;
        given += got;
        if (got > 0) {
            gap = keys[given - 1];
            behind = true;
        }
        if (given == n)
            break;
        if (cursor->last_leaf || cursor->next_gap > limit) {
            status = BW_NOT_FOUND;
            break;
        }
        cursor->gap = cursor->next_gap;
        cursor->behind = false;
    }
    return many_status(stay(cursor, gap, behind, status), given, count);
}

bw_status bw_cursor_prev_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys, uint64_t *values,
                              size_t n, size_t *count) {
    bw_status status = check_many(cursor, keys, values, n, count);
    if (status != BW_OK)
        return status;
    size_t given = 0;
    while (given < n) {
        status = reach_prev(cursor, limit);
        if (status != BW_OK)
            break;
        status = bw_cursor_prev(cursor, &keys[given], &values[given]);
        if (status != BW_OK) /* the tree was closed in this moment */
            break;
        given++;
    }
    return many_status(status, given, count);
}
