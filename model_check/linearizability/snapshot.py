"""Was each call, with all keys that it read and wrote, at one instant? The level above per key.

A history is *snapshot-linearizable* if there is one order of whole calls that keeps to their times
and in which each call reads, of every key that it says something about, what the map holds. Per key
(check.py) a scan may have seen each key at another instant; here it may not.

Values are unique, so what saw what is known, and four kinds of "must be before" hold in every such
order:

    version     a value's writer is before the call that consumed it
    read        a value's writer is before every call that saw it
    unread      a call that saw a value is before the call that consumed it
    time        a call that returned before another was invoked

If these have a cycle, no order exists, and the cycle is the explanation. Else an order that keeps
to them is replayed against a map. It can only go wrong where a call saw a key absent and the map
holds a value: then the call is before the value's life began, or behind its end. Both are tried,
each as one more edge, until a replay succeeds (its order is the proof) or every choice has led to a
cycle.
"""

from __future__ import annotations

import bisect
import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from model_check.linearizability.parts import NEVER
from model_check.recorder.native import Kind, Status
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from model_check.recorder.history import History, Record

#: Choices that are tried before the verdict is "unknown".
CHOICES = 500


class Call(NamedTuple):
    """A call as a whole: what it saw of each key, and what it left there; None is absent."""

    invoked: int
    responded: int | None
    reads: Mapping[int, int | None]
    writes: Mapping[int, int | None]
    text: str = ""


class Before(NamedTuple):
    """One call must be before another."""

    first: int
    second: int
    why: str


@dataclass(frozen=True)
class Snapshots:
    """The verdict: an order of the calls, or a cycle of what must be before what, or neither."""

    order: Sequence[int] | None = None
    cycle: Sequence[Before] = ()
    reason: str = ""  #: why it is not decided

    @property
    def ok(self) -> bool:
        """Tell whether an order was found."""
        return self.order is not None


def check_snapshots(
    calls: Sequence[Call], initial: Mapping[int, int] | None = None, *, choices: int = CHOICES
) -> Snapshots:
    """Look for one order of whole calls that explains what each saw.

    CannotRun where a value was written to a key twice, a call writes without saying what it saw, or
    a call never returned: then what saw what is not known.
    """
    return _Search(calls, dict(initial or {}), choices).decide()


@dataclass
class _Life:
    """A key's values from an insertion to the removal."""

    begin: int | None  #: call; None: it was there at first
    end: int | None = None  #: None: it stays
    values: set[int] = field(default_factory=set)


