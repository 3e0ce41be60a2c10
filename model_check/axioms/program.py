"""A litmus test as a C11 program: one pthread a thread, and one `bwx_outcome` an execution.

The program prints what the test sees in the canonical form of `Litmus.outcome`, so the set of
outcomes that the explorer reports can be compared with the gold as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_check.axioms.litmus import (
    LOCATIONS,
    Exchange,
    Fence,
    Guarded,
    Load,
    Store,
    bare,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model_check.axioms.litmus import Allowed, Litmus, Order, Simple, Statement, Thread

_ORDERS: Mapping[Order, str] = {
    "rlx": "memory_order_relaxed",
    "acq": "memory_order_acquire",
    "rel": "memory_order_release",
    "acq_rel": "memory_order_acq_rel",
    "sc": "memory_order_seq_cst",
}


def program(test: Litmus) -> str:
    """Write the test as the text of a C program."""
    plain, atomic = _locations(test)
    lines = [
        f"/* {test.name}: {test.why}",
        " *",
        f" * SC: {_allowed(test.sc)}",
        f" * RC11: {_allowed(test.rc11)}",
        " */",
        "#include <bwexplore.h>",
        "#include <pthread.h>",
        "#include <stdatomic.h>",
        "#include <stddef.h>",
        "",
        *(f"static atomic_int {name};" for name in sorted(atomic)),
        *(f"static int {name};" for name in sorted(plain - atomic)),
        *(f"static int seen_{name};" for name in test.sees if name not in LOCATIONS),
    ]
    for number, thread in enumerate(test.threads):
        lines += ["", *_function(test, number, thread, atomic)]
    return "\n".join([*lines, "", *_main(test, atomic), ""])


def _function(test: Litmus, number: int, thread: Thread, atomic: set[str]) -> list[str]:
    lines = [f"static void *thread_{number}(void *unused) {{", "    (void)unused;"]
    lines += [f"    int {name} = 0;" for name in test.registers()[number]]
    for statement in thread:
        lines += [f"    {line}" for line in _statement(statement, atomic)]
    for name in test.registers()[number]:
        lines.append(f"    seen_{name} = {name};" if name in test.sees else f"    (void){name};")
    return [*lines, "    return NULL;", "}"]


def _main(test: Litmus, atomic: set[str]) -> list[str]:
    numbers = range(len(test.threads))
    text = " ".join(f"{name}=%d" for name in test.sees)
    seen = ", ".join(_final(name, atomic) for name in test.sees)
    return [
        "int main(void) {",
        f"    pthread_t threads[{len(test.threads)}];",
        *(f"    pthread_create(&threads[{i}], NULL, thread_{i}, NULL);" for i in numbers),
        *(f"    pthread_join(threads[{i}], NULL);" for i in numbers),
        f'    bwx_outcome("{text}", {seen});',
        "    return 0;",
        "}",
    ]


def _final(name: str, atomic: set[str]) -> str:
    if name not in LOCATIONS:
        return f"seen_{name}"
    return f"atomic_load_explicit(&{name}, memory_order_relaxed)" if name in atomic else name


def _statement(statement: Statement, atomic: set[str]) -> list[str]:
    if isinstance(statement, Guarded):
        body = (f"    {line}" for line in _statement(statement.body, atomic))
        return [f"if ({statement.register} == {statement.value}) {{", *body, "}"]
    if isinstance(statement, Fence):
        return [f"atomic_thread_fence({_ORDERS[statement.order]});"]
    if isinstance(statement, Exchange):
        kind = "weak" if statement.weak else "strong"
        orders = f"{_ORDERS[statement.order]}, {_ORDERS[statement.failure]}"
        desired = f"&{statement.location}, &{statement.register}, {statement.desired}"
        # What was expected becomes what was seen, whether the exchange took place or not.
        return [
            f"{statement.register} = {statement.expected};",
            f"(void)atomic_compare_exchange_{kind}_explicit({desired}, {orders});",
        ]
    if isinstance(statement, (Load, Store)):
        return [_simple(statement, atomic)]
    function = "atomic_fetch_add" if statement.operation == "add" else "atomic_exchange"
    arguments = f"&{statement.location}, {statement.operand}, {_ORDERS[statement.order]}"
    return [f"{statement.register} = {function}_explicit({arguments});"]


def _simple(statement: Load | Store, atomic: set[str]) -> str:
    """Write a load or a store, atomic or plain."""
    place = statement.location
    if statement.order == "na":
        # A plain access of a location that others access atomically: the same bytes.
        plain = f"*(int *)&{place}" if place in atomic else place
        if isinstance(statement, Load):
            return f"{statement.register} = {plain};"
        return f"{plain} = {statement.value};"
    order = _ORDERS[statement.order]
    if isinstance(statement, Load):
        return f"{statement.register} = atomic_load_explicit(&{place}, {order});"
    return f"atomic_store_explicit(&{place}, {statement.value}, {order});"


def _locations(test: Litmus) -> tuple[set[str], set[str]]:
    """Give the locations that are accessed plainly, and those accessed atomically."""
    plain: set[str] = set()
    atomic: set[str] = set()
    simple: list[Simple] = [bare(statement) for statement in test.statements()]
    for one in simple:
        if not isinstance(one, Fence):
            (plain if one.order == "na" else atomic).add(one.location)
    # One that is only looked at in the end can be either.
    return plain | (set(test.locations()) - atomic), atomic


def _allowed(allowed: Allowed) -> str:
    return "a data race" if allowed.race else ", ".join(sorted(allowed.outcomes))
