"""How the checkers talk: results on standard output, progress on standard error.

On a terminal, progress is a bar that is redrawn; elsewhere (a log file, CI) it is plain
lines, one for each thing that ended and one now and then for what is still running.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A wide fallback: in a log there is no terminal width, and a cut table is worse than a long line.
_LOG_WIDTH = 180

#: Seconds between two plain lines about what is still running.
HEARTBEAT = 15.0


def output() -> Console:
    """Give the console for results: standard output, never wrapped at 80 columns in a log."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_LOG_WIDTH)


def diagnostics() -> Console:
    """Give the console for progress and errors: standard error."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=True, highlight=False, width=_LOG_WIDTH, soft_wrap=True)


class Reporter:
    """Progress of ``total`` steps; made by :func:`progress`."""

    def __init__(self, title: str, total: int, console: Console, bar: Progress | None) -> None:
        """Wrap ``bar`` if there is one, else print lines to ``console``."""
        self._title = title
        self._total = total
        self._console = console
        self._bar = bar
        self._task = bar.add_task(title, total=total, now="") if bar else None
        self._done = 0
        self._spoken = time.monotonic()

    def step(self, line: str) -> None:
        """Say that one step has ended, and how."""
        self._done += 1
        self._spoken = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1)
            self._bar.console.print(line, markup=False)
        else:
            counter = f"[{self._done}/{self._total}]"
            self._console.print(f"{self._title} {counter} {line}", markup=False)

    def now(self, text: str) -> None:
        """Say what is running; on a log only every :data:`HEARTBEAT` seconds."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, now=text)
        elif time.monotonic() - self._spoken >= HEARTBEAT:
            self._spoken = time.monotonic()
            self._console.print(f"{self._title} … {text}", markup=False)


@contextmanager
def progress(title: str, total: int, console: Console | None = None) -> Iterator[Reporter]:
    """Show the progress of ``total`` steps on standard error while the block runs."""
    console = console or diagnostics()
    if not console.is_terminal:
        yield Reporter(title, total, console, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Reporter(title, total, console, bar)
