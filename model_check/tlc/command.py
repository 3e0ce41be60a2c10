"""`bwcheck tlc`: model-check the specs and say which promises TLC confirms."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from model_check.console import output
from model_check.report import CannotRun, Section, Settings, Verdict, document, write_json
from model_check.tlc.config import ConfigError
from model_check.tlc.startup import WORTH_IT, with_startup
from model_check.tlc.suite import Plan, Result, discover, plan, run_all, select
from model_check.tlc.tools import Toolchain, find_toolchain
from model_check.tlc.trace import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from model_check.report import Scalar
    from model_check.tlc.config import Config

DEFAULT_SPEC = Path("spec")
_CHECK_TIMEOUT, _DEEP_TIMEOUT = 600.0, 7200.0


def tlc(  # noqa: PLR0917 - one parameter an option
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            help="Only this configuration, of any tier; * and ? match. Can be repeated.",
            metavar="NAME",
        ),
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="The deep tier too (long).")] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print the counter-examples of must-fails too.")
    ] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the configurations and what each shows; run none.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="TLC processes at once (default: as fit).")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads in each TLC.")] = 1,
    heap: Annotated[
        int | None,
        typer.Option(min=32, metavar="MIB", help="Java heap of each TLC (default: as fits)."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=1, metavar="SECONDS", help="For each configuration (default: 600; --deep: 7200)."
        ),
    ] = None,
    spec: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the MC*.cfg files are.")
    ] = DEFAULT_SPEC,
    seed: Annotated[int, typer.Option(min=0, help="Seed of TLC's hashing and choices.")] = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    r"""Model-check the TLA+ specs: must-pass configurations pass, must-fail ones fail.

    A must-pass is explored to the end, with every action taken that it claims to exercise; or,
    where that would be too much, through the random behaviors that its header asks for.
    A must-fail violates the property it names, or the verdict is red.

    Example: bwcheck tlc --config 'MCDeltaLog*' --trace

    Exit codes: 0 all as expected, 1 a violation (printed), 2 could not run.
    """
    console = output()
    configs = _read(spec)
    if list_only:
        console.print(_listing(configs))
        return
    chosen = select(configs, config or [], deep=deep)
    slow = deep or any(c.tier == "deep" for c in chosen)
    seconds = timeout or (_DEEP_TIMEOUT if slow else _CHECK_TIMEOUT)
    how = plan(len(chosen), jobs=jobs, workers=workers, heap_mb=heap, timeout=seconds, seed=seed)
    started = datetime.now(timezone.utc)
    section = check(chosen, how, console, show_traces=trace)
    if json is not None:
        result = document(
            [section], command="bwcheck tlc", seed=seed, started=started, seconds=section.seconds
        )
        write_json(json, result)
    raise typer.Exit(section.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Check the configurations in spec/, for `bwcheck all`."""
    chosen = select(_read(DEFAULT_SPEC), [], deep=settings.deep)
    timeout = _DEEP_TIMEOUT if settings.deep else _CHECK_TIMEOUT
    how = plan(len(chosen), jobs=settings.jobs, timeout=timeout, seed=settings.seed)
    return check(chosen, how, output())


def check(
    chosen: Sequence[Config], how: Plan, console: Console, *, show_traces: bool = False
) -> Section:
    """Run ``chosen``, print table, traces and problems to ``console``, give the section."""
    begin = time.monotonic()
    tools = find_toolchain()
    if len(chosen) >= WORTH_IT:
        tools = with_startup(tools)
    console.print(
        f"TLC {tools.tlc_version} on Java {tools.java_version}: {len(chosen)} configurations, "
        f"{how.jobs} at a time, {how.limits.heap_mb} MiB heap each",
        markup=False,
    )
    results = run_all(chosen, tools, how)
    console.print(_table(results))
    problems = [_problem(result) for result in results if _problem(result)]
    for problem in problems:
        console.print(f"\n{problem}", markup=False, soft_wrap=True)
    if show_traces:
        for result in results:
            if result.judgement.verdict is Verdict.GREEN and result.outcome.trace:
                console.print(f"\n{_story(result)}", markup=False, soft_wrap=True)
    return _section(results, tools, problems, time.monotonic() - begin)


