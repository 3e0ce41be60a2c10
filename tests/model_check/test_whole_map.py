"""The search over the whole map: what only an instant for all keys shows, and that it is right."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from model_check.linearizability import check, find_whole_order
from model_check.recorder import History, Kind, Lane, Pair, Record, Status
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = {"status": int(Status.NOT_FOUND)}


def call(kind: Kind, key: int, begin: int, end: int, **fields: int) -> Record:
    return Record.of(kind, key, (begin, end), **fields)


def history(*lanes: list[Record], initial: dict[int, int], pairs: Sequence[Pair] = ()) -> History:
    start = [Pair(*entry) for entry in sorted(initial.items())]
    return History.build([Lane(lane, pairs) for lane in lanes], start)


def verdicts(*lanes: list[Record], initial: dict[int, int]) -> tuple[bool, bool]:
    """Give what the check says, and what the search over the whole map says."""
    recorded = history(*lanes, initial=initial)
    return check(recorded).ok, find_whole_order(recorded) is not None


def right_key_by_key(*lanes: list[Record], initial: dict[int, int]) -> bool:
    """Tell whether each key for itself is right, whatever is asked of all of them together."""
    report = check(history(*lanes, initial=initial))
    return report.ok or bool(report.cycle)


#: At every instant one of 3 and 4 is there, but each of them is absent for a while.
HANDOVER = [call(Kind.INSERT, 4, 2, 3, argument=40), call(Kind.REMOVE, 3, 4, 5, seen=30)]


@pytest.mark.parametrize(
    "record",
    [
        call(Kind.POP_FIRST, 5, 1, 9, seen=50),
        call(Kind.FIRST, 0, 1, 9, argument=5, seen=50),
        call(Kind.CEILING, 2, 1, 9, argument=5, seen=50),
        call(Kind.FLOOR, 4, 1, 9, **NOTHING),
        call(Kind.LOWER, 5, 1, 9, **NOTHING),
    ],
)
def test_keys_passed_over_at_different_instants_are_no_atomic_call(record: Record) -> None:
    assert verdicts([record], HANDOVER, initial={3: 30, 5: 50}) == (False, False)
    assert right_key_by_key([record], HANDOVER, initial={3: 30, 5: 50})


def test_a_map_that_is_never_empty_is_not_found_empty() -> None:
    for kind in (Kind.POP_FIRST, Kind.POP_LAST):
        record = call(kind, 0, 1, 9, **NOTHING)
        for lane in (HANDOVER, HANDOVER[::-1]):
            assert verdicts([record], lane, initial={3: 30}) == (False, False)
            assert right_key_by_key([record], lane, initial={3: 30})
        one_after_another = [
            call(Kind.REMOVE, 3, 2, 3, seen=30), call(Kind.INSERT, 4, 4, 5, argument=40)
        ]  # fmt: skip
        assert verdicts([record], one_after_another, initial={3: 30}) == (True, True)


def test_a_cursor_may_pass_over_what_is_handed_over() -> None:
    scan = call(Kind.SCAN_FORWARD, 0, 1, 9, argument=4, expected=9)
    assert verdicts([scan], HANDOVER, initial={3: 30, 5: 50}) == (True, True)


def test_two_pops_share_two_keys_out_in_order() -> None:
    first = call(Kind.POP_FIRST, 1, 1, 5, seen=10)
    second = call(Kind.POP_FIRST, 2, 2, 6, seen=20)
    last = call(Kind.POP_LAST, 2, 2, 6, seen=20)
    for other in (second, last):
        assert verdicts([first], [other], initial={1: 10, 2: 20}) == (True, True)
    late = first._replace(invoked=7, responded=8)
    assert verdicts([late], [second], initial={1: 10, 2: 20}) == (False, False)
    assert verdicts([late], [last], initial={1: 10, 2: 20}) == (True, True)


@pytest.mark.parametrize(("removed", "possible"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_deletion_takes_as_many_keys_as_it_says(removed: int, possible: bool) -> None:
    deletion = call(Kind.DELETE_RANGE, 1, 1, 9, argument=2, seen=removed)
    others = [call(Kind.REMOVE, 1, 2, 5, seen=10), call(Kind.INSERT, 2, 6, 9, argument=20)]
    gone = [call(Kind.GET, 1, 10, 11, **NOTHING)]
    found = history([deletion], others, gone, initial={1: 10})
    # 1 is removed by the other call; 2 may be taken or not, as nobody looks at it again.
    assert (find_whole_order(found) is not None) == (possible and removed < 2)


def test_deletions_that_contend_take_each_key_once() -> None:
    def deletions(first: int, second: int) -> History:
        return history(
            [call(Kind.DELETE_RANGE, 1, 1, 9, argument=3, seen=first)],
            [call(Kind.DELETE_RANGE, 2, 2, 8, argument=4, seen=second)],
            [call(Kind.SCAN_FORWARD, 0, 10, 11, argument=9, expected=9)],
            initial={1: 10, 2: 20, 3: 30, 4: 40},
        )

    for first, second in itertools.product(range(5), repeat=2):
        possible = first + second == 4 and first >= 1 and second >= 1
        order = find_whole_order(deletions(first, second))
        assert (order is not None) == possible, (first, second)
        assert check(deletions(first, second)).ok == possible, (first, second)
        taken = [event.key for event in order or () if event.key is not None]
        assert not possible or sorted(taken) == [1, 2, 3, 4]


@pytest.mark.parametrize(("count", "possible"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_count_is_possible_if_some_instants_of_its_keys_make_it(
    count: int, possible: bool
) -> None:
    counting = call(Kind.COUNT, 1, 1, 9, argument=9, seen=count)
    writes = [call(Kind.INSERT, 1, 2, 3, argument=10)]
    found = history([counting], writes, initial={2: 20})
    assert (find_whole_order(found) is not None) == possible


def test_a_search_that_takes_too_long_is_given_up() -> None:
    lanes = [[call(Kind.PUT_MANY, 1, 1, 100, argument=i + 1, flags=1)] for i in range(16)]
    lanes.append([call(Kind.GET, 1, 90, 100, seen=99)])
    with pytest.raises(CannotRun, match="more than 500 states"):
        find_whole_order(history(*lanes, initial={}), limit=500)


# ------------------------------------------------------------------ against all permutations


KEYS = (1, 2, 3)
KINDS = (Kind.GET, Kind.PUT, Kind.INSERT, Kind.REMOVE, Kind.POP_FIRST, Kind.POP_LAST, Kind.FIRST,
         Kind.LOWER, Kind.CEILING)  # fmt: skip


def answer(kind: Kind, key: int, value: int, state: dict[int, int]) -> Record:
    """Make the call on ``state`` and give what it records."""
    old = state.get(key)
    plain = call(kind, key, 0, 0, seen=old or 0)
    missing = plain._replace(status=int(Status.NOT_FOUND))
    if kind is Kind.GET:
        return plain if old is not None else missing
    if kind in {Kind.PUT, Kind.INSERT}:
        if old is None or kind is Kind.PUT:
            state[key] = value
        status = Status.OK if old is None else Status.EXISTS
        return plain._replace(argument=value, status=int(status))
    if kind is Kind.REMOVE:
        return plain if state.pop(key, None) is not None else missing
    if kind is Kind.LOWER:
        found = max((k for k in state if k < key), default=None)
    elif kind is Kind.CEILING:
        found = min((k for k in state if k >= key), default=None)
    else:
        end = max if kind is Kind.POP_LAST else min
        found = end(state, default=None)
    if found is None:
        return call(kind, 0 if kind > Kind.LAST else key, 0, 0, **NOTHING)
    if kind in {Kind.POP_FIRST, Kind.POP_LAST}:
        return call(kind, found, 0, 0, seen=state.pop(found))
    return call(kind, key, 0, 0, argument=found, seen=state[found])


def some_permutation_explains(records: Sequence[Record], initial: dict[int, int]) -> bool:
    for order in itertools.permutations(records):
        if any(b.responded < a.invoked for a, b in itertools.combinations(order, 2)):
            continue
        state = dict(initial)
        for record in order:
            pops = record.kind in {Kind.POP_FIRST, Kind.POP_LAST}
            again = answer(Kind(record.kind), record.key, record.argument, state)
            if pops and again.status == Status.NOT_FOUND:
                again = again._replace(key=record.key)
            if again._replace(invoked=record.invoked, responded=record.responded) != record:
                break
        else:
            return True
    return False


def test_verdicts_agree_with_a_trial_of_all_permutations() -> None:
    seen = {True: 0, False: 0}
    key_by_key = 0
    for number in range(4000):
        dice = random.Random(number)
        initial = {key: 10 * key for key in KEYS if dice.random() < 0.5}
        state, records = dict(initial), []
        for at in range(dice.randint(2, 6)):
            record = answer(dice.choice(KINDS), dice.choice(KEYS), 100 + at, state)
            wide = 60 if record.kind >= Kind.FLOOR and dice.random() < 0.5 else dice.choice([0, 12])
            begin, end = 10 * at - dice.randint(0, wide), 10 * at + dice.randint(0, wide)
            records.append(record._replace(invoked=begin + 100, responded=end + 100))
        if dice.random() < 0.9:  # answers of two calls change places
            a, b = dice.randrange(len(records)), dice.randrange(len(records))
            first, second = records[a], records[b]
            times = {"invoked": first.invoked, "responded": first.responded}
            records[a] = second._replace(**times)
            records[b] = first._replace(invoked=second.invoked, responded=second.responded)
        expected = some_permutation_explains(records, initial)
        seen[expected] += 1
        found = history(*[[record] for record in records], initial=initial)
        assert (find_whole_order(found) is not None) == expected, (number, records, initial)
        report = check(found)
        assert report.ok == expected, (number, records, initial)
        key_by_key += bool(report.cycle)
    assert min(seen.values()) > 200, seen
    assert key_by_key > 3  # what only one instant for all keys shows
