"""The bench rejects wrong indexes before it times them, adds up rightly, says what it cannot do."""

from __future__ import annotations

import fcntl
import io
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from model_check.report import CannotRun
from tests.benching import BENCH, compile_shared, drive, run_script

# isort: split
import bench_native
import bench_python
import bench_report
import bench_side_by_side
import bench_stream
from bench_plan import SETS
from bench_report import Figure, Measurement, Wrong
from bench_side_by_side import SideJob, Slices

if TYPE_CHECKING:
    from collections.abc import Callable

CORE = SETS["core"]


def run_bench(*options: str) -> subprocess.CompletedProcess[str]:
    return run_script("run.py", "--peers", "none", *options)


# ---- the C driver ----


def test_nobody_else_builds_in_a_folder_while_one_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def instead_of_building(_command: object, what: str) -> None:
        asked.append(what)
        with (tmp_path / ".lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    monkeypatch.setattr(bench_native, "run_quietly", instead_of_building)
    bench_native.cmake_build(BENCH, tmp_path, {}, "it")
    assert asked == ["configuring it", "building it"]
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("threads", [1, 3])
def test_every_adapter_does_every_workload_without_a_wrong_answer(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path], threads: int
) -> None:
    groups = driver.groups(list(driver.workloads))
    assert len(groups) == 5  # one for each load: four, and that in batches
    for adapter in [*driver.adapters, str(array_adapter(0))]:
        seen = []
        for workloads in groups if threads > 1 else groups[:1]:
            job = bench_native.Job(adapter, threads, 0, workloads, 20000, 10000, seed=threads)
            for one in bench_native.run_job(driver, job, lambda: None):
                seen.append(one.workload)
                assert one.seconds > 0
                whole = one.workload.startswith("load") or one.workload == "full_scan"
                fewer = 10 if one.workload in {"scan", "scan_short", "ycsb_e"} else 1
                asked = 20000 // threads * threads if whole else 10000 // fewer
                assert asked - threads < one.operations <= asked
        left_out = {"get_many", "get_many_64", "load_batches"} if "in_place" in adapter else set()
        expected = {w for group in (groups if threads > 1 else groups[:1]) for w in group}
        assert sorted(seen) == sorted(expected - left_out)


@pytest.mark.parametrize("bug", [1, 2, 3, 4, 5, 6, 9, 10])
def test_an_adapter_with_a_wrong_answer_is_rejected_before_it_is_timed(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path], bug: int
) -> None:
    done = drive(driver, "--adapter", str(array_adapter(bug)), "--workloads", "load_ascending")
    assert done.returncode == 1
    assert "array gives a wrong answer" in done.stderr
    assert "seed 1" in done.stderr
    assert done.stdout == ""
    with pytest.raises(Wrong, match=r"replay: .*--check"):
        bench_native.check_adapters(driver, [str(array_adapter(bug))], lambda: None)


def test_a_shared_object_that_is_no_adapter_cannot_run(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.c"
    empty.write_text("int nothing;\n")
    cases = {
        str(compile_shared(empty, tmp_path / "empty.so")): "does not export bench_adapter_get",
        str(array_adapter(7)): "is not an adapter of version",
        str(tmp_path / "missing.so"): "cannot load the adapter",
        "nix": "there is no adapter nix; built in are bwtree",
    }
    for adapter, sentence in cases.items():
        with pytest.raises(CannotRun, match=sentence):
            bench_native.check_adapters(driver, [adapter], lambda: None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--keys", "12"], "--keys must be a number from 1000"),
        (["--keys", "5000", "--operations", "1000"], "--keys must be at least 10000 for scan"),
        (["--keys", "3000000000"], "GiB are available: ask for fewer with --keys"),
        (["--workloads", ""], "name a workload at least"),
        (["--keys", "-20000"], "--keys must be a number"),
        (["--threads", "65"], "--threads must be a number from 1 to 64, got 65"),
        (["--threads", ""], "--threads must be a number"),
        (["--workloads", "fly"], "there is no workload fly; there are load_random"),
        (["--workloads", "load_ascending,scan"], "measure them in processes of their own"),
        (["--keys", "10000", "--operations", "10000"], "ten elevenths"),
        (["--colour", "red"], "there is no option --colour"),
    ],
)
def test_the_driver_says_what_is_wrong_with_an_option(
    driver: bench_native.Driver, options: list[str], sentence: str
) -> None:
    done = drive(driver, "--adapter", "bwtree", *options)
    assert done.returncode == 2
    assert sentence in done.stderr


