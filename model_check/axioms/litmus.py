"""Litmus tests: a few statements a thread, in a notation close to how papers print them.

    x.rlx = 1                    store (the value: a number or a register)
    a = x.acq                    load
    a = x.add.rlx(1)             fetch-and-add; the register gets the value before
    a = x.swap.acq_rel(2)        exchange
    a = x.cas.acq_rel(0, 1)      compare-and-swap 0 by 1; the register gets the value seen
    a = x.cas.acq_rel/rlx(0, 1)  the same with an order of its own for failure
    a = x.weak_cas.rlx(0, 1)     one that may fail without a reason
    fence.sc                     fence
    if a == 1: b = x.na          the statement only if the register has this value

Statements of a thread are parted by `;`. Orders are na (a plain access), rlx, acq, rel, acq_rel
and sc. Locations are the letters from s to z, registers those before; everything starts at 0.

A test *sees* registers and locations, the latter at the end of all threads. An outcome is the
values of what is seen, in that order: `a=1 b=0`; in the tests' data, one digit each: `10`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Union

Order = Literal["na", "rlx", "acq", "rel", "acq_rel", "sc"]
#: A value to store: a number, or the register that holds it.
Term = Union[int, str]

LOCATIONS = frozenset("stuvwxyz")
_LOADS: dict[str, Order] = {"na": "na", "rlx": "rlx", "acq": "acq", "sc": "sc"}
_STORES: dict[str, Order] = {"na": "na", "rlx": "rlx", "rel": "rel", "sc": "sc"}
_UPDATES: dict[str, Order] = {
    "rlx": "rlx",
    "acq": "acq",
    "rel": "rel",
    "acq_rel": "acq_rel",
    "sc": "sc",
}
_FENCES: dict[str, Order] = {"acq": "acq", "rel": "rel", "acq_rel": "acq_rel", "sc": "sc"}


class LitmusError(ValueError):
    """A test that is not in the notation: the sentence says what and where."""


@dataclass(frozen=True)
class Load:
    """`a = x.acq`."""

    register: str
    location: str
    order: Order


@dataclass(frozen=True)
class Store:
    """`x.rel = 1`."""

    location: str
    value: Term
    order: Order


@dataclass(frozen=True)
class Update:
    """`a = x.add.rlx(1)` or `a = x.swap.rlx(1)`: always stores."""

    register: str
    location: str
    operation: Literal["add", "swap"]
    operand: Term
    order: Order


@dataclass(frozen=True)
class Exchange:
    """`a = x.cas.acq_rel(0, 1)`: stores only if it saw what it expected, then with `order`."""

    register: str
    location: str
    expected: int
    desired: Term
    order: Order
    failure: Order
    weak: bool


@dataclass(frozen=True)
class Fence:
    """`fence.sc`."""

    order: Order


@dataclass(frozen=True)
class Guarded:
    """`if a == 1: STATEMENT`."""

    register: str
    value: int
    body: Load | Store | Update | Exchange | Fence


Access = Union[Load, Store, Update, Exchange]
Simple = Union[Load, Store, Update, Exchange, Fence]
Statement = Union[Simple, Guarded]
Thread = tuple[Statement, ...]


@dataclass(frozen=True)
class Allowed:
    """What a model allows: the outcomes, or everything, because some execution has a race."""

    outcomes: frozenset[str]
    race: bool = False


@dataclass(frozen=True)
class Litmus:
    """A test and its gold: what SC and RC11 allow, and a sentence on why."""

    name: str
    threads: tuple[Thread, ...]
    source: tuple[str, ...]
    sees: tuple[str, ...]
    sc: Allowed
    rc11: Allowed
    why: str

    def locations(self) -> tuple[str, ...]:
        """Every location that some thread names, sorted."""
        names = {one.location for one in map(bare, self.statements()) if not isinstance(one, Fence)}
        return tuple(sorted(names | {name for name in self.sees if name in LOCATIONS}))

    def registers(self) -> tuple[tuple[str, ...], ...]:
        """Each thread's registers, sorted."""
        return tuple(tuple(sorted(registers_set(thread))) for thread in self.threads)

    def statements(self) -> list[Statement]:
        """All statements of all threads."""
        return [statement for thread in self.threads for statement in thread]

    def outcome(self, values: dict[str, int]) -> str:
        """Give the canonical text of an outcome, as programs print it: `a=1 b=0`."""
        return " ".join(f"{name}={values[name]}" for name in self.sees)


def bare(statement: Statement) -> Simple:
    """Take a statement's guard off."""
    return statement.body if isinstance(statement, Guarded) else statement


def registers_set(thread: Thread) -> set[str]:
    """Give the registers that a thread's statements write."""
    simple = map(bare, thread)
    return {one.register for one in simple if isinstance(one, (Load, Update, Exchange))}


