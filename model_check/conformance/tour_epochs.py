"""Behaviours of spec/TourEpochReclamation.tla as plans, and the engine's state in their words.

What the engine keeps in memory is read there: the epoch, the announcements, the mapped page, the
open bags, the sealed pages and their tags, in order. What it keeps in a thread's registers is known
from the events of that thread: the epoch that it has read, the pages that it has loaded, the one
that it has unlinked, how far its advance has come.

States are compared as the module's view looks at them: how far an epoch lies behind the global one,
up to two. Objects have no names: each is what is said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from model_check.conformance.behaviours import Model
from model_check.conformance.drive import Mirror, Plan, Shown, Want
from model_check.conformance.trace import NOTHING, Event

MODULE = "TourEpochReclamation"
FAR = 2  # as in the module's view

#: Action of the spec to the engine's event, and to the operation of the harness that begins it.
_EVENTS: Mapping[str, tuple[str, str | None]] = {
    "ReadEpoch": ("READ_EPOCH", "pin"),
    "Announce": ("ANNOUNCE", None),
    "Acquire": ("LOAD_MAPPING", "acquire"),
    "Unpin": ("UNPIN", "unpin"),
    "Unlink": ("INSTALL", "unlink"),
    "Retire": ("RETIRE", "retire"),
    "Tag": ("TAG", "seal"),
    "Free": ("FREE", "free_one"),
    "AdvanceStart": ("ADVANCE_START", "try_advance"),
    "Scan": ("SCAN", None),
    "ScanBlocked": ("SCAN_BLOCKED", None),
    "Commit": ("COMMIT", None),
    "CommitLost": ("COMMIT_LOST", None),
}
ACTIONS = tuple(_EVENTS)


@dataclass(frozen=True)
class Epochs:
    """A configuration: of ``threads`` the first ones unlink, and the first ones advance."""

    threads: int
    unlinkers: int
    advancers: int
    objects: int

    def __str__(self) -> str:
        """Say it in words."""
        return (
            f"EpochReclamation, {self.threads} threads, {self.unlinkers} unlinking, "
            f"{self.advancers} advancing, objects: {self.objects}"
        )

    def model(self) -> Model:
        """Give it to TLC."""
        threads = [f"t{k + 1}" for k in range(self.threads)]
        objects = [f"o{k + 1}" for k in range(self.objects)]
        sets = {
            "Threads": threads,
            "Unlinkers": threads[: self.unlinkers],
            "Advancers": threads[: self.advancers],
            "Objects": objects,
        }
        return Model(
            MODULE,
            f"CONSTANTS {', '.join([*threads, *objects])}\n"
            f"TheList == <<{', '.join(reversed(threads))}>>",
            "CONSTANTS\n"
            + "".join(f"  {name} = {name}\n" for name in [*threads, *objects])
            + "".join(f"  {name} = {{{', '.join(some)}}}\n" for name, some in sets.items())
            + '  Mutation = "none"\n  List <- TheList\n',
            view="TourView",
            symmetry="ObjectsAlike" if self.objects > 1 else None,
        )

    def read(self, spec: Mapping[str, Any]) -> State:
        """Read a state of TLC's."""
        return state_of(spec)

    def plan(self, states: Sequence[State], probed: set[State]) -> Plan:
        """Make the plan of a behaviour: `plan_of`."""
        return plan_of(states, probed)

    def mirror(self) -> Mirror:
        """Give the engine's state before the first step."""
        return _Engine(self.threads, self.objects)

    def silent(self, before: State, after: State) -> bool:  # noqa: ARG002 - none is
        """Say whether the engine takes this step without an access to shared memory."""
        return False


@dataclass(frozen=True)
class Thread:
    """A thread: epochs by how far they lie behind, None where there is none."""

    seen: int | None
    announced: int | None
    advancing: int | None
    scanned: frozenset[str]


@dataclass(frozen=True, order=True)
class Object:
    """An object: ``place`` is where in its owner's bag, or in the order in which it is freed."""

    status: str
    owner: str
    tag: int
    held: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class State:
    """A state of the spec as its view has it."""

    threads: tuple[tuple[str, Thread], ...]
    objects: tuple[Object, ...]

    def thread(self, name: str) -> Thread:
        """Give a thread."""
        return next(thread for each, thread in self.threads if each == name)

    def count(self, status: str, owner: str) -> int:
        """Count the objects of a status, in a thread's hands."""
        return sum(each.status == status and each.owner == owner for each in self.objects)


