"""Generated programs for the engine under the explorer: Hypothesis strategies.

A program is two or three threads with one to three operations each on few keys, over the smallest
pages; its text goes to the harness (engine/program.h), so a new program needs no compilation.
Hypothesis shrinks threads, operations and keys of one that fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

#: What an operation takes: k a key, v a fresh value, n a small number; those of the second
#: group have parts, one a key, and a history is short.
ATOMIC: dict[str, str] = {
    "get": "k",
    "put": "kv",
    "insert": "kv",
    "update": "kv",
    "remove": "k",
    "compare_exchange": "k1v",
    "floor": "k",
    "ceiling": "k",
    "lower": "k",
    "higher": "k",
    "first": "",
    "last": "",
    "pop_first": "",
    "pop_last": "",
}
WITH_PARTS: dict[str, str] = {
    "count": "kk",
    "delete_range": "kk",
    "get_many": "kk",
    "put_many": "kvkv",
    "walk": "knn",
}
UPKEEP: dict[str, str] = {"consolidate": "", "collect": "", "check": "", "stats": "", "size": ""}


@dataclass(frozen=True)
class Operation:
    """A word and the numbers of its keys and small arguments, in the order of ``takes``."""

    word: str
    numbers: tuple[int, ...]

    def text(self, value: int) -> str:
        """Give the operation's text; values that it takes count up from ``value``."""
        takes = {**ATOMIC, **WITH_PARTS, **UPKEEP}[self.word]
        rest = list(self.numbers)
        parts = [self.word]
        for letter in takes:
            if letter == "v":
                parts.append(str(value))
                value += 1
            elif letter == "1":  # what the key was put with
                parts.append("1")
            else:
                parts.append(str(rest.pop(0)))
        return " ".join(parts)


@dataclass(frozen=True)
class EngineProgram:
    """What is put before, and each thread's operations."""

    before: tuple[int, ...]
    threads: tuple[tuple[Operation, ...], ...]
    leaf_log: int = 1
    merge_threshold: int = 25
    failures: int = 0
    pooling: bool = False

    def text(self) -> str:
        """Give the text for the harness."""
        options = [
            f"leaf_log={self.leaf_log}",
            f"merge_threshold={self.merge_threshold}",
            f"failures={self.failures}",
            f"pooling={int(self.pooling)}",
        ]
        sections = [f"options {' '.join(options)}"]
        if self.before:
            sections.append("before " + ", ".join(f"put {key} 1" for key in self.before))
        for number, thread in enumerate(self.threads, start=1):
            texts = [each.text(100 * number + 10 * at) for at, each in enumerate(thread, start=1)]
            sections.append("thread " + ", ".join(texts))
        return "; ".join(sections)


def _operations(takes: dict[str, str], keys: Sequence[int]) -> st.SearchStrategy[Operation]:
    def of(word: str) -> st.SearchStrategy[Operation]:
        numbers = [
            st.sampled_from(keys) if letter == "k" else st.integers(0, 4)
            for letter in takes[word]
            if letter in "kn"
        ]
        return st.builds(Operation, st.just(word), st.tuples(*numbers))

    return st.sampled_from(sorted(takes)).flatmap(of)


@st.composite
def engine_programs(
    draw: st.DrawFn, *, threads: int = 3, operations: int = 3, failures: int = 1
) -> EngineProgram:
    """Draw a program of 2 to ``threads`` threads with up to ``operations`` operations each.

    ``failures``: allocations that may fail in each thread, at most.
    """
    keys = (10, 20, 30, 40, 50, 60)[: draw(st.integers(2, 6))]
    before = draw(st.lists(st.sampled_from(keys), max_size=6, unique=True))
    lists = []
    for _ in range(draw(st.integers(2, threads))):
        thread = draw(st.lists(_operations(ATOMIC, keys), min_size=1, max_size=operations))
        at = draw(st.integers(0, len(thread) - 1))
        # At most one operation with parts and one of upkeep: histories and executions are short.
        kind = draw(st.sampled_from(["atomic", "atomic", "parts", "upkeep"]))
        if kind != "atomic":
            thread[at] = draw(_operations(WITH_PARTS if kind == "parts" else UPKEEP, keys))
        lists.append(tuple(thread))
    return EngineProgram(
        before=tuple(before),
        threads=tuple(lists),
        leaf_log=draw(st.sampled_from([1, 2])),
        merge_threshold=draw(st.sampled_from([25, 50])),
        failures=draw(st.integers(0, failures)),
        pooling=draw(st.booleans()),
    )
