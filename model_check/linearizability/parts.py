"""The parts that histories are made of, as Python sees them; parts.h explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from model_check.recorder.native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence

NEEDS = ("any", "absent", "some", "value", "never", "other", "call")
EFFECTS = ("keeps", "sets", "deletes")

#: In the place of :attr:`Part.responded`: it never did.
NEVER = 2**64 - 1
NO_PART = 2**32 - 1


class Part(NamedTuple):
    """What one record says about one key."""

    invoked: int
    responded: int
    need: str
    want: int
    effect: str
    give: int
    lane: int
    record: int


def to_native(parts: Sequence[Part]) -> Any:
    """Give an array of lin_part."""
    return ffi.new(
        "lin_part[]",
        [
            (p.invoked, p.responded, p.want, p.give, p.record, p.lane, NEEDS.index(p.need),
             EFFECTS.index(p.effect))
            for p in parts
        ],
    )  # fmt: skip


def from_native(native: Any) -> Part:
    """Read a lin_part."""
    return Part(
        invoked=native.invoked,
        responded=native.responded,
        need=NEEDS[native.need],
        want=native.want,
        effect=EFFECTS[native.effect],
        give=native.give,
        lane=native.lane,
        record=native.record,
    )


def to_states(states: Sequence[int | None]) -> Any:
    """Give an array of lin_state; None is absent."""
    return ffi.new("lin_state[]", [(state or 0, state is not None) for state in states])


def judge_parts(
    parts: Sequence[Part], states: Sequence[int | None], limit: int, way: int
) -> tuple[int, list[int]]:
    """Give the verdict on one key's parts, begun in any of ``states``, and an order if any."""
    order = ffi.new("uint32_t[]", max(len(parts), 1))
    verdict = int(
        lib.lin_judge_once(
            to_native(parts), len(parts), to_states(states), len(states), limit, way,
            ffi.new("uint64_t *"), order,
        )
    )  # fmt: skip
    found = verdict == lib.LIN_OK
    return verdict, [i for i in order[0 : len(parts)] if i != NO_PART] if found else []
