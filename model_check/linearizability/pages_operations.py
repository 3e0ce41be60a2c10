"""What a page shows of anybody's history: calls, the violation, instants. See page.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from model_check.linearizability.check import LIMIT, Outcome
from model_check.linearizability.models import CellModel
from model_check.linearizability.objects import ObjectJudge
from model_check.linearizability.page import READS, REMOVES, WRITES, Bar, Picture, Point
from model_check.recorder.native import lib

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from model_check.linearizability.models import Model
    from model_check.linearizability.objects import ObjectReport
    from model_check.linearizability.operations import Operation, Operations

#: Of longer histories no order is looked for to draw.
_ORDERED = 300_000
_REMOVING = {"remove", "take", "dequeue", "pop", "release"}


def picture(operations: Operations, model: Model, report: ObjectReport, title: str) -> Picture:
    """Give what the page of a checked history shows."""
    calls = operations.calls
    processes = list(dict.fromkeys(call.process for call in calls))
    processes.sort(
        key=lambda name: (not isinstance(name, int), name if isinstance(name, int) else 0)
    )
    lane = {process: number for number, process in enumerate(processes)}
    marks: dict[int, int] = {}
    because = ""
    if report.violation is not None:
        because = f"Why: {report.violation.why}."
        marks = {id(call): 2 if weakened else 1 for call, weakened in report.violation.core}
    bars = [
        Bar(
            lane=lane[call.process], invoked=call.invoked, responded=call.responded,
            text=_text(call, model), key="" if call.key is None else str(call.key).lower(),
            effect=_effect(call, model), mark=marks.get(id(call), 0),
        )
        for call in calls
    ]  # fmt: skip
    prefix: int | None = None
    points: list[Point] = []
    if len(calls) <= _ORDERED and report.outcome is not Outcome.UNKNOWN:
        prefix, points = _instants(calls, model)
    return Picture(
        title=title, verdict=report.outcome.value, head=_verdict(report), why=because,
        lanes=[f"process {process}" for process in processes], bars=bars, points=points,
        prefix=prefix, notes=("Times are ranks: only their order matters.",),
    )  # fmt: skip


def _verdict(report: ObjectReport) -> str:
    if report.violation is not None:
        where = "" if report.violation.object is None else f" on object {report.violation.object}"
        return (
            f"No order explains these {len(report.violation.core)} calls{where} "
            f"({report.violation.calls:,} in the whole history)."
        )
    if report.outcome is Outcome.OK:
        return f"Linearizable: {report.calls:,} calls on {report.objects:,} objects."
    return f"Undecided: {report.reason}."


def _text(call: Operation, model: Model) -> str:
    name = model.object_of(call)
    return f"{call}" if name is None else f"{name}: {call}"


def _effect(call: Operation, model: Model) -> int:
    if isinstance(model, CellModel):
        return {"keeps": READS, "sets": WRITES}.get(model.cell(call).effect, REMOVES)
    if call.name in _REMOVING:
        return REMOVES
    return READS if call.name in model.reads else WRITES


def _grouped(
    calls: Sequence[tuple[int, Operation]], model: Model
) -> list[list[tuple[int, Operation]]]:
    objects: dict[Hashable, list[tuple[int, Operation]]] = {}
    for number, call in calls:
        objects.setdefault(model.object_of(call), []).append((number, call))
    return list(objects.values())


def _instants(calls: Sequence[Operation], model: Model) -> tuple[int | None, list[Point]]:
    """Give where the longest linearizable prefix ends, and the instants of an order of it."""
    numbered = list(enumerate(calls))
    until: int | None = None
    for own in _grouped(numbered, model):
        with ObjectJudge(model, [call for _, call in own], LIMIT, 0) as judge:
            verdict, failed = judge.judge(judge.parts)
            if verdict == lib.LIN_VIOLATION:
                at = judge.parts[failed].responded
                until = at if until is None else min(until, at)
            elif verdict != lib.LIN_OK:
                return None, []
    prefix = numbered if until is None else _cut(numbered, until)
    points: list[Point] = []
    for own in _grouped(prefix, model):
        own.sort(key=lambda item: item[1].invoked)
        with ObjectJudge(model, [call for _, call in own], LIMIT, 0) as judge:
            order = judge.order(judge.parts)
            if order is None:  # the search for the place of the failure came to its limits
                return None, []
        instant = 0
        for index in order:
            number, call = own[index]
            instant = max(instant, call.invoked)
            points.append(Point(number, instant))
    return until, points


def _cut(calls: Sequence[tuple[int, Operation]], until: int) -> list[tuple[int, Operation]]:
    """Leave out what was not invoked, and open what had not returned, just before ``until``."""
    return [
        (
            number,
            call if _returned_before(call, until) else replace(call, responded=None, result=None),
        )
        for number, call in calls
        if call.invoked < until
    ]


def _returned_before(call: Operation, until: int) -> bool:
    return call.responded is not None and call.responded < until
