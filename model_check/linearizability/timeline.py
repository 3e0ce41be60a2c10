"""A violation as a picture in the terminal: one lane a thread, one row an operation.

Every operation is a bar from its invocation to its response, on one scale for all lanes that
keeps the order of all ends (ranks, not ticks: a pause would push everything else together).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from model_check.linearizability.parts import NEVER
from model_check.linearizability.shrink import explain
from model_check.recorder.native import BLIND, PRESENT, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from model_check.linearizability.check import Violation
    from model_check.linearizability.objects import ObjectViolation
    from model_check.linearizability.parts import Part
    from model_check.recorder.history import History, Record

_MOST_ROWS = 60
_MOST_ORIGINS = 8
_WIDTH = 40
_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")


def describe_value(value: int) -> str:
    """Name a recorded value by the thread that wrote it and its counter."""
    thread, counter = value >> 48, value & (1 << 48) - 1
    return f"v{value}" if thread == 0 else f"t{thread - 1}#{counter}"


def describe(record: Record, part: Part, key: int) -> str:
    """Say what was called and what it says about ``key``."""
    kind, status = Kind(record.kind), Status(record.status)
    if record.responded == NEVER:
        argument = f" {describe_value(record.argument)}" if part.effect == "sets" else ""
        return f"{kind.word}{argument} never returned"
    seen = describe_value(record.seen)
    new = describe_value(record.argument)
    found = {"absent": f"{key} absent", "value": f"{key} = {describe_value(part.want)}"}.get(
        part.need, f"{key} {part.need}"
    )
    if kind in {Kind.GET, Kind.GET_MANY}:
        return f"{kind.word} → {seen if status is Status.OK else 'absent'}"
    if kind is Kind.PUT_MANY:
        saw = {BLIND: "?", PRESENT: "present"}.get(record.flags, "absent")
        return f"put_many {new} → saw {saw}"
    if kind in {Kind.PUT, Kind.INSERT}:
        return f"{kind.word} {new} → {'was absent' if status is Status.OK else 'saw ' + seen}"
    if kind is Kind.UPDATE:
        return f"update {new} → {'replaced ' + seen if status is Status.OK else 'absent'}"
    if kind is Kind.REMOVE:
        return f"remove → {'removed ' + seen if status is Status.OK else 'absent'}"
    if kind is Kind.COMPARE_EXCHANGE:
        result = {Status.OK: "done", Status.NOT_FOUND: "absent"}.get(status, f"saw {seen}")
        return f"compare_exchange {describe_value(record.expected)} by {new} → {result}"
    if kind in {Kind.FLOOR, Kind.CEILING, Kind.LOWER, Kind.HIGHER}:
        answer = f"{record.argument}" if status is Status.OK else "none"
        return f"{kind.word}({record.key}) → {answer}: so {found}"
    if kind in {Kind.POP_FIRST, Kind.POP_LAST}:
        if part.effect == "deletes":
            return f"{kind.word} → removed {record.key} = {seen}"
        answer = f"{record.key}" if status is Status.OK else "the map is empty"
        return f"{kind.word} → {answer}: so {found}"
    if kind in {Kind.CLEAR, Kind.DELETE_RANGE}:
        span = "" if kind is Kind.CLEAR else f"({record.key} … {record.argument})"
        number = ": not as many as the keys tell" if part.need == "never" else ""
        return f"{kind.word}{span} → removed {record.seen} keys{number}"
    return f"{kind.word}({record.key}) → {found}"


class _Row(NamedTuple):
    lane: str
    colour: str
    invoked: int
    responded: int | None
    text: str
    weakened: bool


def _bar(row: _Row, ranks: dict[int, int]) -> Text:
    scale = max(len(ranks) - 1, 1)
    first = ranks[row.invoked] * (_WIDTH - 1) // scale
    if row.responded is None:
        return Text(" " * first + "[" + "=" * (_WIDTH - 2 - first) + ">", style=row.colour)
    last = ranks[row.responded] * (_WIDTH - 1) // scale
    body = "|" if last == first else "[" + "=" * (last - first - 1) + "]"
    return Text(" " * first + body, style=row.colour)


def _draw(rows: Sequence[_Row], who: str) -> Table:
    """One row a call; bars on one scale, with arrows where a call never returned."""
    times = sorted({t for row in rows for t in (row.invoked, row.responded) if t is not None})
    ranks = {moment: rank for rank, moment in enumerate(times)}
    begin = times[0] if times else 0
    table = Table(title_justify="left", box=None, highlight=False)
    table.add_column(who, no_wrap=True)
    table.add_column("time →", no_wrap=True)
    table.add_column("operation and what it saw", overflow="fold", min_width=24)
    table.add_column("invoked", justify="right")
    table.add_column("responded", justify="right")
    for row in rows:
        table.add_row(
            Text(row.lane, style=row.colour),
            _bar(row, ranks),
            row.text + (" (only that it may have happened)" if row.weakened else ""),
            f"+{row.invoked - begin:,}",
            "never" if row.responded is None else f"+{row.responded - begin:,}",
        )
    return table


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def render_calls(violation: ObjectViolation) -> RenderableType:
    """Draw the calls that matter of a violation of any object, and why no order explains them."""
    shown = violation.core[-_MOST_ROWS:]
    lanes = {process: n for n, process in enumerate(dict.fromkeys(c.process for c, _ in shown))}
    rows = [
        _Row(str(call.process), _colour(lanes[call.process]), call.invoked, call.responded,
             f"{call}" + (f" (line {call.line})" if call.line else ""), weakened)
        for call, weakened in shown
    ]  # fmt: skip
    where = "" if violation.object is None else f" on object {violation.object}"
    head = (
        f"No order explains these {len(violation.core)} calls{where} "
        f"({violation.calls} in the whole history)."
    )
    parts: list[RenderableType] = [Text(head, style="bold red"), Text(_sentence(violation.why))]
    if len(shown) < len(violation.core):
        parts.append(Text(f"The last {len(shown)} of them:"))
    return Group(*parts, _draw(rows, "process"))


def _sentence(why: str) -> str:
    return f"Why: {why}."


def why(history: History, violation: Violation) -> str:
    """Say in one sentence why no order explains the violation's parts."""

    def call(part: Part) -> str:
        record = history.record(part.lane, part.record)
        return f"{lane_name(history, part.lane)} {describe(record, part, violation.key)}"

    return explain(violation.core, violation.states, violation.fails, call, describe_value)


