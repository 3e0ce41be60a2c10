/* split.c: two pages from a frozen one, and telling the parent.
 *
 * A split builds the right page q first and publishes it in the mapping table under a new page id,
 * then installs the left page, whose right link is q, in place of the frozen one. From that CAS on the
 * tree is whole: a search that the parent still sends to the left page crosses the link (B-link tree:
 * Lehman and Yao, 1981). The root keeps its page id: both halves get new ones, and the CAS installs an
 * inner page of one level more.
 *
 * Posting then appends the separator to the parent's log, validated at the slot that it takes: having
 * seen slot n free, and the separator absent from the base and from the slots before n, and after that
 * the page q alive (what the mapping table holds begins at the separator and has not been removed), it
 * CASes slot n. Losing the slot means looking again. The order matters: a page found alive before the scan may be dead, and its
 * separator already removed from this very log, at the end of the scan. Whoever crosses a right link
 * that no parent names posts it too (write.c), so a post may be given up at any time.
 *
 *   spec/BwTree.tla                            here
 *   PublishRight, PublishLeft, SwapEntry       bw_split, split_root
 *   Unpublish                                  the loser's part of them
 *   ScanSlot, CheckAlive, AppendSlot           bw_post
 */
#include "tree.h"

/* A page of a split that has failed. No reachable page named it; but if it was published, those who walk
 * over the whole table (stats.c) may have met it, and it needs its grace period. Its page id, which has
 * been given back already, does not: they take no page id for one that they could go to. */
static void drop(bw_thread *self, bw_page *page, bool published) {
    if (page != NULL && published)
        bw_epoch_retire(self, page);
    else if (page != NULL)
        bw_page_release(self, page);
}

static bw_status split_root(bw_thread *self, bw_page *page, const uint64_t *keys,
                            const uint64_t *values, unsigned n, unsigned left, bool *won) {
    bw_tree *tree = self->tree;
    bw_pid pids[2];
    if (!bw_pids_take(self, 2, pids))
        return BW_EPIDS;
    bw_page *right_page = bw_page_build(self, page->level, keys + left, values + left, n - left,
                                        keys[left], page->high, page->right, 0);
    bw_page *left_page =
        bw_page_build(self, page->level, keys, values, left, page->low, keys[left], pids[1], 0);
    uint64_t separators[2] = {page->low, keys[left]};
    uint64_t children[2] = {pids[0], pids[1]};
    bw_page *root = bw_page_build(self, page->level + 1U, separators, children, 2, page->low,
                                  page->high, page->right, 0);
    bool built = right_page != NULL && left_page != NULL && root != NULL;
    if (built) {
        bw_map_store(tree, pids[1], right_page);
        bw_map_store(tree, pids[0], left_page);
        *won = bw_map_install(tree, BW_ROOT, page, root);
        if (!*won)
            BW_EVENT(SPLIT_LOST, page, BW_ROOT, 0);
    }
    if (*won) {
        BW_EVENT(SPLIT, page, BW_ROOT, root);
        bw_count_up(&self->figures.splits);
        bw_count_up(&self->figures.root_splits);
        bw_count_up(&self->figures.consolidations);
        bw_epoch_retire(self, page);
        return BW_OK;
    }
    /* Nobody can have come to the new page ids: no reachable page named them. */
    bw_pids_give_back(self, 2, pids);
    drop(self, root, false);
    drop(self, left_page, built);
    drop(self, right_page, built);
    if (built)
        bw_count_up(&self->figures.consolidations_lost);
    return built ? BW_OK : BW_ENOMEM;
}

