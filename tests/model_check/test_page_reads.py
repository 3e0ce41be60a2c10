"""Page reads: of one instant, or refused with a cycle, as trying all orders says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model_check.linearizability import (
    Outcome,
    check,
    corruptions,
    explain_page_cycle,
    what_is_wrong,
)
from model_check.linearizability.corrupt import OF_PAGES
from model_check.linearizability.page_reads import Why
from model_check.linearizability.pages_recorded import picture
from model_check.linearizability.random_pages import compare
from model_check.recorder import (
    History,
    Kind,
    Lane,
    Pair,
    Record,
    Request,
    Run,
    Status,
    Tree,
    TreeOptions,
    Workload,
    load,
    save,
)
from model_check.recorder.history import page_pairs
from model_check.recorder.native import PAGED
from model_check.report import CannotRun

if TYPE_CHECKING:
    from pathlib import Path

NEVER = 2**64 - 1
ABSENT = {"status": int(Status.NOT_FOUND)}


def put(key: int, value: int, saw: int | None, begin: int, end: int) -> Record:
    status = Status.OK if saw is None else Status.EXISTS
    return Record.of(Kind.PUT, key, (begin, end), argument=value, seen=saw or 0, status=int(status))


def scan(
    begin: int, end: int, low: int, ends: list[int], *found: tuple[int, int], down: bool = False
) -> Lane:
    """One walk whose page reads ended at ``ends``."""
    record = Record.of(
        Kind.SCAN_BACKWARD if down else Kind.SCAN_FORWARD, low, (begin, end), argument=ends[-1],
        expected=99, count=len(found), flags=PAGED,
        status=int(Status.OK if found else Status.NOT_FOUND),
    )  # fmt: skip
    return Lane([record], [*(Pair(*pair) for pair in found), *page_pairs(ends)])


def history(*lanes: list[Record] | Lane, initial: dict[int, int] | None = None) -> History:
    made = [lane if isinstance(lane, Lane) else Lane(lane) for lane in lanes]
    return History.build(made, [Pair(*item) for item in sorted((initial or {}).items())])


def refused(found: History) -> list[Why]:
    """Demand that only the pages are wrong; give the cycle's reasons."""
    report = check(found)
    assert report.outcome is Outcome.VIOLATION
    assert report.violation is None
    assert report.cycle
    for link, following in zip(report.cycle, report.cycle[1:], strict=False):
        if Why.INSTEAD not in (link.why, following.why):
            assert link.second == following.first
    assert explain_page_cycle(found, report.cycle)
    assert what_is_wrong(found, report)[0] == "keys that were read at one instant were not"
    assert "at one instant" in picture(found, report, "it").head
    return [link.why for link in report.cycle]


#: Key 1 is written before key 2 is, by one thread.
WRITES = [put(1, 11, 10, 10, 20), put(2, 22, 20, 30, 40)]
BEFORE = {1: 10, 2: 20}


def test_a_page_has_one_instant_for_all_its_keys() -> None:
    for first, second in ((10, 20), (11, 20), (11, 22)):
        assert check(
            history(WRITES, scan(5, 50, 1, [2], (1, first), (2, second)), initial=BEFORE)
        ).ok
    torn = history(WRITES, scan(5, 50, 1, [2], (1, 10), (2, 22)), initial=BEFORE)
    assert sorted(refused(torn)) == [Why.WROTE, Why.SAW, Why.TIME]


def test_two_pages_of_a_walk_have_two_instants_one_after_the_other() -> None:
    assert check(history(WRITES, scan(5, 50, 1, [1, 2], (1, 10), (2, 22)), initial=BEFORE)).ok
    back = history(WRITES, scan(5, 50, 2, [2, 1], (2, 22), (1, 10), down=True), initial=BEFORE)
    assert sorted(refused(back)) == [Why.WROTE, Why.SAW, Why.PAGE, Why.TIME]


def test_without_its_pages_a_scan_is_judged_key_by_key() -> None:
    lane = scan(5, 50, 1, [2], (1, 10), (2, 22))
    record = lane.records[0]._replace(flags=0)
    report = check(history(WRITES, Lane([record], lane.pairs), initial=BEFORE))
    assert report.ok
    assert (report.pages.page_reads, report.pages.untold) == (0, 1)


