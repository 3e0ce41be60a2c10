/* merge.c: a page with few entries goes into its left sibling.
 *
 * R (page id r, first key sep) goes into the page L on its left in six steps. Each is one CAS, of a
 * write-once slot or of a mapping entry, can be done by any thread, and is valid only if what it relies
 * on was so when its slot was seen free:
 *
 *   0  MARK(sep, r) into the log of the parent P, if P names r, not as its leftmost child, and no entry
 *      of P is marked. A marked entry stays marked through P's consolidations and P is never split
 *      there, so that r cannot become leftmost meanwhile.
 *   1  REMOVE into R's log, if R holds no mark itself. R is frozen for good. With step 0 this makes sure
 *      that L is never itself removed while R is.
 *   2  MERGE(sep, r) into the log of L, the page that ends where R begins and whose right sibling is r,
 *      if L holds no mark: otherwise a full L would have to be cut beside it, into a page so small that
 *      it asks to be merged again, without end.
 *   3  L is replaced by the consolidation of L and R together, in as many pages as that takes (R may
 *      have grown since it was marked).
 *   4  DELETE(sep, r) into P's log, if the marked entry is there.
 *   5  R's mapping entry becomes the tombstone; the winner retires R and its page id.
 *
 * R is merged when the page that holds the key below sep does not end at sep with r as its right
 * sibling. That the parent names r no more means only that step 4 is done; it is done after step 3.
 *
 * When a page is merged: after a consolidation (or a DELETE, in an inner page) has left it with less
 * than merge_threshold percent of its capacity, if it and its left sibling (or, if it is its parent's
 * leftmost child, its right one, which then goes into it) together fill at most three quarters of a
 * page, or if it is an empty leaf or an inner page with a single child. A page that was
 * just split is more than half full, unless it is a page of ascending inserts whose sibling is nearly
 * full; one that was just merged has a quarter of its capacity to grow: so a page must see many writes
 * between a split and a merge. Whoever runs out of memory or page ids gives up: up to step 1 everything
 * goes on as if nothing had been begun, after it every write into the two pages takes the merge up
 * again, and so do the next merge under the same parent, bw_consolidate and the worker.
 *
 *   spec/StructureModification.tla     here
 *   MarkEntry                          mark_entry
 *   RemovePage                         remove_page
 *   MergePage                          merge_page
 *   InstallUnion                       bw_merge_install
 *   DeleteEntry                        delete_entry
 *   Bury                               bw_bury
 */
#include "tree.h"

/* A page as one step sees it. */
typedef struct bw_view {
    bw_page *page;
    bw_pid pid;
    unsigned slots; /* taken */
    bool frozen, removed;
    unsigned n; /* entries, values with BW_MARKED */
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
} bw_view;

static void look_at(const bw_tree *tree, bw_pid pid, bw_page *page, bw_view *view) {
    unsigned slots = bw_log_length(page);
    uint64_t last = slots > 0 ? bw_slot(page, slots - 1) : 0;
    view->page = page;
    view->pid = pid;
    view->slots = slots;
    view->frozen = slots == page->log_slots || bw_word_freezes(last);
    view->removed = last == BW_REMOVE_WORD;
    view->n = bw_page_entries(page, tree->search, slots, view->keys, view->values);
}

/* The parent of the duty's page, which it may name or not; no entries at all if the tree has become
 * lower. A parent that is itself removed is helped on first. */
static bw_status look_at_parent(bw_thread *self, bw_duty duty, bw_view *view, bw_duties *duties) {
    for (;;) {
        bw_place place;
        self->tree->search->descend(self->tree, duty.separator, duty.level, &place);
        look_at(self->tree, place.pid, place.page, view);
        if (place.page->level != duty.level)
            view->n = 0;
        else if (view->removed) {
            bw_status status = bw_consolidate_page(self, place.pid, place.page, duties);
            if (status != BW_OK)
                return status;
            continue;
        }
        return BW_OK;
    }
}

