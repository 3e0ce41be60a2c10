"""What a record demands of its key, what a violation shows, and when the checker gives up."""

from __future__ import annotations

import random

import pytest
from rich.console import Console

from model_check.linearizability import (
    CORRUPTIONS,
    Outcome,
    check,
    corruptions,
    find_order,
    render,
)
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
from model_check.report import CannotRun

MOST = 2**64 - 1
NOT_FOUND, EXISTS, MISMATCH = Status.NOT_FOUND, Status.EXISTS, Status.MISMATCH


def history(
    *lanes: list[Record], initial: dict[int, int] | None = None, pairs: list[Pair] | None = None
) -> History:
    start = [Pair(*entry) for entry in sorted((initial or {}).items())]
    return History.build([Lane(lane, pairs or []) for lane in lanes], start)


def accepted(*lanes: list[Record], **more: object) -> bool:
    report = check(history(*lanes, **more))  # type: ignore[arg-type]
    assert report.outcome is not Outcome.UNKNOWN
    return report.ok


def call(kind: Kind, key: int, begin: int, end: int, **fields: int) -> Record:
    return Record.of(kind, key, (begin, end), **fields)


def get(key: int, seen: int | None, begin: int, end: int) -> Record:
    if seen is None:
        return call(Kind.GET, key, begin, end, status=NOT_FOUND)
    return call(Kind.GET, key, begin, end, seen=seen)


def put(key: int, value: int, saw: int | None, begin: int, end: int) -> Record:
    status = Status.OK if saw is None else EXISTS
    return call(Kind.PUT, key, begin, end, argument=value, seen=saw or 0, status=status)


# ------------------------------------------------------------------ intervals


def test_calls_that_touch_in_one_instant_are_concurrent() -> None:
    assert accepted([put(1, 10, None, 5, 9)], [get(1, None, 9, 12)])
    assert not accepted([put(1, 10, None, 5, 9)], [get(1, None, 10, 12)])


def test_a_read_may_see_a_write_that_is_not_done() -> None:
    assert accepted([put(1, 10, None, 5, 90)], [get(1, 10, 20, 30)])
    assert not accepted([put(1, 10, None, 50, 90)], [get(1, 10, 20, 30)])


def test_reads_one_after_another_do_not_go_back() -> None:
    writer = [put(1, 10, None, 5, 90)]
    assert not accepted(writer, [get(1, 10, 20, 30)], [get(1, None, 31, 40)])


def test_a_later_state_explains_what_an_earlier_one_does_not() -> None:
    writes = [put(1, 10, None, 5, 90)], [call(Kind.REMOVE, 1, 5, 90, seen=10)]
    assert accepted(*writes, [get(1, None, 20, 30)])
    assert accepted(*writes, [get(1, 10, 20, 30), get(1, None, 31, 35)])
    assert not accepted(*writes, [get(1, None, 91, 95), get(1, 10, 96, 97)])


# ------------------------------------------------------------------ results of each call


