"""Splits and posts, for any number of threads, pages, keys and levels.

What spec/BwTree.tla does to the tree, with pages as `delta_log` has shown them to be: a page id
whose page is read at one instant, and changed at one instant. A thread that has read a page and
found a free slot swaps its record in only if nothing has been appended since, and the page is
still the mapped one (`unchanged`). Who has found a page frozen replaces it only if it is still
mapped (`mapped_still`); that is a swap of the mapping entry. Page ids are not used again here:
epochs see to that (`epochs`; docs/proofs.md has the argument for composing the three).

A split publishes the right half under a page id of its own, then swaps the left half in; the root
keeps its id, publishes both halves and rises by one level. The separator is posted by anybody who
has made or crossed the right link: scan the parent, then see that the page is not dead, then swap
the record into the slot. Absorb is the stand-in for a merge: at one stroke a page whose parent
knows it goes into its left sibling.

`abs` is the abstract map. `linked` says that a page id has ever been part of the tree; one that is
published for a split that was lost never is. Functions go Thread -> Node -> Key; right siblings
and children are relations. The key `inf` is above all keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    forall,
    put,
    total_order,
)

SORTS = ("Thread", "Node", "Key", "Value")
Thread, Node, Key, Value = SORT = tuple(z3.DeclareSort(f"{name}") for name in SORTS)
Bool, Level = z3.BoolSort(), z3.IntSort()
TASKS = ("nothing", "walk", "write", "check", "post", "publish", "swap")
Task, (NOTHING, WALK, WRITE, CHECK, POST, PUBLISH, SWAP) = z3.EnumSort("Task", TASKS)
TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)

SYMBOLS = (
    # the mapping table (`used`: a page or a tombstone), and what the pages hold
    Symbol("used", (Node,), Bool),
    Symbol("linked", (Node,), Bool),
    Symbol("dead", (Node,), Bool),
    Symbol("level", (Node,), Level),
    Symbol("low", (Node,), Key),
    Symbol("high", (Node,), Key),
    Symbol("right", (Node, Node), Bool),
    Symbol("frozen", (Node,), Bool),
    Symbol("separator", (Node, Key), Bool),
    Symbol("child", (Node, Key, Node), Bool),
    Symbol("value", (Node, Key), Value),
    Symbol("abs", (Key,), Value),
    # threads: where they are, what they look for; the post that they owe; the split under way
    Symbol("task", (Thread,), Task),
    Symbol("node", (Thread,), Node),
    Symbol("key", (Thread,), Key),
    Symbol("goal", (Thread,), Level),
    Symbol("unchanged", (Thread,), Bool),
    Symbol("mapped_still", (Thread,), Bool),
    Symbol("owes", (Thread,), Bool),
    Symbol("target", (Thread,), Node),
    Symbol("cut", (Thread,), Key),
    Symbol("half", (Thread,), Node),
    Symbol("left_half", (Thread,), Node),
    # rigid
    Symbol("root", (), Node, rigid=True),
    Symbol("less", (Key, Key), Bool, rigid=True),
    Symbol("zero", (), Key, rigid=True),
    Symbol("inf", (), Key, rigid=True),
)

MUTATIONS = (
    Mutation("post_without_alive_check", "a separator is posted although its page may be dead"),
    Mutation("post_alive_before_scan", "the page is seen alive before the parent is scanned"),
    Mutation("post_in_any_slot", "a post that has lost its slot takes the next one"),
    Mutation("no_fence_check", "a key is written to a page that ends before it"),
    Mutation("left_before_right", "the left half is swapped in before the right one is published"),
    Mutation("blind_swap", "the left half is stored, not swapped for the frozen page"),
    Mutation("split_unfrozen", "a page is split that can still take records"),
    Mutation("split_at_no_separator", "an inner page is cut where it has no entry"),
    Mutation("absorb_unposted", "a page is absorbed that its parent does not know"),
    Mutation("absorb_leftmost", "a page is absorbed that is the leftmost child of its parent"),
    Mutation("keep_right_link", "the left half keeps the right sibling of the whole"),
    Mutation("write_a_lost_slot", "an update that has lost its slot takes the next one"),
)


def alive(s: State, n: Term) -> Term:
    """Say that the page is part of the tree."""
    return z3.And(s.linked(n), z3.Not(s.dead(n)))


def leq(s: State, a: Term, b: Term) -> Term:
    """Say a <= b of keys."""
    return z3.Not(s.less(b, a))


def within_fences(s: State, n: Term, k: Term) -> Term:
    """Say that the page's range holds the key."""
    return z3.And(leq(s, s.low(n), k), s.less(k, s.high(n)))


