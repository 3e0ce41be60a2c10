"""A third opinion without a solver: every execution graph of a litmus test, one by one.

It shares the notation of tests with `axioms`, and no other line. A thread is run on its own with
guessed values for its reads, which gives concrete events and no conditions; then every
choice of writers for the reads (of the guessed value) and every order of the writes of a location
makes a graph, and the axioms are computed on it exactly as the paper writes them, with `Relation`.
Exponential, so for tests of a dozen events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations, product
from typing import TYPE_CHECKING, Literal, NamedTuple

from model_check.axioms.litmus import (
    Allowed,
    Exchange,
    Fence,
    Guarded,
    Litmus,
    Load,
    Statement,
    Store,
    Thread,
    Update,
    read_part,
    write_part,
)
from model_check.axioms.relation import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model_check.axioms.litmus import Order, Term

_ACQUIRES, _RELEASES = {"acq", "acq_rel", "sc"}, {"rel", "acq_rel", "sc"}


class _Event(NamedTuple):
    kind: Literal["R", "W", "F"]
    location: str
    order: Order
    value: int
    #: The write of a read-modify-write: the event before it is its read.
    closes_rmw: bool = False


@dataclass
class _Run:
    """What one thread does when its reads give certain values."""

    events: list[_Event] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)

    def value(self, term: Term) -> int:
        return term if isinstance(term, int) else self.registers.get(term, 0)


@dataclass
class _Graph:
    """Concrete events, the initial writes first, and their basic relations."""

    events: list[_Event]
    threads: list[int]
    sb: Relation
    rmw: Relation
    rf: Relation
    mo: Relation

    def those(self, kind: str, orders: set[str] | None = None) -> Relation:
        """[kind with one of the orders] of the papers."""
        return Relation.identity(
            len(self.events),
            (
                i
                for i, event in enumerate(self.events)
                if event.kind == kind and (orders is None or event.order in orders)
            ),
        )

    def same_location(self, a: int, b: int) -> bool:
        return self.events[a].location == self.events[b].location != ""


def allowed(test: Litmus, model: Literal["sc", "rc11"]) -> Allowed:
    """Every outcome of ``test`` that ``model`` allows, or that it has a race."""
    found: set[str] = set()
    for graph, registers in _graphs(test):
        hb = _happens_before(graph)
        if not (_is_sc(graph) if model == "sc" else _is_rc11(graph, hb)):
            continue
        if _races(graph, hb):
            return Allowed(frozenset(), race=True)
        found.add(test.outcome({**registers, **_final(graph)}))
    return Allowed(frozenset(found))


def _is_sc(graph: _Graph) -> bool:
    rb = graph.rf.inverse() @ graph.mo
    one_order = graph.sb | graph.rf | graph.mo | rb
    return one_order.acyclic() and (graph.rmw & (rb @ graph.mo)).rows == _nothing(graph)


def _is_rc11(graph: _Graph, hb: Relation) -> bool:
    rb = graph.rf.inverse() @ graph.mo
    eco = (graph.rf | graph.mo | rb).closure()
    return (
        (hb @ eco.maybe()).irreflexive()
        and (graph.rmw & (rb @ graph.mo)).rows == _nothing(graph)
        and (graph.sb | graph.rf).acyclic()
        and _psc(graph, hb, rb, eco).acyclic()
    )


def _psc(graph: _Graph, hb: Relation, rb: Relation, eco: Relation) -> Relation:
    apart = graph.sb.where(lambda a, b: not graph.same_location(a, b))
    together = hb.where(graph.same_location)
    scb = graph.sb | apart @ hb @ apart | together | graph.mo | rb
    fences = graph.those("F", {"sc"})
    every = fences | graph.those("R", {"sc"}) | graph.those("W", {"sc"})
    base = (every | fences @ hb.maybe()) @ scb @ (every | hb.maybe() @ fences)
    return base | fences @ (hb | hb @ eco @ hb) @ fences


def _happens_before(graph: _Graph) -> Relation:
    atomic = {"rlx", "acq", "rel", "acq_rel", "sc"}
    writes, fences = graph.those("W", atomic), graph.those("F")
    own = graph.sb.where(graph.same_location).maybe()
    handed_on = (graph.rf @ graph.rmw).closure().maybe()
    sequence = graph.those("W") @ own @ writes @ handed_on
    releases = graph.those("W", _RELEASES) | graph.those("F", _RELEASES)
    acquires = graph.those("R", _ACQUIRES) | graph.those("F", _ACQUIRES)
    before, after = (fences @ graph.sb).maybe(), (graph.sb @ fences).maybe()
    sw = releases @ before @ sequence @ graph.rf @ graph.those("R", atomic) @ after @ acquires
    return (graph.sb | sw).closure()


def _races(graph: _Graph, hb: Relation) -> bool:
    return any(
        graph.same_location(a, b)
        and "W" in {graph.events[a].kind, graph.events[b].kind}
        and "na" in {graph.events[a].order, graph.events[b].order}
        and (a, b) not in hb
        and (b, a) not in hb
        for a in range(len(graph.events))
        for b in range(a)
    )


def _nothing(graph: _Graph) -> tuple[int, ...]:
    return (0,) * len(graph.events)


def _final(graph: _Graph) -> dict[str, int]:
    newest = [not row for row in graph.mo.rows]
    return {
        event.location: event.value
        for i, event in enumerate(graph.events)
        if event.kind == "W" and newest[i]
    }


def _graphs(test: Litmus) -> Iterator[tuple[_Graph, dict[str, int]]]:
    """Every graph of the test before any axiom, with the registers at the end."""
    domain = _values(test)
    runs = [list(_runs(thread, domain)) for thread in test.threads]
    initial = [_Event("W", location, "na", 0) for location in test.locations()]
    for chosen in product(*runs):
        events, threads = list(initial), [-1] * len(initial)
        for number, run in enumerate(chosen):
            events += run.events
            threads += [number] * len(run.events)
        registers = {name: 0 for thread in test.registers() for name in thread}
        for run in chosen:
            registers |= run.registers
        for rf, mo in product(_sources(events), _orders(events)):
            yield _graph(events, threads, rf, mo), registers


def _graph(
    events: list[_Event], threads: list[int], rf: list[tuple[int, int]], mo: list[tuple[int, int]]
) -> _Graph:
    size = len(events)
    sb = [
        (a, b)
        for b in range(size)
        for a in range(b)
        if threads[a] == threads[b] != -1 or threads[a] == -1 != threads[b]
    ]
    rmw = [(i - 1, i) for i, event in enumerate(events) if event.closes_rmw]
    return _Graph(events, threads, *(Relation.of(size, pairs) for pairs in (sb, rmw, rf, mo)))


def _sources(events: list[_Event]) -> Iterator[list[tuple[int, int]]]:
    """Every choice of a writer of the right value for each read."""
    reads = [i for i, event in enumerate(events) if event.kind == "R"]
    choices = [
        [
            (w, r)
            for w, event in enumerate(events)
            if event.kind == "W"
            and event.location == events[r].location
            and event.value == events[r].value
        ]
        for r in reads
    ]
    return (list(choice) for choice in product(*choices))


def _orders(events: list[_Event]) -> Iterator[list[tuple[int, int]]]:
    """Every order of the writes of each location, the initial one first."""
    locations = sorted({event.location for event in events if event.kind == "W"})
    orders = []
    for location in locations:
        first, *others = (
            i for i, e in enumerate(events) if e.kind == "W" and e.location == location
        )
        orders.append([(first, *order) for order in permutations(others)])
    for chosen in product(*orders):
        yield [(a, b) for order in chosen for place, b in enumerate(order) for a in order[:place]]


def _values(test: Litmus) -> set[int]:
    """Every value that some store may write: grown until no run writes another one."""
    domain = {0}
    # A value travels through one more statement a round, and none need travel through it twice.
    for _ in test.statements():
        runs = (run for thread in test.threads for run in _runs(thread, domain))
        grown = domain | {e.value for run in runs for e in run.events if e.kind == "W"}
        if grown == domain:
            break
        domain = grown
    return domain


def _runs(thread: Thread, domain: set[int]) -> Iterator[_Run]:
    """Every run of a thread whose reads give values of ``domain``."""
    runs = [_Run()]
    for statement in thread:
        runs = [after for run in runs for after in _step(run, statement, domain)]
    return iter(runs)


def _step(run: _Run, statement: Statement, domain: set[int]) -> Iterator[_Run]:
    if isinstance(statement, Guarded):
        if run.value(statement.register) != statement.value:
            yield run
            return
        statement = statement.body
    if isinstance(statement, Fence):
        yield _extended(run, _Event("F", "", statement.order, 0))
    elif isinstance(statement, Store):
        value = run.value(statement.value)
        yield _extended(run, _Event("W", statement.location, statement.order, value))
    elif isinstance(statement, Load):
        for seen in sorted(domain):
            read = _Event("R", statement.location, statement.order, seen)
            yield _extended(run, read, register=statement.register)
    elif isinstance(statement, Exchange):
        for seen in sorted(domain):
            if seen == statement.expected:
                yield _updated(run, statement, seen, run.value(statement.desired))
            if seen != statement.expected or statement.weak:
                read = _Event("R", statement.location, statement.failure, seen)
                yield _extended(run, read, register=statement.register)
    else:
        for seen in sorted(domain):
            operand = run.value(statement.operand)
            new = seen + operand if statement.operation == "add" else operand
            yield _updated(run, statement, seen, new)


def _updated(run: _Run, statement: Update | Exchange, seen: int, new: int) -> _Run:
    read = _Event("R", statement.location, read_part(statement.order), seen)
    write = _Event("W", statement.location, write_part(statement.order), new, closes_rmw=True)
    return _extended(run, read, write, register=statement.register)


def _extended(run: _Run, *events: _Event, register: str | None = None) -> _Run:
    registers = dict(run.registers)
    if register is not None:
        registers[register] = events[0].value
    return _Run([*run.events, *events], registers)
