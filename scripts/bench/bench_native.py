"""The C driver from Python: build it, ask what it can do, run one process of it.

One process measures one index with one number of threads; see driver.c. The second program that is
built measures several indexes in one process; bench_side_by_side.py runs it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench_report import Measurement, Wrong

from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

#: The load whose keys most workloads work on.
RANDOM = "load_random"


@dataclass(frozen=True)
class Driver:
    """The built driver, its adapters and its workloads (name: description)."""

    program: Path
    adapters: dict[str, str]
    workloads: dict[str, str]
    loads: dict[str, str]  # of each workload: whose keys it works on

    def groups(self, workloads: Sequence[str]) -> list[tuple[str, ...]]:
        """Part workloads into those of one load, which one process can do."""
        loads = dict.fromkeys(self.loads[name] for name in workloads)
        return [tuple(w for w in workloads if self.loads[w] == load) for load in loads]

    @property
    def side_by_side(self) -> Path:
        """The program that measures several indexes in one process."""
        return self.program.with_name("bench_side_by_side")


def tool(name: str) -> str:
    """Find a program beside this Python (a wheel brings it there) or on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if found is None:
        message = f"{name} is not installed; install it, or run `make bench`, which does"
        raise CannotRun(message)
    return found


def run_quietly(command: Sequence[str], what: str) -> None:
    """Run a command that builds something; CannotRun with the end of what it said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        message = f"{what} failed with exit status {done.returncode}:\n{tail}"
        raise CannotRun(message)


def cmake_build(source: Path, folder: Path, settings: dict[str, str], what: str) -> None:
    """Build a CMake project in ``folder``.

    Of several processes that want the same folder one builds, and the others find it up to date.
    """
    cmake = tool("cmake")
    configure = [cmake, "-S", str(source), "-B", str(folder)]
    configure += [f"-D{name}={value}" for name, value in settings.items()]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "CMakeCache.txt").is_file():
            configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
        run_quietly(configure, f"configuring {what}")
        run_quietly([cmake, "--build", str(folder)], f"building {what}")


def build(folder: Path, engine: Path) -> Driver:
    """Build the driver with the tree of the checkout at ``engine`` in ``folder``."""
    if not (engine / "CMakeLists.txt").is_file():
        message = f"{engine} is no checkout of bwtree: it has no CMakeLists.txt"
        raise CannotRun(message)
    cmake_build(HERE, folder, {"BENCH_ENGINE_DIR": str(engine)}, "the bench driver")
    return describe(folder / "bench_driver")


def describe(program: Path) -> Driver:
    """Ask a built driver for its adapters and workloads."""
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    driver = Driver(program, {}, {}, {})
    for line in listing.splitlines():
        kind, name, rest = line.split(" ", 2)
        if kind == "adapter":
            driver.adapters[name] = rest
        else:
            driver.loads[name], _user_bytes, driver.workloads[name] = rest.split(" ", 2)
    return driver


def dram(driver: Driver) -> dict[str, float]:
    """Measure what one access to memory costs now, in ns, with small pages and with huge ones."""
    out, _others = run_process([str(driver.program), "--dram"], lambda: None)
    measured: dict[str, float] = json.loads(out)
    return measured


def program_of(driver: Driver, adapter: str) -> list[str]:
    """Give the program, with its first options, that measures an adapter: the driver, or Java's."""
    path = Path(adapter)
    if path.suffix != ".class":
        return [str(driver.program), "--adapter", adapter]
    # Half of the memory for the heap: the collector needs room.
    heap = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 >> 20
    java = ["java", f"-Xmx{heap}m", "-XX:+UseParallelGC", "-cp", str(path.parent)]
    return [*java, path.stem]


def load_options(threads: int, keys: int, operations: int, seed: int) -> list[str]:
    """Give the options that both programs have: how much to do, and which."""
    return [
        *("--threads", str(threads)),
        *("--keys", str(keys)),
        *("--operations", str(operations)),
        *("--seed", str(seed)),
    ]


@dataclass(frozen=True)
class Job:
    """One process: one index, one number of threads, one repeat, some workloads."""

    adapter: str  # a name, or the path of a shared object
    threads: int
    repeat: int
    workloads: tuple[str, ...]
    keys: int
    operations: int
    seed: int
    latency: bool = False

    def command(self, driver: Driver) -> list[str]:
        """Give the command line that runs, and replays, this job."""
        load = driver.loads[self.workloads[0]]
        return [
            *program_of(driver, self.adapter),
            *load_options(self.threads, self.keys, self.operations, self.seed),
            *("--workloads", ",".join(dict.fromkeys((load, *self.workloads)))),
            *(["--latency"] if self.latency else []),
        ]


class Bystanders:
    """How busy the processors are with anything but our own child processes."""

    def __init__(self) -> None:
        """Start looking."""
        self._started = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float]:
        ticks = os.sysconf("SC_CLK_TCK")
        try:
            first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
            fields = [int(field) / ticks for field in first[1:9]]
        except (OSError, ValueError, IndexError):
            fields = [0.0] * 8
        idle = fields[3] + fields[4]
        times = os.times()
        return time.monotonic(), sum(fields) - idle, times.children_user + times.children_system

    def share(self) -> float:
        """Give the share of all processors, 0 to 1, that others took since the start."""
        wall, busy, own = (now - then for now, then in zip(self._now(), self._started, strict=True))
        return max(0.0, min(1.0, (busy - own) / (wall * (os.cpu_count() or 1)))) if wall else 0.0


def run_process(command: Sequence[str], waiting: Callable[[], None]) -> tuple[str, float]:
    """Run one measuring process; give its standard output and the bystanders' share.

    ``waiting`` is called a few times a second. Raises Wrong when the process found a wrong
    answer and CannotRun when it could not measure. The process ends with this call, however
    the call ends.
    """
    bystanders = Bystanders()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while True:
                try:
                    out, err = process.communicate(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    waiting()
        finally:
            if process.poll() is None:
                process.kill()
    sentence = err.strip() or f"no message, exit status {process.returncode}"
    if process.returncode == 1:
        message = f"{sentence}\nreplay: {' '.join(command)}"
        raise Wrong(message)
    if process.returncode != 0:
        if process.returncode < 0:
            sentence = f"{' '.join(command)} was ended by signal {-process.returncode}"
        raise CannotRun(sentence)
    return out, bystanders.share()


def check_adapters(driver: Driver, adapters: Sequence[str], waiting: Callable[[], None]) -> None:
    """Make sure that every adapter can be loaded and answers rightly, before anything is timed."""
    for adapter in adapters:
        run_process([*program_of(driver, adapter), "--check"], waiting)


def run_job(driver: Driver, job: Job, waiting: Callable[[], None]) -> list[Measurement]:
    """Run one job and give what it measured."""
    out, others = run_process(job.command(driver), waiting)
    document = json.loads(out)
    return [
        Measurement(
            part="C",
            index=document["adapter"],
            threads=job.threads,
            repeat=job.repeat,
            workload=result["workload"],
            operations=result["operations"],
            seconds=result["seconds"],
            resident_bytes=result.get("resident_bytes"),
            own_bytes=result.get("own_bytes") or None,
            processor_seconds=result["processor_seconds"],
            others=others,
            written_bytes=result.get("written_bytes"),
            user_bytes=result.get("user_bytes"),
            latency=result.get("latency"),
        )
        for result in document["results"]
    ]
