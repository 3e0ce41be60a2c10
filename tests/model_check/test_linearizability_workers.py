"""Several threads check one history: what they find must be what one finds."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from model_check.cli import app
from model_check.linearizability import (
    LIMIT,
    Operation,
    Outcome,
    Report,
    check,
    check_operations,
    corruptions,
)
from model_check.linearizability.crew import Crew
from model_check.linearizability.models import Register
from model_check.recorder import (
    History,
    Kind,
    Lane,
    Record,
    Run,
    Status,
    Tree,
    TreeOptions,
    Workload,
    save,
)
from model_check.recorder.native import BLIND, ffi, interruptible, lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SINGLE = {
    Kind.GET: 40, Kind.PUT: 15, Kind.INSERT: 15, Kind.UPDATE: 10, Kind.REMOVE: 10,
    Kind.COMPARE_EXCHANGE: 10,
}  # fmt: skip
#: With pops and deletions a history takes the general way, and every corruption finds a place.
_ALL = {**_SINGLE, Kind.POP_FIRST: 3, Kind.POP_LAST: 3, Kind.DELETE_RANGE: 1}
_MIXES = {"single keys": _SINGLE, "all": _ALL}


def recorded(weights: Mapping[Kind, int], operations: int, space: int) -> History:
    workload = Workload(seed=5, threads=4, operations=operations, space=space, weights=weights)
    with Tree(TreeOptions.tiny(leaf_capacity=8, leaf_log=4)) as tree, Run(tree, workload) as run:
        return run.round().copy()


def found(report: Report) -> tuple[object, ...]:
    """All that a report says but time and memory."""
    return (
        report.outcome, report.operations, report.parts, report.keys, report.peak,
        report.overlapping, report.forced, report.searched, report.reason, report.violation,
    )  # fmt: skip


def found_bad(report: Report) -> tuple[object, ...]:
    """What a report says of a key in the way."""
    return report.outcome, report.operations, report.parts, report.keys, report.violation


@pytest.mark.parametrize("mix", _MIXES)
@pytest.mark.parametrize("space", [1, 7, 4_000])
def test_any_number_of_threads_finds_the_same_in_a_right_history(mix: str, space: int) -> None:
    history = recorded(_MIXES[mix], 40_000 if mix == "single keys" else 3_000, space)
    alone = check(history)
    assert alone.ok, alone.reason
    for jobs in (2, 4, 300):
        assert found(check(history, jobs=jobs)) == found(alone)


@pytest.mark.parametrize("mix", _MIXES)
def test_each_corruption_has_the_same_explanation_for_any_number_of_threads(mix: str) -> None:
    history = recorded(_MIXES[mix], 20_000 if mix == "single keys" else 5_000, 300)
    names = set()
    for mutant in corruptions(history, 1):
        alone = check(mutant.history)
        assert alone.outcome is Outcome.VIOLATION, mutant.detail
        for jobs in (2, 4):
            assert found_bad(check(mutant.history, jobs=jobs)) == found_bad(alone), mutant.detail
        names.add(mutant.name)
    assert len(names) == (17 if mix == "all" else 13)


def _many_bad(keys: int) -> History:
    """Make a history with a wrong read on every third key, each of them alone in the way."""
    lane = []
    for key in range(keys):
        put = Record.of(Kind.PUT, key, (4 * key, 4 * key + 1), argument=1, status=Status.NOT_FOUND)
        put = put._replace(status=Status.OK)
        seen = 2 if key % 3 == 2 else 1
        get = Record.of(Kind.GET, key, (4 * key + 2, 4 * key + 3), seen=seen)
        lane += [put, get]
    return History.build([Lane(lane)])


@pytest.mark.parametrize("keys", [50, 20_000])
def test_of_many_keys_in_the_way_the_same_one_is_told_about(keys: int) -> None:
    history = _many_bad(keys)
    alone = check(history)
    assert alone.outcome is Outcome.VIOLATION
    for jobs in (2, 3, 4) * 3:
        assert found_bad(check(history, jobs=jobs)) == found_bad(alone)


def test_keys_before_the_one_in_the_way_are_judged_though_another_thread_is_faster() -> None:
    """Key 0 is right, and searched for long; key 1 is wrong, and so are many that come later."""
    writes = [Record.of(Kind.PUT_MANY, 0, (1, 100 + i), argument=1 + i // 2) for i in range(14)]
    lanes = [Lane([write._replace(flags=BLIND)]) for write in writes]
    lanes.append(Lane([Record.of(Kind.GET, 0, (300, 301), seen=3)]))
    lanes.append(
        Lane([Record.of(Kind.GET, key, (10 * key, 10 * key + 1), seen=9) for key in range(1, 900)])
    )
    lanes.append(Lane([Record.of(Kind.SIZE, 0, (0, 2**63), seen=1)]))  # the general way
    history = History.build(lanes)
    for jobs in (1, 2, 3):
        violation = check(history, jobs=jobs).violation
        assert violation is not None
        assert violation.key == 1


def _long_lanes(count: int) -> list[list[Record]]:
    """Make two lanes that read keys which are never there, each ascending."""
    return [
        [
            Record.of(Kind.GET, i % 97, (10 * i + lane, 10 * i + lane + 5), status=Status.NOT_FOUND)
            for i in range(count)
        ]
        for lane in range(2)
    ]


@pytest.mark.parametrize("index", [0, 2_250, 4_499, 4_500, 8_999])
def test_a_record_that_is_no_call_is_found_wherever_the_threads_shares_meet(index: int) -> None:
    lanes = _long_lanes(9_000)
    lanes[1][index] = lanes[1][index]._replace(status=-1)
    history = History.build([Lane(lane) for lane in lanes])
    for jobs in (1, 2, 4):
        with pytest.raises(CannotRun, match="an error instead of a result"):
            check(history, jobs=jobs)


@pytest.mark.parametrize("index", [0, 2_249, 4_499, 8_997])
def test_a_lane_out_of_order_is_found_wherever_the_threads_shares_meet(index: int) -> None:
    lanes = _long_lanes(9_000)
    lane = lanes[0]
    lane[index], lane[index + 1] = lane[index + 1], lane[index]
    value = Record.of(Kind.PUT, 500, (3, 4), argument=7, status=Status.OK)
    wrong = Record.of(Kind.GET, 500, (10**6, 10**6 + 1), status=Status.NOT_FOUND)
    history = History.build([*(Lane(lane) for lane in lanes), Lane([value, wrong])])
    for jobs in (1, 2, 4):
        violation = check(history, jobs=jobs).violation
        assert violation is not None
        assert (violation.key, violation.parts) == (500, 2)


def _hard(keys: int) -> History:
    """Make overlapping blind writes of each key and a read of what nobody wrote: long to search."""
    lanes = []
    for key in range(keys):
        for i in range(40):
            write = Record.of(Kind.PUT_MANY, key, (1, 100 + i), argument=i // 2 + 1)
            lanes.append(Lane([write._replace(flags=BLIND)]))
        lanes.append(Lane([Record.of(Kind.GET, key, (300, 301), seen=99)]))
    return History.build(lanes)


def test_limits_hold_for_each_of_several_threads() -> None:
    alone = check(_hard(3), limit=50)
    assert alone.outcome is Outcome.UNKNOWN
    assert "key 0: more than 50 configurations" in alone.reason
    assert check(_hard(3), limit=50, jobs=3).reason == alone.reason
    late = check(_hard(3), limit=1 << 24, seconds=0.1, jobs=3)
    assert "not decided within 0.1 s" in late.reason


def test_all_threads_stop_when_they_are_told_to() -> None:
    history = _hard(5)
    native = lib.lin_check_new(history.native, 1 << 24, 0, 4, ffi.new("char const **"))
    verdicts: list[int] = []
    run = threading.Thread(
        target=lambda: verdicts.append(
            lib.lin_check_run(native, 0, lib.lin_check_steps(native)),
        )
    )
    run.start()
    lib.lin_check_stop(native)  # before it has begun, or while it searches: it would for hours
    run.join()
    lib.lin_check_free(native)
    assert verdicts == [lib.LIN_UNKNOWN_STOPPED]


def _object(name: int, *, wrong: bool) -> list[Operation]:
    """Make calls on a register that have to be searched, as two writes are of the same value."""
    seen = 3 if wrong else 2
    return [
        Operation(0, "write", 2, None, 1, 4, key=name),
        Operation(1, "write", 2, None, 2, 5, key=name),
        Operation(2, "read", None, seen, 3, 6, key=name),
    ]


@pytest.mark.parametrize("wrong", [(), (5,), (7, 30), (0, 1, 2)])
def test_objects_of_any_service_are_judged_alike_by_any_number_of_threads(
    wrong: tuple[int, ...],
) -> None:
    calls = [call for name in range(40) for call in _object(name, wrong=name in wrong)]
    alone = check_operations(calls, Register(0))
    assert alone.outcome is (Outcome.VIOLATION if wrong else Outcome.OK)
    assert alone.searched > 0
    for jobs in (2, 4):
        report = check_operations(calls, Register(0), jobs=jobs)
        assert replace(report, seconds=0.0) == replace(alone, seconds=0.0)


def test_what_is_searched_behind_a_violation_is_stopped() -> None:
    hard = [Operation(i, "write", i // 2, None, 1, 100 + i, key="b") for i in range(40)]
    hard.append(Operation(40, "read", None, 99, 300, 301, key="b"))  # searched for hours
    report = check_operations([*_object(0, wrong=True), *hard], Register(0), limit=1 << 24, jobs=2)
    assert report.violation is not None
    assert report.violation.object == 0


def test_an_interrupted_call_has_ended_before_what_it_uses_is_freed() -> None:
    stopped, ended = threading.Event(), []

    def call() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        stopped.wait()
        for _ in range(1000):  # the caller must still wait
            time.sleep(0)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        interruptible(call, stopped.set)
    assert ended


def test_an_interrupt_stops_every_search() -> None:
    crew, said = Crew(), []
    with crew.stoppable(lambda: said.append("first")):
        crew.stop()
        with crew.stoppable(lambda: said.append("second")):
            pass
    crew.stop()
    assert said == ["first", "second"]


def test_keys_that_are_decided_at_once_are_not_judged_after_a_stop() -> None:
    history = recorded(_SINGLE, 2_000, 50)
    native = lib.lin_check_new(history.native, LIMIT, 0, 2, ffi.new("char const **"))
    lib.lin_check_stop(native)
    verdict = lib.lin_check_run(native, 0, lib.lin_check_steps(native))
    lib.lin_check_free(native)
    assert verdict == lib.LIN_UNKNOWN_STOPPED


def test_bwcheck_checks_a_file_with_as_many_threads_as_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "right.bwh"
    save(recorded(_SINGLE, 2_000, 50), path)
    for jobs in ("1", "3"):
        done = CliRunner().invoke(app, ["lin", str(path), "-j", jobs])
        assert done.exit_code == 0, done.output
    none = CliRunner().invoke(app, ["lin", str(path), "-j", "0"])
    assert none.exit_code == 2
