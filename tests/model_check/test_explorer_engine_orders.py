"""The tool that weakens memory orders: which mutants it makes, and what it says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_check.explorer.build import Program
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_orders import ORDER_CASES
from model_check.explorer.harness import engine_folder
from model_check.explorer.orders import (
    Accepted,
    Fate,
    Mutant,
    all_mutants,
    as_json,
    as_markdown,
    chosen,
    judge_all,
    order_plans,
    problems,
    read_accepted,
)
from model_check.explorer.result import Finding, Result
from model_check.report import CannotRun

SOURCE = """/* memory_order_acquire in a comment is none */
int a(void) {
    atomic_thread_fence(memory_order_seq_cst); // memory_order_release neither
    x = atomic_load_explicit(&p, memory_order_acquire);
    atomic_compare_exchange_strong_explicit(&p, &x, 1, memory_order_acq_rel,
                                            memory_order_acquire);
    return 0;
}
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of one file."""
    monkeypatch.setenv("BWCHECK_CACHE", str(tmp_path / "cache"))
    for part in ("src", "include"):
        (tmp_path / "impl" / part).mkdir(parents=True)
    (tmp_path / "impl" / "src" / "a.c").write_text(SOURCE)
    return tmp_path / "impl"


def _result(finding: Finding | None) -> Result:
    return Result(
        verdict="nothing found" if finding is None else finding.kind,
        exhaustive=finding is None,
        executions=10,
        complete=10,
        cut=0,
        blocked=0,
        steps=100,
        seconds=0.1,
        bound="",
        memory_model="rc11",
        strategy="random",
        seed=0,
        outcomes={},
        finding=finding,
        why="",
    )


def _key(mutant: Mutant) -> tuple[str, str, str, str]:
    return mutant.file, mutant.function, mutant.code, mutant.change


def _judge(engine: Path, needed: str, jobs: int = 1) -> list[Fate]:
    """Run the tool with an explorer that finds a race where ``needed`` has gone from the text."""

    def build(folder: Path) -> Program:
        return Program(path=folder, sources=(), compiler="gcc", trylock=False)

    def run(program: Program, case: Case, plan: Plan) -> Result:
        text = (program.path / "src" / "a.c").read_text()
        gone = needed not in text
        finding = Finding("data-race", "a race", 1, "", "", "")
        return _result(finding if gone and case.name == "pop-pop" else None)

    return judge_all(all_mutants(engine), jobs=jobs, build=build, run=run, origin=engine)


def test_every_order_is_weakened_by_one_step_and_every_fence_removed(engine: Path) -> None:
    made = [(each.place, each.change) for each in all_mutants(engine)]
    assert made == [
        ("a.c:3", "seq_cst fence removed"),
        ("a.c:3", "fence seq_cst to acq_rel"),
        ("a.c:4", "acquire to relaxed"),
        ("a.c:5", "acq_rel to acquire"),
        ("a.c:5", "acq_rel to release"),
        ("a.c:6", "failure: acquire to relaxed"),
    ]
    assert {each.function for each in all_mutants(engine)} == {"a"}


def test_the_engines_orders_are_all_found() -> None:
    mutants = all_mutants()
    places = {each.file for each in mutants}
    assert {"epoch.c", "tree.h", "page.h", "mapping.c", "thread.c"} <= places
    assert sum("fence removed" in each.change for each in mutants) == 3


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_mutant_is_killed_by_the_case_that_notices(engine: Path, jobs: int) -> None:
    fates = _judge(engine, "&p, memory_order_acquire", jobs)
    killed = [fate for fate in fates if fate.killed]
    assert [(fate.mutant.change, fate.case, fate.finding) for fate in killed] == [
        ("acquire to relaxed", "pop-pop", "data-race")
    ]
    assert killed[0].executions < 10 * len(order_plans())
    survivor = next(fate for fate in fates if not fate.killed)
    assert survivor.executions == 10 * len(order_plans())


def test_sources_are_mended_after_each_mutant(engine: Path, tmp_path: Path) -> None:
    _judge(engine, "nothing")
    assert (engine / "src" / "a.c").read_text() == SOURCE
    assert (tmp_path / "cache" / "orders" / "0" / "src" / "a.c").read_text() == SOURCE


def test_a_survivor_without_a_reason_is_a_problem(engine: Path) -> None:
    fates = _judge(engine, "memory_order")
    reasons = [
        Accepted(each.file, each.function, each.code, each.change, "it is argued there")
        for each in all_mutants(engine)
    ]
    said = problems(fates, reasons[1:], complete=True)
    assert len(said) == 1
    assert said[0].startswith("a.c:3: seq_cst fence removed survives in `atomic_thread_fence")
    assert problems(fates, reasons, complete=True) == []


def test_a_reason_whose_mutant_is_killed_or_gone_is_a_problem(engine: Path) -> None:
    fates = _judge(engine, "&p, memory_order_acquire")
    kept = [Accepted(*_key(fate.mutant), "because") for fate in fates]
    said = problems(fates, kept, complete=True)
    assert len(said) == 1
    assert "but pop-pop finds a data-race: take it out" in said[0]
    stale = Accepted("a.c", "a", "y = 3", "release to relaxed", "because")
    said = problems(fates, [*kept[:2], *kept[3:], stale], complete=True)
    assert len(said) == 1
    assert "`y = 3`" in said[0]
    assert problems(fates, [*kept[:2], *kept[3:], stale], complete=False) == []


def test_accepted_survivors_need_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    path.write_text('[{"file": "a.c", "code": "x", "change": "y", "reason": " ", "function": "f"}]')
    with pytest.raises(CannotRun, match="has a reason"):
        read_accepted(path)
    path.write_text('[{"file": "a.c"}]')
    with pytest.raises(CannotRun, match="list of objects"):
        read_accepted(path)


def test_accepted_survivors_of_the_engine_fit_its_sources() -> None:
    there = [_key(each) for each in all_mutants()]
    assert len(set(there)) == len(there)
    for entry in read_accepted():
        assert (entry.file, entry.function, entry.code, entry.change) in there, entry


def test_only_chooses_a_file_or_a_line(engine: Path) -> None:
    mutants: list[Mutant] = all_mutants(engine)
    assert len(chosen(mutants, "a.c")) == 6
    assert [each.line for each in chosen(mutants, "a.c:4")] == [4]
    with pytest.raises(CannotRun, match=r"in this file: a.c:3, a.c:4, a.c:5, a.c:6"):
        chosen(mutants, "a.c:7")


def test_the_table_can_be_read_by_programs_and_by_people(engine: Path) -> None:
    fates = _judge(engine, "&p, memory_order_acquire")
    document = json.loads(as_json(fates, ["a problem"]))
    assert (document["mutants"], document["killed"]) == (6, 1)
    assert document["rows"][2]["finding"] == "data-race"
    argued = fates[0].mutant
    page = as_markdown(fates, [Accepted(*_key(argued), "it is argued there")])
    assert "6 mutants: 1 killed, 1 argued, 4 not explained." in page
    assert "| a.c | a | `x = atomic_load_explicit(&p, memory_order_acquire)` |" in page
    assert page.count("**not explained**") == 4
    assert f"- a.c, `a`, {argued.change}: it is argued there" in page
    assert "| `pop-pop` | " in page


def test_the_page_of_the_docs_has_a_row_for_each_order_of_the_sources_and_explains_all() -> None:
    page = (engine_folder().parent / "docs" / "memory-orders.md").read_text("utf-8")
    table = page.partition("## Argued")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    told = []
    for row in rows:
        cells = row.replace("\\|", "\0").split("|")
        file, function, code, change = (cell.strip().replace("\0", "|") for cell in cells[1:5])
        told.append((file, function, code.strip("`"), change))
    assert sorted(told) == sorted(_key(each) for each in all_mutants()), (
        "orders have changed: make it anew, by bwcheck orders --markdown docs/memory-orders.md"
    )
    assert "not explained" not in table.partition(", 0 not explained.")[2]


def test_cases_about_orders_come_first() -> None:
    own = [case for case, _ in order_plans()][: len(ORDER_CASES)]
    assert {case.name for case in own} == {case.name for case in ORDER_CASES}


def test_a_record_published_without_release_is_noticed() -> None:
    published = [each for each in all_mutants() if each.file == "page.h"]
    assert [each.change for each in published] == ["acquire to relaxed"]
    fates = judge_all(published)
    assert [fate.finding for fate in fates] == ["data-race"]
