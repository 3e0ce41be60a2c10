"""The cursor: a place in the tree, and steps in both directions (iterating is in _walk.py).

A cursor of the C library belongs to one thread at a time, so each is kept with a lock. It is only
ever tried, never waited for: two threads that walk with one cursor are a mistake of the program.
"""

from __future__ import annotations

import threading
from operator import index
from typing import Any

from bwtree._errors import check, out_of_range
from bwtree._native import ffi, lib

MAX_KEY = 2**64 - 1

_PIECE = 65_536  # entries that a cursor keeps room for

_BW_OK: int = lib.BW_OK


class Cursor:
    """A place between two keys, and steps in both directions; made by ``BwTree.cursor()``.

    Entries come in order of their keys. What is in the map throughout a walk is given exactly once,
    what is absent throughout never; what comes or goes meanwhile may be seen or not. An idle cursor
    holds back nothing. Errors: ClosedError once the tree is closed, RuntimeError when another
    thread is inside a call of the same cursor.
    """

    __slots__ = ("_batch", "_count", "_cursor", "_entry", "_keys", "_lock", "_tree", "_values")

    def __init__(self, tree: Any) -> None:
        """Stand before the first key of ``tree``, the C library's handle."""
        place = ffi.new("bw_cursor **")
        check(lib.bw_cursor_open(tree, place))
        # The handle of the tree outlives that of the cursor, as bw_free asks.
        self._tree = tree
        self._cursor = ffi.gc(place[0], lib.bw_cursor_free)
        self._entry = ffi.new("uint64_t[2]")
        self._count = ffi.new("size_t *")
        self._batch = 0
        self._keys: Any = None
        self._values: Any = None
        self._lock = threading.Lock()

    def seek(self, key: int) -> None:
        """Stand just before the least key that is at least ``key``, or behind all keys."""
        key = index(key)
        if not 0 <= key <= MAX_KEY:
            out_of_range(key)
        with self._alone():
            check(lib.bw_cursor_seek(self._cursor, key))

    def seek_end(self) -> None:
        """Stand behind all keys."""
        with self._alone():
            check(lib.bw_cursor_seek_end(self._cursor))

    def next(self) -> tuple[int, int] | None:
        """Step over the next entry and give it, or None at the end (a later call looks again)."""
        return self._step(lib.bw_cursor_next)

    def prev(self) -> tuple[int, int] | None:
        """Step back over the entry before and give it, or None at the beginning."""
        return self._step(lib.bw_cursor_prev)

    def next_many(self, count: int, limit: int = MAX_KEY) -> list[tuple[int, int]]:
        """Step over up to ``count`` entries whose keys are at most ``limit`` and give them.

        Fewer than ``count``: there were no more within the limit.
        """
        return list(zip(*self.fetch(count, limit, reverse=False), strict=True))

    def prev_many(self, count: int, limit: int = 0) -> list[tuple[int, int]]:
        """Step back over up to ``count`` entries with keys of ``limit`` at least, as next_many."""
        return list(zip(*self.fetch(count, limit, reverse=True), strict=True))

    def fetch(self, count: int, limit: int, *, reverse: bool) -> tuple[list[int], list[int]]:
        """Step over up to ``count`` entries within ``limit``; give their keys and their values."""
        count, limit = index(count), index(limit)
        if count < 0:
            raise ValueError(f"count must not be negative, got {count}")
        if not 0 <= limit <= MAX_KEY:
            out_of_range(limit)
        step = lib.bw_cursor_prev_many if reverse else lib.bw_cursor_next_many
        if count > _PIECE:
            return self._pieces(count, limit, reverse=reverse)
        with self._alone():
            if self._batch < count or self._keys is None:
                self._keys = ffi.new("uint64_t[]", max(count, 1))
                self._values = ffi.new("uint64_t[]", max(count, 1))
                self._batch = count
            if count == 0:
                return [], []
            self._count[0] = 0
            check(step(self._cursor, limit, self._keys, self._values, count, self._count))
            given = self._count[0]
            return ffi.unpack(self._keys, given), ffi.unpack(self._values, given)

    def _pieces(self, count: int, limit: int, *, reverse: bool) -> tuple[list[int], list[int]]:
        """Fetch piece by piece: there may be far fewer entries than were asked for."""
        keys: list[int] = []
        values: list[int] = []
        while count > 0:
            piece = min(count, _PIECE)
            more = self.fetch(piece, limit, reverse=reverse)
            keys += more[0]
            values += more[1]
            if len(more[0]) < piece:
                break
            count -= piece
        return keys, values

    def _step(self, step: Any) -> tuple[int, int] | None:
        with self._alone():
            status = step(self._cursor, self._entry, self._entry + 1)
            check(status)
            return (self._entry[0], self._entry[1]) if status == _BW_OK else None

    def _alone(self) -> threading.Lock:
        """Give the lock, for a with statement; two calls that begin at one instant take turns."""
        if self._lock.locked():
            raise RuntimeError("another thread is inside a call of this cursor: use one each")
        return self._lock
