"""The queries of a proof, and what z3 answers.

Of a system with invariant I (a conjunction), each query asks for a counterexample:

    start         a first state in which a conjunct of I does not hold
    safety        a state with I in which a claim of safety does not hold
    an action     a state with I in which the action may be taken, and after which a conjunct of I
                  does not hold, or that a claim about steps does not allow

"No counterexample" of all of them is the proof, for states of any size. Two more kinds show that
the queries can fail: a broken guard (a mutation of the system) and a conjunct left out of I must
each give a counterexample to some query. A conjunct without which all queries still have none
would be superfluous.

Answers are from z3: of the quantified formula for "no counterexample", of a small universe (see
`system.within`) for a counterexample. An answer that is neither is "undecided".
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import product
from typing import Any

import z3

from model_check.proofs import delta_log, epochs
from model_check.proofs.system import Action, State, Symbol, System, Term, within
from model_check.proofs.table import Counterexample

SYSTEMS = {"EpochReclamation": epochs.system, "DeltaLog": delta_log.system}

#: What stands for an action in the queries about first states, and about the invariant alone.
START, SAFETY = "(start)", "(safety)"

_PROOF_MS, _MODEL_MS = 60_000, 20_000


class Outcome(Enum):
    """What a query came to."""

    PROVED = "proved"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Answer:
    """A query and z3's answer; ``needs`` are the conjuncts that a proof made use of."""

    system: str
    action: str
    goal: str
    outcome: Outcome
    seconds: float
    needs: tuple[str, ...] = ()
    counterexample: str = ""


@cache
def load(name: str, mutation: str = "none") -> System:
    """Give a system, built once a process."""
    return SYSTEMS[name](mutation)


def parts(system: System) -> list[str]:
    """Name what queries are about: first states, safety, each action."""
    return [START, SAFETY, *(action.name for action in system.actions)]


@dataclass(frozen=True)
class _Problem:
    """Hypotheses by name and goals by name, of one part of a system."""

    before: State
    after: State
    parameters: dict[str, Term]
    axioms: list[Term]
    guard: Term
    invariant: dict[str, Term]
    goals: dict[str, Term]


def _problem(system: System, part: str, without: str = "") -> _Problem:
    s = system.state()
    axioms = [axiom(s) for axiom in system.axioms.values()]
    kept = {name: claim for name, claim in system.invariant.items() if name != without}
    invariant = {name: claim(s) for name, claim in kept.items()}
    if part == START:
        return _Problem(s, s, {}, axioms, system.start(s), {}, invariant)
    if part == SAFETY:
        goals = {name: claim(s) for name, claim in system.safety.items()}
        return _Problem(s, s, {}, axioms, z3.BoolVal(True), invariant, goals)
    action = system.action(part)
    constants = action.constants()
    parameters = {name: c for (name, _), c in zip(action.parameters, constants, strict=True)}
    step = action.step(s, *constants)
    after = s.after(step.updates)
    goals = {name: claim(after) for name, claim in kept.items()}
    goals.update({name: claim(s, after, parameters) for name, claim in system.steps.items()})
    return _Problem(s, after, parameters, axioms, step.guard, invariant, goals)


def prove(name: str, part: str) -> list[Answer]:
    """Answer all queries about one part of a system."""
    system = load(name)
    problem = _problem(system, part)
    answers = []
    for goal, term in problem.goals.items():
        begin = time.monotonic()
        solver = z3.Solver()
        solver.set("timeout", _PROOF_MS)
        solver.set("random_seed", 0)
        solver.add(*problem.axioms, problem.guard, z3.Not(term))
        tracked = {f"conjunct {i}": text for i, text in enumerate(problem.invariant)}
        for label, text in tracked.items():
            solver.assert_and_track(problem.invariant[text], label)
        if solver.check() == z3.unsat:
            needs = tuple(tracked[str(label)] for label in solver.unsat_core())
            outcome, found = Outcome.PROVED, None
        else:
            needs, found = (), _search(system, part, goal=goal)
            outcome = Outcome.FAILS if found else Outcome.UNDECIDED
        seconds = time.monotonic() - begin
        text = found.text if found else ""
        answers.append(Answer(name, part, goal, outcome, seconds, needs, text))
    return answers


