"""The C tests: each tests/c/test_*.c is a program that must end with 0 (77: cannot run here)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.building import built

HERE = Path(__file__).resolve().parent
PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))
CANNOT_RUN = 77


def test_there_are_c_tests() -> None:
    assert PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS)
def test_c_program(program: str) -> None:
    path = built("debug") / "tests" / program
    done = subprocess.run(
        [path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    if done.returncode == CANNOT_RUN:
        pytest.skip(done.stdout.strip())
    replay = os.path.relpath(path, HERE.parent.parent)
    assert done.returncode == 0, f"{replay} ended with {done.returncode}:\n{done.stdout}"
