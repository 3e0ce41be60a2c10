"""Calls with many keys: the bodies of ``BwTree.get_many``, ``put_many`` and ``update``.

Long batches are cut into chunks, so that Ctrl-C gets a word in between two of them.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bwtree import _buffers
from bwtree._errors import check, error_of, out_of_range
from bwtree._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

    from bwtree._buffers import Writable

_CHUNK = 1 << 16


class Found(NamedTuple):
    """What get_many found: for each key its value and whether it is present, and how many are."""

    values: memoryview
    present: memoryview
    hits: int


def get_many(
    tree: Any, keys: Buffer | Iterable[int], out: Writable | None, present: Writable | None
) -> Found:
    """Look up ``keys`` in ``tree``, the C library's handle."""
    wanted = _buffers.integers("keys", keys)
    count = len(wanted)
    if out is None:
        out = memoryview(bytearray(8 * count)).cast("Q")
    if present is None:
        present = memoryview(bytearray(count)).cast("?")
    values = _buffers.writable_integers("out", out, count)
    flags = _buffers.writable_flags("present", present, count)
    hits, total = ffi.new("size_t *"), 0
    for at in range(0, max(count, 1), _CHUNK):
        size = min(_CHUNK, count - at)
        check(lib.bw_get_many(tree, wanted + at, size, values + at, flags + at, hits))
        total += hits[0]
    return Found(memoryview(cast("Buffer", out)), memoryview(cast("Buffer", present)), total)


def put_many(tree: Any, keys: Buffer | Iterable[int], values: Buffer | Iterable[int]) -> int:
    """Put pairs into ``tree``, the C library's handle; give how many keys were absent."""
    native_keys = _buffers.integers("keys", keys)
    native_values = _buffers.integers("values", values)
    count = len(native_keys)
    if len(native_values) != count:
        raise ValueError(
            f"keys and values must be of one length, got {count} and {len(native_values)}"
        )
    done, inserted, total = ffi.new("size_t *"), ffi.new("size_t *"), 0
    for at in range(0, max(count, 1), _CHUNK):
        size = min(_CHUNK, count - at)
        status = lib.bw_put_many(tree, native_keys + at, native_values + at, size, done, inserted)
        if status < 0:
            reason = error_of(status)
            raise type(reason)(f"{reason} ({at + done[0]} of {count} pairs were put)")
        total += inserted[0]
    return total


def put_pairs(tree: Any, pairs: Iterable[tuple[int, int]]) -> None:
    """Put an iterable of (key, value); when it raises, what it gave before is put."""
    keys: list[int] = []
    values: list[int] = []
    try:
        for key, value in pairs:
            number, content = index(key), index(value)
            if not 0 <= number < 2**64 or not 0 <= content < 2**64:
                out_of_range(number, content)
            keys.append(number)
            values.append(content)
            if len(keys) == _CHUNK:
                full = keys, values
                keys, values = [], []  # before the call: what it raises must not put them again
                put_many(tree, *full)
    finally:
        put_many(tree, keys[: len(values)], values)  # Ctrl-C may come between two appends
