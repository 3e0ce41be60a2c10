"""Fills the table: takes what is known, runs what is not, and says what is wrong with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from model_check.console import progress
from model_check.explorer.mutants import Defect, broken_copy, judge
from model_check.explorer.orders import all_mutants, judge_all
from model_check.mutants import steps
from model_check.mutants.cells import FLAVOURS, HISTORIES, Histories, Programs
from model_check.mutants.engine import SANITIZED
from model_check.mutants.mutant import SAME_PROGRAMS, Cell, Mutant, Row
from model_check.mutants.results import Cells, from_fates, from_sections
from model_check.report import CannotRun, Section, Settings
from model_check.tlc.startup import with_startup
from model_check.tlc.tools import find_toolchain

#: A C test that takes longer is left to `make test`; a sanitizer runs the quick ones only.
_LONG_SECONDS, _QUICK_SECONDS = 15.0, 5.0

#: What makes the cells of one checker for the engine's mutants.
Judge = Callable[[Defect], Cell]
#: The parts of `bwcheck all` that run mutants: names to their section functions.
Parts = Mapping[str, Callable[[Settings], Section]]

#: Which part fills which checker's cells.
_PART_OF = {
    "tlc": "tlc",
    "z3": "proofs",
    "litmus": "litmus",
    "histories": "lin",
    "conform": "conform",
}


def wanted(mutants: Sequence[Mutant], checkers: Sequence[str]) -> list[tuple[Mutant, str]]:
    """List the table's places: each mutant with each of its checkers, if that is asked for."""
    return [
        (mutant, checker)
        for mutant in mutants
        for checker in mutant.checkers
        if not checkers or checker in checkers
    ]


def _explorer(seed: int, limit: float | None) -> Judge:
    def one(defect: Defect) -> Cell:
        outcome = judge(defect, seed=seed, limit=limit)
        seconds = round(outcome.seconds, 2)
        if outcome.found is None or outcome.case is None or outcome.plan is None:
            return Cell("explorer", False, seconds)
        what = f"{outcome.found.kind}, {outcome.executions:,} executions"
        by = f"{outcome.case.name} ({outcome.plan.model})"
        return Cell("explorer", True, seconds, by, what)

    return one


def judge_of(checker: str, *, seed: int, limit: float | None) -> Judge:
    """Give what runs a checker on a broken engine. Raises CannotRun."""
    if checker == "explorer":
        return _explorer(seed, limit)
    if checker == HISTORIES:
        histories = Histories(seed)
        return lambda defect: histories.judge(broken_copy(defect))
    tests = Programs(checker)
    # A sanitizer makes the slow ones slower still.
    most = _QUICK_SECONDS if checker in SAME_PROGRAMS else _LONG_SECONDS
    return lambda defect: tests.judge(broken_copy(defect), limit=limit, faster_than=most)


def run_engine(
    places: Sequence[tuple[Mutant, str]],
    cells: Cells,
    *,
    seed: int = 0,
    jobs: int = 1,
    limit: float | None = None,
    done: Callable[[], None] = lambda: None,
) -> None:
    """Fill the cells of the engine's mutants that are missing; ``done`` after each."""
    defects = {defect.name: defect for defect in steps.engine()}
    todo = [
        (mutant, checker)
        for mutant, checker in places
        if mutant.kind == "engine"
        and checker != steps.CHECKER
        and (mutant.key, checker) not in cells
    ]
    lock = threading.Lock()
    with progress("mutants", len(todo)) as reporter:
        for checker in ("explorer", HISTORIES, *FLAVOURS):
            mine = [
                mutant
                for mutant, name in todo
                if name == checker and _is_tried(mutant, checker, cells)
            ]
            if not mine:
                continue
            judge_one = judge_of(checker, seed=seed, limit=limit)

            def one(mutant: Mutant, judge_one: Judge = judge_one, checker: str = checker) -> None:
                cell = judge_one(defects[mutant.name])
                said = f"{cell.by}: {cell.what}" if cell.killed else "blind"
                with lock:
                    cells[mutant.key, checker] = cell
                    reporter.step(f"{mutant.name}: {checker}: {said} ({cell.seconds} s)")
                    done()

            with ThreadPoolExecutor(jobs) as pool:
                list(pool.map(one, mine))


