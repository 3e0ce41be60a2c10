"""What a case of the catalogue is, and how it is explored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from model_check.explorer.run import Options


@dataclass(frozen=True)
class Plan:
    """How a case is explored under one memory model.

    ``strategy``: exhaustive (all executions), bounded (all with at most ``preemptions``
    preemptions and ``weak`` old values read, up to ``executions``), random (``executions``
    walks) or pct (the same, with few switches at random places). ``spurious`` weak
    compare-and-swaps fail for no reason.
    """

    model: str
    strategy: str
    preemptions: int = 2
    weak: int = 1
    executions: int | None = None
    spurious: int = 0
    freeze: bool = False
    steps: int = 5000  # of one execution; more is a livelock

    @property
    def bound(self) -> str:
        """Say what is explored."""
        most = "" if self.executions is None else f", at most {self.executions:,} executions"
        spurious = f", {self.spurious} spurious failure(s)" if self.spurious else ""
        stopped = ", a thread stopped for ever" if self.freeze else ""
        if self.strategy == "bounded":
            old = f", {self.weak} old value(s)" if self.model == "rc11" else ""
            return f"{self.preemptions} preemptions{old}{spurious}{stopped}{most}"
        if self.strategy == "random":
            return f"{self.executions:,} random executions"
        if self.strategy == "pct":
            return f"{self.executions:,} executions with 2 switches at random places"
        return f"every execution{spurious}{most}"

    def options(self, seed: int = 0) -> Options:
        """Give the explorer's options."""
        return Options(
            model=self.model,
            strategy=self.strategy,
            preemptions=self.preemptions,
            weak=self.weak,
            executions=self.executions,
            spurious=self.spurious,
            wakeups=0,  # the worker's waits are timed: they end by themselves anyway
            freeze=self.freeze,
            steps=self.steps,
            seed=seed,
        )

    def scaled(self, factor: int) -> Plan:
        """Give the same with ``factor`` times as many executions, where their number is bounded."""
        if self.executions is None:
            return self
        return replace(self, executions=self.executions * factor)


@dataclass(frozen=True)
class Case:
    """One program: ``text`` for the harness, ``what`` it is about, how it is explored.

    ``expected``: "nothing found", or the kind of finding that every plan must end with.
    ``deep``: plans that take minutes, for the deep tier only.
    """

    name: str
    what: str
    text: str
    plans: tuple[Plan, ...]
    expected: str = "nothing found"
    deep: tuple[Plan, ...] = ()


# ---- what several cases have in common ----

#: Keys that main puts first. In the leaves: 10 20, 30; 10 20, 30 40, 50; and so on.
THREE = "put 10 1, put 20 2, put 30 3"
FOUR = "put_many 10 1 20 2 30 3 40 4"
FIVE = f"{FOUR}, put 50 5"
SIX = f"{FOUR}, put_many 50 5 60 6"
EIGHT = f"{SIX}, put_many 70 7 80 8"
HALF = "merge_threshold=50"


#: What few preemptions can show is found first.
SC_SOME = (
    Plan("sc", "bounded", preemptions=1, executions=1200),
    Plan("sc", "bounded", preemptions=2, executions=600),
)
ALL = (Plan("sc", "exhaustive"), Plan("rc11", "exhaustive"))
#: Small enough in sc for every check; in rc11 it takes longer.
READS = (Plan("sc", "exhaustive"), Plan("rc11", "random", executions=500))
#: Small enough for the deep tier only.
WRITES = (*SC_SOME, Plan("rc11", "random", executions=500))
WHOLE_SC = (Plan("sc", "exhaustive"),)
#: The beginning of what has not been explored to its end.
MUCH_SC = (Plan("sc", "exhaustive", executions=200_000),)
WHOLE_RC11 = (Plan("rc11", "exhaustive"),)
WALKS = (Plan("rc11", "random", executions=500), Plan("rc11", "pct", executions=500))
SOME = (*SC_SOME, *WALKS)
SC_ALL = (Plan("sc", "exhaustive"), *WALKS)
#: For cases about compare-and-swaps that may fail for no reason.
WEAK = (*SOME, Plan("rc11", "random", executions=500, spurious=1))
STOPPED = (Plan("sc", "bounded", preemptions=0, executions=3000, freeze=True),)
