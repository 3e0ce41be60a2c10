"""Indexes side by side in one process: slices of a fraction of a second, in turns.

Within a slice every index does the same operations; see side_by_side.c. With n indexes, n slices
make a round, in which each index had each place in the order once: whoever begins a slice has just
ended the one before and finds its caches warm. A figure is the median over the rounds. A ratio is
the median of the rounds' own ratios, with their quartiles: what slows the machine for a second
slows both sides of most rounds.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench_native import RANDOM, Driver, load_options, run_process
from bench_report import OURS, Figure, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 20
#: Of scans there are a tenth as many as of other operations, and a slice has one at least.
_FEWEST_TIMES = 10


def least_operations(threads: int, indexes: int) -> int:
    """Give the number of operations that fill every slice of this many threads."""
    return _FEWEST_TIMES * ROUNDS * indexes * threads


def most_operations(keys: int, threads: int, indexes: int) -> int:
    """Give the number of operations that leaves a key for each remove, and some to warm up."""
    return (keys - ROUNDS * indexes * threads) * 10 // 11


@dataclass(frozen=True)
class Slices:
    """One workload, done slice by slice by several indexes with one number of threads."""

    threads: int
    workload: str
    keys: int
    operations: int  # of a slice, timed, over all threads
    seconds: Mapping[str, Sequence[float]]  # of each index, slice by slice
    processor_seconds: Mapping[str, Sequence[float]]  # that its threads have had, in sum
    others: float  # share of the processors that other programs took meanwhile

    def times(self, *, processor_time: bool) -> dict[str, list[float]]:
        """Give each index's nanoseconds for an operation of one thread, round by round."""
        source, scale = self.seconds, 1e9 * self.threads / self.operations
        if processor_time:
            source, scale = self.processor_seconds, 1e9 / self.operations
        size = len(source)
        return {
            name: [
                statistics.fmean(slices[at : at + size]) * scale
                for at in range(0, len(slices) - size + 1, size)
            ]
            for name, slices in source.items()
        }


@dataclass(frozen=True)
class SideJob:
    """One process: several indexes, one number of threads, some workloads."""

    adapters: tuple[str, ...]  # names, or the paths of shared objects
    threads: int
    workloads: tuple[str, ...]
    keys: int
    operations: int
    seed: int

    def command(self, driver: Driver) -> list[str]:
        """Give the command line that runs, and replays, this job."""
        return [
            str(driver.side_by_side),
            *(part for adapter in self.adapters for part in ("--adapter", adapter)),
            *load_options(self.threads, self.keys, self.operations, self.seed),
            *("--slices", str(ROUNDS * len(self.adapters))),
            *("--workloads", ",".join(self.workloads)),
        ]

    def title(self) -> str:
        """Name the job in a line of progress."""
        names = ", ".join(Path(adapter).stem for adapter in self.adapters)
        what = f"C, side by side: {names}, {self.threads} thread(s)"
        return what if RANDOM in self.workloads else f"{what}, {self.workloads[0]}"


def check(driver: Driver, jobs: Sequence[SideJob]) -> None:
    """Make sure, before anything is timed, that the jobs can run and their adapters are right."""
    for job in jobs:
        run_process([*job.command(driver), "--check"], lambda: None)


def run_job(driver: Driver, job: SideJob, waiting: Callable[[], None]) -> list[Slices]:
    """Run one job and give what it measured; raises Wrong and CannotRun like ``run_process``."""
    out, others = run_process(job.command(driver), waiting)
    document = json.loads(out)
    return [
        Slices(
            threads=job.threads,
            workload=result["workload"],
            keys=document["keys"],
            operations=result["operations"],
            seconds={name: each["seconds"] for name, each in result["indexes"].items()},
            processor_seconds={
                name: each["processor_seconds"] for name, each in result["indexes"].items()
            },
            others=others,
        )
        for result in document["results"]
    ]


def _row(title: str, one: Slices, *, processor_time: bool) -> Row:
    times = one.times(processor_time=processor_time)
    ratios: dict[str, float] = {}
    quartiles: dict[str, tuple[float, float]] = {}
    for name, theirs in times.items():
        if name == OURS or OURS not in times:
            continue
        each = [their / our for our, their in zip(times[OURS], theirs, strict=True)]
        low, ratios[name], high = statistics.quantiles(each, n=4, method="inclusive")
        quartiles[name] = (low, high)
    middles = {name: statistics.median(each) for name, each in times.items()}
    figures = {name: Figure(middle, middle, middle) for name, middle in middles.items()}
    return Row(title, figures, ratios, quartiles=quartiles)


def sections(
    found: Sequence[Slices], titles: Mapping[str, str], *, processor_time: bool
) -> list[tuple[str, list[Row]]]:
    """Make a titled table for each number of threads: times, and ratios of speeds."""
    made = []
    unit = "ns of processor time" if processor_time else "ns"
    for threads in sorted({one.threads for one in found}):
        chosen = {one.workload: one for one in found if one.threads == threads}
        keys = max(one.keys for one in chosen.values())
        plural = "" if threads == 1 else "s"
        title = (
            f"C side by side in one process, {keys:,} keys, {threads} thread{plural}: {unit} that "
            "an operation takes a thread; × ratio of speeds (quartiles of the rounds)"
        )
        lines = [
            _row(text, chosen[workload], processor_time=processor_time)
            for workload, text in titles.items()
            if workload in chosen
        ]
        made.append((title, lines))
    return made


def as_json(found: Sequence[Slices]) -> list[dict[str, object]]:
    """Give the slices as they stand in the JSON file."""
    return [asdict(one) for one in found]
