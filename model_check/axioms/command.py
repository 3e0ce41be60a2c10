"""`bwcheck litmus`: what SC and RC11 allow each litmus test, against the gold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import z3

from model_check.axioms import exhaustive
from model_check.axioms.arbitrary import arbitrary
from model_check.axioms.axioms import AXIOMS
from model_check.axioms.gold import TESTS
from model_check.axioms.litmus import Allowed, Litmus
from model_check.axioms.outcomes import MODELS, Model, allowed
from model_check.axioms.program import program
from model_check.console import output
from model_check.report import CannotRun, Scalar, Section, Settings, Verdict, document, write_json
from model_check.tlc.suite import processors

if TYPE_CHECKING:
    from rich.console import Console

#: Random tests beside the gold: of `bwcheck all`, and of its deep tier.
_RANDOM, _RANDOM_DEEP = 20, 500


def litmus(  # noqa: PLR0917 - one parameter an option
    test: Annotated[
        list[str] | None,
        typer.Option("--test", "-t", help="Only this test; * and ? match.", metavar="NAME"),
    ] = None,
    source: Annotated[
        bool, typer.Option("--program", help="Print the C program of each test; check none.")
    ] = False,
    random: Annotated[
        int, typer.Option(min=0, help="Random tests, z3 against a list of all graphs.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first random test.")] = 0,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results to FILE too.")
    ] = None,
) -> None:
    r"""List what SC and RC11 allow the litmus tests, and compare with what was written down.

    The outcomes are found by z3 from the axioms of the models; the gold stands in
    model_check/axioms/gold. A test without a difference is green.

    Example: bwcheck litmus --test 'MP+*'

    Exit codes: 0 all as expected, 1 a difference (printed), 2 could not run.
    """
    chosen = _select(test or [])
    if source:
        for each in chosen:
            print(program(each))
        return
    started = datetime.now(timezone.utc)
    part = check(
        chosen,
        range(seed, seed + random),
        output(),
        show=bool(test),
        mutants=not test,
        jobs=1 if test else processors(),
    )
    if json is not None:
        written = document(
            [part], command="bwcheck litmus", seed=seed, started=started, seconds=part.seconds
        )
        write_json(json, written)
    raise typer.Exit(part.verdict.exit_code)


def section(settings: Settings) -> Section:
    """Check all of the gold, and some random tests, for `bwcheck all`."""
    count = _RANDOM_DEEP if settings.deep else _RANDOM
    seeds = range(settings.seed, settings.seed + count)
    return check(TESTS, seeds, output(), mutants=True, jobs=settings.jobs or processors())


def check(
    tests: Sequence[Litmus],
    seeds: range,
    console: Console,
    *,
    show: bool = False,
    mutants: bool = False,
    jobs: int = 1,
) -> Section:
    """Compare ``tests`` with their gold and random tests with a second implementation.

    ``mutants``: leave each axiom out, too; some test must then not agree with its gold.
    ``jobs``: processes at once.
    """
    begin = time.monotonic()
    tasks: list[_Task] = [(_gold, (test, model)) for test in tests for model in MODELS]
    tasks += [(_random, (number, model)) for number in seeds for model in MODELS]
    tasks += [(_without, (axiom, tests)) for axiom in AXIOMS] if mutants else []
    done = list(_each(tasks, jobs))
    rows = [row for row, _ in done]
    problems = [problem for _, problem in done if problem]
    broken = [row for row in rows if "mutant" in row]
    killed = sum(row["verdict"] == Verdict.GREEN.value for row in broken)
    if show:
        for row in rows[: len(tests) * len(MODELS)]:
            console.print(f"{row['test']}, {row['model']}: {row['outcomes']}", markup=False)
    seconds = time.monotonic() - begin
    weak = sum(test.rc11 != test.sc for test in tests)
    console.print(
        f"litmus: {len(tests)} tests ({weak} of them weaker under RC11) and {len(seeds)} random "
        f"ones, {killed} of {len(broken)} axioms missed where they are left out, "
        f"{len(problems)} problems, {seconds:.1f} s",
        markup=False,
    )
    for problem in problems:
        console.print(f"\n{problem}", markup=False, soft_wrap=True)
    return Section(
        name="litmus",
        verdict=Verdict.worst(
            Verdict.GREEN if row["verdict"] == Verdict.GREEN.value else Verdict.RED for row in rows
        ),
        figures={
            "litmus_tests": len(tests),
            "litmus_weak": weak,
            "litmus_random": len(seeds),
            "litmus_outcomes": sum(len(test.rc11.outcomes) for test in tests),
            "mutants": len(broken),
            "mutants_killed": killed,
        },
        rows=rows,
        seconds=seconds,
        problems=problems,
        environment={"z3": z3.get_version_string()},
    )


#: A row, and the sentence to print if it is not as it should be.
_Result = tuple[dict[str, Scalar], str]
_Task = tuple[Callable[..., _Result], tuple[Any, ...]]


def _each(tasks: Sequence[_Task], jobs: int) -> Iterator[_Result]:
    """Give what the tasks give, in their order."""
    if jobs == 1:
        yield from (task(*given) for task, given in tasks)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        for done in [pool.submit(task, *given) for task, given in tasks]:
            yield done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _gold(test: Litmus, model: Model) -> _Result:
    return _row(test, model, test.sc if model == "sc" else test.rc11)


def _random(number: int, model: Model) -> _Result:
    test = arbitrary(number, plain=number % 4 == 0)
    return _row(test, model, exhaustive.allowed(test, model))


def _without(axiom: str, tests: Sequence[Litmus]) -> _Result:
    """Look for a test that is not as its gold says when an axiom of RC11 is left out."""
    begin = time.monotonic()
    found = next(
        (test for test in tests if allowed(test, "rc11", without=axiom) != test.rc11), None
    )
    row: dict[str, Scalar] = {
        "mutant": f"RC11 without {axiom}",
        "test": None if found is None else found.name,
        "model": "rc11",
        "outcomes": "" if found is None else _words(allowed(found, "rc11", without=axiom)),
        "seconds": round(time.monotonic() - begin, 2),
        "verdict": (Verdict.RED if found is None else Verdict.GREEN).value,
    }
    if found is not None:
        return row, ""
    return row, f"RC11 without {axiom} agrees with all of the gold: a test is missing"


def _select(names: list[str]) -> list[Litmus]:
    chosen = [t for t in TESTS if not names or any(fnmatchcase(t.name, name) for name in names)]
    if not chosen:
        raise CannotRun(
            f"no litmus test is called {' or '.join(names)}; `bwcheck litmus --test '*'` lists all"
        )
    return chosen


def _row(test: Litmus, model: Model, right: Allowed) -> _Result:
    found = allowed(test, model)
    row: dict[str, Scalar] = {
        "test": test.name,
        "model": model,
        "outcomes": _words(found),
        "verdict": (Verdict.GREEN if found == right else Verdict.RED).value,
    }
    if found == right:
        return row, ""
    return row, (
        f"{test.name} under {model}: {' || '.join(test.source)}\n"
        f"the axioms allow {_words(found)}, and it should be {_words(right)}"
    )


def _words(found: Allowed) -> str:
    return "a data race" if found.race else "; ".join(sorted(found.outcomes))
