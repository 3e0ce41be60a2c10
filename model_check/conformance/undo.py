"""Changes of a dict that can be taken back, for a search that goes forward and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: Takes a change back. Several are to be called in the reverse order.
Undo = Callable[[], None]


def nothing() -> None:
    """Take back nothing."""


def put(into: dict[int, int], key: int, value: int) -> Undo:
    """Put a value under a key; gives what puts back the one before, or none."""
    before = into.get(key)
    into[key] = value

    def undo() -> None:
        if before is None:
            del into[key]
        else:
            into[key] = before

    return undo


def all_of(undo: Sequence[Undo]) -> Undo:
    """Give what takes all of them back, the last one first."""

    def back() -> None:
        for each in reversed(undo):
            each()

    return back
