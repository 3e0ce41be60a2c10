"""Traces of the engine are behaviours of the specs; what nobody did is not."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from model_check.cli import app
from model_check.conformance import (
    command,
    corrupt,
    delta_log,
    epochs,
    mutants,
    record,
    runner,
    structure,
)
from model_check.conformance.programs import PROGRAMS, FindingError, Subject, traces_of
from model_check.conformance.runner import Case, Found
from model_check.conformance.trace import Entry, Event, Trace, tla
from model_check.conformance.validate import Verdict, explained, validate
from model_check.explorer.build import Program
from model_check.explorer.catalogue_engine import named
from model_check.tlc.process import SPEC
from model_check.tlc.tools import Toolchain, find_toolchain

MODULES = {epochs.MODULE, delta_log.MODULE, structure.MODULE}


@pytest.fixture(scope="module")
def tools() -> Toolchain:
    return find_toolchain()


@pytest.fixture(scope="module")
def program() -> Program:
    return record.build()


@pytest.fixture(scope="module")
def traces(program: Program) -> list[Trace]:
    more = traces_of(program, _tree(), executions=1)
    return [*traces_of(program, PROGRAMS[0], executions=2), *more]


def _tree() -> Subject:
    (found,) = [each for each in PROGRAMS if "three levels" in each.name]
    return found


@pytest.fixture(scope="module")
def cut(program: Program) -> list[Trace]:
    """Traces that can be taken apart at most moments at which nothing is under way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs, "PIECE", 1)
        patch.setattr(delta_log, "PIECE", 1)
        patch.setattr(structure, "PIECE", 60)
        found = [
            trace
            for subject in (PROGRAMS[0], _tree())
            for trace in traces_of(program, subject, executions=1)
        ]
    assert all(trace.cuts for trace in found)
    assert {trace.module for trace in found} == MODULES
    return found


def _elsewhere(trace: Trace, name: str, value: object) -> Trace:
    """Let the last piece begin in another state."""
    *first, last = trace.cuts
    return replace(trace, cuts=(*first, replace(last, state={**last.state, name: value})))


@pytest.fixture(scope="module")
def broken(traces: list[Trace]) -> list[Trace]:
    wanted = (
        *("a bag's tag is older than the epoch", "a call gives another answer"),
        *("a removal without a mark", "a fresh page lacks an entry"),
    )
    found = [trace for one, trace in corrupt.corrupted(traces, most=1) if one.name in wanted]
    assert len(found) == len(wanted)
    return found


@pytest.fixture(scope="module")
def misplaced(cut: list[Trace]) -> list[Trace]:
    epoch, log, tree = (
        next(each for each in cut if each.module == module.MODULE)
        for module in (epochs, delta_log, structure)
    )
    away = tree.cuts[-1].state["away"]
    return [
        _elsewhere(epoch, "G", epoch.cuts[-1].state["G"] + 1),
        _elsewhere(log, "base", ("v9", "v9")),
        _elsewhere(log, "number", 99),
        _elsewhere(tree, "map", (9, 9)),
        _elsewhere(tree, "pages", tree.cuts[-1].state["pages"][1:]),
        _elsewhere(tree, "away", away ^ {max(away, default=1)}),
    ]


@pytest.fixture(scope="module")
def verdicts(
    traces: list[Trace],
    broken: list[Trace],
    cut: list[Trace],
    misplaced: list[Trace],
    tools: Toolchain,
) -> Mapping[str, list[Verdict]]:
    """Ask TLC once: it takes longer to start than to look at a trace."""
    groups = {"traces": traces, "broken": broken, "cut": cut, "misplaced": misplaced}
    found = iter(validate([*chain(*groups.values())], tools, jobs=2, doubted=True, asked=False))
    return {name: [next(found) for _ in each] for name, each in groups.items()}


@pytest.mark.parametrize("group", ["traces", "cut"])
def test_what_the_engine_does_is_accepted(
    group: str, verdicts: Mapping[str, list[Verdict]]
) -> None:
    assert [each.explain() for each in verdicts[group] if not each.accepted] == []
    assert {each.trace.module for each in verdicts[group]} == MODULES


def test_what_nobody_did_is_rejected_with_the_state_at_that_place(
    verdicts: Mapping[str, list[Verdict]], tools: Toolchain
) -> None:
    assert [each.trace.name for each in verdicts["broken"] if each.accepted] == []
    told = explained(verdicts["broken"][0], tools).explain()
    assert "is no step of" in told
    assert "could be taken:" in told


def test_a_trace_is_the_sum_of_its_pieces(cut: list[Trace]) -> None:
    for trace in cut:
        pieces = trace.pieces()
        assert len(pieces) == len(trace.cuts) + 1 > 2
        assert tuple(entry for piece in pieces for entry in piece.entries) == trace.entries
        assert [piece.end for piece in pieces] == [*(piece.start for piece in pieces[1:]), None]


def test_a_piece_must_end_where_the_next_one_begins(
    verdicts: Mapping[str, list[Verdict]],
) -> None:
    for verdict in verdicts["misplaced"]:
        assert verdict.rejection is not None
        assert verdict.rejection.at == verdict.trace.cuts[-1].at
        assert "is not in the state that was told" in verdict.explain()


