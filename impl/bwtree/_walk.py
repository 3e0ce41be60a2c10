"""Iterating: walks over a range in batches, each one call of the library.

Unlike a Cursor, which steps both ways and may be shared by mistake, a walk goes one way and lives
inside one iterator, so it needs neither a lock nor more than one allocation. What an iterator gives
comes from lists by way of ``chain``: no Python code runs between two entries of a batch.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from bwtree._errors import check
from bwtree._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

_WALK = ffi.typeof("bwpy_walk *")

# A first batch is small, for walks that end early; each is three times the one before, up to the
# largest that a walk has room for.
_FIRST_BATCH = 32
_LARGEST_BATCH: int = len(ffi.new(_WALK).keys)

_open, _next, _close = lib.bwpy_walk_open, lib.bwpy_walk_next, lib.bwpy_walk_close
_unpack = ffi.unpack


def _walk(
    tree: Any, low: int, high: int, reverse: bool, take: Callable[[Any, int], T]
) -> Iterator[T]:
    """Give what ``take`` makes of each batch of the entries in [low, high] and their number."""
    start, limit = (high, low) if reverse else (low, high)
    walk = ffi.new(_WALK)
    size = _FIRST_BATCH
    try:
        status: int = _open(walk, tree, start, limit, reverse, size)
        while True:
            count: int = walk.count
            if count:
                yield take(walk, count)
            if status < 0:
                check(status)
            if count < size:
                return
            size = min(3 * size, _LARGEST_BATCH)
            status = _next(walk, limit, reverse, size)
    finally:
        _close(walk)


def _keys(walk: Any, count: int) -> list[int]:
    return _unpack(walk.keys, count)  # type: ignore[no-any-return]


def _values(walk: Any, count: int) -> list[int]:
    return _unpack(walk.values, count)  # type: ignore[no-any-return]


def _both(walk: Any, count: int) -> tuple[list[int], list[int]]:
    return _keys(walk, count), _values(walk, count)


def _entries(walk: Any, count: int) -> Iterable[tuple[int, int]]:
    return zip(_keys(walk, count), _values(walk, count), strict=True)


def keys(tree: Any, low: int, high: int, *, reverse: bool) -> Iterator[int]:
    """Walk through the keys in [low, high] of ``tree``, the C library's handle."""
    return chain.from_iterable(_walk(tree, low, high, reverse, _keys))


def values(tree: Any, low: int, high: int, *, reverse: bool) -> Iterator[int]:
    """Walk through the values of the keys in [low, high], in the order of the keys."""
    return chain.from_iterable(_walk(tree, low, high, reverse, _values))


def entries(tree: Any, low: int, high: int, *, reverse: bool) -> Iterator[tuple[int, int]]:
    """Walk through the entries whose keys are in [low, high]."""
    return chain.from_iterable(_walk(tree, low, high, reverse, _entries))


def batches(
    tree: Any, low: int, high: int, *, reverse: bool
) -> Iterator[tuple[list[int], list[int]]]:
    """Walk through the entries; give lists of keys and of their values."""
    return _walk(tree, low, high, reverse, _both)
