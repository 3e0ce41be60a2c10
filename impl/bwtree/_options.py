"""The options of a tree: a frozen dataclass that mirrors ``bw_options`` of bwtree.h."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict, get_args

from bwtree._errors import error_of
from bwtree._native import ffi, lib

Simd = Literal["auto", "scalar", "avx2", "avx512"]

#: In the order of ``bw_simd``.
SIMD_LEVELS: tuple[Simd, ...] = get_args(Simd)

_MESSAGE_CAPACITY = 512


class OptionKeywords(TypedDict, total=False):
    """The keyword arguments of :class:`bwtree.BwTree`; see :class:`Options`."""

    leaf_capacity: int
    inner_capacity: int
    leaf_log: int
    inner_log: int
    merge_threshold: int
    max_pids: int
    retire_batch: int
    free_limit: int
    retry_limit: int
    backoff_min: int
    backoff_max: int
    simd: Simd
    pooling: bool
    worker: bool
    worker_interval_us: int
    worker_log_length: int


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a tree is built. Small capacities make structure changes common: that is for tests."""

    #: Entries of a leaf's base, 2 … 256.
    leaf_capacity: int = 256
    #: Entries of an inner page's base, 3 … 256.
    inner_capacity: int = 256
    #: Slots of a leaf's log, 1 … 64 and at most leaf_capacity.
    leaf_log: int = 16
    #: Slots of an inner page's log, 1 … 64 and less than inner_capacity.
    inner_log: int = 2
    #: A page left with fewer entries than this percentage of its capacity is merged with a sibling
    #: if both fill three quarters of a page at most, 0 … 50. Empty leaves are merged in any case.
    merge_threshold: int = 25
    #: Page ids, 4 … 2**32-2; 8 bytes of address space each are reserved.
    max_pids: int = 2**26
    #: Pages retired before their bag is sealed, 1 … 4096.
    retire_batch: int = 8
    #: Pages freed at most by one operation, 1 … 2**20.
    free_limit: int = 128
    #: Lost compare-and-swaps before backing off, 0 … 2**20.
    retry_limit: int = 0
    #: The first backoff, in spin hints, 1 … 2**20; each is twice the one before, up to …
    backoff_min: int = 64
    #: … this many, at least backoff_min and at most 2**20.
    backoff_max: int = 256
    #: Instructions for searching pages. "auto" is the best this processor has, unless the
    #: environment variable BWTREE_SIMD says scalar, avx2 or avx512.
    simd: Simd = "auto"
    #: Pages and records come from per-thread pools; False: each is one allocation.
    pooling: bool = True
    #: Start the background worker at once.
    worker: bool = False
    #: The pause between two sweeps of the worker in microseconds, 100 … 10**7.
    worker_interval_us: int = 10_000
    #: The worker consolidates pages with at least so many records in their log, 1 … 64.
    worker_log_length: int = 4


def to_native(options: Options) -> Any:
    """Give a ``bw_options`` that was checked.

    Raises ValueError or TypeError with a sentence that names the option, UnsupportedError for a
    level of instructions that this processor lacks.
    """
    native = ffi.new("bw_options *")
    lib.bw_options_init(native)
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name == "simd":
            if value not in SIMD_LEVELS:
                levels = ", ".join(SIMD_LEVELS)
                raise ValueError(f"simd must be one of {levels}, got {value!r}")
            value = SIMD_LEVELS.index(value)
        elif isinstance(field.default, bool):
            if not isinstance(value, bool):
                raise TypeError(f"{field.name} must be True or False, got {value!r}")
        elif not hasattr(value, "__index__"):
            raise TypeError(f"{field.name} must be an integer, got {value!r}")
        try:
            setattr(native, field.name, value)
        except OverflowError:
            bits = 64 if field.name == "max_pids" else 32
            raise ValueError(
                f"{field.name} must be an integer from 0 to 2**{bits}-1, got {value!r}"
            ) from None
    message = ffi.new("char[]", _MESSAGE_CAPACITY)
    status = lib.bw_options_check(native, message, _MESSAGE_CAPACITY)
    if status < 0:
        raise error_of(status, ffi.string(message).decode(errors="replace"))
    return native
