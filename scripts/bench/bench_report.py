"""Measurements, and the tables and files that are made of them.

A figure is the median over the repeats, with the least and the greatest beside it. Since the
indexes take turns within a repeat, a ratio is the median of the ratios of the repeats: what
slows the whole machine for a while slows both sides of most of them.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SCHEMA = 2

#: Whose columns come first and whose ratios are shown.
OURS = "bwtree"

#: Share of the processors taken by other programs above which a run deserves a warning.
DISTURBED = 0.1

#: Ratios this close to 1 are neither better nor worse: the noise of a quiet machine.
NOISE = 0.05


class Wrong(Exception):
    """An index gave a wrong answer; the message says which and how to replay it. Exit code 1."""


@dataclass(frozen=True)
class Measurement:
    """One workload, done once by one index with one number of threads."""

    part: str  # "C" or "Python"
    index: str
    threads: int
    repeat: int
    workload: str
    operations: int
    seconds: float
    resident_bytes: int | None = None  # growth of the process over a load
    own_bytes: int | None = None  # what the index itself says it has taken
    processor_seconds: float | None = None  # that its threads have had, in sum
    others: float = 0.0  # share of the processors that other programs took meanwhile
    written_bytes: int | None = None  # by an index that counts them, in a workload that only writes
    user_bytes: int | None = None  # of the keys and values that were written
    latency: dict[str, float] | None = (
        None  # percentiles, ns; the throughput has paid for the clock
    )

    def rate(self, *, processor_time: bool) -> float:
        """Give million operations a second that went by, or that each thread had a processor."""
        seconds = self.seconds
        if processor_time and self.processor_seconds:
            seconds = self.processor_seconds / self.threads
        return self.operations / seconds / 1e6


@dataclass(frozen=True)
class Figure:
    """Median, least and greatest over the repeats."""

    median: float
    least: float
    greatest: float

    @staticmethod
    def of(values: Sequence[float]) -> Figure:
        """Summarise at least one value."""
        return Figure(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """Show three significant digits or so; the range only where there is one."""
        if self.least == self.greatest:
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({self.least:.3g}–{self.greatest:.3g})"


@dataclass(frozen=True)
class Row:
    """One line of a table: a quantity, its figure for each index, and our ratios."""

    name: str
    figures: Mapping[str, Figure]
    ratios: Mapping[str, float]  # ours over the index's own: above 1 is more
    more_is_better: bool = True
    quartiles: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # of the ratios


def _ratio(ours: Mapping[int, float], theirs: Mapping[int, float]) -> float | None:
    """Give the median over the common repeats of ours / theirs."""
    pairs = [ours[repeat] / theirs[repeat] for repeat in ours.keys() & theirs.keys()]
    return statistics.median(pairs) if pairs else None


def _row(
    name: str,
    measurements: Iterable[Measurement],
    quantity: Callable[[Measurement], float | None],
    *,
    more_is_better: bool = True,
) -> Row | None:
    """Make one line of the measurements for which ``quantity`` has a value."""
    values: dict[str, dict[int, float]] = {}
    for measurement in measurements:
        value = quantity(measurement)
        if value is not None:
            values.setdefault(measurement.index, {})[measurement.repeat] = value
    if not values:
        return None
    ours = values.get(OURS, {})
    ratios = {index: _ratio(ours, theirs) for index, theirs in values.items() if index != OURS}
    return Row(
        name,
        {index: Figure.of(list(each.values())) for index, each in values.items()},
        {index: ratio for index, ratio in ratios.items() if ratio is not None},
        more_is_better,
    )


def _amplification(one: Measurement) -> float | None:
    if one.written_bytes is None or not one.user_bytes:
        return None
    return one.written_bytes / one.user_bytes


#: Columns of a table of latencies, as the driver names them.
PERCENTILES = ("p50", "p90", "p99", "p99.9")


def latency_rows(measurements: Sequence[Measurement], titles: Mapping[str, str]) -> list[Row]:
    """Make the lines of percentiles, in ns, of the workloads whose operations were clocked."""
    found = [
        _row(
            f"{title}: {percentile}",
            [one for one in measurements if one.workload == workload],
            lambda one, name=percentile: one.latency[name] if one.latency else None,  # type: ignore[misc]
            more_is_better=False,
        )
        for workload, title in titles.items()
        for percentile in PERCENTILES
    ]
    return [row for row in found if row is not None]


def rows(
    measurements: Sequence[Measurement], titles: Mapping[str, str], *, processor_time: bool
) -> list[Row]:
    """Make the lines for the measurements of one part and one number of threads.

    ``titles`` names and orders the workloads. Rates come first, in million operations a
    second, then bytes a key after each load.
    """

    def bytes_a_key(taken: int | None, measurement: Measurement) -> float | None:
        return None if taken is None else taken / measurement.operations

    found: list[Row | None] = []
    for workload, title in titles.items():
        chosen = [one for one in measurements if one.workload == workload]
        found.append(_row(title, chosen, lambda one: one.rate(processor_time=processor_time)))
    for workload, title in titles.items():
        chosen = [one for one in measurements if one.workload == workload]
        name = f"bytes written for each byte of user data: {title}"
        found.append(_row(name, chosen, _amplification, more_is_better=False))
    for workload, title in titles.items():
        chosen = [one for one in measurements if one.workload == workload]
        for what, quantity in (
            ("resident", lambda one: bytes_a_key(one.resident_bytes, one)),
            ("own account", lambda one: bytes_a_key(one.own_bytes, one)),
        ):
            name = f"bytes a key, {what}: {title}"
            found.append(_row(name, chosen, quantity, more_is_better=False))
    return [row for row in found if row is not None]


def indexes_of(lines: Iterable[Row]) -> list[str]:
    """Name the indexes in the lines, ours first, the others in order of appearance."""
    names = dict.fromkeys(index for line in lines for index in line.figures)
    return sorted(names, key=lambda name: name != OURS)


def _ratio_text(line: Row, index: str) -> Text:
    ratio = line.ratios.get(index)
    if ratio is None:
        return Text("–")
    gain = ratio - 1 if line.more_is_better else 1 - ratio
    style = "" if abs(gain) < NOISE else "green" if gain > 0 else "red"
    if index in line.quartiles:
        low, high = line.quartiles[index]
        return Text(f"× {ratio:.3f} ({low:.3f}–{high:.3f})", style=style)
    return Text(f"× {ratio:.2f}", style=style)


def table(title: str, lines: Sequence[Row]) -> Table:
    """Draw the lines; a ratio is ours over theirs, green where that is to our favour."""
    drawn = Table(title=title, title_justify="left", highlight=False)
    drawn.add_column("")
    names = indexes_of(lines)
    for name in names:
        drawn.add_column(name, justify="right")
        if name != OURS:
            drawn.add_column(f"{OURS} : {name}", justify="right")
    for line in lines:
        cells: list[str | Text] = [Text(line.name)]
        for name in names:
            cells.append(str(line.figures.get(name, "–")))
            if name != OURS:
                cells.append(_ratio_text(line, name))
        drawn.add_row(*cells)
    return drawn


def markdown(title: str, lines: Sequence[Row]) -> str:
    """Write the same table in Markdown."""
    names = indexes_of(lines)
    head = ["", *(name for name in names)]
    head += [f"{OURS} : {name}" for name in names if name != OURS]
    text = [f"#### {title}", "", "| " + " | ".join(head) + " |"]
    text.append("|---|" + "---:|" * (len(head) - 1))
    for line in lines:
        cells = [line.name, *(str(line.figures.get(name, "–")) for name in names)]
        cells += [_ratio_text(line, name).plain for name in names if name != OURS]
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join([*text, ""])


def sections(
    measurements: Sequence[Measurement],
    titles: Mapping[str, Mapping[str, str]],
    *,
    processor_time: bool,
) -> list[tuple[str, list[Row]]]:
    """Cut the measurements into titled tables: one for each part and number of threads."""
    made = []
    unit = "second of processor time" if processor_time else "second"
    for part, workloads in titles.items():
        of_part = [one for one in measurements if one.part == part and one.latency is None]
        for threads in sorted({one.threads for one in of_part}):
            chosen = [one for one in of_part if one.threads == threads]
            loaded = [one.operations for one in chosen if one.workload.startswith("load")]
            size = f", {max(loaded):,} keys" if loaded else ""
            plural = "" if threads == 1 else "s"
            title = f"{part}{size}, {threads} thread{plural}: million operations a {unit}"
            made.append((title, rows(chosen, workloads, processor_time=processor_time)))
        clocked = [one for one in measurements if one.part == part and one.latency is not None]
        for threads in sorted({one.threads for one in clocked}):
            chosen = [one for one in clocked if one.threads == threads]
            plural = "" if threads == 1 else "s"
            title = f"{part}, {threads} thread{plural}: latency of an operation in ns"
            made.append((title, latency_rows(chosen, workloads)))
    return made


def _first_line(command: Sequence[str]) -> str | None:
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def _cpu() -> tuple[str, list[str]]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown", []
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        facts[name.strip()] = value.strip()
    flags = set(facts.get("flags", "").split())
    return facts.get("model name", "unknown"), sorted(flags & {"avx2", "avx512f"})


def machine() -> dict[str, object]:
    """Describe where this runs, for the JSON file."""
    model, vectors = _cpu()
    processors, kernel = len(os.sched_getaffinity(0)), f"{platform.system()} {platform.release()}"
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    parts = [model, f"{processors} processors", *vectors, f"{memory / 2**30:.0f} GiB", kernel]
    return {
        "summary": ", ".join(parts),
        "processor": model,
        "processors": processors,
        "vectors": vectors,
        "memory_bytes": memory,
        "kernel": kernel,
        "python": platform.python_version(),
        "c_compiler": _first_line([os.environ.get("CC", "cc"), "--version"]),
        "load_average": list(os.getloadavg()),
    }


def commit(checkout: Path) -> str | None:
    """Name the commit of a checkout, with a + where files differ from it; None if unknown."""
    if shutil.which("git") is None:
        return None
    git = ["git", "-C", str(checkout)]
    head = _first_line([*git, "rev-parse", "--short=12", "HEAD"])
    if head is None:
        return None
    return f"{head}+" if _first_line([*git, "status", "--porcelain", "impl"]) else head


def as_json(measurements: Iterable[Measurement]) -> list[dict[str, object]]:
    """Give the measurements as they stand in the JSON file."""
    return [asdict(one) for one in measurements]
