"""What a run is made of: the tree's options and the threads' workload, as plain data.

Both print as one line that the command line reads back (:meth:`Workload.as_dict`), so that
whatever fails can be replayed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from model_check.recorder.native import Kind, ffi, lib, text
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


class Distribution(IntEnum):
    """Which keys are chosen; workload.h says how."""

    UNIFORM = 0
    ZIPFIAN = 1
    HOT = 2
    ASCENDING = 3
    CLUSTERED = 4


SIMD = {"auto": 0, "scalar": 1, "avx2": 2, "avx512": 3}

#: Relative frequencies of calls.
MIXES: Mapping[str, Mapping[Kind, int]] = {
    # A bit of everything, so that every call meets every other.
    "all": {
        Kind.GET: 200,
        Kind.PUT: 110,
        Kind.INSERT: 110,
        Kind.UPDATE: 60,
        Kind.REMOVE: 160,
        Kind.COMPARE_EXCHANGE: 80,
        Kind.FLOOR: 25,
        Kind.CEILING: 25,
        Kind.LOWER: 25,
        Kind.HIGHER: 25,
        Kind.FIRST: 2,
        Kind.LAST: 2,
        Kind.SCAN_FORWARD: 15,
        Kind.SCAN_BACKWARD: 15,
        Kind.WALK_FORWARD: 8,
        Kind.WALK_BACKWARD: 8,
        Kind.GET_MANY: 10,
        Kind.PUT_MANY: 6,
        Kind.COUNT: 15,
        Kind.SIZE: 5,
        Kind.UPKEEP: 2,
        Kind.POP_FIRST: 2,
        Kind.POP_LAST: 2,
        Kind.DELETE_RANGE: 3,
    },
    # Keys come and go: inserts and removes race, leaves split and empty out.
    "churn": {
        Kind.GET: 100,
        Kind.INSERT: 400,
        Kind.REMOVE: 400,
        Kind.COMPARE_EXCHANGE: 60,
        Kind.FLOOR: 10,
        Kind.HIGHER: 10,
        Kind.SCAN_FORWARD: 5,
    },
    # Values change in place: every write consumes what another wrote.
    "exchange": {
        Kind.GET: 250,
        Kind.PUT: 200,
        Kind.UPDATE: 150,
        Kind.COMPARE_EXCHANGE: 300,
        Kind.REMOVE: 30,
        Kind.INSERT: 30,
        Kind.GET_MANY: 8,
    },
    # Readers of ranges beside writers.
    "range": {
        Kind.INSERT: 200,
        Kind.REMOVE: 200,
        Kind.PUT: 100,
        Kind.FLOOR: 60,
        Kind.CEILING: 60,
        Kind.LOWER: 60,
        Kind.HIGHER: 60,
        Kind.SCAN_FORWARD: 60,
        Kind.SCAN_BACKWARD: 60,
        Kind.WALK_FORWARD: 30,
        Kind.WALK_BACKWARD: 30,
        Kind.COUNT: 40,
    },
    # Mostly reads.
    "read": {
        Kind.GET: 850,
        Kind.PUT: 60,
        Kind.INSERT: 30,
        Kind.REMOVE: 30,
        Kind.GET_MANY: 10,
        Kind.FLOOR: 20,
    },
    # For small spaces only: whole-map calls that take time in the number of keys.
    "whole": {
        Kind.GET: 200,
        Kind.PUT: 200,
        Kind.INSERT: 200,
        Kind.REMOVE: 100,
        Kind.FIRST: 40,
        Kind.LAST: 40,
        Kind.PUT_MANY: 60,
        Kind.GET_MANY: 20,
        Kind.COUNT: 40,
        Kind.WALK_FORWARD: 40,
        Kind.CLEAR: 4,
        Kind.SIZE: 20,
        Kind.UPKEEP: 10,
        Kind.POP_FIRST: 40,
        Kind.POP_LAST: 40,
        Kind.DELETE_RANGE: 20,
    },
    # For small spaces: keys go at both ends and by ranges, and come back everywhere. A pop says
    # something of every key that it passed over.
    "ends": {
        Kind.GET: 100,
        Kind.INSERT: 400,
        Kind.PUT: 60,
        Kind.REMOVE: 60,
        Kind.POP_FIRST: 80,
        Kind.POP_LAST: 80,
        Kind.DELETE_RANGE: 12,
        Kind.FIRST: 10,
        Kind.LAST: 10,
        Kind.FLOOR: 10,
        Kind.CEILING: 10,
        Kind.SCAN_FORWARD: 10,
        Kind.COUNT: 5,
        Kind.UPKEEP: 1,
    },
    # Whole pages empty out and come back: pages merge and split all the time.
    "merge": {
        Kind.GET: 60,
        Kind.INSERT: 300,
        Kind.PUT_MANY: 30,
        Kind.REMOVE: 200,
        Kind.POP_FIRST: 10,
        Kind.POP_LAST: 10,
        Kind.DELETE_RANGE: 20,
        Kind.LOWER: 10,
        Kind.HIGHER: 10,
        Kind.SCAN_BACKWARD: 10,
        Kind.WALK_FORWARD: 5,
        Kind.UPKEEP: 5,
    },
}


@dataclass(frozen=True)
class TreeOptions:
    """The options of bw_options that a run chooses; 0 or None keeps the library's default."""

    leaf_capacity: int = 0
    inner_capacity: int = 0
    leaf_log: int = 0
    inner_log: int = 0
    retire_batch: int = 0
    free_limit: int = 0
    simd: str = "auto"
    pooling: bool = True
    worker: bool = False
    worker_interval_us: int = 0

    @classmethod
    def tiny(cls, **changes: Any) -> TreeOptions:
        """Give the smallest pages there are, so that splits happen at once."""
        smallest: dict[str, Any] = {
            "leaf_capacity": 2,
            "inner_capacity": 3,
            "leaf_log": 1,
            "inner_log": 1,
            "retire_batch": 1,
        }
        return cls(**{**smallest, **changes})

    def native(self) -> Any:
        """Give the bw_options."""
        options = ffi.new("bw_options *")
        lib.bw_options_init(options)
        if self.simd not in SIMD:
            known = ", ".join(SIMD)
            raise CannotRun(f"simd must be one of {known}, got {self.simd!r}")
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "simd":
                options.simd = SIMD[value]
            elif isinstance(value, bool) or value:
                setattr(options, item.name, value)
        return options