def _read(folder: Path) -> list[Config]:
    try:
        return discover(folder)
    except ConfigError as error:
        raise CannotRun("\n".join(error.problems)) from error


def _section(
    results: Sequence[Result], tools: Toolchain, problems: list[str], seconds: float
) -> Section:
    mutants = [result for result in results if result.config.must_fail]
    explored = [result for result in results if result.config.simulate is None]
    simulated = [result for result in results if result.config.simulate is not None]
    figures = {
        "configs": len(results),
        "states": sum(result.outcome.states for result in explored),
        "distinct_states": sum(result.outcome.distinct for result in explored),
        "configs_simulated": len(simulated),
        "traces": sum(_traces(result) for result in simulated),
        "simulated_states": sum(result.outcome.states for result in simulated),
        "mutants": len(mutants),
        "mutants_killed": sum(m.judgement.verdict is Verdict.GREEN for m in mutants),
    }
    return Section(
        name="tlc",
        verdict=Verdict.worst(result.judgement.verdict for result in results),
        figures=figures,
        rows=[_row(result) for result in results],
        seconds=seconds,
        problems=problems,
        environment=tools.describe(),
    )


def _traces(result: Result) -> int:
    """Give how many random behaviors were looked at to their end; 0 if one was cut short."""
    config, green = result.config, result.judgement.verdict is Verdict.GREEN
    return config.simulate.traces if config.simulate and green and not config.must_fail else 0


def _row(result: Result) -> dict[str, Scalar]:
    config, outcome = result.config, result.outcome
    return {
        "config": config.name,
        "what": config.what,
        "tier": config.tier,
        "expected": config.expected,
        "result": result.judgement.result,
        "states": outcome.states,
        "distinct_states": outcome.distinct,
        "depth": outcome.depth,
        "traces": _traces(result),
        "trace_depth": config.simulate.depth if config.simulate else 0,
        "seconds": round(outcome.seconds, 3),
        "verdict": result.judgement.verdict.value,
    }


def _table(results: Sequence[Result]) -> Table:
    table = Table(highlight=False, box=SIMPLE_HEAD, pad_edge=False)
    for name in ("config", "outcome"):
        table.add_column(name, overflow="fold")
    for name in ("states", "distinct", "depth", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for result in sorted(results, key=lambda r: r.config.name):
        outcome, judgement = result.outcome, result.judgement
        expected = f", expected: {result.config.expected}"
        table.add_row(
            result.config.name,
            judgement.result + ("" if judgement.verdict is Verdict.GREEN else expected),
            f"{outcome.states:,}",
            "-" if result.config.simulate else f"{outcome.distinct:,}",
            f"≤ {result.config.simulate.depth}" if result.config.simulate else f"{outcome.depth}",
            f"{outcome.seconds:.1f}",
            Text(judgement.verdict.value, style=judgement.verdict.style),
        )
    return table


def _listing(configs: Sequence[Config]) -> Table:
    table = Table(highlight=False, box=SIMPLE_HEAD, pad_edge=False)
    for name in ("config", "tier", "expected", "how", "what it shows"):
        table.add_column(name, overflow="fold")
    for config in configs:
        how = str(config.simulate) if config.simulate else "all behaviors"
        table.add_row(config.name, config.tier, config.expected, how, Text(config.what))
    return table


def _problem(result: Result) -> str:
    """Give the whole story of a result that is not green, empty for a green one."""
    if result.judgement.verdict is Verdict.GREEN:
        return ""
    lines = [f"{result.config.name}: {result.judgement.problem}"]
    if result.outcome.trace:
        lines += ["The behavior that shows it:", *render(result.outcome.trace)]
    return "\n".join([*lines, _replay(result)])


def _story(result: Result) -> str:
    """Give the counter-example of a must-fail that failed as it must."""
    head = f"{result.config.name}: {result.judgement.result}, as expected. {result.config.what}"
    return "\n".join([head, *render(result.outcome.trace), _replay(result)])


def _replay(result: Result) -> str:
    folder = result.config.path.parent
    where = "" if folder == DEFAULT_SPEC else f" --spec {folder}"
    return f"Replay: bwcheck tlc --config {result.config.name} --trace{where}"
