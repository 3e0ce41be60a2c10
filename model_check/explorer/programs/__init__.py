"""The programs that come with the explorer, and what each must end in.

Every program of this folder says in its opening comment how its exploration ends, and a program
with broken twins how each of them does:

    expect: pass (sc, rc11)
    expect -DRELAXED_PUSH: data-race (rc11)
    expect: cannot-run "fork"

A twin is the same file compiled with the macro. In brackets stand the memory models that must give
this; under the other one a twin passes. Without brackets: both. Two kinds parted by `|`: a bug that
shows as the one or the other, as it comes. `cannot-run`: refused, with this word in the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
MODELS = ("sc", "rc11")
PASS, CANNOT_RUN = "pass", "cannot-run"
_LINE = re.compile(
    r"^ \* expect(?: -D(?P<macro>\w+))?: (?P<kinds>[\w|-]+)"
    r"(?: \"(?P<word>[^\"]+)\")?(?: \((?P<models>[\w, ]+)\))?$"
)


@dataclass(frozen=True)
class Expectation:
    """How the exploration of one program, or of one of its twins, must end under a model.

    ``macro``: what the twin is compiled with, None for the program itself. ``kinds``: names of
    findings, `pass` or `cannot-run`, any of which is right. ``word``: stands in the refusal.
    """

    path: Path
    macro: str | None
    model: str
    kinds: frozenset[str]
    word: str | None = None

    @property
    def name(self) -> str:
        """Name it for a report: `treiber_stack -DABA (rc11)`."""
        twin = "" if self.macro is None else f" -D{self.macro}"
        return f"{self.path.stem}{twin} ({self.model})"

    @property
    def must_fail(self) -> bool:
        """Tell whether this is a bug that must be found."""
        return not self.kinds & {PASS, CANNOT_RUN}

    def flags(self) -> list[str]:
        """Give the compiler's flags that make the twin."""
        return [] if self.macro is None else [f"-D{self.macro}"]

    def fits(self, kind: str | None) -> bool:
        """Tell whether an exploration that ended in ``kind`` (None: nothing found) is right."""
        return (kind or PASS) in self.kinds


def read(path: Path) -> list[Expectation]:
    """Read what a program says of itself; ValueError if it says nothing, or says it badly."""
    found: list[Expectation] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" * expect"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(
                f"{path}: '{line}' is not in the form of model_check/explorer/classics.py"
            )
        models = MODELS if match["models"] is None else tuple(match["models"].split(", "))
        if set(models) - set(MODELS):
            raise ValueError(f"{path}: '{line}' names a memory model other than sc and rc11")
        kinds = frozenset(match["kinds"].split("|"))
        for model in MODELS:
            right = kinds if model in models else frozenset({PASS})
            found.append(Expectation(path, match["macro"], model, right, match["word"]))
    if not found:
        raise ValueError(f"{path}: nothing is expected: add a line ' * expect: pass'")
    return found


def catalogue(folder: str) -> list[Expectation]:
    """Read all programs of one of the folders, `classic` or `misuse`."""
    return [each for path in sorted((FOLDER / folder).glob("*.c")) for each in read(path)]
