"""`bwcheck all`: every part of the suite, one summary, one verdict.

The parts run one after another, each with the whole machine. A part that cannot run does
not keep the others from running: the summary says what each of them showed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model_check.axioms import command as litmus
from model_check.conformance import command as conform
from model_check.console import output
from model_check.explorer import suite as explore
from model_check.linearizability import command as lin
from model_check.mutants import command as mutants
from model_check.proofs import command as proofs
from model_check.report import (
    CannotRun,
    Section,
    Settings,
    Verdict,
    document,
    summary_table,
    write_json,
)
from model_check.stress import command as stress
from model_check.tlc import command as tlc

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a part of the suite offers.
Part = Callable[[Settings], Section]

DEFAULT_JSON = Path("build/check/summary.json")

#: Name of a part to what runs it, in the order in which they run.
PARTS: Mapping[str, Part] = {
    "tlc": tlc.section,
    "litmus": litmus.section,
    "proofs": proofs.section,
    "conform": conform.section,
    "lin": lin.section,
    "stress": stress.section,
    "explore": explore.section,
    "mutants": mutants.section,
}


def everything(
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes at once (default: as fit).")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="The deep tier too (hours).")] = False,
    json: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the results are written.")
    ] = DEFAULT_JSON,
) -> None:
    """Run every part of the suite and print one summary, green or red.

    Example: bwcheck all --seed 7

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    console = output()
    begin, started = time.monotonic(), datetime.now(timezone.utc)
    settings = Settings(seed=seed, jobs=jobs, deep=deep)
    sections = [_run(name, part, settings) for name, part in PARTS.items()]
    seconds = time.monotonic() - begin
    result = document(sections, command="bwcheck all", seed=seed, started=started, seconds=seconds)
    write_json(json, result)
    console.print()
    console.print(
        summary_table(sections, title=f"bwcheck all{' --deep' if deep else ''} --seed {seed}")
    )
    for part in sections:
        if part.verdict is not Verdict.GREEN:
            console.print(f"{part.name}: {part.verdict.value}; see above for each", markup=False)
    verdict = Verdict.worst(part.verdict for part in sections)
    console.print(f"[{verdict.style}]{verdict.value.upper()}[/] in {seconds:.0f} s; {json}")
    raise typer.Exit(verdict.exit_code)


def _run(name: str, part: Part, settings: Settings) -> Section:
    console = output()
    console.rule(name, align="left")
    begin = time.monotonic()
    try:
        return part(settings)
    except CannotRun as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - a bug in one part must not hide the others
        console.print_exception()
        problem = f"a bug in the checker itself: {type(error).__name__}: {error}"
    console.print(f"{name} could not run: {problem}", markup=False, soft_wrap=True)
    return Section(
        name=name,
        verdict=Verdict.BROKEN,
        figures={},
        rows=[],
        seconds=time.monotonic() - begin,
        problems=[problem],
    )
