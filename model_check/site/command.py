"""`bwcheck report`: the verification report as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from model_check.console import diagnostics, output
from model_check.explorer.orders import read_accepted
from model_check.mutants.results import KEPT, read_json, read_rows
from model_check.mutate.command import read_result
from model_check.report import SCHEMA, CannotRun
from model_check.site import coverage, graphs
from model_check.site.pages import Material, fill
from model_check.tlc.command import DEFAULT_SPEC
from model_check.tlc.suite import discover
from model_check.tlc.tools import find_toolchain

DEFAULT_SUMMARY = Path("build/check/summary.json")
DEFAULT_FOLDER = Path("build/report")


def report(
    summary: Annotated[
        Path, typer.Option(metavar="FILE", help="The summary of `bwcheck all`.")
    ] = DEFAULT_SUMMARY,
    folder: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Where the site is written.")
    ] = DEFAULT_FOLDER,
    measure: Annotated[
        bool,
        typer.Option(
            "--coverage/--no-coverage",
            help="Measure the coverage of the C if that was not done for these sources.",
        ),
    ] = True,
    draw: Annotated[
        bool, typer.Option("--graphs/--no-graphs", help="Draw state graphs (TLC runs for them).")
    ] = True,
) -> None:
    """Write the verification report: what is claimed, by what evidence, within which bounds.

    It is made of the summary of `bwcheck all`, the table of mutants, coverage by gcov, and state
    graphs of the smallest configurations of the specs. It needs no network to be read.

    Example: bwcheck report --to build/report

    Exit codes: 0 written, 2 could not run.
    """
    material = gather(summary, measure=measure, draw=draw)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in fill(material).items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write the report to {folder} ({error.strerror}); choose another --to"
        raise CannotRun(message) from error
    output().print(f"the report is {folder / 'index.html'}", markup=False, soft_wrap=True)


def gather(summary: Path, *, measure: bool, draw: bool) -> Material:
    """Read the artefacts, and make those that are missing. Raises CannotRun."""
    written = read_summary(summary)
    covered = coverage.read()
    if measure and not covered:
        covered = coverage.measure()
        coverage.write(covered)
    return Material(
        summary=written,
        mutants=read_rows(KEPT),
        accepted=read_accepted(),
        drawings=_drawings(written) if draw else [],
        covered=covered,
        mutate=read_result(),
        source=str(summary),
    )


def read_summary(path: Path) -> Any:
    """Read the summary. Raises CannotRun if it is missing or of another format."""
    if not path.is_file():
        raise CannotRun(f"there is no {path}; make it with `make check`, then `make report`")
    written = read_json(path, "make it with `make check`")
    if written.get("schema") != SCHEMA:
        raise CannotRun(f"{path} has the format {written.get('schema')}, and {SCHEMA} is wanted")
    return written


def _drawings(written: Any) -> list[graphs.Drawing]:
    sections = {section["name"]: section for section in written["sections"]}
    if "tlc" not in sections:
        return []
    names = graphs.smallest(sections["tlc"]["rows"])
    configs = {config.name: config for config in discover(DEFAULT_SPEC)}
    tools = find_toolchain()
    drawn = []
    for name in names:
        if name in configs:
            diagnostics().print(f"drawing {name}", markup=False)
            graph = graphs.explore(configs[name], tools)
            drawn.append(graphs.draw(name, configs[name].what, graph))
    return drawn