@dataclass(frozen=True)
class Workload:
    """What the threads do. Equal workloads make equal streams of requests."""

    seed: int = 0
    threads: int = 2
    operations: int = 1_000_000  #: recorded, by all threads together, in a round
    mix: str = "all"
    distribution: Distribution = Distribution.UNIFORM
    space: int = 10_000  #: number of keys
    first_key: int = 0
    stride: int = 1
    prefill: float = 0.5  #: share of the keys present before the run
    skew: float = 0.99
    hot_keys: int = 16
    hot_share: float = 0.9
    scan_length: int = 16
    batch: int = 8
    span: int = 32
    pin: bool = False
    record: bool = True
    weights: Mapping[Kind, int] | None = field(default=None)  #: instead of the mix's

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        plain = asdict(self)
        plain["distribution"] = self.distribution.name.lower()
        plain["weights"] = {k.word: w for k, w in self.weights.items()} if self.weights else None
        return plain

    def native(self) -> tuple[Any, Any]:
        """Give rec_options and rec_workload. CannotRun if a field is out of its range."""
        if self.mix not in MIXES:
            raise CannotRun(f"mix must be one of {', '.join(MIXES)}, got {self.mix!r}")
        if self.threads < 1 or self.operations < 1:
            raise CannotRun("threads and operations must be at least 1")
        options = ffi.new("rec_options *")
        options.threads = self.threads
        options.records = -(-self.operations // self.threads)
        options.record = self.record
        options.pin = self.pin
        workload = ffi.new("rec_workload *")
        try:
            for name in ("space", "first_key", "stride", "skew", "hot_share"):
                setattr(workload, name, getattr(self, name))
            for name in ("scan_length", "batch", "span"):
                setattr(workload, name, getattr(self, name))
            workload.hot_keys = min(self.hot_keys, self.space)
            workload.seed = self.seed % 2**64
            workload.distribution = int(self.distribution)
            for kind, weight in (self.weights or MIXES[self.mix]).items():
                workload.weight[kind] = weight
        except OverflowError as error:
            raise CannotRun(f"a number of the workload is out of range: {error}") from error
        return options, workload


class Tree:
    """A bw_tree opened for a run; a context manager."""

    def __init__(self, options: TreeOptions | None = None) -> None:
        """Open it. CannotRun with the library's sentence when the options are refused."""
        native = (options or TreeOptions()).native()
        message = ffi.new("char[256]")
        if lib.bw_options_check(native, message, 256) != 0:
            raise CannotRun(f"the tree's options are refused: {text(message)}")
        handle = ffi.new("bw_tree **")
        status = lib.bw_open(native, handle)
        if status != 0:
            raise CannotRun(f"the tree could not be opened: {text(lib.bw_strerror(status))}")
        self.handle = handle[0]

    def stats(self) -> dict[str, int]:
        """Give bw_stats by name."""
        stats = ffi.new("bw_stats *")
        if lib.bw_get_stats(self.handle, stats) != 0:
            return {}
        return {name: int(getattr(stats, name)) for name, _ in ffi.typeof("bw_stats").fields}

    def abandon(self) -> None:
        """Leave it open for ever: a thread hangs in it."""
        self.handle = ffi.NULL

    def close(self) -> None:
        """Free the tree; RuntimeError when it refuses, which is a defect."""
        handle, self.handle = self.handle, ffi.NULL
        status = lib.bw_free(handle)
        if status != 0:
            raise RuntimeError(f"bw_free gave status {status}: {text(lib.bw_strerror(status))}")

    def __enter__(self) -> Tree:  # noqa: PYI034 - typing.Self came with Python 3.11
        """Give the tree itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
