"""Telling events costs a release build nothing: its object code is the same without them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

IMPL = Path(__file__).parents[2] / "impl"
#: What a use of the macro looks like: a statement that may go on over several lines.
_USE = re.compile(r"BW_EVENT\((?:[^;]|\n)*?\);")
FILES = sorted(path.name for path in (IMPL / "src").glob("*.c") if "_avx" not in path.name)


def code(folder: Path, name: str, compiler: str, into: Path, *flags: str) -> bytes:
    """Compile one source as a release build does; gives the object file."""
    made = into / f"{name}.o"
    subprocess.run(
        [
            *(compiler, "-std=gnu11", "-O3", "-DNDEBUG", "-I../include", *flags),
            *("-c", name, "-o", str(made)),
        ],
        cwd=folder / "src",
        check=True,
    )
    return made.read_bytes()


def without_events(folder: Path) -> tuple[Path, int]:
    """Give a copy of impl/ in which every use of the macro is an empty statement, and how many."""
    shutil.copytree(IMPL, folder)
    count = 0
    for path in [*(folder / "src").glob("*.[ch]"), *(folder / "src").glob("*.inc")]:
        if path.name == "event.h":
            continue
        text, found = _USE.subn(
            lambda use: ";" + "\n" * use[0].count("\n"), path.read_text(encoding="utf-8")
        )
        count += found
        path.write_text(text, encoding="utf-8")
    return folder, count


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_release_build_has_the_same_code_without_events(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    bare, count = without_events(tmp_path / "impl")
    assert count > 30
    for name in ("epoch.c", "write.c"):
        assert code(IMPL, name, compiler, tmp_path) == code(bare, name, compiler, tmp_path), name


def preprocessed(folder: Path, name: str) -> str:
    """Give what the compiler makes of a source before it translates it, empty statements alike."""
    done = subprocess.run(
        ["gcc", "-std=gnu11", "-DNDEBUG", "-I../include", "-E", "-P", name],
        cwd=folder / "src",
        check=True,
        capture_output=True,
        text=True,
    )
    return re.sub(r"\s+", " ", done.stdout.replace("((void)0);", ";"))


def test_an_event_is_an_empty_statement_in_every_file_of_a_release_build(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    bare, _ = without_events(tmp_path / "impl")
    for name in FILES:
        assert preprocessed(IMPL, name) == preprocessed(bare, name), name


def test_a_build_with_events_has_other_code(tmp_path: Path) -> None:
    told = code(IMPL, "epoch.c", "gcc", tmp_path, "-DBW_EVENTS")
    assert told != code(IMPL, "epoch.c", "gcc", tmp_path)
    assert b"bw_event" in told
