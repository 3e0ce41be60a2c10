"""Running the cells on pytest-xdist, and watching the results come in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.console import Reporter, output, progress
from model_check.report import CannotRun, Section, Verdict
from model_check.stress.farm_test import PLAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_check.report import Scalar
    from model_check.stress.grid import Cell

#: Where the rows and the histories that failed are kept.
FOLDER = Path("build/check/stress")

_POLL = 0.2
#: A cell holds its records and its parts: bytes an operation, generously.
_BYTES_AN_OPERATION = 600
_TESTS_FAILED = 1


def default_jobs(operations: int) -> int:
    """Give as many processes as there are pairs of cores, and memory.

    A core each would be faster, but then the threads of a run would take turns instead of racing.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores // 2, memory // 2 // (operations * _BYTES_AN_OPERATION + 1)))


def run_farm(cells: Sequence[Cell], operations: int, jobs: int | None = None) -> Section:
    """Run ``cells``, ``jobs`` at once, and give the section. CannotRun if pytest cannot."""
    begin = time.monotonic()
    jobs = jobs or default_jobs(operations)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=FOLDER) as name:
        folder = Path(name).resolve()
        plan = folder / "plan"
        contents = {
            "cells": [cell.name for cell in cells],
            "operations": operations,
            "folder": str(folder),
        }
        plan.write_text(json.dumps(contents), encoding="utf-8")
        log = folder / "log"
        with log.open("wb") as sink, progress("stress", len(cells)) as reporter:
            process = _start(plan, jobs, sink.fileno())
            try:
                rows = _watch(process, folder, cells, reporter)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        said = log.read_text(encoding="utf-8", errors="replace")
        kept = _keep_histories(folder)
    if process.returncode not in {0, _TESTS_FAILED} or (process.returncode == 0 and not rows):
        tail = "\n".join(said.strip().splitlines()[-15:])
        raise CannotRun(f"pytest ended with {process.returncode} and said:\n{tail}")
    return _section(cells, rows, jobs, time.monotonic() - begin, said, kept)


def _start(plan: Path, jobs: int, sink: int) -> subprocess.Popen[bytes]:
    test = Path(__file__).with_name("farm_test.py")
    command = [sys.executable, "-m", "pytest", str(test), "-n", str(jobs), "-q", "-rN"]
    command += ["--dist=worksteal", "--noconftest", "-p", "no:cacheprovider", "-o", "addopts="]
    command += [
        "--tb=short",
        f"--rootdir={test.parent}",
        "-c",
        os.devnull,
        "--import-mode=importlib",
    ]
    # `python -m` puts the current folder first on the path: let it be where this package is from.
    home = Path(__file__).resolve().parent.parent.parent
    return subprocess.Popen(
        command,
        stdout=sink,
        stderr=subprocess.STDOUT,
        env={**os.environ, PLAN: str(plan)},
        cwd=home,
    )


def _watch(
    process: subprocess.Popen[bytes], folder: Path, cells: Sequence[Cell], reporter: Reporter
) -> list[dict[str, Scalar]]:
    rows: dict[str, dict[str, Scalar]] = {}
    ended = False
    while not ended:
        ended = process.poll() is not None
        for cell in cells:
            path = folder / f"{cell.name}.json"
            if cell.name in rows or not path.exists():
                continue
            row = rows[cell.name] = json.loads(path.read_text(encoding="utf-8"))
            total = sum(int(r.get("checked") or 0) for r in rows.values())
            reporter.step(
                f"{cell.name}: {row['outcome']}, {row['seconds']} s; {total:,} operations checked"
            )
        reporter.now(f"{len(rows)} of {len(cells)} cells done")
        time.sleep(0 if ended else _POLL)
    return [rows[cell.name] for cell in cells if cell.name in rows]


def _keep_histories(folder: Path) -> list[Path]:
    """Move the histories that failed out of the folder that goes away."""
    kept = []
    for path in sorted((folder / "histories").glob("*.bwh")):
        path.replace(FOLDER / path.name)
        kept.append(FOLDER / path.name)
    return kept


def _section(
    cells: Sequence[Cell],
    rows: list[dict[str, Scalar]],
    jobs: int,
    seconds: float,
    said: str,
    kept: Sequence[Path],
) -> Section:
    problems = [_where_kept(str(row["problem"]), kept) for row in rows if row.get("problem")]
    verdicts = [_verdict(row) for row in rows]
    missing = {cell.name for cell in cells} - {str(row["name"]) for row in rows}
    for name in sorted(missing):
        # A worker that died took its process with it: so looks a crash of the library.
        problems.append(
            f"{name}: the process died, or its threads never ended; "
            f"replay: bwcheck stress --cell {name}"
        )
        verdicts.append(Verdict.RED)
    if missing:
        output().print("\n".join(said.strip().splitlines()[-30:]), markup=False)
    return Section(
        name="stress",
        verdict=Verdict.worst(verdicts),
        figures={
            "histories": len(rows),
            "operations_recorded": sum(int(row.get("operations") or 0) for row in rows),
            "operations_checked": sum(int(row.get("checked") or 0) for row in rows),
            "page_reads_checked": sum(int(row.get("page_reads") or 0) for row in rows),
            "cells": len(cells),
            "processes": jobs,
        },
        rows=rows,
        seconds=seconds,
        problems=problems,
    )


def _verdict(row: dict[str, Scalar]) -> Verdict:
    outcomes = {"linearizable": Verdict.GREEN, "unknown": Verdict.BROKEN}
    return outcomes.get(str(row["outcome"]), Verdict.RED)


def _where_kept(problem: str, kept: Sequence[Path]) -> str:
    words = problem.split("; ")
    for path in kept:
        words = [
            f"see it: bwcheck lin {path}" if w.startswith("see it:") and path.name in w else w
            for w in words
        ]
    return "; ".join(words)
