"""The catalogue and generated programs under the explorer.

BWTREE_EXPLORED_EXAMPLES sets how many generated programs are explored.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, note, settings

from model_check.explorer.build import Program
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import CATALOGUE, named, steps
from model_check.explorer.catalogue_programs import EngineProgram, engine_programs
from model_check.explorer.harness import build_harness, explore_text, replay_line
from model_check.explorer.run import Options

EXAMPLES = int(os.environ.get("BWTREE_EXPLORED_EXAMPLES", "15"))
#: One in three of what `make check` explores to the end.
_FULL = [
    each for each in steps() if each[1].strategy == "exhaustive" and each[1].executions is None
][::3]


@pytest.fixture(scope="module")
def harness() -> Program:
    return build_harness()


def test_cases_have_names_of_their_own_and_say_what_they_are_about() -> None:
    assert len({case.name for case in CATALOGUE}) == len(CATALOGUE)
    assert all(case.what and case.plans for case in CATALOGUE)


@pytest.mark.parametrize(
    ("case", "plan"), [pytest.param(*each, id=f"{each[0].name}-{each[1].model}") for each in _FULL]
)
def test_small_cases_are_explored_to_the_end(harness: Program, case: Case, plan: Plan) -> None:
    result = explore_text(harness, case.text, plan.options())
    assert result.verdict == case.expected, replay_line(case.text, result)
    assert result.exhaustive == (case.expected == "nothing found")


@pytest.mark.parametrize("name", ["merge-append", "no-memory-split", "registration", "pools"])
def test_larger_cases_pass_random_walks(harness: Program, name: str) -> None:
    for model in ("sc", "rc11"):
        options = Options(model=model, strategy="random", executions=150, spurious=0)
        result = explore_text(harness, named(name).text, options)
        assert result.finding is None, replay_line(named(name).text, result)
        assert result.complete == 150


@pytest.mark.parametrize(
    ("word", "figure"), [("split", "splits"), ("merge", "merges"), ("collapse", "collapses")]
)
def test_cases_reach_what_their_names_say(harness: Program, word: str, figure: str) -> None:
    options = Options(strategy="random", executions=40, spurious=0)
    for case in CATALOGUE:
        if word not in case.name:
            continue
        result = explore_text(harness, case.text, options)
        counts = [dict(part.split("=") for part in outcome.split()) for outcome in result.outcomes]
        assert any(int(each[figure]) > 0 for each in counts), case.name


def test_cases_of_collectors_give_memory_back(harness: Program) -> None:
    """Where shrinking sees at once that there is nothing to do, a case has hardly a step."""
    for case in CATALOGUE:
        if case.name.startswith("order-") and "take_pages 12" in case.text:
            result = explore_text(harness, case.text, Options(executions=10))
            assert result.executions == 10, case.name


def test_a_stopped_thread_keeps_no_other_from_finishing(harness: Program) -> None:
    case = named("progress-merge-consolidate")
    (plan,) = case.plans
    assert plan.freeze
    result = explore_text(harness, case.text, plan.options())
    assert result.finding is None, replay_line(case.text, result, freeze=True)
    assert result.executions > 100


@settings(max_examples=EXAMPLES)
@given(engine_programs(operations=2))
def test_generated_programs_are_linearizable_in_all_executions_tried(
    harness: Program, program: EngineProgram
) -> None:
    text = program.text()
    note(text)
    for model in ("sc", "rc11"):
        options = Options(model=model, strategy="random", executions=50, steps=20_000, spurious=0)
        result = explore_text(harness, text, options)
        assert result.finding is None, replay_line(text, result)


def test_a_finding_is_repeated_by_its_replay_string(harness: Program) -> None:
    case = named("must-fail-history")
    found = explore_text(harness, case.text, case.plans[0].options()).finding
    assert found is not None
    again = explore_text(harness, case.text, Options(spurious=0, replay=found.replay)).finding
    assert again is not None
    assert (again.kind, again.sentence) == (found.kind, found.sentence)
    assert "get(10)" in found.sentence
