"""`bwcheck`: help with examples, exit codes 0, 1 and 2, JSON, and a clean end on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_check import everything
from model_check.cli import app
from model_check.report import CannotRun, Section, Settings, Verdict
from model_check.tlc import command
from model_check.tlc.config import Config

SPECS = str(Path(__file__).parent / "data" / "tlc")
SUBCOMMANDS = sorted(info.name for info in app.registered_commands if info.name)
runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_with_an_example_and_the_common_options(name: str) -> None:
    shown = runner.invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Example: bwcheck {name}" in shown.output
    for option in ("--seed", "--json") if name != "report" else ():  # it only draws what there is
        assert option in shown.output


def test_as_expected_is_exit_code_0_and_the_json_file_agrees(tmp_path: Path) -> None:
    path = tmp_path / "tlc.json"
    arguments = ["--config", "MCCounter", "--config", "MCCounter_fail_over", "--seed", "3"]
    done = runner.invoke(app, ["tlc", "--spec", SPECS, *arguments, "--json", str(path)])
    assert done.exit_code == 0, done.output
    result = json.loads(path.read_text(encoding="utf-8"))
    assert (result["command"], result["verdict"], result["seed"]) == ("bwcheck tlc", "green", 3)
    assert result["totals"]["configs"] == 2
    assert (result["totals"]["mutants"], result["totals"]["mutants_killed"]) == (1, 1)
    rows = {row["config"]: row for row in result["sections"][0]["rows"]}
    assert rows["MCCounter"]["distinct_states"] == 7
    assert result["sections"][0]["environment"]["tlc"].startswith("Version 2.")


def test_simulated_configurations_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "tlc.json"
    names = ("MCCounter", "MCCounter_simulated", "MCCounter_fail_over_simulated")
    arguments = [word for name in names for word in ("--config", name)]
    done = runner.invoke(app, ["tlc", "--spec", SPECS, *arguments, "--json", str(path)])
    assert done.exit_code == 0, done.output
    assert "simulated 50 traces" in done.output
    section = json.loads(path.read_text(encoding="utf-8"))["sections"][0]
    rows = {row["config"]: row for row in section["rows"]}
    assert (section["figures"]["configs"], section["figures"]["configs_simulated"]) == (3, 2)
    assert (section["figures"]["states"], section["figures"]["distinct_states"]) == (11, 7)
    assert section["figures"]["traces"] == 50  # a mutant's traces end where it is found
    assert section["figures"]["simulated_states"] > rows["MCCounter_simulated"]["states"] == 1001
    assert (rows["MCCounter_simulated"]["traces"], rows["MCCounter"]["traces"]) == (50, 0)


def test_a_violation_is_exit_code_1_with_trace_and_replay() -> None:
    done = runner.invoke(app, ["tlc", "--spec", SPECS, "--config", "MCCounter_falls"])
    assert done.exit_code == 1
    assert "Action property NeverFalls is violated. Expected: pass." in done.output
    assert "log: appended a" in done.output
    assert f"Replay: bwcheck tlc --config MCCounter_falls --trace --spec {SPECS}" in done.output


def test_the_trace_of_a_must_fail_is_printed_on_demand() -> None:
    arguments = ["tlc", "--spec", SPECS, "--config", "MCCounter_fail_over"]
    assert "initial state" not in runner.invoke(app, arguments).output
    assert "initial state" in runner.invoke(app, [*arguments, "--trace"]).output


def test_a_spec_that_cannot_be_parsed_is_exit_code_2() -> None:
    done = runner.invoke(app, ["tlc", "--spec", SPECS, "--config", "MCSyntax"])
    assert done.exit_code == 2
    assert "MCSyntax.tla cannot be parsed" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--spec", "nowhere"], "there is no folder nowhere"),
        (["--spec", SPECS, "--config", "MCNone"], "no configuration is named MCNone"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_what_cannot_run_is_exit_code_2_and_a_sentence(arguments: list[str], says: str) -> None:
    done = runner.invoke(app, ["tlc", *arguments])
    assert done.exit_code == 2
    assert says in done.output


def test_a_bad_header_is_exit_code_2_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "MCA.cfg").write_text("\\* teir: check\nSPECIFICATION S\n", encoding="utf-8")
    done = runner.invoke(app, ["tlc", "--spec", str(tmp_path)])
    assert done.exit_code == 2
    assert f"{tmp_path / 'MCA.cfg'}:1: unknown key 'teir'" in done.output


def test_a_missing_jar_is_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLA2TOOLS_JAR", "nowhere.jar")
    done = runner.invoke(app, ["tlc", "--spec", SPECS, "--config", "MCCounter"])
    assert done.exit_code == 2
    assert "TLA2TOOLS_JAR is nowhere.jar, but that is not a file" in done.output


def test_list_names_all_and_runs_none() -> None:
    done = runner.invoke(app, ["tlc", "--spec", SPECS, "--list"])
    assert done.exit_code == 0
    assert "MCEndless_large" in done.output
    assert "without its bound the counter passes Max" in done.output


def _part(verdict: Verdict, **figures: int) -> everything.Part:
    def run(settings: Settings) -> Section:
        return Section("part", verdict, {**figures, "seed": settings.seed}, [], 0.5)

    return run


def _broken(_settings: Settings) -> Section:
    message = "no compiler; install one"
    raise CannotRun(message)


def _buggy(_settings: Settings) -> Section:
    raise ZeroDivisionError


def test_a_bug_in_a_checker_is_not_taken_for_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_discover(_folder: Path) -> list[Config]:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "discover", broken_discover)
    done = runner.invoke(app, ["tlc", "--spec", SPECS])
    assert done.exit_code == 2
    assert "a bug in the checker itself" in done.output


@pytest.mark.parametrize(
    ("parts", "code", "verdict"),
    [
        ({"a": _part(Verdict.GREEN, configs=2), "b": _part(Verdict.GREEN)}, 0, "GREEN"),
        ({"a": _broken, "b": _part(Verdict.RED)}, 1, "RED"),
        ({"a": _broken, "b": _part(Verdict.GREEN)}, 2, "COULD NOT RUN"),
        ({"a": _buggy, "b": _part(Verdict.GREEN)}, 2, "COULD NOT RUN"),
    ],
)
def test_all_runs_every_part_and_sums_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parts: dict[str, everything.Part],
    code: int,
    verdict: str,
) -> None:
    monkeypatch.setattr(everything, "PARTS", parts)
    path = tmp_path / "summary.json"
    done = runner.invoke(app, ["all", "--seed", "5", "--json", str(path)])
    assert done.exit_code == code
    assert verdict in done.output
    result = json.loads(path.read_text(encoding="utf-8"))
    assert (result["exit_code"], len(result["sections"])) == (code, 2)
    assert result["sections"][1]["figures"]["seed"] == 5


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_bwcheck_and_every_tlc(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "model_check", "tlc", "--spec", SPECS, "--config", "MCEndless"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("bwcheck-tlc-*/states")):  # until TLC has begun
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())  # scratch folders are gone
    with pytest.raises(ProcessLookupError):  # no TLC is left in its process group
        os.killpg(process.pid, 0)


def test_bench_hands_its_options_on_and_its_exit_code_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    done = runner.invoke(app, ["bench", "--keys", "12"])
    assert done.exit_code == 2
    assert "bench: --keys must be at least 1,000, got 12" in capfd.readouterr().err
