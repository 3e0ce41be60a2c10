"""`bwcheck explore`: run a C program through its interleavings and weak-memory behaviours."""

from __future__ import annotations

import json as json_module
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from model_check.console import diagnostics, output
from model_check.explorer.build import COMPILER, build
from model_check.explorer.harness import UNREADABLE, build_harness, environment
from model_check.explorer.page import write_page
from model_check.explorer.parallel import share
from model_check.explorer.run import Options, explore
from model_check.explorer.show import show_result
from model_check.explorer.shrink import shrink
from model_check.report import CannotRun

#: For the search for a smaller program over the engine that shows the same.
_TEXT_SECONDS = 20.0


def explore_command(
    sources: Annotated[
        Optional[list[Path]],
        typer.Argument(metavar="PROGRAM.C…", help="C sources with one main function."),
    ] = None,
    engine: Annotated[
        Optional[str],
        typer.Option(
            metavar="TEXT", help="In their place: operations on the tree of this project."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Memory model: sc or rc11.")] = "sc",
    strategy: Annotated[
        str, typer.Option(help="exhaustive, bounded, iterative, pct or random.")
    ] = "exhaustive",
    preemptions: Annotated[
        int,
        typer.Option(
            min=0, help="bounded, iterative: switches away from a thread that could go on."
        ),
    ] = 2,
    weak: Annotated[
        int,
        typer.Option(min=0, help="bounded, iterative: values read that are not the newest."),
    ] = 2,
    depth: Annotated[int, typer.Option(help="pct: orderings that the bug needs.")] = 3,
    executions: Annotated[
        Optional[int], typer.Option(min=1, help="Stop after so many executions.")
    ] = None,
    seconds: Annotated[Optional[float], typer.Option(min=0, help="Stop after so long.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of one execution; more is a livelock.")] = 5000,
    hang: Annotated[int, typer.Option(help="Seconds of one execution; more is a livelock.")] = 10,
    spurious: Annotated[
        int, typer.Option(min=0, help="Weak compare-exchanges that fail for no reason.")
    ] = 1,
    wakeups: Annotated[
        int, typer.Option(min=0, help="Waits of a thread that end for no reason.")
    ] = 1,
    failures: Annotated[int, typer.Option(min=0, help="Allocations that fail.")] = 0,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Stop a thread for ever at each of its steps.")
    ] = False,
    traces: Annotated[
        bool, typer.Option("--traces", help="Count how many of the executions differ.")
    ] = False,
    portable: Annotated[
        bool, typer.Option("--portable", help="Switch threads by ucontext, not by our assembly.")
    ] = False,
    leaks: Annotated[bool, typer.Option(help="Report memory that is lost.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Seed of pct and random.")] = 0,
    cc: Annotated[str, typer.Option("--cc", help="gcc or clang, or the path of one.")] = COMPILER,
    cflags: Annotated[str, typer.Option(help="More flags for the compiler.")] = "",
    replay: Annotated[
        Optional[str], typer.Option(metavar="STRING", help="Repeat one execution.")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Processes at once.")] = 1,
    shorten: Annotated[
        bool, typer.Option(help="Look for a shorter counterexample of the same kind.")
    ] = True,
    json: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the result to FILE too.")
    ] = None,
    html: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Write the result as a page.")
    ] = None,
) -> None:
    """Run a C11 program through its interleavings, and check every one of them.

    The program is ordinary C11 with pthreads or C11 threads; failed assertions, data races,
    uses after free, leaks, deadlocks, livelocks and more are reported with the steps that
    lead there.

    Example: bwcheck explore stack.c --model rc11

    --engine explores the tree: "before put 10 1; thread put 20 2; thread get 10" puts a key, then
    one thread puts another and a second one gets the first
    (model_check/explorer/engine/program.h has the whole language).

    Exit codes: 0 nothing found, 2 could not run, 10 and above: a finding, each kind with a code of
    its own (docs/explorer.md lists them).
    """
    options = Options(
        model=model,
        strategy=strategy,
        preemptions=preemptions,
        weak=weak,
        depth=depth,
        executions=executions,
        seconds=seconds,
        steps=steps,
        hang=hang,
        spurious=spurious,
        wakeups=wakeups,
        traces=traces,
        failures=failures,
        freeze=freeze,
        leaks=leaks,
        seed=seed,
        replay=replay,
    )
    options.check()
    if (engine is None) == (not sources):
        raise CannotRun("give the C sources of a program, or --engine and a text, and not both")
    if engine is not None and failures > 0:
        raise CannotRun(
            "--failures goes with C sources; with --engine write 'options failures="
            f"{failures}; …' into the text, so that only the tree's own allocations fail"
        )
    variables = environment(engine) if engine is not None else {}
    flags = shlex.split(cflags)
    if engine is not None:
        program = build_harness(compiler=cc, flags=flags)
    else:
        program = build(sources or [], compiler=cc, flags=flags, portable=portable)
    if jobs > 1 and replay is None:
        result = share(program, options, jobs, variables)
    else:
        result = explore(program, options, progress=_progress, environment=variables)
    if result.finding is not None and result.finding.sentence.startswith(UNREADABLE):
        raise CannotRun(f"--engine: {result.finding.sentence}; see engine/program.h")
    if shorten:
        result = shrink(program, options, result, variables, text_seconds=_TEXT_SECONDS)
    names = f"--engine {shlex.quote(engine)}" if engine else " ".join(map(str, sources or []))
    console = output()
    console.print(show_result(result, names), markup=False, highlight=False, soft_wrap=True)
    if json is not None:
        document = json_module.dumps(result.as_json(), indent=2, ensure_ascii=False)
        _write(json, document + "\n", "--json")
    if html is not None:
        _write(html, write_page(result, names), "--html")
    raise typer.Exit(result.finding.exit_code if result.finding is not None else 0)


def _progress(said: Mapping[str, Any]) -> None:
    rate = said["executions"] / said["seconds"] if said["seconds"] else 0
    left = ""
    if said["done"]:
        rest = said["seconds"] * (1 / said["done"] - 1)
        left = f", about {100 * said['done']:.3g} % explored, about {rest:,.0f} s left"
    diagnostics().print(
        f"{said['executions']:,} executions, {rate:,.0f} a second{left}", markup=False
    )


def _write(path: Path, text: str, option: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write the result to {path} ({error.strerror}); choose another {option}"
        raise CannotRun(message) from error
