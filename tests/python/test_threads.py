"""Many threads on one tree: what must hold whatever the schedule.

These count what threads were told and compare it with what is there at the end; complete checks of
recorded histories are in tests/model_check.
"""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bwtree import BwTree

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 4


def run_threads(work: Callable[[int], None]) -> None:
    """Run ``work(0)`` … ``work(THREADS-1)`` at once; raise the first error of any of them."""
    errors: list[BaseException] = []
    together = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            together.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_each_insert_succeeds_in_exactly_one_thread(tree: BwTree) -> None:
    won: list[list[int]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        for key in range(2000):
            if tree.insert(key, number) is None:
                won[number].append(key)

    run_threads(work)
    assert sorted(key for mine in won for key in mine) == list(range(2000))
    assert dict(tree) == {key: number for number, mine in enumerate(won) for key in mine}


def test_counters_kept_by_compare_exchange_lose_no_increment(tree: BwTree) -> None:
    keys, rounds = 5, 1500
    tree.update((key, 0) for key in range(keys))

    def work(number: int) -> None:
        rng = random.Random(number)
        for _ in range(rounds):
            key = rng.randrange(keys)
            seen = tree[key]
            while (now := tree.compare_exchange(key, seen, seen + 1)) != seen:
                assert now is not None
                seen = now

    run_threads(work)
    assert sum(tree.values()) == THREADS * rounds


def test_every_entry_is_popped_by_exactly_one_thread(tree: BwTree) -> None:
    tree.update((key, key + 1) for key in range(2000))
    popped: list[list[tuple[int, int]]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        while True:
            try:
                popped[number].append(tree.popitem(last=number % 2 == 0))
            except KeyError:
                return

    run_threads(work)
    assert sorted(entry for mine in popped for entry in mine) == [
        (key, key + 1) for key in range(2000)
    ]
    assert len(tree) == 0


def test_what_a_thread_pops_from_one_end_is_in_order(tree: BwTree) -> None:
    """Nothing is put meanwhile, so each pop gives a key further in than the one before."""
    tree.update((key * 3, key) for key in range(4000))
    popped: list[list[tuple[int, int]]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        pop = tree.popfirst if number % 2 == 0 else tree.poplast
        while True:
            try:
                popped[number].append(pop())
            except KeyError:
                return

    run_threads(work)
    for number, mine in enumerate(popped):
        assert mine == sorted(mine, reverse=number % 2 == 1)
    firsts = [key for mine in popped[::2] for key, _ in mine]
    lasts = [key for mine in popped[1::2] for key, _ in mine]
    assert max(firsts, default=-1) < min(lasts, default=2**64)
    assert sorted(firsts + lasts) == [key * 3 for key in range(4000)]
    assert len(tree) == 0


@pytest.mark.parametrize("last", [False, True])
def test_a_pop_takes_what_is_at_the_end_at_the_instant_it_goes(tree: BwTree, last: bool) -> None:
    """No pop takes the inner of two keys while the outer, put before it went, is still there.

    To look for the end and then to remove what was found there would do just that.
    """
    inner, outer = (1, 2) if last else (2, 1)
    ended = False

    def put_pairs() -> None:
        for _ in range(3000):
            tree[inner] = tree[outer] = 0
            inner_outlived_the_put = inner in tree
            while inner in tree:
                pass
            assert not (inner_outlived_the_put and outer in tree)
            tree.remove(outer)

    def work(number: int) -> None:
        nonlocal ended
        if number == 0:
            try:
                put_pairs()
            finally:
                ended = True
        while not ended:
            with suppress(KeyError):
                tree.popitem(last)

    run_threads(work)


def test_a_queue_hands_every_entry_over_once_and_in_order(tree: BwTree) -> None:
    """Two threads put at the right what two others pop at the left."""
    count = 2000
    popped: list[list[tuple[int, int]]] = [[] for _ in range(THREADS)]
    ended = [False, False]

    def work(number: int) -> None:
        if number < 2:
            try:
                for turn in range(count):
                    tree[turn * 2 + number] = number
            finally:
                ended[number] = True
            return
        while True:
            over = all(ended)
            try:
                popped[number].append(tree.popfirst())
            except KeyError:
                if over:
                    return

    run_threads(work)
    entries = [entry for mine in popped for entry in mine]
    assert sorted(entries) == [(key, key % 2) for key in range(2 * count)]
    for mine in popped:
        for producer in range(2):
            seen = [key for key, value in mine if value == producer]
            assert seen == sorted(seen)
    assert len(tree) == 0


def test_each_key_is_counted_by_the_one_call_that_removed_it(tree: BwTree) -> None:
    """Ranges that overlap, pops at both ends and removals of single keys, all at once."""
    tree.update((key, key) for key in range(4000))
    removed = [0] * THREADS

    def work(number: int) -> None:
        rng = random.Random(number)
        for _ in range(200):
            low = rng.randrange(4000)
            removed[number] += tree.delete_range(low, low + rng.randrange(20))
            removed[number] += tree.remove(rng.randrange(4000)) is not None
            try:
                tree.popitem(last=rng.random() < 0.5)
                removed[number] += 1
            except KeyError:
                return

    run_threads(work)
    assert sum(removed) + len(tree) == 4000
    assert sum(removed) + sum(1 for _ in tree) == 4000


def test_a_range_is_deleted_beside_writers_and_takes_nothing_else(tree: BwTree) -> None:
    tree.update((key, key) for key in range(0, 3000, 2))
    removed = [0] * THREADS
    kept: list[set[int]] = [set() for _ in range(THREADS)]

    def work(number: int) -> None:
        if number < 2:
            removed[number] = tree.delete_range(1000, 2000, (True, False))
            return
        for key in range(number % 2 * 2 + 1, 3000, 4):
            assert tree.insert(key, key) is None
            kept[number].add(key)

    run_threads(work)
    outside = {key for key in range(0, 3000, 2) if not 1000 <= key < 2000}
    odd = kept[2] | kept[3]
    there = set(tree)
    assert there >= outside | {key for key in odd if not 1000 <= key < 2000}
    assert there <= outside | odd
    assert sum(removed) == 500 + len(odd - there)


def test_values_replaced_by_put_form_one_chain(tree: BwTree) -> None:
    """Each value is written once and seen once as the value replaced, or is there at the end."""
    seen: list[list[int | None]] = [[] for _ in range(THREADS)]
    rounds = 2000

    def work(number: int) -> None:
        for turn in range(rounds):
            seen[number].append(tree.put(7, number * rounds + turn))

    run_threads(work)
    replaced = [value for mine in seen for value in mine]
    assert replaced.count(None) == 1
    chain = [value for value in replaced if value is not None]
    assert sorted([*chain, tree[7]]) == list(range(THREADS * rounds))


def test_batches_of_several_threads_all_arrive() -> None:
    with BwTree(leaf_capacity=8, leaf_log=4, worker=True, worker_interval_us=100) as tree:

        def work(number: int) -> None:
            keys = list(range(number, 20_000, THREADS))
            random.Random(number).shuffle(keys)
            for at in range(0, len(keys), 500):
                part = keys[at : at + 500]
                assert tree.put_many(part, part) == len(part)
                assert tree.get_many(part).values.tolist() == part

        run_threads(work)
        tree.stop_worker()
        assert list(tree) == list(range(20_000))
        tree.self_check(quiescent=True)


def test_len_is_never_negative_and_exact_when_quiet(tree: BwTree) -> None:
    def work(number: int) -> None:
        for _ in range(300):
            for key in range(number * 5, number * 5 + 5):
                tree[key] = key
            assert 0 <= len(tree) <= 5 * THREADS
            for key in range(number * 5, number * 5 + 5):
                del tree[key]

    run_threads(work)
    assert len(tree) == 0
