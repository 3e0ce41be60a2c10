"""`bwcheck stress`: the farm, one cell of it, or a soak."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.table import Table
from rich.text import Text

from model_check.console import output
from model_check.report import CannotRun, Section, Settings, Verdict, document, write_json
from model_check.stress.cell import run_cell
from model_check.stress.farm import FOLDER, run_farm
from model_check.stress.grid import Cell, full_grid, pair_grid
from model_check.stress.soak import TREES, soak

if TYPE_CHECKING:
    from collections.abc import Sequence

_CELL_OPERATIONS = 1_000_000
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def parse_count(text: str) -> int:
    """Read 100M, 250k, 1_000_000. CannotRun if it is no number above 0."""
    match = re.fullmatch(r"([0-9][0-9_]*)([kMG]?)", text)
    count = int(match[1].replace("_", "")) * _SUFFIXES[match[2]] if match else 0
    if count == 0:
        raise CannotRun(f"{text!r} is no number of operations; 100M, 250k and 1000000 are")
    return count


def stress(
    cell: Annotated[
        Optional[str], typer.Option(metavar="NAME", help="Run one cell, by its name.")
    ] = None,
    grid: Annotated[
        str, typer.Option(help="pairs: every pair of settings meets; full: every cell.")
    ] = "pairs",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from --seed on.")] = 1,
    cell_operations: Annotated[
        str, typer.Option(metavar="COUNT", help="Operations of each cell: 1M, 250k, …")
    ] = "1M",
    operations: Annotated[
        Optional[str],
        typer.Option(metavar="COUNT", help="Soak until so many are checked: 100M, 1G, …"),
    ] = None,
    hours: Annotated[
        Optional[float], typer.Option(min=0.001, help="Soak for so long (may be a fraction).")
    ] = None,
    trees: Annotated[
        str,
        typer.Option(
            help="Of a soak: mixed, small (capacities and threads 2 to 8, merges all the time), or "
            "single (calls on single keys: the most operations a second)."
        ),
    ] = "mixed",
    jobs: Annotated[
        Optional[int],
        typer.Option(
            "-j",
            "--jobs",
            min=1,
            help="Processes at once (default: as fit); of a soak, threads that check (default: 1).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of keys and mixes.")] = 0,
    json: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    """Run real threads at full speed, record every call, check every operation.

    Without options: a farm of runs of a million operations each. With --hours or --operations:
    a soak, round after round on the same trees, with memory watched.

    Example: bwcheck stress --hours 8 --trees small --json soak.json

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    started = datetime.now(timezone.utc)
    if hours is not None or operations is not None:
        limit = parse_count(operations) if operations is not None else None
        if trees not in TREES:
            *most, last = TREES
            raise CannotRun(f"--trees is {', '.join(most)} or {last}, got {trees!r}")
        result = soak(seed, operations=limit, hours=hours, trees=trees, jobs=jobs or 1)
        _print_verdict(result)
    elif cell is not None:
        result = _one(Cell.parse(cell), parse_count(cell_operations))
    else:
        if grid not in {"pairs", "full"}:
            raise CannotRun(f"--grid is pairs or full, got {grid!r}")
        cells = [
            each
            for number in range(seed, seed + seeds)
            for each in (pair_grid(number) if grid == "pairs" else full_grid([number]))
        ]
        result = farm(cells, parse_count(cell_operations), jobs)
    if json is not None:
        write_json(
            json,
            document(
                [result],
                command="bwcheck stress",
                seed=seed,
                started=started,
                seconds=result.seconds,
            ),
        )
    raise typer.Exit(result.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Run the farm for `bwcheck all`: pairs; the full grid if it is deep."""
    cells = full_grid([settings.seed]) if settings.deep else pair_grid(settings.seed)
    return farm(cells, _CELL_OPERATIONS, settings.jobs)


def farm(cells: Sequence[Cell], operations: int, jobs: int | None) -> Section:
    """Run ``cells``, print table, problems and verdict, give the section."""
    result = run_farm(cells, operations, jobs)
    output().print(_table(result))
    _print_verdict(result)
    return result


def _one(cell: Cell, operations: int) -> Section:
    row = run_cell(cell, operations, FOLDER)
    outcomes = {"linearizable": Verdict.GREEN, "unknown": Verdict.BROKEN}
    result = Section(
        name="stress",
        verdict=outcomes.get(str(row["outcome"]), Verdict.RED),
        figures={
            "histories": 1,
            "operations_recorded": int(row.get("operations") or 0),
            "operations_checked": int(row.get("checked") or 0),
        },
        rows=[row],
        seconds=float(row["seconds"] or 0),
        problems=[str(row["problem"])] if row.get("problem") else [],
    )
    output().print(_table(result))
    _print_verdict(result)
    return result


def _print_verdict(result: Section) -> None:
    console = output()
    for problem in result.problems:
        console.print(problem, markup=False, style=result.verdict.style)
    console.print(
        f"[{result.verdict.style}]{result.verdict.value}[/]: "
        f"{result.figures['operations_checked']:,} operations of {result.figures['histories']} "
        f"runs checked in {result.seconds:.0f} s"
    )


def _table(result: Section) -> Table:
    table = Table(title="stress farm", title_justify="left", highlight=False)
    table.add_column("cell")
    table.add_column("verdict")
    columns = (
        "operations",
        "overlapping",
        "splits",
        "merges",
        "consolidations",
        "appends_lost",
        "run_seconds",
    )
    for name in (*columns, "seconds"):
        table.add_column(name.replace("_", " "), justify="right")
    for row in result.rows:
        good = row["outcome"] == "linearizable"
        table.add_row(
            str(row["name"]),
            Text(str(row["outcome"]), style="green" if good else "bold red"),
            *(f"{row[name]:,}" if name in row else "–" for name in (*columns, "seconds")),
        )
    return table
