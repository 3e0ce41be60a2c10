"""Programs over the tree that bring the engine's protocols against one another.

Each case is a text for programs/engine.c. Capacities are the smallest, so that a handful of
operations reaches consolidations, splits and merges. ``exhaustive``: memory models under which
all executions are explored within seconds; the others are explored within a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from model_check.explorer.build import Program
from model_check.explorer.result import Result
from model_check.explorer.run import Options, explore

_FOUR = "P1=10 P2=20 P3=30 P4=40"
_SIX = f"{_FOUR} P5=50 P6=60"
_EIGHT = f"{_SIX} P7=70 P8=80"


@dataclass(frozen=True)
class Case:
    """One program: ``failures`` allocations may fail; ``freeze``: stop threads for ever."""

    name: str
    text: str
    exhaustive: tuple[str, ...] = ()
    failures: int = 0
    freeze: bool = False


CATALOGUE: Sequence[Case] = (
    Case("append-append", "| P1=10 | P2=20 | P3=30", ("sc", "rc11")),
    Case("append-same-key", "| P1=10 | I2=20 | I2=30", ("sc", "rc11")),
    Case("append-get", "| P1=10 | P1=20 P2=30 | G1 G2", ("sc", "rc11")),
    Case("exchange-exchange", "| P1=10 | X1=10:11 | X1=10:12", ("sc", "rc11")),
    Case("update-remove", "| P1=10 P2=20 | U1=11 | R1 G1", ("sc",)),
    Case("append-split", f"| {_FOUR} | P5=50 | P6=60"),
    Case("append-consolidation", "| P1=10 P2=20 P1=11 | P2=21 | P1=12 G2", ("sc",)),
    Case("split-get", f"| {_FOUR} | P5=50 P6=60 | G3 G5"),
    Case("posting-parent-split", f"| {_EIGHT} | P9=90 P10=11 | K"),
    Case("merge-get", f"| {_FOUR} | R1 R2 | G3"),
    Case("merge-append", f"| {_FOUR} | R1 R2 | P2=21"),
    Case("merge-merge", f"| {_SIX} | R5 R6 | R1 R2"),
    Case("merge-split", f"| {_FOUR} | R3 R4 | P5=50 P6=60"),
    Case("post-merge", f"merge=50 | {_FOUR} P5=5 P6=6 | P7=50 P8=60 | R7 R8 R6 K"),
    Case("merge-cursor", f"| {_FOUR} | R3 R4 K | S"),
    Case("split-cursor", f"| {_FOUR} | P5=50 P6=60 | B"),
    Case("pop-pop", "| P1=10 | A | Z", ("sc", "rc11")),
    Case("navigate-remove", f"| {_FOUR} | R2 R3 | F3 C2"),
    Case("pin-retire-collect", "batch=1 | P1=10 P2=20 | P3=30 E | G1 G2", ("sc", "rc11")),
    Case("pin-unlink-advance", "batch=1 | P1=10 P2=20 | G1 | P1=12 P2=21 E E", ("sc", "rc11")),
    Case("pin-seal-advance", "batch=1 | P1=10 P2=20 P1=11 | G1 | P1=12 E | E E"),
    Case("advance-advance", "batch=1 | P1=10 P2=20 P3=30 | R1 E E | P2=21 E E"),
    Case("reuse-of-page-ids", f"batch=1 pids=8 | {_FOUR} R1 R2 K E | P5=50 P6=60 E | G3 P7=70"),
    Case("pooled-memory", f"pool=1 batch=1 | {_FOUR} | R1 R2 K E | P5=50 P6=60 E"),
    Case("consolidate-writers", "| P1=10 P2=20 | K E | P1=11 P2=21"),
    Case("registration-and-exit", "| P1=10 | T P2=20 D | T G1 D"),
    Case("registration-taken-over", "batch=1 | P1=10 | T R1 D | T P2=20 D E"),
    Case("close", "| P1=10 | P2=20 | Y", ("sc", "rc11")),
    Case("three-threads", "| P1=10 P2=20 | P3=30 | R1 | G2"),
    Case("failed-allocation-split", f"| {_FOUR} | P5=50 P6=60 | G5", failures=1),
    Case("failed-allocation-merge", f"| {_FOUR} | R1 R2 | P5=50", failures=1),
    Case("progress-split", f"| {_FOUR} | P5=50 P6=60 | P1=11 G5", freeze=True),
    Case("progress-merge", f"| {_FOUR} | R1 R2 K | P3=31 G2", freeze=True),
)


@dataclass(frozen=True)
class Plan:
    """A case and how it is explored."""

    case: Case
    options: Options

    def run(self, program: Program) -> Result:
        """Explore it."""
        return explore(program, self.options, environment={"BWX_PROGRAM": self.case.text})


def plans(
    cases: Sequence[Case] = CATALOGUE,
    *,
    seed: int = 0,
    executions: int = 1500,
    preemptions: int = 2,
) -> Iterator[Plan]:
    """Give, for each case and memory model, how it is explored.

    Exhaustively where the case says that this ends soon; otherwise in sc with at most
    ``preemptions`` preemptions, and in rc11 by random walks, ``executions`` of each.
    """
    for case in cases:
        for model in ("sc", "rc11"):
            options = Options(model=model, failures=case.failures, seed=seed, leaks=True)
            if case.freeze:
                if model == "sc":
                    yield Plan(
                        case,
                        replace(
                            options,
                            strategy="bounded",
                            preemptions=0,
                            weak=1,
                            freeze=True,
                            executions=executions,
                        ),
                    )
            elif model in case.exhaustive:
                yield Plan(case, options)
            elif model == "sc":
                bounded = replace(options, strategy="bounded", spurious=0, executions=executions)
                for bound in range(1, preemptions + 1):
                    yield Plan(case, replace(bounded, preemptions=bound))
            else:
                yield Plan(case, replace(options, strategy="random", executions=executions))
