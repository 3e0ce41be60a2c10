"""One cell of the farm: a recorded run of a fresh tree, checked in full."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from model_check.console import output
from model_check.linearizability import check, what_is_wrong
from model_check.recorder import Run, RunFailed, Tree, save

if TYPE_CHECKING:
    from pathlib import Path

    from model_check.recorder import History
    from model_check.report import Scalar
    from model_check.stress.grid import Cell


def run_cell(cell: Cell, operations: int, folder: Path) -> dict[str, Scalar]:
    """Run and check ``cell`` and give a row; a bad history is saved in ``folder``.

    The row's ``outcome`` is "linearizable", "violation", "unknown" or "failed" (a call gave an
    error), ``problem`` is empty or says what is wrong and how to see it again.
    """
    begin = time.monotonic()
    replay = f"bwcheck stress --cell {cell.name} --cell-operations {operations}"
    row: dict[str, Scalar] = {"name": cell.name, "outcome": "failed", "operations": 0}
    try:
        with Tree(cell.tree()) as tree:
            with Run(tree, cell.workload(operations), tree_options=cell.tree()) as run:
                _fill(row, run.round(), cell, folder, replay)
                stats = tree.stats()
                row["run_seconds"] = round(run.seconds, 3)
            for name in ("splits", "merges", "consolidations", "appends_lost", "limbo_bytes"):
                row[name] = stats.get(name, 0)
    except (RunFailed, RuntimeError) as error:
        row["outcome"] = "failed"
        row["problem"] = f"{cell.name}: {error}; replay: {replay}"
    row["seconds"] = round(time.monotonic() - begin, 3)
    return row


def _fill(row: dict[str, Scalar], history: History, cell: Cell, folder: Path, replay: str) -> None:
    report = check(history)
    row["outcome"] = report.outcome.value
    row["operations"] = history.record_count()
    row["checked"] = report.operations if not report.reason else 0
    row["parts"] = report.parts
    row["overlapping"] = report.overlapping
    row["page_reads"] = report.pages.page_reads
    row["problem"] = ""
    if report.ok:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{cell.name}.bwh"
    save(history, path)
    what, picture = what_is_wrong(history, report)
    if picture is not None:
        output().print(picture)
    row["problem"] = f"{cell.name}: {what}; see it: bwcheck lin {path}; run it again: {replay}"
