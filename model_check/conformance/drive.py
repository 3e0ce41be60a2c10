"""The engine led along one behaviour of a spec, and its state compared with the spec's each step.

A behaviour becomes a program of the explorer's harness and a list of steps, each an event that one
thread must tell next. The explorer's scheduler runs that thread until it has (``follow=``,
runtime/events.c). With each event comes what memory holds; a `Mirror` makes of both the state that
the spec's variables stand for, in the words of the spec.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from model_check.conformance import record
from model_check.conformance.trace import STATE, Event
from model_check.explorer.build import Program

#: Events that are no steps of a spec without epochs.
OF_EPOCHS = frozenset(
    (
        *("READ_EPOCH", "ANNOUNCE", "UNPIN", "RETIRE", "TAG", "FREE", "ADVANCE_START", "SCAN"),
        *("SCAN_BLOCKED", "COMMIT", "COMMIT_LOST"),
    )
)
#: What a state is, in words: a line's name, and its value.
Shown = Mapping[str, str]


S = TypeVar("S")


@dataclass(frozen=True)
class Spec(Generic[S]):
    """A state of TLC's, with what of it is compared."""

    raw: Mapping[str, Any]
    state: S

    def __hash__(self) -> int:
        """Be known by what is compared."""
        return hash(self.state)


@dataclass(frozen=True)
class Step(Generic[S]):
    """A step of the spec's: its state after it, and whose call answers what, if one returns."""

    state: S
    answer: tuple[str, str] | None = None


@dataclass(frozen=True)
class Want:
    """The event that must come next, of a thread of the harness.

    ``action``: the spec's, with its thread. ``state``: the spec's state after it, as
    `Mirror.state` gives it; None where the event is none of the spec's steps. ``refusal``: the
    engine was asked for what the spec does not allow here, and must say no.
    """

    thread: int
    event: str
    action: str
    state: Any
    refusal: bool = False

    @property
    def name(self) -> str:
        """The action alone."""
        return self.action.split("(")[0]

    @property
    def counts(self) -> bool:
        """False for what is no step of the spec."""
        return self.state is not None and not self.refusal


@dataclass
class Plan:
    """A program's text in parts, and what it must do.

    ``unwatched``: events of the engine that are no steps here. ``silent``: steps of the spec
    without an event, by their actions. ``before``: what the main thread does first, unseen.
    """

    options: str
    operations: Mapping[int, list[str]]
    unwatched: Collection[str] = ()
    wants: list[Want] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    before: Sequence[str] = ()

    def end(self) -> None:
        """Let threads end: out of the scheduler's sight, so not before something that it sees."""
        for mine in self.operations.values():
            mine.append("size")

    def text(self) -> str:
        """Write the program."""
        threads = (", ".join(self.operations[t] or ["size"]) for t in sorted(self.operations))
        first = [f"before {', '.join(self.before)}"] if self.before else []
        sections = [f"options {self.options}", *first, *(f"thread {each}" for each in threads)]
        return "; ".join(sections)


class Mirror(Protocol):
    """The engine's state in the spec's words."""

    def take(self, event: Event, memory: Sequence[int]) -> None:
        """Take an event and the words of the STATE that came with it."""

    def state(self, spec: Any) -> Any:
        """Give the state, to be compared with the spec's, as far as that speaks of it."""

    def show(self, state: Any) -> Shown:
        """Say a state in words."""


@dataclass(frozen=True)
class Difference:
    """Where the engine and the spec part: after ``at`` steps of the plan that were the same."""

    at: int
    action: str
    told: str

    def __str__(self) -> str:
        """Say it."""
        return self.told


def drive(program: Program, plan: Plan, mirror: Mirror) -> Difference | None:
    """Lead the engine along a plan; give where it parts from the spec, if it does."""
    wanted = [(want.thread, want.event) for want in plan.wants]
    events, finding = record.follow(program, plan.text(), wanted, plan.unwatched)
    pairs = [
        (event, events[k + 1].words if k + 1 < len(events) else ())
        for k, event in enumerate(events)
        if event.name != STATE
    ]
    before: Any = None
    for at, want in enumerate(plan.wants):
        if at == len(pairs):
            return _missing(plan, at, None, finding, mirror, before)
        event, memory = pairs[at]
        if (event.thread, event.name) != (want.thread, want.event):
            return _missing(plan, at, event, finding, mirror, before)
        mirror.take(event, memory)
        if want.state is not None:
            before = mirror.state(want.state)
            if before != want.state:
                return Difference(
                    at,
                    want.action,
                    f"after {want.action}, step {at + 1} of {len(plan.wants)} "
                    f"({want.event} of thread {want.thread}), the states differ\n"
                    + _side_by_side(plan, at, mirror.show(want.state), mirror.show(before)),
                )
    if finding is not None:
        message = f"all steps were taken, but then the explorer says: {finding}"
        return Difference(len(plan.wants), "the end", message)
    return None


def _missing(
    plan: Plan,
    at: int,
    event: Event | None,
    finding: str | None,
    mirror: Mirror,
    before: Any,
) -> Difference:
    want = plan.wants[at]
    came = f"comes {event.name} of thread {event.thread}" if event else "comes nothing"
    lines = [
        f"{want.action}, step {at + 1} of {len(plan.wants)}, is not what the engine does:",
        f"    in place of {want.event} of thread {want.thread} {came}",
    ]
    if finding is not None and event is None:
        lines.append(f"    the explorer says: {finding}")
    if before is not None:
        target = mirror.show(before if want.state is None else want.state)
        lines.append(
            _side_by_side(plan, at, target, mirror.show(before), (" after it", " before it"))
        )
    return Difference(at, want.action, "\n".join(lines))


def _side_by_side(
    plan: Plan, at: int, spec: Shown, code: Shown, when: tuple[str, str] = ("", "")
) -> str:
    """Draw both states, what differs marked, with the steps that lead there."""
    lines = [
        f"    {k + 1:>6}  {plan.wants[k].action}: {plan.wants[k].event}"
        for k in range(max(0, at - 6), at + 1)
    ]
    names = [*spec, *(name for name in code if name not in spec)]
    wide = max(map(len, names))
    title = f"the spec{when[0]}"
    column = max(len(title), *(len(spec.get(name, "")) for name in names))
    lines.append(f"      {'':<{wide}}  {title:<{column}}  the engine{when[1]}")
    for name in names:
        one, two = spec.get(name, "–"), code.get(name, "–")
        mark = " " if one == two else "≠"
        lines.append(f"    {mark} {name:<{wide}}  {one:<{column}}  {two}")
    return "\n".join(lines)
