"""Buffers of 64-bit integers, as C sees them.

Batch calls take anything that exports a one-dimensional, contiguous buffer of 64-bit integers in
this machine's byte order (numpy arrays, ``array.array``, memoryview) and use its memory in place.
Other iterables of integers are copied. Signed buffers are fine as long as no number is negative.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, Any, Protocol, cast

from bwtree._errors import out_of_range
from bwtree._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

    class NumpyArray(Protocol):
        """A numpy array, which the types of Python before 3.12 do not know for a buffer."""

        @property
        def __array_interface__(self) -> dict[str, Any]: ...

    Writable = Buffer | NumpyArray

_NATIVE_ORDER = "<" if sys.byteorder == "little" else ">"
_UNSIGNED = frozenset("QLN")
_SIGNED = frozenset("qln")


def _letter(view: memoryview) -> str:
    """Give the struct letter of a view whose items are of this machine's byte order, else ''."""
    code = view.format
    if len(code) == 2 and code[0] in ("@", "=", _NATIVE_ORDER):
        code = code[1]
    return code if len(code) == 1 else ""


def _shaped(name: str, view: memoryview) -> memoryview:
    """Give the view if it has the right shape."""
    if view.ndim != 1 or not view.c_contiguous:
        raise TypeError(
            f"{name} must be a contiguous buffer of one dimension, got {view.ndim} dimension(s) "
            f"with strides {view.strides}: pass a contiguous copy"
        )
    return view


def integers(name: str, source: Buffer | Iterable[int]) -> Any:
    """Give ``source`` as ``const uint64_t[]``, without a copy if it is a buffer.

    Raises TypeError for a buffer of anything else, OverflowError for a number below 0 (or, in an
    iterable, above 2**64-1).
    """
    try:
        view = memoryview(source)  # type: ignore[arg-type]
    except TypeError:
        return ffi.from_buffer("uint64_t[]", _copied(name, source))  # type: ignore[arg-type]
    letter = _letter(_shaped(name, view))
    if view.itemsize != 8 or letter not in _UNSIGNED | _SIGNED:
        raise TypeError(
            f"{name} must be a buffer of 64-bit integers, got format {view.format!r} with items of "
            f"{view.itemsize} byte(s)"
        )
    if letter in _SIGNED:
        signed = ffi.from_buffer("int64_t[]", view)
        if lib.bwpy_any_negative(signed, len(signed)):
            out_of_range(min(view.cast("B").cast("q")))
    return ffi.from_buffer("uint64_t[]", view)


def writable_integers(name: str, target: Writable, count: int) -> Any:
    """Give ``target`` as ``uint64_t[]`` to be written to: unsigned, and ``count`` long."""
    view = _shaped(name, memoryview(cast("Buffer", target)))
    letter = _letter(view)
    if view.itemsize != 8 or letter not in _UNSIGNED:
        raise TypeError(
            f"{name} must be a buffer of unsigned 64-bit integers, got format {view.format!r}"
        )
    return _writable(name, "uint64_t[]", view, count)


def writable_flags(name: str, target: Writable, count: int) -> Any:
    """Give ``target`` as ``bool[]`` to be written to: items of one byte, and ``count`` long."""
    view = _shaped(name, memoryview(cast("Buffer", target)))
    if view.itemsize != 1 or _letter(view) not in {"?", "B", "b", "c"}:
        raise TypeError(f"{name} must be a buffer of bools or bytes, got format {view.format!r}")
    return _writable(name, "bool[]", view, count)


def _writable(name: str, kind: str, view: memoryview, count: int) -> Any:
    if view.readonly:
        raise TypeError(f"{name} must be a writable buffer, got one that is read-only")
    if len(view) != count:
        raise ValueError(f"{name} must have one item for each of the {count} keys, got {len(view)}")
    return ffi.from_buffer(kind, view, require_writable=True)


def _copied(name: str, source: Iterable[int]) -> array[int]:
    numbers = array("Q")
    for number in source:
        if not hasattr(number, "__index__"):
            raise TypeError(f"{name} must be integers, got {number!r}")
        try:
            numbers.append(number)
        except OverflowError:
            out_of_range(number)
    return numbers
