"""What a state of `delta_log` is: its sorts and symbols, and words about them."""

from __future__ import annotations

import z3

from model_check.proofs.system import (
    Meaning,
    State,
    Symbol,
    Term,
    forall,
)

SORTS = ("Thread", "Page", "Slot", "Record", "Map", "Op", "Answer")
Thread, Page, Slot, Record, Map, Op, Answer = SORT = tuple(z3.DeclareSort(n) for n in SORTS)
Bool = z3.BoolSort()
PLACES = ("rest", "load", "scan", "append", "frozen", "install")
Place, (REST, LOAD, SCAN, APPEND, FROZEN, INSTALL) = z3.EnumSort("Place", PLACES)
PHASES = ("idle", "called", "answered")
Phase, (IDLE, CALLED, ANSWERED) = z3.EnumSort("Phase", PHASES)

SYMBOLS = (
    # shared memory
    Symbol("mapping", (), Page),
    Symbol("log", (Page, Slot), Record),
    Symbol("base", (Page,), Map),
    # what follows from it; `live`: somebody can still reach the page
    Symbol("prefix", (Page, Slot), Map),
    Symbol("content", (Page,), Map),
    Symbol("frozen", (Page,), Bool),
    Symbol("live", (Page,), Bool),
    # threads
    Symbol("at", (Thread,), Place),
    Symbol("page", (Thread,), Page),
    Symbol("next", (Thread,), Slot),
    Symbol("hand", (Thread,), Map),
    Symbol("fresh", (Thread,), Map),
    # histories: the calls and the abstract map
    Symbol("phase", (Thread,), Phase),
    Symbol("op", (Thread,), Op),
    Symbol("may", (Thread, Answer), Bool),
    Symbol("answer", (Thread,), Answer),
    Symbol("abs", (), Map),
    # rigid
    Symbol("before", (Slot, Slot), Bool, rigid=True),
    Symbol("first", (), Slot, rigid=True),
    Symbol("last", (), Slot, rigid=True),
    Symbol("NULL", (), Record, rigid=True),
    Symbol("FREEZE", (), Record, rigid=True),
    Symbol("EMPTY", (), Map, rigid=True),
    Symbol("nothing", (), Answer, rigid=True),
    Symbol("apply", (Map, Record), Map, rigid=True),
    Symbol("effective", (Op, Map), Bool, rigid=True),
    Symbol("saw", (Op, Map), Answer, rigid=True),
    Symbol("record", (Op, Map), Record, rigid=True),
    Symbol("reads", (Op,), Bool, rigid=True),
    Symbol("clears", (Op,), Bool, rigid=True),
    Symbol("menu", (Thread, Op), Bool, rigid=True),
    Symbol("worker", (Thread,), Bool, rigid=True),
)


def holds(s: State, t: Term) -> Term:
    """Say that the thread has a page in hand."""
    return z3.And(s.at(t) != REST, s.at(t) != LOAD)


def follows(s: State, i: Term, j: Term) -> Term:
    """Say that slot j is the next one after i."""
    nothing_between = forall([Slot], lambda k: z3.Not(z3.And(s.before(i, k), s.before(k, j))))
    return z3.And(s.before(i, j), nothing_between)


def passive(s: State, op: Term, m: Term, answer: Term) -> Term:
    """Say that op may give the answer on the strength of a moment at which the map was m."""
    return z3.Or(
        z3.And(s.clears(op), answer == s.nothing),
        z3.And(z3.Not(s.effective(op, m)), answer == s.saw(op, m)),
    )


def after(s: State, op: Term, m: Term) -> Term:
    """Give the map m after an op that is effective on it."""
    return z3.If(s.clears(op), s.EMPTY, s.apply(m, s.record(op, m)))


def witnessed(s: State, new: Term, done: Term | None = None) -> Meaning:
    """Give what calls may answer once the map is new; the call of thread ``done`` is over."""

    def may(t: Term, a: Term) -> Term:
        pending = z3.And(s.phase(t) == CALLED, True if done is None else t != done)
        return z3.Or(s.may(t, a), z3.And(pending, passive(s, s.op(t), new, a)))

    return may