def test_a_key_passed_over_belongs_to_the_instant_of_its_page() -> None:
    writes = [put(1, 11, None, 10, 20), put(2, 22, None, 30, 40)]
    assert check(history(writes, scan(5, 50, 1, [1, 2], (2, 22)))).ok
    assert sorted(refused(history(writes, scan(5, 50, 1, [2], (2, 22))))) == [
        Why.WROTE, Why.CAME, Why.TIME
    ]  # fmt: skip
    gone = [Record.of(Kind.REMOVE, 1, (21, 24), seen=11)]
    assert check(history(writes, gone, scan(5, 50, 1, [2], (2, 22)))).ok


def test_two_pages_that_saw_two_writes_in_different_orders_are_refused() -> None:
    writes = [[put(1, 11, None, 0, 100)], [put(2, 22, None, 0, 100)]]
    one, other = scan(0, 100, 1, [2], (1, 11)), scan(0, 100, 1, [2], (2, 22))
    assert check(history(*writes, one)).ok
    assert check(history(*writes, other)).ok
    assert len(refused(history(*writes, one, other))) == 4


def test_a_get_that_returned_tells_that_the_write_had_its_instant() -> None:
    writes = [[put(1, 11, 10, 5, 90)], [put(2, 22, 20, 30, 40)]]
    seen = [Record.of(Kind.GET, 1, (10, 20), seen=11)]
    torn = scan(5, 50, 1, [2], (1, 10), (2, 22))
    assert check(history(*writes, torn, initial=BEFORE)).ok
    found = history(*writes, torn, seen, initial=BEFORE)
    assert sorted(refused(found)) == [Why.WROTE, Why.SAW, Why.TIME]
    said = "\n".join(explain_page_cycle(found, check(found).cycle))
    assert "had its instant when thread 3's get(1)" in said


def test_a_get_of_the_value_before_tells_that_the_write_had_not_had_its_instant() -> None:
    writes = [[put(1, 11, 10, 5, 90)], [put(2, 22, 20, 10, 20)]]
    late = [Record.of(Kind.GET, 1, (30, 40), seen=10)]
    walk = scan(0, 100, 1, [2], (1, 11), (2, 20))
    assert check(history(*writes, walk, initial=BEFORE)).ok
    assert sorted(refused(history(*writes, walk, late, initial=BEFORE))) == [
        Why.WROTE, Why.SAW, Why.TIME
    ]  # fmt: skip


def test_calls_that_touch_in_one_instant_are_not_ordered_by_it() -> None:
    writes = [[put(1, 11, None, 10, 20)], [put(2, 22, None, 10, 20)]]
    one, other = scan(20, 30, 1, [2], (1, 11)), scan(20, 20, 1, [2], (2, 22))
    assert check(history(*writes, one)).ok
    assert check(history(*writes, other)).ok
    assert Why.TIME not in refused(history(*writes, one, other))


def test_a_key_that_comes_and_goes_may_be_absent_at_either_time() -> None:
    calls = [
        put(1, 11, None, 10, 20),
        Record.of(Kind.REMOVE, 1, (30, 40), seen=11),
        put(2, 22, None, 50, 60),
    ]
    for found in ([(2, 22)], [], [(1, 11)]):
        assert check(history(calls, scan(0, 70, 1, [2], *found))).ok
    assert Why.SAW in refused(history(calls, scan(0, 70, 1, [2], (1, 11), (2, 22))))


def test_a_pop_and_a_floor_have_one_instant_for_all_they_pass_over() -> None:
    handover = [put(1, 11, None, 10, 20), Record.of(Kind.REMOVE, 2, (30, 40), seen=20)]
    for record in (
        Record.of(Kind.POP_FIRST, 3, (5, 50), seen=30),
        Record.of(Kind.FIRST, 0, (5, 50), argument=3, seen=30),
        Record.of(Kind.FLOOR, 2, (5, 50), **ABSENT),
    ):
        refused(history(handover, [record], initial={2: 20, 3: 30}))


