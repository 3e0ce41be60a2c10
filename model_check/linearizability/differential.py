"""Do all algorithms and three oracles agree? On as many random small histories as one likes.

differential.h makes each history from a seed and its number and compares the forced order, the
search breadth first, the search depth first and a trial of all orders. Every ``python_every``-th
history is also judged by the search in Python, every ``z3_every``-th by z3 (oracle.py).

    .venv/bin/python -m model_check.linearizability.differential --histories 10M
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_check.linearizability.oracle import encoded, linearizable
from model_check.linearizability.parts import from_native
from model_check.recorder.native import ffi, lib
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from model_check.linearizability.parts import Part

_SLICE = 100_000
_WAYS = ("forced order", "search breadth first", "search depth first", "all orders")


@dataclass
class Figures:
    """How many histories were compared, and what they were."""

    compared: int = 0
    right: int = 0  #: linearizable
    forced: int = 0  #: judged by the forced order, too
    never_returned: int = 0  #: with a call that never returned
    by_python: int = 0
    by_z3: int = 0
    dispute: str = ""  #: the history on which they disagree; empty if they never did


def random_parts(seed: int, number: int) -> tuple[list[Part], int | None]:
    """Give history ``number`` of ``seed``, and the state that it begins in."""
    native = ffi.new("lin_part[]", lib.LIN_RANDOM_PARTS)
    state = ffi.new("lin_state *")
    count = lib.lin_random_parts(seed, number, native, state)
    parts = [from_native(part) for part in native[0:count]]
    return parts, int(state.value) if state.present else None


def compare(
    seed: int,
    histories: int,
    *,
    python_every: int = 0,
    z3_every: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Figures:
    """Compare the first ``histories`` of ``seed``; ends at the first disagreement."""
    figures = Figures()
    native = ffi.new("lin_comparison *")
    for first in range(0, histories, _SLICE):
        last = min(first + _SLICE, histories)
        result = lib.lin_compare(seed, first, last, native)
        if result == -2:
            raise CannotRun("out of memory")
        figures.compared += int(native.compared)
        figures.right += int(native.right)
        figures.forced += int(native.forced)
        figures.never_returned += int(native.open)
        if result != 0:
            figures.dispute = _dispute(seed, native)
            return figures
        for number in range(first, last):
            if not _oracles_agree(seed, number, python_every, z3_every, figures):
                return figures
        if progress is not None:
            progress(last)
    return figures


def _oracles_agree(
    seed: int, number: int, python_every: int, z3_every: int, figures: Figures
) -> bool:
    python = python_every > 0 and number % python_every == 0
    z3 = z3_every > 0 and number % z3_every == 0
    if not python and not z3:
        return True
    native = ffi.new("lin_comparison *")
    lib.lin_compare(seed, number, number + 1, native)
    parts, initial = random_parts(seed, number)
    said = bool(native.right)
    for name, wanted, oracle in (("Python", python, linearizable), ("z3", z3, encoded)):
        if wanted and oracle(parts, initial) != said:
            figures.dispute = f"history {number} of seed {seed}: {name} says otherwise: {parts}"
            return False
    figures.by_python += python
    figures.by_z3 += z3
    return True


def _dispute(seed: int, native: Any) -> str:
    number = int(native.disputed)
    parts, initial = random_parts(seed, number)
    what = "verdicts" if native.what == 0 else f"the order of the {_WAYS[native.what - 1]}"
    said = ", ".join(
        f"{way} {verdict}" for way, verdict in zip(_WAYS, native.verdicts, strict=True)
    )
    return f"history {number} of seed {seed}: {what}: {said}: {parts} from {initial}"


def _count(text: str) -> int:
    units = {"k": 1_000, "M": 1_000_000}
    return int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)


def main() -> int:
    """Run the comparison; 1 if there is a dispute."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("--histories", type=_count, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--python-every", type=int, default=20, metavar="N")
    parser.add_argument("--z3-every", type=int, default=20_000, metavar="N")
    options = parser.parse_args()
    begin = time.monotonic()
    figures = compare(
        options.seed,
        options.histories,
        python_every=options.python_every,
        z3_every=options.z3_every,
        progress=lambda done: print(f"\r{done:,}", end="", flush=True),
    )
    print(
        f"\r{figures.compared:,} histories of seed {options.seed} in "
        f"{time.monotonic() - begin:.0f} s: {figures.right:,} linearizable, "
        f"{figures.forced:,} with a forced order, {figures.never_returned:,} with calls that never "
        f"returned; {figures.by_python:,} also by Python, {figures.by_z3:,} by z3"
    )
    print(figures.dispute or "no disagreement")
    return 1 if figures.dispute else 0


if __name__ == "__main__":
    raise SystemExit(main())
