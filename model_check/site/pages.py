"""The pages: templates filled with what the artefacts say.

Every figure that comes from the summary is written by one function, which marks it with where it is
from (`data-figure="tlc.states"`), so that a test can compare each of them with the file.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from model_check.explorer.catalogue_engine import CATALOGUE
from model_check.explorer.orders import Accepted
from model_check.mutants import blind
from model_check.mutants.engine import BUGS
from model_check.mutants.mutant import CHECKERS, KINDS, Row
from model_check.mutants.table import missing, overview
from model_check.site.coverage import ALL, Covered
from model_check.site.graphs import Drawing

TEMPLATES = Path(__file__).parent / "templates"
#: Page to its title, in the order of the navigation.
PAGES: Mapping[str, str] = {
    "index": "What is claimed",
    "specs": "Specs",
    "states": "State graphs",
    "proofs": "Proofs",
    "litmus": "Memory models",
    "histories": "Histories",
    "explorer": "Explorer",
    "mutants": "Mutants",
    "coverage": "Coverage",
}
#: What the parts of `bwcheck all` are called in the report; those that are not here by their name.
PARTS: Mapping[str, str] = {
    "tlc": "TLC explores the specs",
    "litmus": "Memory models against gold",
    "proofs": "z3 proves for any number",
    "conform": "Code and specs are one protocol",
    "lin": "Histories of every kind",
    "stress": "The stress farm",
    "explore": "The C, interleaving by interleaving",
    "mutants": "The table of mutants",
}


@dataclass(frozen=True)
class Material:
    """All that the pages are made of."""

    summary: Mapping[str, Any]
    mutants: Sequence[Row]
    accepted: Sequence[Accepted]
    drawings: Sequence[Drawing]
    covered: Sequence[Covered]
    mutate: Mapping[str, Any] | None
    source: str

    def section(self, name: str) -> Mapping[str, Any]:
        """Give a part of the summary; an empty one if it has not run."""
        for each in self.summary["sections"]:
            if each["name"] == name:
                return dict(each)
        return {"name": name, "verdict": "not run", "figures": {}, "rows": [], "problems": []}


def number(value: Any) -> str:
    """Write a number with thin spaces between thousands; floats with two digits."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return f"{value:,.2f}".replace(",", "\u202f")
    return str(value)


def _figure(material: Material, place: str) -> Markup:
    """Write the figure at ``section.name``, or ``totals.name``, or a field of the summary."""
    part, _, name = place.partition(".")
    if part == "totals":
        value = material.summary["totals"].get(name)
    elif name:
        value = material.section(part)["figures"].get(name)
    else:
        value = material.summary.get(part)
    return Markup('<span class="figure" data-figure="{}" data-value="{}">{}</span>').format(
        place, "" if value is None else value, number(value)
    )


def _slug(verdict: str) -> str:
    return {"green": "green", "red": "red"}.get(verdict, "other")


def _replays(section: Mapping[str, Any]) -> dict[str, str]:
    """Give the command that shows a must-fail of a part again, by the row's name."""
    if section["name"] == "tlc":
        return {
            row["config"]: f"bwcheck tlc -c {row['config']} --trace"
            for row in section["rows"]
            if row["expected"] != "pass"
        }
    texts = {case.name: case.text for case in CATALOGUE}
    return {
        row["case"]: f"bwcheck engine {shlex.quote(row['case'])} # {texts.get(row['case'], '')}"
        for row in section["rows"]
        if row.get("case") in texts
    }


def _coverage_table(covered: Sequence[Covered]) -> tuple[list[str], list[dict[str, Any]]]:
    """Give the kinds of evidence, and a row for each file with their shares; the sum first."""
    kinds = list(dict.fromkeys(each.evidence for each in covered))
    files = sorted({each.file for each in covered})
    rows = []
    for file in ["", *files]:
        cells = {}
        for kind in kinds:
            mine = [c for c in covered if c.evidence == kind and file in {"", c.file}]
            cells[kind] = {
                "lines": _share(sum(c.lines_reached for c in mine), sum(c.lines for c in mine)),
                "branches": _share(
                    sum(c.branches_reached for c in mine), sum(c.branches for c in mine)
                ),
            }
        rows.append({"file": file or "all of impl/src", "cells": cells})
    return kinds, rows


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"part": part, "whole": whole, "percent": 100 * part / whole if whole else None}


def _mutant_pages(material: Material) -> list[dict[str, Any]]:
    """Give the kinds of mutants with their rows, cells and reasons."""
    pages = []
    for kind in KINDS.values():
        mine = [row for row in material.mutants if row.mutant.kind == kind.name]
        if not mine:
            continue
        rows = []
        for row in mine:
            cells = []
            for checker in kind.columns:
                cell = row.cell(checker)
                why = blind.reason(row, checker, material.accepted)
                cells.append({"cell": cell, "why": why, "missing": missing(row, checker)})
            rows.append({"mutant": row.mutant, "cells": cells})
        killed = sum(row.killed for row in mine)
        pages.append({"kind": kind, "rows": rows, "killed": killed})
    return pages


def _bugs(material: Material) -> list[dict[str, Any]]:
    rows = {row.mutant.key: row for row in material.mutants}
    found = []
    for bug, where in BUGS.items():
        keys = [
            *(f"spec: {name}" for name in where.spec),
            *(f"system: Structure: {name}" for name in where.system),
            f"engine: {where.engine}",
        ]
        found.append({"bug": bug, "rows": [rows[key] for key in keys if key in rows]})
    return found


def environment() -> jinja2.Environment:
    """Give the templates."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    made.filters["slug"] = _slug
    return made


def fill(material: Material) -> dict[str, str]:
    """Give each page's text by its file's name."""
    templates = environment()
    kinds, table = _coverage_table(material.covered)
    shared = {
        "summary": material.summary,
        "material": material,
        "section": material.section,
        "figure": lambda place: _figure(material, place),
        "pages": PAGES,
        "parts": PARTS,
        "replays": _replays,
        "style": Markup((TEMPLATES / "style.css").read_text("utf-8")),  # noqa: S704 - ours
        "checkers": CHECKERS,
        "overview": overview(material.mutants),
        "kinds": _mutant_pages(material),
        "bugs": _bugs(material),
        "drawings": [
            {"drawing": each, "svg": Markup(each.svg)}  # noqa: S704 - escaped by graphs.py
            for each in material.drawings
        ],
        "coverage_kinds": kinds,
        "coverage": table,
        "all_together": ALL,
    }
    return {
        f"{page}.html": templates.get_template(f"{page}.html").render(
            **shared, page=page, title=title
        )
        for page, title in PAGES.items()
    }
