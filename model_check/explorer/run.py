"""Run a built program through its executions, in one process or several."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model_check.explorer.build import Program
from model_check.explorer.read import read_finding
from model_check.explorer.result import Result
from model_check.report import CannotRun

MODELS = ("sc", "rc11")
STRATEGIES = ("exhaustive", "bounded", "iterative", "pct", "random")


@dataclass(frozen=True)
class Options:
    """How to explore.

    ``model``: sc or rc11. ``strategy``: exhaustive, bounded (``preemptions``, and ``weak``
    choices that are not the newest value), iterative (bounded with 0, 1, … ``preemptions``),
    pct (``depth``) or random. ``executions`` and ``seconds`` bound the work, ``steps`` and
    ``hang`` (seconds) one execution. ``spurious``: weak compare-exchanges that fail for no
    reason, ``failures``: allocations that fail, ``timeouts``: timed waits that end by themselves,
    ``wakeups``: waits that end for no reason (both in each thread), each at most so often in one
    execution. ``cut``: leave executions with more steps. ``traces``: count how many of the
    executions differ. ``freeze``:
    stop one thread for ever at each of its steps between bwx_nonblocking_begin and _end.
    ``replay``: repeat one execution. ``prefix``: explore only what begins so (:func:`split`).
    """

    model: str = "sc"
    strategy: str = "exhaustive"
    preemptions: int = 2
    weak: int = 2
    depth: int = 3
    executions: int | None = None
    seconds: float | None = None
    steps: int = 5000
    hang: int = 10
    spurious: int = 1
    failures: int = 0
    timeouts: int = 1
    wakeups: int = 1
    cut: int | None = None
    traces: bool = False
    seed: int = 0
    leaks: bool = True
    freeze: bool = False
    replay: str | None = None
    prefix: str | None = None

    def check(self) -> None:
        """Raise CannotRun when something is out of range."""
        if self.model not in MODELS:
            raise CannotRun(f"--model is sc or rc11, got {self.model!r}")
        if self.strategy not in STRATEGIES:
            raise CannotRun(f"--strategy is one of {', '.join(STRATEGIES)}, got {self.strategy!r}")
        if not 1 <= self.depth <= 60:
            raise CannotRun(f"--depth is 1 to 60, got {self.depth}")
        if not 10 <= self.steps <= 29_000:
            raise CannotRun(f"--steps is 10 to 29000, got {self.steps}")
        if not 1 <= self.hang <= 86_400:
            raise CannotRun(f"--hang is 1 to 86400 seconds, got {self.hang}")

    @property
    def bound(self) -> str:
        """Say within what bounds an exhaustive exploration is one."""
        parts = [f"{self.steps} steps"]
        if self.strategy in {"bounded", "iterative"}:
            parts.append(f"{self.preemptions} preemptions")
            if self.model == "rc11":
                parts.append(f"{self.weak} weak choices")
        if self.spurious:
            parts.append(f"{self.spurious} spurious failures")
        if self.wakeups:
            parts.append(f"{self.wakeups} spurious wakeups a thread")
        if self.failures:
            parts.append(f"{self.failures} failed allocations")
        return ", ".join(parts)

    def words(self, program: Program) -> list[str]:
        """Give the options as the runtime reads them."""
        pairs: dict[str, object] = {
            "model": self.model,
            "strategy": self.strategy,
            "preemptions": self.preemptions,
            "weak": self.weak,
            "depth": self.depth,
            "steps": self.steps,
            "hang": self.hang,
            "spurious": self.spurious,
            "failures": self.failures,
            "timeouts": self.timeouts,
            "wakeups": self.wakeups,
            "cut": self.cut or 0,
            "traces": int(self.traces),
            "seed": self.seed,
            "leaks": int(self.leaks),
            "freeze": int(self.freeze),
            "trylock": int(program.trylock),
        }
        if self.executions is not None:
            pairs["executions"] = self.executions
        if self.seconds is not None:
            pairs["seconds"] = self.seconds
        if self.replay is not None:
            pairs["replay"] = self.replay
        if self.prefix is not None:
            pairs["prefix"] = self.prefix
        return [f"{name}={value}" for name, value in pairs.items()]


#: Called about once a second with the figures so far.
Progress = Callable[[Mapping[str, Any]], None]


class Run:
    """One process that explores."""

    def __init__(
        self, program: Program, words: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        """Start it, with ``environment`` added to that of this process."""
        self._error = ""
        #: What the program has told of each complete execution, with the option events=1.
        self.events: list[dict[str, Any]] = []
        reading, writing = os.pipe()
        options = {"BWX_OPTIONS": " ".join([*words, f"out={writing}"])}
        self._process = subprocess.Popen(
            [*program.runner, str(program.path)],
            env={**os.environ, **environment, **options},
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writing)
        self._lines = os.fdopen(reading, encoding="utf-8", errors="replace")

    def result(self, progress: Progress | None) -> tuple[dict[str, Any], list[str]]:
        """Wait for the end; gives its last line and the prefixes that it left to others."""
        prefixes: list[str] = []
        last: dict[str, Any] | None = None
        try:
            for line in self._lines:
                said = json.loads(line) if line.endswith("}\n") else None
                if said is None:
                    rest = line + self._lines.read()
                    said = json.loads(rest)
                if said["type"] == "progress":
                    if progress is not None:
                        progress(said)
                elif said["type"] == "prefix":
                    prefixes.append(said["prefix"])
                elif said["type"] == "events":
                    self.events.append(said)
                else:
                    last = said
        finally:
            self.stop()
        if last is None:
            code = self._process.returncode
            raise CannotRun(self._error or f"the program under test ended with code {code}")
        return last, prefixes

    def stop(self) -> None:
        """End the process if it still runs."""
        self._lines.close()
        if self._process.poll() is None:
            try:
                self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stderr is not None and not self._process.stderr.closed:
            self._error = self._process.stderr.read().strip()
            self._process.stderr.close()


def explore(
    program: Program,
    options: Options | None = None,
    *,
    progress: Progress | None = None,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Explore ``program``; stops at the first finding.

    ``environment``: variables for the program, beside those of this process.
    Raises CannotRun when the program does something that the explorer does not model.
    """
    options = options or Options()
    options.check()
    if options.strategy == "iterative" and options.replay is None and options.prefix is None:
        return iterate(
            options,
            lambda each: explore(program, each, progress=progress, environment=environment),
        )
    begin = time.monotonic()
    more = environment or {}
    said, _ = Run(program, options.words(program), more).result(progress)
    return make_result(program, options, said, time.monotonic() - begin, more)


