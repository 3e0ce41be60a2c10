"""Behaviours of spec/TourDeltaLog.tla as plans, and the engine's state in their words.

Threads call single keys of a tree whose root is a leaf. What the mapped page and the pages in hand
hold, base and log, is read from memory; what a thread has read of a log, and what its call answers,
it tells.

Two actions have no access to shared memory, and the engine does not tell them: to answer from a
frozen page, which it does with the read of the last slot, and to build a page, which it does before
it swaps that in. One has none in the engine either, to leave a frozen page to others: that is what
a thread does whose allocation fails, so it is made to fail. The engine has one access more: who has
lost a slot reads it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from model_check.conformance.behaviours import Model
from model_check.conformance.delta_log import ABSENT, saw_of
from model_check.conformance.drive import OF_EPOCHS, Mirror, Plan, Shown, Spec, Step, Want
from model_check.conformance.trace import ANSWER, CALL, Event
from model_check.proofs.graph import at

MODULE = "TourDeltaLog"
_KEYS = 10  # the engine's key for the spec's key 1; 20 for 2, and so on
_PUT, _DELETE, _FREEZE = 1, 2, 4  # kinds of records (impl/src/page.h)

#: Action of the spec to the engine's event; None: it tells nothing.
_EVENTS: Mapping[str, str | None] = {
    "Invoke": CALL,
    "StartWork": "LOAD_MAPPING",
    "LoadMapping": "LOAD_MAPPING",
    "ReadRecord": "READ",
    "AnswerAtNull": "LOOK",
    "FindRoom": "LOOK",
    "FindWork": "READ",
    "Freeze": "APPEND",
    "AppendRecord": "APPEND",
    "AppendLost": "APPEND_LOST",
    "AnswerAtFrozen": None,
    "Build": None,
    "LeaveToOthers": None,
    "Install": "INSTALL",
    "InstallLost": "INSTALL_LOST",
    "Return": ANSWER,
}

Record = tuple[str, int, str]  # kind, key, value
Base = tuple[tuple[int, str], ...]  # key and value of what is there


@dataclass(frozen=True)
class Page:
    """What a page holds, and whether it is the mapped one."""

    base: Base
    log: tuple[Record, ...]
    mapped: bool


@dataclass(frozen=True)
class Hand:
    """What a thread has in hand; ``read``: None where it does not matter any more."""

    page: Page
    read: tuple[Record, ...] | None
    like: str  # the first thread that has the same page


@dataclass(frozen=True)
class State:
    """A state of the spec. ``hands``: of threads that are at a page."""

    mapped: Page
    hands: tuple[tuple[str, Hand], ...]


@dataclass(frozen=True)
class Log:
    """A configuration: what each thread may call (a set in TLA+), and the log's slots.

    ``workers``: the numbers of threads that also consolidate unasked, as `bw_consolidate` does.
    """

    menus: tuple[str, ...]
    slots: int
    keys: int = 1
    workers: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Say it in words."""
        slots = "1 slot" if self.slots == 1 else f"{self.slots} slots"
        menus = " beside ".join(
            menu if k not in self.workers else "a worker" if menu == "{}" else f"{menu} and work"
            for k, menu in enumerate(self.menus, 1)
        )
        menus = menus.replace('"', "").replace("\\cup", "∪")
        return f"DeltaLog, {menus}, {slots}"

    def model(self) -> Model:
        """Give it to TLC."""
        threads = [f"t{k + 1}" for k in range(len(self.menus))]
        menu = " [] ".join(
            f"t = {t} -> {menu}" for t, menu in zip(threads, self.menus, strict=True)
        )
        return Model(
            MODULE,
            f"CONSTANTS {', '.join(threads)}\nTheMenu == [t \\in Threads |-> CASE {menu}]",
            "CONSTANTS\n"
            + "".join(f"  {t} = {t}\n" for t in threads)
            + f"  Threads = {{{', '.join(threads)}}}\n"
            + f"  Keys = {{{', '.join(str(k + 1) for k in range(self.keys))}}}\n"
            + '  Vals = {"v1", "v2"}\n  Absent = "absent"\n  Menu <- TheMenu\n'
            + "  OnlyReads = {}\n  Rounds = 0\n"
            + f"  Workers = {{{', '.join(f't{k}' for k in self.workers)}}}\n"
            + f"  LogCap = {self.slots}\n"
            + f"  Pages = {{{', '.join(str(k + 1) for k in range(len(threads) + 1))}}}\n"
            + '  Mutation = "none"\n',
            view="TourView",
        )

    def read(self, spec: Mapping[str, Any]) -> Spec[State]:
        """Read a state of TLC's."""
        return Spec(spec, state_of(spec))

    def plan(self, states: Sequence[Spec[State]], probed: set[Any]) -> Plan:  # noqa: ARG002 - none here
        """Make the plan of a behaviour."""
        return _Planner(states, self.slots).plan()

    def mirror(self) -> Mirror:
        """Give the engine's state before the first step."""
        return _Engine(len(self.menus))

    def silent(self, before: Spec[State], after: Spec[State]) -> bool:
        """Say whether the engine takes this step without an access to shared memory."""
        return _EVENTS[step_of(before.raw, after.raw)[0]] is None


