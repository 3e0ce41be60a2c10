"""A checker so small that it can be believed by reading it; the C one is compared with it.

Wing and Gong's search (1993) over sets of operations already ordered, with the memory of Lowe
(2017): a state that was reached with the same set before is not tried again. Exponential in
what overlaps, so for histories of a dozen parts only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_check.linearizability.check import Part


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
    everything = (1 << len(parts)) - 1
    tried: set[tuple[int, int | None]] = set()
    stack: list[tuple[int, int | None]] = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done == everything:
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
