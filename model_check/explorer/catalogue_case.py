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
            freeze=self.freeze,
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
    """

    name: str
    what: str
    text: str
    plans: tuple[Plan, ...]
    expected: str = "nothing found"
