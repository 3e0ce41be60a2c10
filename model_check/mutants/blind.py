"""Why a checker does not see a mutant of a kind that it reads, mutant by mutant.

A blind cell without a sentence here is a problem, and so is a sentence about a cell that is not
blind: then the checker has become better, or the sentence was wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model_check.explorer.orders import Accepted
from model_check.mutants.mutant import CHECKERS, Row
from model_check.mutants.registry import order_name

#: Checker to mutant's name to the reason.
BLIND: Mapping[str, Mapping[str, str]] = {}

#: Why a checker stays although others kill all that it kills; checker to the reason.
KEPT_ALL_THE_SAME: Mapping[str, str] = {}


def reason(row: Row, checker: str, accepted: Sequence[Accepted]) -> str:
    """Give why ``checker`` is blind to the row's mutant; empty if nobody has said."""
    if row.mutant.kind == "order":
        for each in accepted:
            name = order_name(each.file, each.function, each.code, each.change, 0)
            if name == row.mutant.name:
                return each.reason
    return BLIND.get(checker, {}).get(row.mutant.name, "")


def problems(rows: Sequence[Row], accepted: Sequence[Accepted]) -> list[str]:
    """Say what is not as it must be in a whole table."""
    said = []
    for row in rows:
        argued = row.mutant.kind == "order" and bool(reason(row, "explorer", accepted))
        if not row.killed and not argued:
            said.append(f"{row.mutant.key} ({row.mutant.where}): no checker kills it")
        said += [
            f"{row.mutant.key}: {cell.checker} does not see it, and nobody says why: see blind.py"
            for cell in row.cells
            if not cell.killed and not reason(row, cell.checker, accepted)
        ]
        said += [
            f"{row.mutant.key}: {cell.checker} kills it ({cell.by}), but blind.py says why not"
            for cell in row.cells
            if cell.killed and row.mutant.name in BLIND.get(cell.checker, {})
        ]
    names = {row.mutant.name for row in rows}
    said += [
        f"blind.py speaks of {name!r}, which is no mutant"
        for reasons in BLIND.values()
        for name in reasons
        if name not in names
    ]
    alone = only_by(rows)
    used = {cell.checker for row in rows for cell in row.cells}
    for checker in CHECKERS:
        if checker in used and not alone[checker] and checker not in KEPT_ALL_THE_SAME:
            said.append(f"{checker} kills no mutant that no other kills: why is it kept?")
    return said


def only_by(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Give, for each checker, the mutants that no other kills."""
    alone: dict[str, list[str]] = {checker: [] for checker in CHECKERS}
    for row in rows:
        killers = [cell.checker for cell in row.cells if cell.killed]
        if len(killers) == 1:
            alone[killers[0]].append(row.mutant.name)
    return alone
