"""The merge of a page into its left sibling: the steps of `structure` that it adds.

A merge takes six steps: MARK in the parent, REMOVE in the page, MERGE in its left sibling, the
union, DELETE in the parent, the tombstone. Anybody does any of them. What is checked at a slot is
what that page says itself; what was learnt before (the entry was marked, the page is merged, the
entry was deleted) stays true: `doomed`, `gone` and `cleared` are such facts. A page that is merged
(`gone`) is no longer part of the tree, though entries lead to it until DELETE; a removed one that
is not merged yet still holds the truth, and a reader finds out which (the detour).
"""

from __future__ import annotations

import z3

from model_check.proofs.structure_state import (
    Key,
    Node,
    alive,
    changed,
    leq,
    replaced,
    within_fences,
)
from model_check.proofs.system import Action, Mutation, State, Step, Term, forall, put

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)

MERGE_MUTATIONS = (
    Mutation("no_mark", "a page is removed whose parent's entry was never marked"),
    Mutation("merge_leftmost", "the leftmost entry of a page is marked"),
    Mutation("cut_at_mark", "an inner page is cut at a marked entry"),
    Mutation("remove_with_mark", "an inner page is removed that holds a mark"),
    Mutation("merge_before_remove", "a page takes its sibling in that still takes records"),
    Mutation("union_without_merge", "the union takes the place of a page that is not frozen"),
    Mutation("union_of_others", "a page takes in a removed page that is not its sibling"),
    Mutation("delete_before_union", "an entry is deleted before its page is merged"),
    Mutation("bury_before_delete", "a tombstone is set while an entry leads there"),
    Mutation("trust_removed", "a reader believes a removed page that is merged"),
)


def merge_actions(mutation: str) -> tuple[Action, ...]:
    """Give the steps of a merge, with one guard broken unless ``mutation`` is "none"."""

    def mutant(name: str) -> bool:
        return mutation == name

    def unmarked(s: State, n: Term) -> Term:
        return forall([Key], lambda j: z3.Not(s.marked(n, j)))

    def mark(s: State, up: Term, k: Term, r: Term) -> Step:
        return Step(
            z3.And(
                alive(s, up),
                z3.Not(s.frozen(up)),
                s.child(up, k, r),
                z3.Or(k != s.low(up), mutant("merge_leftmost")),
                unmarked(s, up),
            ),
            {
                "marked": put(s.marked, [up, k], TRUE),
                "doomed": put(s.doomed, [r], TRUE),
                "unchanged": changed(s, up),
            },
        )

    def remove(s: State, r: Term) -> Step:
        return Step(
            z3.And(
                alive(s, r),
                r != s.root,
                z3.Not(s.frozen(r)),
                z3.Or(s.doomed(r), mutant("no_mark")),
                z3.Or(unmarked(s, r), mutant("remove_with_mark")),
            ),
            {
                "removed": put(s.removed, [r], TRUE),
                "frozen": put(s.frozen, [r], TRUE),
                "unchanged": changed(s, r),
            },
        )

    def merge(s: State, left: Term, r: Term) -> Step:
        return Step(
            z3.And(
                alive(s, left),
                z3.Not(s.frozen(left)),
                s.right(left, r),
                z3.Or(s.removed(r), mutant("merge_before_remove")),
            ),
            {
                "merging": put(s.merging, [left], TRUE),
                "frozen": put(s.frozen, [left], TRUE),
                "unchanged": changed(s, left),
            },
        )

    def install_union(s: State, left: Term, r: Term) -> Step:
        k = s.low(r)
        marked = z3.Or(s.merging(left), mutant("union_without_merge"))
        neighbours = z3.Or(s.right(left, r), z3.And(mutant("union_of_others"), s.removed(r)))
        return Step(
            z3.And(alive(s, left), marked, neighbours, left != r),
            {
                "gone": put(s.gone, [r], TRUE),
                "merging": put(s.merging, [left], FALSE),
                "frozen": put(s.frozen, [left], FALSE),
                "high": put(s.high, [left], s.high(r)),
                "right": lambda a, b: z3.If(a == left, s.right(r, b), s.right(a, b)),
                "separator": lambda a, j: z3.Or(
                    s.separator(a, j), z3.And(a == left, s.separator(r, j))
                ),
                "child": lambda a, j, m: z3.Or(
                    s.child(a, j, m), z3.And(a == left, s.child(r, j, m))
                ),
                "value": lambda a, j: z3.If(
                    z3.And(a == left, leq(s, k, j)), s.value(r, j), s.value(a, j)
                ),
                **replaced(s, left),
            },
        )

    def delete(s: State, up: Term, k: Term, r: Term) -> Step:
        return Step(
            z3.And(
                alive(s, up),
                z3.Not(s.frozen(up)),
                s.child(up, k, r),
                s.marked(up, k),
                z3.Or(s.gone(r), mutant("delete_before_union")),
            ),
            {
                "separator": lambda a, j: z3.And(
                    s.separator(a, j), z3.Not(z3.And(a == up, j == k))
                ),
                "child": lambda a, j, m: z3.And(s.child(a, j, m), z3.Not(z3.And(a == up, j == k))),
                "marked": put(s.marked, [up, k], FALSE),
                "cleared": put(s.cleared, [r], TRUE),
                "unchanged": changed(s, up),
            },
        )

    def find_deleted(s: State, r: Term, up: Term) -> Step:
        """Find that another has deleted the entry of a page that is merged."""
        k = s.low(r)
        at = z3.And(alive(s, up), s.level(up) == s.level(r) + 1, within_fences(s, up, k))
        return Step(
            z3.And(s.gone(r), at, z3.Not(s.child(up, k, r))),
            {"cleared": put(s.cleared, [r], TRUE)},
        )

    def bury(s: State, r: Term) -> Step:
        known = z3.Or(s.cleared(r), z3.And(mutant("bury_before_delete"), s.gone(r)))
        return Step(known, {"dead": put(s.dead, [r], TRUE)})

    left, r, up, k = ("left", Node), ("r", Node), ("up", Node), ("k", Key)
    return (
        Action("MarkEntry", (up, k, r), mark),
        Action("RemovePage", (r,), remove),
        Action("MergePage", (left, r), merge),
        Action("InstallUnion", (left, r), install_union),
        Action("DeleteEntry", (up, k, r), delete),
        Action("FindDeleted", (r, up), find_deleted),
        Action("Bury", (r,), bury),
    )
