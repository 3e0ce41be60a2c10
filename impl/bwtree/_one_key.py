"""The calls on one key, and on the entry nearest to one: the part of the map that is linearizable.

Each is one call of the library and takes effect at one instant between its call and its return.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from operator import index
from typing import Any, Final, TypeVar, overload

from bwtree._errors import check, error_of, out_of_range
from bwtree._native import ffi, lib

T = TypeVar("T")
Entry = tuple[int, int]

_MISSING: Final = object()

# Names that the calls on one key use: a global is found faster than an attribute of a module.
_BW_OK: int = lib.BW_OK
_BW_NOT_FOUND: int = lib.BW_NOT_FOUND
_BW_EXISTS: int = lib.BW_EXISTS
_NO_VALUE: int = lib.BWPY_NO_VALUE
_get, _contains, _set, _delete = lib.bwpy_get, lib.bw_get, lib.bw_put, lib.bw_remove
_find, _put, _insert = lib.bwpy_find, lib.bwpy_put, lib.bwpy_insert
_update, _remove, _exchange = lib.bwpy_update, lib.bwpy_remove, lib.bwpy_compare_exchange
_floor, _ceiling, _first = lib.bwpy_floor, lib.bwpy_ceiling, lib.bwpy_first
_lower, _higher, _last = lib.bwpy_lower, lib.bwpy_higher, lib.bwpy_last
_pop_first, _pop_last = lib.bwpy_pop_first, lib.bwpy_pop_last
_NULL = ffi.NULL


def _entry(found: Any) -> Entry | None:
    """Give what a navigation call found."""
    status: int = found.status
    if status < 0:
        raise error_of(status)
    return (found.key, found.value) if status == _BW_OK else None


def _popped(found: Any) -> Entry:
    """Give what a pop at one of the ends removed."""
    entry = _entry(found)
    if entry is None:
        raise KeyError("the map is empty")
    return entry


class OneKeyCalls(MutableMapping[int, int]):
    """The map as far as it is about one key; ``_tree`` is the C library's handle."""

    __slots__ = ("_tree",)

    _tree: Any

    def __getitem__(self, key: int) -> int:
        """Give the key's value; KeyError if it is absent. Linearizable, never waits."""
        if type(key) is not int:
            key = index(key)
        try:
            value: int = _get(self._tree, key)
        except OverflowError:
            out_of_range(key)
        if value != _NO_VALUE:
            return value
        found = _find(self._tree, key)
        if found.status == _BW_OK:
            return int(found.value)
        check(found.status)
        raise KeyError(key)

    @overload
    def get(self, key: int, /) -> int | None: ...
    @overload
    def get(self, key: int, default: T, /) -> int | T: ...
    def get(self, key: int, default: object = None, /) -> object:
        """Give the key's value, or ``default`` if it is absent. Linearizable, never waits."""
        if type(key) is not int:
            key = index(key)
        try:
            value: int = _get(self._tree, key)
        except OverflowError:
            out_of_range(key)
        if value != _NO_VALUE:
            return value
        found = _find(self._tree, key)
        if found.status == _BW_OK:
            return found.value
        check(found.status)
        return default

    def __contains__(self, key: object) -> bool:
        """Tell whether the key is present; False for what cannot be a key.

        Linearizable, never waits.
        """
        try:
            status: int = _contains(self._tree, index(key), _NULL)  # type: ignore[arg-type]
        except (OverflowError, TypeError):
            status = _BW_NOT_FOUND
        if status < 0:
            raise error_of(status)
        return status == _BW_OK

    def __setitem__(self, key: int, value: int) -> None:
        """Set the key's value, whether or not it is present. Linearizable."""
        if type(key) is not int:
            key = index(key)
        if type(value) is not int:
            value = index(value)
        try:
            status: int = _set(self._tree, key, value, _NULL)
        except OverflowError:
            out_of_range(key, value)
        if status < 0:
            raise error_of(status)

    def __delitem__(self, key: int) -> None:
        """Remove the key; KeyError if it is absent. Linearizable."""
        if type(key) is not int:
            key = index(key)
        try:
            status: int = _delete(self._tree, key, _NULL)
        except OverflowError:
            out_of_range(key)
        if status != _BW_OK:
            check(status)
            raise KeyError(key)

    def put(self, key: int, value: int) -> int | None:
        """Set the key's value and give the one it replaced, or None. Linearizable."""
        try:
            found = _put(self._tree, index(key), index(value))
        except OverflowError:
            out_of_range(key, value)
        status: int = found.status
        if status < 0:
            raise error_of(status)
        return found.value if status == _BW_EXISTS else None

    def insert(self, key: int, value: int) -> int | None:
        """Insert if absent. Give None, or the value that is present and stays. Linearizable."""
        try:
            found = _insert(self._tree, index(key), index(value))
        except OverflowError:
            out_of_range(key, value)
        status: int = found.status
        if status < 0:
            raise error_of(status)
        return found.value if status == _BW_EXISTS else None

    def replace(self, key: int, value: int) -> int | None:
        """Replace the value if the key is present. Give the old value, or None. Linearizable."""
        try:
            found = _update(self._tree, index(key), index(value))
        except OverflowError:
            out_of_range(key, value)
        status: int = found.status
        if status < 0:
            raise error_of(status)
        return found.value if status == _BW_OK else None

    def remove(self, key: int) -> int | None:
        """Remove the key and give the value it had, or None if it is absent. Linearizable."""
        try:
            found = _remove(self._tree, index(key))
        except OverflowError:
            out_of_range(key)
        status: int = found.status
        if status < 0:
            raise error_of(status)
        return found.value if status == _BW_OK else None

    def compare_exchange(self, key: int, expected: int, desired: int) -> int | None:
        """Replace the key's value by ``desired`` if it is ``expected``.

        Gives the value seen at the linearization point (None if absent): equal to ``expected``
        exactly when the exchange took place. Linearizable.
        """
        try:
            found = _exchange(self._tree, index(key), index(expected), index(desired))
        except OverflowError:
            out_of_range(key, expected, desired)
        status: int = found.status
        if status < 0:
            raise error_of(status)
        return None if status == _BW_NOT_FOUND else found.value

    def setdefault(self, key: int, default: int, /) -> int:
        """Give the key's value, after inserting ``default`` if it is absent. Linearizable."""
        seen = self.insert(key, default)
        return index(default) if seen is None else seen

    @overload
    def pop(self, key: int, /) -> int: ...
    @overload
    def pop(self, key: int, default: T, /) -> int | T: ...
    def pop(self, key: int, default: object = _MISSING, /) -> object:
        """Remove the key and give its value, or ``default``, or raise KeyError. Linearizable."""
        seen = self.remove(key)
        if seen is not None:
            return seen
        if default is _MISSING:
            raise KeyError(key)
        return default

    def popitem(self, last: bool = True) -> Entry:
        """Remove the last (or the first) entry and give it, as poplast() and popfirst() do."""
        return self.poplast() if last else self.popfirst()

    def popfirst(self) -> Entry:
        """Remove the entry with the least key and give it; KeyError if the map is empty.

        Linearizable: it is the first at the instant at which it is removed.
        """
        return _popped(_pop_first(self._tree))

    def poplast(self) -> Entry:
        """Remove the entry with the greatest key and give it; KeyError if the map is empty.

        Linearizable: it is the last at the instant at which it is removed.
        """
        return _popped(_pop_last(self._tree))

    # ------------------------------------------------------------------ navigation ---------------

    def floor(self, key: int) -> Entry | None:
        """Give the entry with the greatest key at most ``key``, or None. Linearizable."""
        try:
            return _entry(_floor(self._tree, index(key)))
        except OverflowError:
            out_of_range(key)

    def ceiling(self, key: int) -> Entry | None:
        """Give the entry with the least key at least ``key``, or None. Linearizable."""
        try:
            return _entry(_ceiling(self._tree, index(key)))
        except OverflowError:
            out_of_range(key)

    def lower(self, key: int) -> Entry | None:
        """Give the entry with the greatest key below ``key``, or None. Linearizable."""
        try:
            return _entry(_lower(self._tree, index(key)))
        except OverflowError:
            out_of_range(key)

    def higher(self, key: int) -> Entry | None:
        """Give the entry with the least key above ``key``, or None. Linearizable."""
        try:
            return _entry(_higher(self._tree, index(key)))
        except OverflowError:
            out_of_range(key)

    def first(self) -> Entry | None:
        """Give the entry with the least key, or None if the map is empty. Linearizable."""
        return _entry(_first(self._tree))

    def last(self) -> Entry | None:
        """Give the entry with the greatest key, or None if the map is empty. Linearizable."""
        return _entry(_last(self._tree))
