/* cursor.c: walking in both directions.
 *
 * A cursor is a gap between two keys and a copy of the live entries of the leaf around it. The gap is
 * kept as a key and a side (before or behind it), so that it means the same whatever happens to the
 * tree; the copy is an answer cache that is dropped when the gap leaves the leaf's fence keys. Since
 * gaps move in one direction through a walk and fences cover the key space without gap or overlap, no
 * key is given twice, and none that stayed is missed.
 */
#include "tree.h"

#include <string.h>

struct bw_cursor {
    bw_tree *tree;
    uint64_t gap; /* the gap lies just before this key … */
    bool behind;  /* … or just behind it */

    bool filled;         /* the copy below is valid and the gap lies within its fences */
    bool rightmost;      /* the leaf has no right sibling */
    uint64_t low, high;  /* its fence keys */
    unsigned count;      /* entries copied */
    unsigned next;       /* the first entry behind the gap */
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
        made->filled = false;
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
    cursor->filled = false;
    return BW_OK;
}

bw_status bw_cursor_seek(bw_cursor *cursor, uint64_t key) {
    return seek(cursor, key, false);
}

bw_status bw_cursor_seek_end(bw_cursor *cursor) {
    return seek(cursor, UINT64_MAX, true);
}

/* Copies the leaf that the gap's key belongs to. */
static bw_status fill(bw_cursor *cursor) {
    bw_tree *tree = cursor->tree;
    bw_thread *self;
    bw_status status = bw_enter(tree, &self);
    if (status != BW_OK)
        return status;
    bw_place place;
    tree->search->descend(tree, cursor->gap, 0, &place);
    const bw_page *leaf = place.page;
    cursor->count = bw_page_entries(leaf, tree->search, bw_log_length(leaf), cursor->keys,
                                    cursor->values);
    cursor->rightmost = bw_page_is_rightmost(leaf);
    cursor->low = leaf->low;
    cursor->high = leaf->high;
    bw_leave(self);
    unsigned from = 0;
    unsigned to = cursor->count;
    while (from < to) { /* the first entry behind the gap */
        unsigned middle = (from + to) / 2;
        uint64_t key = cursor->keys[middle];
        if (key < cursor->gap || (key == cursor->gap && cursor->behind))
            from = middle + 1;
        else
            to = middle;
    }
    cursor->next = from;
    cursor->filled = true;
    return BW_OK;
}

/* Makes the entry behind the gap cursor->keys[cursor->next]. At the end the copy is dropped, so that
 * a later call looks again. */
static bw_status reach_next(bw_cursor *cursor) {
    for (;;) {
        if (!cursor->filled) {
            bw_status status = fill(cursor);
            if (status != BW_OK)
                return status;
        }
        if (cursor->next < cursor->count)
            return BW_OK;
        cursor->filled = false;
        if (cursor->rightmost)
            return BW_NOT_FOUND;
        cursor->gap = cursor->high;
        cursor->behind = false;
    }
}

/* Makes the entry before the gap cursor->keys[cursor->next - 1]. */
static bw_status reach_prev(bw_cursor *cursor) {
    for (;;) {
        if (!cursor->filled) {
            bw_status status = fill(cursor);
            if (status != BW_OK)
                return status;
        }
        if (cursor->next > 0)
            return BW_OK;
        cursor->filled = false;
        if (cursor->low == 0)
            return BW_NOT_FOUND;
        cursor->gap = cursor->low - 1;
        cursor->behind = true;
    }
}

static void move_behind(bw_cursor *cursor, unsigned entry) {
    cursor->gap = cursor->keys[entry];
    cursor->behind = true;
    cursor->next = entry + 1;
}

static void move_before(bw_cursor *cursor, unsigned entry) {
    cursor->gap = cursor->keys[entry];
    cursor->behind = false;
    cursor->next = entry;
}

bw_status bw_cursor_next(bw_cursor *cursor, uint64_t *key, uint64_t *value) {
    bw_status status = check(cursor);
    if (status == BW_OK)
        status = reach_next(cursor);
    if (status != BW_OK)
        return status;
    unsigned entry = cursor->next;
    if (key != NULL)
        *key = cursor->keys[entry];
    if (value != NULL)
        *value = cursor->values[entry];
    move_behind(cursor, entry);
    return BW_OK;
}

bw_status bw_cursor_prev(bw_cursor *cursor, uint64_t *key, uint64_t *value) {
    bw_status status = check(cursor);
    if (status == BW_OK)
        status = reach_prev(cursor);
    if (status != BW_OK)
        return status;
    unsigned entry = cursor->next - 1;
    if (key != NULL)
        *key = cursor->keys[entry];
    if (value != NULL)
        *value = cursor->values[entry];
    move_before(cursor, entry);
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

bw_status bw_cursor_next_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys, uint64_t *values,
                              size_t n, size_t *count) {
    bw_status status = check_many(cursor, keys, values, n, count);
    size_t given = 0;
    while (status == BW_OK && given < n) {
        status = reach_next(cursor);
        if (status != BW_OK)
            break;
        unsigned from = cursor->next;
        unsigned to = from;
        while (to < cursor->count && cursor->keys[to] <= limit && given + (to - from) < n)
            to++;
        if (to == from) {
            status = BW_NOT_FOUND;
            break;
        }
        memcpy(keys + given, cursor->keys + from, (to - from) * sizeof *keys);
        memcpy(values + given, cursor->values + from, (to - from) * sizeof *values);
        given += to - from;
        move_behind(cursor, to - 1);
    }
    return count == NULL ? status : many_status(status, given, count);
}

bw_status bw_cursor_prev_many(bw_cursor *cursor, uint64_t limit, uint64_t *keys, uint64_t *values,
                              size_t n, size_t *count) {
    bw_status status = check_many(cursor, keys, values, n, count);
    size_t given = 0;
    while (status == BW_OK && given < n) {
        status = reach_prev(cursor);
        if (status != BW_OK)
            break;
        unsigned entry = cursor->next - 1;
        if (cursor->keys[entry] < limit) {
            status = BW_NOT_FOUND;
            break;
        }
        keys[given] = cursor->keys[entry];
        values[given] = cursor->values[entry];
        given++;
        move_before(cursor, entry);
    }
    return count == NULL ? status : many_status(status, given, count);
}
