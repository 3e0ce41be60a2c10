"""The explorer against the gold: litmus tests and the programs that come with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from model_check.axioms.arbitrary import arbitrary
from model_check.axioms.gold import TESTS
from model_check.axioms.litmus import Exchange, Fence, bare
from model_check.axioms.outcomes import MODELS, allowed
from model_check.axioms.program import program
from model_check.explorer import programs
from model_check.report import CannotRun
from tests.building import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from model_check.axioms.litmus import Allowed, Litmus

run = pytest.importorskip("model_check.explorer.run")
build = pytest.importorskip("model_check.explorer.build")

_COMPILERS = pytest.mark.parametrize("compiler", ["gcc", "clang"])
_ENDS = programs.catalogue("classic") + programs.catalogue("misuse")


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what was compiled from run to run, inside the project."""
    monkeypatch.setenv("BWCHECK_CACHE", str(ROOT / "build" / "explorer"))


def _needs(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")


def _seq_cst_accesses(test: Litmus) -> bool:
    simple = [bare(statement) for statement in test.statements()]
    orders = {one.order for one in simple if not isinstance(one, Fence)}
    orders |= {one.failure for one in simple if isinstance(one, Exchange)}
    return "sc" in orders


def _explored(path: Path, flags: list[str], compiler: str, options: Any) -> tuple[Any, str]:
    """Explore a program; gives the result, or the sentence that refuses it."""
    try:
        return run.explore(build.build([path], compiler=compiler, flags=flags), options), ""
    except CannotRun as refusal:
        return None, str(refusal)


def _written(test: Litmus, folder: Path) -> Path:
    source = folder / "litmus.c"
    source.write_text(program(test))
    return source


def _compare(test: Litmus, model: str, gold: Allowed, compiler: str, source: Path) -> None:
    """Explore the test's program; the outcomes, or the race, are exactly the gold."""
    # A weak compare-and-swap may fail for no reason as often as the test has one.
    options = run.Options(model=model, spurious=2, seconds=10)
    result, refusal = _explored(source, [], compiler, options)
    if refusal:
        assert model == "rc11", refusal
        assert _seq_cst_accesses(test), refusal
        assert "seq_cst" in refusal
        return
    told = f"{test.name} under {model}: {' || '.join(test.source)}"
    if gold.race:
        assert result.finding is not None, told
        assert result.finding.kind == "data-race", told
    else:
        assert result.finding is None, f"{told}: {result.finding.sentence}"
        assert set(result.outcomes) == gold.outcomes, told
        assert result.exhaustive, told


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
@_COMPILERS
def test_the_explorer_gives_exactly_the_gold(test: Litmus, compiler: str, tmp_path: Path) -> None:
    _needs(compiler)
    source = _written(test, tmp_path)
    _compare(test, "sc", test.sc, compiler, source)
    _compare(test, "rc11", test.rc11, compiler, source)


@pytest.mark.parametrize("seed", range(40))
def test_the_explorer_and_the_axioms_agree_on_random_tests(seed: int, tmp_path: Path) -> None:
    test = arbitrary(seed, plain=seed % 4 == 0, seq_cst=seed % 8 == 1)
    source = _written(test, tmp_path)
    for model in MODELS:
        _compare(test, model, allowed(test, model), build.COMPILER, source)


@pytest.mark.parametrize("end", _ENDS, ids=lambda end: end.name)
@_COMPILERS
def test_a_program_ends_as_it_says(end: programs.Expectation, compiler: str) -> None:
    _needs(compiler)
    options = run.Options(model=end.model, seconds=10, hang=1)
    result, refusal = _explored(end.path, end.flags(), compiler, options)
    if refusal:
        assert end.fits(programs.CANNOT_RUN), refusal
        assert end.word is not None
        assert end.word in refusal
        return
    kind = None if result.finding is None else result.finding.kind
    assert end.fits(kind), f"{end.name} ended in {kind}"
    assert kind is not None or result.exhaustive, f"{end.name} was not explored to the end"
