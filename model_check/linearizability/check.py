"""Checking a history completely: every operation, every result, every key.

:func:`check` gives a :class:`Report`; a violation comes with the shortest window of its key
that no order explains (timeline.py prints it). :func:`find_order` gives the order itself.
The work is in C: parts.h tells what it is applied to, judge.h how a key is judged, and
docs/linearizability.md why that is right.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from model_check.linearizability.page_reads import Link, PageReads, read_cycle
from model_check.linearizability.parts import NEVER, Part, from_native, judge_parts
from model_check.linearizability.shrink import Kept, shrink
from model_check.recorder.native import ffi, interruptible, lib, text
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from model_check.recorder.history import History

#: Configurations alive at once before the verdict is "unknown": 24 bytes each or more, some times
#: over.
LIMIT = 1 << 20
_WINDOW = 4096
_SHRUNK = 1500  #: parts of a window that are shrunk; a longer one is shown as it is
_ANY_WAY = lib.LIN_ALGORITHMS
_SLICES = 64
#: Fewer records than this are checked in the time that starting a thread takes.
_SMALL = 10_000


class Outcome(Enum):
    """What a check found."""

    OK = "linearizable"
    VIOLATION = "violation"
    UNKNOWN = "unknown"


_REASONS = {
    lib.LIN_UNKNOWN_LIMIT: "more than {limit:,} configurations; raise --limit",
    lib.LIN_UNKNOWN_TIME: "not decided within {seconds:g} s; raise --seconds",
    lib.LIN_UNKNOWN_MEMORY: "out of memory",
    lib.LIN_UNKNOWN_STOPPED: "stopped",
    lib.LIN_UNKNOWN_WIDE: "more than 16,384 operations on one key in flight",
    lib.LIN_UNKNOWN_MODEL: "the model failed",
    lib.LIN_UNKNOWN_DISPUTE: "two algorithms disagree: this is a defect of the checker, report it",
}


_PAGE_REASONS = {
    lib.LIN_UNKNOWN_LIMIT: "page reads: too many places of absent keys had to be tried",
    lib.LIN_UNKNOWN_MEMORY: "page reads: out of memory",
    lib.LIN_UNKNOWN_STOPPED: "stopped",
}


class Algorithm(IntEnum):
    """How a key was judged; judge.h."""

    FORCED = 0
    SEARCHED = 1
    DEEP = 2


@dataclass(frozen=True)
class Violation:
    """A key whose parts no order explains."""

    key: int
    parts: int  #: of the key, in the whole history
    window: tuple[Part, ...]  #: the first of them, if there are very many
    window_size: int
    since_start: bool  #: the window needs the initial state: nothing shorter fails
    states: tuple[int | None, ...]  #: that the window may begin in; None is absent
    core: tuple[Kept, ...]  #: the parts of the window that matter (shrink.py)
    fails_at: int = NEVER  #: the response at which no order is left

    def fails(self, parts: Sequence[Part]) -> bool:
        """Tell whether no order explains these parts, begun in any state of the window."""
        return judge_parts(parts, self.states, LIMIT, _ANY_WAY)[0] == int(lib.LIN_VIOLATION)


@dataclass(frozen=True)
class Report:
    """The verdict on one history."""

    outcome: Outcome
    operations: int  #: records checked
    parts: int  #: what they say about single keys
    keys: int
    peak: int  #: configurations alive at once
    overlapping: int  #: parts in flight together with another of their key: where races can show
    forced: int  #: parts on keys whose order the values forced
    searched: int  #: parts on keys that were searched
    bytes: int  #: of memory, beside the history itself
    seconds: float
    reason: str = ""
    violation: Violation | None = None
    pages: PageReads = field(
        default_factory=PageReads
    )  #: what was judged of many keys at one instant
    cycle: tuple[Link, ...] = ()  #: why that is impossible (cycle.py)

    @property
    def how(self) -> str:
        """Say which algorithms decided, and about how much."""
        used = [f"forced order: {self.forced:,} parts"] if self.forced else []
        used += [f"search: {self.searched:,} parts"] if self.searched else []
        return ", ".join(used) or "nothing to decide"

    @property
    def ok(self) -> bool:
        """Tell whether the history is linearizable."""
        return self.outcome is Outcome.OK


class Step(NamedTuple):
    """One part at its place in an order that explains the history."""

    key: int
    part: Part


def check(
    history: History,
    *,
    limit: int = LIMIT,
    seconds: float = 0,
    jobs: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Report:
    """Check ``history`` with ``jobs`` threads. ``progress`` is told the share that is done.

    Verdict, violation and reason do not depend on ``jobs``: it is the first key in the way, in the
    order of one thread, that is told about.

    The verdict is unknown, with the reason, when a key needs more than ``limit`` configurations,
    or the check more than ``seconds`` (0: however long).
    CannotRun when the records are no history (see docs/history-format.md) or do not fit in memory.
    """
    begin = time.monotonic()
    native = _open(history, limit, seconds, jobs)
    try:
        steps = int(lib.lin_check_steps(native))
        verdict = _call(
            history, lambda: _run(native, steps, progress), lambda: lib.lin_check_stop(native)
        )
        violation = _violation(native) if verdict == lib.LIN_VIOLATION else None
        reason = _reason(verdict, limit, seconds, native)
        pages = PageReads()
        cycle: tuple[Link, ...] = ()
        if verdict == lib.LIN_OK:
            verdict, pages = _judge_pages(history, native)
            cycle = read_cycle(native) if verdict == lib.LIN_VIOLATION else ()
            reason = _PAGE_REASONS.get(verdict, "")
        figures = ffi.new("lin_figures *")
        lib.lin_check_figures(native, figures)
        return Report(
            outcome=_outcome(verdict),
            operations=int(lib.lin_check_records(native)),
            parts=int(figures.partitioned),
            keys=int(lib.lin_check_keys(native)),
            peak=int(figures.peak),
            overlapping=int(figures.overlapping),
            forced=int(figures.parts[Algorithm.FORCED]),
            searched=int(figures.parts[Algorithm.SEARCHED]),
            bytes=int(lib.lin_check_bytes(native)) + pages.bytes,
            seconds=time.monotonic() - begin,
            reason=reason,
            violation=violation,
            pages=pages,
            cycle=cycle,
        )
    finally:
        lib.lin_check_free(native)


def find_order(history: History, *, limit: int = LIMIT) -> list[Step] | None:
    """Give one order of all parts of all keys that explains every result; None if there is none.

    Absences that every history allows are no parts (parts.h), so they are not in it; nor are calls
    that never returned, where they need not have taken effect.
    """
    native = _open(history, limit, 0, 1)
    try:
        count = int(lib.lin_check_parts(native))
        order = ffi.new("uint64_t[]", max(count, 1))
        verdict = lib.lin_check_order(native, order)
        if verdict == lib.LIN_VIOLATION:
            return None
        if verdict != lib.LIN_OK:
            raise CannotRun(f"no order was found: {reason_of(verdict, limit, 0)}")
        return [
            Step(int(lib.lin_check_part_key(native, i)), from_native(lib.lin_check_part(native, i)))
            for i in order[0:count]
            if i != NEVER
        ]
    finally:
        lib.lin_check_free(native)


def judge(
    parts: list[Part],
    initial: int | None = None,
    *,
    limit: int = LIMIT,
    only: Algorithm | None = None,
) -> tuple[Outcome, list[int]] | None:
    """Judge the parts of one key, ascending by invocation, and give an order when there is one.

    ``only`` leaves one algorithm; None if it is the forced order and the values force none.
    """
    way = _ANY_WAY if only is None else int(only)
    verdict, order = judge_parts(parts, [initial], limit, way)
    return None if verdict == lib.LIN_NOT_FORCED else (_outcome(verdict), order)


def _open(history: History, limit: int, seconds: float, jobs: int) -> Any:
    message = ffi.new("char const **")
    milliseconds = math.ceil(seconds * 1000)
    native = _call(
        history,
        lambda: lib.lin_check_new(history.native, limit, milliseconds, jobs, message),
        lambda: None,
    )
    if not native:
        raise CannotRun(f"the history cannot be checked: {text(message[0])}")
    return native


def _run(native: Any, steps: int, progress: Callable[[float], None] | None) -> int:
    if progress is None:
        return int(lib.lin_check_run(native, 0, steps))
    for piece in range(_SLICES):
        first, last = steps * piece // _SLICES, steps * (piece + 1) // _SLICES
        verdict = int(lib.lin_check_run(native, first, last))
        if verdict != lib.LIN_OK:
            return verdict
        progress((piece + 1) / _SLICES)
    return int(lib.LIN_OK)


def _judge_pages(history: History, native: Any) -> tuple[int, PageReads]:
    """Judge what is of many keys at one instant (page_reads.h)."""
    figures = ffi.new("lin_page_figures *")
    verdict = _call(
        history,
        lambda: int(lib.lin_check_pages(native, figures)),
        lambda: lib.lin_check_stop(native),
    )
    fields = {name: getattr(figures, name) for name, _ in ffi.typeof("lin_page_figures").fields}
    return verdict, PageReads(**fields)


def _call(history: History, call: Callable[[], Any], stop: Callable[[], None]) -> Any:
    """Give ``call()``, such that Ctrl-C ends it if it may take long."""
    return call() if history.record_count() < _SMALL else interruptible(call, stop)


def _outcome(verdict: int) -> Outcome:
    if verdict == lib.LIN_OK:
        return Outcome.OK
    return Outcome.VIOLATION if verdict == lib.LIN_VIOLATION else Outcome.UNKNOWN


def reason_of(verdict: int, limit: int, seconds: float) -> str:
    """Say why a verdict is unknown."""
    return _REASONS[verdict].format(limit=limit, seconds=seconds)


def _reason(verdict: int, limit: int, seconds: float, native: Any) -> str:
    if verdict not in _REASONS:
        return ""
    return f"key {lib.lin_check_bad_key(native)}: {reason_of(verdict, limit, seconds)}"


def _violation(native: Any) -> Violation:
    window, states = ffi.new("lin_part[]", _WINDOW), ffi.new("lin_state[]", _WINDOW)
    since_start, state_count = ffi.new("bool *"), ffi.new("uint64_t *", _WINDOW)
    size = int(lib.lin_check_window(native, window, _WINDOW, states, state_count, since_start))
    parts = tuple(from_native(window[i]) for i in range(min(size, _WINDOW)))
    violation = Violation(
        key=int(lib.lin_check_bad_key(native)),
        parts=int(lib.lin_check_bad_key_parts(native)),
        window=parts,
        window_size=size,
        since_start=bool(since_start[0]),
        states=tuple(s.value if s.present else None for s in states[0 : state_count[0]]),
        core=tuple(Kept(part) for part in parts),
        fails_at=int(lib.lin_check_bad_response(native)),
    )
    whole = size <= _SHRUNK and state_count[0] <= _WINDOW
    if not whole or not violation.fails(parts):
        return violation
    return replace(violation, core=shrink(parts, violation.fails))
