"""The plots of checks show what was measured; wrong verdicts are not measured at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import bench_lin
import bench_lin_clients
import pytest
from typer.testing import CliRunner

from model_check.linearizability import Outcome, judge

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(bench_lin.app, list(arguments))
    return done.exit_code, " ".join(done.output.split())


def test_one_command_measures_keeps_the_figures_and_draws(tmp_path: Path) -> None:
    small = ["--operations", "2000", "--clients", "2", "--rounds", "2", "--folder", str(tmp_path)]
    code, said = run(*small)
    assert code == 0, said
    points = bench_lin.read_points(tmp_path / "lin.json")
    assert {point.x for point in points if point.plot == "length"} == {1000, 2000}
    assert {point.x for point in points if point.plot == "concurrency"} == {1, 2}
    assert all(len(point.seconds) == 2 and point.undecided == 0 for point in points)
    plots = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    assert set(plots) == {"lin_length.svg", "lin_concurrency.svg"}
    for path in tmp_path.glob("*.svg"):
        assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - of our own making
    assert run("--draw", "--folder", str(tmp_path))[0] == 0
    assert plots == {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}


def test_the_plots_in_docs_are_those_of_the_kept_figures(tmp_path: Path) -> None:
    kept = bench_lin.FOLDER
    for path in bench_lin.draw(bench_lin.read_points(kept / "lin.json"), tmp_path):
        assert path.read_bytes() == (kept / path.name).read_bytes()


@pytest.mark.parametrize("clients", [1, 3, 16])
def test_simulated_clients_are_always_busy_and_right(clients: int) -> None:
    parts = bench_lin_clients.key_of_a_map(480, clients, 5)
    assert len(parts) == 480
    middle = sorted(part.invoked for part in parts)[240]
    beside = sum(part.invoked <= middle <= part.responded for part in parts)
    assert clients - 1 <= beside <= clients
    assert judge(parts) is not None
    assert judge(parts)[0] is Outcome.OK  # type: ignore[index]
    for wrong, outcome in ((False, Outcome.OK), (True, Outcome.VIOLATION)):
        few = bench_lin_clients.register(48, min(clients, 4), 5, wrong=wrong)
        found = judge(few, 0)
        assert found is not None
        assert found[0] is outcome


def test_a_wrong_verdict_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make, calls, _ = bench_lin._SERIES["search, one read wrong"]
    monkeypatch.setitem(bench_lin._SERIES, "search, one read wrong", (make, calls, True))
    small = ["--operations", "1000", "--clients", "1", "--rounds", "1", "--folder", str(tmp_path)]
    code, said = run(*small)
    assert code == 1
    assert "wrong verdict: search, one read wrong, 1 clients, seed 1" in said
    assert not list(tmp_path.iterdir())


def test_what_was_not_decided_is_kept_and_ends_its_line(tmp_path: Path) -> None:
    point = bench_lin.of_clients("search, one read wrong", 64, 1_000, 1, 1, 0.01)
    assert (point.undecided, point.median) == (1, None)
    decided = bench_lin.Point("concurrency", "search", 2, 10, [0.5])
    length = bench_lin.Point("length", "1 key", 10, 10, [0.5, 0.25])
    _, drawn = bench_lin.draw([length, decided, point], tmp_path)
    assert "one read wrong" not in drawn.read_text(encoding="utf-8")


def test_bad_input_is_told(tmp_path: Path) -> None:
    at = ["--folder", str(tmp_path), "--draw"]
    code, said = run(*at)
    assert code == 2
    assert "cannot be read (No such file or directory): measure them" in said
    kept = tmp_path / "lin.json"
    for text in ("{", "{}", '{"points": [{"plot": 1}]}'):
        kept.write_text(text, encoding="utf-8")
        code, said = run(*at)
        assert code == 2
        assert "holds no figures of bench_lin.py" in said
    kept.write_text(json.dumps({"points": []}), encoding="utf-8")
    assert "there are no figures over length" in run(*at)[1]
    assert run("--operations", "10")[0] == 2
    assert run("--clients", "65")[0] == 2
