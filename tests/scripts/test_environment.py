"""scripts/environment.sh says in one sentence what the machine lacks, before it does anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "environment.sh"
TOOLS = ("bash", "dirname", "cat", "sha256sum", "touch", "rm", "cc")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder that looks like a checkout, with a bin of its own for the PATH."""
    (tmp_path / "check out" / "scripts").mkdir(parents=True)
    (tmp_path / "check out" / "bin").mkdir()
    shutil.copy(SCRIPT, tmp_path / "check out" / "scripts")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "check out" / "bin" / tool).symlink_to(found)
    return tmp_path / "check out"


def python(place: Path, name: str, answers: str) -> Path:
    """Put a program that answers as a Python would on the PATH; ``answers`` are cases of sh."""
    program = place / "bin" / name
    program.write_text(f'#!/bin/sh\ncase "$*" in\n{answers}\nesac\n')
    program.chmod(0o755)
    return program


def run(place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(place / "bin"), "HOME": str(place), **variables}
    return subprocess.run(
        [place / "scripts" / "environment.sh"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], place: Path, *sentence: str) -> None:
    assert done.returncode == 2, done
    assert done.stderr.startswith("bwtree: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for part in sentence:
        assert part in done.stderr
    assert not (place / ".venv").exists()


def test_no_python_at_all(place: Path) -> None:
    assert_refused(run(place), place, "Python 3.10 or later was not found")


def test_only_an_old_python(place: Path) -> None:
    python(place, "python3", "*version_info*) exit 1;;\n-V) echo Python 3.8.1;;")
    assert_refused(run(place), place, "Python 3.10 or later was not found")
    assert_refused(run(place, PYTHON="python3"), place, "PYTHON=python3 is Python 3.8.1")


def test_a_newer_python_is_found_beside_an_old_one(place: Path) -> None:
    python(place, "python3", "*version_info*) exit 1;;")
    python(place, "python3.12", "*version_info*) exit 0;;\n*ensurepip*) exit 1;;")
    assert_refused(run(place), place, "python3.12 has no venv module", "python3-venv")


def test_a_python_that_is_not_there(place: Path) -> None:
    done = run(place, PYTHON="/nowhere/python3")
    assert_refused(done, place, "PYTHON=/nowhere/python3 was not found")


def test_no_headers(place: Path) -> None:
    python(place, "python3", "*sysconfig*) echo /nowhere/include;;")
    assert_refused(run(place), place, "Python.h is missing", "/nowhere/include", "python3-dev")


def test_no_compiler(place: Path) -> None:
    (place / "bin" / "python3").symlink_to(sys.executable)
    (place / "bin" / "cc").unlink()
    assert_refused(run(place), place, "no C compiler: 'cc' was not found")
    assert_refused(run(place, CC="nocc -O2"), place, "no C compiler: 'nocc -O2'")


def test_another_python_than_that_of_an_existing_venv_is_refused(place: Path) -> None:
    (place / ".venv" / "bin").mkdir(parents=True)
    python(place, "../.venv/bin/python", "-V) echo Python 3.11.9;;")
    python(place, "python3.13", "-V) echo Python 3.13.0;;")
    done = run(place, PYTHON="python3.13")
    assert done.returncode == 2
    assert ".venv was made with Python 3.11.9, not Python 3.13.0" in done.stderr
    assert "make distclean" in done.stderr