bw_status bw_split(bw_thread *self, bw_pid pid, bw_page *page, const uint64_t *keys,
                   const uint64_t *values, unsigned n, unsigned left, bw_duties *duties,
                   bool *won) {
    *won = false;
    if (pid == BW_ROOT)
        return split_root(self, page, keys, values, n, left, won);
    bw_tree *tree = self->tree;
    bw_pid right;
    if (!bw_pids_take(self, 1, &right))
        return BW_EPIDS;
    uint64_t separator = keys[left];
    bw_page *right_page = bw_page_build(self, page->level, keys + left, values + left, n - left,
                                        separator, page->high, page->right, 0);
    bw_page *left_page =
        bw_page_build(self, page->level, keys, values, left, page->low, separator, right, 0);
    bool built = right_page != NULL && left_page != NULL;
    if (built) {
        bw_map_store(tree, right, right_page);
        *won = bw_map_install(tree, pid, page, left_page);
        if (!*won)
            BW_EVENT(SPLIT_LOST, page, pid, 0);
    }
    if (*won) {
        BW_EVENT(SPLIT, page, pid, left_page);
        bw_count_up(&self->figures.splits);
        bw_count_up(&self->figures.consolidations);
        bw_epoch_retire(self, page);
        bw_duties_add(duties, (bw_duty){.separator = separator,
                                        .pid = right,
                                        .level = (uint16_t)(page->level + 1U),
                                        .kind = BW_DUTY_POST});
        return BW_OK;
    }
    bw_pids_give_back(self, 1, &right); /* as in split_root */
    drop(self, left_page, false);
    drop(self, right_page, built);
    if (built)
        bw_count_up(&self->figures.consolidations_lost);
    return built ? BW_OK : BW_ENOMEM;
}

/* ---- posting ---- */

static bool is_alive(const bw_tree *tree, bw_duty duty) {
    const bw_page *page = bw_map_load(tree, duty.pid);
    return !bw_page_is_tombstone(page) && page->low == duty.separator &&
           page->level + 1U == duty.level && !bw_page_is_removed(page);
}

static bool in_base(const bw_page *parent, const bw_search *search, uint64_t separator) {
    int i = search->floor(parent, separator);
    return i >= 0 && bw_page_key(parent, (unsigned)i) == separator;
}

bw_status bw_post(bw_thread *self, bw_duty duty, bw_duties *duties) {
    bw_tree *tree = self->tree;
    bw_status status = BW_OK;
    bw_record *record = NULL;
    unsigned lost = 0;
    for (;;) {
        bw_place place;
        tree->search->descend(tree, duty.separator, duty.level, &place);
        bw_page *parent = place.page;
        if (parent->level != duty.level)
            break; /* the tree has become lower: the page of the duty has gone */
        bool based = in_base(parent, tree->search, duty.separator);
        bw_scan scan = {0};
        bool done = false;
        for (;;) {
            bw_log_scan(parent, duty.separator, &scan);
            /* A marked separator is there, too: the post waits until the merge has deleted it. */
            done = !scan.removed && (scan.latest == 0 ? based : bw_word_is_live(scan.latest));
            if (done || scan.frozen)
                break;
            done = !is_alive(tree, duty);
            if (done)
                break;
            if (record == NULL) {
                record = bw_record_alloc(self);
                if (record == NULL)
                    return BW_ENOMEM;
                *record = (bw_record){.key = duty.separator, .value = duty.pid};
            }
            uint64_t word = bw_word(bw_tag(duty.separator), record, BW_KIND_PUT);
            if (bw_log_append(parent, scan.next, word)) {
                BW_EVENT(APPEND, parent, scan.next, word);
                bw_count_up(&self->figures.posts);
                return BW_OK;
            }
            BW_EVENT(APPEND_LOST, parent, scan.next, word);
            bw_count_up(&self->figures.appends_lost);
            bw_backoff(self, ++lost);
        }
        if (done)
            break;
        status = bw_consolidate_page(self, place.pid, parent, duties);
        if (status != BW_OK)
            break;
    }
    if (record != NULL)
        bw_record_release(self, record);
    return status;
}

void bw_do_duties(bw_thread *self, bw_duties *duties) {
    while (duties->count > 0) {
        bw_duty duty = duties->list[--duties->count];
        switch ((bw_duty_kind)duty.kind) {
        case BW_DUTY_POST: (void)bw_post(self, duty, duties); break;
        case BW_DUTY_MERGE: (void)bw_merge_start(self, duty, false, duties); break;
        case BW_DUTY_FINISH: (void)bw_merge_finish(self, duty, false, duties); break;
        }
    }
}
