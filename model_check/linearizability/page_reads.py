"""The verdict on page reads, as page_reads.h judges them: figures, and what contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from model_check.recorder.native import ffi, lib

_NO_STEP = 2**32 - 1


@dataclass(frozen=True)
class PageReads:
    """What was judged of many keys at one instant; page_reads.h has the fields."""

    page_reads: int = 0
    whole: int = 0
    untold: int = 0
    keys: int = 0
    left_out: int = 0
    unnamed: int = 0
    edges: int = 0
    choices: int = 0
    bytes: int = 0
    open: bool = False


class Why(IntEnum):
    """Why one step must be before another; page_report.h has the C names."""

    WROTE = 0
    SAW = 1
    CAME = 2
    WENT = 3
    NEXT = 4
    PAGE = 5
    TIME = 6
    INSTEAD = 7


class How(IntEnum):
    """Whether a link was one of two that were possible."""

    GIVEN = 0
    FORCED = 1
    TRIED = 2


class Place(NamedTuple):
    """A step: a record, or one of its page reads; not ``exact``: a record that may be it."""

    lane: int
    record: int
    page: int | None
    exact: bool


class Link(NamedTuple):
    """One step must be before another, as far as ``key`` tells."""

    first: Place
    second: Place
    why: Why
    key: int
    how: How = How.GIVEN
    high: int = 0  #: of a link of time: ``first`` cannot be after it …
    low: int = 0  #: … nor ``second`` before this


def read_cycle(check: Any) -> tuple[Link, ...]:
    """Take the cycle of a native check whose pages were not right."""
    count = ffi.new("uint64_t *")
    links = lib.lin_check_cycle(check, count)

    def place(step: int) -> Place:
        if step == _NO_STEP:
            return Place(0, 0, None, exact=False)
        found = lib.lin_check_place(check, step)
        page = None if found.page == _NO_STEP else int(found.page)
        return Place(int(found.lane), int(found.record), page, bool(found.exact))

    return tuple(
        Link(
            place(getattr(link, "from")), place(link.to), Why(link.why), int(link.key),
            How(link.how), int(link.high), int(link.low),
        )
        for link in links[0 : count[0]]
    )  # fmt: skip
