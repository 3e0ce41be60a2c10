"""One checker on one broken engine: killed, by what and when, or not.

A checker that runs programs is first run on the engine as it is. Everything must pass there: a
checker that kills the right engine shows nothing by killing a broken one. How long each program
takes there says in which order they run, and after what time one of a broken engine hangs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.explorer.build import cache_folder
from model_check.mutants.builds import (
    ASAN,
    PLAIN,
    ROOT,
    TSAN,
    Builds,
    Flavour,
    NotCompiled,
    programs,
)
from model_check.mutants.mutant import Cell
from model_check.report import CannotRun, write_whole

#: The flavours in which the C tests are checkers of their own.
FLAVOURS: Mapping[str, Flavour] = {"C tests": PLAIN, "ASan + UBSan": ASAN, "TSan": TSAN}
HISTORIES = "histories"
#: Operations of each history that a broken engine records.
OPERATIONS = 30_000
CANNOT_RUN = 77
_PATIENCE, _PATIENCE_FACTOR = 10.0, 4.0
_LOOK, _STOOD_STILL, _TRIES = 0.05, 3.0, 4
_SANITIZER = re.compile(
    r"(?:AddressSanitizer|ThreadSanitizer|LeakSanitizer): ([\w -]+?)(?: on | \(|:|$)"
    r"|runtime error: ([^\n]+)",
    re.MULTILINE,
)
_FAILED = re.compile(r"^(\S+:\d+): (in [^\n]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """How a program ended: ``problem`` is empty if it was as it should be."""

    problem: str
    seconds: float


def run_program(command: Sequence[str | Path], patience: float) -> Ran:
    """Run a program and say in words how it ended; a sentence if it hangs or crashes.

    Where this process was itself stopped meanwhile, clocks have lied to the program: once more.
    """
    for _ in range(_TRIES):
        ran, disturbed = _run_once(command, patience)
        if not (disturbed and ran.problem):
            break
    return ran


def _run_once(command: Sequence[str | Path], patience: float) -> tuple[Ran, bool]:
    environment = {
        **os.environ,
        "UBSAN_OPTIONS": "print_stacktrace=0",
        "TSAN_OPTIONS": "halt_on_error=1",
        "ASAN_OPTIONS": "detect_leaks=1",
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            seconds, disturbed = _wait(process, patience)
        finally:
            process.kill()
            process.wait()
        if seconds > patience:
            return Ran(f"hangs: no end in {patience:.0f} s", seconds), disturbed
        said.seek(0)
        return Ran(_problem(process.returncode, said.read()), seconds), disturbed


def _wait(process: subprocess.Popen[bytes], patience: float) -> tuple[float, bool]:
    """Wait for its end, or until it has run for longer than ``patience``; say if we stood still."""
    seconds, disturbed = 0.0, False
    last = time.monotonic()
    while seconds <= patience:
        try:
            process.wait(timeout=_LOOK)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        now = time.monotonic()
        disturbed = disturbed or now - last > _STOOD_STILL
        seconds += min(now - last, _STOOD_STILL)
        last = now
        if ended:
            break
    return seconds, disturbed


def _problem(code: int, said: str) -> str:
    if code in {0, CANNOT_RUN}:
        return ""
    found = _SANITIZER.search(said)
    if found:
        return next(part for part in found.groups() if part).strip()
    if said.lstrip().startswith("{"):  # recorded.py
        return str(json.loads(said)["what"])
    if code < 0:
        return f"crashes: {signal.Signals(-code).name}"
    failed = _FAILED.search(said)  # as tests/c/check.h says it
    if failed:
        return f"{Path(failed[1]).name}: {failed[2]}"[:200]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # Not where the program lay: that is another place the next time.
    return re.sub(r"\S+/(?=test_)", "", lines[-1])[:200] if lines else f"ends with {code}"


def _same_addresses() -> tuple[str, ...]:
    """ThreadSanitizer's memory map does not go with a kernel that randomizes addresses widely."""
    setarch = shutil.which("setarch")
    if setarch is None:
        return ()
    done = subprocess.run([setarch, "-R", "true"], capture_output=True, check=False)
    return (setarch, "-R") if done.returncode == 0 else ()


#: Roughly the seconds of each program on 2 cores: in this order they run, and the long ones last.
_ROUGH: Mapping[str, float] = {
    **dict.fromkeys(("test_forced_races", "test_forced_posts", "test_misuse", "test_limits"), 0.02),
    **dict.fromkeys(("test_cuts", "test_figures", "test_page_ids", "test_self_check"), 0.02),
    **dict.fromkeys(("test_hints", "test_navigation", "test_operations", "test_range"), 0.3),
    **dict.fromkeys(("test_epoch", "test_fork", "test_allocation_failures"), 0.5),
    **dict.fromkeys(("test_cursor", "test_worker", "test_batches"), 0.8),
    **dict.fromkeys(("test_merge_threads",), 7.0),
    **dict.fromkeys(("test_merge_stale",), 15.0),
    **dict.fromkeys(("test_shrink", "test_recorded"), 25.0),
}
_ROUGH_ELSE = 3.0


