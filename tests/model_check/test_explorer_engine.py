"""The engine under the explorer: small programs pass, broken engines do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_check.explorer import Options, explore
from model_check.explorer.catalogue import CATALOGUE, plans
from model_check.explorer.engine import build_engine
from model_check.explorer.mutants import defect_mutants, judge, order_mutants
from tests.exploring import ROOT

assert ROOT  # its import says where compiled programs are cached


@pytest.mark.parametrize("model", ["sc", "rc11"])
@pytest.mark.parametrize(
    "name", ["append-append", "append-same-key", "append-get", "pop-pop", "close"]
)
def test_small_programs_pass_exhaustively(name: str, model: str) -> None:
    case = next(each for each in CATALOGUE if each.name == name)
    assert model in case.exhaustive
    result = explore(build_engine(), Options(model=model), environment={"BWX_PROGRAM": case.text})
    assert result.finding is None, result.finding.sentence
    assert result.exhaustive


def test_catalogue_reaches_splits_merges_and_a_lower_root() -> None:
    reached = set()
    engine = build_engine()
    for plan in plans(executions=30, preemptions=1):
        result = plan.run(engine)
        assert result.finding is None, (plan.case.name, result.finding.sentence)
        for text in result.outcomes:
            counts = dict(word.split("=") for word in text.split())
            reached |= {name for name, count in counts.items() if count != "0"}
    assert reached == {"splits", "merges", "collapses", "freed"}


@pytest.mark.parametrize(
    ("change", "function", "kinds"),
    [
        ("release to relaxed", "bw_log_append", {"data-race"}),
        ("acquire to relaxed", "bw_map_load", {"data-race"}),
    ],
)
def test_weakened_order_is_found(change: str, function: str, kinds: set[str]) -> None:
    mutant = next(
        each for each in order_mutants() if each.name.endswith(change) and each.function == function
    )
    outcome = judge(mutant, executions=300)
    assert outcome.finding in kinds


def test_memory_freed_one_epoch_early_is_found() -> None:
    mutant = next(each for each in defect_mutants() if "early" in each.name)
    assert judge(mutant, executions=300).finding == "use-after-free"


def test_stopped_thread_keeps_no_other_from_finishing() -> None:
    options = Options(strategy="bounded", preemptions=0, weak=1, freeze=True, executions=2000)
    text = "| P1=10 P2=20 P3=30 P4=40 | R1 R2 | P5=50 G3"
    result = explore(build_engine(), options, environment={"BWX_PROGRAM": text})
    assert result.finding is None, result.finding.sentence
    assert result.executions > 100


KEYS = st.integers(1, 6)
WRITES = st.builds("{}{}={}".format, st.sampled_from("PPPIUX"), KEYS, st.integers(10, 12))
OTHERS = st.one_of(
    st.builds("{}{}".format, st.sampled_from("RRGFC"), KEYS), st.sampled_from(["A", "Z", "K", "E"])
)
PARTS = st.lists(st.one_of(WRITES, OTHERS), min_size=1, max_size=3).map(" ".join)
PROGRAMS = st.builds(
    "batch=1 leaf={} merge={} | {} | {}".format,
    st.sampled_from([2, 3]),
    st.sampled_from([0, 50]),
    st.lists(st.builds("P{}=10".format, KEYS), max_size=6).map(" ".join),
    st.lists(PARTS, min_size=2, max_size=3).map(" | ".join),
)


@settings(max_examples=15)
@given(text=PROGRAMS, model=st.sampled_from(["sc", "rc11"]), seed=st.integers(0, 1000))
def test_random_programs_over_the_tree_pass(text: str, model: str, seed: int) -> None:
    result = explore(
        build_engine(),
        Options(model=model, strategy="random", executions=150, seed=seed),
        environment={"BWX_PROGRAM": text},
    )
    assert result.finding is None, (
        f"{result.finding.sentence}; bwcheck explore --engine '{text}' --model {model} "
        f"--replay '{result.finding.replay}'"
    )
