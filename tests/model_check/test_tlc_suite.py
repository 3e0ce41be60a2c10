"""Which configurations run, and how many at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_check.report import CannotRun
from model_check.tlc import suite
from model_check.tlc.config import Config, ConfigError, Kind

SPECS = Path(__file__).parent / "data" / "tlc"


def config(name: str, tier: str = "check") -> Config:
    return Config(
        path=Path("spec") / f"{name}.cfg",
        what="something",
        module="MC",
        tier=tier,
        expect=Kind.VIOLATES if "_fail_" in name else Kind.PASS,
        violates="P" if "_fail_" in name else None,
        fires=(),
        check_deadlock=True,
        invariants=("P",),
        properties=(),
    )


ALL = [config("MCA"), config("MCA_fail_x"), config("MCB_large", "deep"), config("MCB")]


def names(chosen: list[Config]) -> list[str]:
    return [c.name for c in chosen]


def test_the_check_tier_runs_by_default_and_the_long_ones_first() -> None:
    assert names(suite.select(ALL, [], deep=False)) == ["MCA", "MCB", "MCA_fail_x"]


def test_deep_adds_the_deep_tier() -> None:
    chosen = names(suite.select(ALL, [], deep=True))
    assert chosen == ["MCB_large", "MCA", "MCB", "MCA_fail_x"]


def test_names_and_patterns_choose_from_any_tier() -> None:
    assert names(suite.select(ALL, ["MCB_large"], deep=False)) == ["MCB_large"]
    assert names(suite.select(ALL, ["MCB_large.cfg", "MCA*"], deep=False)) == [
        "MCB_large",
        "MCA",
        "MCA_fail_x",
    ]


def test_a_pattern_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(CannotRun, match="no configuration is named MCZ"):
        suite.select(ALL, ["MCA", "MCZ*"], deep=False)


def test_all_configurations_of_a_folder_are_found() -> None:
    assert "MCCounter_fail_over" in names(suite.discover(SPECS))


def test_a_folder_without_configurations_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"holds no MC\*\.cfg"):
        suite.discover(tmp_path)
    with pytest.raises(CannotRun, match="there is no folder"):
        suite.discover(tmp_path / "spec")


def test_one_bad_header_stops_the_whole_run(tmp_path: Path) -> None:
    (tmp_path / "MCA.cfg").write_text("SPECIFICATION Spec\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the header has no line"):
        suite.discover(tmp_path)


def test_as_many_at_once_as_memory_and_processors_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "processors", lambda: 8)
    monkeypatch.setattr(suite, "available_memory_mb", lambda: 3000)
    how = suite.plan(20)
    assert (how.jobs, how.limits.heap_mb) == (3, 600)
    assert suite.plan(2).jobs == 2
    assert suite.plan(20, workers=4).jobs == 2
    assert suite.plan(20, jobs=5, heap_mb=100).jobs == 5
    monkeypatch.setattr(suite, "available_memory_mb", lambda: 0)
    assert suite.plan(20).jobs == 1


def test_the_machine_is_known() -> None:
    assert suite.processors() >= 1
    assert suite.available_memory_mb() > 0
