"""Batches of numpy keys are measured both ways, and a wrong answer is not measured at all."""

from __future__ import annotations

import bench_numpy
import pytest
from typer.testing import CliRunner


def test_each_kind_of_batch_is_timed_in_c_and_in_python() -> None:
    done = CliRunner().invoke(
        bench_numpy.app, ["--keys", "2000", "--batch", "1000", "--rounds", "5"]
    )
    assert done.exit_code == 0
    assert "get, keys in random order" in done.output
    assert "put, ascending keys" in done.output


@pytest.mark.parametrize("way", ["in_c", "in_python"])
def test_a_wrong_answer_ends_it(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_numpy.Batches, way, lambda *_: 1)
    batches = bench_numpy.Batches(2000, 1000)
    for kind in ("get_many", "put_many"):
        with pytest.raises(bench_numpy.Wrong, match=f"{kind} of 1000 keys, seed 1"):
            batches.round(kind, 1)


def test_too_few_rounds_are_refused() -> None:
    done = CliRunner().invoke(bench_numpy.app, ["--rounds", "1"])
    assert done.exit_code == 2
    assert "5" in done.output