# ---- side by side ----


@pytest.mark.parametrize("threads", [1, 3])
def test_indexes_side_by_side_do_every_workload_in_slices_of_one_size(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path], threads: int
) -> None:
    adapters = ("bwtree", "std_map", str(array_adapter(0)))
    seen = []
    for workloads in driver.groups(CORE):
        job = SideJob(adapters, threads, workloads, 20000, 10000, seed=threads)
        for one in bench_side_by_side.run_job(driver, job, lambda: None):
            seen.append(one.workload)
            assert set(one.seconds) == {"bwtree", "std_map", "array"}
            slices = bench_side_by_side.ROUNDS * len(adapters)
            assert all(len(each) == slices and min(each) > 0 for each in one.seconds.values())
            whole = one.workload.startswith("load") or one.workload == "full_scan"
            total = 20000 if whole else 10000
            total //= 10 if one.workload.startswith("scan") else 1
            in_slice = total // threads // slices
            assert one.operations == threads * (in_slice - in_slice // 4)
    assert sorted(seen) == sorted(CORE)


def side_job(*adapters: str, threads: int = 1) -> SideJob:
    return SideJob(adapters, threads, ("scan",), 20000, 1000, seed=1)


def test_a_wrong_answer_in_a_slice_fails_the_run_and_names_the_index(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path]
) -> None:
    job = SideJob(("bwtree", str(array_adapter(8))), 1, ("get_uniform",), 20000, 10000, seed=4)
    with pytest.raises(
        Wrong, match=r"array gave \d+ wrong answers in get_uniform .*seed 4"
    ) as info:
        bench_side_by_side.run_job(driver, job, lambda: None)
    assert "bwtree gave" not in str(info.value)
    assert "replay:" in str(info.value)
    with pytest.raises(Wrong, match="array gives a wrong answer"):
        bench_side_by_side.check(driver, [side_job("bwtree", str(array_adapter(1)))])


def test_what_cannot_run_side_by_side_gets_a_sentence(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path]
) -> None:
    array = str(array_adapter(0))
    cases = {
        "two indexes are called array": side_job(array, array),
        "name two indexes at least": side_job("bwtree"),
        "is not an adapter of version": side_job("bwtree", str(array_adapter(7))),
        "at least 25600 for 40 slices of 64 threads, got 1000": side_job(
            "bwtree", array, threads=64
        ),
    }
    for sentence, job in cases.items():
        with pytest.raises(CannotRun, match=sentence):
            bench_side_by_side.check(driver, [job])


def test_the_most_operations_side_by_side_leave_a_key_for_each_remove(
    driver: bench_native.Driver, array_adapter: Callable[[int], Path]
) -> None:
    adapters = ("bwtree", str(array_adapter(0)))
    most = bench_side_by_side.most_operations(20000, 3, len(adapters))
    job = SideJob(adapters, 3, ("remove",), 20000, most, seed=2)
    assert len(bench_side_by_side.run_job(driver, job, lambda: None)) == 2
    with pytest.raises(CannotRun, match="ten elevenths"):
        bench_side_by_side.check(driver, [replace(job, operations=most + 100)])


