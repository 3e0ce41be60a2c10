"""What a tree tells of its inside: frozen dataclasses that mirror the structs of bwtree.h.

``Stats`` is ``bw_stats``, ``LevelStats`` is ``bw_level_stats``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bwtree._errors import check
from bwtree._native import ffi, lib
from bwtree._options import SIMD_LEVELS, Simd


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Figures read one by one while others work: exact when nothing else runs."""

    #: Keys in the map.
    size: int
    #: Levels, 1 for a single leaf.
    height: int
    #: Pages in the mapping table.
    pages: int
    #: The option.
    max_pids: int
    #: Page ids ever taken.
    pids_used: int
    #: Of them, free to be taken again.
    pids_free: int
    #: Page ids that became free after a merge, each time.
    pids_recycled: int
    #: Records appended to logs.
    appends: int
    #: Appends that lost a slot to another thread (and were tried again).
    appends_lost: int
    #: Pages replaced by a consolidation, splits included.
    consolidations: int
    #: Consolidations that another thread had done first.
    consolidations_lost: int
    #: Page splits, root splits included.
    splits: int
    #: Splits of the root.
    root_splits: int
    #: Separators posted to a parent.
    posts: int
    #: Separators found missing by a thread that crossed a right link.
    helps: int
    #: Pages that have gone into their left siblings.
    merges: int
    #: Merges that another thread finished first.
    merges_lost: int
    #: Roots replaced by their only child.
    root_collapses: int
    #: Merges begun and not ended.
    marked: int
    #: Those of them whose page takes no more writes.
    removed: int
    #: The global epoch.
    epoch: int
    #: Pages retired.
    retired: int
    #: Pages freed after a grace period.
    freed: int
    #: Pages retired and not yet freed.
    limbo_pages: int
    #: Their bytes.
    limbo_bytes: int
    #: For how long, in nanoseconds, the longest pin that blocks the epoch has been seen to last.
    oldest_pin_ns: int
    #: Bytes taken from the allocator.
    bytes_reserved: int
    #: Bytes of them in pages and records that are reachable or in limbo.
    bytes_live: int
    #: Bytes written so far to pages, each as it was built, and to records.
    bytes_written: int
    #: Threads registered now.
    threads: int
    #: The instructions in use for searching pages.
    simd: Simd
    #: Whether the background worker runs.
    worker: bool


@dataclass(frozen=True, kw_only=True)
class LevelStats:
    """Figures of the pages of one level, read as those of :class:`Stats` are."""

    #: Pages of the level.
    pages: int
    #: Entries that one page can hold.
    capacity: int
    #: Entries that the pages hold, as of their last consolidation.
    entries: int
    #: Records appended since.
    records: int
    #: Entries marked: their child is being merged.
    marked: int
    #: Pages that are removed, whose merge is not ended.
    removed: int


def stats_of(tree: Any) -> Stats:
    """Give the figures of ``tree``, the C library's handle."""
    native = ffi.new("bw_stats *")
    check(lib.bw_get_stats(tree, native))
    figures = {field.name: getattr(native, field.name) for field in fields(Stats)}
    figures["simd"] = SIMD_LEVELS[figures["simd"]]
    return Stats(**figures)


def level_stats_of(tree: Any) -> tuple[LevelStats, ...]:
    """Give the figures of each level of ``tree``, the C library's handle, leaves first."""
    native = ffi.new("bw_level_stats *")
    levels: list[LevelStats] = []
    while True:
        status = lib.bw_get_level_stats(tree, len(levels), native)
        check(status)
        if status == lib.BW_NOT_FOUND:
            return tuple(levels)
        figures = {field.name: getattr(native, field.name) for field in fields(LevelStats)}
        levels.append(LevelStats(**figures))
