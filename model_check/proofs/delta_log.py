"""One page id: append, freeze, consolidation, for any number of threads, pages, slots and keys.

The system is spec/DeltaLog.tla, action by action (`agreement` compares them). What a page holds is
an element of the sort Map, and `apply` says what a record makes of it: nothing here depends on what
maps, keys and records are, only on everybody's applying the same records in the same order. An
operation is whatever it does: `effective`, `saw` and `record` say whether it changes a map, what it
answers on it, and which record it writes. So the proof covers puts, removes, exchanges, pops,
reads of one key or of the least above it: all that is decided from what one page holds.

`abs` is the abstract map, a history. It changes where OrderedMap says so, at AppendRecord and Drop,
by the operation's meaning on `abs` itself; that the mapped page holds it is proved, not assumed.
`may(t, a)` is OrderedMap's `seen`: the answers that t's call could have given at some moment since
it was invoked without changing the map.

`base`, `prefix`, `content` and `frozen` follow from a page's base and log: what the base and the
slots before a slot hold, what all of them hold, whether nothing can be appended any more.

Functions go Thread -> Page, Slot, Op -> Record, Map -> Answer; what follows a slot is a relation.
Map -> Map (`apply`) makes no quantifier depend on itself, as none ranges over maps.
"""

from __future__ import annotations

from collections.abc import Mapping

import z3

