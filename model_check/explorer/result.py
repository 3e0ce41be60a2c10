"""What an exploration gives: figures, outcomes, and the finding with its counterexample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

#: Name of a finding to the exit code of `bwcheck explore`.
EXIT_CODES: Mapping[str, int] = {
    "assertion": 10,
    "crash": 11,
    "data-race": 12,
    "use-after-free": 13,
    "double-free": 14,
    "invalid-free": 15,
    "leak": 16,
    "uninitialised": 17,
    "deadlock": 18,
    "livelock": 19,
    "not-linearizable": 20,
    "blocking": 21,
    "nondeterminism": 22,
    "out-of-bounds": 23,
    "misuse": 24,
}


@dataclass(frozen=True)
class Step:
    """One step of an execution.

    ``text``: what was done, as in ``y.load(acquire) = 1``. ``where``: file and line.
    ``note``: what is remarkable (an old value was read, which step wrote it). ``source``: the
    number of the step whose store was read. ``after``: steps of other threads that this one is
    the first of its thread to happen after.
    """

    number: int
    thread: int
    kind: str
    text: str
    where: str
    note: str = ""
    source: int | None = None
    after: Sequence[int] = ()


@dataclass(frozen=True)
class Finding:
    """What was found: ``kind`` is a key of :data:`EXIT_CODES`.

    ``replay`` repeats the execution: ``bwcheck explore … --replay STRING``.
    ``where``, ``other``: source lines of the step that went wrong and of the one it is about.
    ``preemptions``: switches away from a thread that could have gone on.
    """

    kind: str
    sentence: str
    thread: int
    where: str
    other: str
    replay: str
    steps: Sequence[Step] = ()
    stack: Sequence[str] = ()
    preemptions: int = 0

    @property
    def exit_code(self) -> int:
        """Give the exit code of the kind."""
        return EXIT_CODES[self.kind]


@dataclass(frozen=True)
class Result:
    """The result of an exploration.

    ``verdict``: "nothing found" or the kind of the finding. ``exhaustive``: every execution
    within ``bound`` has been explored. ``executions`` counts all that were begun: ``complete``
    ones, ``cut`` ones (bwx_assume) and ``blocked`` ones (their rest was explored elsewhere).
    ``outcomes``: text of bwx_outcome to the number of executions; ``outcomes_lost``: executions
    whose outcome was one too many to be kept. ``distinct``: how many complete executions differ
    (Mazurkiewicz traces), if Options.traces asked for it. ``limited``: the bounded strategy has
    left something out because of its bounds. ``threads``, ``longest``: threads, and choices of a
    thread, in the longest walk. ``memory``: kilobytes that the process has had at most.
    ``depth``: what pct looks for. ``rounds``: executions of the iterative strategy with at most
    0, 1, … preemptions.
    ``reduced``: the smaller text of a program over the engine that the finding belongs to.
    """

    verdict: str
    exhaustive: bool
    executions: int
    complete: int
    cut: int
    blocked: int
    steps: int
    seconds: float
    bound: str
    memory_model: str
    strategy: str
    seed: int
    why: str
    outcomes: Mapping[str, int] = field(default_factory=dict)
    finding: Finding | None = None
    outcomes_lost: int = 0
    distinct: int | None = None
    limited: bool = False
    threads: int = 0
    longest: int = 0
    memory: int = 0
    rounds: Sequence[int] = ()
    depth: int = 0
    reduced: str | None = None

    @property
    def executions_per_second(self) -> float:
        """Give executions a second and process."""
        return self.executions / self.seconds if self.seconds > 0 else 0.0

    def as_json(self) -> dict[str, object]:
        """Give the result as a JSON object."""
        return {**asdict(self), "executions_per_second": round(self.executions_per_second)}
