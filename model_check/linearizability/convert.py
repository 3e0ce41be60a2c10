"""Files of histories from elsewhere, and ours: reading by name, writing, and the way between them.

    .bwh            the recorder's binary format (docs/history-format.md)
    .jsonl, .json   lines of JSON (textual.py)
    .csv            CSV (textual.py)
    .edn            Jepsen (jepsen.py)

Calls on one key go both ways. What only the binary format has (scans, navigation, pops, deletions)
is not guessed at: an error says what it was.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from model_check.linearizability.jepsen import parse as parse_edn
from model_check.linearizability.operations import Operation, Operations, OperationsError
from model_check.linearizability.parts import NEVER
from model_check.linearizability.textual import (
    parse_csv,
    parse_json_lines,
    write_csv,
    write_json_lines,
)
from model_check.recorder.file import load, save
from model_check.recorder.history import History, Lane, Record
from model_check.recorder.native import BLIND, PRESENT, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from pathlib import Path

BINARY = ".bwh"
TEXTS = (".jsonl", ".json", ".csv", ".edn")
#: Text is read into memory whole, at some hundred bytes a call.
LARGEST_TEXT = 4 << 30
_MOST = 2**64 - 1


def read(path: Path, *, independent: bool = False) -> Operations:
    """Read a text file by its suffix. OperationsError names the line; OSError as usual."""
    if path.suffix not in TEXTS:
        raise OperationsError(
            f"{path}: histories end in {', '.join((BINARY, *TEXTS))}; rename it by what it holds"
        )
    size = path.stat().st_size
    if size > LARGEST_TEXT:
        raise OperationsError(
            f"{path} has {size:,} bytes; text of more than {LARGEST_TEXT:,} does not fit into "
            "memory: split it by keys, or record the binary format"
        )
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise OperationsError(
            f"{path}, line {line} (offset {error.start}): this is no UTF-8 text"
        ) from error
    if not text.strip():
        raise OperationsError(f"{path} is empty: there is nothing to check")
    if path.suffix == ".edn":
        return parse_edn(text, str(path), independent=independent)
    return (parse_csv if path.suffix == ".csv" else parse_json_lines)(text, str(path))


def convert(source: Path, target: Path, *, independent: bool = False) -> int:
    """Write the history in ``source`` to ``target``, each in the format of its suffix.

    Gives the number of calls. OperationsError, HistoryFileError, OSError.
    """
    if source.suffix == BINARY:
        operations = operations_of(load(source), str(source))
    else:
        operations = read(source, independent=independent)
    if target.suffix == BINARY:
        save(history_of(operations), target)
        return len(operations.calls)
    writers = {".csv": write_csv, ".edn": write_edn}
    if target.suffix not in TEXTS:
        raise OperationsError(f"{target}: histories end in {', '.join((BINARY, *TEXTS))}")
    text = writers.get(target.suffix, write_json_lines)(operations)
    target.write_text(text, encoding="utf-8")
    return len(operations.calls)


def write_edn(operations: Operations) -> str:
    """Write events as Jepsen does, with keys as ``[key value]`` where there are any."""
    keyed = any(call.key is not None for call in operations.calls)
    events: list[tuple[int, int, str]] = []
    for call in operations.calls:
        argument: Hashable = (call.key, call.argument) if keyed else call.argument
        events.append((call.invoked, 0, _edn_event("invoke", call, argument)))
        if call.responded is not None:
            shown = (
                call.argument if call.result is None and call.argument is not None else call.result
            )
            result: Hashable = (call.key, shown) if keyed else shown
            events.append((call.responded, 1, _edn_event("ok", call, result)))
    # At one time invocations go first: such calls are concurrent.
    return "".join(text for _, _, text in sorted(events, key=lambda event: event[:2]))


def _edn_event(kind: str, call: Operation, value: Hashable) -> str:
    if isinstance(call.process, bool) or not isinstance(call.process, int):
        raise OperationsError(
            f"process {call.process!r} of line {call.line}: Jepsen's clients are numbers"
        )
    return f"{{:type :{kind}, :f :{call.name}, :value {_edn(value)}, :process {call.process}}}\n"


def _edn(value: Hashable) -> str:
    if value is None:
        return "nil"
    if isinstance(value, tuple):
        return "[" + " ".join(_edn(item) for item in value) + "]"
    return json.dumps(value)


# ---- from and to the binary format


def operations_of(history: History, source: str) -> Operations:
    """Give the calls of a recorded history. OperationsError where one has no other form."""
    calls = list(_initial(history))
    keys = {pair.key for pair in history.initial()}
    for lane in range(history.lane_count):
        keys |= {
            record.key for record in history.records(lane) if record.kind <= Kind.COMPARE_EXCHANGE
        }
    for lane in range(history.lane_count):
        for index, record in enumerate(history.records(lane)):
            if record.kind in {Kind.SIZE, Kind.UPKEEP}:
                continue
            if record.kind == Kind.SCAN_FORWARD and record.count < record.expected and (
                record.key, record.argument) == (0, _MOST):  # fmt: skip
                found = {
                    pair.key: pair.value for pair in history.pairs(lane, record.seen, record.count)
                }
                calls += [
                    Operation(f"scan {lane} of {key}", "get", None, found.get(key),
                              record.invoked, record.responded, key)
                    for key in sorted(keys | found.keys())
                ]  # fmt: skip
                continue
            call = _call_of(record, lane)
            if call is None:
                raise OperationsError(
                    f"{source}: record {index} of lane {lane} is a {Kind(record.kind).word}, which "
                    "concerns many keys at once: only the binary format has it"
                )
            calls.append(call)
    calls.sort(key=lambda call: call.invoked)
    return Operations(tuple(calls), source, model="map")


def _initial(history: History) -> Iterator[Operation]:
    for pair in history.initial():
        yield Operation(f"initial {pair.key}", "put", pair.value, None, 0, 0, pair.key)


def _call_of(record: Record, lane: int) -> Operation | None:
    kind = Kind(record.kind)
    ended = None if record.responded == NEVER else record.responded
    saw = None if record.status == Status.NOT_FOUND else record.seen
    name, argument, result = kind.word, None, saw
    process: Hashable = lane
    if kind in {Kind.GET, Kind.GET_MANY}:
        name = "get"
    elif kind in {Kind.PUT, Kind.PUT_MANY}:
        name, argument = "exchange", record.argument
        result = record.seen if record.status == Status.EXISTS else None
        if record.flags & BLIND:
            name, result = "put", None
        elif record.flags & PRESENT:
            name, result = "overwrite", None
    elif kind is Kind.INSERT:
        name, argument = "insert_or_get", record.argument
        result = None if record.status == Status.OK else record.seen
    elif kind is Kind.UPDATE:
        argument = record.argument
    elif kind is Kind.REMOVE:
        name = "take"
    elif kind is Kind.COMPARE_EXCHANGE:
        return Operation(lane, name, (record.expected, record.argument), result if ended else None,
                         record.invoked, ended, record.key)  # fmt: skip
    else:
        return None
    if kind in {Kind.GET_MANY, Kind.PUT_MANY} and record.expected > 0:
        process = f"{lane}, part {record.expected}"  # the parts of a batch share one interval
    return Operation(
        process, name, argument, result if ended is not None else None, record.invoked, ended,
        record.key,
    )  # fmt: skip


def history_of(operations: Operations) -> History:
    """Give the calls as a recorded history. OperationsError where one has no such form."""
    lanes: dict[Hashable, list[Record]] = {}
    for call in operations.calls:
        lanes.setdefault(call.process, []).append(_record_of(call, operations.source))
    if len(lanes) > 2**16:
        raise OperationsError(f"{operations.source}: more than 65,536 processes")
    return History.build(
        [Lane(records) for records in lanes.values()],
        facts={"source": operations.source, "processes": [str(process) for process in lanes]},
    )


def _number(value: Hashable, what: str, call: Operation, source: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    raise OperationsError(
        f"{source}, line {call.line}: the binary format has integers from 0 to 2^64-1 only; "
        f"{what} is {value!r}"
    )


def _record_of(call: Operation, source: str) -> Record:
    def number(value: Hashable, what: str = "the value") -> int:
        return _number(value, what, call, source)

    key = 0 if call.key is None else number(call.key, "the key")
    end = NEVER if call.responded is None else call.responded
    plain = Record.of(Kind.GET, key, (call.invoked, end))
    absent = plain._replace(status=int(Status.NOT_FOUND))
    name, result = call.name, call.result
    if name in {"get", "read"}:
        return absent if result is None else plain._replace(seen=number(result))
    if name in {"put", "write", "overwrite"}:
        kind = Kind.PUT_MANY if name == "overwrite" else Kind.PUT
        flags = PRESENT if name == "overwrite" else BLIND
        return plain._replace(
            kind=int(kind), argument=number(call.argument), flags=flags, status=int(Status.EXISTS)
        )
    if name == "exchange":
        status = Status.OK if result is None else Status.EXISTS
        seen = 0 if result is None else number(result)
        return plain._replace(
            kind=int(Kind.PUT), argument=number(call.argument), seen=seen, status=int(status)
        )
    if name == "insert_or_get" or (name == "insert" and result is not False):
        inserted = result in {None, True} if name == "insert" else result is None
        status = Status.OK if inserted or not call.known else Status.EXISTS
        seen = 0 if inserted else number(result)
        return plain._replace(
            kind=int(Kind.INSERT), argument=number(call.argument), seen=seen, status=int(status)
        )
    if name == "update":
        made = absent if result is None and call.known else plain
        seen = 0 if result is None else number(result)
        return made._replace(kind=int(Kind.UPDATE), argument=number(call.argument), seen=seen)
    if name == "take":
        made = absent if result is None and call.known else plain
        return made._replace(kind=int(Kind.REMOVE), seen=0 if result is None else number(result))
    if name in {"cas", "compare_exchange"} and isinstance(call.argument, tuple):
        old, new = (number(value) for value in call.argument)
        made = plain._replace(kind=int(Kind.COMPARE_EXCHANGE), expected=old, argument=new, seen=old)
        if name == "cas" and result is not False:
            return made
        if name == "compare_exchange":
            if result is None:
                return made._replace(seen=0, status=int(Status.NOT_FOUND if call.known else 0))
            done = Status.OK if result == old else Status.MISMATCH
            return made._replace(seen=number(result), status=int(done))
    raise OperationsError(
        f"{source}, line {call.line}: {call} has no form in the binary format, whose calls "
        "say what they saw"
    )