def lane_name(history: History, lane: int) -> str:
    """Name a lane: a thread, or the reading of the tree behind the last call."""
    final = lane == history.lane_count - 1 and _is_final(history)
    return "the reading after the run" if final else f"thread {lane}"


def render(history: History, violation: Violation) -> RenderableType:
    """Draw the parts of the violation's key that matter, and why no order explains them."""
    shown = violation.core[-_MOST_ROWS:]
    rows = []
    for item in shown:
        part = item.part
        record = history.record(part.lane, part.record)
        final = part.lane == history.lane_count - 1 and _is_final(history)
        rows.append(
            _Row(
                "after" if final else str(part.lane), _colour(part.lane), part.invoked,
                None if part.responded == NEVER else part.responded,
                describe(record, part, violation.key), item.weakened,
            )
        )  # fmt: skip
    begin = min((row.invoked for row in rows), default=0)
    since = (
        "from the state before the first call"
        if violation.since_start
        else "from whatever state the past may have left"
    )
    head = (
        f"No order explains these {len(violation.core)} operations on key {violation.key} "
        f"({violation.parts} in the whole history), {since}."
    )
    parts: list[RenderableType] = [
        Text(head, style="bold red"),
        Text(_sentence(why(history, violation))),
        _draw(rows, "thread"),
    ]
    parts += [Text(line) for line in _origins(history, violation, begin)]
    if len(shown) < len(violation.core):
        parts.insert(2, Text(f"The last {len(shown)} of them:"))
    return Group(*parts)


def _origins(history: History, violation: Violation, begin: int) -> list[str]:
    """Say of each value that the window sees and does not write where it comes from."""
    core = [item.part for item in violation.core]
    given = {part.give for part in core if part.effect == "sets"}
    wanted = {part.want for part in core if part.need == "value"} - given
    if not wanted or len(wanted) > _MOST_ORIGINS:
        return []
    found = {p.value: "was there before the first call" for p in history.initial()
             if p.key == violation.key and p.value in wanted}  # fmt: skip
    for lane in range(history.lane_count):
        for record in history.records(lane):
            if record.key == violation.key and record.argument in wanted and _writes(record):
                word = Kind(record.kind).word
                found[record.argument] = (
                    f"was written by thread {lane}: {word} "
                    f"[{record.invoked - begin:+,}, {record.responded - begin:+,}]"
                )
    return [
        f"{describe_value(value)} {found.get(value, 'was never written to this key')}"
        for value in sorted(wanted)
    ]


def _writes(record: Record) -> bool:
    ok = record.status == Status.OK
    return record.kind in {Kind.PUT, Kind.PUT_MANY} or (
        ok and record.kind in {Kind.INSERT, Kind.UPDATE, Kind.COMPARE_EXCHANGE}
    )


def _is_final(history: History) -> bool:
    """Tell whether the last lane is what was read back after the run."""
    return bool(history.facts.get("workload"))
