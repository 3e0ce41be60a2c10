"""Make a counterexample shorter: fewer threads, operations, preemptions, old values, steps.

The finding of a random walk or of a depth-first search may switch threads at every step. First, a
program over the engine is made smaller itself (reduce.py). Then the same kind of finding is looked
for with no preemption, then with one, and so on; and among those with as few, for one of fewer
steps, until there is none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from model_check.explorer.build import Program
from model_check.explorer.reduce import VARIABLE, reduce_text
from model_check.explorer.result import Finding, Result
from model_check.explorer.run import Options, explore
from model_check.report import CannotRun

_SECONDS = 2.0  # for each bound of preemptions
_NO_STEPS = {"read", "write", "malloc", "free"}


def shrink(
    program: Program,
    options: Options,
    result: Result,
    environment: Mapping[str, str] | None = None,
    *,
    text_seconds: float = 0.0,
) -> Result:
    """Give ``result`` with the simplest finding of the same kind that was met in a few seconds.

    A program over the engine is itself made smaller for ``text_seconds``; ``reduced`` is then the
    smaller text that the finding belongs to.
    The figures stay those of the exploration itself.
    """
    finding = result.finding
    if finding is None or options.replay is not None:
        return result
    more = dict(environment or {})
    reduced = None
    if VARIABLE in more and text_seconds > 0:
        more[VARIABLE], finding = _reduce(program, options, finding, more, text_seconds)
        reduced = more[VARIABLE] if more[VARIABLE] != (environment or {})[VARIABLE] else None
    found, simpler = _fewer_switches(program, options, finding, more)
    if simpler is not None:
        found = _fewer_steps(program, simpler, found, more)
    return replace(result, finding=found, reduced=reduced)


def _reduce(
    program: Program,
    options: Options,
    finding: Finding,
    environment: Mapping[str, str],
    text_seconds: float,
) -> tuple[str, Finding]:
    def attempt(text: str, seconds: float) -> Finding | None:
        shorter = replace(options, seconds=seconds, prefix=None)
        try:
            return explore(program, shorter, environment={**environment, VARIABLE: text}).finding
        except CannotRun:
            return None

    return reduce_text(environment[VARIABLE], finding, attempt, text_seconds)


def _fewer_switches(
    program: Program, options: Options, finding: Finding, environment: Mapping[str, str]
) -> tuple[Finding, Options | None]:
    """Look for the finding with fewer preemptions; gives also the bounds that it needs."""
    weak_bounds = (0, 1, 2) if options.model == "rc11" else (0,)
    for total in range(finding.preemptions + 1 + weak_bounds[-1]):
        for weak in weak_bounds:
            preemptions = total - weak
            if preemptions < 0 or preemptions > finding.preemptions:
                continue
            simpler = replace(
                options,
                strategy="bounded",
                preemptions=preemptions,
                weak=weak,
                spurious=min(options.spurious, weak),
                wakeups=min(options.wakeups, weak),
                executions=None,
                seconds=_SECONDS,
                prefix=None,
            )
            again = explore(program, simpler, environment=environment).finding
            if again is not None and again.kind == finding.kind:
                return again, simpler
    return finding, None


def _length(finding: Finding) -> int:
    return sum(step.kind not in _NO_STEPS for step in finding.steps)


def _fewer_steps(
    program: Program, options: Options, finding: Finding, environment: Mapping[str, str]
) -> Finding:
    end = time.monotonic() + _SECONDS
    while _length(finding) > 1 and (left := end - time.monotonic()) > 0:
        shorter = replace(options, cut=_length(finding) - 1, seconds=left)
        again = explore(program, shorter, environment=environment).finding
        if again is None or again.kind != finding.kind or _length(again) >= _length(finding):
            break
        finding = again
    return finding
