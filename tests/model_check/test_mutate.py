"""Mutants that a program makes: where they are made, which are chosen, how they are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_check.explorer.harness import engine_folder
from model_check.mutate.command import known, summary
from model_check.mutate.explained import Explained, problems, read, reason
from model_check.mutate.generate import Change, all_changes, changes_of, sample
from model_check.mutate.judge import SAME_CODE, STILLBORN, SURVIVED, Fate
from model_check.report import CannotRun, write_json

SOURCE = b"""
#include <assert.h>
static int table[4]; /* a + b < c */
static int sum(const int *values, int n) {
    assert(n >= 0 && n < 100);
    int total = 0;
    int rest[2 * (2 + 1)];
    for (int i = 0; i < n; i++) {
        if (values[i] == 7)
            break;
        total += values[i];
    }
    table[1] = total;
    __builtin_prefetch(&table[n + 2], 0, 3);
    if (__builtin_expect(n != 5, 1))
        table[2] = n;
    return !total ? -1 : total;
}
"""


def _made(text: bytes = SOURCE) -> list[Change]:
    return changes_of("sum.c", text)


def _whats(changes: list[Change]) -> set[str]:
    return {change.what for change in changes}


def test_operators_constants_conditions_and_statements_are_changed() -> None:
    whats = _whats(_made())
    assert "< to <= in i < n" in whats
    assert "== to != in values[i] == 7" in whats
    assert "+= to -= in total += values[i]" in whats
    assert "i++ to --" in whats
    assert "7 to 8 in values[i] == 7" in whats
    assert "(values[i] == 7) negated" in whats
    assert "!total without !" in whats
    assert "deleted" in whats


def test_comments_assertions_and_sizes_of_arrays_are_left_alone() -> None:
    changes = _made()
    assert all(change.function == "sum" for change in changes)
    assert all("assert" not in change.code for change in changes)
    assert all("rest" not in change.code for change in changes)


def test_prefetches_and_what_is_expected_are_left_alone_but_not_what_is_asked() -> None:
    changes = _made()
    assert all("prefetch" not in change.code for change in changes)
    assert "!= to == in n != 5" in _whats(changes)
    assert not any("(n != 5, 1)" in change.what for change in changes if "1 to 0" in change.what)


def test_a_mutant_changes_its_place_and_nothing_else() -> None:
    change = next(change for change in _made() if change.what == "< to <= in i < n")
    assert change.applied(SOURCE) == SOURCE.replace(b"i < n;", b"i <= n;")
    assert change.place == "sum.c:8"
    assert change.code.startswith("for (int i = 0; i < n; i++)")


def test_the_engine_has_thousands_of_places_and_a_larger_sample_holds_a_smaller_one() -> None:
    changes = all_changes(engine_folder() / "src")
    assert len(changes) > 3000
    assert len({(*change.key, change.begin) for change in changes}) == len(changes)
    assert sample(changes, 5, 1) == sample(changes, 50, 1)[:5]
    assert sample(changes, 50, 1) != sample(changes, 50, 2)


def test_a_sample_stays_when_mutants_elsewhere_come_and_go() -> None:
    changes = all_changes(engine_folder() / "src")
    without = [change for change in changes if change.file != "merge.c"]
    kept = [change for change in sample(changes, 200, 0) if change.file != "merge.c"]
    assert len(kept) < 200
    assert sample(without, len(kept), 0) == kept


def test_a_run_goes_on_with_those_that_the_one_before_did_not_see(tmp_path: Path) -> None:
    changes = _made()
    path = tmp_path / "mutate.json"
    with pytest.raises(CannotRun, match="--resume: there is no"):
        known(path, changes, [])
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CannotRun, match="is not what `bwcheck mutate` writes"):
        known(path, changes, [])
    fates = [
        Fate(changes[0], "killed", "C tests: test_x", "…", 1.0),
        Fate(changes[1], SURVIVED),
        Fate(changes[2], STILLBORN),
    ]
    write_json(path, summary(fates, len(changes), [], 0))
    found = {fate.change: (fate.fate, fate.by) for fate in known(path, changes, [])}
    assert found == {changes[0]: ("killed", "C tests: test_x"), changes[2]: (STILLBORN, "")}
    entry = Explained("sum.c", "sum", "why", changes[1].code, changes[1].what)
    assert len(known(path, changes, [entry])) == 3


def test_the_score_leaves_out_what_is_no_mutant() -> None:
    changes = _made()
    fates = [
        Fate(changes[0], "killed", "C tests: test_x", "…", 1.0),
        Fate(changes[1], "killed", "explorer: put", "…", 1.0),
        Fate(changes[2], STILLBORN),
        Fate(changes[3], SAME_CODE),
        Fate(changes[4], SURVIVED),
        Fate(changes[5], SURVIVED),
    ]
    entry = Explained("sum.c", "sum", "why", changes[4].code, changes[4].what)
    result = summary(fates, len(changes), [entry], 0)
    assert result["killed"] == 2
    assert result["equivalent"] == 2
    assert result["survived"] == 1
    assert result["score"] == pytest.approx(200 / 3)
    assert result["killed_by"] == {"C tests": 1, "explorer": 1}
    assert [row["what"] for row in result["survivors"]] == [changes[5].what]


def test_an_explanation_is_of_a_statement_or_of_a_whole_function() -> None:
    first, second = _made()[:2]
    exact = Explained("sum.c", "sum", "exact", first.code, first.what)
    assert reason(first, [exact]) == "exact"
    assert reason(second, [exact]) == ""
    assert reason(second, [Explained("sum.c", "sum", "all of it")]) == "all of it"


def test_explanations_that_are_wrong_are_said() -> None:
    change = _made()[0]
    exact = Explained("sum.c", "sum", "exact", change.code, change.what)
    gone = Explained("sum.c", "gone", "no such function")
    killed = Fate(change, "killed", "C tests: test_x", "…", 1.0)
    said = problems([killed], _made(), [exact, gone])
    assert len(said) == 2
    assert "no mutant of gone" in said[0]
    assert "but C tests: test_x kills it" in said[1]


def test_every_explanation_of_the_project_fits_a_mutant() -> None:
    assert problems([], all_changes(engine_folder() / "src"), read()) == []


def test_an_explanation_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "explained.json"
    path.write_text('[{"file": "a.c", "function": "f", "reason": " "}]', encoding="utf-8")
    with pytest.raises(CannotRun, match="there is no reason"):
        read(path)