def refute_mutation(name: str, mutation: str) -> Answer:
    """Look for a query that fails when a guard is broken."""
    begin = time.monotonic()
    whole, broken = load(name), load(name, mutation)
    for action in broken.actions:
        if _same(whole, broken, action):
            continue
        found = _search(broken, action.name)
        if found is not None:
            seconds = time.monotonic() - begin
            return Answer(
                name, action.name, found.goal, Outcome.FAILS, seconds, (), found.text
            )
    return Answer(name, "", "", Outcome.PROVED, time.monotonic() - begin)


def refute_without(name: str, conjunct: str, tries: tuple[tuple[str, str], ...]) -> Answer:
    """Look for a query that fails when a conjunct is left out; ``tries`` are actions and goals."""
    begin = time.monotonic()
    for part, goal in tries:
        found = _search(load(name), part, goal=goal, without=conjunct)
        if found is not None:
            seconds = time.monotonic() - begin
            return Answer(name, part, goal, Outcome.FAILS, seconds, (), found.text)
    return Answer(name, "", "", Outcome.PROVED, time.monotonic() - begin)


def _same(one: System, other: System, action: Action) -> bool:
    """Say whether the action is the same formula in both systems."""
    mine, s = one.action(action.name), one.state()
    constants = action.constants()
    steps = [each.step(s, *constants) for each in (mine, action)]
    if not _equal(steps[0].guard, steps[1].guard):
        return False
    if steps[0].updates.keys() != steps[1].updates.keys():
        return False
    symbols = {symbol.name: symbol for symbol in one.symbols}
    for name in steps[0].updates:
        at = [z3.Const(f"at{i}", sort) for i, sort in enumerate(symbols[name].arguments)]
        if not _equal(*(step.updates[name](*at) for step in steps)):
            return False
    return True


def _equal(a: Term, b: Term) -> bool:
    """Compare two terms; bound variables are told apart by their names, so those go first."""
    return _nameless(a) == _nameless(b)


def _nameless(term: Term) -> str:
    if not z3.is_expr(term) or z3.is_int_value(term):
        return str(term)
    if z3.is_quantifier(term):
        sorts = [str(term.var_sort(i)) for i in range(term.num_vars())]
        return f"{term.is_forall()} {sorts} {_nameless(term.body())}"
    if z3.is_var(term):
        return f"#{z3.get_var_index(term)}"
    return f"({term.decl().name()} {' '.join(_nameless(child) for child in term.children())})"


def _search(
    system: System, part: str, *, goal: str | None = None, without: str = ""
) -> Counterexample | None:
    """Look for a small counterexample to one goal, or to any."""
    for sizes in system.sizes:
        universe = {
            str(sort): [
                z3.Const(f"{sort}{i}", sort) for i in range(1, sizes.get(str(sort), 2) + 1)
            ]
            for sort in system.sorts
        }
        with within(universe):
            problem = _problem(system, part, without)
        chosen = problem.goals if goal is None else {goal: problem.goals[goal]}
        solver = z3.Solver()
        solver.set("timeout", _MODEL_MS)
        solver.set("random_seed", 0)
        for elements in universe.values():
            if len(elements) > 1:
                solver.add(z3.Distinct(*elements))
        for symbol in system.symbols:
            solver.add(*_closed(symbol, universe))
        for value in problem.parameters.values():
            elements = universe.get(str(value.sort()), [])
            if elements:
                solver.add(z3.Or([value == element for element in elements]))
        solver.add(*problem.axioms, problem.guard, *problem.invariant.values())
        solver.add(z3.Or([z3.Not(term) for term in chosen.values()]))
        if solver.check() == z3.sat:
            model = solver.model()
            failed = next(n for n, t in chosen.items() if _is_false(model, t))
            return Counterexample.of(
                system, part, failed, model, universe, problem.before, problem.after,
                problem.parameters,
            )
    return None


def _is_false(model: Any, term: Term) -> bool:
    return z3.is_false(model.eval(term, model_completion=True))


def _closed(symbol: Symbol, universe: dict[str, list[Term]]) -> list[Term]:
    """Say that a function stays within the universe."""
    elements = universe.get(str(symbol.result))
    if elements is None:
        return []
    tuples = product(*(universe[str(sort)] for sort in symbol.arguments))
    return [
        z3.Or([symbol.declaration(*at) == element for element in elements]) for at in tuples
    ]
