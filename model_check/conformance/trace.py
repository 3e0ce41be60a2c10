"""Events of the engine, and traces for the Trace modules of spec/."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from model_check.explorer.harness import engine_folder

#: Kinds of the harness's own (model_check/explorer/engine/event_words.h).
CALL, ANSWER, NOTHING, STATE = "CALL", "ANSWER", "NOTHING", "STATE"
OWN = {60: CALL, 61: ANSWER, 62: NOTHING, 64: STATE}
#: Of operations that a program names (model_check/explorer/engine/program.h); CONTENTS (model.h)
#: is greater.
LAST_OPERATION = 53
_ENUM = re.compile(r"enum bw_event_kind \{(.*?)\}", re.DOTALL)


@cache
def names() -> tuple[str, ...]:
    """Name the events of impl/src/event.h, in the order of their numbers."""
    text = (engine_folder() / "src" / "event.h").read_text(encoding="utf-8")
    found = _ENUM.search(text)
    if found is None:
        message = "impl/src/event.h has no enum bw_event_kind; trace.py reads the names there"
        raise ValueError(message)
    return tuple(re.findall(r"BW_EVENT_(\w+)", found[1]))


@dataclass(frozen=True)
class Event:
    """One event: who told it, what it was, its words (event.h, events.c)."""

    thread: int
    name: str
    words: tuple[int, ...]


def read(rows: Sequence[Sequence[int]]) -> list[Event]:
    """Read events as the runtime reports them: thread, kind, words; up to the tree's closing."""
    known = names()
    found = []
    for row in rows:
        name = known[row[1]] if row[1] < len(known) else OWN[row[1]]
        if name == "CLOSE":
            break
        found.append(Event(row[0], name, tuple(row[2:])))
    return found


def until_contents(events: Sequence[Event]) -> Sequence[Event]:
    """Give the events before the harness reads what the map holds: then all is over."""
    for k, event in enumerate(events):
        if event.name == CALL and event.words[0] > LAST_OPERATION:
            return events[:k]
    return events


@dataclass(frozen=True)
class Entry:
    """One event of a trace: the spec's action, up to three values, the engine's event behind it."""

    action: str
    values: tuple[Any, ...]
    origin: int

    def told(self, value: Callable[[Any], str]) -> str:
        """Write it as TLA+; ``value`` writes a value."""
        return value((self.action, *[*self.values, 0, 0, 0][:3]))

    def __str__(self) -> str:
        """Write it for a person."""
        return f"{self.action}({', '.join(map(str, self.values))})"


#: Events after which a trace is cut where it can be.
PIECE = 1_000


@dataclass(frozen=True)
class Cut:
    """A moment at which nothing is under way: in front of entry ``at``, in ``state``.

    ``needs``: constants that are less for what comes before it, back to the last cut.
    """

    at: int
    state: Mapping[str, Any]
    needs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """What one page id's part of an execution is in a spec.

    ``module``: Trace… of spec/. ``constants``: what it needs at least: a number of threads, of
    objects, …. ``start``: the state that it begins in. ``values``: of the map, that occur.
    ``cuts``: where it can be taken apart. ``end``: the state that it must end in, of a piece.
    """

    module: str
    name: str
    constants: Mapping[str, int]
    start: Mapping[str, Any]
    entries: tuple[Entry, ...]
    values: frozenset[str] = frozenset()
    cuts: tuple[Cut, ...] = ()
    end: Mapping[str, Any] | None = None

    def pieces(self) -> list[Trace]:
        """Take it apart; each piece must end in the state in which the next one begins.

        So all of them are behaviours of the spec exactly if the whole is one that goes through
        these states.
        """
        begin = Cut(0, self.start)
        found = []
        for cut in self.cuts:
            entries = self.entries[begin.at : cut.at]
            needs = {**self.constants, **cut.needs}
            piece = replace(self, constants=needs, start=begin.state, entries=entries)
            found.append(replace(piece, cuts=(), end=cut.state))
            begin = cut
        found.append(replace(self, start=begin.state, entries=self.entries[begin.at :], cuts=()))
        return found

    def told(self, value: Callable[[Any], str]) -> str:
        """Write it as TLA+; ``value`` writes a value."""
        events = ",\n".join(entry.told(value) for entry in self.entries)
        ends = "{}" if self.end is None else f"{{{value(self.end)}}}"
        return f"[start|->{value(self.start)},ends|->{ends},\nevents|-><<\n{events}>>]"


def tla(value: Any, part: Callable[[Any], str] | None = None) -> str:
    """Write a value as TLA+: dict as record, list or tuple as sequence, set as set.

    ``part`` writes what it is composed of. Without a space: TLC looks at each line from every one
    of them on.
    """
    part = part or tla
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping) and not value:
        return "<<>>"
    if isinstance(value, Mapping):
        return "[" + ",".join(f"{name}|->{part(each)}" for name, each in value.items()) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ",".join(part(each) for each in sorted(value)) + "}"
    return "<<" + ",".join(part(each) for each in value) + ">>"
