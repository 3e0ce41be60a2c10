"""Histories as lines of JSON and as CSV: reading and writing.

A line is a call (with the ``version`` of the object that it made or saw, where the service tells):

    {"process": 3, "name": "write", "key": "x", "argument": 5, "invoked": 17, "responded": 25}

or an event (events.py):

    {"type": "invoke", "process": 3, "name": "write", "key": "x", "value": 5, "time": 17}

Absent fields and null are nothing. ``result`` is what a call gave back; ``responded`` null: it
never returned; ``"failed": true``: it is known to have had no effect. ``f`` may stand for ``name``.
Times are numbers of one clock, in any unit; events may have none if the lines stand in order. CSV
has the same fields as columns, named in its first line; a cell is read as JSON where it is JSON,
else as a string, and an empty one is nothing.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from model_check.linearizability.events import TYPES, Event, pair
from model_check.linearizability.operations import (
    Operation,
    Operations,
    OperationsError,
    ranked,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

_CALL = ("process", "name", "key", "argument", "result", "invoked", "responded", "version")
_EVENT = ("type", "process", "name", "key", "value", "time")
_FIELDS = frozenset({*_CALL, *_EVENT, "f", "failed"})


class _Rows:
    """Fields of each line, and errors that name it."""

    def __init__(self, rows: Iterable[tuple[int, dict[str, Any]]], source: str) -> None:
        self.rows, self.source = rows, source

    def fail(self, line: int, what: str) -> NoReturn:
        raise OperationsError(f"{self.source}, line {line}: {what}")

    def operations(self) -> Operations:
        events, calls, failed = list[Event](), list[Operation](), 0
        for line, row in self.rows:
            unknown = row.keys() - _FIELDS
            if unknown:
                self.fail(
                    line,
                    f"unknown field {min(unknown)!r}; a call has {', '.join(_CALL)}, "
                    f"an event {', '.join(_EVENT)}",
                )
            name = row.get("name", row.get("f"))
            if not isinstance(name, str) or row.get("process") is None:
                self.fail(line, "a call needs a process, and a name that is a string")
            if "type" in row:
                events.append(self._event(line, name, row))
            elif row.get("failed"):
                failed += 1
            else:
                calls.append(self._call(line, name, row))
            if events and (calls or failed):
                self.fail(line, "some lines are events and others are calls: one or the other")
        if events:
            return pair(events, self.source)
        self._demand_turns(calls)
        return Operations(ranked(calls), self.source, failed)

    def _event(self, line: int, name: str, row: dict[str, Any]) -> Event:
        if row["type"] not in TYPES:
            self.fail(line, f"type is one of {', '.join(TYPES)}; got {row['type']!r}")
        time = row.get("time")
        if time is not None and (isinstance(time, bool) or not isinstance(time, int)):
            self.fail(line, f"the time of an event is an integer; got {time!r}")
        value = row.get("value")
        if value is None:
            value = row.get("argument" if row["type"] == "invoke" else "result")
        return Event(
            row["type"], frozen(row["process"]), name, frozen(value), frozen(row.get("key")), time,
            line,
        )  # fmt: skip

    def _call(self, line: int, name: str, row: dict[str, Any]) -> Operation:
        invoked: Any = row.get("invoked")
        responded: Any = row.get("responded")
        for field, value in (("invoked", invoked), ("responded", responded)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and math.isfinite(value)) and not (
                value is None and field == "responded"
            ):
                self.fail(line, f"{field} is the number of a time; got {value!r}")
        if responded is not None and responded < invoked:
            self.fail(
                line,
                f"the call ends at {responded}, before it begins at {invoked}: were the two times "
                "taken from one clock?",
            )
        return Operation(
            frozen(row["process"]), name, frozen(row.get("argument", row.get("value"))),
            frozen(row.get("result")), invoked, responded, frozen(row.get("key")), line,
            self._version(line, row),
        )  # fmt: skip

    def _version(self, line: int, row: dict[str, Any]) -> int | None:
        version = row.get("version")
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            self.fail(line, f"a version is an integer; got {version!r}")
        return version

    def _demand_turns(self, calls: list[Operation]) -> None:
        """Each process makes one call at a time."""
        last: dict[Hashable, Operation] = {}
        for call in sorted(calls, key=lambda call: (call.invoked, call.line)):
            before = last.get(call.process)
            if before is not None and (before.responded is None or before.responded > call.invoked):
                ended = (
                    "never returned"
                    if before.responded is None
                    else (f"ends at {before.responded}")
                )
                self.fail(
                    call.line,
                    f"process {call.process} calls {call.name} at {call.invoked}, but its call of "
                    f"line {before.line} {ended}",
                )
            last[call.process] = call


def frozen(value: Any) -> Hashable:
    """Give a JSON value as one that can be a key: lists become tuples."""
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, frozen(item)) for key, item in value.items()))
    return value  # type: ignore[no-any-return]


def parse_json_lines(text: str, source: str) -> Operations:
    """Read lines of JSON. OperationsError names the line."""

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise OperationsError(
                    f"{source}, line {number}: this is no JSON: {error}"
                ) from error
            if not isinstance(row, dict):
                raise OperationsError(f"{source}, line {number}: a line is an object, {{...}}")
            yield number, row

    return _Rows(rows(), source).operations()


def parse_csv(text: str, source: str) -> Operations:
    """Read CSV. OperationsError names the line."""

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        reader = csv.reader(io.StringIO(text), strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise OperationsError(
                        f"{source}, line {reader.line_num}: {len(cells)} cells, but the first line "
                        f"names {len(header)} columns"
                    )
                row = {name: _cell(cell) for name, cell in zip(header, cells, strict=True)}
                if row.get("type") is None:
                    row.pop("type", None)
                yield reader.line_num, row
        except csv.Error as error:
            raise OperationsError(f"{source}, line {reader.line_num}: no CSV: {error}") from error

    return _Rows(rows(), source).operations()


def _cell(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _row(call: Operation) -> dict[str, Any]:
    return {field: getattr(call, field) for field in _CALL}


def write_json_lines(operations: Operations) -> str:
    """Write calls, a line each."""
    lines = []
    for call in operations.calls:
        row = {
            field: value
            for field, value in _row(call).items()
            if value is not None or field == "responded"
        }
        lines.append(json.dumps(row) + "\n")
    return "".join(lines)


def write_csv(operations: Operations) -> str:
    """Write calls under a line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CALL)
    for call in operations.calls:
        writer.writerow("" if value is None else json.dumps(value) for value in _row(call).values())
    return text.getvalue()
