"""The cells of the farm as tests, so that pytest-xdist spreads them over processes.

Run by :mod:`model_check.stress.farm`, which says through the environment which cells there are
and where each row of results goes.
"""

from __future__ import annotations

import faulthandler
import json
import os
from pathlib import Path

import pytest

from model_check.stress.cell import run_cell
from model_check.stress.grid import Cell

PLAN = "BWTREE_STRESS_PLAN"


def _plan() -> dict[str, object]:
    path = os.environ.get(PLAN)
    if path is None:
        return {"cells": [], "operations": 0, "folder": "."}
    plan: dict[str, object] = json.loads(Path(path).read_text(encoding="utf-8"))
    return plan


#: Seconds in which a cell of a million operations ends many times over. A tree whose threads never
#: come back hangs in C, where no exception reaches it: the process is ended, which the farm sees.
_PATIENCE = 60.0

_cells = _plan()["cells"]


@pytest.mark.parametrize("name", _cells if isinstance(_cells, list) else [])
def test_every_operation_of_the_cell_is_explained(name: str) -> None:
    """Run one cell, write its row, and demand that its history is linearizable."""
    plan = _plan()
    folder, operations = Path(str(plan["folder"])), int(str(plan["operations"]))
    faulthandler.dump_traceback_later(_PATIENCE * max(1, operations / 1e6), exit=True)
    try:
        row = run_cell(Cell.parse(name), operations, folder / "histories")
    finally:
        faulthandler.cancel_dump_traceback_later()
    part = folder / f".{name}"
    part.write_text(json.dumps(row), encoding="utf-8")
    part.replace(folder / f"{name}.json")  # whole or not at all: the farm is watching
    assert row["outcome"] == "linearizable", row["problem"]
