"""Behaviours of spec/TourStructureModification.tla as plans, and the engine's state in their words.

Threads make calls of single keys, which split pages and post separators. The whole mapping table
is read from memory: which page id names a page or a tombstone, and of each page its level, its
fences, its right sibling, its base and its log. What is known from a thread's events: whether it is
pinned, which page it has loaded and whether that is still the mapped one, what its call answers.

The engine has one access more: who has split a page and then crosses to its right half owes the
same post twice, where the spec notes it once. For the second it loads the root and finds the
separator there.

One action has no access to shared memory in the engine: to cross a right link, which is decided by
the fences of a page alone. What a page that is mapped no longer holds is not compared: it was when
the page was mapped, and changes no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from model_check.conformance.behaviours import Model
from model_check.conformance.delta_log import ABSENT, saw_of
from model_check.conformance.drive import OF_EPOCHS, Mirror, Plan, Shown, Spec, Step, Want
from model_check.conformance.record import OF_FREE_PIDS
from model_check.conformance.trace import ANSWER, CALL, Event
from model_check.proofs.graph import at

MODULE = "TourStructureModification"
_KEYS = 10  # the engine's key for the spec's key 1; 20 for 2, and so on
_ALL_KEYS = 6  # of the module's tree
_NO_PID = (1 << 32) - 1  # in the engine, for "no right sibling"; 0 in the spec
_TOMBSTONE = -1
_KINDS = {1: "put", 2: "delete", 3: "mark", 4: "freeze", 5: "remove", 6: "merge"}
#: Events that are no steps here. READ_EPOCH, ANNOUNCE, UNPIN and RETIRE are.
_OTHERS = OF_FREE_PIDS | {"READ"} | (OF_EPOCHS - {"READ_EPOCH", "ANNOUNCE", "UNPIN", "RETIRE"})
#: The module's trees, by the keys that the main thread puts one after the other.
_TREES = {"AboutToOverflow": (1, 2, 5, 6), "FullRoot": (1, 2, 5)}

Entries = tuple[tuple[int, int], ...]  # key and value or page id
Records = tuple[tuple[str, int, int], ...]  # kind, key, value or page id


@dataclass(frozen=True)
class Page:
    """A mapped page; ``right``: 0 where there is none, ``high``: `_ALL_KEYS` + 1 above all keys."""

    level: int
    low: int
    high: int
    right: int
    base: Entries
    log: Records


@dataclass(frozen=True)
class Hand:
    """The page that a thread has loaded: under which page id, and whether it is the mapped one."""

    pid: int
    mapped: bool


@dataclass(frozen=True)
class State:
    """A state of the spec: what page ids name, who is pinned, and who is at a page."""

    mapping: tuple[tuple[int, Page | int], ...]
    pinned: frozenset[str]
    hands: tuple[tuple[str, Hand], ...]


@dataclass(frozen=True)
class Tree:
    """A configuration: what each thread's call may be (a set in TLA+), on a tree of the module."""

    menus: tuple[str, ...]
    tree: str = "AboutToOverflow"

    def __str__(self) -> str:
        """Say it in words."""
        where = ", the root is a leaf" if self.tree == "FullRoot" else ""
        return f"StructureModification, {' beside '.join(self.menus)}{where}"

    def model(self) -> Model:
        """Give it to TLC."""
        numbers = ", ".join(str(k) for k in range(1, len(self.menus) + 1))
        keys = ", ".join(str(k) for k in range(1, _ALL_KEYS + 1))
        programs = ", ".join(f"<<{menu}>>" for menu in self.menus)
        return Model(
            MODULE,
            f"ThePrograms == <<{programs}>>",
            f"CONSTANTS\n  Threads = {{{numbers}}}\n  Keys = {{{keys}}}\n"
            f"  Vals = {{}}\n  Absent = 0\n  Trees <- {self.tree}\n  Program <- ThePrograms\n"
            "  MaxPid = 5\n  MaxObj = 12\n  LeafCap = 3\n  InnerCap = 3\n  LeafLog = 1\n"
            "  InnerLog = 2\n  LeafMin = 1\n  InnerMin = 2\n  LeafFit = 3\n  InnerFit = 2\n"
            "  AtWill = FALSE\n  CrossPost = TRUE\n  Reclaiming = FALSE\n  MayFail = FALSE\n"
            '  Mutation = "none"\n',
            view="TourView",
        )

    def read(self, spec: Mapping[str, Any]) -> Spec[State]:
        """Read a state of TLC's."""
        return Spec(spec, state_of(spec))

    def plan(self, states: Sequence[Spec[State]], probed: set[Any]) -> Plan:  # noqa: ARG002 - none here
        """Make the plan of a behaviour."""
        return plan_of(states, _TREES[self.tree])

    def mirror(self) -> Mirror:
        """Give the engine's state before the first step."""
        return _Engine()

    def silent(self, before: Spec[State], after: Spec[State]) -> bool:
        """Say whether the engine takes this step without an access to shared memory."""
        return step_of(before.raw, after.raw)[0] in _SILENT


