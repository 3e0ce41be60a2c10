"""`make lin-plots`: how long checks of histories take, over length and over concurrency.

    nice -n -10 python scripts/bench/bench_lin.py       measure, keep the figures, draw
    python scripts/bench/bench_lin.py --draw            draw the kept figures again

Length: calls on single keys of two real threads, recorded and then checked by one thread.
Concurrency: histories of simulated clients that are always busy (bench_lin_clients.py): of a key of
a map, whose order is forced, and of a register, which is searched. Times are processor time of a
whole check, medians of the rounds. A search that is not decided within --seconds, or needs more
configurations than `bwcheck lin` allows, ends its line.

Writes lin.json, lin_length.svg and lin_concurrency.svg into docs/bench. Exit status: 0, 1 (a wrong
verdict), 2 (cannot measure or draw).
"""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import bench_lin_clients as made
import bench_report
import typer
from bench_native import ROOT
from svg_chart import Axis, decades, lines

from model_check.console import diagnostics, output, progress
from model_check.linearizability import LIMIT, check
from model_check.linearizability.parts import to_native, to_states
from model_check.recorder import Kind, Run, Tree, TreeOptions, Workload
from model_check.recorder.native import ffi, lib
from model_check.report import CannotRun, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from model_check.linearizability import Part

_WRONG, _CANNOT = 1, 2
FOLDER = ROOT / "docs" / "bench"
_KEYS = (1, 1_000, 1_000_000)
_SHORTEST = 1_000
_CLIENTS = (1, 2, 4, 8, 16, 32, 64)
_FORCED = "forced order"
#: Series over concurrency: how a history is made, its most calls, and the verdict that it must get.
_SERIES: dict[str, tuple[Callable[[int, int, int], list[Part]], int, bool]] = {
    _FORCED: (made.key_of_a_map, 100_000, True),
    "search": (
        lambda calls, clients, seed: made.register(calls, clients, seed, wrong=False), 1_000, True,
    ),
    "search, one read wrong": (
        lambda calls, clients, seed: made.register(calls, clients, seed, wrong=True), 1_000, False,
    ),
}  # fmt: skip
_POINTS = {
    Kind.GET: 40, Kind.PUT: 20, Kind.INSERT: 15, Kind.UPDATE: 5, Kind.REMOVE: 15,
    Kind.COMPARE_EXCHANGE: 5,
}  # fmt: skip


class Wrong(Exception):
    """A check gave another verdict than it must."""


@dataclass(frozen=True)
class Point:
    """What was measured at one place of a plot."""

    plot: str  #: length or concurrency
    series: str
    x: int  #: operations, or clients
    calls: int
    seconds: list[float]  #: of each round that was decided
    undecided: int = 0  #: rounds

    @property
    def median(self) -> float | None:
        """Give seconds a check, or None where a round was not decided."""
        return None if self.undecided else statistics.median(self.seconds)


def lengths(longest: int) -> list[int]:
    """Give powers of ten up to the longest history, and that."""
    powers = [10**power for power in range(3, 1 + math.floor(math.log10(longest)))]
    return powers if powers[-1] == longest else [*powers, longest]


def of_length(keys: int, operations: int, rounds: int, seed: int) -> Point:
    """Record one history and check it, round after round."""
    workload = Workload(
        seed=seed, threads=2, operations=operations, space=keys, weights=_POINTS, prefill=0.0
    )
    seconds = []
    with Tree(TreeOptions()) as tree, Run(tree, workload) as run:
        run.execute()
        history = run.history()
        for _ in range(rounds):
            begin = time.process_time()
            report = check(history)
            seconds.append(time.process_time() - begin)
            if not report.ok or report.searched > 0:
                what = report.reason or report.outcome.value
                raise Wrong(f"{operations} calls on {keys} keys, seed {seed}: {what}, {report.how}")
    series = f"{keys:,} key{'' if keys == 1 else 's'}"
    return Point("length", series, operations, operations, seconds)


def judge(parts: Sequence[Part], seconds: float) -> tuple[int, float, bool]:
    """Give the verdict on one key's parts, its processor time, and whether an order was forced."""
    native = lib.lin_object_new(lib.LIN_CELL, ffi.NULL, ffi.NULL, LIMIT, math.ceil(1000 * seconds))
    if not native:
        raise CannotRun("out of memory: no judge could be made")
    try:
        array, states, figures = to_native(parts), to_states([None]), ffi.new("lin_figures *")
        if parts and any(part.need == "other" for part in parts):
            states = to_states([0])  # a register begins with 0
        begin = time.process_time()
        verdict = int(
            lib.lin_object_judge(
                native, array, len(parts), states, 1, ffi.new("uint64_t *"), ffi.NULL
            )
        )
        spent = time.process_time() - begin
        lib.lin_object_figures(native, figures)
        return verdict, spent, figures.parts[lib.LIN_FORCED] > 0
    finally:
        lib.lin_object_free(native)


