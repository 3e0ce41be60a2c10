"""TLC's state graph of a small configuration, with its states as Python values.

TLC writes the graph as a dot file: a node is a state, an edge an action. A value becomes an int
(number), a str (string or model value), a tuple (sequence), a frozenset (set), a `Record`
(function or record: a dict that can be hashed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from model_check.report import CannotRun
from model_check.tlc.process import generated
from model_check.tlc.tools import Toolchain

_NODE = re.compile(r'(-?\d+) \[label="(.*?)"(,style = filled)?\];?$')
_EDGE = re.compile(r'(-?\d+) -> (-?\d+) \[label="(\w+)"')
_TOKEN = re.compile(r'"[^"]*"|<<|>>|\|->|:>|@@|[\[\]{}(),]|-?\w+')


class Record(dict[Any, Any]):
    """A function of TLA+; equal ones have equal hashes."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@dataclass
class Graph:
    """States by TLC's number, those to start from, and the actions between them."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: set[str] = field(default_factory=set)
    edges: set[tuple[str, str, str]] = field(default_factory=set)


def explore(module: str, definitions: str, config: str, tools: Toolchain) -> Graph:
    """Explore all states of ``module`` (in spec/) under a configuration, with extra definitions.

    Raises CannotRun when TLC does not come to its end without an error.
    """
    text = f"---- MODULE Graph ----\nEXTENDS {module}, TLC\n{definitions}\n====\n"
    said = generated(
        {"Graph.tla": text, "Graph.cfg": config},
        "Graph",
        tools,
        options=("-deadlock", "-dump", "dot,actionlabels", "graph.dot"),
        written="graph.dot",
    )
    if said.code != 0 or said.written is None:
        last = "\n".join(said.text.splitlines()[-20:])
        message = f"TLC cannot explore the small {module}:\n{last}"
        raise CannotRun(message)
    return read(said.written)


def read(text: str) -> Graph:
    """Read a dot file of TLC's."""
    graph = Graph()
    for line in text.splitlines():
        edge = _EDGE.match(line)
        if edge:
            graph.edges.add((edge[1], edge[3], edge[2]))
            continue
        node = _NODE.match(line)
        if node:
            graph.states[node[1]] = read_state(node[2])
            if node[3]:
                graph.starts.add(node[1])
    return graph


def read_state(label: str) -> dict[str, Any]:
    """Read a state as TLC prints it, or as it stands in a dot file: variable to value."""
    lines = label.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    found = {}
    for part in re.split(r"(?:^|\n)/\\ ", lines):
        name, _, value = part.partition(" = ")
        if value:
            found[name.strip()] = parse(value)
    return found


@lru_cache(maxsize=1 << 16)
def parse(text: str) -> Any:
    """Read a value as TLC prints it. Raises ValueError if it cannot be read."""
    tokens = iter([*_TOKEN.findall(text), ""])
    value, after = _value(next(tokens), tokens)
    if after:
        message = f"TLC printed a value that cannot be read: {text}"
        raise ValueError(message)
    return value


def _value(word: str, tokens: Iterator[str]) -> tuple[Any, str]:
    """Read the value that begins with ``word``; give it with the word after it."""
    if word in ("<<", "{"):
        items, end = [], {"<<": ">>", "{": "}"}[word]
        word = next(tokens)
        while word != end:
            item, word = _value(word, tokens)
            items.append(item)
            if word == ",":
                word = next(tokens)
        return (tuple(items) if end == ">>" else frozenset(items)), next(tokens)
    if word in ("[", "("):
        found, end = Record(), {"[": "]", "(": ")"}[word]
        word = next(tokens)
        while word != end:
            key, arrow = _value(word, tokens)
            if arrow not in ("|->", ":>"):
                message = f"{arrow!r} where a function's value should stand"
                raise ValueError(message)
            found[key], word = _value(next(tokens), tokens)
            if word in (",", "@@"):
                word = next(tokens)
        return found, next(tokens)
    if word.startswith('"'):
        return word[1:-1], next(tokens)
    if not word or not (word[0].isalnum() or word[0] in "-_"):
        message = f"{word!r} where a value should stand"
        raise ValueError(message)
    number = word.lstrip("-")
    return (int(word) if number.isdigit() else word), next(tokens)


def at(function: Mapping[Any, Any] | tuple[Any, ...], index: Any) -> Any:
    """Apply a function, which TLC prints as a sequence if its arguments are 1, 2, …."""
    return function[index - 1] if isinstance(function, tuple) else function[index]
