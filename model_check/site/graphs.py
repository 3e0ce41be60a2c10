"""State graphs of the smallest configurations of spec/, as SVG.

TLC explores a configuration once more and writes its graph: a node for each state, an edge for each
action. Colours stand for actions; the numbers are the order in which states are met. What is drawn
takes its colours from the page, so that it fits a dark one, too. A state's text is its tooltip.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from model_check.proofs.graph import Graph, read
from model_check.report import CannotRun
from model_check.site.layout import Layout, lay_out
from model_check.tlc.config import Config
from model_check.tlc.process import ended
from model_check.tlc.run import Limits, command_line
from model_check.tlc.tools import Toolchain

#: The largest graph that is drawn.
MOST_STATES = 150
_SECONDS = 120
_RADIUS = 11.0
#: Colours that the style sheet has for actions.
COLOURS = 10


@dataclass(frozen=True)
class Drawing:
    """One graph: its SVG, and the actions in it with the number of their colours."""

    config: str
    what: str
    svg: str
    states: int
    edges: int
    actions: tuple[tuple[str, int, int], ...]  # name, colour, how many edges


def explore(config: Config, tools: Toolchain) -> Graph:
    """Let TLC write the graph of a configuration. Raises CannotRun."""
    with tempfile.TemporaryDirectory(prefix="bwcheck-graph-") as name:
        folder = Path(name)
        command = command_line(config, tools, Limits(), folder)
        dump = ["-dump", "dot,actionlabels", str(folder / "graph.dot")]
        command[-1:-1] = dump
        done = ended(command, folder, config.name, _SECONDS)
        dot = folder / "graph.dot"
        if done.returncode != 0 or not dot.is_file():
            last = "\n".join(done.stdout.splitlines()[-10:])
            raise CannotRun(f"TLC cannot draw {config.name}:\n{last}")
        return read(dot.read_text(encoding="utf-8"))


def draw(config: str, what: str, graph: Graph) -> Drawing:
    """Draw a graph."""
    steps = sorted(edge for edge in graph.edges if edge[0] != edge[2])
    plain = [(source, target) for source, _, target in steps]
    layout = lay_out(sorted(graph.starts), plain)
    counts: dict[str, int] = {}
    for _, action, _ in steps:
        counts[action] = counts.get(action, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    colour = {name: min(index, COLOURS - 1) for index, name in enumerate(names)}
    numbers = {
        node: index
        for index, node in enumerate(
            sorted(layout.places, key=lambda node: (layout.layers[node], layout.places[node].x)), 1
        )
    }
    parts = [_edge(layout, *step, colour[step[1]]) for step in steps]
    parts += [
        _node(layout, node, numbers[node], graph.states[node], start=node in graph.starts)
        for node in numbers
    ]
    title = escape(f"State graph of {config}: {len(numbers)} states, {len(steps)} steps")
    svg = (
        f'<svg class="graph" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
        f'style="max-width:{layout.width:.0f}px" role="img" aria-label="{title}">'
        f"{''.join(parts)}</svg>"
    )
    actions = tuple((name, colour[name], counts[name]) for name in names)
    return Drawing(config, what, svg, len(numbers), len(steps), actions)


def _edge(layout: Layout, source: str, action: str, target: str, colour: int) -> str:
    a, b = layout.places[source], layout.places[target]
    if layout.layers[target] == layout.layers[source] + 1:
        bend = (b.y - a.y) / 2
        path = (
            f"M{a.x:.1f} {a.y + _RADIUS:.1f}C{a.x:.1f} {a.y + bend:.1f} "
            f"{b.x:.1f} {b.y - bend:.1f} {b.x:.1f} {b.y - _RADIUS:.1f}"
        )
    else:
        out = max(a.x, b.x) + 26
        path = (
            f"M{a.x + _RADIUS:.1f} {a.y:.1f}C{out:.1f} {a.y:.1f} {out:.1f} {b.y:.1f} "
            f"{b.x + _RADIUS:.1f} {b.y:.1f}"
        )
    return f'<path class="edge c{colour}" d="{path}"><title>{escape(action)}</title></path>'


def _node(layout: Layout, node: str, number: int, state: Mapping[str, Any], *, start: bool) -> str:
    place = layout.places[node]
    text = "\n".join(f"{name} = {_text(value)}" for name, value in state.items())
    kind = "node start" if start else "node"
    return (
        f'<g class="{kind}"><title>{escape(text[:1500])}</title>'
        f'<circle cx="{place.x:.1f}" cy="{place.y:.1f}" r="{_RADIUS:.0f}"/>'
        f'<text x="{place.x:.1f}" y="{place.y + 3:.1f}">{number}</text></g>'
    )


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"⟨{', '.join(map(_text, value))}⟩"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, dict):
        return f"[{', '.join(f'{k}: {_text(v)}' for k, v in value.items())}]"
    return str(value)


def smallest(rows: Sequence[Mapping[str, Any]], most: int = MOST_STATES) -> list[str]:
    """Name the configurations that pass and have the fewest states, fewest first."""
    passing = [
        row for row in rows if row["expected"] == "pass" and 0 < row["distinct_states"] <= most
    ]
    return [
        str(row["config"]) for row in sorted(passing, key=lambda row: int(row["distinct_states"]))
    ]
