"""`bwcheck conform`: traces of the engine against the specs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from model_check.conformance import runner
from model_check.conformance.runner import CHECK, DEEP, Case, Plan
from model_check.console import output
from model_check.report import Section, Settings, Verdict, document, write_json
from model_check.tlc.tools import find_toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

#: Actions that a trace can match, by spec: those of the Trace modules.
ACTIONS = {
    "EpochReclamation": (
        *("ReadEpoch", "Announce", "Acquire", "Unpin", "Unlink", "Retire", "Tag", "Free"),
        *("AdvanceStart", "Scan", "ScanBlocked", "Commit", "CommitLost"),
    ),
    "DeltaLog": (
        *("Invoke", "LoadMapping", "Look", "Append", "AppendLost", "Freeze", "Install"),
        *("InstallLost", "Return"),
    ),
    "StructureModification": (
        *("Pin", "Announce", "Unpin", "AppendSlot", "CheckAlive", "PostSeparator", "MarkEntry"),
        *("CheckRoot", "RemovePage", "MergePage", "DeleteEntry", "FreezeRoot", "PublishRight"),
        *("SwapEntry", "InstallUnion", "Collapse", "Retire", "Bury", "Advance", "Free"),
        "RecyclePid",
    ),
}


def conform(
    mutants: Annotated[
        bool, typer.Option("--mutants", help="The mutants of the engine and of the specs, too.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="More and longer traces; the mutants, too.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Print where each mutant is rejected.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of executions and calls.")] = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    """Compare the engine with its specs, step by step.

    What the engine does, under the explorer and on real threads, must be behaviours of the specs.
    Traces that were corrupted must be rejected.

    Example: bwcheck conform --mutants --show --seed 3

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    started = datetime.now(timezone.utc)
    plan = replace(DEEP if deep else CHECK, seed=seed, mutants=mutants or deep)
    found = check(plan, output(), show=show)
    if json is not None:
        result = document(
            [found], command="bwcheck conform", seed=seed, started=started, seconds=found.seconds
        )
        write_json(json, result)
    raise typer.Exit(found.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Compare everything, for `bwcheck all`."""
    plan = replace(DEEP if settings.deep else CHECK, seed=settings.seed)
    if settings.jobs is not None:
        plan = replace(plan, jobs=settings.jobs)
    return check(plan, output(), brief=True)


def check(plan: Plan, console: Console, *, show: bool = False, brief: bool = False) -> Section:
    """Look at everything that ``plan`` asks for, and print it, or all that went wrong."""
    begin = time.monotonic()
    tools = find_toolchain()
    cases, matched = runner.run(plan, tools)
    seconds = time.monotonic() - begin
    shown = [case for case in cases if not (brief and case.as_expected)]
    if shown:
        console.print(_table(shown))
    if show:
        for case in cases:
            if case.kind == "mutant" and case.as_expected:
                console.print(f"\n{case.name}:\n{case.detail}", markup=False, soft_wrap=True)
    problems = [case.detail for case in cases if not case.as_expected]
    for problem in problems:
        console.print(f"\n{problem}", markup=False, soft_wrap=True)
    never = [
        f"{spec}.{action}"
        for spec, actions_ in ACTIONS.items()
        for action in actions_
        if not matched[f"{spec}.{action}"]
    ]
    figures = _figures(cases)
    console.print(
        f"conform: {figures['conform_traces']} traces with {figures['conform_events']:,} events "
        f"accepted, {figures['mutants_killed']} of {figures['mutants']} corrupted ones and "
        f"mutants rejected, {seconds:.1f} s",
        markup=False,
    )
    if not brief:
        console.print(_actions(matched))
    console.print(f"actions never matched: {', '.join(never) or 'none'}", markup=False)
    return Section(
        name="conform",
        verdict=Verdict.worst(_verdict(case) for case in cases),
        figures={**figures, "conform_actions_never_matched": len(never)},
        rows=[
            {
                "kind": case.kind,
                "name": case.name,
                "mutant": case.mutant,
                "result": case.result,
                "events": case.events,
                "seconds": round(case.seconds, 3),
                "verdict": _verdict(case).value,
            }
            for case in cases
        ],
        seconds=seconds,
        problems=problems,
        environment=tools.describe(),
    )


def _verdict(case: Case) -> Verdict:
    return {True: Verdict.GREEN, False: Verdict.RED, None: Verdict.BROKEN}[case.as_expected]


def _figures(cases: Sequence[Case]) -> dict[str, int | float]:
    traces = [case for case in cases if case.kind in ("explorer", "threads")]
    broken = [case for case in cases if case.kind in ("corrupted", "mutant")]
    return {
        "conform_traces": sum(bool(case.as_expected) for case in traces),
        "conform_events": sum(case.events for case in traces if case.as_expected),
        "mutants": len(broken),
        "mutants_killed": sum(bool(case.as_expected) for case in broken),
    }


def _table(cases: Sequence[Case]) -> Table:
    table = Table(box=SIMPLE_HEAD, highlight=False, title="conform", title_justify="left")
    for name in ("kind", "what", "result"):
        table.add_column(name, overflow="fold")
    for name in ("events", "seconds"):
        table.add_column(name, justify="right")
    for case in cases:
        style = _verdict(case).style if not case.as_expected else ""
        table.add_row(
            case.kind,
            case.name.replace("[", "\\["),
            case.result,
            f"{case.events:,}" if case.events else "",
            f"{case.seconds:.2f}",
            style=style,
        )
    return table


def _actions(matched: Mapping[str, int]) -> Table:
    """Draw how often each action was matched."""
    table = Table(box=SIMPLE_HEAD, highlight=False, title="actions", title_justify="left")
    table.add_column("spec")
    table.add_column("action")
    table.add_column("matched", justify="right")
    for spec, names in ACTIONS.items():
        for name in names:
            count = matched.get(f"{spec}.{name}", 0)
            table.add_row(spec, name, f"{count:,}" if count else "never")
    return table
