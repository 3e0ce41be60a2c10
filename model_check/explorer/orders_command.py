"""`bwcheck engine` and `bwcheck orders`: the catalogue on the engine, and on mutants of it."""

from __future__ import annotations

import json as json_module
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Table

from model_check.console import output, progress
from model_check.explorer.build import COMPILER
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import CATALOGUE, steps
from model_check.explorer.harness import build_harness, explore_text, replay_line
from model_check.explorer.orders import (
    Fate,
    all_mutants,
    as_json,
    as_markdown,
    chosen,
    judge_all,
    problems,
    read_accepted,
)
from model_check.explorer.result import Result
from model_check.explorer.run import Options
from model_check.explorer.show import show_result
from model_check.report import CannotRun


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"cannot write {path} ({error.strerror}); choose another file") from error


def orders(
    only: Annotated[
        Optional[str], typer.Option(metavar="FILE[:LINE]", help="The orders of one file or line.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Mutants at once.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random walks.")] = 0,
    factor: Annotated[
        int, typer.Option(min=1, help="So many times the executions where they are bounded.")
    ] = 1,
    cc: Annotated[str, typer.Option("--cc", help="gcc or clang, or the path of one.")] = COMPILER,
    json: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the table as JSON.")
    ] = None,
    markdown: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the table as a page.")
    ] = None,
) -> None:
    """Weaken every memory order of the engine by one step, and see whether the catalogue notices.

    Example: bwcheck orders --only epoch.c

    Exit codes: 0 all killed or explained, 1 a survivor without a reason, 2 could not run.
    """
    accepted = read_accepted()
    mutants = chosen(all_mutants(), only)
    lock = threading.Lock()
    with progress("orders", len(mutants)) as reporter:

        def told(fate: Fate) -> None:
            with lock:
                said = f"{fate.finding} ({fate.case})" if fate.killed else "SURVIVES"
                said += f"; could not run: {fate.skipped}" if fate.skipped else ""
                reporter.step(f"{fate.mutant.place} {fate.mutant.change}: {said}")

        fates = judge_all(
            mutants,
            jobs=jobs or os.cpu_count() or 1,
            compiler=cc,
            seed=seed,
            factor=factor,
            told=told,
        )
    said = problems(fates, accepted, complete=only is None)
    _write(json, as_json(fates, said))
    _write(markdown, as_markdown(fates, accepted))
    console = output()
    console.print(orders_table(fates))
    for line in said:
        console.print(line, markup=False, soft_wrap=True)
    killed = sum(fate.killed for fate in fates)
    console.print(f"{killed} of {len(fates)} mutants killed; {len(said)} problem(s)")
    raise typer.Exit(1 if said else 0)


def orders_table(fates: list[Fate]) -> Table:
    """Draw one row a mutant."""
    table = Table(title="memory orders, each weakened by one step", title_justify="left")
    for name in ("place", "change", "found by", "finding"):
        table.add_column(name)
    for name in ("executions", "seconds"):
        table.add_column(name, justify="right")
    for fate in fates:
        table.add_row(
            fate.mutant.place,
            fate.mutant.change,
            fate.case,
            fate.finding if fate.killed else "[bold red]survives[/]",
            f"{fate.executions:,}",
            f"{fate.seconds:.1f}",
        )
    return table


def engine(
    text: Annotated[
        Optional[str], typer.Argument(help="One program's text, or the name of a case.")
    ] = None,
    model: Annotated[str, typer.Option(help="sc or rc11, for one program's text.")] = "sc",
    strategy: Annotated[
        str, typer.Option(help="exhaustive, bounded, pct or random, for one program's text.")
    ] = "exhaustive",
    executions: Annotated[
        Optional[int], typer.Option(min=1, help="Stop after so many executions.")
    ] = None,
    seconds: Annotated[Optional[float], typer.Option(min=0, help="Stop after so long.")] = None,
    spurious: Annotated[
        int, typer.Option(min=0, help="Weak compare-exchanges that fail for no reason.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random walks.")] = 0,
    replay: Annotated[
        Optional[str], typer.Option(metavar="STRING", help="Repeat one execution.")
    ] = None,
    cc: Annotated[str, typer.Option("--cc", help="gcc or clang, or the path of one.")] = COMPILER,
    json: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the results as JSON.")
    ] = None,
) -> None:
    """Explore the engine: the whole catalogue, one case of it, or a program of your own.

    Example: bwcheck engine "before put 10 1; thread put 10 2; thread get 10" --model rc11

    Exit codes: 0 as expected, 1 not, 2 could not run; for a program of your own, that of
    the finding.
    """
    cases = [case for case in CATALOGUE if text is None or case.name == text]
    program = build_harness(compiler=cc)
    if text is not None and not cases:
        options = Options(
            model=model,
            strategy=strategy,
            executions=executions,
            seconds=seconds,
            spurious=spurious,
            seed=seed,
            replay=replay,
        )
        options.check()
        result = explore_text(program, text, options)
        # Its own replay line names sources; ours names the program.
        lines = show_result(result, "").splitlines()
        shown = "\n".join(line for line in lines if not line.startswith("replay: "))
        output().print(shown, markup=False, highlight=False, soft_wrap=True)
        _write(json, _as_json([result]))
        if result.finding is not None:
            output().print(replay_line(text, result), markup=False, soft_wrap=True)
            raise typer.Exit(result.finding.exit_code)
        return
    todo = list(steps(cases))
    table = Table(title="the engine under the explorer", title_justify="left")
    for name in ("case", "model", "bound", "verdict"):
        table.add_column(name)
    for name in ("executions", "a second"):
        table.add_column(name, justify="right")
    unexpected = []
    results = []
    with progress("engine", len(todo)) as reporter:
        for case, plan in todo:
            result = explore_text(program, case.text, plan.options(seed))
            reporter.step(f"{case.name} {plan.model}: {result.verdict}")
            results.append(result)
            table.add_row(*_row(case, plan, result))
            if result.verdict != case.expected:
                unexpected.append(_sentence(case, result))
    _write(json, _as_json(results))
    output().print(table)
    for line in unexpected:
        output().print(line, markup=False, soft_wrap=True)
    raise typer.Exit(1 if unexpected else 0)


def _as_json(results: Sequence[Result]) -> str:
    rows = [result.as_json() for result in results]
    return json_module.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _row(case: Case, plan: Plan, result: Result) -> list[str]:
    good = result.verdict == case.expected
    return [
        case.name,
        plan.model,
        plan.bound,
        result.verdict if good else f"[bold red]{result.verdict}[/]",
        f"{result.executions:,}",
        f"{result.executions_per_second:,.0f}",
    ]


def _sentence(case: Case, result: Result) -> str:
    if result.finding is None:
        return f"{case.name}: {case.expected} was to be found, and was not"
    return (
        f"{case.name} ({case.what}): {result.finding.kind}: {result.finding.sentence}; "
        f"replay: {replay_line(case.text, result)}"
    )
