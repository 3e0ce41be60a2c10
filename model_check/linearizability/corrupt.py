"""Nineteen ways to corrupt a history, each certain to make it one that no order explains.

A checker that never says no has shown nothing. Each corruption looks for places in a right
history where it *must* be visible, by an argument about unique values: a value is written
once, so once an operation has consumed it (replaced or removed it) it never comes back, and
its life lies between its writer and its consumer. W: writes v; C: consumed v; R: read v;
``<`` is "responded before the other was invoked".

    swapped results     R1 saw a, R2 saw b, C replaced a by b, R1 < R2: exchange what they saw
    lost update         C1 consumed a and wrote b, C2 consumed b: let C2 have consumed a as well
    stale read          C consumed a, C < R: let R have seen a
    resurrected delete  C removed a, C < R, R saw absent: let R have seen a
    duplicated insert   W < R < C, R saw v: let R have been an insert that succeeded
    time shift          R saw a, C consumed a: move R behind C's response
    dropped operation   R saw a value that W wrote: remove W
    exchanged pops      P1 and P2 popped a key with values a and b, P1 < writer of b: exchange
                        the values that they gave back
    pop past a key      P popped a key as the first (last) of the map while another was there
                        throughout, W < P < C: let it have been popped as the last (first)
    pop finds nothing   W < R < C, R saw v: let R have been a pop that found the map empty
    deletion leaves     W < D < C: let the range that D deleted end at, or begin with, that key
    deletion miscounts  let a deletion say that it removed one key more
    early read          R saw what W wrote: move R before W's invocation
    phantom value       let R have seen a value that nobody wrote
    miss                W < R < C, R saw v: let R have found nothing
    removed twice       C removed a, a later remove found nothing: let it have removed a
    exchanged values    W1 wrote a, R saw a, R < W2 and W2 wrote b: exchange what they wrote
    torn page read      W1 replaced a at one key, W1 < W2 and W2 wrote at another, and one page read
                        saw what both wrote: let it have begun with W1, and have seen a
    torn walk           the same where an earlier page read of the walk saw what W2 wrote

After the last two each key for itself is still right: the value replaced was there when W1 began.

The number of a deletion is certain only if every call tells what it saw: all values that nobody
names and that are gone at the end were then taken by deletions, each by one (deletions.h).
"""

from __future__ import annotations

import bisect
import random
from typing import TYPE_CHECKING, NamedTuple

from model_check.recorder.history import History, Pair, Record
from model_check.recorder.native import BLIND, PAGED, PRESENT, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

#: A value no recorder writes: thread number + 1 in the top 16 bits would be 65535.
_NOBODYS = 0xFFFF << 48


class Place(NamedTuple):
    """A record and where it stands."""

    lane: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    record: Record


class Corruption(NamedTuple):
    """A history that must be rejected, and what was done to it."""

    name: str
    history: History
    detail: str


_READS = frozenset({Kind.GET})
_POPS = frozenset({Kind.POP_FIRST, Kind.POP_LAST})


def _written(record: Record) -> int | None:
    """Give the value that the operation wrote, None if it wrote none."""
    kind, ok = record.kind, record.status == Status.OK
    writes = kind in {Kind.PUT, Kind.PUT_MANY} or (
        ok and kind in {Kind.INSERT, Kind.UPDATE, Kind.COMPARE_EXCHANGE}
    )
    return record.argument if writes else None


def _consumed(record: Record) -> int | None:
    """Give the value that the operation replaced or removed, None if none or unknown."""
    kind, status = record.kind, record.status
    if kind == Kind.PUT:
        return record.seen if status == Status.EXISTS else None
    takes = _POPS | {Kind.UPDATE, Kind.REMOVE, Kind.COMPARE_EXCHANGE}
    consumes = status == Status.OK and kind in takes
    return record.seen if consumes else None


