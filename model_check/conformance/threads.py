"""Real threads on the engine at full speed, and what they tell (threads.c)."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from model_check.conformance.order import Timed
from model_check.conformance.trace import read
from model_check.explorer.build import COMPILER, INCLUDE, cache_folder
from model_check.explorer.harness import engine_folder
from model_check.report import CannotRun

_SOURCE = Path(__file__).parent / "threads.c"
_ENGINE = Path(__file__).parents[1] / "explorer" / "engine"
_SECONDS = 60
_INNER_LOG = 2  # threads.c


@dataclass(frozen=True)
class Load:
    """What the threads do; in the order of threads.c's arguments."""

    threads: int = 2
    calls: int = 600
    seed: int = 0
    keys: int = 6
    values: int = 3
    capacity: int = 16
    log: int = 4
    batch: int = 1
    pace: int = 10
    inner: int = 0

    def limits(self) -> dict[str, int]:
        """Give the tree's options that a trace of its structure must know (`inner` is not 0)."""
        return {
            "leaf_capacity": self.capacity,
            "leaf_log": self.log,
            "inner_capacity": self.inner,
            "inner_log": _INNER_LOG,
        }

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.threads} threads with {self.calls} calls each, seed {self.seed}"


def build(*, folder: Path | None = None, compiler: str = COMPILER) -> Path:
    """Build threads.c with the library; gives the executable. Raises CannotRun."""
    folder = folder or engine_folder()
    sources = [
        _SOURCE,
        _ENGINE / "scalar.c",
        *(p for p in sorted((folder / "src").glob("*.c")) if not p.name.startswith("search_avx")),
    ]
    digest = hashlib.sha256(compiler.encode())
    for path in [
        *sources,
        *sorted(folder.rglob("*.h")),
        *sorted(folder.rglob("*.inc")),
        *sorted(_ENGINE.glob("*.h")),
    ]:
        digest.update(path.read_bytes())
    target = cache_folder() / f"threads-{digest.hexdigest()[:24]}"
    if target.is_file():
        return target
    made = target.with_suffix(f".{os.getpid()}")  # another process may make the same
    command = [
        *(compiler, "-std=gnu11", "-O2", "-g", "-DBW_EVENTS", "-Wall", "-Wextra", "-Werror"),
        *(f"-I{INCLUDE}", f"-I{folder / 'include'}", f"-I{folder / 'src'}", f"-I{_ENGINE}"),
        *(str(path) for path in sources),
        *("-lpthread", "-o", str(made)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"conformance/threads.c does not compile with {compiler}:\n{done.stderr}"
        raise CannotRun(message)
    made.replace(target)
    return target


def run(executable: Path, load: Load) -> list[list[Timed]]:
    """Run the threads; give each one's events. Raises CannotRun when they end with an error."""
    arguments = [str(number) for number in astuple(load)]
    try:
        done = subprocess.run(
            [executable, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"{load} have not come to their end in {_SECONDS} s"
        raise CannotRun(message) from error
    if done.returncode != 0:
        message = f"{load} ended with code {done.returncode}: {done.stderr.strip()}"
        raise CannotRun(message)
    return split(done.stdout.splitlines())


def split(lines: Sequence[str]) -> list[list[Timed]]:
    """Read the lines that threads.c prints: the events of each thread."""
    threads: dict[int, list[Timed]] = {}
    for line in lines:
        thread, time, *rest = map(int, line.split())
        for event in read([(thread, *rest)]):
            threads.setdefault(thread, []).append(Timed(time, event))
    return list(threads.values())
