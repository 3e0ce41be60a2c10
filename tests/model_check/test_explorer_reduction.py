"""Partial-order reduction on the examples that papers count, and strategies beside it."""

from __future__ import annotations

import math

import pytest

from model_check.explorer import Options, build, explore
from model_check.explorer.programs import FOLDER
from model_check.explorer.result import Result
from model_check.explorer.show import show_result
from tests.exploring import explored

EVERY = {"strategy": "bounded", "preemptions": 10**6, "weak": 10**6}


def example(name: str, n: int, **options: object) -> Result:
    program = build([FOLDER / "reduction" / f"{name}.c"], flags=[f"-DN={n}"])
    return explore(program, Options(traces=True, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "n", "traces"),
    [
        ("writers", 5, {"sc": 120, "rc11": 120}),
        ("readers", 8, {"sc": 256, "rc11": 256}),
        ("indexer", 12, {"sc": 8, "rc11": 8}),
        ("indexer", 13, {"sc": 64, "rc11": 64}),
        # In rc11 the looker may read an old zero: more executions differ.
        ("lastzero", 5, {"sc": 64, "rc11": 96}),
        ("lastzero", 8, {"sc": 704, "rc11": 1152}),
    ],
)
@pytest.mark.parametrize("model", ["sc", "rc11"])
def test_each_different_execution_is_completed_once(
    name: str, n: int, traces: dict[str, int], model: str
) -> None:
    result = example(name, n, model=model)
    assert result.exhaustive
    # Nothing is completed twice, and nothing begun in vain.
    assert (result.distinct, result.executions) == (traces[model], traces[model])


@pytest.mark.parametrize(("model", "factor"), [("sc", 1.0), ("rc11", 1.1)])
@pytest.mark.parametrize(
    "name", ["michael_scott_queue", "treiber_stack", "chase_lev_deque", "mpmc_ring", "ticket_lock"]
)
def test_classic_structures_are_explored_trace_by_trace(
    name: str, model: str, factor: float
) -> None:
    program = build([FOLDER / "classic" / f"{name}.c"])
    result = explore(program, Options(traces=True, model=model))
    assert result.exhaustive
    assert result.distinct is not None
    assert result.distinct > 20
    assert result.executions <= factor * result.distinct


@pytest.mark.parametrize(("name", "n"), [("writers", 3), ("readers", 3), ("lastzero", 3)])
@pytest.mark.parametrize("model", ["sc", "rc11"])
def test_reduction_and_a_search_of_everything_see_the_same_executions(
    name: str, n: int, model: str
) -> None:
    every = example(name, n, model=model, **EVERY)
    reduced = example(name, n, model=model)
    assert every.exhaustive
    assert every.distinct is not None
    assert every.complete > every.distinct == reduced.distinct == reduced.complete


LOST = """
static atomic_int x;
THREAD(add) { int old = LOAD(x, relaxed); STORE(x, old + 1, relaxed); END; }
int main(void) { RUN(add, add); bwx_check(x == 2, "an update was lost"); return 0; }
"""
RIGHT = LOST.replace("int old = LOAD(x, relaxed); STORE(x, old + 1, relaxed)", "x++")


def test_iterative_bounding_finds_with_as_few_preemptions_as_there_can_be() -> None:
    found = explored(LOST, Options(strategy="iterative"))
    assert found.verdict == "assertion"
    assert len(found.rounds) == 2  # none is too few, one is enough
    assert found.finding is not None
    assert found.finding.preemptions == 1


def test_iterative_bounding_knows_when_no_bound_has_left_anything_out() -> None:
    all_of_it = explored(RIGHT, Options(strategy="iterative", preemptions=50))
    assert all_of_it.exhaustive
    assert not all_of_it.limited
    assert "preemptions" not in all_of_it.bound
    assert len(all_of_it.rounds) < 50
    part = explored(LOST, Options(strategy="iterative", preemptions=0))
    assert part.limited
    assert "0 preemptions" in part.bound


def test_pct_states_its_bound() -> None:
    result = explored(RIGHT, Options(strategy="pct", depth=2, executions=100))
    text = show_result(result, "x.c")
    one = 1 / (result.threads * result.longest)
    assert f"with a probability of at least {one:.2g}" in text
    assert result.threads == 3
    every = 1 - math.pow(1 - one, 100)
    assert f"by all of these with {every:.2g}" in text


def test_memory_does_not_grow_with_executions() -> None:
    text = """
    static _Atomic(int *) x;
    THREAD(one) { int *p = malloc(512); *p = 1; free(atomic_exchange(&x, p)); END; }
    int main(void) { RUN(one, one); free(atomic_exchange(&x, NULL)); return 0; }
    """
    few, many = (
        explored(text, Options(strategy="random", executions=number)) for number in (500, 50_000)
    )
    assert many.executions == 100 * few.executions
    assert many.memory < few.memory + 512


def test_a_thread_is_stopped_for_ever_before_each_of_its_steps() -> None:
    text = """
    static atomic_int x, y;
    THREAD(counts) { bwx_nonblocking_begin();
        for (int i = 0; i < 4; i++) { bwx_outcome("%d", i); atomic_fetch_add(&x, 1); }
        bwx_outcome("4"); bwx_nonblocking_end(); END; }
    THREAD(other) { STORE(y, 1, relaxed); END; }
    int main(void) { return RUN(counts, other); }
    """
    result = explored(text, Options(freeze=True))
    assert result.verdict == "nothing found"
    # Its first step is reached while it is made; there is nothing to be stopped before that.
    stopped = {"0 1", "0 1 2", "0 1 2 3"}
    assert stopped <= set(result.outcomes)
    assert "0 1 2 3 4" in result.outcomes
