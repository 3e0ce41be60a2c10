"""SC as programmers think of it: one memory, one step of one thread at a time, in any order.

No events, no relations, no axioms: the outcomes of a litmus test by running it in every way. A
statement is one step, also a read-modify-write; only a weak compare-and-swap has two ways to go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_check.axioms.litmus import Exchange, Fence, Guarded, Load, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model_check.axioms.litmus import Litmus, Statement

#: Next statement of each thread; the values of registers and locations, which have distinct names.
_State = tuple[tuple[int, ...], tuple[tuple[str, int], ...]]


def outcomes(test: Litmus) -> frozenset[str]:
    """Every outcome of ``test`` under SC (races are not looked for)."""
    names = (*test.locations(), *(name for thread in test.registers() for name in thread))
    start: _State = ((0,) * len(test.threads), tuple((name, 0) for name in sorted(names)))
    seen, stack, found = {start}, [start], set()
    while stack:
        places, memory = stack.pop()
        if all(place == len(thread) for place, thread in zip(places, test.threads, strict=True)):
            found.add(test.outcome(dict(memory)))
        for number, thread in enumerate(test.threads):
            if places[number] == len(thread):
                continue
            moved = (*places[:number], places[number] + 1, *places[number + 1 :])
            for after in _step(dict(memory), thread[places[number]]):
                state = (moved, tuple(sorted(after.items())))
                if state not in seen:
                    seen.add(state)
                    stack.append(state)
    return frozenset(found)


def _step(values: dict[str, int], statement: Statement) -> Iterator[dict[str, int]]:
    """Every state that a statement may lead to."""
    if isinstance(statement, Guarded):
        if values[statement.register] != statement.value:
            yield values
            return
        statement = statement.body

    def value(term: int | str) -> int:
        return term if isinstance(term, int) else values[term]

    if isinstance(statement, Fence):
        yield values
    elif isinstance(statement, Load):
        yield {**values, statement.register: values[statement.location]}
    elif isinstance(statement, Store):
        yield {**values, statement.location: value(statement.value)}
    elif isinstance(statement, Exchange):
        old = values[statement.location]
        if old == statement.expected:
            stored = value(statement.desired)
            yield {**values, statement.register: old, statement.location: stored}
        if old != statement.expected or statement.weak:
            yield {**values, statement.register: old}
    else:
        old, operand = values[statement.location], value(statement.operand)
        new = old + operand if statement.operation == "add" else operand
        yield {**values, statement.register: old, statement.location: new}
