"""`bwcheck bench`: the benchmark of `make bench`, with its options, as one more subcommand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from model_check.report import CannotRun

_PROGRAM = Path(__file__).resolve().parent.parent / "scripts" / "bench" / "run.py"


def bench(context: typer.Context) -> None:
    """Measure the tree beside other maps, in one run, as `make bench` does.

    Takes the benchmark's options, among them --keys, --threads, --workloads, --peers, --repeats,
    --latency, --seed and --json: `make bench ARGS=--help` lists them all.
    """
    if not _PROGRAM.is_file():
        message = f"{_PROGRAM} is not there: the benchmark runs from a checkout of the project"
        raise CannotRun(message)
    done = subprocess.run([sys.executable, str(_PROGRAM), *context.args], check=False)
    if done.returncode != 0:
        raise typer.Exit(done.returncode if done.returncode > 0 else 128 - done.returncode)