class Index:
    """Who wrote, consumed and read which value, and which reads found nothing."""

    def __init__(self, history: History, dice: random.Random, share: int = 1) -> None:
        """Go through every record once; ``dice`` chooses the order of :meth:`consumptions`.

        Of long histories one key in ``share`` is enough.
        """
        self.writer: dict[tuple[int, int], Place] = {}
        self.consumer: dict[tuple[int, int], Place] = {}
        self.readers: dict[tuple[int, int], list[Place]] = {}
        self.misses: dict[int, list[Place]] = {}
        self.failed_removes: dict[int, list[Place]] = {}
        self.pops: list[Place] = []
        self.deletions: list[Place] = []
        self.walks: list[Place] = []
        self.history = history
        self.blind = False  #: some call does not tell what it replaced
        for lane in range(history.lane_count):
            for index, record in enumerate(history.records(lane)):
                self.blind = self.blind or record.flags & (BLIND | PRESENT) != 0
                if share == 1 or record.key * 0x9E3779B97F4A7C15 % 2**64 % share == 0:
                    self._note(Place(lane, index, record))
        for places in self.misses.values():
            places.sort(key=lambda place: place.record.invoked)
        for places in (self.pops, self.deletions):
            places.sort(key=lambda place: place.record.invoked)
        dice.shuffle(self.walks)
        self._consumers = list(self.consumer.items())
        dice.shuffle(self._consumers)
        self.reads = list(self.readers.items())
        dice.shuffle(self.reads)

    def miss_after(self, consumer: Place) -> Place | None:
        """Give the first read of the key that found nothing and began after ``consumer``."""
        key, responded = consumer.record.key, consumer.record.responded
        places = self.misses.get(key, [])
        at = bisect.bisect_right([place.record.invoked for place in places], responded)
        return places[at] if at < len(places) else None

    def within(self, places: list[Place]) -> Iterator[tuple[int, int, Place]]:
        """Give (key, value, place) where the value was there from before the place until after it.

        Of ``places``, which are in order of time, at most one for each value.
        """
        begins = [place.record.invoked for place in places]
        for key, value, consumer in self.consumptions():
            writer = self.writer.get((key, value))
            if writer is None:
                continue
            at = bisect.bisect_right(begins, writer.record.responded)
            if at < len(places) and _before(places[at], consumer):
                yield key, value, places[at]

    def _note(self, place: Place) -> None:
        record = place.record
        written, consumed = _written(record), _consumed(record)
        if written is not None:
            self.writer[record.key, written] = place
        if consumed is not None:
            self.consumer[record.key, consumed] = place
        if record.kind in _READS and record.status == Status.OK:
            self.readers.setdefault((record.key, record.seen), []).append(place)
        if record.kind in _READS and record.status == Status.NOT_FOUND:
            self.misses.setdefault(record.key, []).append(place)
        if record.kind in _POPS and record.status == Status.OK:
            self.pops.append(place)
        if record.kind == Kind.DELETE_RANGE:
            self.deletions.append(place)
        if record.flags & PAGED and Kind.SCAN_FORWARD <= record.kind <= Kind.WALK_BACKWARD:
            self.walks.append(place)
        if record.kind == Kind.REMOVE and record.status == Status.NOT_FOUND:
            self.failed_removes.setdefault(record.key, []).append(place)

    def consumptions(self) -> Iterator[tuple[int, int, Place]]:
        """Give (key, value, consumer) for each consumed value, in random order."""
        for (key, value), place in self._consumers:
            yield key, value, place


def _before(first: Place, second: Place) -> bool:
    return first.record.responded < second.record.invoked