_SILENT = ("CrossRight", "Terminated")
_AT_A_PAGE = ("scan", "append", "alive", "publish", "swap")


def _threads(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {f"t{k}": thread for k, thread in enumerate(spec["th"], 1)}


def _page(page: Mapping[str, Any]) -> Page:
    seps = sorted(page["base"])
    return Page(
        page["level"],
        page["low"],
        page["high"],
        page["right"],
        tuple((sep, page["base"][sep]) for sep in seps if page["base"][sep] != 0),
        tuple((kind, key, value) for kind, key, value in page["log"]),
    )


def state_of(spec: Mapping[str, Any]) -> State:
    """Read a state of TLC's."""
    mapping = spec["map"]
    return State(
        tuple(
            (pid, _page(at(spec["heap"], entry)) if entry > 0 else entry)
            for pid, entry in sorted(mapping.items())
            if entry != 0
        ),
        frozenset(f"t{k}" for k, epoch in enumerate(spec["ann"], 1) if epoch != 0),
        tuple(
            (t, Hand(thread["pid"], mapping[thread["pid"]] == thread["obj"]))
            for t, thread in _threads(spec).items()
            if thread["pc"] in _AT_A_PAGE
        ),
    )


def step_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    """Name the action that leads from one state to the other, and its thread."""
    for (t, was), now in zip(_threads(before).items(), _threads(after).values(), strict=True):
        if was != now:
            return _action(before, was, now), t
    return "Terminated", ""


_ACTIONS = {
    "idle": "Pin",
    "announce": "Announce",
    "unpin": "Unpin",
    "load": "LoadEntry",
    "alive": "CheckAlive",
    "publish": "PublishRight",
    "swap": "SwapEntry",
    "unpublish": "Unpublish",
    "retire": "Retire",
}


def _action(before: Mapping[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if was["pc"] == "append":
        return "PostSeparator" if was["answered"] == "TRUE" else "AppendSlot"
    if was["pc"] == "scan":
        page = at(before["heap"], was["obj"])
        return "CrossRight" if now["want"] == (page["level"], page["high"]) else "ScanSlot"
    return _ACTIONS[was["pc"]]


def _event(
    action: str, before: Mapping[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]
) -> str:
    """Name the event that the engine tells of a step."""
    match action:
        case "Pin":
            return "READ_EPOCH"
        case "LoadEntry" | "CheckAlive":
            return "LOAD_MAPPING"
        case "ScanSlot":
            return "PASS" if now["pc"] == "load" and now["want"] != () else "LOOK"
        case "AppendSlot" | "PostSeparator":
            won = len(at(before["heap"], was["obj"])["log"]) == was["n"]
            return "APPEND" if won else "APPEND_LOST"
        case "PublishRight":
            return "PUBLISH"
        case "SwapEntry":
            swap = "SPLIT" if was["pub"] != () else "INSTALL"
            return swap if now["pc"] == "retire" else f"{swap}_LOST"
        case "Unpublish":  # it goes through limbo
            return "RETIRE"
        case _:
            return action.upper()


def plan_of(states: Sequence[Spec[State]], keys: Sequence[int]) -> Plan:
    """Make the plan of a behaviour, of a tree with these keys."""
    threads = list(_threads(states[0].raw))
    number = {t: k for k, t in enumerate(threads, 1)}
    operations: dict[int, list[str]] = {k: [] for k in number.values()}
    options = (
        "leaf_capacity=3 leaf_log=1 inner_capacity=3 inner_log=2 merge_threshold=0 "
        "retire_batch=4096 states=4"
    )
    first = [f"put {_KEYS * key} {key}" for key in keys]
    made = Plan(options, operations, _OTHERS, before=first)
    twice: set[str] = set()  # threads that owe the same post twice
    for before, after in pairwise(states):
        action, t = step_of(before.raw, after.raw)
        if action in _SILENT:
            made.silent.append(action)
            if action == "CrossRight" and _owes(before.raw, t):
                twice.add(t)
            continue
        was, now = (_threads(state.raw)[t] for state in (before, after))
        if action == "LoadEntry" and was["pid"] == 0 and was["answered"] == "FALSE":
            twice.discard(t)  # it begins anew
        event = _event(action, before.raw, was, now)
        step = Step(after.state)
        if action == "Pin":
            operations[number[t]].append(_operation(now["op"]))
            made.wants.append(Want(number[t], CALL, f"{action}({t})", None))
        if action == "Unpin":
            for more in ("LOAD_MAPPING", "LOOK") if t in twice else ():
                made.wants.append(Want(number[t], more, f"{action}({t})", None))
            twice.discard(t)
            made.wants.append(Want(number[t], event, f"{action}({t})", None))
            answer = at(before.raw["call"], number[t])["answer"]
            event, step = ANSWER, Step(after.state, (t, _value(answer)))
        # One event for each page that is published, or taken back.
        pages = {"PublishRight": now, "Unpublish": was}.get(action, {"pub": (0,)})["pub"]
        made.wants += [Want(number[t], event, f"{action}({t})", None)] * (len(pages) - 1)
        made.wants.append(Want(number[t], event, f"{action}({t})", step))
    made.end()
    return made


def _value(number: int) -> str:
    return f"v{number}" if number else ABSENT


def _owes(spec: Mapping[str, Any], t: str) -> bool:
    """Say whether a thread that crosses a right link has the duty already to post its target."""
    thread = _threads(spec)[t]
    right = at(spec["heap"], thread["obj"])["right"]
    return any(target == right for _, _, target, _ in thread["duties"])


def _operation(operation: Mapping[str, Any]) -> str:
    values = [str(operation[part]) for part in ("expected", "val") if operation[part] != 0]
    return " ".join([operation["kind"], str(_KEYS * operation["key"]), *values])


class _Engine:
    """The engine's state, from its events and its memory."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.mapping: dict[int, Page | int] = {}
        self.address: dict[int, int] = {}  # of the page that is mapped
        self.pinned: set[str] = set()
        self.hand: dict[str, tuple[int, int]] = {}  # page id, address
        self.answer: tuple[str, str] | None = None
        self.calls: dict[str, Sequence[int]] = {}
        self.last: dict[str, str] = {}  # event

    def take(self, event: Event, memory: Sequence[int]) -> None:
        """Take an event and what memory holds after it."""
        t, words = f"t{event.thread}", event.words
        self.answer = None
        match event.name:
            case "CALL":
                self.calls[t] = words
            case "ANNOUNCE":
                self.pinned.add(t)
            case "UNPIN":
                self.pinned.discard(t)
            case "LOAD_MAPPING" if words[1] == 0 or self.last[t] != "LOOK":
                self.hand[t] = (words[1], words[0])  # else it asks whether a post's target is alive
            case "ANSWER":
                kind, _, expected, _ = self.calls[t]
                name = ("get", "put", "insert", "update", "remove", "compare_exchange")[kind]
                self.answer = (t, saw_of(name, expected, *words))
        self.last[t] = event.name
        if memory:
            self._remember(memory)

    def _remember(self, memory: Sequence[int]) -> None:
        words = iter(memory)
        self.mapping, self.address = {}, {}
        for pid in range(next(words)):
            kind = next(words)
            if kind == 1:
                self.mapping[pid] = _TOMBSTONE
            elif kind > 1:
                level, low, high, right = (next(words) for _ in range(4))
                self.address[pid] = next(words)
                base = tuple((next(words), next(words)) for _ in range(next(words)))
                log = tuple((next(words), next(words), next(words)) for _ in range(next(words)))
                self.mapping[pid] = Page(
                    level,
                    low // _KEYS,
                    _ALL_KEYS + 1 if right == _NO_PID else high // _KEYS,
                    0 if right == _NO_PID else right,
                    tuple((key // _KEYS, value) for key, value in base),
                    tuple((_KINDS[kind], key // _KEYS, value) for kind, key, value in log),
                )

    def state(self, spec: Step[State]) -> Step[State]:
        """Give the state, of the threads that are at a page in the spec."""
        hands = []
        for t, _ in spec.state.hands:
            pid, address = self.hand.get(t, (0, 0))
            hands.append((t, Hand(pid, self.address.get(pid) == address)))
        answer = None if spec.answer is None else self.answer
        mapping = tuple(sorted(self.mapping.items(), key=lambda entry: entry[0]))
        return Step(State(mapping, frozenset(self.pinned), tuple(hands)), answer)

    def show(self, state: Step[State]) -> Shown:
        """Say a state in words."""
        shown = {}
        for pid, page in state.state.mapping:
            shown[f"page id {pid}"] = _shown(page)
        shown["pinned"] = ", ".join(sorted(state.state.pinned)) or "nobody"
        for t, hand in state.state.hands:
            mapped = "" if hand.mapped else ", no longer mapped"
            shown[f"{t} at"] = f"page id {hand.pid}{mapped}"
        if state.answer is not None:
            shown[f"{state.answer[0]} answers"] = state.answer[1]
        return shown


def _shown(page: Page | int) -> str:
    if isinstance(page, int):
        return "the tombstone"
    base = ", ".join(f"{key}: {value}" for key, value in page.base)
    log = ", ".join(f"{kind} {key} {value}" for kind, key, value in page.log)
    return (
        f"level {page.level}, [{page.low}, {page.high}), right {page.right or 'none'}, "
        f"base {{{base}}}, log <{log}>"
    )