/* Where the view has the duty's entry; view->n if it has not. */
static unsigned entry_of(const bw_view *view, bw_duty duty) {
    unsigned i = 0;
    while (i < view->n && view->keys[i] < duty.separator)
        i++;
    bool there =
        i < view->n && view->keys[i] == duty.separator && (bw_pid)view->values[i] == duty.pid;
    return there ? i : view->n;
}

/* The duty's parent, and where it has the duty's entry. */
static bw_status look_for_entry(bw_thread *self, bw_duty duty, bw_view *parent, unsigned *at,
                                bw_duties *duties) {
    bw_status status = look_at_parent(self, duty, parent, duties);
    *at = status == BW_OK ? entry_of(parent, duty) : 0;
    return status;
}

/* The marked entry of an inner page; view->n if there is none. */
static unsigned marked_of(const bw_view *view) {
    unsigned i = 0;
    while (i < view->n && (view->values[i] & BW_MARKED) == 0)
        i++;
    return i;
}

static bw_status finish_marked(bw_thread *self, const bw_view *view, unsigned marked,
                               bw_duties *duties) {
    bw_duty duty = {.separator = view->keys[marked],
                    .pid = (bw_pid)view->values[marked],
                    .level = view->page->level,
                    .kind = BW_DUTY_FINISH};
    return bw_merge_finish(self, duty, true, duties);
}

/* The page that the duty is about, NULL if it is no more. */
static bw_page *page_of(const bw_tree *tree, bw_duty duty) {
    bw_page *page = bw_map_load(tree, duty.pid);
    bool is = !bw_page_is_tombstone(page) && page->low == duty.separator &&
              page->level + 1U == duty.level;
    return is ? page : NULL;
}

/* Appends a record to the view's page, which was not frozen. BW_ENOMEM, or BW_OK with *won. */
static bw_status append(bw_thread *self, const bw_view *view, bw_kind kind, uint64_t key,
                        uint64_t value, bool *won) {
    bw_record *record = bw_record_alloc(self);
    if (record == NULL)
        return BW_ENOMEM;
    *record = (bw_record){.key = key, .value = value};
    *won = bw_log_append(view->page, view->slots, bw_word(bw_tag(key), record, kind));
    if (*won)
        BW_EVENT(APPEND, view->page, view->slots, bw_word(bw_tag(key), record, kind));
    if (!*won) {
        BW_EVENT(APPEND_LOST, view->page, view->slots, bw_word(bw_tag(key), record, kind));
        bw_count_up(&self->figures.appends_lost);
        bw_record_release(self, record);
    }
    return BW_OK;
}

/* ---- is it worth it? ---- */

static unsigned count_entries(const bw_tree *tree, bw_page *page) {
    bw_view view;
    look_at(tree, BW_NO_PID, page, &view);
    return view.n;
}

/* Is the duty's page to be merged with a sibling? Then the duty names the right one of the two: a page
 * that is its parent's leftmost child takes its right sibling in. */
static bool is_worth_it(bw_thread *self, bw_duty *duty, bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_view parent;
    unsigned at;
    if (look_for_entry(self, *duty, &parent, &at, duties) != BW_OK)
        return false;
    bw_page *page = page_of(tree, *duty);
    if (at == parent.n || parent.n < 2 || page == NULL)
        return false;
    unsigned n = count_entries(tree, page);
    if (n >= bw_least_entries(&tree->options, page->level))
        return false;
    if (at == 0) {
        duty->separator = parent.keys[1];
        duty->pid = (bw_pid)parent.values[1];
    }
    if (n < (page->level == 0 ? 1U : 2U))
        return true;
    bw_page *sibling = bw_map_load(tree, (bw_pid)parent.values[at == 0 ? 1 : at - 1]);
    if (bw_page_is_tombstone(sibling))
        return false;
    unsigned capacity =
        page->level == 0 ? tree->options.leaf_capacity : tree->options.inner_capacity;
    return 4 * (n + count_entries(tree, sibling)) <= 3 * capacity;
}

