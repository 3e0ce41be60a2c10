"""`bwcheck proofs`: queries answer right, tables show why, the command says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import z3
from typer.testing import CliRunner

from model_check.cli import app
from model_check.console import output
from model_check.proofs import command, queries, runner, search
from model_check.proofs.queries import Outcome
from model_check.proofs.runner import Case
from model_check.proofs.system import (
    Action,
    Mutation,
    State,
    Step,
    Symbol,
    System,
    Term,
    forall,
    put,
)
from model_check.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

cli = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})

Runner = z3.DeclareSort("Runner")


def lock(mutation: str = "none") -> System:
    """Give a lock: whoever takes it when it is free has it, and nobody else."""

    def take(s: State, r: Term) -> Step:
        free = z3.BoolVal(True) if mutation == "take_blindly" else z3.Not(s.taken)
        return Step(
            free, {"has": put(s.has, [r], z3.BoolVal(True)), "taken": lambda: z3.BoolVal(True)}
        )

    def give(s: State, r: Term) -> Step:
        return Step(
            s.has(r),
            {"has": put(s.has, [r], z3.BoolVal(False)), "taken": lambda: z3.BoolVal(False)},
        )

    def alone(s: State) -> Term:
        return forall([Runner] * 2, lambda a, b: z3.Implies(z3.And(s.has(a), s.has(b)), a == b))

    return System(
        name="Lock",
        sorts=(Runner,),
        symbols=(Symbol("has", (Runner,), z3.BoolSort()), Symbol("taken", (), z3.BoolSort())),
        axioms={},
        start=lambda s: z3.And(z3.Not(s.taken), forall([Runner], lambda r: z3.Not(s.has(r)))),
        actions=(Action("Take", (("r", Runner),), take), Action("Give", (("r", Runner),), give)),
        invariant={
            "who has it has taken it": lambda s: forall(
                [Runner], lambda r: z3.Implies(s.has(r), s.taken)
            ),
            "one has it": alone,
            "it is taken or not": lambda s: z3.Or(s.taken, z3.Not(s.taken)),
        },
        safety={"one has it": alone},
        mutations=(Mutation("take_blindly", "nobody asks whether it is free"),),
    )


@pytest.fixture
def with_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be one system: the lock."""
    monkeypatch.setattr(queries, "SYSTEMS", {"Lock": lock})
    queries.load.cache_clear()


@pytest.mark.usefixtures("with_lock")
def test_an_inductive_invariant_is_proved_for_any_number() -> None:
    system = queries.load("Lock")
    found = [answer for part in queries.parts(system) for answer in queries.prove("Lock", part)]
    assert {answer.outcome for answer in found} == {Outcome.PROVED}
    assert len(found) == 3 + 1 + 2 * 3


@pytest.mark.usefixtures("with_lock")
def test_a_broken_guard_is_found_with_the_conjunct_that_it_breaks() -> None:
    answer = queries.refute_mutation("Lock", "take_blindly")
    assert (answer.outcome, answer.action, answer.goal) == (Outcome.FAILS, "Take", "one has it")
    lines = answer.counterexample.splitlines()
    assert lines[0] == 'Lock, Take breaks "one has it"'
    assert lines[1] == "Runner: Runner1 Runner2"
    assert lines[3].split() == ["before", "after"]
    assert any(line.split()[0] == "has" and line.endswith("*") for line in lines)


@pytest.mark.usefixtures("with_lock")
def test_what_holds_anyhow_is_a_superfluous_conjunct() -> None:
    every = {action.name: ("one has it",) for action in lock().actions}
    assert queries.refute_without("Lock", "it is taken or not", every).outcome is Outcome.PROVED
    needed = queries.refute_without("Lock", "who has it has taken it", every)
    assert (needed.outcome, needed.action) == (Outcome.FAILS, "Take")


