"""What `bwcheck all` runs of the explorer: the catalogue on the engine, and on broken engines.

Every check: the plans of all cases, and the defects, each of which must be found. The deep tier:
larger budgets, one more preemption, cases that take minutes to explore to the end, and every memory
order weakened by one step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from model_check.console import output, progress
from model_check.explorer.build import Program
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import deep_steps, steps
from model_check.explorer.harness import build_harness, explore_text, replay_line
from model_check.explorer.mutants import DEFECTS, Outcome, judge
from model_check.explorer.orders import (
    Fate,
    all_mutants,
    judge_all,
    problems,
    read_accepted,
)
from model_check.explorer.result import Finding, Result
from model_check.report import CannotRun, Scalar, Section, Settings, Verdict

Step = tuple[Case, Plan]


def _catalogue(
    program: Program, todo: Sequence[Step], seed: int, jobs: int
) -> tuple[list[tuple[Step, Result]], list[str]]:
    """Explore; gives results, and a sentence for each plan that could not be carried out."""
    results = []
    unable = []

    def one(step: Step) -> Result | CannotRun:
        try:
            return explore_text(program, step[0].text, step[1].options(seed))
        except CannotRun as error:
            return error

    with progress("explore", len(todo)) as reporter, ThreadPoolExecutor(jobs) as pool:
        for step, result in zip(todo, pool.map(one, todo), strict=True):
            case, plan = step
            place = f"{case.name} {plan.model} {plan.strategy}"
            if isinstance(result, CannotRun):
                unable.append(f"{place}: could not run: {result}")
                reporter.step(unable[-1])
                continue
            results.append((step, result))
            reporter.step(f"{place}: {result.verdict} ({result.executions:,} executions)")
    return results, unable


def _defects(seed: int, jobs: int) -> list[Outcome]:
    outcomes = []
    with progress("defects", len(DEFECTS)) as reporter, ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda defect: judge(defect, seed=seed), DEFECTS):
            outcomes.append(outcome)
            reporter.step(f"{outcome.defect.name}: {_verdict(outcome.found)}")
    return outcomes


def _orders(seed: int, jobs: int) -> list[Fate]:
    mutants = all_mutants()
    lock = threading.Lock()
    with progress("orders", len(mutants)) as reporter:

        def told(fate: Fate) -> None:
            said = f"{fate.mutant.place} {fate.mutant.change}: {fate.finding or 'survived'}"
            with lock:
                reporter.step(said)

        return judge_all(mutants, jobs=jobs, seed=seed, told=told)


def section(settings: Settings) -> Section:
    """Explore the engine for `bwcheck all`: cases end as they must, every defect is found."""
    begin = time.monotonic()
    jobs = settings.jobs or cpu_count() or 1
    todo = list(deep_steps() if settings.deep else steps())
    results, unable = _catalogue(build_harness(), todo, settings.seed, jobs)
    outcomes = _defects(settings.seed, jobs)
    fates = _orders(settings.seed, jobs) if settings.deep else []
    said = [
        _sentence(case, plan, result)
        for (case, plan), result in results
        if result.verdict != case.expected
    ]
    said += [f"not found: {each.defect.name}" for each in outcomes if not each.killed]
    if settings.deep:
        said += problems(fates, read_accepted(), complete=True)
    for line in [*said, *unable]:
        output().print(line, markup=False, soft_wrap=True)
    rows = [_case_row(*each) for each in results]
    rows += [_defect_row(each) for each in outcomes]
    rows += [_order_row(each) for each in fates]
    return Section(
        name="explore",
        verdict=Verdict.RED if said else Verdict.BROKEN if unable else Verdict.GREEN,
        figures=_figures(results, outcomes, fates),
        rows=rows,
        seconds=time.monotonic() - begin,
        problems=[*said, *unable],
    )


def _figures(
    results: Sequence[tuple[Step, Result]],
    outcomes: Sequence[Outcome],
    fates: Sequence[Fate],
) -> dict[str, int]:
    """Add up; a mutant is a defect, a case that must fail, or an order weakened.

    An order whose weakening nothing can notice, for a reason that is written down, is none.
    """
    must_fail = [
        result.verdict == case.expected
        for (case, _), result in results
        if case.expected != "nothing found"
    ]
    reasons = {(each.file, each.function, each.code, each.change) for each in read_accepted()}
    killed = [each.killed for each in outcomes] + must_fail
    accepted = 0
    for fate in fates:
        mutant = fate.mutant
        if (mutant.file, mutant.function, mutant.code, mutant.change) in reasons:
            accepted += 1
        else:
            killed.append(fate.killed)
    return {
        "executions": sum(result.executions for _, result in results)
        + sum(each.executions for each in outcomes)
        + sum(each.executions for each in fates),
        "cases": len({case.name for (case, _), _ in results}),
        "explored_to_the_end": sum(result.exhaustive for _, result in results),
        "mutants": len(killed),
        "mutants_killed": sum(killed),
        "orders_accepted": accepted,
    }


def _sentence(case: Case, plan: Plan, result: Result) -> str:
    if result.finding is None:
        return f"{case.name}: {case.expected} was to be found, and was not"
    return (
        f"{case.name} ({case.what}), {plan.model}: {result.finding.kind}: "
        f"{result.finding.sentence}; "
        f"replay: {replay_line(case.text, result, freeze=plan.freeze)}"
    )


def _row(
    case: str | None, model: str | None, plan: Plan | None, executions: int, verdict: str
) -> dict[str, Scalar]:
    return {
        "case": case,
        "model": model,
        "strategy": plan.strategy if plan is not None else None,
        "executions": executions,
        "verdict": verdict,
    }


def _case_row(step: Step, result: Result) -> dict[str, Scalar]:
    case, plan = step
    return {
        **_row(case.name, plan.model, plan, result.executions, result.verdict),
        "bound": plan.bound,
        "exhaustive": result.exhaustive,
        "executions_per_second": round(result.executions_per_second),
        "seconds": round(result.seconds, 2),
    }


def _verdict(found: Finding | None) -> str:
    return found.kind if found is not None else "survived"


def _defect_row(outcome: Outcome) -> dict[str, Scalar]:
    case = outcome.case.name if outcome.case is not None else None
    model = outcome.plan.model if outcome.plan is not None else None
    row: dict[str, Scalar] = {
        "mutant": outcome.defect.name,
        **_row(case, model, outcome.plan, outcome.executions, _verdict(outcome.found)),
        "seconds": round(outcome.seconds, 2),
    }
    for name, finding in (("found", outcome.found), ("shrunk", outcome.shrunk)):
        row[f"{name}_steps"] = len(finding.steps) if finding is not None else None
        row[f"{name}_preemptions"] = finding.preemptions if finding is not None else None
    return row


def _order_row(fate: Fate) -> dict[str, Scalar]:
    return {
        "mutant": f"{fate.mutant.place} {fate.mutant.change}",
        **_row(fate.case or None, fate.model, None, fate.executions, fate.finding or "survived"),
        "seconds": round(fate.seconds, 2),
    }