from model_check.proofs.system import (
    Action,
    Meaning,
    Mutation,
    State,
    Step,
    Symbol,
    System,
    Term,
    constant,
    exists,
    forall,
    put,
    total_order,
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

MUTATIONS = (
    Mutation("append_by_store", "a record is stored, not swapped into a free slot"),
    Mutation("append_without_looking", "who loses a slot tries the next without a look"),
    Mutation("append_after_freeze", "FREEZE is taken for a record like any other"),
    Mutation("build_without_last_slot", "a consolidation leaves out the last slot"),
    Mutation("consolidate_unfrozen", "a worker consolidates without freezing first"),
    Mutation("install_by_store", "the fresh page is stored, not swapped for the old one"),
    Mutation("drop_unfrozen", "an empty page takes the place of one that is not frozen"),
    Mutation("answer_from_base", "an append answers from the base, without the log"),
    Mutation("read_stops_before_last_slot", "a read takes no look at the last slot"),
    Mutation("read_frozen_without_scan", "a read answers from the base of a page"),
    Mutation("drop_counts_what_was_lost", "a clear that lost answers what it saw"),
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


def system(mutation: str = "none") -> System:
    """Give the system, with one guard broken unless ``mutation`` is "none"."""

    def mutant(name: str) -> bool:
        return mutation == name

    def pending(s: State, t: Term) -> Term:
        return s.phase(t) == CALLED

    def working(s: State, t: Term) -> Term:
        return z3.And(s.phase(t) == IDLE, s.at(t) != REST)

    def clears(s: State, t: Term) -> Term:
        return z3.And(pending(s, t), s.clears(s.op(t)))

    def would_change(s: State, t: Term) -> Term:
        return s.effective(s.op(t), s.hand(t))

    def slot(s: State, t: Term) -> Term:
        return s.log(s.page(t), s.next(t))

    def move(s: State, t: Term, place: Term) -> dict[str, Meaning]:
        return {"at": put(s.at, [t], place)}

    def answers(s: State, t: Term, answer: Term) -> dict[str, Meaning]:
        return {
            "phase": put(s.phase, [t], ANSWERED),
            "answer": put(s.answer, [t], answer),
        }

    def having_read(s: State, t: Term, n: Term, record: Term) -> dict[str, Meaning]:
        """Give the updates of a thread that has read a record; n is the slot after."""
        stops = record == s.FREEZE
        if mutant("append_after_freeze"):
            stops = z3.And(stops, z3.Not(pending(s, t)))
        ends = z3.Or(s.next(t) == s.last, stops)
        known = z3.If(record == s.FREEZE, s.hand(t), s.apply(s.hand(t), record))
        return {
            "at": put(s.at, [t], z3.If(ends, FROZEN, SCAN)),
            "next": put(s.next, [t], z3.If(ends, s.next(t), n)),
            "hand": put(s.hand, [t], known),
        }

    def is_next(s: State, t: Term, n: Term) -> Term:
        return z3.Or(s.next(t) == s.last, follows(s, s.next(t), n))

    def written(s: State, t: Term, record: Term) -> dict[str, Meaning]:
        """Give what changes when a record is in the slot that t has found free."""
        p, i = s.page(t), s.next(t)
        now = z3.If(record == s.FREEZE, s.prefix(p, i), s.apply(s.prefix(p, i), record))
        full = z3.Or(i == s.last, record == s.FREEZE)
        return {
            "log": put(s.log, [p, i], record),
            "prefix": lambda q, j: z3.If(z3.And(q == p, s.before(i, j)), now, s.prefix(q, j)),
            "content": put(s.content, [p], now),
            "frozen": put(s.frozen, [p], z3.Or(s.frozen(p), full)),
        }

    def mapped(s: State, fresh: Term, m: Term) -> dict[str, Meaning]:
        """Give what changes when a fresh page with base m is put in place."""
        return {
            "mapping": constant(fresh),
            "log": lambda p, i: z3.If(p == fresh, s.NULL, s.log(p, i)),
            "base": put(s.base, [fresh], m),
            "prefix": lambda p, i: z3.If(p == fresh, m, s.prefix(p, i)),
            "content": put(s.content, [fresh], m),
            "frozen": put(s.frozen, [fresh], z3.BoolVal(False)),
            "live": put(s.live, [fresh], z3.BoolVal(True)),
        }

    def invoke(s: State, t: Term, o: Term) -> Step:
        return Step(
            z3.And(s.at(t) == REST, s.phase(t) == IDLE, s.menu(t, o)),
            {
                **move(s, t, LOAD),
                "phase": put(s.phase, [t], CALLED),
                "op": put(s.op, [t], o),
                "may": lambda u, a: z3.If(u == t, passive(s, o, s.abs, a), s.may(u, a)),
            },
        )

    def start_work(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.worker(t), s.at(t) == REST, s.phase(t) == IDLE), move(s, t, LOAD)
        )

    def load_mapping(s: State, t: Term) -> Step:
        return Step(
            s.at(t) == LOAD,
            {
                **move(s, t, SCAN),
                "page": put(s.page, [t], s.mapping),
                "next": put(s.next, [t], s.first),
                "hand": put(s.hand, [t], s.base(s.mapping)),
            },
        )

    def stops_too_early(s: State, t: Term) -> Term:
        return z3.And(
            mutant("read_stops_before_last_slot"), s.reads(s.op(t)), s.next(t) == s.last
        )

    def read_record(s: State, t: Term, n: Term) -> Step:
        return Step(
            z3.And(s.at(t) == SCAN, slot(s, t) != s.NULL, is_next(s, t, n)),
            having_read(s, t, n, slot(s, t)),
        )

    def answer_at_null(s: State, t: Term) -> Step:
        at_end = z3.Or(
            slot(s, t) == s.NULL,
            stops_too_early(s, t),
            z3.And(mutant("read_frozen_without_scan"), s.reads(s.op(t)), s.next(t) == s.first),
        )
        return Step(
            z3.And(s.at(t) == SCAN, pending(s, t), at_end, z3.Not(would_change(s, t))),
            {**move(s, t, REST), **answers(s, t, s.saw(s.op(t), s.hand(t)))},
        )

    def find_room(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.at(t) == SCAN, pending(s, t), slot(s, t) == s.NULL, would_change(s, t)),
            move(s, t, APPEND),
        )

    def append_record(s: State, t: Term, n: Term) -> Step:
        record = s.record(s.op(t), s.hand(t))
        known = s.base(s.page(t)) if mutant("answer_from_base") else s.hand(t)
        free = z3.Or(slot(s, t) == s.NULL, mutant("append_by_store"))
        new = after(s, s.op(t), s.abs)
        full = s.next(t) == s.last
        helping = having_read(s, t, n, record)
        return Step(
            z3.And(
                s.at(t) == APPEND,
                pending(s, t),
                z3.Not(clears(s, t)),
                free,
                is_next(s, t, n),
                record != s.NULL,
                record != s.FREEZE,
            ),
            {
                **written(s, t, record),
                "at": put(s.at, [t], z3.If(full, FROZEN, REST)),
                "hand": helping["hand"],
                **answers(s, t, s.saw(s.op(t), known)),
                "abs": constant(new),
                "may": witnessed(s, new, t),
            },
        )

    def append_lost(s: State, t: Term, n: Term) -> Step:
        won = having_read(s, t, n, slot(s, t))
        if mutant("append_without_looking"):
            blind = z3.And(s.next(t) != s.last, slot(s, t) != s.FREEZE)
            won = {
                "at": put(s.at, [t], z3.If(blind, APPEND, won["at"](t))),
                "next": put(s.next, [t], won["next"](t)),
                "hand": put(s.hand, [t], z3.If(blind, s.hand(t), won["hand"](t))),
            }
        return Step(
            z3.And(s.at(t) == APPEND, slot(s, t) != s.NULL, is_next(s, t, n)),
            won,
        )

    def answer_at_frozen(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.at(t) == FROZEN, pending(s, t), z3.Not(would_change(s, t))),
            {**move(s, t, REST), **answers(s, t, s.saw(s.op(t), s.hand(t)))},
        )

    def build(s: State, t: Term) -> Step:
        only_reads = z3.And(s.phase(t) != IDLE, s.reads(s.op(t)))
        wants_drop = z3.And(clears(s, t), would_change(s, t))
        early = z3.And(mutant("consolidate_unfrozen"), s.at(t) == APPEND, working(s, t))
        without_last = s.prefix(s.page(t), s.last)
        built = without_last if mutant("build_without_last_slot") else s.hand(t)
        return Step(
            z3.And(
                z3.Or(s.at(t) == FROZEN, early), z3.Not(only_reads), z3.Not(wants_drop)
            ),
            {**move(s, t, INSTALL), "fresh": put(s.fresh, [t], built)},
        )

    def leave_to_others(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.at(t) == FROZEN, s.phase(t) == ANSWERED), move(s, t, REST)
        )

    def afterwards(s: State, t: Term) -> dict[str, Meaning]:
        return move(s, t, z3.If(pending(s, t), LOAD, REST))

    def install(s: State, t: Term, fresh: Term) -> Step:
        expected = z3.Or(s.mapping == s.page(t), mutant("install_by_store"))
        return Step(
            z3.And(s.at(t) == INSTALL, expected, z3.Not(s.live(fresh))),
            {
                **mapped(s, fresh, s.fresh(t)),
                **afterwards(s, t),
                "may": witnessed(s, s.abs),
            },
        )

    def install_lost(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.at(t) == INSTALL, s.mapping != s.page(t)), afterwards(s, t)
        )

    def drop(s: State, t: Term, fresh: Term) -> Step:
        early = z3.And(mutant("drop_unfrozen"), s.at(t) == APPEND)
        return Step(
            z3.And(
                z3.Or(s.at(t) == FROZEN, early),
                clears(s, t),
                would_change(s, t),
                s.mapping == s.page(t),
                z3.Not(s.live(fresh)),
            ),
            {
                **mapped(s, fresh, s.EMPTY),
                **move(s, t, REST),
                **answers(s, t, s.saw(s.op(t), s.hand(t))),
                "abs": constant(s.EMPTY),
                "may": witnessed(s, s.EMPTY, t),
            },
        )

    def drop_lost(s: State, t: Term) -> Step:
        lost = s.saw(s.op(t), s.hand(t)) if mutant("drop_counts_what_was_lost") else s.nothing
        return Step(
            z3.And(
                s.at(t) == FROZEN, clears(s, t), would_change(s, t), s.mapping != s.page(t)
            ),
            {**move(s, t, REST), **answers(s, t, lost)},
        )

    def find_work(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.at(t) == SCAN, working(s, t), slot(s, t) == s.NULL),
            move(s, t, z3.If(s.next(t) == s.first, REST, APPEND)),
        )

    def freeze(s: State, t: Term, n: Term) -> Step:
        return Step(
            z3.And(
                s.at(t) == APPEND,
                z3.Or(working(s, t), clears(s, t)),
                slot(s, t) == s.NULL,
                is_next(s, t, n),
            ),
            {**written(s, t, s.FREEZE), **having_read(s, t, n, s.FREEZE)},
        )

    def give_back(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.phase(t) == ANSWERED, s.at(t) == REST),
            {"phase": put(s.phase, [t], IDLE)},
        )

    def forget(s: State, p: Term) -> Step:
        """Let a page that nobody can reach be a fresh one again."""
        held = exists([Thread], lambda t: z3.And(holds(s, t), s.page(t) == p))
        return Step(
            z3.And(s.live(p), p != s.mapping, z3.Not(held)),
            {"live": put(s.live, [p], z3.BoolVal(False))},
        )

    t, n, fresh = ("t", Thread), ("n", Slot), ("fresh", Page)
    return System(
        name="DeltaLog",
        sorts=SORT,
        symbols=SYMBOLS,
        axioms=AXIOMS,
        start=_start,
        actions=(
            Action("Invoke", (t, ("o", Op)), invoke),
            Action("StartWork", (t,), start_work),
            Action("LoadMapping", (t,), load_mapping),
            Action("ReadRecord", (t, n), read_record),
            Action("AnswerAtNull", (t,), answer_at_null),
            Action("FindRoom", (t,), find_room),
            Action("AppendRecord", (t, n), append_record),
            Action("AppendLost", (t, n), append_lost),
            Action("AnswerAtFrozen", (t,), answer_at_frozen),
            Action("Build", (t,), build),
            Action("LeaveToOthers", (t,), leave_to_others),
            Action("Install", (t, fresh), install),
            Action("InstallLost", (t,), install_lost),
            Action("Drop", (t, fresh), drop),
            Action("DropLost", (t,), drop_lost),
            Action("FindWork", (t,), find_work),
            Action("Freeze", (t, n), freeze),
            Action("Return", (t,), give_back),
            Action("Forget", (("p", Page),), forget),
        ),
        invariant=INVARIANT,
        safety=SAFETY,
        steps=STEPS,
        mutations=MUTATIONS,
        sizes=(
            {"Record": 3, "Map": 2},
            {"Record": 4, "Map": 3, "Slot": 3, "Page": 3},
        ),
    )


