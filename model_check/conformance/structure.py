"""Executions of the engine as traces of spec/TraceStructureModification.tla.

A trace has what writes to the tree: records that are appended, pages that are published, exchanged,
retired and given back, with what each fresh page is; the loads by which a post and the collapse of
the root are validated; pins and the epoch; and of each call what it is and what it answers. It
leaves out how a thread comes to a page, and exchanges and slots that were lost.

Pages get numbers in the order in which they are published. Keys get theirs in order, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from model_check.conformance.delta_log import UnfitError, saw_of
from model_check.conformance.trace import (
    ANSWER,
    CALL,
    Cut,
    Entry,
    Event,
    Trace,
    until_contents,
)

MODULE = "TraceStructureModification"
#: The options of a tree that a trace must know.
LIMITS = ("leaf_capacity", "inner_capacity", "leaf_log", "inner_log")

#: The harness's operation_kind (engine/program.h).
_KINDS = ("get", "put", "insert", "update", "remove", "compare_exchange")
_PUT, _DELETE, _MARK, _FREEZE, _REMOVE, _MERGE = range(1, 7)
_WORDS = {_DELETE: "delete", _MARK: "mark", _FREEZE: "freeze", _REMOVE: "remove", _MERGE: "merge"}
#: Events after which a trace is cut where it can be: they take longer than others.
PIECE = 300
_NO_PID = (1 << 32) - 1
_MARKED = 1 << 32
_MARK_BIT = 100  # TreePages
_MOST_PIDS = 90
_TOLD = 12  # entries of a page (engine/event_words.h)

_SWAPS = {
    "INSTALL": "SwapEntry",
    "SPLIT": "SwapEntry",
    "UNITE": "InstallUnion",
    "COLLAPSE": "Collapse",
}
_LOST = frozenset(("INSTALL_LOST", "SPLIT_LOST", "UNITE_LOST", "COLLAPSE_LOST"))
_OTHERS = frozenset(("INSTALL_RUN", "RUN_LOST", "DROP", "DROP_LOST"))
#: A tree of one empty leaf.
_FENCES = {"level": 0, "low": 0, "high": 0, "right": 0}
_ROOT = {"page": 1, "pid": 0, **_FENCES, "base": (), "log": ()}
_START = {"G": 1, "pages": (_ROOT,), "limbo": (), "away": frozenset[int](), "map": ()}
_UPKEEP = {"kind": "tend", "key": 0, "expected": 0, "val": 0}


@dataclass
class _Page:
    """What is known of a page: its number, page id, level and low fence; as it is told; its log."""

    number: int
    pid: int
    level: int
    low: int
    told: Mapping[str, Any]
    log: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass
class _Limbo:
    """The spec's epochs, in which only those count in which a page waits; see `Advance`, `Free`."""

    G: int = 1
    tags: dict[int, int] = field(default_factory=dict)  # of pages that are retired
    buried: dict[int, int] = field(default_factory=dict)  # their page ids, if they take them along
    away: set[int] = field(
        default_factory=set
    )  # page ids that the spec has back, not yet the engine

    def advance(self) -> None:
        self.G += any(tag + 2 > self.G for tag in self.tags.values())

    def free(self) -> int:
        """Give back what may be given back; gives how many pages."""
        old = [number for number, tag in self.tags.items() if tag + 2 <= self.G]
        for number in old:
            del self.tags[number]
            if number in self.buried:
                self.away.add(self.buried.pop(number))
        return len(old)

    def state(self) -> tuple[dict[str, int], ...]:
        return tuple(
            {"page": number, "tag": tag, "pid": self.buried.get(number, 0)}
            for number, tag in self.tags.items()
        )


@dataclass
class _Thread:
    """What a thread has done lately."""

    call: Mapping[str, Any] | None = None  # until its pin
    pinned: bool = False
    registration: int = 0
    announced: int = -1  # the event
    began: int = 0  # of its last attempt to advance: the event, and those of its scans
    scanned: dict[int, int] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)  # and not yet linked
    looked: int = -1  # the last end of a scan
    loads: dict[int, tuple[int, int]] = field(default_factory=dict)  # pid: event, page


