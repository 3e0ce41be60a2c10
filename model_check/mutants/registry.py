"""Every mutant of the project, gathered from where each lives.

A module that has mutants of its own is named here once, and nowhere else; `bwcheck mutants` and its
part of `bwcheck all` go wrong by themselves when a mutant has no row in the table, or a row no
mutant any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from model_check.axioms.axioms import AXIOMS
from model_check.conformance.corrupt import CORRUPTIONS
from model_check.explorer.catalogue_engine import CATALOGUE
from model_check.explorer.orders import all_mutants
from model_check.linearizability.suite import MUTATED
from model_check.mutants import steps
from model_check.mutants.mutant import Mutant, digest
from model_check.proofs import queries, search
from model_check.report import CannotRun
from model_check.tlc.command import DEFAULT_SPEC
from model_check.tlc.suite import discover


def _specs() -> Iterator[Mutant]:
    for config in discover(DEFAULT_SPEC):
        if config.must_fail:
            where = f"{DEFAULT_SPEC.name}/{config.path.name}"
            changes = [run.change for run in steps.runs(f"spec: {config.name}")]
            if not changes:
                yield Mutant("spec", config.name, where)
                continue
            # Not every `make check` looks for the step.
            text = digest(changes[0].file, [(each.old, each.new) for each in changes])
            yield Mutant("spec", config.name, where, text, (steps.CHECKER,))


def _actions() -> Iterator[Mutant]:
    for each in steps.actions():
        name = each.name.partition(": ")[2]
        where = f"{DEFAULT_SPEC.name}/{each.file}"
        yield Mutant("action", name, where, digest(each.file, [(each.old, each.new)]))


def _systems() -> Iterator[Mutant]:
    for name in queries.SYSTEMS:
        for mutation in queries.load(name).mutations:
            yield Mutant("system", f"{name}: {mutation.name}", name)
    for broken in search.BROKEN:
        yield Mutant("system", f"search: {broken}", "search")


def _conjuncts() -> Iterator[Mutant]:
    for name in queries.SYSTEMS:
        for conjunct in queries.load(name).invariant:
            yield Mutant("conjunct", f"{name}: {conjunct}", name)


def _axioms() -> Iterator[Mutant]:
    for axiom in AXIOMS:
        yield Mutant("axiom", f"RC11 without {axiom}", "model_check/axioms/axioms.py")


def _histories() -> Iterator[Mutant]:
    for history, ways in MUTATED.items():
        for way in ways:
            yield Mutant("history", f"{way} ({history})", "model_check/linearizability/corrupt.py")


def _traces() -> Iterator[Mutant]:
    for corruption in CORRUPTIONS:
        spec = corruption.module.removeprefix("Trace")
        yield Mutant("trace", f"{corruption.name} ({spec})", "model_check/conformance/corrupt.py")


def _harness() -> Iterator[Mutant]:
    for case in CATALOGUE:
        if case.expected != "nothing found":
            for model in dict.fromkeys(plan.model for plan in case.plans):
                yield Mutant("harness", f"{case.name} ({model})", case.text)


def _engine() -> Iterator[Mutant]:
    for defect in steps.engine():
        text = digest(defect.file, ((defect.old, defect.new), *defect.more))
        also = (steps.CHECKER,) if steps.runs(f"engine: {defect.name}") else ()
        yield Mutant("engine", defect.name, f"impl/src/{defect.file}", text, also)


def order_name(file: str, function: str, code: str, change: str, number: int) -> str:
    """Name a weakened order so that it stays the same when lines move."""
    short = code if len(code) <= 90 else f"{code[:87]}…"
    which = f" #{number}" if number else ""
    return f"{file}, {function}: `{short}`: {change}{which}"


def _orders() -> Iterator[Mutant]:
    seen: dict[str, int] = {}
    for each in all_mutants():
        plain = order_name(each.file, each.function, each.code, each.change, 0)
        number = seen.get(plain, 0)
        seen[plain] = number + 1
        name = order_name(each.file, each.function, each.code, each.change, number)
        yield Mutant("order", name, f"impl/src/{each.file}")


#: What gives mutants: a checker with mutants of its own adds a line here.
SOURCES: Sequence[Callable[[], Iterator[Mutant]]] = (
    _specs,
    _actions,
    _systems,
    _conjuncts,
    _axioms,
    _histories,
    _traces,
    _harness,
    _engine,
    _orders,
)


def all_of_them() -> list[Mutant]:
    """Gather every mutant. Raises CannotRun where two have one name, or a source is not here."""
    if not Path(DEFAULT_SPEC).is_dir():
        raise CannotRun(f"there is no folder {DEFAULT_SPEC}; run in the project's root")
    found = [mutant for source in SOURCES for mutant in source()]
    keys = [mutant.key for mutant in found]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise CannotRun(f"two mutants have one name, so one would hide the other: {twice[0]}")
    return found
