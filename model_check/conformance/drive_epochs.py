"""The engine driven along every transition of small configurations of EpochReclamation.

TLC gives the graph. Each path of its tour becomes a program of the explorer's harness, one
operation of the engine (engine/inside.h) for each action or row of actions, and the explorer runs
it in the order of the path, event by event. After each event the engine's memory (G, the
announcements, the root's page, the bags and their tags) must be the spec's state.

The configuration leaves out what no thread of the engine does, since its functions do one thing
after another: a thread that has read the epoch announces it next, one that scans does nothing else
until it is done, and scans in the order of the list of registrations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_check.conformance import record, tour
from model_check.conformance.trace import STATE, Event, names
from model_check.explorer.build import Program
from model_check.proofs.graph import Graph, explore
from model_check.report import CannotRun
from model_check.tlc.tools import Toolchain

#: Threads of the spec, as threads of the harness; the list of registrations has the last first.
THREADS: Mapping[str, int] = {"t1": 1, "t2": 2}
_UNLINKER = "t1"

_DEFINITIONS = """
Bound == G <= {last}
Before(t) == IF t = t2 THEN {{}} ELSE {{t2}}
Advancing(t) == t \\in Advancers /\\ advance[t].epoch # 0
Busy(t) == seen[t] # 0 \\/ Advancing(t)
InOrder ==
  /\\ \\A t \\in Threads : Busy(t) =>
       /\\ seen[t] # 0 => (announced'[t] # 0 \\/ seen'[t] = seen[t])
       /\\ Advancing(t) => UNCHANGED <<announced[t], held[t], seen[t]>>
       /\\ t = t1 => UNCHANGED <<entry, status, owner, tag>>
  /\\ \\A a \\in Advancers :
       /\\ \\A t \\in advance'[a].scanned : Before(t) \\subseteq advance'[a].scanned
       /\\ (advance[a].epoch # 0 /\\ advance'[a].epoch = 0 /\\ advance[a].scanned # Threads) =>
            \\E t \\in Threads \\ advance[a].scanned :
              Before(t) \\subseteq advance[a].scanned /\\ ~LetsPass(t, a)
"""

_CONFIG = """SPECIFICATION Spec
CONSTANTS
  t1 = t1
  t2 = t2
  Threads = {{t1, t2}}
  Unlinkers = {{t1}}
  Advancers = {advancers}
  Objects = {{o1, o2}}
  Mutation = "{mutation}"
CONSTRAINT Bound
ACTION_CONSTRAINT InOrder
"""


@dataclass(frozen=True)
class Drive:
    """What came of a tour: transitions driven, runs of the engine, events compared.

    ``problem``: where the engine does something else than the spec.
    """

    driven: int
    paths: int
    events: int
    problem: str | None = None


def graph(
    tools: Toolchain,
    *,
    last: int = 3,
    advancers: Sequence[str] = ("t1",),
    mutation: str = "none",
    spec: Path | None = None,
) -> Graph:
    """Give TLC's graph: two threads, one of them unlinking, two objects, epochs up to ``last``."""
    definitions = "CONSTANTS t1, t2\n" + _DEFINITIONS.format(last=last)
    config = _CONFIG.format(advancers="{" + ", ".join(advancers) + "}", mutation=mutation)
    return explore("EpochReclamation", definitions, config, tools, spec=spec)


def who(before: Mapping[str, Any], after: Mapping[str, Any], action: str) -> str:
    """Name the thread that takes a transition."""
    if action in ("Unlink", "Retire", "Tag", "Free"):
        return _UNLINKER
    variable = {
        "ReadEpoch": "seen",
        "Announce": "announced",
        "Unpin": "announced",
        "Acquire": "held",
    }.get(action, "advance")
    (thread,) = [t for t in before[variable] if before[variable][t] != after[variable][t]]
    return str(thread)


#: Action of the spec to the engine's event, and to the operation that it begins.
_EVENTS: Mapping[str, str] = {
    "ReadEpoch": "READ_EPOCH",
    "Announce": "ANNOUNCE",
    "Acquire": "LOAD_MAPPING",
    "Unpin": "UNPIN",
    "Unlink": "INSTALL",
    "Retire": "RETIRE",
    "Tag": "TAG",
    "Free": "FREE",
    "AdvanceStart": "ADVANCE_START",
    "Scan": "SCAN",
    "ScanBlocked": "SCAN_BLOCKED",
    "Commit": "COMMIT",
    "CommitLost": "COMMIT_LOST",
}
_OPERATIONS: Mapping[str, str] = {
    "ReadEpoch": "pin",
    "Acquire": "acquire",
    "Unpin": "unpin",
    "Unlink": "unlink",
    "Retire": "retire",
    "Tag": "seal",
    "Free": "free_one",
    "AdvanceStart": "try_advance",
}


@dataclass
class _Plan:
    """A path as a program of the harness, and the order of its events."""

    operations: dict[str, list[str]] = field(default_factory=dict)
    wanted: list[tuple[int, str]] = field(default_factory=list)
    #: For each wanted event: the state that the spec is in after it; None: no step of the spec.
    states: list[str | None] = field(default_factory=list)

    def want(self, thread: str, event: str, state: str | None) -> None:
        self.wanted.append((THREADS[thread], event))
        self.states.append(state)


def _plan(graph: Graph, path: Sequence[tour.Step]) -> _Plan:
    plan = _Plan({t: [] for t in THREADS})
    for thread in THREADS:  # registrations come in this order
        plan.operations[thread] += ["pin", "unpin"]
        for event in ("READ_EPOCH", "ANNOUNCE", "UNPIN"):
            plan.want(thread, event, None)
    for step in path:
        before, after = graph.states[step.source], graph.states[step.target]
        thread = who(before, after, step.action)
        operation = _OPERATIONS.get(step.action)
        if operation is not None:
            plan.operations[thread].append(operation)
        if step.action.startswith("Commit"):  # the registration of the main thread
            plan.want(thread, "SCAN", None)
        plan.want(thread, _EVENTS[step.action], step.target)
    last = graph.states[path[-1].target]
    if any(status == "unlinked" for status in last["status"].values()):
        plan.operations[_UNLINKER].append("retire")
    for thread in THREADS:
        if last["announced"][thread] or last["seen"][thread]:
            plan.operations[thread].append("unpin")
    return plan


def _text(plan: _Plan) -> str:
    threads = "; ".join(f"thread {', '.join(plan.operations[t])}" for t in THREADS)
    return f"options retire_batch=4096 states=1; {threads}"


def drive(program: Program, graph: Graph, *, longest: int = 300) -> Drive:
    """Drive the engine along all transitions of a graph, on paths of ``longest`` steps at most."""
    driven: set[tour.Step] = set()
    found = tour.paths(graph, longest)
    events = 0
    for number, path in enumerate(found, 1):
        plan = _plan(graph, path)
        try:
            execution = record.follow(program, _text(plan), plan.wanted, names())
            events += _compare(graph, plan, path, execution.events)
        except CannotRun as error:
            return Drive(len(driven), number, events, f"path {number} of {len(found)}: {error}")
        driven.update(path)
    return Drive(len(driven), len(found), events)


@dataclass(frozen=True)
class _Memory:
    """What a STATE event says."""

    epoch: int
    root: int
    announced: Mapping[int, int]
    open: Mapping[int, frozenset[int]]
    sealed: Mapping[int, int]

    @classmethod
    def read(cls, words: Sequence[int]) -> _Memory:
        numbers = iter(words)
        epoch, root, count = next(numbers), next(numbers), next(numbers)
        announced, bags, sealed = {}, {}, {}
        for _ in range(count):
            registration = next(numbers)
            announced[registration] = next(numbers)
            bags[registration] = frozenset(next(numbers) for _ in range(next(numbers)))
            for _ in range(next(numbers)):
                page = next(numbers)
                sealed[page] = next(numbers)
        return cls(epoch, root, announced, bags, sealed)


def _compare(graph: Graph, plan: _Plan, path: Sequence[tour.Step], events: Sequence[Event]) -> int:
    """Compare the memory after each event with the spec's state; give how many were compared."""
    registrations: dict[str, int] = {}
    pages: dict[str, int] = {}
    told = _told(events)
    if len(told) < len(plan.wanted):
        message = f"only {len(told)} of {len(plan.wanted)} events came"
        raise CannotRun(message)
    compared = 0
    steps = iter(path)
    for (event, memory), state in zip(told, plan.states, strict=False):
        thread = next(t for t, number in THREADS.items() if number == event.thread)
        if event.name == "ANNOUNCE":
            registrations[thread] = event.words[0]
        if state is None:
            if not pages and memory is not None:
                pages[graph.states[path[0].source]["entry"]] = memory.root
            continue
        step = next(steps)
        spec = graph.states[state]
        if memory is None:
            message = f"no state came with {event.name}"
            raise CannotRun(message)
        if event.name == "INSTALL":
            pages[spec["entry"]] = event.words[2]
        wrong = _differences(spec, memory, registrations, pages)
        if wrong:
            message = (
                f"after {step.action} of {thread} (step {compared + 1} of the path) "
                + "; ".join(wrong)
            )
            raise CannotRun(message)
        compared += 1
    return compared


def _told(events: Sequence[Event]) -> list[tuple[Event, _Memory | None]]:
    """Give the events of the program's own operations, each with the memory after it."""
    seen = dict.fromkeys(THREADS.values(), 0)
    told: list[tuple[Event, _Memory | None]] = []
    for k, event in enumerate(events):
        if event.thread not in seen or event.name not in names():
            continue
        seen[event.thread] += 1
        if seen[event.thread] <= 3:  # registering: a pin
            continue
        after = events[k + 1] if k + 1 < len(events) else None
        memory = None
        if after is not None and after.name == STATE:
            memory = _Memory.read(after.words)
        told.append((event, memory))
    return told


def _differences(
    spec: Mapping[str, Any],
    memory: _Memory,
    registrations: Mapping[str, int],
    pages: Mapping[str, int],
) -> list[str]:
    wrong = []
    if spec["G"] != memory.epoch:
        wrong.append(f"the epoch is {memory.epoch}, in the spec {spec['G']}")
    for thread, registration in registrations.items():
        mine, theirs = memory.announced[registration], spec["announced"][thread]
        if mine != theirs:
            wrong.append(f"{thread} announces {mine}, in the spec {theirs}")
    if pages.get(spec["entry"]) != memory.root:
        wrong.append("another page is mapped than in the spec")
    bagged = {pages[o] for o, status in spec["status"].items() if status == "bagged"}
    mine = set().union(*memory.open.values())
    if bagged != mine:
        wrong.append(f"{len(mine)} pages are in open bags, in the spec {len(bagged)}")
    sealed = {pages[o]: spec["tag"][o] for o, s in spec["status"].items() if s == "sealed"}
    if sealed != dict(memory.sealed):
        wrong.append(
            f"sealed pages have the tags {sorted(memory.sealed.values())}, "
            f"in the spec {sorted(sealed.values())}"
        )
    return wrong
