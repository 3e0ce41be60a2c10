"""Operations of any service, as a history in plain Python: what was called, what came back, when.

The recorder's histories are arrays in C (recorder/history.py). These here come from elsewhere: from
files (textual.py, jepsen.py), or made by hand. models.py says what the operations do, objects.py
checks them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


#: Calls of which no result means that they found nothing.
_GIVING = frozenset(
    {
        "get", "read", "exchange", "insert_or_get", "update", "compare_exchange", "take", "dequeue",
        "pop",
    }
)  # fmt: skip


class OperationsError(Exception):
    """What was read is no history; the message names the line or offset and says what is wrong."""


@dataclass(frozen=True)
class Operation:
    """One call.

    ``responded`` is None for a call that never returned: it may have taken effect at any time after
    ``invoked``, or not at all, and ``result`` means nothing. A call that is known to have failed
    without effect does not belong into a history. Times are of one clock, in any unit.
    """

    process: Hashable
    name: str
    argument: Hashable = None
    result: Hashable = None
    invoked: int = 0
    responded: int | None = None
    key: Hashable = None  #: of the object that was called, where there are several
    line: int = 0  #: in the file, from 1; 0: from nowhere
    #: of the object, as the service numbers them: the one that a write made, or that a read saw
    version: int | None = None

    @property
    def known(self) -> bool:
        """Tell whether it returned."""
        return self.responded is not None

    def __str__(self) -> str:
        """Write it as a call with its result."""
        argument = "" if self.argument is None else _text(self.argument)
        what = f"{self.name}({argument})"
        if not self.known:
            return f"{what} never returned"
        silent = self.result is None and self.name not in _GIVING
        return what if silent else f"{what} → {_text(self.result)}"


@dataclass(frozen=True)
class Operations:
    """A history: operations, and what the file said about it."""

    calls: tuple[Operation, ...]
    source: str = ""
    failed: int = 0  #: calls left out since they are known to have had no effect
    others: int = 0  #: entries left out since no client made them (a nemesis, say)
    model: str = ""  #: of models.py, where the file names it
    facts: dict[str, object] = field(default_factory=dict)


def ranked(calls: Iterable[Operation]) -> tuple[Operation, ...]:
    """Order calls by invocation, with the ranks of their times: only the order of times counts."""
    ordered = sorted(calls, key=lambda call: call.invoked)
    times = {call.invoked for call in ordered}
    times |= {call.responded for call in ordered if call.responded is not None}
    rank = {time: number for number, time in enumerate(sorted(times))}
    return tuple(
        replace(
            call,
            invoked=rank[call.invoked],
            responded=None if call.responded is None else rank[call.responded],
        )
        for call in ordered
    )


def _text(value: Hashable) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "[" + " ".join(_text(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
