"""Is a recorded history linearizable? Complete, in C, every operation's result used.

``check``     the verdict on a history, and the order that explains it (parts.h, judge.h)
``objects``   the same for operations of any service: ``operations``, ``models`` of what they do
``convert``   their files (``textual``, ``jepsen``), and the way between formats
``page_reads`` was each page that a cursor read, read at one instant? ``cycle`` says why not
``shrink``    from a violation to the few calls that matter, and a sentence that says why
``oracle``    small checkers in Python and z3 that the C ones are compared with
``differential``  the comparison, on millions of random histories
``random_pages`` another, on small random histories with page reads
``whole``     another, for small histories, that takes the map as one object, not key by key
``corrupt``   nineteen corruptions that must all be rejected
``timeline``  a violation as a picture
``command``   ``bwcheck lin``
"""

from model_check.linearizability.check import (
    LIMIT,
    Algorithm,
    Outcome,
    Report,
    Step,
    Violation,
    check,
    find_order,
    judge,
)
from model_check.linearizability.convert import convert, read
from model_check.linearizability.corrupt import CORRUPTIONS, Corruption, corruptions
from model_check.linearizability.cycle import explain_page_cycle, what_is_wrong
from model_check.linearizability.models import IMPOSSIBLE, MODELS, CellModel, Model
from model_check.linearizability.objects import ObjectReport, check_operations
from model_check.linearizability.operations import Operation, Operations, OperationsError
from model_check.linearizability.parts import NEVER, Part
from model_check.linearizability.timeline import render, render_calls
from model_check.linearizability.whole import Event, find_whole_order

__all__ = [
    "CORRUPTIONS",
    "IMPOSSIBLE",
    "LIMIT",
    "MODELS",
    "NEVER",
    "Algorithm",
    "CellModel",
    "Corruption",
    "Event",
    "Model",
    "ObjectReport",
    "Operation",
    "Operations",
    "OperationsError",
    "Outcome",
    "Part",
    "Report",
    "Step",
    "Violation",
    "check",
    "check_operations",
    "convert",
    "corruptions",
    "explain_page_cycle",
    "find_order",
    "find_whole_order",
    "judge",
    "read",
    "render",
    "render_calls",
    "what_is_wrong",
]
