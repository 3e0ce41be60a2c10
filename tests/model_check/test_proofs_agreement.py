"""The systems of the proofs and the TLA+ modules are the same; what differs is told."""

from __future__ import annotations

import pytest

from model_check.proofs import queries
from model_check.proofs.agreement import Reading, differences
from model_check.proofs.graph import Graph, Record, at, explore, parse, read
from model_check.proofs.reading_delta_log import delta_log, operation
from model_check.proofs.reading_epochs import epochs
from model_check.tlc.tools import find_toolchain

SMALL = {
    "EpochReclamation": epochs(1, 1, 1, 2, 2),
    "DeltaLog": delta_log({"t1": (operation("put", val="v1"),)}, ("t1",)),
}


@pytest.fixture(scope="module", params=SMALL)
def small(request: pytest.FixtureRequest) -> tuple[str, Reading, Graph]:
    """Give a module, how it is read, and TLC's graph of it."""
    reading = SMALL[request.param]
    graph = explore(reading.module, reading.definitions, reading.config, find_toolchain())
    return request.param, reading, graph


#: A mutation of each system that changes what its few states can do.
VISIBLE = {"EpochReclamation": "free_one_epoch_early", "DeltaLog": "consolidate_unfrozen"}


def test_every_transition_is_in_both(small: tuple[str, Reading, Graph]) -> None:
    name, reading, graph = small
    problems, taken = differences(queries.load(name), reading, graph)
    assert problems == []
    assert len(taken) >= 10


def test_a_system_that_does_more_is_told(small: tuple[str, Reading, Graph]) -> None:
    name, reading, graph = small
    problems, _ = differences(queries.load(name, VISIBLE[name]), reading, graph)
    assert any("is not in TLC's graph" in problem for problem in problems)


def test_a_graph_that_does_more_is_told(small: tuple[str, Reading, Graph]) -> None:
    name, reading, graph = small
    (start, *_) = graph.starts
    far = next(number for number in graph.states if number not in graph.starts)
    more = Graph(graph.states, graph.starts, graph.edges | {(start, "Leap", far)})
    problems, _ = differences(queries.load(name), reading, more)
    assert any("Leap is TLC's alone" in problem for problem in problems)


def test_a_state_that_breaks_the_invariant_is_told() -> None:
    reading = SMALL["EpochReclamation"]
    graph = explore(reading.module, reading.definitions, reading.config, find_toolchain())
    number = next(n for n, s in graph.states.items() if s["held"]["t1"])
    (held,) = graph.states[number]["held"]["t1"]
    status = Record({**graph.states[number]["status"], held: "unused"})
    states = {**graph.states, number: {**graph.states[number], "status": status}}
    broken = Graph(states, graph.starts, graph.edges)
    problems, _ = differences(queries.load("EpochReclamation"), reading, broken)
    assert any('"what is held is in use" does not hold' in problem for problem in problems)


def test_values_are_read_as_tlc_prints_them() -> None:
    assert parse('[epoch |-> 0, scanned |-> {"a", t1}]') == Record(
        epoch=0, scanned=frozenset({"a", "t1"})
    )
    assert parse("(t1 :> <<1, -2>> @@ t2 :> {})") == Record(t1=(1, -2), t2=frozenset())
    assert at(parse("<<7, 8>>"), 2) == at(parse("(1 :> 7 @@ 2 :> 8)"), 2) == 8
    assert hash(parse("(1 :> 2)")) == hash(Record({1: 2}))
    for bad in ("<<1, 2", "[a |-> ]", "1 2"):
        with pytest.raises((ValueError, StopIteration)):
            parse(bad)


def test_a_graph_is_read_from_its_dot_file() -> None:
    graph = read(
        "strict digraph DiskGraph {\n"
        '-1 [label="/\\\\ x = 1\\n/\\\\ y = \\"a\\"",style = filled]\n'
        '-1 -> 2 [label="Move",color="black"];\n'
        '2 [label="/\\\\ x = 2\\n/\\\\ y = {1,\\n 2}"];\n'
        "}\n"
    )
    assert graph.states == {"-1": {"x": 1, "y": "a"}, "2": {"x": 2, "y": frozenset({1, 2})}}
    assert (graph.starts, graph.edges) == ({"-1"}, {("-1", "Move", "2")})
