"""The map itself: what users of the package see of the C library.

Every method is one call of the library, or says what it is made of. Nothing here takes a lock. What
may take long is called without the GIL, so that threads work on one tree at the same time; a call
on one key is over before the GIL could be handed over, and keeps it (build_ffi.py). Here are the
map's life, ranges, batches and upkeep; the calls on one key are in _one_key.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn, cast, overload

from bwtree import _batch, _stats, _walk
from bwtree._cursor import Cursor
from bwtree._errors import BwTreeError, ClosedError, check, error_of
from bwtree._native import ffi, lib
from bwtree._one_key import OneKeyCalls
from bwtree._options import OptionKeywords, Options, to_native
from bwtree._views import BwItemsView, BwKeysView, BwValuesView, Range

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Buffer, Self, Unpack

    from bwtree._batch import Found
    from bwtree._buffers import Writable
    from bwtree._one_key import Entry
    from bwtree._stats import LevelStats, Stats

_BW_EBUSY: int = lib.BW_EBUSY
_NULL = ffi.NULL


class BwTree(OneKeyCalls):
    """A sorted map of integers from 0 to 2**64-1 that many threads may use at once.

    ``BwTree()`` is empty; ``BwTree(mapping)`` and ``BwTree(pairs)`` are filled as dict() is.
    Options are keyword arguments: see :class:`bwtree.Options`.

    Reads never write and, once a thread has made its first call, wait for nobody; a writer that
    retries does so because another has made progress. Keys and values are ints or have
    ``__index__`` (numpy integers); anything else is a TypeError, an integer that does not fit an
    OverflowError. Every method raises ClosedError after close(), ForkedError in a forked child and,
    where it allocates, MemoryError or PidsExhaustedError; the map is unchanged then and stays
    usable (batches say how far they came).
    A tree cannot be pickled: it is memory that threads share; pickle ``dict(tree)`` instead.
    """

    __slots__ = ("__weakref__", "_closed", "_options")

    def __init__(
        self,
        other: Mapping[int, int] | Iterable[Entry] = (),
        /,
        **options: Unpack[OptionKeywords],
    ) -> None:
        """Open a tree and fill it with ``other``; raises ValueError for options not allowed."""
        self._options = Options(**options)
        place = ffi.new("bw_tree **")
        check(lib.bw_open(to_native(self._options), place))
        # bw_free runs when nothing refers to the handle any more: no call can be in flight then,
        # because each holds a reference, and no cursor be open, because each holds one too.
        self._tree: Any = ffi.gc(place[0], lib.bw_free)
        self._closed = False
        self.update(other)

    # ------------------------------------------------------------------ opening and closing ------

    @property
    def options(self) -> Options:
        """The options that the tree was opened with."""
        return self._options

    @property
    def closed(self) -> bool:
        """Whether close() has been called."""
        return self._closed

    def close(self) -> None:
        """Give back the tree's memory. Closing a closed tree does nothing.

        Calls that begin afterwards, on any thread, raise ClosedError; those in flight finish as
        usual, and close() waits for them. Interrupted by Ctrl-C, it may be called again.
        """
        self._closed = True
        pause = 0.0
        while (status := lib.bw_close(self._tree)) == _BW_EBUSY:
            time.sleep(pause)
            pause = min(1e-3, pause + 1e-5)
        check(status)

    def __enter__(self) -> Self:
        """Give the tree; leaving the with block closes it."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the tree."""
        self.close()

    def copy(self) -> BwTree:
        """Give a new tree with the same options and entries.

        Beside writers the copy is what an iteration sees: present throughout means copied.
        """
        return BwTree(self, **cast("OptionKeywords", asdict(self._options)))

    __copy__ = copy

    def __deepcopy__(self, memo: object) -> BwTree:
        """Give a copy: integers have no depth."""
        return self.copy()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a BwTree cannot be pickled: pickle dict(tree) and build a tree from it")

    def __repr__(self) -> str:
        """Show the first few entries and the last, as they are at that moment."""
        try:
            shown = Cursor(self._tree).next_many(6)
            size = len(self)
            if size <= len(shown):
                return f"BwTree({dict(shown)!r})"
            last = self.last()
        except ClosedError:
            return "<BwTree, closed>"
        except BwTreeError as error:
            return f"<BwTree: {error}>"
        entries = ", ".join(f"{key}: {value}" for key, value in shown[:3])
        end = f", {last[0]}: {last[1]}" if last else ""
        return f"<BwTree of {size} keys: {{{entries}, …{end}}}>"

    # ------------------------------------------------------------------ ranges and iteration -----

    def __iter__(self) -> Iterator[int]:
        """Walk through the keys in order, beside any writers.

        What is present throughout the walk comes exactly once; what is absent throughout, never.
        """
        return Range.of(None, None, (True, True), reverse=False).keys(self._tree)

    def __reversed__(self) -> Iterator[int]:
        """Walk through the keys from the last to the first, with the promise of iter()."""
        return Range.of(None, None, (True, True), reverse=True).keys(self._tree)

    def irange(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> Iterator[int]:
        """Walk through the keys from ``lo`` to ``hi`` (None: no bound), as iter() does."""
        return Range.of(lo, hi, inclusive, reverse).keys(self._tree)

    def cursor(self) -> Cursor:
        """Give a cursor that stands before the first key; use one in each thread."""
        return Cursor(self._tree)

    def keys(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> BwKeysView:
        """View the keys from ``lo`` to ``hi``; iterating has the promise of iter()."""
        return BwKeysView(self, self._tree, Range.of(lo, hi, inclusive, reverse))

    def values(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> BwValuesView:
        """View the values of the keys from ``lo`` to ``hi``, in the order of the keys."""
        return BwValuesView(self, self._tree, Range.of(lo, hi, inclusive, reverse))

    def items(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> BwItemsView:
        """View the entries from ``lo`` to ``hi``; iterating has the promise of iter()."""
        return BwItemsView(self, self._tree, Range.of(lo, hi, inclusive, reverse))

    def count(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
    ) -> int:
        """Count the keys from ``lo`` to ``hi``: each leaf at one instant, leaves one by one."""
        return Range.of(lo, hi, inclusive, reverse=False).count(self._tree)

    def __len__(self) -> int:
        """Give the number of keys: exact when no write is in flight, else within their number."""
        size = ffi.new("uint64_t *")
        check(lib.bw_size(self._tree, size))
        return int(size[0])

    # ------------------------------------------------------------------ many keys ----------------

    def get_many(
        self,
        keys: Buffer | Iterable[int],
        *,
        out: Writable | None = None,
        present: Writable | None = None,
    ) -> Found:
        """Look up many keys at once, several times faster than one by one.

        ``keys`` is a buffer of 64-bit integers or an iterable. The values go to ``out`` (a writable
        buffer of unsigned 64-bit integers) and to ``present`` whether each key is there (bools or
        bytes); what is not given is made. The value of an absent key is not written: it is 0 in an
        ``out`` that is made. Each lookup is linearizable by itself, not the batch as a whole.
        """
        return _batch.get_many(self._tree, keys, out, present)

    def put_many(self, keys: Buffer | Iterable[int], values: Buffer | Iterable[int], /) -> int:
        """Set ``values[i]`` for each ``keys[i]``, in their order; give how many keys were absent.

        Each is one put, linearizable by itself, not the batch as a whole. Out of memory or of page
        ids, the error says how many pairs were put before it.
        """
        return _batch.put_many(self._tree, keys, values)

    @overload  # type: ignore[override]
    def update(self, other: Mapping[int, int] | Iterable[Entry] = (), /) -> None: ...
    @overload
    def update(self, other: Buffer | Iterable[int], values: Buffer | Iterable[int], /) -> None: ...
    def update(self, other: Any = (), values: Any = None, /) -> None:
        """Set many entries: from a mapping, from pairs, or from keys and values as put_many.

        Each entry is one put, linearizable by itself, not the whole. When ``other`` raises, what it
        gave before has been put.
        """
        if values is not None:
            self.put_many(other, values)
        elif isinstance(other, BwTree):
            for keys, seen in _walk.batches(other._tree, 0, 2**64 - 1, reverse=False):  # noqa: SLF001
                self.put_many(keys, seen)
        else:
            pairs = other.items() if isinstance(other, Mapping) else other
            _batch.put_pairs(self._tree, pairs)

    def delete_range(
        self,
        lo: int | None = None,
        hi: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
    ) -> int:
        """Remove the keys from ``lo`` to ``hi`` (None: no bound); give how many were removed.

        From lo to hi: a leaf that lies within loses all its keys at one instant, other keys go
        one by one, each as by remove(). The whole is not atomic: keys put behind it meanwhile stay,
        and each key is counted by the call that removed it only. Out of memory or of page ids, or
        closed meanwhile, the error says how many were removed before it.
        """
        return Range.of(lo, hi, inclusive, reverse=False).delete(self._tree)

    def clear(self) -> None:
        """Remove every key, as delete_range() does: keys put behind it meanwhile stay."""
        check(lib.bw_clear(self._tree, _NULL))

    # ------------------------------------------------------------------ upkeep -------------------

    def consolidate(self) -> None:
        """Consolidate pages with records in their logs, merge those that hold too little.

        Runs beside other calls.
        """
        check(lib.bw_consolidate(self._tree))

    def collect(self) -> int:
        """Free what this thread and ended threads have retired, if no pin holds it; give how much.

        The count is of pages. Memory in which nothing is in use goes back to the system, but for
        what other live threads keep for their own next calls. Runs beside other calls.
        """
        freed = ffi.new("uint64_t *")
        check(lib.bw_collect(self._tree, freed))
        return int(freed[0])

    def detach(self) -> None:
        """Hand over what this thread keeps for its next calls: retired pages, free memory.

        A thread that ends does so by itself, but only when the system ends it, which can be after
        ``Thread.join`` has returned; one that lives on without using the tree may do it by hand.
        Any later call of this thread begins anew.
        """
        check(lib.bw_thread_detach(self._tree))

    def start_worker(self) -> None:
        """Start the background worker (consolidates, merges, collects) if it is not running."""
        check(lib.bw_worker_start(self._tree))

    def stop_worker(self) -> None:
        """Stop the background worker, if it is running, and wait until it has ended."""
        check(lib.bw_worker_stop(self._tree))

    def stats(self) -> Stats:
        """Give figures of the tree's inside; exact when nothing else runs. Looks at every page."""
        return _stats.stats_of(self._tree)

    def level_stats(self) -> tuple[LevelStats, ...]:
        """Give figures of each level, the leaves' first; exact when nothing else runs.

        Looks at every page once for each level. Beside writers the levels are read at different
        instants.
        """
        return _stats.level_stats_of(self._tree)

    def self_check(self, *, quiescent: bool = False) -> None:
        """Walk the whole structure; raise CorruptError with what is broken, if anything is.

        May run beside other calls. ``quiescent``: nothing else runs, so that it can also check that
        sizes agree and that every page is reachable.
        """
        message = ffi.new("char[]", 512)
        status = lib.bw_self_check(self._tree, quiescent, message, 512)
        if status < 0:
            raise error_of(status, ffi.string(message).decode(errors="replace"))
