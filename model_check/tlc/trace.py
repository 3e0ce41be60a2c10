"""A counter-example for people: action by action, changed variables only.

TLC prints every variable in every state. A state of BwTree has some twenty of them, and
an action changes two or three, mostly in one place of a function. So a state is read into
values (functions, records, sequences, sets, atoms) and a step is printed as the places
that changed: ``pc[t1]: "idle" → "scan"``. What cannot be read as a value stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

#: A variable of the first state that takes more characters than this is shown part by part.
_LONG = 90

_HEAD = re.compile(r"(\d+): ?(.*)$")
_ACTION = re.compile(r"<(?P<action>.+?) line (?P<line>\d+), .*? of module (?P<module>[^>\s]+)")
_VARIABLE = re.compile(r"(?:/\\ )?([A-Za-z_]\w*) = (.*)$")
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|<<|>>|\|->|:>|@@|\.\.|[\[\]{}(),]|-?\w+)')


@dataclass(frozen=True)
class Mapping:
    """A function, record or sequence: keys (as text) to values, in TLC's order."""

    entries: tuple[tuple[str, Value], ...]
    shape: str  # "function", "record" or "sequence"
    text: str


#: A Mapping, or the text of anything else.
Value: TypeAlias = Mapping | str


@dataclass(frozen=True)
class State:
    """One state of a trace and the action that led to it."""

    number: int
    action: str  # "Initial predicate", an action's name, "Stuttering", "Back to state"
    where: str  # "Counter:7", or empty; of "Back to state" also the action that goes back
    variables: tuple[tuple[str, str], ...]


def parse_state(text: str) -> State:
    """Read one state as TLC prints it; lines that belong to no variable are kept with it."""
    first, _, rest = text.partition("\n")
    head = _HEAD.match(first)
    number, label = (int(head[1]), head[2]) if head else (0, first)
    place = _ACTION.search(label)
    where = f"{place['module']}:{place['line']}" if place else ""
    if label.startswith("Back to state"):
        taken = f"{place['action'].split('<')[-1]}  ({where})" if place else ""
        action, where = "Back to state", taken
    elif place:
        action = place["action"]
    else:
        action = label.strip("<> ")
    return State(number, action, where, tuple(_variables(rest)))


def _variables(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        start = _VARIABLE.match(line)
        if start:
            found.append((start[1], start[2]))
        elif line.strip() and found:
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}")
    return found


def parse_value(text: str) -> Value:
    """Read a TLA+ value; gives ``text`` itself if it is an atom, a set, or unreadable."""
    tokens = _Tokens(text)
    try:
        value = tokens.value()
    except _UnreadableError:
        return text
    return value if tokens.at_end() else text


class _UnreadableError(Exception):
    pass


class _Tokens:
    """A reader of values, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def at_end(self) -> bool:
        return not self.text[self.position :].strip()

    def peek(self) -> str | None:
        token = _TOKEN.match(self.text, self.position)
        return token[1] if token else None

    def take(self, wanted: str | None = None) -> str:
        token = _TOKEN.match(self.text, self.position)
        if token is None or (wanted is not None and token[1] != wanted):
            raise _UnreadableError
        self.position = token.end()
        return token[1]

    def value(self) -> Value:
        start = self.position
        first = self.take()
        if first == "<<":
            entries = [(str(i), v) for i, v in enumerate(self.items(">>"), start=1)]
            return Mapping(tuple(entries), "sequence", self.since(start))
        if first == "{":
            self.items("}")
            return self.since(start)
        if first == "[":
            return self.record(start)
        if first == "(":
            return self.function(start)
        if first in (">>", "]", "}", ")", ",", "|->", ":>", "@@", ".."):
            raise _UnreadableError
        if self.peek() == "..":
            self.take("..")
            self.take()
        return self.since(start)

    def items(self, end: str) -> list[Value]:
        found: list[Value] = []
        if self.peek() == end:
            self.take(end)
            return found
        while True:
            found.append(self.value())
            if self.take() == end:
                return found

    def record(self, start: int) -> Value:
        entries: list[tuple[str, Value]] = []
        if self.peek() == "]":
            self.take("]")
            return Mapping((), "record", self.since(start))
        while True:
            name = self.take()
            self.take("|->")
            entries.append((name, self.value()))
            if self.take() == "]":
                return Mapping(tuple(entries), "record", self.since(start))

    def function(self, start: int) -> Value:
        entries: list[tuple[str, Value]] = []
        while True:
            key = self.value()
            self.take(":>")
            entries.append((key.text if isinstance(key, Mapping) else key, self.value()))
            if self.take() == ")":
                return Mapping(tuple(entries), "function", self.since(start))

    def since(self, start: int) -> str:
        return self.text[start : self.position].strip()


def _text(value: Value) -> str:
    return value.text if isinstance(value, Mapping) else value


def _part(path: str, whole: Mapping, key: str) -> str:
    return f"{path}.{key}" if whole.shape == "record" else f"{path}[{key}]"


def spread(path: str, value: Value) -> list[str]:
    """Say what ``value`` is: in one line if that is short enough, else part by part."""
    if isinstance(value, Mapping) and len(path) + len(value.text) > _LONG:
        found: list[str] = []
        for key, part in value.entries:
            found += spread(_part(path, value, key), part)
        return found
    return [f"{path} = {_text(value)}"]


def changes(path: str, old: Value, new: Value) -> list[str]:
    """Say what differs between two values of the variable (or part) named ``path``."""
    if _text(old) == _text(new):
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.shape == new.shape:
        before, after = dict(old.entries), dict(new.entries)
        length = len(old.entries)
        if old.shape == "sequence" and length and new.entries[:length] == old.entries:
            added = ", ".join(_text(value) for _, value in new.entries[length:])
            return [f"{path}: appended {added}"]
        if before.keys() == after.keys():
            found: list[str] = []
            for key, value in before.items():
                found += changes(_part(path, old, key), value, after[key])
            return found
    return [f"{path}: {_text(old)} → {_text(new)}"]


def render(trace: list[State], indent: str = "  ") -> list[str]:
    """Give the lines of a trace: the first state whole, then what each action changed."""
    lines: list[str] = []
    width = len(str(len(trace)))
    previous: State | None = None
    for state in trace:
        number = f"{state.number:>{width}}"
        if state.action == "Stuttering":
            lines.append(f"{indent}{number}  and nothing happens any more (stuttering)")
        elif state.action == "Back to state":
            lines.append(f"{indent}{' ' * width}  {state.where}".rstrip())
            lines.append(f"{indent}{' ' * width}    and back to state {state.number}, for ever")
        elif previous is None:
            lines.append(f"{indent}{number}  initial state")
            for name, text in state.variables:
                parts = spread(name, parse_value(text))
                lines += [f"{indent}{' ' * width}    {part}" for part in parts]
        else:
            place = f"  ({state.where})" if state.where else ""
            lines.append(f"{indent}{number}  {state.action}{place}")
            before = dict(previous.variables)
            changed: list[str] = []
            for name, value in state.variables:
                changed += changes(name, parse_value(before.get(name, "?")), parse_value(value))
            lines += [f"{indent}{' ' * width}    {change}" for change in changed or ["(no change)"]]
        previous = state
    return lines
