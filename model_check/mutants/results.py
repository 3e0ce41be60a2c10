"""Cells that other commands have made already, and the file in which all cells are kept.

`bwcheck all` runs the mutants of specs, proofs, axioms, histories, and the defects of the explorer;
its summary has a row for each. They are taken from there and not run again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model_check.explorer.orders import Fate
from model_check.mutants import steps
from model_check.mutants.mutant import Cell, Mutant, Row
from model_check.mutants.registry import order_name
from model_check.report import CannotRun, Verdict, write_whole

#: What a table's cell is found by: the mutant's key and the checker.
Place = tuple[str, str]
Cells = dict[Place, Cell]

#: The table of this commit, which `bwcheck all` compares the mutants with.
KEPT = Path("docs/mutants.json")


def read_json(path: Path, what: str) -> Any:
    """Read a JSON file. Raises CannotRun with ``what`` it should be."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CannotRun(f"{path} cannot be read ({error}); {what}") from error


# ---- from the summary of `bwcheck all` ----


def _tlc(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    if row["expected"] != "pass":
        killed = row["verdict"] == "green"
        yield (
            f"spec: {row['config']}",
            Cell("tlc", killed, row["seconds"], row["result"] if killed else "", row["what"]),
        )


def _proofs(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    kind = {"mutant": "system", "conjunct": "conjunct"}.get(row["kind"])
    if kind is not None:
        killed = row["verdict"] == "green"
        by = row["result"] if killed else ""
        yield f"{kind}: {row['part']}: {row['name']}", Cell("z3", killed, row["seconds"], by)


def _litmus(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    if row.get("mutant"):
        killed = row["verdict"] == "green"
        by = f"{row['test']}: {row['outcomes']}" if killed else ""
        yield f"axiom: {row['mutant']}", Cell("litmus", killed, row["seconds"], by)


def _lin(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    if row.get("mutant"):
        by = f"{row['outcome']} in {row['operations']:,} operations" if row["killed"] else ""
        yield f"history: {row['name']}", Cell("histories", row["killed"], row["seconds"], by)


def _corrupted(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    if row["kind"] == "corrupted":
        killed = row["verdict"] == "green"
        by = row["result"] if killed else ""
        yield f"trace: {row['mutant']}", Cell("conform", killed, row["seconds"], by)


def _explore(row: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    killed = row["verdict"] not in {"survived", "nothing found"}
    if "mutant" in row and row["strategy"] is not None:
        what = f"{row['verdict']}, {row['executions']:,} executions" if killed else ""
        by = f"{row['case']} ({row['model']})" if killed else ""
        cell = Cell("explorer", killed, row["seconds"], by, what)
        yield f"engine: {row['mutant']}", cell
    elif row["case"] is not None and row["case"].startswith("must-fail") and "mutant" not in row:
        by = row["verdict"] if killed else ""
        yield (
            f"harness: {row['case']} ({row['model']})",
            Cell("explorer", killed, row["seconds"], by),
        )


_Rows = Sequence[Mapping[str, Any]]


def _each(
    reader: Callable[[Mapping[str, Any]], Iterator[tuple[str, Cell]]],
) -> Callable[[_Rows], Iterator[tuple[str, Cell]]]:
    """Read rows of which each speaks for itself."""
    return lambda rows: (found for row in rows for found in reader(row))


def _conform(rows: _Rows) -> Iterator[tuple[str, Cell]]:
    yield from _each(_corrupted)(rows)
    yield from steps.cells(rows)


#: Name of a section to what its rows say of mutants. A part with mutants of its own adds a line.
READERS: Mapping[str, Callable[[_Rows], Iterator[tuple[str, Cell]]]] = {
    "tlc": _each(_tlc),
    "proofs": _each(_proofs),
    "litmus": _each(_litmus),
    "lin": _each(_lin),
    "conform": _conform,
    "explore": _each(_explore),
}


def from_sections(sections: Sequence[Mapping[str, Any]]) -> Cells:
    """Take what the sections of a summary say of mutants."""
    cells: Cells = {}
    for section in sections:
        reader = READERS.get(str(section["name"]))
        # Of what could not run nothing was shown either way.
        rows = [row for row in section["rows"] if row.get("verdict") != Verdict.BROKEN.value]
        for key, cell in reader(rows) if reader is not None else ():
            cells[key, cell.checker] = cell
    return cells


# ---- from `bwcheck orders` ----


_PAGE_COLUMNS = 7


def _order_place(cells: Cells, file: str, function: str, code: str, change: str) -> Place:
    """Give the next free place of an order: two statements may read the same."""
    number = 0
    while True:
        place = (f"order: {order_name(file, function, code, change, number)}", "explorer")
        if place not in cells:
            return place
        number += 1


def _order_cells(rows: Sequence[Mapping[str, Any]]) -> Cells:
    cells: Cells = {}
    for row in rows:
        place = _order_place(cells, row["file"], row["function"], row["code"], row["change"])
        by = f"{row['case']} ({row['model']})" if row["killed"] else ""
        what = f"{row['finding']}, {row['executions']:,} executions" if row["killed"] else ""
        cells[place] = Cell("explorer", row["killed"], round(row["seconds"], 2), by, what)
    return cells


def from_orders(path: Path) -> Cells:
    """Take the file that `bwcheck orders --json` has written. Raises CannotRun."""
    written = read_json(path, "make it with `bwcheck orders --json FILE`")
    return _order_cells(written["rows"])


def from_page(page: str) -> Cells:
    """Take the page that `bwcheck orders --markdown` has written: it does not say the seconds."""
    cells: Cells = {}
    rows = [
        [part.strip().replace("\\|", "|") for part in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in page.splitlines()
        if re.match(r"\| [\w.]+\.(c|h|inc) \|", line)
    ]
    for row in rows:
        if len(row) != _PAGE_COLUMNS:
            continue
        file, function, code, change, by, finding, executions = row
        place = _order_place(cells, file, function, code.strip("`"), change)
        killed = executions != "–"
        what = f"{finding}, {executions} executions" if killed else ""
        cells[place] = Cell("explorer", killed, None, by.strip("`") if killed else "", what)
    return cells


def from_fates(fates: Sequence[Fate]) -> Cells:
    """Take what a run of all weakened orders has found."""
    return _order_cells(
        [asdict(fate.mutant) | asdict(fate) | {"killed": fate.killed} for fate in fates]
    )


# ---- kept ----


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write a table. Raises CannotRun."""
    document = [
        {name: part for name, part in asdict(row.mutant).items() if name != "also" or part}
        | {"cells": [asdict(cell) for cell in row.cells]}
        for row in rows
    ]
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in document)
    try:
        write_whole(path, f"[\n{lines}\n]\n")
    except OSError as error:
        raise CannotRun(f"cannot write {path} ({error.strerror}); choose another file") from error


def read_rows(path: Path = KEPT) -> list[Row]:
    """Read a table. Raises CannotRun."""
    hint = "make it with `bwcheck mutants`"
    try:
        return [
            Row(
                Mutant(
                    **{name: row[name] for name in ("kind", "name", "where", "digest")},
                    also=tuple(row.get("also", ())),
                ),
                tuple(Cell(**cell) for cell in row["cells"]),
            )
            for row in read_json(path, hint)
        ]
    except (KeyError, TypeError) as error:
        raise CannotRun(f"{path} is no table of mutants ({error}); {hint}") from error


def still_true(rows: Sequence[Row], mutants: Sequence[Mutant]) -> Cells:
    """Give the cells of those mutants that are as they were."""
    digests = {mutant.key: mutant.digest for mutant in mutants}
    return {
        (row.mutant.key, cell.checker): cell
        for row in rows
        if digests.get(row.mutant.key) == row.mutant.digest
        for cell in row.cells
    }