def test_a_ratio_side_by_side_is_taken_within_each_round() -> None:
    # The machine is half as fast in the second round; whoever begins a slice takes 1 s less.
    ours, theirs = [2.0, 3.0, 5.0, 5.0], [5.0, 4.0, 9.0, 9.0]
    one = Slices(
        threads=2,
        workload="get",
        keys=1000,
        operations=1_000_000_000,
        seconds={"bwtree": ours, "other": theirs},
        processor_seconds={"bwtree": theirs, "other": ours},
        others=0.0,
    )
    assert one.times(processor_time=False) == {"bwtree": [5.0, 10.0], "other": [9.0, 18.0]}
    assert one.times(processor_time=True) == {"bwtree": [4.5, 9.0], "other": [2.5, 5.0]}
    ((title, lines),) = bench_side_by_side.sections([one], {"get": "gets"}, processor_time=False)
    assert "1,000 keys, 2 threads" in title
    assert lines[0].ratios == {"other": pytest.approx(1.8)}
    assert "| gets | 7.5 | 13.5 | × 1.800 (1.800–1.800) |" in bench_report.markdown(title, lines)


# ---- the Python side ----


class Forgetful(dict[int, int]):
    """A container that loses every hundredth key, and cannot walk in order."""

    def __setitem__(self, key: int, value: int) -> None:
        if key % 100 != 1:
            super().__setitem__(key, value)

    def irange(self, low: int) -> list[int]:
        return [key for key in self if key >= low]


