"""Opening and closing, options, copies, forks, what is shown of a tree, and its upkeep."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from dataclasses import FrozenInstanceError, asdict, fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

import bwtree
from bwtree import (
    BwTree,
    BwTreeError,
    ClosedError,
    ForkedError,
    LevelStats,
    Options,
    UnsupportedError,
)
from bwtree._native import ffi, lib
from bwtree._options import SIMD_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: dict[str, Callable[[BwTree], Any]] = {
    "getitem": lambda tree: tree[1],
    "get": lambda tree: tree.get(1),
    "contains": lambda tree: 1 in tree,
    "setitem": lambda tree: tree.__setitem__(1, 1),
    "delitem": lambda tree: tree.__delitem__(1),
    "put": lambda tree: tree.put(1, 1),
    "insert": lambda tree: tree.insert(1, 1),
    "replace": lambda tree: tree.replace(1, 1),
    "remove": lambda tree: tree.remove(1),
    "compare_exchange": lambda tree: tree.compare_exchange(1, 1, 1),
    "setdefault": lambda tree: tree.setdefault(1, 1),
    "pop": lambda tree: tree.pop(1, 1),
    "popitem": BwTree.popitem,
    "popfirst": BwTree.popfirst,
    "poplast": BwTree.poplast,
    "floor": lambda tree: tree.floor(1),
    "ceiling": lambda tree: tree.ceiling(1),
    "lower": lambda tree: tree.lower(1),
    "higher": lambda tree: tree.higher(1),
    "first": lambda tree: tree.first(),
    "last": lambda tree: tree.last(),
    "iter": list,
    "reversed": lambda tree: list(reversed(tree)),
    "items": lambda tree: list(tree.items(1, 5)),
    "cursor": lambda tree: tree.cursor(),
    "count": lambda tree: tree.count(1, 5),
    "count of no keys": lambda tree: tree.count(0, 0, (False, False)),
    "keys of no range": lambda tree: list(tree.keys(5, 1)),
    "irange of no keys, in reverse": lambda tree: list(tree.irange(5, 1, reverse=True)),
    "values of no keys": lambda tree: list(tree.values(0, 0, (False, False))),
    "items of no keys": lambda tree: list(tree.items(5, 1)),
    "len": len,
    "get_many": lambda tree: tree.get_many([1]),
    "put_many": lambda tree: tree.put_many([1], [1]),
    "update": lambda tree: tree.update({1: 1}),
    "delete_range": lambda tree: tree.delete_range(1, 5),
    "delete_range of no keys": lambda tree: tree.delete_range(0, 0, (False, False)),
    "clear": lambda tree: tree.clear(),
    "consolidate": lambda tree: tree.consolidate(),
    "collect": lambda tree: tree.collect(),
    "detach": lambda tree: tree.detach(),
    "start_worker": lambda tree: tree.start_worker(),
    "stats": lambda tree: tree.stats(),
    "level_stats": lambda tree: tree.level_stats(),
    "self_check": lambda tree: tree.self_check(),
    "copy": lambda tree: tree.copy(),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_on_a_closed_tree_is_a_closed_error(call: str) -> None:
    tree = BwTree({1: 1})
    tree.close()
    assert tree.closed
    with pytest.raises(ClosedError, match="closed"):
        CALLS[call](tree)
    tree.close()


def test_a_with_block_closes_the_tree_and_a_walk_that_is_open_ends_in_an_error() -> None:
    with BwTree((key, key) for key in range(1000)) as tree:
        cursor, walk = tree.cursor(), iter(tree)
        assert next(walk) == 0
    assert repr(tree) == "<BwTree, closed>"
    with pytest.raises(ClosedError):
        cursor.next()
    with pytest.raises(ClosedError):
        list(walk)


def test_a_walk_keeps_its_tree_alive() -> None:
    walk = iter(BwTree((key, key) for key in range(1000)))
    cursor = BwTree({1: 2}).cursor()
    gc.collect()
    assert list(walk) == list(range(1000))
    assert cursor.next() == (1, 2)


@pytest.mark.parametrize("work", ["get", "put", "iter", "count", "get_many"])
def test_close_waits_for_the_calls_in_flight_on_other_threads(work: str) -> None:
    """Threads work until they meet ClosedError; nothing else may happen to them."""
    for _ in range(10):
        tree = BwTree((key, key) for key in range(2000))
        started = threading.Barrier(3)
        ends: list[type[BaseException]] = []

        def run(
            tree: BwTree = tree,
            started: threading.Barrier = started,
            ends: list[type[BaseException]] = ends,
        ) -> None:
            try:
                for number in count():
                    if number == 3:
                        started.wait()
                    if work == "get":
                        tree.get(number)
                    elif work == "put":
                        tree[number % 5000] = number
                    elif work == "iter":
                        list(tree)
                    elif work == "count":
                        tree.count(1, 10**6)
                    else:
                        tree.get_many(range(1000))
            except BaseException as error:
                ends.append(type(error))

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        tree.close()
        for thread in threads:
            thread.join()
        assert ends == [ClosedError, ClosedError]


def test_several_threads_may_close_at_once() -> None:
    for _ in range(20):
        tree = BwTree((key, key) for key in range(100))
        threads = [threading.Thread(target=tree.close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(ClosedError):
            tree[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_forked_errors_and_the_parent_goes_on() -> None:
    """In a process of its own: the test runner has threads, which a fork leaves behind."""
    program = """
        import os, sys
        from bwtree import BwTree, BwTreeError, ForkedError
        tree = BwTree({1: 10})
        walk = iter(tree)
        child = os.fork()
        if child == 0:
            wrong = 0
            calls = [lambda: tree[1], lambda: tree.get(1), lambda: 1 in tree, lambda: len(tree),
                     lambda: tree.put(1, 2), lambda: tree.pop(1), lambda: list(walk), tree.first,
                     lambda: tree.get_many([1]), lambda: tree.update({2: 3}), tree.stats,
                     tree.popfirst, tree.poplast, tree.delete_range, tree.level_stats]
            for number, call in enumerate(calls):
                try:
                    call()
                except ForkedError:
                    continue
                wrong += 1
                print("call", number, "did not raise", file=sys.stderr)
            assert "parent" in repr(tree), repr(tree)
            tree.close()
            fresh = BwTree({3: 30})
            wrong += fresh[3] != 30
            del tree, walk
            os._exit(wrong)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        tree[2] = 20
        assert list(tree.items()) == [(1, 10), (2, 20)]
        tree.self_check(quiescent=True)
    """
    code = textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert issubclass(ForkedError, BwTreeError)


def test_the_defaults_of_options_are_those_of_the_library() -> None:
    native = ffi.new("bw_options *")
    lib.bw_options_init(native)
    for field in fields(Options):
        default = getattr(native, field.name)
        if field.name == "simd":
            default = SIMD_LEVELS[default]
        assert field.default == default, field.name
    names = {name for name, _ in ffi.typeof("bw_options").fields}
    assert {field.name for field in fields(Options)} == names - {"size", "allocator"}


def test_options_are_keywords_and_can_be_read_back() -> None:
    tree = BwTree(leaf_capacity=4, leaf_log=3, simd="scalar")
    assert tree.options == Options(leaf_capacity=4, leaf_log=3, simd="scalar")
    assert tree.stats().simd == "scalar"
    with pytest.raises(FrozenInstanceError):
        tree.options.leaf_log = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("option", "value", "error", "sentence"),
    [
        ("leaf_capacity", 1, ValueError, "leaf_capacity.*1"),
        ("leaf_capacity", 257, ValueError, "leaf_capacity.*257"),
        ("leaf_capacity", -1, ValueError, "leaf_capacity must be .*got -1"),
        ("inner_capacity", 2, ValueError, "inner_capacity.*2"),
        ("leaf_log", 0, ValueError, "leaf_log"),
        ("leaf_log", 65, ValueError, "leaf_log.*65"),
        ("max_pids", 3, ValueError, "max_pids.*3"),
        ("max_pids", 2**64, ValueError, "max_pids must be .*got 18446744073709551616"),
        ("backoff_max", 1, ValueError, "backoff_max"),
        ("worker_interval_us", 99, ValueError, "worker_interval_us.*99"),
        ("simd", "mmx", ValueError, "simd must be one of auto, scalar, avx2, avx512, got 'mmx'"),
        ("leaf_capacity", "4", TypeError, "leaf_capacity must be an integer, got '4'"),
        ("leaf_capacity", 4.0, TypeError, "leaf_capacity must be an integer"),
        ("worker", 1, TypeError, "worker must be True or False, got 1"),
        ("leaf_size", 4, TypeError, "leaf_size"),
    ],
)
def test_bad_options_are_refused_with_a_sentence(
    option: str, value: object, error: type[Exception], sentence: str
) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(error, match=sentence):
        BwTree(**options)


def test_bwtree_simd_chooses_the_level_and_nonsense_in_it_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BWTREE_SIMD", "scalar")
    assert BwTree().stats().simd == "scalar"
    monkeypatch.setenv("BWTREE_SIMD", "mmx")
    with pytest.raises((ValueError, UnsupportedError), match="BWTREE_SIMD"):
        BwTree()
    assert BwTree(simd="scalar").stats().simd == "scalar"


def test_all_levels_that_this_processor_has_answer_alike() -> None:
    answers = []
    for level in SIMD_LEVELS[1:]:
        try:
            tree = BwTree(simd=level)
        except UnsupportedError as error:
            assert level in str(error)  # noqa: PT017
            continue
        tree.update((key * 7 % 1009, key) for key in range(3000))
        found = tree.get_many(range(1500))
        answers.append((list(tree.items()), found.values.tolist(), found.present.tolist()))
    assert answers
    assert all(answer == answers[0] for answer in answers)


def test_a_copy_has_the_same_entries_and_options_and_is_another_tree(tree: BwTree) -> None:
    tree.update((key, key * key) for key in range(50))
    for twin in (tree.copy(), copy.copy(tree), copy.deepcopy(tree)):
        assert twin == tree == dict(tree)
        assert twin.options == tree.options
        twin[1000] = 1
        assert 1000 not in tree
        assert twin != tree


def test_a_tree_cannot_be_pickled_or_hashed(tree: BwTree) -> None:
    with pytest.raises(TypeError, match=r"pickle dict\(tree\)"):
        pickle.dumps(tree)
    with pytest.raises(TypeError, match="unhashable"):
        hash(tree)


def test_repr_shows_a_small_tree_whole_and_a_large_one_by_its_ends() -> None:
    assert repr(BwTree()) == "BwTree({})"
    assert repr(BwTree({2: 20, 1: 10})) == "BwTree({1: 10, 2: 20})"
    large = BwTree((key, key * 2) for key in range(1000))
    assert repr(large) == "<BwTree of 1000 keys: {0: 0, 1: 2, 2: 4, …, 999: 1998}>"


def test_stats_are_a_frozen_dataclass_with_every_figure_of_the_library() -> None:
    tree = BwTree(((key, key) for key in range(1000)), leaf_capacity=4, leaf_log=2)
    stats = tree.stats()
    assert set(asdict(stats)) == {name for name, _ in ffi.typeof("bw_stats").fields}
    assert stats.size == 1000
    assert stats.height > 1
    assert stats.splits > stats.root_splits > 0
    assert stats.worker is False
    assert stats.simd in SIMD_LEVELS[1:]
    with pytest.raises(FrozenInstanceError):
        stats.size = 5  # type: ignore[misc]


def test_level_stats_have_every_figure_of_the_library_for_each_level() -> None:
    tree = BwTree(leaf_capacity=4, inner_capacity=8, leaf_log=2, inner_log=2)
    tree.update((key, key) for key in range(1000))
    tree.consolidate()
    levels, stats = tree.level_stats(), tree.stats()
    for level in levels:
        assert set(asdict(level)) == {name for name, _ in ffi.typeof("bw_level_stats").fields}
    assert len(levels) == stats.height > 2
    assert [level.capacity for level in levels] == [4] + [8] * (stats.height - 1)
    assert sum(level.pages for level in levels) == stats.pages
    assert levels[0].entries == 1000
    # Each page but the root is an entry of a page on the level above.
    assert [level.entries for level in levels[1:]] == [level.pages for level in levels[:-1]]
    assert levels[-1].pages == 1
    assert all(level.records == level.marked == level.removed == 0 for level in levels)
    with pytest.raises(FrozenInstanceError):
        levels[0].pages = 5  # type: ignore[misc]


def test_level_stats_of_an_empty_tree_show_its_only_leaf() -> None:
    tree = BwTree(leaf_capacity=4, leaf_log=3)
    empty = LevelStats(pages=1, capacity=4, entries=0, records=0, marked=0, removed=0)
    assert tree.level_stats() == (empty,)
    tree[1] = 10
    tree[1] = 11
    assert tree.level_stats() == (replace(empty, records=2),)


def test_a_tree_whose_keys_are_gone_is_one_empty_leaf_again(tree: BwTree) -> None:
    tree.update((key, key) for key in range(500))
    assert len(tree.level_stats()) > 3
    assert tree.delete_range() == 500
    tree.consolidate()
    (leaf,) = tree.level_stats()
    assert (leaf.pages, leaf.entries, leaf.records) == (1, 0, 0)


def test_upkeep_empties_logs_and_limbo() -> None:
    tree = BwTree(leaf_capacity=4, leaf_log=2, retire_batch=1)
    tree.update((key, key) for key in range(1000))
    tree.consolidate()
    before = tree.stats().consolidations
    tree.consolidate()
    assert tree.stats().consolidations == before
    for _ in range(4):
        tree.collect()
    stats = tree.stats()
    assert stats.limbo_pages == 0
    assert stats.freed == stats.retired > 0
    tree.self_check(quiescent=True)


def test_a_thread_that_detaches_leaves_what_it_has_retired_to_others() -> None:
    with BwTree(leaf_capacity=4, leaf_log=2, retire_batch=64) as tree:
        tree.update((key, key) for key in range(1000))
        detached, ended = threading.Event(), threading.Event()

        def remove_and_live_on() -> None:
            for key in range(1000):
                del tree[key]
            tree.detach()
            detached.set()
            ended.wait()

        thread = threading.Thread(target=remove_and_live_on)
        thread.start()
        detached.wait()
        for _ in range(4):
            tree.collect()
        stats = tree.stats()
        ended.set()
        thread.join()
    assert (stats.limbo_pages, stats.threads) == (0, 1)
    assert stats.freed == stats.retired > 0


def test_clear_removes_every_key(tree: BwTree) -> None:
    tree.update((key, key) for key in range(300))
    tree.clear()
    assert len(tree) == 0
    assert list(tree) == []
    assert not tree


def test_the_worker_starts_and_stops_and_may_do_so_twice() -> None:
    with BwTree(worker=True) as tree:
        assert tree.stats().worker
        tree.start_worker()
        tree.update((key, key) for key in range(1000))
        tree.stop_worker()
        tree.stop_worker()
        assert not tree.stats().worker
        tree.start_worker()
        assert len(tree) == 1000


def test_the_package_names_its_version_and_what_it_exports() -> None:
    assert bwtree.__version__ == ffi.string(lib.bw_version()).decode()
    assert all(hasattr(bwtree, name) for name in bwtree.__all__)


def test_ctrl_c_in_a_long_batch_leaves_the_tree_usable() -> None:
    """The signal comes from a timer of the process, while chunks of one batch are being put."""
    program = """
        import signal
        from array import array
        from bwtree import BwTree
        tree = BwTree()
        keys = array("Q", range(4_000_000))
        interrupted = False
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            while True:
                tree.put_many(keys, keys)
        except KeyboardInterrupt:
            interrupted = True
        assert interrupted
        put = len(tree)
        assert tree.last() == (put - 1, put - 1), (put, tree.last())
        assert put % 65536 == 0 or put == len(keys), put
        tree.self_check(quiescent=True)
        tree[5] = 50
        assert tree.get_many([5, 6]).values.tolist() == [50, 6]
        tree.close()
    """
    code = textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
