"""What a page shows of a history of the recorder: calls, the violation, instants. See page.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_check.linearizability.check import Outcome, check, find_order
from model_check.linearizability.page import READS, REMOVES, WRITES, Bar, Picture, Point
from model_check.linearizability.page_reads import Why
from model_check.linearizability.parts import NEVER
from model_check.linearizability.timeline import describe, describe_value, lane_name, why
from model_check.recorder.history import History, Lane
from model_check.recorder.native import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_check.linearizability.check import Report
    from model_check.recorder.history import Record

#: Of longer histories no order is looked for to draw: it takes some seconds and much memory.
_ORDERED = 300_000
#: Keys of one call that are named.
_NAMED = 6
#: Times a prefix is cut shorter because another key fails earlier, at most.
_CUTS = 20

_REMOVING = {Kind.REMOVE, Kind.POP_FIRST, Kind.POP_LAST, Kind.CLEAR, Kind.DELETE_RANGE}
_WRITING = {Kind.PUT, Kind.INSERT, Kind.UPDATE, Kind.COMPARE_EXCHANGE, Kind.PUT_MANY}


def picture(history: History, report: Report, title: str) -> Picture:
    """Give what the page of a checked history shows."""
    calls = _Calls(history)
    marks: dict[int, int] = {}
    texts: dict[int, str] = {}
    head, because, prefix = _verdict(report), "", None
    if report.violation is not None:
        because = f"Why: {why(history, report.violation)}."
        for item in report.violation.core:
            bar = calls.bar_of[item.part.lane, item.part.record]
            marks[bar] = 2 if item.weakened else 1
            record = history.record(item.part.lane, item.part.record)
            texts[bar] = describe(record, item.part, report.violation.key)
        prefix = report.violation.fails_at
    for link in report.cycle:
        if link.why is not Why.INSTEAD:
            for place in (link.first, link.second):
                marks[calls.bar_of[place.lane, place.record]] = 1
    bars = [
        bar._replace(mark=marks.get(i, 0), text=texts.get(i, bar.text))
        for i, bar in enumerate(calls.bars)
    ]
    points: list[Point] = []
    known = report.outcome is not Outcome.UNKNOWN and not report.cycle
    if history.record_count() <= _ORDERED and known:
        prefix, points = _instants(history, calls, prefix)
    else:
        prefix = None
    ticks = history.facts.get("ticks_per_second")
    return Picture(
        title=title, verdict=report.outcome.value, head=head, why=because,
        lanes=[lane_name(history, lane) for lane in range(history.lane_count)], bars=bars,
        points=points, prefix=prefix,
        per_second=float(ticks) if isinstance(ticks, (int, float)) else None,
    )  # fmt: skip


def _verdict(report: Report) -> str:
    if report.violation is not None:
        return (
            f"No order explains these {len(report.violation.core)} operations on key "
            f"{report.violation.key} ({report.violation.parts:,} in the whole history)."
        )
    if report.cycle:
        return "Each key is linearizable, but keys that were read at one instant are not."
    if report.outcome is Outcome.OK:
        return f"Linearizable: {report.operations:,} operations on {report.keys:,} keys."
    return f"Undecided: {report.reason}."


class _Calls:
    """The calls of a history as bars: the parts of a batch are one."""

    def __init__(self, history: History) -> None:
        self.bars: list[Bar] = []
        self.bar_of: dict[tuple[int, int], int] = {}
        for lane in range(history.lane_count):
            batch: list[Record] = []
            for index, record in enumerate(history.records(lane)):
                many = record.kind in {Kind.GET_MANY, Kind.PUT_MANY}
                if many and record.expected > 0 and batch:
                    batch.append(record)
                    self.bars[-1] = _bar(lane, batch, history)
                else:
                    batch = [record] if many else []
                    self.bars.append(_bar(lane, [record], history))
                self.bar_of[lane, index] = len(self.bars) - 1


def _bar(lane: int, records: Sequence[Record], history: History) -> Bar:
    first = records[0]
    kind = Kind(first.kind)
    keyed = kind not in {Kind.FIRST, Kind.LAST, Kind.CLEAR, Kind.SIZE, Kind.UPKEEP}
    return Bar(
        lane=lane, invoked=first.invoked,
        responded=None if first.responded == NEVER else first.responded,
        text=_many(records) if first.kind in {Kind.GET_MANY, Kind.PUT_MANY}
        else describe_call(first, lane, history),
        key=str(first.key) if keyed else "", effect=_effect(kind, first),
    )  # fmt: skip


def _effect(kind: Kind, record: Record) -> int:
    ok = record.status == Status.OK
    if kind in _REMOVING:
        return REMOVES if ok else READS
    wrote = kind in _WRITING and (ok or kind in {Kind.PUT, Kind.PUT_MANY})
    return WRITES if wrote else READS


def _many(records: Sequence[Record]) -> str:
    kind = Kind(records[0].kind)
    named = []
    for record in records[:_NAMED]:
        value = record.argument if kind is Kind.PUT_MANY else record.seen
        found = kind is Kind.PUT_MANY or record.status == Status.OK
        named.append(f"{record.key} = {describe_value(value)}" if found else f"{record.key} absent")
    more = f" and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
    return f"{kind.word}: {', '.join(named)}{more}"


def describe_call(record: Record, lane: int, history: History) -> str:
    """Say what was called and what came back."""
    kind, status = Kind(record.kind), Status(record.status)
    seen, new = describe_value(record.seen), describe_value(record.argument)
    name = f"{kind.word}({record.key})"
    if record.responded == NEVER:
        return f"{name} never returned"
    if kind is Kind.GET:
        return f"{name} → {seen if status is Status.OK else 'absent'}"
    if kind is Kind.REMOVE:
        return f"{name} → {'removed ' + seen if status is Status.OK else 'absent'}"
    if kind in {Kind.PUT, Kind.INSERT}:
        found = "was absent" if status is Status.OK else f"saw {seen}"
        return f"{kind.word}({record.key}, {new}) → {found}"
    if kind is Kind.UPDATE:
        found = f"replaced {seen}" if status is Status.OK else "absent"
        return f"update({record.key}, {new}) → {found}"
    if kind is Kind.COMPARE_EXCHANGE:
        found = {Status.OK: "done", Status.NOT_FOUND: "absent"}.get(status, f"saw {seen}")
        expected = describe_value(record.expected)
        return f"compare_exchange({record.key}, {expected}, {new}) → {found}"
    if kind in {Kind.SCAN_FORWARD, Kind.SCAN_BACKWARD, Kind.WALK_FORWARD, Kind.WALK_BACKWARD}:
        pairs = history.pairs(lane, record.seen, min(record.count, _NAMED))
        given = ", ".join(f"{key} = {describe_value(value)}" for key, value in pairs)
        more = f" and {record.count - _NAMED:,} more" if record.count > _NAMED else ""
        return f"{name} → {given or 'nothing'}{more}"
    return _describe_rest(record, kind, status, name)


def _describe_rest(record: Record, kind: Kind, status: Status, name: str) -> str:
    seen = describe_value(record.seen)
    if kind in {Kind.POP_FIRST, Kind.POP_LAST}:
        found = f"removed {record.key} = {seen}" if status is Status.OK else "the map is empty"
        return f"{kind.word}() → {found}"
    if kind in {Kind.FIRST, Kind.LAST}:
        name = f"{kind.word}()"
    if kind in {Kind.FIRST, Kind.LAST, Kind.FLOOR, Kind.CEILING, Kind.LOWER, Kind.HIGHER}:
        return f"{name} → {f'{record.argument} = {seen}' if status is Status.OK else 'none'}"
    if kind in {Kind.COUNT, Kind.DELETE_RANGE}:
        word = "removed " if kind is Kind.DELETE_RANGE else ""
        return f"{kind.word}({record.key}, {record.argument}) → {word}{record.seen} keys"
    if kind in {Kind.CLEAR, Kind.SIZE}:
        return f"{kind.word}() → {record.seen} keys"
    return kind.word


def _instants(
    history: History, calls: _Calls, fails_at: int | None
) -> tuple[int | None, list[Point]]:
    """Give where the longest linearizable prefix ends, and the instants of an order of it."""
    prefix, until = history, fails_at
    for _ in range(_CUTS):
        if until is None:
            break
        prefix = cut(history, until)
        report = check(prefix)
        if report.outcome is Outcome.UNKNOWN:
            return None, []
        if report.violation is None:
            break
        until = report.violation.fails_at
    else:
        return None, []
    origin = _Origins(history, until)
    points, instant = [], 0
    for step in find_order(prefix) or []:
        instant = max(instant, step.part.invoked)
        lane, record = step.part.lane, origin.of(step.part.lane, step.part.record)
        points.append(Point(calls.bar_of[lane, record], instant, str(step.key)))
    return until, points


def cut(history: History, until: int) -> History:
    """Give what a history was just before the response ``until``: later calls are not there yet."""
    lanes = []
    for lane in range(history.lane_count):
        records = [
            record if record.responded < until else record._replace(responded=NEVER)
            for record in history.records(lane)
            if record.invoked < until
        ]
        lanes.append(Lane(records, history.pairs(lane)))
    return History.build(lanes, history.initial(), history.facts)


class _Origins:
    """Where the records of a history that was cut stood before."""

    def __init__(self, history: History, until: int | None) -> None:
        self._of: list[list[int]] | None = None
        if until is not None:
            self._of = [
                [i for i, record in enumerate(history.records(lane)) if record.invoked < until]
                for lane in range(history.lane_count)
            ]

    def of(self, lane: int, record: int) -> int:
        return record if self._of is None else self._of[lane][record]