@pytest.mark.parametrize(
    ("record", "before", "allowed"),
    [
        (call(Kind.INSERT, 1, 5, 6, argument=9), None, True),
        (call(Kind.INSERT, 1, 5, 6, argument=9), 7, False),
        (call(Kind.INSERT, 1, 5, 6, argument=9, status=EXISTS, seen=7), 7, True),
        (call(Kind.INSERT, 1, 5, 6, argument=9, status=EXISTS, seen=8), 7, False),
        (call(Kind.PUT, 1, 5, 6, argument=9), 7, False),
        (call(Kind.PUT, 1, 5, 6, argument=9, status=EXISTS, seen=7), 7, True),
        (call(Kind.UPDATE, 1, 5, 6, argument=9, seen=7), 7, True),
        (call(Kind.UPDATE, 1, 5, 6, argument=9, seen=8), 7, False),
        (call(Kind.UPDATE, 1, 5, 6, argument=9, status=NOT_FOUND), 7, False),
        (call(Kind.UPDATE, 1, 5, 6, argument=9, status=NOT_FOUND), None, True),
        (call(Kind.REMOVE, 1, 5, 6, seen=7), 7, True),
        (call(Kind.REMOVE, 1, 5, 6, seen=6), 7, False),
        (call(Kind.REMOVE, 1, 5, 6, status=NOT_FOUND), 7, False),
        (call(Kind.COMPARE_EXCHANGE, 1, 5, 6, argument=9, expected=7, seen=7), 7, True),
        (call(Kind.COMPARE_EXCHANGE, 1, 5, 6, argument=9, expected=6, seen=7), 7, False),
        (
            call(Kind.COMPARE_EXCHANGE, 1, 5, 6, argument=9, expected=6, seen=7, status=MISMATCH),
            7,
            True,
        ),
        (
            call(Kind.COMPARE_EXCHANGE, 1, 5, 6, argument=9, expected=7, seen=7, status=MISMATCH),
            7,
            False,
        ),
        (call(Kind.COMPARE_EXCHANGE, 1, 5, 6, expected=7, status=NOT_FOUND), None, True),
        (call(Kind.GET, 1, 5, 6, seen=7, status=EXISTS), 7, False),
        (call(Kind.PUT_MANY, 1, 5, 6, argument=9), None, True),
        (call(Kind.PUT_MANY, 1, 5, 6, argument=9), 7, False),
        (call(Kind.PUT_MANY, 1, 5, 6, argument=9, flags=1), 7, True),
        (call(Kind.PUT_MANY, 1, 5, 6, argument=9, flags=2), 7, True),
        (call(Kind.PUT_MANY, 1, 5, 6, argument=9, flags=2), None, False),
        (call(Kind.GET_MANY, 1, 5, 6, status=NOT_FOUND), 7, False),
    ],
)
def test_a_result_is_possible_in_one_state_only(
    record: Record, before: int | None, allowed: bool
) -> None:
    # The key must exist for the checker even if it is absent: another thread inserted it before.
    initial = {} if before is None else {1: before}
    erased = [put(1, 5, None, 1, 2), call(Kind.REMOVE, 1, 3, 4, seen=5)] if not initial else []
    assert accepted([*erased, record], initial=initial) == allowed


# ------------------------------------------------------------------ range reads


HELD = {10: 1, 20: 2, 30: 3}


@pytest.mark.parametrize(
    ("kind", "key", "answer", "allowed"),
    [
        (Kind.FLOOR, 25, (20, 2), True),
        (Kind.FLOOR, 20, (20, 2), True),
        (Kind.FLOOR, 25, (10, 1), False),
        (Kind.FLOOR, 25, (30, 3), False),
        (Kind.FLOOR, 25, (20, 3), False),
        (Kind.FLOOR, 5, None, True),
        (Kind.FLOOR, 10, None, False),
        (Kind.CEILING, 20, (20, 2), True),
        (Kind.CEILING, 11, (20, 2), True),
        (Kind.CEILING, 11, (30, 3), False),
        (Kind.CEILING, 31, None, True),
        (Kind.LOWER, 20, (10, 1), True),
        (Kind.LOWER, 20, (20, 2), False),
        (Kind.LOWER, 0, None, True),
        (Kind.LOWER, 11, None, False),
        (Kind.HIGHER, 20, (30, 3), True),
        (Kind.HIGHER, 20, (20, 2), False),
        (Kind.HIGHER, MOST, None, True),
        (Kind.HIGHER, 29, None, False),
        (Kind.FIRST, 0, (10, 1), True),
        (Kind.FIRST, 0, (20, 2), False),
        (Kind.FIRST, 0, None, False),
        (Kind.LAST, 0, (30, 3), True),
        (Kind.LAST, 0, (20, 2), False),
        (Kind.LAST, 0, (40, 2), False),
    ],
)
def test_navigation_passes_over_nothing_that_is_there(
    kind: Kind, key: int, answer: tuple[int, int] | None, allowed: bool
) -> None:
    record = call(kind, key, 5, 6, status=NOT_FOUND)
    if answer is not None:
        record = call(kind, key, 5, 6, argument=answer[0], seen=answer[1])
    assert accepted([record], initial=HELD) == allowed


