"""Builds of the C library for tests: each preset once a run, whichever worker is first."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def run(*command: str | Path, cwd: Path = ROOT, timeout: float = 300) -> str:
    """Run a command with .venv's tools in front of the PATH; give its output, or fail with it."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    line = " ".join(map(str, command))
    assert done.returncode == 0, f"`{line}` in {cwd} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@cache
def built(preset: str) -> Path:
    """Build a preset of CMakePresets.json under build/; give its folder."""
    folder = ROOT / "build" / preset
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Workers of pytest-xdist are processes: the second one finds everything up to date.
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("cmake", "--preset", preset)
        run("cmake", "--build", "--preset", preset)
    return folder
