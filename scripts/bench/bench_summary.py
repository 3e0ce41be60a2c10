"""All indexes in one table: a line for each, a column for each workload.

This is the form for comparing many indexes; the tables of bench_report.py compare two closely. Our
own line is given a second time as multiples of one access to memory, measured in the same run, so
that figures of different machines can be compared.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench_report import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench_report import Measurement

    _Cells = Mapping[tuple[str, int], float]

#: Workloads that count as a column of bytes a key: of those, what the process has grown by.
_LOADS = ("load_random", "load_ascending")


def _medians(
    measurements: Sequence[Measurement], quantity: Callable[[Measurement], float | None]
) -> dict[str, dict[tuple[str, int], float]]:
    """Give the median over the repeats: by index, then by workload and threads."""
    values: dict[str, dict[tuple[str, int], list[float]]] = {}
    for one in measurements:
        value = quantity(one)
        if value is not None:
            of_index = values.setdefault(one.index, {})
            of_index.setdefault((one.workload, one.threads), []).append(value)
    return {
        index: {cell: statistics.median(found) for cell, found in cells.items()}
        for index, cells in values.items()
    }


def _bytes_a_key(one: Measurement) -> float | None:
    taken = one.resident_bytes or one.own_bytes
    return taken / one.operations if taken and one.workload in _LOADS else None


def _joined(
    cells: _Cells, workload: str, threads: Sequence[int], best: _Cells, shown: str = ".3g"
) -> str:
    """Write one cell: a figure for each number of threads, the best of its column in bold."""
    parts = []
    for count in threads:
        value = cells.get((workload, count))
        if value is None:
            parts.append("–")
        else:
            text = format(value, shown)
            parts.append(f"**{text}**" if value == best.get((workload, count)) else text)
    return " / ".join(parts)


def _best(table: Mapping[str, _Cells], pick: Callable[[list[float]], float]) -> _Cells:
    columns: dict[tuple[str, int], list[float]] = {}
    for cells in table.values():
        for cell, value in cells.items():
            columns.setdefault(cell, []).append(value)
    return {cell: pick(values) for cell, values in columns.items()}


def markdown(measurements: Sequence[Measurement], titles: Mapping[str, str], dram_ns: float) -> str:
    """Write the table of the C part in Markdown: million operations a second, bytes a key."""
    chosen = [one for one in measurements if one.part == "C" and one.latency is None]
    if not chosen:
        return ""
    threads = sorted({one.threads for one in chosen})
    rates = _medians(chosen, lambda one: one.rate(processor_time=False))
    memory = _medians(chosen, _bytes_a_key)
    measured = {workload for cells in rates.values() for workload, _threads in cells}
    workloads = [name for name in titles if name in measured]
    loads = [name for name in _LOADS if name in workloads]
    names = sorted(rates, key=lambda name: name != OURS)
    head = [f"{' / '.join(map(str, threads))} threads", *(titles[name] for name in workloads)]
    head += [f"bytes a key: {titles[name]}" for name in loads]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    best, least = _best(rates, max), _best(memory, min)
    for name in names:
        line = [name, *(_joined(rates[name], w, threads, best) for w in workloads)]
        line += [_joined(memory.get(name, {}), w, threads, least) for w in loads]
        lines.append(line)
    if OURS in rates and dram_ns > 0:
        accesses = {
            (workload, count): 1e3 * count / rate / dram_ns
            for (workload, count), rate in rates[OURS].items()
        }
        cells = [_joined(accesses, w, threads, {}, ".2g") for w in workloads]
        name = f"{OURS}: time of an operation, in accesses to memory of {dram_ns:.0f} ns"
        lines.append([name, *cells, *["–"] * len(loads)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
