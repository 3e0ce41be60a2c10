"""Reads of many keys at one instant: accepted, refused with a cycle, as trying all orders says."""

from __future__ import annotations

import itertools
import random

import pytest

from model_check.linearizability.pages_recorded import describe_call
from model_check.linearizability.snapshot import (
    Call,
    check_snapshots,
    explain_cycle,
    whole_calls,
)
from model_check.recorder import Kind, Run, Tree, TreeOptions, Workload
from model_check.report import CannotRun


def put(key: int, value: int, saw: int | None, begin: int, end: int) -> Call:
    return Call(begin, end, {key: saw}, {key: value}, f"put({key}, {value})")


def scan(begin: int, end: int, **seen: int | None) -> Call:
    reads = {int(name[1:]): value for name, value in seen.items()}
    return Call(begin, end, reads, {}, f"scan {reads}")


def test_a_scan_may_not_see_a_later_write_and_miss_an_earlier_one() -> None:
    first, second = put(1, 11, None, 10, 20), put(2, 22, None, 30, 40)
    good = [first, second, scan(5, 50, k1=11, k2=None)]
    bad = [first, second, scan(5, 50, k1=None, k2=22)]
    assert check_snapshots(good).ok
    found = check_snapshots(bad)
    assert not found.ok
    assert not found.reason
    said = explain_cycle(bad, found.cycle)
    assert any("saw 1 absent before it came" in line or "key 1 absent" in line for line in said)
    assert any("wrote 2 = 22, which it saw" in line for line in said)
    assert any("returned before it was invoked" in line for line in said)


def test_two_scans_that_see_two_writes_in_different_orders_are_refused() -> None:
    writes = [put(1, 11, None, 0, 100), put(2, 22, None, 0, 100)]
    scans = [scan(0, 100, k1=11, k2=None), scan(0, 100, k1=None, k2=22)]
    assert check_snapshots([*writes, scans[0]]).ok
    assert check_snapshots([*writes, scans[1]]).ok
    found = check_snapshots([*writes, *scans])
    assert not found.ok
    assert len(found.cycle) == 4


def test_a_key_that_comes_and_goes_may_be_absent_at_either_time() -> None:
    calls = [
        put(1, 11, None, 10, 20),
        Call(30, 40, {1: 11}, {1: None}, "remove(1)"),
        put(2, 22, None, 50, 60),
    ]
    assert check_snapshots([*calls, scan(0, 70, k1=None, k2=22)]).ok
    assert check_snapshots([*calls, scan(0, 70, k1=None, k2=None)]).ok
    assert not check_snapshots([*calls, scan(0, 70, k1=11, k2=22)]).ok


def test_what_it_cannot_know_is_said() -> None:
    with pytest.raises(CannotRun, match="written to key 1 twice"):
        check_snapshots([put(1, 5, None, 0, 1), put(1, 5, 5, 2, 3)])
    with pytest.raises(CannotRun, match="does not say what it replaced"):
        check_snapshots([Call(0, 1, {}, {1: 5}, "put(1, 5)")])
    with pytest.raises(CannotRun, match="never returned"):
        check_snapshots([Call(0, None, {1: None}, {1: 5}, "put(1, 5)")])


def some_order(calls: list[Call]) -> bool:
    """Try all orders."""
    for order in itertools.permutations(calls):
        latest = -1
        state: dict[int, int] = {}
        for call in order:
            latest = max(latest, call.invoked)
            if (call.responded or 0) < latest:
                break
            if any(state.get(key) != value for key, value in call.reads.items()):
                break
            for key, value in call.writes.items():
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
        else:
            return True
    return False


def random_calls(draw: random.Random) -> list[Call]:
    """Make a few calls in some order, then let what they saw of some keys be of another time."""
    state: dict[int, int] = {}
    states: list[dict[int, int]] = [{}]
    calls = []
    for number in range(draw.randint(2, 6)):
        at, key = 10 * number + 5, draw.randrange(3)
        begin, end = at - draw.randrange(20), at + draw.randrange(20)
        if draw.random() < 0.5:
            gone = key in state and draw.random() < 0.5
            reads: dict[int, int | None] = {key: state.get(key)}
            writes: dict[int, int | None] = {key: None if gone else 100 + number}
        else:
            reads = {k: states[-draw.randint(1, min(4, len(states)))].get(k) for k in range(3)}
            writes = {}
        calls.append(Call(begin, end, reads, writes, f"call {number}"))
        for k, value in writes.items():
            if value is None:
                state.pop(k, None)
            else:
                state[k] = value
        states.append(dict(state))
    return calls


def test_the_verdict_is_that_of_trying_all_orders() -> None:
    draw = random.Random(11)
    seen = {True: 0, False: 0}
    for _ in range(1500):
        calls = random_calls(draw)
        found = check_snapshots(calls)
        assert not found.reason
        assert found.ok == some_order(calls), calls
        if found.order is not None:
            assert sorted(found.order) == list(range(len(calls)))
        else:
            assert found.cycle
        seen[found.ok] += 1
    assert min(seen.values()) > 150


def test_one_thread_reads_ranges_at_one_instant() -> None:
    weights = {Kind.INSERT: 30, Kind.REMOVE: 25, Kind.SCAN_FORWARD: 20, Kind.WALK_BACKWARD: 5,
               Kind.FLOOR: 5, Kind.POP_FIRST: 5}  # fmt: skip
    workload = Workload(seed=2, threads=1, operations=1500, space=40, weights=weights)
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload) as run:
        history = run.round().copy()
    calls = whole_calls(history, lambda record, lane: describe_call(record, lane, history))
    assert len(calls) == history.record_count()
    assert check_snapshots(calls, dict(history.initial())).ok
