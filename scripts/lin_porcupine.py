"""Compare the general search with Porcupine, on the same histories, in one run.

    nice -n -10 .venv/bin/python scripts/lin_porcupine.py

Needs a Go toolchain, whose own client fetches Porcupine (scripts/porcupine/go.mod). The histories
are of one register with reads, blind writes and compare-and-set of few values, so that nothing
forces an order; both run on one thread, and processor time counts. Exit status 1 if they disagree,
or if Porcupine decides a history and the search does not; 2 without a Go toolchain.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from model_check.linearizability import LIMIT, Operation
from model_check.linearizability.models import Register
from model_check.linearizability.objects import ObjectJudge
from model_check.linearizability.parts import to_native, to_states
from model_check.recorder.native import ffi, lib

_HERE = Path(__file__).resolve().parent / "porcupine"


class Shape(NamedTuple):
    """Of a history: calls, clients, different values, and whether a read is wrong."""

    calls: int
    clients: int
    values: int
    wrong: bool


def history(shape: Shape, seed: int) -> list[Operation]:
    """Give a history that is right by construction, or has one read spoilt near its end."""
    dice = random.Random(seed)
    state, calls = 0, []
    for i in range(shape.calls):
        at = 100 * i + 5000
        begin = at - dice.randint(0, 50 * (shape.clients - 1))
        end = at + dice.randint(0, 50 * (shape.clients - 1))
        kind = dice.random()
        value = dice.randrange(shape.values)
        if kind < 0.4:
            calls.append(Operation(i, "read", None, state, begin, end))
        elif kind < 0.7:
            calls.append(Operation(i, "write", value, None, begin, end))
            state = value
        else:
            took = value == state
            calls.append(Operation(i, "cas", (value, (value + 1) % shape.values), took, begin, end))
            state = (value + 1) % shape.values if took else state
    if shape.wrong:
        at = max(i for i, c in enumerate(calls[: shape.calls * 9 // 10]) if c.name == "read")
        calls[at] = replace(calls[at], result=shape.values)  # never written
    return calls


def line(call: Operation) -> str:
    """Write a call as main.go reads it."""
    times = f"{call.process} {call.invoked} {call.responded}"
    if call.name == "read":
        return f"{times} r 0 0 {call.result}\n"
    if call.name == "write":
        return f"{times} w {call.argument} 0 0\n"
    assert isinstance(call.argument, tuple)
    return f"{times} c {call.argument[0]} {call.argument[1]} {int(bool(call.result))}\n"


def ours(calls: list[Operation], seconds: int) -> tuple[str, float]:
    """Give the verdict and the processor time of the search."""
    with ObjectJudge(Register(0), calls, LIMIT, seconds) as judge:
        parts, states = to_native(judge.parts), to_states([judge.initial])
        failed = ffi.new("uint64_t *")
        begin = time.process_time()
        verdict = lib.lin_object_judge(
            judge.native, parts, len(judge.parts), states, 1, failed, ffi.NULL
        )
        spent = time.process_time() - begin
    return {lib.LIN_OK: "Ok", lib.LIN_VIOLATION: "Illegal"}.get(verdict, "Unknown"), spent


def porcupine(program: Path, files: list[Path], seconds: int) -> list[tuple[str, float]]:
    """Give the same of Porcupine."""
    run = subprocess.run(
        [program, str(seconds), *map(str, files)], check=True, capture_output=True, text=True,
        env={**os.environ, "GOMAXPROCS": "1"},
    )  # fmt: skip
    rows = [row.split() for row in run.stdout.splitlines()]
    return [(verdict, float(spent)) for verdict, spent in rows]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each history and checker")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    go = shutil.which("go")
    if go is None:
        print("there is no Go toolchain (go) on the PATH: install one to compare", file=sys.stderr)
        return 2
    shapes = [
        Shape(calls, clients, values, wrong)
        for calls, clients, values in (
            (1_000, 2, 5), (10_000, 2, 5), (1_000, 5, 5), (10_000, 5, 5), (10_000, 5, 100),
            (1_000, 10, 5), (10_000, 10, 100), (1_000, 20, 20), (200, 40, 5),
        )
        for wrong in (False, True)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "porcupine_times"
        subprocess.run([go, "build", "-o", program, "."], cwd=_HERE, check=True)
        made = [history(shape, options.seed + i) for i, shape in enumerate(shapes)]
        files = []
        for i, calls in enumerate(made):
            files.append(folder / f"{i}.txt")
            files[-1].write_text("".join(map(line, calls)), encoding="ascii")
        theirs = porcupine(program, files, options.seconds)
    return report(shapes, [ours(calls, options.seconds) for calls in made], theirs)


def report(
    shapes: list[Shape], mine: list[tuple[str, float]], theirs: list[tuple[str, float]]
) -> int:
    """Print a row for each history; 1 if there is something wrong with ours."""
    print("| calls | clients | values | history | search | ms | Porcupine | ms | times faster |")
    print("|---:|---:|---:|---|---|---:|---|---:|---:|")
    ratios, bad = [], 0
    for shape, (verdict, spent), (other, taken) in zip(shapes, mine, theirs, strict=True):
        both = "Unknown" not in {verdict, other}
        ratio = max(taken, 1e-6) / max(spent, 1e-6)
        ratios += [ratio] if both else []
        bad += (both and verdict != other) or (verdict == "Unknown" and other != "Unknown")
        print(
            f"| {shape.calls:,} | {shape.clients} | {shape.values} "
            f"| {'wrong' if shape.wrong else 'right'} | {verdict} | {1000 * spent:.2f} "
            f"| {other} | {1000 * taken:.2f} | {f'{ratio:.1f}' if both else '-'} |"
        )
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 0
    decided = sum(verdict != "Unknown" for verdict, _ in mine)
    others = sum(verdict != "Unknown" for verdict, _ in theirs)
    print(
        f"geometric mean {mean:.1f} over {len(ratios)} that both decided; decided: search "
        f"{decided}, Porcupine {others} of {len(shapes)}; {bad} to the search's discredit"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
