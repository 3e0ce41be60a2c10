"""What holds of `structure`: its axioms, first states, invariant, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable

import z3

from model_check.proofs.structure_state import (
    CHECK,
    NOTHING,
    POST,
    PUBLISH,
    SWAP,
    WALK,
    WRITE,
    Key,
    Node,
    Thread,
    alive,
    leq,
    within_fences,
)
from model_check.proofs.system import Claim, State, Term, forall, total_order


def read_is_right(s: State, t: Term) -> Term:
    """Say that the page that t is at holds what the map holds under t's key."""
    return s.value(s.node(t), s.key(t)) == s.abs(s.key(t))


AXIOMS: dict[str, Claim] = {
    "keys are ordered": lambda s: total_order(s.less, Key),
    "zero is the least key, inf above all": lambda s: z3.And(
        s.zero != s.inf, forall([Key], lambda k: z3.And(leq(s, s.zero, k), leq(s, k, s.inf)))
    ),
}


def start(s: State) -> Term:
    """Give an empty tree: the root is a leaf."""
    return z3.And(
        forall([Node], lambda n: z3.And(s.used(n) == (n == s.root), s.linked(n) == (n == s.root))),
        forall(
            [Node],
            lambda n: z3.Not(
                z3.Or([f(n) for f in (s.gone, s.dead, s.removed, s.merging, s.doomed, s.cleared)])
            ),
        ),
        forall([Node, Key], lambda n, k: z3.Not(s.marked(n, k))),
        s.level(s.root) == 0,
        s.low(s.root) == s.zero,
        s.high(s.root) == s.inf,
        forall([Node, Node], lambda n, m: z3.Not(s.right(n, m))),
        forall([Node, Key], lambda n, k: z3.Not(s.separator(n, k))),
        forall([Node, Key, Node], lambda n, k, m: z3.Not(s.child(n, k, m))),
        forall([Key], lambda k: s.abs(k) == s.value(s.root, k)),
        forall([Thread], lambda t: z3.And(s.task(t) == NOTHING, z3.Not(s.owes(t)))),
    )


Body = Callable[..., Term]


def _of_pages(body: Body) -> Claim:
    """Give the claim that ``body`` holds of each page of the tree."""
    return lambda s: forall([Node], lambda n: z3.Implies(alive(s, n), body(s, n)))


def _of_threads(tasks: tuple[Term, ...], body: Body) -> Claim:
    """Give the claim that ``body`` holds of each thread at one of ``tasks``."""
    return lambda s: forall(
        [Thread],
        lambda t: z3.Implies(z3.Or([s.task(t) == each for each in tasks]), body(s, t)),
    )


def _of_halves(body: Body) -> Claim:
    """Give the claim that ``body`` holds of the right half of each split that can succeed."""
    return _of_threads(
        (SWAP,), lambda s, t: z3.Implies(s.mapped_still(t), body(s, t, s.node(t), s.half(t)))
    )


def _of_left_halves(body: Body) -> Claim:
    """Give the claim that ``body`` holds of the left half of a root's split that can succeed."""
    return _of_threads(
        (SWAP,),
        lambda s, t: z3.Implies(
            z3.And(s.mapped_still(t), s.node(t) == s.root), body(s, t, s.node(t), s.left_half(t))
        ),
    )


