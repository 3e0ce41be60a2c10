"""LMDB and RocksDB in the Python benchmark, in memory, as their manuals want it for threads.

LMDB: the environment is shared, and each operation is a transaction of the thread that does it; a
batch is one. RocksDB: the handle is shared; without its write-ahead log, as nothing is to outlive
the run. Keys are bytes, big-endian, so that their order is that of the numbers; to make them, and
numbers of what is found, is part of each operation.
"""

from __future__ import annotations

import atexit
import importlib
import shutil
import tempfile
from array import array
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_stream import SCAN_LENGTH, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench_containers import Loops

_MAP_SIZE = 1 << 36
_READERS = 256


def _folder() -> str:
    """Make a folder in memory that goes when the process ends."""
    memory = Path("/dev/shm")  # noqa: S108 - where it is not, the usual folder serves
    folder = tempfile.mkdtemp(prefix="bwtree-bench-", dir=memory if memory.is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _bytes(word: int) -> bytes:
    return word.to_bytes(8, "big")


def _word(found: bytes) -> int:
    return int.from_bytes(found, "big")


class _Database:
    """What the check and the count of keys need of a database, in terms of numbers."""

    def pairs(self, low: int) -> Iterator[tuple[bytes, bytes]]:
        """Walk the pairs from a key on."""
        raise NotImplementedError

    def get(self, key: int) -> int | None:
        """Give the key's value."""
        raise NotImplementedError

    def remove(self, key: int) -> None:
        """Remove the key, which may be absent."""
        raise NotImplementedError

    def pop(self, key: int, default: int | None) -> int | None:
        """Remove the key and give its value. By one thread only: it is for the check."""
        found = self.get(key)
        self.remove(key)
        return default if found is None else found

    def irange(self, low: int) -> Iterator[int]:
        """Walk the keys from one on."""
        return (_word(key) for key, _ in self.pairs(low))

    def items(self) -> Iterable[tuple[int, int]]:
        """Walk all items."""
        return ((_word(key), _word(value)) for key, value in self.pairs(0))

    def __len__(self) -> int:
        return sum(1 for _ in self.pairs(0))


class Lmdb(_Database):
    """An LMDB environment without sync."""

    def __init__(self) -> None:
        """Open an empty one."""
        self.env = importlib.import_module("lmdb").open(
            _folder(), map_size=_MAP_SIZE, sync=False, metasync=False, max_readers=_READERS
        )

    def __setitem__(self, key: int, value: int) -> None:
        with self.env.begin(write=True) as txn:
            txn.put(_bytes(key), _bytes(value))

    def get(self, key: int) -> int | None:
        """Give the key's value."""
        with self.env.begin() as txn:
            found = txn.get(_bytes(key))
        return None if found is None else _word(found)

    def remove(self, key: int) -> None:
        """Remove the key, which may be absent."""
        with self.env.begin(write=True) as txn:
            txn.delete(_bytes(key))

    def pairs(self, low: int) -> Iterator[tuple[bytes, bytes]]:
        """Walk the pairs from a key on."""
        with self.env.begin() as txn, txn.cursor() as cursor:
            if cursor.set_range(_bytes(low)):
                yield from cursor.iternext()


def lmdb_loops(mapping: Lmdb) -> Loops:
    """Give the timed loops on an LMDB environment."""
    env = mapping.env

    def load(stream: Stream) -> int:
        for key, value in zip(stream.keys, stream.values, strict=True):
            with env.begin(write=True) as txn:
                txn.put(key.to_bytes(8, "big"), value.to_bytes(8, "big"))
        return 0

    def load_many(stream: Stream) -> int:
        for keys, values in stream.batches:
            with env.begin(write=True) as txn, txn.cursor() as cursor:
                cursor.putmulti(
                    (key.to_bytes(8, "big"), value.to_bytes(8, "big"))
                    for key, value in zip(keys, values, strict=True)
                )
        return 0

    def get(stream: Stream) -> int:
        wrong = 0
        for key, value in zip(stream.keys, stream.values, strict=True):
            with env.begin() as txn:
                found = txn.get(key.to_bytes(8, "big"))
            if int.from_bytes(found, "big") != value:
                wrong += 1
        return wrong

    def get_many(stream: Stream) -> int:
        wrong = 0
        for keys, values in stream.batches:
            with env.begin() as txn:
                found = [int.from_bytes(txn.get(key.to_bytes(8, "big")), "big") for key in keys]
            wrong += array("Q", found) != values
        return wrong

    def scan(stream: Stream) -> int:
        wrong = 0
        for key in stream.keys:
            with env.begin() as txn, txn.cursor() as cursor:
                cursor.set_range(key.to_bytes(8, "big"))
                walk = islice(cursor.iternext(values=False), SCAN_LENGTH)
                found = [int.from_bytes(each, "big") for each in walk]
            if len(found) != SCAN_LENGTH or found[0] != key:
                wrong += 1
        return wrong

    def read_update(stream: Stream) -> int:
        wrong = 0
        for at, (key, value) in enumerate(zip(stream.keys, stream.values, strict=True)):
            if at & 1:
                with env.begin(write=True) as txn:
                    txn.put(key.to_bytes(8, "big"), value.to_bytes(8, "big"))
            else:
                with env.begin() as txn:
                    found = txn.get(key.to_bytes(8, "big"))
                if int.from_bytes(found, "big") != value:
                    wrong += 1
        return wrong

    def remove(stream: Stream) -> int:
        for key in stream.keys:
            with env.begin(write=True) as txn:
                txn.delete(key.to_bytes(8, "big"))
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


class Rocks(_Database):
    """A RocksDB database without write-ahead log."""

    def __init__(self) -> None:
        """Open an empty one."""
        self.library = importlib.import_module("rocksdict")
        self.database: Any = self.library.Rdict(_folder(), self.library.Options(raw_mode=True))
        writing = self.library.WriteOptions()
        writing.disable_wal = True
        self.database.set_write_options(writing)

    def __setitem__(self, key: int, value: int) -> None:
        self.database[_bytes(key)] = _bytes(value)

    def get(self, key: int) -> int | None:
        """Give the key's value."""
        found = self.database.get(_bytes(key))
        return None if found is None else _word(found)

    def remove(self, key: int) -> None:
        """Remove the key, which may be absent."""
        self.database.delete(_bytes(key))

    def pairs(self, low: int) -> Iterator[tuple[bytes, bytes]]:
        """Walk the pairs from a key on."""
        yield from self.database.items(from_key=_bytes(low))


def rocks_loops(mapping: Rocks) -> Loops:
    """Give the timed loops on a RocksDB database."""
    database = mapping.database
    batch_of = mapping.library.WriteBatch

    def load(stream: Stream) -> int:
        for key, value in zip(stream.keys, stream.values, strict=True):
            database[key.to_bytes(8, "big")] = value.to_bytes(8, "big")
        return 0

    def load_many(stream: Stream) -> int:
        for keys, values in stream.batches:
            batch = batch_of(raw_mode=True)
            for key, value in zip(keys, values, strict=True):
                batch.put(key.to_bytes(8, "big"), value.to_bytes(8, "big"))
            database.write(batch)
        return 0

    def get(stream: Stream) -> int:
        wrong = 0
        for key, value in zip(stream.keys, stream.values, strict=True):
            if int.from_bytes(database[key.to_bytes(8, "big")], "big") != value:
                wrong += 1
        return wrong

    def get_many(stream: Stream) -> int:
        wrong = 0
        for keys, values in stream.batches:
            found = database[[key.to_bytes(8, "big") for key in keys]]
            wrong += array("Q", [int.from_bytes(each, "big") for each in found]) != values
        return wrong

    def scan(stream: Stream) -> int:
        wrong = 0
        for key in stream.keys:
            walk = islice(database.keys(from_key=key.to_bytes(8, "big")), SCAN_LENGTH)
            found = [int.from_bytes(each, "big") for each in walk]
            if len(found) != SCAN_LENGTH or found[0] != key:
                wrong += 1
        return wrong

    def read_update(stream: Stream) -> int:
        wrong = 0
        for at, (key, value) in enumerate(zip(stream.keys, stream.values, strict=True)):
            if at & 1:
                database[key.to_bytes(8, "big")] = value.to_bytes(8, "big")
            elif int.from_bytes(database[key.to_bytes(8, "big")], "big") != value:
                wrong += 1
        return wrong

    def remove(stream: Stream) -> int:
        for key in stream.keys:
            del database[key.to_bytes(8, "big")]
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
