"""What a part of the suite hands back, and the one summary made of all of them.

A part (tlc, lin, stress, and those that come later) ends with a :class:`Section`: a
verdict, figures that can be added up, one row for each thing it ran, and a sentence for
each thing that was not as expected. :func:`summary_table` prints sections as one table,
:func:`write_json` writes the same figures; docs/summary.md documents the file.

To plug a new part in: a module with ``section(settings: Settings) -> Section``, and one
line in :mod:`model_check.everything`.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from model_check import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

SCHEMA = 1

#: A JSON scalar: what a figure, or a cell of a row, may be.
Scalar = str | int | float | bool | None

#: The figures that are added up over all parts, and how the summary calls them.
TOTALS: dict[str, str] = {
    "configs": "configs",
    "states": "states",
    "distinct_states": "distinct",
    "simulated_states": "simulated",
    "traces": "traces",
    "mutants": "mutants",
    "mutants_killed": "killed",
    "histories": "histories",
    "operations_recorded": "recorded",
    "operations_checked": "checked",
    "executions": "executions",
}


class Verdict(Enum):
    """How a part, or one case of it, ended; the command's exit code follows from it."""

    GREEN = "green"  # everything was as expected
    RED = "red"  # a violation, or a check that did not fail though it must
    BROKEN = "could not run"  # nothing was shown either way

    @property
    def exit_code(self) -> int:
        """Give 0 for green, 1 for red, 2 for could not run."""
        return {Verdict.GREEN: 0, Verdict.RED: 1, Verdict.BROKEN: 2}[self]

    @property
    def style(self) -> str:
        """Name the rich style the verdict is printed in."""
        return {Verdict.GREEN: "green", Verdict.RED: "bold red", Verdict.BROKEN: "yellow"}[self]

    @staticmethod
    def worst(verdicts: Iterable[Verdict]) -> Verdict:
        """Give red if any is red, else broken if any is broken, else green.

        Nothing at all is broken: a check that looked at nothing has shown nothing.
        """
        seen = set(verdicts)
        if not seen:
            return Verdict.BROKEN
        for verdict in (Verdict.RED, Verdict.BROKEN):
            if verdict in seen:
                return verdict
        return Verdict.GREEN


class CannotRun(Exception):
    """The check could not be made; the message says why and what to do. Exit code 2."""


@dataclass(frozen=True)
class Settings:
    """What `bwcheck all` asks of every part.

    ``seed`` is all the randomness a part may use. ``jobs`` bounds the processes or
    threads that run at once (None: what the machine allows). ``deep`` asks for the work
    that takes hours, beside the work that takes minutes.
    """

    seed: int = 0
    jobs: int | None = None
    deep: bool = False


@dataclass(frozen=True)
class Section:
    """The result of one part.

    ``figures``: named numbers; those named in :data:`TOTALS` are added up over parts.
    ``rows``: one flat mapping for each case that ran (a configuration, a history, a run).
    ``problems``: one text for each thing that was not as expected, with its replay.
    ``environment``: versions and settings that the result depends on.
    """

    name: str
    verdict: Verdict
    figures: Mapping[str, int | float]
    rows: Sequence[Mapping[str, Scalar]]
    seconds: float
    problems: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Give the section as it stands in the JSON file."""
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "seconds": round(self.seconds, 3),
            "figures": dict(self.figures),
            "environment": dict(self.environment),
            "problems": list(self.problems),
            "rows": [dict(row) for row in self.rows],
        }


def totals(sections: Iterable[Section]) -> dict[str, int | float]:
    """Add up every figure of :data:`TOTALS`; one that no section reports is 0."""
    sums: dict[str, int | float] = dict.fromkeys(TOTALS, 0)
    for section in sections:
        for name in TOTALS:
            sums[name] += section.figures.get(name, 0)
    return sums


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def summary_table(sections: Sequence[Section], title: str = "bwcheck") -> Table:
    """Draw one row a section and a last one with the verdict on all and the totals."""
    table = Table(title=title, title_justify="left", show_footer=True, highlight=False)
    verdict = Verdict.worst(section.verdict for section in sections)
    seconds = sum(section.seconds for section in sections)
    sums = totals(sections)
    table.add_column("part", footer="all")
    table.add_column("verdict", footer=Text(verdict.value, style=verdict.style))
    for name, label in TOTALS.items():
        table.add_column(label, justify="right", footer=_number(sums[name]))
    table.add_column("seconds", justify="right", footer=f"{seconds:.1f}")
    for section in sections:
        table.add_row(
            section.name,
            Text(section.verdict.value, style=section.verdict.style),
            *(_number(section.figures.get(name)) for name in TOTALS),
            f"{section.seconds:.1f}",
        )
    return table


def document(
    sections: Sequence[Section], *, command: str, seed: int, started: datetime, seconds: float
) -> dict[str, object]:
    """Give the whole result as the JSON document that docs/summary.md describes."""
    verdict = Verdict.worst(section.verdict for section in sections)
    return {
        "schema": SCHEMA,
        "command": command,
        "version": __version__,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "seed": seed,
        "verdict": verdict.value,
        "exit_code": verdict.exit_code,
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "cpus": os.cpu_count() or 1,
            "python": platform.python_version(),
        },
        "totals": totals(sections),
        "sections": [section.as_json() for section in sections],
    }


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, whole or not at all; makes the folder if need be.

    Others may write the same file at the same time. Raises OSError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def write_json(path: Path, result: Mapping[str, object]) -> None:
    """Write ``result`` to ``path``, whole or not at all; makes the folder if need be.

    Raises CannotRun when the file cannot be written.
    """
    try:
        write_whole(path, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        message = f"cannot write the results to {path} ({error.strerror}); choose another --json"
        raise CannotRun(message) from error
