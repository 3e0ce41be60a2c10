"""The figures that are kept in the repository: run.py's results, condensed to medians.

A kept file holds runs, since what is measured in one run can be compared, and what is not can not:
each has its machine, date, command, and how much of the processors other programs took.
"""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench_report import SCHEMA

from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """One workload by one index with one number of threads: medians over the repeats."""

    part: str
    index: str
    threads: int
    workload: str
    mops: float | None = None  # million operations a second; None where the clock was looked at
    bytes_a_key: float | None = None
    written: float | None = None  # bytes for each byte of user data
    latency: dict[str, float] | None = None  # ns


@dataclass(frozen=True)
class KeptRun:
    """What was measured together."""

    command: str
    started: str
    commit: str | None
    machine: str
    dram_ns: float  # with huge pages
    others: float  # the greatest share of the processors that other programs took
    keys: int
    figures: list[Kept]


def _median(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(f"{statistics.median(there):.4g}") if there else None


def _figure(of_one: Sequence[dict[str, Any]]) -> Kept:
    first = of_one[0]
    rates = [one["operations"] / one["seconds"] / 1e6 for one in of_one]
    taken = [one["resident_bytes"] or one["own_bytes"] for one in of_one]
    loads = [t / one["operations"] if t else None for t, one in zip(taken, of_one, strict=True)]
    written = [
        one["written_bytes"] / one["user_bytes"] if one["written_bytes"] else None for one in of_one
    ]
    clocked = [one["latency"] for one in of_one if one["latency"] is not None]
    latency = {
        name: statistics.median([found[name] for found in clocked])
        for name in (clocked[0] if clocked else ())
        if name.startswith("p")
    }
    return Kept(
        *(first["part"], first["index"], first["threads"], first["workload"]),
        mops=None if clocked else _median(rates),
        bytes_a_key=_median(loads),
        written=_median(written),
        latency=latency or None,
    )


def condense(document: dict[str, Any]) -> KeptRun:
    """Condense one result of run.py."""
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for one in document["measurements"]:
        clocked = one["latency"] is not None
        key = (one["part"], one["index"], one["threads"], one["workload"], clocked)
        groups.setdefault(key, []).append(one)
    return KeptRun(
        # Without what says only where the result went.
        command=re.sub(r" --json \S+", "", document["command"]),
        started=document["started"],
        commit=document["commit"],
        machine=document["machine"]["summary"],
        dram_ns=min(one["huge_pages"] for one in document["dram_ns"]),
        others=round(max(one["others"] for one in document["measurements"]), 2),
        keys=document["keys"],
        figures=[_figure(of_one) for of_one in groups.values()],
    )


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read as JSON: {error}"
        raise CannotRun(message) from error


def read_result(file: Path) -> KeptRun:
    """Read one result of run.py and condense it."""
    document = _read(file)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        message = f"{file} is no result of `make bench` in its present form (schema {SCHEMA})"
        raise CannotRun(message)
    if not document["measurements"]:
        message = f"{file} holds no measurements"
        raise CannotRun(message)
    return condense(document)


def read_kept(file: Path) -> list[KeptRun]:
    """Read a file of kept runs."""
    document = _read(file)
    try:
        return [
            KeptRun(**{**run, "figures": [Kept(**figure) for figure in run["figures"]]})
            for run in document["runs"]
        ]
    except (TypeError, KeyError) as error:
        message = f"{file} is no file of kept figures: make it with bench_plots.py --keep"
        raise CannotRun(message) from error


def write_kept(file: Path, runs: Sequence[KeptRun]) -> None:
    """Write kept runs, a figure a line, without what is None."""
    texts = []
    for run in runs:
        fields = asdict(run)
        figures = [
            json.dumps({name: value for name, value in figure.items() if value is not None})
            for figure in fields.pop("figures")
        ]
        head = json.dumps(fields)[:-1]
        texts.append(head + ', "figures": [\n' + ",\n".join(figures) + "\n]}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"runs": [\n' + ",\n".join(texts) + "\n]}\n", encoding="utf-8")
