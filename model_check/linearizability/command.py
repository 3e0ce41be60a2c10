"""`bwcheck lin`: check histories, one from a file or fresh ones of real threads."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.table import Table
from rich.text import Text

from model_check.console import output, progress
from model_check.linearizability.check import LIMIT
from model_check.linearizability.suite import (
    MUTANTS,
    Finding,
    cases,
    failed_run,
    judge_history,
    mutants,
    record_and_judge,
)
from model_check.recorder import (
    HistoryFileError,
    RunFailed,
    TreeOptions,
    Workload,
    load,
    measure_overhead,
)
from model_check.report import CannotRun, Section, Settings, Verdict, document, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPERATIONS = 500_000
_OVERHEAD_OPERATIONS = 1_000_000


def lin(
    file: Annotated[
        Optional[Path],
        typer.Argument(metavar="[FILE]", help="A saved history; without: record fresh ones."),
    ] = None,
    operations: Annotated[
        int, typer.Option(min=1000, help="Operations of each recorded run.")
    ] = _OPERATIONS,
    limit: Annotated[
        int, typer.Option(min=1, help="Configurations of one key, before giving up.")
    ] = LIMIT,
    seed: Annotated[int, typer.Option(min=0, help="Seed of keys, mixes and corruptions.")] = 0,
    json: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    """Check histories completely: every operation, every result, every key.

    With FILE, check that history (docs/history-format.md). Without, record runs of real
    threads and check them, then corrupt histories in twelve ways, each of which must be rejected.

    Example: bwcheck lin build/check/histories/all.bwh

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    started = datetime.now(timezone.utc)
    result = _check_file(file, limit) if file else check_runs(seed, operations, limit)
    if json is not None:
        command = f"bwcheck lin {file}" if file else "bwcheck lin"
        write_json(
            json,
            document([result], command=command, seed=seed, started=started, seconds=result.seconds),
        )
    raise typer.Exit(result.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Record, check and corrupt histories, for `bwcheck all`."""
    return check_runs(settings.seed, _OPERATIONS, LIMIT)


def _check_file(file: Path, limit: int) -> Section:
    begin = time.monotonic()
    try:
        history = load(file)
    except HistoryFileError as error:
        raise CannotRun(str(error)) from error
    except OSError as error:
        raise CannotRun(f"cannot read {file}: {error.strerror}; name a saved history") from error
    finding = judge_history(file.name, history, limit=limit, source=file)
    return _conclude([finding], begin)


def check_runs(seed: int, operations: int, limit: int) -> Section:
    """Record every case and check it, then demand that corrupted histories are rejected."""
    begin = time.monotonic()
    findings: list[Finding] = []
    runs = cases(seed, operations)
    with progress("lin", len(runs) + MUTANTS) as reporter:
        for case in runs:
            reporter.now(case.name)
            finding = record_and_judge(case, limit=limit)
            findings.append(finding)
            reporter.step(f"{case.name}: {finding.row['outcome']}, {finding.operations:,} checked")
            if finding.row["outcome"] == "failed":  # the next run would most likely fail alike
                return _conclude(findings, begin)
        try:
            for finding in mutants(seed):
                findings.append(finding)
                word = "rejected" if finding.row["killed"] else "ACCEPTED"
                reporter.step(f"{finding.row['name']}: {word}")
        except RunFailed as error:
            return _conclude([*findings, failed_run("corrupted histories", error)], begin)
    workload = Workload(seed=seed, operations=_OVERHEAD_OPERATIONS, space=100_000)
    overhead = measure_overhead(workload, TreeOptions())
    output().print(
        f"recorder: {overhead.unrecorded / 1e6:.2f} million operations/s without recording, "
        f"{overhead.recorded / 1e6:.2f} with: costs {overhead.share:.0%} (2 threads)"
    )
    return _conclude(
        findings,
        begin,
        {
            "unrecorded_per_second": round(overhead.unrecorded),
            "recorded_per_second": round(overhead.recorded),
        },
    )


def _conclude(
    findings: Sequence[Finding], begin: float, more: dict[str, int | float] | None = None
) -> Section:
    console = output()
    runs = [finding for finding in findings if not finding.mutant]
    corrupted = [finding for finding in findings if finding.mutant]
    console.print(_table(runs))
    if corrupted:
        killed = sum(bool(finding.row["killed"]) for finding in corrupted)
        console.print(f"corrupted histories: {killed} of {len(corrupted)} rejected")
    for finding in findings:
        if finding.picture is not None:
            console.print(finding.picture)
        if finding.problem:
            console.print(finding.problem, markup=False, style=finding.verdict.style)
    seconds = time.monotonic() - begin
    checked = sum(finding.operations for finding in runs)
    figures: dict[str, int | float] = {
        "histories": len(runs),
        "operations_recorded": sum(int(finding.row["operations"] or 0) for finding in runs),
        "operations_checked": checked,
        **(more or {}),
    }
    if corrupted:
        figures["mutants"] = len(corrupted)
        figures["mutants_killed"] = sum(bool(finding.row["killed"]) for finding in corrupted)
    verdict = Verdict.worst(finding.verdict for finding in findings)
    spent = sum(float(finding.row.get("seconds") or 0) for finding in runs)
    rate = f", {checked / spent / 1e6:.1f} million/s" if spent > 0 else ""
    console.print(
        f"[{verdict.style}]{verdict.value}[/]: {checked:,} operations checked{rate}", markup=True
    )
    return Section(
        name="lin",
        verdict=verdict,
        figures=figures,
        rows=[finding.row for finding in findings],
        seconds=seconds,
        problems=[finding.problem for finding in findings if finding.problem],
    )


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(title="histories", title_justify="left", highlight=False)
    table.add_column("history")
    table.add_column("verdict")
    for name in ("operations", "parts", "overlapping", "keys", "configurations", "seconds"):
        table.add_column(name, justify="right")
    for finding in findings:
        row = finding.row
        table.add_row(
            str(row["name"]),
            Text(str(row["outcome"]), style=finding.verdict.style),
            *(
                f"{row[name]:,}" if name in row else "–"
                for name in (
                    "operations",
                    "parts",
                    "overlapping",
                    "keys",
                    "configurations",
                    "seconds",
                )
            ),
        )
    return table
