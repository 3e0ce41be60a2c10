"""`bwcheck litmus`: verdict, rows, differences in words, programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from model_check.axioms import command
from model_check.axioms.gold import find
from model_check.axioms.litmus import litmus
from model_check.cli import app
from model_check.console import output
from model_check.report import Verdict

if TYPE_CHECKING:
    from pathlib import Path

runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_tests_without_a_difference_are_green_and_the_json_file_agrees(tmp_path: Path) -> None:
    path = tmp_path / "litmus.json"
    done = runner.invoke(app, ["litmus", "--test", "SB+*", "--random", "1", "--json", str(path)])
    assert done.exit_code == 0, done.output
    result = json.loads(path.read_text(encoding="utf-8"))
    (section,) = result["sections"]
    assert (section["name"], section["verdict"]) == ("litmus", "green")
    rows = {(row["test"], row["model"]): row["outcomes"] for row in section["rows"]}
    assert rows["SB+rlx", "rc11"] == "a=0 b=0; a=0 b=1; a=1 b=0; a=1 b=1"
    assert rows["SB+rlx", "sc"] == "a=0 b=1; a=1 b=0; a=1 b=1"
    assert ("arbitrary(0, plain=True)", "rc11") in rows
    assert section["figures"]["litmus_random"] == 1


def test_gold_that_is_wrong_is_red_and_the_difference_is_told() -> None:
    wrong = litmus("wrong", "x.rlx = 1", "a = x.rlx", sees="a", sc="1", why="0 is missing")
    section = command.check([wrong], range(0), output())
    assert section.verdict is Verdict.RED
    assert "wrong under sc: x.rlx = 1 || a = x.rlx" in section.problems[0]
    assert "the axioms allow a=0; a=1, and it should be a=1" in section.problems[0]


def test_a_race_is_named_where_outcomes_would_stand() -> None:
    section = command.check([find("race+two_writes")], range(0), output())
    assert section.verdict is Verdict.GREEN
    assert {row["outcomes"] for row in section.rows} == {"a data race"}


def test_a_name_that_no_test_has_is_exit_code_2() -> None:
    done = runner.invoke(app, ["litmus", "--test", "nothing"])
    assert done.exit_code == 2
    assert "no litmus test is called nothing" in done.output


def test_programs_are_printed_on_demand() -> None:
    done = runner.invoke(app, ["litmus", "--test", "CoRR", "--program"])
    assert done.exit_code == 0
    assert 'bwx_outcome("a=%d b=%d", seen_a, seen_b);' in done.output


def test_each_axiom_that_is_left_out_is_missed_by_some_test_of_the_gold() -> None:
    section = command.check([find("CoRR"), find("SB+sc")], range(0), output(), mutants=True)
    rows = {row["mutant"]: row for row in section.rows if "mutant" in row}
    assert rows["RC11 without coherence"]["test"] == "CoRR"
    assert rows["RC11 without SC"]["test"] == "SB+sc"
    assert rows["RC11 without no thin air"]["test"] is None
    assert section.verdict is Verdict.RED
    assert (section.figures["mutants"], section.figures["mutants_killed"]) == (4, 2)
    assert any("agrees with all of the gold" in problem for problem in section.problems)
