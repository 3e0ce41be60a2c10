"""What is wrong with a page read, in words: steps that would each have to be before the next.

page_reads.py has the links of such a cycle, page_reads.h what is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from model_check.linearizability.page_reads import How, Why
from model_check.linearizability.pages_recorded import describe_call
from model_check.linearizability.timeline import describe_value, lane_name, render
from model_check.recorder.native import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from model_check.linearizability.check import Report
    from model_check.linearizability.page_reads import Link, Place
    from model_check.recorder.history import History, Record

_WORDS = {
    Why.WROTE: "wrote what was seen of key {key}",
    Why.SAW: "saw key {key} before that value went",
    Why.CAME: "saw key {key} absent before it came",
    Why.WENT: "took key {key} away, which was seen absent",
    Why.NEXT: "took key {key} away before it came again",
    Why.PAGE: "came first in the same walk",
}
_HOW = {
    How.GIVEN: "",
    How.FORCED: " (the other way round is impossible)",
    How.TRIED: " (tried; the other way round fails, too)",
}


def what_is_wrong(history: History, report: Report) -> tuple[str, RenderableType | None]:
    """Say in a few words why a history was not accepted, and give the picture that shows it."""
    if report.violation is not None:
        key = report.violation.key
        return f"key {key} is not linearizable", render(history, report.violation)
    if report.cycle:
        text = Text("\n".join(explain_page_cycle(history, report.cycle)))
        return "keys that were read at one instant were not", text
    return f"undecided: {report.reason}", None


def explain_page_cycle(history: History, cycle: Sequence[Link]) -> list[str]:
    """Say of each link what it is. What came first in the cycle comes round again at its end."""
    lines = ["Each of these steps has to be before the next, and the last before the first:"]
    for link in cycle:
        if link.why is Why.INSTEAD:
            lines.append("and the other way round, the same with:")
            continue
        first = _name(history, link.first, _keys(cycle, link.first))
        second = _name(history, link.second, _keys(cycle, link.second))
        if link.why is Why.TIME:
            lines.append(f"  {first} {_time(history, link)} {second}")
            continue
        why = _WORDS[link.why].format(key=link.key)
        lines.append(f"  {first} {why}{_HOW[link.how]}: before {second}")
    return lines


def _keys(cycle: Sequence[Link], place: Place) -> list[int]:
    """Give the keys by which a step is in the cycle."""
    return sorted(
        {link.key for link in cycle if place in (link.first, link.second) and link.why <= Why.NEXT}
    )


def _time(history: History, link: Link) -> str:
    """Say which moment was before which."""
    over = "had returned"
    if link.high != _record(history, link.first).responded:
        over = f"had its instant when {_found(history, link.high, 'responded')} had returned"
    if link.low == _record(history, link.second).invoked:
        return f"{over} before this was invoked:"
    begun = _found(history, link.low, "invoked")
    return f"{over} before the invocation of {begun}, which saw what was there before this:"


def _found(history: History, moment: int, field: str) -> str:
    """Name the call that gave a bound: it saw the value."""
    for lane in range(history.lane_count):
        for record in history.records(lane):
            if getattr(record, field) == moment:
                return f"{lane_name(history, lane)}'s {describe_call(record, lane, history)}"
    return f"the call at {moment}"


def _record(history: History, place: Place) -> Record:
    return history.record(place.lane, place.record)


def _name(history: History, place: Place, keys: Iterable[int]) -> str:
    record = _record(history, place)
    text = f"{lane_name(history, place.lane)}'s {describe_call(record, place.lane, history)}"
    if not place.exact:
        return f"what ended the value (perhaps {text})"
    if place.page is None:
        return text
    ends = history.page_ends(place.lane, place.record)
    pairs = dict(history.pairs(place.lane, record.seen, record.count))
    saw = ", ".join(
        f"{key} = {describe_value(pairs[key])}" if key in pairs else f"{key} absent" for key in keys
    )
    word = Kind(record.kind).word
    return (
        f"{lane_name(history, place.lane)}'s {word}({record.key}), page read {place.page + 1} of "
        f"{len(ends)}, up to key {ends[place.page]}" + (f", which saw {saw}" if saw else "")
    )
