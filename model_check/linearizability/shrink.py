"""From a failing stretch of a history to the few parts that matter, and one sentence that says why.

Only steps are taken after which failing still proves that the whole history fails:

- a read is left out: what is linearizable stays so without it;
- a part that changes the cell is *weakened*: as if it had never returned, it may have taken effect
or
  not, on whatever it found. That allows more orders, never fewer;
- a weakened part is left out if nothing that is left could need it: nobody wants its value, and
none
  needs just any value (or, for a removal, an absent cell).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from model_check.linearizability.parts import NEVER, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ROUNDS = 4


class Kept(NamedTuple):
    """A part of what is left."""

    part: Part
    weakened: bool = False  #: its result, and whether it took effect, do not matter

    @property
    def judged(self) -> Part:
        """Give the part as it is judged."""
        if not self.weakened:
            return self.part
        return self.part._replace(responded=NEVER, need="any", want=0)


def shrink(parts: Sequence[Part], fails: Callable[[Sequence[Part]], bool]) -> tuple[Kept, ...]:
    """Give the parts of a failing list that matter; at least one: an empty list does not fail."""
    kept = [Kept(part) for part in parts]

    def still(candidate: Iterable[Kept]) -> bool:
        return fails([item.judged for item in candidate])

    for _ in range(_ROUNDS):
        before = list(kept)
        kept = _without_reads(kept, still)
        kept = _without_mutators(kept, still)
        if kept == before:
            break
    return tuple(kept)


def _without_reads(kept: list[Kept], still: Callable[[Iterable[Kept]], bool]) -> list[Kept]:
    """Leave out reads: many at a time first, then one by one."""
    size = max(sum(item.part.effect == "keeps" for item in kept), 1)
    while size >= 1:
        reads = [item for item in kept if item.part.effect == "keeps"]
        for first in range(0, len(reads), size):
            gone = {id(item) for item in reads[first : first + size]}
            candidate = [item for item in kept if id(item) not in gone]
            if still(candidate):
                kept = candidate
        size //= 2
    return kept


def _without_mutators(kept: list[Kept], still: Callable[[Iterable[Kept]], bool]) -> list[Kept]:
    """Weaken mutators, many at a time first, and leave out those that nothing needs then."""
    size = max(sum(item.part.effect != "keeps" for item in kept), 1)
    while size >= 1:
        strong = [item for item in kept if item.part.effect != "keeps" and not item.weakened]
        for first in reversed(range(0, len(strong), size)):
            chosen = {id(item) for item in strong[first : first + size]}
            candidate = [
                item._replace(weakened=True) if id(item) in chosen else item for item in kept
            ]
            if still(candidate):
                kept = candidate
        size //= 2
    for item in reversed(kept):
        others = [other for other in kept if other is not item]
        if item.weakened and _useless(item.part, others):
            kept = others
    return kept


def _useless(part: Part, others: Iterable[Kept]) -> bool:
    """Tell whether no other part could need what this one does."""
    needs = [item.judged for item in others]
    if any(other.need in {"other", "call"} for other in needs):
        return False
    if part.effect == "deletes":
        return all(other.need != "absent" for other in needs)
    wanted = any(other.need == "value" and other.want == part.give for other in needs)
    return not wanted and all(other.need != "some" for other in needs)


def explain(
    kept: Sequence[Kept],
    states: Sequence[int | None],
    fails: Callable[[Sequence[Part]], bool],
    call: Callable[[Part], str],
    value: Callable[[int], str],
) -> str:
    """Say in one sentence why no order explains ``kept``.

    ``states`` are those that it may begin in, ``call`` and ``value`` name a part and a value. Each
    reason is given only if the parts that it names fail alone.
    """
    strong = [item.part for item in kept if not item.weakened]
    everything = [item.part for item in kept]

    def alone(*parts: Part) -> bool:
        return fails(sorted(parts, key=lambda part: part.invoked))

    for part in strong:
        if part.need == "never":
            return f"{call(part)} contradicts itself, or what other calls say"
        if part.need == "value" and alone(part):
            writers = [p for p in everything if p.effect == "sets" and p.give == part.want]
            if not writers and part.want not in states:
                return f"{call(part)}, but nothing had written {value(part.want)} by then"
    for part in strong:
        for other in strong:
            reason = _reason(part, other, call, value) if part is not other else ""
            if reason and alone(part, other):
                return reason
    last = max(strong or everything, key=lambda part: (part.responded, part.invoked))
    return (
        f"no order of these {len(kept)} calls that keeps to their times gives each of them its "
        f"result; the last to return: {call(last)}"
    )


def _reason(
    part: Part,
    other: Part,
    call: Callable[[Part], str],
    value: Callable[[int], str],
) -> str:
    """Give what ``other`` has against ``part``, if it is something simple."""
    follows = other.responded < part.invoked
    if part.need == "value" and other.effect != "keeps" and other.need == "value":
        if part.want != other.want:
            return ""
        if part.effect != "keeps" and part.invoked >= other.invoked:
            return f"both {call(other)} and {call(part)}, but {value(part.want)} was written once"
        if follows:
            return (
                f"{call(part)} after this had returned: {call(other)}; "
                f"and nothing wrote {value(part.want)} again"
            )
    if part.need == "value" and other.effect == "sets" and follows:
        return (
            f"{call(part)} after this had returned: {call(other)}; "
            f"and nothing wrote {value(part.want)} after that"
        )
    if part.need == "value" and other.need == "absent" and follows:
        return (
            f"{call(part)} after this had returned: {call(other)}; "
            f"and nothing wrote {value(part.want)} in between"
        )
    if part.need == "absent" and other.effect == "sets" and follows:
        return f"{call(part)} after this had returned: {call(other)}; and nothing removed it"
    if part.need == "absent" and other.need == "absent" and other.effect == "sets":
        return f"both {call(other)} and {call(part)}, and nothing removed a value in between"
    if part.need == "value" and other.need == "value" and follows and other.effect == "keeps":
        return (
            f"{call(part)} after this had returned: {call(other)}; "
            f"and nothing wrote {value(part.want)} in between"
        )
    return ""
