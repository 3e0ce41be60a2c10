"""Large batches of numpy keys: what the Python package adds to the C library's time.

    python scripts/bench/bench_numpy.py
    python scripts/bench/bench_numpy.py --keys 1000000 --batch 100000 --json FILE

One tree, one thread. In each round the same keys go to the C library in one call (bw_get_many,
bw_put_many, with the arrays' addresses) and through BwTree.get_many and put_many, the two beginning
by turns; every answer is checked. Printed: ns a key, medians of the rounds, and the median of the
rounds' ratios Python : C with their least and greatest. Exit status: 0, 1 (a wrong answer), 2.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import bench_report
import typer
from rich.table import Table

from model_check.console import diagnostics, output
from model_check.report import CannotRun, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

_WRONG, _CANNOT = 1, 2
_KINDS = {
    "get_many": "get, keys in random order",
    "put_many": "put, keys in random order",
    "put_many_sorted": "put, ascending keys",
}


class Wrong(Exception):
    """A batch gave another answer than it must."""


def _numpy() -> tuple[Any, Any, Any, Any]:
    """Give numpy, BwTree and the package's way to the C library."""
    try:
        import numpy as np  # noqa: PLC0415

        from bwtree import BwTree  # noqa: PLC0415
        from bwtree._native import ffi, lib  # noqa: PLC0415
    except ImportError as error:
        message = f"{error.name} is not installed: run `make .venv`, which installs it"
        raise CannotRun(message) from error
    return np, BwTree, ffi, lib


class Batches:
    """A tree of ``count`` keys, and the calls that are compared."""

    def __init__(self, count: int, batch: int) -> None:
        """Fill the tree. Raises CannotRun where numpy or the package is missing."""
        self.np, tree_of, self.ffi, self.lib = _numpy()
        self.batch = batch
        self.keys = self.np.arange(count, dtype="u8") * 0x9E3779B97F4A7C15  # scrambled
        self.tree = tree_of()
        self.out = self.np.empty(batch, "u8")
        self.present = self.np.empty(batch, "?")
        self.hits = self.ffi.new("size_t *")
        self.inserted = self.ffi.new("size_t *")
        fresh = self.tree.put_many(self.keys, self.keys ^ 1)
        if fresh != count:
            raise Wrong(f"{count} fresh keys were put, and put_many counted {fresh}")

    def address(self, kind: str, array: Any) -> Any:
        """Give the C library's pointer to an array's numbers."""
        return self.ffi.cast(kind, array.ctypes.data)

    def in_c(self, kind: str, keys: Any, values: Any) -> int:
        """Do a batch in one call of the C library; give hits, or how many keys were absent."""
        tree, count = self.tree._tree, len(keys)  # noqa: SLF001
        wanted = self.address("uint64_t *", keys)
        if kind == "get_many":
            out, flags = self.address("uint64_t *", self.out), self.address("bool *", self.present)
            self.lib.bw_get_many(tree, wanted, count, out, flags, self.hits)
            return int(self.hits[0])
        given = self.address("uint64_t *", values)
        self.lib.bw_put_many(tree, wanted, given, count, self.ffi.NULL, self.inserted)
        return int(self.inserted[0])

    def in_python(self, kind: str, keys: Any, values: Any) -> int:
        """Do the same through the package."""
        if kind == "get_many":
            found = self.tree.get_many(keys, out=self.out, present=self.present)
            return int(found.hits)
        return int(self.tree.put_many(keys, values))

    def round(self, kind: str, number: int) -> tuple[float, float]:
        """Time a batch both ways; ns a key in C and in Python."""
        chance = self.np.random.default_rng(number)
        keys = self.keys[chance.integers(0, len(self.keys), self.batch)]
        if kind == "put_many_sorted":
            keys = self.np.sort(keys)
        values = keys ^ 1
        expected = len(keys) if kind == "get_many" else 0
        took = {}
        ways: list[Callable[[str, Any, Any], int]] = [self.in_c, self.in_python]
        for way in ways if number % 2 == 0 else reversed(ways):
            self.out[:] = 0
            begin = time.perf_counter()
            got = way(kind, keys, values)
            took[way.__name__] = (time.perf_counter() - begin) * 1e9 / len(keys)
            if got != expected or (kind == "get_many" and not (self.out == values).all()):
                raise Wrong(f"{way.__name__}: {kind} of {len(keys)} keys, seed {number}")
        return took["in_c"], took["in_python"]


def measure(keys: int, batch: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Measure every kind of batch; for each round ns a key in C and in Python."""
    batches = Batches(keys, batch)
    found = {}
    for kind in _KINDS:
        batches.round(kind, rounds)  # warms up
        found[kind] = [batches.round(kind, number) for number in range(rounds)]
    return found


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    *,
    keys: Annotated[int, typer.Option(min=1000, help="Keys in the tree.")] = 10_000_000,
    batch: Annotated[int, typer.Option(min=1000, help="Keys of a call.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=5, help="How often each is timed.")] = 11,
    json_file: Annotated[Path | None, typer.Option("--json", help="Result file.")] = None,
) -> None:
    """Compare batches of numpy keys in Python with the same calls in C."""
    try:
        found = measure(keys, batch, rounds)
        machine = bench_report.machine()
        document = {
            "machine": machine,
            "keys": keys,
            "batch": batch,
            "ns_a_key": {kind: [list(pair) for pair in pairs] for kind, pairs in found.items()},
        }
        if json_file is not None:
            write_json(json_file, document)
    except Wrong as error:
        diagnostics().print(f"bench_numpy: wrong answer: {error}", style="red", markup=False)
        raise typer.Exit(_WRONG) from error
    except CannotRun as error:
        diagnostics().print(f"bench_numpy: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error
    title = f"{keys:,} keys, batches of {batch:,}, {rounds} rounds"
    table = Table(title=title, title_justify="left", highlight=False)
    table.add_column("ns a key")
    for column in ("C", "Python", "Python : C"):
        table.add_column(column, justify="right")
    for kind, pairs in found.items():
        ratios = [python / c for c, python in pairs]
        table.add_row(
            _KINDS[kind],
            f"{statistics.median(c for c, _ in pairs):.1f}",
            f"{statistics.median(python for _, python in pairs):.1f}",
            f"× {statistics.median(ratios):.3f} ({min(ratios):.2f}–{max(ratios):.2f})",
        )
    output().print(table)


if __name__ == "__main__":
    app()
