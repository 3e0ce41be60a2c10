"""All that a run of `bwcheck proofs` does, as tasks for several processes.

Terms of z3 cannot be sent from process to process, so a task is a name, and each process builds
the systems that it needs. The conjuncts that are left out come second: where to look for the query
that fails without a conjunct is known when the proofs have said which conjuncts they needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from model_check.console import Reporter, progress
from model_check.proofs import agreement, queries, search
from model_check.proofs.queries import Answer, Outcome
from model_check.proofs.reading_delta_log import delta_log, operation
from model_check.proofs.reading_epochs import epochs
from model_check.report import CannotRun
from model_check.tlc.suite import processors
from model_check.tlc.tools import Toolchain, find_toolchain

SEARCH = "search"
PARTS = (*queries.SYSTEMS, SEARCH)

_PUT, _GET, _REMOVE = operation("put", val="v1"), operation("get"), operation("remove")
_INSERT = operation("insert", val="v1")

#: What each system is compared with: the check tier, and more for the deep one.
READINGS = {
    "EpochReclamation": (
        epochs(1, 1, 1, 2, 4),
        epochs(1, 1, 2, 2, 2),
        epochs(2, 1, 1, 2, 2),
    ),
    "DeltaLog": (
        delta_log({"t1": (_PUT, _GET), "t2": ()}, ("t2",)),
        delta_log({"t1": (operation("pop_first"), operation("clear")), "t2": (_INSERT,)}, ()),
    ),
}
READINGS_DEEP = {
    "EpochReclamation": (epochs(2, 2, 1, 2, 3), epochs(1, 1, 1, 3, 4)),
    "DeltaLog": (
        delta_log({"t1": (_PUT,), "t2": (_REMOVE, operation("ceiling"))}, ()),
        delta_log(
            {
                "t1": (_INSERT,),
                "t2": (operation("compare_exchange", "v1", "v1"), operation("pop_last")),
            },
            (),
        ),
        delta_log({"t1": (_PUT, _GET), "t2": (_REMOVE,)}, ("t2",)),
    ),
}


@dataclass(frozen=True)
class Case:
    """One thing that was tried: which kind, what it was called, and what it came to."""

    part: str
    kind: str  # "proof", "mutant", "conjunct", "agreement"
    name: str
    result: str
    as_expected: bool | None  # None: not decided
    seconds: float
    queries: int = 0
    states: int = 0
    transitions: int = 0
    detail: str = ""


#: What a task gives: the answers of its queries, if it proves something, and what it came to.
_Result = tuple[list[Answer], Case]
_Task = tuple[Callable[..., _Result], tuple[Any, ...]]


def run(parts: Sequence[str], *, jobs: int | None, deep: bool) -> list[Case]:
    """Prove the parts, try their mutants and conjuncts, and compare them with TLC's graphs.

    Raises CannotRun if Java or TLC are missing, or TLC does not end.
    """
    systems = [part for part in parts if part != SEARCH]
    tools = find_toolchain() if systems else None
    first: list[_Task] = []
    for name in systems:
        more = READINGS_DEEP.get(name, ()) if deep else ()
        compared = len(READINGS.get(name, ())) + len(more)
        first += [(_compare, (name, index, tools)) for index in range(compared)]
    if SEARCH in parts:
        first += [(_search, (claim, "none")) for claim in search.CLAIMS]
        first += [(_search, (claim, broken)) for broken, claim in search.BROKEN.items()]
    for name in systems:
        system = queries.load(name)
        first += [(_prove, (name, part)) for part in queries.parts(system)]
        first += [(_mutant, (name, mutation.name)) for mutation in system.mutations]
    conjuncts = sum(len(queries.load(name).invariant) for name in systems)
    with progress("proofs", len(first) + conjuncts) as reporter, _workers(jobs) as pool:
        answers: list[Answer] = []
        cases: list[Case] = []
        for result in _all(pool, first, reporter):
            answers += result[0]
            cases.append(result[1])
        second = [
            (_without, (name, conjunct, _needed(answers, name, conjunct)))
            for name in systems
            for conjunct in queries.load(name).invariant
        ]
        cases += [result[1] for result in _all(pool, second, reporter)]
    cases += _never_taken(cases)
    order = {"proof": 0, "mutant": 1, "conjunct": 2, "agreement": 3}
    return sorted(cases, key=lambda c: (parts.index(c.part), order[c.kind], c.name))


@contextmanager
def _workers(jobs: int | None) -> Iterator[ProcessPoolExecutor | None]:
    """Give as many processes as asked for; None if this one does it all."""
    if jobs == 1:
        yield None
        return
    pool = ProcessPoolExecutor(jobs or processors(), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _all(
    pool: ProcessPoolExecutor | None, tasks: Sequence[_Task], reporter: Reporter
) -> Iterator[_Result]:
    for result in _results(pool, tasks):
        case = result[1]
        mark = {True: "ok ", False: "RED", None: "???"}[case.as_expected]
        reporter.step(f"{mark} {case.part}, {case.kind} {case.name}: {case.result}")
        yield result


def _results(pool: ProcessPoolExecutor | None, tasks: Sequence[_Task]) -> Iterator[_Result]:
    if pool is None:
        for task, given in tasks:
            yield task(*given)
    else:
        for done in as_completed([pool.submit(task, *given) for task, given in tasks]):
            yield done.result()


def _prove(name: str, part: str) -> _Result:
    answers = queries.prove(name, part)
    wrong = [answer for answer in answers if answer.outcome is not Outcome.PROVED]
    detail = "\n\n".join(
        answer.counterexample or f'{name}, {part}: z3 does not decide "{answer.goal}"'
        for answer in wrong
    )
    undecided = all(answer.outcome is Outcome.UNDECIDED for answer in wrong)
    return answers, Case(
        name,
        "proof",
        part,
        f"{len(answers) - len(wrong)} of {len(answers)} proved",
        (None if undecided else False) if wrong else True,
        sum(answer.seconds for answer in answers),
        queries=len(answers),
        detail=detail,
    )


def _killed(answer: Answer, kind: str, name: str, survives: str) -> _Result:
    killed = answer.outcome is Outcome.FAILS
    result = f'{answer.action} breaks "{answer.goal}"' if killed else survives
    detail = answer.counterexample if killed else f"{answer.system}: {name}: {survives}"
    return [], Case(
        answer.system, kind, name, result, killed, answer.seconds, queries=1, detail=detail
    )


def _mutant(name: str, mutation: str) -> _Result:
    return _killed(queries.refute_mutation(name, mutation), "mutant", mutation, "no query fails")


def _without(name: str, conjunct: str, needed: dict[str, tuple[str, ...]]) -> _Result:
    answer = queries.refute_without(name, conjunct, needed)
    return _killed(answer, "conjunct", conjunct, "superfluous: without it no query fails")


def _needed(answers: Sequence[Answer], name: str, conjunct: str) -> dict[str, tuple[str, ...]]:
    """Give the goals by action that needed the conjunct, fewest needs first."""
    found: dict[str, tuple[str, ...]] = {}
    for a in sorted(answers, key=lambda a: len(a.needs)):
        if a.system == name and conjunct in a.needs and a.goal != conjunct:
            found[a.action] = (*found.get(a.action, ()), a.goal)
    return found


def _search(claim: str, mutation: str) -> _Result:
    begin = time.monotonic()
    holds, counterexample = search.ask(claim, mutation)
    seconds = time.monotonic() - begin
    if mutation == "none":
        result = {True: "proved", False: "does not hold", None: "not decided"}[holds]
        detail = counterexample or ("" if holds else f'search: z3 does not decide "{claim}"')
        return [], Case(SEARCH, "proof", claim, result, holds, seconds, 1, detail=detail)
    result = f'breaks "{claim}"' if holds is False else "no query fails"
    detail = counterexample or f"search: {mutation}: {result}"
    killed = holds is False
    return [], Case(SEARCH, "mutant", mutation, result, killed, seconds, 1, detail=detail)


def _compare(name: str, index: int, tools: Toolchain) -> _Result:
    reading = (*READINGS[name], *READINGS_DEEP[name])[index]
    found = agreement.compare(queries.load(name), reading, tools)
    result = f"{found.states:,} states, {found.transitions:,} transitions: the same"
    if found.problems:
        result = f"differs in {len(found.problems)} ways"
    return [], Case(
        name,
        "agreement",
        reading.what,
        result,
        not found.problems,
        found.seconds,
        states=found.states,
        transitions=found.transitions,
        detail="\n".join(found.problems) or " ".join(sorted(found.taken)),
    )


def _never_taken(cases: Sequence[Case]) -> list[Case]:
    """Say which actions no comparison has seen: of those nothing was shown."""
    missing = []
    for name, readings in READINGS.items():
        of = [c for c in cases if c.part == name and c.kind == "agreement"]
        taken = {word for c in of if c.as_expected for word in c.detail.split()}
        unnamed = {word for reading in readings for word in reading.unnamed}
        actions = {action.name for action in queries.load(name).actions} - unnamed
        if of and actions - taken:
            result = f"no step of {', '.join(sorted(actions - taken))} was compared"
            missing.append(
                Case(name, "agreement", "actions", result, False, 0.0, detail=f"{name}: {result}")
            )
    return missing


def chosen(names: Sequence[str]) -> list[str]:
    """Give the parts of these names, all if there are none. Raises CannotRun for an unknown one."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        message = f"there is no proof called {unknown[0]}; there are {', '.join(PARTS)}"
        raise CannotRun(message)
    return [part for part in PARTS if not names or part in names]
