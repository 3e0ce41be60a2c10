"""Soak: round after round on the same trees; every round checked in full, memory watched.

Each leg is a tree with its own threads and mix. A round begins from the state that was read back
after the round before, so only one round's records are held, and the check misses nothing in
between. If memory is not bounded it shows as limbo bytes or resident memory that keep growing.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from model_check.console import output, progress
from model_check.linearizability import check, render
from model_check.recorder import Distribution, Run, RunFailed, Tree, TreeOptions, Workload, save
from model_check.report import Section, Verdict
from model_check.stress.farm import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from model_check.report import Scalar

_ROUND = 1_000_000
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
class Totals:
    """What the soak has seen so far."""

    trees: str = "mixed"
    legs: int = 1
    operations: int = 0
    checked: int = 0
    rounds: int = 0
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


#: What a soak can run on.
TREES: Mapping[str, Callable[[int], list[Leg]]] = {"mixed": mixed_legs, "small": small_legs}


def soak(
    seed: int, *, operations: int | None, hours: float | None, trees: str = "mixed"
) -> Section:
    """Run rounds until ``operations`` are checked or ``hours`` are over; Ctrl-C ends it early."""
    begin = time.monotonic()
    totals = Totals(trees, len(TREES[trees](seed)))
    steps = -(-(operations or 0) // _ROUND) or 1
    with ExitStack() as stack, progress("soak", steps if hours is None else 0) as reporter:
        all_legs = TREES[trees](seed)
        for leg in all_legs:
            leg.tree = stack.enter_context(Tree(leg.options))
            leg.run = stack.enter_context(Run(leg.tree, leg.workload, tree_options=leg.options))
        while not totals.problems and not totals.undecided:
            leg = all_legs[totals.rounds % len(all_legs)]
            row = _round(leg, totals, begin, first=totals.rounds < len(all_legs))
            reporter.step(
                f"{row['minutes']} min, {leg.name}: {totals.checked:,} checked, "
                f"limbo {row['limbo_bytes']:,}, resident {_mebi(row['rss_bytes'])}"
            )
            if hours is not None and time.monotonic() - begin >= hours * 3600:
                break
            if operations is not None and totals.checked >= operations:
                break
    _demand_bounded(totals)
    output().print(_table(totals))
    return _section(totals, time.monotonic() - begin)


def _round(leg: Leg, totals: Totals, begin: float, *, first: bool) -> dict[str, Scalar]:
    tree, run = leg.tree, leg.run
    assert tree is not None
    assert run is not None
    length = f"--operations {totals.rounds + 1}M --trees {totals.trees}"
    replay = f"bwcheck stress {length} --seed {leg.workload.seed}"
    row: dict[str, Scalar] = {"leg": leg.name, "round": totals.rounds}
    try:
        if not first:
            run.next_round()
        history = run.round()
        report = check(history)
        row.update(outcome=report.outcome.value, run_seconds=round(run.seconds, 3))
        row.update(check_seconds=round(report.seconds, 3), operations=history.record_count())
        totals.operations += history.record_count()
        totals.checked += 0 if report.reason else report.operations
        if not report.ok:
            path = FOLDER / f"soak-{totals.rounds}.bwh"
            FOLDER.mkdir(parents=True, exist_ok=True)
            save(history, path)
            if report.violation is not None:
                output().print(render(history, report.violation))
            totals.undecided = report.violation is None
            what = report.reason or "not linearizable"
            totals.problems.append(f"{leg.name}: {what}; see it: bwcheck lin {path}")
    except RunFailed as error:
        row["outcome"] = "failed"
        totals.problems.append(f"{leg.name}, round {totals.rounds}: {error}; replay: {replay}")
    stats = tree.stats()
    row.update(limbo_bytes=stats.get("limbo_bytes", 0), retired=stats.get("retired", 0))
    row.update({name: stats.get(name, 0) for name in ("splits", "merges", "root_collapses")})
    row["pids_used"] = stats.get("pids_used", 0)
    row.update(live_bytes=stats.get("bytes_live", 0), reserved=stats.get("bytes_reserved", 0))
    row.update(rss_bytes=resident(), checked=totals.checked)
    row["minutes"] = round((time.monotonic() - begin) / 60, 2)
    totals.rows.append(row)
    totals.rounds += 1
    return row


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
