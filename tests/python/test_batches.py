"""Batch calls: every kind of buffer of 64-bit integers, and none of the others."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from bwtree import BwTree, ClosedError, PidsExhaustedError, _batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

KEYS = [5, 0, 2**63 - 1, 7]
BUFFERS: dict[str, Callable[[list[int]], Any]] = {
    "list": list,
    "generator": iter,
    "array Q": lambda numbers: array("Q", numbers),
    "array q": lambda numbers: array("q", numbers),
    "array L": lambda numbers: array("L", numbers),
    "memoryview": lambda numbers: memoryview(array("Q", numbers)),
    "slice of a memoryview": lambda numbers: memoryview(array("Q", [9, *numbers, 9]))[1:-1],
    "numpy uint64": lambda numbers: np.array(numbers, dtype=np.uint64),
    "numpy int64": lambda numbers: np.array(numbers, dtype=np.int64),
    "numpy read-only": lambda numbers: _readonly(np.array(numbers, dtype=np.uint64)),
}


def _readonly(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    numbers.flags.writeable = False
    return numbers


@pytest.mark.parametrize("kind", BUFFERS)
def test_every_kind_of_buffer_puts_and_gets(tree: BwTree, kind: str) -> None:
    make = BUFFERS[kind]
    assert tree.put_many(make(KEYS), make([1, 2, 3, 4])) == 4
    assert tree.put_many(make([5, 6]), make([11, 12])) == 1
    found = tree.get_many(make([*KEYS, 6, 8]))
    assert found.values.tolist() == [11, 2, 3, 4, 12, 0]
    assert found.present.tolist() == [True] * 5 + [False]
    assert found.hits == 5


def test_signed_buffers_with_a_negative_number_are_overflow_errors(tree: BwTree) -> None:
    for wrong in (array("q", [1, -2]), np.array([1, -2]), [1, -2]):
        with pytest.raises(OverflowError, match="got -2"):
            tree.get_many(wrong)
        with pytest.raises(OverflowError, match="got -2"):
            tree.put_many([1, 2], wrong)
    with pytest.raises(OverflowError, match=str(2**64)):
        tree.put_many([1], [2**64])
    assert len(tree) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        array("I", [1, 2]),
        array("d", [1.0, 2.0]),
        b"12345678",
        bytearray(16),
        np.array([1, 2], dtype=np.float64),
        np.array([1, 2], dtype=np.uint32),
        np.array([1, 2], dtype=">u8"),
        np.array([[1, 2]], dtype=np.uint64),
        np.arange(4, dtype=np.uint64)[::2],
        np.uint64(3),
        "12",
        [1.0, 2.0],
        [None],
        5,
    ],
    ids=lambda wrong: f"{type(wrong).__name__}-{getattr(wrong, 'dtype', wrong)!s:.12}",
)
def test_what_is_no_buffer_of_64_bit_integers_is_a_type_error(tree: BwTree, wrong: object) -> None:
    buffer: list[int] = wrong  # type: ignore[assignment]
    with pytest.raises(TypeError):
        tree.get_many(buffer)
    with pytest.raises(TypeError):
        tree.put_many([1, 2], buffer)
    assert len(tree) == 0


def test_results_go_to_the_buffers_given_and_absent_keys_leave_theirs(tree: BwTree) -> None:
    tree.update({1: 10, 3: 30})
    out, present = np.full(3, 77, dtype=np.uint64), np.zeros(3, dtype=np.bool_)
    found = tree.get_many([1, 2, 3], out=out, present=present)
    assert out.tolist() == found.values.tolist() == [10, 77, 30]
    assert present.tolist() == found.present.tolist() == [True, False, True]
    flags = bytearray(3)
    tree.get_many([1, 2, 3], out=array("Q", bytes(24)), present=flags)
    assert flags == b"\1\0\1"


@pytest.mark.parametrize(
    ("out", "error", "sentence"),
    [
        (array("Q", [0]), ValueError, "one item for each of the 2 keys, got 1"),
        (array("q", [0, 0]), TypeError, "unsigned 64-bit integers, got format 'q'"),
        (bytes(16), TypeError, "unsigned 64-bit integers, got format 'B'"),
        (memoryview(bytes(16)).cast("Q"), TypeError, "read-only"),
        ([0, 0], TypeError, "list"),
    ],
)
def test_a_wrong_out_is_refused_with_a_sentence(
    tree: BwTree, out: Buffer, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        tree.get_many([1, 2], out=out)


@pytest.mark.parametrize("present", [bytes(2), bytearray(1), array("Q", [0, 0])])
def test_a_wrong_present_is_refused(tree: BwTree, present: Buffer) -> None:
    with pytest.raises((TypeError, ValueError), match="present must"):
        tree.get_many([1, 2], present=present)


def test_empty_batches_are_fine(tree: BwTree) -> None:
    assert tree.put_many([], array("Q")) == 0
    found = tree.get_many(np.array([], dtype=np.uint64))
    assert (found.values.tolist(), found.present.tolist(), found.hits) == ([], [], 0)
    tree.update()
    tree.update([])


def test_keys_and_values_must_be_of_one_length(tree: BwTree) -> None:
    with pytest.raises(ValueError, match="got 2 and 3"):
        tree.put_many([1, 2], [1, 2, 3])


def test_put_many_works_in_the_order_given(tree: BwTree) -> None:
    tree.put_many([1, 2, 1], [10, 20, 11])
    assert dict(tree) == {1: 11, 2: 20}


def test_pairs_before_one_that_fails_are_put_once(
    tree: BwTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[list[int]] = []

    def failing(_tree: object, keys: list[int], _values: list[int]) -> None:
        given.append(keys)
        if keys:
            raise MemoryError

    monkeypatch.setattr(_batch, "put_many", failing)
    monkeypatch.setattr(_batch, "_CHUNK", 3)
    with pytest.raises(MemoryError):
        tree.update((key, 0) for key in range(10))
    assert given == [[0, 1, 2], []]


def test_batches_longer_than_a_chunk_are_put_and_found_whole() -> None:
    count = 200_000
    keys = np.random.default_rng(3).permutation(count).astype(np.uint64)
    with BwTree() as tree:
        assert tree.put_many(keys, keys * 2) == count
        found = tree.get_many(keys)
        assert found.hits == count
        assert np.array_equal(np.asarray(found.values), keys * 2)
        assert len(tree) == count


def test_update_takes_what_dict_takes(tree: BwTree) -> None:
    tree.update({1: 10})
    tree.update([(2, 20), (3, 30)])
    tree.update(iter({4: 40}.items()))
    tree.update(BwTree({5: 50}))
    tree.update(np.array([6, 7]), array("Q", [60, 70]))
    assert dict(tree) == {key: 10 * key for key in range(1, 8)}
    assert dict(BwTree({1: 2})) == dict(BwTree([(1, 2)])) == {1: 2}


def test_update_keeps_what_came_before_an_error(tree: BwTree) -> None:
    with pytest.raises(OverflowError):
        tree.update([(1, 10), (2, -1), (3, 30)])
    assert dict(tree) == {1: 10}


def test_put_many_says_how_far_it_came_when_page_ids_run_out() -> None:
    with BwTree(leaf_capacity=2, inner_capacity=3, leaf_log=1, inner_log=1, max_pids=8) as tree:
        with pytest.raises(PidsExhaustedError, match=r"\(\d+ of 1000 pairs were put\)") as caught:
            tree.put_many(range(1000), range(1000))
        said = int(str(caught.value).rpartition("(")[2].split()[0])
        assert list(tree) == list(range(said))
        tree.self_check(quiescent=True)


def test_batches_on_a_closed_tree_are_closed_errors() -> None:
    tree = BwTree()
    tree.close()
    with pytest.raises(ClosedError):
        tree.put_many([1], [1])
    with pytest.raises(ClosedError):
        tree.get_many([1])
