"""Epoch reclamation for any number of threads, objects, advancers and epochs.

The system is spec/EpochReclamation.tla, action by action: bags that are sealed with an epoch read
once, advancers that look at the announcements one by one. Epochs are integers without a bound;
quantifiers range over threads, objects and advancers. `agreement` compares the two.

The reason in short (epoch.c has it in full): let pub(t) be G when t's announcement became visible.
While t is pinned G <= pub(t) + 1, as an advance beyond that would have to see t's announcement.
What t holds was unlinked after that, if at all, so its tag is at least pub(t), and it is not freed
before G reaches pub(t) + 2.
"""

from __future__ import annotations

import z3

from model_check.proofs.system import (
    Action,
    Claim,
    Meaning,
    Mutation,
    State,
    Step,
    Symbol,
    System,
    Term,
    constant,
    forall,
    put,
)

Thread, Object, Advancer = (z3.DeclareSort(name) for name in ("Thread", "Object", "Advancer"))
Epoch, Bool = z3.IntSort(), z3.BoolSort()
STATUSES = ("unused", "linked", "unlinked", "bagged", "sealed")
Status, (UNUSED, LINKED, UNLINKED, BAGGED, SEALED) = z3.EnumSort("Status", STATUSES)

SYMBOLS = (
    Symbol("G", (), Epoch),
    Symbol("seen", (Thread,), Epoch),
    Symbol("announced", (Thread,), Epoch),
    Symbol("held", (Thread, Object), Bool),
    Symbol("entry", (), Object),
    Symbol("status", (Object,), Status),
    Symbol("owns", (Thread, Object), Bool),
    Symbol("tag", (Object,), Epoch),
    Symbol("advancing", (Advancer,), Epoch),
    Symbol("scanned", (Advancer, Thread), Bool),
    Symbol("pub", (Thread,), Epoch),
    Symbol("unlinker", (Thread,), Bool, rigid=True),
)

MUTATIONS = (
    Mutation("free_one_epoch_early", "an object is freed one epoch after its tag"),
    Mutation("tag_with_local_epoch", "a bag is tagged with the epoch that its thread announces"),
    Mutation("tag_when_bag_opens", "a bag is tagged when its first object goes in"),
    Mutation("announce_after_load", "a thread loads a pointer before it announces"),
    Mutation("advance_by_add", "an advance adds one to G, whatever G is by then"),
    Mutation("advance_by_store", "an advance stores the epoch after the one that it read"),
    Mutation("advance_skips_a_thread", "an advance looks at all threads but one"),
    Mutation("advance_ignores_old_pins", "an advance takes any announcement for a current one"),
    Mutation("free_open_bag", "an object is freed before its bag is sealed"),
)


def pinned(s: State, t: Term) -> Term:
    """Say that the thread announces an epoch."""
    return s.announced(t) != 0