class _Search:
    def __init__(self, calls: Sequence[Call], initial: dict[int, int], choices: int) -> None:
        self.calls, self.initial, self.left = calls, initial, choices
        self.edges: list[Before] = []
        self.lives: dict[int, list[_Life]] = {}
        self.life_of: dict[tuple[int, int], _Life] = {}
        self.impossible: Snapshots | None = None
        self._ends = sorted({c.responded for c in calls if c.responded is not None})
        self._read_all()

    # ---- what must be before what, whatever is chosen

    def _read_all(self) -> None:
        writer: dict[tuple[int, int], int] = {}
        consumer: dict[tuple[int, int], int] = {}
        for number, call in enumerate(self.calls):
            if call.responded is None:
                raise CannotRun(f"{call.text or 'a call'} never returned: what it saw is unknown")
            for key, value in call.writes.items():
                if key not in call.reads:
                    raise CannotRun(f"{call.text or 'a call'} does not say what it replaced")
                if value is not None and ((key, value) in writer or self.initial.get(key) == value):
                    raise CannotRun(f"value {value} was written to key {key} twice")
                if value is not None:
                    writer[key, value] = number
        for number, call in enumerate(self.calls):
            for key, value in call.reads.items():
                if value is None:
                    continue
                if (key, value) in writer:
                    self._add(writer[key, value], number, f"wrote {key} = {value}, which it saw")
                elif self.initial.get(key) != value:
                    self._refuse(number, f"saw {key} = {value}, which nobody wrote")
                if key in call.writes:
                    if (key, value) in consumer:
                        other = consumer[key, value]
                        self._refuse(
                            number, f"consumed {key} = {value}, as {self._name(other)} did"
                        )
                    consumer[key, value] = number
        for number, call in enumerate(self.calls):
            for key, value in call.reads.items():
                if value is not None and consumer.get((key, value), number) != number:
                    self._add(number, consumer[key, value], f"saw {key} = {value} before it went")
        self._follow_lives(writer, consumer)
        self._settle_by_time()

    def _follow_lives(
        self, writer: dict[tuple[int, int], int], consumer: dict[tuple[int, int], int]
    ) -> None:
        begins: list[tuple[int, int, int | None]] = [
            (key, value, None) for key, value in self.initial.items()
        ]
        begins += [
            (key, value, number)
            for (key, value), number in writer.items()
            if self.calls[number].reads[key] is None
        ]
        for key, value, begin in begins:
            life, at = _Life(begin), value
            while True:
                life.values.add(at)
                self.life_of[key, at] = life
                life.end = consumer.get((key, at))
                following = None if life.end is None else self.calls[life.end].writes[key]
                if following is None or following in life.values:
                    break
                life.end, at = None, following
            self.lives.setdefault(key, []).append(life)

    def _settle_by_time(self) -> None:
        """Order calls that saw a key absent beside the lives that time puts before or behind."""
        for key, lives in self.lives.items():
            begun = sorted(
                (self.calls[life.begin].responded or 0 if life.begin is not None else -1, n)
                for n, life in enumerate(lives)
            )
            over = sorted(
                (self.calls[life.end].invoked, n)
                for n, life in enumerate(lives)
                if life.end is not None
            )
            for number, call in enumerate(self.calls):
                if call.reads.get(key, 0) is not None:
                    continue
                at = bisect.bisect_left(begun, (call.invoked, -1))
                if at > 0:
                    life = lives[begun[at - 1][1]]
                    if life.end is None:
                        self._refuse(number, f"saw key {key} absent, which nobody removed")
                    elif life.end != number:
                        self._add(life.end, number, f"removed {key}, which it saw absent")
                at = bisect.bisect_right(over, (call.responded or 0, len(lives)))
                if at < len(over):
                    life = lives[over[at][1]]
                    if life.begin is not None and life.begin != number:
                        self._add(number, life.begin, f"saw {key} absent before it came")

    def _add(self, first: int, second: int, why: str) -> None:
        if first != second:
            self.edges.append(Before(first, second, why))

    def _refuse(self, number: int, why: str) -> None:
        self.impossible = self.impossible or Snapshots(cycle=(Before(number, number, why),))

    def _name(self, number: int) -> str:
        return self.calls[number].text or f"call {number}"

    # ---- the search

    def decide(self) -> Snapshots:
        if self.impossible is not None:
            return self.impossible
        return self._decide([])

    def _decide(self, chosen: list[Before]) -> Snapshots:
        order, cycle = self._sort(chosen)
        if order is None:
            return Snapshots(cycle=cycle)
        wrong = self._replay(order)
        if wrong is None:
            return Snapshots(order=order)
        number, key, life = wrong
        ways = []
        if life.end is not None and life.end != number:
            ways.append(Before(life.end, number, f"removed {key}, which it saw absent"))
        if life.begin is not None and life.begin != number:
            ways.append(Before(number, life.begin, f"saw {key} absent before it came"))
        failed = Snapshots(
            cycle=(Before(number, number, f"saw key {key} absent, which it never was"),)
        )
        for way in ways:
            self.left -= 1
            if self.left < 0:
                return Snapshots(reason="too many choices")
            failed = self._decide([*chosen, way])
            if failed.ok or failed.reason:
                return failed
        return failed

    def _replay(self, order: Sequence[int]) -> tuple[int, int, _Life] | None:
        """Give the first call that sees a key absent which is there, and the life it meets."""
        state = dict(self.initial)
        for number in order:
            call = self.calls[number]
            for key, value in call.reads.items():
                if state.get(key) != value:
                    return number, key, self.life_of[key, state[key]]
            for key, value in call.writes.items():
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
        return None

    def _sort(self, chosen: Sequence[Before]) -> tuple[list[int] | None, tuple[Before, ...]]:
        """Sort by all edges; time is a chain of the moments at which calls returned."""
        count, moments = len(self.calls), len(self._ends)
        after: list[list[int]] = [[] for _ in range(count + moments)]
        for edge in (*self.edges, *chosen):
            after[edge.first].append(edge.second)
        for moment in range(moments - 1):
            after[count + moment].append(count + moment + 1)
        for number, call in enumerate(self.calls):
            after[number].append(count + bisect.bisect_left(self._ends, call.responded or 0))
            before = bisect.bisect_left(self._ends, call.invoked) - 1
            if before >= 0:
                after[count + before].append(number)
        waits = [0] * len(after)
        for targets in after:
            for target in targets:
                waits[target] += 1

        def time(node: int) -> int:
            return self.calls[node].invoked if node < count else self._ends[node - count]

        ready = [(time(node), node) for node, left in enumerate(waits) if left == 0]
        heapq.heapify(ready)
        order: list[int] = []
        done = 0
        while ready:
            _, node = heapq.heappop(ready)
            done += 1
            if node < count:
                order.append(node)
            for target in after[node]:
                waits[target] -= 1
                if waits[target] == 0:
                    heapq.heappush(ready, (time(target), target))
        if done == len(after):
            return order, ()
        return None, self._cycle(after, waits, (*self.edges, *chosen))

    def _cycle(
        self, after: list[list[int]], waits: list[int], edges: Sequence[Before]
    ) -> tuple[Before, ...]:
        """Give a cycle among the nodes that were never ready, without the moments between."""
        stuck = {node for node, left in enumerate(waits) if left > 0}
        came: dict[int, int] = {target: node for node in stuck for target in after[node]}
        node = next(iter(stuck))
        seen: list[int] = []
        while node not in seen:  # backward: each has one that is stuck before it
            seen.append(node)
            node = came[node]
        loop = seen[seen.index(node) :][::-1]
        loop = [at for at in loop if at < len(self.calls)]
        why = {(edge.first, edge.second): edge.why for edge in edges}
        return tuple(
            Before(first, second, why.get((first, second), "returned before it was invoked"))
            for first, second in zip(loop, [*loop[1:], loop[0]], strict=True)
        )


