"""Many threads on one tree: what must hold whatever the schedule.

These count what threads were told and compare it with what is there at the end; complete checks of
recorded histories are in tests/model_check.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

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
