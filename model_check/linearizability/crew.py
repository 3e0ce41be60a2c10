"""Objects judged by several threads, in the order of one.

What is to be known of an object is known when all before it are: so the first object in the way is
the same for any number of threads. The engine runs without Python's lock; what is done in Python
(reading the calls, stepping a model of the user's) takes turns.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

_Task = TypeVar("_Task")
_Found = TypeVar("_Found")


class Crew:
    """What the threads have under way, so that all of it can be stopped."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._stops: dict[object, Callable[[], Any]] = {}
        self._stopped = False

    @contextmanager
    def stoppable(self, stop: Callable[[], Any]) -> Iterator[None]:
        """Have ``stop`` called if the crew is stopped while the block runs, or was before."""
        key = object()
        with self._lock:
            self._stops[key] = stop
            if self._stopped:
                stop()
        try:
            yield
        finally:
            with self._lock:
                del self._stops[key]

    def stop(self) -> None:
        """Stop everything that is under way, and what will be."""
        with self._lock:
            self._stopped = True
            for stop in self._stops.values():
                stop()

    def each(
        self, work: Callable[[_Task], _Found], tasks: Sequence[_Task], jobs: int
    ) -> Generator[_Found, None, None]:
        """Give ``work(task)`` of each task in order, done by ``jobs`` other threads than this one.

        To be closed: where the caller has enough, or is interrupted, the rest is stopped.
        """
        with ThreadPoolExecutor(jobs, thread_name_prefix="judge") as pool:
            futures = [pool.submit(work, task) for task in tasks]
            try:
                for future in futures:
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()
                self.stop()
