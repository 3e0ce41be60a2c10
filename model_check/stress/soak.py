"""Soak: round after round on the same trees; every round checked in full, memory watched.

Each leg is a tree with its own threads and mix. A round is a window of the leg's history that
begins from the state that was read back after the round before, so the check misses nothing in
between, and memory is that of one round a leg. Recorder and checker are a pipeline: while a round
of one leg is checked, the next leg's threads run; a leg's turn comes again only when its round has
been checked.
If memory is not bounded it shows as limbo bytes or resident memory that keep growing.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from model_check.console import output, progress
from model_check.linearizability import Outcome, check, what_is_wrong
from model_check.recorder import (
    Distribution,
    Kind,
    Run,
    RunFailed,
    Tree,
    TreeOptions,
    Workload,
    save,
)
from model_check.report import Section, Verdict
from model_check.stress.farm import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from model_check.linearizability import Report
    from model_check.recorder import History
    from model_check.report import Scalar

_ROUND = 1_000_000
_LONG_ROUND = 4_000_000
_MEBI = 1 << 20
#: Resident memory may grow by this much after the first quarter: allocators do not give all back.
_GROWTH, _SLACK = 1.25, 64 * _MEBI
#: Limbo may hold this much at the end of a round; what is retired in a round is a hundred times it.
_LIMBO = 64 * _MEBI
_TABLE_ROWS = 24


@dataclass
class Leg:
    """One tree with the threads that call it."""

    name: str
    workload: Workload
    options: TreeOptions
    tree: Tree | None = None
    run: Run | None = None


@dataclass
class Window:
    """A round that was recorded, and the check of it."""

    leg: Leg
    history: History
    row: dict[str, Scalar]
    report: Future[Report] | None = None


@dataclass
class Totals:
    """What the soak has seen so far."""

    trees: str = "mixed"
    legs: int = 1
    operations: int = 0
    checked: int = 0
    recorded_rounds: int = 0
    rounds: int = 0  #: of these, checked or failed
    rows: list[dict[str, Scalar]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    undecided: bool = False


def _leg(name: str, seed: int, options: TreeOptions, **changes: Any) -> Leg:
    return Leg(name, Workload(**{"seed": seed, "operations": _ROUND, **changes}), options)


def mixed_legs(seed: int) -> list[Leg]:
    """Give 2 and 4 threads, full-sized and tiny pages, with and without a worker."""

    def leg(name: str, options: TreeOptions, **changes: Any) -> Leg:
        return _leg(name, seed, options, **changes)

    return [
        leg("all/2 threads", TreeOptions(), threads=2, space=50_000, stride=3),
        leg("churn/4 threads", TreeOptions(worker=True), threads=4, mix="churn", space=5_000),
        leg(
            "all/4 threads/tiny", TreeOptions.tiny(leaf_capacity=4, leaf_log=2), threads=4,
            space=2_000,
        ),
        leg(
            "exchange/2 threads", TreeOptions(leaf_capacity=32, leaf_log=8, worker=True), threads=2,
            mix="exchange", space=20_000, distribution=Distribution.ZIPFIAN,
        ),
    ]  # fmt: skip


def small_legs(seed: int) -> list[Leg]:
    """Give 2 to 8 threads, capacities 2 to 8: pages split and merge all the time.

    Mixes with pops, with deletions of ranges, with both, in turn; every other tree has a worker.
    """
    loads: list[dict[str, Any]] = [
        {"mix": "ends", "space": 120},
        {"mix": "merge", "space": 1_500, "distribution": Distribution.CLUSTERED},
        {"mix": "all", "space": 500, "stride": 3},
    ]
    made = []
    for number, threads in enumerate(range(2, 9)):
        load = loads[number % len(loads)]
        capacity = 2 + number
        log = min(1 + number % 4, capacity)
        options = TreeOptions(
            leaf_capacity=capacity, leaf_log=log, inner_capacity=3 + number // 2,
            inner_log=1 + number % 2, retire_batch=1 + 4 * number, worker=number % 2 == 1,
            worker_interval_us=1000,
        )  # fmt: skip
        name = f"{load['mix']}/{threads} threads/leaves of {capacity}"
        made.append(_leg(name, seed, options, threads=threads, **load))
        # The smallest pages with as many threads, another load.
        load = loads[(number + 1) % len(loads)]
        name = f"{load['mix']}/{threads} threads/tiny"
        made.append(_leg(name, seed, TreeOptions.tiny(), threads=threads, **load))
    return made


#: Calls on single keys only: a round is recorded and checked at millions of operations a second.
_SINGLE = {
    Kind.GET: 40, Kind.PUT: 20, Kind.INSERT: 15, Kind.UPDATE: 5, Kind.REMOVE: 15,
    Kind.COMPARE_EXCHANGE: 5,
}  # fmt: skip


def single_legs(seed: int) -> list[Leg]:
    """Give calls on single keys: many keys and few, full-sized and tiny pages, 2 and 4 threads."""

    def leg(name: str, options: TreeOptions, **changes: Any) -> Leg:
        return _leg(name, seed, options, operations=_LONG_ROUND, weights=_SINGLE, **changes)

    return [
        leg("2 threads/a million keys", TreeOptions(), threads=2, space=1_000_000),
        leg(
            "4 threads/a hundred keys/tiny", TreeOptions.tiny(leaf_capacity=4, leaf_log=2),
            threads=4, space=100,
        ),
        leg(
            "2 threads/zipfian", TreeOptions(leaf_capacity=32, leaf_log=8, worker=True), threads=2,
            space=100_000, distribution=Distribution.ZIPFIAN,
        ),
        leg("2 threads/ten thousand keys", TreeOptions(worker=True), threads=2, space=10_000),
    ]  # fmt: skip


#: What a soak can run on.
TREES: Mapping[str, Callable[[int], list[Leg]]] = {
    "mixed": mixed_legs,
    "small": small_legs,
    "single": single_legs,
}


def soak(
    seed: int, *, operations: int | None, hours: float | None, trees: str = "mixed"
) -> Section:
    """Run rounds until ``operations`` are checked or ``hours`` are over; Ctrl-C ends it early."""
    begin = time.monotonic()
    all_legs = TREES[trees](seed)
    totals = Totals(trees, len(all_legs))
    steps = -(-(operations or 0) // all_legs[0].workload.operations) or 1
    with ExitStack() as stack, progress("soak", steps if hours is None else 0) as reporter:
        for leg in all_legs:
            leg.tree = stack.enter_context(Tree(leg.options))
            leg.run = stack.enter_context(Run(leg.tree, leg.workload, tree_options=leg.options))
        checker = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="checker"))
        window: Window | None = None
        while True:
            following = None
            if not _enough(totals, window, operations, hours, begin):
                leg = all_legs[totals.recorded_rounds % len(all_legs)]
                following = _record(leg, totals, begin)
            if window is not None:
                _conclude(window, totals, begin)
                reporter.step(
                    f"{window.row['minutes']} min, {window.leg.name}: {totals.checked:,} checked, "
                    f"limbo {window.row['limbo_bytes']:,}, "
                    f"resident {_mebi(window.row['rss_bytes'])}"
                )
            if following is None:
                break
            following.report = checker.submit(check, following.history)
            window = following
    _demand_bounded(totals)
    seconds = time.monotonic() - begin
    output().print(_table(totals))
    output().print(
        f"recorded and checked: {totals.checked / max(seconds, 1e-9) / 1e6:.2f} million "
        f"operations/s, {seconds:.0f} s in all"
    )
    return _section(totals, seconds)


def _enough(
    totals: Totals,
    window: Window | None,
    operations: int | None,
    hours: float | None,
    begin: float,
) -> bool:
    """Tell whether what is checked, and is being checked, is all that was asked for."""
    if totals.problems or totals.undecided:
        return True
    coming = 0 if window is None else window.history.record_count()
    if operations is not None and totals.checked + coming >= operations:
        return True
    return hours is not None and time.monotonic() - begin >= hours * 3600


def _record(leg: Leg, totals: Totals, begin: float) -> Window | None:
    """Run a leg's next round. None if that failed: the totals say so."""
    tree, run = leg.tree, leg.run
    assert tree is not None
    assert run is not None
    number = totals.recorded_rounds
    row: dict[str, Scalar] = {"leg": leg.name, "round": number}
    totals.recorded_rounds += 1
    try:
        if number >= totals.legs:
            run.next_round()
        history = run.round()
    except RunFailed as error:
        length = f"--operations {number + 1}M --trees {totals.trees}"
        replay = f"bwcheck stress {length} --seed {leg.workload.seed}"
        totals.problems.append(f"{leg.name}, round {number}: {error}; replay: {replay}")
        row["outcome"] = "failed"
        _note_memory(row, tree, totals, begin)
        totals.rows.append(row)
        totals.rounds += 1
        return None
    row.update(run_seconds=round(run.seconds, 3), operations=history.record_count())
    _note_memory(row, tree, totals, begin)
    return Window(leg, history, row)