def test_what_a_deletion_took_is_of_its_interval() -> None:
    """The deletion took key 1 before key 2 was written, whoever reads the latter."""
    delete = [
        Record.of(Kind.DELETE_RANGE, 1, (10, 20), argument=1, seen=1),
        Record.of(Kind.GET, 1, (60, 70), **ABSENT),
    ]
    writes = [put(2, 22, 20, 30, 40)]
    assert check(history(delete, writes, scan(5, 50, 1, [2], (2, 22)), initial=BEFORE)).ok
    refused(history(delete, writes, scan(5, 50, 1, [2], (1, 10), (2, 22)), initial=BEFORE))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pairs": page_pairs([2])[:0]}, "stand outside the pairs"),
        ({"pairs": page_pairs([])}, "stand outside the pairs"),
        ({"pairs": [Pair(5, 1), Pair(2, 3)]}, "stand outside the pairs"),
        ({"pairs": page_pairs([2, 1])}, "not in its direction"),
        ({"pairs": page_pairs([1])}, "end before it does"),
    ],
)
def test_page_reads_that_contradict_their_scan_are_no_history(
    change: dict[str, list[Pair]], sentence: str
) -> None:
    lane = scan(5, 50, 1, [2])
    with pytest.raises(CannotRun, match=sentence):
        check(history(WRITES, Lane(lane.records, change["pairs"]), initial=BEFORE))


# ---------------------------------------------------------------------- against all orders


@pytest.mark.parametrize("named", [True, False])
def test_the_verdict_is_that_of_trying_all_orders(named: bool) -> None:
    tally = list(compare(5, 2000, named=named))[-1]
    assert tally.histories == 2000
    assert tally.by_pages >= 5, tally
    assert tally.missed <= tally.wrong // 10, tally
    assert not named or tally.missed == 0


# ---------------------------------------------------------------------- recorded runs

WEIGHTS = {Kind.PUT: 60, Kind.INSERT: 10, Kind.REMOVE: 10, Kind.SCAN_FORWARD: 10,
           Kind.WALK_FORWARD: 5, Kind.SCAN_BACKWARD: 5, Kind.WALK_BACKWARD: 5}  # fmt: skip


def test_a_walk_tells_which_pages_it_read(tmp_path: Path) -> None:
    """Ten keys on pages of two or less: forward and backward, as one call and step by step."""
    kinds = (Kind.SCAN_FORWARD, Kind.SCAN_BACKWARD, Kind.WALK_FORWARD, Kind.WALK_BACKWARD)
    program = [Request(Kind.INSERT, key) for key in range(10, 20)]
    program += [
        Request(kind, 12 if kind in (kinds[0], kinds[2]) else 17, limit, 6)
        for kind, limit in zip(kinds, (NEVER, 0, 0, 0), strict=True)
    ]
    workload = Workload(threads=1, prefill=0.0)
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload, programs=[program]) as run:
        made = run.round()
        save(made, tmp_path / "run.bwh")
    read = load(tmp_path / "run.bwh")
    ends = [read.page_ends(0, 10 + n) for n in range(4)]
    for down, found in zip((False, True, False, True), ends, strict=True):
        assert 3 <= len(found) <= 7
        assert found == sorted(found, reverse=down)
        assert found[-1] <= 12 if down else found[-1] >= 17
    assert read.page_ends(0, 0) == []
    report = check(read)
    assert report.ok
    assert report.pages.page_reads == sum(map(len, ends))
    assert report.pages.untold == 1  # what was read back when all was over


@pytest.mark.parametrize("seed", range(2))
def test_every_corruption_of_pages_leaves_each_key_right(seed: int) -> None:
    workload = Workload(seed=seed, threads=2, operations=10_000, space=60, weights=WEIGHTS)
    options = TreeOptions(leaf_capacity=4, leaf_log=2)
    seen = set()
    with Tree(options) as tree, Run(tree, workload) as run:
        right = run.round()
        report = check(right)
        assert report.ok
        assert report.pages.page_reads > 2_000
        for mutant in corruptions(right, seed, names=OF_PAGES):
            refused(mutant.history)
            seen.add(mutant.name)
    assert seen == OF_PAGES
