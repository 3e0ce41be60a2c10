"""Views of the keys, values and entries in a range, sorted, forward or in reverse.

Like the views of a dict they show the tree as it is when they are used, and they may be used while
other threads write: a walk gives what is present throughout exactly once and in order, never what
is absent throughout; the entries of one leaf are from one instant, those of different leaves may be
from different ones. Their length is a count at the time of asking.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any

from bwtree import _walk
from bwtree._cursor import MAX_KEY
from bwtree._errors import check, error_of, out_of_range
from bwtree._native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bwtree._tree import BwTree


@dataclass(slots=True)  # never changed; frozen ones take three times as long to make
class Range:
    """The keys from low to high, both inclusive; none if low > high.

    What is done with no keys calls the library all the same: it tells whether the tree is closed.
    """

    low: int
    high: int
    reverse: bool

    @classmethod
    def of(
        cls, lo: int | None, hi: int | None, inclusive: tuple[bool, bool], reverse: bool
    ) -> Range:
        """Make the range from ``lo`` to ``hi`` (None: no bound), each inclusive or not."""
        low = 0 if lo is None else index(lo)
        high = MAX_KEY if hi is None else index(hi)
        if not 0 <= low <= MAX_KEY or not 0 <= high <= MAX_KEY:
            out_of_range(low, high)
        if lo is not None and not inclusive[0]:
            low += 1
        if hi is not None and not inclusive[1]:
            high -= 1
        return cls(1, 0, reverse) if low > high else cls(low, high, reverse)

    def reversed(self) -> Range:
        """Give the same keys, walked in the other direction."""
        return Range(self.low, self.high, not self.reverse)

    def __contains__(self, key: object) -> bool:
        """Tell whether ``key`` is an integer that lies in the range."""
        try:
            return self.low <= index(key) <= self.high  # type: ignore[arg-type]
        except TypeError:
            return False

    def keys(self, tree: Any) -> Iterator[int]:
        """Walk through the keys of ``tree``, the C library's handle."""
        return _walk.keys(tree, self.low, self.high, reverse=self.reverse)

    def values(self, tree: Any) -> Iterator[int]:
        """Walk through the values."""
        return _walk.values(tree, self.low, self.high, reverse=self.reverse)

    def items(self, tree: Any) -> Iterator[tuple[int, int]]:
        """Walk through the entries."""
        return _walk.entries(tree, self.low, self.high, reverse=self.reverse)

    def count(self, tree: Any) -> int:
        """Count the keys; the whole map's count is its size, which takes no walk."""
        result = ffi.new("uint64_t *")
        if self.low == 0 and self.high == MAX_KEY:
            check(lib.bw_size(tree, result))
        else:
            check(lib.bw_count(tree, self.low, self.high, result))
        return int(result[0])

    def delete(self, tree: Any) -> int:
        """Remove the keys; give how many were removed."""
        removed = ffi.new("uint64_t *")
        status = lib.bw_delete_range(tree, self.low, self.high, removed)
        if status < 0:
            reason = error_of(status)
            raise type(reason)(f"{reason} ({removed[0]} keys were removed)")
        return int(removed[0])

    def text(self) -> str:
        """Say which range it is."""
        return f"{self.low} … {self.high}{', in reverse' * self.reverse}"


class BwKeysView(KeysView[int]):
    """The keys in a range, in order."""

    __slots__ = ("_range", "_tree")

    def __init__(self, mapping: BwTree, tree: Any, range_: Range) -> None:
        """View the keys of ``mapping``, whose handle is ``tree``."""
        super().__init__(mapping)
        self._tree, self._range = tree, range_

    def __iter__(self) -> Iterator[int]:
        """Walk through the keys."""
        return self._range.keys(self._tree)

    def __reversed__(self) -> Iterator[int]:
        """Walk through the keys the other way."""
        return self._range.reversed().keys(self._tree)

    def __len__(self) -> int:
        """Count the keys."""
        return self._range.count(self._tree)

    def __contains__(self, key: object) -> bool:
        """Tell whether ``key`` is in the range and in the map."""
        return key in self._range and key in self._mapping  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        """Name the view."""
        return f"<keys {self._range.text()} of {self._mapping!r}>"  # type: ignore[attr-defined]


class BwValuesView(ValuesView[int]):
    """The values of the keys in a range, in the order of the keys."""

    __slots__ = ("_range", "_tree")

    def __init__(self, mapping: BwTree, tree: Any, range_: Range) -> None:
        """View the values of ``mapping``, whose handle is ``tree``."""
        super().__init__(mapping)
        self._tree, self._range = tree, range_

    def __iter__(self) -> Iterator[int]:
        """Walk through the values."""
        return self._range.values(self._tree)

    def __reversed__(self) -> Iterator[int]:
        """Walk through the values the other way."""
        return self._range.reversed().values(self._tree)

    def __len__(self) -> int:
        """Count the entries."""
        return self._range.count(self._tree)

    def __contains__(self, value: object) -> bool:
        """Tell whether a walk comes across ``value``."""
        return any(value == seen for seen in self)

    def __repr__(self) -> str:
        """Name the view."""
        return f"<values {self._range.text()} of {self._mapping!r}>"  # type: ignore[attr-defined]


class BwItemsView(ItemsView[int, int]):
    """The entries in a range as (key, value), in order."""

    __slots__ = ("_range", "_tree")

    def __init__(self, mapping: BwTree, tree: Any, range_: Range) -> None:
        """View the entries of ``mapping``, whose handle is ``tree``."""
        super().__init__(mapping)
        self._tree, self._range = tree, range_

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Walk through the entries."""
        return self._range.items(self._tree)

    def __reversed__(self) -> Iterator[tuple[int, int]]:
        """Walk through the entries the other way."""
        return self._range.reversed().items(self._tree)

    def __len__(self) -> int:
        """Count the entries."""
        return self._range.count(self._tree)

    def __contains__(self, entry: object) -> bool:
        """Tell whether ``entry`` is a (key, value) in the range and in the map."""
        if not isinstance(entry, tuple) or len(entry) != 2 or entry[0] not in self._range:
            return False
        found = self._mapping.get(entry[0])  # type: ignore[attr-defined]
        return found is not None and bool(found == entry[1])

    def __repr__(self) -> str:
        """Name the view."""
        return f"<items {self._range.text()} of {self._mapping!r}>"  # type: ignore[attr-defined]