AXIOMS = {
    "slots are ordered": lambda s: total_order(s.before, Slot),
    "first and last": lambda s: forall(
        [Slot], lambda i: z3.And(z3.Not(s.before(i, s.first)), z3.Not(s.before(s.last, i)))
    ),
    "NULL is not FREEZE": lambda s: s.NULL != s.FREEZE,
}


def _start(s: State) -> Term:
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


def _of_live_slots(body: object) -> object:
    """Give the claim that ``body`` holds of each slot of each live page."""
    return lambda s: forall(
        [Page, Slot], lambda p, i: z3.Implies(s.live(p), body(s, p, i))  # type: ignore[operator]
    )


def _of_threads(places: tuple[Term, ...], body: object) -> object:
    """Give the claim that ``body`` holds of each thread that is at one of ``places``."""
    return lambda s: forall(
        [Thread],
        lambda t: z3.Implies(z3.Or([s.at(t) == p for p in places]), body(s, t)),  # type: ignore[operator]
    )


INVARIANT = {
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

SAFETY = {
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
                new.may(u, a)
                == z3.Or(s.may(u, a), passive(s, s.op(u), m, a)),
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


STEPS = {
    "I2: slots and bases are written once": _write_once,
    "every step is one of the atomic map, or none": _linearizable,
}
