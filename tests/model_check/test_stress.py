"""The farm: every pair of settings meets, every cell is checked, and a bad cell turns it red."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from model_check.recorder import MIXES, History, Kind, Run, RunFailed
from model_check.report import CannotRun, Verdict
from model_check.stress import farm, soak
from model_check.stress.cell import run_cell
from model_check.stress.command import parse_count, stress
from model_check.stress.grid import (
    CAPACITIES,
    LOADS,
    THREADS,
    Cell,
    first_cell,
    full_grid,
    pair_grid,
    simd_levels,
)

if TYPE_CHECKING:
    from pathlib import Path

OPERATIONS = 20_000


def settings_of(cell: Cell) -> tuple[object, ...]:
    return cell.load, cell.capacity, cell.threads, cell.simd, cell.worker


def test_every_pair_of_settings_meets_in_the_small_grid() -> None:
    cells = pair_grid(0)
    met = {pair for c in cells for pair in itertools.combinations(enumerate(settings_of(c)), 2)}
    whole = {
        pair
        for c in full_grid([0])
        for pair in itertools.combinations(enumerate(settings_of(c)), 2)
    }
    assert met == whole
    assert len(cells) < len(full_grid([0])) // 5


def test_the_whole_grid_is_every_combination() -> None:
    expected = len(LOADS) * len(CAPACITIES) * len(THREADS) * len(simd_levels()) * 2 * 3
    cells = full_grid([1, 2, 3])
    assert len(cells) == len(set(cells)) == expected


def test_a_cell_is_read_back_from_its_name() -> None:
    for cell in pair_grid(7):
        assert Cell.parse(cell.name) == cell


@pytest.mark.parametrize(
    "name", ["", "all", "all-tiny-t2-scalar-alone-sx", "x-tiny-t2-avx2-alone-s0"]
)
def test_what_is_no_cell_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(CannotRun, match=first_cell().name):
        Cell.parse(name)


@pytest.mark.parametrize(
    ("text", "count"), [("100M", 10**8), ("250k", 250_000), ("1_000", 1000), ("2G", 2 * 10**9)]
)
def test_counts_are_read_with_their_suffix(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "0", "M", "-5", "3X", "1.5M"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(CannotRun, match="is no number of operations"):
        parse_count(text)


@pytest.mark.parametrize("load", LOADS)
def test_a_cell_checks_every_operation_it_records(load: str, tmp_path: Path) -> None:
    cell = Cell(load, "tiny", 3, "scalar", worker=True, seed=1)
    row = run_cell(cell, OPERATIONS, tmp_path)
    assert row["outcome"] == "linearizable"
    assert row["operations"] == row["checked"]
    assert int(str(row["checked"])) >= OPERATIONS
    assert not list(tmp_path.iterdir())


def test_a_cell_that_is_not_linearizable_keeps_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Run.round

    def lying_round(run: Run) -> History:
        history = real(run).copy()
        record = history.record(0, 5)
        history.change(0, 5, record._replace(kind=0, status=0, seen=2**63))
        return history

    monkeypatch.setattr(Run, "round", lying_round)
    cell = first_cell()
    row = run_cell(cell, OPERATIONS, tmp_path)
    assert row["outcome"] == "violation"
    kept = tmp_path / f"{cell.name}.bwh"
    assert kept.exists()
    assert f"bwcheck lin {kept}" in str(row["problem"])
    assert f"bwcheck stress --cell {cell.name}" in str(row["problem"])


def test_the_farm_runs_its_cells_in_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farm, "FOLDER", tmp_path / "stress")
    cells = pair_grid(3)[:3]
    section = farm.run_farm(cells, OPERATIONS, jobs=2)
    assert section.verdict is Verdict.GREEN
    assert [row["name"] for row in section.rows] == [cell.name for cell in cells]
    assert section.figures["operations_checked"] >= 3 * OPERATIONS
    assert section.figures["operations_checked"] == section.figures["operations_recorded"]
    json.dumps(section.as_json())


def test_a_cell_whose_process_dies_turns_the_farm_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farm, "FOLDER", tmp_path / "stress")
    # What a crash leaves behind: a plan whose test never wrote a row.
    ghost = first_cell()
    section = farm._section([ghost], [], 1, 0.0, "worker crashed", [])
    assert section.verdict is Verdict.RED
    assert ghost.name in section.problems[0]


def test_a_soak_goes_from_round_to_round_and_counts_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(soak, "_ROUND", OPERATIONS)
    section = soak.soak(5, operations=9 * OPERATIONS, hours=None)
    assert section.verdict is Verdict.GREEN, section.problems
    assert section.figures["histories"] == 9
    assert section.figures["operations_checked"] >= 9 * OPERATIONS
    assert all(row["outcome"] == "linearizable" for row in section.rows)


def test_small_trees_have_every_capacity_and_number_of_threads_from_2_to_8() -> None:
    legs = soak.TREES["small"](0)
    assert {leg.workload.threads for leg in legs} == set(range(2, 9))
    assert {leg.options.leaf_capacity for leg in legs} == set(range(2, 9))
    for leg in legs:
        assert {Kind.POP_FIRST, Kind.POP_LAST, Kind.DELETE_RANGE} <= MIXES[leg.workload.mix].keys()
    assert len({leg.name for leg in legs}) == len(legs)


def test_a_soak_of_small_trees_merges_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "_ROUND", OPERATIONS)
    legs = len(soak.TREES["small"](0))
    section = soak.soak(6, operations=(2 * legs - 1) * OPERATIONS, hours=None, trees="small")
    assert section.verdict is Verdict.GREEN, section.problems
    assert int(section.figures["operations_checked"]) >= (2 * legs - 1) * OPERATIONS
    assert all(int(row["merges"] or 0) > OPERATIONS // 1000 for row in section.rows)


def test_what_a_soak_cannot_run_on_is_refused() -> None:
    with pytest.raises(CannotRun, match="--trees is mixed, small or single, got 'large'"):
        stress(operations="1M", trees="large")


def test_memory_that_grows_without_bound_is_a_problem() -> None:
    totals = soak.Totals()
    for number in range(20):
        totals.rows.append({"rss_bytes": (100 + 40 * number) << 20, "limbo_bytes": 0})
    soak._demand_bounded(totals)
    assert "resident memory grew from" in totals.problems[0]
    totals = soak.Totals(rows=[{"rss_bytes": 0, "limbo_bytes": 65 << 20}])
    soak._demand_bounded(totals)
    assert "limbo held 65.0 MiB" in totals.problems[0]


def test_the_replay_of_a_failed_call_names_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RunFailed("thread 1, call 2: get(3) gave status -8")

    monkeypatch.setattr(Run, "round", failing)
    row = run_cell(first_cell(), OPERATIONS, tmp_path)
    assert row["outcome"] == "failed"
    assert "gave status -8; replay: bwcheck stress --cell" in str(row["problem"])