def system(mutation: str = "none") -> System:
    """Give the system, with one guard broken unless ``mutation`` is "none"."""

    def mutant(name: str) -> bool:
        return mutation == name

    grace = 1 if mutant("free_one_epoch_early") else 2

    def read_epoch(s: State, t: Term) -> Step:
        return Step(z3.And(z3.Not(pinned(s, t)), s.seen(t) == 0), {"seen": put(s.seen, [t], s.G)})

    def announce(s: State, t: Term) -> Step:
        return Step(
            s.seen(t) != 0,
            {
                "announced": put(s.announced, [t], s.seen(t)),
                "pub": put(s.pub, [t], s.G),
                "seen": put(s.seen, [t], z3.IntVal(0)),
            },
        )

    def acquire(s: State, t: Term) -> Step:
        early = z3.And(mutant("announce_after_load"), s.seen(t) != 0)
        return Step(
            z3.And(z3.Or(pinned(s, t), early), z3.Not(s.held(t, s.entry))),
            {"held": put(s.held, [t, s.entry], z3.BoolVal(True))},
        )

    def unpin(s: State, t: Term) -> Step:
        return Step(
            z3.And(
                pinned(s, t),
                forall([Object], lambda o: z3.Not(z3.And(s.owns(t, o), s.status(o) == UNLINKED))),
            ),
            {
                "announced": put(s.announced, [t], z3.IntVal(0)),
                "pub": put(s.pub, [t], z3.IntVal(0)),
                "held": lambda u, o: z3.And(u != t, s.held(u, o)),
            },
        )

    def unlink(s: State, t: Term, fresh: Term) -> Step:
        return Step(
            z3.And(s.unlinker(t), pinned(s, t), s.held(t, s.entry), s.status(fresh) == UNUSED),
            {
                "entry": constant(fresh),
                "status": put(put(s.status, [s.entry], UNLINKED), [fresh], LINKED),
                "owns": put(s.owns, [t, s.entry], z3.BoolVal(True)),
            },
        )

    def retire(s: State, t: Term, o: Term, b: Term) -> Step:
        guard = z3.And(s.status(o) == UNLINKED, s.owns(t, o))
        updates: dict[str, Meaning] = {"status": put(s.status, [o], BAGGED)}
        if mutant("tag_when_bag_opens"):
            in_bag = z3.And(s.status(b) == BAGGED, s.owns(t, b))
            empty = forall([Object], lambda x: z3.Not(z3.And(s.status(x) == BAGGED, s.owns(t, x))))
            guard = z3.And(guard, z3.Or(in_bag, empty))
            updates["tag"] = put(s.tag, [o], z3.If(in_bag, s.tag(b), s.G))
        return Step(guard, updates)

    def tag(s: State, t: Term, b: Term) -> Step:
        def mine(o: Term) -> Term:
            return z3.And(s.status(o) == BAGGED, s.owns(t, o))

        local = mutant("tag_with_local_epoch")
        epoch = s.announced(t) if local else s.G
        updates: dict[str, Meaning] = {
            "status": lambda o: z3.If(mine(o), SEALED, s.status(o)),
            "owns": lambda u, o: z3.And(s.owns(u, o), z3.Not(mine(o))),
        }
        if not mutant("tag_when_bag_opens"):
            updates["tag"] = lambda o: z3.If(mine(o), epoch, s.tag(o))
        return Step(z3.And(mine(b), z3.Or(not local, pinned(s, t))), updates)

    def free(s: State, o: Term) -> Step:
        sealed = s.status(o) == SEALED
        if mutant("free_open_bag"):
            sealed = z3.Or(sealed, s.status(o) == BAGGED)
        return Step(
            z3.And(sealed, s.tag(o) + grace <= s.G),
            {"status": put(s.status, [o], UNUSED), "tag": put(s.tag, [o], z3.IntVal(0))},
        )

    def advance_start(s: State, a: Term) -> Step:
        return Step(
            s.advancing(a) == 0,
            {
                "advancing": put(s.advancing, [a], s.G),
                "scanned": lambda b, t: z3.And(b != a, s.scanned(b, t)),
            },
        )

    def lets_pass(s: State, t: Term, a: Term) -> Term:
        return z3.Or(
            s.announced(t) == s.advancing(a),
            z3.Not(pinned(s, t)),
            mutant("advance_ignores_old_pins"),
        )

    def ends(s: State, a: Term) -> dict[str, Meaning]:
        return {
            "advancing": put(s.advancing, [a], z3.IntVal(0)),
            "scanned": lambda b, t: z3.And(b != a, s.scanned(b, t)),
        }

    def scan(s: State, a: Term, t: Term) -> Step:
        return Step(
            z3.And(s.advancing(a) != 0, z3.Not(s.scanned(a, t)), lets_pass(s, t, a)),
            {"scanned": put(s.scanned, [a, t], z3.BoolVal(True))},
        )

    def scan_blocked(s: State, a: Term, t: Term) -> Step:
        blocks = z3.And(z3.Not(s.scanned(a, t)), z3.Not(lets_pass(s, t, a)))
        return Step(z3.And(s.advancing(a) != 0, blocks), ends(s, a))

    def all_scanned(s: State, a: Term, skipped: Term) -> Term:
        spared = mutant("advance_skips_a_thread")
        return forall([Thread], lambda t: z3.Or(s.scanned(a, t), z3.And(spared, t == skipped)))

    def commit(s: State, a: Term, skipped: Term) -> Step:
        careless = mutant("advance_by_add") or mutant("advance_by_store")
        to = s.G + 1 if mutant("advance_by_add") else s.advancing(a) + 1
        current = z3.Or(s.advancing(a) == s.G, careless)
        return Step(
            z3.And(s.advancing(a) != 0, all_scanned(s, a, skipped), current),
            {"G": constant(to), **ends(s, a)},
        )

    def commit_lost(s: State, a: Term, skipped: Term) -> Step:
        guard = z3.And(s.advancing(a) != 0, all_scanned(s, a, skipped), s.advancing(a) != s.G)
        return Step(guard, ends(s, a))

    t, o, a = ("t", Thread), ("o", Object), ("a", Advancer)
    return System(
        name="EpochReclamation",
        sorts=(Thread, Object, Advancer),
        symbols=SYMBOLS,
        axioms={},
        start=_start,
        actions=(
            Action("ReadEpoch", (t,), read_epoch),
            Action("Announce", (t,), announce),
            Action("Acquire", (t,), acquire),
            Action("Unpin", (t,), unpin),
            Action("Unlink", (t, ("fresh", Object)), unlink),
            Action("Retire", (t, o, ("b", Object)), retire),
            Action("Tag", (t, ("b", Object)), tag),
            Action("Free", (o,), free),
            Action("AdvanceStart", (a,), advance_start),
            Action("Scan", (a, t), scan),
            Action("ScanBlocked", (a, t), scan_blocked),
            Action("Commit", (a, ("skipped", Thread)), commit),
            Action("CommitLost", (a, ("skipped", Thread)), commit_lost),
        ),
        invariant=INVARIANT,
        safety={
            "no thread holds what was freed": lambda s: forall(
                [Thread, Object], lambda t, o: z3.Implies(s.held(t, o), s.status(o) != UNUSED)
            )
        },
        steps={
            "the epoch stands still or moves by one": lambda s, after, _: z3.Or(
                after.G == s.G, after.G == s.G + 1
            )
        },
        mutations=MUTATIONS,
    )