def _swapped_results(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, value, consumer in index.consumptions():
        following = _written(consumer.record)
        if following is None:
            continue
        for first in index.readers.get((key, value), ()):
            for second in index.readers.get((key, following), ()):
                if _before(first, second):
                    yield first, second


def _lost_update(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, _, first in index.consumptions():
        following = _written(first.record)
        second = None if following is None else index.consumer.get((key, following))
        if second is not None:
            yield second, first


def _stale_read(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, _, consumer in index.consumptions():
        following = _written(consumer.record)
        if following is None:
            continue
        for read in index.readers.get((key, following), ()):
            if _before(consumer, read):
                yield read, consumer


def _resurrected_delete(index: Index) -> Iterator[tuple[Place, ...]]:
    for _, _, consumer in index.consumptions():
        read = index.miss_after(consumer) if consumer.record.kind == Kind.REMOVE else None
        if read is not None:
            yield read, consumer


def _duplicated_insert(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, value, consumer in index.consumptions():
        writer = index.writer.get((key, value))
        if writer is None:
            continue
        for read in index.readers.get((key, value), ()):
            if _before(writer, read) and _before(read, consumer):
                yield (read,)


def _time_shift(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, value, consumer in index.consumptions():
        for read in index.readers.get((key, value), ()):
            yield read, consumer


def _early_read(index: Index) -> Iterator[tuple[Place, ...]]:
    for (key, value), readers in index.reads:
        writer = index.writer.get((key, value))
        if writer is not None and readers and writer.record.invoked > 0:
            yield readers[0], writer


def _any_read(index: Index) -> Iterator[tuple[Place, ...]]:
    for _, readers in index.reads:
        yield (readers[0],)


def _dropped_operation(index: Index) -> Iterator[tuple[Place, ...]]:
    for (key, value), readers in index.reads:
        writer = index.writer.get((key, value))
        if writer is not None and readers:
            yield (writer,)


def _exchanged_pops(index: Index) -> Iterator[tuple[Place, ...]]:
    last: dict[int, Place] = {}
    for pop in index.pops:
        earlier = last.get(pop.record.key)
        writer = index.writer.get((pop.record.key, pop.record.seen))
        if earlier is not None and writer is not None and _before(earlier, writer):
            yield earlier, pop
        last[pop.record.key] = pop


def _pop_past_a_key(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, _, pop in index.within(index.pops):
        if key != pop.record.key:
            yield (pop,)


def _deletion_leaves_a_key(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, value, deletion in index.within(index.deletions):
        yield deletion, index.consumer[key, value]


def _deletion_miscounts(index: Index) -> Iterator[tuple[Place, ...]]:
    if not index.blind:
        for deletion in index.deletions:
            yield (deletion,)


def _removed_twice(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, _, consumer in index.consumptions():
        if consumer.record.kind != Kind.REMOVE:
            continue
        for place in index.failed_removes.get(key, ()):
            if _before(consumer, place):
                yield place, consumer


def _exchanged_values(index: Index) -> Iterator[tuple[Place, ...]]:
    for key, value, consumer in index.consumptions():
        first = index.writer.get((key, value))
        second = _written(consumer.record)
        if first is None or second is None or consumer.record.kind == Kind.PUT_MANY:
            continue
        for read in index.readers.get((key, value), ()):
            if _before(read, consumer) and first.record.kind != Kind.PUT_MANY:
                yield first, consumer


def _torn(index: Index, *, walk: bool) -> Iterator[tuple[Place, ...]]:
    """Give a walk, the writer of what it saw of a key, and a later writer of what it saw.

    The later one's key came from the same page, or, of a torn ``walk``, from an earlier page.
    """
    for place in index.walks:
        ends = index.history.page_ends(place.lane, place.index)
        pairs = index.history.pairs(place.lane, place.record.seen, place.record.count)
        down = place.record.kind in {Kind.SCAN_BACKWARD, Kind.WALK_BACKWARD}
        pages = [sum((key < end) if down else (key > end) for end in ends) for key, _ in pairs]
        writers = [index.writer.get((key, value)) for key, value in pairs]
        for a, first in enumerate(writers):
            if first is None or _consumed(first.record) is None:
                continue
            for b, second in enumerate(writers):
                fits = pages[b] < pages[a] if walk else pages[b] == pages[a]
                if second is not None and a != b and fits and _before(first, second):
                    yield place, first


def _torn_page_read(index: Index) -> Iterator[tuple[Place, ...]]:
    return _torn(index, walk=False)


def _torn_walk(index: Index) -> Iterator[tuple[Place, ...]]:
    return _torn(index, walk=True)


def _see_before(history: History, walk: Place, writer: Place) -> str:
    record, key = walk.record, writer.record.key
    for at in range(record.seen, record.seen + record.count):
        if history.pairs(walk.lane, at, 1)[0].key == key:
            history.change_pair(walk.lane, at, Pair(key, writer.record.seen))
    begin = min(record.invoked, writer.record.invoked)
    history.change(walk.lane, walk.index, record._replace(invoked=begin))
    return f"a walk from {record.key} sees {writer.record.seen} at key {key}, and a later write"


def _swap(history: History, first: Place, second: Place) -> str:
    a, b = first.record, second.record
    history.change(first.lane, first.index, a._replace(seen=b.seen))
    history.change(second.lane, second.index, b._replace(seen=a.seen))
    return f"what saw {a.seen} and {b.seen} at key {a.key} exchanged"


def _see_what_was_consumed(history: History, read: Place, consumer: Place) -> str:
    seen = consumer.record.seen
    changed = read.record._replace(seen=seen, status=int(Status.OK))
    history.change(read.lane, read.index, changed)
    return f"a get of key {read.record.key} sees {seen} after it was consumed"


def _consume_again(history: History, second: Place, first: Place) -> str:
    seen = first.record.seen
    changed = second.record._replace(seen=seen)
    if second.record.kind == Kind.COMPARE_EXCHANGE:
        changed = changed._replace(expected=seen)
    history.change(second.lane, second.index, changed)
    return f"value {seen} of key {second.record.key} consumed twice"


def _insert_again(history: History, read: Place) -> str:
    record = read.record
    changed = record._replace(kind=int(Kind.INSERT), argument=_NOBODYS | 1, seen=0, status=0)
    history.change(read.lane, read.index, changed)
    return f"an insert of key {record.key} succeeds while it holds {record.seen}"


def _shift(history: History, read: Place, consumer: Place) -> str:
    behind = consumer.record.responded + 1
    length = read.record.responded - read.record.invoked
    changed = read.record._replace(invoked=behind, responded=behind + length)
    history.change(read.lane, read.index, changed)
    return f"the read of {read.record.seen} at key {read.record.key} moved behind its removal"


def _drop(history: History, writer: Place) -> str:
    history.drop(writer.lane, writer.index)
    return f"the operation that wrote {writer.record.argument} at key {writer.record.key} dropped"


def _pop_at_the_other_end(history: History, pop: Place) -> str:
    record = pop.record
    other = Kind.POP_LAST if record.kind == Kind.POP_FIRST else Kind.POP_FIRST
    history.change(pop.lane, pop.index, record._replace(kind=int(other)))
    return f"a {other.word} gives key {record.key} though there are keys beyond it"


def _pop_nothing(history: History, read: Place) -> str:
    record = read.record
    changed = record._replace(kind=int(Kind.POP_FIRST), key=0, seen=0, status=int(Status.NOT_FOUND))
    history.change(read.lane, read.index, changed)
    return f"a pop finds the map empty while key {record.key} holds {record.seen}"


def _leave_a_key(history: History, deletion: Place, consumer: Place) -> str:
    record, key = deletion.record, consumer.record.key
    changed = record._replace(key=min(record.key, key), argument=max(record.argument, key))
    history.change(deletion.lane, deletion.index, changed)
    return f"a deletion of {changed.key} … {changed.argument} leaves key {key} as it was"


def _count_one_more(history: History, deletion: Place) -> str:
    record = deletion.record
    history.change(deletion.lane, deletion.index, record._replace(seen=record.seen + 1))
    return f"a deletion that removed {record.seen} keys says {record.seen + 1}"


def _read_early(history: History, read: Place, writer: Place) -> str:
    before = max(writer.record.invoked - 1, 0)
    length = read.record.responded - read.record.invoked
    changed = read.record._replace(invoked=max(before - length, 0), responded=before)
    history.change(read.lane, read.index, changed)
    return f"the read of {read.record.seen} at key {read.record.key} moved before its write"


def _see_a_phantom(history: History, read: Place) -> str:
    history.change(read.lane, read.index, read.record._replace(seen=_NOBODYS | 2))
    return f"a get of key {read.record.key} sees a value that nobody wrote"


def _miss(history: History, read: Place) -> str:
    changed = read.record._replace(seen=0, status=int(Status.NOT_FOUND))
    history.change(read.lane, read.index, changed)
    return f"a get finds nothing while key {read.record.key} holds {read.record.seen}"


def _exchange_values(history: History, first: Place, second: Place) -> str:
    a, b = first.record, second.record
    history.change(first.lane, first.index, a._replace(argument=b.argument))
    history.change(second.lane, second.index, b._replace(argument=a.argument))
    return f"writes of {a.argument} and {b.argument} at key {a.key} exchanged"


#: Name to where it can be made, and what makes it.
CORRUPTIONS: Mapping[
    str, tuple[Callable[[Index], Iterator[tuple[Place, ...]]], Callable[..., str]]
] = {
    "swapped results": (_swapped_results, _swap),
    "lost update": (_lost_update, _consume_again),
    "stale read": (_stale_read, _see_what_was_consumed),
    "resurrected delete": (_resurrected_delete, _see_what_was_consumed),
    "duplicated insert": (_duplicated_insert, _insert_again),
    "time shift": (_time_shift, _shift),
    "dropped operation": (_dropped_operation, _drop),
    "exchanged pops": (_exchanged_pops, _swap),
    "pop past a key": (_pop_past_a_key, _pop_at_the_other_end),
    "pop finds nothing": (_duplicated_insert, _pop_nothing),
    "deletion leaves a key": (_deletion_leaves_a_key, _leave_a_key),
    "deletion miscounts": (_deletion_miscounts, _count_one_more),
    "early read": (_early_read, _read_early),
    "phantom value": (_any_read, _see_a_phantom),
    "miss": (_duplicated_insert, _miss),
    "removed twice": (_removed_twice, _see_what_was_consumed),
    "exchanged values": (_exchanged_values, _exchange_values),
    "torn page read": (_torn_page_read, _see_before),
    "torn walk": (_torn_walk, _see_before),
}


#: Those that leave each key right for itself: only the level of pages sees them.
OF_PAGES = frozenset({"torn page read", "torn walk"})


def corruptions(
    history: History, seed: int = 0, share: int = 1, names: Collection[str] = ()
) -> Iterator[Corruption]:
    """Give a corrupted copy of ``history`` for each way (or of ``names``), at places by ``seed``.

    Places are sought at one key in ``share``. A way for which the history has no place is left out:
    the caller must count.
    """
    index = Index(history, random.Random(seed), share)
    for name in names or CORRUPTIONS:
        places, make = CORRUPTIONS[name]
        place = next(places(index), None)
        if place is None:
            continue
        copy = history.copy()
        yield Corruption(name, copy, make(copy, *place))
