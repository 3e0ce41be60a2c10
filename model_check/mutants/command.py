"""`bwcheck mutants`: every mutant against every checker that could see it."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from model_check.axioms import command as litmus
from model_check.conformance import command as conform
from model_check.console import output
from model_check.explorer import suite as explore
from model_check.explorer.mutants import broken_copy
from model_check.explorer.orders import read_accepted
from model_check.linearizability import command as lin
from model_check.mutants import blind, steps
from model_check.mutants.cells import Programs
from model_check.mutants.mutant import CHECKERS, KINDS, Cell, Row
from model_check.mutants.registry import all_of_them
from model_check.mutants.results import (
    KEPT,
    from_orders,
    from_page,
    from_sections,
    read_json,
    read_rows,
    still_true,
    write_rows,
)
from model_check.mutants.suite import (
    chosen,
    rows_of,
    run_engine,
    run_orders,
    run_parts,
    run_steps,
    untried,
    wanted,
)
from model_check.mutants.table import as_markdown, overview, rich_overview, rich_table
from model_check.proofs import command as proofs
from model_check.report import CannotRun, Scalar, Section, Settings, Verdict
from model_check.tlc import command as tlc

if TYPE_CHECKING:
    from model_check.mutants.suite import Parts

#: The parts of `bwcheck all` that have mutants.
PARTS: Parts = {
    "tlc": tlc.section,
    "proofs": proofs.section,
    "litmus": litmus.section,
    "lin": lin.section,
    "conform": conform.section,
    "explore": explore.section,
}
PAGE = Path("docs/mutants.md")
SUMMARY = Path("build/check/summary.json")
ORDERS_PAGE = Path("docs/memory-orders.md")
#: How many of the engine's mutants `bwcheck all` kills again, and the longest it takes for one.
_AGAIN, _AGAIN_SECONDS = 2, 1.0


def mutants(
    checker: Annotated[
        Optional[list[str]],
        typer.Option("--checker", "-c", help=f"Only this one of {', '.join(CHECKERS)}."),
    ] = None,
    only: Annotated[
        Optional[list[str]],
        typer.Option("--only", metavar="WORD", help="Only mutants whose name holds this."),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the mutants and where they stand; run none.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run what the table has already, too.")
    ] = False,
    summary: Annotated[
        Optional[list[Path]],
        typer.Option(
            metavar="FILE",
            help=f"What `bwcheck all`, or a part with --json, has written (default: {SUMMARY}).",
        ),
    ] = None,
    orders: Annotated[
        Optional[Path],
        typer.Option(
            metavar="FILE", help="What `bwcheck orders --json` has written, to take from."
        ),
    ] = None,
    kept: Annotated[
        Path, typer.Option("--table", metavar="FILE", help="Where the table is kept.")
    ] = KEPT,
    markdown: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the page is written.")
    ] = PAGE,
    seconds: Annotated[
        float, typer.Option(min=1, help="Try no further program or case after so long.")
    ] = 120.0,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Mutants at once.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
) -> None:
    """Run every mutant against every checker that could see it, and write the table.

    What `bwcheck all` and `bwcheck orders` have run is taken from their files (of the orders from
    docs/memory-orders.md, if no other is named), what the table has already is kept unless its
    mutant has changed; the rest is run.

    Example: bwcheck mutants --only 'engine: ' --checker 'C tests'

    Exit codes: 0 each mutant is killed and each blind cell explained, 1 not, 2 could not run.
    """
    _known(checker or [])
    every = all_of_them()
    picked = chosen(every, only or [])
    console = output()
    if list_only:
        for mutant in picked:
            console.print(f"{mutant.key}  ({mutant.where})", markup=False, soft_wrap=True)
        return
    places = wanted(picked, checker or [])
    cells = still_true(read_rows(kept), every) if kept.is_file() else {}
    if again:
        for mutant, name in places:
            cells.pop((mutant.key, name), None)
    for path in summary or [SUMMARY]:
        if summary or path.is_file():
            written = read_json(path, "make it with `bwcheck all`")
            cells.update(from_sections(written["sections"]))
    if orders is not None:
        cells.update(from_orders(orders))
    elif ORDERS_PAGE.is_file():
        cells = {**from_page(ORDERS_PAGE.read_text("utf-8")), **cells}

    def keep() -> None:
        write_rows(rows_of(every, cells), kept)

    run_parts(places, cells, PARTS, Settings(seed=seed, jobs=jobs))
    run_steps(places, cells, done=keep)
    run_orders(places, cells, seed=seed, jobs=jobs)
    run_engine(places, cells, seed=seed, jobs=jobs, limit=seconds, done=keep)
    rows = rows_of(every, cells)
    write_rows(rows, kept)
    accepted = read_accepted()
    _write_page(markdown, as_markdown(rows, accepted))
    for kind in dict.fromkeys(mutant.kind for mutant in picked):
        if only or checker or kind == "engine":
            asked = {mutant.key for mutant in picked}
            console.print(rich_table([row for row in rows if row.mutant.key in asked], kind))
    console.print(rich_overview(rows))
    said = [*untried(rows), *blind.problems(rows, accepted)]
    for line in said:
        console.print(line, markup=False, soft_wrap=True)
    killed = sum(row.killed for row in rows)
    console.print(f"{killed} of {len(rows)} mutants killed; {len(said)} problem(s); {markdown}")
    raise typer.Exit(1 if said else 0)


def _known(checkers: Sequence[str]) -> None:
    for name in checkers:
        if name not in CHECKERS:
            raise CannotRun(f"there is no checker {name!r}; there are {', '.join(CHECKERS)}")


def _write_page(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"cannot write {path} ({error.strerror}); choose another file") from error


def section(settings: Settings) -> Section:
    """For `bwcheck all`: the kept table has all mutants and no others; some are killed again."""
    begin = time.monotonic()
    rows = read_rows()
    said = _compared(rows)
    said += blind.problems(rows, read_accepted())
    again = _again(rows, settings.seed)
    said += again
    for line in said:
        output().print(line, markup=False, soft_wrap=True)
    killed = sum(row.killed for row in rows)
    return Section(
        name="mutants",
        verdict=Verdict.RED if said else Verdict.GREEN,
        figures={
            "mutants_in_the_table": len(rows),
            "mutants_killed_in_the_table": killed,
            "mutants_killed_again": _AGAIN - len(again),
            "cells_not_tried": len(untried(rows)),
        },
        rows=[*_kinds(rows), *_checkers(rows)],
        seconds=time.monotonic() - begin,
        problems=said,
    )


def _compared(rows: Sequence[Row]) -> list[str]:
    now = {mutant.key: mutant for mutant in all_of_them()}
    there = {row.mutant.key: row.mutant for row in rows}
    said = [f"{key} has no row in {KEPT}: run `bwcheck mutants`" for key in now.keys() - there]
    said += [
        f"{KEPT} has a row for {key}, which is no mutant any more: run `bwcheck mutants`"
        for key in there.keys() - now
    ]
    said += [
        f"{key} has changed since its row in {KEPT} was made: run `bwcheck mutants`"
        for key in now.keys() & there
        if (now[key].digest, now[key].also) != (there[key].digest, there[key].also)
    ]
    return sorted(said)


def _again(rows: Sequence[Row], seed: int) -> list[str]:
    """Kill some of the engine's mutants once more, by the C test that has killed them."""
    defects = {defect.name: defect for defect in steps.engine()}
    soon = []
    for row in rows:
        cell = row.cell("C tests")
        # A changed header compiles everything anew, and that takes long.
        cheap = row.mutant.name in defects and defects[row.mutant.name].file.endswith(".c")
        if cheap and cell is not None and cell.killed and (cell.seconds or 0) <= _AGAIN_SECONDS:
            soon.append((row, cell))
    picked = random.Random(seed).sample(soon, min(_AGAIN, len(soon)))

    def survives(row: Row, cell: Cell) -> bool:
        tests = Programs("C tests", names=[cell.by])
        return not tests.judge(broken_copy(defects[row.mutant.name])).killed

    with ThreadPoolExecutor(_AGAIN) as pool:
        survived = pool.map(lambda each: survives(*each), picked)
        said = [
            f"{row.mutant.key}: {cell.by} does not kill it any more: {KEPT} says so"
            for (row, cell), lives in zip(picked, survived, strict=True)
            if lives
        ]
    if len(picked) < _AGAIN:
        said.append(f"{KEPT} has no {_AGAIN} mutants that a C test kills in {_AGAIN_SECONDS} s")
    return said


def _kinds(rows: Sequence[Row]) -> list[dict[str, Scalar]]:
    return [
        {
            "kind": kind,
            "mutants": sum(row.mutant.kind == kind for row in rows),
            "killed": sum(row.mutant.kind == kind and row.killed for row in rows),
        }
        for kind in KINDS
    ]


def _checkers(rows: Sequence[Row]) -> list[dict[str, Scalar]]:
    return [
        {"checker": checker, "tried": ran, "kills": kills, "kills_alone": alone}
        for checker, ran, kills, alone in overview(rows)
    ]
