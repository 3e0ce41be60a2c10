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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from itertools import product
from typing import Any

import z3

from model_check.proofs import delta_log, epochs, structure
from model_check.proofs.system import Action, State, Symbol, System, Term, within
from model_check.proofs.table import Counterexample

SYSTEMS = {
    "EpochReclamation": epochs.system,
    "DeltaLog": delta_log.system,
    "Structure": structure.system,
}

#: What stands for an action in the queries about first states, and about the invariant alone.
START, SAFETY = "(start)", "(safety)"

#: How much z3 may try, in its own measure, which does not depend on the machine's load: a query
#: takes some ten thousand. The time limits are there for what that measure does not count.
_SHARED_EFFORT, _EFFORT = 1_000_000, 50_000_000
_PROOF_MS, _MODEL_MS = 120_000, 120_000


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
    """One part of a system: states, guard, and the goals, which are built when they are asked."""

    before: State
    after: State
    parameters: dict[str, Term]
    guard: Term
    goals: Mapping[str, Callable[[], Term]]


def _problem(system: System, part: str) -> _Problem:
    s = system.state()
    if part == START:
        starts = {name: partial(claim, s) for name, claim in system.invariant.items()}
        return _Problem(s, s, {}, system.start(s), starts)
    if part == SAFETY:
        claims = {name: partial(claim, s) for name, claim in system.safety.items()}
        return _Problem(s, s, {}, z3.BoolVal(True), claims)
    action = system.action(part)
    constants = action.constants()
    parameters = {name: c for (name, _), c in zip(action.parameters, constants, strict=True)}
    step = action.step(s, *constants)
    after = s.after(step.updates)
    goals: dict[str, Callable[[], Term]] = {
        name: partial(claim, after) for name, claim in system.invariant.items()
    }
    for name, claim in system.steps.items():
        goals[name] = partial(claim, s, after, parameters)
    for name, promise in action.promises.items():
        goals[name] = partial(promise, s, *constants)
    return _Problem(s, after, parameters, step.guard, goals)


def prove(name: str, part: str) -> list[Answer]:
    """Answer all queries about one part of a system."""
    system = load(name)
    problem, s = _problem(system, part), system.state()
    axioms = [axiom(s) for axiom in system.axioms.values()]
    conjuncts = {} if part == START else system.invariant
    hypotheses = {text: claim(s) for text, claim in conjuncts.items()}

    def solver(effort: int) -> Any:
        new = z3.Solver()
        new.set("rlimit", effort)
        new.set("timeout", _PROOF_MS)
        new.set("random_seed", 0)
        new.add(*axioms, problem.guard)
        for i, term in enumerate(hypotheses.values()):
            new.assert_and_track(term, f"conjunct {i}")
        return new

    names = {f"conjunct {i}": text for i, text in enumerate(hypotheses)}
    shared = solver(_SHARED_EFFORT)
    answers = []
    for goal, claim in problem.goals.items():
        begin = time.monotonic()
        term = claim()
        # One solver for all goals spares most of the work, but is less apt at the hard ones.
        shared.push()
        shared.add(z3.Not(term))
        used = shared
        if shared.check() != z3.unsat:
            used = solver(_EFFORT)
            used.add(z3.Not(term))
        needs: tuple[str, ...] = ()
        outcome, text = Outcome.PROVED, ""
        if used is shared or used.check() == z3.unsat:
            needs = tuple(names[str(label)] for label in used.unsat_core())
        else:
            tries = (_counterexample(system, part, sizes, (goal,)) for sizes in system.sizes)
            found = next((each for each in tries if each is not None), None)
            outcome = Outcome.FAILS if found else Outcome.UNDECIDED
            text = found.text if found else ""
        shared.pop()
        seconds = time.monotonic() - begin
        answers.append(Answer(name, part, goal, outcome, seconds, needs, text))
    return answers


