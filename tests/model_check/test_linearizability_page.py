"""The page of a history: what stands in it, and what a reader can do with it in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from model_check.linearizability import MODELS, Report, check, check_operations, read
from model_check.linearizability.page import MOST_CALLS, Bar, Picture, stretch, write_page
from model_check.linearizability.pages_operations import picture as operations_picture
from model_check.linearizability.pages_recorded import picture as recorded_picture
from model_check.recorder import History, Kind, Lane, Record, Run, Status, Tree, Workload
from tests.browser import Browser, find_chromium

SERVICE = """\
{"process": 0, "name": "write", "key": "x", "argument": 1, "invoked": 10, "responded": 25}
{"process": 1, "name": "read", "key": "x", "result": 1, "invoked": 20, "responded": 31}
{"process": 0, "name": "write", "key": "x", "argument": 2, "invoked": 32, "responded": 40}
{"process": 1, "name": "read", "key": "x", "result": 1, "invoked": 50, "responded": 60}
{"process": 2, "name": "read", "key": "y", "result": null, "invoked": 52, "responded": 70}
"""


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def service(tmp_path: Path, text: str = SERVICE) -> str:
    file = tmp_path / "service.jsonl"
    file.write_text(text, encoding="utf-8")
    operations, model = read(file), MODELS["register"]()
    return write_page(
        operations_picture(operations, model, check_operations(operations, model), file.name)
    )


def recorded(history: History, title: str = "run.bwh") -> tuple[str, Report]:
    report = check(history)
    return write_page(recorded_picture(history, report, title)), report


def stale_read() -> History:
    writer = [
        Record.of(Kind.PUT, 5, (10, 20), argument=71, status=Status.OK),
        Record.of(Kind.PUT, 5, (30, 40), argument=72, seen=71, status=Status.EXISTS),
        Record.of(Kind.PUT, 6, (70, 80), argument=73, status=Status.OK),
    ]
    reader = [
        Record.of(Kind.GET, 5, (22, 28), seen=71),
        Record.of(Kind.GET, 5, (50, 60), seen=71),
        Record.of(Kind.GET, 6, (65, 66), status=Status.NOT_FOUND),
    ]
    return History.build([Lane(writer), Lane(reader)])


def test_a_page_has_every_call_the_reason_and_the_end_of_the_longest_prefix(tmp_path: Path) -> None:
    data = data_of(service(tmp_path))
    assert len(data["text"]) == 5
    assert data["lanes"] == ["process 0", "process 1", "process 2"]
    assert "process 1 read() → 1" in data["why"]
    assert sum(mark > 0 for mark in data["mark"]) >= 2
    responses = sorted(t for t in data["responded"] if t is not None)
    assert data["prefix"] in responses
    # All that returned before that has an instant, inside its interval.
    for call, time, _ in data["points"]:
        assert data["invoked"][call] <= time <= (data["responded"][call] or time)
    placed = {call for call, _, _ in data["points"]}
    for call, end in enumerate(data["responded"]):
        assert call in placed or end is None or end >= data["prefix"]


def test_a_page_of_recorded_calls_marks_those_that_matter() -> None:
    page, report = recorded(stale_read())
    data = data_of(page)
    assert report.violation is not None
    assert report.violation.fails_at == 60
    assert data["prefix"] == 50  # 60, counted from the first invocation
    marked = [text for text, mark in zip(data["text"], data["mark"], strict=True) if mark]
    assert any("get → v71" in text for text in marked)
    assert "Why: " in data["why"]
    assert len({call for call, _, _ in data["points"]}) >= 3


def test_a_page_of_a_linearizable_run_gives_each_call_an_instant() -> None:
    with Tree() as tree, Run(tree, Workload(seed=3, operations=3000, mix="all", space=50)) as run:
        page, report = recorded(run.round().copy())
    data = data_of(page)
    assert report.ok
    assert data["prefix"] is None
    assert len(data["points"]) >= 2000
    for call, time, _ in data["points"]:
        assert data["invoked"][call] <= time <= data["responded"][call]
    # A batch is one bar.
    assert len(data["text"]) <= 3001
    assert any(text.startswith("get_many: ") for text in data["text"])


def test_what_a_file_says_cannot_leave_its_place_in_the_page(tmp_path: Path) -> None:
    text = SERVICE.replace('"x"', '"</script><b>$title"')
    page = service(tmp_path, text)
    assert "</script><b>" not in page
    assert any("</script><b>$title" in call for call in data_of(page)["text"])


def test_of_a_long_history_the_page_shows_the_stretch_around_what_matters() -> None:
    bars = [Bar(0, 2 * i, 2 * i + 1, "get", mark=int(i == 250_000)) for i in range(300_000)]
    chosen, note = stretch(bars)
    assert len(chosen) == MOST_CALLS
    assert 250_000 in chosen
    assert "100,000 of 300,000 calls" in note


def large_picture() -> Picture:
    bars = [
        Bar(i % 8, 10 * i, 10 * i + 75, f"get({i % 977}) → v{i}", key=str(i % 977), effect=i % 3)
        for i in range(MOST_CALLS)
    ]
    bars[60_000] = bars[60_000]._replace(mark=1)
    bars[60_003] = bars[60_003]._replace(mark=2)
    return Picture("large.bwh", "violation", "No order explains these 2 operations.", "Why: so.",
                   [f"thread {n}" for n in range(8)], bars, prefix=600_050)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> str:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium, and it cannot be installed: apt-get install chromium")
    return program


@pytest.mark.parametrize("size", [(1440, 900), (900, 1100), (390, 800)])
def test_a_reader_clicks_through_a_violation(
    tmp_path: Path, chromium: str, size: tuple[int, int]
) -> None:
    page = tmp_path / "violation.html"
    page.write_text(service(tmp_path), encoding="utf-8")
    with Browser(chromium, *size) as browser:
        browser.open(page)
        browser.drawn()
        state = "({...document.querySelector('#lanes').dataset})"
        begin = browser.run(state)
        assert int(begin["drawn"]) >= 4
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        browser.click("#next")
        chosen = browser.run(state)
        assert chosen["chosen"] != "-1"
        assert "matters" in browser.run("document.querySelector('#details').textContent")
        browser.key("n")
        assert browser.run(state)["chosen"] != chosen["chosen"]
        browser.click("#all")
        everything = browser.run(state)
        browser.key("+")
        closer = browser.run(state)
        width = float(closer["to"]) - float(closer["from"])
        assert width < float(everything["to"]) - float(everything["from"])
        browser.key("ArrowRight")
        assert float(browser.run(state)["from"]) > float(closer["from"])
        browser.click("#scale")
        assert browser.run(state)["scale"] == "ranks"
        browser.click("#theme")
        assert browser.run("document.documentElement.dataset.theme") == "dark"
        browser.run("document.querySelector('#find').value = 'y: read'")
        browser.run("document.querySelector('#find').dispatchEvent(new Event('input'))")
        browser.drawn()
        assert browser.run(state)["found"] == "1"
        assert browser.errors == []


def test_pointing_at_a_bar_shows_its_values(tmp_path: Path, chromium: str) -> None:
    page = tmp_path / "violation.html"
    page.write_text(recorded(stale_read())[0], encoding="utf-8")
    with Browser(chromium) as browser:
        browser.open(page)
        browser.click("#all")
        box = browser.run(
            "(() => { const r = document.querySelector('#lanes').getBoundingClientRect();"
            "return [r.x, r.y, r.width, r.height]; })()"
        )
        shown = ""
        for step in range(12, 100):  # along the first lane until there is a bar
            browser.mouse("mouseMoved", box[0] + box[2] * step / 100, box[1] + 24 + 20)
            if browser.run("document.querySelector('#tip').style.display") == "block":
                shown = browser.run("document.querySelector('#tip').textContent")
                break
        assert "put(5, v71)" in shown or "put v71" in shown
        assert "invoked +" in shown
        before = browser.run("document.querySelector('#lanes').dataset.to")
        browser.mouse("mouseWheel", box[0] + box[2] / 2, box[1] + 40, deltaX=0, deltaY=-200)
        assert float(browser.run("document.querySelector('#lanes').dataset.to")) < float(before)
        assert browser.errors == []


def test_a_hundred_thousand_calls_are_drawn_at_once(tmp_path: Path, chromium: str) -> None:
    page = tmp_path / "large.html"
    page.write_text(write_page(large_picture()), encoding="utf-8")
    with Browser(chromium) as browser:
        browser.open(page)
        browser.key("0")
        drawn = int(browser.run("document.querySelector('#lanes').dataset.drawn"))
        assert 1000 < drawn < 8 * 1280  # a bar a pixel, not a hundred thousand
        milliseconds = browser.run(
            "(async () => { const begin = performance.now();"
            "for (let i = 0; i < 10; i++) { document.querySelector('#in').click();"
            "await new Promise(requestAnimationFrame); } return performance.now() - begin; })()"
        )
        assert milliseconds < 10_000
        browser.key("n")
        assert browser.run("document.querySelector('#lanes').dataset.chosen") == "60000"
        assert browser.errors == []
