"""What a tree tells of its inside: a frozen dataclass that mirrors ``bw_stats`` of bwtree.h."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

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
    #: Threads registered now.
    threads: int
    #: The instructions in use for searching pages.
    simd: Simd
    #: Whether the background worker runs.
    worker: bool


def from_native(native: Any) -> Stats:
    """Give the figures of a ``bw_stats``."""
    figures = {field.name: getattr(native, field.name) for field in fields(Stats)}
    figures["simd"] = SIMD_LEVELS[figures["simd"]]
    return Stats(**figures)
