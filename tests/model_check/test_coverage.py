"""Coverage: programs of each kind are built with counters, run, and added up."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from model_check.report import CannotRun
from model_check.site import coverage
from model_check.site.coverage import ALL, KINDS, Build, Covered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model_check.site.coverage import Step

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("gcov") is None, reason="coverage needs gcc's gcov"
)


def _limits(build: Build) -> Iterator[Step]:
    yield [build.test("test_limits")], "test_limits"


def _two_cases(build: Build) -> Iterator[Step]:
    return islice(KINDS["programs of the explorer, once each"](build), 2)


def test_what_two_kinds_reach_is_added_up_and_kept(tmp_path: Path) -> None:
    found = coverage.measure({"limits": _limits, "cases": _two_cases})

    def of(evidence: str, file: str) -> Covered:
        return next(each for each in found if (each.evidence, each.file) == (evidence, file))

    for evidence in ("limits", "cases"):
        assert 0 < of(evidence, "tree.c").lines_reached <= of(evidence, "tree.c").lines
    for file in ("tree.c", "write.c", "consolidate.c"):
        parts = [of("limits", file).lines_reached, of("cases", file).lines_reached]
        assert max(parts) <= of(ALL, file).lines_reached <= sum(parts)
    assert of(ALL, "bulk.c").lines_reached == 0  # nobody puts many keys at once there
    coverage.write(found, tmp_path / "coverage.json")
    assert coverage.read(tmp_path / "coverage.json") == found


def test_a_program_that_fails_is_a_sentence() -> None:
    def fails(build: Build) -> Iterator[Step]:
        del build
        yield ["sh", "-c", "echo the reason; exit 3"], "a program"

    with pytest.raises(CannotRun, match="a program ended with 3: the reason"):
        coverage.measure({"one": fails})
