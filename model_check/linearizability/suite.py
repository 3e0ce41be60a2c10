"""What ``bwcheck lin`` runs: recorded histories of several mixes, and corrupted ones.

A history that is not linearizable is kept as a file, so that ``bwcheck lin FILE`` shows it again:
a race seldom comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.linearizability.check import LIMIT, Outcome, check
from model_check.linearizability.corrupt import CORRUPTIONS, OF_PAGES, corruptions
from model_check.linearizability.cycle import what_is_wrong
from model_check.recorder import (
    Distribution,
    History,
    Kind,
    Run,
    RunFailed,
    Tree,
    TreeOptions,
    Workload,
    save,
)
from model_check.report import CannotRun, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rich.console import RenderableType

    from model_check.linearizability.check import Report
    from model_check.report import Scalar

#: Where histories that failed are kept.
KEPT = Path("build/check/histories")

_MUTANT_OPERATIONS = 60_000


@dataclass(frozen=True)
class Case:
    """One run to record and check."""

    name: str
    workload: Workload
    tree: TreeOptions


@dataclass(frozen=True)
class Finding:
    """How one history, recorded or corrupted, was judged."""

    row: dict[str, Scalar]
    verdict: Verdict
    operations: int
    mutant: bool = False
    problem: str = ""
    picture: RenderableType | None = None


def cases(seed: int, operations: int) -> list[Case]:
    """Give the runs: every call, every distribution, tiny and full-sized pages."""

    def workload(mix: str, threads: int, space: int, shape: Distribution) -> Workload:
        return Workload(
            seed=seed, threads=threads, operations=operations, mix=mix, space=space,
            distribution=shape,
        )  # fmt: skip

    edges = replace(
        workload("all", 3, 1001, Distribution.UNIFORM), first_key=0, stride=(2**64 - 1) // 1000
    )
    return [
        Case("all", workload("all", 2, 2_000, Distribution.UNIFORM), TreeOptions.tiny()),
        Case("full key range", edges, TreeOptions(leaf_capacity=8, leaf_log=4)),
        Case("one hot key", workload("churn", 4, 1, Distribution.UNIFORM), TreeOptions.tiny()),
        Case("zipfian", workload("exchange", 2, 50_000, Distribution.ZIPFIAN), TreeOptions()),
        Case("hot set", workload("read", 4, 10_000, Distribution.HOT), TreeOptions()),
        Case(
            "ascending",
            workload("churn", 4, 5_000, Distribution.ASCENDING),
            TreeOptions.tiny(worker=True, worker_interval_us=1000),
        ),
        Case("ranges", workload("range", 2, 400, Distribution.CLUSTERED), TreeOptions.tiny()),
        Case("whole map", workload("whole", 3, 12, Distribution.UNIFORM), TreeOptions.tiny()),
        Case("both ends", workload("ends", 4, 100, Distribution.UNIFORM), TreeOptions.tiny()),
        Case(
            "merges", workload("merge", 8, 1_000, Distribution.CLUSTERED),
            TreeOptions.tiny(leaf_capacity=4, leaf_log=2),
        ),
    ]  # fmt: skip


def keep(history: History, name: str) -> Path:
    """Save a history that failed, and give where."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name.replace(' ', '-')}.bwh"
    save(history, path)
    return path


def judge_history(
    name: str,
    history: History,
    *,
    limit: int = LIMIT,
    seconds: float = 0,
    jobs: int = 1,
    source: Path | None = None,
) -> Finding:
    """Check a history that must be linearizable."""
    report = check(history, limit=limit, seconds=seconds, jobs=jobs)
    row = _row(name, report)
    if report.ok:
        return Finding(row, Verdict.GREEN, report.operations)
    path = source or keep(history, name)
    what, picture = what_is_wrong(history, report)
    problem = f"{name}: {what}; replay: bwcheck lin {path}"
    if report.outcome is Outcome.UNKNOWN:
        return Finding(row, Verdict.BROKEN, 0, problem=problem)
    return Finding(row, Verdict.RED, report.operations, problem=problem, picture=picture)


