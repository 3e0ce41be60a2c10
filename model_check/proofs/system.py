"""Transition systems in first-order logic, as guarded updates.

A system has sorts (threads, pages: any number of them), symbols that a state gives a meaning (a
function, a relation, a constant), and actions. An action has parameters, a guard, and for each
symbol that it changes the new meaning in terms of the old one. So the state after a step is a
term over the state before it: there are no frame axioms, and a claim about the state after the
step is one about the state before it. z3 sees one copy of the symbols.

Quantifiers range over the sorts only, never over epochs. A proof is z3's answer that the negation
has no model, of any size. A counterexample is looked for among small ones: `within` makes the
quantifiers of all formulas built inside it range over given elements, and there is nothing left
but propositional logic, equality and sums.

`rigid` symbols are the same in all states (the order of slots, what an operation wants).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import z3

#: A z3 term; z3 has no types for mypy.
Term = Any
Sort = Any
#: The meaning of a symbol: a term for each tuple of arguments.
Meaning = Callable[..., Term]


class State:
    """What each symbol means in one state: `s.entry` of a constant, `s.tag(o)` of a function."""

    def __init__(self, meanings: Mapping[str, Meaning], constants: frozenset[str]) -> None:
        """Take the meanings of all symbols; those named in ``constants`` take no arguments."""
        self._meanings = meanings
        self._constants = constants

    def __getattr__(self, name: str) -> Any:
        try:
            meaning = self._meanings[name]
        except KeyError:
            raise AttributeError(name) from None
        return meaning() if name in self._constants else meaning

    def after(self, updates: Mapping[str, Meaning]) -> State:
        """Give the state that differs by ``updates``."""
        unknown = updates.keys() - self._meanings.keys()
        if unknown:
            message = f"an action updates {', '.join(sorted(unknown))}, which is no symbol"
            raise ValueError(message)
        return State({**self._meanings, **updates}, self._constants)


@dataclass(frozen=True)
class Symbol:
    """A function, relation (result Bool) or constant (no arguments) of the state."""

    name: str
    arguments: tuple[Sort, ...]
    result: Sort
    rigid: bool = False

    @property
    def declaration(self) -> Any:
        """Give the symbol as z3 knows it."""
        return z3.Function(self.name, *self.arguments, self.result)


@dataclass(frozen=True)
class Step:
    """When an action may be taken, and what it makes of the symbols that it changes."""

    guard: Term
    updates: Mapping[str, Meaning]


@dataclass(frozen=True)
class Action:
    """An action: parameters (name and sort), and the step for given parameters.

    ``promises``: what holds of the state and the parameters whenever the action is taken.
    """

    name: str
    parameters: tuple[tuple[str, Sort], ...]
    step: Callable[..., Step]
    promises: Mapping[str, Callable[..., Term]] = field(default_factory=dict)

    def constants(self) -> list[Term]:
        """Give a constant for each parameter: any element of its sort."""
        return [z3.Const(f"{name}!", sort) for name, sort in self.parameters]


@dataclass(frozen=True)
class Mutation:
    """A guard that is broken on purpose: its name, and what is broken in one sentence."""

    name: str
    what: str


#: A claim about a state; the claims of a step see the state before, after, and the parameters.
Claim = Callable[[State], Term]
StepClaim = Callable[[State, State, Mapping[str, Term]], Term]


@dataclass(frozen=True)
class System:
    """A transition system, its invariant, and what the invariant is for.

    ``invariant``: conjuncts that hold at the start and are kept by every action. ``safety``: what
    follows from the invariant. ``steps``: what holds of every step from a state with the
    invariant. ``axioms``: about rigid symbols. ``sizes``: how many elements of each sort (2 if not
    said) the counterexamples have that are looked for, one size after the other.
    """

    name: str
    sorts: tuple[Sort, ...]
    symbols: tuple[Symbol, ...]
    axioms: Mapping[str, Claim]
    start: Claim
    actions: tuple[Action, ...]
    invariant: Mapping[str, Claim]
    safety: Mapping[str, Claim]
    steps: Mapping[str, StepClaim] = field(default_factory=dict)
    mutations: tuple[Mutation, ...] = ()
    sizes: tuple[Mapping[str, int], ...] = ({},)

    def state(self) -> State:
        """Give a state of which nothing is known."""
        meanings = {s.name: s.declaration for s in self.symbols}
        return State(meanings, frozenset(s.name for s in self.symbols if not s.arguments))

    def action(self, name: str) -> Action:
        """Give the action of that name."""
        return next(action for action in self.actions if action.name == name)


def put(meaning: Meaning, arguments: Sequence[Term], value: Term) -> Meaning:
    """Give the meaning that is ``value`` at ``arguments`` and as before elsewhere."""

    def updated(*at: Term) -> Term:
        here = z3.And([a == b for a, b in zip(at, arguments, strict=True)])
        return z3.If(here, value, meaning(*at))

    return updated


def constant(value: Term) -> Meaning:
    """Give the meaning of a constant."""
    return lambda: value


#: Elements of each sort, by the sort's name, while formulas are built for them alone.
Universe = Mapping[str, Sequence[Term]]
_universes: list[Universe] = []


@contextmanager
def within(universe: Universe) -> Iterator[None]:
    """Let the quantifiers of what is built in the block range over ``universe``."""
    _universes.append(universe)
    try:
        yield
    finally:
        _universes.pop()


def forall(sorts: Sequence[Sort], body: Callable[..., Term]) -> Term:
    """Give "for all": ``body`` takes one variable of each of ``sorts``."""
    if _universes:
        return z3.And([body(*each) for each in product(*map(_elements, sorts))])
    variables = [z3.FreshConst(sort, str(sort)[0].lower()) for sort in sorts]
    return z3.ForAll(variables, body(*variables))


def exists(sorts: Sequence[Sort], body: Callable[..., Term]) -> Term:
    """Give "there is"."""
    if _universes:
        return z3.Or([body(*each) for each in product(*map(_elements, sorts))])
    variables = [z3.FreshConst(sort, str(sort)[0].lower()) for sort in sorts]
    return z3.Exists(variables, body(*variables))


def _elements(sort: Sort) -> Sequence[Term]:
    return _universes[-1][str(sort)]


def total_order(less: Meaning, sort: Sort) -> Term:
    """Say that ``less`` is a strict total order."""
    return z3.And(
        forall([sort], lambda a: z3.Not(less(a, a))),
        forall([sort] * 3, lambda a, b, c: z3.Implies(z3.And(less(a, b), less(b, c)), less(a, c))),
        forall([sort] * 2, lambda a, b: z3.Or(less(a, b), a == b, less(b, a))),
    )