def of_clients(
    series: str, clients: int, longest: int, rounds: int, seed: int, seconds: float
) -> Point:
    """Check histories of simulated clients, another one each round."""
    make, most, right = _SERIES[series]
    calls = min(most, longest)
    spent, undecided = [], 0
    for number in range(rounds):
        parts = make(calls, clients, seed + number)
        verdict, took, forced = judge(parts, seconds)
        if verdict not in (lib.LIN_OK, lib.LIN_VIOLATION):
            undecided += 1
            continue
        if (verdict == lib.LIN_OK) != right or forced != (series == _FORCED):
            raise Wrong(f"{series}, {clients} clients, seed {seed + number}: verdict {verdict}")
        spent.append(took / len(parts) * calls)
    return Point("concurrency", series, clients, calls, spent, undecided)


def measure(longest: int, clients: int, rounds: int, seed: int, seconds: float) -> Iterator[Point]:
    """Measure every point, with progress."""
    wanted = [(keys, operations) for keys in _KEYS for operations in lengths(longest)]
    numbers = [number for number in _CLIENTS if number <= clients]
    with progress("lin-plots", len(wanted) + len(_SERIES) * len(numbers)) as reporter:
        for keys, operations in wanted:
            point = of_length(keys, operations, rounds, seed)
            reporter.step(f"{point.series}, {operations:,} operations: {_tell(point)}")
            yield point
        for series in _SERIES:
            for number in numbers:
                point = of_clients(series, number, longest, rounds, seed, seconds)
                reporter.step(f"{series}, {number} clients: {_tell(point)}")
                yield point


def _tell(point: Point) -> str:
    if point.median is None:
        return f"{point.undecided} of {point.undecided + len(point.seconds)} rounds not decided"
    return f"{1e9 * point.median / point.calls:,.0f} ns an operation"


def read_points(file: Path) -> list[Point]:
    """Read kept figures. CannotRun where there are none."""
    again = "measure them with scripts/bench/bench_lin.py"
    try:
        points: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["points"]
        return [Point(**point) for point in points]
    except OSError as error:
        raise CannotRun(f"{file} cannot be read ({error.strerror}): {again}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CannotRun(f"{file} holds no figures of bench_lin.py: {again}") from error


def draw(points: Sequence[Point], folder: Path) -> list[Path]:
    """Draw both plots; give the files."""
    plots = {}
    for plot, scale in (("length", 1.0), ("concurrency", 1e6)):
        series: dict[str, list[tuple[float, float]]] = {}
        for point in points:
            if point.plot == plot and point.median:
                each = scale * point.median / (1 if plot == "length" else point.calls)
                series.setdefault(point.series, []).append((point.x, each))
        if not series:
            raise CannotRun(f"there are no figures over {plot}: measure them without --draw")
        values = [y for found in series.values() for _, y in found]
        if plot == "length":
            x = decades("operations", [x for found in series.values() for x, _ in found])
            title = "How long a check takes: calls on single keys, one thread checks"
            plots[plot] = lines(title, x, decades("seconds", values), series)
        else:
            ticks = sorted({x for found in series.values() for x, _ in found})
            x = Axis("clients, always busy, on one key", [(at, f"{at:.0f}") for at in ticks])
            title = "How long a check takes for each call, over concurrency"
            plots[plot] = lines(title, x, decades("µs a call", values), series)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for plot, text in plots.items():
        files.append(folder / f"lin_{plot}.svg")
        files[-1].write_text(text, encoding="utf-8")
    return files


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    *,
    operations: Annotated[
        int, typer.Option(min=_SHORTEST, help="Of the longest history.")
    ] = 10_000_000,
    clients: Annotated[int, typer.Option(min=1, max=_CLIENTS[-1], help="At most.")] = _CLIENTS[-1],
    rounds: Annotated[int, typer.Option(min=1, help="How often each is timed.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.01, help="Of one search, at most.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of all histories.")] = 1,
    redraw: Annotated[bool, typer.Option("--draw", help="Draw the kept figures only.")] = False,
    folder: Annotated[
        Path, typer.Option(help="For figures and plots.", show_default="docs/bench")
    ] = FOLDER,
) -> None:
    """Measure how long checks take, and draw it."""
    file = folder / "lin.json"
    try:
        if not redraw:
            machine = bench_report.machine()
            points = list(measure(operations, clients, rounds, seed, seconds))
            document = {
                "machine": machine, "load_average_behind": list(os.getloadavg()),
                "rounds": rounds, "seconds": seconds, "seed": seed,
                "points": [asdict(point) for point in points],
            }  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            write_json(file, document)
        for path in draw(read_points(file), folder):
            output().print(f"drawn: {path}", markup=False)
    except Wrong as error:
        diagnostics().print(f"lin-plots: wrong verdict: {error}", style="red", markup=False)
        raise typer.Exit(_WRONG) from error
    except CannotRun as error:
        diagnostics().print(f"lin-plots: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error


if __name__ == "__main__":
    app()
