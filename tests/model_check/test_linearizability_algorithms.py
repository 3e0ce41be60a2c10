"""The forced order and the search: what each decides, calls that never returned, corruptions."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from model_check.linearizability import (
    CORRUPTIONS,
    NEVER,
    Algorithm,
    Outcome,
    Part,
    check,
    corruptions,
    judge,
)
from model_check.linearizability.differential import random_parts
from model_check.linearizability.oracle import encoded, linearizable
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

if TYPE_CHECKING:
    from collections.abc import Sequence


def part(begin: int, end: int, need: str, effect: str, want: int = 0, give: int = 0) -> Part:
    return Part(begin, end, need, want, effect, give, 0, 0)


def forced(parts: Sequence[Part], initial: int | None = None) -> Outcome | None:
    judged = judge(sorted(parts, key=lambda p: p.invoked), initial, only=Algorithm.FORCED)
    return None if judged is None else judged[0]


def insert(begin: int, end: int, value: int) -> Part:
    return part(begin, end, "absent", "sets", give=value)


def remove(begin: int, end: int, value: int) -> Part:
    return part(begin, end, "value", "deletes", want=value)


def put(begin: int, end: int, old: int, new: int) -> Part:
    return part(begin, end, "value", "sets", want=old, give=new)


def see(begin: int, end: int, value: int) -> Part:
    return part(begin, end, "value", "keeps", want=value)


def miss(begin: int, end: int) -> Part:
    return part(begin, end, "absent", "keeps")


def write(begin: int, end: int, value: int) -> Part:
    return part(begin, end, "any", "sets", give=value)


# ------------------------------------------------------------------ the forced order


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        # Two operations that consumed one value.
        ([insert(0, 1, 1), remove(2, 3, 1), put(2, 3, 1, 2)], Outcome.VIOLATION),
        # An unknown value.
        ([insert(0, 1, 1), see(2, 3, 9)], Outcome.VIOLATION),
        # A fragment that no insertion reaches: each of two puts consumes the other's value.
        ([put(0, 9, 2, 1), put(0, 9, 1, 2)], Outcome.VIOLATION),
        # What must come first ended last.
        ([insert(5, 6, 1), see(2, 4, 1)], Outcome.VIOLATION),
        ([insert(0, 9, 1), put(5, 6, 1, 2), see(7, 8, 1)], Outcome.VIOLATION),
        ([insert(0, 9, 1), put(5, 7, 1, 2), see(7, 8, 1)], Outcome.OK),
        # Forward zones overlap: from 1 to 7 and from 3 to 9.
        (
            [insert(0, 1, 1), remove(7, 8, 1), insert(2, 3, 2), remove(9, 10, 2)],
            Outcome.VIOLATION,
        ),
        # They touch in one instant.
        ([insert(0, 1, 1), remove(7, 8, 1), insert(6, 7, 2), remove(9, 10, 2)], Outcome.OK),
        # Found absent strictly inside a forward zone, and at its edge.
        ([insert(0, 1, 1), remove(7, 8, 1), miss(2, 6)], Outcome.VIOLATION),
        ([insert(0, 1, 1), remove(7, 8, 1), miss(2, 7)], Outcome.OK),
        # A backward zone strictly inside a forward one, and one that reaches out of it.
        ([insert(0, 1, 1), remove(7, 8, 1), insert(2, 6, 2), remove(2, 6, 2)], Outcome.VIOLATION),
        ([insert(0, 1, 1), remove(7, 8, 1), insert(2, 7, 2), remove(2, 7, 2)], Outcome.OK),
        # Any number of backward zones at once.
        ([p for v in range(30) for p in (insert(0, 99, v + 1), remove(0, 99, v + 1))], Outcome.OK),
        # A value that stays: nothing later finds the cell absent.
        ([insert(0, 1, 1), miss(2, 3)], Outcome.VIOLATION),
    ],
)
def test_forced_order_of_a_map(parts: list[Part], verdict: Outcome) -> None:
    assert forced(parts) is verdict
    if len(parts) < 12:
        assert linearizable(parts) == (verdict is Outcome.OK)
        assert encoded(parts) == (verdict is Outcome.OK)


def test_what_was_there_at_first_comes_first() -> None:
    assert forced([see(0, 2, 7), remove(1, 5, 7), insert(0, 0, 1)], 7) is Outcome.VIOLATION
    assert forced([see(0, 0, 7), remove(0, 5, 7), insert(0, 1, 1)], 7) is Outcome.OK
    assert forced([miss(0, 0)], 7) is Outcome.VIOLATION
    assert forced([miss(3, 5), remove(4, 6, 7)], 7) is Outcome.OK


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([write(0, 1, 1), write(2, 3, 2), see(4, 5, 1)], Outcome.VIOLATION),
        ([write(0, 4, 1), write(2, 3, 2), see(4, 5, 1)], Outcome.OK),
        # Readers disagree about the order of two writes: zones overlap.
        (
            [write(0, 9, 1), write(0, 9, 2), see(1, 2, 1), see(3, 4, 2), see(5, 6, 1)],
            Outcome.VIOLATION,
        ),
        ([write(0, 9, 1), write(0, 9, 2), see(1, 2, 1), see(3, 4, 2)], Outcome.OK),
        ([miss(0, 1), write(2, 3, 1), miss(4, 5)], Outcome.VIOLATION),
        # An exchange belongs to the value that it replaced.
        ([write(0, 9, 1), put(0, 9, 1, 2), write(3, 4, 3), see(1, 2, 1), see(3, 4, 2)], Outcome.OK),
        (
            [write(0, 9, 1), put(0, 9, 1, 2), write(3, 4, 3), see(1, 2, 1), see(5, 6, 2)],
            Outcome.VIOLATION,
        ),
        ([write(0, 9, i + 1) for i in range(60)], Outcome.OK),
    ],
)
def test_forced_order_of_a_register(parts: list[Part], verdict: Outcome) -> None:
    assert forced(parts) is verdict
    if len(parts) < 12:
        assert linearizable(parts) == (verdict is Outcome.OK)


@pytest.mark.parametrize(
    "parts",
    [
        [write(0, 1, 1), write(2, 3, 1)],  # a value comes twice
        [write(0, 1, 1), remove(2, 3, 1)],  # blind writes beside removals
        [part(0, 1, "some", "sets", give=1)],
        [part(0, 1, "any", "deletes")],
    ],
)
def test_where_values_force_no_order_a_search_decides(parts: list[Part]) -> None:
    assert forced(parts) is None
    judged = judge(parts)
    assert judged is not None
    assert (judged[0] is Outcome.OK) == linearizable(parts)


def test_the_report_says_which_algorithm_decided() -> None:
    def record(key: int, begin: int, **fields: int) -> Record:
        return Record.of(Kind.PUT, key, (begin, begin + 1), **fields)

    named = [record(1, 10 * i, argument=i + 1, seen=i, status=min(i, 1) * 2) for i in range(5)]
    blind = [record(2, 10 * i, argument=i % 2, flags=1) for i in range(4)]
    report = check(History.build([Lane(named), Lane(blind)]))
    assert (report.ok, report.forced, report.searched) == (True, 5, 4)
    assert report.how == "forced order: 5 parts, search: 4 parts"


# ------------------------------------------------------------------ calls that never returned


def test_a_call_that_never_returned_may_have_taken_effect_or_not() -> None:
    open_insert = insert(0, NEVER, 1)
    assert forced([open_insert]) is Outcome.OK
    assert forced([open_insert, see(5, 6, 1), see(7, 8, 1)]) is Outcome.OK
    assert forced([open_insert, miss(5, 6), see(7, 8, 1)]) is Outcome.OK
    assert forced([open_insert, see(5, 6, 1), miss(7, 8)]) is Outcome.VIOLATION
    assert forced([insert(6, NEVER, 1), see(4, 5, 1)]) is Outcome.VIOLATION


def test_only_one_of_two_open_exchanges_took_the_value() -> None:
    both = [insert(0, 1, 1), put(2, NEVER, 1, 2), put(2, NEVER, 1, 3)]
    assert forced([*both, see(5, 6, 2)]) is Outcome.OK
    assert forced([*both, see(5, 6, 2), see(7, 8, 3)]) is Outcome.VIOLATION


@pytest.mark.parametrize("status", [Status.OK, Status.NOT_FOUND])
@pytest.mark.parametrize("kind", [Kind.REMOVE, Kind.POP_FIRST, Kind.CLEAR, Kind.DELETE_RANGE])
def test_the_result_of_an_open_call_is_not_looked_at(kind: Kind, status: Status) -> None:
    def get(seen: int | None, begin: int) -> Record:
        found = {"seen": seen} if seen else {"status": int(Status.NOT_FOUND)}
        return Record.of(Kind.GET, 1, (begin, begin + 1), **found)

    removal = Record.of(kind, 1, (5, NEVER), argument=9, seen=77, status=int(status))
    for reads, right in (
        ([get(7, 10), get(None, 20)], True),
        ([get(7, 10), get(7, 20)], True),
        ([get(None, 10), get(7, 20)], False),
        ([get(None, 2), get(None, 20)], False),
    ):
        made = History.build([Lane([removal]), Lane(reads)], [Pair(1, 7)])
        assert check(made).ok == right


def test_a_thousand_crashed_clients_do_not_matter_to_the_rest() -> None:
    dice = random.Random(5)
    writes = [
        Record.of(Kind.PUT_MANY, 1, (10 * i, NEVER), argument=i % 7, flags=1) for i in range(1000)
    ]
    reads, at = [], 5
    for _ in range(300):
        at += dice.randint(3, 60)
        highest = min(at // 10, 6)
        reads.append(Record.of(Kind.GET, 1, (at, at + 2), seen=dice.randint(0, highest)))
    lanes = [Lane([write]) for write in writes]
    report = check(History.build([*lanes, Lane(reads)]))
    assert report.ok
    assert report.searched == 1300
    phantom = [*reads[:-1], reads[-1]._replace(seen=8)]
    assert check(History.build([*lanes, Lane(phantom)])).outcome is Outcome.VIOLATION


# ------------------------------------------------------------------ the oracles, the corruptions


def test_z3_and_the_search_in_python_agree() -> None:
    verdicts = {True: 0, False: 0}
    for number in range(60):
        parts, initial = random_parts(77, number)
        expected = linearizable(parts, initial)
        assert encoded(parts, initial) == expected, f"history {number} of seed 77"
        verdicts[expected] += 1
    assert min(verdicts.values()) > 5


@pytest.mark.parametrize("operations", [3_000, 60_000])
def test_every_corruption_is_rejected_at_every_size(operations: int) -> None:
    simple = {Kind.GET: 40, Kind.PUT: 15, Kind.INSERT: 15, Kind.UPDATE: 10, Kind.REMOVE: 10,
              Kind.COMPARE_EXCHANGE: 10, Kind.POP_FIRST: 3, Kind.POP_LAST: 3,
              Kind.DELETE_RANGE: 1, Kind.SCAN_FORWARD: 2, Kind.WALK_BACKWARD: 1}  # fmt: skip
    space = max(operations // 400, 50)
    workload = Workload(seed=1, threads=2, operations=operations, space=space, weights=simple)
    with Tree(TreeOptions(leaf_capacity=8, leaf_log=4)) as tree, Run(tree, workload) as run:
        right = run.round()
        assert check(right).ok
        share = max(operations // 30_000, 1)
        rejected = {
            mutant.name: check(mutant.history).outcome
            for mutant in corruptions(right, 3, share=share)
        }
    assert len(CORRUPTIONS) == 19
    assert rejected == dict.fromkeys(CORRUPTIONS, Outcome.VIOLATION)
