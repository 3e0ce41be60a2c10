"""Iteration, ranges, views and cursors, alone and beside writers."""

from __future__ import annotations

import threading

import pytest

from bwtree import BwTree

KEYS = [0, 3, 5, 8, 13, 21, 2**64 - 1]


@pytest.fixture
def filled(tree: BwTree) -> BwTree:
    """Give a tree in which each key's value is the key's bits reversed in meaning: 2**64-1-key."""
    tree.update((key, 2**64 - 1 - key) for key in KEYS)
    return tree


def test_iteration_is_sorted_in_both_directions(filled: BwTree) -> None:
    assert list(filled) == list(filled.keys()) == KEYS
    assert list(reversed(filled)) == list(reversed(filled.keys())) == KEYS[::-1]
    assert list(filled.values()) == [2**64 - 1 - key for key in KEYS]
    assert list(filled.items()) == [(key, 2**64 - 1 - key) for key in KEYS]
    assert list(reversed(filled.items())) == list(filled.items(reverse=True))
    assert list(reversed(filled.values())) == list(filled.values(reverse=True))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("inclusive", [(True, True), (True, False), (False, True), (False, False)])
def test_ranges_agree_with_a_filtered_list(
    filled: BwTree, inclusive: tuple[bool, bool], reverse: bool
) -> None:
    for lo in (None, 0, 1, 3, 4, 21, 2**64 - 1):
        for hi in (None, 0, 2, 8, 13, 2**64 - 2, 2**64 - 1):
            expected = [
                key
                for key in KEYS
                if (lo is None or key > lo or (key == lo and inclusive[0]))
                and (hi is None or key < hi or (key == hi and inclusive[1]))
            ]
            assert filled.count(lo, hi, inclusive) == len(expected)
            assert len(filled.keys(lo, hi, inclusive, reverse)) == len(expected)
            if reverse:
                expected.reverse()
            entries = [(key, 2**64 - 1 - key) for key in expected]
            assert list(filled.irange(lo, hi, inclusive, reverse)) == expected
            assert list(filled.keys(lo, hi, inclusive, reverse)) == expected
            assert list(filled.items(lo, hi, inclusive, reverse)) == entries
            assert list(filled.values(lo, hi, inclusive, reverse)) == [v for _, v in entries]


def test_long_walks_cross_many_leaves_and_batches() -> None:
    with BwTree(leaf_capacity=16) as tree:
        tree.update((key * 3, key) for key in range(5000))
        assert list(tree) == list(range(0, 15000, 3))
        assert list(tree.irange(1, 14000, reverse=True)) == list(range(13998, 0, -3))


def test_views_are_live_sets(filled: BwTree) -> None:
    keys, items, values = filled.keys(3, 13), filled.items(3, 13), filled.values(3, 13)
    assert len(keys) == len(items) == len(values) == 4
    filled[4] = 44
    del filled[5]
    assert list(keys) == [3, 4, 8, 13]
    assert keys & {3, 4, 5, 99} == {3, 4}
    assert keys | {99} == {3, 4, 8, 13, 99}
    assert 4 in keys
    assert 21 not in keys
    assert "4" not in keys  # type: ignore[comparison-overlap]
    assert (4, 44) in items
    assert (4, 45) not in items
    assert (0, 2**64 - 1) not in items
    assert 44 in values
    assert 45 not in values
    assert "3 … 13" in repr(keys)
    assert "items" in repr(items)
    assert "values" in repr(values)


def test_a_range_from_high_to_low_is_empty(filled: BwTree) -> None:
    assert list(filled.irange(13, 3)) == []
    assert list(filled.irange(0, 0, (False, False))) == []
    assert filled.count(13, 3) == 0
    assert len(filled.items(13, 3)) == 0
    assert 8 not in filled.keys(13, 3)


def test_a_cursor_walks_in_both_directions(filled: BwTree) -> None:
    cursor = filled.cursor()
    assert cursor.prev() is None
    assert cursor.next() == (0, 2**64 - 1)
    assert cursor.prev() == (0, 2**64 - 1)
    cursor.seek(6)
    assert cursor.next() == (8, 2**64 - 9)
    assert cursor.prev() == (8, 2**64 - 9)
    assert cursor.prev() == (5, 2**64 - 6)
    cursor.seek_end()
    assert cursor.next() is None
    assert cursor.prev() == (2**64 - 1, 0)
    assert [key for key, _ in cursor.prev_many(3, 6)] == [21, 13, 8]
    assert cursor.prev_many(3, 6) == []
    assert [key for key, _ in cursor.next_many(2)] == [8, 13]
    assert cursor.next_many(0) == []


def test_a_cursor_asked_for_far_more_than_there_is_gives_what_there_is(filled: BwTree) -> None:
    everything = list(filled.items())
    cursor = filled.cursor()
    assert cursor.next_many(10**15) == everything
    assert cursor.prev_many(10**15) == everything[::-1]


def test_a_cursor_at_the_end_looks_again(tree: BwTree) -> None:
    cursor = tree.cursor()
    assert cursor.next() is None
    tree[1] = 10
    assert cursor.next() == (1, 10)
    assert cursor.next() is None
    tree[2] = 20
    assert cursor.next() == (2, 20)


def test_a_cursor_refuses_counts_and_limits_that_make_no_sense(tree: BwTree) -> None:
    cursor = tree.cursor()
    with pytest.raises(ValueError, match="count must not be negative, got -1"):
        cursor.next_many(-1)
    with pytest.raises(OverflowError, match="got -2"):
        cursor.prev_many(1, -2)


def test_iteration_may_change_the_map_it_walks_through(filled: BwTree) -> None:
    for key in filled:
        del filled[key]
    assert len(filled) == 0


def test_iteration_beside_writers_misses_nothing_that_stays() -> None:
    """Even keys stay, odd ones come and go: every walk gives all even ones once, in order."""
    stays = range(0, 4000, 2)
    with BwTree(leaf_capacity=4, inner_capacity=3, leaf_log=2, inner_log=2) as tree:
        tree.update((key, key) for key in stays)
        done = threading.Event()

        def write(first: int) -> None:
            while not done.is_set():
                for key in range(first, 4000, 4):
                    tree[key] = key
                for key in range(first, 4000, 4):
                    del tree[key]

        writers = [threading.Thread(target=write, args=(first,)) for first in (1, 3)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(20):
                for walk in (list(tree), list(reversed(tree))[::-1]):
                    assert walk == sorted(set(walk))
                    assert [key for key in walk if key % 2 == 0] == list(stays)
        finally:
            done.set()
            for writer in writers:
                writer.join()
        assert list(tree) == list(stays)
        tree.self_check(quiescent=True)
