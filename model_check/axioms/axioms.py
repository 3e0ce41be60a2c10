"""The axioms of SC and RC11 over a test's candidate graphs, each as the paper has it.

RC11: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI
2017. Relations of the paper, `;` for "followed by", `?` for "or nothing":

    rb   = rf⁻¹ ; mo                                              read before
    eco  = (rf ∪ mo ∪ rb)⁺                                        extended coherence order
    rs   = [W] ; (sb restricted to one location)? ; [W, not na] ; (rf ; rmw)*   release sequence
    sw   = [releases] ; ([F] ; sb)? ; rs ; rf ; [R, not na] ; (sb ; [F])? ; [acquires]
    hb   = (sb ∪ sw)⁺                                             happens before
    scb  = sb ∪ sb≠ ; hb ; sb≠ ∪ hb= ∪ mo ∪ rb                    (= same location, ≠ another)
    psc  = ([sc] ∪ [Fsc] ; hb?) ; scb ; ([sc] ∪ hb? ; [Fsc])
           ∪ [Fsc] ; (hb ∪ hb ; eco ; hb) ; [Fsc]

    coherence      hb ; eco? is irreflexive
    atomicity      no rb ; mo inside an rmw
    SC             psc is acyclic
    no thin air    sb ∪ rf is acyclic

A release sequence includes later stores of the releasing thread, as in C11, C17 and the paper
(C++20 took them out). SC, the model: sb ∪ rf ∪ mo ∪ rb is acyclic, and atomicity.

A data race: two accesses of one location, not both reads, at least one plain, neither happens
before the other. One consistent execution with a race, and the program has no meaning. Under SC,
too, the orders as written decide: an execution of SC is one of RC11, so what races there races.

Least relations (hb, eco, psc) are solver variables that hold at least what the rules demand.
Every axiom and the race forbid or need their absence, never their presence, so more than the
least never allows a graph, or shows a race, that the least one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import z3

from model_check.axioms.candidates import Candidates, Event

Formula = Any
#: A relation between events: the formula of each pair that may be in it.
Relation = dict[tuple[Event, Event], Formula]


def sc(graph: Candidates) -> list[Formula]:
    """SC: one order of all events that program order, rf, mo and rb agree with."""
    return [
        *_acyclic(graph, "sc", graph.program_order, graph.reads_from, graph.mo, graph.rb),
        *_atomicity(graph),
    ]


#: The axioms of RC11 by name.
AXIOMS = ("coherence", "atomicity", "SC", "no thin air")


def rc11(graph: Candidates, hb: Relation, without: str = "") -> list[Formula]:
    """RC11: coherence, atomicity, SC, no thin air; but for the axiom ``without``, for a mutant."""
    eco, rules = _least(graph, "eco", graph.reads_from, graph.mo, graph.rb)
    parts = {
        "coherence": lambda: _coherence(graph, hb, eco),
        "atomicity": lambda: _atomicity(graph),
        "SC": lambda: _psc_acyclic(graph, hb, eco),
        "no thin air": lambda: _acyclic(graph, "porf", graph.program_order, graph.reads_from),
    }
    return rules + [rule for name in AXIOMS if name != without for rule in parts[name]()]


def happens_before(graph: Candidates) -> tuple[Relation, list[Formula]]:
    """Give hb, and the rules that make it hold what it must."""
    return _least(graph, "hb", graph.program_order, lambda a, b: _synchronizes(graph, a, b))


def race(graph: Candidates, hb: Relation) -> Formula:
    """Whether the graph has a data race."""
    return z3.Or(
        [
            z3.And(graph.both(a, b), z3.Not(hb[a, b]), z3.Not(hb[b, a]))
            for a, b in _pairs(graph)
            if a.index < b.index
            and graph.same_location(a, b)
            and "W" in {a.kind, b.kind}
            and "na" in {a.order, b.order}
        ]
    )


def _coherence(graph: Candidates, hb: Relation, eco: Relation) -> list[Formula]:
    rules = [z3.Not(hb[a, a]) for a in graph.events]
    both = [(hb[a, b], eco[b, a]) for a, b in _pairs(graph)]
    return rules + [z3.Not(z3.And(*pair)) for pair in both if _possible(*pair)]


def _atomicity(graph: Candidates) -> list[Formula]:
    return [
        z3.Not(z3.And(graph.rb(read, other), graph.mo(other, write)))
        for read, write in graph.rmw
        for other in graph.events
        if _possible(graph.mo(other, write))
    ]


def _psc_acyclic(graph: Candidates, hb: Relation, eco: Relation) -> list[Formula]:
    special = [e for e in graph.events if e.order == "sc"]
    if not special:
        return []
    scb = {pair: _scb(graph, hb, *pair) for pair in _pairs(graph)}
    ends = {e: [e, *(graph.events if e.kind == "F" else [])] for e in special}
    psc: Relation = {}
    for a, b in ((a, b) for a in special for b in special):
        # A fence is left over hb?, and arrived at over hb?; an access is where scb begins or ends.
        ways = [
            z3.And(_step(hb, a, c), scb[c, d], _step(hb, d, b))
            for c in ends[a]
            for d in ends[b]
            if c is not d
            if _possible(_step(hb, a, c), scb[c, d], _step(hb, d, b))
        ]
        if a.kind == b.kind == "F":
            ways.append(hb[a, b])
            ways += [
                z3.And(hb[a, c], eco[c, d], hb[d, b])
                for c, d in _pairs(graph)
                if _possible(hb[a, c], eco[c, d], hb[d, b])
            ]
        psc[a, b] = z3.Or(ways)
    place = {e: z3.Int(f"psc_{e.index}") for e in special}
    return [
        z3.Implies(z3.And(graph.both(a, b), holds), place[a] < place[b])
        for (a, b), holds in psc.items()
    ]


def _step(hb: Relation, a: Event, b: Event) -> Formula:
    """Tell whether hb? leads from a to b."""
    return z3.BoolVal(True) if a is b else hb[a, b]


def _scb(graph: Candidates, hb: Relation, a: Event, b: Event) -> Formula:
    ways = [graph.mo(a, b), graph.rb(a, b), graph.program_order(a, b)]
    if graph.same_location(a, b):
        ways.append(hb[a, b])
    elsewhere = [c for c in graph.events if graph.sb(a, c) and not graph.same_location(a, c)]
    back = [d for d in graph.events if graph.sb(d, b) and not graph.same_location(d, b)]
    ways += [
        z3.And(graph.both(a, b), hb[c, d]) for c in elsewhere for d in back if _possible(hb[c, d])
    ]
    possible = [way for way in ways if _possible(way)]
    return z3.Or(possible) if possible else z3.BoolVal(False)


def _possible(*formulas: Formula) -> bool:
    """Tell whether none of ``formulas`` is plainly false."""
    return not any(z3.is_false(formula) for formula in formulas)


def _synchronizes(graph: Candidates, a: Event, b: Event) -> Formula:
    """Sw: a release, its release sequence, an acquire that reads from it; fences on either side."""
    if not (a.releases and b.acquires):
        return z3.BoolVal(False)
    heads = [
        w
        for w in graph.events
        if w.kind == "W" and w.order != "na" and (w is a or (a.kind == "F" and graph.sb(a, w)))
    ]
    reads = [
        r
        for r in graph.events
        if r.kind == "R" and r.order != "na" and (r is b or (b.kind == "F" and graph.sb(r, b)))
    ]
    ways = [
        z3.And(_in_release_sequence(graph, w, tail), graph.reads_from(tail, r))
        for w in heads
        for tail in graph.events
        if tail.kind == "W"
        for r in reads
        if r.location == tail.location == w.location
    ]
    return z3.And(graph.both(a, b), z3.Or(ways)) if ways else z3.BoolVal(False)


def _in_release_sequence(graph: Candidates, head: Event, tail: Event) -> Formula:
    """Rs: tail is head, or a later store of its thread there, or rmws from such a store on."""

    def chain(write: Event, passed: frozenset[Event]) -> Formula:
        starts = [write.exists] if write is head else []
        if graph.sb(head, write) and graph.same_location(head, write) and write.order != "na":
            starts = [graph.both(head, write)]
        steps = [
            z3.And(graph.reads_from(before, read), chain(before, passed | {write}))
            for read, own in graph.rmw
            if own is write
            for before in graph.events
            if before.kind == "W" and before not in passed and (before, read) in graph.rf
        ]
        return z3.Or([*starts, *steps])

    return chain(tail, frozenset())


def _least(
    graph: Candidates, name: str, *parts: Callable[[Event, Event], Formula]
) -> tuple[Relation, list[Formula]]:
    """Give a transitive relation that holds all of ``parts``, and the rules that say so."""
    events = graph.events
    rules = []
    relation = {(a, b): z3.BoolVal(False) for a in events for b in events}
    possible: set[tuple[Event, Event]] = set()
    for part in parts:
        for a, b in relation:
            holds = part(a, b)
            if _possible(holds):
                possible.add((a, b))
                rules.append((holds, (a, b)))
    for c in events:  # what may follow, through c: only these pairs need a variable
        into, out = (
            [a for a in events if (a, c) in possible],
            [b for b in events if (c, b) in possible],
        )
        possible.update((a, b) for a in into for b in out)
    reached = [pair for pair in relation if pair in possible]
    for a, b in reached:
        relation[a, b] = z3.Bool(f"{name}_{a.index}_{b.index}")
    follows = [
        z3.Implies(z3.And(relation[a, c], relation[c, b]), relation[a, b])
        for a, c in reached
        for b in events
        if (c, b) in possible
    ]
    return relation, follows + [z3.Implies(holds, relation[pair]) for holds, pair in rules]


def _acyclic(
    graph: Candidates, name: str, *parts: Callable[[Event, Event], Formula]
) -> list[Formula]:
    """Rule out cycles of ``parts``: each event has a place that all of them agree with."""
    place = {event: z3.Int(f"{name}_{event.index}") for event in graph.events}
    edges = ((part(a, b), a, b) for part in parts for a, b in _pairs(graph))
    return [z3.Implies(edge, place[a] < place[b]) for edge, a, b in edges if _possible(edge)]


def _pairs(graph: Candidates) -> Iterator[tuple[Event, Event]]:
    return ((a, b) for a in graph.events for b in graph.events if a is not b)