/* ---- the steps ---- */

/* *marked: the entry is marked now. Otherwise there is nothing to merge. */
static bw_status mark_entry(bw_thread *self, bw_duty duty, bool *marked, bw_duties *duties) {
    bw_view parent;
    *marked = false;
    for (;;) {
        unsigned at;
        bw_status status = look_for_entry(self, duty, &parent, &at, duties);
        if (status != BW_OK || at == parent.n || at == 0)
            return status;
        unsigned other = marked_of(&parent);
        if (other == at) {
            *marked = true;
            return BW_OK;
        }
        if (other < parent.n)
            status = finish_marked(self, &parent, other, duties);
        else if (parent.frozen)
            status = bw_consolidate_page(self, parent.pid, parent.page, duties);
        else
            status = append(self, &parent, BW_KIND_MARK, duty.separator, duty.pid, marked);
        if (status != BW_OK || *marked)
            return status;
    }
}

/* Would the merge have to build more pages than there are page ids left for? `page` is the view's left
 * or right neighbour. */
static bool would_lack_pids(const bw_thread *self, const bw_view *view, bw_page *page) {
    const bw_options *options = &self->tree->options;
    if (bw_pids_left(self, BW_MAX_PIECES))
        return false;
    unsigned n = view->n + count_entries(self->tree, page);
    unsigned capacity = page->level == 0 ? options->leaf_capacity : options->inner_capacity;
    return n > capacity && !bw_pids_left(self, n / capacity + 1);
}

static bw_status remove_page(bw_thread *self, bw_duty duty, bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_view view;
    for (;;) {
        bw_page *page = page_of(tree, duty);
        if (page == NULL)
            return BW_OK;
        look_at(tree, duty.pid, page, &view);
        if (view.removed)
            return BW_OK;
        bw_status status = BW_OK;
        unsigned marked = page->level > 0 ? marked_of(&view) : view.n;
        if (view.frozen) {
            status = bw_consolidate_page(self, duty.pid, page, duties);
        } else if (marked < view.n) {
            status = finish_marked(self, &view, marked, duties);
        } else {
            bw_place left;
            tree->search->descend(tree, duty.separator - 1, page->level, &left);
            if (left.page->level == page->level && would_lack_pids(self, &view, left.page))
                return BW_EPIDS;
            if (bw_log_append(page, view.slots, BW_REMOVE_WORD)) {
                BW_EVENT(APPEND, page, view.slots, BW_REMOVE_WORD);
                return BW_OK;
            }
            BW_EVENT(APPEND_LOST, page, view.slots, BW_REMOVE_WORD);
            bw_count_up(&self->figures.appends_lost);
        }
        if (status != BW_OK)
            return status;
    }
}

/* Until the page on the left is not the one that R has to go into: then R has gone into it. */
static bw_status merge_page(bw_thread *self, bw_duty duty, bw_page *removed, bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_view view;
    for (;;) {
        bw_place left;
        tree->search->descend(tree, duty.separator - 1, duty.level - 1U, &left);
        if (left.page->level + 1U != duty.level)
            return BW_OK; /* the tree has become lower */
        look_at(tree, left.pid, left.page, &view);
        if (!view.removed && (view.page->right != duty.pid || view.page->high != duty.separator))
            return BW_OK;
        bw_status status = BW_OK;
        bool won;
        unsigned marked = view.page->level > 0 ? marked_of(&view) : view.n;
        if (view.frozen)
            status = bw_consolidate_page(self, view.pid, view.page, duties);
        else if (marked < view.n)
            status = finish_marked(self, &view, marked, duties);
        else if (would_lack_pids(self, &view, removed))
            status = BW_EPIDS;
        else
            status = append(self, &view, BW_KIND_MERGE, duty.separator, duty.pid, &won);
        if (status != BW_OK)
            return status;
    }
}

