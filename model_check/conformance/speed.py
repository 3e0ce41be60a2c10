"""How long it takes to compare traces of two real threads with a spec, by their length.

    python -m model_check.conformance.speed 100 300 1000

prints for each number of calls a thread, and for each spec: events, pieces, seconds for their order
and for TLC, and TLC's seconds of processor time (of all cores together).
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from model_check.conformance import threads
from model_check.conformance.order import ordered
from model_check.conformance.runner import traces_in
from model_check.conformance.validate import validate
from model_check.console import output
from model_check.tlc.startup import with_startup
from model_check.tlc.tools import Toolchain, find_toolchain

_PAGE = threads.Load(threads=2)
_TREE = threads.Load(threads=2, keys=10, capacity=2, log=1, inner=3)
_LOADS = (("EpochReclamation", _PAGE), ("DeltaLog", _PAGE), ("StructureModification", _TREE))


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(spec: str, load: threads.Load, tools: Toolchain, jobs: int) -> str:
    """Give a line of the table. Raises CannotRun, NoOrderError."""
    told = threads.run(threads.build(), load)
    begin = time.monotonic()
    events = ordered(told)
    order = time.monotonic() - begin
    traces = traces_in(events, load, (spec,))
    begin, before = time.monotonic(), _processor()
    verdicts = validate(traces, tools, jobs=jobs)
    seconds, processor = time.monotonic() - begin, _processor() - before
    lengths = sum(len(trace.entries) for trace in traces)
    pieces = sum(len(trace.cuts) + 1 for trace in traces)
    what = "accepted" if all(verdict.accepted for verdict in verdicts) else "REJECTED"
    return (
        f"{spec:21} {load.calls:5} calls {lengths:6} events {pieces:3} pieces  order {order:5.2f} s"
        f"  TLC {seconds:5.1f} s  processor {processor:5.1f} s  {what}"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the table for these numbers of calls."""
    tools, jobs = with_startup(find_toolchain()), os.cpu_count() or 1
    for spec, load in _LOADS:
        for calls in map(int, arguments or ("100",)):
            mine = replace(load, calls=calls)
            output().print(measure(spec, mine, tools, jobs), markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
