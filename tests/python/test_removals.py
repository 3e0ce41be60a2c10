"""Pops at both ends, and the deletion of ranges: what goes, what stays, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bwtree import BwTree, PidsExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable

GREATEST = 2**64 - 1
KEYS = [0, 1, 3, 5, 8, 13, 21, GREATEST - 1, GREATEST]
ALL_FOUR = [(True, True), (True, False), (False, True), (False, False)]


@pytest.fixture
def filled(tree: BwTree) -> BwTree:
    """Give a tree of the keys above."""
    tree.update((key, key ^ 1) for key in KEYS)
    return tree


def test_pops_take_the_entry_at_their_end(filled: BwTree) -> None:
    assert filled.popfirst() == (0, 1)
    assert filled.poplast() == (GREATEST, GREATEST - 1)
    assert filled.poplast() == (GREATEST - 1, GREATEST)
    assert filled.popfirst() == (1, 0)
    assert list(filled) == KEYS[2:-2]


@pytest.mark.parametrize("count", [1, 2, 3, 300])
def test_pops_from_one_end_empty_the_map_in_order(tree: BwTree, count: int) -> None:
    entries = [(key * key, key) for key in range(count)]
    for pop, order in ((tree.popfirst, entries), (tree.poplast, entries[::-1])):
        tree.update(entries)
        assert [pop() for _ in range(count)] == order
        assert len(tree) == 0
        assert list(tree) == []


@pytest.mark.parametrize("pop", [BwTree.popfirst, BwTree.poplast, BwTree.popitem])
def test_pops_of_an_empty_map_are_key_errors(tree: BwTree, pop: Callable[[BwTree], Any]) -> None:
    for _ in range(2):
        with pytest.raises(KeyError, match="the map is empty"):
            pop(tree)
        tree[7] = 70
        assert pop(tree) == (7, 70)
    with pytest.raises(KeyError, match="the map is empty"):
        pop(tree)


@pytest.mark.parametrize("key", [0, GREATEST])
def test_pops_give_entries_of_zero_and_of_the_greatest_integer(tree: BwTree, key: int) -> None:
    for pop in (tree.popfirst, tree.poplast):
        tree[key] = GREATEST - key
        assert pop() == (key, GREATEST - key)


@pytest.mark.parametrize("inclusive", ALL_FOUR)
def test_a_deleted_range_is_what_irange_walks_through(inclusive: tuple[bool, bool]) -> None:
    ends = (None, 0, 1, 2, 8, 13, GREATEST - 1, GREATEST)
    for low in ends:
        for high in ends:
            with BwTree(leaf_capacity=2, inner_capacity=3, leaf_log=2, inner_log=2) as tree:
                tree.update((key, key) for key in KEYS)
                gone = list(tree.irange(low, high, inclusive))
                assert tree.delete_range(low, high, inclusive) == len(gone)
                assert list(tree) == [key for key in KEYS if key not in gone]
                assert tree.delete_range(low, high, inclusive) == 0
                tree.self_check(quiescent=True)


def test_the_ends_of_the_key_range_can_be_deleted_and_spared(filled: BwTree) -> None:
    assert filled.delete_range(0, GREATEST, (False, False)) == len(KEYS) - 2
    assert list(filled) == [0, GREATEST]
    assert filled.delete_range(0, 0) == 1
    assert filled.delete_range(GREATEST, GREATEST) == 1
    assert len(filled) == 0


def test_a_range_without_keys_removes_nothing(filled: BwTree) -> None:
    assert filled.delete_range(13, 5) == 0
    assert filled.delete_range(9, 12) == 0
    assert filled.delete_range(GREATEST, None, (False, True)) == 0
    assert filled.delete_range(None, 0, (True, False)) == 0
    assert filled.delete_range(5, 5, (False, True)) == 0
    assert list(filled) == KEYS


def test_a_deletion_without_bounds_empties_the_map(filled: BwTree) -> None:
    assert filled.delete_range() == len(KEYS)
    assert list(filled) == []
    assert filled.delete_range() == 0


def test_bounds_are_integers_or_have_an_index(filled: BwTree) -> None:
    assert filled.delete_range(np.uint64(8), hi=np.int32(13)) == 2
    assert filled.delete_range(lo=GREATEST - 1) == 2


@pytest.mark.parametrize("wrong", [-1, 2**64, np.int64(-3)])
@pytest.mark.parametrize("inclusive", ALL_FOUR)
def test_bounds_that_do_not_fit_are_overflow_errors(
    filled: BwTree, wrong: int, inclusive: tuple[bool, bool]
) -> None:
    for low, high in ((wrong, None), (None, wrong), (wrong, wrong), (5, wrong)):
        with pytest.raises(OverflowError, match=r"integers from 0 to 2\*\*64-1, got .*\d"):
            filled.delete_range(low, high, inclusive)
    assert list(filled) == KEYS


@pytest.mark.parametrize("wrong", ["1", 1.0, b"1", (1,)])
def test_bounds_that_are_no_integers_are_type_errors(filled: BwTree, wrong: Any) -> None:
    for low, high in ((wrong, None), (None, wrong)):
        with pytest.raises(TypeError, match="integer"):
            filled.delete_range(low, high)
    assert list(filled) == KEYS


@pytest.mark.parametrize(("low", "gone"), [(1, [10, 20, 30]), (15, [20, 30]), (35, [])])
def test_a_deletion_that_runs_out_of_page_ids_tells_how_far_it_came(
    low: int, gone: list[int]
) -> None:
    """The last leaf is full with its log, and there is no page id to split it."""
    with BwTree(leaf_capacity=2, inner_capacity=3, leaf_log=2, inner_log=1, max_pids=4) as tree:
        with pytest.raises(PidsExhaustedError):
            tree.update((key, key) for key in range(0, 1000, 10))
        before = list(tree)
        with pytest.raises(PidsExhaustedError, match=rf"\({len(gone)} keys were removed\)"):
            tree.delete_range(low, 70)
        assert list(tree) == [key for key in before if key not in gone]
        with pytest.raises(PidsExhaustedError):
            tree.poplast()
        assert list(tree) == [key for key in before if key not in gone]
        assert tree.popfirst() == (0, 0)
        assert tree.delete_range() == len(before) - len(gone) - 1
        assert tree.insert(5, 50) is None
        tree.self_check(quiescent=True)
