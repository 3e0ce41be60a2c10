"""The engine's harness on real threads: it accepts what is right, and rejects what is wrong.

No explorer is involved: engine/native.c gives each program one execution.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, note, settings

from model_check.explorer.catalogue_case import Case
from model_check.explorer.catalogue_engine import CATALOGUE
from model_check.explorer.catalogue_programs import EngineProgram, engine_programs
from model_check.explorer.harness import build_native, run_native

_ASSERTION, _NOT_LINEARIZABLE = 10, 20
_CODES = {"nothing found": 0, "assertion": _ASSERTION, "not-linearizable": _NOT_LINEARIZABLE}


@pytest.fixture(scope="module", params=["gcc", "clang"])
def native(request: pytest.FixtureRequest) -> Path:
    return build_native(compiler=request.param)


@pytest.fixture(scope="module")
def quick() -> Path:
    return build_native()


@pytest.mark.parametrize("case", CATALOGUE, ids=lambda case: case.name)
def test_each_case_of_the_catalogue_ends_as_expected_on_real_threads(
    native: Path, case: Case
) -> None:
    for seed in range(3):
        done = run_native(native, case.text, seed=seed)
        assert done.returncode == _CODES[case.expected], (case.text, seed, done.stderr)


@settings(max_examples=200)
@given(engine_programs())
def test_generated_programs_are_linearizable_on_real_threads(
    quick: Path, program: EngineProgram
) -> None:
    note(program.text())
    done = run_native(quick, program.text())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "operation",
    [
        "get 20",
        "put 20 9",
        "insert 20 9",
        "update 20 9",
        "remove 20",
        "compare_exchange 20 2 9",
        "compare_exchange 20 7 9",
        "floor 25",
        "ceiling 15",
        "lower 20",
        "higher 10",
        "first",
        "last",
        "pop_first",
        "pop_last",
        "count 15 35",
        "delete_range 15 35",
        "get_many 10 25",
        "put_many 10 7 25 8",
        "walk 15 2 1",
        "walk max 0 2",
    ],
)
def test_a_falsified_result_of_any_operation_is_rejected(quick: Path, operation: str) -> None:
    text = "options {}; before put 10 1, put 20 2, put 30 3, get 15, get 25, get 35; thread {}"
    assert run_native(quick, text.format("lie=0", operation)).returncode == 0
    done = run_native(quick, text.format("lie=1", operation))
    assert done.returncode == _NOT_LINEARIZABLE, done.stderr
    assert "no order of these calls explains their results" in done.stderr
    assert operation.split(maxsplit=1)[0] in done.stderr


def test_what_the_map_holds_at_the_end_must_follow_from_the_calls(quick: Path) -> None:
    # The main thread's first marked call is the look at the contents' only predecessor.
    done = run_native(quick, "options lie=1; before put 10 1; thread get 10; after get 10")
    assert done.returncode == _NOT_LINEARIZABLE
    assert "at the end the map holds 10=1" in done.stderr


def test_a_block_that_does_not_come_back_is_reported(quick: Path) -> None:
    done = run_native(quick, "options leak=1; thread put 10 1")
    assert done.returncode == _ASSERTION
    assert "came back from the closed tree" in done.stderr


def test_a_failed_allocation_is_reported_by_the_call_and_changes_nothing(quick: Path) -> None:
    done = run_native(quick, "before put 10 1; thread fail 1, put 10 2, get 10")
    assert done.returncode == 0, done.stderr
    # Without a program that lets allocations fail, the status itself would be an error:
    # the falsified read shows that the put is known to have failed.
    done = run_native(quick, "options lie=2; before put 10 1; thread fail 1, put 10 2, get 10")
    assert done.returncode == _NOT_LINEARIZABLE
    assert "put(10, 2) no memory" in done.stderr


def test_page_ids_that_are_taken_from_the_list_and_put_back_are_all_there_at_the_end(
    quick: Path,
) -> None:
    # At the third pop the list is empty: it takes a page id that nobody had.
    done = run_native(
        quick,
        "before take_pid 1, take_pid 2, push_pid 2, push_pid 1; "
        "thread pop_pid, pop_pid, pop_pid, use_pid 2, push_pid 2, pop_pid, push_pid 1",
    )
    assert done.returncode == 0, done.stderr
    done = run_native(quick, "thread take_pid 0, give_pid 0, pop_pid")
    assert done.returncode == _ASSERTION
    assert "a thread that has no page id to spare" in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "at least one thread"),
        ("thread", "no operation of this name"),
        ("thread jump 3", "no operation of this name"),
        ("thread put 3", "lacks a number"),
        ("thread put 3 99999999999", "below 2^32"),
        ("options speed=3; thread get 1", "no option of this name"),
        ("options leaf_log; thread get 1", "name=number"),
        ("thread get 1 get 2", "separated by"),
        ("perhaps get 1", "begins with options, before, thread or after"),
        ("; ".join(["thread get 1"] * 5), "4 threads"),
        ("thread close, count 1 2", "no operation that is not atomic"),
        ("thread take_pages 0 1 1", "pooling=1"),
        ("options leaf_capacity=1; thread get 1", "leaf_capacity"),
        ("before " + ", ".join(f"put {i} 1" for i in range(25)) + "; thread get 1", "24 keys"),
    ],
)
def test_a_program_that_cannot_be_read_is_refused_with_a_sentence(
    quick: Path, text: str, sentence: str
) -> None:
    done = run_native(quick, text)
    assert done.returncode == _ASSERTION
    assert sentence in done.stderr
