"""Paths through a state graph of TLC's that take every transition at least once."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from model_check.proofs.graph import Graph


@dataclass(frozen=True)
class Step:
    """One transition: states by TLC's numbers."""

    source: str
    action: str
    target: str


def paths(graph: Graph, longest: int = 400) -> list[list[Step]]:
    """Give paths from first states that together take every transition, each ``longest`` at most.

    Greedy: on over transitions that are new, else the shortest way to one. Transitions that no
    path of this length reaches are left out: compare with :func:`reachable`.
    """
    out: Mapping[str, list[Step]] = _outgoing(graph)
    fresh = {step for steps in out.values() for step in steps}
    found: list[list[Step]] = []
    while fresh:
        path: list[Step] = []
        at = min(graph.starts)
        starts = sorted(graph.starts)
        while len(path) < longest:
            way = _to_fresh(starts if not path else [at], out, fresh, longest - len(path))
            if way is None:
                break
            path += way
            fresh.difference_update(way)
            at = path[-1].target
        if not path:
            break
        found.append(path)
    return found


def reachable(graph: Graph) -> set[Step]:
    """Give all transitions of the graph."""
    return {Step(*edge) for edge in graph.edges}


def _outgoing(graph: Graph) -> Mapping[str, list[Step]]:
    out: dict[str, list[Step]] = defaultdict(list)
    for edge in sorted(graph.edges):
        out[edge[0]].append(Step(*edge))
    return out


def _to_fresh(
    starts: list[str], out: Mapping[str, list[Step]], fresh: set[Step], longest: int
) -> list[Step] | None:
    """Give the shortest way whose last transition is fresh; None if there is none so short."""
    came: dict[str, Step | None] = dict.fromkeys(starts)
    queue = deque((state, 0) for state in starts)
    while queue:
        state, length = queue.popleft()
        if length == longest:
            return None
        for step in out.get(state, ()):
            if step in fresh:
                return [*_way(state, came), step]
            if step.target not in came:
                came[step.target] = step
                queue.append((step.target, length + 1))
    return None


def _way(state: str, came: Mapping[str, Step | None]) -> Iterator[Step]:
    way: list[Step] = []
    step = came[state]
    while step is not None:
        way.append(step)
        step = came[step.source]
    yield from reversed(way)
