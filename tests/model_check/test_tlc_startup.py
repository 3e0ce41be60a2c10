"""TLC starts with what Java has kept of it and says the same; where it cannot be had, as ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model_check.tlc.config import read_config
from model_check.tlc.run import Limits, Run
from model_check.tlc.startup import with_startup
from model_check.tlc.tools import find_toolchain
from tests.building import ROOT

CONFIG = ROOT / "spec" / "MCEpochReclamation_advancers.cfg"


def test_a_run_is_the_same_with_the_file_of_the_start(tmp_path: Path) -> None:
    plain = find_toolchain()
    tools = with_startup(plain, tmp_path / "kept")
    if tools.startup is None:
        pytest.skip(f"Java {plain.java_version} keeps nothing of a run")
    assert tools.startup.stat().st_size > 1 << 20
    made = tools.startup.stat().st_mtime_ns
    assert with_startup(plain, tmp_path / "kept").startup == tools.startup
    assert tools.startup.stat().st_mtime_ns == made
    seen = [Run(read_config(CONFIG), each, Limits()).finish() for each in (plain, tools)]
    assert seen[0].actions == seen[1].actions
    assert (seen[0].states, seen[0].distinct) == (seen[1].states, seen[1].distinct)


def test_a_file_that_does_not_fit_is_no_obstacle(tmp_path: Path) -> None:
    wrong = tmp_path / "startup.aot"
    wrong.write_bytes(b"nothing of Java's")
    outcome = Run(read_config(CONFIG), replace(find_toolchain(), startup=wrong), Limits()).finish()
    assert outcome.succeeded


@pytest.mark.parametrize("version", ["21.0.4", "17", "unknown"])
def test_an_older_java_goes_without(version: str, tmp_path: Path) -> None:
    tools = replace(find_toolchain(), java_version=version)
    assert with_startup(tools, tmp_path) == tools


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tools = find_toolchain()
    assert with_startup(tools, tmp_path / "file" / "kept") == tools
