"""Behaviours of spec/TourFreeList.tla as plans, and the engine's state in their words.

The head of the list and the links, which stand in the mapping entries of the page ids, are read
from memory. What a thread has read of them, which page id it is about to push and which it has
taken, is known from its events.

States are compared as the module's view looks at them: of the number of pops that a thread has read
with the head, whether it is still the head's. So a pop of an empty list leads from a state to
itself; in each state in which the list is empty, every thread at rest is asked for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from model_check.conformance.behaviours import Model
from model_check.conformance.drive import OF_EPOCHS, Mirror, Plan, Shown, Want
from model_check.conformance.trace import Event
from model_check.proofs.graph import at

MODULE = "TourFreeList"
NO_PID = 0  # of the root, which is never free: "none" here
_ANY_NUMBER = 1_000_000  # of calls
_HALF = 32  # bits of a page id in the head (impl/src/mapping.c)

#: Action of the spec to the engine's event, and to the operation of the harness that begins it.
_EVENTS: Mapping[str, tuple[str, str]] = {
    "StartPop": ("POP_SEES", "pop_pid"),
    "ReadLink": ("READ_LINK", ""),
    "Pop": ("POP_PID", ""),
    "StartPush": ("PUSH_SEES", "push_pid"),
    "WriteLink": ("WRITE_LINK", ""),
    "Push": ("PUSH_PID", ""),
    "Use": ("PUBLISH", "use_pid"),
}
ACTIONS = tuple(_EVENTS)
#: What an exchange that was lost tells.
_LOST = {"Pop": "POP_SEES", "Push": "PUSH_SEES"}


@dataclass(frozen=True)
class Thread:
    """A thread; ``saw``: the first page id of the head that it has read, None where it has none.

    ``current``: the pops that it has read are still the head's. ``next``: the link that it has
    read, None where it has none. ``pushes``: the page id that it is about to push.
    """

    saw: int | None = None
    current: bool = False
    next: int | None = None
    pushes: int | None = None
    holds: frozenset[int] = frozenset()

    @property
    def rests(self) -> bool:
        """True between two calls."""
        return self.saw is None


@dataclass(frozen=True)
class State:
    """A state of the spec as its view has it; ``links``: of page ids 1, 2, …."""

    first: int
    links: tuple[int, ...]
    threads: tuple[tuple[str, Thread], ...]
    written: frozenset[str] = frozenset()  # threads that have written the link


@dataclass(frozen=True)
class FreeList:
    """A configuration: so many threads, and so many page ids, all of them free at first.

    ``calls``: how many each thread makes; by default more than matter.
    """

    threads: int
    pids: int
    calls: int = _ANY_NUMBER

    def __str__(self) -> str:
        """Say it in words."""
        pids = "1 page id" if self.pids == 1 else f"{self.pids} page ids"
        calls = "" if self.calls == _ANY_NUMBER else f", {self.calls} calls each"
        return f"FreeList, {self.threads} threads, {pids}{calls}"

    def model(self) -> Model:
        """Give it to TLC."""
        threads = [f"t{k + 1}" for k in range(self.threads)]
        pids = ", ".join(str(k + 1) for k in range(self.pids))
        return Model(
            MODULE,
            f"CONSTANTS {', '.join(threads)}",
            "CONSTANTS\n"
            + "".join(f"  {t} = {t}\n" for t in threads)
            + f"  Threads = {{{', '.join(threads)}}}\n"
            + f"  Pids = {{{pids}}}\n"
            + '  None = None\n  Mutation = "none"\n'
            + f"  Calls = {self.calls}\n",
            view="TourView",
        )

    def read(self, spec: Mapping[str, Any]) -> State:
        """Read a state of TLC's."""
        return state_of(spec)

    def plan(self, states: Sequence[State], probed: set[State]) -> Plan:
        """Make the plan of a behaviour: `plan_of`."""
        return plan_of(states, probed)

    def mirror(self) -> Mirror:
        """Give the engine's state before the first step."""
        return _Engine(self.threads, self.pids)

    def silent(self, before: State, after: State) -> bool:  # noqa: ARG002 - none is
        """Say whether the engine takes this step without an access to shared memory."""
        return False


def _pid(value: Any) -> int:
    return NO_PID if value == "None" else int(value)


def state_of(spec: Mapping[str, Any]) -> State:
    """Read a state of TLC's."""
    first, pops = spec["head"]
    threads = []
    written = set()
    for t, thread in sorted(spec["th"].items()):
        holds = frozenset(spec["held"][t])
        pc = thread["pc"]
        if pc == "rest":
            threads.append((t, Thread(holds=holds)))
            continue
        if pc == "push":
            written.add(t)
        saw, count = thread["saw"]
        threads.append(
            (
                t,
                Thread(
                    _pid(saw),
                    count == pops,
                    _pid(thread["next"]) if pc == "pop" else None,
                    _pid(thread["pid"]) if pc in ("write link", "push") else None,
                    holds,
                ),
            )
        )
    links = tuple(_pid(at(spec["link"], pid)) for pid in range(1, len(spec["link"]) + 1))
    return State(_pid(first), links, tuple(threads), frozenset(written))


def step_of(before: State, after: State) -> tuple[str, str]:
    """Name the action that leads from one state to another one, and its thread."""
    for (t, was), (_, now) in zip(before.threads, after.threads, strict=True):
        if was.rests and not now.rests:
            return ("StartPop" if now.pushes is None else "StartPush"), t
        if was.next is None and now.next is not None:
            return "ReadLink", t
        if was.next is not None and now.next is None:
            return "Pop", t
        if t not in before.written and t in after.written:
            return "WriteLink", t
        anew = was.saw != now.saw or was.current < now.current  # another's pop makes it old
        if t in before.written and (t not in after.written or anew):
            return "Push", t
    for t, was in before.threads:
        if any(before.links[pid - 1] != after.links[pid - 1] for pid in was.holds):
            return "Use", t
    message = f"no action leads from {before} to {after}"
    raise ValueError(message)