def changed(s: State, *nodes: Term) -> Meaning:
    """Give `unchanged` after something was appended to one of the pages, or took its place."""
    return lambda u: z3.And(s.unchanged(u), *[s.node(u) != n for n in nodes])


def replaced(s: State, *nodes: Term) -> dict[str, Meaning]:
    """Give what changes for threads when another page takes the place of these."""
    return {
        "unchanged": changed(s, *nodes),
        "mapped_still": lambda u: z3.And(s.mapped_still(u), *[s.node(u) != n for n in nodes]),
    }


def _copied(s: State, of: Term, halves: list[tuple[Term, Callable[[Term], Term]]]) -> Any:
    """Give the contents of new pages: what ``of`` holds, under the keys that each says."""

    def chosen(n: Term, k: Term, copy: Term, old: Term, nothing: Term | None) -> Term:
        for half, keeps in halves:
            mine = copy if nothing is None else z3.If(keeps(k), copy, nothing)
            old = z3.If(n == half, mine, old)
        return old

    return {
        "separator": lambda n, k: chosen(n, k, s.separator(of, k), s.separator(n, k), FALSE),
        "child": lambda n, k, m: chosen(n, k, s.child(of, k, m), s.child(n, k, m), FALSE),
        "value": lambda n, k: chosen(n, k, s.value(of, k), s.value(n, k), None),
    }


