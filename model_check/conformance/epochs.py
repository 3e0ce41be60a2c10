"""Executions of the engine as traces of spec/TraceEpochReclamation.tla.

The spec has one shared pointer; the engine has one for each page id. So each page id gives a trace
of its own: all pins, all attempts to advance the epoch, and what happens to this page id's pages.
Another page under the same page id, after it was given back, begins another trace.

A thread of the spec is a registration of the engine's (threads take over those of threads that
have ended). A registration that an advance does not meet had no pin yet when the list was read, so
it is scanned at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from model_check.conformance.trace import PIECE, Cut, Entry, Event, Trace

MODULE = "TraceEpochReclamation"

#: Events by which a mapping entry gets another page.
SWAPS = frozenset(("INSTALL", "SPLIT", "INSTALL_RUN", "DROP", "UNITE", "COLLAPSE", "BURY"))


@dataclass
class _Clockwork:
    """What all traces of an execution share: the epoch, the pins, the attempts to advance."""

    threads: int
    G: int = 1
    seen: list[int] = field(default_factory=list)
    announced: list[int] = field(default_factory=list)
    pub: list[int] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    scanned: list[set[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("seen", "announced", "pub", "epoch"):
            setattr(self, name, [0] * self.threads)
        self.scanned = [set() for _ in range(self.threads)]

    def quiet(self) -> bool:
        """Tell whether nobody is pinned or about to be, or moves the epoch."""
        return not (any(self.seen) or any(self.announced) or any(self.epoch))

    def state(self) -> dict[str, object]:
        return {
            "G": self.G,
            "seen": tuple(self.seen),
            "announced": tuple(self.announced),
            "pub": tuple(self.pub),
            "advance": tuple(
                {"epoch": epoch, "scanned": frozenset(scanned)}
                for epoch, scanned in zip(self.epoch, self.scanned, strict=True)
            ),
        }

    def take(self, entry: Entry) -> None:
        """Follow an entry that all traces have."""
        numbers: list[int] = [*entry.values, 0, 0]
        t, rest = numbers[0] - 1, numbers[1:]
        match entry.action:
            case "ReadEpoch":
                self.seen[t] = rest[0]
            case "Announce":
                self.announced[t], self.pub[t], self.seen[t] = rest[0], self.G, 0
            case "Unpin":
                self.announced[t] = self.pub[t] = 0
            case "AdvanceStart":
                self.epoch[t], self.scanned[t] = rest[0], set()
            case "Scan":
                self.scanned[t].add(rest[0])
            case "ScanBlocked" | "ScanLate" | "CommitLost":
                self.epoch[t], self.scanned[t] = 0, set()
            case "Commit":
                self.epoch[t], self.scanned[t] = 0, set()
                self.G = rest[0] + 1


#: Events that say which registration their thread works with.
_OWN = frozenset(("READ_EPOCH", "ANNOUNCE", "UNPIN", "ADVANCE_START", "COMMIT", "COMMIT_LOST"))


class _Threads:
    """Registrations by number, from 1, and which one a thread works with."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.number: dict[int, int] = {}
        self.of: list[int] = []  # for each event: the registration of its thread, 0 if unknown
        current: dict[int, int] = {}
        for event in events:
            if event.name in _OWN or event.name.startswith("SCAN"):
                number = self.number.setdefault(event.words[0], len(self.number) + 1)
                if event.name in _OWN:
                    current[event.thread] = number
            self.of.append(current.get(event.thread, 0))


def _common(events: Sequence[Event], threads: _Threads) -> list[list[Entry]]:
    """Give for each event the entries that all traces have of it."""
    entries: list[list[Entry]] = [[] for _ in events]
    pinned: set[int] = set()
    began: dict[int, int] = {}  # an advancing registration, and the event with which it began
    met: dict[int, set[int]] = {}
    for k, event in enumerate(events):
        t = threads.of[k]
        number = threads.number.get(event.words[0], 0) if event.words else 0
        match event.name:
            case "READ_EPOCH":
                entries[k].append(Entry("ReadEpoch", (t, event.words[1]), k))
            case "ANNOUNCE":
                pinned.add(t)
                entries[k].append(Entry("Announce", (t, event.words[1]), k))
            case "UNPIN":
                if t in pinned:
                    pinned.discard(t)
                    entries[k].append(Entry("Unpin", (t,), k))
            case "ADVANCE_START":
                began[t], met[t] = k, set()
                entries[k].append(Entry("AdvanceStart", (t, event.words[1]), k))
            case "SCAN":
                met[t].add(number)
                entries[k].append(Entry("Scan", (t, number, event.words[2]), k))
            case "SCAN_BLOCKED":
                entries[k].append(Entry("ScanBlocked", (t, number, event.words[2]), k))
            case "SCAN_LATE":
                entries[k].append(Entry("ScanLate", (t, number, event.words[2]), k))
            case "COMMIT" | "COMMIT_LOST":
                action = "Commit" if event.name == "COMMIT" else "CommitLost"
                entries[k].append(Entry(action, (t, event.words[1]), k))
                for other in sorted(set(threads.number.values()) - met[t]):
                    entries[began[t]].append(Entry("Scan", (t, other, 0), began[t]))
    return entries


