"""Drawing a state graph: a layer for each distance from the first states, and few crossings.

A state stands in the layer of its breadth-first distance, as TLC finds it. Within a layer, states
are ordered by the mean place of their neighbours in the layer before and after (the barycentre
method of Sugiyama, Tagawa and Toda, 1981), a few times down and up. Edges are curves; those that do
not lead one layer down go around on the right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 6
_ACROSS, _DOWN, _MARGIN = 34.0, 46.0, 20.0


@dataclass(frozen=True)
class Point:
    """Where a node's centre is."""

    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """Places of nodes, and the size of the whole."""

    places: Mapping[str, Point]
    layers: Mapping[str, int]
    width: float
    height: float


def distances(starts: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Give each node's breadth-first distance from the starts."""
    following: dict[str, list[str]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    found = dict.fromkeys(starts, 0)
    queue = deque(starts)
    while queue:
        node = queue.popleft()
        for target in following.get(node, ()):
            if target not in found:
                found[target] = found[node] + 1
                queue.append(target)
    return found


def lay_out(starts: Sequence[str], edges: Sequence[tuple[str, str]]) -> Layout:
    """Place the nodes that can be reached from ``starts``."""
    layer_of = distances(starts, edges)
    layers: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=0) + 1)]
    for node in sorted(layer_of, key=lambda node: (layer_of[node], node)):
        layers[layer_of[node]].append(node)
    _order(layers, layer_of, edges)
    widest = max(len(layer) for layer in layers)
    places = {}
    for depth, layer in enumerate(layers):
        indent = (widest - len(layer)) / 2
        for index, node in enumerate(layer):
            places[node] = Point(
                _MARGIN + (indent + index + 0.5) * _ACROSS, _MARGIN + (depth + 0.5) * _DOWN
            )
    return Layout(
        places, layer_of, 2 * _MARGIN + widest * _ACROSS, 2 * _MARGIN + len(layers) * _DOWN
    )


def _order(
    layers: list[list[str]], layer_of: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> None:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in edges:
        if layer_of.get(target, -2) == layer_of.get(source, -4) + 1:
            above.setdefault(target, []).append(source)
            below.setdefault(source, []).append(target)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        order = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for depth in order:
            beside = layers[depth - 1 if down else depth + 1]
            place = {node: index / max(len(beside), 1) for index, node in enumerate(beside)}
            now = {node: i / len(layers[depth]) for i, node in enumerate(layers[depth])}

            def middle(
                node: str,
                neighbours: Mapping[str, list[str]] = neighbours,
                place: Mapping[str, float] = place,
                now: Mapping[str, float] = now,
            ) -> float:
                known = [place[other] for other in neighbours.get(node, ()) if other in place]
                return sum(known) / len(known) if known else now[node]

            layers[depth].sort(key=middle)
