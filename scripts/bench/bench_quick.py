"""Compare the speed of the working tree with that of a commit.

    make bench-quick                           against HEAD
    make bench-quick ARGS="main --keys 10000000 --threads 2"
    make bench-quick ARGS="HEAD --runs 5 --workloads get_uniform,remove"

Both trees are loaded into one process and take turns in every slice (A B, B A, A B, …); several
processes are run, in which one and the other tree is opened first, so that where memory happens to
lie counts little: with an even number of --runs, as often for both. A ratio is the median of the
rounds' ratios of speeds, above 1 where the working tree is faster. Its interval holds the median
with a probability of 95 %, whatever the distribution (order statistics), as far as rounds are
independent. Exit status: 0, 1 (a workload is slower by more than --tolerance, for sure), 2.
"""

from __future__ import annotations

import io
import math
import statistics
import subprocess
import tarfile
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import bench_native
import bench_plan
import bench_side_by_side
import typer
from bench_native import HERE, ROOT
from bench_report import OURS, Wrong
from bench_side_by_side import SideJob, Slices
from rich.table import Table
from rich.text import Text

from model_check.console import diagnostics, output, progress
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Sequence

BEFORE = "before"
_SLOWER, _CANNOT, _INTERRUPTED = 1, 2, 130
_FOLDER = ROOT / "build" / "bench" / "quick"
_WORKLOADS = "load_random,get_uniform,get_zipf,get_many,scan,read_update,insert_read,remove"


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Give the narrowest pair of order statistics that holds the median so surely.

    Of n values, the number below the median is binomial with p = 1/2. With too few values for the
    confidence the interval is as wide as they are.
    """
    ordered = sorted(values)
    n, outside, tail = len(ordered), 0, 0.0
    while outside < (n - 1) // 2:
        tail += math.comb(n, outside) / 2**n
        if tail > (1 - confidence) / 2:
            break
        outside += 1
    cut = max(0, outside - 1)
    return ordered[cut], ordered[n - 1 - cut]


@dataclass(frozen=True)
class Comparison:
    """One workload: ns an operation takes a thread, and the ratio of speeds with its interval."""

    workload: str
    now: float
    before: float
    ratio: float
    low: float
    high: float

    @staticmethod
    def of(workload: str, found: Sequence[Slices]) -> Comparison:
        """Compare over all rounds of several runs."""
        ours: list[float] = []
        theirs: list[float] = []
        for one in found:
            times = one.times(processor_time=False)
            ours += times[OURS]
            theirs += times[BEFORE]
        ratios = [before / now for now, before in zip(ours, theirs, strict=True)]
        middle = statistics.median(ratios)
        both = statistics.median(ours), statistics.median(theirs)
        return Comparison(workload, *both, middle, *median_interval(ratios))

    def verdict(self, tolerance: float) -> str:
        """Say what the interval shows."""
        if self.high < 1 - tolerance:
            return "slower"
        if self.low > 1 + tolerance:
            return "faster"
        return "as fast" if self.high - self.low < 2 * tolerance else "not sure"


def checkout(commit: str) -> tuple[str, Path]:
    """Unpack a commit under build/; give its short name and its folder."""
    git = ["git", "-C", str(ROOT)]
    try:
        done = subprocess.run(
            [*git, "rev-parse", "--short=12", "--verify", f"{commit}^{{commit}}"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CannotRun("git was not found: it is needed to unpack the other commit") from error
    name = done.stdout.strip()
    if done.returncode != 0 or not name:
        message = f"{commit!r} is no commit of this repository: name one, as `git log` shows them"
        raise CannotRun(message)
    folder = _FOLDER / name
    if not (folder / "CMakeLists.txt").is_file():
        archive = [*git, "archive", "--format=tar", name, "CMakeLists.txt", "cmake", "impl"]
        packed = subprocess.run(archive, capture_output=True, check=False)
        if packed.returncode != 0:
            message = f"{name} cannot be unpacked: {packed.stderr.decode(errors='replace').strip()}"
            raise CannotRun(message)
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
            tar.extractall(folder)  # noqa: S202 - git has made it
    return name, folder


def build_tree(engine: Path, name: str, folder: Path) -> Path:
    """Build a checkout's tree as a shared object with the adapter's name."""
    settings = {"BENCH_ENGINE_DIR": str(engine), "BENCH_TREE_NAME": name}
    bench_native.cmake_build(HERE / "quick", folder, settings, f"the tree of {engine}")
    return folder / "tree.so"


def show(title: str, found: Sequence[Comparison], names: dict[str, str], tolerance: float) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left", highlight=False)
    table.add_column("ns an operation takes a thread")
    for column in ("now", "before", "ratio of speeds", "95 % interval", ""):
        table.add_column(column, justify="right")
    styles = {"slower": "red", "faster": "green", "not sure": "yellow", "as fast": ""}
    for one in found:
        verdict = one.verdict(tolerance)
        table.add_row(
            names[one.workload],
            *(f"{one.now:.3g}", f"{one.before:.3g}", f"× {one.ratio:.3f}"),
            f"{one.low:.3f}–{one.high:.3f}",
            Text(verdict, style=styles[verdict]),
        )
    output().print(table)


def compare(commit: str, plan: SideJob, workloads: str, runs: int) -> tuple[str, list[Comparison]]:
    """Build both trees and run them in turns; give a title and what was found."""
    driver = bench_native.build(ROOT / "build" / "bench" / "driver", ROOT)
    asked = bench_plan.workloads_of(workloads, driver.workloads)
    name, other = checkout(commit)
    adapters = (
        str(build_tree(ROOT, OURS, _FOLDER / "now")),
        str(build_tree(other, BEFORE, _FOLDER / f"{name}-built")),
    )
    jobs = [
        replace(plan, adapters=order, workloads=group, seed=plan.seed + run)
        for run, order in zip(range(runs), cycle((adapters, adapters[::-1])), strict=False)
        for group in driver.groups(asked)
    ]
    bench_side_by_side.check(driver, jobs[:1])
    found: dict[str, list[Slices]] = {}
    with progress("bench-quick", len(jobs), diagnostics()) as reporter:
        for job in jobs:
            for one in bench_side_by_side.run_job(driver, job, lambda: None):
                found.setdefault(one.workload, []).append(one)
            reporter.step(f"run with seed {job.seed}")
    plural = "" if plan.threads == 1 else "s"
    title = f"working tree and {name}, {plan.keys:,} keys, {plan.threads} thread{plural}"
    wanted = [workload for workload in asked if workload in found]
    return title, [Comparison.of(workload, found[workload]) for workload in wanted]


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    commit: Annotated[str, typer.Argument(help="The commit to compare with.")] = "HEAD",
    *,
    keys: Annotated[int, typer.Option(min=10_000, help="Keys that are loaded.")] = 1_000_000,
    threads: Annotated[int, typer.Option(min=1, max=64)] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Processes, of 20 rounds each.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first run.")] = 1,
    workloads: Annotated[str, typer.Option(help="Workloads or sets of `make bench`.")] = _WORKLOADS,
    tolerance: Annotated[float, typer.Option(min=0, max=1)] = 0.03,
) -> None:
    """Compare the working tree's speed with that of a commit."""
    operations = bench_side_by_side.most_operations(keys, threads, 2)
    plan = SideJob((), threads, (), keys, operations, seed)
    try:
        title, found = compare(commit, plan, workloads, runs)
    except (CannotRun, Wrong) as error:
        diagnostics().print(f"bench-quick: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error
    except KeyboardInterrupt as error:
        diagnostics().print("bench-quick: interrupted; nothing was decided")
        raise typer.Exit(_INTERRUPTED) from error
    driver = bench_native.describe(ROOT / "build" / "bench" / "driver" / "bench_driver")
    show(title, found, driver.workloads, tolerance)
    if any(one.verdict(tolerance) == "slower" for one in found):
        raise typer.Exit(_SLOWER)


if __name__ == "__main__":
    app()