@dataclass
class _Reader:
    """What is known at one place of the execution."""

    keys: Mapping[int, int]
    lost: frozenset[int]  # events that publish a page which is then not linked
    answers: Mapping[int, int]  # the event of an unpin: what the call saw
    threads: dict[int, int] = field(default_factory=dict)
    own: dict[int, _Thread] = field(default_factory=dict)
    pages: dict[int, _Page] = field(default_factory=dict)  # by address
    numbers: int = 0
    entries: list[tuple[int, Entry]] = field(default_factory=list)
    alive: int = 0  # pages that the spec has
    most_alive: int = 0  # since the last cut
    most_pages: int = 1
    most_pids: int = 1
    mapped: dict[int, _Page] = field(default_factory=dict)  # by page id
    limbo: _Limbo = field(default_factory=_Limbo)
    map: dict[int, int] = field(default_factory=dict)  # the ordered map
    cuts: list[Cut] = field(default_factory=list)

    def put(self, k: int, action: str, t: int, value: Any = 0) -> None:
        self.entries.append((k, Entry(action, (t, value), k)))

    def rank(self, key: int) -> int:
        return 0 if key == 0 else self.keys[key]

    def pid(self, number: int) -> int:
        if number >= _MOST_PIDS:
            message = f"page id {number} is above {_MOST_PIDS - 1}"
            raise UnfitError(message)
        self.most_pids = max(self.most_pids, number + 1)
        return number

    def told(self, address: int, pid: int, words: Sequence[int]) -> dict[str, Any]:
        """Say what a fresh page is, and know it from now on."""
        level, low, high, right, count, *rest = words
        if count > _TOLD:
            message = f"a page of {count} entries, of which {_TOLD} are told"
            raise UnfitError(message)
        base = [0] * (len(self.keys) + 1)  # for each key from 0 on
        for key, value in zip(rest[::2], rest[1::2], strict=True):
            marked = _MARK_BIT if level > 0 and value & _MARKED else 0
            base[self.rank(key)] = value if level == 0 else self.pid(value & _NO_PID) + marked
        self.numbers += 1
        last = right == _NO_PID
        told = {
            "page": self.numbers,
            "pid": self.pid(pid),
            "level": level,
            "low": self.rank(low),
            "high": 0 if last else self.rank(high),  # 0: no end
            "right": 0 if last else self.pid(right),
            "base": tuple(base),
        }
        page = _Page(self.numbers, pid, level, self.rank(low), told)
        self.pages[address] = self.mapped[pid] = page
        self.most_pages = max(self.most_pages, len(self.pages))
        self.alive += 1
        self.most_alive = max(self.most_alive, self.alive)
        return told

    def cut(self) -> None:
        """Note that it can be taken apart here, if the last such place is long ago."""
        last = self.cuts[-1].at if self.cuts else 0
        if len(self.entries) - last >= PIECE and not any(own.pinned for own in self.own.values()):
            self.cuts.append(Cut(len(self.entries), self.state(), {"objects": self.most_alive + 1}))
            self.most_alive = self.alive

    def state(self) -> dict[str, Any]:
        """Give what the spec has when nobody is pinned."""
        pages = tuple({**page.told, "log": tuple(page.log)} for page in self.mapped.values())
        return {
            "G": self.limbo.G,
            "pages": pages,
            "limbo": self.limbo.state(),
            "away": frozenset(self.limbo.away),
            "map": tuple(self.map.get(key, 0) for key in range(1, len(self.keys) + 1)),
        }

    def follow(self, event: Event, k: int) -> None:
        t = self.threads.setdefault(event.thread, len(self.threads) + 1)
        own = self.own.setdefault(t, _Thread())
        words = event.words
        match event.name:
            case "CALL":
                self.call(own, words)
            case "LOOK":
                own.looked = k
            case "LOAD_MAPPING":
                own.loads[words[1]] = (k, words[0])
            case "PUBLISH" if k not in self.lost:
                page = self.told(words[0], words[1], words[3:])
                if self.numbers > 1:
                    own.published.append(page)
            case "APPEND":
                self.append(own, t, words, k)
            case "RETIRE" if words[0] in self.pages:
                self.limbo.tags[self.pages[words[0]].number] = self.limbo.G
                self.put(k, "Retire", t, self.pages[words[0]].number)
            case "BURY":
                page_ = self.pages[words[0]]
                self.mapped.pop(page_.pid, None)
                self.limbo.buried[page_.number] = page_.pid
                self.put(k, "Bury", t, self.duty("bury", page_, page_.low, page_.pid, 1))
            case name if name in _SWAPS:
                self.swap(own, t, event, k)
            case name if name in _OTHERS:
                message = f"{name} is none of single keys"
                raise UnfitError(message)
            case _:
                self.follow_epochs(own, t, event, k)

    def follow_epochs(self, own: _Thread, t: int, event: Event, k: int) -> None:
        words = event.words
        match event.name:
            case "READ_EPOCH":
                own.pinned = True
                self.put(k, "Pin", t, own.call or _UPKEEP)
                own.call = None
            case "ANNOUNCE":
                own.registration, own.announced = words[0], k
                self.put(k, "Announce", t)
            case "ADVANCE_START":
                own.began, own.scanned = k, {}
            case "SCAN":
                own.scanned[words[0]] = k
            case "UNPIN" if own.pinned:
                own.pinned = False
                self.put(k, "Unpin", t, self.answers.get(k, 0))
                own.loads.clear()
                self.cut()
            case "COMMIT":
                self.limbo.advance()
                self.put(k, "Advance", t, self.late(own))
            case "FREE" if words[0] in self.pages:
                number = self.pages.pop(words[0]).number
                if number in self.limbo.tags:
                    self.alive -= self.limbo.free()
                self.put(k, "Free", t, number)
            case "RECYCLE_PID":
                if words[1] not in self.limbo.away:
                    self.alive -= self.limbo.free()
                self.limbo.away.discard(words[1])
                self.put(k, "RecyclePid", t, self.pid(words[1]))

    def late(self, advancer: _Thread) -> frozenset[int]:
        """Give the threads that have pinned since the advance looked at them.

        A registration that it did not meet had no pin when it began.
        """
        return frozenset(
            t
            for t, own in self.own.items()
            if own.pinned and own.announced > advancer.scanned.get(own.registration, advancer.began)
        )

    def call(self, own: _Thread, words: Sequence[int]) -> None:
        kind, *arguments = words
        if kind >= len(_KINDS):
            message = f"operation {kind} of the harness is none of single keys"
            raise UnfitError(message)
        name = _KINDS[kind]
        key, a, b = arguments
        own.call = {
            "kind": name,
            "key": self.rank(key),
            "expected": a if name == "compare_exchange" else 0,
            "val": {"put": a, "insert": a, "update": a, "compare_exchange": b}.get(name, 0),
        }

    def duty(
        self, kind: str, page: _Page, sep: int, target: int, above: int = 0, slot: int = 0
    ) -> dict[str, Any]:
        """Say what is written, into which slot of which page, and for which duty."""
        return {
            "page": page.number,
            "pid": page.pid,
            "slot": slot,
            "kind": kind,
            "sep": sep,
            "target": self.pid(target),
            "level": page.level + above,
        }

    def append(self, own: _Thread, t: int, words: Sequence[int], k: int) -> None:
        address, slot, kind, level, _, key, value = words
        page = self.pages[address]
        page.log.append(self.record(kind, level, key, value))
        if level == 0 and kind in (_PUT, _DELETE):
            what = self.duty("op", page, 0, 0, slot=slot)
            self.map[self.rank(key)] = value if kind == _PUT else 0
            self.put(k, "AppendSlot", t, what | {"record": page.log[-1]})
        elif kind == _PUT:
            post = self.duty("post", page, self.rank(key), value, slot=slot)
            # Alive means: loaded after the scan that found the slot.
            self.validated("CheckAlive", own, t, value, own.looked, post)
            self.put(k, "PostSeparator", t, post)
        elif kind == _DELETE:
            what = self.duty("delete", page, self.rank(key), value >> 32, slot=slot)
            self.put(k, "DeleteEntry", t, what)
        elif kind == _MARK:
            self.put(k, "MarkEntry", t, self.duty("mark", page, self.rank(key), value, slot=slot))
        elif kind == _MERGE:
            what = self.duty("merge", page, self.rank(key), value, 1, slot)
            self.put(k, "MergePage", t, what)
        elif kind == _REMOVE and page.low == 0:
            what = self.duty("shrink", page, 0, page.pid, 1, slot)
            self.validated("CheckRoot", own, t, 0, own.loads.get(page.pid, (k, 0))[0], what)
            self.put(k, "RemovePage", t, what)
        elif kind == _REMOVE:
            self.put(k, "RemovePage", t, self.duty("remove", page, page.low, page.pid, 1, slot))
        elif page.pid == 0 and level > 0:
            self.put(k, "FreezeRoot", t, self.duty("collapse", page, 0, 0, slot=slot))
        else:
            message = "a page is frozen unasked"
            raise UnfitError(message)

    def record(self, kind: int, level: int, key: int, value: int) -> tuple[str, int, int]:
        """Write a record as the spec does, page ids as the engine has them."""
        if kind in (_FREEZE, _REMOVE):
            return _WORDS[kind], 0, 0
        if kind == _DELETE:
            return "delete", self.rank(key), value >> 32 if level > 0 else 0
        return _WORDS.get(kind, "put"), self.rank(key), value

    def validated(
        self, action: str, own: _Thread, t: int, pid: int, after: int, what: dict[str, Any]
    ) -> None:
        """Tell of the load of ``pid``'s mapping entry, if it came ``after`` that event."""
        at, address = own.loads.get(pid, (-1, 0))
        if at > after:
            seen = self.pages[address].number if address in self.pages else 0
            self.put(at, action, t, what | {"seen": seen})

    def swap(self, own: _Thread, t: int, event: Event, k: int) -> None:
        old, pid, fresh, *what = event.words
        pages = sorted(own.published, key=lambda page: page["low"])
        number = self.pages[old].number
        if pages:
            # The leftmost piece keeps the page id, but in a root.
            cut = frozenset(page["low"] for page in pages) - {0}
            # Nobody has heard of them before the exchange, and what froze the page may have been
            # told late.
            self.put(k, "PublishRight", t, {"page": number, "cut": cut, "pages": tuple(pages)})
        own.published.clear()
        page = self.told(fresh, pid, what)
        self.put(k, _SWAPS[event.name], t, {"page": number, "fresh": page, "pages": tuple(pages)})


