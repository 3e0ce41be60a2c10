"""Mutants that must be rejected at one step, by traces or by tours: their rows and their cells.

`bwcheck conform` breaks lines of the engine and actions of the specs, and names for each the step
at which it must be seen. The same change may stand in the table already, as a mutant of the engine
or as a must-fail configuration: then the row is that one, with one cell more. Any other is a row of
its own: a changed line of the engine for every checker that runs the C, a changed action of a spec
for this one. A mutant that traces and a tour must both reject has one cell for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from model_check.conformance.mutants import MUTANTS, judge
from model_check.conformance.mutants import Mutant as Change
from model_check.conformance.runner import BY_TOUR
from model_check.conformance.tour_mutants import TOUR_MUTANTS, judge_tour
from model_check.conformance.tours import Subject
from model_check.explorer.mutants import Defect, changed
from model_check.mutants.engine import ENGINE
from model_check.mutants.mutant import Cell
from model_check.report import Verdict
from model_check.tlc.tools import Toolchain

CHECKER = "conform"

#: Changed actions to the must-fail configurations that break the same guard in the same way.
SAME_GUARD: Mapping[str, str] = {
    "spec: objects are freed one epoch early": "MCEpochReclamation_fail_free_one_epoch_early",
    "spec: an advance may leave out one thread": "MCEpochReclamation_fail_advance_skips_a_thread",
    "spec: a thread that is not pinned blocks the epoch": (
        "MCEpochReclamation_fail_unpinned_thread_blocks"
    ),
    "spec: an update answers from the base alone": "MCDeltaLog_fail_answer_from_base",
    "spec: a worker freezes an empty log": "MCDeltaLog_fail_freeze_empty_log",
}


@dataclass(frozen=True)
class Run:
    """One way to look for the step: by traces, or by the tour of ``subject``."""

    change: Change
    subject: Subject | None = None

    @property
    def case(self) -> str:
        """Name it as `bwcheck conform --mutants` does."""
        return self.change.name if self.subject is None else f"{BY_TOUR}{self.change.name}"

    def told(self, result: str) -> str:
        """Say in the table what it ended with."""
        return f"{'a trace' if self.subject is None else 'a tour'} {result}"


@dataclass(frozen=True)
class _Known:
    """All that must be rejected at a step: by the row's key, and what no list had before."""

    runs: Mapping[str, Sequence[Run]]
    defects: Sequence[Defect]
    actions: Sequence[Change]


@cache
def _known() -> _Known:
    runs = defaultdict[str, list[Run]](list)
    texts = {(each.file, changed(each)): each.name for each in ENGINE}
    defects: list[Defect] = []
    actions: dict[str, Change] = {}
    for run in (*map(Run, MUTANTS), *(Run(*each) for each in TOUR_MUTANTS)):
        change = run.change
        name = change.name.partition(": ")[2]
        if change.kind == "code":
            made = Defect(name, change.file, change.old, change.new, ())
            same = texts.setdefault((change.file, changed(made)), name)
            if same == name and not any(each.name == name for each in (*ENGINE, *defects)):
                defects.append(made)
            key = f"engine: {same}"
        elif change.name in SAME_GUARD:
            key = f"spec: {SAME_GUARD[change.name]}"
        else:
            actions.setdefault(name, change)
            key = f"action: {name}"
        runs[key].append(run)
    return _Known(runs, defects, list(actions.values()))


def engine() -> Sequence[Defect]:
    """Give all mutants of the engine but the memory orders. Raises CannotRun if one fits not."""
    return (*ENGINE, *_known().defects)


def actions() -> Sequence[Change]:
    """Give the changed actions of specs that are no must-fail configuration."""
    return _known().actions


def runs(key: str) -> Sequence[Run]:
    """Give the runs that fill the cell of a row; none for a row that has no such cell."""
    return _known().runs.get(key, ())


def judged(key: str, tools: Toolchain) -> Cell:
    """Look for the steps at which a row's mutant must be rejected. Raises CannotRun."""
    found = []
    for run in runs(key):
        subject = run.subject
        fate = (
            judge(run.change, tools) if subject is None else judge_tour(run.change, subject, tools)
        )
        found.append((run, fate.killed, fate.seconds, f"rejected at {fate.action}"))
    return _joined(found)


def cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Cell]]:
    """Take cells from what `bwcheck conform --mutants` has written, where all their runs are."""
    written = {row["mutant"]: row for row in rows if row["kind"] == "mutant"}
    for key, mine in _known().runs.items():
        if all(run.case in written for run in mine):
            told = [(run, written[run.case]) for run in mine]
            yield (
                key,
                _joined(
                    [
                        (run, row["verdict"] == Verdict.GREEN.value, row["seconds"], row["result"])
                        for run, row in told
                    ]
                ),
            )


def _joined(found: Sequence[tuple[Run, bool, float, str]]) -> Cell:
    """Give the cell for runs, each with whether it kills, its seconds, and how it ended."""
    by = "; ".join(run.told(result) for run, killed, _, result in found if killed)
    killed = all(kills for _, kills, _, _ in found)
    return Cell(CHECKER, killed, round(sum(each[2] for each in found), 2), by if killed else "")
