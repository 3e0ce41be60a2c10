"""Behaviours of the specs, run in the engine: tours of whole state graphs, and random ones.

A tour takes every transition of a Tour module's graph at least once. What the module leaves out of
the spec, since the engine cannot do it, is counted with its reason.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from model_check.conformance import tour
from model_check.conformance.behaviours import Model, explore, simulate
from model_check.conformance.drive import Difference, Mirror, Plan, drive
from model_check.conformance.tour_epochs import Epochs
from model_check.conformance.tour_free_list import FreeList
from model_check.conformance.tour_log import Log
from model_check.conformance.tour_tree import Tree
from model_check.console import progress
from model_check.explorer.build import Program
from model_check.proofs.graph import Graph
from model_check.tlc.tools import Toolchain

#: Steps of one execution of the engine, about.
_LONGEST = 1200


class Subject(Protocol):
    """A configuration of a Tour module, and how its behaviours are run in the engine."""

    def model(self) -> Model:
        """Give it to TLC."""

    def read(self, spec: Any) -> Any:
        """Read a state of TLC's as one to be compared."""

    def plan(self, states: Sequence[Any], probed: set[Any]) -> Plan:
        """Make the plan of a behaviour; ``probed`` are states in which refusals were asked for."""

    def mirror(self) -> Mirror:
        """Give the engine's state before the first step."""

    def silent(self, before: Any, after: Any) -> bool:
        """Say whether the engine takes this step without an access to shared memory."""


@dataclass(frozen=True)
class Random:
    """So many random behaviours of a subject, of so many states."""

    subject: Subject
    behaviours: int
    depth: int

    def __str__(self) -> str:
        """Say it in words."""
        what = (
            "1 random behaviour" if self.behaviours == 1 else f"{self.behaviours} random behaviours"
        )
        return f"{what} of {self.subject}"


#: Small ones that together have every action (of StructureModification, those of a split), and
#: larger ones.
TOURS: Sequence[Subject] = (
    Epochs(2, 1, 1, 2),
    Epochs(2, 0, 2, 1),
    Log(('{Put(1, "v1"), Remove(1)}', '{Insert(1, "v2")}'), 1),
    Log(('{Put(1, "v1")}', "{}"), 2, workers=(2,)),
    FreeList(2, 2),
    Tree(("{Put(3, 11)}", "{Remove(5)}")),
)
DEEP_TOURS: Sequence[Subject] = (
    Log(('{Put(1, "v1")}', '{Insert(1, "v2"), Get(1)}'), 2),
    Log(('{Put(1, "v1"), Remove(1)}', "{Get(1)}"), 2, workers=(2,)),
    Log(('{Put(1, "v1")}', "{}"), 3, workers=(2,)),
    Epochs(1, 1, 1, 3),
    Epochs(2, 1, 2, 2),
    Epochs(2, 2, 2, 2),
    FreeList(3, 1),
    FreeList(2, 3),
    Tree(("{Put(3, 11)}", "{Put(1, 21), Insert(5, 21), Insert(4, 21), Remove(5), Remove(3)}")),
    Tree(("{Put(3, 11)}", "{Put(4, 21), Remove(5)}"), "FullRoot"),
    Log(('{Put(1, "v1"), Remove(1)}', '{Insert(1, "v2"), Get(1)}'), 2),
)
_ANY = "Gets \\cup Writes"
RANDOM: Sequence[Random] = (
    Random(Epochs(3, 2, 3, 4), 1, 800),
    Random(Log((_ANY, _ANY, _ANY), 2, keys=2), 1, 800),
    Random(FreeList(3, 4), 1, 800),
)
DEEP_RANDOM: Sequence[Random] = (
    Random(Epochs(4, 3, 4, 5), 10, 1000),
    Random(Log((_ANY, _ANY, _ANY, _ANY), 3, keys=3), 10, 1000),
    Random(FreeList(4, 5), 10, 1000),
)


@dataclass(frozen=True)
class Driven:
    """What came of a tour or of random behaviours.

    ``transitions`` of the graph (0 of random behaviours), ``driven`` of them, and of these
    ``passed`` are silent. ``steps`` are all events that came as they were wanted, ``refusals``
    those in which the engine had to do nothing. ``silent``: how often which action was passed
    over, since the engine takes it without an access to shared memory. ``left``: how often which
    was left out of the graph, and why. ``taken``: how often which was seen in the engine.
    """

    name: str
    transitions: int = 0
    driven: int = 0
    passed: int = 0
    steps: int = 0
    refusals: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    difference: Difference | None = None
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """True if every transition was driven and nothing differed."""
        return self.difference is None and self.driven == self.transitions


