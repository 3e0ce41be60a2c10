"""The engine driven along every transition of small configurations of DeltaLog.

As `drive_epochs`. Threads call single keys of a tree whose root is a leaf, again and again; after
each event the root's page, base and log, must be what the spec's mapped page is, and each call
must answer what it answers there.

Two actions are the thread's own and tell nothing: to answer from a frozen page (it is what follows
the read of the last slot) and to build a page. They are passed over; what they lead to is compared
with what comes next. A thread that has its answer always helps here, as the engine does when it has
memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model_check.conformance import record, tour
from model_check.conformance.delta_log import ABSENT, saw_of
from model_check.conformance.drive_epochs import Drive
from model_check.conformance.trace import ANSWER, CALL, STATE, Event
from model_check.explorer.build import Program
from model_check.proofs.graph import Graph, at, explore
from model_check.report import CannotRun
from model_check.tlc.tools import Toolchain

THREADS: Mapping[str, int] = {"t1": 1, "t2": 2}
_KEY = 10  # the engine's key for the spec's key 1

_DEFINITIONS = """
CONSTANTS t1, t2
TheMenu == [t \\in Threads |-> IF t = t1 THEN {{{first}}} ELSE {{{second}}}]
Helps ==
  \\A t \\in Threads :
    thread[t].at = "frozen" /\\ call[t].phase = "answered" => thread'[t].at # "rest"
"""

_CONFIG = """SPECIFICATION Spec
CONSTANTS
  t1 = t1
  t2 = t2
  Threads = {{t1, t2}}
  Keys = {{1}}
  Vals = {{"v1", "v2"}}
  Absent = "absent"
  Rounds = 0
  Workers = {{}}
  LogCap = {log}
  Pages = {{1, 2, 3}}
  Mutation = "none"
CONSTANT Menu <- TheMenu
ACTION_CONSTRAINT Helps
"""

#: Action of the spec to the engine's event; None: it tells nothing.
_EVENTS: Mapping[str, str | None] = {
    "Invoke": CALL,
    "LoadMapping": "LOAD_MAPPING",
    "ReadRecord": "READ",
    "AnswerAtNull": "LOOK",
    "FindRoom": "LOOK",
    "AppendRecord": "APPEND",
    "AppendLost": "APPEND_LOST",
    "AnswerAtFrozen": None,
    "Build": None,
    "Install": "INSTALL",
    "InstallLost": "INSTALL_LOST",
    "Return": ANSWER,
}
_COUNTED = frozenset(name for name in _EVENTS.values() if name is not None)


@dataclass(frozen=True)
class Configuration:
    """What each of two threads may call (operators of MapOperations), and the log's slots."""

    first: str
    second: str
    log: int

    def __str__(self) -> str:
        """Say it in words."""
        slots = "1 slot" if self.log == 1 else f"{self.log} slots"
        return f"DeltaLog, {self.first} beside {self.second}, {slots}"


def graph(configuration: Configuration, tools: Toolchain, *, spec: Path | None = None) -> Graph:
    """Give TLC's graph of any number of calls."""
    return explore(
        "DeltaLog",
        _DEFINITIONS.format(first=configuration.first, second=configuration.second),
        _CONFIG.format(log=configuration.log),
        tools,
        spec=spec,
    )


