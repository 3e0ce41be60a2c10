"""A state machine that compares a tree of tiny pages with a dict, all operations included.

Tiny capacities make splits, root splits and consolidations happen within a few operations. Cursors
are compared exactly as long as they have no copy of a leaf that a write could have made stale:
after a seek and at the ends, where they look again, writes change nothing of that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bwtree import BwTree

if TYPE_CHECKING:
    from collections.abc import Callable

GREATEST = 2**64 - 1

# Few keys, so that operations meet; ends of the range, so that fences are met too.
keys = st.one_of(
    st.integers(0, 40), st.sampled_from([GREATEST, GREATEST - 1, 2**63, 2**63 - 1, 2**32])
)
values = st.one_of(st.integers(0, 3), st.sampled_from([GREATEST, 0x9D1F8C5BE2A6473B]))
bounds = st.one_of(st.none(), keys)
inclusives = st.tuples(st.booleans(), st.booleans())


class TreeAgainstModel(RuleBasedStateMachine):
    """Every rule does one thing to both and compares what they give back."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[int, int] = {}
        self.tree = BwTree()
        self.cursor = self.tree.cursor()
        # Where the cursor stands: before the first of the sorted keys that is at least this one.
        # None: writes have come since it copied a leaf, which may differ from the model now.
        self.place: int | None = 0
        self.has_copy = False

    @initialize(
        options=st.fixed_dictionaries(
            {
                "leaf_capacity": st.integers(2, 4),
                "inner_capacity": st.integers(3, 4),
                "leaf_log": st.integers(1, 2),
                "inner_log": st.integers(1, 2),
                "retire_batch": st.integers(1, 3),
                "simd": st.sampled_from(["auto", "scalar"]),
                "pooling": st.booleans(),
            }
        )
    )
    def open(self, options: dict[str, Any]) -> None:
        self.tree.close()
        self.tree = BwTree(**options)
        self.cursor = self.tree.cursor()

    def teardown(self) -> None:
        self.tree.self_check(quiescent=True)
        assert list(self.tree.items()) == sorted(self.model.items())
        self.tree.close()

    def _written(self) -> None:
        if self.has_copy:
            self.place = None

    # ------------------------------------------------------------------ one key ------------------

    @rule(key=keys, value=values)
    def put(self, key: int, value: int) -> None:
        self._written()
        assert self.tree.put(key, value) == self.model.get(key)
        self.model[key] = value

    @rule(key=keys, value=values)
    def set_item(self, key: int, value: int) -> None:
        self._written()
        self.tree[key] = value
        self.model[key] = value

    @rule(key=keys, value=values)
    def insert(self, key: int, value: int) -> None:
        self._written()
        assert self.tree.insert(key, value) == self.model.get(key)
        self.model.setdefault(key, value)

    @rule(key=keys, value=values)
    def set_default(self, key: int, value: int) -> None:
        self._written()
        assert self.tree.setdefault(key, value) == self.model.setdefault(key, value)

    @rule(key=keys, value=values)
    def replace(self, key: int, value: int) -> None:
        self._written()
        assert self.tree.replace(key, value) == self.model.get(key)
        if key in self.model:
            self.model[key] = value

    @rule(key=keys, expected=values, desired=values)
    def compare_exchange(self, key: int, expected: int, desired: int) -> None:
        self._written()
        assert self.tree.compare_exchange(key, expected, desired) == self.model.get(key)
        if self.model.get(key) == expected:
            self.model[key] = desired

    @rule(key=keys)
    def remove(self, key: int) -> None:
        self._written()
        assert self.tree.remove(key) == self.model.pop(key, None)

    @rule(key=keys)
    def delete_item(self, key: int) -> None:
        self._written()
        if key in self.model:
            del self.tree[key], self.model[key]
        else:
            with pytest.raises(KeyError):
                del self.tree[key]

    @rule(key=keys, default=st.one_of(st.none(), values))
    def pop(self, key: int, default: int | None) -> None:
        self._written()
        assert self.tree.pop(key, default) == self.model.pop(key, default)

    def _pop(self, pop: Callable[[], tuple[int, int]], last: bool) -> None:
        self._written()
        if not self.model:
            with pytest.raises(KeyError, match="the map is empty"):
                pop()
            return
        key = max(self.model) if last else min(self.model)
        assert pop() == (key, self.model.pop(key))

    @rule(last=st.booleans())
    def pop_item(self, last: bool) -> None:
        self._pop(lambda: self.tree.popitem(last=last), last)

    @rule()
    def pop_first(self) -> None:
        self._pop(self.tree.popfirst, last=False)

    @rule()
    def pop_last(self) -> None:
        self._pop(self.tree.poplast, last=True)

    @rule(key=keys)
    def get(self, key: int) -> None:
        assert self.tree.get(key) == self.model.get(key)
        assert (key in self.tree) == (key in self.model)
        if key in self.model:
            assert self.tree[key] == self.model[key]

    # ------------------------------------------------------------------ navigation, ranges -------

    @rule(key=keys)
    def navigate(self, key: int) -> None:
        order = sorted(self.model)
        left, right = bisect_left(order, key), bisect_right(order, key)
        assert self.tree.lower(key) == self._entry(order, left - 1)
        assert self.tree.floor(key) == self._entry(order, right - 1)
        assert self.tree.ceiling(key) == self._entry(order, left)
        assert self.tree.higher(key) == self._entry(order, right)
        assert self.tree.first() == self._entry(order, 0)
        assert self.tree.last() == self._entry(order, len(order) - 1)

    def _entry(self, order: list[int], at: int) -> tuple[int, int] | None:
        return (order[at], self.model[order[at]]) if 0 <= at < len(order) else None

    @rule(lo=bounds, hi=bounds, inclusive=inclusives, reverse=st.booleans())
    def ranges(
        self, lo: int | None, hi: int | None, inclusive: tuple[bool, bool], reverse: bool
    ) -> None:
        expected = self._range(lo, hi, inclusive, reverse)
        assert list(self.tree.items(lo, hi, inclusive, reverse)) == expected
        assert list(self.tree.irange(lo, hi, inclusive, reverse)) == [key for key, _ in expected]
        assert self.tree.count(lo, hi, inclusive) == len(expected)

    def _range(
        self, lo: int | None, hi: int | None, inclusive: tuple[bool, bool], reverse: bool
    ) -> list[tuple[int, int]]:
        return [
            (key, value)
            for key, value in sorted(self.model.items(), reverse=reverse)
            if (lo is None or key > lo or (key == lo and inclusive[0]))
            and (hi is None or key < hi or (key == hi and inclusive[1]))
        ]

    @rule(low=bounds, high=bounds, inclusive=inclusives)
    def delete_range(self, low: int | None, high: int | None, inclusive: tuple[bool, bool]) -> None:
        self._written()
        gone = self._range(low, high, inclusive, reverse=False)
        assert self.tree.delete_range(low, high, inclusive) == len(gone)
        for key, _ in gone:
            del self.model[key]

    # ------------------------------------------------------------------ many keys ----------------

    @rule(pairs=st.lists(st.tuples(keys, values), max_size=12))
    def put_many(self, pairs: list[tuple[int, int]]) -> None:
        self._written()
        absent = len({key for key, _ in pairs} - self.model.keys())
        assert self.tree.put_many([k for k, _ in pairs], [v for _, v in pairs]) == absent
        self.model.update(pairs)

    @rule(pairs=st.dictionaries(keys, values, max_size=12))
    def update(self, pairs: dict[int, int]) -> None:
        self._written()
        self.tree.update(pairs)
        self.model.update(pairs)

    @rule(wanted=st.lists(keys, max_size=20))
    def get_many(self, wanted: list[int]) -> None:
        found = self.tree.get_many(wanted)
        assert found.values.tolist() == [self.model.get(key, 0) for key in wanted]
        assert found.present.tolist() == [key in self.model for key in wanted]
        assert found.hits == sum(key in self.model for key in wanted)

    @rule()
    def clear(self) -> None:
        self._written()
        self.tree.clear()
        self.model.clear()

    # ------------------------------------------------------------------ cursor -------------------

    @rule(key=keys)
    def seek(self, key: int) -> None:
        self.cursor.seek(key)
        self.place, self.has_copy = key, False

    @rule()
    def seek_end(self) -> None:
        self.cursor.seek_end()
        self.place, self.has_copy = GREATEST + 1, False

    @precondition(lambda self: self.place is not None)
    @rule()
    def step_forward(self) -> None:
        assert self.place is not None
        order = sorted(self.model)
        at = bisect_left(order, self.place)
        assert self.cursor.next() == self._entry(order, at)
        self.has_copy = at < len(order)
        if self.has_copy:
            self.place = order[at] + 1

    @precondition(lambda self: self.place is not None)
    @rule()
    def step_back(self) -> None:
        assert self.place is not None
        order = sorted(self.model)
        at = bisect_left(order, self.place) - 1
        assert self.cursor.prev() == self._entry(order, at)
        self.has_copy = at >= 0
        if self.has_copy:
            self.place = order[at]

    @precondition(lambda self: self.place is not None)
    @rule(count=st.integers(0, 8), limit=keys, reverse=st.booleans())
    def step_many(self, count: int, limit: int, reverse: bool) -> None:
        assert self.place is not None
        self.has_copy = True
        entries = sorted(self.model.items())
        if reverse:
            there = [entry for entry in reversed(entries) if limit <= entry[0] < self.place][:count]
            assert self.cursor.prev_many(count, limit) == there
            self.place = there[-1][0] if there else self.place
        else:
            there = [entry for entry in entries if self.place <= entry[0] <= limit][:count]
            assert self.cursor.next_many(count, limit) == there
            self.place = there[-1][0] + 1 if there else self.place

    @precondition(lambda self: self.place is None)
    @rule(reverse=st.booleans())
    def walk_on_after_writes(self, reverse: bool) -> None:
        """What a walk gives after writes is in order; its end is not the map's end by mistake."""
        walk = iter(self.cursor.prev if reverse else self.cursor.next, None)
        seen = [entry[0] for entry in walk if entry is not None]
        assert seen == sorted(set(seen), reverse=reverse)
        self.seek(0)

    # ------------------------------------------------------------------ upkeep -------------------

    @rule()
    def consolidate(self) -> None:
        self.tree.consolidate()

    @rule(consolidated=st.booleans())
    def level_stats(self, consolidated: bool) -> None:
        merges = -1 if consolidated else self.tree.stats().merges
        while merges != self.tree.stats().merges:  # a merge leaves a record in the page above
            merges = self.tree.stats().merges
            self.tree.consolidate()
        levels, stats = self.tree.level_stats(), self.tree.stats()
        assert len(levels) == stats.height
        assert sum(level.pages for level in levels) == stats.pages
        assert sum(level.marked for level in levels) == stats.marked
        assert sum(level.removed for level in levels) == stats.removed
        assert levels[-1].pages == 1
        for level in levels:
            assert level.entries <= level.pages * level.capacity
        if consolidated:
            assert levels[0].entries == len(self.model)
            assert all(level.records == 0 for level in levels)
            for above, below in pairwise(reversed(levels)):
                assert above.entries == below.pages

    @rule()
    def collect(self) -> None:
        assert self.tree.collect() >= 0

    @rule()
    def copy(self) -> None:
        with self.tree.copy() as twin:
            assert twin == self.model
            twin.self_check(quiescent=True)

    @invariant()
    def size_agrees_and_the_structure_is_whole(self) -> None:
        assert len(self.tree) == len(self.model)
        self.tree.self_check(quiescent=True)


TreeAgainstModel.TestCase.settings = settings(max_examples=150, stateful_step_count=60)
test_tree_against_model = TreeAgainstModel.TestCase