@pytest.mark.parametrize(
    ("kind", "key", "limit", "asked", "keys", "allowed"),
    [
        (Kind.SCAN_FORWARD, 0, 25, 9, [10, 20], True),
        (Kind.SCAN_FORWARD, 0, 25, 9, [10], False),
        (Kind.SCAN_FORWARD, 0, 25, 1, [10], True),
        (Kind.SCAN_FORWARD, 0, 25, 1, [20], False),
        (Kind.SCAN_FORWARD, 0, 30, 9, [10, 30, 20], False),
        (Kind.SCAN_FORWARD, 0, 20, 9, [10, 20, 30], False),
        (Kind.SCAN_FORWARD, 11, 19, 9, [], True),
        (Kind.SCAN_FORWARD, 11, 20, 9, [], False),
        (Kind.SCAN_BACKWARD, 30, 15, 9, [30, 20], True),
        (Kind.SCAN_BACKWARD, 30, 15, 9, [20, 30], False),
        (Kind.SCAN_BACKWARD, 29, 10, 9, [20], False),
        (Kind.SCAN_BACKWARD, 29, 10, 1, [20], True),
        (Kind.WALK_FORWARD, 15, 0, 2, [20, 30], True),
        (Kind.WALK_FORWARD, 15, 0, 3, [20], False),
        (Kind.WALK_BACKWARD, MOST, 0, 9, [30, 20, 10], True),
        (Kind.WALK_BACKWARD, MOST, 0, 9, [30, 20], False),
    ],
)
def test_a_scan_returns_all_that_is_in_its_range(
    kind: Kind, key: int, limit: int, asked: int, keys: list[int], allowed: bool
) -> None:
    pairs = [Pair(0, 0)] + [Pair(k, HELD[k]) for k in keys]
    record = call(kind, key, 5, 6, argument=limit, expected=asked, seen=1, count=len(keys))
    assert accepted([record], initial=HELD, pairs=pairs) == allowed


def test_the_keys_of_one_scan_may_be_from_different_instants() -> None:
    removal = call(Kind.REMOVE, 10, 4, 5, seen=1)
    insertion = call(Kind.INSERT, 20, 6, 7, argument=2)
    scan = call(Kind.SCAN_FORWARD, 0, 1, 9, argument=99, expected=9, count=2)
    found = [Pair(10, 1), Pair(20, 2)]  # never there together
    assert accepted([scan], [removal, insertion], initial={10: 1}, pairs=found)


@pytest.mark.parametrize(
    ("low", "high", "count", "allowed"),
    [
        (0, 99, 3, True),
        (0, 99, 4, False),
        (10, 20, 2, True),
        (11, 19, 0, True),
        (11, 20, 0, False),
        (20, 20, 1, True),
        (20, 20, 0, False),
        (30, 10, 0, True),
        (30, 10, 1, False),
    ],
)
def test_a_count_is_none_or_all_or_something_between(
    low: int, high: int, count: int, allowed: bool
) -> None:
    record = call(Kind.COUNT, low, 5, 6, argument=high, seen=count)
    assert accepted([record], initial=HELD) == allowed


def test_clear_takes_every_key_away_at_some_instant() -> None:
    clear = call(Kind.CLEAR, 0, 5, 9, seen=3)
    assert accepted([clear, get(10, None, 10, 11)], initial=HELD)
    assert not accepted([clear, get(10, 1, 10, 11)], initial=HELD)
    assert accepted([clear], [put(10, 7, None, 6, 7), get(10, 7, 10, 11)], initial=HELD)


def test_clear_may_delete_what_was_inserted_while_it_ran() -> None:
    clear = call(Kind.CLEAR, 0, 1, 9, seen=1)
    assert accepted([clear, put(10, 8, None, 10, 11)], [put(10, 7, None, 4, 5)])
    assert not accepted(
        [clear._replace(responded=3)], [put(10, 7, None, 4, 5), get(10, None, 6, 7)]
    )


# ------------------------------------------------------------------ pops and deletions


@pytest.mark.parametrize(
    ("kind", "answer", "allowed"),
    [
        (Kind.POP_FIRST, (10, 1), True),
        (Kind.POP_FIRST, (10, 2), False),
        (Kind.POP_FIRST, (20, 2), False),
        (Kind.POP_FIRST, (5, 1), False),
        (Kind.POP_FIRST, None, False),
        (Kind.POP_LAST, (30, 3), True),
        (Kind.POP_LAST, (30, 1), False),
        (Kind.POP_LAST, (20, 2), False),
        (Kind.POP_LAST, (40, 3), False),
        (Kind.POP_LAST, None, False),
    ],
)
def test_a_pop_gives_back_the_end_of_the_map(
    kind: Kind, answer: tuple[int, int] | None, allowed: bool
) -> None:
    record = call(kind, 0, 5, 6, status=NOT_FOUND)
    if answer is not None:
        record = call(kind, answer[0], 5, 6, seen=answer[1])
    assert accepted([record], initial=HELD) == allowed