def _start(s: State) -> Term:
    return z3.And(
        s.G == 1,
        forall(
            [Thread],
            lambda t: z3.And(s.seen(t) == 0, s.announced(t) == 0, s.pub(t) == 0),
        ),
        forall([Thread, Object], lambda t, o: z3.Not(z3.Or(s.held(t, o), s.owns(t, o)))),
        forall([Object], lambda o: s.status(o) == z3.If(o == s.entry, LINKED, UNUSED)),
        forall([Object], lambda o: s.tag(o) == 0),
        forall([Advancer], lambda a: s.advancing(a) == 0),
        forall([Advancer, Thread], lambda a, t: z3.Not(s.scanned(a, t))),
    )


INVARIANT: dict[str, Claim] = {
    "epochs begin at one": lambda s: s.G >= 1,
    "an epoch that was read is not ahead of G": lambda s: forall(
        [Thread], lambda t: s.seen(t) <= s.G
    ),
    "a pinned thread is not about to announce": lambda s: forall(
        [Thread], lambda t: z3.Or(s.seen(t) == 0, s.announced(t) == 0)
    ),
    "an announcement is not newer than its visibility": lambda s: forall(
        [Thread], lambda t: z3.Implies(pinned(s, t), s.announced(t) <= s.pub(t))
    ),
    "an announcement became visible in the past": lambda s: forall(
        [Thread], lambda t: z3.Implies(pinned(s, t), s.pub(t) <= s.G)
    ),
    "G is at most one past the visibility of a pin": lambda s: forall(
        [Thread], lambda t: z3.Implies(pinned(s, t), s.pub(t) + 1 >= s.G)
    ),
    "an advance began in the past": lambda s: forall([Advancer], lambda a: s.advancing(a) <= s.G),
    "whoever an advance has passed is unpinned or current": lambda s: forall(
        [Advancer, Thread],
        lambda a, t: z3.Implies(
            z3.And(s.advancing(a) == s.G, s.scanned(a, t), pinned(s, t)), s.pub(t) == s.G
        ),
    ),
    "pointers are held under a pin only": lambda s: forall(
        [Thread, Object], lambda t, o: z3.Implies(s.held(t, o), pinned(s, t))
    ),
    "what is held was sealed after the pin": lambda s: forall(
        [Thread, Object],
        lambda t, o: z3.Implies(z3.And(s.held(t, o), s.status(o) == SEALED), s.tag(o) >= s.pub(t)),
    ),
    "what is held is in use": lambda s: forall(
        [Thread, Object], lambda t, o: z3.Implies(s.held(t, o), s.status(o) != UNUSED)
    ),
    "the entry is linked, and nothing else": lambda s: forall(
        [Object], lambda o: (s.status(o) == LINKED) == (o == s.entry)
    ),
}
