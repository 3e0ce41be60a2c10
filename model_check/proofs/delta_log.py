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

import z3

from model_check.proofs.delta_log_invariant import AXIOMS, INVARIANT, SAFETY, STEPS, start
from model_check.proofs.delta_log_state import (
    ANSWERED,
    APPEND,
    CALLED,
    FROZEN,
    IDLE,
    INSTALL,
    LOAD,
    REST,
    SCAN,
    SORT,
    SYMBOLS,
    Op,
    Page,
    Slot,
    Thread,
    after,
    follows,
    holds,
    passive,
    witnessed,
)
from model_check.proofs.system import (
    Action,
    Meaning,
    Mutation,
    State,
    Step,
    System,
    Term,
    constant,
    exists,
    put,
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


def system(mutation: str = "none") -> System:  # noqa: PLR0915 - one function an action
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
        return Step(z3.And(s.worker(t), s.at(t) == REST, s.phase(t) == IDLE), move(s, t, LOAD))

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
        return z3.And(mutant("read_stops_before_last_slot"), s.reads(s.op(t)), s.next(t) == s.last)

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
            z3.And(z3.Or(s.at(t) == FROZEN, early), z3.Not(only_reads), z3.Not(wants_drop)),
            {**move(s, t, INSTALL), "fresh": put(s.fresh, [t], built)},
        )

    def leave_to_others(s: State, t: Term) -> Step:
        return Step(z3.And(s.at(t) == FROZEN, s.phase(t) == ANSWERED), move(s, t, REST))

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
        return Step(z3.And(s.at(t) == INSTALL, s.mapping != s.page(t)), afterwards(s, t))

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
            z3.And(s.at(t) == FROZEN, clears(s, t), would_change(s, t), s.mapping != s.page(t)),
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
        start=start,
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
