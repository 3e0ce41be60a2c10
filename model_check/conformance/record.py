"""Executions of the engine under the explorer, with the events that it tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model_check.conformance.trace import Event, read
from model_check.explorer.build import Program
from model_check.explorer.harness import build_harness, environment
from model_check.explorer.run import Options, Run

_FLAGS = ("-DBW_EVENTS",)


@dataclass(frozen=True)
class Execution:
    """One complete execution: its events in order."""

    events: tuple[Event, ...]


def build(*, folder: Path | None = None) -> Program:
    """Build the harness with events; ``folder``: another impl/ than the project's."""
    return build_harness(flags=_FLAGS, folder=folder)


def run(program: Program, text: str, options: Options) -> tuple[list[Execution], str | None]:
    """Run a program; give its complete executions, and what the explorer found, if anything.

    The events of an execution in which something is found are lost: it has no end.
    """
    options.check()
    process = Run(program, [*options.words(program), "events=1"], environment(text))
    said, _ = process.result(None)
    found = said["finding"]
    sentence = None if found is None else f"{found['kind']}: {found['sentence']}"
    return [Execution(tuple(read(each["events"]))) for each in process.events], sentence