def run_all(
    tours: Sequence[Subject],
    random: Sequence[Random],
    program: Program,
    tools: Toolchain,
    *,
    seed: int,
    jobs: int,
) -> list[Driven]:
    """Run tours and random behaviours, ``jobs`` at once. Raises CannotRun."""
    work = [partial(run_tour, each, program, tools) for each in tours]
    work += [partial(run_random, each, program, tools, seed=seed) for each in random]
    with ThreadPoolExecutor(jobs) as pool, progress("driving", len(work)) as reporter:

        def one(run: Callable[..., Driven]) -> Driven:
            found = run(say=reporter.now)
            how = "as the spec" if found.whole else "not as the spec"
            reporter.step(f"{found.name}: {found.steps:,} steps, {how}, {found.seconds:.1f} s")
            return found

        return list(pool.map(one, work))


#: Graphs of the project's specs, and tours of them, which mutants of the engine share.
_known: dict[tuple[Model, Toolchain], tuple[Graph, Counter[str], list[list[str]]]] = {}


def _silence(_: str) -> None:
    """Say nothing."""


def run_tour(
    subject: Subject,
    program: Program,
    tools: Toolchain,
    *,
    spec: Path | None = None,
    say: Callable[[str], None] = _silence,
) -> Driven:
    """Drive the engine along every transition; up to the first difference. Raises CannotRun.

    ``spec``: another folder of modules than the project's. ``say``: is told how far it has come.
    """
    begin = time.monotonic()
    known = _known if spec is None else {}
    key = (subject.model(), tools)
    if key not in known:
        graph, left = explore(*key, spec)
        known[key] = (graph, left, tour.paths(graph, _LONGEST))
    graph, left, paths = known[key]
    states = {name: subject.read(state) for name, state in graph.states.items()}
    driven: set[tuple[str, str]] = set()
    probed: set[Any] = set()
    count = _Count()
    difference = None
    for number, path in enumerate(paths, 1):
        say(f"{subject}: path {number} of {len(paths)}")
        difference = count.drive(subject, [states[each] for each in path], program, probed)
        if difference is not None:
            break
        driven.update(pairwise(path))
    return Driven(
        f"tour of {subject}",
        len({(source, target) for source, _, target in graph.edges}),
        len(driven),
        sum(subject.silent(states[source], states[target]) for source, target in driven),
        count.steps,
        count.refusals,
        silent=count.silent,
        left=left,
        taken=count.taken,
        difference=difference,
        seconds=time.monotonic() - begin,
    )


def run_random(
    random: Random,
    program: Program,
    tools: Toolchain,
    *,
    seed: int,
    say: Callable[[str], None] = _silence,
) -> Driven:
    """Drive the engine along random behaviours; up to the first difference. Raises CannotRun."""
    begin = time.monotonic()
    subject = random.subject
    count = _Count()
    difference = None
    behaviours = simulate(
        subject.model(), tools, behaviours=random.behaviours, depth=random.depth, seed=seed
    )
    for number, behaviour in enumerate(behaviours, 1):
        say(f"{subject}: behaviour {number} of {len(behaviours)}")
        states = [subject.read(state) for state in behaviour]
        difference = count.drive(subject, states, program, set())
        if difference is not None:
            break
    return Driven(
        str(random),
        steps=count.steps,
        refusals=count.refusals,
        silent=count.silent,
        taken=count.taken,
        difference=difference,
        seconds=time.monotonic() - begin,
    )


@dataclass
class _Count:
    """What was driven so far."""

    steps: int = 0
    refusals: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    def drive(
        self, subject: Subject, states: Sequence[Any], program: Program, probed: set[Any]
    ) -> Difference | None:
        """Drive one behaviour, and count."""
        plan = subject.plan(states, probed)
        difference = drive(program, plan, subject.mirror())
        done = plan.wants if difference is None else plan.wants[: difference.at]
        self.steps += len(done)
        self.refusals += sum(want.refusal for want in done)
        if difference is None:
            self.silent.update(plan.silent)
        self.taken.update(want.name for want in done if want.counts)
        return difference
