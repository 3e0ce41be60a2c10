/* detour.c: how readers pass pages that are being merged, without writing or waiting.
 *
 * A page R whose log ends with REMOVE may have gone into its left sibling already: what it holds, its
 * children and its right link may be out of date, and the page ids in it may be taken for other pages
 * by now. Whatever it says is true, though, as long as its left sibling names it. So a reader that meets
 * R looks for the page X that holds the key just below R's first. If X ends where R begins and X's
 * right sibling is R, then R was not yet merged when X was loaded, and R, which can change no more, was
 * the truth at that moment: the reader takes it so, and X is its witness. If X ends further right, or
 * names another sibling, the merge was done by then, and the reader goes on from X. If X is itself
 * removed, then R is long merged (a page has no mark while it merges), and the reader starts again from
 * the root: others have made progress.
 *
 * The root's only child c, removed to become the root, has no left sibling; there the root is the
 * witness: while it is an inner page whose first child is c, c is the truth.
 *
 * A page that has no REMOVE in its log when it is looked at was current when it was loaded, since only
 * removed pages stay in the table when they are current no more. So all page ids that it names were
 * alive then and are not taken for other pages before the reader unpins; it finds a page there, or a
 * tombstone, which sends it to the root.
 *
 *   spec/StructureModification.tla     here
 *   LoadEntry, CrossRight              bw_detour
 */
#include "tree.h"

typedef struct bw_truth {
    bool holds;          /* the page was the truth when `witness` was loaded */
    const bw_page *page; /* the witness */
    bw_pid pid;          /* its page id; if the page does not hold: where to go on */
} bw_truth;

static bw_truth truth_of(bw_tree *tree, bw_pid pid, const bw_page *removed) {
    bw_truth truth = {.pid = BW_ROOT};
    if (removed->low == 0) {
        truth.page = bw_map_load(tree, BW_ROOT);
        truth.holds =
            truth.page->level == removed->level + 1U && (bw_pid)bw_page_value(truth.page, 0) == pid;
        return truth;
    }
    bw_place left;
    tree->search->descend(tree, removed->low - 1, removed->level, &left);
    if (left.page->level != removed->level || bw_page_is_removed(left.page))
        return truth;
    truth.page = left.page;
    truth.pid = left.pid;
    truth.holds = left.page->right == pid && left.page->high == removed->low;
    return truth;
}

bw_pid bw_detour(bw_tree *tree, uint64_t key, bw_place *place) {
    const bw_page *page = place->page;
    if (bw_page_is_tombstone(page))
        return BW_ROOT;
    if (bw_page_is_removed(page)) {
        bw_truth truth = truth_of(tree, place->pid, page);
        place->crossed = true;
        place->missing = (bw_duty){.separator = page->low,
                                   .pid = place->pid,
                                   .level = (uint16_t)(page->level + 1U),
                                   .kind = BW_DUTY_FINISH};
        if (!truth.holds)
            return truth.pid;
        if (bw_page_ends_before(page, key))
            return page->right;
    } else if (bw_page_ends_before(page, key)) {
        place->crossed = true;
        place->missing = (bw_duty){.separator = page->high,
                                   .pid = page->right,
                                   .level = (uint16_t)(page->level + 1U),
                                   .kind = BW_DUTY_POST};
        return page->right;
    }
    uint64_t separator;
    uint64_t child = BW_ROOT;
    /* Always found: the first entry of an inner page is never deleted. */
    (void)bw_page_floor(page, tree->search, bw_log_length(page), key, &separator, &child);
    return (bw_pid)child;
}

/* The descent's loop, from a page id that is not the root's. */
static void walk(bw_tree *tree, uint64_t key, unsigned level, bw_place *place) {
    for (;;) {
        place->page = bw_map_load(tree, place->pid);
        if (!bw_page_ends_before(place->page, key) && place->page->level <= level)
            return;
        place->pid = bw_detour(tree, key, place);
    }
}

void bw_find(bw_tree *tree, uint64_t key, unsigned level, bw_found *found) {
    bw_place place;
    tree->search->descend(tree, key, level, &place);
    found->witness = NULL;
    found->witness_pid = BW_NO_PID;
    for (;;) {
        found->slots = bw_log_length(place.page);
        if (found->slots == 0 || bw_slot(place.page, found->slots - 1) != BW_REMOVE_WORD)
            break;
        bw_truth truth = truth_of(tree, place.pid, place.page);
        if (truth.holds) {
            found->witness = truth.page;
            found->witness_pid = truth.pid;
            break;
        }
        place.pid = truth.pid;
        walk(tree, key, level, &place);
    }
    found->page = place.page;
    found->pid = place.pid;
    found->crossed = place.crossed;
    found->missing = place.missing;
}

bool bw_get_around(bw_tree *tree, uint64_t key, uint64_t *value) {
    bw_found leaf;
    bw_find(tree, key, 0, &leaf);
    return bw_page_find(leaf.page, tree->search, leaf.slots, key, value);
}
