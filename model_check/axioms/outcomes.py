"""All outcomes of a litmus test under a memory model, one solver question an outcome.

The solver is asked for a graph that the model allows; what the test sees in it is an outcome; the
outcome is excluded and the question asked again, until there is no other.
"""

from __future__ import annotations

from typing import Literal

import z3

from model_check.axioms import axioms
from model_check.axioms.candidates import candidates
from model_check.axioms.litmus import Allowed, Litmus

Model = Literal["sc", "rc11"]
MODELS: tuple[Model, ...] = ("sc", "rc11")


def allowed(test: Litmus, model: Model, without: str = "") -> Allowed:
    """Every outcome of ``test`` that ``model`` allows, or that it has a race.

    ``without``: an axiom of RC11 that is left out.
    """
    graph = candidates(test)
    hb, rules = axioms.happens_before(graph)
    solver = z3.Solver()
    solver.add(*graph.always, *rules)
    solver.add(*(axioms.sc(graph) if model == "sc" else axioms.rc11(graph, hb, without)))
    if solver.check(axioms.race(graph, hb)) == z3.sat:
        return Allowed(frozenset(), race=True)
    seen = {name: graph.registers.get(name, graph.final.get(name)) for name in test.sees}
    found: set[str] = set()
    while (answer := solver.check()) == z3.sat:
        chosen = solver.model()
        values = {
            name: chosen.eval(value, model_completion=True).as_long()
            for name, value in seen.items()
        }
        found.add(test.outcome(values))
        solver.add(z3.Or([value != values[name] for name, value in seen.items()]))
    assert answer == z3.unsat, f"{test.name}: the solver gave up: {solver.reason_unknown()}"
    return Allowed(frozenset(found))