def _note_memory(row: dict[str, Scalar], tree: Tree, totals: Totals, begin: float) -> None:
    stats = tree.stats()
    row.update(limbo_bytes=stats.get("limbo_bytes", 0), retired=stats.get("retired", 0))
    row.update({name: stats.get(name, 0) for name in ("splits", "merges", "root_collapses")})
    row["pids_used"] = stats.get("pids_used", 0)
    row.update(live_bytes=stats.get("bytes_live", 0), reserved=stats.get("bytes_reserved", 0))
    row.update(rss_bytes=resident(), checked=totals.checked)
    row["minutes"] = round((time.monotonic() - begin) / 60, 2)


def _conclude(window: Window, totals: Totals, begin: float) -> None:
    """Wait for the check of a window, and note what it found."""
    assert window.report is not None
    leg, history, row = window.leg, window.history, window.row
    report = window.report.result()
    row.update(outcome=report.outcome.value, check_seconds=round(report.seconds, 3))
    row.update(page_reads=report.pages.page_reads)
    totals.operations += history.record_count()
    totals.checked += 0 if report.reason else report.operations
    if not report.ok:
        path = FOLDER / f"soak-{row['round']}.bwh"
        FOLDER.mkdir(parents=True, exist_ok=True)
        save(history, path)
        what, picture = what_is_wrong(history, report)
        if picture is not None:
            output().print(picture)
        totals.undecided = report.outcome is Outcome.UNKNOWN
        totals.problems.append(f"{leg.name}: {what}; see it: bwcheck lin {path}")
    row.update(rss_bytes=max(int(row["rss_bytes"] or 0), resident()), checked=totals.checked)
    row["minutes"] = round((time.monotonic() - begin) / 60, 2)
    totals.rows.append(row)
    totals.rounds += 1


