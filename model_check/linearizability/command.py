"""`bwcheck lin`: check histories, one from a file or fresh ones of real threads."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from model_check.console import output, progress
from model_check.linearizability.check import LIMIT, Outcome, check
from model_check.linearizability.convert import TEXTS, convert, read
from model_check.linearizability.models import MODELS, find_model
from model_check.linearizability.objects import check_operations
from model_check.linearizability.operations import OperationsError
from model_check.linearizability.page import write_page
from model_check.linearizability.pages_operations import picture as operations_picture
from model_check.linearizability.pages_recorded import describe_call
from model_check.linearizability.pages_recorded import picture as recorded_picture
from model_check.linearizability.snapshot import check_snapshots, explain_cycle, whole_calls
from model_check.linearizability.suite import (
    MUTANTS,
    Finding,
    cases,
    failed_run,
    judge_history,
    mutants,
    record_and_judge,
)
from model_check.linearizability.timeline import render_calls
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
    from collections.abc import Callable, Sequence

    from model_check.linearizability.page import Picture
    from model_check.recorder import History
    from model_check.report import Scalar

_Read = TypeVar("_Read")

_OPERATIONS = 500_000
_OVERHEAD_OPERATIONS = 1_000_000


def lin(
    file: Annotated[
        Optional[Path],
        typer.Argument(
            metavar="[FILE]",
            help="A history: .bwh, .jsonl, .csv or Jepsen's .edn; without: record fresh ones.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"What FILE's operations are on: {', '.join(MODELS)}; or yours: FILE.py:CLASS, "
            "FILE.c:NAME. A .bwh is a map.",
        ),
    ] = "map",
    convert_to: Annotated[
        Optional[Path],
        typer.Option(
            "--convert", metavar="OUT", help="Write FILE in the format of OUT's suffix instead."
        ),
    ] = None,
    page: Annotated[
        Optional[Path],
        typer.Option(metavar="OUT", help="Write FILE's timeline as an HTML page, too."),
    ] = None,
    snapshots: Annotated[
        bool,
        typer.Option(
            "--snapshots", help="Of a .bwh: also ask whether each range read is of one instant."
        ),
    ] = False,
    independent: Annotated[
        bool, typer.Option(help=r"In .edn, values are \[key value] (jepsen.independent).")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0, help="Give up after this long: unknown; 0: never.")
    ] = 0,
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

    With FILE, check that history (docs/linearizability.md): ours, or one of any service. Without,
    record runs of real threads and check them, then corrupt histories in nineteen ways, each of
    which must be rejected.

    Example: bwcheck lin build/check/histories/all.bwh;
    bwcheck lin history.edn --model cas-register; bwcheck lin run.bwh --convert run.jsonl

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    started = datetime.now(timezone.utc)
    if convert_to is not None:
        _convert(file, convert_to, independent)
        return
    if file is None:
        if page is not None or snapshots:
            raise CannotRun("--page and --snapshots need a FILE: they are about one history")
        result = check_runs(seed, operations, limit)
    elif file.suffix in TEXTS:
        if snapshots:
            raise CannotRun("--snapshots is for .bwh: other histories have no range reads")
        result = _check_text(file, model, limit, seconds, independent, page)
    else:
        result = _check_file(file, limit, seconds, page, snapshots)
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


def _check_file(
    file: Path, limit: int, seconds: float, page: Path | None, snapshots: bool
) -> Section:
    begin = time.monotonic()
    history = _reading(file, lambda: load(file))
    finding = judge_history(file.name, history, limit=limit, seconds=seconds, source=file)
    if page is not None:
        report = check(history, limit=limit, seconds=seconds)
        _write(page, recorded_picture(history, report, file.name))
    return _conclude([finding, *([_judge_snapshots(file, history)] if snapshots else [])], begin)


def _judge_snapshots(file: Path, history: History) -> Finding:
    """Ask for one order of whole calls. Longer histories than some ten thousand calls take long."""
    begin = time.monotonic()
    calls = whole_calls(history, lambda record, lane: describe_call(record, lane, history))
    found = check_snapshots(calls, dict(history.initial()))
    outcome = "snapshots" if found.ok else "undecided" if found.reason else "no snapshots"
    row: dict[str, Scalar] = {
        "name": f"{file.name}, whole calls", "outcome": outcome, "operations": len(calls),
        "seconds": round(time.monotonic() - begin, 3), "reason": found.reason,
    }  # fmt: skip
    if found.ok:
        return Finding(row, Verdict.GREEN, len(calls))
    if found.reason:
        return Finding(row, Verdict.BROKEN, 0, problem=f"{file.name}: {found.reason}")
    lines = ["Calls that would each have to be before the next, and the last before the first:"]
    lines += [f"  {line}" for line in explain_cycle(calls, found.cycle)]
    problem = (
        f"{file.name}: range reads are not each of one instant (the tree promises that leaf by "
        "leaf only)"
    )
    return Finding(row, Verdict.RED, len(calls), problem=problem, picture=Text("\n".join(lines)))


def _reading(file: Path, reader: Callable[[], _Read]) -> _Read:
    """Give what is read, or say why it cannot be."""
    try:
        return reader()
    except (HistoryFileError, OperationsError) as error:
        raise CannotRun(str(error)) from error
    except OSError as error:
        name = error.filename or file
        raise CannotRun(f"cannot read or write {name}: {error.strerror}") from error


def _write(page: Path, picture: Picture) -> None:
    """Write the page of a history."""
    try:
        page.write_text(write_page(picture), encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"cannot write {page}: {error.strerror}") from error
    output().print(f"page: {page}", markup=False)


def _convert(file: Path | None, target: Path, independent: bool) -> None:
    if file is None:
        raise CannotRun("--convert needs a FILE to convert")
    count = _reading(file, lambda: convert(file, target, independent=independent))
    output().print(f"{target}: {count:,} calls", markup=False)


def _check_text(
    file: Path, model: str, limit: int, seconds: float, independent: bool, page: Path | None
) -> Section:
    """Check a history of any service."""
    begin = time.monotonic()
    operations = _reading(file, lambda: read(file, independent=independent))
    object_model = find_model(model)
    report = check_operations(operations, object_model, limit=limit, seconds=seconds)
    console = output()
    notes = [f"{operations.failed:,} failed and left out"] if operations.failed else []
    notes += [f"{operations.others:,} not of clients"] if operations.others else []
    console.print(
        f"{file.name}: {report.calls:,} calls on {report.objects:,} objects as {model}"
        + "".join(f", {note}" for note in notes)
        + f"; {report.how}; {report.seconds:.2f} s",
        markup=False,
    )
    verdict, problem = Verdict.GREEN, ""
    if report.outcome is Outcome.UNKNOWN:
        verdict, problem = Verdict.BROKEN, f"{file.name}: undecided: {report.reason}"
    if report.violation is not None:
        verdict, problem = Verdict.RED, f"{file.name}: not linearizable: {report.violation.why}"
        console.print(render_calls(report.violation))
    word = problem if verdict is Verdict.BROKEN else report.outcome.value
    console.print(word, style=verdict.style, markup=False)
    if page is not None:
        _write(page, operations_picture(operations, object_model, report, file.name))
    row: dict[str, Scalar] = {
        "name": file.name, "outcome": report.outcome.value, "operations": report.calls,
        "keys": report.objects,
        "witnessed": report.witnessed, "forced": report.forced, "searched": report.searched,
        "configurations": report.peak, "seconds": round(report.seconds, 3),
        "reason": report.reason,
    }  # fmt: skip
    return Section(
        name="lin",
        verdict=verdict,
        figures={"histories": 1, "operations_checked": report.calls},
        rows=[row],
        seconds=time.monotonic() - begin,
        problems=[problem] if problem else [],
    )


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
    ways = {way: sum(int(f.row.get(way) or 0) for f in findings) for way in ("forced", "searched")}
    console.print(
        f"decided by forced order: {ways['forced']:,} parts; by search: {ways['searched']:,} parts"
    )
    instants = {
        way: sum(int(finding.row.get(way) or 0) for finding in runs)
        for way in ("page_reads", "at_one_instant")
    }
    console.print(
        f"each at one instant: {instants['page_reads']:,} page reads of scans and walks, "
        f"{instants['at_one_instant']:,} navigations and pops"
    )
    figures["page_reads_checked"] = instants["page_reads"]
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
