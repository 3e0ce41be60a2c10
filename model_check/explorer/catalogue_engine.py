"""The catalogue: programs that bring the engine's protocols against one another.

Each case is a text for the harness (engine/program.h), what it is about, and how it is explored
under which memory model. Capacities are the smallest there are (leaves of two entries and one
slot, inner pages of three and one), so that a few operations reach consolidations, splits,
merges and changes of height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from model_check.explorer.catalogue_appends import APPENDS
from model_check.explorer.catalogue_calls import CALLS
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_failures import FAILURES
from model_check.explorer.catalogue_memory import MEMORY
from model_check.explorer.catalogue_merges import MERGES
from model_check.explorer.catalogue_orders import ORDER_CASES

CATALOGUE: Sequence[Case] = (*APPENDS, *MERGES, *CALLS, *MEMORY, *FAILURES, *ORDER_CASES)


def named(name: str) -> Case:
    """Give the case of this name."""
    return next(case for case in CATALOGUE if case.name == name)


def steps(cases: Sequence[Case] = CATALOGUE) -> Iterator[tuple[Case, Plan]]:
    """Give each case with each of its plans."""
    for case in cases:
        for plan in case.plans:
            yield case, plan


def deep_steps(cases: Sequence[Case] = CATALOGUE, factor: int = 20) -> Iterator[tuple[Case, Plan]]:
    """Give the plans of the deep tier.

    Those of each case with ``factor`` times the executions where their number is bounded, one
    more preemption than its bounded plan allows, and those that only this tier has.
    """
    for case in cases:
        for plan in case.plans:
            yield case, plan.scaled(factor)
        bounded = [plan for plan in case.plans if plan.strategy == "bounded"]
        if bounded:
            most = max(bounded, key=lambda plan: plan.preemptions)
            yield case, replace(most.scaled(factor), preemptions=most.preemptions + 1)
        for plan in case.deep:
            yield case, plan
