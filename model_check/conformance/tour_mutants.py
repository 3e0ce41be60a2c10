"""What tours must reject: one changed line of the engine, or one changed action of a spec.

A changed engine does not do what the spec does; a changed spec does more than the engine, or
something else, which traces cannot show (`mutants`). Either must be rejected at the very action.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from model_check.conformance import record
from model_check.conformance.mutants import Fate, Mutant, changed
from model_check.conformance.tour_epochs import Epochs
from model_check.conformance.tours import Subject, run_tour
from model_check.tlc.tools import Toolchain

_SMALL, _ADVANCERS = Epochs(2, 1, 1, 2), Epochs(2, 0, 2, 1)
_EPOCHS = "EpochReclamation"

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