def test_what_is_popped_is_gone() -> None:
    pop = call(Kind.POP_FIRST, 10, 5, 6, seen=1)
    assert accepted([pop, get(10, None, 7, 8), get(20, 2, 7, 8)], initial=HELD)
    assert not accepted([pop, get(10, 1, 7, 8)], initial=HELD)
    assert not accepted([pop, pop._replace(invoked=7, responded=8)], initial=HELD)
    assert not accepted([pop], [call(Kind.REMOVE, 10, 5, 6, seen=1)], initial=HELD)


def test_pops_in_flight_together_take_different_keys() -> None:
    one, two = (call(Kind.POP_FIRST, key, 5, 9, seen=value) for key, value in ((10, 1), (20, 2)))
    assert accepted([one], [two], initial=HELD)
    assert accepted([two], [call(Kind.POP_FIRST, 30, 10, 11, seen=3)], [one], initial=HELD)
    assert not accepted([two], [one._replace(invoked=10, responded=11)], initial=HELD)


def test_an_empty_map_is_found_empty_when_each_key_is_absent() -> None:
    nothing = call(Kind.POP_LAST, 0, 5, 9, status=NOT_FOUND)
    assert accepted([nothing])
    assert accepted([nothing], [call(Kind.REMOVE, 10, 6, 7, seen=1)], initial={10: 1})
    assert not accepted([nothing], [call(Kind.REMOVE, 10, 10, 11, seen=1)], initial={10: 1})


def deletion(low: int, high: int, removed: int, begin: int = 5, end: int = 9) -> Record:
    return call(Kind.DELETE_RANGE, low, begin, end, argument=high, seen=removed)


def look(begin: int, *found: int) -> tuple[Record, list[Pair]]:
    """Read everything, as is done at the end of a run."""
    pairs = [Pair(key, HELD.get(key, key + 1)) for key in found]
    scan = call(
        Kind.SCAN_FORWARD, 0, begin, begin + 1, argument=MOST, expected=99, count=len(pairs)
    )
    return scan, pairs


@pytest.mark.parametrize(
    ("low", "high", "removed", "left", "allowed"),
    [
        (10, 20, 2, [30], True),
        (10, 20, 2, [20, 30], False),
        (10, 20, 1, [30], False),
        (10, 20, 3, [30], False),
        (0, MOST, 3, [], True),
        (11, 19, 0, [10, 20, 30], True),
        (11, 19, 1, [10, 20, 30], False),
        (11, 20, 1, [10, 30], True),
        (11, 20, 1, [10, 20], False),
        (30, 10, 0, [10, 20, 30], True),
        (30, 10, 1, [10, 20, 30], False),
        (40, 50, 0, [10, 20, 30], True),
        (40, 50, 1, [10, 20, 30], False),
    ],
)
def test_a_deletion_takes_what_is_in_its_range_and_says_how_much(
    low: int, high: int, removed: int, left: list[int], allowed: bool
) -> None:
    end, pairs = look(20, *left)
    lanes = [deletion(low, high, removed)], [end]
    assert accepted(*lanes, initial=HELD, pairs=pairs) == allowed
    if (low, high) == (0, MOST):
        clear = call(Kind.CLEAR, 0, 5, 9, seen=removed)
        assert accepted([clear], [end], initial=HELD, pairs=pairs) == allowed
        assert not accepted([clear._replace(seen=removed + 1)], [end], initial=HELD, pairs=pairs)


@pytest.mark.parametrize(("one", "two"), [(3, 0), (2, 1), (1, 2), (0, 3)])
def test_deletions_that_contend_share_the_keys_out(one: int, two: int) -> None:
    end, _ = look(20)
    for surplus in (-1, 0, 1):
        if one + surplus < 0:
            continue
        lanes = [deletion(0, 99, one + surplus)], [deletion(0, 99, two, 6, 8)], [end]
        assert accepted(*lanes, initial=HELD) == (surplus == 0)


def test_a_deletion_may_take_what_came_while_it_ran_and_only_that() -> None:
    end, _ = look(20)
    came = put(15, 16, None, 6, 7)
    assert accepted([deletion(10, 19, 1)], [came], [end])
    assert not accepted([deletion(10, 19, 0)], [came], [end])
    assert not accepted([deletion(10, 19, 1, 1, 5)], [came], [end])
    stays, pairs = look(20, 15)
    assert accepted([deletion(10, 19, 0)], [came], [stays], pairs=pairs)
    assert not accepted([deletion(10, 19, 1)], [came], [stays], pairs=pairs)


