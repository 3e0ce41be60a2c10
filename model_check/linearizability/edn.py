"""A reader of EDN, the notation that Jepsen writes its histories in.

Gives Python values: numbers, strings, bool, None; :class:`Keyword` and :class:`Symbol` (strings);
lists and vectors as tuples, sets as frozensets, maps as :class:`Map`. A tag before a value
(``#jepsen.history.Op{...}``) is read over. Whatever is wrong is an
:class:`~model_check.linearizability.operations.OperationsError` that names the line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from model_check.linearizability.operations import OperationsError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator


class Keyword(str):
    """``:name``; the colon is not part of it."""

    __slots__ = ()


class Symbol(str):
    """A bare name."""

    __slots__ = ()


class Map(dict):  # type: ignore[type-arg]
    """A map that knows the line it began on, and may stand in a set or be a key."""

    line = 0

    def __hash__(self) -> int:  # type: ignore[override]
        """Hash the entries."""
        return hash(frozenset(self.items()))


_TOKEN = re.compile(
    r"""(?P<space>[\s,]+|;[^\n]*)
    |(?P<open>[(\[{]|\#\{)
    |(?P<close>[)\]}])
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<char>\\(?:newline|space|tab|return|u[0-9a-fA-F]{4}|.))
    |(?P<discard>\#_)
    |(?P<tag>\#[A-Za-z][^\s,;()\[\]{}"]*)
    |(?P<atom>[^\s,;()\[\]{}"\\\#]+)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES = {"(": ")", "[": "]", "{": "}", "#{": "}"}
_INTEGER = re.compile(r"[+-]?\d+N?\Z")
_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?\Z")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "b": "\b", "f": "\f"}
_CHARS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r"}
_NAMED: dict[str, bool | None] = {"nil": None, "true": True, "false": False}
_DEEPEST = 200


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        self._text, self._source = text, source
        self._at, self._line = 0, 1

    def fail(self, what: str, line: int | None = None) -> NoReturn:
        raise OperationsError(f"{self._source}, line {line or self._line}: {what}")

    def token(self) -> tuple[str, str, int] | None:
        """Give the kind, text and line of the next token that is no space."""
        while self._at < len(self._text):
            match = _TOKEN.match(self._text, self._at)
            if match is None:
                rest = self._text[self._at : self._at + 20]
                if rest.startswith('"'):
                    self.fail(
                        "a string that begins here never ends: the file is cut off, or damaged"
                    )
                self.fail(f"this is no EDN: {rest!r}")
            line, text = self._line, match.group()
            self._at = match.end()
            self._line += text.count("\n")
            if match.lastgroup != "space":
                assert match.lastgroup is not None
                return match.lastgroup, text, line
        return None

    def value(self, token: tuple[str, str, int], depth: int = 0) -> Hashable:
        kind, text, line = token
        if depth > _DEEPEST:
            self.fail(f"values are nested more than {_DEEPEST} deep", line)
        if kind == "open":
            return self._collection(text, line, depth)
        if kind == "close":
            self.fail(f"{text!r} closes nothing", line)
        if kind == "string":
            return _ESCAPE.sub(_unescape, text[1:-1])
        if kind == "char":
            name = text[1:]
            return (
                chr(int(name[1:], 16))
                if len(name) == 5 and name[0] == "u"
                else (_CHARS.get(name, name))
            )
        if kind == "atom":
            return self._atom(text, line)
        following = self.token()
        if following is None:
            self.fail(f"the file ends behind {text!r}", line)
        value = self.value(following, depth + 1)
        return _DISCARDED if kind == "discard" else value

    def _collection(self, opening: str, line: int, depth: int) -> Hashable:
        closing, items = _CLOSES[opening], []
        while True:
            token = self.token()
            if token is None:
                self.fail(f"{opening!r} is never closed: the file is cut off, or damaged", line)
            if token[0] == "close":
                if token[1] != closing:
                    self.fail(f"{token[1]!r} closes {opening!r} of line {line}", token[2])
                break
            value = self.value(token, depth + 1)
            if value is not _DISCARDED:
                items.append(value)
        if opening == "{":
            if len(items) % 2:
                self.fail("a map has a key without a value", line)
            made = Map(zip(items[::2], items[1::2], strict=True))
            made.line = line
            return made
        return frozenset(items) if opening == "#{" else tuple(items)

    def _atom(self, text: str, line: int) -> Hashable:
        if text in _NAMED:
            return _NAMED[text]
        if text[0] == ":":
            if len(text) == 1:
                self.fail("a keyword has no name", line)
            return Keyword(text[1:])
        if _INTEGER.match(text):
            return int(text.rstrip("N"))
        if _FLOAT.match(text):
            return float(text.rstrip("M"))
        return Symbol(text)


_DISCARDED = object()


def _unescape(match: re.Match[str]) -> str:
    what = match.group(1)
    return chr(int(what[1:], 16)) if len(what) == 5 else _ESCAPES.get(what, what)


def values(text: str, source: str) -> Iterator[Hashable]:
    """Give the values that stand one after another in ``text``; ``source`` names it in errors."""
    reader = _Reader(text, source)
    while (token := reader.token()) is not None:
        value = reader.value(token)
        if value is not _DISCARDED:
            yield value
