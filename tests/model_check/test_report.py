"""The summary is the worst of its parts, and its totals are the sums of theirs."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from model_check.report import (
    TOTALS,
    CannotRun,
    Section,
    Verdict,
    document,
    summary_table,
    totals,
    write_json,
)

if TYPE_CHECKING:
    from pathlib import Path


def section(name: str, verdict: Verdict = Verdict.GREEN, **figures: int) -> Section:
    return Section(name, verdict, figures, [{"case": name, "seconds": 1.5}], 1.5)


@pytest.mark.parametrize(
    ("verdicts", "worst", "code"),
    [
        ([Verdict.GREEN, Verdict.GREEN], Verdict.GREEN, 0),
        ([Verdict.GREEN, Verdict.BROKEN], Verdict.BROKEN, 2),
        ([Verdict.BROKEN, Verdict.RED, Verdict.GREEN], Verdict.RED, 1),
        ([], Verdict.BROKEN, 2),
    ],
)
def test_the_worst_part_decides(verdicts: list[Verdict], worst: Verdict, code: int) -> None:
    assert Verdict.worst(verdicts) is worst
    assert worst.exit_code == code


def test_totals_add_up_over_parts_and_are_zero_where_nobody_reports() -> None:
    sums = totals([section("tlc", configs=2, mutants=3), section("lin", mutants=7, own=9)])
    assert sums["configs"] == 2
    assert sums["mutants"] == 10
    assert sums["executions"] == 0
    assert list(sums) == list(TOTALS)


def test_the_table_shows_each_part_and_all() -> None:
    console = Console(width=200, file=io.StringIO())
    with console.capture() as captured:
        console.print(summary_table([section("tlc", states=12345), section("lin", Verdict.RED)]))
    text = captured.get()
    assert text.count("12,345") == 2  # tlc, and all
    assert len(re.findall(r"\bred\b", text)) == 2  # lin, and all


def test_the_file_holds_the_same_figures(tmp_path: Path) -> None:
    path = tmp_path / "new" / "summary.json"
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)
    parts = [section("tlc", configs=2)]
    write_json(path, document(parts, command="bwcheck all", seed=7, started=now, seconds=2.0))
    read = json.loads(path.read_text(encoding="utf-8"))
    assert (read["schema"], read["seed"], read["verdict"], read["exit_code"]) == (1, 7, "green", 0)
    assert read["totals"]["configs"] == 2
    assert read["sections"][0]["rows"] == [{"case": "tlc", "seconds": 1.5}]
    assert [p.name for p in path.parent.iterdir()] == ["summary.json"]


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match=r"cannot write the results to .*choose another --json"):
        write_json(tmp_path / "file" / "summary.json", {})
