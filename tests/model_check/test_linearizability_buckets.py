"""Histories of calls on single keys are checked bucket by bucket; the general way must agree."""

from __future__ import annotations

import random

import pytest

from model_check.linearizability import Outcome, Report, check
from model_check.recorder import (
    History,
    Kind,
    Lane,
    Pair,
    Record,
    Run,
    Status,
    Tree,
    TreeOptions,
    Workload,
)

_SINGLE = {
    Kind.GET: 40, Kind.PUT: 20, Kind.INSERT: 15, Kind.UPDATE: 5, Kind.REMOVE: 15,
    Kind.COMPARE_EXCHANGE: 5,
}  # fmt: skip


def whole(operations: int, space: int, threads: int = 2) -> History:
    workload = Workload(
        seed=7, threads=threads, operations=operations, space=space, weights=_SINGLE
    )
    with Tree(TreeOptions.tiny(leaf_capacity=8, leaf_log=4)) as tree, Run(tree, workload) as run:
        return run.round().copy()


def generally(history: History) -> Report:
    """Check with a call that says nothing of any key: such a history takes the general way."""
    size = Record.of(Kind.SIZE, 0, (0, 2**63), seen=1)
    lanes = [
        Lane(list(history.records(lane)), history.pairs(lane)) for lane in range(history.lane_count)
    ]
    return check(History.build([*lanes, Lane([size])], history.initial()))


@pytest.mark.parametrize("space", [1, 3, 500, 20_000])
@pytest.mark.parametrize("threads", [1, 2, 12])
def test_both_ways_find_recorded_histories_linearizable(space: int, threads: int) -> None:
    history = whole(20_000, space, threads)
    report, general = check(history), generally(history)
    assert report.ok, report.reason
    assert general.ok
    assert report.forced >= history.record_count() - 1
    assert report.keys >= general.keys - 1
    assert report.searched == 0


def test_a_value_that_is_changed_anywhere_is_found_by_both_ways_on_the_same_key() -> None:
    history = whole(3_000, 300)
    draw = random.Random(3)
    changed = 0
    for _ in range(100):
        lane = draw.randrange(2)
        index = draw.randrange(1_500)
        record = history.record(lane, index)
        if record.kind != Kind.GET or record.status != Status.OK:
            continue
        history.change(lane, index, record._replace(seen=record.seen ^ 1 << 60))
        report, general = check(history), generally(history)
        assert report.outcome is general.outcome is Outcome.VIOLATION
        assert report.violation is not None
        assert general.violation is not None
        assert report.violation.key == general.violation.key == record.key
        assert report.violation.core == general.violation.core
        history.change(lane, index, record)
        changed += 1
    assert changed > 3
    assert check(history).ok


def test_what_was_read_back_at_the_end_counts() -> None:
    history = whole(4_000, 300)
    last = history.lane_count - 1
    reading = history.record(last, 0)
    assert reading.count > 10
    lanes = [Lane(list(history.records(n)), history.pairs(n)) for n in range(last)]

    def with_final(pairs: list[Pair]) -> Report:
        final = Lane([reading._replace(count=len(pairs))], pairs)
        return check(History.build([*lanes, final], history.initial()))

    pairs = history.pairs(last)
    assert with_final(pairs).ok
    lost = with_final(pairs[:5] + pairs[6:])
    assert lost.violation is not None
    assert lost.violation.key == pairs[5].key
    other = with_final([*pairs[:5], Pair(pairs[5].key, pairs[5].value + 1), *pairs[6:]])
    assert other.violation is not None
    assert other.violation.key == pairs[5].key
    never_put = with_final([*pairs, Pair(10**9, 5)])
    assert never_put.violation is not None
    assert never_put.violation.key == 10**9


def test_calls_that_take_very_long_or_never_return_are_kept_exactly() -> None:
    second = 1 << 33
    put = Record.of(Kind.PUT, 5, (10, 10 + second), argument=71, status=Status.OK)
    other = Record.of(Kind.GET, 6, (1, 2), status=Status.NOT_FOUND)
    inside = Record.of(Kind.GET, 5, (second, second + 1), seen=71)
    early = Record.of(Kind.GET, 5, (3, 4), seen=71)
    assert check(History.build([Lane([put]), Lane([other, inside])])).ok
    assert check(History.build([Lane([put]), Lane([other, early])])).outcome is Outcome.VIOLATION
    open_put = put._replace(responded=2**64 - 1)
    assert check(History.build([Lane([open_put]), Lane([other, inside])])).ok
    assert check(History.build([Lane([open_put]), Lane([other])])).ok


def _misses(count: int) -> list[Record]:
    """Make reads of keys that are never there, so that no key has a quarter of all calls."""
    return [Record.of(Kind.GET, 100 + i, (1, 2), status=Status.NOT_FOUND) for i in range(count)]


def _blind(key: int, interval: tuple[int, int]) -> Record:
    """Make a blind write of 7: of two, a search has to decide."""
    return Record.of(Kind.PUT_MANY, key, interval, argument=7)._replace(flags=1)


@pytest.mark.parametrize("pause", [1 << 20, (1 << 32) - 1, 1 << 32, (1 << 32) + 5, 1 << 40])
def test_times_far_apart_are_kept_exactly(pause: int) -> None:
    put = Record.of(Kind.PUT, 5, (10, 20), argument=71, status=Status.OK)
    for key, right in ((5, False), (6, True)):
        late = Record.of(Kind.GET, key, (10 + pause, 11 + pause), status=Status.NOT_FOUND)
        history = History.build([Lane([*_misses(20), put, late])])
        assert check(history).ok is right


@pytest.mark.parametrize("length", [1 << 20, (1 << 27) - 2, (1 << 27) - 1, 1 << 27, 1 << 40])
def test_long_calls_are_kept_exactly(length: int) -> None:
    put = Record.of(Kind.PUT, 5, (10, 10 + length), argument=71, status=Status.OK)
    for begin, right in ((10 + length, True), (11 + length, False)):
        miss = Record.of(Kind.GET, 5, (begin, begin + 1), status=Status.NOT_FOUND)
        history = History.build([Lane([*_misses(20), put]), Lane([miss])])
        assert check(history).ok is right


def test_lanes_out_of_order_are_not_dealt_out() -> None:
    miss = Record.of(Kind.GET, 5, (100, 101), status=Status.NOT_FOUND)
    disorder = [miss, _blind(5, (3, 4)), _blind(5, (5, 6))]
    report = check(History.build([Lane(_misses(20)), Lane(disorder)]))
    assert report.outcome is Outcome.VIOLATION


def test_a_reading_of_the_map_among_other_calls_is_not_dealt_out() -> None:
    writes = [_blind(5, (100, 101)), _blind(5, (102, 103))]
    reading = Record.of(Kind.SCAN_FORWARD, 0, (50, 60), argument=2**64 - 1, expected=9)
    report = check(History.build([Lane([*_misses(20), *writes]), Lane([reading])]))
    assert report.ok, report.reason


def test_memory_is_at_most_64_bytes_an_operation() -> None:
    for space in (1, 2, 3, 4, 40_000):
        workload = Workload(seed=1, operations=400_000, space=space, weights=_SINGLE, prefill=0.0)
        with Tree(TreeOptions()) as tree, Run(tree, workload) as run:
            run.execute()
            report = check(run.history())
        assert report.ok
        assert report.bytes / report.operations <= 64, (space, report.bytes / report.operations)