def iterate(options: Options, once: Callable[[Options], Result]) -> Result:
    """Explore with at most 0, then 1, … preemptions, and as many weak choices.

    Ends at the first finding, which then has as few preemptions as there can be, at
    ``options.preemptions``, or where the bound has left nothing out: then all is explored.
    """
    begin = time.monotonic()
    rounds: list[Result] = []
    for bound in range(options.preemptions + 1):
        left = options.seconds
        if left is not None:
            left = max(left - (time.monotonic() - begin), 0.01)
        more = options.executions
        if more is not None:
            more = max(more - sum(each.executions for each in rounds), 1)
        result = once(
            replace(
                options,
                strategy="bounded",
                preemptions=bound,
                weak=min(bound, options.weak),
                seconds=left,
                executions=more,
            )
        )
        rounds.append(result)
        if result.finding is not None or not result.exhaustive or not result.limited:
            break
    last = rounds[-1]
    # Where no bound has been met, there is none.
    unbounded = replace(options, strategy="exhaustive").bound
    return replace(
        last,
        strategy="iterative",
        bound=last.bound if last.limited or last.finding is not None else unbounded,
        executions=sum(each.executions for each in rounds),
        steps=sum(each.steps for each in rounds),
        seconds=time.monotonic() - begin,
        rounds=[each.executions for each in rounds],
    )


def make_result(
    program: Program,
    options: Options,
    said: Mapping[str, Any],
    seconds: float,
    environment: Mapping[str, str],
) -> Result:
    """Make a result of a runtime's last line; a finding is run once more, step by step."""
    finding = None
    if said["finding"] is not None:
        if said["finding"]["kind"] == "unsupported":
            raise CannotRun(_unsupported(program, said["finding"]))
        again = replace(options, replay=said["finding"]["replay"] or ";")
        detailed, _ = Run(program, [*again.words(program), "log=1"], environment).result(None)
        seen = detailed["finding"]
        if seen is None or seen["kind"] != said["finding"]["kind"]:
            seen = dict(said["finding"])
            if options.replay is None and detailed["finding"] != seen:
                seen["sentence"] += (
                    " (and a replay of the same choices does not show it: the program depends on "
                    "something besides its schedule)"
                )
        finding = read_finding(program, seen)
    return Result(
        verdict=finding.kind if finding is not None else "nothing found",
        exhaustive=bool(said["exhaustive"]),
        executions=int(said["executions"]),
        complete=int(said["complete"]),
        cut=int(said["cut"]),
        blocked=int(said["blocked"]),
        steps=int(said["steps"]),
        seconds=seconds,
        bound=options.bound,
        memory_model=options.model,
        strategy="replay" if options.replay is not None else options.strategy,
        seed=options.seed,
        depth=options.depth,
        why=str(said["why"]),
        outcomes=dict(Counter(said["outcomes"])),
        finding=finding,
        outcomes_lost=int(said["outcomes_lost"]),
        distinct=int(said["distinct"]) if options.traces else None,
        limited=bool(said["limited"]),
        threads=int(said["threads"]),
        longest=int(said["longest"]),
        memory=int(said["memory"]),
    )


def _unsupported(program: Program, finding: Mapping[str, Any]) -> str:
    seen = read_finding(program, finding)
    return f"{seen.where}: {seen.sentence}" if seen.where else seen.sentence
