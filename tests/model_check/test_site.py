"""The report: its figures are the summary's, it needs nothing else, and a browser shows it."""

from __future__ import annotations

import html
import json
import re
import subprocess
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from model_check.mutants.mutant import Cell, Mutant, Row
from model_check.proofs.graph import read
from model_check.report import CannotRun, Scalar, Section, Verdict, document
from model_check.site.command import read_summary
from model_check.site.coverage import ALL, Covered
from model_check.site.coverage import KINDS as COVERAGE_KINDS
from model_check.site.graphs import draw, smallest
from model_check.site.layout import distances, lay_out
from model_check.site.pages import PAGES, Material, fill, number
from tests.browser import find_chromium

_DOT = r"""strict digraph DiskGraph {
1 [label="/\\ x = 0",style = filled]
1 -> 2 [label="Up",color="black"];
2 [label="/\\ x = 1"];
1 -> 3 [label="Jump",color="black"];
3 [label="/\\ x = 2"];
2 -> 3 [label="Up",color="black"];
3 -> 1 [label="Back",color="black"];
}"""


def _sections() -> list[Section]:
    rows: list[dict[str, Scalar]] = [
        {"config": "MCA", "what": "All < some & none.", "tier": "check", "expected": "pass",
         "result": "pass", "states": 1234, "distinct_states": 3, "depth": 3, "traces": 0,
         "trace_depth": 0, "seconds": 1.5, "verdict": "green"},
        {"config": "MCA_fail_x", "what": "x", "tier": "check", "expected": "violates P",
         "result": "violates P", "states": 5, "distinct_states": 4, "depth": 2, "traces": 0,
         "trace_depth": 0, "seconds": 0.5, "verdict": "green"},
    ]  # fmt: skip
    figures = {"configs": 2, "states": 1239, "distinct_states": 7, "mutants": 1}
    return [
        Section("tlc", Verdict.GREEN, {**figures, "mutants_killed": 1}, rows, 2.0),
        Section("stress", Verdict.RED, {"histories": 1, "cells": 1}, [], 3.0, ["cell <b> fails"]),
    ]


def _summary() -> dict[str, Any]:
    started = datetime(2026, 1, 2, tzinfo=timezone.utc)
    made = document(_sections(), command="bwcheck all", seed=3, started=started, seconds=5.25)
    back: dict[str, Any] = json.loads(json.dumps(made))
    return back


