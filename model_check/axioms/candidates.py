"""A litmus test as the graphs that it could be, before any axiom: events and solver variables.

Each access becomes an event: R reads, W writes, F is a fence; a read-modify-write is an R and a W
joined by `rmw`. A statement behind a condition gives events that *exist* only when it holds, and
a compare-and-swap gives three: the R and W of its success, the R of its failure. What the solver
chooses:

- `rf[w, r]`: the read r takes its value from w. Every read that exists has exactly one.
- `place[w]`: where w stands in the modification order (mo) of its location.
- for a weak compare-and-swap, whether it fails without a reason.

Values follow: a read's is its writer's, a write's is computed from registers. Each location has
an initial write, which comes before everything (in sb, as in the paper).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import z3

from model_check.axioms.litmus import (
    Exchange,
    Fence,
    Guarded,
    Litmus,
    Load,
    Order,
    Simple,
    Statement,
    Store,
    Term,
    bare,
    read_part,
    write_part,
)

#: A formula or a number of z3, which has no types.
Formula = Any
_INITIAL = -1


@dataclass(frozen=True, eq=False)
class Event:
    """One read, write or fence; `exists` and `value` are formulas."""

    index: int
    thread: int
    kind: Literal["R", "W", "F"]
    location: str | None
    order: Order
    exists: Formula
    value: Formula

    @property
    def acquires(self) -> bool:
        """Whether the order has an acquire part."""
        return self.order in {"acq", "acq_rel", "sc"} and self.kind != "W"

    @property
    def releases(self) -> bool:
        """Whether the order has a release part."""
        return self.order in {"rel", "acq_rel", "sc"} and self.kind != "R"


@dataclass
class Candidates:
    """All events of a test, how they may be related, and what always holds."""

    test: Litmus
    events: list[Event] = field(default_factory=list)
    rmw: list[tuple[Event, Event]] = field(default_factory=list)
    rf: dict[tuple[Event, Event], Formula] = field(default_factory=dict)
    place: dict[Event, Formula] = field(default_factory=dict)
    registers: dict[str, Formula] = field(default_factory=dict)
    final: dict[str, Formula] = field(default_factory=dict)
    always: list[Formula] = field(default_factory=list)

    def both(self, a: Event, b: Event) -> Formula:
        """Both events exist."""
        return z3.And(a.exists, b.exists)

    def same_location(self, a: Event, b: Event) -> bool:
        """Both access one location (fences access none)."""
        return a.location is not None and a.location == b.location

    def sb(self, a: Event, b: Event) -> bool:
        """Sequenced before; the initial writes come before everything else."""
        if a.thread == _INITIAL:
            return b.thread != _INITIAL
        return a.thread == b.thread and a.index < b.index

    def program_order(self, a: Event, b: Event) -> Formula:
        """Sb, between events that exist."""
        return self.both(a, b) if self.sb(a, b) else z3.BoolVal(False)

    def mo(self, a: Event, b: Event) -> Formula:
        """Both write one location, a before b."""
        if a is b or a.kind != "W" or b.kind != "W" or a.location != b.location:
            return z3.BoolVal(False)
        return z3.And(self.both(a, b), self.place[a] < self.place[b])

    def reads_from(self, a: Event, b: Event) -> Formula:
        """Tell whether the read b takes its value from the write a."""
        return self.rf.get((a, b), z3.BoolVal(False))

    def rb(self, a: Event, b: Event) -> Formula:
        """Tell whether the read a takes its value from a write that b comes after in mo."""
        sources = [(w, choice) for (w, r), choice in self.rf.items() if r is a]
        if b.kind != "W" or not self.same_location(a, b):
            return z3.BoolVal(False)
        return z3.Or([z3.And(choice, self.mo(w, b)) for w, choice in sources])


def candidates(test: Litmus) -> Candidates:
    """Unfold a test."""
    graph = Candidates(test)
    for location in test.locations():
        graph.place[_event(graph, _INITIAL, "W", location, "na", z3.BoolVal(True), 0)] = 0
    for number, thread in enumerate(test.threads):
        for statement in thread:
            _unfold(graph, number, statement)
    _choose_sources(graph)
    _choose_places(graph)
    return graph


def _event(
    graph: Candidates,
    thread: int,
    kind: Literal["R", "W", "F"],
    location: str | None,
    order: Order,
    exists: Formula,
    value: Formula,
) -> Event:
    event = Event(len(graph.events), thread, kind, location, order, exists, value)
    graph.events.append(event)
    return event


def _unfold(graph: Candidates, thread: int, statement: Statement) -> None:
    exists: Formula = z3.BoolVal(True)
    if isinstance(statement, Guarded):
        exists = _value(graph, statement.register) == statement.value
    simple = bare(statement)
    before = _value(graph, simple.register) if hasattr(simple, "register") else None
    if isinstance(simple, Fence):
        _event(graph, thread, "F", None, simple.order, exists, 0)
    elif isinstance(simple, Load):
        value = _fresh(graph)
        _event(graph, thread, "R", simple.location, simple.order, exists, value)
        graph.registers[simple.register] = z3.If(exists, value, before)
    elif isinstance(simple, Store):
        value = _value(graph, simple.value)
        _event(graph, thread, "W", simple.location, simple.order, exists, value)
    else:
        _unfold_rmw(graph, thread, simple, exists, before)


def _unfold_rmw(
    graph: Candidates, thread: int, simple: Simple, exists: Formula, before: Formula
) -> None:
    assert not isinstance(simple, (Fence, Load, Store))
    seen = _fresh(graph)
    location, order = simple.location, simple.order
    if not isinstance(simple, Exchange):
        operand = _value(graph, simple.operand)
        new = seen + operand if simple.operation == "add" else operand
        succeeds = exists
    else:
        new = _value(graph, simple.desired)
        success = z3.Bool(f"succeeds_{len(graph.events)}")
        succeeds = z3.And(exists, success)
        graph.always.append(z3.Implies(succeeds, seen == simple.expected))
    read = _event(graph, thread, "R", location, read_part(order), succeeds, seen)
    write = _event(graph, thread, "W", location, write_part(order), succeeds, new)
    graph.rmw.append((read, write))
    if isinstance(simple, Exchange):
        fails = z3.And(exists, z3.Not(success))
        other = _fresh(graph)
        _event(graph, thread, "R", location, simple.failure, fails, other)
        if not simple.weak:
            graph.always.append(z3.Implies(fails, other != simple.expected))
        seen = z3.If(success, seen, other)
    graph.registers[simple.register] = z3.If(exists, seen, before)


def _fresh(graph: Candidates) -> Formula:
    return z3.Int(f"value_{len(graph.events)}")


def _value(graph: Candidates, term: Term) -> Formula:
    if isinstance(term, int):
        return z3.IntVal(term)
    return graph.registers.get(term, z3.IntVal(0))


def _choose_sources(graph: Candidates) -> None:
    for read in (event for event in graph.events if event.kind == "R"):
        choices = []
        for write in graph.events:
            if write.kind == "W" and write.location == read.location:
                choice = z3.Bool(f"rf_{write.index}_{read.index}")
                graph.rf[write, read] = choice
                graph.always.append(z3.Implies(choice, graph.both(write, read)))
                graph.always.append(z3.Implies(choice, read.value == write.value))
                choices.append(choice)
        graph.always.append(z3.Implies(read.exists, z3.PbEq([(c, 1) for c in choices], 1)))


def _choose_places(graph: Candidates) -> None:
    for location in graph.test.locations():
        writes = [e for e in graph.events if e.kind == "W" and e.location == location]
        for write in writes[1:]:
            graph.place[write] = z3.Int(f"place_{write.index}")
            graph.always.append(graph.place[write] > 0)
        if len(writes) > 2:
            graph.always.append(z3.Distinct([graph.place[write] for write in writes[1:]]))
        last = z3.Int(f"final_{location}")
        graph.final[location] = last
        for write in writes:
            newest = z3.Not(z3.Or([graph.mo(write, other) for other in writes]))
            graph.always.append(z3.Implies(z3.And(write.exists, newest), last == write.value))