@pytest.mark.parametrize("name", queries.SYSTEMS)
def test_first_states_and_safety_follow(name: str) -> None:
    for part in (queries.START, queries.SAFETY):
        for answer in queries.prove(name, part):
            assert answer.outcome is Outcome.PROVED, answer


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("EpochReclamation", "Commit"),
        ("EpochReclamation", "Free"),
        ("DeltaLog", "AppendRecord"),
        ("DeltaLog", "Install"),
        ("Structure", "Post"),
        ("Structure", "SwapRoot"),
        ("Structure", "InstallUnion"),
        ("Structure", "DeleteEntry"),
    ],
)
def test_an_action_keeps_the_invariant(name: str, action: str) -> None:
    for answer in queries.prove(name, action):
        assert answer.outcome is Outcome.PROVED, answer


@pytest.mark.parametrize(
    ("name", "mutation", "action"),
    [
        ("EpochReclamation", "free_one_epoch_early", "Free"),
        ("EpochReclamation", "tag_with_local_epoch", "Tag"),
        ("DeltaLog", "install_by_store", "Install"),
        ("DeltaLog", "consolidate_unfrozen", "Build"),
        ("Structure", "post_alive_before_scan", "FindParent"),
        ("Structure", "left_before_right", "PublishRight"),
        ("Structure", "no_fence_check", "Read"),
    ],
)
def test_a_weakened_guard_makes_a_query_fail(name: str, mutation: str, action: str) -> None:
    answer = queries.refute_mutation(name, mutation)
    assert (answer.outcome, answer.action) == (Outcome.FAILS, action)


def test_the_command_proves_a_part_and_the_json_file_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "proofs.json"
    few = {name: search.CLAIMS[name] for name in ("lane, avx2", "tag")}
    broken = {name: claim for name, claim in search.BROKEN.items() if claim in few}
    monkeypatch.setattr(search, "CLAIMS", few)
    monkeypatch.setattr(search, "BROKEN", broken)
    done = cli.invoke(app, ["proofs", "--part", "search", "--jobs", "1", "--json", str(path)])
    assert done.exit_code == 0, done.output
    assert "2 of 2 mutants found" in done.output
    (section,) = json.loads(path.read_text(encoding="utf-8"))["sections"]
    assert (section["name"], section["verdict"]) == ("proofs", "green")
    assert section["figures"]["mutants_killed"] == section["figures"]["mutants"] == 2
    assert section["figures"]["proof_queries"] == 2
    rows = {row["name"]: row for row in section["rows"]}
    assert rows["tag"]["result"] == "proved"
    assert rows["signed_comparison"]["result"] == 'breaks "lane, avx2"'


def test_an_unknown_part_is_exit_code_2() -> None:
    done = cli.invoke(app, ["proofs", "--part", "nothing"])
    assert done.exit_code == 2
    assert "there is no proof called nothing" in done.output


@pytest.mark.parametrize(
    ("as_expected", "verdict"),
    [(True, Verdict.GREEN), (False, Verdict.RED), (None, Verdict.BROKEN)],
)
def test_what_is_not_as_expected_decides_the_verdict(
    as_expected: bool | None, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        Case("search", "proof", "sorted", "proved", as_expected=True, seconds=0.0, queries=1),
        Case("search", "mutant", "one", "so so", as_expected, 0.0, detail="the table"),
    ]

    def run(_: Sequence[str], **__: object) -> list[Case]:
        return cases

    monkeypatch.setattr(runner, "run", run)
    section = command.check(["search"], output())
    assert section.verdict is verdict
    assert list(section.problems) == ([] if as_expected else ["the table"])


def test_an_action_that_no_comparison_takes_is_told() -> None:
    some = Case("DeltaLog", "agreement", "small", "the same", True, 0.0, detail="Invoke Return")
    (missing,) = runner._never_taken([some])
    assert missing.as_expected is False
    assert "AppendRecord" in missing.result
    assert "Forget" not in missing.result