def explain_cycle(calls: Sequence[Call], cycle: Sequence[Before]) -> list[str]:
    """Say of each edge of a cycle what it is."""
    return [
        f"{calls[edge.first].text} {edge.why}"
        + ("" if edge.first == edge.second else f": before {calls[edge.second].text}")
        for edge in cycle
    ]


# ---------------------------------------------------------------------- recorded histories

#: What is left out: it says nothing of keys, or no more than per key.
_SILENT = {Kind.SIZE, Kind.UPKEEP, Kind.COUNT}
#: What changes many keys, each at its own instant.
_MANY = {Kind.PUT_MANY, Kind.CLEAR, Kind.DELETE_RANGE}


def whole_calls(history: History, describe: Callable[[Record, int], str]) -> list[Call]:
    """Give a recorded history's calls as wholes. CannotRun if it has calls that write many keys."""
    keys = {pair.key for pair in history.initial()}
    for lane in range(history.lane_count):
        for record in history.records(lane):
            if record.kind not in _SILENT:
                keys.add(record.key)
            if Kind.SCAN_FORWARD <= record.kind <= Kind.WALK_BACKWARD:
                keys |= {pair.key for pair in history.pairs(lane, record.seen, record.count)}
    ordered = sorted(keys)
    return [
        call
        for lane in range(history.lane_count)
        for record in history.records(lane)
        if (call := _whole(record, lane, history, ordered, describe(record, lane))) is not None
    ]


def _whole(
    record: Record, lane: int, history: History, keys: Sequence[int], text: str
) -> Call | None:
    kind, ok = Kind(record.kind), record.status == Status.OK
    end = None if record.responded == NEVER else record.responded
    if kind in _SILENT or kind is Kind.GET_MANY:
        return None
    if kind in _MANY:
        raise CannotRun(f"{text} changes many keys, each at its own instant: no snapshot order")
    reads: dict[int, int | None] = {}
    writes: dict[int, int | None] = {}
    if kind <= Kind.COMPARE_EXCHANGE:
        absent = ok if kind in {Kind.PUT, Kind.INSERT} else record.status == Status.NOT_FOUND
        reads[record.key] = None if absent else record.seen
        if kind is Kind.REMOVE and ok:
            writes[record.key] = None
        elif kind is Kind.PUT or (ok and kind is not Kind.GET):
            writes[record.key] = record.argument
        return Call(record.invoked, end, reads, writes, text)
    low, high, found = _range(
        record,
        kind,
        history.pairs(lane, record.seen, record.count)
        if kind >= Kind.SCAN_FORWARD and kind <= Kind.WALK_BACKWARD
        else [],
    )
    first = bisect.bisect_left(keys, low)
    reads = dict.fromkeys(keys[first : bisect.bisect_right(keys, high)])
    reads.update(found)
    if kind in {Kind.POP_FIRST, Kind.POP_LAST}:
        writes = dict.fromkeys(found)
    return Call(record.invoked, end, reads, writes, text)


def _range(
    record: Record, kind: Kind, pairs: Sequence[tuple[int, int]]
) -> tuple[int, int, dict[int, int]]:
    """Give which keys a read of many passed over, and what it found there (ranges.c)."""
    top = NEVER
    if kind in {Kind.SCAN_FORWARD, Kind.SCAN_BACKWARD, Kind.WALK_FORWARD, Kind.WALK_BACKWARD}:
        down = kind in {Kind.SCAN_BACKWARD, Kind.WALK_BACKWARD}
        walk = kind in {Kind.WALK_FORWARD, Kind.WALK_BACKWARD}
        limit = record.argument if not walk else 0 if down else top
        last = limit if record.count < record.expected or not pairs else pairs[-1][0]
        return (last, record.key, dict(pairs)) if down else (record.key, last, dict(pairs))
    pops = kind in {Kind.POP_FIRST, Kind.POP_LAST}
    at = record.key if pops else record.argument
    found = {at: record.seen} if record.status == Status.OK else {}
    if kind in {Kind.FLOOR, Kind.LOWER, Kind.LAST, Kind.POP_LAST}:
        high = record.key if kind in {Kind.FLOOR, Kind.LOWER} else top
        high -= kind is Kind.LOWER
        return (at if found else 0), high, found
    low = record.key if kind in {Kind.CEILING, Kind.HIGHER} else 0
    low += kind is Kind.HIGHER
    return low, (at if found else top), found
