"""All configurations: found, chosen, and run as many at once as the machine allows.

Each TLC gets one worker by default: two processes with one worker each use two processors
better than one process with two, and with one worker the search is breadth-first in a
fixed order, so a counter-example is a shortest one and the same each time.
"""

from __future__ import annotations

import fnmatch
import os
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.console import progress
from model_check.report import CannotRun, Verdict
from model_check.tlc.config import Config, ConfigError, read_config
from model_check.tlc.run import Limits, Run
from model_check.tlc.verdict import Judgement, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_check.tlc.output import Outcome
    from model_check.tlc.tools import Toolchain

_MIN_HEAP_MB, _MAX_HEAP_MB = 512, 4096
#: Java needs memory beside its heap, and others need some of the machine.
_HEAP_SHARE = 0.6
_POLL_SECONDS = 0.2
_MIB = 1 << 20


@dataclass(frozen=True)
class Result:
    """One configuration, what TLC found, and the verdict on it."""

    config: Config
    outcome: Outcome
    judgement: Judgement


@dataclass(frozen=True)
class Plan:
    """How many processes at once, and what each may use."""

    jobs: int
    limits: Limits


def discover(folder: Path) -> list[Config]:
    """Read every MC*.cfg in ``folder``.

    Raises CannotRun if there is none, ConfigError with all mistakes in all headers.
    """
    if not folder.is_dir():
        message = f"there is no folder {folder}; run in the project's root, or give --spec FOLDER"
        raise CannotRun(message)
    paths = sorted(folder.glob("MC*.cfg"))
    if not paths:
        message = f"{folder} holds no MC*.cfg, so there is nothing to check"
        raise CannotRun(message)
    configs: list[Config] = []
    problems: list[str] = []
    for path in paths:
        try:
            configs.append(read_config(path))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return configs


def select(configs: Sequence[Config], patterns: Sequence[str], *, deep: bool) -> list[Config]:
    """Choose by name patterns, of any tier; without patterns the check tier, or all if deep.

    Must-pass configurations come first: they are the long ones, and a long one that is
    started last leaves the other processors idle. Raises CannotRun for a pattern that
    matches nothing.
    """
    if patterns:
        chosen: set[Config] = set()
        for pattern in patterns:
            wanted = pattern.removesuffix(".cfg")
            found = [c for c in configs if fnmatch.fnmatchcase(c.name, wanted)]
            if not found:
                message = (
                    f"no configuration is named {pattern}; "
                    "`bwcheck tlc --list` names them all, and * and ? match as in a shell"
                )
                raise CannotRun(message)
            chosen.update(found)
    else:
        chosen = {c for c in configs if deep or c.tier == "check"}
    return sorted(chosen, key=lambda c: (c.must_fail, c.tier == "check", c.name))


def available_memory_mb() -> int:
    """Give the memory that is free now, in MiB, with the limit of the control group if any."""
    free = 4096
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) // 1024
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        if limit != "max":
            free = min(free, (int(limit) - int(used)) // _MIB)
    except (OSError, ValueError):
        pass  # not Linux, or no control group: what is known so far
    return max(free, 0)


def processors() -> int:
    """Give the number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def plan(
    count: int,
    *,
    jobs: int | None = None,
    workers: int = 1,
    heap_mb: int | None = None,
    timeout: float = 600.0,
    seed: int = 0,
) -> Plan:
    """Divide processors and memory among ``count`` configurations.

    ``jobs`` and ``heap_mb`` are taken as given; what is None follows from the machine.
    """
    memory = int(available_memory_mb() * _HEAP_SHARE)
    if jobs is None:
        by_memory = memory // (heap_mb or _MIN_HEAP_MB)
        jobs = max(1, min(processors() // workers, by_memory, count))
    if heap_mb is None:
        heap_mb = max(_MIN_HEAP_MB, min(_MAX_HEAP_MB, memory // jobs))
    return Plan(jobs, Limits(workers=workers, heap_mb=heap_mb, timeout=timeout, seed=seed))


def run_all(configs: Sequence[Config], tools: Toolchain, how: Plan) -> list[Result]:
    """Run ``configs`` as planned, with live progress; results in the order given.

    On KeyboardInterrupt (or any other exception) every TLC is ended before it goes on.
    """
    runs = [Run(config, tools, how.limits) for config in configs]
    waiting = queue.SimpleQueue[int]()
    for index in range(len(runs)):
        waiting.put(index)
    done: queue.SimpleQueue[tuple[int, BaseException | None]] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(runs, waiting, done), daemon=True)
        for _ in range(min(how.jobs, len(runs)))
    ]
    try:
        for thread in threads:
            thread.start()
        results = _collect(runs, done, how)
    finally:
        for run in runs:
            run.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    return results


def _work(
    runs: list[Run],
    waiting: queue.SimpleQueue[int],
    done: queue.SimpleQueue[tuple[int, BaseException | None]],
) -> None:
    while True:
        try:
            index = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            runs[index].finish()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            done.put((index, error))
        else:
            done.put((index, None))


def _collect(
    runs: list[Run], done: queue.SimpleQueue[tuple[int, BaseException | None]], how: Plan
) -> list[Result]:
    results: dict[int, Result] = {}
    with progress("tlc", len(runs)) as reporter:
        while len(results) < len(runs):
            try:
                index, error = done.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                reporter.now(_running(runs, results))
                continue
            if error is not None:
                raise error
            run = runs[index]
            result = Result(run.config, run.outcome, judge(run.config, run.outcome, how.limits))
            results[index] = result
            reporter.step(_line(result))
    return [results[index] for index in range(len(runs))]


def _running(runs: list[Run], results: dict[int, Result]) -> str:
    now = time.monotonic()
    parts = []
    for index, run in enumerate(runs):
        if run.started is not None and index not in results:
            states = f", {run.outcome.states:,} states" if run.outcome.states else ""
            parts.append(f"{run.config.name} ({now - run.started:.0f} s{states})")
    return ", ".join(parts)


def _line(result: Result) -> str:
    mark = {Verdict.GREEN: "ok ", Verdict.RED: "RED", Verdict.BROKEN: "???"}
    outcome = result.outcome
    states = f"{outcome.distinct:,} distinct"
    if result.config.simulate:
        states = f"{outcome.states:,}"
    return (
        f"{mark[result.judgement.verdict]} {result.config.name}: {result.judgement.result}, "
        f"{states} states, {outcome.seconds:.1f} s"
    )
