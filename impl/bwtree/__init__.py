"""A latch-free ordered map of 64-bit integers: the Python face of the C library of the same name.

    >>> from bwtree import BwTree
    >>> tree = BwTree({3: 30, 1: 10})
    >>> tree.ceiling(2)
    (3, 30)

:class:`BwTree` is a sorted MutableMapping that any number of threads may read and write at once.
Batches, ranges and upkeep release the GIL, and nothing relies on it.
"""

from bwtree._batch import Found
from bwtree._cursor import Cursor
from bwtree._errors import (
    BwTreeError,
    ClosedError,
    CorruptError,
    ForkedError,
    PidsExhaustedError,
    RetryLimitError,
    UnsupportedError,
    WorkerError,
)
from bwtree._native import ffi, lib
from bwtree._options import Options
from bwtree._stats import LevelStats, Stats
from bwtree._tree import BwTree

__version__: str = ffi.string(lib.bw_version()).decode()

__all__ = [
    "BwTree",
    "BwTreeError",
    "ClosedError",
    "CorruptError",
    "Cursor",
    "ForkedError",
    "Found",
    "LevelStats",
    "Options",
    "PidsExhaustedError",
    "RetryLimitError",
    "Stats",
    "UnsupportedError",
    "WorkerError",
    "__version__",
]