def refute_mutation(name: str, mutation: str) -> Answer:
    """Look for a query that fails when a guard is broken."""
    whole, broken = load(name), load(name, mutation)
    actions = [each.name for each in broken.actions if not _same(whole, each)]
    return _refute(broken, dict.fromkeys(actions))


def refute_without(name: str, conjunct: str, needed: Mapping[str, tuple[str, ...]]) -> Answer:
    """Look for a query that fails when a conjunct is left out, among goals by action."""
    return _refute(load(name), needed, conjunct)


def _refute(
    system: System, tries: Mapping[str, tuple[str, ...] | None], without: str = ""
) -> Answer:
    begin = time.monotonic()
    for sizes in system.sizes:
        for action, goals in tries.items():
            found = _counterexample(system, action, sizes, goals, without)
            if found is not None:
                seconds = time.monotonic() - begin
                return Answer(
                    system.name, action, found.goal, Outcome.FAILS, seconds, (), found.text
                )
    return Answer(system.name, "", "", Outcome.PROVED, time.monotonic() - begin)


def _same(one: System, action: Action) -> bool:
    """Say whether the system has the same action, formula for formula."""
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


def _counterexample(
    system: System,
    part: str,
    sizes: Mapping[str, int],
    goals: tuple[str, ...] | None,
    without: str = "",
) -> Counterexample | None:
    """Look for a counterexample of a given size to one of the goals (None: of all goals)."""
    universe = _universe(system, sizes)
    with within(universe):
        problem = _problem(system, part)
        names = [name for name in goals or problem.goals if name != without]
        chosen = {name: problem.goals[name]() for name in names}
        hypotheses = _hypotheses(system, tuple(sizes.items()), part == START, without)
    solver = z3.Solver()
    solver.set("timeout", _MODEL_MS)
    solver.set("random_seed", 0)
    for value in problem.parameters.values():
        elements = universe.get(str(value.sort()), [])
        if elements:
            solver.add(z3.Or([value == element for element in elements]))
    solver.add(*hypotheses, problem.guard)
    solver.add(z3.Or([z3.Not(term) for term in chosen.values()]))
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    failed = next(name for name, term in chosen.items() if _is_false(model, term))
    return Counterexample.of(
        system, part, failed, model, universe, problem.before, problem.after, problem.parameters
    )


def _universe(system: System, sizes: Mapping[str, int]) -> dict[str, list[Term]]:
    return {
        str(sort): [z3.Const(f"{sort}{i}", sort) for i in range(1, sizes.get(str(sort), 2) + 1)]
        for sort in system.sorts
    }


def _hypotheses(
    system: System, sizes: tuple[tuple[str, int], ...], start: bool, without: str
) -> list[Term]:
    """Give what a small state is assumed to be, but for one conjunct; inside `within`."""
    closed, conjuncts = _closed_universe(system.name, sizes)
    if start:
        return closed
    return [*closed, *(term for name, term in conjuncts.items() if name != without)]


@cache
def _closed_universe(
    name: str, sizes: tuple[tuple[str, int], ...]
) -> tuple[list[Term], dict[str, Term]]:
    """Give what makes a universe one (and the axioms), and the invariant; built once."""
    system = load(name)
    universe, s = _universe(system, dict(sizes)), system.state()
    closed = [z3.Distinct(*each) for each in universe.values() if len(each) > 1]
    for symbol in system.symbols:
        closed += _closed(symbol, universe)
    with within(universe):
        closed += [axiom(s) for axiom in system.axioms.values()]
        return closed, {name: claim(s) for name, claim in system.invariant.items()}


def _is_false(model: Any, term: Term) -> bool:
    return bool(z3.is_false(model.eval(term, model_completion=True)))


def _closed(symbol: Symbol, universe: dict[str, list[Term]]) -> list[Term]:
    """Say that a function stays within the universe."""
    elements = universe.get(str(symbol.result))
    if elements is None:
        return []
    tuples = product(*(universe[str(sort)] for sort in symbol.arguments))
    return [z3.Or([symbol.declaration(*at) == element for element in elements]) for at in tuples]
