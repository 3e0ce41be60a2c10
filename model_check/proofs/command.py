"""`bwcheck proofs`: the proofs for any number of threads, their mutants, the specs beside them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import z3
from rich.box import SIMPLE_HEAD
from rich.table import Table

from model_check.console import output
from model_check.proofs import runner
from model_check.report import Section, Settings, Verdict, document, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from model_check.proofs.runner import Case


def proofs(  # noqa: PLR0917 - one parameter an option
    part: Annotated[
        list[str] | None,
        typer.Option(
            "--part", "-p", help=f"Only this one of {', '.join(runner.PARTS)}.", metavar="NAME"
        ),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print why each mutant's query fails, as a table.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes at once (default: as fit).")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compare with larger state graphs of TLC's, too.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Kept in the results; nothing is random.")] = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    r"""Prove the protocol for any number of threads, pages and epochs, with z3.

    Every action keeps every conjunct of the invariant, which implies safety; each conjunct is
    needed, and each broken guard makes a query fail. The systems have the same steps as the TLA+
    specs on small constants. The search of one page is right bit by bit.

    Example: bwcheck proofs --part DeltaLog --table

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    started = datetime.now(timezone.utc)
    chosen = runner.chosen(part or [])
    found = check(chosen, output(), jobs=jobs, deep=deep, show=table)
    if json is not None:
        result = document(
            [found], command="bwcheck proofs", seed=seed, started=started, seconds=found.seconds
        )
        write_json(json, result)
    raise typer.Exit(found.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Prove everything, for `bwcheck all`."""
    return check(runner.PARTS, output(), jobs=settings.jobs, deep=settings.deep, brief=True)


def check(
    parts: Sequence[str],
    console: Console,
    *,
    jobs: int | None = None,
    deep: bool = False,
    show: bool = False,
    brief: bool = False,
) -> Section:
    """Prove ``parts`` and print the table of all that was asked, or of all that went wrong."""
    begin = time.monotonic()
    cases = runner.run(parts, jobs=jobs, deep=deep)
    seconds = time.monotonic() - begin
    shown = [case for case in cases if not (brief and case.as_expected)]
    if shown:
        console.print(_table(shown))
    problems = [case.detail for case in cases if not case.as_expected]
    if show:
        for case in cases:
            if case.kind in ("mutant", "conjunct") and case.as_expected:
                console.print(f"\n{case.name}:\n{case.detail}", markup=False, soft_wrap=True)
    for problem in problems:
        console.print(f"\n{problem}", markup=False, soft_wrap=True)
    figures = _figures(cases)
    console.print(
        f"proofs: {figures['proof_queries']} queries without a counterexample, "
        f"{figures['proof_conjuncts_needed']} of {figures['proof_conjuncts']} conjuncts needed, "
        f"{figures['mutants_killed']} of {figures['mutants']} mutants found, "
        f"{figures['proof_transitions']:,} transitions of TLC's the same, {seconds:.1f} s",
        markup=False,
    )
    return Section(
        name="proofs",
        verdict=Verdict.worst(_verdict(case) for case in cases),
        figures=figures,
        rows=[
            {
                "part": case.part,
                "kind": case.kind,
                "name": case.name,
                "result": case.result,
                "queries": case.queries,
                "states": case.states,
                "transitions": case.transitions,
                "seconds": round(case.seconds, 3),
                "verdict": _verdict(case).value,
            }
            for case in cases
        ],
        seconds=seconds,
        problems=problems,
        environment={"z3": z3.get_version_string()},
    )


def _verdict(case: Case) -> Verdict:
    return {True: Verdict.GREEN, False: Verdict.RED, None: Verdict.BROKEN}[case.as_expected]


def _figures(cases: Sequence[Case]) -> dict[str, int | float]:
    """Count what was as expected: queries that are proved, mutants that are found."""
    mutants = [case for case in cases if case.kind == "mutant"]
    conjuncts = [case for case in cases if case.kind == "conjunct"]
    same = [case for case in cases if case.kind == "agreement" and case.as_expected]
    return {
        "proof_queries": sum(c.queries for c in cases if c.kind == "proof" and c.as_expected),
        "proof_conjuncts": len(conjuncts),
        "proof_conjuncts_needed": sum(bool(case.as_expected) for case in conjuncts),
        "mutants": len(mutants),
        "mutants_killed": sum(bool(case.as_expected) for case in mutants),
        "proof_states": sum(case.states for case in same),
        "proof_transitions": sum(case.transitions for case in same),
    }


def _table(cases: Sequence[Case]) -> Table:
    """Draw the proofs part by part: what was asked, how many queries, how long."""
    table = Table(box=SIMPLE_HEAD, highlight=False, title="proofs", title_justify="left")
    for name in ("part", "kind", "what", "result"):
        table.add_column(name, overflow="fold")
    for name in ("queries", "seconds"):
        table.add_column(name, justify="right")
    for case in cases:
        style = _verdict(case).style if not case.as_expected else ""
        asked = str(case.queries) if case.queries else ""
        name = case.name.replace("[", "\\[")
        result = case.result.replace("[", "\\[")
        table.add_row(case.part, case.kind, name, result, asked, f"{case.seconds:.2f}", style=style)
    return table