def test_what_others_name_is_not_taken_by_a_deletion() -> None:
    end, _ = look(20)
    removal = call(Kind.REMOVE, 10, 6, 7, seen=1)
    for other in (removal, call(Kind.POP_FIRST, 10, 6, 7, seen=1)):
        for removed, allowed in ((0, True), (1, False)):
            lanes = [deletion(0, 99, removed)], [other], [end]
            assert accepted(*lanes, initial={10: 1}) == allowed


def test_where_it_is_unknown_what_was_replaced_a_number_is_bounded_by_the_keys() -> None:
    blind = call(Kind.PUT_MANY, 10, 1, 2, argument=77, flags=1)
    end, _ = look(20)
    for removed in (0, 1, 2):
        lanes = [blind, deletion(0, 99, removed)], [end]
        assert accepted(*lanes, initial={10: 1}) == (removed < 2)


def test_a_number_of_keys_that_cannot_be_is_shown_with_its_call() -> None:
    end, _ = look(20)
    bad = history([deletion(10, 30, 2)], [end], initial=HELD)
    report = check(bad)
    assert report.violation is not None
    console = Console(width=160)
    with console.capture() as capture:
        console.print(render(bad, report.violation))
    text = capture.get()
    assert "No order explains these 1 operations on key 10" in text
    assert "delete_range(10 … 30) → removed 2 keys: not as many as the keys tell" in text


def test_a_pop_is_drawn_with_what_it_gave_back_and_what_it_passed_over() -> None:
    for record, sentence in (
        (call(Kind.POP_FIRST, 20, 5, 6, seen=2), "pop_first → 20: so 10 absent"),
        (call(Kind.POP_LAST, 30, 5, 6, seen=9), "pop_last → removed 30 = v9"),
        (call(Kind.POP_LAST, 0, 5, 6, status=NOT_FOUND), "pop_last → the map is empty: so 10"),
    ):
        bad = history([record], initial=HELD)
        report = check(bad)
        assert report.violation is not None
        console = Console(width=160)
        with console.capture() as capture:
            console.print(render(bad, report.violation))
        assert sentence in capture.get()


def test_records_that_are_no_history_are_refused() -> None:
    for record, sentence in (
        (get(1, None, 9, 3), "a record ends before it begins"),
        (call(Kind.GET, 1, 1, 2, status=-1), "holds an error"),
        (call(Kind.SCAN_FORWARD, 1, 1, 2, expected=9, seen=0, count=2), "points outside the pairs"),
        (call(Kind.GET, 1, 1, 2)._replace(kind=77), "of an unknown kind"),
    ):
        with pytest.raises(CannotRun, match=sentence):
            check(history([record]))
    with pytest.raises(CannotRun, match="not in ascending order"):
        check(History.build([], [Pair(2, 1), Pair(1, 1)]))


# ------------------------------------------------------------------ size and limits


def hot_key(operations: int, threads: int, seed: int) -> list[list[Record]]:
    """One key, every operation overlapping its neighbours, results right by construction."""
    dice = random.Random(seed)
    lanes: list[list[Record]] = [[] for _ in range(threads)]
    state: int | None = None
    for number in range(operations):
        at = 10 * number + 100
        begin, end = at - dice.randint(0, 14), at + dice.randint(0, 14)
        lane = lanes[number % threads]
        if dice.random() < 0.4:
            lane.append(get(1, state, begin, end))
        elif state is not None and dice.random() < 0.5:
            lane.append(call(Kind.REMOVE, 1, begin, end, seen=state))
            state = None
        else:
            lane.append(put(1, number + 1, state, begin, end))
            state = number + 1
    return lanes


def test_a_hot_key_of_a_hundred_thousand_operations_needs_few_configurations() -> None:
    lanes = hot_key(100_000, 4, seed=1)
    report = check(history(*lanes))
    assert report.ok
    assert report.overlapping > 50_000
    assert report.peak < 64


def test_a_corruption_far_down_a_hot_key_is_shown_in_a_small_window() -> None:
    lanes = hot_key(40_000, 4, seed=2)
    at = next(i for i in range(9_000, 9_999) if lanes[0][i].kind == Kind.REMOVE)
    lanes[0][at] = lanes[0][at]._replace(seen=lanes[0][at].seen - 1_000)
    report = check(history(*lanes))
    assert report.violation is not None
    assert report.violation.parts == 40_000
    assert report.violation.window_size < 20
    assert not report.violation.since_start


