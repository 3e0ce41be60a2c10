"""What the tests of the benchmark share: its driver, and an index to plant bugs in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent / "scripts" / "bench"
sys.path.insert(0, str(BENCH))

import bench_native  # noqa: E402

ARRAY = Path(__file__).resolve().parent / "scripts" / "bench_array.c"


def compile_shared(source: Path, target: Path, *options: str) -> Path:
    command = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared"]
    command += [f"-I{BENCH}", *options, "-o", str(target), str(source), "-lm", "-lpthread"]
    subprocess.run(command, check=True)
    return target


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> bench_native.Driver:
    """Build the driver once for all tests of a worker."""
    return bench_native.build(tmp_path_factory.mktemp("bench") / "driver", bench_native.ROOT)


@pytest.fixture(scope="session")
def array_adapter(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Give the array adapter with a planted bug (0: none)."""
    folder = tmp_path_factory.mktemp("adapters")

    def compile_with(bug: int) -> Path:
        return compile_shared(ARRAY, folder / f"array{bug}.so", f"-DBUG={bug}")

    return compile_with


def drive(driver: bench_native.Driver, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [driver.program, *options], capture_output=True, text=True, check=False, timeout=120
    )


def run_script(name: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the benchmark's programs as `make` does."""
    return subprocess.run(
        [sys.executable, BENCH / name, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
