"""The table of mutants: for the terminal, and as docs/mutants.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from model_check.explorer.orders import Accepted
from model_check.mutants.blind import KEPT_ALL_THE_SAME, only_by, reason
from model_check.mutants.engine import BUGS
from model_check.mutants.mutant import CHECKERS, KINDS, Kind, Row

_HEAD = """# The mutants, and who kills them

Made by `bwcheck mutants`: every deliberately broken spec, proof, axiom, engine and history of the
project, against each checker that reads what is broken. A checker that does not reject its
mutants has shown nothing; a mutant that nobody rejects is a gap. `make check` goes red when a
mutant has no row here, or when one of those that it runs is not killed.

A cell says after how many seconds the checker found the mutant, and what found it: a property, a
case of the catalogue, a program of `tests/c`, a step. *blind* has a number that leads to the
reason. Seconds are of one run on 2 cores beside other work, without the time of builds (but those
of `conform` with it).
"""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def overview(rows: Sequence[Row]) -> list[tuple[str, int, int, int]]:
    """Give each checker with the mutants that it ran on, killed, and killed alone."""
    ran: Counter[str] = Counter(cell.checker for row in rows for cell in row.cells)
    killed: Counter[str] = Counter(
        cell.checker for row in rows for cell in row.cells if cell.killed
    )
    alone = only_by(rows)
    return [(name, ran[name], killed[name], len(alone[name])) for name in CHECKERS if ran[name]]


def rich_overview(rows: Sequence[Row]) -> Table:
    """Draw who kills how many."""
    table = Table(box=SIMPLE_HEAD, title="mutants", title_justify="left", highlight=False)
    table.add_column("checker")
    for name in ("tried on", "kills", "alone"):
        table.add_column(name, justify="right")
    for checker, *figures in overview(rows):
        table.add_row(checker, *(str(figure) for figure in figures))
    return table


def rich_table(rows: Sequence[Row], kind: str) -> Table:
    """Draw mutant × checker of one kind."""
    checkers = KINDS[kind].columns
    table = Table(box=SIMPLE_HEAD, title=KINDS[kind].heading, title_justify="left", highlight=False)
    for name in ("mutant", *checkers):
        table.add_column(name, overflow="fold")
    for row in rows:
        if row.mutant.kind == kind:
            cells = (_short(row, checker) for checker in checkers)
            table.add_row(row.mutant.name.replace("[", "\\["), *cells)
    return table


def _short(row: Row, checker: str) -> str:
    cell = row.cell(checker)
    if cell is None:
        return "…" if checker in row.mutant.checkers else "–"
    if not cell.killed:
        return "blind"
    seconds = "" if cell.seconds is None else f"{cell.seconds:.1f} s, "
    by = cell.by.replace("[", "\\[")
    return f"[green]{seconds}{by}[/]"


class _Notes:
    """Reasons, each with a number, in the order in which they are met."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def number(self, text: str) -> int:
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text) + 1


def missing(row: Row, checker: str) -> str:
    """Say why a row has no cell of a checker."""
    if checker not in row.mutant.checkers:
        return "–"
    return "not tried" if row.needs(checker) else "as the C tests"


def _cell(row: Row, checker: str, accepted: Sequence[Accepted], notes: _Notes) -> str:
    cell = row.cell(checker)
    if cell is None:
        return missing(row, checker)
    if cell.killed:
        seconds = "" if cell.seconds is None else f"{cell.seconds:.1f} s: "
        by = cell.by if not cell.what or row.mutant.kind == "spec" else f"{cell.by}: {cell.what}"
        return _escaped(f"{seconds}{by}")
    why = reason(row, checker, accepted)
    return f"blind ({notes.number(why)})" if why else "**blind, not explained**"


def _part(kind: Kind, rows: Sequence[Row], accepted: Sequence[Accepted]) -> list[str]:
    mine = [row for row in rows if row.mutant.kind == kind.name]
    if not mine:
        return []
    killed = sum(row.killed for row in mine)
    notes = _Notes()
    lines = [
        f"## {kind.heading}",
        "",
        f"{kind.what} {killed} of {len(mine)} killed. {kind.others}",
        "",
        "| mutant | " + " | ".join(kind.columns) + " |",
        "|---|" + "---|" * len(kind.columns),
    ]
    for row in mine:
        cells = (_cell(row, checker, accepted, notes) for checker in kind.columns)
        lines.append(f"| {_name(row)} | {' | '.join(cells)} |")
    lines += [""]
    lines += [f"{i}. {_escaped(text)}" for i, text in enumerate(notes.reasons, 1)]
    return [*lines, ""] if notes.reasons else lines


def _name(row: Row) -> str:
    if row.mutant.kind == "spec":
        cell = row.cell("tlc")
        what = f": {cell.what}" if cell is not None and cell.what else ""
        return f"`{row.mutant.name}`{_escaped(what)}"
    name = _escaped(row.mutant.name)
    return f"{name} (`{row.mutant.where}`)" if row.mutant.kind == "engine" else name


def _bugs(rows: Sequence[Row]) -> list[str]:
    """Give the published bugs: in which tables they are, and who kills them there."""
    by_key = {row.mutant.key: row for row in rows}
    lines = [
        "## Published bugs of Bw-trees",
        "",
        "What others have found in OpenBw-Tree and its users, each broken on purpose in the",
        "specs, in the proofs where they have the step, and in the engine.",
        "",
        "| bug | spec | proofs | engine |",
        "|---|---|---|---|",
    ]
    for bug, where in BUGS.items():
        specs = ", ".join(_kills(by_key, f"spec: {name}") for name in where.spec) or "–"
        systems = (
            ", ".join(_kills(by_key, f"system: Structure: {name}") for name in where.system) or "–"
        )
        engine = _kills(by_key, f"engine: {where.engine}")
        lines.append(f"| {bug} | {specs} | {systems} | {engine} |")
    return [*lines, ""]


def _kills(rows: dict[str, Row], key: str) -> str:
    row = rows.get(key)
    if row is None:
        return f"**{_escaped(key)} is missing**"
    nobody = "**nobody**" if row.whole else "not tried yet"
    killers = ", ".join(cell.checker for cell in row.cells if cell.killed) or nobody
    return f"{_escaped(row.mutant.name)}: {killers}"


def as_markdown(rows: Sequence[Row], accepted: Sequence[Accepted]) -> str:
    """Give the page."""
    killed = sum(row.killed for row in rows)
    argued = sum(
        not row.killed and bool(reason(row, "explorer", accepted))
        for row in rows
        if row.mutant.kind == "order"
    )
    survive = sum(row.whole and not row.killed for row in rows) - argued
    lines = [
        _HEAD,
        f"**{len(rows)} mutants: {killed} killed, {argued} argued to be no mutants at all,",
        f"{survive} survive, {len(rows) - killed - argued - survive} are not tried in full yet.**",
        "",
        "| checker | what it does | tried on | kills | kills alone |",
        "|---|---|---:|---:|---:|",
    ]
    for checker, ran, kills, alone in overview(rows):
        lines.append(f"| {checker} | {CHECKERS[checker]} | {ran} | {kills} | {alone} |")
    lines += [""]
    lines += [f"{checker}: kept because {why}." for checker, why in KEPT_ALL_THE_SAME.items()]
    lines += [""] if KEPT_ALL_THE_SAME else []
    lines += _bugs(rows)
    for kind in KINDS.values():
        lines += _part(kind, rows, accepted)
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines) + "\n"
