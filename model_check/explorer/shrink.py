"""Make a counterexample shorter: fewer preemptions, fewer values that are not the newest.

The finding of a random walk or of a depth-first search may switch threads at every step. The
same kind of finding is looked for with no preemption, then with one, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from model_check.explorer.build import Program
from model_check.explorer.result import Result
from model_check.explorer.run import Options, explore

_SECONDS = 2.0


def shrink(
    program: Program,
    options: Options,
    result: Result,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Give ``result`` with the simplest finding of the same kind that was met in a few seconds.

    The figures stay those of the exploration itself.
    """
    finding = result.finding
    if finding is None or options.replay is not None:
        return result
    weak_bounds = (0, 1, 2) if options.model == "rc11" else (0,)
    for total in range(max(finding.preemptions, 1) + weak_bounds[-1]):
        for weak in weak_bounds:
            preemptions = total - weak
            if preemptions < 0 or preemptions >= finding.preemptions + (weak == 0):
                continue
            simpler = replace(
                options,
                strategy="bounded",
                preemptions=preemptions,
                weak=weak,
                spurious=min(options.spurious, weak),
                executions=None,
                seconds=_SECONDS,
                prefix=None,
            )
            again = explore(program, simpler, environment=environment).finding
            if again is not None and again.kind == finding.kind:
                return replace(result, finding=again)
    return result
