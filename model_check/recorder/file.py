"""History files: the layout of history.h behind a header, with a checksum at the end.

docs/history-format.md is the documentation of the format. Files are mapped into memory, not
read: a history of gigabytes costs no copy. Whatever is wrong with a file is a
:class:`HistoryFileError` that names the offset.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

from model_check.recorder.history import History
from model_check.recorder.native import ffi

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"BWHIST\r\n"
VERSION = 2
#: What can be read: version 1 has no page reads.
_READS = (1, VERSION)
_MARK = 0x01020304
_HEADER = struct.Struct("=8sIIIIIIQ")  # magic, version, mark, sizes, lanes, facts, initial
_LANE = struct.Struct("=QQ")
_TRAILER = struct.Struct("=8sII")  # magic, crc32, mark
_END = b"BWHISTND"
_RECORD, _PAIR = ffi.sizeof("rec_record"), ffi.sizeof("rec_pair")


class HistoryFileError(Exception):
    """The file is no history, or a damaged one; the message says where and what."""


def save(history: History, path: Path) -> None:
    """Write ``history`` to ``path``, whole or not at all. OSError as usual."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    native = history.native
    facts = json.dumps(history.facts, sort_keys=True).encode()
    facts += b" " * (-len(facts) % 8)
    blocks: list[Any] = [
        _HEADER.pack(
            MAGIC, VERSION, _MARK, _RECORD, _PAIR, native.lane_count, len(facts),
            native.initial_count,
        )
    ]  # fmt: skip
    lanes = [native.lanes[t] for t in range(native.lane_count)]
    blocks += [_LANE.pack(lane.record_count, lane.pair_count) for lane in lanes]
    blocks += [facts, _bytes(native.initial, native.initial_count * _PAIR)]
    for lane in lanes:
        blocks.append(_bytes(lane.records, lane.record_count * _RECORD))
        blocks.append(_bytes(lane.pairs, lane.pair_count * _PAIR))
    crc = 0
    try:
        with part.open("wb") as file:
            for block in blocks:
                crc = zlib.crc32(block, crc)
                file.write(block)
            file.write(_TRAILER.pack(_END, crc, _MARK))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path) -> History:
    """Map the history in ``path``. HistoryFileError if it is none; OSError as usual."""
    size = path.stat().st_size
    least = _HEADER.size + _TRAILER.size
    if size < least:
        raise HistoryFileError(
            f"{path} is no history: it has {size} bytes, fewer than the {least} of an empty one"
        )
    with path.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return _Loader(path, view).history()


class _Loader:
    """Reads one file from its first byte to its last."""

    def __init__(self, path: Path, view: memoryview) -> None:
        self._path = path
        self._view = view
        self._at = 0

    def _take(self, length: int, what: str) -> memoryview:
        left = len(self._view) - _TRAILER.size - self._at
        if length > left:
            raise self._error(
                f"the file ends early: {what} take {length} bytes and {max(left, 0)} are left"
            )
        self._at += length
        return self._view[self._at - length : self._at]

    def _error(self, what: str) -> HistoryFileError:
        return HistoryFileError(f"{self._path}, offset {self._at}: {what}")

    def history(self) -> History:
        magic, version, mark, record, pair, lane_count, facts_size, initial_count = _HEADER.unpack(
            self._view[: _HEADER.size]
        )
        if magic != MAGIC:
            raise self._error(f"not a history: it begins with {magic!r} instead of {MAGIC!r}")
        if mark != _MARK:
            raise self._error(
                "the history was written on a machine of the other byte order: check it there"
            )
        if version not in _READS:
            known = " and ".join(map(str, _READS))
            raise self._error(f"version {version} of the format; this bwcheck reads {known}")
        if (record, pair) != (_RECORD, _PAIR):
            raise self._error(
                f"records of {record} and pairs of {pair} bytes; "
                f"version {VERSION} has {_RECORD} and {_PAIR}"
            )
        self._at = _HEADER.size
        table = self._take(lane_count * _LANE.size, f"the sizes of {lane_count} lanes")
        sizes = list(_LANE.iter_unpack(table))
        facts = self._facts(facts_size)
        start = self._take(initial_count * _PAIR, f"{initial_count} initial entries")
        lanes = ffi.new("rec_lane[]", max(lane_count, 1))
        keep: list[Any] = [lanes, _array("rec_pair", start)]
        for number, (records, pairs) in enumerate(sizes):
            view = self._take(records * _RECORD, f"{records} records of lane {number}")
            native_records = _array("rec_record", view)
            view = self._take(pairs * _PAIR, f"{pairs} pairs of lane {number}")
            native_pairs = _array("rec_pair", view)
            lanes[number] = (native_records, records, native_pairs, pairs)
            keep += [native_records, native_pairs]
        self._check_end()
        native = ffi.new("rec_history *", (keep[1], initial_count, lanes, lane_count))
        return History(native, keep, facts)

    def _facts(self, size: int) -> dict[str, Any]:
        raw = bytes(self._take(size, "the facts"))
        try:
            facts = json.loads(raw)
        except ValueError as error:
            raise self._error(f"the facts are not JSON: {error}") from error
        if not isinstance(facts, dict):
            raise self._error("the facts are not a JSON object")
        return facts

    def _check_end(self) -> None:
        left = len(self._view) - self._at - _TRAILER.size
        if left != 0:
            raise self._error(f"{left} bytes that belong to nothing stand before the end")
        end, crc, mark = _TRAILER.unpack(self._view[self._at :])
        if end != _END or mark != _MARK:
            raise self._error("the end mark is missing: the file is truncated or damaged")
        found = zlib.crc32(self._view[: self._at])
        if found != crc:
            raise self._error(f"the checksum is {found:#010x} and should be {crc:#010x}: damaged")


def _bytes(pointer: Any, size: int) -> Any:
    return ffi.buffer(pointer, size) if size else b""


def _array(kind: str, view: memoryview) -> Any:
    return ffi.from_buffer(f"{kind}[]", view)
