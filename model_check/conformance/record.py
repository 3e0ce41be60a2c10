"""Executions of the engine under the explorer, with the events that it tells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.conformance.trace import Event, numbers, read
from model_check.explorer.build import Program
from model_check.explorer.harness import build_harness, environment
from model_check.explorer.run import Options, Run
from model_check.report import CannotRun

_FLAGS = ("-DBW_EVENTS",)


@dataclass(frozen=True)
class Execution:
    """One complete execution: its events in order, and how many of the wanted ones came."""

    events: tuple[Event, ...]
    followed: int


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
    return [
        Execution(tuple(read(each["events"])), int(each["followed"])) for each in process.events
    ], sentence


def follow(
    program: Program, text: str, wanted: Sequence[tuple[int, str]], counted: Collection[str]
) -> Execution:
    """Run a program so that given threads tell given events, in this order.

    Only events that are ``counted`` must come in this order. Raises CannotRun when they come in
    another one, or something is found.
    """
    kinds = numbers()
    spelled = ",".join(f"{thread}:{kinds[name]}" for thread, name in wanted)
    mask = sum(1 << kinds[name] for name in counted)
    options = Options(spurious=0, steps=29_000, leaks=False)
    process = Run(
        program,
        [*options.words(program), "events=1", f"follow={spelled}", f"counted={mask}"],
        environment(text),
    )
    said, _ = process.result(None)
    found = said["finding"]
    if found is not None:
        message = f"{found['kind']}: {found['sentence']}"
        raise CannotRun(message)
    (execution,) = process.events
    return Execution(tuple(read(execution["events"])), int(execution["followed"]))
