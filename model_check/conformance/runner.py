"""All that `bwcheck conform` looks at, case by case."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from model_check.conformance import corrupt, delta_log, epochs, record, structure, threads
from model_check.conformance.mutants import MUTANTS, Fate, judge
from model_check.conformance.order import NoOrderError, ordered
from model_check.conformance.programs import PROGRAMS, FindingError, traces_of
from model_check.conformance.tour_mutants import TOUR_MUTANTS, judge_tour
from model_check.conformance.tours import (
    DEEP_RANDOM,
    DEEP_TOURS,
    RANDOM,
    TOURS,
    Driven,
    Random,
    Subject,
    run_all,
)
from model_check.conformance.trace import Event, Trace
from model_check.conformance.validate import validate
from model_check.console import progress
from model_check.tlc.startup import with_startup
from model_check.tlc.tools import Toolchain

#: Real threads, and the specs that their traces are compared with.
LOADS: Sequence[tuple[threads.Load, tuple[str, ...]]] = (
    (threads.Load(threads=2, calls=300), ("EpochReclamation", "DeltaLog")),
    (threads.Load(threads=3, calls=150, keys=4, log=2), ("EpochReclamation", "DeltaLog")),
    (
        threads.Load(threads=2, calls=250, keys=40, capacity=4, log=2, batch=4),
        ("EpochReclamation",),
    ),
    (
        threads.Load(threads=2, calls=120, keys=10, capacity=2, log=1, inner=3),
        ("StructureModification",),
    ),
)
#: In front of a mutant's name where it is a tour that must reject it.
BY_TOUR = "tour: "
#: Page ids of one run whose traces are looked at: each has all pins.
_MOST_PAGE_IDS = 4


@dataclass(frozen=True)
class Case:
    """One thing that was looked at; ``as_expected`` None: it could not be decided.

    ``kind``: explorer, threads, corrupted, tour, random or mutant. ``events``: of the trace, or the
    steps that were driven; 0 of a mutant.
    ``mutant``: the name of what is broken, None if nothing is.
    """

    kind: str
    name: str
    as_expected: bool | None
    result: str
    events: int = 0
    mutant: str | None = None
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class Plan:
    """How much is looked at.

    ``traces``: of the engine, and corrupted ones. ``tours``, ``random``: behaviours of the specs.
    ``executions``: of each program. ``rounds``: of real threads, each of its own seed, with
    ``calls`` hundredths of the calls of `LOADS`. ``places``: where each corruption is tried.
    ``jobs``: runs of TLC at once.
    """

    seed: int = 0
    traces: bool = True
    tours: Sequence[Subject] = TOURS
    random: Sequence[Random] = RANDOM
    executions: int = 1
    rounds: int = 1
    calls: int = 25
    places: int = 1
    mutants: bool = False
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)


CHECK = Plan()
DEEP = Plan(
    tours=(*TOURS, *DEEP_TOURS),
    random=DEEP_RANDOM,
    executions=2,
    calls=100,
    places=3,
    mutants=True,
)


@dataclass(frozen=True)
class Found:
    """What was found: the cases, how often each action was matched, and what was driven."""

    cases: Sequence[Case]
    matched: Counter[str]
    driven: Sequence[Driven]


def run(plan: Plan, tools: Toolchain) -> Found:
    """Look at everything."""
    tools = with_startup(tools)
    cases: list[Case] = []
    matched: Counter[str] = Counter()
    if plan.traces:
        cases, good = _traces(plan, tools)
        for trace in good:
            spec = trace.module.removeprefix("Trace")
            matched += Counter(f"{spec}.{entry.action}" for entry in trace.entries)
        cases += _corrupted(plan, good, tools)
    driven = run_all(plan.tours, plan.random, record.build(), tools, seed=plan.seed, jobs=plan.jobs)
    cases += [_driven(each) for each in driven]
    if plan.mutants:
        cases += _mutants(plan, tools)
    return Found(cases, matched, driven)


def _mutants(plan: Plan, tools: Toolchain) -> list[Case]:
    """Look for the step at which each mutant is rejected, by traces and by tours."""
    work = [partial(judge, each, tools) for each in MUTANTS if plan.traces]
    of_traces = len(work)
    work += [partial(judge_tour, *each, tools) for each in TOUR_MUTANTS]
    cases = []
    with progress("mutants", len(work)) as reporter:
        for number, run_ in enumerate(work):
            case = _fate(run_(), "" if number < of_traces else BY_TOUR)
            reporter.step(f"{case.name}: {case.result}, {case.seconds:.1f} s")
            cases.append(case)
    return cases


def _driven(each: Driven) -> Case:
    result = f"{each.driven:,} of {each.transitions:,} transitions driven"
    if each.passed:
        result += f", {each.passed:,} silently"
    return Case(
        "tour" if each.transitions else "random",
        each.name,
        each.whole,
        result if each.transitions else ("driven" if each.whole else "not driven"),
        events=each.steps,
        seconds=each.seconds,
        detail=f"{each.name}: {each.difference}",
    )


def _traces(plan: Plan, tools: Toolchain) -> tuple[list[Case], list[Trace]]:
    """Compare traces of the explorer and of real threads; give those that are accepted, too."""
    begin = time.monotonic()
    found: list[tuple[str, Trace]] = []
    cases: list[Case] = []
    with ThreadPoolExecutor(1) as beside:
        building = beside.submit(threads.build)
        program = record.build()
        for subject in PROGRAMS:
            try:
                made = list(traces_of(program, subject, seed=plan.seed, executions=plan.executions))
            except (FindingError, delta_log.UnfitError) as error:
                cases.append(_finding("explorer", subject.name, error))
                continue
            found += [("explorer", trace) for trace in made]
        executable = building.result()
    for number in range(plan.rounds):
        for load, modules in LOADS:
            mine = replace(load, seed=plan.seed + number, calls=load.calls * plan.calls // 100)
            told = threads.run(executable, mine)
            try:
                events = ordered(told)
                found += [("threads", trace) for trace in traces_in(events, mine, modules)]
            except NoOrderError as error:
                cases.append(_contradiction(error, str(mine), sum(map(len, told))))
            except delta_log.UnfitError as error:
                cases.append(_finding("threads", str(mine), error))
    verdicts = validate([trace for _, trace in found], tools, jobs=plan.jobs)
    seconds = (time.monotonic() - begin) / max(len(found), 1)
    cases += [
        Case(
            kind,
            verdict.trace.name,
            verdict.accepted,
            "accepted" if verdict.accepted else "rejected",
            events=len(verdict.trace.entries),
            seconds=seconds,
            detail=verdict.explain(),
        )
        for (kind, _), verdict in zip(found, verdicts, strict=True)
    ]
    return cases, [verdict.trace for verdict in verdicts if verdict.accepted]


def traces_in(events: Sequence[Event], load: threads.Load, modules: Sequence[str]) -> list[Trace]:
    """Give the traces in what real threads told, in one order."""
    name = str(load)
    found: list[Trace] = []
    if "EpochReclamation" in modules:
        found += epochs.traces(events, name)[:_MOST_PAGE_IDS]
    if "DeltaLog" in modules:
        found.append(delta_log.trace(events, name))
    if "StructureModification" in modules:
        found.append(structure.trace(events, name, load.limits()))
    return found


def _finding(kind: str, name: str, error: Exception) -> Case:
    detail = f"{name}: {error}"
    return Case(kind, name, as_expected=False, result="a finding", detail=detail)


def _contradiction(error: NoOrderError, name: str, events: int) -> Case:
    heads = ", ".join(f"{each.name}{each.words} of thread {each.thread}" for each in error.heads)
    detail = f"{name}: {error}; next would come {heads}, but each contradicts what it sees"
    return Case(
        "threads",
        name,
        as_expected=False if error.decided else None,
        result="no order" if error.decided else "no order was found in time",
        events=events,
        detail=detail,
    )


def _corrupted(plan: Plan, good: Sequence[Trace], tools: Toolchain) -> list[Case]:
    """Corrupt accepted traces, short ones first: each must be rejected."""
    begin = time.monotonic()
    short = sorted(good, key=lambda trace: len(trace.entries))
    chosen = list(corrupt.corrupted(short, plan.places))
    verdicts = validate(
        [trace for _, trace in chosen], tools, jobs=plan.jobs, doubted=True, asked=False
    )
    seconds = (time.monotonic() - begin) / max(len(chosen), 1)
    cases = [
        Case(
            "corrupted",
            verdict.trace.name,
            not verdict.accepted,
            "accepted" if verdict.rejection is None else f"rejected at {verdict.rejection.at + 1}",
            events=len(verdict.trace.entries),
            mutant=f"{corruption.name} ({corruption.module.removeprefix('Trace')})",
            seconds=seconds,
            detail=f"{verdict.trace.name} is accepted, and must not be",
        )
        for (corruption, _), verdict in zip(chosen, verdicts, strict=True)
    ]
    absent = {each.name for each in corrupt.CORRUPTIONS} - {each.name for each, _ in chosen}
    return cases + [
        Case("corrupted", name, None, "no place for it", detail=f"no trace has a place for {name}")
        for name in sorted(absent)
    ]


def _fate(fate: Fate, by: str = "") -> Case:
    name = f"{by}{fate.mutant.name}"
    return Case(
        "mutant",
        name,
        fate.killed,
        f"rejected at {fate.action}" if fate.killed else "not rejected there",
        mutant=name,
        seconds=fate.seconds,
        detail=fate.told,
    )
