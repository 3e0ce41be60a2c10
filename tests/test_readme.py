"""The examples of README.md run, and do what they say.

A Python block is run as a program of its own; where a line ends in ``# -> VALUE``, its expression
must have that repr. A C block must be a whole program: it is compiled as the reader would, without
warnings, linked with the library, and must end with 0.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.building import ROOT, built, run

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Give the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def claims(source: str) -> str:
    """Turn each expression that ends in ``# -> VALUE`` into an assertion."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        code, arrow, value = line.partition("# -> ")
        if not arrow:
            continue
        indent = code[: len(code) - len(code.lstrip())]
        expression, value = code.strip(), value.strip()
        ast.parse(expression, mode="eval")
        claim = f"assert repr(_seen := ({expression})) == {value!r}, repr(_seen)"
        lines[number] = indent + claim
    return "\n".join(lines)


def test_readme_has_an_example_in_each_language() -> None:
    assert blocks("python")
    assert blocks("c")


@pytest.mark.parametrize("source", blocks("python"))
def test_python_example_runs(source: str, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(claims(source), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{source}\n{done.stderr}"


@pytest.mark.parametrize("source", blocks("c"))
def test_c_example_compiles_and_runs(source: str, tmp_path: Path) -> None:
    (tmp_path / "example.c").write_text(source, encoding="utf-8")
    library = built("release") / "libbwtree.a"
    strict = ("-std=c11", "-Wall", "-Wextra", "-Werror")
    include = f"-I{ROOT / 'impl/include'}"
    run("cc", *strict, include, "example.c", library, "-pthread", "-o", "example", cwd=tmp_path)
    run(tmp_path / "example", timeout=60)
