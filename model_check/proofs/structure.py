"""Splits, posts and merges, for any number of threads, pages, keys and levels.

What spec/BwTree.tla and spec/StructureModification.tla do to the tree, with pages as `delta_log`
has shown them to be: a page id whose page is read at one instant, and changed at one instant. A
thread that has read a page and found a free slot swaps its record in only if nothing has been
appended since, and the page is still the mapped one (`unchanged`). Who has found a page frozen
replaces it only if it is still mapped (`mapped_still`); that is a swap of the mapping entry. Page
ids are not used again here: epochs see to that (`epochs`; docs/proofs.md has the argument for
composing them).

A split publishes the right half under a page id of its own, then swaps the left half in; the root
keeps its id, publishes both halves and rises by one level. The separator is posted by anybody who
has made or crossed the right link: scan the parent, then see that the page is mapped and not
removed, then swap the record into the slot.

Merges are in `structure_merge`.

`abs` is the abstract map. `linked` says that a page id has ever been part of the tree; one that is
published for a split that was lost never is. Functions go Thread -> Node -> Key; right siblings
and children are relations. The key `inf` is above all keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from model_check.proofs.structure_invariant import AXIOMS, INVARIANT, SAFETY, read_is_right, start
from model_check.proofs.structure_merge import MERGE_MUTATIONS, merge_actions
from model_check.proofs.structure_state import (
    CHECK,
    NOTHING,
    POST,
    PUBLISH,
    SORT,
    SWAP,
    SYMBOLS,
    WALK,
    WRITE,
    Key,
    Node,
    Thread,
    Value,
    alive,
    changed,
    leq,
    replaced,
)
from model_check.proofs.system import (
    Action,
    Meaning,
    Mutation,
    State,
    Step,
    System,
    Term,
    forall,
    put,
)

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)

MUTATIONS = (
    *MERGE_MUTATIONS,
    Mutation("post_without_alive_check", "a separator is posted although its page may be dead"),
    Mutation("post_alive_before_scan", "the page is seen alive before the parent is scanned"),
    Mutation("post_in_any_slot", "a post that has lost its slot takes the next one"),
    Mutation("no_fence_check", "a key is written to a page that ends before it"),
    Mutation("left_before_right", "the left half is swapped in before the right one is published"),
    Mutation("blind_swap", "the left half is stored, not swapped for the frozen page"),
    Mutation("split_unfrozen", "a page is split that can still take records"),
    Mutation("split_at_no_separator", "an inner page is cut where it has no entry"),
    Mutation("keep_right_link", "the left half keeps the right sibling of the whole"),
    Mutation("write_a_lost_slot", "an update that has lost its slot takes the next one"),
)


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
        "marked": lambda n, k: chosen(n, k, s.marked(of, k), s.marked(n, k), FALSE),
        "value": lambda n, k: chosen(n, k, s.value(of, k), s.value(n, k), None),
    }


def system(mutation: str = "none") -> System:  # noqa: PLR0915 - one function an action
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
                s.task(t) == NOTHING, s.owes(t), z3.Or(not seen, z3.Not(s.removed(s.target(t))))
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
        return Step(z3.And(s.task(t) == WALK, s.removed(s.node(t))), walk_from(s, t, s.root))

    def reads(s: State, t: Term) -> Term:
        known = s.dead if mutant("trust_removed") else s.gone
        return z3.And(s.task(t) == WALK, z3.Not(known(s.node(t))))

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
            lambda j: z3.Not(z3.And(s.separator(n, j), s.less(k, j), leq(s, j, s.key(t)))),
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
        return Step(z3.And(here(s, t), z3.Not(posts(s, t))), task(s, t, NOTHING))

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
        removed = s.removed(s.target(t))
        return Step(s.task(t) == CHECK, task(s, t, z3.If(removed, NOTHING, POST)))

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
        return Step(alive(s, n), {"frozen": put(s.frozen, [n], TRUE), "unchanged": changed(s, n)})

    def replaceable(s: State, n: Term) -> Term:
        """Say that a frozen page is not for a merge to replace."""
        return z3.And(z3.Not(s.removed(n)), z3.Not(s.merging(n)))

    def consolidate(s: State, n: Term) -> Step:
        return Step(
            z3.And(alive(s, n), s.frozen(n), replaceable(s, n)),
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
                z3.Or(z3.Not(s.marked(n, k)), mutant("cut_at_mark")),
                replaceable(s, n),
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
                "separator": lambda a, j: z3.And(s.separator(a, j), z3.Or(a != n, s.less(j, k))),
                "child": lambda a, j, m: z3.And(s.child(a, j, m), z3.Or(a != n, s.less(j, k))),
                "marked": lambda a, j: z3.And(s.marked(a, j), z3.Or(a != n, s.less(j, k))),
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
                "right": lambda x, y: z3.If(x == a, y == q, z3.If(x == q, FALSE, s.right(x, y))),
                "frozen": put(put(s.frozen, [q], FALSE), [a], FALSE),
                **_copied(s, n, [(q, lambda j: leq(s, k, j)), (a, lambda j: s.less(j, k))]),
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
                "marked": lambda x, j: z3.And(x != n, s.marked(x, j)),
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

    t, n, m, k = ("t", Thread), ("n", Node), ("m", Node), ("k", Key)
    return System(
        name="Structure",
        sorts=SORT,
        symbols=SYMBOLS,
        axioms=AXIOMS,
        start=start,
        actions=(
            Action("Invoke", (t, k), invoke),
            Action("StartPost", (t,), start_post),
            Action("Restart", (t,), restart),
            Action("CrossRight", (t, m), cross_right),
            Action("NotePost", (t, m), note_post),
            Action("Descend", (t, k, m), descend),
            Action("Read", (t,), read, {"a read answers what the map holds": read_is_right}),
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
            *merge_actions(mutation),
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
