"""The plots in docs are those of the figures kept beside them, for light pages and dark ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from model_check.report import CannotRun
from tests.benching import run_script

# isort: split
import bench_keep
import bench_plots
import svg_chart


def result(keys: int, **changes: Any) -> dict[str, Any]:
    """Give a result as run.py writes it: three repeats of a get and a load by two indexes."""
    measurements = []
    for repeat, slow in enumerate((1.0, 2.0, 1.0)):
        for index, factor in (("bwtree", 1.0), ("std_map", 4.0)):
            for workload in ("load_random", "get_uniform"):
                one = {"part": "C", "index": index, "threads": 1, "repeat": repeat}
                one |= {"workload": workload, "operations": keys, "seconds": slow * factor}
                one |= {"resident_bytes": None, "own_bytes": None, "others": 0.1 * repeat}
                one |= {"written_bytes": None, "user_bytes": None, "latency": None}
                if workload == "load_random":
                    one |= {"resident_bytes": int(20 * factor * keys), "written_bytes": 32 * keys}
                    one |= {"user_bytes": 16 * keys}
                measurements.append(one)
                if workload == "get_uniform":
                    percentiles = {"p50": 100.0, "p90": 200.0, "p99": 400.0, "p99.9": 900.0}
                    measurements.append({**one, "latency": {"operations": 9, **percentiles}})
    document = {
        "schema": 2,
        "command": f"python scripts/bench/run.py --keys {keys}",
        "started": "2026-01-01T00:00:00+00:00",
        "commit": "abc",
        "machine": {"summary": "a machine"},
        "dram_ns": [{"small_pages": 200.0, "huge_pages": 100.0}],
        "keys": keys,
        "measurements": measurements,
    }
    return {**document, **changes}


def write(folder: Path, name: str, document: object) -> Path:
    file = folder / name
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_results_are_condensed_to_medians_and_read_back(tmp_path: Path) -> None:
    run = bench_keep.read_result(write(tmp_path, "a.json", result(1_000_000)))
    bench_keep.write_kept(tmp_path / "kept.json", [run])
    assert bench_keep.read_kept(tmp_path / "kept.json") == [run]
    ours = {
        (one.workload, one.latency is None): one for one in run.figures if one.index == "bwtree"
    }
    assert ours["get_uniform", True].mops == pytest.approx(1.0)
    assert ours["get_uniform", False].mops is None
    assert ours["load_random", True].bytes_a_key == pytest.approx(20)
    assert ours["load_random", True].written == pytest.approx(2)
    assert (run.others, run.dram_ns) == (0.2, 100.0)


def test_all_plots_are_drawn_and_well_formed(tmp_path: Path) -> None:
    results = [write(tmp_path, f"{n}.json", result(10**n)) for n in (4, 5, 6)]
    options = [part for file in results for part in ("--keep", str(file))]
    done = run_script("bench_plots.py", *options, "--folder", str(tmp_path / "plots"))
    assert done.returncode == 0, done.stderr
    drawn = {file.name: file.read_text("utf-8") for file in (tmp_path / "plots").glob("*.svg")}
    assert drawn.keys() == {"speed_1.svg", "memory.svg", "latency_get.svg", "growth.svg"}
    for text in drawn.values():
        ET.fromstring(text)  # noqa: S314 - we have just written it
        assert "@media(prefers-color-scheme:dark)" in text
    assert ">0.25<" in drawn["speed_1.svg"]  # std_map takes four times as long
    assert ">80<" in drawn["memory.svg"]
    assert "one access to memory" in drawn["growth.svg"]


def test_a_chart_of_one_value_and_of_names_with_brackets_is_drawn() -> None:
    axis = svg_chart.decades("ns", [100.0])
    text = svg_chart.lines("a < b & c", axis, axis, {"<x>": [(100.0, 100.0)]})
    assert "<title>a &lt; b &amp; c</title>" in text
    ET.fromstring(text)  # noqa: S314


def test_the_plots_in_docs_are_those_of_the_kept_figures(tmp_path: Path) -> None:
    runs = bench_keep.read_kept(bench_plots.FOLDER / "figures.json")
    drawn = {file.name: file.read_bytes() for file in bench_plots.draw(runs, tmp_path)}
    others = {"lin_length.svg", "lin_concurrency.svg"}  # of bench_lin.py
    files = [file for file in bench_plots.FOLDER.glob("*.svg") if file.name not in others]
    kept = {file.name: file.read_bytes() for file in files}
    assert drawn == kept, "run: make bench-plots"


def test_what_cannot_be_drawn_gets_a_sentence(tmp_path: Path) -> None:
    cases: dict[str, tuple[object, str]] = {
        "old.json": (result(10, schema=1), "is no result of `make bench` in its present form"),
        "empty.json": (result(10, measurements=[]), "holds no measurements"),
    }
    for name, (document, sentence) in cases.items():
        with pytest.raises(CannotRun, match=sentence):
            bench_keep.read_result(write(tmp_path, name, document))
    with pytest.raises(CannotRun, match="cannot be read as JSON"):
        bench_keep.read_kept(tmp_path / "missing.json")
    with pytest.raises(CannotRun, match="is no file of kept figures"):
        bench_keep.read_kept(write(tmp_path, "other.json", {"runs": [{"keys": 1}]}))
    write(tmp_path, "figures.json", {"runs": []})
    done = run_script("bench_plots.py", "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "holds too little for any plot" in done.stderr