def record_and_judge(case: Case, *, limit: int = LIMIT, jobs: int = 1) -> Finding:
    """Record one run and check it in full."""
    try:
        with Tree(case.tree) as tree, Run(tree, case.workload, tree_options=case.tree) as run:
            return judge_history(case.name, run.round(), limit=limit, jobs=jobs)
    except RunFailed as error:
        return failed_run(case.name, error)


def failed_run(name: str, error: RunFailed) -> Finding:
    """Say that a run ended before there was a history to check."""
    row: dict[str, Scalar] = {"name": name, "outcome": "failed", "operations": 0}
    return Finding(row, Verdict.RED, 0, problem=f"{name}: {error}")


def mutants(seed: int) -> Iterator[Finding]:
    """Corrupt recorded histories in every way and demand that each is rejected. RunFailed."""
    for case in cases(seed, _MUTANT_OPERATIONS):
        if case.name not in MUTATED:
            continue
        # Plain gets are what most corruptions change, and places must exist for each of them.
        workload = replace(case.workload, weights=_SIMPLE, space=min(case.workload.space, 500))
        with Tree(case.tree) as tree, Run(tree, workload) as run:
            history = run.round()
            left = set(MUTATED[case.name])
            for mutant in corruptions(history, seed):
                left.discard(mutant.name)
                yield _judge_mutant(f"{mutant.name} ({case.name})", mutant.history, mutant.detail)
            if left:
                raise CannotRun(
                    f"no place for {', '.join(sorted(left))} in the history of "
                    f"{workload.operations} operations of {case.name}; try another --seed"
                )


#: The histories that are corrupted, and how: what takes two keys cannot be done to one, and a walk
#: over several pages takes small ones.
MUTATED: Mapping[str, Collection[str]] = {
    "all": tuple(CORRUPTIONS),
    "zipfian": tuple(name for name in CORRUPTIONS if name != "torn walk"),
    "one hot key": tuple(
        name
        for name in CORRUPTIONS
        if name not in {"pop past a key", "deletion leaves a key", *OF_PAGES}
    ),
}

#: How many corrupted histories :func:`mutants` gives.
MUTANTS = sum(len(names) for names in MUTATED.values())

_SIMPLE = {
    Kind.GET: 40,
    Kind.PUT: 15,
    Kind.INSERT: 15,
    Kind.UPDATE: 10,
    Kind.REMOVE: 10,
    Kind.COMPARE_EXCHANGE: 10,
    Kind.POP_FIRST: 3,
    Kind.POP_LAST: 3,
    Kind.DELETE_RANGE: 1,
    Kind.SCAN_FORWARD: 2,
    Kind.WALK_BACKWARD: 1,
}


def _judge_mutant(name: str, history: History, detail: str) -> Finding:
    report = check(history)
    # What tears a page read apart must be seen as that: each key for itself is right.
    of_pages = name.partition(" (")[0] in OF_PAGES
    killed = report.outcome is Outcome.VIOLATION and of_pages == bool(report.cycle)
    row = {**_row(name, report), "mutant": True, "killed": killed}
    problem = "" if killed else f"{name}: accepted though {detail}; kept as {keep(history, name)}"
    verdict = Verdict.GREEN if killed else Verdict.RED
    return Finding(row, verdict, report.operations, mutant=True, problem=problem)


def _row(name: str, report: Report) -> dict[str, Scalar]:
    return {
        "name": name,
        "outcome": report.outcome.value,
        "operations": report.operations,
        "parts": report.parts,
        "overlapping": report.overlapping,
        "keys": report.keys,
        "configurations": report.peak,
        "forced": report.forced,
        "searched": report.searched,
        "page_reads": report.pages.page_reads,
        "at_one_instant": report.pages.whole,
        "seconds": round(report.seconds, 3),
        "reason": report.reason,
    }
