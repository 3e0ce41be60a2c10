"""scripts/shrink.py shows what it promises, and says what is wrong with its options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "shrink.py"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False
    )


def test_a_tree_that_is_emptied_and_a_queue_keep_their_bounds() -> None:
    result = run("--keys", "50k", "--queue", "2k", "--operations", "80k")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "50,000 random keys" in result.stdout
    assert "after 80,000" in result.stdout
    assert "WRONG" not in result.stdout


def test_a_number_that_is_none_is_an_error_that_says_so() -> None:
    result = run("--keys", "many")
    assert result.returncode == 2
    assert "'many' is not a number" in result.stdout + result.stderr