def rough_seconds(name: str) -> float:
    """Say roughly how long a program takes."""
    return _ROUGH.get(name, _ROUGH_ELSE)


class Programs:
    """The C tests in one flavour, as a checker."""

    def __init__(self, checker: str, *, names: Sequence[str] | None = None) -> None:
        """Take those of tests/c, or ``names``. Each is run on the engine as it is before others."""
        self.checker = checker
        self._flavour = FLAVOURS[checker]
        self._front = _same_addresses() if checker == "TSan" else ()
        self._builds = Builds(self._flavour)
        self._names = sorted(names or programs(), key=rough_seconds)
        self._usual: dict[str, float] = {}
        self._lock = threading.Lock()

    def _baseline(self, name: str) -> float:
        """Give the seconds of a program on the engine as it is, where it must pass. CannotRun."""
        with self._lock:
            if name not in self._usual:
                self._usual[name] = self._measured(name)
            return self._usual[name]

    def _measured(self, name: str) -> float:
        try:
            path = self._builds.program(name)
        except NotCompiled as error:
            raise CannotRun(f"{name} does not compile for {self.checker}:\n{error}") from error
        kept = path.with_name("seconds")
        if kept.is_file():
            return float(kept.read_text("utf-8"))
        ran = run_program([*self._front, path], 600)
        if ran.problem:
            raise CannotRun(
                f"{name} fails on the engine as it is, for {self.checker}: {ran.problem}; "
                "so it shows nothing about a broken one"
            )
        write_whole(kept, str(ran.seconds))
        return ran.seconds

    def judge(
        self,
        folder: Path,
        *,
        limit: float | None = None,
        slower_than: float = 0.0,
        faster_than: float | None = None,
        first: Sequence[str] = (),
    ) -> Cell:
        """Run them on a broken engine until one fails.

        ``limit``: no program is begun after so many seconds of running. ``slower_than`` and
        ``faster_than``: of those only that usually take so many seconds. ``first``: of these, the
        ones that run before the others, in this order.
        """
        builds = Builds(self._flavour, folder)
        names = [
            name
            for name in self._names
            if slower_than <= rough_seconds(name)
            and (faster_than is None or rough_seconds(name) < faster_than)
        ]
        names.sort(key=lambda name: first.index(name) if name in first else len(first))
        spent = 0.0
        try:
            for name in names:
                if limit is not None and spent > limit:
                    break
                patience = _PATIENCE + _PATIENCE_FACTOR * self._baseline(name)
                path = builds.program(name)
                ran = run_program([*self._front, path], patience)
                spent += ran.seconds
                if ran.problem:
                    return Cell(self.checker, True, round(spent, 2), name, ran.problem)
        except NotCompiled as error:
            raise CannotRun(f"the broken engine in {folder} does not compile:\n{error}") from error
        finally:
            builds.discard()
        return Cell(self.checker, False, round(spent, 2))


class Histories:
    """Recorded runs, checked, as a checker."""

    checker = HISTORIES

    def __init__(self, seed: int = 0, operations: int = OPERATIONS) -> None:
        """Record on the engine as it is. Raises CannotRun if a history is not linearizable."""
        self._seed = seed
        self._operations = operations
        try:
            path = Builds(PLAIN).recorder()
        except NotCompiled as error:
            raise CannotRun(f"the recorder does not compile:\n{error}") from error
        kept = path.with_name(f"seconds-{operations}")
        if kept.is_file():
            self._usual = float(kept.read_text("utf-8"))
            return
        ran = run_program(self._command(path), 600)
        if ran.problem:
            raise CannotRun(f"a history of the engine as it is is not in order: {ran.problem}")
        self._usual = ran.seconds
        write_whole(kept, str(ran.seconds))

    def _command(self, path: Path) -> list[str | Path]:
        module = "model_check.mutants.recorded"
        return [sys.executable, "-m", module, path, str(self._operations), str(self._seed)]

    def judge(self, folder: Path) -> Cell:
        """Record and check on a broken engine until something is wrong."""
        builds = Builds(PLAIN, folder)
        try:
            path = builds.recorder()
            ran = run_program(self._command(path), 60 + _PATIENCE_FACTOR * self._usual)
        except NotCompiled as error:
            raise CannotRun(f"the broken engine in {folder} does not compile:\n{error}") from error
        finally:
            builds.discard()
        by = "a recorded run" if ran.problem else ""
        return Cell(self.checker, bool(ran.problem), round(ran.seconds, 2), by, ran.problem)


def clean() -> None:
    """Remove what builds have been made of; they are made again when they are needed."""
    shutil.rmtree(cache_folder() / "builds", ignore_errors=True)
