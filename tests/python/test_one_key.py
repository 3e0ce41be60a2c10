"""The operations on one key, and which Python objects are keys and values."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bwtree import BwTree

LEAST, GREATEST = 0, 2**64 - 1


class Seven:
    def __index__(self) -> int:
        return 7


def test_get_gives_what_set_has_set(tree: BwTree) -> None:
    tree[5] = 50
    assert tree[5] == 50
    assert tree.get(5) == 50
    assert 5 in tree
    tree[5] = 51
    assert tree[5] == 51
    assert len(tree) == 1


@pytest.mark.parametrize("key", [LEAST, GREATEST, 2**63, 2**63 - 1])
@pytest.mark.parametrize("value", [LEAST, GREATEST, 0x9D1F8C5BE2A6473B])
def test_keys_and_values_have_their_full_range(tree: BwTree, key: int, value: int) -> None:
    tree[key] = value
    assert tree[key] == value
    assert tree.get(key) == value
    assert tree.pop(key) == value
    assert key not in tree


def test_absent_keys_raise_key_error_or_give_the_default(tree: BwTree) -> None:
    with pytest.raises(KeyError, match=r"^7$"):
        tree[7]
    with pytest.raises(KeyError, match=r"^7$"):
        del tree[7]
    with pytest.raises(KeyError, match=r"^7$"):
        tree.pop(7)
    assert tree.get(7) is None
    assert tree.get(7, "none") == "none"
    assert tree.pop(7, "none") == "none"
    assert tree.pop(7, None) is None
    assert 7 not in tree


def test_mutators_give_back_what_they_saw(tree: BwTree) -> None:
    assert tree.insert(1, 10) is None
    assert tree.insert(1, 11) == 10
    assert tree.put(1, 12) == 10
    assert tree.put(2, 20) is None
    assert tree.replace(1, 13) == 12
    assert tree.replace(3, 30) is None
    assert tree.compare_exchange(1, 99, 14) == 13
    assert tree.compare_exchange(1, 13, 14) == 13
    assert tree.compare_exchange(3, 0, 1) is None
    assert tree.remove(1) == 14
    assert tree.remove(1) is None
    assert tree.setdefault(2, 21) == 20
    assert tree.setdefault(4, 40) == 40
    assert dict(tree) == {2: 20, 4: 40}


def test_a_value_of_zero_is_not_taken_for_none(tree: BwTree) -> None:
    tree[1] = 0
    assert tree.get(1, 5) == 0
    assert tree.insert(1, 7) == 0
    assert tree.put(1, 0) == 0
    assert tree.compare_exchange(1, 0, 0) == 0
    assert tree.setdefault(1, 9) == 0
    assert tree.pop(1, 5) == 0


def test_popitem_takes_the_last_or_the_first(tree: BwTree) -> None:
    tree.update({3: 30, 1: 10, 2: 20})
    assert tree.popitem() == (3, 30)
    assert tree.popitem(last=False) == (1, 10)
    assert tree.popitem() == (2, 20)
    with pytest.raises(KeyError, match="the map is empty"):
        tree.popitem()


@pytest.mark.parametrize("number", [-1, 2**64, -(2**70), 2**200, np.int64(-3)])
def test_integers_that_do_not_fit_are_overflow_errors(tree: BwTree, number: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: tree[number],
        lambda: tree.get(number),
        lambda: tree.__setitem__(number, 1),
        lambda: tree.__setitem__(1, number),
        lambda: tree.__delitem__(number),
        lambda: tree.put(1, number),
        lambda: tree.insert(number, 1),
        lambda: tree.replace(1, number),
        lambda: tree.remove(number),
        lambda: tree.pop(number, None),
        lambda: tree.compare_exchange(1, number, 1),
        lambda: tree.compare_exchange(1, 1, number),
        lambda: tree.floor(number),
        lambda: tree.ceiling(number),
        lambda: tree.lower(number),
        lambda: tree.higher(number),
        lambda: tree.irange(number),
        lambda: tree.count(0, number),
        lambda: tree.delete_range(number),
        lambda: tree.delete_range(0, number, (True, False)),
        lambda: tree.cursor().seek(number),
        lambda: tree.update([(1, number)]),
        lambda: tree.get_many([number]),
    ]
    for call in calls:
        with pytest.raises(OverflowError, match=r"integers from 0 to 2\*\*64-1, got .*-?\d"):
            call()
    assert number not in tree
    assert len(tree) == 0


@pytest.mark.parametrize("thing", ["1", 1.0, None, Decimal(1), np.float32(1), b"1", (1,)])
def test_what_is_no_integer_is_a_type_error(tree: BwTree, thing: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: tree[thing],
        lambda: tree.get(thing),
        lambda: tree.__setitem__(thing, 1),
        lambda: tree.__setitem__(1, thing),
        lambda: tree.__delitem__(thing),
        lambda: tree.put(thing, 1),
        lambda: tree.insert(1, thing),
        lambda: tree.setdefault(1, thing),
        lambda: tree.replace(1, thing),
        lambda: tree.remove(thing),
        lambda: tree.compare_exchange(1, thing, 1),
        lambda: tree.floor(thing),
        lambda: tree.update([(thing, 1)]),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="integer"):
            call()
    assert thing not in tree
    assert len(tree) == 0


def test_objects_with_an_index_are_integers(tree: BwTree) -> None:
    tree[Seven()] = np.uint64(GREATEST)  # type: ignore[index]
    tree[True] = False
    assert tree[7] == GREATEST
    assert tree[np.int32(7)] == GREATEST
    assert Seven() in tree  # type: ignore[comparison-overlap]
    assert list(tree.items()) == [(1, 0), (7, GREATEST)]
    assert [type(number) for entry in tree.items() for number in entry] == [int] * 4
    assert tree.setdefault(8, Seven()) == 7  # type: ignore[arg-type]


def test_navigation_finds_the_neighbours(tree: BwTree) -> None:
    entries = {10: 1, 20: 2, 30: 3, LEAST: 4, GREATEST: 5}
    tree.update(entries)
    assert tree.first() == (LEAST, 4)
    assert tree.last() == (GREATEST, 5)
    assert tree.floor(20) == tree.ceiling(20) == (20, 2)
    assert tree.lower(20) == tree.floor(19) == (10, 1)
    assert tree.higher(20) == tree.ceiling(21) == (30, 3)
    assert tree.lower(LEAST) is None
    assert tree.higher(GREATEST) is None


def test_navigation_in_an_empty_map_finds_nothing(tree: BwTree) -> None:
    for key in (LEAST, 5, GREATEST):
        assert tree.floor(key) is None
        assert tree.ceiling(key) is None
        assert tree.lower(key) is None
        assert tree.higher(key) is None
    assert tree.first() is None
    assert tree.last() is None