def overlapping_writes(count: int, last: int) -> list[list[Record]]:
    """Blind writes that all overlap, of values that come twice, and a read of ``last``."""
    lanes = [
        [call(Kind.PUT_MANY, 1, 1, 100 + i, argument=i // 2 + 1, flags=1)] for i in range(count)
    ]
    return [*lanes, [get(1, last, 300, 301)]]


def test_too_many_configurations_are_unknown_not_wrong() -> None:
    lanes = overlapping_writes(16, last=99)
    report = check(history(*lanes), limit=50)
    assert report.outcome is Outcome.UNKNOWN
    assert "more than 50 configurations" in report.reason
    assert check(history(*lanes)).outcome is Outcome.VIOLATION


def test_a_time_limit_is_obeyed() -> None:
    report = check(history(*overlapping_writes(40, last=99)), limit=1 << 24, seconds=0.3)
    assert report.outcome is Outcome.UNKNOWN
    assert "not decided within 0.3 s" in report.reason
    assert report.seconds < 20


def test_where_breadth_explodes_depth_finds_an_order() -> None:
    report = check(history(*overlapping_writes(40, last=20)))
    assert report.ok
    assert report.searched == 41


def test_hundreds_of_operations_in_flight_are_decided() -> None:
    for width in (65, 700):
        updates = [[call(Kind.PUT_MANY, 1, 1, 100, argument=7, flags=2)] for _ in range(width)]
        right = history(*updates, [get(1, 7, 1, 100)], initial={1: 7})
        wrong = history(*updates, [get(1, 8, 1, 100)], initial={1: 7})
        assert check(right).searched == width + 1
        assert check(right).ok
        assert not check(wrong).ok


# ------------------------------------------------------------------ explanations


def test_a_violation_is_drawn_with_what_was_called_and_where_values_came_from() -> None:
    lanes = [put(1, 3 << 48 | 5, 7, 10, 20)], [get(1, 7, 30, 40)]
    bad = history(*lanes, initial={1: 7})
    report = check(bad)
    assert report.violation is not None
    assert report.violation.window_size == 2
    console = Console(width=140)
    with console.capture() as capture:
        console.print(render(bad, report.violation))
    text = capture.get()
    assert "No order explains these 2 operations on key 1" in text
    assert "put t2#5 → saw v7" in text
    assert "get → v7" in text
    assert "v7 was there before the first call" in text
    assert "[==" in text


def test_a_value_that_nobody_wrote_is_said_to_be_so() -> None:
    bad = history([put(1, 8, None, 1, 2), get(1, 99, 3, 4)])
    report = check(bad)
    assert report.violation is not None
    console = Console(width=140)
    with console.capture() as capture:
        console.print(render(bad, report.violation))
    assert "v99 was never written to this key" in capture.get()


def test_an_order_of_all_keys_keeps_the_order_of_time() -> None:
    one = [put(1, 5, None, 1, 2), put(2, 6, None, 7, 8), get(2, 6, 12, 13)]
    two = [put(3, 7, None, 3, 4), get(1, 5, 9, 10)]
    order = find_order(history(one, two))
    assert order is not None
    assert [(step.key, step.part.lane) for step in order] == [
        (1, 0),
        (3, 1),
        (2, 0),
        (1, 1),
        (2, 0),
    ]


# ------------------------------------------------------------------ corruptions


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threads", [1, 3])
def test_every_corruption_of_a_recorded_history_is_rejected(seed: int, threads: int) -> None:
    simple = {Kind.GET: 40, Kind.PUT: 15, Kind.INSERT: 15, Kind.UPDATE: 10, Kind.REMOVE: 10,
              Kind.COMPARE_EXCHANGE: 10, Kind.POP_FIRST: 3, Kind.POP_LAST: 3,
              Kind.DELETE_RANGE: 1, Kind.SCAN_FORWARD: 2, Kind.WALK_BACKWARD: 1}  # fmt: skip
    workload = Workload(seed=seed, threads=threads, operations=20_000, space=50, weights=simple)
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload) as run:
        right = run.round()
        assert check(right).ok
        rejected = {}
        for mutant in corruptions(right, seed):
            rejected[mutant.name] = check(mutant.history).outcome
        assert check(right).ok  # the copies were changed, not the original
    assert rejected == dict.fromkeys(CORRUPTIONS, Outcome.VIOLATION)