def resident() -> int:
    """Give the resident memory of this process in bytes; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _demand_bounded(totals: Totals) -> None:
    """Memory at the end may not be much more than it was after the first quarter."""
    quarter = max(len(totals.rows) // 4, totals.legs)
    early, late = totals.rows[:quarter], totals.rows[quarter:]
    if late:
        first = max(int(row["rss_bytes"] or 0) for row in early)
        last = int(late[-1]["rss_bytes"] or 0)
        if last > first * _GROWTH + _SLACK:
            totals.problems.append(
                f"resident memory grew from {_mebi(first)} after {quarter} rounds to {_mebi(last)}"
            )
    worst = max((int(row["limbo_bytes"] or 0) for row in totals.rows), default=0)
    if worst > _LIMBO:
        totals.problems.append(f"limbo held {_mebi(worst)} after a round")


def _section(totals: Totals, seconds: float) -> Section:
    if totals.undecided:
        verdict = Verdict.BROKEN
    else:
        verdict = Verdict.RED if totals.problems else Verdict.GREEN
    peaks = {
        f"most_{name}": max((int(row[name] or 0) for row in totals.rows), default=0)
        for name in ("limbo_bytes", "rss_bytes")
    }
    return Section(
        name="soak",
        verdict=verdict,
        figures={
            "histories": totals.rounds,
            "operations_recorded": totals.operations,
            "operations_checked": totals.checked,
            "page_reads_checked": sum(int(row.get("page_reads") or 0) for row in totals.rows),
            **peaks,
        },
        rows=totals.rows,
        seconds=seconds,
        problems=totals.problems,
    )


def _mebi(size: object) -> str:
    return f"{int(str(size)) / _MEBI:.1f} MiB"


def _table(totals: Totals) -> Table:
    table = Table(title="soak", title_justify="left", highlight=False)
    for name in ("minutes", "checked", "leg", "merges", "retired", "limbo", "live", "resident"):
        table.add_column(name, justify="left" if name == "leg" else "right")
    every = max(1, -(-len(totals.rows) // _TABLE_ROWS))
    shown = totals.rows[::every]
    if totals.rows and shown[-1] is not totals.rows[-1]:
        shown.append(totals.rows[-1])
    for row in shown:
        table.add_row(
            f"{row['minutes']}",
            f"{row['checked']:,}",
            str(row["leg"]),
            f"{row['merges']:,}",
            f"{row['retired']:,}",
            _mebi(row["limbo_bytes"]),
            _mebi(row["live_bytes"]),
            _mebi(row["rss_bytes"]),
        )
    return table
