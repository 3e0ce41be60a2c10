"""`bwcheck mutate`: how many of the mutants that a program makes of impl/src are noticed."""

from __future__ import annotations

import json as json_module
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from model_check.console import output, progress
from model_check.explorer.harness import engine_folder
from model_check.mutate.explained import Explained, problems, read, reason
from model_check.mutate.generate import Change, all_changes, sample
from model_check.mutate.judge import SAME_CODE, STILLBORN, SURVIVED, Fate, Judges
from model_check.report import CannotRun, write_json

KEPT = Path("build/check/mutate.json")
#: The least share of those that are not equivalent that must be killed, in percent.
AIM = 95.0
_KEY = ("file", "function", "code", "what")


def mutate(
    count: Annotated[
        Optional[int], typer.Option("--sample", min=1, metavar="N", help="Only N, by --seed.")
    ] = None,
    budget: Annotated[
        Optional[float], typer.Option(min=1, metavar="SECONDS", help="Begin none after so long.")
    ] = None,
    file: Annotated[
        Optional[list[str]], typer.Option("--file", metavar="NAME", help="Only of this file.")
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the mutants that would be tried; try none.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Leave out what the --json file says is killed, or explained.json explains.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Which sample.")] = 0,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Mutants at once.")] = 1,
    json: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the results are written.")
    ] = KEPT,
) -> None:
    """Make mutants of the engine's sources and see which of them the tests notice.

    The C tests, small programs of the explorer, and short recorded histories run on each; a mutant
    that nothing notices survives. explained.json says which survivors are no mutants, and why.

    Example: bwcheck mutate --sample 100 --seed 7

    Exit codes: 0 at least 95 % of those that are not equivalent are killed, 1 not, 2 could not run.
    """
    every = all_changes(engine_folder() / "src")
    chosen = sample(_of(every, file or []), count, seed)
    console = output()
    if list_only:
        for change in chosen:
            console.print(f"{change.place} {change.function}: {change.what}", markup=False)
        return
    entries = read()
    before = known(json, chosen, entries) if resume else []

    def keep(fates: Sequence[Fate]) -> dict[str, Any]:
        result = summary(fates, len(every), entries, seed)
        write_json(json, result)
        return result

    fates = _judge(chosen, before, Judges(seed=seed), keep, jobs=jobs, budget=budget)
    result = keep(fates)
    said = problems(fates, every, entries)
    console.print(_table(result))
    for each in result["survivors"]:
        line = f"{each['file']}:{each['line']} {each['function']}: {each['what']}: `{each['code']}`"
        console.print(f"survives: {line}", markup=False, soft_wrap=True)
    for line in said:
        console.print(line, markup=False, soft_wrap=True)
    enough = result["score"] >= AIM
    console.print(
        f"{result['killed']} of {result['killed'] + result['survived']} mutants killed that are "
        f"not equivalent: {result['score']:.1f} % ({AIM:.0f} % is the aim); {json}",
        markup=False,
    )
    raise typer.Exit(0 if enough and not said else 1)


def _of(changes: Sequence[Change], files: Sequence[str]) -> list[Change]:
    there = {change.file for change in changes}
    for name in files:
        if name not in there:
            raise CannotRun(f"--file {name}: no mutant of it; there are {', '.join(sorted(there))}")
    return [change for change in changes if not files or change.file in files]


def known(path: Path, chosen: Sequence[Change], entries: Sequence[Explained]) -> list[Fate]:
    """Give what an earlier run says of those that were killed, or whose survival is explained."""
    if not path.is_file():
        raise CannotRun(f"--resume: there is no {path}; name an earlier run's with --json")
    try:
        rows = [(tuple(row[name] for name in _KEY), row) for row in read_result(path)["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRun(f"--resume: {path} is not what `bwcheck mutate` writes") from error
    often = Counter([key for key, _ in rows] + [change.key for change in chosen])
    once = {key for key, times in often.items() if times == 2}  # noqa: PLR2004 - here and there
    told = {key: row for key, row in rows if key in once}
    return [
        Fate(change, told[change.key]["fate"], told[change.key]["by"])
        for change in chosen
        if change.key in told
        and (told[change.key]["fate"] != SURVIVED or reason(change, entries) != "")
    ]


def _judge(
    chosen: Sequence[Change],
    before: Sequence[Fate],
    judges: Judges,
    keep: Callable[[Sequence[Fate]], Any],
    *,
    jobs: int,
    budget: float | None,
) -> list[Fate]:
    """Try those that the run ``before`` has not, and ``keep`` after each what there is so far."""
    begin = time.monotonic()
    lock = threading.Lock()
    fates = list(before)
    there = {fate.change for fate in before}
    left = [change for change in chosen if change not in there]

    with progress("mutate", len(left)) as reporter, ThreadPoolExecutor(jobs) as pool:

        def one(change: Change) -> None:
            if budget is not None and time.monotonic() - begin > budget:
                return
            fate = judges.judge(change)
            with lock:
                fates.append(fate)
                keep(fates)
                by = f" by {fate.by} ({fate.what})" if fate.killed else ""
                reporter.step(
                    f"{change.place} {change.what}: {fate.fate}{by}, {fate.seconds:.1f} s"
                )

        list(pool.map(one, left))
    if not fates:
        raise CannotRun("no mutant was tried: give a larger --budget or --sample")
    return fates


def summary(
    fates: Sequence[Fate], possible: int, entries: Sequence[Explained], seed: int
) -> dict[str, Any]:
    """Count: what does not compile, or is the same code, or explained, is not in the score."""
    of = Counter(fate.fate for fate in fates)
    survivors = [fate for fate in fates if fate.fate == SURVIVED]
    explained = [fate for fate in survivors if reason(fate.change, entries)]
    open_ = [fate for fate in survivors if not reason(fate.change, entries)]
    killed = sum(fate.killed for fate in fates)
    real = killed + len(open_)
    killers = Counter(fate.by.partition(":")[0] for fate in fates if fate.killed)
    return {
        "possible": possible,
        "seed": seed,
        "tried": len(fates),
        "stillborn": of[STILLBORN],
        "equivalent": of[SAME_CODE] + len(explained),
        "same_code": of[SAME_CODE],
        "explained": len(explained),
        "killed": killed,
        "survived": len(open_),
        "score": 100 * killed / real if real else 0.0,
        "killed_by": dict(killers),
        "survivors": [_row(fate) for fate in open_],
        "explained_survivors": [
            {**_row(fate), "reason": reason(fate.change, entries)} for fate in explained
        ],
        "rows": [{**_row(fate), "fate": fate.fate, "by": fate.by} for fate in fates],
    }


def _row(fate: Fate) -> dict[str, Any]:
    row = asdict(fate.change)
    return {name: row[name] for name in (*_KEY, "line")}


def _table(result: dict[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="mutants that a program made", title_justify="left")
    table.add_column("what became of them")
    table.add_column("", justify="right")
    for name in ("possible", "tried", "stillborn", "same_code", "explained", "killed", "survived"):
        table.add_row(name.replace("_", " "), f"{result[name]:,}")
    for name, count in sorted(result["killed_by"].items()):
        table.add_row(f"killed by {name}", f"{count:,}")
    return table


def read_result(path: Path = KEPT) -> Any:
    """Give what a run has written; None if there was none."""
    return json_module.loads(path.read_text("utf-8")) if path.is_file() else None
