"""Litmus tests as C programs: they compile without a warning, and real hardware obeys the gold."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from model_check.axioms.gold import TESTS, find
from model_check.axioms.program import program

if TYPE_CHECKING:
    from pathlib import Path

    from model_check.axioms.litmus import Litmus

_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O1")
_HEADER = "void bwx_outcome(const char *format, ...) __attribute__((format(printf, 1, 2)));\n"
#: Runs the program's threads for real; one line an execution.
_PRINTER = """
#include <stdarg.h>
#include <stdio.h>
#include "bwexplore.h"
void bwx_outcome(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}
"""


def _written(folder: Path, tests: list[Litmus]) -> list[Path]:
    (folder / "bwexplore.h").write_text(_HEADER)
    paths = []
    for number, test in enumerate(tests):
        paths.append(folder / f"test_{number}.c")
        paths[-1].write_text(program(test))
    return paths


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_test_is_a_program_without_warnings(compiler: str, tmp_path: Path) -> None:
    paths = _written(tmp_path, list(TESTS))
    done = subprocess.run(
        [compiler, *_STRICT, "-fsyntax-only", f"-I{tmp_path}", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name",
    ["MP+rel+acq", "SB+rlx", "CoRR+two_writers", "cas+cas", "Z6.U", "EBR+unpin_rel+scan_acq"],
)
def test_what_this_machine_does_is_in_the_gold(name: str, tmp_path: Path) -> None:
    test = find(name)
    (path,) = _written(tmp_path, [test])
    (tmp_path / "printer.c").write_text(_PRINTER)
    binary = tmp_path / "program"
    subprocess.run(
        ["cc", *_STRICT, f"-I{tmp_path}", path, tmp_path / "printer.c", "-o", binary, "-pthread"],
        check=True,
    )
    for _ in range(20):
        seen = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
        assert seen in test.rc11.outcomes


def test_the_program_has_the_orders_that_the_test_names() -> None:
    text = program(find("MP+rel+failed_cas_acq"))
    assert "memory_order_acq_rel, memory_order_acquire);" in text
    assert "atomic_store_explicit(&y, 1, memory_order_release);" in text
    assert 'bwx_outcome("a=%d b=%d", seen_a, seen_b);' in text


def test_a_location_with_plain_and_atomic_accesses_is_one_object() -> None:
    text = program(find("race+write_and_atomic_load"))
    assert "static atomic_int x;" in text
    assert "*(int *)&x = 1;" in text


def test_weak_and_strong_compare_and_swap_are_told_apart() -> None:
    assert "compare_exchange_weak_explicit" in program(find("weak_cas_alone"))
    assert "compare_exchange_strong_explicit" in program(find("cas+cas"))
