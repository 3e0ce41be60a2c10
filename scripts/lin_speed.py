"""Measure how fast histories are checked on one core, or corrupt large ones.

    nice -n -10 .venv/bin/python scripts/lin_speed.py
    .venv/bin/python scripts/lin_speed.py --corrupt --operations 10M --rounds 1

Records calls on single keys of two real threads, on many keys and on one, and checks each round in
full. Both clocks are given: processor time is what the check takes where nothing else runs.
Exit status 1 if a history is not linearizable, or a corrupted one is accepted.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field

from model_check.linearizability import Outcome, check, corruptions
from model_check.recorder import Kind, Run, Tree, TreeOptions, Workload

_POINTS = {
    Kind.GET: 40, Kind.PUT: 20, Kind.INSERT: 15, Kind.UPDATE: 5, Kind.REMOVE: 15,
    Kind.COMPARE_EXCHANGE: 5,
}  # fmt: skip
#: What corruptions need to find a place: pops, deletions and walks, too.
_ALL = {
    **_POINTS, Kind.POP_FIRST: 1, Kind.POP_LAST: 1, Kind.DELETE_RANGE: 1, Kind.SCAN_FORWARD: 1
}  # fmt: skip


@dataclass
class Totals:
    """Of all rounds of one line of the table."""

    operations: int = 0
    seconds: float = 0
    processor: float = 0
    bytes: int = 0
    forced: int = 0
    searched: int = 0
    problems: list[str] = field(default_factory=list)


def measure(keys: int, operations: int, rounds: int, seed: int) -> Totals:
    """Record and check rounds of calls on single keys."""
    totals = Totals()
    for number in range(rounds):
        workload = Workload(
            seed=seed + number, threads=2, operations=operations, space=keys, weights=_POINTS
        )
        with Tree(TreeOptions()) as tree, Run(tree, workload) as run:
            run.execute()
            history = run.history()
            begin, processor = time.perf_counter(), time.process_time()
            report = check(history)
            totals.seconds += time.perf_counter() - begin
            totals.processor += time.process_time() - processor
        totals.operations += report.operations
        totals.bytes = max(totals.bytes, report.bytes)
        totals.forced += report.forced
        totals.searched += report.searched
        if not report.ok:
            totals.problems.append(f"{keys} keys, seed {seed + number}: {report.outcome.value}")
    return totals


def corrupt(keys: int, operations: int, seed: int) -> list[str]:
    """Corrupt one history in every way; give what was accepted."""
    workload = Workload(seed=seed, threads=2, operations=operations, space=keys, weights=_ALL)
    accepted = []
    with Tree(TreeOptions()) as tree, Run(tree, workload) as run:
        history = run.round()
        share = max(operations // 50_000, 1)
        for mutant in corruptions(history, seed, share=share):
            report = check(mutant.history)
            killed = report.outcome is Outcome.VIOLATION
            print(
                f"  {mutant.name}: {'rejected' if killed else 'ACCEPTED'}, {report.seconds:.1f} s"
            )
            if not killed:
                accepted.append(f"{mutant.name}: {mutant.detail}")
    return accepted


def _count(text: str) -> int:
    units = {"k": 1_000, "M": 1_000_000}
    return int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("--operations", type=_count, default=10_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--keys", type=_count, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corrupt", action="store_true", help="corrupt histories instead")
    options = parser.parse_args()
    if options.corrupt:
        problems = corrupt(options.keys, options.operations, options.seed)
    else:
        problems = []
        print(
            "| keys | operations | million/s, processor time | million/s, wall | bytes each | how |"
        )
        print("|---:|---:|---:|---:|---:|---|")
        for keys, operations, rounds in (
            (options.keys, options.operations, options.rounds),
            (1, 1_000_000, options.rounds),
        ):
            t = measure(keys, operations, rounds, options.seed)
            how = "forced order" if t.searched == 0 else f"{t.searched:,} parts searched"
            each = t.bytes / (t.operations / rounds)
            print(
                f"| {keys:,} | {t.operations:,} | {t.operations / t.processor / 1e6:.1f} "
                f"| {t.operations / t.seconds / 1e6:.1f} | {each:.0f} | {how} |",
                flush=True,
            )
            problems += t.problems
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