INVARIANT: dict[str, Claim] = {
    "a page of the tree is mapped": lambda s: forall(
        [Node], lambda n: z3.Implies(s.linked(n), s.used(n))
    ),
    "only a page of the tree takes another in": lambda s: forall(
        [Node], lambda n: z3.Implies(s.merging(n), s.linked(n))
    ),
    "only a page of the tree is doomed": lambda s: forall(
        [Node], lambda n: z3.Implies(s.doomed(n), s.linked(n))
    ),
    "what is merged away was removed": lambda s: forall(
        [Node], lambda n: z3.Implies(s.gone(n), s.removed(n))
    ),
    "a removed page is frozen": lambda s: forall(
        [Node], lambda n: z3.Implies(s.removed(n), s.frozen(n))
    ),
    "a page that takes another in is frozen": lambda s: forall(
        [Node], lambda n: z3.Implies(s.merging(n), s.frozen(n))
    ),
    "a removed page takes none in": lambda s: forall(
        [Node], lambda n: z3.Not(z3.And(s.removed(n), s.merging(n)))
    ),
    "a separator has one entry": lambda s: forall(
        [Node, Key, Node, Node],
        lambda n, k, m, o: z3.Implies(
            z3.And(alive(s, n), s.child(n, k, m), s.child(n, k, o)), m == o
        ),
    ),
    "a removed page was marked": lambda s: forall(
        [Node], lambda n: z3.Implies(s.removed(n), s.doomed(n))
    ),
    "a removed page holds no mark": lambda s: forall(
        [Node, Key],
        lambda n, k: z3.Implies(z3.And(alive(s, n), s.removed(n)), z3.Not(s.marked(n, k))),
    ),
    "MERGE is for a removed page": lambda s: forall(
        [Node, Node],
        lambda n, m: z3.Implies(z3.And(alive(s, n), s.merging(n), s.right(n, m)), s.removed(m)),
    ),
    "a doomed page's entry is there, until it is merged": lambda s: forall(
        [Node, Node],
        lambda p, r: z3.Implies(
            z3.And(
                alive(s, p),
                s.doomed(r),
                z3.Not(s.gone(r)),
                s.level(p) == s.level(r) + 1,
                within_fences(s, p, s.low(r)),
            ),
            s.child(p, s.low(r), r),
        ),
    ),
    "a doomed page's entry is marked": lambda s: forall(
        [Node, Key, Node],
        lambda p, k, r: z3.Implies(
            z3.And(alive(s, p), s.child(p, k, r), s.doomed(r)), s.marked(p, k)
        ),
    ),
    "a leftmost entry is not marked": lambda s: forall(
        [Node], lambda p: z3.Implies(alive(s, p), z3.Not(s.marked(p, s.low(p))))
    ),
    "no entry leads to a page whose entry was deleted": lambda s: forall(
        [Node, Key, Node],
        lambda p, k, r: z3.Implies(z3.And(alive(s, p), s.child(p, k, r)), z3.Not(s.cleared(r))),
    ),
    "an entry is deleted after the merge": lambda s: forall(
        [Node], lambda r: z3.Implies(s.cleared(r), s.gone(r))
    ),
    "a tombstone is where the entry was deleted": lambda s: forall(
        [Node], lambda r: z3.Implies(s.dead(r), s.cleared(r))
    ),
    "the root is there": lambda s: alive(s, s.root),
    "the root begins at zero": lambda s: s.low(s.root) == s.zero,
    "the root ends at inf": lambda s: s.high(s.root) == s.inf,
    "no level is below the leaves": _of_pages(lambda s, n: s.level(n) >= 0),
    "no level is above the root": _of_pages(lambda s, n: s.level(n) <= s.level(s.root)),
    "no page's range is empty": _of_pages(lambda s, n: s.less(s.low(n), s.high(n))),
    "pages of a level do not overlap": lambda s: forall(
        [Node, Node],
        lambda a, b: z3.Implies(
            z3.And(alive(s, a), alive(s, b), s.level(a) == s.level(b), a != b),
            z3.Or(leq(s, s.high(a), s.low(b)), leq(s, s.high(b), s.low(a))),
        ),
    ),
    "a right sibling begins where the page ends": lambda s: forall(
        [Node, Node],
        lambda n, m: z3.Implies(
            z3.And(alive(s, n), s.right(n, m)),
            z3.And(alive(s, m), s.level(m) == s.level(n), s.low(m) == s.high(n)),
        ),
    ),
    "an entry's child begins at the separator": lambda s: forall(
        [Node, Key, Node],
        lambda n, k, m: z3.Implies(
            z3.And(alive(s, n), s.child(n, k, m)),
            z3.And(s.linked(m), s.level(m) + 1 == s.level(n), s.low(m) == k),
        ),
    ),
    "an entry is under its separator": lambda s: forall(
        [Node, Key, Node],
        lambda n, k, m: z3.Implies(z3.And(alive(s, n), s.child(n, k, m)), s.separator(n, k)),
    ),
    "separators lie within the fences": lambda s: forall(
        [Node, Key],
        lambda n, k: z3.Implies(z3.And(alive(s, n), s.separator(n, k)), within_fences(s, n, k)),
    ),
    "an inner page has an entry at its low fence": _of_pages(
        lambda s, n: z3.Implies(s.level(n) > 0, s.separator(n, s.low(n)))
    ),
    "the leaves hold the map": lambda s: forall(
        [Node, Key],
        lambda n, k: z3.Implies(
            z3.And(alive(s, n), s.level(n) == 0, within_fences(s, n, k)),
            s.value(n, k) == s.abs(k),
        ),
    ),
    "threads are at pages of the tree": lambda s: forall(
        [Thread], lambda t: z3.Implies(s.task(t) != NOTHING, s.linked(s.node(t)))
    ),
    "nobody is to the right of the key": lambda s: forall(
        [Thread], lambda t: z3.Implies(s.task(t) != NOTHING, leq(s, s.low(s.node(t)), s.key(t)))
    ),
    "who found a free slot is at the page for the key": _of_threads(
        (WRITE, CHECK, POST),
        lambda s, t: z3.Implies(
            s.unchanged(t),
            z3.And(
                alive(s, s.node(t)),
                s.less(s.key(t), s.high(s.node(t))),
                s.level(s.node(t)) == s.goal(t),
            ),
        ),
    ),
    "who found a free slot is at a page that is not frozen": _of_threads(
        (WRITE, CHECK, POST),
        lambda s, t: z3.Implies(s.unchanged(t), z3.Not(s.frozen(s.node(t)))),
    ),
    "who writes a record is at a leaf": _of_threads((WRITE,), lambda s, t: s.goal(t) == 0),
    "who posts has seen no entry": _of_threads(
        (CHECK, POST),
        lambda s, t: z3.Implies(s.unchanged(t), z3.Not(s.separator(s.node(t), s.key(t)))),
    ),
    "a post owed is of a page of the tree": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(s.owes(t), z3.And(s.linked(s.target(t)), s.target(t) != s.root)),
    ),
    "a post goes to the level above": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(
            z3.And(s.task(t) != NOTHING, s.goal(t) > 0),
            z3.And(s.owes(t), s.goal(t) == s.level(s.target(t)) + 1),
        ),
    ),
    "a post is for the page's low key": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(
            z3.And(s.task(t) != NOTHING, s.goal(t) > 0), s.key(t) == s.low(s.target(t))
        ),
    ),
    "only who posts checks": _of_threads((CHECK, POST), lambda s, t: s.goal(t) > 0),
    "what is posted is alive": _of_threads(
        (POST,), lambda s, t: z3.Implies(s.unchanged(t), z3.Not(s.removed(s.target(t))))
    ),
    "a page that is split is frozen": _of_threads(
        (PUBLISH, SWAP),
        lambda s, t: z3.Implies(
            s.mapped_still(t), z3.And(alive(s, s.node(t)), s.frozen(s.node(t)))
        ),
    ),
    "a page is cut inside": _of_threads(
        (PUBLISH, SWAP),
        lambda s, t: z3.Implies(
            s.mapped_still(t),
            z3.And(s.less(s.low(s.node(t)), s.cut(t)), s.less(s.cut(t), s.high(s.node(t)))),
        ),
    ),
    "an inner page is cut at an entry": _of_threads(
        (PUBLISH, SWAP),
        lambda s, t: z3.Implies(
            z3.And(s.mapped_still(t), s.level(s.node(t)) > 0), s.separator(s.node(t), s.cut(t))
        ),
    ),
    "a right half is mapped and not yet part of the tree": _of_threads(
        (SWAP,), lambda s, t: z3.And(s.used(s.half(t)), z3.Not(s.linked(s.half(t))))
    ),
    "a left half is mapped and not yet part of the tree": _of_threads(
        (SWAP,),
        lambda s, t: z3.Implies(
            s.node(t) == s.root,
            z3.And(
                s.used(s.left_half(t)),
                z3.Not(s.linked(s.left_half(t))),
                s.left_half(t) != s.half(t),
            ),
        ),
    ),
    "nobody shares a half": lambda s: forall(
        [Thread, Thread],
        lambda t, u: z3.Implies(
            z3.And(s.task(t) == SWAP, s.task(u) == SWAP, t != u),
            z3.And(
                s.half(t) != s.half(u),
                z3.Implies(s.node(u) == s.root, s.half(t) != s.left_half(u)),
                z3.Implies(
                    z3.And(s.node(t) == s.root, s.node(u) == s.root),
                    s.left_half(t) != s.left_half(u),
                ),
            ),
        ),
    ),
    "a right half is of the same level": _of_halves(lambda s, _, n, q: s.level(q) == s.level(n)),
    "a right half begins at the cut": _of_halves(lambda s, t, _, q: s.low(q) == s.cut(t)),
    "a right half ends where the page ends": _of_halves(lambda s, _, n, q: s.high(q) == s.high(n)),
    "a right half has the page's right sibling": _of_halves(
        lambda s, _, n, q: forall([Node], lambda m: z3.Implies(s.right(q, m), s.right(n, m)))
    ),
    "a right half has the entries from the cut on": _of_halves(
        lambda s, t, n, q: forall(
            [Key], lambda k: s.separator(q, k) == z3.And(s.separator(n, k), leq(s, s.cut(t), k))
        )
    ),
    "a right half has the children from the cut on": _of_halves(
        lambda s, t, n, q: forall(
            [Key, Node],
            lambda k, m: s.child(q, k, m) == z3.And(s.child(n, k, m), leq(s, s.cut(t), k)),
        )
    ),
    "a right half has the marks from the cut on": _of_halves(
        lambda s, t, n, q: forall(
            [Key], lambda k: s.marked(q, k) == z3.And(s.marked(n, k), leq(s, s.cut(t), k))
        )
    ),
    "a page is not cut at a mark": _of_threads(
        (PUBLISH, SWAP),
        lambda s, t: z3.Implies(s.mapped_still(t), z3.Not(s.marked(s.node(t), s.cut(t)))),
    ),
    "a page that is split is not part of a merge": _of_threads(
        (PUBLISH, SWAP),
        lambda s, t: z3.Implies(
            s.mapped_still(t),
            z3.Not(z3.Or(s.removed(s.node(t)), s.merging(s.node(t)))),
        ),
    ),
    "a left half has the marks up to the cut": _of_left_halves(
        lambda s, t, n, a: forall(
            [Key], lambda k: s.marked(a, k) == z3.And(s.marked(n, k), s.less(k, s.cut(t)))
        )
    ),
    "a right half has the page's values": _of_halves(
        lambda s, _, n, q: forall([Key], lambda k: s.value(q, k) == s.value(n, k))
    ),
    "a left half is of the same level": _of_left_halves(
        lambda s, _, n, a: s.level(a) == s.level(n)
    ),
    "a left half begins where the root begins": _of_left_halves(
        lambda s, _, n, a: s.low(a) == s.low(n)
    ),
    "a left half ends at the cut": _of_left_halves(lambda s, t, _, a: s.high(a) == s.cut(t)),
    "a left half has the right half as its sibling": _of_left_halves(
        lambda s, t, _, a: forall([Node], lambda m: z3.Implies(s.right(a, m), m == s.half(t)))
    ),
    "a left half has the entries up to the cut": _of_left_halves(
        lambda s, t, n, a: forall(
            [Key], lambda k: s.separator(a, k) == z3.And(s.separator(n, k), s.less(k, s.cut(t)))
        )
    ),
    "a left half has the children up to the cut": _of_left_halves(
        lambda s, t, n, a: forall(
            [Key, Node],
            lambda k, m: s.child(a, k, m) == z3.And(s.child(n, k, m), s.less(k, s.cut(t))),
        )
    ),
    "a left half has the root's values": _of_left_halves(
        lambda s, _, n, a: forall([Key], lambda k: s.value(a, k) == s.value(n, k))
    ),
}

SAFETY: dict[str, Claim] = {
    "wherever a thread goes, there is a page or a tombstone": lambda s: forall(
        [Thread, Key, Node],
        lambda t, k, m: z3.Implies(
            z3.And(
                s.task(t) == WALK,
                z3.Not(s.gone(s.node(t))),
                z3.Or(m == s.node(t), s.right(s.node(t), m), s.child(s.node(t), k, m)),
            ),
            s.used(m),
        ),
    ),
    "the leaf for a key holds what the map holds": INVARIANT["the leaves hold the map"],
    "an entry's child is alive, or the entry is marked": lambda s: forall(
        [Node, Key, Node],
        lambda n, k, m: z3.Implies(
            z3.And(alive(s, n), s.child(n, k, m)), z3.Or(alive(s, m), s.marked(n, k))
        ),
    ),
    "an entry never leads to a tombstone": lambda s: forall(
        [Node, Key, Node],
        lambda n, k, m: z3.Implies(z3.And(alive(s, n), s.child(n, k, m)), z3.Not(s.dead(m))),
    ),
    "an inner page has a way for every key of its range": INVARIANT[
        "an inner page has an entry at its low fence"
    ],
}
