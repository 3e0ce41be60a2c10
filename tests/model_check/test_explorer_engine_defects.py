"""The engine broken on purpose: the catalogue finds it, and a text that no longer fits is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model_check.explorer.catalogue_engine import CATALOGUE, named
from model_check.explorer.mutants import DEFECTS, Defect, changed, defect_plans, judge
from model_check.mutants.engine import ENGINE
from model_check.report import CannotRun
from tests.exploring import ROOT

assert ROOT  # its import says where compiled programs are cached


def _defect(words: str) -> Defect:
    return next(each for each in DEFECTS if words in each.name)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_defect_fits_the_engine_once_and_names_cases_that_there_are(defect: Defect) -> None:
    assert changed(defect) != ""
    assert defect.cases
    assert all(named(name).expected == "nothing found" for name in defect.cases)


def test_a_defect_that_does_not_fit_is_refused_with_a_sentence() -> None:
    gone = replace(DEFECTS[0], old="this text is nowhere")
    with pytest.raises(CannotRun, match=r"fits 0 places of page\.h, not one"):
        changed(gone)


def test_the_cases_that_a_defect_names_come_first_and_all_others_follow() -> None:
    defect = _defect("pop_first")
    tried = [case.name for case, _ in defect_plans(defect)]
    assert tried[0] == "pop-put"
    must_fail = {case.name for case in CATALOGUE if case.expected != "nothing found"}
    assert set(tried) == {case.name for case in CATALOGUE} - must_fail


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("pop_first", {"not-linearizable"}),
        ("wrong old value", {"assertion", "not-linearizable"}),
        ("freed at once", {"use-after-free"}),
        ("does not cross the right link", {"livelock"}),
    ],
)
def test_a_defect_is_found_with_a_counterexample_that_gets_no_more_preemptions(
    words: str, kinds: set[str]
) -> None:
    defect = _defect(words)
    outcome = judge(defect)
    assert outcome.case is not None
    assert outcome.case.name in defect.cases
    assert outcome.found is not None
    assert outcome.shrunk is not None
    assert outcome.found.kind in kinds, outcome.found.sentence
    assert outcome.shrunk.kind == outcome.found.kind
    assert outcome.shrunk.preemptions <= outcome.found.preemptions
    assert outcome.executions > 0
    assert outcome.found.steps  # a replay shows the same


def test_a_lost_write_that_only_the_contents_at_the_end_tell_is_found() -> None:
    # Histories that are known to be right are not judged again: what the map holds at the end must
    # be part of what tells them apart.
    lost = next(each for each in ENGINE if each.name.startswith("upkeep replaces a page"))
    outcome = judge(lost)
    assert outcome.case is not None
    assert outcome.case.name == "append-upkeep"
    assert outcome.found is not None
    assert outcome.found.kind == "not-linearizable"
    assert "at the end the map holds 10=1" in outcome.found.sentence
