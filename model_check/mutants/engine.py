"""Mutants of the engine beside those that every `make check` explores (explorer/mutants.py).

They are the published bugs of other Bw-trees that this engine is built to exclude, the rules of
merges, removals and reclamation one by one, and defects that only one kind of evidence can see.
They are in the same form: the text of one place of impl/src, and what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_check.explorer.mutants import DEFECTS, Defect

CUT_AT_MARK = "a parent is split at the separator of a page that is being merged"
OLD_VIEW = "a helper with an old view of the parent takes a merge for finished"
BURIED_EARLY = "a merged page is gone before its separator is"
LEFTMOST = "the leftmost child of a parent is merged"
FREE_LIST = "the list of free page ids does not count its pops"
CURSOR = "a cursor reads its leaf when its pin has ended"

_FINISH = """    status = merge_page(self, duty, page, duties);
    if (status == BW_OK)
        status = delete_entry(self, duty, &alone, duties);
    if (status != BW_OK)
        return status;
    if (!bw_bury(self, duty.pid, page)) {
"""
_FINISH_BURIED_FIRST = """    status = merge_page(self, duty, page, duties);
    if (status != BW_OK)
        return status;
    const bool buried = bw_bury(self, duty.pid, page);
    status = delete_entry(self, duty, &alone, duties);
    if (status != BW_OK)
        return status;
    if (!buried) {
"""

_STEPS = "            !step_right(tree, &place))\n            break;\n    }\n"

#: The bugs of other Bw-trees and of their users that the issue of this table names.
PUBLISHED: Sequence[Defect] = (
    Defect(
        CUT_AT_MARK,
        "consolidate.c",
        "    if (page->level == 0 || (values[left] & BW_MARKED) == 0)\n        return left;\n",
        "    if (page->level == 0 || values != NULL)\n        return left;\n",
        ("merge-inner", "merge-merge", "one-merge-put-elsewhere"),
    ),
    Defect(
        OLD_VIEW,
        "write.c",
        "        bw_status status = bw_consolidate_page(self, place.pid, leaf, &duties);\n",
        "        bw_status status = BW_OK;\n"
        "        if (scan.removed && place.crossed && place.missing.pid == place.pid)\n"
        "            (void)bw_bury(self, place.pid, leaf);\n"
        "        else\n"
        "            status = bw_consolidate_page(self, place.pid, leaf, &duties);\n",
        ("merge-while-posting", "merge-post"),
    ),
    Defect(
        BURIED_EARLY,
        "merge.c",
        _FINISH,
        _FINISH_BURIED_FIRST,
        ("one-merge-get", "one-merge-update"),
    ),
    Defect(
        LEFTMOST,
        "merge.c",
        "if (status != BW_OK || at == parent.n || at == 0)",
        "if (status != BW_OK || at == parent.n)",
        ("merge-append", "merge-pop"),
        (
            (
                "    if (at == 0) {\n        duty->separator",
                "    if (false) {\n        duty->separator",
            ),
        ),
    ),
    Defect(
        FREE_LIST,
        "mapping.c",
        "fresh = ((head >> 32) + 1) << 32 | bw_pids_next_free",
        "fresh = (head >> 32) << 32 | bw_pids_next_free",
        ("page-ids-come-back",),
    ),
    Defect(
        CURSOR,
        "cursor.c",
        "    bw_find(tree, low, 0, &place);\n    *n = 0;\n",
        "    bw_find(tree, low, 0, &place);\n    bw_leave(self);\n    *n = 0;\n",
        ("cursor-removals", "merge-cursor"),
        (
            (
                _STEPS + "    bw_leave(self);\n",
                _STEPS,
            ),
        ),
    ),
)

_MERGES: Sequence[Defect] = (
    Defect(
        "a merge begins without a mark",
        "merge.c",
        "status = append(self, &parent, BW_KIND_MARK, duty.separator, duty.pid, marked);\n",
        "*marked = true;\n",
        ("one-merge-get", "merge-merge"),
    ),
    Defect(
        "an inner page with a mark is removed",
        "merge.c",
        "        unsigned marked = page->level > 0 ? marked_of(&view) : view.n;\n"
        "        if (view.frozen) {\n",
        "        unsigned marked = view.n;\n        if (view.frozen) {\n",
        ("merge-inner",),
    ),
    Defect(
        "MERGE goes into a page whose right sibling is another",
        "merge.c",
        "if (!view.removed && (view.page->right != duty.pid || view.page->high != duty.separator))",
        "if (!view.removed && view.page->high > duty.separator)",
        ("merge-post", "merge-split"),
    ),
    Defect(
        "the page id of a merged page is given out again at once",
        "merge.c",
        "    page->limbo_pid = pid;\n",
        "    BW_EVENT(RECYCLE_PID, page, pid, 0);\n    bw_pids_give_back(self, 1, &pid);\n",
        ("reuse-of-page-ids", "merge-read"),
    ),
    Defect(
        "a write believes a page that is being merged",
        "write.c",
        "        if (!scan.removed && (!decision.append || decision.status == BW_ENOMEM))",
        "        if (!decision.append || decision.status == BW_ENOMEM)",
        ("one-merge-insert-present", "one-merge-update", "merge-append"),
    ),
    Defect(
        "a read believes a page that is being merged",
        "detour.c",
        "        if (found->slots == 0 || bw_slot(place.page, found->slots - 1) != BW_REMOVE_WORD)",
        "        if (found->slots <= place.page->log_slots)",
        ("merge-read", "one-merge-floor", "one-merge-count"),
    ),
    Defect(
        "the root collapses without a second look at it",
        "collapse.c",
        "(marked == BW_NO_PID && only_child(tree, bw_map_load(tree, BW_ROOT)) != pid)",
        "(marked == BW_NO_PID && pid == BW_NO_PID)",
        ("root-collapse-split",),
    ),
    Defect(
        "navigation looks at a removed leaf again, not at its witness",
        "navigate.c",
        "        if (place.witness != NULL)\n",
        "        if (place.witness != NULL && slots > leaf->log_slots)\n",
        ("merge-navigation", "one-merge-floor"),
    ),
    Defect(
        "a post asks before its scan whether its page is alive",
        "split.c",
        "        bw_scan scan = {0};\n        bool done = false;\n",
        "        const bool dead = !is_alive(tree, duty);\n"
        "        bw_scan scan = {0};\n        bool done = false;\n",
        ("merge-while-posting", "merge-post"),
        (("            done = !is_alive(tree, duty);\n", "            done = dead;\n"),),
    ),
)

_OTHERS: Sequence[Defect] = (
    Defect(
        "a helper stores the mapping entry instead of swapping it",
        "consolidate.c",
        "    if (bw_map_install(self->tree, pid, page, fresh)) {\n",
        "    bw_map_store(self->tree, pid, fresh);\n    if (page != fresh) {\n",
        ("append-consolidation",),
    ),
    Defect(
        "upkeep replaces a page that can still take a record",
        "upkeep.c",
        "            bw_log_freeze(place.page);\n",
        "",
        ("append-upkeep",),
    ),
    Defect(
        "a leaf is emptied without being frozen",
        "trim.c",
        "    bw_log_freeze(leaf);\n    unsigned slots = bw_log_length(leaf);\n"
        "    bw_kind last = bw_word_kind(bw_slot(leaf, slots - 1));\n",
        "    unsigned slots = bw_log_length(leaf);\n"
        "    bw_kind last = slots > 0 ? bw_word_kind(bw_slot(leaf, slots - 1)) : BW_KIND_NONE;\n",
        ("delete-range-append",),
    ),
    Defect(
        "a pop takes an empty leaf for an empty map",
        "trim.c",
        "        *again = end == FIRST ? !bw_page_is_rightmost(leaf) : leaf->low != 0;\n",
        "        *again = false;\n",
        ("merge-pop", "pop-put"),
    ),
    Defect(
        "a deletion counts keys that others have removed",
        "trim.c",
        "        *removed += status == BW_OK;\n",
        "        *removed += 1;\n",
        ("delete-range-remove",),
    ),
    Defect(
        "a run of puts is installed although another was first",
        "bulk.c",
        "    *won = bw_map_install(self->tree, pid, leaf, fresh);\n",
        "    bw_map_store(self->tree, pid, fresh);\n    *won = true;\n",
        (),
    ),
    Defect(
        "a bag is tagged with the epoch that its thread has announced",
        "epoch.c",
        "    bag->limbo_tag = atomic_load_explicit(&self->tree->epoch, memory_order_relaxed);\n",
        "    bag->limbo_tag = atomic_load_explicit(&self->announced, memory_order_relaxed);\n",
        ("epoch-behind", "epoch-by-a-third"),
    ),
    Defect(
        "an advance does not look at the thread that makes it",
        "epoch.c",
        "        if (announced != 0 && announced != epoch) {\n",
        "        if (thread != self && announced != 0 && announced != epoch) {\n",
        ("epoch-handed-on", "advance-advance"),
    ),
)

_PAGE_READS: Sequence[Defect] = (
    Defect(
        "a cursor looks the values of a page up anew",
        "cursor.c",
        "                            values + *n);\n        BW_EVENT",
        "                            values + *n);\n"
        "        for (size_t i = 0; i < *n; i++)\n"
        "            (void)tree->search->get(tree, keys[i], &values[i]);\n"
        "        BW_EVENT",
        (),
    ),
)

_SEEN_BY_ONE: Sequence[Defect] = (
    Defect(
        "AVX2 compares keys as signed numbers",
        "search_avx2.c",
        "_mm256_set1_epi64x(INT64_MIN);",
        "_mm256_set1_epi64x(0);",
        (),
    ),
    Defect(
        "navigation writes one past its array of visited leaves",
        "navigate.c",
        "    if (visits->count == visits->room) {\n",
        "    if (visits->count == visits->room + 1) {\n",
        ("merge-navigation",),
    ),
    Defect(
        "the self check walks over registrations without an acquire",
        "check.c",
        "*thread = atomic_load_explicit(&tree->threads, memory_order_acquire);\n",
        "*thread = atomic_load_explicit(&tree->threads, memory_order_relaxed);\n",
        (),
    ),
)

#: All mutants of the engine but the memory orders.
ENGINE: Sequence[Defect] = (
    *DEFECTS, *PUBLISHED, *_MERGES, *_OTHERS, *_PAGE_READS, *_SEEN_BY_ONE
)  # fmt: skip


#: Sanitizer to mutants on which it is tried although its programs find them without it.
SANITIZED: Mapping[str, tuple[str, ...]] = {
    "ASan + UBSan": (
        CURSOR,
        "pages and their records are freed at once",
        "the page id of a merged page is given out again at once",
    ),
    "TSan": (
        "a page is published before its contents",
        "a helper stores the mapping entry instead of swapping it",
    ),
}


@dataclass(frozen=True)
class Published:
    """One bug of other Bw-trees: its mutants in spec/, in model_check/proofs and in impl/src."""

    spec: tuple[str, ...]
    system: tuple[str, ...]
    engine: str


#: What was published, in the words of those who found it, to its mutants here.
BUGS: Mapping[str, Published] = {
    "a node is removed while its parent splits at that separator": Published(
        ("MCStructureModification_fail_cut_at_mark",), ("cut_at_mark",), CUT_AT_MARK
    ),
    "a helper with an old view of the parent takes a merge for finished": Published(
        ("MCStructureModification_fail_finished_without_separator",), (), OLD_VIEW
    ),
    "a merged leaf is consolidated away before its separator is gone": Published(
        ("MCStructureModification_fail_bury_before_delete",), ("bury_before_delete",), BURIED_EARLY
    ),
    "the leftmost child is merged": Published(
        ("MCStructureModification_fail_merge_leftmost",), ("merge_leftmost",), LEFTMOST
    ),
    "the list of free page ids is raced": Published(
        ("MCFreeList_fail_pops_are_not_counted",), (), FREE_LIST
    ),
    "an iterator stands on a page that is consolidated": Published(
        ("MCStructureShortcuts_fail_walk_after_unpin",), (), CURSOR
    ),
}