/* *alone: the root has a single child now. */
static bw_status delete_entry(bw_thread *self, bw_duty duty, bool *alone, bw_duties *duties) {
    bw_view parent;
    *alone = false;
    for (;;) {
        unsigned at;
        bw_status status = look_for_entry(self, duty, &parent, &at, duties);
        if (status != BW_OK || at == parent.n || (parent.values[at] & BW_MARKED) == 0)
            return status;
        bool won = false;
        if (parent.frozen)
            status = bw_consolidate_page(self, parent.pid, parent.page, duties);
        else
            status = append(self, &parent, BW_KIND_DELETE, duty.separator,
                            (uint64_t)duty.pid << 32 | BW_NO_PID, &won);
        if (status != BW_OK)
            return status;
        if (won) {
            *alone = parent.pid == BW_ROOT && parent.n == 2;
            bw_merge_if_small(self, parent.pid, parent.page, parent.n - 1, duties);
            return BW_OK;
        }
    }
}

bool bw_bury(bw_thread *self, bw_pid pid, bw_page *page) {
    if (!bw_map_install(self->tree, pid, page, &bw_tombstone)) {
        BW_EVENT(BURY_LOST, page, pid, 0);
        return false;
    }
    BW_EVENT(BURY, page, pid, &bw_tombstone);
    page->limbo_pid = pid;
    bw_epoch_retire(self, page);
    return true;
}

/* The removed inner page's leftmost child has a left sibling under its new parent. The child is looked
 * up: what the removed page says of it may be out of date. */
static void visit_former_leftmost(const bw_thread *self, const bw_page *removed,
                                  bw_duties *duties) {
    bw_place child;
    self->tree->search->descend(self->tree, removed->low, removed->level - 1U, &child);
    if (child.page->level + 1U == removed->level && child.page->low == removed->low)
        bw_merge_if_small(self, child.pid, child.page, 0, duties);
}

/* ---- the whole ---- */

bw_status bw_merge_start(bw_thread *self, bw_duty duty, bool force, bw_duties *duties) {
    if (!force && !is_worth_it(self, &duty, duties))
        return BW_OK;
    bool marked;
    bw_status status = mark_entry(self, duty, &marked, duties);
    return status == BW_OK && marked ? bw_merge_finish(self, duty, true, duties) : status;
}

bw_status bw_merge_left(bw_thread *self, bw_duty duty, bw_duties *duties) {
    bw_view parent;
    bw_status status = look_at_parent(self, duty, &parent, duties);
    if (status != BW_OK || parent.page->level != duty.level)
        return status;
    if (parent.page->low == duty.separator)
        return bw_merge_left(self,
                             (bw_duty){.separator = duty.separator,
                                       .pid = parent.pid,
                                       .level = (uint16_t)(duty.level + 1U),
                                       .kind = BW_DUTY_MERGE},
                             duties);
    if (entry_of(&parent, duty) < parent.n)
        return bw_merge_start(self, duty, true, duties);
    unsigned marked = marked_of(&parent);
    if (marked <
        parent.n) /* it may stand in the way: the same separator, of a page that is merged */
        return finish_marked(self, &parent, marked, duties);
    return bw_post(self, duty, duties);
}

bw_status bw_merge_finish(bw_thread *self, bw_duty duty, bool marked, bw_duties *duties) {
    bw_status status = marked ? remove_page(self, duty, duties) : BW_OK;
    if (status != BW_OK)
        return status;
    bw_page *page = page_of(self->tree, duty);
    if (page == NULL || !bw_page_is_removed(page))
        return BW_OK;
    if (page->low == 0)
        return bw_collapse_finish(self, duty.pid, page);
    bool alone = false;
    status = merge_page(self, duty, page, duties);
    if (status == BW_OK)
        status = delete_entry(self, duty, &alone, duties);
    if (status != BW_OK)
        return status;
    if (!bw_bury(self, duty.pid, page)) {
        bw_count_up(&self->figures.merges_lost);
        return BW_OK;
    }
    bw_count_up(&self->figures.merges);
    if (page->level > 0)
        visit_former_leftmost(self, page, duties);
    if (alone)
        (void)bw_collapse(self, duties); /* if it fails, others will do it */
    return BW_OK;
}

