"""A history as one self-contained HTML page: lanes that can be zoomed, a bar a call.

page.html is the page, page.js draws it on a canvas. What they show is made by pages_recorded.py
(from the recorder's histories) and by pages_operations.py (from anybody's): here it is put into the
page. A page of a hundred thousand calls can be read; of a longer history it shows the stretch that
matters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Calls that a page shows, at most.
MOST_CALLS = 100_000

#: What a call does to what it is called on: the colour of its bar.
READS, WRITES, REMOVES = 0, 1, 2


class Bar(NamedTuple):
    """One call."""

    lane: int
    invoked: int
    responded: int | None  #: None: it never did
    text: str
    key: str = ""
    effect: int = READS
    mark: int = 0  #: 1: it matters for the violation; 2: only that it may have happened does


class Point(NamedTuple):
    """The instant at which a call takes effect (on one key), in an order that explains all."""

    bar: int
    time: int
    text: str = ""


@dataclass(frozen=True)
class Picture:
    """What a page shows."""

    title: str
    verdict: str  #: "linearizable", "violation" or "unknown"
    head: str
    why: str
    lanes: Sequence[str]
    bars: Sequence[Bar]
    points: Sequence[Point] = ()
    prefix: int | None = None  #: the response up to which alone some order explains everything
    per_second: float | None = None  #: ticks of the clock; None: any unit
    notes: Sequence[str] = field(default_factory=tuple)


def stretch(bars: Sequence[Bar], most: int = MOST_CALLS) -> tuple[list[int], str]:
    """Choose which bars to show: all, or the last ones up to what matters and some behind it."""
    order = sorted(range(len(bars)), key=lambda i: bars[i].invoked)
    if len(order) <= most:
        return order, ""
    marked = [at for at, i in enumerate(order) if bars[i].mark]
    end = min(max(marked, default=most - most // 10) + most // 10, len(order))
    chosen = order[max(end - most, 0) : max(end, most)]
    shown = set(chosen)
    chosen += [order[at] for at in marked if order[at] not in shown]
    return chosen, (
        f"The page shows {len(chosen):,} of {len(bars):,} calls, "
        + ("those around the violation." if marked else "the first ones.")
    )


def write_page(picture: Picture) -> str:
    """Give the page's text; it needs no other file."""
    chosen, note = stretch(picture.bars)
    at = {bar: number for number, bar in enumerate(chosen)}
    bars = [picture.bars[i] for i in chosen]
    points = [point for point in picture.points if point.bar in at]
    times = [bar.invoked for bar in bars] + [point.time for point in points]
    begin = min(times, default=0)
    until = max([*times, *(bar.responded for bar in bars if bar.responded is not None)], default=0)
    prefix = None
    if picture.prefix is not None:
        prefix = min(max(picture.prefix, begin), until) - begin
    data = {
        "head": picture.head,
        "why": " ".join(word for word in (picture.why, *picture.notes, note) if word),
        "lanes": list(picture.lanes),
        "until": until - begin,
        "lane": [bar.lane for bar in bars],
        "invoked": [bar.invoked - begin for bar in bars],
        "responded": [None if bar.responded is None else bar.responded - begin for bar in bars],
        "text": [bar.text for bar in bars],
        "key": [bar.key for bar in bars],
        "effect": [bar.effect for bar in bars],
        "mark": [bar.mark for bar in bars],
        "points": [[at[point.bar], point.time - begin, point.text] for point in points],
        "prefix": prefix,
        "perSecond": picture.per_second,
    }
    # Inside a script element only "</" and "<!--" could end it; both begin with "<".
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    folder = files(__package__)
    return Template(folder.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(picture.title),
        verdict=escape(picture.verdict),
        data=text,
        script=folder.joinpath("page.js").read_text(encoding="utf-8"),
    )
