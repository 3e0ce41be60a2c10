"""What tours must reject: one changed line of the engine, or one changed action of a spec.

A changed engine does not do what the spec does; a changed spec does more than the engine, or
something else, which traces cannot show (`mutants`). Either must be rejected at the very action.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from model_check.conformance import record
from model_check.conformance.mutants import Fate, Mutant, changed
from model_check.conformance.tours import TOURS, Subject, run_tour
from model_check.tlc.tools import Toolchain

_SMALL, _ADVANCERS, _WRITERS, _WORKER = TOURS
_EPOCHS, _LOG = "EpochReclamation", "DeltaLog"

#: Mutants, each with the tour that must reject it.
TOUR_MUTANTS: Sequence[tuple[Mutant, Subject]] = (
    (
        Mutant(
            "code: pages are freed one epoch early",
            "code",
            "epoch.c",
            "enum { GRACE = 2 };",
            "enum { GRACE = 1 };",
            _EPOCHS,
            ("no Free",),
        ),
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
        Mutant(
            "code: a bag is tagged with the thread's own epoch",
            "code",
            "epoch.c",
            "bag->limbo_tag = atomic_load_explicit(&self->tree->epoch, memory_order_relaxed);",
            "bag->limbo_tag = atomic_load_explicit(&self->announced, memory_order_relaxed);",
            _EPOCHS,
            ("Tag",),
        ),
        _SMALL,
    ),
    (
        Mutant(
            "code: the epoch advances past a pinned thread",
            "code",
            "epoch.c",
            "if (announced != 0 && announced != epoch) {",
            "if (announced != 0 && announced + 1 < epoch) {",
            _EPOCHS,
            ("ScanBlocked",),
        ),
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
        Mutant(
            "spec: a pin announces the epoch of that moment",
            "spec",
            "EpochReclamation.tla",
            "announced' = [announced EXCEPT ![t] = seen[t]]",
            "announced' = [announced EXCEPT ![t] = G]",
            _EPOCHS,
            ("Announce",),
        ),
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
        Mutant(
            "code: a losing appender does not look at the slots that it lost",
            "code",
            "write.c",
            "            bw_log_scan(leaf, key, &scan);\n",
            "            scan.frozen = ++scan.next == leaf->log_slots;\n",
            _LOG,
            ("AppendLost",),
        ),
        _WRITERS,
    ),
    (
        Mutant(
            "code: a consolidation without the last slot",
            "code",
            "consolidate.c",
            "    const unsigned records = length;",
            "    const unsigned records = length - 1;",
            _LOG,
            ("Install",),
        ),
        _WRITERS,
    ),
    (
        Mutant(
            "code: a remove gives back a wrong old value",
            "code",
            "write.c",
            "        *seen = current;\n",
            "        *seen = current + (kind == REMOVE);\n",
            _LOG,
            ("Return",),
        ),
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
        Mutant(
            "spec: an update answers from the base alone",
            "spec",
            "DeltaLog.tla",
            'IF Mutation = "answer_from_base" THEN Saw(Page(t).base, Op(t))',
            "IF TRUE THEN Saw(Page(t).base, Op(t))",
            _LOG,
            ("Return",),
        ),
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
