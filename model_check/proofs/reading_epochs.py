"""The states of spec/EpochReclamation.tla as states of the system in `epochs`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product
from typing import Any

from model_check.proofs.agreement import Reading
from model_check.proofs.evaluate import Structure, arguments


def epochs(threads: int, unlinkers: int, advancers: int, objects: int, last: int) -> Reading:
    """Read EpochReclamation with so many of each, up to the epoch ``last``."""
    names = {
        "Thread": [f"t{i + 1}" for i in range(threads)],
        "Advancer": [f"a{i + 1}" for i in range(advancers)],
        "Object": [f"o{i + 1}" for i in range(objects)],
    }
    domains = {sort: tuple(some) for sort, some in names.items()}
    unlink = domains["Thread"][:unlinkers]

    def structure(state: Mapping[str, Any]) -> Structure:
        all_threads, all_objects = domains["Thread"], domains["Object"]
        return {
            "G": state["G"],
            "seen": dict(state["seen"]),
            "announced": dict(state["announced"]),
            "pub": dict(state["pub"]),
            "held": {
                arguments(t, o): o in state["held"][t] for t, o in product(all_threads, all_objects)
            },
            "entry": state["entry"],
            "status": dict(state["status"]),
            "owns": {
                arguments(t, o): state["owner"][o] == t
                for t, o in product(all_threads, all_objects)
            },
            "tag": dict(state["tag"]),
            "advancing": {a: state["advance"][a]["epoch"] for a in domains["Advancer"]},
            "scanned": {
                arguments(a, t): t in state["advance"][a]["scanned"]
                for a, t in product(domains["Advancer"], all_threads)
            },
            "unlinker": {t: t in unlink for t in all_threads},
        }

    def key(s: Structure) -> Hashable:
        return tuple(
            (name, tuple(sorted(value.items())) if isinstance(value, dict) else value)
            for name, value in sorted(s.items())
        )

    def set_of(some: tuple[str, ...]) -> str:
        return "{" + ", ".join(some) + "}"

    return Reading(
        module="EpochReclamation",
        what=f"{threads} threads, {unlinkers} of them unlinking, {advancers} advancers, "
        f"{objects} objects, epochs up to {last}",
        definitions=f"Bound == G <= {last}",
        config=f"""SPECIFICATION Spec
CONSTANTS
  Threads = {set_of(domains["Thread"])}
  Unlinkers = {set_of(unlink)}
  Advancers = {set_of(domains["Advancer"])}
  Objects = {set_of(domains["Object"])}
  Mutation = "none"
CONSTRAINT Bound
""",
        domains=domains,
        structure=structure,
        key=key,
        inside=lambda s: bool(s["G"] <= last),
    )
