"""Make a program over the engine smaller while the same kind of finding stays.

A program's text is data (engine/program.h), so smaller ones need no compiler: whole threads are
left out, then operations, pairs of a batch, what comes after and before, and options. A smaller
text is kept if its exploration finds the same; this is repeated until nothing more can go
(delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
2002, with the text's own parts in place of halves).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from model_check.explorer.result import Finding

#: A program's text goes to the harness in this variable.
VARIABLE = "ENGINE_PROGRAM"
#: The sections in the order in which they are made smaller.
_ORDER = ("thread", "after", "before", "options")
#: Words of operations that repeat their last arguments, and how many those are.
_BATCHES = {"put_many": 2, "get_many": 1}

#: Explores a text for at most so many seconds; gives what it found.
Try = Callable[[str, float], "Finding | None"]


@dataclass(frozen=True)
class _Section:
    """One section: its word, and its operations, or options."""

    word: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """Write it as the harness reads it."""
        glue = " " if self.word == "options" else ", "
        return f"{self.word} {glue.join(self.parts)}".strip()


def parse(text: str) -> list[_Section]:
    """Read a program's sections; the harness itself says what is wrong with bad ones."""
    sections = []
    for piece in text.split(";"):
        words = piece.split(maxsplit=1)
        if not words:
            continue
        rest = words[1] if len(words) > 1 else ""
        split = rest.split() if words[0] == "options" else rest.split(",")
        parts = tuple(" ".join(part.split()) for part in split if part.strip())
        sections.append(_Section(words[0], parts))
    return sections


def _write(sections: list[_Section]) -> str:
    return "; ".join(
        section.text for section in sections if section.parts or section.word == "thread"
    )


def _shorter_batches(part: str) -> Iterator[str]:
    word, *arguments = part.split()
    each = _BATCHES.get(word, 0)
    for at in range(0, len(arguments) if each else 0, each or 1):
        rest = arguments[:at] + arguments[at + each :]
        if rest:
            yield " ".join([word, *rest])


def smaller(text: str) -> Iterator[str]:
    """Give every text that is one step smaller, the largest steps first."""
    sections = parse(text)
    threads = [index for index, section in enumerate(sections) if section.word == "thread"]
    for index in threads if len(threads) > 1 else []:
        yield _write(sections[:index] + sections[index + 1 :])
    for word in _ORDER:
        for index, section in enumerate(sections):
            if section.word != word or not section.parts:
                continue
            shorter = [
                section.parts[:at] + section.parts[at + 1 :]
                for at in reversed(range(len(section.parts)))
            ]
            if word != "thread" and len(section.parts) > 1:
                shorter.insert(0, ())
            shorter += [
                (*section.parts[:at], batch, *section.parts[at + 1 :])
                for at, part in enumerate(section.parts)
                for batch in _shorter_batches(part)
            ]
            for parts in shorter:
                changed = replace(section, parts=parts)
                yield _write([*sections[:index], changed, *sections[index + 1 :]])


def _same(one: Finding, other: Finding | None) -> bool:
    """Tell whether the two findings are of one kind; assertions also by their sentences."""
    if other is None or one.kind != other.kind:
        return False
    if one.kind != "assertion":
        return True
    bare = [re.sub(r"\d+", "", finding.sentence) for finding in (one, other)]
    return bare[0] == bare[1]


def reduce_text(text: str, finding: Finding, attempt: Try, seconds: float) -> tuple[str, Finding]:
    """Give the smallest text found within ``seconds`` that has the same finding, and its finding.

    An attempt may take a tenth of the time. A text is as small as can be (no single part can
    go) when the time was enough.
    """
    end = time.monotonic() + seconds
    again = True
    while again:
        again = False
        for candidate in smaller(text):
            left = end - time.monotonic()
            if left <= 0:
                return text, finding
            seen = attempt(candidate, min(left, seconds / 10))
            if seen is not None and _same(finding, seen):
                text, finding, again = candidate, seen, True
                break
    return text, finding
