"""Executions of the engine under the explorer, with the events that it tells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.conformance.trace import OWN, Event, names, read
from model_check.explorer.build import Program
from model_check.explorer.harness import build_harness, environment
from model_check.explorer.run import Options, Run

_FLAGS = ("-DBW_EVENTS",)
#: Events that are no steps of a spec without a list of free page ids.
OF_FREE_PIDS = frozenset(
    ("POP_SEES", "READ_LINK", "POP_PID", "PUSH_SEES", "WRITE_LINK", "PUSH_PID")
)
#: Events that only tours need.
_OF_TOURS = OF_FREE_PIDS | {"READ", "PASS"}
_FREEZE = 4  # kind of a record (impl/src/page.h)


@dataclass(frozen=True)
class Execution:
    """One complete execution: its events in order."""

    events: tuple[Event, ...]


def build(*, folder: Path | None = None, stand_in: Path | None = None) -> Program:
    """Build the harness with events.

    ``folder``: another impl/ than the project's. ``stand_in``: a source that is taken in place of
    the library's of that name, which is all that is then compiled anew.
    """
    return build_harness(flags=_FLAGS, folder=folder, stand_in=stand_in)


def run(program: Program, text: str, options: Options) -> tuple[list[Execution], str | None]:
    """Run a program; give its complete executions, and what the explorer found, if anything.

    The events of an execution in which something is found are lost: it has no end.
    """
    options.check()
    process = Run(program, [*options.words(program), "events=1"], environment(text))
    said, _ = process.result(None)
    found = said["finding"]
    sentence = None if found is None else f"{found['kind']}: {found['sentence']}"
    return [Execution(_whole(each["events"])) for each in process.events], sentence


def _whole(rows: Sequence[Sequence[int]]) -> tuple[Event, ...]:
    """Read an execution's events but those that only tours need.

    Of single slots LOOK says as much; who has lost a slot to freeze goes on to the next. The way
    down is not followed, and the list of free page ids is in no spec that traces are compared with.
    """
    return tuple(
        event
        for event in read(rows)
        if event.name not in _OF_TOURS
        and (event.name, event.words[2:3]) != ("APPEND_LOST", (_FREEZE,))
    )


def follow(
    program: Program, text: str, wanted: Sequence[tuple[int, str]], unwatched: Collection[str] = ()
) -> tuple[list[Event], str | None]:
    """Lead one execution along events, each of a thread; give those that came, and a finding.

    An event that comes out of turn is a finding and the last one that is given, unless it is one
    of ``unwatched``, which are passed over. With options states=… in ``text`` each is followed by
    a STATE.
    """
    kinds = {name: kind for kind, name in enumerate(names())}
    kinds |= {name: kind for kind, name in OWN.items()}
    options = Options(strategy="random", executions=1, steps=29_000, spurious=0, leaks=False)
    order = ",".join(f"{thread}:{kinds[name]}" for thread, name in wanted)
    mask = sum(1 << kinds[name] for name in unwatched)
    words = [*options.words(program), "events=1", f"follow={order}", f"unwatched={mask}"]
    process = Run(program, words, environment(text))
    said, _ = process.result(None)
    found = said["finding"]
    sentence = None if found is None else f"{found['kind']}: {found['sentence']}"
    return [event for each in process.events for event in read(each["events"])], sentence
