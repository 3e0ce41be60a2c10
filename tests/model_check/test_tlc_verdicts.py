"""Every way in which TLC can end gets its own verdict, on tiny specs of the tests' own."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import pytest

from model_check.report import Verdict
from model_check.tlc.config import read_config
from model_check.tlc.output import Outcome
from model_check.tlc.run import Limits, Run
from model_check.tlc.suite import Result
from model_check.tlc.tools import Toolchain, find_toolchain
from model_check.tlc.trace import render
from model_check.tlc.verdict import judge

SPECS = Path(__file__).parent / "data" / "tlc"
GREEN, RED, BROKEN = Verdict.GREEN, Verdict.RED, Verdict.BROKEN


@lru_cache(maxsize=1)
def toolchain() -> Toolchain:
    return find_toolchain()


@cache
def check(name: str, timeout: float = 120.0, heap_mb: int = 128) -> Result:
    config = read_config(SPECS / f"{name}.cfg")
    limits = Limits(timeout=timeout, heap_mb=heap_mb)
    outcome = Run(config, toolchain(), limits).finish()
    return Result(config, outcome, judge(config, outcome, limits))


@pytest.mark.parametrize(
    ("name", "verdict", "result", "says"),
    [
        ("MCCounter", GREEN, "pass", ""),
        ("MCCounter_live", GREEN, "pass", ""),
        ("MCCounter_fail_over", GREEN, "violates Bounded", ""),
        ("MCCounter_fail_falls", GREEN, "violates NeverFalls", ""),
        ("MCCounter_fail_unfair", GREEN, "violates ReachesMax", ""),
        ("MCCounter_fail_stays", GREEN, "violates StaysAtMax", ""),
        ("MCCounter_fail_start_high", GREEN, "violates Bounded", ""),
        ("MCCounter_fail_no_reset", GREEN, "deadlock", ""),
        ("MCCounter_fail_over_other", RED, "violates Bounded", "Expected: violates Steps"),
        ("MCCounter_fail_nothing", RED, "no error", "the mutant is alive"),
        ("MCCounter_falls", RED, "violates NeverFalls", "Expected: pass"),
        ("MCCounter_stuck", RED, "deadlock", "Deadlock reached. Expected: pass"),
        ("MCCounter_all", RED, "idle action", "never taken: Never"),
        ("MCCounter_unknown", RED, "unknown action", "names Rest, but the actions of Next are Up"),
        ("MCCounter_empty", RED, "no states", "Init has no state"),
        ("MCCounter_symmetric", RED, "unsound", "under SYMMETRY"),
        ("MCCounter_assume", RED, "violates an ASSUME", "Assumption"),
        ("MCCounter_fail_add_text", RED, "spec error", "cannot evaluate the spec"),
        ("MCCounter_simulated", GREEN, "simulated 50 traces", ""),
        ("MCCounter_fail_over_simulated", GREEN, "violates Bounded", ""),
        ("MCCounter_fail_nothing_simulated", RED, "no error", "all 50 traces of depth 20 passed"),
        ("MCCounter_empty_simulated", BROKEN, "spec error", "no state satisfying the initial"),
        ("MCCounter_live_simulated", RED, "unsound", "only the beginnings of behaviors"),
        ("MCCounter_all_simulated", RED, "idle action", "never taken: Never"),
        ("MCCounter_undefined", BROKEN, "config error", "invariant Nowhere"),
        ("MCSyntax", BROKEN, "parse error", "MCSyntax.tla cannot be parsed"),
    ],
)
def test_each_way_to_end_gets_its_verdict(
    name: str, verdict: Verdict, result: str, says: str
) -> None:
    judgement = check(name).judgement
    assert (judgement.verdict, judgement.result) == (verdict, result)
    assert says in judgement.problem
    assert bool(judgement.problem) is (verdict is not GREEN)


def test_figures_are_those_of_the_counter() -> None:
    outcome = check("MCCounter").outcome
    assert (outcome.distinct, outcome.states, outcome.depth, outcome.left) == (7, 11, 3, 0)
    assert dict(outcome.actions) == {"Up": 6, "Reset": 4, "Never": 0}


def test_a_simulation_looks_at_as_many_states_as_its_traces_have() -> None:
    outcome = check("MCCounter_simulated").outcome
    assert outcome.states == 50 * 20 + 1
    assert (outcome.distinct, outcome.left) == (0, 0)  # TLC does not count them
    assert outcome.actions["Up"] > outcome.actions["Reset"] > 0


def test_a_simulation_that_stops_before_its_last_trace_is_not_green() -> None:
    config = read_config(SPECS / "MCCounter_simulated.cfg")
    outcome = Outcome(states=49, ended=True, exit_code=0)
    judgement = judge(config, outcome, Limits())
    assert (judgement.verdict, judgement.result) == (BROKEN, "not simulated")
    assert "too few for 50 traces of depth 20" in judgement.problem


def test_time_limit_ends_a_run_and_is_told_apart() -> None:
    result = check("MCEndless", timeout=3.0)
    assert (result.judgement.verdict, result.judgement.result) == (BROKEN, "timed out")
    assert "raise --timeout" in result.judgement.problem


def test_out_of_memory_is_told_apart() -> None:
    result = check("MCEndless_large", heap_mb=32)
    assert (result.judgement.verdict, result.judgement.result) == (BROKEN, "out of memory")
    assert "32 MiB heap" in result.judgement.problem


def test_a_killed_tlc_is_a_crash_not_a_pass() -> None:
    config = read_config(SPECS / "MCEndless.cfg")
    limits = Limits(heap_mb=128)
    run = Run(config, toolchain(), limits)
    run.stop()
    outcome = run.finish()
    assert judge(config, outcome, limits).result == "TLC crashed"


def test_specs_folder_is_left_untouched() -> None:
    before = sorted(path.name for path in SPECS.iterdir())
    check("MCCounter_fail_over")
    assert sorted(path.name for path in SPECS.iterdir()) == before


def test_trace_shows_actions_and_only_what_they_changed() -> None:
    assert render(check("MCCounter_falls").outcome.trace) == [
        "  1  initial state",
        "       who = (a :> 0 @@ b :> 0)",
        "       n = 0",
        "       log = <<>>",
        "  2  Up  (Counter:17)",
        "       who[a]: 0 → 1",
        "       n: 0 → 1",
        "       log: <<>> → <<a>>",
        "  3  Up  (Counter:17)",
        "       who[a]: 1 → 2",
        "       n: 1 → 2",
        "       log: appended a",
        "  4  Reset  (Counter:24)",
        "       who[a]: 2 → 0",
        "       n: 2 → 0",
        "       log: <<a, a>> → <<>>",
    ]


def test_trace_of_an_endless_cycle_says_where_it_goes_back() -> None:
    lines = render(check("MCCounter_fail_stays").outcome.trace)
    assert lines[-2:] == ["     Reset  (Counter:24)", "       and back to state 1, for ever"]


def test_trace_of_stuttering_says_so() -> None:
    lines = render(check("MCCounter_fail_unfair").outcome.trace)
    assert lines[-1].endswith("nothing happens any more (stuttering)")


@pytest.mark.parametrize(
    ("name", "workers"), [("MCCounter_fail_over", 1), ("MCCounter_fail_over_simulated", 2)]
)
def test_same_seed_gives_the_same_trace(name: str, workers: int) -> None:
    config = read_config(SPECS / f"{name}.cfg")
    limits = Limits(heap_mb=128, seed=7, workers=workers)  # a simulation has one all the same
    traces = [Run(config, toolchain(), limits).finish().trace for _ in range(2)]
    assert traces[0] == traces[1]
    assert traces[0]
