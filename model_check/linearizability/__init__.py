"""Is a recorded history linearizable? Complete, in C, every operation's result used.

``check``     the verdict on a history, and the order that explains it (parts.h, judge.h)
``oracle``    small checkers in Python and z3 that the C ones are compared with
``differential``  the comparison, on millions of random histories
``whole``     another, for small histories, that takes the map as one object, not key by key
``corrupt``   seventeen corruptions that must all be rejected
``timeline``  a violation as a picture
``command``   ``bwcheck lin``
"""

from model_check.linearizability.check import (
    LIMIT,
    Outcome,
    Part,
    Report,
    Step,
    Violation,
    check,
    find_order,
    judge,
)
from model_check.linearizability.corrupt import CORRUPTIONS, Corruption, corruptions
from model_check.linearizability.timeline import render
from model_check.linearizability.whole import Event, find_whole_order

__all__ = [
    "CORRUPTIONS",
    "LIMIT",
    "Corruption",
    "Event",
    "Outcome",
    "Part",
    "Report",
    "Step",
    "Violation",
    "check",
    "corruptions",
    "find_order",
    "find_whole_order",
    "judge",
    "render",
]
