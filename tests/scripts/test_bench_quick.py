"""bench-quick tells slower from faster, and is sure of it as often as it says."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from model_check.report import CannotRun
from tests.benching import run_script

# isort: split
import bench_native
import bench_quick
import bench_side_by_side
from bench_quick import Comparison
from bench_side_by_side import SideJob, Slices


def slices(ours: list[float], theirs: list[float]) -> Slices:
    pairs = {
        "bwtree": [x for x in ours for _ in range(2)],
        "before": [x for x in theirs for _ in range(2)],
    }
    return Slices(1, "get_uniform", 1000, 10**9, pairs, pairs, 0.0)


def test_the_interval_holds_the_median_as_often_as_promised() -> None:
    chance = random.Random(4)
    for n in (6, 20, 61):
        held = 0
        for _ in range(2000):
            low, high = bench_quick.median_interval([chance.expovariate(1) for _ in range(n)])
            held += low <= 0.6931471805599453 <= high
        assert held / 2000 >= 0.94, n
    assert bench_quick.median_interval(range(1, 21)) == (6, 15)  # as in tables of order statistics


def test_a_tree_that_became_slower_is_told_from_noise() -> None:
    chance = random.Random(7)
    before = [chance.uniform(0.9, 1.1) for _ in range(40)]
    slower = Comparison.of("get_uniform", [slices([x * 1.2 for x in before], before)])
    assert slower.ratio == pytest.approx(1 / 1.2)
    assert slower.verdict(0.03) == "slower"
    faster = Comparison.of("get_uniform", [slices([x * 0.8 for x in before], before)])
    assert faster.verdict(0.03) == "faster"
    noise = [x * chance.uniform(0.995, 1.005) for x in before]
    assert Comparison.of("get_uniform", [slices(noise, before)]).verdict(0.03) == "as fast"
    wild = [x * chance.uniform(0.5, 1.5) for x in before]
    assert Comparison.of("get_uniform", [slices(wild, before)]).verdict(0.03) == "not sure"


def test_what_is_no_commit_gets_a_sentence() -> None:
    with pytest.raises(CannotRun, match="'no-such-commit' is no commit of this repository"):
        bench_quick.checkout("no-such-commit")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--keys", "12"], "--keys"),
        (["HEAD", "--workloads", "fly"], "there is no 'fly'"),
    ],
)
def test_bad_input_ends_with_2(options: list[str], sentence: str) -> None:
    done = run_script("bench_quick.py", *options)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_tree_beside_itself_takes_turns_in_one_process(
    driver: bench_native.Driver, tmp_path: Path
) -> None:
    # Both from one folder, which compiles the engine only once.
    folder = tmp_path / "built"
    now = tmp_path / "now.so"
    shutil.copy(bench_quick.build_tree(bench_native.ROOT, "bwtree", folder), now)
    before = bench_quick.build_tree(bench_native.ROOT, "before", folder)
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", now], capture_output=True, text=True, check=True
    )
    assert [line.split()[-1] for line in symbols.stdout.splitlines()] == ["bench_adapter_get"]
    job = SideJob((str(now), str(before)), 2, ("get_uniform",), 20000, 10000, seed=1)
    found = bench_side_by_side.run_job(driver, job, lambda: None)
    one = Comparison.of("get_uniform", [each for each in found if each.workload == "get_uniform"])
    assert 0.2 < one.ratio < 5
