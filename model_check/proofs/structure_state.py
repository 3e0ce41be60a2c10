"""What a state of `structure` is: its sorts and symbols, and words about them."""

from __future__ import annotations

import z3

from model_check.proofs.system import Meaning, State, Symbol, Term

SORTS = ("Thread", "Node", "Key", "Value")
Thread, Node, Key, Value = SORT = tuple(z3.DeclareSort(f"{name}") for name in SORTS)
Bool, Level = z3.BoolSort(), z3.IntSort()
TASKS = ("nothing", "walk", "write", "check", "post", "publish", "swap")
Task, (NOTHING, WALK, WRITE, CHECK, POST, PUBLISH, SWAP) = z3.EnumSort("Task", TASKS)

SYMBOLS = (
    # the mapping table (`used`: a page or a tombstone), and what the pages hold
    Symbol("used", (Node,), Bool),
    Symbol("linked", (Node,), Bool),
    Symbol("gone", (Node,), Bool),
    Symbol("dead", (Node,), Bool),
    Symbol("level", (Node,), Level),
    Symbol("low", (Node,), Key),
    Symbol("high", (Node,), Key),
    Symbol("right", (Node, Node), Bool),
    Symbol("frozen", (Node,), Bool),
    Symbol("separator", (Node, Key), Bool),
    Symbol("child", (Node, Key, Node), Bool),
    Symbol("marked", (Node, Key), Bool),
    Symbol("removed", (Node,), Bool),
    Symbol("merging", (Node,), Bool),
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
    # what has been learnt about a merge, and stays true: its entry was marked; was deleted
    Symbol("doomed", (Node,), Bool),
    Symbol("cleared", (Node,), Bool),
    # rigid
    Symbol("root", (), Node, rigid=True),
    Symbol("less", (Key, Key), Bool, rigid=True),
    Symbol("zero", (), Key, rigid=True),
    Symbol("inf", (), Key, rigid=True),
)


def alive(s: State, n: Term) -> Term:
    """Say that the page is part of the tree."""
    return z3.And(s.linked(n), z3.Not(s.gone(n)))


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
