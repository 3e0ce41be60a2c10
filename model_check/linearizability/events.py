"""From events to calls: each invocation with its completion.

Both Jepsen's histories and lines of JSON or CSV may be lists of events. An event is of a type:

    invoke   the process calls
    ok       the call returned, with this result
    fail     the call is known to have had no effect: it is left out
    info     nobody knows: it may take effect at any time from its invocation on, or never

Time is the order of the events, unless they all carry times of their own. What does not fit
together is an error that names the line: a completion without an invocation, a process that calls
while it has a call in flight, a clock that goes back. A call in flight at the end is one like
``info``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from model_check.linearizability.operations import (
    Operation,
    Operations,
    OperationsError,
    ranked,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

TYPES = ("invoke", "ok", "fail", "info")


@dataclass(frozen=True)
class Event:
    """One line of a history of events."""

    type: str
    process: Hashable
    name: str
    value: Hashable = None  #: argument of an invocation, result of a completion
    key: Hashable = None
    time: int | None = None
    line: int = 0


def pair(events: Iterable[Event], source: str, *, model: str = "", others: int = 0) -> Operations:
    """Match completions with invocations. OperationsError."""
    flying: dict[Hashable, tuple[Event, int]] = {}
    calls: list[Operation] = []
    failed = 0
    last: Event | None = None

    def wrong(event: Event, what: str) -> NoReturn:
        raise OperationsError(f"{source}, line {event.line}: {what}")

    for number, event in enumerate(events):
        if last is not None and (event.time is None) != (last.time is None):
            wrong(event, "some events have a time and others have none: give it to all or to none")
        if event.time is not None and last is not None and event.time < (last.time or 0):
            wrong(
                event,
                f"the clock goes back from {last.time} (line {last.line}) to {event.time}: the "
                "order of the events is not known; sort them by one clock, or leave the times out "
                "if the lines stand in order",
            )
        last = event
        # Two events at one time are concurrent, whatever their order in the file.
        now = number if event.time is None else event.time
        if event.type == "invoke":
            if event.process in flying:
                line = flying[event.process][0].line
                wrong(
                    event,
                    f"process {event.process} calls {event.name} while its call of line {line} has "
                    "not completed",
                )
            flying[event.process] = event, now
            continue
        if event.process not in flying:
            wrong(event, f"process {event.process} completes {event.name}, which it never invoked")
        begun, invoked = flying.pop(event.process)
        if begun.name != event.name:
            wrong(
                event,
                f"process {event.process} completes {event.name}, but it has invoked {begun.name} "
                f"in line {begun.line}",
            )
        if event.key != begun.key and event.key is not None:
            wrong(event, f"key {event.key!r}, but {begun.key!r} was invoked in line {begun.line}")
        if event.type == "fail":
            failed += 1
        else:
            ended = now if event.type == "ok" else None
            calls.append(_call(begun, event.value if ended is not None else None, invoked, ended))
    calls += [_call(begun, None, invoked, None) for begun, invoked in flying.values()]
    return Operations(ranked(calls), source, failed, others, model)


def _call(begun: Event, result: Hashable, invoked: int, responded: int | None) -> Operation:
    return Operation(
        begun.process, begun.name, begun.value, result, invoked, responded, begun.key, begun.line
    )
