"""The formulas of a system, evaluated on finite states: the very terms that z3 proves things of.

A structure gives each symbol a value: a constant its element, a function or relation a mapping
from its argument (from the tuple of them, if there are several). Elements are any hashable Python
values; `domains` lists those of each sort. Terms are compiled to Python expressions once, so that
the whole state graph of a small configuration takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import z3

from model_check.proofs.system import Action, System, Term

#: Symbol to value.
Structure = dict[str, Any]
#: Sort to elements.
Domains = Mapping[str, Sequence[Any]]

_INFIX = {
    z3.Z3_OP_LE: "<=",
    z3.Z3_OP_GE: ">=",
    z3.Z3_OP_LT: "<",
    z3.Z3_OP_GT: ">",
    z3.Z3_OP_ADD: "+",
    z3.Z3_OP_SUB: "-",
    z3.Z3_OP_EQ: "==",
    z3.Z3_OP_AND: "and",
    z3.Z3_OP_OR: "or",
}


class Computed:
    """A rigid function that is computed instead of listed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Wrap a function of as many arguments as the symbol has."""
        self._function = function

    def __getitem__(self, at: Any) -> Any:
        return self._function(*at) if isinstance(at, _Arguments) else self._function(at)


class _Arguments(tuple[Any, ...]):
    """Several arguments, told apart from one that is a tuple."""

    __slots__ = ()


def arguments(*values: Any) -> Any:
    """Give the key of a function's value at ``values``."""
    return values[0] if len(values) == 1 else _Arguments(values)


class _Compiler:
    def __init__(self, names: Mapping[str, str]) -> None:
        """Know the parameters: z3 constant to Python variable."""
        self._names = names
        self._bound = 0

    def text(self, term: Term, scope: tuple[str, ...] = ()) -> str:
        if z3.is_var(term):
            return scope[-1 - int(z3.get_var_index(term))]
        if z3.is_quantifier(term):
            return self._quantifier(term, scope)
        if z3.is_int_value(term):
            return str(term.as_long())
        children = [self.text(child, scope) for child in term.children()]
        kind = term.decl().kind()
        if kind in _INFIX and children:
            return f"({f' {_INFIX[kind]} '.join(children)})"
        if kind in (z3.Z3_OP_AND, z3.Z3_OP_TRUE):
            return "True"
        if kind in (z3.Z3_OP_OR, z3.Z3_OP_FALSE):
            return "False"
        if kind == z3.Z3_OP_NOT:
            return f"(not {children[0]})"
        if kind == z3.Z3_OP_IMPLIES:
            return f"((not {children[0]}) or {children[1]})"
        if kind == z3.Z3_OP_DISTINCT:
            return f"({' != '.join(children)})"
        if kind == z3.Z3_OP_ITE:
            return f"({children[1]} if {children[0]} else {children[2]})"
        name = term.decl().name()
        if kind == z3.Z3_OP_DT_CONSTRUCTOR:
            return repr(name)
        if kind != z3.Z3_OP_UNINTERPRETED:
            message = f"no way to evaluate {term.decl()} is known"
            raise NotImplementedError(message)
        if not children:
            return self._names.get(name) or f"S[{name!r}]"
        at = children[0] if len(children) == 1 else f"A(({', '.join(children)}))"
        return f"S[{name!r}][{at}]"

    def _quantifier(self, term: Term, scope: tuple[str, ...]) -> str:
        loops = []
        for i in range(term.num_vars()):
            self._bound += 1
            scope = (*scope, f"v{self._bound}")
            loops.append(f"for {scope[-1]} in D[{str(term.var_sort(i))!r}]")
        which = "all" if term.is_forall() else "any"
        return f"{which}({self.text(term.body(), scope)} {' '.join(loops)})"


def _compiled(term: Term, parameters: Sequence[Term] = ()) -> Callable[..., Any]:
    names = {str(p): f"p{i}" for i, p in enumerate(parameters)}
    body = _Compiler(names).text(term if z3.is_expr(term) else z3.BoolVal(term))
    head = ", ".join(["S", "D", *names.values()])
    # The text is made of names of symbols, numbers and operators, above.
    return eval(f"lambda {head}: {body}", {"A": _Arguments})  # type: ignore[no-any-return]  # noqa: S307


class Evaluator:
    """A system on given finite domains."""

    def __init__(self, system: System, domains: Domains) -> None:
        """Compile all of the system's formulas."""
        self._system = system
        self._domains = domains
        self._state = system.state()
        self._arguments = {
            symbol.name: tuple(map(str, symbol.arguments)) for symbol in system.symbols
        }
        self._actions = [self._taken(action) for action in system.actions]
        s = self._state
        claims = {**system.invariant, **system.safety, **system.axioms}
        self._claims = {name: _compiled(claim(s)) for name, claim in claims.items()}
        self._start = _compiled(system.start(s))

    def is_start(self, structure: Structure) -> bool:
        """Say whether the state is a first one."""
        return bool(self._start(structure, self._domains))

    def broken(self, structure: Structure) -> list[str]:
        """Name the conjuncts and claims that do not hold in a state."""
        return [n for n, claim in self._claims.items() if not claim(structure, self._domains)]

    def successors(self, structure: Structure) -> Iterator[tuple[str, Structure]]:
        """Give each state that an action leads to, with the action's name."""
        for name, sorts, guard, updates in self._actions:
            for chosen in product(*(self._domains[sort] for sort in sorts)):
                if guard(structure, self._domains, *chosen):
                    yield name, self._after(structure, updates, chosen)

    def _after(
        self, structure: Structure, updates: Mapping[str, Any], chosen: tuple[Any, ...]
    ) -> Structure:
        new = dict(structure)
        for name, update in updates.items():
            sorts = self._arguments[name]
            if not sorts:
                new[name] = update(structure, self._domains, *chosen)
                continue
            new[name] = {
                arguments(*at): update(structure, self._domains, *chosen, *at)
                for at in product(*(self._domains[sort] for sort in sorts))
            }
        return new

    def _taken(
        self, action: Action
    ) -> tuple[str, tuple[str, ...], Callable[..., Any], dict[str, Callable[..., Any]]]:
        """Give the action's name, the sorts of its parameters, guard and updates."""
        parameters = action.constants()
        step = action.step(self._state, *parameters)
        updates = {}
        symbols = {symbol.name: symbol for symbol in self._system.symbols}
        for name, meaning in step.updates.items():
            sorts = symbols[name].arguments
            at = [z3.Const(f"at{i}!", sort) for i, sort in enumerate(sorts)]
            updates[name] = _compiled(meaning(*at), [*parameters, *at])
        of = tuple(str(sort) for _, sort in action.parameters)
        return action.name, of, _compiled(step.guard, parameters), updates
