"""Checking operations of any service against a model of its objects.

::

    operations = read(Path("history.jsonl"))
    report = check_operations(operations, Register())

Histories are split by object, each object is judged apart (linearizability is local): by the order
of its versions where each call tells one and that explains all, by the forced order where the
values name the order of the writes, by the search otherwise.
"""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_check.linearizability.check import LIMIT, Algorithm, Outcome, reason_of
from model_check.linearizability.crew import Crew
from model_check.linearizability.models import IMPOSSIBLE, CellModel, Model, SequenceModel
from model_check.linearizability.parts import NEVER, NO_PART, Part, to_native, to_states
from model_check.linearizability.shrink import Kept, explain, shrink
from model_check.recorder.native import ffi, interruptible, lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from model_check.linearizability.operations import Operation, Operations

_SHRUNK = 3000  #: parts of a failing stretch that are shrunk; of a longer one the whole is shown
_SMALL = 10_000


@dataclass(frozen=True)
class ObjectViolation:
    """An object whose calls no order explains."""

    object: Hashable  #: what it is called; None if there is only one
    calls: int  #: on it, in the whole history
    core: tuple[
        tuple[Operation, bool], ...
    ]  #: the calls that matter; True: only that it may be there
    why: str


@dataclass(frozen=True)
class ObjectReport:
    """The verdict on operations."""

    outcome: Outcome
    calls: int
    objects: int
    forced: int  #: calls on objects whose order the values forced
    searched: int
    witnessed: int  #: calls on objects where the order of the versions explains all
    peak: int  #: configurations alive at once
    seconds: float
    reason: str = ""
    violation: ObjectViolation | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the history is linearizable."""
        return self.outcome is Outcome.OK

    @property
    def how(self) -> str:
        """Say which algorithms decided, and about how much."""
        used = [f"witness: {self.witnessed:,} calls"] if self.witnessed else []
        used += [f"forced order: {self.forced:,} calls"] if self.forced else []
        used += [f"search: {self.searched:,} calls"] if self.searched else []
        return ", ".join(used) or "nothing to decide"


def check_operations(
    operations: Operations | Sequence[Operation],
    model: Model,
    *,
    limit: int = LIMIT,
    seconds: float = 0,
    jobs: int = 1,
) -> ObjectReport:
    """Check calls against ``model``. CannotRun when a call is none of the model's.

    ``jobs`` threads share the objects, but for models that are stepped one call at a time: yours.
    The report does not depend on their number, but for what was judged beside a violation.
    """
    begin = time.monotonic()
    calls = operations if isinstance(operations, (list, tuple)) else operations.calls  # type: ignore[union-attr]
    objects: dict[Hashable, list[Operation]] = {}
    for call in calls:
        objects.setdefault(model.object_of(call), []).append(call)

    def left() -> float:
        return max(seconds - (time.monotonic() - begin), 0.001) if seconds else 0.0

    crew = Crew()
    together = (
        max(min(jobs, len(objects)), 1) if isinstance(model, (CellModel, SequenceModel)) else 1
    )

    def judge_one(own: Sequence[Operation]) -> _Judged:
        with ObjectJudge(model, own, limit, left()) as judge:
            return judge.judged(crew)

    totals, witnessed = [0, 0], 0
    peak, outcome, reason = 0, Outcome.OK, ""
    violation = None
    with closing(crew.each(judge_one, list(objects.values()), together)) as found:
        for (name, own), judged in zip(objects.items(), found, strict=False):
            witnessed += judged.witnessed
            totals[0] += judged.forced
            totals[1] += judged.searched
            peak = max(peak, judged.peak)
            if judged.verdict == lib.LIN_OK:
                continue
            if judged.error is not None:
                raise judged.error
            if judged.verdict == lib.LIN_VIOLATION:
                outcome = Outcome.VIOLATION
                with ObjectJudge(model, own, limit, left()) as judge:
                    violation = judge.violation(name, judged.failed)
                break
            outcome = Outcome.UNKNOWN
            reason = f"{_called(name)}: {reason_of(judged.verdict, limit, seconds)}"
            break
    return ObjectReport(
        outcome=outcome, calls=len(calls), objects=len(objects), forced=totals[0],
        searched=totals[1], witnessed=witnessed, peak=peak, seconds=time.monotonic() - begin,
        reason=reason, violation=violation,
    )  # fmt: skip


@dataclass(frozen=True)
class _Judged:
    """What was found out about one object."""

    verdict: int
    failed: int = 0  #: the part where it fails
    forced: int = 0
    searched: int = 0
    witnessed: int = 0
    peak: int = 0
    error: BaseException | None = None  #: what the model raised


def _called(name: Hashable) -> str:
    return "the object" if name is None else f"object {name}"


class ObjectJudge:
    """One object's calls as parts, and the engine for them."""

    def __init__(
        self, model: Model, calls: Sequence[Operation], limit: int, seconds: float
    ) -> None:
        """Take the calls, sorted by time. CannotRun where one is none of the model's."""
        self.model = model
        self.calls = sorted(calls, key=lambda call: call.invoked)
        self.error: BaseException | None = None
        self._ids: dict[tuple[bool, Hashable], int] = {}
        self._numbers: dict[Hashable, int] = {}  # of calls that are the same
        self._numbered: list[Operation] = []
        self._states: list[Any] = []
        self._state_ids: dict[Any, int] = {}
        self._handle = ffi.new_handle(self)
        kind, step = self._kind()
        self.native = lib.lin_object_new(kind, step, self._handle, limit, math.ceil(seconds * 1000))
        if not self.native:
            raise CannotRun("out of memory: check fewer operations")
        self.initial = self._first_state()
        self.parts = [self._part(index, call) for index, call in enumerate(self.calls)]

    def __enter__(self) -> ObjectJudge:  # noqa: PYI034 - typing.Self came with Python 3.11
        """Give the judge itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Free the engine."""
        lib.lin_object_free(self.native)

    def _kind(self) -> tuple[int, Any]:
        if isinstance(self.model, CellModel):
            return lib.LIN_CELL, ffi.NULL
        if isinstance(self.model, SequenceModel):
            return self.model.kind, ffi.NULL
        return lib.LIN_STEPPED, lib.lin_python_step

    def _first_state(self) -> int | None:
        if isinstance(self.model, CellModel):
            return None if self.model.initial is None else self._id(self.model.initial)
        self._state(self.model.initial)
        return 0

    # ---- numbers for what Python has objects for

    def _id(self, value: Hashable) -> int:
        return self._ids.setdefault((isinstance(value, bool), value), len(self._ids) + 1)

    def _state(self, state: Any) -> int:
        number = self._state_ids.get(state)
        if number is None:
            number = self._state_ids[state] = len(self._states)
            self._states.append(state)
        return number

    def _part(self, index: int, call: Operation) -> Part:
        end = NEVER if call.responded is None else call.responded
        if isinstance(self.model, CellModel):
            cell = self.model.cell(call)
            want = self._id(cell.want) if cell.need in {"value", "other"} else 0
            give = self._id(cell.give) if cell.effect == "sets" else 0
            return Part(call.invoked, end, cell.need, want, cell.effect, give, 0, index)
        reads = call.name in self.model.reads
        if isinstance(self.model, SequenceModel):
            method, value = self.model.method(call)
            reads = reads or method == lib.LIN_FINDS_NONE
            same: Hashable = (method, isinstance(value, bool), value)
        else:
            method, value = 0, 0
            same = (call.name, call.argument, call.known, call.result if call.known else None)
        number = self._numbers.get(same)
        if number is None:
            number = self._new_number(call, method, value)
            self._numbers[same] = number
        return Part(call.invoked, end, "call", number, "keeps" if reads else "sets", 0, 0, index)

    def _new_number(self, call: Operation, method: int, value: Hashable) -> int:
        if not isinstance(self.model, SequenceModel):
            self._numbered.append(call)
            return len(self._numbered) - 1
        plain = value if self.model.kind == lib.LIN_COUNTER else self._id(value)
        number = int(lib.lin_object_call(self.native, method, plain))
        if number == 0:
            raise CannotRun("out of memory: check fewer operations")
        return number

    def step(self, state: int, call: int) -> int | None:
        """Ask the user's model; None: impossible."""
        after = self.model.step(self._states[state], self._numbered[call])
        return None if after is IMPOSSIBLE else self._state(after)

    # ---- judging

    def judged(self, crew: Crew) -> _Judged:
        """Judge all calls, by whichever way fits, on a thread of the crew's."""
        if self.witness():
            return _Judged(int(lib.LIN_OK), witnessed=len(self.calls))
        verdict, failed = self.judge(self.parts, crew=crew)
        figures = self.figures()
        return _Judged(
            verdict, failed, forced=figures.parts[Algorithm.FORCED],
            searched=figures.parts[Algorithm.SEARCHED], peak=figures.peak, error=self.error,
        )  # fmt: skip

    def judge(
        self,
        parts: Sequence[Part],
        states: Sequence[int | None] | None = None,
        crew: Crew | None = None,
    ) -> tuple[int, int]:
        """Give the verdict, and the index of the part where it fails."""
        begin = [self.initial] if states is None else states
        native, initial = to_native(parts), to_states(begin)
        failed = ffi.new("uint64_t *")

        def call() -> int:
            return int(
                lib.lin_object_judge(
                    self.native, native, len(parts), initial, len(begin), failed, ffi.NULL
                )
            )

        if crew is not None:
            with crew.stoppable(lambda: lib.lin_object_stop(self.native)):
                return call(), int(failed[0])
        if len(parts) < _SMALL:
            return call(), int(failed[0])
        verdict = interruptible(call, lambda: lib.lin_object_stop(self.native))
        return verdict, int(failed[0])

    def order(self, parts: Sequence[Part]) -> list[int] | None:
        """Give an order that explains the parts, of those that took effect; None: none is found."""
        order = ffi.new("uint32_t[]", max(len(parts), 1))
        verdict = lib.lin_object_judge(
            self.native, to_native(parts), len(parts), to_states([self.initial]), 1,
            ffi.new("uint64_t *"), order,
        )  # fmt: skip
        if verdict != lib.LIN_OK:
            return None
        return [index for index in order[0 : len(parts)] if index != NO_PART]

    def witness(self) -> bool:
        """Tell whether the calls in the order of their versions explain everything (witness.h)."""
        if any(call.known and call.version is None for call in self.calls):
            return False
        order = [i for i, call in enumerate(self.calls) if call.version is not None]
        # Behind the write of a version those that saw it, in the order of time.
        order.sort(key=lambda i: (self.calls[i].version, self.parts[i].effect == "keeps", i))
        proposed = ffi.new("uint32_t[]", order or [0])
        return bool(
            lib.lin_object_witness(
                self.native, to_native(self.parts), len(self.parts), to_states([self.initial]),
                proposed, len(order),
            )
        )  # fmt: skip

    def fails(self, parts: Sequence[Part]) -> bool:
        """Tell whether no order explains ``parts``."""
        return self.judge(parts)[0] == int(lib.LIN_VIOLATION)

    def figures(self) -> Any:
        """Give what the engine has done."""
        figures = ffi.new("lin_figures *")
        lib.lin_object_figures(self.native, figures)
        return figures

    # ---- explaining

    def violation(self, name: Hashable, failed: int) -> ObjectViolation:
        """Find the calls that matter."""
        until = self.parts[failed].responded
        core = [part for part in self.parts if part.invoked <= until]
        if not self.fails(core):
            core = self.parts  # the search for the place came to its limits
        small = len(core) <= _SHRUNK
        kept = self._shrunk(core) if small else tuple(Kept(part) for part in core)
        return ObjectViolation(
            object=name,
            calls=len(self.calls),
            core=tuple((self.calls[item.part.record], item.weakened) for item in kept),
            why=self._why(kept),
        )

    def _shrunk(self, core: Sequence[Part]) -> tuple[Kept, ...]:
        if isinstance(self.model, CellModel):
            return shrink(core, self.fails)
        if isinstance(self.model, SequenceModel) and self.model.kind != lib.LIN_COUNTER:
            core = self._without_values(core)
        # What changes another object's state may be needed for the rest: only reads go.
        kept = list(core)
        for part in core:
            candidate = [other for other in kept if other is not part]
            if part.effect == "keeps" and self.fails(candidate):
                kept = candidate
        return tuple(Kept(part) for part in kept)

    def _without_values(self, core: Sequence[Part]) -> list[Part]:
        """Leave out all calls with one value: a queue or stack without it is one still."""
        kept = list(core)
        values = {self._value(part) for part in core} - {None}
        for value in sorted(values, key=repr):
            candidate = [part for part in kept if self._value(part) != value]
            if self.fails(candidate):
                kept = candidate
        return kept

    def _value(self, part: Part) -> tuple[Hashable] | None:
        assert isinstance(self.model, SequenceModel)
        method, value = self.model.method(self.calls[part.record])
        return (value,) if method in {lib.LIN_PUTS, lib.LIN_TAKES} else None

    def _why(self, kept: Sequence[Kept]) -> str:
        names = {number: value for (_, value), number in self._ids.items()}

        def call(part: Part) -> str:
            own = self.calls[part.record]
            return f"process {own.process} {own}"

        return explain(
            kept, [self.initial], self.fails, call, lambda value: str(names.get(value, value))
        )


@ffi.def_extern()  # type: ignore[untyped-decorator]
def lin_python_step(context: Any, state: int, call: int, to: Any) -> int:
    """Step a model in Python for the engine: 1 possible, 0 impossible, -1 it raised."""
    judge = ffi.from_handle(context)
    try:
        after = judge.step(state, call)
    except Exception as error:  # noqa: BLE001 - raised again when the engine has come back
        judge.error = error
        return -1
    if after is None:
        return 0
    to[0] = after
    return 1
