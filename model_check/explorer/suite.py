"""What `bwcheck all` runs of the explorer: the catalogue, and mutants that it must kill."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from model_check.console import output, progress
from model_check.explorer.catalogue import Plan, plans
from model_check.explorer.engine import build_engine
from model_check.explorer.mutants import Mutant, Outcome, defect_mutants, judge, order_mutants
from model_check.explorer.result import Result
from model_check.report import CannotRun, Scalar, Section, Settings, Verdict

_EXECUTIONS, _DEEP_EXECUTIONS = 1500, 50_000
_PREEMPTIONS, _DEEP_PREEMPTIONS = 2, 3

#: Weakened orders that every check tries; the deep one tries all.
_QUICK = (
    ("tree.h", "release to relaxed", "bw_log_append"),
    ("tree.h", "acquire to relaxed", "bw_map_load"),
    ("tree.h", "fence removed", "bw_epoch_pin"),
)


def _quick_orders(mutants: Sequence[Mutant]) -> list[Mutant]:
    chosen = []
    for file, change, function in _QUICK:
        fitting = [
            mutant
            for mutant in mutants
            if mutant.file == file and mutant.name.endswith(change) and mutant.function == function
        ]
        if not fitting:
            raise CannotRun(f"no mutant '{change}' fits {function} in {file} any more")
        chosen.append(fitting[-1])
    return chosen


def section(settings: Settings) -> Section:
    """Explore the engine for `bwcheck all`: nothing may be found, every mutant must be."""
    begin = time.monotonic()
    program = build_engine()
    todo = list(
        plans(
            seed=settings.seed,
            executions=_DEEP_EXECUTIONS if settings.deep else _EXECUTIONS,
            preemptions=_DEEP_PREEMPTIONS if settings.deep else _PREEMPTIONS,
        )
    )
    results: list[tuple[Plan, Result]] = []
    with (
        progress("explore", len(todo)) as reporter,
        ThreadPoolExecutor(settings.jobs or cpu_count() or 1) as pool,
    ):
        for plan, result in zip(todo, pool.map(lambda each: each.run(program), todo), strict=True):
            results.append((plan, result))
            reporter.step(
                f"{plan.case.name} {result.memory_model} {result.strategy}: {result.verdict} "
                f"({result.executions:,} executions)"
            )
    orders = list(order_mutants())
    mutants = [*defect_mutants(), *(orders if settings.deep else _quick_orders(orders))]
    outcomes: list[Outcome] = []
    with progress("mutants", len(mutants)) as reporter:
        for mutant in mutants:
            outcome = judge(mutant, seed=settings.seed)
            outcomes.append(outcome)
            reporter.step(f"{mutant.name}: {outcome.finding or 'SURVIVED'}")
    return _section(results, outcomes, time.monotonic() - begin)


def _needed(plan: Plan) -> str:
    """Give the options without which the choices of an execution mean something else."""
    options = plan.options
    words = f"--failures {options.failures} " if options.failures else ""
    return words + f"--spurious {options.spurious} " + ("--freeze " if options.freeze else "")


def _section(
    results: Sequence[tuple[Plan, Result]], outcomes: Sequence[Outcome], seconds: float
) -> Section:
    problems = [
        f"{plan.case.name} ({result.memory_model}): {result.verdict}: {result.finding.sentence}; "
        f"replay: bwcheck explore --engine '{plan.case.text}' --model {result.memory_model} "
        f"{_needed(plan)}--replay '{result.finding.replay}'"
        for plan, result in results
        if result.finding is not None
    ]
    problems += [
        f"mutant survived: {outcome.mutant.name}" for outcome in outcomes if not outcome.killed
    ]
    for line in problems:
        output().print(line, markup=False, soft_wrap=True)
    rows: list[dict[str, Scalar]] = [
        {
            "case": plan.case.name,
            "model": result.memory_model,
            "strategy": result.strategy,
            "exhaustive": result.exhaustive,
            "executions": result.executions,
            "executions_per_second": round(result.executions_per_second),
            "verdict": result.verdict,
        }
        for plan, result in results
    ]
    rows += [
        {
            "case": outcome.mutant.name,
            "model": outcome.plan.options.model if outcome.plan is not None else None,
            "strategy": outcome.plan.options.strategy if outcome.plan is not None else None,
            "exhaustive": False,
            "executions": outcome.executions,
            "executions_per_second": None,
            "verdict": outcome.finding or "survived",
        }
        for outcome in outcomes
    ]
    return Section(
        name="explore",
        verdict=Verdict.RED if problems else Verdict.GREEN,
        figures={
            "executions": sum(result.executions for _, result in results),
            "mutants": len(outcomes),
            "mutants_killed": sum(outcome.killed for outcome in outcomes),
        },
        rows=rows,
        seconds=seconds,
        problems=problems,
    )
