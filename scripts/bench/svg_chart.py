"""Charts as SVG text: bars in panels, and lines over logarithmic axes.

Written by hand because the file is to look right on a light page and on a dark one, which takes a
style that asks the reader's browser; and because it is to be the same bytes for the same figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Colours of series on a light and on a dark page, for the colour-blind, too.
_COLOURS = (
    *(("#0550ae", "#79c0ff"), ("#bc4c00", "#ffa657"), ("#116329", "#56d364")),
    *(("#8250df", "#d2a8ff"), ("#6e7781", "#8b949e"), ("#bf3989", "#f778ba")),
    *(("#7d4e00", "#e3b341"), ("#0a7ea4", "#39c5cf")),
)
_LIGHT = {"text": "#24292f", "faint": "#d0d7de", "plain": "#8c959f"}
_DARK = {"text": "#e6edf3", "faint": "#30363d", "plain": "#6e7681"}
_FONT = "font-family:system-ui,sans-serif;font-size:12px"


def _rules(colours: Mapping[str, str], column: int) -> str:
    rules = [f"text{{fill:{colours['text']};{_FONT}}}"]
    rules.append(f".faint{{stroke:{colours['faint']};fill:none}}")
    rules.append(f".plain{{fill:{colours['plain']}}}")
    for number, pair in enumerate(_COLOURS):
        rules.append(f".f{number}{{fill:{pair[column]}}}")
        rules.append(f".l{number}{{stroke:{pair[column]};fill:none;stroke-width:2}}")
    return "".join(rules)


@dataclass
class Drawing:
    """Elements of a picture of a width, and a height that is known at the end."""

    width: float
    parts: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, anchor: str = "start", *, bold: bool = False
    ) -> None:
        """Write words with their base line at y."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'
        )

    def bar(self, x: float, y: float, width: float, height: float, style: str) -> None:
        """Fill a rectangle."""
        self.parts.append(
            f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" '
            f'width="{max(width, 0.5):.1f}" height="{height:.1f}" rx="1"/>'
        )

    def line(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """Draw a line through points."""
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{style}" points="{joined}"/>')

    def dot(self, x: float, y: float, style: str) -> None:
        """Mark a point."""
        self.parts.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')

    def svg(self, height: float, title: str) -> str:
        """Give the whole file."""
        style = f"{_rules(_LIGHT, 0)}@media(prefers-color-scheme:dark){{{_rules(_DARK, 1)}}}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {self.width:.0f} {height:.0f}" role="img">'
        )
        opening = [head, f"<title>{escape(title)}</title>", f"<style>{style}</style>"]
        return "\n".join([*opening, *self.parts, "</svg>\n"])


def _number(value: float) -> str:
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{value / scale:.3g}{unit}"
    return f"{value:.3g}"


@dataclass(frozen=True)
class Panel:
    """A group of bars under a title; the first one is ours and is drawn in colour."""

    title: str
    bars: Sequence[tuple[str, float]]


def bars(title: str, panels: Sequence[Panel], ours: str, columns: int = 2) -> str:
    """Draw panels of horizontal bars, each panel to its own scale from 0."""
    width, name, row, gap = 860.0, 128.0, 17.0, 30.0
    drawing = Drawing(width)
    drawing.text(0, 16, title, bold=True)
    across = width / columns
    top = 30.0
    for start in range(0, len(panels), columns):
        line = panels[start : start + columns]
        for place, panel in enumerate(line):
            left = place * across
            drawing.text(left, top + 14, panel.title)
            room = across - name - 70
            most = max(value for _, value in panel.bars)
            for at, (label, value) in enumerate(panel.bars):
                y = top + 22 + at * row
                drawing.text(left + name - 6, y + 11, label, "end", bold=label == ours)
                drawing.bar(
                    left + name,
                    y + 1,
                    room * value / most,
                    row - 4,
                    "f0" if label == ours else "plain",
                )
                drawing.text(left + name + room * value / most + 5, y + 11, _number(value))
        top += 22 + max(len(panel.bars) for panel in line) * row + gap - 14
    return drawing.svg(top, title)


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: its name, and the places that are labelled."""

    name: str
    ticks: Sequence[tuple[float, str]]


def decades(name: str, values: Sequence[float], steps: Sequence[int] = (1,)) -> Axis:
    """Make an axis whose ticks are powers of ten, and multiples, around the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [step * 10.0**power for power in range(low, high + 1) for step in steps]
    inside = [at for at in ticks if min(values) / 2.5 <= at <= max(values) * 2.5]
    return Axis(name, [(at, _number(at)) for at in inside])


def lines(title: str, x: Axis, y: Axis, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw lines over two logarithmic axes, each with its name at its right end."""
    left, right, top, bottom = 60.0, 690.0, 44.0, 340.0
    drawing = Drawing(860)
    drawing.text(0, 16, title, bold=True)
    drawing.text(0, 36, y.name)
    points = [point for found in series.values() for point in found]

    def scale(value: float, axis: Axis, found: Sequence[float], low: float, high: float) -> float:
        every = [*(at for at, _ in axis.ticks), *found]
        least, most = math.log10(min(every)), math.log10(max(every))
        return low + (high - low) * (math.log10(value) - least) / ((most - least) or 1)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return (
            scale(point[0], x, [p[0] for p in points], left, right),
            scale(point[1], y, [p[1] for p in points], bottom, top),
        )

    for at, label in y.ticks:
        height = place((points[0][0], at))[1]
        drawing.line([(left, height), (right, height)], "faint")
        drawing.text(left - 6, height + 4, label, "end")
    for at, label in x.ticks:
        drawing.text(place((at, points[0][1]))[0], bottom + 18, label, "middle")
    drawing.text((left + right) / 2, bottom + 38, x.name, "middle")
    ends: list[float] = []
    for number, (name, found) in enumerate(
        sorted(series.items(), key=lambda item: place(item[1][-1])[1])
    ):
        style = list(series).index(name) % len(_COLOURS)
        drawn = [place(point) for point in found]
        drawing.line(drawn, f"l{style}")
        for dot in drawn:
            drawing.dot(*dot, f"f{style}")
        height = max(drawn[-1][1] + 4, ends[-1] + 14 if number else 0.0)  # names must not overlap
        ends.append(height)
        drawing.text(drawn[-1][0] + 9, height, name, bold=style == 0)
    return drawing.svg(bottom + 48, title)
