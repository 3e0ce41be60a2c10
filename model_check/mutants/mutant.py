"""What a mutant is, which checkers there are, and which of them could see a mutant.

A *kind* says what is broken: a guard of a spec, a conjunct of an invariant, a memory order, the
engine's text, a recorded history, … A checker that does not read what is broken cannot see it; so
each kind has its checkers, and one sentence says why the others have no column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Name to what the checker does.
CHECKERS: Mapping[str, str] = {
    "tlc": "TLC explores the specs (`bwcheck tlc`)",
    "z3": "z3 proves the invariants (`bwcheck proofs`)",
    "litmus": "the memory models' axioms against written gold (`bwcheck litmus`)",
    "conform": "code against specs, step by step, by traces and tours (`bwcheck conform`)",
    "histories": "recorded histories are checked (`bwcheck lin`, `bwcheck stress`)",
    "explorer": "the engine's C through its interleavings (`bwcheck engine`, `bwcheck orders`)",
    "C tests": "the programs of `tests/c`, the histories of `test_recorded` among them",
    "ASan + UBSan": "the same under AddressSanitizer and UndefinedBehaviorSanitizer",
    "TSan": "the same under ThreadSanitizer",
}


@dataclass(frozen=True)
class Kind:
    """What is broken, the checkers that read it, and why the others do not.

    ``some``: checkers that are run on those mutants only that name them (`Mutant.also`).
    """

    name: str
    heading: str
    what: str
    checkers: tuple[str, ...]
    others: str
    some: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the checkers of the kind's table."""
        return (*self.checkers, *self.some)


_KINDS = (
    Kind(
        "spec",
        "Specs: a guard broken in a TLA+ module",
        "Each is a must-fail configuration of `spec/`; "
        "`bwcheck tlc -c NAME --trace` prints the behaviour that shows it.",
        ("tlc",),
        "`bwcheck conform` reads `spec/`, too, but rejects a mutant at a step that somebody has to "
        "name; where nobody has, there is a dash. The same rule, broken in the proofs and in the "
        "C, has rows of its own there.",
        ("conform",),
    ),
    Kind(
        "action",
        "Specs: an action that does more or less than the engine",
        "The text of one action is changed; a trace or a tour must be rejected at that action.",
        ("conform",),
        "TLC is not run on them: what does less than the spec breaks no property, and a guard "
        "whose absence TLC must find is a configuration of `spec/`, above.",
    ),
    Kind(
        "system",
        "Proofs: a guard broken in a transition system",
        "`bwcheck proofs --table` prints the step that breaks the invariant.",
        ("z3",),
        "Nothing else reads `model_check/proofs`.",
    ),
    Kind(
        "conjunct",
        "Proofs: a conjunct left out of an invariant",
        "Without it some query fails, or it would be superfluous.",
        ("z3",),
        "Nothing else reads `model_check/proofs`.",
    ),
    Kind(
        "axiom",
        "Memory models: an axiom left out",
        "Some litmus test then allows more than its gold, or less.",
        ("litmus",),
        "The explorer decides by algorithms of its own, which the gold is compared with; "
        "nothing else reads the axioms.",
    ),
    Kind(
        "history",
        "Histories: a record falsified so that no order explains it",
        "Each way is done to recorded histories; every one must be rejected.",
        ("histories",),
        "A history is what its checker reads and nothing else does.",
    ),
    Kind(
        "trace",
        "Traces: an event falsified so that no behaviour of the spec has it",
        "Each way is done to recorded traces; every one must be rejected.",
        ("conform",),
        "A trace is what `bwcheck conform` reads and nothing else does.",
    ),
    Kind(
        "harness",
        "Harness: the engine is right, what it says is falsified",
        "They show that the explorer's own checks of answers and of memory can fail.",
        ("explorer",),
        "Only the explorer's harness can be told to lie.",
    ),
    Kind(
        "engine",
        "Engine: one rule of the protocol broken in `impl/src`",
        "The text of one place is changed; then every checker that runs the C gets it.",
        ("explorer", "histories", "C tests", "ASan + UBSan", "TSan"),
        "TLC, z3, the axioms read no C. What they say of the same rule stands in the table of "
        "published bugs and in the tables of specs and proofs. `bwcheck conform` rejects a mutant "
        "at a step that somebody has to name; where nobody has, there is a dash.",
        ("conform",),
    ),
    Kind(
        "order",
        "Memory orders: an access or a fence weakened by one step",
        "[memory-orders.md](memory-orders.md) has the statements, and the arguments for those that "
        "nothing notices.",
        ("explorer",),
        "On x86-64 an acquire or a release is the same instruction as a relaxed access, so C "
        "tests, AddressSanitizer and histories run the same program as before, but for what the "
        "compiler reorders. ThreadSanitizer sees a weakened order only if it lets plain accesses "
        "race, which the explorer calls a data race, too; the one that it finds and the catalogue "
        "does not reach has a row among the engine's. The specs are sequentially consistent.",
    ),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


def digest(file: str, changes: Sequence[tuple[str, str]]) -> str:
    """Say of what text a result is: a file, and what in it becomes what."""
    return hashlib.sha256(repr((file, tuple(changes))).encode()).hexdigest()[:12]


#: A sanitizer runs the programs of another checker, so what that one kills it kills, too. It is
#: tried on what the other is blind to, and on some mutants that are about memory or races.
SAME_PROGRAMS: Mapping[str, str] = {"ASan + UBSan": "C tests", "TSan": "C tests"}


@dataclass(frozen=True)
class Mutant:
    """One mutant: its kind, a name that is unique within the kind, and where it stands.

    ``digest`` says of what text the results in the table are; empty where every `make check` runs
    the mutant anyway. ``also``: checkers that are run on it beside its kind's.
    """

    kind: str
    name: str
    where: str
    digest: str = ""
    also: tuple[str, ...] = ()

    @property
    def checkers(self) -> tuple[str, ...]:
        """Give the checkers that are run on it."""
        return (*KINDS[self.kind].checkers, *self.also)

    @property
    def key(self) -> str:
        """Give what identifies it."""
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True)
class Cell:
    """What one checker made of one mutant.

    ``by``: what killed it (a property, a case, a program); empty if the checker is blind to it.
    ``seconds``: until then; None where nobody has measured. ``what``: its words.
    """

    checker: str
    killed: bool
    seconds: float | None
    by: str = ""
    what: str = ""


@dataclass(frozen=True)
class Row:
    """A mutant with its cells, one for each checker of its kind that was tried."""

    mutant: Mutant
    cells: tuple[Cell, ...]

    def cell(self, checker: str) -> Cell | None:
        """Give the cell of a checker, None if it was not tried."""
        return next((cell for cell in self.cells if cell.checker == checker), None)

    def needs(self, checker: str) -> bool:
        """Say whether the table needs a cell of ``checker``, which it may have in any case."""
        if checker not in self.mutant.checkers:
            return False
        other = self.cell(SAME_PROGRAMS.get(checker, ""))
        return other is None or not other.killed

    @property
    def whole(self) -> bool:
        """True when every checker has been tried that the table needs."""
        return all(
            self.cell(name) is not None or not self.needs(name) for name in self.mutant.checkers
        )

    @property
    def killed(self) -> bool:
        """True when some checker has killed it."""
        return any(cell.killed for cell in self.cells)
