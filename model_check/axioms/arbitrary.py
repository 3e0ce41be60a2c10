"""Random litmus tests: for comparing implementations where nobody has written the outcomes down.

Seeded: one seed, one test, for ever. Small on purpose (two or three threads, two locations), so
that each implementation can list all outcomes.
"""

from __future__ import annotations

import random
import re

from model_check.axioms.litmus import Allowed, Litmus, parse

_LOADS, _STORES = ("rlx", "rlx", "acq", "sc"), ("rlx", "rlx", "rel", "sc")
_UPDATES = ("rlx", "acq", "rel", "acq_rel", "sc")
_FENCES = ("acq", "rel", "acq_rel", "sc", "sc", "sc")


def arbitrary(seed: int, *, plain: bool = False, seq_cst: bool = True) -> Litmus:
    """Make the random test of ``seed``.

    With ``plain``, some accesses are plain ones; without ``seq_cst``, only fences have that order.

    Its `sc` and `rc11` are empty: what they should be is what is to be found out.
    """
    source = random.Random(seed)
    names = iter("abcefghijklmnopqr")
    threads: list[str] = []
    sees: list[str] = []
    updates = 2  # more of them, and listing all graphs takes minutes
    count = source.choice((2, 2, 3))
    for _ in range(count):
        statements: list[str] = []
        read = None
        for _ in range(source.choice((2, 3, 3, 4)) if count == 2 else 2):
            statement, register = _statement(source, next(names), plain=plain, update=updates > 0)
            updates -= "(" in statement
            if read and source.random() < 0.15:
                statement = f"if {read} == {source.randint(0, 1)}: {statement}"
            statements.append(statement)
            if register:
                read = register
                sees.append(register)
        threads.append("; ".join(statements))
    sees += ["x", "y"]
    nothing = Allowed(frozenset())
    options = f"{', plain=True' if plain else ''}{'' if seq_cst else ', seq_cst=False'}"
    name = f"arbitrary({seed}{options})"
    if not seq_cst:
        threads = [re.sub(r"(?<!fence)\.sc\b", ".rlx", thread) for thread in threads]
    return Litmus(
        name,
        tuple(parse(name, thread) for thread in threads),
        tuple(threads),
        tuple(sees),
        nothing,
        nothing,
        "A random test.",
    )


def _statement(
    source: random.Random, register: str, *, plain: bool, update: bool
) -> tuple[str, str | None]:
    """Give a statement, and the register that it writes."""
    location, value = source.choice("xy"), source.randint(1, 2)
    kinds = ("load", "store", "fence", "add", "swap", "cas", "weak_cas")
    kind = source.choices(kinds, (8, 8, 5, *((2, 1, 2, 1) if update else (0, 0, 0, 0))))[0]
    if kind == "fence":
        return f"fence.{source.choice(_FENCES)}", None
    if kind == "load":
        order = "na" if plain and source.random() < 0.3 else source.choice(_LOADS)
        return f"{register} = {location}.{order}", register
    if kind == "store":
        order = "na" if plain and source.random() < 0.3 else source.choice(_STORES)
        return f"{location}.{order} = {value}", None
    order = source.choice(_UPDATES)
    if kind == "add":  # of 1: values that grow faster make more graphs, not other ones
        return f"{register} = {location}.add.{order}(1)", register
    if kind == "swap":
        return f"{register} = {location}.swap.{order}({value})", register
    arguments = f"({source.randint(0, 1)}, {value})"
    return f"{register} = {location}.{kind}.{order}{arguments}", register
