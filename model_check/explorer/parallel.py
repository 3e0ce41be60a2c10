"""One exploration by several processes.

:func:`split` cuts an exploration into parts, each named by a prefix (a string): how all
executions of the part begin. The parts do not overlap, and can be explored anywhere, by
:func:`model_check.explorer.explore` with ``Options(prefix=…)``: here by :func:`share`, or as
parameters of a pytest test, which pytest-xdist spreads over workers and machines. Random
strategies are not cut: each process gets a seed of its own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from model_check.explorer.build import Program
from model_check.explorer.result import Result
from model_check.explorer.run import Options, Run, explore, iterate, make_result

_DEEPEST = 24


def split(
    program: Program,
    options: Options,
    parts: int,
    environment: Mapping[str, str] | None = None,
) -> tuple[Result, list[str]]:
    """Cut the exploration into at least ``parts`` parts, if it is large enough.

    Gives the result of what was explored on the way (executions that ended before the cut)
    and the prefixes of the parts: none if a finding has ended the exploration, or if all of it
    was done on the way.
    """
    more = environment or {}
    for depth in range(2, _DEEPEST, 2):
        begin = time.monotonic()
        words = [*options.words(program), f"split={depth}"]
        said, prefixes = Run(program, words, more).result(None)
        said = {**said, "executions": said["executions"] - len(prefixes)}
        result = make_result(program, options, said, time.monotonic() - begin, more)
        if result.finding is not None:
            return result, []
        if len(prefixes) >= parts or not prefixes:
            break
    return result, prefixes


def _sum(results: Sequence[Result], seconds: float) -> Result:
    finding = next((each for each in results if each.finding is not None), None)
    first = finding or results[0]
    outcomes: Counter[str] = Counter()
    for each in results:
        outcomes.update(each.outcomes)
    incomplete = next((each for each in results if not each.exhaustive), first)
    return replace(
        first,
        exhaustive=all(each.exhaustive for each in results),
        executions=sum(each.executions for each in results),
        complete=sum(each.complete for each in results),
        cut=sum(each.cut for each in results),
        blocked=sum(each.blocked for each in results),
        steps=sum(each.steps for each in results),
        limited=any(each.limited for each in results),
        outcomes_lost=sum(each.outcomes_lost for each in results),
        distinct=None,  # parts may have executions in common
        memory=max(each.memory for each in results),
        seconds=seconds,
        why=first.why if finding is not None else incomplete.why,
        outcomes=dict(outcomes),
    )


def share(
    program: Program,
    options: Options,
    jobs: int,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Explore ``program`` with ``jobs`` processes; stops soon after a finding."""
    if options.strategy == "iterative":
        return iterate(options, lambda each: share(program, each, jobs, environment))
    begin = time.monotonic()
    if options.strategy in {"random", "pct"}:
        limit = options.executions
        each = replace(options, executions=limit and -(-limit // jobs))
        work = [replace(each, seed=options.seed * jobs + number) for number in range(jobs)]
        results = []
    else:
        first, prefixes = split(program, options, 8 * jobs, environment)
        results = [first]
        work = [replace(options, prefix=prefix) for prefix in prefixes]
    found = any(each.finding is not None for each in results)

    def run(one: Options) -> Result | None:
        nonlocal found
        if found:
            return None
        left = options.seconds
        if left is not None:
            left = max(left - (time.monotonic() - begin), 0.01)
        result = explore(program, replace(one, seconds=left), environment=environment)
        found = found or result.finding is not None
        return result

    with ThreadPoolExecutor(jobs) as pool:
        results += [each for each in pool.map(run, work) if each is not None]
    return _sum(results, time.monotonic() - begin)
