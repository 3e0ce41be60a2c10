"""The recorder: what it records is what the threads did, and it says so when a call fails."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import pairwise

import pytest

from model_check.recorder import (
    MIXES,
    Distribution,
    History,
    Kind,
    Record,
    Request,
    Run,
    RunFailed,
    Status,
    Tree,
    TreeOptions,
    Workload,
    measure_overhead,
)
from model_check.recorder.native import Hung, interruptible
from model_check.report import CannotRun

SMALL = Workload(seed=3, threads=3, operations=6_000, space=200, stride=7)


def recorded(workload: Workload, options: TreeOptions | None = None) -> list[list[Record]]:
    options = options or TreeOptions.tiny()
    with Tree(options) as tree, Run(tree, workload) as run:
        return [list(lane.records) for lane in run.round().lanes()]


def test_calls_of_one_thread_follow_each_other_in_time() -> None:
    for lane in recorded(SMALL):
        calls = sorted({(record.invoked, record.responded) for record in lane})
        assert calls == list(dict.fromkeys((r.invoked, r.responded) for r in lane))
        assert all(a[1] <= b[0] for a, b in pairwise(calls))


def test_calls_of_different_threads_overlap() -> None:
    busy = Workload(seed=1, threads=4, operations=400_000, space=50, mix="exchange")
    with Tree(TreeOptions.tiny()) as tree, Run(tree, busy) as run:
        history = run.round()
        spans = [
            (records[0].invoked, records[-1].responded)
            for records in (list(history.records(lane)) for lane in range(4))
        ]
    assert max(begin for begin, _ in spans) < min(end for _, end in spans)


def test_values_written_are_unique() -> None:
    writes = Counter(
        record.argument
        for lane in recorded(SMALL)
        for record in lane
        if record.kind in {Kind.PUT, Kind.INSERT, Kind.UPDATE, Kind.COMPARE_EXCHANGE, Kind.PUT_MANY}
    )
    assert max(writes.values()) == 1
    assert min(writes) >= 1 << 48  # no thread writes what a key was filled with before the run


def test_one_thread_with_one_seed_does_the_same_twice() -> None:
    alone = Workload(seed=11, threads=1, operations=4_000, space=100)
    first, second = (
        [record._replace(invoked=0, responded=0) for record in recorded(alone)[0]] for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("mix", MIXES)
def test_a_mix_makes_every_call_that_it_names(mix: str) -> None:
    threads = recorded(Workload(operations=20_000, space=30, mix=mix))[:-1]
    assert {Kind(record.kind) for lane in threads for record in lane} == set(MIXES[mix])


@pytest.mark.parametrize("distribution", Distribution)
def test_keys_stay_within_the_space_and_follow_the_distribution(distribution: Distribution) -> None:
    workload = Workload(
        seed=5, threads=1, operations=20_000, space=1_000, first_key=50, stride=10, mix="exchange",
        distribution=distribution, hot_keys=10,
    )  # fmt: skip
    keys = [record.key for record in recorded(workload)[0]]
    allowed = {50 + 10 * position for position in range(1_000)}
    assert set(keys) <= allowed
    share = sum(count for _, count in Counter(keys).most_common(10)) / len(keys)
    uneven = distribution in {Distribution.ZIPFIAN, Distribution.HOT}
    assert (share > 0.3) == uneven


def test_the_whole_range_of_keys_can_be_used() -> None:
    workload = Workload(
        seed=2, threads=2, operations=4_000, space=4, first_key=0, stride=(2**64 - 1) // 3
    )
    keys = {record.key for lane in recorded(workload) for record in lane if record.kind == Kind.GET}
    assert keys == {0, (2**64 - 1) // 3, 2 * ((2**64 - 1) // 3), 2**64 - 1}


def test_the_last_lane_is_the_state_behind_the_run_and_the_next_round_begins_with_it() -> None:
    with Tree(TreeOptions.tiny()) as tree, Run(tree, SMALL) as run:
        first = run.round()
        final = first.pairs(first.lane_count - 1)
        assert first.record(first.lane_count - 1, 0).kind == Kind.SCAN_FORWARD
        assert tree.stats()["size"] == len(final)
        run.next_round()
        assert run.round().initial() == final


def test_prefill_is_the_initial_state() -> None:
    with Tree() as tree, Run(tree, Workload(operations=100, space=1_000, prefill=0.5)) as run:
        before = len(run.history().initial())
        assert 400 < before < 600
        assert tree.stats()["size"] == before


def test_a_program_is_made_call_by_call() -> None:
    program = [
        Request(Kind.PUT, 5),
        Request(Kind.PUT_MANY, 6, count=2),
        Request(Kind.GET_MANY, 4, count=4),
        Request(Kind.SCAN_BACKWARD, 9, limit=5, count=2),
        Request(Kind.COUNT, 0, limit=2**64 - 1),
        Request(Kind.COMPARE_EXCHANGE, 5),
        Request(Kind.CLEAR, 0),
    ]
    workload = Workload(threads=1, operations=64, space=10, prefill=0)
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload, programs=[program]) as run:
        history = run.round()
        records = list(history.records(0))
        scan = next(r for r in records if r.kind == Kind.SCAN_BACKWARD)
        assert [pair.key for pair in history.pairs(0, scan.seen, scan.count)] == [7, 6]
    gets = [(r.key, r.status) for r in records if r.kind == Kind.GET_MANY]
    assert gets == [(4, Status.NOT_FOUND), (5, 0), (6, 0), (7, 0)]
    assert [r.seen for r in records if r.kind == Kind.COUNT] == [3]
    exchange = next(r for r in records if r.kind == Kind.COMPARE_EXCHANGE)
    assert (exchange.status, exchange.seen) == (Status.OK, exchange.expected)
    assert records[-1].seen == 3


def test_what_put_many_saw_is_known_when_all_or_none_were_there() -> None:
    program = [Request(Kind.PUT_MANY, 0, count=2), Request(Kind.PUT_MANY, 0, count=2)]
    program.append(Request(Kind.PUT_MANY, 1, count=2))
    workload = Workload(threads=1, operations=64, space=10, prefill=0)
    with Tree() as tree, Run(tree, workload, programs=[program]) as run:
        flags = [(r.status, r.flags) for r in run.round().records(0)]
    assert flags == [(Status.OK, 0)] * 2 + [(Status.EXISTS, 2)] * 2 + [(Status.EXISTS, 1)] * 2


def test_an_error_of_a_call_ends_the_run_and_is_reported() -> None:
    with Tree() as tree:
        run = Run(tree, Workload(threads=2, operations=10_000, space=100))
        handle = tree.handle
        from model_check.recorder.native import lib

        assert lib.bw_close(handle) == 0
        with pytest.raises(RunFailed, match=r"thread \d+, call \d+: .* gave status -5"):
            run.round()
        run.close()


def test_without_recording_the_same_calls_are_made() -> None:
    counts = set()
    for record in (True, False):
        workload = Workload(seed=4, threads=1, operations=5_000, space=100, record=record)
        with Tree() as tree, Run(tree, workload) as run:
            run.execute()
            counts.add((run.operations, tree.stats()["size"], tree.stats()["appends"]))
            assert run.history().record_count() == (run.operations if record else 0)
    assert len(counts) == 1


def test_the_cost_of_recording_is_measured_on_equal_work() -> None:
    overhead = measure_overhead(Workload(operations=20_000, space=1_000), repeats=1)
    assert overhead.recorded > 0
    assert overhead.unrecorded > 0
    assert overhead.share == pytest.approx(1 - overhead.recorded / overhead.unrecorded)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"threads": 0}, "threads and operations must be at least 1"),
        ({"space": 0}, "space and stride must be at least 1"),
        ({"batch": 65}, "batch must be from 1 to 64"),
        ({"scan_length": 0}, "scan_length must be from 1 to 256"),
        ({"span": 0}, "span must be at least 1"),
        ({"space": 3, "stride": 2**63}, "must stay below 2\\^64"),
        ({"skew": 1.0, "distribution": Distribution.ZIPFIAN}, "skew must lie between 0 and 1"),
        ({"mix": "nothing"}, "mix must be one of all, "),
        ({"weights": {Kind.GET: 0}}, "at least one operation must have a weight"),
        ({"span": -1}, "out of range"),
    ],
)
def test_a_workload_that_cannot_be_run_is_refused(
    changes: dict[str, object], sentence: str
) -> None:
    with Tree() as tree, pytest.raises(CannotRun, match=sentence):
        Run(tree, Workload(**{**vars(SMALL), **changes}))


def test_options_that_the_library_refuses_are_reported_in_its_words() -> None:
    with pytest.raises(CannotRun, match="leaf_capacity"):
        Tree(TreeOptions(leaf_capacity=1))
    with pytest.raises(CannotRun, match="simd must be one of auto"):
        Tree(TreeOptions(simd="mmx"))


def test_pinned_threads_record_the_same_kind_of_history() -> None:
    workload = Workload(**{**vars(SMALL), "pin": True})
    assert sum(map(len, recorded(workload))) > SMALL.operations


def test_a_history_keeps_its_run_alive() -> None:
    def make() -> History:
        tree = Tree()
        return Run(tree, SMALL).round().copy()

    history = make()
    assert history.record_count() > SMALL.operations
    assert history.record(0, 0).responded >= history.record(0, 0).invoked


def test_a_call_that_never_comes_back_is_given_up() -> None:
    release = threading.Event()
    stopped: list[bool] = []
    with pytest.raises(Hung, match="no answer for"):
        interruptible(release.wait, lambda: stopped.append(True), patience=0.1)
    release.set()
    assert stopped == [True]
