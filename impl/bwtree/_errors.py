"""What can go wrong: the exceptions, and which status of the C library becomes which of them."""

from __future__ import annotations

from typing import NoReturn

from bwtree._native import ffi, lib


class BwTreeError(Exception):
    """The base of the errors that are particular to this package."""


class ClosedError(BwTreeError):
    """The tree has been closed."""


class ForkedError(BwTreeError):
    """The tree belongs to the parent of this process; a forked child cannot use it."""


class PidsExhaustedError(BwTreeError):
    """All page ids are taken: open with a higher ``max_pids``, or remove keys elsewhere."""


class UnsupportedError(BwTreeError):
    """This processor, or this build, lacks what was asked for."""


class RetryLimitError(BwTreeError):
    """A navigation call was overtaken by other threads a million times and gave up."""


class WorkerError(BwTreeError):
    """The system could not start the background worker."""


class CorruptError(BwTreeError):
    """``self_check`` found the structure broken: a defect of the library."""


_EXCEPTIONS: dict[int, type[Exception]] = {
    lib.BW_ENOMEM: MemoryError,
    lib.BW_EINVAL: ValueError,
    lib.BW_EPIDS: PidsExhaustedError,
    lib.BW_EFORKED: ForkedError,
    lib.BW_ECLOSED: ClosedError,
    lib.BW_EUNSUPPORTED: UnsupportedError,
    lib.BW_ECORRUPT: CorruptError,
    lib.BW_ETHREAD: WorkerError,
    lib.BW_EAGAIN: RetryLimitError,
}


def error_of(status: int, sentence: str = "") -> Exception:
    """Give the exception for a status below 0, with the library's sentence unless one is given."""
    if not sentence:
        sentence = ffi.string(lib.bw_strerror(status)).decode()
    return _EXCEPTIONS.get(status, BwTreeError)(sentence)


def check(status: int) -> None:
    """Raise if ``status`` is an error."""
    if status < 0:
        raise error_of(status)


def out_of_range(*numbers: object) -> NoReturn:
    """Raise OverflowError for the first of ``numbers`` that does not fit."""
    for number in numbers:
        if isinstance(number, int) and not 0 <= number < 2**64:
            break
    raise OverflowError(f"keys and values are integers from 0 to 2**64-1, got {number!r}")