@dataclass
class _Cell:
    """One page id under which a page was published, and what has become of its pages."""

    pid: int
    start: dict[str, object]
    entries: list[Entry] = field(default_factory=list)
    objects: dict[int, int] = field(default_factory=dict)  # address to object
    linked: int = 0  # the address of the page that is mapped
    held: dict[int, set[int]] = field(default_factory=dict)
    bags: dict[int, set[int]] = field(default_factory=dict)  # open ones
    limbo: dict[int, int] = field(default_factory=dict)  # sealed objects, with their tags
    cuts: list[Cut] = field(default_factory=list)
    most: int = 1
    lost: bool = False  # its page was never reachable
    over: bool = False  # the page id has no page any more

    def fresh(self, address: int) -> int:
        used = set(self.objects.values())
        number = next(o for o in range(1, len(used) + 2) if o not in used)
        self.objects[address] = number
        self.most = max(self.most, number)
        return number

    def follow(self, event: Event, t: int, k: int) -> None:
        """Follow an event about pages."""
        address = event.words[0]
        if event.name == "LOAD_MAPPING" and event.words[1] == self.pid and not self.over:
            o = self.objects.get(address)
            if o is not None and o not in self.held.setdefault(t, set()):
                self.held[t].add(o)
                self.entries.append(Entry("Acquire", (t, o), k))
        elif event.name in SWAPS and event.words[1] == self.pid and address in self.objects:
            self.linked = event.words[2]
            self.entries.append(Entry("Unlink", (t, self.fresh(self.linked)), k))
            self.over = event.name == "BURY"
        elif event.name == "RETIRE" and address in self.objects:
            if address == self.linked:
                self.lost = True
                return
            o = self.objects[address]
            self.bags.setdefault(t, set()).add(o)
            self.entries.append(Entry("Retire", (t, o), k))
        elif event.name == "TAG" and self.bags.get(t):
            self.limbo |= dict.fromkeys(self.bags.pop(t), event.words[1])
            self.entries.append(Entry("Tag", (t, event.words[1]), k))
        elif event.name == "FREE" and self.objects.get(address) in self.limbo:
            o = self.objects.pop(address)
            del self.limbo[o]
            self.entries.append(Entry("Free", (o, event.words[1], event.words[2]), k))

    def state(self) -> dict[str, object] | None:
        """Give what has become of the pages; None while one is unlinked and not yet retired."""
        status, owner, tag = {self.objects[self.linked]: "linked"}, dict[int, int](), self.limbo
        for t, bag in self.bags.items():
            status |= dict.fromkeys(bag, "bagged")
            owner |= dict.fromkeys(bag, t)
        status |= dict.fromkeys(self.limbo, "sealed")
        if len(status) < len(self.objects):
            return None
        numbers = range(1, max(status) + 1)
        return {
            "entry": self.objects[self.linked],
            "status": tuple(status.get(o, "unused") for o in numbers),
            "owner": tuple(owner.get(o, 0) for o in numbers),
            "tag": tuple(tag.get(o, 0) for o in numbers),
        }

    def cut(self, clockwork: _Clockwork) -> None:
        """Note that it can be taken apart here, if the last such place is long ago."""
        last = self.cuts[-1].at if self.cuts else 0
        if len(self.entries) - last < PIECE or not clockwork.quiet():
            return
        mine = self.state()
        if mine is not None:
            self.cuts.append(Cut(len(self.entries), {**clockwork.state(), **mine}))

    def take(self, entry: Entry) -> None:
        """Take an entry that all traces have."""
        self.entries.append(entry)
        if entry.action == "Unpin":
            self.held.pop(entry.values[0], None)


def traces(events: Sequence[Event], name: str) -> list[Trace]:
    """Give the traces of an execution, one for each page id that a page was published under.

    Left out are pages that no other thread could ever reach (the halves of a split that was lost).
    """
    threads = _Threads(events)
    common = _common(events, threads)
    count = max(len(threads.number), 1)
    clockwork = _Clockwork(count)
    cells: list[_Cell] = []
    for k, event in enumerate(events):
        for entry in common[k]:
            clockwork.take(entry)
            for cell in cells:
                cell.take(entry)
        if event.name == "UNPIN":
            for cell in cells:
                cell.cut(clockwork)
        if event.name in _OWN or event.name.startswith("SCAN"):
            continue
        for cell in cells:
            cell.follow(event, threads.of[k], k)
        if event.name == "PUBLISH":
            for cell in cells:
                cell.over = cell.over or cell.pid == event.words[1]
            cell = _Cell(event.words[1], {})
            cell.linked = event.words[0]
            cell.fresh(cell.linked)
            cell.start = {**clockwork.state(), **(cell.state() or {})}
            cells.append(cell)
    return [
        Trace(
            MODULE,
            f"{name}, page id {cell.pid}",
            {"threads": count, "objects": cell.most},
            cell.start,
            tuple(cell.entries),
            cuts=tuple(cell.cuts),
        )
        for cell in cells
        if not cell.lost and any(entry.action == "Unlink" for entry in cell.entries)
    ]