def _is_tried(mutant: Mutant, checker: str, cells: Cells) -> bool:
    """Say whether a checker is to be tried; a sanitizer not on all that its programs kill."""
    if mutant.name in SANITIZED.get(checker, ()):
        return True
    return rows_of([mutant], cells)[0].needs(checker)


def run_parts(
    places: Sequence[tuple[Mutant, str]], cells: Cells, parts: Parts, settings: Settings
) -> None:
    """Run those parts of `bwcheck all` whose mutants have no cell yet."""
    missing = {
        "explore" if mutant.kind == "harness" else _PART_OF.get(checker, "")
        for mutant, checker in places
        if mutant.kind not in {"engine", "order"}
        and not _by_steps(mutant, checker)
        and (mutant.key, checker) not in cells
    }
    for name, part in parts.items():
        if name in missing:
            cells.update(from_sections([part(settings).as_json()]))


def _by_steps(mutant: Mutant, checker: str) -> bool:
    """Say whether the cell tells of a step at which the mutant must be rejected."""
    return checker == steps.CHECKER and bool(steps.runs(mutant.key))


def run_steps(
    places: Sequence[tuple[Mutant, str]], cells: Cells, *, done: Callable[[], None] = lambda: None
) -> None:
    """Look for the steps at which mutants must be rejected, where cells miss; ``done`` after each.

    Each uses all cores by itself.
    """
    todo = [
        mutant
        for mutant, checker in places
        if _by_steps(mutant, checker) and (mutant.key, checker) not in cells
    ]
    if not todo:
        return
    tools = with_startup(find_toolchain())
    with progress("steps", len(todo)) as reporter:
        for mutant in todo:
            cell = steps.judged(mutant.key, tools)
            cells[mutant.key, steps.CHECKER] = cell
            reporter.step(f"{mutant.name}: {cell.by or 'not rejected there'} ({cell.seconds} s)")
            done()


def run_orders(places: Sequence[tuple[Mutant, str]], cells: Cells, *, seed: int, jobs: int) -> None:
    """Weaken the orders, all of them, if one has no cell."""
    if all((mutant.key, checker) in cells for mutant, checker in places if mutant.kind == "order"):
        return
    mutants = all_mutants()
    lock = threading.Lock()
    with progress("orders", len(mutants)) as reporter:

        def told(fate: object) -> None:
            with lock:
                reporter.step(str(fate)[:120])

        cells.update(from_fates(judge_all(mutants, jobs=jobs, seed=seed, told=told)))


def rows_of(mutants: Sequence[Mutant], cells: Cells) -> list[Row]:
    """Put mutants and cells together."""
    return [
        Row(
            mutant,
            tuple(
                cells[mutant.key, checker]
                for checker in mutant.checkers
                if (mutant.key, checker) in cells
            ),
        )
        for mutant in mutants
    ]


def untried(rows: Sequence[Row]) -> list[str]:
    """Name the places without a cell."""
    return [
        f"{row.mutant.key}: {checker} has not been tried on it"
        for row in rows
        for checker in row.mutant.checkers
        if row.cell(checker) is None and row.needs(checker)
    ]


def chosen(mutants: Sequence[Mutant], only: Sequence[str]) -> list[Mutant]:
    """Keep those whose key holds one of the words. Raises CannotRun."""
    for word in only:
        if not any(word in mutant.key for mutant in mutants):
            raise CannotRun(f"--only {word}: no mutant's name holds this; --list names them all")
    return [m for m in mutants if not only or any(word in m.key for word in only)]
