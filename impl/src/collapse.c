/* collapse.c: a root with a single child becomes what that child is: the tree gets lower.
 *
 * The child c is alone on its level: it begins at 0 and has no right sibling. Steps, each one CAS that
 * any thread can do:
 *
 *   1  REMOVE into c's log. Valid if c is not frozen, alone, holds no mark and no more than one page's
 *      worth of entries, and if, after all that was seen with c's slot free, the root names no other
 *      page. From then on it never will: the separators that a root gains come from splits of its
 *      children, and a post of an old one finds its page dead (split.c).
 *   2  FREEZE into the root's log, if the log is not full.
 *   3  The root's mapping entry: from the frozen root to a page with c's entries and c's level.
 *   4  c's mapping entry becomes the tombstone; the winner of step 3 retires the root, the winner of
 *      this one c and its page id.
 *
 * Whoever comes to c and finds the REMOVE goes on from step 2; so does the consolidation of a frozen root
 * whose only child is removed. Readers take the root as c's witness (detour.c).
 *
 *   spec/StructureModification.tla     here
 *   RemovePage (of c), Freeze          bw_collapse, bw_log_freeze
 *   Collapse, Bury                     bw_collapse_finish, bw_bury
 */
#include "tree.h"

/* The page id of the root's only child, BW_NO_PID if it has others or none. */
static bw_pid only_child(const bw_tree *tree, const bw_page *root) {
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    if (root->level == 0 || root->count > BW_MAX_LOG + 1U)
        return BW_NO_PID;
    unsigned n = bw_page_entries(root, tree->search, bw_log_length(root), keys, values);
    return n == 1 ? (bw_pid)values[0] : BW_NO_PID;
}

/* May REMOVE be appended to the child, whose log has `slots` slots taken? */
static bool fits_root(const bw_tree *tree, const bw_page *child, unsigned slots,
                      uint64_t *marked_key, bw_pid *marked) {
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(child, tree->search, slots, keys, values);
    *marked = BW_NO_PID;
    for (unsigned i = 0; child->level > 0 && i < n; i++) {
        if ((values[i] & BW_MARKED) != 0) {
            *marked = (bw_pid)values[i];
            *marked_key = keys[i];
        }
    }
    unsigned capacity =
        child->level == 0 ? tree->options.leaf_capacity : tree->options.inner_capacity;
    return n <= capacity;
}

bw_status bw_collapse_finish(bw_thread *self, bw_pid child_pid, bw_page *child) {
    bw_tree *tree = self->tree;
    uint64_t keys[BW_MAX_ENTRIES];
    uint64_t values[BW_MAX_ENTRIES];
    unsigned n = bw_page_entries(child, tree->search, bw_log_length(child), keys, values);
    bw_page *fresh = NULL;
    for (;;) {
        bw_page *root = bw_map_load(tree, BW_ROOT);
        if (root->level != child->level + 1U || (bw_pid)bw_page_value(root, 0) != child_pid)
            break; /* another helper has done it */
        bw_log_freeze(root);
        if (fresh == NULL)
            fresh = bw_page_build(self, child->level, keys, values, n, child->low, child->high,
                                  child->right, child->units);
        if (fresh == NULL)
            return BW_ENOMEM;
        if (bw_map_install(tree, BW_ROOT, root, fresh)) {
            BW_EVENT(COLLAPSE, root, BW_ROOT, fresh);
            bw_count_up(&self->figures.root_collapses);
            bw_epoch_retire(self, root);
            fresh = NULL;
            break;
        }
        BW_EVENT(COLLAPSE_LOST, root, BW_ROOT, 0);
    }
    if (fresh != NULL)
        bw_page_release(self, fresh);
    (void)bw_bury(self, child_pid, child);
    return BW_OK;
}

bw_status bw_collapse(bw_thread *self, bw_duties *duties) {
    bw_tree *tree = self->tree;
    for (;;) {
        bw_page *root = bw_map_load(tree, BW_ROOT);
        bw_pid pid = only_child(tree, root);
        if (pid == BW_NO_PID)
            return BW_OK;
        bw_page *child = bw_map_load(tree, pid);
        if (bw_page_is_tombstone(child))
            continue; /* the root was replaced since */
        unsigned slots = bw_log_length(child);
        uint64_t last = slots > 0 ? bw_slot(child, slots - 1) : 0;
        bw_status status = BW_OK;
        uint64_t marked_key = 0;
        bw_pid marked = BW_NO_PID;
        bool removed = last == BW_REMOVE_WORD;
        if (!removed && !bw_page_is_rightmost(child))
            return BW_OK; /* the root does not yet know its other child */
        if (removed) {
            status = bw_collapse_finish(self, pid, child);
        } else if (slots == child->log_slots || bw_word_freezes(last)) {
            status = bw_consolidate_page(self, pid, child, duties);
        } else if (!fits_root(tree, child, slots, &marked_key, &marked) ||
                   (marked == BW_NO_PID && only_child(tree, bw_map_load(tree, BW_ROOT)) != pid)) {
            return BW_OK; /* it is about to be split, or the root has heard of another child */
        } else if (marked != BW_NO_PID) {
            bw_duty finish = {.separator = marked_key,
                              .pid = marked,
                              .level = child->level,
                              .kind = BW_DUTY_FINISH};
            status = bw_merge_finish(self, finish, true, duties);
        } else {
            if (bw_log_append(child, slots, BW_REMOVE_WORD)) /* won or lost: look again */
                BW_EVENT(APPEND, child, slots, BW_REMOVE_WORD);
            else
                BW_EVENT(APPEND_LOST, child, slots, BW_REMOVE_WORD);
        }
        if (status != BW_OK)
            return status;
    }
}
