"""What holds of `delta_log`: its axioms, first states, invariant, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import z3

from model_check.proofs.delta_log_state import (
    ANSWERED,
    APPEND,
    CALLED,
    FROZEN,
    IDLE,
    INSTALL,
    REST,
    SCAN,
    Answer,
    Page,
    Slot,
    Thread,
    after,
    follows,
    holds,
    passive,
)
from model_check.proofs.system import (
    Claim,
    State,
    StepClaim,
    Term,
    exists,
    forall,
    total_order,
)

AXIOMS: dict[str, Claim] = {
    "slots are ordered": lambda s: total_order(s.before, Slot),
    "first and last": lambda s: forall(
        [Slot], lambda i: z3.And(z3.Not(s.before(i, s.first)), z3.Not(s.before(s.last, i)))
    ),
    "NULL is not FREEZE": lambda s: s.NULL != s.FREEZE,
}


def start(s: State) -> Term:
    """Give an empty page, mapped, and threads that do nothing."""
    m = s.mapping
    return z3.And(
        forall([Page], lambda p: s.live(p) == (p == m)),
        forall([Slot], lambda i: z3.And(s.log(m, i) == s.NULL, s.prefix(m, i) == s.EMPTY)),
        s.base(m) == s.EMPTY,
        s.content(m) == s.EMPTY,
        z3.Not(s.frozen(m)),
        s.abs == s.EMPTY,
        forall([Thread], lambda t: z3.And(s.at(t) == REST, s.phase(t) == IDLE)),
    )


Body = Callable[..., Term]


def _of_live_slots(body: Body) -> Claim:
    """Give the claim that ``body`` holds of each slot of each live page."""
    return lambda s: forall(
        [Page, Slot],
        lambda p, i: z3.Implies(s.live(p), body(s, p, i)),
    )


def _of_threads(places: tuple[Term, ...], body: Body) -> Claim:
    """Give the claim that ``body`` holds of each thread that is at one of ``places``."""
    return lambda s: forall(
        [Thread],
        lambda t: z3.Implies(z3.Or([s.at(t) == p for p in places]), body(s, t)),
    )


INVARIANT: dict[str, Claim] = {
    "the mapped page is live": lambda s: s.live(s.mapping),
    "a page in hand is live": _of_threads(
        (SCAN, APPEND, FROZEN, INSTALL), lambda s, t: s.live(s.page(t))
    ),
    "I1: a page that is not frozen is the mapped one": lambda s: forall(
        [Page], lambda p: z3.Implies(z3.And(s.live(p), z3.Not(s.frozen(p))), p == s.mapping)
    ),
    "logs fill from the front": lambda s: forall(
        [Page, Slot, Slot],
        lambda p, i, j: z3.Implies(
            z3.And(s.live(p), s.before(i, j), s.log(p, j) != s.NULL), s.log(p, i) != s.NULL
        ),
    ),
    "nothing follows FREEZE": lambda s: forall(
        [Page, Slot, Slot],
        lambda p, i, j: z3.Implies(
            z3.And(s.live(p), s.before(i, j), s.log(p, j) != s.NULL), s.log(p, i) != s.FREEZE
        ),
    ),
    "FREEZE freezes": _of_live_slots(
        lambda s, p, i: z3.Implies(s.log(p, i) == s.FREEZE, s.frozen(p))
    ),
    "a full log freezes": lambda s: forall(
        [Page],
        lambda p: z3.Implies(z3.And(s.live(p), s.log(p, s.last) != s.NULL), s.frozen(p)),
    ),
    "nothing else freezes": lambda s: forall(
        [Page],
        lambda p: z3.Implies(
            z3.And(s.live(p), s.frozen(p), s.log(p, s.last) == s.NULL),
            exists([Slot], lambda i: s.log(p, i) == s.FREEZE),
        ),
    ),
    "before the first slot there is the base": lambda s: forall(
        [Page], lambda p: z3.Implies(s.live(p), s.prefix(p, s.first) == s.base(p))
    ),
    "at a free slot all is read": _of_live_slots(
        lambda s, p, i: z3.Implies(s.log(p, i) == s.NULL, s.prefix(p, i) == s.content(p))
    ),
    "at FREEZE all is read": _of_live_slots(
        lambda s, p, i: z3.Implies(s.log(p, i) == s.FREEZE, s.prefix(p, i) == s.content(p))
    ),
    "a slot later there is one record more": lambda s: forall(
        [Page, Slot, Slot],
        lambda p, i, j: z3.Implies(
            z3.And(s.live(p), follows(s, i, j), s.log(p, i) != s.NULL, s.log(p, i) != s.FREEZE),
            s.prefix(p, j) == s.apply(s.prefix(p, i), s.log(p, i)),
        ),
    ),
    "after the last slot all is read": lambda s: forall(
        [Page],
        lambda p: z3.Implies(
            z3.And(s.live(p), s.log(p, s.last) != s.NULL, s.log(p, s.last) != s.FREEZE),
            s.content(p) == s.apply(s.prefix(p, s.last), s.log(p, s.last)),
        ),
    ),
    "the mapped page holds the abstract map": lambda s: s.content(s.mapping) == s.abs,
    "a scan has read a prefix": _of_threads(
        (SCAN, APPEND), lambda s, t: s.hand(t) == s.prefix(s.page(t), s.next(t))
    ),
    "a scan has met no free slot": lambda s: forall(
        [Thread, Slot],
        lambda t, i: z3.Implies(
            z3.And(z3.Or(s.at(t) == SCAN, s.at(t) == APPEND), s.before(i, s.next(t))),
            s.log(s.page(t), i) != s.NULL,
        ),
    ),
    "a scan has met no FREEZE": lambda s: forall(
        [Thread, Slot],
        lambda t, i: z3.Implies(
            z3.And(z3.Or(s.at(t) == SCAN, s.at(t) == APPEND), s.before(i, s.next(t))),
            s.log(s.page(t), i) != s.FREEZE,
        ),
    ),
    "who appends for a call has an effect": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(
            z3.And(s.at(t) == APPEND, s.phase(t) == CALLED), s.effective(s.op(t), s.hand(t))
        ),
    ),
    "a page found frozen is frozen": _of_threads(
        (FROZEN, INSTALL), lambda s, t: s.frozen(s.page(t))
    ),
    "who found it frozen has read all": _of_threads(
        (FROZEN,), lambda s, t: s.hand(t) == s.content(s.page(t))
    ),
    "helpers agree: what is built is what the frozen page holds": _of_threads(
        (INSTALL,), lambda s, t: s.fresh(t) == s.content(s.page(t))
    ),
    "a pending call may answer from the map as it is": lambda s: forall(
        [Thread, Answer],
        lambda t, a: z3.Implies(
            z3.And(s.phase(t) == CALLED, passive(s, s.op(t), s.abs, a)), s.may(t, a)
        ),
    ),
    "a pending call may answer from the page in hand": lambda s: forall(
        [Thread, Answer],
        lambda t, a: z3.Implies(
            z3.And(s.phase(t) == CALLED, holds(s, t), passive(s, s.op(t), s.content(s.page(t)), a)),
            s.may(t, a),
        ),
    ),
}

SAFETY: dict[str, Claim] = {
    "a page in hand that is not frozen is the mapped one": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(
            z3.And(holds(s, t), z3.Not(s.frozen(s.page(t)))), s.page(t) == s.mapping
        ),
    ),
    "the mapped page holds the abstract map": lambda s: s.content(s.mapping) == s.abs,
    "logs have no hole, and end with FREEZE": lambda s: forall(
        [Page, Slot, Slot],
        lambda p, i, j: z3.Implies(
            z3.And(s.live(p), s.before(i, j), s.log(p, j) != s.NULL),
            z3.And(s.log(p, i) != s.NULL, s.log(p, i) != s.FREEZE),
        ),
    ),
}


def _write_once(s: State, new: State, _: Mapping[str, Term]) -> Term:
    return forall(
        [Page, Slot],
        lambda p, i: z3.Implies(
            z3.And(s.live(p), new.live(p)),
            z3.And(
                new.base(p) == s.base(p),
                z3.Implies(s.log(p, i) != s.NULL, new.log(p, i) == s.log(p, i)),
            ),
        ),
    )


def _linearizable(s: State, new: State, parameters: Mapping[str, Term]) -> Term:
    """Say that the step is one of OrderedMap, or none: thread t is the one that moves."""
    others = forall(
        [Thread],
        lambda u: z3.Or(
            u == parameters.get("t", u),
            z3.And(new.phase(u) == s.phase(u), new.op(u) == s.op(u), new.answer(u) == s.answer(u)),
        ),
    )

    def seen(m: Term) -> Term:
        """Say that what other calls may answer has grown by what they see on the map m."""
        return forall(
            [Thread, Answer],
            lambda u, a: z3.Implies(
                z3.And(new.phase(u) == CALLED, u != parameters.get("t", u)),
                new.may(u, a) == z3.Or(s.may(u, a), passive(s, s.op(u), m, a)),
            ),
        )

    if "t" not in parameters:
        return z3.And(others, new.abs == s.abs, seen(s.abs))
    t = parameters["t"]
    still = z3.And(new.abs == s.abs, seen(s.abs))
    same_call = z3.And(
        new.phase(t) == s.phase(t), new.op(t) == s.op(t), new.answer(t) == s.answer(t)
    )
    same_may = forall([Answer], lambda a: new.may(t, a) == s.may(t, a))
    invokes = z3.And(
        still,
        s.phase(t) == IDLE,
        new.phase(t) == CALLED,
        forall([Answer], lambda a: new.may(t, a) == passive(s, new.op(t), s.abs, a)),
    )
    decides = z3.And(s.phase(t) == CALLED, new.phase(t) == ANSWERED, new.op(t) == s.op(t))
    effect = z3.And(
        decides,
        s.effective(s.op(t), s.abs),
        new.answer(t) == s.saw(s.op(t), s.abs),
        new.abs == after(s, s.op(t), s.abs),
        seen(new.abs),
    )
    observes = z3.And(decides, s.may(t, new.answer(t)), still)
    returns = z3.And(still, s.phase(t) == ANSWERED, new.phase(t) == IDLE)
    stutters = z3.And(still, same_call, z3.Implies(s.phase(t) == CALLED, same_may))
    return z3.And(others, z3.Or(stutters, invokes, effect, observes, returns))


STEPS: dict[str, StepClaim] = {
    "I2: slots and bases are written once": _write_once,
    "every step is one of the atomic map, or none": _linearizable,
}
