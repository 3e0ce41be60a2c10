"""Generated programs for 2 to 4 real threads: run, recorded, checked, and replayed in order.

Hypothesis makes the programs and shrinks those that fail. Each is run several times on fresh trees
with the smallest pages there are. The history must be linearizable; the order that the checker
finds is then carried out call by call on a fresh tree and on a dict, and all three must agree on
every result and on the final state.

That order is made key by key. A second one takes the map as one object, so that pops and
navigation have one instant for all keys, and every deletion takes as many keys as it says; it is
carried out in the same way, with pops and navigation as the calls that they are.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from model_check.linearizability import (
    Event,
    Step,
    check,
    find_order,
    find_whole_order,
    what_is_wrong,
)
from model_check.recorder import (
    History,
    Kind,
    Record,
    Request,
    Run,
    Status,
    Tree,
    TreeOptions,
    Workload,
)
from model_check.recorder.native import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence

REPEATS = 5
EXAMPLES = int(os.environ.get("BWTREE_CONCURRENT_EXAMPLES", "150"))
KEYS = st.one_of(st.integers(0, 9), st.sampled_from([2**64 - 1, 2**63]))
BATCH_KEYS = st.integers(0, 9)

OPTIONS = st.builds(
    TreeOptions.tiny,
    leaf_capacity=st.sampled_from([2, 3, 4]),
    leaf_log=st.sampled_from([1, 2]),
    inner_capacity=st.sampled_from([3, 4]),
    retire_batch=st.sampled_from([1, 2]),
    simd=st.sampled_from(["auto", "scalar"]),
    pooling=st.booleans(),
    worker=st.sampled_from([False, False, True]),
    worker_interval_us=st.just(100),
)

PAUSES = st.sampled_from([0, 0, 0, 1, 5, 30])
POINTS = st.builds(
    Request,
    kind=st.sampled_from(
        [Kind.GET, Kind.PUT, Kind.INSERT, Kind.UPDATE, Kind.REMOVE, Kind.COMPARE_EXCHANGE]
    ),
    key=KEYS,
    limit=st.just(0),
    count=st.just(1),
    pause=PAUSES,
)
RANGES = st.builds(
    Request,
    kind=st.sampled_from(
        [Kind.FLOOR, Kind.CEILING, Kind.LOWER, Kind.HIGHER, Kind.FIRST, Kind.LAST, Kind.COUNT,
         Kind.SCAN_FORWARD, Kind.SCAN_BACKWARD, Kind.WALK_FORWARD, Kind.WALK_BACKWARD]
    ),
    key=KEYS,
    limit=KEYS,
    count=st.integers(1, 6),
    pause=PAUSES,
)  # fmt: skip
REMOVALS = st.builds(
    Request,
    kind=st.sampled_from(
        [Kind.POP_FIRST, Kind.POP_LAST, Kind.POP_FIRST, Kind.POP_LAST, Kind.DELETE_RANGE]
    ),
    key=KEYS,
    limit=KEYS,
    count=st.just(1),
    pause=PAUSES,
)
BATCHES = st.builds(
    Request,
    kind=st.sampled_from([Kind.GET_MANY, Kind.PUT_MANY]),
    key=BATCH_KEYS,
    limit=st.just(0),
    count=st.integers(1, 4),
    pause=PAUSES,
)
WHOLE = st.builds(
    Request,
    kind=st.sampled_from([Kind.CLEAR, Kind.SIZE, Kind.UPKEEP]),
    key=KEYS,
    limit=st.just(0),
    count=st.just(1),
    pause=PAUSES,
)
CALLS = st.one_of(POINTS, POINTS, POINTS, RANGES, REMOVALS, BATCHES, WHOLE)
PROGRAMS = st.lists(st.lists(CALLS, min_size=1, max_size=12), min_size=2, max_size=4)

settings.register_profile(
    "concurrent",
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def run_program(programs: Sequence[Sequence[Request]], options: TreeOptions) -> History:
    longest = max(sum(request.count for request in program) for program in programs)
    workload = Workload(
        threads=len(programs), operations=longest * len(programs), space=10, prefill=0.4
    )
    with Tree(options) as tree, Run(tree, workload, programs=programs, tree_options=options) as run:
        return run.round().copy()


class Replay:
    """A fresh tree and a dict, to which the order is applied one part after another."""

    def __init__(self, tree: Tree, initial: Sequence[tuple[int, int]]) -> None:
        self._tree = tree.handle
        self._seen = ffi.new("uint64_t *")
        self.model: dict[int, int] = dict(initial)
        for key, value in initial:
            assert lib.bw_put(self._tree, key, value, ffi.NULL) == Status.OK

    def get(self, key: int) -> int | None:
        status = lib.bw_get(self._tree, key, self._seen)
        return int(self._seen[0]) if status == Status.OK else None

    def apply(self, step: Step, record: Record) -> None:
        key, part = step
        before = self.model.get(key)
        assert self.get(key) == before
        if part.need == "value":
            assert before == part.want
        if part.need == "absent":
            assert before is None
        if part.need == "some":
            assert before is not None
        if record.kind <= Kind.COMPARE_EXCHANGE:
            self._call(record, before)
        elif part.effect == "sets":
            lib.bw_put(self._tree, key, part.give, ffi.NULL)
        elif part.effect == "deletes":
            lib.bw_remove(self._tree, key, ffi.NULL)
        if part.effect == "sets":
            self.model[key] = part.give
        if part.effect == "deletes":
            self.model.pop(key, None)
        assert self.get(key) == self.model.get(key)

    def _call(self, record: Record, before: int | None) -> None:
        """Make the recorded call on one key; it must answer as it did when it was recorded."""
        tree, key, seen = self._tree, record.key, self._seen
        seen[0] = 0
        status = {
            Kind.GET: lambda: lib.bw_get(tree, key, seen),
            Kind.PUT: lambda: lib.bw_put(tree, key, record.argument, seen),
            Kind.INSERT: lambda: lib.bw_insert(tree, key, record.argument, seen),
            Kind.UPDATE: lambda: lib.bw_update(tree, key, record.argument, seen),
            Kind.REMOVE: lambda: lib.bw_remove(tree, key, seen),
            Kind.COMPARE_EXCHANGE: lambda: lib.bw_compare_exchange(
                tree, key, record.expected, record.argument, seen
            ),
        }[Kind(record.kind)]()
        assert status == record.status
        assert (seen[0] if before is not None else 0) == record.seen

    def happen(self, event: Event) -> None:
        """Carry out one step of an order of the whole map."""
        record, kind = event.record, Kind(event.record.kind)
        if event.key is not None:
            assert lib.bw_remove(self._tree, event.key, ffi.NULL) == Status.OK
            del self.model[event.key]
        elif kind <= Kind.COMPARE_EXCHANGE:
            self._call(record, self.model.get(record.key))
            changes = kind is Kind.PUT or (record.status == Status.OK and kind is not Kind.GET)
            if changes and kind is Kind.REMOVE:
                del self.model[record.key]
            elif changes:
                self.model[record.key] = record.argument
            assert self.get(record.key) == self.model.get(record.key)
        elif kind is Kind.GET_MANY:
            value = self.get(record.key)
            assert value == self.model.get(record.key)
            assert value == (record.seen if record.status == Status.OK else None)
        elif kind is Kind.PUT_MANY:
            lib.bw_put(self._tree, record.key, record.argument, ffi.NULL)
            self.model[record.key] = record.argument
        else:
            self._find(record, kind)

    def _find(self, record: Record, kind: Kind) -> None:
        """Make a pop, or a call of navigation: it must answer as it did when it was recorded."""
        found, seen = ffi.new("uint64_t *"), self._seen
        call = getattr(lib, f"bw_{kind.word}")
        pops = kind in {Kind.POP_FIRST, Kind.POP_LAST}
        own_key = () if pops or kind in {Kind.FIRST, Kind.LAST} else (record.key,)
        assert call(self._tree, *own_key, found, seen) == record.status
        if record.status == Status.OK:
            assert (found[0], seen[0]) == (record.key if pops else record.argument, record.seen)
        if record.status == Status.OK and pops:
            end = min if kind is Kind.POP_FIRST else max
            assert record.key == end(self.model)
            assert self.model.pop(record.key) == record.seen

    def entries(self) -> list[tuple[int, int]]:
        """Read the tree with a cursor."""
        cursor = ffi.new("bw_cursor **")
        assert lib.bw_cursor_open(self._tree, cursor) == Status.OK
        key, value = ffi.new("uint64_t *"), ffi.new("uint64_t *")
        found = []
        while lib.bw_cursor_next(cursor[0], key, value) == Status.OK:
            found.append((int(key[0]), int(value[0])))
        lib.bw_cursor_free(cursor[0])
        return found


def demand_three_agree(history: History, options: TreeOptions) -> None:
    """The recorded run, a sequential tree and a dict give the same results and the same end."""
    report = check(history)
    if not report.ok:
        from rich.console import Console

        console = Console(width=160)
        with console.capture() as capture:
            console.print(*what_is_wrong(history, report))
        pytest.fail(capture.get())
    order = find_order(history)
    assert order is not None
    final = [tuple(pair) for pair in history.pairs(history.lane_count - 1)]
    with Tree(options) as tree:
        replay = Replay(tree, history.initial())
        for step in order:
            replay.apply(step, history.record(step.part.lane, step.part.record))
        assert replay.entries() == sorted(replay.model.items()) == final
    whole = find_whole_order(history)
    assert whole is not None, "no order of the whole map explains what each key alone allows"
    with Tree(options) as tree:
        replay = Replay(tree, history.initial())
        for event in whole:
            replay.happen(event)
        assert replay.entries() == sorted(replay.model.items()) == final


@settings(settings.get_profile("concurrent"))
@given(programs=PROGRAMS, options=OPTIONS)
def test_the_order_found_replays_on_a_fresh_tree_and_a_dict(
    programs: list[list[Request]], options: TreeOptions
) -> None:
    note(f"replay: demand_three_agree(run_program({programs!r}, {options!r}), {options!r})")
    for _ in range(REPEATS):
        demand_three_agree(run_program(programs, options), options)


def test_a_wrong_answer_in_a_program_is_found() -> None:
    programs = [[Request(Kind.PUT, 3), Request(Kind.REMOVE, 3)], [Request(Kind.GET, 7)]]
    history = run_program(programs, TreeOptions.tiny())
    removal = history.record(0, 1)
    history.change(0, 1, removal._replace(seen=removal.seen + 1))
    assert find_order(history) is None
    with pytest.raises(pytest.fail.Exception, match="No order explains"):
        demand_three_agree(history, TreeOptions.tiny())