@pytest.mark.parametrize("name", ["bwtree", "sorteddict"])
def test_python_containers_pass_the_check_and_every_workload(name: str) -> None:
    assert bench_python.check(name, seed=3, steps=3000) is None
    done = subprocess.run(
        [
            *(sys.executable, str(BENCH / "bench_python.py"), "--container", name),
            *("--threads", "2", "--keys", "4000", "--operations", "2000"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert [result["workload"] for result in results] == list(bench_python.WORKLOADS)
    assert not any(result["errors"] for result in results)


def test_a_python_container_with_a_wrong_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_python, "open_container", lambda _name: (Forgetful(), {}))
    sentence = bench_python.check("forgetful", seed=3, steps=3000)
    assert sentence is not None
    assert sentence.startswith("forgetful ")
    assert "seed 3" in sentence


def test_python_ranks_are_zipfian() -> None:
    zipf = bench_stream.Zipf(1000)
    ranks = Counter(zipf.rank(i / 100_000) for i in range(100_000))
    zeta = sum(i**-0.99 for i in range(1, 1001))
    assert ranks[0] / 100_000 == pytest.approx(1 / zeta, rel=0.01)
    assert ranks[1] / 100_000 == pytest.approx(1 / zeta / 2**0.99, rel=0.01)
    assert min(ranks) == 0
    assert max(ranks) < 1000


# ---- figures and tables ----


def measured(index: str, repeat: int, seconds: float, workload: str = "load") -> Measurement:
    taken = 25_000_000 if workload.startswith("load") else None
    return Measurement("C", index, 1, repeat, workload, 1_000_000, seconds, taken)


def test_a_figure_is_the_median_with_the_extremes_beside_it() -> None:
    assert Figure.of([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)
    assert str(Figure.of([3.0, 1.0, 2.0])) == "2 (1–3)"
    assert str(Figure.of([1.2345])) == "1.23"


def test_a_ratio_is_the_median_of_the_ratios_of_the_repeats() -> None:
    # The second repeat ran on a machine half as fast: the ratio of that repeat is the same.
    found = [measured("bwtree", repeat, s) for repeat, s in enumerate((0.5, 1.0, 0.5))]
    found += [measured("other", repeat, s) for repeat, s in enumerate((1.0, 2.0, 1.5))]
    rate, taken = bench_report.rows(found, {"load": "the load"}, processor_time=False)
    assert rate.ratios == {"other": pytest.approx(2.0)}
    assert rate.figures["bwtree"].median == pytest.approx(2.0)
    assert (taken.figures["other"].median, taken.more_is_better) == (25.0, False)


def test_processor_time_is_counted_for_each_thread() -> None:
    # Two threads that each had the processor for a quarter of the two seconds that went by.
    one = Measurement("C", "bwtree", 2, 0, "get", 1_000_000, 2.0, processor_seconds=1.0)
    assert one.rate(processor_time=False) == pytest.approx(0.5)
    assert one.rate(processor_time=True) == pytest.approx(2.0)


def test_tables_put_our_tree_first_and_show_brackets_as_they_are() -> None:
    found = [measured("other", 0, 1.0, "get"), measured("bwtree", 0, 0.5, "get")]
    ((title, lines),) = bench_report.sections(
        found, {"C": {"get": "get, d[key]"}}, processor_time=False
    )
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(bench_report.table(title, lines))
    text = console.export_text()
    assert "get, d[key]" in text
    assert "× 2.00" in text
    assert text.index("bwtree") < text.index("other")
    assert "| get, d[key] | 2 | 1 | × 2.00 |" in bench_report.markdown(title, lines)


# ---- the command ----


def test_the_whole_run_writes_tables_and_figures(
    array_adapter: Callable[[int], Path], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "result.json"
    asked = ("load_random", "get_uniform", "scan")
    done = run_bench(
        *("--keys", "20000", "--threads", "1,2", "--repeats", "1", "--python-keys", "1000"),
        *("--workloads", ",".join(asked), "--adapters", "bwtree", "--latency"),
        *("--extra-adapter", str(array_adapter(0)), "--json", str(file)),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(file.read_text(encoding="utf-8"))
    runs = {(one["part"], one["index"], one["threads"]) for one in result["measurements"]}
    for threads in (1, 2):
        assert {("C", "bwtree", threads), ("C", "array", threads)} <= runs
        assert {("Python", "bwtree", threads), ("Python", "sorteddict", threads)} <= runs
    assert result["machine"]["processors"] >= 1
    beside = {(one["workload"], one["threads"]): one for one in result["side_by_side"]}
    assert beside.keys() == {(workload, t) for workload in asked for t in (1, 2)}
    assert all(set(one["seconds"]) == {"bwtree", "array"} for one in beside.values())
    assert "scan of 100 keys" in done.stdout
    assert "C side by side in one process, 20,000 keys, 2 threads" in done.stdout
    assert "get, uniform: p99.9" in done.stdout
    assert "one access to memory: " in done.stdout
    assert "in accesses to memory of" in file.with_suffix(".md").read_text(encoding="utf-8")
    assert "bwtree : array" in file.with_suffix(".md").read_text(encoding="utf-8")


def test_a_wrong_index_ends_the_run_with_1_and_a_replay(
    array_adapter: Callable[[int], Path], tmp_path: Path
) -> None:
    file = tmp_path / "result.json"
    done = run_bench(
        "--extra-adapter", str(array_adapter(5)), "--keys", "20000", "--json", str(file)
    )
    assert done.returncode == 1
    assert "array gives a wrong answer" in done.stderr
    assert "replay:" in done.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--keys", "12"], "--keys must be at least 1,000, got 12"),
        (["--threads", "1,x"], "--threads must be numbers from 1 to 64 with commas, got 1,x"),
        (["--threads", "0"], "--threads must be numbers"),
        (["--repeats", "0"], "--repeats must be at least 1"),
        (["--operations", "0"], "--operations must be at least 1,000, got 0"),
        (["--json", "."], "--json: . cannot be written; name a file"),
        (["--keys", "900000000000"], "GiB are available: ask for fewer with --keys"),
        (["--extra-adapter", "missing.so"], "there is no such file"),
        (["--engine", "missing"], "is no checkout of bwtree"),
        (["--keys", "20000", "--operations", "20000"], "ten elevenths"),
        (["--side-by-side", "--adapters", "bwtree"], "needs two indexes at least, got only bwtree"),
        (
            ["--side-by-side", "--operations", "1000", "--threads", "9"],
            "--operations (for indexes side by side) must be at least 3,600, got 1,000",
        ),
        (["--keys", "20000", "--workloads", "fly"], "there is no 'fly'; there are load_random"),
        (["--keys", "20000", "--peers", "nix"], "--peers"),
        (["--keys", "20000", "--adapters", "nix"], "there is no 'nix'; there are bwtree"),
    ],
)
def test_bad_input_gets_a_sentence_and_exit_status_2(options: list[str], sentence: str) -> None:
    done = run_bench(*options)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())