def system(mutation: str = "none") -> System:
    """Give the system, with one guard broken unless ``mutation`` is "none"."""

    def mutant(name: str) -> bool:
        return mutation == name

    def task(s: State, t: Term, to: Term) -> dict[str, Meaning]:
        return {"task": put(s.task, [t], to)}

    def walk_from(s: State, t: Term, n: Term) -> dict[str, Meaning]:
        return {**task(s, t, WALK), "node": put(s.node, [t], n)}

    def invoke(s: State, t: Term, k: Term) -> Step:
        return Step(
            z3.And(s.task(t) == NOTHING, s.less(k, s.inf)),
            {
                **walk_from(s, t, s.root),
                "key": put(s.key, [t], k),
                "goal": put(s.goal, [t], z3.IntVal(0)),
                "owes": put(s.owes, [t], FALSE),
            },
        )

    def start_post(s: State, t: Term) -> Step:
        seen = mutant("post_alive_before_scan")
        return Step(
            z3.And(
                s.task(t) == NOTHING, s.owes(t), z3.Or(not seen, z3.Not(s.dead(s.target(t))))
            ),
            {
                **walk_from(s, t, s.root),
                "key": put(s.key, [t], s.low(s.target(t))),
                "goal": put(s.goal, [t], s.level(s.target(t)) + 1),
            },
        )

    def posts(s: State, t: Term) -> Term:
        return s.goal(t) > 0

    def restart(s: State, t: Term) -> Step:
        return Step(
            z3.And(s.task(t) == WALK, s.dead(s.node(t))), walk_from(s, t, s.root)
        )

    def reads(s: State, t: Term) -> Term:
        return z3.And(s.task(t) == WALK, z3.Not(s.dead(s.node(t))))

    def cross_right(s: State, t: Term, m: Term) -> Step:
        n = s.node(t)
        return Step(
            z3.And(reads(s, t), leq(s, s.high(n), s.key(t)), s.right(n, m)),
            walk_from(s, t, m),
        )

    def note_post(s: State, t: Term, m: Term) -> Step:
        n = s.node(t)
        return Step(
            z3.And(
                reads(s, t),
                z3.Not(posts(s, t)),
                leq(s, s.high(n), s.key(t)),
                s.right(n, m),
            ),
            {"owes": put(s.owes, [t], TRUE), "target": put(s.target, [t], m)},
        )

    def descend(s: State, t: Term, k: Term, m: Term) -> Step:
        n = s.node(t)
        last = forall(
            [Key],
            lambda j: z3.Not(
                z3.And(s.separator(n, j), s.less(k, j), leq(s, j, s.key(t)))
            ),
        )
        return Step(
            z3.And(
                reads(s, t),
                s.level(n) > s.goal(t),
                s.less(s.key(t), s.high(n)),
                s.child(n, k, m),
                leq(s, k, s.key(t)),
                last,
            ),
            walk_from(s, t, m),
        )

    def here(s: State, t: Term) -> Term:
        n = s.node(t)
        fits = s.less(s.key(t), s.high(n))
        if mutant("no_fence_check"):
            fits = z3.Or(fits, z3.Not(posts(s, t)))
        return z3.And(reads(s, t), s.level(n) == s.goal(t), fits)

    def read(s: State, t: Term) -> Step:
        return Step(
            z3.And(here(s, t), z3.Not(posts(s, t))), task(s, t, NOTHING)
        )

    def find_room(s: State, t: Term) -> Step:
        return Step(
            z3.And(here(s, t), z3.Not(posts(s, t)), z3.Not(s.frozen(s.node(t)))),
            {**task(s, t, WRITE), "unchanged": put(s.unchanged, [t], TRUE)},
        )

    def write(s: State, t: Term, v: Term) -> Step:
        n, lost = s.node(t), mutant("write_a_lost_slot")
        return Step(
            z3.And(s.task(t) == WRITE, z3.Or(s.unchanged(t), lost)),
            {
                **task(s, t, NOTHING),
                "value": put(s.value, [n, s.key(t)], v),
                "abs": put(s.abs, [s.key(t)], v),
                "unchanged": changed(s, n),
            },
        )

    def lost(s: State, t: Term) -> Step:
        after_scan = z3.Or([s.task(t) == place for place in (WRITE, CHECK, POST)])
        return Step(z3.And(after_scan, z3.Not(s.unchanged(t))), task(s, t, WALK))

    def find_parent(s: State, t: Term) -> Step:
        n = s.node(t)
        unchecked = mutant("post_without_alive_check") or mutant("post_alive_before_scan")
        return Step(
            z3.And(
                here(s, t),
                posts(s, t),
                z3.Not(s.separator(n, s.key(t))),
                z3.Not(s.frozen(n)),
            ),
            {
                **task(s, t, POST if unchecked else CHECK),
                "unchanged": put(s.unchanged, [t], TRUE),
            },
        )

    def give_up(s: State, t: Term) -> Step:
        can = z3.And(s.task(t) != PUBLISH, s.task(t) != SWAP)
        return Step(can, task(s, t, NOTHING))

    def check_alive(s: State, t: Term) -> Step:
        dead = s.dead(s.target(t))
        return Step(s.task(t) == CHECK, task(s, t, z3.If(dead, NOTHING, POST)))

    def post(s: State, t: Term) -> Step:
        n, k = s.node(t), s.key(t)
        return Step(
            z3.And(s.task(t) == POST, z3.Or(s.unchanged(t), mutant("post_in_any_slot"))),
            {
                **task(s, t, NOTHING),
                "separator": put(s.separator, [n, k], TRUE),
                "child": put(s.child, [n, k, s.target(t)], TRUE),
                "unchanged": changed(s, n),
            },
        )

    def fill(s: State, n: Term) -> Step:
        """Take the last slot of a page, or freeze it."""
        return Step(
            alive(s, n), {"frozen": put(s.frozen, [n], TRUE), "unchanged": changed(s, n)}
        )

    def consolidate(s: State, n: Term) -> Step:
        return Step(
            z3.And(alive(s, n), s.frozen(n)),
            {"frozen": put(s.frozen, [n], FALSE), **replaced(s, n)},
        )

    def plan(s: State, t: Term, k: Term) -> Step:
        n = s.node(t)
        inner = z3.And(s.level(n) > 0, not mutant("split_at_no_separator"))
        return Step(
            z3.And(
                reads(s, t),
                z3.Or(s.frozen(n), mutant("split_unfrozen")),
                s.less(s.low(n), k),
                s.less(k, s.high(n)),
                z3.Implies(inner, s.separator(n, k)),
            ),
            {
                **task(s, t, PUBLISH),
                "cut": put(s.cut, [t], k),
                "mapped_still": put(s.mapped_still, [t], TRUE),
            },
        )

    def publish(s: State, t: Term, q: Term) -> Step:
        n, k = s.node(t), s.cut(t)
        appears = not mutant("left_before_right")
        return Step(
            z3.And(s.task(t) == PUBLISH, n != s.root, z3.Not(s.used(q)), z3.Not(s.linked(q))),
            {
                **task(s, t, SWAP),
                "used": put(s.used, [q], z3.BoolVal(appears)),
                "half": put(s.half, [t], q),
                "level": put(s.level, [q], s.level(n)),
                "low": put(s.low, [q], k),
                "high": put(s.high, [q], s.high(n)),
                "right": lambda a, b: z3.If(a == q, s.right(n, b), s.right(a, b)),
                "frozen": put(s.frozen, [q], FALSE),
                **_copied(s, n, [(q, lambda j: leq(s, k, j))]),
            },
        )

    def swap(s: State, t: Term) -> Step:
        n, q, k = s.node(t), s.half(t), s.cut(t)

        def right(a: Term, b: Term) -> Term:
            if mutant("keep_right_link"):
                return s.right(a, b)
            return z3.If(a == n, b == q, s.right(a, b))

        below = z3.And(s.task(t) == SWAP, n != s.root)
        return Step(
            z3.And(below, z3.Or(s.mapped_still(t), mutant("blind_swap"))),
            {
                **task(s, t, NOTHING),
                "linked": put(s.linked, [q], TRUE),
                "high": put(s.high, [n], k),
                "right": right,
                "frozen": put(s.frozen, [n], FALSE),
                "separator": lambda a, j: z3.And(
                    s.separator(a, j), z3.Or(a != n, s.less(j, k))
                ),
                "child": lambda a, j, m: z3.And(s.child(a, j, m), z3.Or(a != n, s.less(j, k))),
                **replaced(s, n),
                "owes": put(s.owes, [t], TRUE),
                "target": put(s.target, [t], q),
            },
        )

    def publish_both(s: State, t: Term, a: Term, q: Term) -> Step:
        n, k = s.root, s.cut(t)
        free = z3.And([z3.And(z3.Not(s.used(p)), z3.Not(s.linked(p))) for p in (a, q)])
        return Step(
            z3.And(s.task(t) == PUBLISH, s.node(t) == n, a != q, free),
            {
                **task(s, t, SWAP),
                "used": put(put(s.used, [q], TRUE), [a], TRUE),
                "half": put(s.half, [t], q),
                "left_half": put(s.left_half, [t], a),
                "level": put(put(s.level, [q], s.level(n)), [a], s.level(n)),
                "low": put(put(s.low, [q], k), [a], s.low(n)),
                "high": put(put(s.high, [q], s.high(n)), [a], k),
                "right": lambda x, y: z3.If(
                    x == a, y == q, z3.If(x == q, FALSE, s.right(x, y))
                ),
                "frozen": put(put(s.frozen, [q], FALSE), [a], FALSE),
                **_copied(
                    s, n, [(q, lambda j: leq(s, k, j)), (a, lambda j: s.less(j, k))]
                ),
            },
        )

    def swap_root(s: State, t: Term) -> Step:
        n, q, a, k = s.root, s.half(t), s.left_half(t), s.cut(t)
        return Step(
            z3.And(
                s.task(t) == SWAP,
                s.node(t) == n,
                z3.Or(s.mapped_still(t), mutant("blind_swap")),
            ),
            {
                **task(s, t, NOTHING),
                "linked": put(put(s.linked, [q], TRUE), [a], TRUE),
                "level": put(s.level, [n], s.level(n) + 1),
                "frozen": put(s.frozen, [n], FALSE),
                "separator": lambda x, j: z3.If(
                    x == n, z3.Or(j == s.low(n), j == k), s.separator(x, j)
                ),
                "child": lambda x, j, m: z3.If(
                    x == n,
                    z3.Or(z3.And(j == s.low(n), m == a), z3.And(j == k, m == q)),
                    s.child(x, j, m),
                ),
                **replaced(s, n),
            },
        )

    def swap_lost(s: State, t: Term) -> Step:
        """Take back what was published: nobody has heard of it."""
        both = s.node(t) == s.root
        return Step(
            z3.And(s.task(t) == SWAP, z3.Not(s.mapped_still(t))),
            {
                **task(s, t, NOTHING),
                "used": lambda n: z3.And(
                    s.used(n),
                    n != s.half(t),
                    z3.Not(z3.And(both, n == s.left_half(t))),
                ),
            },
        )

    def absorb(s: State, left: Term, r: Term, up: Term) -> Step:
        k, unknown = s.low(r), mutant("absorb_unposted")
        known = z3.Or(s.child(up, k, r), unknown)
        return Step(
            z3.And(
                *[alive(s, n) for n in (left, r, up)],
                *[z3.Not(s.frozen(n)) for n in (left, r, up)],
                s.right(left, r),
                s.level(up) == s.level(r) + 1,
                within_fences(s, up, k),
                z3.Or(k != s.low(up), mutant("absorb_leftmost")),
                known,
            ),
            {
                "dead": put(s.dead, [r], TRUE),
                "high": put(s.high, [left], s.high(r)),
                "right": lambda a, b: z3.If(a == left, s.right(r, b), s.right(a, b)),
                "separator": lambda a, j: z3.Or(
                    z3.And(s.separator(a, j), z3.Not(z3.And(a == up, j == k))),
                    z3.And(a == left, s.separator(r, j)),
                ),
                "child": lambda a, j, m: z3.Or(
                    z3.And(s.child(a, j, m), z3.Not(z3.And(a == up, j == k))),
                    z3.And(a == left, s.child(r, j, m)),
                ),
                "value": lambda a, j: z3.If(
                    z3.And(a == left, leq(s, k, j)), s.value(r, j), s.value(a, j)
                ),
                **replaced(s, left, r),
                "unchanged": changed(s, left, r, *([] if unknown else [up])),
            },
        )

    t, n, m, k = ("t", Thread), ("n", Node), ("m", Node), ("k", Key)
    return System(
        name="Splits",
        sorts=SORT,
        symbols=SYMBOLS,
        axioms=AXIOMS,
        start=_start,
        actions=(
            Action("Invoke", (t, k), invoke),
            Action("StartPost", (t,), start_post),
            Action("Restart", (t,), restart),
            Action("CrossRight", (t, m), cross_right),
            Action("NotePost", (t, m), note_post),
            Action("Descend", (t, k, m), descend),
            Action("Read", (t,), read, {"a read answers what the map holds": _read_is_right}),
            Action("FindRoom", (t,), find_room),
            Action("Write", (t, ("v", Value)), write),
            Action("Lost", (t,), lost),
            Action("FindParent", (t,), find_parent),
            Action("CheckAlive", (t,), check_alive),
            Action("Post", (t,), post),
            Action("GiveUp", (t,), give_up),
            Action("Fill", (n,), fill),
            Action("Consolidate", (n,), consolidate),
            Action("Plan", (t, k), plan),
            Action("PublishRight", (t, ("q", Node)), publish),
            Action("SwapEntry", (t,), swap),
            Action("PublishBoth", (t, ("a", Node), ("q", Node)), publish_both),
            Action("SwapRoot", (t,), swap_root),
            Action("SwapLost", (t,), swap_lost),
            Action("Absorb", (("left", Node), ("r", Node), ("up", Node)), absorb),
        ),
        invariant=INVARIANT,
        safety=SAFETY,
        mutations=MUTATIONS,
        sizes=(
            {"Thread": 1, "Node": 2, "Key": 3, "Value": 2},
            {"Thread": 1, "Node": 3, "Key": 4, "Value": 2},
            {"Thread": 2, "Node": 3, "Key": 3, "Value": 2},
            {"Thread": 1, "Node": 5, "Key": 5, "Value": 1},
        ),
    )


