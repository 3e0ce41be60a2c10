"""`make bench-plots`: draw the plots of docs/performance.md from the figures in docs/bench/.

    python scripts/bench/bench_plots.py                                 draw
    python scripts/bench/bench_plots.py --keep A.json --keep B.json     keep these results, and draw

A result is what run.py writes to build/bench/. Kept ones replace docs/bench/figures.json. The plots
are SVG files beside it. Speeds are drawn relative to the tree in the same run, since runs were made
at different times.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import bench_keep
import typer
from bench_native import ROOT
from bench_report import OURS, PERCENTILES
from svg_chart import Axis, Panel, bars, decades, lines

from model_check.console import diagnostics, output
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench_keep import Kept, KeptRun

_CANNOT = 2
FOLDER = ROOT / "docs" / "bench"
#: What the plots show, with the names they give it.
_SPEEDS = {
    "load_random": "load, random order",
    "load_ascending": "load, ascending",
    "get_uniform": "get, uniform",
    "get_zipf": "get, zipfian",
    "scan_short": "scan of 1 to 100 keys",
    "full_scan": "full scan",
    "read_update": "50 % get, 50 % update",
    "insert_read": "50 % insert, 50 % get",
    "remove": "remove",
}
_LATENCIES = {"get_uniform": "get, uniform", "read_update": "50 % get, 50 % update"}


def _medians(values: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    """Give the median of each index, ours first, then from the greatest down."""
    found = {name: statistics.median(each) for name, each in values.items()}
    return sorted(found.items(), key=lambda item: (item[0] != OURS, -item[1]))


def _native(run: KeptRun, threads: int, workload: str) -> dict[str, Kept]:
    return {
        one.index: one
        for one in run.figures
        if (one.part, one.threads, one.workload) == ("C", threads, workload) and one.latency is None
    }


def speeds(runs: Sequence[KeptRun], keys: int, threads: int) -> str | None:
    """Draw each index's speed as a multiple of the tree's in the same run."""
    panels = []
    for workload, title in _SPEEDS.items():
        values: dict[str, list[float]] = {}
        for run in runs:
            found = _native(run, threads, workload) if run.keys == keys else {}
            ours = found[OURS].mops if OURS in found else None
            for index, one in found.items():
                if one.mops and ours:
                    values.setdefault(index, []).append(one.mops / ours)
        if len(values) > 1:
            panels.append(Panel(title, _medians(values)))
    plural = "" if threads == 1 else "s"
    title = f"Speed, as a multiple of the tree's: {keys:,} keys, {threads} thread{plural}"
    return bars(title, panels, OURS) if panels else None


def memory(runs: Sequence[KeptRun], keys: int) -> str | None:
    """Draw the resident bytes a key after a load."""
    panels = []
    for workload in ("load_random", "load_ascending"):
        values: dict[str, list[float]] = {}
        for run in runs:
            found = _native(run, 1, workload) if run.keys == keys else {}
            for index, one in found.items():
                if one.bytes_a_key:
                    values.setdefault(index, []).append(one.bytes_a_key)
        if values:
            ordered = sorted(_medians(values), key=lambda item: (item[0] != OURS, item[1]))
            panels.append(Panel(_SPEEDS[workload], ordered))
    title = f"Bytes of memory for a key of 8 bytes and its value of 8, {keys:,} keys"
    return bars(title, panels, OURS) if panels else None


def latencies(runs: Sequence[KeptRun], workload: str) -> str | None:
    """Draw the percentiles of one workload by one thread."""
    series: dict[str, list[tuple[float, float]]] = {}
    for run in runs:
        for one in run.figures:
            if (one.part, one.threads, one.workload) == ("C", 1, workload) and one.latency:
                # The further right, the rarer: one operation in so many takes longer.
                rare = {"p50": 2.0, "p90": 10.0, "p99": 100.0, "p99.9": 1000.0}
                series[one.index] = [(rare[name], one.latency[name]) for name in PERCENTILES]
    if OURS not in series:
        return None
    ordered = {OURS: series.pop(OURS), **series}
    ticks = [(2.0, "p50"), (10.0, "p90"), (100.0, "p99"), (1000.0, "p99.9")]
    values = [y for found in ordered.values() for _, y in found]
    title = f"Latency of an operation: {_LATENCIES[workload]}"
    x = Axis("percentile", ticks)
    return lines(title, x, decades("ns", values, (1, 2, 5)), ordered)


def growth(runs: Sequence[KeptRun]) -> str | None:
    """Draw how long a get takes over the number of keys, beside one access to memory."""
    series: dict[str, dict[float, list[float]]] = {}
    for run in runs:
        for workload, name in (("get_uniform", "get"), ("get_many", "get in batches of 1024")):
            one = _native(run, 1, workload).get(OURS)
            if one is not None and one.mops:
                series.setdefault(name, {}).setdefault(run.keys, []).append(1e3 / one.mops)
                access = series.setdefault("one access to memory", {})
                access.setdefault(run.keys, []).append(run.dram_ns)
    drawn = {
        name: [(keys, statistics.median(found[keys])) for keys in sorted(found)]
        for name, found in series.items()
    }
    if len(drawn.get("get", ())) < 3:
        return None
    points = [point for found in drawn.values() for point in found]
    x = decades("keys", [point[0] for point in points])
    y = decades("ns a get", [point[1] for point in points], (1, 2, 5))
    return lines("How a get's time grows with the number of keys", x, y, drawn)


def draw(runs: Sequence[KeptRun], folder: Path) -> list[Path]:
    """Draw every plot for which there are figures; give the files."""
    sizes = [run.keys for run in runs for one in run.figures if one.index != OURS]
    common = statistics.mode(sizes) if sizes else 0
    plots = {
        "speed_1.svg": speeds(runs, common, 1),
        "speed_2.svg": speeds(runs, common, 2),
        "memory.svg": memory(runs, common),
        "latency_get.svg": latencies(runs, "get_uniform"),
        "latency_update.svg": latencies(runs, "read_update"),
        "growth.svg": growth(runs),
    }
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in plots.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
            written.append(folder / name)
    return written


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    *,
    keep: Annotated[list[Path] | None, typer.Option(help="A result of run.py to keep.")] = None,
    folder: Annotated[
        Path, typer.Option(help="Where figures.json and the plots are.", show_default="docs/bench")
    ] = FOLDER,
) -> None:
    """Draw the plots of the benchmark."""
    file = folder / "figures.json"
    try:
        if keep:
            bench_keep.write_kept(file, [bench_keep.read_result(result) for result in keep])
        written = draw(bench_keep.read_kept(file), folder)
    except CannotRun as error:
        diagnostics().print(f"bench-plots: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error
    if not written:
        message = f"bench-plots: {file} holds too little for any plot: keep more results"
        diagnostics().print(message, style="yellow", markup=False)
        raise typer.Exit(_CANNOT)
    for path in written:
        output().print(f"drawn: {path}", markup=False)


if __name__ == "__main__":
    app()