def test_each_corruption_changes_its_trace(traces: list[Trace]) -> None:
    originals = {trace.name: trace.entries for trace in traces}
    for _, trace in corrupt.corrupted(traces):
        (name,) = [name for name in originals if trace.name.endswith(f" of {name})")]
        assert trace.entries != originals[name]


# ---- reading what the engine tells ----


def test_an_execution_with_a_split_is_no_trace_of_one_page(program: Program) -> None:
    subject = next(each for each in PROGRAMS if "splits" in each.name)
    with pytest.raises(delta_log.UnfitError, match=r"more than one page|SPLIT|operation"):
        list(traces_of(program, replace(subject, modules=("DeltaLog",)), executions=1))


def test_what_the_explorer_finds_is_no_trace_that_is_missing(program: Program) -> None:
    wrong = replace(PROGRAMS[0], text=named("must-fail-history").text)
    with pytest.raises(FindingError, match="not-linearizable"):
        list(traces_of(program, wrong, executions=200))


def test_each_page_id_gives_a_trace_of_its_own(program: Program) -> None:
    subject = next(each for each in PROGRAMS if "splits" in each.name)
    found = list(traces_of(program, subject, executions=1))
    assert len({trace.name for trace in found}) == len(found) > 1


def test_a_registration_that_an_advance_does_not_meet_is_scanned_when_it_begins() -> None:
    events = [
        Event(0, "PUBLISH", (96, 0, 0)),
        Event(0, "READ_EPOCH", (16, 1, 0)),
        Event(0, "ANNOUNCE", (16, 1, 0)),
        Event(0, "LOAD_MAPPING", (96, 0, 0)),
        Event(0, "INSTALL", (96, 0, 112)),
        Event(0, "ADVANCE_START", (16, 1, 0)),
        Event(1, "READ_EPOCH", (32, 1, 0)),
        Event(0, "SCAN", (16, 1, 1)),
        Event(0, "COMMIT", (16, 1, 0)),
    ]
    (trace,) = epochs.traces(events, "late")
    actions = [str(entry) for entry in trace.entries]
    assert actions.index("Scan(1, 2, 0)") == actions.index("AdvanceStart(1, 1)") + 1


def test_values_are_written_as_tla() -> None:
    assert tla({"a": (1, "x"), "b": frozenset({2})}) == '[a|-><<1,"x">>,b|->{2}]'
    assert Entry("Commit", (1, 2), 0).told(tla) == '<<"Commit",1,2,0>>'


# ---- mutants ----


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_fits_the_sources(mutant: mutants.Mutant) -> None:
    with mutants.changed(mutant) as folder:
        assert any(path.name == mutant.file for path in folder.rglob("*"))


#: `bwcheck conform --mutants` judges all.
SOME = ("spec: a thread that is not pinned blocks the epoch",)


@pytest.mark.parametrize("name", SOME)
def test_a_mutant_is_rejected_at_its_step(name: str, tools: Toolchain) -> None:
    (mutant,) = [each for each in mutants.MUTANTS if each.name == name]
    fate = mutants.judge(mutant, tools, PROGRAMS[:1])
    assert fate.killed, fate.told


# ---- the command ----

ACCEPTED = Case("explorer", "a program", as_expected=True, result="accepted", events=7)
REJECTED = Case("explorer", "a program", as_expected=False, result="rejected", detail="event 3 …")
SURVIVED = Case("corrupted", "a thing", as_expected=False, result="accepted", mutant="a thing")
NO_PLACE = Case("corrupted", "a thing", as_expected=None, result="no place for it")


@pytest.mark.parametrize(
    ("cases", "code"),
    [([ACCEPTED], 0), ([ACCEPTED, REJECTED], 1), ([SURVIVED], 1), ([ACCEPTED, NO_PLACE], 2)],
)
def test_the_exit_code_says_what_was_found(
    cases: list[Case], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "find_toolchain", lambda: SimpleNamespace(describe=dict))
    monkeypatch.setattr(runner, "run", lambda _plan, _tools: Found(cases, Counter(), []))
    summary = tmp_path / "conform.json"
    done = CliRunner().invoke(app, ["conform", "--seed", "5", "--json", str(summary)])
    assert done.exit_code == code, done.output
    assert "EpochReclamation.CommitLost" in done.output
    written = json.loads(summary.read_text("utf-8"))
    assert written["seed"] == 5
    assert [row["name"] for row in written["sections"][0]["rows"]] == [case.name for case in cases]


def test_the_help_has_an_example() -> None:
    done = CliRunner().invoke(app, ["conform", "--help"])
    assert "Example: bwcheck conform" in done.output
    assert "Exit codes" in done.output


def test_the_table_of_actions_has_those_of_the_trace_modules() -> None:
    for spec, actions in command.ACTIONS.items():
        text = (SPEC / f"Trace{spec}.tla").read_text(encoding="utf-8")
        steps = text[text.index("StepOf(") : text.index("TraceNext ==")]
        found = set(re.findall(r'(?:CASE|\[\]) (?:name|e\[1\]) = "(\w+)"', steps))
        assert found - {"ScanLate"} == set(actions)