def litmus(  # noqa: D417 - the rest is what the names say
    name: str, *threads: str, sees: str, sc: str, weak: str = "", why: str
) -> Litmus:
    """Make a test from its notation.

    Args:
        sees: registers and locations, parted by spaces.
        sc: the outcomes that SC allows, as digits; or `race`.
        weak: what RC11 allows beyond them; or `race`: a race under RC11 only.

    """
    parsed = tuple(parse(name, text) for text in threads)
    names = tuple(sees.split())
    written: set[str] = set()
    for thread in parsed:
        both = written & registers_set(thread)
        if both:
            raise LitmusError(f"{name}: two threads write the register {min(both)}: rename one")
        written |= registers_set(thread)
    for seen in names:
        if seen not in written | LOCATIONS:
            raise LitmusError(f"{name}: sees {seen}, which no thread writes")
    if sc == "race":
        in_sc = in_rc11 = Allowed(frozenset(), race=True)
    else:
        strong = _outcomes(name, names, sc)
        more = frozenset() if weak == "race" else _outcomes(name, names, weak)
        if strong & more:
            raise LitmusError(f"{name}: {min(strong & more)} stands under sc and under weak")
        in_sc = Allowed(strong)
        in_rc11 = Allowed(frozenset(), race=True) if weak == "race" else Allowed(strong | more)
    return Litmus(name, parsed, threads, names, in_sc, in_rc11, why)


def _outcomes(name: str, sees: tuple[str, ...], text: str) -> frozenset[str]:
    """`00 01` as canonical outcomes; each one once, each with a digit for every name."""
    words = text.split()
    if len(set(words)) != len(words):
        raise LitmusError(f"{name}: an outcome stands twice in '{text}'")
    for word in words:
        if len(word) != len(sees) or not word.isdigit():
            raise LitmusError(f"{name}: '{word}' does not give {len(sees)} digits, one a name")
    return frozenset(
        " ".join(f"{one}={digit}" for one, digit in zip(sees, word, strict=True)) for word in words
    )


def parse(name: str, text: str) -> Thread:
    """Read the statements of one thread; ``name`` is for the errors."""
    return tuple(_statement(name, part.strip()) for part in text.split(";"))


_GUARD = re.compile(r"if (\w) == (\d+): (.*)")
_FENCE = re.compile(r"fence\.(\w+)")
_STORE = re.compile(r"(\w)\.(\w+) = (\w+)")
_LOAD = re.compile(r"(\w) = (\w)\.(\w+)")
_UPDATE = re.compile(r"(\w) = (\w)\.(add|swap)\.(\w+)\((\w+)\)")
_EXCHANGE = re.compile(r"(\w) = (\w)\.(weak_cas|cas)\.(\w+?)(?:/(\w+))?\((\d+), (\w+)\)")


def _statement(name: str, text: str) -> Statement:
    if guard := _GUARD.fullmatch(text):
        body = _statement(name, guard[3])
        if isinstance(body, Guarded):
            raise LitmusError(f"{name}: '{text}': a guard holds one statement, not another guard")
        return Guarded(guard[1], int(guard[2]), body)
    if match := _FENCE.fullmatch(text):
        return Fence(_order(name, text, match[1], _FENCES))
    if match := _UPDATE.fullmatch(text):
        order = _order(name, text, match[4], _UPDATES)
        operation: Literal["add", "swap"] = "add" if match[3] == "add" else "swap"
        return Update(
            _register(name, match[1]), _location(name, match[2]), operation, _term(match[5]), order
        )
    if match := _EXCHANGE.fullmatch(text):
        order = _order(name, text, match[4], _UPDATES)
        # As C's short form: the order of success without its release part.
        failure = _order(name, text, match[5] or read_part(order), _LOADS)
        register, location = _register(name, match[1]), _location(name, match[2])
        return Exchange(
            register,
            location,
            int(match[6]),
            _term(match[7]),
            order,
            failure,
            weak=match[3] == "weak_cas",
        )
    if match := _LOAD.fullmatch(text):
        order = _order(name, text, match[3], _LOADS)
        return Load(_register(name, match[1]), _location(name, match[2]), order)
    if match := _STORE.fullmatch(text):
        order = _order(name, text, match[2], _STORES)
        return Store(_location(name, match[1]), _term(match[3]), order)
    raise LitmusError(f"{name}: '{text}' is no statement: see model_check/axioms/litmus.py")


def _order(name: str, text: str, order: str, allowed: dict[str, Order]) -> Order:
    if order not in allowed:
        raise LitmusError(f"{name}: '{text}' has the order {order}: use {', '.join(allowed)}")
    return allowed[order]


def _register(name: str, word: str) -> str:
    if word in LOCATIONS or not word.isalpha():
        raise LitmusError(f"{name}: {word} is no register: use a letter from a to r")
    return word


def _location(name: str, word: str) -> str:
    if word not in LOCATIONS:
        raise LitmusError(f"{name}: {word} is no location: use a letter from s to z")
    return word


def _term(word: str) -> Term:
    return int(word) if word.isdigit() else word


def read_part(order: Order) -> Order:
    """Give the order of the read of a read-modify-write."""
    parts: dict[Order, Order] = {"acq_rel": "acq", "rel": "rlx"}
    return parts.get(order, order)


def write_part(order: Order) -> Order:
    """Give the order of the write of a read-modify-write."""
    parts: dict[Order, Order] = {"acq_rel": "rel", "acq": "rlx"}
    return parts.get(order, order)