def _record(record: Mapping[str, Any]) -> Record:
    return record["kind"], record["key"], record["val"]


def _page(spec: Mapping[str, Any], number: int) -> Page:
    page = at(spec["heap"], number)
    base = page["base"]
    keys = range(1, len(base) + 1)
    return Page(
        tuple((key, at(base, key)) for key in keys if at(base, key) != ABSENT),
        tuple(_record(record) for record in page["log"] if record["kind"] != "NULL"),
        number == spec["mapping"],
    )


def state_of(spec: Mapping[str, Any]) -> State:
    """Read a state of TLC's."""
    hands = []
    for t, thread in sorted(spec["thread"].items()):
        if thread["page"] == 0:
            continue
        called = spec["call"][t]["phase"] == "called"
        reads = thread["at"] in ("scan", "append") or (thread["at"] == "frozen" and called)
        read = tuple(_record(record) for record in thread["read"]) if reads else None
        like = next(
            u for u in sorted(spec["thread"]) if spec["thread"][u]["page"] == thread["page"]
        )
        hands.append((t, Hand(_page(spec, thread["page"]), read, like)))
    return State(_page(spec, spec["mapping"]), tuple(hands))


def step_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    """Name the action that leads from one state to the other, and its thread."""
    for t, was in before["thread"].items():
        now, call, then = after["thread"][t], before["call"][t], after["call"][t]
        if (was["at"], call["phase"]) == (now["at"], then["phase"]) and len(was["read"]) == len(
            now["read"]
        ):
            continue
        if call["phase"] != then["phase"] and "called" not in (call["phase"], then["phase"]):
            return "Return", t
        match was["at"], now["at"]:
            case "rest", _:
                return ("Invoke" if then["phase"] == "called" else "StartWork"), t
            case "load", _:
                return "LoadMapping", t
            case "scan", "rest" | "append" if then["phase"] == "idle":
                return "FindWork", t
            case "scan", "rest":
                return "AnswerAtNull", t
            case "scan", "append":
                return "FindRoom", t
            case "scan", _:
                return "ReadRecord", t
            case "append", _:
                if at(at(before["heap"], was["page"])["log"], was["next"])["kind"] != "NULL":
                    return "AppendLost", t
                return ("Freeze" if call["phase"] == "idle" else "AppendRecord"), t
            case "frozen", "install":
                return "Build", t
            case "frozen", _:
                return ("AnswerAtFrozen" if call["phase"] == "called" else "LeaveToOthers"), t
            case "install", _:
                return ("Install" if _installs(before, after, t) else "InstallLost"), t
    message = "a transition that changes nothing of any thread's"
    raise ValueError(message)


def _installs(before: Mapping[str, Any], after: Mapping[str, Any], t: str) -> bool:
    if before["thread"][t]["page"] == before["mapping"]:
        return True
    was, now = (state["heap"] for state in (before, after))
    return bool(at(was, before["mapping"]) != at(now, after["mapping"]))


class _Planner:
    """A behaviour on its way to a plan."""

    def __init__(self, states: Sequence[Spec[State]], slots: int) -> None:
        self.states = states
        threads = sorted(states[0].raw["thread"])
        self.number = {t: k for k, t in enumerate(threads, 1)}
        operations: dict[int, list[str]] = {k: [] for k in self.number.values()}
        options = f"leaf_capacity=4 leaf_log={slots} retire_batch=4096 states=2"
        self.made = Plan(options, operations, OF_EPOCHS)
        #: Of each thread's present call: where in its operations it stands, pages built.
        self.begun = dict.fromkeys(threads, 0)
        self.built = dict.fromkeys(threads, 0)

    def plan(self) -> Plan:
        """Make it."""
        for before, after in pairwise(self.states):
            action, t = step_of(before.raw, after.raw)
            self._step(action, t, before, after)
        self.made.end()
        return self.made

    def _step(self, action: str, t: str, before: Spec[State], after: Spec[State]) -> None:
        operations = self.made.operations[self.number[t]]
        works = before.raw["call"][t]["phase"] == after.raw["call"][t]["phase"] == "idle"
        frozen = after.raw["thread"][t]["at"] == "frozen"
        answer = None
        match action:
            case "Invoke":
                self.begun[t], self.built[t] = len(operations), 0
                operations.append(_operation(after.raw["call"][t]["op"]))
            case "StartWork":
                operations.append("consolidate")
            case "Build":
                self.built[t] += 1
            case "LeaveToOthers":  # its record, the pages before, and then this one
                operations.insert(self.begun[t], f"fail {self.built[t] + 2}")
            case "Return":
                answer = (t, before.raw["call"][t]["answer"])
        step = Step(after.state, answer)
        told = [_EVENTS[action]]
        if action == "AppendLost":
            told.append("READ")
        if frozen and not works and action in ("AppendLost", "ReadRecord"):
            told.append("LOOK")
        last = len(told)
        if works and after.raw["thread"][t]["at"] == "rest":
            # It looks whether the page is too small; if so, whether the root should collapse.
            looks = 1 if after.state.mapped.base else 2
            told = [*([] if action == "FindWork" else told), *["LOAD_MAPPING"] * looks]
        if told == [None]:
            self.made.silent.append(action)
        for k, event in enumerate(told, 1):
            if event is not None:
                state = step if k == last else None
                self.made.wants.append(Want(self.number[t], event, f"{action}({t})", state))


