"""What tours must reject: one changed line of the engine, or one changed action of a spec.

A changed engine does not do what the spec does; a changed spec does more than the engine, or
something else, which traces cannot show (`mutants`). Either must be rejected at the very action.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from model_check.conformance import record
from model_check.conformance.mutants import MUTANTS, Fate, Mutant, changed
from model_check.conformance.tour_free_list import FreeList
from model_check.conformance.tours import TOURS, Subject, run_tour
from model_check.tlc.tools import Toolchain

_SMALL, _ADVANCERS, _WRITERS, _WORKER, _FREE, _SPLIT = TOURS
_EPOCHS, _LOG, _LIST = "EpochReclamation", "DeltaLog", "FreeList"
_TREE = "StructureModification"
#: Of a spec whose list may be in disorder: its graph is large otherwise.
_FEW_CALLS = FreeList(2, 2, calls=3)


def _as_traced(name: str, step: tuple[str, ...]) -> Mutant:
    """Give a mutant that traces must reject, too: here at another action."""
    return replace(next(each for each in MUTANTS if each.name == name), step=step)


#: Mutants, each with the tour that must reject it.
TOUR_MUTANTS: Sequence[tuple[Mutant, Subject]] = (
    (
        _as_traced("code: pages are freed one epoch early", ("no Free",)),
        _SMALL,
    ),
    (
        Mutant(
            "code: pages are freed one epoch late",
            "code",
            "epoch.c",
            "enum { GRACE = 2 };",
            "enum { GRACE = 3 };",
            _EPOCHS,
            ("Free",),
        ),
        _SMALL,
    ),
    (
        _as_traced("code: a bag is tagged with the thread's own epoch", ("Tag",)),
        _SMALL,
    ),
    (
        _as_traced("code: the epoch advances past a pinned thread", ("ScanBlocked",)),
        _SMALL,
    ),
    (
        Mutant(
            "code: the epoch is moved by an addition",
            "code",
            "epoch.c",
            "    if (!atomic_compare_exchange_strong_explicit(&tree->epoch, &epoch, epoch + 1,\n"
            "                                                 memory_order_release, "
            "memory_order_relaxed)) {\n",
            "    if (atomic_fetch_add_explicit(&tree->epoch, 1, memory_order_release) == 0) {\n",
            _EPOCHS,
            ("CommitLost",),
        ),
        _ADVANCERS,
    ),
    (
        Mutant(
            "spec: objects are freed one epoch early",
            "spec",
            "EpochReclamation.tla",
            'IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2',
            'IF Mutation = "free_one_epoch_early" THEN 2 ELSE 1',
            _EPOCHS,
            ("Free",),
        ),
        _SMALL,
    ),
    (
        Mutant(
            "spec: an object may be acquired without a pin",
            "spec",
            "EpochReclamation.tla",
            '  /\\ Pinned(t) \\/ (Mutation = "announce_after_load" /\\ seen[t] # 0)\n',
            "",
            _EPOCHS,
            ("Acquire",),
        ),
        _ADVANCERS,
    ),
    (
        Mutant(
            "spec: an advance may leave out one thread",
            "spec",
            "EpochReclamation.tla",
            '  \\/ Mutation = "advance_skips_a_thread" /\\ \\E t',
            "  \\/ \\E t",
            _EPOCHS,
            ("Commit",),
        ),
        _SMALL,
    ),
    (
        _as_traced("spec: a pin announces the epoch of that moment", ("Announce",)),
        _SMALL,
    ),
    (
        Mutant(
            "spec: a thread that is not pinned may block an advance",
            "spec",
            "EpochReclamation.tla",
            "\\E t \\in Threads \\ advance[a].scanned : ~LetsPass(t, a)",
            "\\E t \\in Threads \\ advance[a].scanned : ~LetsPass(t, a) \\/ ~Pinned(t)",
            _EPOCHS,
            ("ScanBlocked",),
        ),
        _SMALL,
    ),
    (
        _as_traced(
            "code: a losing appender does not look at the slots that it lost", ("AppendLost",)
        ),
        _WRITERS,
    ),
    (
        _as_traced("code: a consolidation without the last slot", ("Install",)),
        _WRITERS,
    ),
    (
        _as_traced("code: a remove gives back a wrong old value", ("Return",)),
        _WRITERS,
    ),
    (
        Mutant(
            "code: a consolidation freezes nothing",
            "code",
            "upkeep.c",
            "            bw_log_freeze(place.page);\n",
            "",
            _LOG,
            ("ReadRecord",),
        ),
        _WORKER,
    ),
    (
        Mutant(
            "spec: a helper may replace a page that is not mapped",
            "spec",
            "DeltaLog.tla",
            '  /\\ mapping = thread[t].page \\/ Mutation = "install_by_store"\n',
            "",
            _LOG,
            ("Install",),
        ),
        _WRITERS,
    ),
    (
        _as_traced("spec: an update answers from the base alone", ("Return",)),
        _WORKER,
    ),
    (
        Mutant(
            "spec: a worker freezes an empty log",
            "spec",
            "DeltaLog.tla",
            'IF thread[t].next > 1 \\/ Mutation = "freeze_empty_log"',
            "IF TRUE",
            _LOG,
            ("FindWork",),
        ),
        _WORKER,
    ),
    (
        Mutant(
            "code: the list of free page ids does not count its pops",
            "code",
            "mapping.c",
            "fresh = ((head >> 32) + 1) << 32 |",
            "fresh = (head >> 32) << 32 |",
            _LIST,
            ("Pop",),
        ),
        _FREE,
    ),
    (
        Mutant(
            "code: a pop that has lost keeps the link that it has read",
            "code",
            "mapping.c",
            "    uint64_t fresh;\n"
            "    do {\n"
            "        BW_EVENT(POP_SEES, tree, (bw_pid)head, head);\n"
            "        if ((bw_pid)head == BW_NO_PID)\n"
            "            return BW_NO_PID;\n"
            "        fresh = ((head >> 32) + 1) << 32 | bw_pids_next_free(tree, (bw_pid)head);\n",
            "    uint64_t fresh = 0;\n"
            "    do {\n"
            "        BW_EVENT(POP_SEES, tree, (bw_pid)head, head);\n"
            "        if ((bw_pid)head == BW_NO_PID)\n"
            "            return BW_NO_PID;\n"
            "        bw_pid next = bw_pids_next_free(tree, (bw_pid)head);\n"
            "        fresh = ((head >> 32) + 1) << 32 | (fresh == 0 ? next : (bw_pid)fresh);\n",
            _LIST,
            ("ReadLink",),
        ),
        _FREE,
    ),
    (
        Mutant(
            "code: a push that has lost links to what was first before",
            "code",
            "mapping.c",
            "    uint64_t fresh;\n"
            "    do {\n"
            "        BW_EVENT(PUSH_SEES, tree, pid, head);\n"
            "        link_to(tree, pid, (bw_pid)head);\n",
            "    uint64_t fresh;\n"
            "    bw_pid first = (bw_pid)head;\n"
            "    do {\n"
            "        BW_EVENT(PUSH_SEES, tree, pid, head);\n"
            "        link_to(tree, pid, first);\n",
            _LIST,
            ("WriteLink",),
        ),
        _FREE,
    ),
    (
        Mutant(
            "code: a push stores the head",
            "code",
            "mapping.c",
            "    } while (!atomic_compare_exchange_weak_explicit(&tree->free_pids, &head, fresh,\n"
            "                                                    memory_order_release, "
            "memory_order_relaxed));\n"
            "    BW_EVENT(PUSH_PID",
            "    } while (false);\n"
            "    atomic_store_explicit(&tree->free_pids, fresh, memory_order_release);\n"
            "    BW_EVENT(PUSH_PID",
            _LIST,
            ("Push",),
        ),
        _FREE,
    ),
    (
        Mutant(
            "spec: the list of free page ids does not count its pops",
            "spec",
            "FreeList.tla",
            'IF Mutation = "pops_are_not_counted" THEN n ELSE n + 1',
            "n",
            _LIST,
            ("Pop",),
        ),
        _FEW_CALLS,
    ),
    (
        Mutant(
            "spec: a push stores the head",
            "spec",
            "FreeList.tla",
            'head = r.saw \\/ Mutation = "push_by_store"',
            "TRUE",
            _LIST,
            ("Push",),
        ),
        _FEW_CALLS,
    ),
    (
        Mutant(
            "spec: a pop may fail without need",
            "spec",
            "FreeList.tla",
            '  /\\ r.pc = "pop"\n  /\\ IF head = r.saw THEN\n',
            '  /\\ r.pc = "pop"\n  /\\ \\E fails \\in BOOLEAN :\n'
            "     IF head = r.saw /\\ ~fails THEN\n",
            _LIST,
            ("Pop",),
        ),
        _FREE,
    ),
    (
        Mutant(
            "spec: a push that has lost does not link anew",
            "spec",
            "FreeList.tla",
            '[th EXCEPT ![t].pc = "write link", ![t].saw = head]\n'
            "       /\\ UNCHANGED <<head, held>>",
            "[th EXCEPT ![t].saw = head]\n       /\\ UNCHANGED <<head, held>>",
            _LIST,
            ("Push",),
        ),
        _FEW_CALLS,
    ),
    (
        _as_traced("code: a post without a look whether its page is alive", ("CheckAlive",)),
        _SPLIT,
    ),
    (
        Mutant(
            "code: the right half is published after the left one is installed",
            "code",
            "split.c",
            "        bw_map_store(tree, right, right_page);\n"
            "        *won = bw_map_install(tree, pid, page, left_page);\n",
            "        *won = bw_map_install(tree, pid, page, left_page);\n"
            "        bw_map_store(tree, right, right_page);\n",
            _TREE,
            ("PublishRight",),
        ),
        _SPLIT,
    ),
    (
        Mutant(
            "code: the left half does not know the right one",
            "code",
            "split.c",
            "keys, values, left, page->low, separator, right, 0);",
            "keys, values, left, page->low, separator, page->right, 0);",
            _TREE,
            ("SwapEntry",),
        ),
        _SPLIT,
    ),
    (
        Mutant(
            "code: a writer that has crossed a right link owes nothing",
            "code",
            "write.c",
            "    if (place.crossed) {\n",
            "    if (false) {\n",
            _TREE,
            ("LoadEntry", "Unpin"),
        ),
        _SPLIT,
    ),
    (
        Mutant(
            "spec: a post without a look whether its page is alive",
            "spec",
            "StructureDescent.tla",
            'IF Mutation \\in {"post_without_alive_check", "post_alive_before_scan"}\n'
            '                    THEN "append" ELSE "alive")',
            '"append")',
            _TREE,
            ("PostSeparator",),
        ),
        _SPLIT,
    ),
    (
        Mutant(
            "spec: an append may be lost without need",
            "spec",
            "StructureModification.tla",
            "  IF SlotIsFree(r) THEN\n    /\\ heap'",
            "  \\E lost \\in BOOLEAN : IF SlotIsFree(r) /\\ ~lost THEN\n    /\\ heap'",
            _TREE,
            ("AppendSlot", "PostSeparator"),
        ),
        _SPLIT,
    ),
    (
        Mutant(
            "spec: who has lost an exchange retires the page, too",
            "spec",
            "StructureReplacement.tla",
            'IF r.pub # <<>> THEN At(r, "unpublish") ELSE Restart(r))\n'
            "       /\\ UNCHANGED <<map, heap>>\n",
            'IF r.pub # <<>> THEN At(r, "unpublish") ELSE At(r, "retire"))\n'
            "       /\\ UNCHANGED <<map, heap>>\n",
            _TREE,
            ("SwapEntry",),
        ),
        _SPLIT,
    ),
)


def judge_tour(mutant: Mutant, subject: Subject, tools: Toolchain) -> Fate:
    """Look for the step at which a tour rejects a mutant. Raises CannotRun.

    A changed source of the engine is a .c file.
    """
    begin = time.monotonic()
    with changed(mutant) as folder:
        code = mutant.kind == "code"
        program = record.build(stand_in=folder / "src" / mutant.file if code else None)
        found = run_tour(subject, program, tools, spec=None if code else folder)
    difference = found.difference
    action = "" if difference is None else difference.action.split("(")[0]
    told = (
        f"{mutant.name}: the tour is driven to its end" if difference is None else str(difference)
    )
    return Fate(mutant, action in mutant.step, action, told, time.monotonic() - begin)
