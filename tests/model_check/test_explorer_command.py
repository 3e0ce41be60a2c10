"""`bwcheck explore`: exit codes, files, several processes, shorter counterexamples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_check.cli import app
from model_check.explorer import Options, explore
from model_check.explorer.parallel import share, split
from model_check.explorer.shrink import shrink
from model_check.explorer.testing import assert_nothing_found
from tests.exploring import program, source

LOST_UPDATE = """
static atomic_int x;
THREAD(add) { for (int i = 0; i < 2; i++) { int old = LOAD(x, relaxed);
    STORE(x, old + 1, relaxed); } END; }
int main(void) { RUN(add, add); bwx_check(x == 4, "an update was lost"); return 0; }
"""
FINE = """
static atomic_int x, y; static int a, b;
THREAD(one) { STORE(x, 1, relaxed); a = LOAD(y, relaxed); STORE(y, 2, relaxed); END; }
THREAD(two) { STORE(y, 1, relaxed); b = LOAD(x, relaxed);
    atomic_fetch_add_explicit(&x, 5, memory_order_relaxed); END; }
THREAD(three) { STORE(x, LOAD(y, relaxed) + 9, relaxed); END; }
int main(void) { RUN(one, two, three); bwx_outcome("%d%d x=%d y=%d", a, b, LOAD(x, relaxed),
    LOAD(y, relaxed)); return 0; }
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["explore", *arguments])
    return result.exit_code, result.output


def test_finding_has_its_exit_code_and_a_replay_that_shows_it(tmp_path: Path) -> None:
    path, report, page = source(LOST_UPDATE), tmp_path / "r.json", tmp_path / "r.html"
    code, text = run(str(path), "--json", str(report), "--html", str(page))
    assert code == 10
    assert "an update was lost" in text
    said = json.loads(report.read_text(encoding="utf-8"))
    assert said["verdict"] == "assertion"
    assert "an update was lost" in page.read_text(encoding="utf-8")
    again, text = run(str(path), "--replay", said["finding"]["replay"])
    assert again == 10
    assert "an update was lost" in text


def test_nothing_found_is_zero_and_says_what_was_explored() -> None:
    code, text = run(str(source(FINE)))
    assert code == 0
    assert "nothing found: all" in text


def test_tree_programs_are_given_as_text() -> None:
    text = "options leaf_log=2; before put 10 1; thread put 20 2; thread get 10"
    code, said = run("--engine", text, "--model", "rc11")
    assert code == 0
    assert "nothing found: all" in said


def test_failing_allocations_of_the_tree_are_asked_for_in_its_text() -> None:
    code, said = run("--engine", "thread put 10 1", "--failures", "1")
    assert code == 2
    assert "options failures=1" in " ".join(said.split())


def test_what_cannot_run_is_two() -> None:
    assert run()[0] == 2
    assert run(str(source(FINE)), "--engine", "thread get 10")[0] == 2
    assert run("nowhere.c")[0] == 2
    assert run(str(source(FINE)), "--model", "power")[0] == 2


@pytest.mark.parametrize("model", ["sc", "rc11"])
def test_parts_of_an_exploration_make_the_whole(model: str) -> None:
    one, options = program(FINE), Options(model=model)
    whole = explore(one, options)
    shared = share(one, options, 2)
    assert shared.exhaustive
    assert shared.outcomes == whole.outcomes
    assert shared.complete == whole.complete
    _, prefixes = split(one, options, 16)
    assert len(prefixes) >= 16
    assert len(set(prefixes)) == len(prefixes)


def test_several_processes_find_what_one_does() -> None:
    for strategy in ("exhaustive", "random"):
        options = Options(strategy=strategy, executions=2000)
        assert share(program(LOST_UPDATE), options, 2).verdict == "assertion"


def test_counterexample_gets_as_few_preemptions_as_it_needs() -> None:
    one, options = program(LOST_UPDATE), Options(strategy="random", seed=3, executions=2000)
    found = explore(one, options)
    assert found.finding is not None
    short = shrink(one, options, found).finding
    assert short is not None
    assert short.kind == "assertion"
    again = explore(one, Options(strategy="bounded", preemptions=0))
    assert again.finding is None
    assert short.preemptions == 1


def test_how_to_works_as_written() -> None:
    """docs/explorer.md: a data race, then a use after free, then nothing."""
    programs = source(FINE).parents[2] / "model_check" / "explorer" / "programs"
    broken = (programs / "stack_broken.c").read_text(encoding="utf-8")
    code, text = run(str(programs / "stack_broken.c"))
    assert (code, "data-race" in text) == (12, True)
    first = broken.index("compare_exchange_weak")
    at = broken.index("memory_order_relaxed", first)
    released = source("").parent / "stack_released.c"
    released.write_text(
        broken[:at] + "memory_order_release" + broken[at + len("memory_order_relaxed") :],
        encoding="utf-8",
    )
    code, text = run(str(released))
    assert (code, "use-after-free" in text) == (13, True)
    code, text = run(str(programs / "stack_fixed.c"), "--model", "rc11")
    assert (code, "nothing found: all 256 executions explored" in text) == (0, True)


def test_pytest_helper_fails_with_the_counterexample() -> None:
    assert assert_nothing_found(source(FINE)).exhaustive
    with pytest.raises(AssertionError, match="an update was lost"):
        assert_nothing_found(source(LOST_UPDATE))
    with pytest.raises(AssertionError, match="not explored to the end"):
        assert_nothing_found(source(FINE), executions=2)


def test_a_text_for_the_engine_that_cannot_be_read_is_refused() -> None:
    code, output = run("--engine", "thread fly 1")
    assert code == 2
    assert "there is no operation of this name" in " ".join(output.split())
