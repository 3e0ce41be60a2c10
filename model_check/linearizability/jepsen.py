"""Histories of Jepsen: ``history.edn``, for registers, cas-registers and what lives behind keys.

``:fail`` is what is known not to have happened, ``:info`` what may have: events.py. Of a write or
cas the value at completion is the argument again, so that it has no result; of a read it is the
result. Events of anything but a client (``:process :nemesis``) are left out and counted.

With independent keys (``jepsen.independent``) each value is a pair ``[key value]``. From the file
alone such a pair cannot be told from a value that is a vector, so it must be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_check.linearizability import edn
from model_check.linearizability.events import TYPES, Event, pair
from model_check.linearizability.operations import Operations, OperationsError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_RETURNING = frozenset({"read", "get", "dequeue", "pop", "contains"})


def parse(text: str, source: str, *, independent: bool = False) -> Operations:
    """Read a history. OperationsError names the line."""
    others = 0
    events: list[Event] = []
    for entry in _entries(text, source):
        event = _event(entry, source, independent=independent)
        if event is None:
            others += 1
        else:
            events.append(event)
    return pair(events, source, others=others)


def _entries(text: str, source: str) -> Iterator[edn.Map]:
    for value in edn.values(text, source):
        for entry in value if isinstance(value, tuple) else (value,):
            if not isinstance(entry, edn.Map):
                raise OperationsError(
                    f"{source}: a history is a list of maps, {{:type :invoke, :f :read ...}}; "
                    f"this is none: {entry!r}"
                )
            yield entry


def _event(entry: edn.Map, source: str, *, independent: bool) -> Event | None:
    line = entry.line
    for name in ("type", "f", "process"):
        if edn.Keyword(name) not in entry:
            raise OperationsError(f"{source}, line {line}: an event has no :{name}")
    kind, process = entry[edn.Keyword("type")], entry[edn.Keyword("process")]
    if kind not in TYPES:
        raise OperationsError(f"{source}, line {line}: :type is one of {TYPES}, got {kind!r}")
    if not isinstance(process, int):
        return None
    name = str(entry[edn.Keyword("f")])
    value = entry.get(edn.Keyword("value"))
    key: Hashable = None
    if independent:
        if not isinstance(value, tuple) or len(value) != 2:
            raise OperationsError(
                f"{source}, line {line}: with independent keys values are [key value]: {value}"
            )
        key, value = value
    elif name in _RETURNING and kind == "invoke" and isinstance(value, tuple) and len(value) == 2:
        raise OperationsError(
            f"{source}, line {line}: a {name} is invoked with [{value[0]} {value[1]}]: if that is "
            "a key and a value, say --independent"
        )
    if kind != "invoke" and name not in _RETURNING:
        value = None
    if kind == "invoke" and name in _RETURNING and name != "contains":
        value = None
    return Event(str(kind), process, name, value, key, None, line)
