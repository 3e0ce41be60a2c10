"""A system of z3's and the TLA+ module that it stands for are the same, on small constants.

TLC gives the whole state graph of a small configuration. Each of its states is read as a state of
the system (`Reading.structure`), and then, with the formulas that z3 proves things of:

    the first states are the system's first states;
    the invariant, safety and the axioms hold in every state that can be reached;
    the actions lead from each state to the same states, under the same names, in both.

The last is an equality of sets, so it says both: every step of TLC's is a step of the system, and
every step of the system within the constants is in TLC's graph.

States are compared in a normal form (`Reading.key`) that leaves out what no step looks at (which
slot a thread that rests was at last) and the names of pages.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from model_check.proofs.evaluate import Domains, Evaluator, Structure
from model_check.proofs.graph import Graph, explore
from model_check.proofs.system import System
from model_check.tlc.tools import Toolchain

_SHOWN = 3


@dataclass(frozen=True)
class Reading:
    """How the states of a TLA+ module, under one configuration, are states of a system.

    ``inside`` says whether a state is one that the configuration lets TLC look at. ``unnamed``
    are actions of the system that take no step of the module's: they must change no key.
    """

    module: str
    what: str
    definitions: str
    config: str
    domains: Domains
    structure: Callable[[Mapping[str, Any]], Structure]
    key: Callable[[Structure], Hashable]
    inside: Callable[[Structure], bool] = lambda _: True
    unnamed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Agreement:
    """What the comparison has come to; no problems: the two agree."""

    module: str
    what: str
    states: int
    transitions: int
    taken: tuple[str, ...]
    seconds: float
    problems: tuple[str, ...]


def compare(system: System, reading: Reading, tools: Toolchain) -> Agreement:
    """Compare a system with TLC's graph. Raises CannotRun when there is no graph."""
    begin = time.monotonic()
    graph = explore(reading.module, reading.definitions, reading.config, tools)
    problems, taken = differences(system, reading, graph)
    return Agreement(
        reading.module,
        reading.what,
        len(graph.states),
        len(graph.edges),
        tuple(taken),
        time.monotonic() - begin,
        tuple(problems),
    )


def differences(system: System, reading: Reading, graph: Graph) -> tuple[list[str], list[str]]:
    """Give what differs, a few of each kind, and the actions of the system that were taken."""
    evaluator = Evaluator(system, reading.domains)
    structures = {number: reading.structure(state) for number, state in graph.states.items()}
    keys = {number: reading.key(structure) for number, structure in structures.items()}
    theirs: dict[str, set[tuple[str, Hashable]]] = defaultdict(set)
    for source, action, target in graph.edges:
        theirs[source].add((action, keys[target]))
    starts = {keys[number] for number in graph.starts}
    ours: dict[Hashable, set[tuple[str, Hashable]]] = {}
    problems: dict[str, list[str]] = defaultdict(list)
    for number, structure in structures.items():
        key = keys[number]
        if key not in ours:
            ours[key] = _steps(evaluator, reading, structure, key, problems)
            if evaluator.is_start(structure) != (key in starts):
                problems["start"].append(f"a first state in one of the two only: {key}")
        for action, after in ours[key] - theirs[number]:
            problems[action].append(f"{action} is not in TLC's graph: {key} → {after}")
        for action, after in theirs[number] - ours[key]:
            problems[action].append(f"{action} is TLC's alone: {key} → {after}")
    shown = []
    for found in problems.values():
        shown += found[:_SHOWN]
        if len(found) > _SHOWN:
            shown.append(f"… and {len(found) - _SHOWN} more of these")
    return shown, sorted({action for steps in ours.values() for action, _ in steps})


def _steps(
    evaluator: Evaluator,
    reading: Reading,
    structure: Structure,
    key: Hashable,
    problems: dict[str, list[str]],
) -> set[tuple[str, Hashable]]:
    """Give the steps of the system from a state that the invariant should hold in."""
    for name in evaluator.broken(structure):
        problems[name].append(f'"{name}" does not hold in {key}')
    steps = set()
    for action, after in evaluator.successors(structure):
        after_key = reading.key(after)
        if action not in reading.unnamed:
            if reading.inside(after):
                steps.add((action, after_key))
        elif after_key != key:
            problems[action].append(f"{action} changes {key}")
    return steps