def state_of(spec: Mapping[str, Any]) -> State:
    """Read a state of TLC's."""
    epoch = spec["G"]

    def behind(other: int) -> int | None:
        return None if other == 0 else min(epoch - other, FAR)

    threads = sorted(spec["seen"])
    keepers = {
        o: (t, place)
        for t in threads
        for part in ("bag", "queue")
        for place, o in enumerate(spec[part][t])
    }
    return State(
        tuple(
            (
                t,
                Thread(
                    behind(spec["seen"][t]),
                    behind(spec["announced"][t]),
                    behind(spec["advance"][t]["epoch"]) if t in spec["advance"] else None,
                    spec["advance"][t]["scanned"] if t in spec["advance"] else frozenset(),
                ),
            )
            for t in threads
        ),
        tuple(
            sorted(
                Object(
                    status,
                    keepers[o][0] if o in keepers else str(spec["owner"][o] or ""),
                    -1 if spec["tag"][o] == 0 else min(epoch - spec["tag"][o], FAR),
                    tuple(t for t in threads if o in spec["held"][t]),
                    keepers[o][1] if o in keepers else 0,
                )
                for o, status in spec["status"].items()
            )
        ),
    )


def step_of(before: State, after: State) -> tuple[str, str]:
    """Name the action that leads from one state to the other, and its thread."""
    for t, was in before.threads:
        now = after.thread(t)
        if (was.seen is None) != (now.seen is None):
            return ("ReadEpoch" if was.seen is None else "Announce"), t
        if (was.announced is None) != (now.announced is None):
            return "Unpin", t
        if sum(t in each.held for each in before.objects) < sum(
            t in each.held for each in after.objects
        ):
            return "Acquire", t
        unlinked = after.count("unlinked", t) - before.count("unlinked", t)
        if unlinked:
            return ("Unlink" if unlinked > 0 else "Retire"), t
        if before.count("bagged", t) > after.count("bagged", t):
            return "Tag", t
        if before.count("sealed", t) > after.count("sealed", t):
            return "Free", t
        if was.advancing is None and now.advancing is not None:
            return "AdvanceStart", t
        if now.advancing is not None and was.scanned != now.scanned:
            return "Scan", t
        if was.advancing is not None and now.advancing is None:
            if now.announced != was.announced:  # one further behind
                return "Commit", t
            return ("ScanBlocked" if len(was.scanned) < len(before.threads) else "CommitLost"), t
    message = f"no action leads from {before} to {after}"
    raise ValueError(message)


def plan_of(states: Sequence[State], probed: set[State]) -> Plan:
    """Make the plan of a behaviour.

    In each state that is not in ``probed`` yet, threads with pages in limbo of which none may be
    freed are asked to free one, and must decline. Main's registration is the last of the list, and
    scanned, too.
    """
    threads = [t for t, _ in states[0].threads]
    number = {t: k for k, t in enumerate(threads, 1)}
    operations: dict[int, list[str]] = {k: [] for k in number.values()}
    made = Plan("retire_batch=4096 states=1", operations)
    for before, after in pairwise(states):
        if before not in probed:
            probed.add(before)
            for t in _declining(before):
                operations[number[t]].append("free_one")
                made.wants.append(Want(number[t], NOTHING, f"no Free({t})", before, refusal=True))
        action, t = step_of(before, after)
        event, operation = _EVENTS[action]
        if operation is not None:
            operations[number[t]].append(operation)
        if action.startswith("Commit"):
            made.wants.append(Want(number[t], "SCAN", f"{action}({t})", None))
        made.wants.append(Want(number[t], event, f"{action}({t})", after))
    last = states[-1]
    for t in threads:
        mine = operations[number[t]]
        if last.count("unlinked", t):  # no page is to be lost
            mine.append("retire")
        if last.thread(t).announced is not None or last.thread(t).seen is not None:
            mine.append("unpin")
    made.end()
    return made


def _declining(state: State) -> list[str]:
    """Name the threads at rest whose first page in limbo is too young to be freed."""
    return [
        t
        for t, thread in state.threads
        if thread.seen is None
        and thread.advancing is None
        and any(
            each.status == "sealed" and each.owner == t and each.place == 0 and each.tag < 2
            for each in state.objects
        )
    ]


