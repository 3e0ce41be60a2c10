"""What `bwcheck all` makes of the catalogue and the defects, and when it is red."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from model_check.cli import app
from model_check.explorer import mutants, suite
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import deep_steps, named, steps
from model_check.explorer.mutants import Defect
from model_check.report import Section, Settings, Verdict
from tests.exploring import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

assert ROOT  # its import says where compiled programs are cached

FOUND = Defect(
    "freed at once",
    "epoch.c",
    "enum { GRACE = 2 };",
    "enum { GRACE = 0 };",
    ("pin-retire-collect",),
)
HARMLESS = replace(FOUND, name="nothing changes", new="enum { GRACE = 1 + 1 };")


def _section(
    monkeypatch: pytest.MonkeyPatch, cases: Sequence[Case], defects: Sequence[Defect]
) -> Section:
    """Run the section with these cases, each with its first plan, and these defects only."""
    monkeypatch.setattr(suite, "steps", lambda: [(case, case.plans[0]) for case in cases])
    monkeypatch.setattr(suite, "DEFECTS", defects)
    monkeypatch.setattr(mutants, "CATALOGUE", cases)
    return suite.section(Settings(jobs=1))


def test_it_is_green_when_cases_end_as_they_must_and_defects_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [named("append-append"), named("must-fail-leak")]
    section = _section(monkeypatch, cases, [FOUND])
    assert section.verdict is Verdict.GREEN
    assert section.problems == []
    figures = section.figures
    assert (figures["cases"], figures["mutants"], figures["mutants_killed"]) == (2, 2, 2)
    row = section.rows[-1]
    assert (row["mutant"], row["case"]) == ("freed at once", "pin-retire-collect")
    assert row["verdict"] == "use-after-free"
    assert row["found_steps"] is not None


def test_a_defect_that_nothing_finds_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    section = _section(monkeypatch, [named("append-append")], [HARMLESS])
    assert section.verdict is Verdict.RED
    assert section.problems == ["not found: nothing changes"]
    assert (section.figures["mutants"], section.figures["mutants_killed"]) == (1, 0)


def test_a_finding_turns_it_red_with_a_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = replace(named("must-fail-history"), expected="nothing found")
    section = _section(monkeypatch, [case], [])
    assert section.verdict is Verdict.RED
    (problem,) = section.problems
    command = problem.partition("replay: bwcheck ")[2]
    again = CliRunner().invoke(app, shlex.split(command))
    assert again.exit_code == 20, again.output


def test_a_case_that_must_fail_and_does_not_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(named("append-append"), expected="not-linearizable")
    section = _section(monkeypatch, [case], [])
    assert section.verdict is Verdict.RED
    assert section.problems == ["append-append: not-linearizable was to be found, and was not"]


def test_what_could_not_be_explored_is_neither_green_nor_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = named("append-append")
    impossible = replace(case, plans=(Plan("sc", "by magic"),))
    section = _section(monkeypatch, [impossible], [])
    assert section.verdict is Verdict.BROKEN
    assert "append-append sc by magic: could not run" in section.problems[0]


def test_the_deep_tier_has_every_plan_one_more_preemption_and_whole_explorations() -> None:
    deep = list(deep_steps(factor=10))
    for case, plan in steps():
        assert (case, plan.scaled(10)) in deep
    assert max(plan.preemptions for _, plan in deep if plan.strategy == "bounded") == 3
    whole = {(case.name, plan.model) for case, plan in deep if plan in case.deep}
    assert ("one-merge-update", "sc") in whole
    assert ("one-merge-get", "rc11") in whole