def _operation(operation: Mapping[str, Any]) -> str:
    values = [str(operation[part])[1:] for part in ("expected", "val") if operation[part] != ABSENT]
    return " ".join([operation["kind"], str(_KEYS * operation["key"]), *values])


class _Engine:
    """The engine's state, from its events and its memory."""

    def __init__(self, threads: int) -> None:
        self.threads = [f"t{k + 1}" for k in range(threads)]
        self.pages: dict[int, tuple[Base, tuple[Record, ...]]] = {}
        self.root = 0
        self.hand: dict[str, int] = {}
        self.read: dict[str, list[Record]] = {t: [] for t in self.threads}
        self.calls: dict[str, Sequence[int]] = {}
        self.answer: tuple[str, str] | None = None

    def take(self, event: Event, memory: Sequence[int]) -> None:
        """Take an event and what memory holds after it."""
        t, words = f"t{event.thread}", event.words
        self.answer = None
        match event.name:
            case "CALL":
                self.calls[t] = words
            case "LOAD_MAPPING":
                self.hand[t] = words[0]
                self.read[t] = []
            case "READ":
                if words[2]:  # else the slot was NULL
                    self.read[t].append(_told(words[2], words[5], words[6]))
            case "ANSWER":
                kind, _, expected, _ = self.calls[t]
                name = ("get", "put", "insert", "update", "remove", "compare_exchange")[kind]
                self.answer = (t, saw_of(name, expected, *words))
                self.hand.pop(t, None)
        if memory:
            self._remember(memory)

    def _remember(self, memory: Sequence[int]) -> None:
        words = iter(memory)
        self.pages = {}
        for k in range(next(words)):
            page = next(words)
            base = tuple(_entry(next(words), next(words)) for _ in range(next(words)))
            log = tuple(_told(next(words), next(words), next(words)) for _ in range(next(words)))
            self.pages[page] = (base, log)
            if k == 0:
                self.root = page

    def state(self, spec: Step[State]) -> Step[State]:
        """Give the state, of the threads that are at a page in the spec."""
        hands = []
        for t, hand in spec.state.hands:
            page = self.hand.get(t, 0)
            read = None if hand.read is None else tuple(self.read[t])
            like = next((u for u, _ in spec.state.hands if self.hand.get(u) == page), t)
            hands.append((t, Hand(self._page(page), read, like)))
        answer = None if spec.answer is None else self.answer
        return Step(State(self._page(self.root), tuple(hands)), answer)

    def _page(self, page: int) -> Page:
        base, log = self.pages.get(page, ((), ()))
        return Page(base, log, page == self.root)

    def show(self, state: Step[State]) -> Shown:
        """Say a state in words."""
        shown = {"mapped": _shown(state.state.mapped)}
        for t, hand in state.state.hands:
            page = (
                "the mapped page" if hand.page.mapped else f"no longer mapped, {_shown(hand.page)}"
            )
            shown[f"{t} at"] = page + ("" if hand.like == t else f", with {hand.like}")
            if hand.read is not None:
                shown[f"{t} has read"] = ", ".join(map(_words, hand.read)) or "nothing"
        if state.answer is not None:
            shown[f"{state.answer[0]} answers"] = state.answer[1]
        return shown


def _entry(key: int, value: int) -> tuple[int, str]:
    return key // _KEYS, f"v{value}"


def _told(kind: int, key: int, value: int) -> Record:
    if kind == _PUT:
        return "PUT", key // _KEYS, f"v{value}"
    if kind == _DELETE:
        return "DELETE", key // _KEYS, ABSENT
    return ("FREEZE" if kind == _FREEZE else f"kind {kind}"), 0, ABSENT


def _words(record: Record) -> str:
    kind, key, value = record
    return f"{kind} {key} {value}" if kind == "PUT" else f"{kind} {key}"


def _shown(page: Page) -> str:
    base = ", ".join(f"{key}: {value}" for key, value in page.base)
    return f"base {{{base}}}, log <{', '.join(map(_words, page.log))}>"
