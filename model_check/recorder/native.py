"""The door to the C side: the extension, the kinds and statuses, calls that Ctrl-C can end."""

from __future__ import annotations

import os
import threading
import time
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from model_check.report import CannotRun

try:
    from model_check._recorder import ffi, lib
except ImportError as error:
    raise CannotRun(
        f"the recorder extension model_check._recorder is not built ({error}); "
        "install the package: `make .venv`, or `pip install .`"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BLIND", "PAGED", "PRESENT", "Kind", "Status", "ffi", "interruptible", "lib", "text"]


class Kind(IntEnum):
    """What was called; history.h has the C names."""

    GET = 0
    PUT = 1
    INSERT = 2
    UPDATE = 3
    REMOVE = 4
    COMPARE_EXCHANGE = 5
    FLOOR = 6
    CEILING = 7
    LOWER = 8
    HIGHER = 9
    FIRST = 10
    LAST = 11
    SCAN_FORWARD = 12
    SCAN_BACKWARD = 13
    WALK_FORWARD = 14
    WALK_BACKWARD = 15
    GET_MANY = 16
    PUT_MANY = 17
    COUNT = 18
    CLEAR = 19
    SIZE = 20
    UPKEEP = 21
    POP_FIRST = 22
    POP_LAST = 23
    DELETE_RANGE = 24

    @property
    def word(self) -> str:
        """Give the name in lower case."""
        return self.name.lower()


class Status(IntEnum):
    """What an operation saw (bw_status of 0 and above)."""

    OK = 0
    NOT_FOUND = 1
    EXISTS = 2
    MISMATCH = 3


#: Flags of a record of put_many: nothing, or only "present", is known about what it saw.
BLIND, PRESENT = 1, 2
#: Flag of a scan: behind its pairs stands which pages it read.
PAGED = 4

if len(Kind) != lib.REC_KINDS:
    raise CannotRun("model_check._recorder was built from other sources: build it anew")


def text(message: Any) -> str:
    """Decode a C string; a NULL is empty."""
    return ffi.string(message).decode("utf-8", "replace") if message else ""


class Hung(Exception):
    """A call has not come back in the time that it was given; its thread is still inside."""


#: Seconds that a call which was told to stop is waited for, before Ctrl-C ends the program anyway.
_STOPPING = 10.0
_INTERRUPTED = 130
#: Of the seconds between two looks at a thread, so many count as waiting.
_GLANCE = 1.0


def interruptible(
    call: Callable[[], Any], stop: Callable[[], None], *, patience: float | None = None
) -> Any:
    """Give ``call()``, made on another thread so that Ctrl-C reaches this one.

    On Ctrl-C, ``stop`` is called, the call is waited for a while, and KeyboardInterrupt raised.
    Hung when the call takes more than ``patience`` seconds.
    """
    results: list[Any] = []
    errors: list[BaseException] = []
    # Not Thread.join and is_alive: interrupted, they may take a running thread for one that has
    # ended (CPython 3.11), and what the call uses would be freed under it.
    ended = threading.Event()

    def body() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            errors.append(error)
        finally:
            ended.set()

    # A daemon: a call that never comes back must not keep the program from ending.
    thread = threading.Thread(target=body, name="recorder", daemon=True)
    waited, last = 0.0, time.monotonic()
    try:
        thread.start()
        while not ended.wait(0.2):
            now = time.monotonic()
            # While this program was stopped (Ctrl-Z, a sleeping machine) the call could not go on.
            waited, last = waited + min(now - last, _GLANCE), now
            if patience is not None and waited > patience and not ended.is_set():
                stop()
                raise Hung(f"no answer for {patience:.0f} s")
    except KeyboardInterrupt:
        stop()
        if not ended.wait(_STOPPING):  # inside a call that hangs: nothing that it uses may be freed
            os._exit(_INTERRUPTED)
        raise
    if errors:
        raise errors[0]
    return results[0]
