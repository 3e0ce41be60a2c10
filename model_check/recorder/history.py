"""A recorded run as Python sees it: lanes of records, in the memory layout of history.h.

A :class:`History` either views the memory of a run (:meth:`Run.history`) or of a file, or owns
its own (:meth:`History.build`, :meth:`History.copy`). Records come out as :class:`Record` tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from model_check.recorder.native import PAGED, Kind, Status, ffi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Record(NamedTuple):
    """One call, or one key's part of a batch call; docs/history-format.md explains the fields."""

    invoked: int
    responded: int
    key: int
    argument: int
    expected: int
    seen: int
    kind: int
    flags: int
    status: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here

    @classmethod
    def of(cls, kind: Kind, key: int, at: tuple[int, int], **fields: int) -> Record:
        """Make a record from the fields that matter; ``at`` is (invoked, responded)."""
        plain = cls(at[0], at[1], key, 0, 0, 0, int(kind), 0, int(Status.OK), 0)
        return plain._replace(**fields)


class Pair(NamedTuple):
    """An entry: of the initial state, or returned by a scan."""

    key: int
    value: int


def page_pairs(ends: Sequence[int]) -> list[Pair]:
    """Give what stands behind the pairs of a scan with PAGED whose page reads ended at ``ends``."""
    words = [len(ends), *ends]
    words += [0] * (len(words) % 2)
    return [Pair(words[i], words[i + 1]) for i in range(0, len(words), 2)]


class Lane(NamedTuple):
    """What one thread did: records, and the pairs that its scans returned."""

    records: Sequence[Record]
    pairs: Sequence[Pair] = ()


class History:
    """A recorded run; ``native`` is the rec_history, ``facts`` what is known about the run."""

    def __init__(self, native: Any, keep: object, facts: Mapping[str, Any] | None = None) -> None:
        """View ``native``; ``keep`` is what owns its memory."""
        self.native = native
        self.facts: dict[str, Any] = dict(facts or {})
        self._keep = keep

    @classmethod
    def build(
        cls,
        lanes: Iterable[Lane],
        initial: Iterable[Pair] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> History:
        """Make a history from tuples."""
        lanes = list(lanes)
        native_lanes = ffi.new("rec_lane[]", max(len(lanes), 1))
        start = ffi.new("rec_pair[]", [tuple(pair) for pair in initial])
        keep: list[Any] = [native_lanes, start]
        for view, lane in zip(native_lanes, lanes, strict=False):
            records = ffi.new("rec_record[]", [tuple(record) for record in lane.records])
            pairs = ffi.new("rec_pair[]", [tuple(pair) for pair in lane.pairs])
            view.records, view.record_count = records, len(records)
            view.pairs, view.pair_count = pairs, len(pairs)
            keep += [records, pairs]
        native = ffi.new("rec_history *", (start, len(start), native_lanes, len(lanes)))
        return cls(native, keep, facts)

    @property
    def lane_count(self) -> int:
        """Number of lanes."""
        return int(self.native.lane_count)

    def record_count(self) -> int:
        """Give the number of records of all lanes."""
        return sum(int(self.native.lanes[t].record_count) for t in range(self.lane_count))

    def record(self, lane: int, index: int) -> Record:
        """Give one record."""
        return Record(*_fields(self.native.lanes[lane].records[index]))

    def records(self, lane: int) -> Iterator[Record]:
        """Give the records of one lane, in order."""
        view = self.native.lanes[lane]
        for index in range(view.record_count):
            yield Record(*_fields(view.records[index]))

    def pairs(self, lane: int, first: int = 0, count: int | None = None) -> list[Pair]:
        """Give pairs of one lane."""
        view = self.native.lanes[lane]
        until = view.pair_count if count is None else first + count
        return [Pair(view.pairs[i].key, view.pairs[i].value) for i in range(first, until)]

    def page_ends(self, lane: int, index: int) -> list[int]:
        """Give the last key that each page read of a scan answered for; none if it is not known."""
        view = self.native.lanes[lane]
        record = view.records[index]
        if record.flags & PAGED == 0:
            return []
        at = record.seen + record.count
        pages = view.pairs[at].key
        words = [
            word
            for pair in self.pairs(lane, at, (pages + 2) // 2)
            for word in (pair.key, pair.value)
        ]
        return words[1 : pages + 1]

    def initial(self) -> list[Pair]:
        """Give the entries that were there before the first call."""
        view = self.native
        return [Pair(view.initial[i].key, view.initial[i].value) for i in range(view.initial_count)]

    def lanes(self) -> list[Lane]:
        """Give everything as tuples: for small histories."""
        return [Lane(list(self.records(t)), self.pairs(t)) for t in range(self.lane_count)]

    def copy(self) -> History:
        """Give a history with memory of its own, which may be changed."""
        lanes = ffi.new("rec_lane[]", max(self.lane_count, 1))
        initial = _copied("rec_pair", self.native.initial, self.native.initial_count)
        keep: list[Any] = [lanes, initial]
        for t in range(self.lane_count):
            view = self.native.lanes[t]
            records = _copied("rec_record", view.records, view.record_count)
            pairs = _copied("rec_pair", view.pairs, view.pair_count)
            lanes[t] = (records, view.record_count, pairs, view.pair_count)
            keep += [records, pairs]
        native = ffi.new(
            "rec_history *", (initial, self.native.initial_count, lanes, self.lane_count)
        )
        return History(native, keep, self.facts)

    def change(self, lane: int, index: int, record: Record) -> None:
        """Overwrite one record; only in a history that owns its memory."""
        self.native.lanes[lane].records[index] = tuple(record)

    def change_pair(self, lane: int, index: int, pair: Pair) -> None:
        """Overwrite one pair; only in a history that owns its memory."""
        self.native.lanes[lane].pairs[index] = tuple(pair)

    def drop(self, lane: int, index: int) -> None:
        """Remove one record; only in a history that owns its memory."""
        view = self.native.lanes[lane]
        after = view.record_count - index - 1
        ffi.memmove(
            view.records + index, view.records + index + 1, after * ffi.sizeof("rec_record")
        )
        view.record_count -= 1


def _fields(record: Any) -> tuple[int, ...]:
    return (
        record.invoked,
        record.responded,
        record.key,
        record.argument,
        record.expected,
        record.seen,
        record.kind,
        record.flags,
        record.status,
        record.count,
    )


def _copied(kind: str, source: Any, count: int) -> Any:
    target = ffi.new(f"{kind}[]", max(count, 1))
    if count:
        ffi.memmove(target, source, count * ffi.sizeof(kind))
    return target