class _Engine:
    """The engine's state, from its events and its memory."""

    def __init__(self, threads: int, objects: int) -> None:
        """Begin with nothing known of ``threads`` threads."""
        self.objects = objects
        self.threads = [f"t{k + 1}" for k in range(threads)]  # the harness's, by their numbers
        self.epoch = self.root = 0
        self.names: dict[int, str] = {}  # registration to thread
        self.announced: dict[str, int] = {}
        self.bags: dict[str, list[int]] = {t: [] for t in self.threads}
        self.queues: dict[str, list[tuple[int, int]]] = {t: [] for t in self.threads}
        self.seen: dict[str, int] = {}
        self.held: dict[str, set[int]] = {t: set() for t in self.threads}
        self.unlinked: dict[str, int] = {}
        self.advancing: dict[str, int] = {}
        self.scanned: dict[str, set[str]] = {t: set() for t in self.threads}

    def take(self, event: Event, memory: Sequence[int]) -> None:
        """Take an event and what memory holds after it."""
        t = f"t{event.thread}"
        words = event.words
        match event.name:
            case "READ_EPOCH":
                self.seen[t] = words[1]
            case "ANNOUNCE":
                self.seen.pop(t, None)
            case "LOAD_MAPPING":
                self.held[t].add(words[0])
            case "UNPIN":
                self.held[t].clear()
            case "INSTALL":
                self.unlinked[t] = words[0]
            case "RETIRE":
                self.unlinked.pop(t, None)
            case "ADVANCE_START":
                self.advancing[t] = words[1]
                self.scanned[t] = set()
            case "SCAN":
                self.scanned[t].add(self.names.get(words[0], "main"))
            case "SCAN_BLOCKED" | "COMMIT" | "COMMIT_LOST":
                self.advancing.pop(t, None)
        if memory:
            self._remember(memory)

    def _remember(self, memory: Sequence[int]) -> None:
        words = iter(memory)
        self.epoch, self.root = next(words), next(words)
        # The last registration comes first, main's is at the end of the list.
        for t in [*self.threads[::-1], "main"][: next(words)]:
            self.names[next(words)] = t
            self.announced[t] = next(words)
            self.bags[t] = [next(words) for _ in range(next(words))]
            self.queues[t] = [(next(words), next(words)) for _ in range(next(words))]

    def state(self, spec: State) -> State:  # noqa: ARG002 - it speaks of everything
        """Give the state as the spec's view has it."""
        holders: dict[int, list[str]] = {}
        for t in self.threads:
            for page in self.held[t]:
                holders.setdefault(page, []).append(t)
        found = [(self.root, "linked", "", -1, 0)]
        found += [(page, "unlinked", t, -1, 0) for t, page in self.unlinked.items()]
        for t in self.threads:
            found += [(page, "bagged", t, -1, k) for k, page in enumerate(self.bags[t])]
            found += [
                (page, "sealed", t, min(self.epoch - tag, FAR), k)
                for k, (page, tag) in enumerate(self.queues[t])
            ]
        known = {page for page, *_ in found}
        found += [(page, "unused", "", -1, 0) for page in holders if page not in known]
        found += [(0, "unused", "", -1, 0)] * (self.objects - len(found))
        return State(
            tuple((t, self._thread(t)) for t in self.threads),
            tuple(
                sorted(
                    Object(status, owner, tag, tuple(holders.get(page, ())), place)
                    for page, status, owner, tag, place in found
                )
            ),
        )

    def _thread(self, t: str) -> Thread:
        advancing = self.advancing.get(t)
        return Thread(
            self._behind(self.seen.get(t)),
            self._behind(self.announced.get(t)),
            self._behind(advancing),
            frozenset() if advancing is None else frozenset(self.scanned[t] - {"main"}),
        )

    def _behind(self, epoch: int | None) -> int | None:
        return None if not epoch else min(self.epoch - epoch, FAR)

    def show(self, state: State) -> Shown:
        """Say a state in words."""
        shown = {}
        for t, thread in state.threads:
            scanned = ", ".join(sorted(thread.scanned))
            shown[f"seen[{t}]"] = _epoch(thread.seen)
            shown[f"announced[{t}]"] = _epoch(thread.announced)
            shown[f"advance[{t}]"] = _epoch(thread.advancing) + (
                "" if thread.advancing is None else f", scanned {{{scanned}}}"
            )
        for (each, times), k in zip(Counter(state.objects).items(), range(99), strict=False):
            shown[f"object {k + 1}"] = (
                ("" if times == 1 else f"{times} × ")
                + each.status
                + (f" by {each.owner}" if each.owner else "")
                + (f", tag {_epoch(each.tag)}" if each.tag >= 0 else "")
                + (f", number {each.place + 1}" if each.status in ("bagged", "sealed") else "")
                + (f", held by {', '.join(each.held)}" if each.held else "")
            )
        return shown


def _epoch(behind: int | None) -> str:
    if behind is None:
        return "none"
    return {0: "G", FAR: f"G - {FAR} or less"}.get(behind, f"G - {behind}")
