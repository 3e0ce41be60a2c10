"""A checker of the map as one object, for histories of a few dozen calls.

Checking key by key is complete for calls on one key, but it lets the keys of one call have
different instants. Pops and navigation promise one instant for all keys: this search demands it.
It also demands that a deletion took exactly as many keys as it says, and that a count is possible.
After Wing and Gong (1993) with the memory of Lowe (2017), as the oracle; the state is the map.

A call is *atomic* (one key, navigation, pops, each part of a batch) or *loose* (scans, counts,
deletions: each key at some instant of the call). A loose call is settled bit by bit: what a key
is at an instant when the call is in flight is noted, and it is done as soon as what was noted
explains its answer. An atomic call that changes nothing takes effect as soon as it fits. Both
exclude nothing; only changes are tried in every order: mutators, and which key a deletion takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from model_check.recorder.native import BLIND, PRESENT, Kind, Status
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from model_check.recorder.history import History, Pair, Record

#: States tried before the search is given up.
LIMIT = 500_000
_MOST = 2**64 - 1
_POINTS = frozenset(Kind(k) for k in range(Kind.COMPARE_EXCHANGE + 1)) | {
    Kind.GET_MANY, Kind.PUT_MANY,
}  # fmt: skip
_DOWN = frozenset({Kind.FLOOR, Kind.LOWER, Kind.LAST, Kind.POP_LAST})
_POPS = frozenset({Kind.POP_FIRST, Kind.POP_LAST})
_DELETIONS = frozenset({Kind.CLEAR, Kind.DELETE_RANGE})

#: The values of all keys, in order; None is absent.
State = tuple[int | None, ...]


class Event(NamedTuple):
    """One step of an order that explains a history.

    ``key`` is None where the whole call takes effect, and the key where a deletion takes one.
    """

    lane: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    record: Record
    key: int | None = None


@dataclass(frozen=True)
class _Call:
    """A call with what it concerns: ranks of keys, as bits."""

    lane: int
    index: int
    record: Record
    covered: int = 0  #: keys that a loose call speaks of
    found: tuple[tuple[int, int], ...] = ()  #: (rank, value) of the entries that a scan returned

    @property
    def loose(self) -> bool:
        kind = self.record.kind
        return kind >= Kind.SCAN_FORWARD and kind not in _POINTS | _POPS


#: What was noted of a loose call in flight: keys absent, keys present (as a scan returned them),
#: keys taken.
Noted = tuple[int, int, int]


class _Node(NamedTuple):
    done: int
    state: State
    noted: tuple[tuple[int, Noted], ...]


class _Search:
    def __init__(self, history: History) -> None:
        records = [
            (lane, index, record)
            for lane in range(history.lane_count)
            for index, record in enumerate(history.records(lane))
            if record.kind not in {Kind.SIZE, Kind.UPKEEP}
        ]
        initial = {pair.key: pair.value for pair in history.initial()}
        keys = set(initial)
        for lane, _, record in records:
            keys |= _keys_of(record, history.pairs(lane))
        self.keys = sorted(keys)
        self.rank = {key: rank for rank, key in enumerate(self.keys)}
        self.start: State = tuple(initial.get(key) for key in self.keys)
        self.calls = [
            self._call(lane, index, record, history.pairs(lane)) for lane, index, record in records
        ]
        # Those that must be over first are tried first.
        self.calls.sort(key=lambda call: (call.record.responded, call.record.invoked))

    def _call(self, lane: int, index: int, record: Record, pairs: Sequence[Pair]) -> _Call:
        kind = Kind(record.kind)
        if kind in _DELETIONS | {Kind.COUNT}:
            low, high = (0, _MOST) if kind is Kind.CLEAR else (record.key, record.argument)
            return _Call(lane, index, record, self._bits(low, high))
        if not Kind.SCAN_FORWARD <= kind <= Kind.WALK_BACKWARD:
            return _Call(lane, index, record)
        entries = pairs[record.seen : record.seen + record.count]
        down = kind in {Kind.SCAN_BACKWARD, Kind.WALK_BACKWARD}
        walks = kind in {Kind.WALK_FORWARD, Kind.WALK_BACKWARD}
        limit = (0 if down else _MOST) if walks else record.argument
        if record.count == record.expected and entries:
            limit = entries[-1].key
        low, high = (limit, record.key) if down else (record.key, limit)
        found = tuple((self.rank[pair.key], pair.value) for pair in entries)
        return _Call(lane, index, record, self._bits(low, high), found)

    def _bits(self, low: int, high: int) -> int:
        return sum(1 << rank for rank, key in enumerate(self.keys) if low <= key <= high)

    # ---- atomic calls

    def apply(self, call: _Call, state: State) -> State | None:
        """Give the state behind an atomic call, None where its answer is not possible."""
        record, kind = call.record, Kind(call.record.kind)
        if kind in _POINTS:
            rank = self.rank[record.key]
            possible, after = _point(record, kind, state[rank])
            return _with(state, rank, after) if possible else None
        at = self._answer(record, kind, state)
        if at is None:
            return state if record.status == Status.NOT_FOUND else None
        key = record.key if kind in _POPS else record.argument
        if (record.status, key, record.seen) != (Status.OK, self.keys[at], state[at]):
            return None
        return _with(state, at, None) if kind in _POPS else state

    def _answer(self, record: Record, kind: Kind, state: State) -> int | None:
        """Give the rank that navigation finds."""
        low, high = {
            Kind.FLOOR: (0, record.key),
            Kind.LOWER: (0, record.key - 1),
            Kind.CEILING: (record.key, _MOST),
            Kind.HIGHER: (record.key + 1, _MOST),
        }.get(kind, (0, _MOST))
        ranks: Iterable[int] = range(len(state))
        for rank in reversed(list(ranks)) if kind in _DOWN else ranks:
            if state[rank] is not None and low <= self.keys[rank] <= high:
                return rank
        return None

    # ---- loose calls

    @staticmethod
    def note(call: _Call, state: State, noted: Noted) -> Noted:
        """Add what the keys are now."""
        absent, present, taken = noted
        wanted = dict(call.found)
        for rank, value in enumerate(state):
            if not call.covered >> rank & 1:
                continue
            if value is None:
                absent |= 1 << rank
            elif call.record.kind == Kind.COUNT or wanted.get(rank) == value:
                present |= 1 << rank
        return absent, present, taken

    @staticmethod
    def explained(call: _Call, noted: Noted) -> bool:
        """Tell whether what was noted explains what the call gave back."""
        absent, present, taken = noted
        record = call.record
        if record.kind in _DELETIONS:
            return (absent | taken) == call.covered and taken.bit_count() == record.seen
        if record.kind == Kind.COUNT:
            least = (call.covered & ~absent).bit_count()
            return least <= record.seen <= present.bit_count()
        found = sum(1 << rank for rank, _ in call.found)
        return present == found and (call.covered & ~found & ~absent) == 0

    # ---- the search

    def settle(self, node: _Node) -> tuple[_Node, list[Event], list[int]]:
        """Do all that excludes nothing: gives the node, what took effect, and what is in flight."""
        done, state, events = node.done, node.state, list[Event]()
        noted = dict(node.noted)
        while True:
            left = [i for i in range(len(self.calls)) if not done >> i & 1]
            end = min((self.calls[i].record.responded for i in left), default=0)
            flying = [i for i in left if self.calls[i].record.invoked <= end]
            before = done
            for i in flying:
                call = self.calls[i]
                if call.loose:
                    noted[i] = self.note(call, state, noted.get(i, (0, 0, 0)))
                    if self.explained(call, noted[i]):
                        done |= 1 << i
                        del noted[i]
                elif self.apply(call, state) == state:
                    done |= 1 << i
                    events.append(Event(call.lane, call.index, call.record))
            if done == before:
                return _Node(done, state, tuple(sorted(noted.items()))), events, flying

    def branches(self, node: _Node, flying: list[int]) -> Iterator[tuple[_Node, Event]]:
        """Give every change that may come next."""
        for i in flying:
            call = self.calls[i]
            if not call.loose:
                after = self.apply(call, node.state)
                if after is not None:
                    event = Event(call.lane, call.index, call.record)
                    yield node._replace(done=node.done | 1 << i, state=after), event
            elif call.record.kind in _DELETIONS:
                noted = dict(node.noted)
                absent, present, taken = noted[i]
                for rank, value in enumerate(node.state):
                    bit = 1 << rank
                    if value is None or not call.covered & ~taken & bit:
                        continue
                    if taken.bit_count() < call.record.seen:
                        noted[i] = absent, present, taken | bit
                        after = _with(node.state, rank, None)
                        event = Event(call.lane, call.index, call.record, self.keys[rank])
                        yield _Node(node.done, after, tuple(sorted(noted.items()))), event

    def run(self, limit: int) -> list[Event] | None:
        everything = (1 << len(self.calls)) - 1
        tried: set[_Node] = set()
        # A node, how it was reached: the events of its last step, and the step before.
        stack: list[tuple[_Node, tuple[object, list[Event]] | None]] = [
            (_Node(0, self.start, ()), None)
        ]
        while stack:
            reached, way = stack.pop()
            node, events, flying = self.settle(reached)
            here = (way, events)
            if node.done == everything:
                return _unwind(here)
            if node in tried:
                continue
            tried.add(node)
            if len(tried) > limit:
                raise CannotRun(
                    f"more than {limit:,} states of the whole map: check a shorter history"
                )
            for after, event in reversed(list(self.branches(node, flying))):
                stack.append((after, (here, [event])))
        return None


def find_whole_order(history: History, *, limit: int = LIMIT) -> list[Event] | None:
    """Give an order of the changes and atomic reads of all keys that explains ``history``.

    None if there is none: then pops or navigation did not take effect at one instant, a deletion
    took another number of keys than it says, or the history is not linearizable key by key.
    Exponential in what overlaps; CannotRun beyond ``limit`` states.
    """
    return _Search(history).run(limit)


def _keys_of(record: Record, pairs: Sequence[Pair]) -> set[int]:
    kind = Kind(record.kind)
    if kind in _POINTS:
        return {record.key}
    if kind in _POPS:
        return {record.key} if record.status == Status.OK else set()
    if kind <= Kind.LAST:
        return {record.argument} if record.status == Status.OK else set()
    if kind <= Kind.WALK_BACKWARD:
        return {pair.key for pair in pairs[record.seen : record.seen + record.count]}
    return set()


def _with(state: State, rank: int, value: int | None) -> State:
    return (*state[:rank], value, *state[rank + 1 :])


def _point(record: Record, kind: Kind, value: int | None) -> tuple[bool, int | None]:
    """Tell whether a call on one key may answer as it did, and the value behind it."""
    ok = record.status == Status.OK
    saw = value is not None and value == record.seen
    if kind is Kind.PUT_MANY:
        possible = {BLIND: True, PRESENT: value is not None}.get(record.flags, value is None)
        return possible, record.argument
    if kind in {Kind.PUT, Kind.INSERT}:
        writes = ok or kind is Kind.PUT
        return value is None if ok else saw, record.argument if writes else value
    if record.status == Status.NOT_FOUND:
        return value is None, value
    if kind is Kind.COMPARE_EXCHANGE:
        return saw and (record.seen == record.expected) == ok, record.argument if ok else value
    return saw, {Kind.UPDATE: record.argument, Kind.REMOVE: None}.get(kind, value)


def _unwind(way: object) -> list[Event]:
    """Collect the events of all steps, first to last."""
    steps: list[list[Event]] = []
    while way is not None:
        assert isinstance(way, tuple)
        way, events = way
        steps.append(events)
    return [event for events in reversed(steps) for event in events]