def who(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Name the thread that takes a transition: its own record changes, or its call ends."""
    for part in ("thread", "call"):
        for t in THREADS:
            one, two = before[part][t], after[part][t]
            if part == "thread" and one != two:
                return t
            if part == "call" and one["phase"] != two["phase"]:
                return t
    message = "a transition that changes nothing of any thread's"
    raise ValueError(message)


def _operation(operation: Mapping[str, Any]) -> str:
    kind = operation["kind"]
    values = [str(operation[part])[1:] for part in ("expected", "val") if operation[part] != ABSENT]
    return " ".join([str(kind), str(_KEY), *values])


@dataclass
class _Plan:
    operations: dict[str, list[str]] = field(default_factory=lambda: {t: [] for t in THREADS})
    wanted: list[tuple[int, str]] = field(default_factory=list)
    steps: list[tour.Step | None] = field(default_factory=list)

    def want(self, thread: str, event: str, step: tour.Step | None) -> None:
        self.wanted.append((THREADS[thread], event))
        self.steps.append(step)


def _plan(graph: Graph, path: Sequence[tour.Step]) -> _Plan:
    plan = _Plan()
    for step in path:
        before, after = graph.states[step.source], graph.states[step.target]
        thread = who(before, after)
        event = _EVENTS[step.action]
        if event is not None:
            plan.want(thread, event, step)
        if step.action == "Invoke":
            plan.operations[thread].append(_operation(after["call"][thread]["op"]))
        if step.action == "AppendLost":  # the engine reads the slot that it lost once more
            plan.want(thread, "READ", None)
        if (
            step.action in ("ReadRecord", "AppendLost")
            and after["thread"][thread]["at"] == "frozen"
        ):
            plan.want(thread, "LOOK", None)
    return plan


def _text(plan: _Plan, log: int) -> str:
    threads = "; ".join(f"thread {', '.join(ops or ['size'])}" for ops in plan.operations.values())
    return f"options leaf_capacity=4 leaf_log={log} states=2; {threads}"


def drive(program: Program, graph: Graph, log: int, *, longest: int = 200) -> Drive:
    """Drive the engine along all transitions of a graph, on paths of ``longest`` steps at most."""
    driven: set[tour.Step] = set()
    found = tour.paths(graph, longest)
    events = 0
    for number, path in enumerate(found, 1):
        plan = _plan(graph, path)
        try:
            execution = record.follow(program, _text(plan, log), plan.wanted, _COUNTED)
            events += _compare(graph, plan, execution.events)
        except CannotRun as error:
            return Drive(len(driven), number, events, f"path {number} of {len(found)}: {error}")
        driven.update(path)
    return Drive(len(driven), len(found), events)


def _compare(graph: Graph, plan: _Plan, events: Sequence[Event]) -> int:
    told = [
        (event, events[k + 1] if k + 1 < len(events) else None)
        for k, event in enumerate(events)
        if event.thread in THREADS.values() and event.name in _COUNTED
    ]
    if len(told) < len(plan.wanted):
        message = f"only {len(told)} of {len(plan.wanted)} events came"
        raise CannotRun(message)
    compared = 0
    for (event, memory), step in zip(told, plan.steps, strict=False):
        if step is None:
            continue
        if memory is None or memory.name != STATE:
            message = f"no state came with {event.name}"
            raise CannotRun(message)
        spec = graph.states[step.target]
        wrong = _difference(spec, memory.words)
        if step.action == "Return":
            wrong = wrong or _answer(graph, step, event)
        if wrong:
            message = f"after {step.action}, step {compared + 1} of the path: {wrong}"
            raise CannotRun(message)
        compared += 1
    return compared


def _answer(graph: Graph, step: tour.Step, event: Event) -> str | None:
    before, after = graph.states[step.source], graph.states[step.target]
    call = before["call"][who(before, after)]
    status, value = event.words
    expected = str(call["op"]["expected"])[1:]
    mine = saw_of(call["op"]["kind"], int(expected) if expected.isdigit() else 0, status, value)
    if mine == call["answer"]:
        return None
    return f"the call has seen {mine}, in the spec {call['answer']}"


def _difference(spec: Mapping[str, Any], words: Sequence[int]) -> str | None:
    page = at(spec["heap"], spec["mapping"])
    base = at(page["base"], 1)
    log = [(record["kind"], record["val"]) for record in page["log"] if record["kind"] != "NULL"]
    numbers = iter(words[1:])
    entries = {next(numbers): next(numbers) for _ in range(next(numbers))}
    mine_base = f"v{entries[_KEY]}" if _KEY in entries else ABSENT
    mine_log = []
    for _ in range(next(numbers)):
        kind, _, value = next(numbers), next(numbers), next(numbers)
        if kind:
            mine_log.append(("PUT", f"v{value}") if kind == 1 else ("DELETE", ABSENT))
    if mine_base != base:
        return f"the page's base has {mine_base}, in the spec {base}"
    if mine_log != log:
        return f"the page's log is {mine_log}, in the spec {log}"
    return None
