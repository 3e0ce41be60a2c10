"""What a spec can do, the engine does, step by step; a changed one of the two is told apart."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from model_check.cli import app
from model_check.conformance import command, record, runner, tour
from model_check.conformance import tour_free_list as free_list
from model_check.conformance import tour_tree as tree
from model_check.conformance.drive import Difference, Plan, Step, Want, drive
from model_check.conformance.mutants import Mutant, changed
from model_check.conformance.tour_epochs import Epochs, Object, State, Thread, step_of
from model_check.conformance.tour_free_list import FreeList
from model_check.conformance.tour_log import Hand, Log, Page, state_of
from model_check.conformance.tour_log import State as LogState
from model_check.conformance.tour_mutants import TOUR_MUTANTS, judge_tour
from model_check.conformance.tour_tree import Tree
from model_check.conformance.tours import Driven, Random, run_random, run_tour
from model_check.conformance.trace import Event, names
from model_check.explorer.build import Program
from model_check.explorer.run import Options
from model_check.proofs.graph import Graph, Record
from model_check.tlc.tools import Toolchain, find_toolchain


@pytest.fixture(scope="module")
def tools() -> Toolchain:
    return find_toolchain()


@pytest.fixture(scope="module")
def program() -> Program:
    return record.build()


def graph(*edges: str) -> Graph:
    pairs = [(edge[0], "A", edge[1]) for edge in edges]
    return Graph({state: {} for edge in edges for state in edge}, {"a"}, set(pairs))


# ---- paths ----


def test_paths_take_every_transition_and_begin_at_a_first_state() -> None:
    whole = graph("ab", "bc", "ca", "bd", "db", "ce", "ea", "aa")
    paths = tour.paths(whole, longest=3)
    assert all(path[0] == "a" for path in paths)
    taken = {(one, two) for path in paths for one, two in pairwise(path)}
    assert taken == {(one, two) for one, _, two in whole.edges}


def test_a_dead_end_begins_another_path() -> None:
    assert sorted(tour.paths(graph("ab", "ac"), longest=9)) == [["a", "b"], ["a", "c"]]


def test_a_transition_that_no_first_state_leads_to_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 transitions cannot be reached"):
        tour.paths(graph("ab", "cd"), longest=9)


# ---- the engine, led ----


def test_a_program_is_led_event_by_event(program: Program) -> None:
    text = "options states=1; thread pin, unpin, size; thread pin, unpin, size"
    wanted = [(2, "READ_EPOCH"), (1, "READ_EPOCH"), (1, "ANNOUNCE"), (1, "UNPIN"), (2, "ANNOUNCE")]
    events, finding = record.follow(program, text, wanted)
    assert finding is None
    told = [(event.thread, event.name) for event in events if event.name != "STATE"]
    assert told == wanted


def test_an_event_out_of_turn_ends_the_execution_and_is_the_last_one_told(
    program: Program,
) -> None:
    text = "options states=1; thread pin, unpin, size"
    events, finding = record.follow(program, text, [(1, "READ_EPOCH"), (1, "UNPIN")])
    assert finding is not None
    assert "but thread 1 has told kind" in finding
    assert [event.name for event in events if event.name != "STATE"] == ["READ_EPOCH", "ANNOUNCE"]


def test_what_only_tours_need_is_not_in_traces(program: Program) -> None:
    options = Options(strategy="random", executions=2, leaks=False)
    text = "before take_pid 1; thread put 10 1, push_pid 1, pop_pid, get 10"
    found, finding = record.run(program, text, options)
    assert finding is None
    told = {event.name for execution in found for event in execution.events}
    assert "LOOK" in told
    of_tours = {"READ", "PASS", "POP_SEES", "READ_LINK", "POP_PID", "PUSH_SEES", "WRITE_LINK"}
    assert not told & of_tours
    assert of_tours < set(names())


def test_an_event_that_never_comes_is_a_difference(program: Program) -> None:
    subject = Epochs(2, 0, 2, 1)
    plan = Plan("states=1", {1: ["size"]}, wants=[Want(1, "FREE", "Free(t1)", None)])
    told = str(drive(program, plan, subject.mirror()))
    assert told.splitlines()[0] == "Free(t1), step 1 of 1, is not what the engine does:"


def test_states_that_differ_stand_side_by_side(program: Program) -> None:
    rests = Thread(None, None, None, frozenset())
    wrong = State((("t1", rests), ("t2", rests)), (Object("linked", "", -1, (), 0),))
    wants = [Want(1, "READ_EPOCH", "ReadEpoch(t1)", wrong)]
    plan = Plan("states=1", {1: ["pin", "unpin", "size"], 2: ["size"]}, wants=wants)
    told = str(drive(program, plan, Epochs(2, 0, 2, 1).mirror()))
    assert "after ReadEpoch(t1), step 1 of 1 (READ_EPOCH of thread 1), the states differ" in told
    assert [line.split() for line in told.splitlines() if "≠" in line] == [
        ["≠", "seen[t1]", "none", "G"]
    ]


# ---- EpochReclamation ----


def test_a_commit_is_known_by_the_epoch_that_moves() -> None:
    def state(advancing: int | None, announced: int) -> State:
        scanned = frozenset[str]() if advancing is None else frozenset({"t1"})
        return State((("t1", Thread(None, announced, advancing, scanned)),), ())

    assert step_of(state(0, 0), state(None, 1)) == ("Commit", "t1")
    assert step_of(state(1, 1), state(None, 1)) == ("CommitLost", "t1")


def test_the_engine_takes_every_transition_of_two_advancers(
    program: Program, tools: Toolchain
) -> None:
    found = run_tour(Epochs(2, 0, 2, 1), program, tools)
    assert str(found.difference) == "None"
    assert found.driven == found.transitions > 1500
    assert found.taken["CommitLost"] > 0
    assert set(found.left) == {
        "Acquire: in the middle of a pin or an advance",
        "Scan: not the next registration of the list",
        "ScanBlocked: not the next registration of the list",
    }


@pytest.mark.parametrize(
    "name",
    [
        "code: the epoch is moved by an addition",
        "spec: an object may be acquired without a pin",
        "spec: a push stores the head",
    ],
)
def test_a_changed_engine_or_spec_is_rejected_at_the_very_step(name: str, tools: Toolchain) -> None:
    mutant, subject = next(each for each in TOUR_MUTANTS if each[0].name == name)
    fate = judge_tour(mutant, subject, tools)
    assert fate.killed, fate.told
    assert "is not what the engine does" in fate.told


@pytest.mark.parametrize("mutant", [mutant for mutant, _ in TOUR_MUTANTS], ids=lambda m: m.name)
def test_each_mutant_of_tours_fits_the_sources(mutant: Mutant) -> None:
    with changed(mutant) as folder:
        inside = folder / "src" if mutant.kind == "code" else folder
        assert (inside / mutant.file).is_file()
    assert mutant.kind == "spec" or mutant.file.endswith(".c")


# ---- DeltaLog ----


def test_the_engine_takes_every_transition_of_a_writer_and_a_reader(
    program: Program, tools: Toolchain
) -> None:
    found = run_tour(Log(('{Put(1, "v1")}', "{Get(1)}"), 1), program, tools)
    assert str(found.difference) == "None"
    assert found.driven == found.transitions > 400
    assert 0 < found.passed < found.driven
    assert set(found.silent) == {"Build", "AnswerAtFrozen", "LeaveToOthers"}
    assert not found.left


def test_the_engine_follows_a_random_behaviour_of_three_threads(
    program: Program, tools: Toolchain
) -> None:
    menu = "Gets \\cup Writes"
    log = Log((menu, menu, menu), 2, keys=2)
    found = run_random(Random(log, 1, 150), program, tools, seed=5)
    assert str(found.difference) == "None"
    assert found.steps > 100
    assert found.driven == found.transitions == 0


def test_a_state_of_the_log_is_read_as_what_pages_hold() -> None:
    put = Record(kind="PUT", key=1, val="v1")
    null = Record(kind="NULL", key=0, val="absent")
    rests = Record(at="rest", page=0, next=1, read=(), fresh=("absent",))
    call = Record(phase="called", op="…", seen=frozenset(), answer="absent")
    spec = {
        "heap": (Record(base=("absent",), log=(put, null)), Record(base=("v2",), log=(null, null))),
        "mapping": 2,
        "thread": Record(t1=rests, t2=Record({**rests, "at": "scan", "page": 1, "read": (put,)})),
        "call": Record(t1=call, t2=call),
    }
    record_ = ("PUT", 1, "v1")
    assert state_of(spec) == LogState(
        Page(((1, "v2"),), (), mapped=True),
        (("t2", Hand(Page((), (record_,), mapped=False), (record_,), "t2")),),
    )


# ---- FreeList ----


def test_the_engine_takes_every_transition_of_two_threads_with_three_calls_each(
    program: Program, tools: Toolchain
) -> None:
    found = run_tour(FreeList(2, 2, calls=3), program, tools)
    assert str(found.difference) == "None"
    assert found.driven == found.transitions > 1000
    assert set(found.taken) == set(free_list.ACTIONS)
    assert set(found.left) == {"Use: in the middle of a pop or a push"}


def _list(first: int, *threads: free_list.Thread) -> free_list.State:
    named = tuple((f"t{k}", thread) for k, thread in enumerate(threads, 1))
    return free_list.State(first, (2, 0), named)


def test_a_pop_is_asked_for_in_each_state_in_which_the_list_is_empty_once() -> None:
    rests = free_list.Thread()
    reads = free_list.Thread(saw=1, current=True)
    full, empty = _list(1, rests), _list(0, rests, reads)
    plan = free_list.plan_of([full, _list(1, reads)], set())
    assert plan.text() == (
        "options max_pids=4096 states=3; before take_pid 1, take_pid 2, push_pid 2, push_pid 1; "
        "thread pop_pid, size"
    )
    probed: set[free_list.State] = set()
    asked = [free_list.plan_of([empty, empty, empty], probed).wants for _ in range(2)]
    assert [[(want.action, want.state) for want in wants] for wants in asked] == [
        [("StartPop(t1)", empty)],
        [],
    ]


def test_an_exchange_that_is_lost_tells_the_head_that_it_has_found() -> None:
    lost = free_list.Thread(saw=2, current=False, next=1)
    again = free_list.Thread(saw=1, current=True)
    assert free_list.step_of(_list(1, lost), _list(1, again)) == ("Pop", "t1")
    (want,) = free_list.plan_of([_list(1, lost), _list(1, again)], set()).wants
    assert (want.event, want.name) == ("POP_SEES", "Pop")


# ---- StructureModification ----


def test_the_engine_takes_every_transition_of_a_split_beside_a_remove(
    program: Program, tools: Toolchain
) -> None:
    found = run_tour(Tree(("{Put(3, 11)}", "{Remove(5)}")), program, tools)
    assert str(found.difference) == "None"
    assert found.driven == found.transitions > 900
    assert set(found.silent) == {"CrossRight", "Terminated"}
    assert {"PublishRight", "Unpublish", "CheckAlive", "PostSeparator"} < set(found.taken)
    assert set(found.left) == {
        "AppendSlot: who takes the last slot replaces the page",
        "CrossRight: a writer that crosses a right link owes the post",
    }


def test_a_root_that_splits_is_led_over_both_pages_that_it_publishes() -> None:
    one = {"pc": "publish", "pub": (), "obj": 1, "pid": 0, "answered": "TRUE"}
    rest: dict[str, object] = {"map": Record({0: 0}), "heap": (), "ann": (1,)}
    before = Record(th=(Record(one),), **rest)
    after = Record(th=(Record({**one, "pc": "swap", "pub": (1, 2)}),), **rest)
    states = [Tree(()).read(state) for state in (before, after)]
    wants = tree.plan_of(states, (1, 2, 5)).wants
    assert [(want.event, want.counts) for want in wants] == [("PUBLISH", False), ("PUBLISH", True)]


def test_the_look_whether_the_target_of_a_post_is_alive_is_no_way_to_another_page() -> None:
    mirror = Tree(("{Put(3, 11)}", "{Remove(5)}")).mirror()
    free = tree.State((), frozenset(), (("t1", tree.Hand(0, mapped=False)),))
    told = [("LOAD_MAPPING", (64, 0, 0)), ("LOOK", (64, 0, 0)), ("LOAD_MAPPING", (128, 3, 0))]
    for name, words in told:
        mirror.take(Event(1, name, words), ())
    assert mirror.state(Step(free)).state.hands == (("t1", tree.Hand(0, mapped=False)),)
    for name, words in (("LOAD_MAPPING", (64, 0, 0)), ("PASS", (64, 1, 0)), told[2]):
        mirror.take(Event(1, name, words), ())
    assert mirror.state(Step(free)).state.hands == (("t1", tree.Hand(3, mapped=False)),)


# ---- the command ----


def test_what_was_driven_and_what_was_left_out_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driven = Driven(
        "a tour",
        transitions=5,
        driven=4,
        passed=1,
        steps=9,
        silent=Counter(Build=2),
        left=Counter({"Free: not the first in the thread's limbo": 3}),
        taken=Counter(Free=6),
        difference=Difference(7, "Free(t1)", "the states differ"),
    )
    monkeypatch.setattr(runner, "run_all", lambda *_, **__: [driven])
    monkeypatch.setattr(command, "find_toolchain", lambda: SimpleNamespace(describe=dict))
    monkeypatch.setattr(runner, "with_startup", lambda tools: tools)
    summary = tmp_path / "conform.json"
    done = CliRunner().invoke(app, ["conform", "--tours", "--json", str(summary)])
    assert done.exit_code == 1, done.output
    told = " ".join(done.output.split())
    assert "a tour: the states differ" in told
    assert "4 of 5 transitions of specs driven through the engine (1 of them silent)" in told
    assert "3 more are none that it can take" in told
    assert re.search(r"Free 6 3 not the first in the thread.s limbo", told)
    (section,) = json.loads(summary.read_text("utf-8"))["sections"]
    (row,) = section["rows"]
    assert (row["kind"], row["events"], row["verdict"]) == ("tour", 9, "red")
    assert section["figures"]["conform_left_out"] == 3
