"""Histories from elsewhere: what files mean, what is wrong with them, conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from model_check.cli import app
from model_check.linearizability import (
    MODELS,
    OperationsError,
    Outcome,
    check,
    check_operations,
    convert,
    read,
)
from model_check.linearizability.convert import operations_of
from model_check.recorder import Kind, Run, Tree, TreeOptions, Workload, load, save
from tests.model_check.test_linearizability_oracle import random_history

if TYPE_CHECKING:
    from pathlib import Path

    from model_check.linearizability import Operations


def text_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def parsed(folder: Path, name: str, text: str, *, independent: bool = False) -> Operations:
    return read(text_file(folder, name, text), independent=independent)


def verdict(operations: Operations, model: str) -> Outcome:
    return check_operations(operations, MODELS[model]()).outcome


# ------------------------------------------------------------------ Jepsen

EDN = """
; a register of Jepsen
{:type :invoke, :f :read, :value nil, :process 0, :time 10, :index 0}
{:type :info, :f :start-partition, :process :nemesis, :value [:isolated {"n1" #{"n2"}}]}
{:type :invoke, :f :write, :value 3, :process 1, :time 11, :index 1}
{:type :ok, :f :read, :value nil, :process 0, :time 12, :index 2}
{:type :ok, :f :write, :value 3, :process 1, :time 13, :index 3}
#jepsen.history.Op{:type :invoke, :f :cas, :value [3 4], :process 2, :time 14, :index 4}
{:type %s, :f :cas, :value [3 4], :process 2, :time 15, :index 5, :error "timeout"}
{:type :invoke, :f :read, :value nil, :process 3, :index 6}
{:type :ok, :f :read, :value %s, :process 3, :index 7}
"""


@pytest.mark.parametrize(
    ("completion", "seen", "expected"),
    [
        (":ok", "4", Outcome.OK),
        (":ok", "3", Outcome.VIOLATION),
        (":fail", "3", Outcome.OK),  # known not to have happened
        (":fail", "4", Outcome.VIOLATION),
        (":info", "3", Outcome.OK),  # either
        (":info", "4", Outcome.OK),
        (":info", "5", Outcome.VIOLATION),
    ],
)
def test_ok_fail_and_info_are_what_jepsen_means(
    tmp_path: Path, completion: str, seen: str, expected: Outcome
) -> None:
    operations = parsed(tmp_path, "history.edn", EDN % (completion, seen))
    assert verdict(operations, "cas-register") is expected
    assert operations.others == 1
    assert operations.failed == (completion == ":fail")
    whole = "[" + EDN % (completion, seen) + "]"  # the same as one vector
    assert verdict(parsed(tmp_path, "vector.edn", whole), "cas-register") is expected


INDEPENDENT = """{:type :invoke :f :write :value [:x 1] :process 0}
{:type :ok :f :write :value [:x 1] :process 0}
{:type :invoke :f :write :value ["y" 2] :process 0}
{:type :ok :f :write :value ["y" 2] :process 0}
{:type :invoke :f :read :value [:x nil] :process 1}
{:type :ok :f :read :value [:x %d] :process 1}
"""


def test_independent_keys_are_said_not_guessed(tmp_path: Path) -> None:
    right = parsed(tmp_path, "k.edn", INDEPENDENT % 1, independent=True)
    assert verdict(right, "register") is Outcome.OK
    wrong = parsed(tmp_path, "k.edn", INDEPENDENT % 2, independent=True)
    assert verdict(wrong, "register") is Outcome.VIOLATION
    with pytest.raises(OperationsError, match=r"line 5: a read is invoked with .* --independent"):
        parsed(tmp_path, "k.edn", INDEPENDENT % 1)
    with pytest.raises(OperationsError, match=r"line 3: with independent keys .*: None"):
        parsed(tmp_path, "history.edn", EDN % (":ok", "4"), independent=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{:type :invoke, :f :read,\n :process 0", r"line 1: '\{' is never closed: .* cut off"),
        ('{:type :invoke, :f "re', r"line 1: a string that begins here never ends"),
        ("{:type :invoke}\n\n]", r"line 1: an event has no :f"),
        ("[1 2", r"line 1: '\[' is never closed"),
        ("[1 }", r"line 1: '\}' closes '\['"),
        ("{:type :invoke :f}", r"a map has a key without a value"),
        ("17", r"a history is a list of maps"),
        ("{:type :maybe :f :read :process 0}", r"line 1: :type is one of"),
        ("#", r"line 1: this is no EDN"),
        ("[" * 300, r"nested more than 200 deep"),
        (
            "{:type :ok :f :read :process 4 :value 1}",
            r"line 1: process 4 completes read, which it never invoked",
        ),
        (
            "{:type :invoke :f :read :process 4}\n{:type :invoke :f :read :process 4}",
            r"line 2: process 4 calls read while its call of line 1 has not completed",
        ),
        (
            "{:type :invoke :f :read :process 4}\n{:type :ok :f :write :value 3 :process 4}",
            r"line 2: process 4 completes write, but it has invoked read in line 1",
        ),
    ],
)
def test_what_is_wrong_with_edn_is_said_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(OperationsError, match=message):
        parsed(tmp_path, "bad.edn", text)


# ------------------------------------------------------------------ JSON lines and CSV


def test_lines_of_json_are_calls_or_events(tmp_path: Path) -> None:
    calls = (
        '{"process": "a", "f": "write", "key": "x", "argument": 5, "invoked": 1, "responded": 2}\n'
        '{"process": "b", "f": "read", "key": "x", "result": 5, "invoked": 3, "responded": 4}\n\n'
        '{"process": 3, "f": "write", "key": "x", "argument": 6, "invoked": 1, "responded": null}\n'
        '{"process": "d", "f": "write", "key": "x", "argument": 7, "invoked": 1, "failed": true}\n'
    )
    events = (
        '{"type": "invoke", "process": "a", "name": "write", "key": "x", "value": 5}\n'
        '{"type": "invoke", "process": "c", "name": "write", "key": "x", "value": 6}\n'
        '{"type": "ok", "process": "a", "name": "write"}\n'
        '{"type": "invoke", "process": "b", "name": "read", "key": "x"}\n'
        '{"type": "info", "process": "c", "name": "write"}\n'
        '{"type": "ok", "process": "b", "name": "read", "value": 5}\n'
    )
    for text in (calls, events):
        operations = parsed(tmp_path, "h.jsonl", text)
        assert len(operations.calls) == 3
        assert verdict(operations, "map") is Outcome.OK
        assert sum(not call.known for call in operations.calls) == 1
        wrong = text.replace('"result": 5', '"result": 9').replace(
            '"read", "value": 5', '"read", "value": 9'
        )
        assert verdict(parsed(tmp_path, "h.jsonl", wrong), "map") is Outcome.VIOLATION


def test_versions_are_read_and_written(tmp_path: Path) -> None:
    line = (
        '{"process": 0, "f": "write", "argument": 5, "invoked": 1, "responded": 2, "version": %s}'
    )
    parsed(tmp_path, "v.jsonl", line % 7)
    convert(tmp_path / "v.jsonl", tmp_path / "v.csv")
    assert [call.version for call in read(tmp_path / "v.csv").calls] == [7]
    with pytest.raises(OperationsError, match=r"line 1: a version is an integer; got 'new'"):
        parsed(tmp_path, "v.jsonl", line % '"new"')


def test_csv_has_the_same_fields(tmp_path: Path) -> None:
    text = (
        "process,name,key,argument,result,invoked,responded\n"
        'a,write,x,"[1, 2]",,1,2\n'
        'b,read,x,,"[1, 2]",3,4\n'
        "c,write,x,word,,3,\n"
    )
    operations = parsed(tmp_path, "h.csv", text)
    assert [call.argument for call in operations.calls] == [(1, 2), None, "word"]
    assert verdict(operations, "register") is Outcome.OK
    assert verdict(parsed(tmp_path, "h.csv", text.replace(',"[1, 2]",3', ",7,3")), "register") is (
        Outcome.VIOLATION
    )


CALL = '{"process": 0, "name": "read", "invoked": %s, "responded": %s}\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("h.jsonl", "{nonsense\n", r"line 1: this is no JSON"),
        ("h.jsonl", CALL % (1, 2) + "[3]\n", r"line 2: a line is an object"),
        ("h.jsonl", CALL % (1, 2) + '{"process": 1}\n', r"line 2: .* needs a process, and a name"),
        (
            "h.jsonl",
            CALL % (5, 2),
            r"line 1: the call ends at 2, before it begins at 5: .* one clock",
        ),
        ("h.jsonl", CALL % ('"noon"', 2), r"line 1: invoked is the number of a time; got 'noon'"),
        ("h.jsonl", CALL % ("1e999", 2), r"line 1: invoked is the number of a time; got inf"),
        ("h.jsonl", CALL % (1, 9) + CALL % (4, 5), r"line 2: process 0 calls read at 4, but its"),
        ("h.jsonl", CALL % (1, "null") + CALL % (4, 5), r"line 2: .* line 1 never returned"),
        ("h.jsonl", '{"process": 0, "name": "read", "started": 4}\n', r"unknown field 'started'"),
        (
            "h.jsonl",
            (
                '{"type": "invoke", "process": 0, "name": "read", "time": 9}\n'
                '{"type": "ok", "process": 0, "name": "read", "time": 4}\n'
            ),
            r"line 2: the clock goes back from 9 \(line 1\) to 4",
        ),
        (
            "h.jsonl",
            '{"type": "invoke", "process": 0, "name": "read"}\n' + CALL % (1, 2),
            r"line 2: some lines are events and others are calls",
        ),
        ("h.csv", "process,name\n1,read,3\n", r"line 2: 3 cells, but the first line names 2"),
        ("h.csv", 'process,name\n1,"rea\n', r"no CSV"),
        ("h.jsonl", " \n", r"is empty"),
        ("h.txt", "x", r"histories end in \.bwh, \.jsonl"),
    ],
)
def test_what_is_wrong_with_lines_is_said_with_their_number(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(OperationsError, match=message):
        parsed(tmp_path, name, text)


def test_bytes_that_are_no_text_are_named_by_their_offset(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_bytes(b"process,name\n0,\xff\n")
    with pytest.raises(OperationsError, match=r"line 2 \(offset 15\): this is no UTF-8"):
        read(path)


# ------------------------------------------------------------------ between formats


def test_a_recorded_history_goes_through_every_format_and_back(tmp_path: Path) -> None:
    kinds = {Kind.GET: 4, Kind.PUT: 2, Kind.INSERT: 2, Kind.UPDATE: 2, Kind.REMOVE: 2,
             Kind.COMPARE_EXCHANGE: 2, Kind.PUT_MANY: 1, Kind.GET_MANY: 1}  # fmt: skip
    workload = Workload(seed=4, threads=3, operations=3000, space=20, weights=kinds, prefill=0.5)
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload) as run:
        save(run.round(), tmp_path / "run.bwh")
    calls = convert(tmp_path / "run.bwh", tmp_path / "run.jsonl")
    assert calls > 3000
    assert convert(tmp_path / "run.jsonl", tmp_path / "run.csv") == calls
    assert convert(tmp_path / "run.csv", tmp_path / "back.bwh") == calls
    for name in ("run.jsonl", "run.csv"):
        report = check_operations(read(tmp_path / name), MODELS["map"]())
        assert report.ok
        assert report.calls == calls
    assert check(load(tmp_path / "back.bwh")).ok


def test_verdicts_do_not_depend_on_the_format(tmp_path: Path) -> None:
    import random

    from model_check.recorder import History

    dice = random.Random(9)
    points = [Kind.GET, Kind.PUT, Kind.INSERT, Kind.UPDATE, Kind.REMOVE, Kind.COMPARE_EXCHANGE]
    verdicts = {True: 0, False: 0}
    for number in range(150):
        lanes, initial = random_history(dice, points)
        history = History.build(lanes, initial)
        expected = check(history).ok
        verdicts[expected] += 1
        operations = operations_of(history, "here")
        assert check_operations(operations.calls, MODELS["map"]()).ok == expected, number
    assert min(verdicts.values()) > 15


def test_jepsens_format_is_written_with_keys(tmp_path: Path) -> None:
    parsed(tmp_path, "k.edn", INDEPENDENT % 1, independent=True)
    assert convert(tmp_path / "k.edn", tmp_path / "k.jsonl", independent=True) == 3
    assert convert(tmp_path / "k.jsonl", tmp_path / "again.edn") == 3
    again = read(tmp_path / "again.edn", independent=True)
    assert [(c.name, c.argument, c.result) for c in again.calls] == [
        ("write", 1, None), ("write", 2, None), ("read", None, 1),
    ]  # fmt: skip


def test_what_the_other_format_cannot_say_is_refused(tmp_path: Path) -> None:
    workload = Workload(seed=4, operations=2000, space=20, mix="ends")
    with Tree(TreeOptions.tiny()) as tree, Run(tree, workload) as run:
        save(run.round(), tmp_path / "run.bwh")
    with pytest.raises(
        OperationsError, match=r"record \d+ of lane \d+ is a \w+, which concerns many"
    ):
        convert(tmp_path / "run.bwh", tmp_path / "run.csv")
    words = '{"process": 0, "name": "put", "argument": "a", "invoked": 1, "responded": 2}\n'
    with pytest.raises(OperationsError, match=r"line 1: the binary format has integers"):
        convert(text_file(tmp_path, "w.jsonl", words), tmp_path / "w.bwh")


# ------------------------------------------------------------------ the command


def test_the_command_checks_converts_and_explains(tmp_path: Path) -> None:
    runner = CliRunner()
    good = text_file(tmp_path, "good.edn", EDN % (":ok", "4"))
    result = runner.invoke(app, ["lin", str(good), "--model", "cas-register"])
    assert result.exit_code == 0, result.output
    assert (
        "3 calls on 1 objects as cas-register, 1 not of clients; forced order: 4"
        not in result.output
    )
    assert "4 calls on 1 objects as cas-register, 1 not of clients" in result.output
    assert "linearizable" in result.output
    bad = text_file(tmp_path, "bad.edn", EDN % (":ok", "3"))
    result = runner.invoke(app, ["lin", str(bad), "--model", "cas-register"])
    assert result.exit_code == 1
    assert "Why: process 3 read() → 3 after this had returned" in result.output.replace("\n", " ")
    result = runner.invoke(app, ["lin", str(bad), "--convert", str(tmp_path / "bad.jsonl")])
    assert result.exit_code == 0, result.output
    assert read(tmp_path / "bad.jsonl").calls
    result = runner.invoke(app, ["lin", str(bad), "--model", "sieve"])
    assert result.exit_code == 2
    assert "no model 'sieve'; there are map" in result.output
    mine = text_file(
        tmp_path,
        "mine.py",
        "from model_check.linearizability import Model\n"
        "class Anything(Model):\n"
        "    name = 'anything'\n"
        "    def step(self, state, call):\n"
        "        return state\n",
    )
    result = runner.invoke(app, ["lin", str(bad), "--model", f"{mine}:Anything"])
    assert result.exit_code == 0, result.output