def plan_of(states: Sequence[State], probed: set[State]) -> Plan:
    """Make the plan of a behaviour.

    In each state that is not in ``probed`` yet and in which the list is empty, all threads at rest
    pop, and find nothing.
    """
    number = {t: k for k, (t, _) in enumerate(states[0].threads, 1)}
    operations: dict[int, list[str]] = {k: [] for k in number.values()}
    made = Plan("max_pids=4096 states=3", operations, OF_EPOCHS, before=_all_free(states[0]))
    for before, after in pairwise(states):
        if before.first == NO_PID and before not in probed:
            probed.add(before)
            for t, thread in before.threads:
                if thread.rests:
                    operations[number[t]].append("pop_pid")
                    made.wants.append(Want(number[t], "POP_SEES", f"StartPop({t})", before))
        if before == after:
            continue
        action, t = step_of(before, after)
        event, operation = _EVENTS[action]
        was, now = (dict(state.threads)[t] for state in (before, after))
        if action in _LOST and was.holds == now.holds:
            event = _LOST[action]
        elif operation:
            operations[number[t]].append(_operation(operation, before, after, t))
        made.wants.append(Want(number[t], event, f"{action}({t})", after))
    made.end()
    return made


def _all_free(state: State) -> list[str]:
    """Take page ids 1, 2, …, and put them into the list as it is in a first state."""
    order = []
    pid = state.first
    while pid != NO_PID:
        order.append(pid)
        pid = state.links[pid - 1]
    taken = [f"take_pid {pid}" for pid in range(1, len(order) + 1)]
    return [*taken, *(f"push_pid {pid}" for pid in reversed(order))]


def _operation(operation: str, before: State, after: State, t: str) -> str:
    if operation == "pop_pid":
        return operation
    if operation == "push_pid":
        return f"{operation} {dict(after.threads)[t].pushes}"
    changed = (
        pid
        for pid in dict(before.threads)[t].holds
        if before.links[pid - 1] != after.links[pid - 1]
    )
    return f"{operation} {next(changed)}"


class _Engine:
    """The engine's state, from its events and its memory."""

    def __init__(self, threads: int, pids: int) -> None:
        """Begin with ``threads`` threads at rest."""
        self.pids = pids
        self.head = 0
        self.words: Sequence[int] = ()  # in the mapping entries of page ids 1, 2, …
        self.threads: dict[str, _Registers] = {f"t{k + 1}": _Registers() for k in range(threads)}

    def take(self, event: Event, memory: Sequence[int]) -> None:
        """Take an event and what memory holds after it."""
        self.threads[f"t{event.thread}"].take(event)
        if memory:
            self.head = memory[0]
            self.words = memory[2 : 2 + self.pids]

    def state(self, spec: State) -> State:  # noqa: ARG002 - it speaks of everything
        """Give the state as the spec's view has it."""
        return State(
            self._known(self.head),
            tuple(self._known(word >> 1) if word & 1 else NO_PID for word in self.words),
            tuple(
                (
                    t,
                    Thread(
                        None if registers.saw is None else self._known(registers.saw),
                        registers.saw is not None and registers.saw >> _HALF == self.head >> _HALF,
                        None if registers.next is None else self._known(registers.next),
                        registers.pushes,
                        frozenset(registers.holds),
                    ),
                )
                for t, registers in self.threads.items()
            ),
            frozenset(t for t, registers in self.threads.items() if registers.written),
        )

    def _known(self, word: int) -> int:
        """Give the page id in the lower half of a word; none unless it is one of the list's."""
        pid = word % (1 << _HALF)
        return pid if pid <= self.pids else NO_PID

    def show(self, state: State) -> Shown:
        """Say a state in words."""
        shown = {"head": _named(state.first)}
        for pid, link in enumerate(state.links, 1):
            shown[f"link of {pid}"] = _named(link)
        for t, thread in state.threads:
            shown[f"{t} holds"] = ", ".join(map(str, sorted(thread.holds))) or "none"
            if thread.saw is not None:
                since = "no pop since" if thread.current else "popped since"
                shown[f"{t} saw"] = f"{_named(thread.saw)}, {since}"
            if thread.next is not None:
                shown[f"{t} read the link"] = _named(thread.next)
            if thread.pushes is not None:
                done = ", its link written" if t in state.written else ""
                shown[f"{t} pushes"] = f"{thread.pushes}{done}"
        return shown


class _Registers:
    """What a thread has read, and what it holds; ``saw`` is the head's whole word."""

    def __init__(self) -> None:
        self.saw: int | None = None
        self.next: int | None = None
        self.pushes: int | None = None
        self.written = False
        self.holds: set[int] = set()

    def take(self, event: Event) -> None:
        """Take an event of this thread."""
        pid, word = event.words[1], event.words[2]
        match event.name:
            case "POP_SEES":
                empty = pid == (1 << _HALF) - 1
                self.saw, self.next = (None if empty else word), None
            case "READ_LINK":
                self.next = word
            case "POP_PID":
                self.holds.add(pid)
                self.saw = self.next = None
            case "PUSH_SEES":
                self.saw, self.pushes, self.written = word, pid, False
            case "WRITE_LINK":
                self.written = True
            case "PUSH_PID":
                self.holds.discard(pid)
                self.saw = self.pushes = None
                self.written = False


def _named(pid: int) -> str:
    return "none" if pid == NO_PID else str(pid)
