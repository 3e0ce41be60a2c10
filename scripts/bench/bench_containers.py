"""The containers of the Python benchmark: how each is opened, and its timed loops.

Each timed loop is written out for each kind of container, so that no wrapper's call is charged.
What is not safe for threads that write (SortedDict, BTrees) is used under one lock, and a batch
holds it once. bench_databases.py has those that keep files.
"""

from __future__ import annotations

import importlib
import sys
import threading
from array import array
from collections.abc import Callable
from itertools import islice
from typing import Any

from bench_stream import SCAN_LENGTH, Stream

Loops = dict[str, Callable[[Stream], int]]
_CANNOT = 2


def bwtree_loops(tree: Any) -> Loops:
    """Give the timed loops on a BwTree."""

    def load(stream: Stream) -> int:
        for key, value in zip(stream.keys, stream.values, strict=True):
            tree[key] = value
        return 0

    def load_many(stream: Stream) -> int:
        inserted: int = sum(tree.put_many(*batch) for batch in stream.batches)
        return len(stream.keys) - inserted

    def get(stream: Stream) -> int:
        wrong = 0
        for key, value in zip(stream.keys, stream.values, strict=True):
            if tree[key] != value:
                wrong += 1
        return wrong

    def get_many(stream: Stream) -> int:
        wrong = 0
        for keys, values in stream.batches:
            found = tree.get_many(keys)
            wrong += found.values != memoryview(values)
        return wrong

    def scan(stream: Stream) -> int:
        wrong = 0
        for key in stream.keys:
            found = list(islice(tree.irange(key), SCAN_LENGTH))
            if len(found) != SCAN_LENGTH or found[0] != key:
                wrong += 1
        return wrong

    def read_update(stream: Stream) -> int:
        wrong = 0
        for at, (key, value) in enumerate(zip(stream.keys, stream.values, strict=True)):
            if at & 1:
                tree[key] = value
            elif tree[key] != value:
                wrong += 1
        return wrong

    def remove(stream: Stream) -> int:
        for key in stream.keys:
            del tree[key]
        return 0

    return {
        "load": load,
        "load_many": load_many,
        "get_uniform": get,
        "get_zipf": get,
        "get_many": get_many,
        "scan": scan,
        "read_update": read_update,
        "remove": remove,
    }


def locked_loops(mapping: Any) -> Loops:
    """Give the timed loops on a SortedDict or a BTree, with the lock that guards it."""
    lock = threading.Lock()
    walk = mapping.irange  # from a key on

    def load(stream: Stream) -> int:
        for key, value in zip(stream.keys, stream.values, strict=True):
            with lock:
                mapping[key] = value
        return 0

    def load_many(stream: Stream) -> int:
        for keys, values in stream.batches:
            with lock:
                mapping.update(list(zip(keys, values, strict=True)))
        return 0

    def get(stream: Stream) -> int:
        wrong = 0
        for key, value in zip(stream.keys, stream.values, strict=True):
            with lock:
                found = mapping[key]
            if found != value:
                wrong += 1
        return wrong

    def get_many(stream: Stream) -> int:
        wrong = 0
        for keys, values in stream.batches:
            with lock:
                found = [mapping[key] for key in keys]
            wrong += array("Q", found) != values
        return wrong

    def scan(stream: Stream) -> int:
        wrong = 0
        for key in stream.keys:
            with lock:
                found = list(islice(walk(key), SCAN_LENGTH))
            if len(found) != SCAN_LENGTH or found[0] != key:
                wrong += 1
        return wrong

    def read_update(stream: Stream) -> int:
        wrong = 0
        for at, (key, value) in enumerate(zip(stream.keys, stream.values, strict=True)):
            if at & 1:
                with lock:
                    mapping[key] = value
            else:
                with lock:
                    found = mapping[key]
                if found != value:
                    wrong += 1
        return wrong

    def remove(stream: Stream) -> int:
        for key in stream.keys:
            with lock:
                del mapping[key]
        return 0

    return {
        "load": load,
        "load_many": load_many,
        "get_uniform": get,
        "get_zipf": get,
        "get_many": get_many,
        "scan": scan,
        "read_update": read_update,
        "remove": remove,
    }


def _bwtree() -> tuple[Any, Loops]:
    tree = importlib.import_module("bwtree").BwTree()
    return tree, bwtree_loops(tree)


def _sorteddict() -> tuple[Any, Loops]:
    mapping = importlib.import_module("sortedcontainers").SortedDict()
    return mapping, locked_loops(mapping)


def _btrees() -> tuple[Any, Loops]:
    # LLBTree's keys are signed; this is its twin for unsigned ones.
    kind = importlib.import_module("BTrees.QQBTree").QQBTree

    class Tree(kind):  # type: ignore[misc, valid-type]
        __slots__ = ()
        irange = kind.keys

    mapping = Tree()
    return mapping, locked_loops(mapping)


def _lmdb() -> tuple[Any, Loops]:
    databases = importlib.import_module("bench_databases")
    mapping = databases.Lmdb()
    return mapping, databases.lmdb_loops(mapping)


def _rocksdict() -> tuple[Any, Loops]:
    databases = importlib.import_module("bench_databases")
    mapping = databases.Rocks()
    return mapping, databases.rocks_loops(mapping)


#: How each container is opened: empty, with its timed loops.
CONTAINERS: dict[str, Callable[[], tuple[Any, Loops]]] = {
    "bwtree": _bwtree,
    "sorteddict": _sorteddict,
    "btrees": _btrees,
    "lmdb_python": _lmdb,
    "rocksdict": _rocksdict,
}


def open_container(name: str) -> tuple[Any, Loops]:
    """Make an empty container and its loops; SystemExit(2) with a sentence if it is not there."""
    try:
        return CONTAINERS[name]()
    except ImportError as error:
        print(
            f"{name} cannot be measured ({error}): `make bench` and `make bench-peers` install it",
            file=sys.stderr,
        )
        raise SystemExit(_CANNOT) from error
