"""Executions of the engine as traces of spec/TraceDeltaLog.tla.

The spec is about one page id. So an execution gives a trace if its tree has never been more than
one leaf, and all its calls are of those that the spec has with one key. Calls of the main thread
before and after the others are calls like theirs.

Pages get numbers in the order in which the root's mapping entry has held them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from model_check.conformance.trace import (
    ANSWER,
    CALL,
    PIECE,
    Cut,
    Entry,
    Event,
    Trace,
    until_contents,
)

MODULE = "TraceDeltaLog"
ABSENT = "absent"

#: The harness's operation_kind (engine/program.h), and the status of a call (bwtree.h).
_KINDS = ("get", "put", "insert", "update", "remove", "compare_exchange")
_OK, _NOT_FOUND, _EXISTS = range(3)
_PUT, _DELETE, _FREEZE = 1, 2, 4


class UnfitError(Exception):
    """The execution is not one of a single leaf with calls of single keys."""


def _value(number: int) -> str:
    return f"v{number}"


def saw_of(name: str, expected: int, status: int, value: int) -> str:
    """Give what a call says that it saw. Raises UnfitError if it has failed."""
    if status >= 1 << 63:
        message = "a call has failed"
        raise UnfitError(message)
    if name == "compare_exchange" and status == _OK:
        return _value(expected)
    absent = status != _EXISTS if name in ("put", "insert") else status == _NOT_FOUND
    return ABSENT if absent else _value(value)


@dataclass
class _Reader:
    """What is known at one place of the execution."""

    keys: dict[int, int]
    threads: dict[int, int] = field(default_factory=dict)
    pages: dict[int, int] = field(default_factory=dict)
    installed: int = 0
    calls: dict[int, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    froze: dict[int, int] = field(default_factory=dict)  # who works alone: the page it froze
    loaded: dict[int, Entry] = field(default_factory=dict)  # a load that nothing has used yet
    entries: list[Entry] = field(default_factory=list)
    values: set[str] = field(default_factory=set)
    log: int = 1
    base: dict[int, str] = field(default_factory=dict)  # of the page that is mapped
    records: list[dict[str, Any]] = field(default_factory=list)  # in its log
    cuts: list[Cut] = field(default_factory=list)

    def install(self, address: int) -> int:
        self.installed += 1
        self.pages[address] = self.installed
        self.base |= {each["key"]: each["val"] for each in self.records if each["key"]}
        self.records = []
        return self.installed

    def put(self, action: str, k: int, *values: Any) -> None:
        self.entries.append(Entry(action, values, k))

    def thread(self, event: Event) -> int:
        return self.threads.setdefault(event.thread, len(self.threads) + 1)

    def use_load(self, t: int) -> None:
        """Take the thread's last load of the mapping entry, at the place where it was done."""
        entry = self.loaded.pop(t, None)
        if entry is not None:
            at = len(self.entries)
            while at > 0 and self.entries[at - 1].origin > entry.origin:
                at -= 1
            self.entries.insert(at, entry)

    def call(self, event: Event, t: int, k: int) -> None:
        kind, *arguments = event.words
        if kind >= len(_KINDS):
            message = f"operation {kind} of the harness is none of DeltaLog's"
            raise UnfitError(message)
        name = _KINDS[kind]
        key, a, b = arguments
        wanted = {"put": a, "insert": a, "update": a, "compare_exchange": b}.get(name)
        operation = {
            "kind": name,
            "key": self.keys[key],
            "expected": _value(a) if name == "compare_exchange" else ABSENT,
            "val": ABSENT if wanted is None else _value(wanted),
        }
        self.values |= {str(operation[name]) for name in ("expected", "val")} - {ABSENT}
        self.calls[t] = (name, tuple(arguments))
        self.put("Invoke", k, t, operation)

    def answer(self, event: Event, t: int, k: int) -> None:
        name, (_, expected, _) = self.calls.pop(t)
        saw = saw_of(name, expected, *event.words)
        self.values |= {saw} - {ABSENT}
        self.put("Return", k, t, saw)
        self.loaded.pop(t, None)
        last = self.cuts[-1].at if self.cuts else 0
        if not self.calls and not self.froze and len(self.entries) - last >= PIECE:
            self.cuts.append(Cut(len(self.entries), self.state()))

    def state(self) -> dict[str, Any]:
        """Give what the spec has when nobody has a call."""
        base = tuple(self.base.get(key, ABSENT) for key in range(1, len(self.keys) + 1))
        return {"number": self.installed, "base": base, "log": tuple(self.records)}

    def follow(self, event: Event, k: int) -> None:
        t = self.thread(event)
        busy = t in self.calls
        match event.name:
            case "PUBLISH":
                if self.installed:
                    message = "the tree has more than one page"
                    raise UnfitError(message)
                self.install(event.words[0])
            case "LOAD_MAPPING" if busy:
                self.loaded[t] = Entry("LoadMapping", (t, self.pages.get(event.words[0], 0)), k)
            case "LOOK" if busy:
                self.use_load(t)
                self.log = event.words[4]
                self.put("Look", k, t, event.words[1], "frozen" if event.words[2] else "room")
            case "APPEND" | "APPEND_LOST":
                self.append(event, t, k)
            case "INSTALL" | "INSTALL_LOST":
                self.replace(event, t, k, busy=busy)
            case "SPLIT" | "DROP" | "INSTALL_RUN" | "DROP_LOST" | "RUN_LOST":
                message = f"{event.name} is none of a single leaf's single keys"
                raise UnfitError(message)

    def append(self, event: Event, t: int, k: int) -> None:
        page, slot, kind, _, _, key, value = event.words
        number = self.pages.get(page, 0)
        if kind == _FREEZE:
            self.froze[t] = page
            self.put("Freeze", k, t, number, slot + 1)
            self.records.append({"kind": "FREEZE", "key": 0, "val": ABSENT})
            return
        if event.name == "APPEND_LOST":
            self.put("AppendLost", k, t, number, slot + 1)
            return
        record = {
            "kind": "PUT" if kind == _PUT else "DELETE",
            "key": self.keys.get(key, 0),
            "val": _value(value) if kind == _PUT else ABSENT,
        }
        self.put("Append", k, t, number, {"slot": slot + 1, "record": record})
        self.records.append(record)

    def replace(self, event: Event, t: int, k: int, *, busy: bool) -> None:
        page = event.words[0]
        worked = self.froze.pop(t, None) == page
        if event.name == "INSTALL":
            old = self.pages.get(page, 0)
            self.put("Install", k, t, old, self.install(event.words[2]))
        elif busy or worked:  # who works alone and has changed nothing, tells nothing
            self.put("InstallLost", k, t, self.pages.get(page, 0))


def trace(events: Sequence[Event], name: str) -> Trace:
    """Give the trace of an execution. Raises UnfitError if it is none of DeltaLog's."""
    events = until_contents(events)
    keys = sorted({event.words[1] for event in events if event.name == CALL})
    reader = _Reader({key: number for number, key in enumerate(keys, 1)})
    for k, event in enumerate(events):
        if event.name == CALL:
            reader.call(event, reader.thread(event), k)
        elif event.name == ANSWER:
            reader.answer(event, reader.thread(event), k)
        else:
            reader.follow(event, k)
    return Trace(
        MODULE,
        name,
        {"threads": len(reader.threads), "keys": max(len(keys), 1), "log": reader.log},
        {"number": 1, "base": (), "log": ()},
        tuple(reader.entries),
        frozenset(reader.values),
        tuple(reader.cuts),
    )
