"""Two checkers small enough to be believed by reading them; the C ones are compared with them.

:func:`linearizable` is Wing and Gong's search (1993) over sets of operations already ordered, with
the memory of Lowe (2017): a state that was reached with the same set before is not tried again.
:func:`encoded` asks z3 for places in an order. Both are exponential in what overlaps, so for
histories of a dozen parts only.

A part that never responded (``responded`` is :data:`~model_check.linearizability.parts.NEVER`) may
stand in the order or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_check.linearizability.parts import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_check.linearizability.parts import Part


def _step(part: Part, state: int | None) -> tuple[bool, int | None]:
    possible = (
        part.need == "any"
        or (part.need == "absent" and state is None)
        or (part.need == "some" and state is not None)
        or (part.need == "value" and state == part.want)
    )
    after = {"keeps": state, "sets": part.give, "deletes": None}[part.effect]
    return possible, after


def linearizable(parts: Sequence[Part], initial: int | None = None) -> bool:
    """Tell whether some order of ``parts`` explains them all, from ``initial`` (None: absent)."""
    demanded = sum(1 << i for i, part in enumerate(parts) if part.responded != NEVER)
    tried: set[tuple[int, int | None]] = set()
    stack: list[tuple[int, int | None]] = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done & demanded == demanded:
            return True
        if (done, state) in tried:
            continue
        tried.add((done, state))
        left = [i for i in range(len(parts)) if not done >> i & 1]
        first_response = min(parts[i].responded for i in left)
        for i in left:
            if parts[i].invoked <= first_response:
                possible, after = _step(parts[i], state)
                if possible:
                    stack.append((done | 1 << i, after))
    return False


def encoded(parts: Sequence[Part], initial: int | None = None) -> bool:
    """Tell the same by z3: places of the parts, and for each what stood before it."""
    from z3 import And, Bool, BoolVal, Distinct, Implies, Int, Not, Or, Solver, sat  # noqa: PLC0415

    solver = Solver()
    place = [Int(f"place{i}") for i in range(len(parts))]
    taken = [
        Bool(f"taken{i}") if part.responded == NEVER else BoolVal(val=True)
        for i, part in enumerate(parts)
    ]
    writers = [i for i, part in enumerate(parts) if part.effect != "keeps"]
    solver.add(Distinct(*place) if len(place) > 1 else BoolVal(val=True))

    def before(one: int, other: int) -> Any:
        return And(taken[one], place[one] < place[other])

    def untouched(i: int) -> Any:
        return And(*[Not(before(w, i)) for w in writers if w != i])

    def left_by(w: int, i: int) -> Any:
        between = [And(taken[m], place[w] < place[m], place[m] < place[i]) for m in writers
                   if m not in {w, i}]  # fmt: skip
        return And(before(w, i), *[Not(other) for other in between])

    def suits(part: Part, state: int | None) -> bool:
        return _step(part, state)[0]

    for i, part in enumerate(parts):
        states = [untouched(i)] if suits(part, initial) else []
        for w in writers:
            after = parts[w].give if parts[w].effect == "sets" else None
            if w != i and suits(part, after):
                states.append(left_by(w, i))
        solver.add(Implies(taken[i], Or(*states) if states else BoolVal(val=False)))
        for j, later in enumerate(parts):
            if part.responded < later.invoked:
                solver.add(Implies(taken[j], place[i] < place[j]))
    return bool(solver.check() == sat)