def _lost(events: Sequence[Event]) -> frozenset[int]:
    """Give the events by which pages were published that were never linked."""
    waiting: dict[int, list[int]] = {}
    found: set[int] = set()
    for k, event in enumerate(events):
        if event.name == "PUBLISH":
            waiting.setdefault(event.thread, []).append(k)
        elif event.name in _SWAPS:
            waiting.pop(event.thread, None)
        elif event.name in _LOST:
            found |= set(waiting.pop(event.thread, ()))
    return frozenset(found)


def _answers(events: Sequence[Event]) -> dict[int, int]:
    """Give what each call of one key saw, by the event at which its pin ends."""
    called: dict[int, tuple[int, ...]] = {}
    unpinned: dict[int, int] = {}
    found: dict[int, int] = {}
    for k, event in enumerate(events):
        if event.name == CALL:
            called[event.thread] = event.words
            unpinned.pop(event.thread, None)
        elif event.name == "UNPIN":
            unpinned[event.thread] = k
        elif event.name == ANSWER:
            kind, _, expected, _ = called.pop(event.thread)
            if kind < len(_KINDS) and event.thread in unpinned:
                saw = saw_of(_KINDS[kind], expected, *event.words)
                found[unpinned[event.thread]] = 0 if saw == "absent" else int(saw[1:])
    return found


def trace(events: Sequence[Event], name: str, limits: Mapping[str, int]) -> Trace:
    """Give the trace of an execution; ``limits``: `LIMITS` of the tree.

    Raises UnfitError if it is none of StructureModification's.
    """
    events = until_contents(events)
    keys = sorted(
        {event.words[1] for event in events if event.name == CALL and event.words[0] < len(_KINDS)}
    )
    reader = _Reader(
        {key: number for number, key in enumerate(keys, 1)}, _lost(events), _answers(events)
    )
    for k, event in enumerate(events):
        reader.follow(event, k)
    # Stable: what was found out later belongs in front of what came after it.
    entries = [entry for _, entry in sorted(reader.entries, key=lambda each: each[0])]
    return Trace(
        MODULE,
        name,
        {
            "threads": len(reader.threads),
            "keys": max(len(keys), 1),
            "pids": reader.most_pids,
            "objects": reader.most_pages + 1,
            **{option: limits[option] for option in LIMITS},
        },
        _START,
        tuple(entries),
        cuts=tuple(reader.cuts),
    )
