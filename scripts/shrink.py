"""Show that a tree which shrinks gives its pages, page ids and memory back for use.

Two runs. *Shrink*: a tree is filled with random keys, and two threads remove all of them in
another order while the worker runs. *Queue*: keys are put in at the right and popped at the left,
with a constant number of live keys; the end of each of eight rounds is a row of the table.

    python scripts/shrink.py --keys 10M --queue 100k --operations 100M

Exit status: 0 (the bounds hold), 1 (one does not: which), 2 (bad options), 130 after Ctrl-C.
"""

from __future__ import annotations

import math
import random
import sys
import threading
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bwtree import BwTree
from model_check.console import output, progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bwtree import Stats
    from model_check.console import Reporter

_BATCH = 8192
_ROUNDS = 8
_SCALES = {"k": 10**3, "M": 10**6}
#: Of the peak, after everything has been removed; of bytes, those in use as well as those reserved.
_MOST_PAGES, _MOST_BYTES = 0.01, 0.02
#: What the tree keeps reserved for its last page, however small it is.
_LEAST_RESERVED = 2 << 20
#: How far the figures of a queue may grow after its first round: by a quarter and this much.
_SLACK = {"pages": 16, "pids_used": 64, "bytes_reserved": 4 << 20}


def _count(text: str) -> int:
    """Read a number such as 10M."""
    scale = _SCALES.get(text[-1:], 1)
    digits = text[:-1] if scale > 1 else text
    if not digits.isdecimal() or int(digits) == 0:
        message = f"{text!r} is not a number of at least 1, such as 5000, 100k or 10M"
        raise typer.BadParameter(message)
    return int(digits) * scale


def _resident_mib() -> float:
    """Give this process's resident memory in MiB; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1024


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("when")
    for column in (
        "keys", "height", "pages", "live MiB", "reserved MiB", "resident MiB", "merges",
        "page ids", "of them free",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    return table


def _row(table: Table, when: str, stats: Stats) -> None:
    table.add_row(
        when,
        f"{stats.size:,}",
        str(stats.height),
        f"{stats.pages:,}",
        f"{stats.bytes_live / 2**20:.2f}",
        f"{stats.bytes_reserved / 2**20:.1f}",
        f"{_resident_mib():.1f}",
        f"{stats.merges:,}",
        f"{stats.pids_used:,}",
        f"{stats.pids_free:,}",
    )


def _in_threads(work: Callable[[int], None], threads: int) -> None:
    """Run ``work(0)`` … at the same time; what one of them raises is raised here."""
    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 (raised again by the caller)
            failed.append(error)

    crew = [threading.Thread(target=guarded, args=(n,), daemon=True) for n in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    if failed:
        raise failed[0]


def _shrink(count: int, seed: int, report: Reporter) -> tuple[Table, list[str]]:
    rng = random.Random(seed)  # noqa: S311
    low = count.bit_length()  # low bits number the keys, so that no two are the same
    keys = array("Q", (rng.getrandbits(64 - low) << low | i for i in range(count)))
    table = _table(f"{count:,} random keys, all removed in another order by 2 threads")
    with BwTree(worker=True) as tree:
        for start in range(0, count, _BATCH):
            part = keys[start : start + _BATCH]
            tree.put_many(part, part)
            report.now(f"put {start:,} keys")
        peak = tree.stats()
        _row(table, "filled", peak)
        report.step(f"{count:,} keys are in")
        # Another order: multiples of a number that has no factor in common with count.
        stride = next(
            n for n in range(int(count * 0.618) + 1, 2 * count + 2) if math.gcd(n, count) == 1
        )

        def remove(number: int) -> None:
            for i in range(number, count, 2):
                del tree[keys[i * stride % count]]
                if number == 0 and i % _BATCH == 0:
                    report.now(f"removed {i:,} keys")
            tree.detach()  # join returns before the system has ended the thread

        _in_threads(remove, 2)
        _row(table, "removed", tree.stats())
        tree.stop_worker()  # which hands over what it has retired
        tree.consolidate()
        tree.collect()
        end = tree.stats()
        _row(table, "collected", end)
        tree.self_check()
        report.step("all are removed")
    wrong = []
    if end.size != 0:
        wrong.append(f"{end.size:,} keys are left")
    if end.pages > max(1, _MOST_PAGES * peak.pages):
        wrong.append(f"{end.pages:,} pages are left of {peak.pages:,}")
    if end.bytes_live > _MOST_BYTES * peak.bytes_live:
        wrong.append(f"{end.bytes_live:,} bytes are in use, {peak.bytes_live:,} at the peak")
    if end.bytes_reserved > max(_LEAST_RESERVED, _MOST_BYTES * peak.bytes_reserved):
        wrong.append(
            f"{end.bytes_reserved:,} bytes are reserved, {peak.bytes_reserved:,} at the peak"
        )
    return table, wrong


def _queue(live: int, operations: int, report: Reporter) -> tuple[Table, list[str]]:
    table = _table(f"a queue of {live:,} keys: {operations:,} puts at the right, as many pops")
    rounds: list[Stats] = []
    with BwTree() as tree:
        for i in range(live):
            tree[i] = i
        first = 0
        for number in range(1, _ROUNDS + 1):
            last = operations * number // _ROUNDS
            for i in range(first, last):
                tree[live + i] = i
                key, _ = tree.popitem(last=False)
                if key != i:
                    return table, [f"pop {i:,} of the queue gave key {key:,}"]
                if i % _BATCH == 0:
                    report.now(f"{i:,} of {operations:,} queue operations")
            first = last
            rounds.append(tree.stats())
            _row(table, f"after {last:,}", rounds[-1])
            report.step(f"round {number} of the queue")
        tree.self_check()
    wrong = []
    for name, slack in _SLACK.items():
        first_round, most = getattr(rounds[0], name), max(getattr(r, name) for r in rounds)
        if most > 1.25 * first_round + slack:
            wrong.append(f"{name} of the queue has grown from {first_round:,} to {most:,}")
    return table, wrong


def main(
    keys: Annotated[str, typer.Option(help="keys to fill in and remove")] = "1M",
    queue: Annotated[str, typer.Option(help="live keys of the queue")] = "100k",
    operations: Annotated[str, typer.Option(help="puts into the queue")] = "5M",
    seed: Annotated[int, typer.Option(min=0, help="of the random keys")] = 0,
) -> None:
    """Fill and empty a tree, and run a queue through one; show pages, page ids and memory.

    Example: python scripts/shrink.py --keys 10M --queue 100k --operations 100M
    """
    count, live, total = _count(keys), _count(queue), _count(operations)
    with progress("shrink", 2 + _ROUNDS) as report:
        shrunk, wrong = _shrink(count, seed, report)
        queued, more = _queue(live, total, report)
    output().print(shrunk)
    output().print(queued)
    for line in wrong + more:
        output().print(f"WRONG: {line}")
    if wrong or more:
        raise typer.Exit(1)


if __name__ == "__main__":
    try:
        typer.run(main)
    except KeyboardInterrupt:
        sys.exit(130)