/* ---- L and R together ---- */

/* Cuts n entries evenly into the fewest pages that hold them: page i begins with entry starts[i], and
 * starts[pages] is n. None of the entries is marked: steps 1 and 2 made sure of that. */
static unsigned cut(unsigned n, unsigned capacity, unsigned starts[BW_MAX_PIECES + 1]) {
    unsigned pages = n == 0 ? 1 : (n + capacity - 1) / capacity;
    assert(pages <= BW_MAX_PIECES);
    for (unsigned i = 0; i <= pages; i++)
        starts[i] = i * n / pages;
    return pages;
}

bw_status bw_merge_install(bw_thread *self, bw_pid pid, bw_page *page, bw_duties *duties) {
    bw_tree *tree = self->tree;
    const bw_record *record = bw_word_record(bw_slot(page, bw_log_length(page) - 1));
    const bw_page *removed = bw_map_load(tree, (bw_pid)record->value);
    if (bw_page_is_tombstone(removed) || bw_map_load(tree, pid) != page)
        return BW_OK; /* another helper has done it */
    uint64_t keys[2 * BW_MAX_ENTRIES];
    uint64_t values[2 * BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(page, tree->search, bw_log_length(page), keys, values);
    n += bw_page_entries(removed, tree->search, bw_log_length(removed), keys + n, values + n);
    unsigned capacity =
        page->level == 0 ? tree->options.leaf_capacity : tree->options.inner_capacity;
    unsigned starts[BW_MAX_PIECES + 1];
    unsigned count = cut(n, capacity, starts);
    bw_pid pids[BW_MAX_PIECES];
    pids[0] = pid;
    if (!bw_pids_take(self, count - 1, pids + 1))
        return BW_EPIDS;
    bw_page *pages[BW_MAX_PIECES];
    unsigned built = 0; /* from the right */
    for (; built < count; built++) {
        unsigned i = count - 1 - built;
        bool last = built == 0;
        uint64_t low = i == 0 ? page->low : keys[starts[i]];
        uint64_t high = last ? removed->high : keys[starts[i + 1]];
        pages[i] = bw_page_build(self, page->level, keys + starts[i], values + starts[i],
                                 starts[i + 1] - starts[i], low, high,
                                 last ? removed->right : pids[i + 1], i == 0 ? page->units : 0);
        if (pages[i] == NULL)
            break;
    }
    bool won = false;
    if (built == count) {
        for (unsigned i = count - 1; i > 0; i--)
            bw_map_store(tree, pids[i], pages[i]);
        won = bw_map_install(tree, pid, page, pages[0]);
        if (!won)
            BW_EVENT(UNITE_LOST, page, pid, 0);
    }
    if (!won) {
        bw_pids_give_back(self, count - 1, pids + 1); /* nobody can have come to them */
        for (unsigned i = count - built; i < count; i++) {
            if (built == count && i > 0) /* published: as in a split that has failed (split.c) */
                bw_epoch_retire(self, pages[i]);
            else
                bw_page_release(self, pages[i]);
        }
        if (built == count)
            bw_count_up(&self->figures.consolidations_lost);
        return built == count ? BW_OK : BW_ENOMEM;
    }
    BW_EVENT(UNITE, page, pid, pages[0]);
    bw_count_up(&self->figures.consolidations);
    bw_epoch_retire(self, page);
    for (unsigned i = 1; i < count; i++) {
        bw_count_up(&self->figures.splits);
        bw_duties_add(duties, (bw_duty){.separator = keys[starts[i]],
                                        .pid = pids[i],
                                        .level = (uint16_t)(page->level + 1U),
                                        .kind = BW_DUTY_POST});
    }
    return BW_OK;
}