def _material() -> Material:
    engine = Mutant("engine", "a lock", "impl/src/write.c")
    spec = Mutant("spec", "MCA_fail_x", "spec/MCA_fail_x.cfg")
    return Material(
        summary=_summary(),
        mutants=[
            Row(engine, (Cell("explorer", True, 0.5, "case"), Cell("TSan", False, 1.0))),
            Row(spec, (Cell("tlc", True, 0.5, "violates P"),)),
        ],
        accepted=[],
        drawings=[draw("MCA", "All < some & none.", read(_DOT))],
        covered=[
            Covered(kind, file, 10, 9, 4, 2)
            for kind in (*COVERAGE_KINDS, ALL)
            for file in ("a.c", "search_avx512.c")
        ],
        mutate=None,
        source="build/check/summary.json",
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    for name, text in fill(_material()).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


class _Figures(HTMLParser):
    """Collects what is written in each span that is marked as a figure, and all links."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._place: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "data-figure" in found:
            self._place = found["data-figure"]
        self.links += [value for name in ("href", "src") if (value := found.get(name))]

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._place is not None:
            self.figures.append((self._place, data))
            self._place = None


def _parsed(text: str) -> _Figures:
    parser = _Figures()
    parser.feed(text)
    return parser


def _right(summary: dict[str, Any], place: str) -> Any:
    part, _, name = place.partition(".")
    if part == "totals":
        return summary["totals"].get(name)
    if not name:
        return summary[part]
    sections = {each["name"]: each for each in summary["sections"]}
    return sections.get(part, {"figures": {}})["figures"].get(name)


def _check_figures(text: str, summary: dict[str, Any]) -> int:
    figures = _parsed(text).figures
    for place, shown in figures:
        assert shown == number(_right(summary, place)), place
    return len(figures)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_says_what_the_summary_says(site: Path, page: str) -> None:
    text = (site / f"{page}.html").read_text("utf-8")
    count = _check_figures(text, _summary())
    assert count > 0 or page in {"states", "mutants", "coverage"}


def test_all_figures_of_all_parts_are_on_the_first_page(site: Path) -> None:
    shown = {place for place, _ in _parsed((site / "index.html").read_text("utf-8")).figures}
    for section in _sections():
        assert {f"{section.name}.{name}" for name in section.figures} <= shown


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_nothing_but_its_neighbours(site: Path, page: str) -> None:
    text = (site / f"{page}.html").read_text("utf-8")
    links = _parsed(text).links
    assert links
    assert set(links) <= {f"{name}.html" for name in PAGES}
    assert not re.search(r"url\(|@import|<script", text)


def test_rows_replays_problems_and_special_characters_are_there(site: Path) -> None:
    specs = " ".join(_parsed((site / "specs.html").read_text("utf-8")).words)
    assert "All < some & none." in specs
    assert "bwcheck tlc -c MCA_fail_x --trace" in specs
    assert html.escape("cell <b> fails") in (site / "index.html").read_text("utf-8")


def test_the_layers_of_a_graph_are_distances_from_its_start() -> None:
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "a")]
    assert distances(["a"], edges) == {"a": 0, "b": 1, "c": 1, "d": 2}
    layout = lay_out(["a"], edges)
    assert layout.places["b"].y == layout.places["c"].y > layout.places["a"].y
    assert len({(point.x, point.y) for point in layout.places.values()}) == 4


def test_a_drawing_has_each_state_and_each_step() -> None:
    drawing = draw("MCA", "what", read(_DOT))
    assert (drawing.states, drawing.edges) == (3, 4)
    assert drawing.svg.count("<circle") == 3
    assert drawing.svg.count("<path") == 4
    assert {name for name, _, _ in drawing.actions} == {"Up", "Jump", "Back"}
    assert "x = 2" in drawing.svg


def test_the_smallest_configurations_that_pass_are_drawn() -> None:
    rows = [dict(row) for row in _sections()[0].rows]
    assert smallest(rows) == ["MCA"]
    assert smallest(rows, most=2) == []


def test_a_summary_that_is_missing_or_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="make it with `make check`"):
        read_summary(tmp_path / "none.json")
    old = tmp_path / "old.json"
    old.write_text('{"schema": 0}', encoding="utf-8")
    with pytest.raises(CannotRun, match="has the format 0, and 1 is wanted"):
        read_summary(old)


# ---- in a browser ----


def _browser() -> str:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium, and it cannot be installed: apt-get install chromium")
    return program


def _dom(folder: Path, text: str) -> str:
    """Let the browser show a page that shows the report's, and give what it has made of it."""
    page = folder / "harness.html"
    page.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            *(_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_page_is_wider_than_a_phone_and_a_browser_shows_all_figures(
    site: Path, tmp_path: Path
) -> None:
    frames = "".join(
        f'<iframe id="{page}" width="390" height="800" srcdoc="{html.escape(text, quote=True)}">'
        "</iframe>"
        for page in PAGES
        for text in [(site / f"{page}.html").read_text("utf-8")]
    )
    script = """<script>window.onload = () => {
      for (const f of document.querySelectorAll('iframe')) {
        const d = f.contentDocument, figures = [...d.querySelectorAll('[data-figure]')];
        const p = document.createElement('p');
        p.dataset.page = f.id; p.dataset.wide = d.documentElement.scrollWidth;
        p.dataset.figures = JSON.stringify(figures.map(e => [e.dataset.figure, e.innerText]));
        document.body.append(p); f.remove(); } }</script>"""
    shown = _dom(tmp_path, f"<!DOCTYPE html><body>{frames}{script}</body>")
    found = re.findall(r'<p data-page="(\w+)" data-wide="(\d+)" data-figures="(.*?)"></p>', shown)
    assert {page for page, _, _ in found} == set(PAGES)
    for page, wide, figures in found:
        assert int(wide) <= 390, f"{page} is {wide} pixels wide on a phone of 390"
        for place, text in json.loads(html.unescape(figures)):
            hidden = text == ""  # in a part that is not unfolded
            assert hidden or text == number(_right(_summary(), place)), place


def test_names_of_files_are_on_one_line_of_a_phone_and_their_table_scrolls(
    site: Path, tmp_path: Path
) -> None:
    text = html.escape((site / "coverage.html").read_text("utf-8"), quote=True)
    frame = f'<iframe width="390" height="800" srcdoc="{text}"></iframe>'
    script = """<script>window.onload = () => {
      const d = document.querySelector('iframe').contentDocument, p = document.createElement('p');
      const box = d.querySelector('.scroll'), names = [...d.querySelectorAll('td:first-child')];
      p.dataset.inside = box.clientWidth; p.dataset.table = box.scrollWidth;
      p.dataset.lines = JSON.stringify(
        names.map(e => [e.innerText, e.firstElementChild.getClientRects().length]));
      document.querySelector('iframe').remove(); document.body.append(p); }</script>"""
    shown = _dom(tmp_path, f"<!DOCTYPE html><body>{frame}{script}</body>")
    found = re.search(r'<p data-inside="(\d+)" data-table="(\d+)" data-lines="(.*?)"></p>', shown)
    assert found is not None
    lines = json.loads(html.unescape(found[3]))
    assert [name for name, _ in lines] == ["all of impl/src", "a.c", "search_avx512.c"]
    assert {count for _, count in lines} == {1}
    assert int(found[2]) > int(found[1])