def _read_is_right(s: State, t: Term) -> Term:
    return s.value(s.node(t), s.key(t)) == s.abs(s.key(t))


AXIOMS = {
    "keys are ordered": lambda s: total_order(s.less, Key),
    "zero is the least key, inf above all": lambda s: z3.And(
        s.zero != s.inf, forall([Key], lambda k: z3.And(leq(s, s.zero, k), leq(s, k, s.inf)))
    ),
}


def _start(s: State) -> Term:
    """Give an empty tree: the root is a leaf."""
    return z3.And(
        forall([Node], lambda n: z3.And(s.used(n) == (n == s.root), s.linked(n) == (n == s.root))),
        forall([Node], lambda n: z3.Not(s.dead(n))),
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


def _of_pages(body: Body) -> Callable[[State], Term]:
    """Give the claim that ``body`` holds of each page of the tree."""
    return lambda s: forall([Node], lambda n: z3.Implies(alive(s, n), body(s, n)))


def _of_threads(tasks: tuple[Term, ...], body: Body) -> Callable[[State], Term]:
    """Give the claim that ``body`` holds of each thread at one of ``tasks``."""
    return lambda s: forall(
        [Thread],
        lambda t: z3.Implies(z3.Or([s.task(t) == each for each in tasks]), body(s, t)),
    )


def _of_halves(body: Body) -> Callable[[State], Term]:
    """Give the claim that ``body`` holds of the right half of each split that can succeed."""
    return _of_threads(
        (SWAP,), lambda s, t: z3.Implies(s.mapped_still(t), body(s, t, s.node(t), s.half(t)))
    )


def _of_left_halves(body: Body) -> Callable[[State], Term]:
    """Give the claim that ``body`` holds of the left half of a root's split that can succeed."""
    return _of_threads(
        (SWAP,),
        lambda s, t: z3.Implies(
            z3.And(s.mapped_still(t), s.node(t) == s.root), body(s, t, s.node(t), s.left_half(t))
        ),
    )


INVARIANT = {
    "a page of the tree is mapped": lambda s: forall(
        [Node], lambda n: z3.Implies(s.linked(n), s.used(n))
    ),
    "only a page of the tree dies": lambda s: forall(
        [Node], lambda n: z3.Implies(s.dead(n), s.linked(n))
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
    "an entry's child is alive and begins at the separator": lambda s: forall(
        [Node, Key, Node],
        lambda n, k, m: z3.Implies(
            z3.And(alive(s, n), s.child(n, k, m)),
            z3.And(alive(s, m), s.level(m) + 1 == s.level(n), s.low(m) == k),
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
    "a post owed is of a page of the tree": lambda s: forall(
        [Thread],
        lambda t: z3.Implies(
            s.owes(t), z3.And(s.linked(s.target(t)), s.target(t) != s.root)
        ),
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
        (POST,), lambda s, t: z3.Implies(s.unchanged(t), z3.Not(s.dead(s.target(t))))
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
    "a right half is of the same level": _of_halves(
        lambda s, _, n, q: s.level(q) == s.level(n)
    ),
    "a right half begins at the cut": _of_halves(lambda s, t, _, q: s.low(q) == s.cut(t)),
    "a right half ends where the page ends": _of_halves(
        lambda s, _, n, q: s.high(q) == s.high(n)
    ),
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

SAFETY = {
    "wherever a thread goes, there is a page or a tombstone": lambda s: forall(
        [Thread, Key, Node],
        lambda t, k, m: z3.Implies(
            z3.And(
                s.task(t) == WALK,
                z3.Not(s.dead(s.node(t))),
                z3.Or(m == s.node(t), s.right(s.node(t), m), s.child(s.node(t), k, m)),
            ),
            s.used(m),
        ),
    ),
    "the leaf for a key holds what the map holds": INVARIANT["the leaves hold the map"],
    "every entry leads to a page of the tree": INVARIANT[
        "an entry's child is alive and begins at the separator"
    ],
    "an inner page has a way for every key of its range": INVARIANT[
        "an inner page has an entry at its low fence"
    ],
}
