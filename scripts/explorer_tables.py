"""Write docs/explorer-programs.md: what the explorer ran over the engine, from a check's summary.

    make check && python scripts/explorer_tables.py build/check/summary.json

One table of the programs explored to the end, one of those within a bound or by random walks, one
of the defects that must be found. Exit status: 0, or 2 (no such file, or no such part in it).
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer

from model_check.explorer.catalogue_engine import named

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explorer-programs.md"
_HEAD = """# The explorer's programs over the engine

Written by `python scripts/explorer_tables.py build/check/summary.json` from the figures of a
`make check`; how the explorer works is in [explorer.md](explorer.md), larger budgets are those of
`make check-deep`.

## Explored to the end

Executions, all there are (no compare-and-swap fails without a reason), and seconds by the clock,
two processes at once; "the first N": ended there (order-by-a-third), or by the finding
(must-fail-…).
Where a model has no figure, the program is in the next table for it.

| case | program | sc | rc11 |
|---|---|---:|---:|
"""
_BOUNDED = """
## Within a bound

Every execution within the bound (all), or so many of them; random walks and PCT are counted
together. A plan that stops a thread for ever tries each of its steps.

| case | program | sc | rc11 |
|---|---|---|---|
"""
_DEFECTS = """
## Defects that must be found

The engine is broken in one place of `impl/src` at a time (`model_check/explorer/mutants.py`); the
cases that are about that place are tried first, then all others. Seconds are by the clock, without
the build. Length: steps (plain accesses included) and preemptions of the counterexample as it was
found, and of the simplest one.

| defect | found by | model | finding | executions | seconds | as found | simplest |
|---|---|---|---|---:|---:|---:|---:|
"""


def page(rows: list[dict[str, Any]]) -> str:
    """Give the page for the rows of a summary's explorer part."""
    plans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if "mutant" not in row:
            plans[row["case"]].append(row)
    ended, bounded = [], []
    for case, tried in plans.items():
        program = f"`{named(case).text}`"
        whole = {row["model"]: row for row in tried if row["strategy"] == "exhaustive"}
        cells = [_whole(whole.get(model)) for model in ("sc", "rc11")]
        if any(cells):
            ended.append(f"| {case} | {program} | {cells[0]} | {cells[1]} |")
        others = [
            _parts([row for row in tried if row["model"] == model and model not in whole])
            for model in ("sc", "rc11")
        ]
        if any(others):
            bounded.append(f"| {case} | {program} | {others[0]} | {others[1]} |")
    defects = [_defect(row) for row in rows if "mutant" in row]
    parts = (_HEAD, *_lines(ended), _BOUNDED, *_lines(bounded), _DEFECTS, *_lines(defects))
    return "".join(parts)


def _lines(lines: list[str]) -> list[str]:
    return [f"{line}\n" for line in lines]


def _whole(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    count = f"{row['executions']:,}"
    return f"{count if row['exhaustive'] else f'the first {count}'} ({row['seconds']:.2f} s)"


def _parts(rows: list[dict[str, Any]]) -> str:
    """Say what was done within bounds; random walks and PCT are counted together."""
    said = []
    walks = sum(row["executions"] for row in rows if row["strategy"] in {"random", "pct"})
    for row in rows:
        if row["strategy"] not in {"random", "pct"}:
            count = f"{row['executions']:,}"
            said.append(f"{row['bound']}: {f'all {count}' if row['exhaustive'] else count}")
    if walks:
        said.append(f"{walks:,} walks")
    return "; ".join(said)


def _defect(row: dict[str, Any]) -> str:
    found = f"{row['found_steps']:,}, {row['found_preemptions']}"
    shrunk = f"{row['shrunk_steps']:,}, {row['shrunk_preemptions']}"
    return (
        f"| {row['mutant']} | {row['case']} | {row['model']} | {row['verdict']} | "
        f"{row['executions']:,} | {row['seconds']:.2f} | {found} | {shrunk} |"
    )


def main(
    summary: Annotated[Path, typer.Argument(metavar="FILE", help="A check's summary.json.")],
) -> None:
    """Write docs/explorer-programs.md from the explorer's part of a summary.

    Example: python scripts/explorer_tables.py build/check/summary.json
    """
    try:
        document = json.loads(summary.read_text(encoding="utf-8"))
        rows = next(part["rows"] for part in document["sections"] if part["name"] == "explore")
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise typer.BadParameter(
            f"{summary} is not the summary of a check with the explorer in it "
            f"({type(error).__name__}); run make check, and give build/check/summary.json"
        ) from error
    PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
