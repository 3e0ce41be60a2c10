"""The table of mutants: nothing is missing in it, and nothing in it goes unexplained."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_check.conformance import mutants as of_traces
from model_check.conformance.tour_mutants import TOUR_MUTANTS
from model_check.explorer.mutants import changed
from model_check.explorer.orders import Accepted, read_accepted
from model_check.mutants import blind, steps
from model_check.mutants.cells import run_program
from model_check.mutants.engine import BUGS
from model_check.mutants.mutant import CHECKERS, KINDS, Cell, Mutant, Row
from model_check.mutants.registry import all_of_them
from model_check.mutants.results import from_sections, read_rows, still_true, write_rows
from model_check.mutants.suite import chosen, rows_of, untried, wanted
from model_check.mutants.table import as_markdown, missing, overview
from model_check.report import CannotRun
from tests.exploring import ROOT

assert ROOT  # its import says where compiled programs are cached

ENGINE_MUTANT = Mutant("engine", "a lock", "impl/src/write.c", "abc")


def _row(*cells: Cell, mutant: Mutant = ENGINE_MUTANT) -> Row:
    return Row(mutant, cells)


def _full(killed: bool, *, but: str = "") -> Row:
    cells = (Cell(name, killed != (name == but), 1.0, "x") for name in KINDS["engine"].checkers)
    return _row(*cells)


@pytest.mark.parametrize("defect", steps.engine(), ids=lambda defect: defect.name)
def test_each_mutant_of_the_engine_fits_the_text_that_it_changes(defect: object) -> None:
    assert changed(defect) != ""  # type: ignore[arg-type]


def test_every_mutant_has_its_row_and_every_blind_cell_is_explained() -> None:
    rows = read_rows(ROOT / "docs" / "mutants.json")
    mutants = all_of_them()
    assert {row.mutant.key for row in rows} == {mutant.key for mutant in mutants}
    assert {row.mutant.digest for row in rows} == {mutant.digest for mutant in mutants}
    assert blind.problems(rows, read_accepted()) == []


def test_the_page_is_that_of_the_table() -> None:
    rows = read_rows(ROOT / "docs" / "mutants.json")
    page = (ROOT / "docs" / "mutants.md").read_text("utf-8")
    assert page == as_markdown(rows, read_accepted())


def test_each_published_bug_is_broken_on_purpose_in_spec_and_engine() -> None:
    keys = {mutant.key for mutant in all_of_them()}
    for bug in BUGS.values():
        assert bug.spec
        assert {f"spec: {name}" for name in bug.spec} <= keys
        assert {f"system: Structure: {name}" for name in bug.system} <= keys
        assert f"engine: {bug.engine}" in keys


def test_kinds_name_checkers_that_there_are() -> None:
    for kind in KINDS.values():
        assert set(kind.checkers) <= set(CHECKERS)
        assert kind.others


def test_what_traces_and_tours_must_reject_has_its_row_once() -> None:
    mutants = {mutant.key: mutant for mutant in all_of_them()}
    with_runs = {key for key, mutant in mutants.items() if steps.runs(key)}
    assert with_runs == {
        key for key, mutant in mutants.items() if mutant.also or mutant.kind == "action"
    }
    told = [run.case for key in with_runs for run in steps.runs(key)]
    wanted = [each.name for each in of_traces.MUTANTS]
    wanted += [f"tour: {each.name}" for each, _ in TOUR_MUTANTS]
    assert sorted(told) == sorted(wanted)


def test_a_change_that_a_tour_rejects_as_traces_do_is_one_row() -> None:
    of_trace, of_tour = steps.runs("engine: a remove gives back a wrong old value")
    assert of_trace.subject is None
    assert of_tour.subject is not None


def test_no_two_mutants_of_the_engine_are_one_change() -> None:
    texts = [(each.file, changed(each)) for each in steps.engine()]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("name", "config"), steps.SAME_GUARD.items())
def test_an_action_and_its_configuration_break_the_same_guard(name: str, config: str) -> None:
    (run,) = steps.runs(f"spec: {config}")[:1]
    assert run.change.name == name
    text = (ROOT / "spec" / f"{config}.cfg").read_text("utf-8")
    (mutation,) = re.findall(r'Mutation = ("\w+")', text)
    assert mutation in run.change.old


def test_traces_and_a_tour_have_one_cell_and_both_must_reject() -> None:
    name = "a remove gives back a wrong old value"

    def rows(*verdicts: str) -> list[dict[str, Any]]:
        cases = (f"code: {name}", f"tour: code: {name}")
        return [
            {"kind": "mutant", "mutant": case, "verdict": verdict, "seconds": 1.5,
             "result": "rejected at Return"}
            for case, verdict in zip(cases, verdicts, strict=False)
        ]  # fmt: skip

    def cells(*verdicts: str) -> dict[tuple[str, str], Cell]:
        return from_sections([{"name": "conform", "rows": rows(*verdicts)}])

    place = (f"engine: {name}", "conform")
    both = "a trace rejected at Return; a tour rejected at Return"
    assert cells("green", "green") == {place: Cell("conform", True, 3.0, both)}
    assert not cells("green", "red")[place].killed
    assert cells("green") == {}


def test_a_checker_that_is_not_run_on_a_mutant_has_a_dash() -> None:
    assert missing(_full(killed=True), "conform") == "–"
    also = replace(ENGINE_MUTANT, also=("conform",))
    assert missing(_row(mutant=also), "conform") == "not tried"
    assert not any("conform" in line for line in untried([_full(killed=True)]))
    assert "engine: a lock: conform has not been tried on it" in untried([_row(mutant=also)])


def test_a_mutant_that_nobody_kills_is_a_problem() -> None:
    said = blind.problems([_full(killed=False)], [])
    assert "engine: a lock (impl/src/write.c): no checker kills it" in said


def test_a_blind_cell_without_a_reason_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    row = _full(killed=True, but="TSan")
    assert any("TSan does not see it" in line for line in blind.problems([row], []))
    assert untried([row]) == []
    monkeypatch.setattr(blind, "BLIND", {"TSan": {"a lock": "it is no race"}})
    assert not any("TSan does not see it" in line for line in blind.problems([row], []))


def test_a_reason_for_a_cell_that_is_not_blind_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blind, "BLIND", {"TSan": {"a lock": "it is no race", "gone": "…"}})
    said = blind.problems([_full(killed=True)], [])
    assert any("blind.py says why not" in line for line in said)
    assert any("'gone', which is no mutant" in line for line in said)


def test_a_checker_that_kills_nothing_alone_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "KEPT_ALL_THE_SAME", {})
    said = blind.problems([_full(killed=True)], [])
    assert "explorer kills no mutant that no other kills: why is it kept?" in said
    monkeypatch.setattr(blind, "KEPT_ALL_THE_SAME", dict.fromkeys(CHECKERS, "it is quick"))
    assert not any("why is it kept" in line for line in blind.problems([_full(killed=True)], []))


def test_an_order_that_is_argued_is_no_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "KEPT_ALL_THE_SAME", dict.fromkeys(CHECKERS, "it is quick"))
    monkeypatch.setattr(blind, "BLIND", {})
    mutant = Mutant("order", "a.c, f: `x()`: acquire to relaxed", "impl/src/a.c")
    row = _row(Cell("explorer", False, 1.0), mutant=mutant)
    assert blind.problems([row], [])
    assert not blind.problems([row], [Accepted("a.c", "f", "x()", "acquire to relaxed", "why")])


def test_cells_are_read_from_the_summary_of_all_parts() -> None:
    sections: list[dict[str, Any]] = [
        {
            "name": "tlc",
            "rows": [
                {"config": "A", "expected": "pass", "verdict": "green"},
                {"config": "B_fail_x", "expected": "violates P", "result": "violates P",
                 "verdict": "green", "seconds": 2.0, "what": "x"},
            ],
        },
        {
            "name": "explore",
            "rows": [
                {"mutant": "a lock", "case": "c", "model": "sc", "strategy": "exhaustive",
                 "verdict": "livelock", "executions": 3, "seconds": 0.1},
                {"case": "c", "model": "sc", "strategy": "random", "verdict": "nothing found",
                 "executions": 3, "seconds": 0.1},
            ],
        },
    ]  # fmt: skip
    cells = from_sections(sections)
    assert set(cells) == {("spec: B_fail_x", "tlc"), ("engine: a lock", "explorer")}
    assert cells["spec: B_fail_x", "tlc"].by == "violates P"
    assert cells["engine: a lock", "explorer"].killed


def test_a_changed_mutant_loses_its_cells(tmp_path: Path) -> None:
    kept = tmp_path / "table.json"
    write_rows([_full(killed=True)], kept)
    rows = read_rows(kept)
    assert rows == [_full(killed=True)]
    same = still_true(rows, [ENGINE_MUTANT])
    assert len(same) == len(KINDS["engine"].checkers)
    also = replace(ENGINE_MUTANT, also=("conform",))
    write_rows([_row(mutant=also)], kept)
    assert read_rows(kept) == [_row(mutant=also)]
    other = Mutant("engine", "a lock", "impl/src/write.c", "def")
    assert still_true(rows, [other]) == {}
    assert untried(rows_of([other], {})) != []


def test_mutants_are_chosen_by_words_of_their_names() -> None:
    assert chosen([ENGINE_MUTANT], ["lock"]) == [ENGINE_MUTANT]
    with pytest.raises(CannotRun, match="no mutant's name holds this"):
        chosen([ENGINE_MUTANT], ["latch"])
    assert wanted([ENGINE_MUTANT], ["TSan"]) == [(ENGINE_MUTANT, "TSan")]


def test_the_overview_counts_who_kills_and_who_alone() -> None:
    row = _row(Cell("explorer", True, 1.0, "x"), Cell("TSan", False, 1.0))
    assert overview([row]) == [("explorer", 1, 1, 1), ("TSan", 1, 0, 0)]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("", ""),
        ("raise SystemExit(77)", ""),
        ("print('x.c:3: CHECK failed'); raise SystemExit(1)", "x.c:3: CHECK failed"),
        ("import os; os.abort()", "crashes: SIGABRT"),
        ("import time; time.sleep(60)", "hangs: no end in 1 s"),
        (
            "print('x.c:1:2: runtime error: shift exponent 64'); raise SystemExit(1)",
            "shift exponent 64",
        ),
        (
            "print('ERROR: AddressSanitizer: heap-use-after-free on x'); raise SystemExit(1)",
            "heap-use-after-free",
        ),
    ],
)
def test_how_a_program_ended_is_said_in_words(script: str, problem: str) -> None:
    # Python starts slowly beside other work: only the one that hangs is not waited for.
    patience = 1 if "hangs" in problem else 60
    assert run_program([sys.executable, "-S", "-c", script], patience).problem == problem
