"""What a specification says of the actions that it takes is what TLC's coverage says of them."""

from __future__ import annotations

import dataclasses
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from model_check.tlc.config import NOTICE, Config, Simulation, read_config
from model_check.tlc.output import Outcome
from model_check.tlc.run import Limits, Run
from model_check.tlc.tools import Toolchain, find_toolchain
from tests.building import ROOT

SPEC = ROOT / "spec"
MODULES = (
    "MCBwTree",
    "MCDeltaLog",
    "MCEpochReclamation",
    "MCOrderedMap",
    "MCStructureModification",
    "MCStructureShortcuts",
)


@cache
def toolchain() -> Toolchain:
    return find_toolchain()


def config_of(module: str) -> Path:
    cases = sorted(SPEC.glob(f"{module}_*.cfg"))
    return next(path for path in cases if "_fail_" not in path.stem and "_deep" not in path.stem)


def run(config: Config) -> Outcome:
    return Run(config, toolchain(), Limits()).finish()


def in_a_copy(tmp_path: Path, module: str, old: str, new: str) -> Config:
    """Read a configuration of ``module`` from a copy of spec/, its text changed."""
    copy = tmp_path / "spec"
    shutil.copytree(SPEC, copy)
    path = copy / config_of(module).name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return read_config(path)


@pytest.mark.parametrize("module", MODULES)
def test_each_action_of_next_is_noticed(module: str, tmp_path: Path) -> None:
    config = in_a_copy(tmp_path, module, f"ACTION_CONSTRAINT {NOTICE}\n", "")
    covered = run(dataclasses.replace(config, simulate=Simulation(1, 2), properties=())).actions
    text = (SPEC / f"{module}.tla").read_text(encoding="utf-8")
    watched = re.findall(r'"(\w+)"', text[text.index("ASSUME Watch(") : text.index("Notice ==")])
    noted = dict(re.findall(r'Noted\("(\w+)", (?:\\E \w+ \\in \w+ : )?(\w+)', text))
    assert set(covered) == set(watched) == set(noted)
    assert all(name == action for name, action in noted.items())


def test_the_actions_taken_are_those_of_coverage(tmp_path: Path) -> None:
    noticed = run(read_config(config_of("MCEpochReclamation")))
    config = in_a_copy(tmp_path, "MCEpochReclamation", f"ACTION_CONSTRAINT {NOTICE}\n", "")
    covered = run(config)
    assert not config.notices
    assert (noticed.states, noticed.distinct) == (covered.states, covered.distinct)
    assert {name: bool(count) for name, count in covered.actions.items()} == {
        name: bool(count) for name, count in noticed.actions.items()
    }


def test_an_action_that_cannot_be_taken_is_not_noticed(tmp_path: Path) -> None:
    outcome = run(in_a_copy(tmp_path, "MCEpochReclamation", "Unlinkers = {t1}", "Unlinkers = {}"))
    assert outcome.actions["Unlink"] == outcome.actions["Free"] == 0
    assert outcome.actions["Commit"] == 1
