"""A mistake in a configuration's header is found before any run, with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model_check.tlc.config import ConfigError, Kind, Simulation, read_config

if TYPE_CHECKING:
    from pathlib import Path

GOOD = r"""\* what:   the counter stays in its bounds
\* module: MCThing
\* tier:   check
\* expect: pass
\* fires:  Up,
\*         Down
\* check-deadlock: yes
\* Free text after the keys is a comment like any other.
SPECIFICATION Spec  \* PROPERTY NotThisOne
INVARIANTS TypeOK Bounded
(* INVARIANT NorThis
   PROPERTY NorThat *)
CONSTANTS
  Mutation = "none"
  Threads = {t1, t2}
PROPERTIES Steps
"""
FAILING = GOOD.replace("expect: pass", "expect: violates Bounded").replace('"none"', '"over"')


def write(folder: Path, text: str, name: str = "MCThing") -> Path:
    (folder / "MCThing.tla").write_text("---- MODULE MCThing ----\n====\n", encoding="utf-8")
    path = folder / f"{name}.cfg"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_good_header_is_read_whole(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, GOOD))
    assert config.what == "the counter stays in its bounds"
    assert (config.name, config.module, config.tier) == ("MCThing", "MCThing", "check")
    assert (config.expect, config.violates, config.must_fail) == (Kind.PASS, None, False)
    assert config.fires == ("Up", "Down")
    assert config.check_deadlock
    assert config.invariants == ("TypeOK", "Bounded")
    assert config.properties == ("Steps",)


def test_a_configuration_is_exhaustive_unless_it_asks_for_a_simulation(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, GOOD)).simulate is None
    line = "check-deadlock: yes\n\\* simulate: 500 traces of depth 300"
    config = read_config(write(tmp_path, GOOD.replace("check-deadlock: yes", line)))
    assert config.simulate == Simulation(traces=500, depth=300)
    assert str(config.simulate) == "500 traces of depth 300"


def test_a_must_fail_names_the_property(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, FAILING, "MCThing_fail_over"))
    assert (config.expect, config.violates) == (Kind.VIOLATES, "Bounded")
    assert config.expected == "violates Bounded"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("fires:", "fire:", 5, "unknown key 'fire'"),
        ("tier:   check", "tier:   daily", 3, "unknown tier 'daily'; use check or deep"),
        ("module: MCThing", "module: MCOther", 2, "there is no MCOther.tla"),
        ("module: MCThing", "module: MC Thing", 2, "not the name of a module"),
        ("expect: pass", "expect: fails", 4, "expect is 'fails'; use pass, deadlock, or violates"),
        ("expect: pass", "expect: violates", 4, "expect is 'violates'"),
        ("deadlock: yes", "deadlock: maybe", 7, "check-deadlock is 'maybe'; use yes or no"),
        (r"\* check-deadlock: yes", "", 1, "no line '\\* check-deadlock:'"),
        ("what:   the counter stays in its bounds", "what:", 1, "'what' is empty"),
        ("tier:   check", "what:   again", 3, "'what' is given twice (first in line 1)"),
        ("fires:  Up,", "fires:  all,", 5, "'all' beside other names"),
        ("fires:  Up,", "fires:  Up(t),", 5, "'Up(t)', which is not the name of an action"),
        ('"none"', '"over"', 14, 'expects pass but has Mutation = "over"'),
        ("tier:   check", "simulate: many traces", 3, "simulate is 'many traces'; write for"),
        ("tier:   check", "simulate: 5 traces of depth 0", 3, "write for example: 500 traces of"),
        ("PROPERTIES Steps", "CHECK_DEADLOCK FALSE", 16, "decided by the header"),
    ],
)
def test_a_mistake_is_a_sentence_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    found = problems(write(tmp_path, GOOD.replace(old, new)))
    assert any(p.startswith(f"{line}: ") and says in p for p in found), found


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("tier:   check", "tier:   daily").replace("module: MCThing", "module: No")
    assert len(problems(write(tmp_path, text))) == 3  # also: the file is not named after No


def test_a_must_pass_names_its_actions(tmp_path: Path) -> None:
    text = GOOD.replace("\\* fires:  Up,\n\\*         Down\n", "")
    assert any("no line '\\* fires:'" in p for p in problems(write(tmp_path, text)))


def test_a_simulation_cannot_notice_its_actions(tmp_path: Path) -> None:
    text = GOOD.replace("\\* fires:", "\\* simulate: 5 traces of depth 9\n\\* fires:")
    assert read_config(write(tmp_path, text)).simulate
    found = problems(write(tmp_path, f"{text}ACTION_CONSTRAINT Notice\n"))
    assert any("-coverage says what was taken" in p for p in found)


def test_a_must_pass_that_checks_nothing_is_a_mistake(tmp_path: Path) -> None:
    text = GOOD.replace("INVARIANTS TypeOK Bounded\n", "").replace("PROPERTIES Steps\n", "")
    text = text.replace("deadlock: yes", "deadlock: no")
    assert any("checks nothing" in p for p in problems(write(tmp_path, text)))


def test_a_must_fail_has_to_list_what_it_violates(tmp_path: Path) -> None:
    text = FAILING.replace("violates Bounded", "violates Elsewhere")
    found = problems(write(tmp_path, text, "MCThing_fail_over"))
    assert any("no INVARIANT or PROPERTY" in p for p in found)


def test_a_must_fail_on_a_property_lists_no_other_property(tmp_path: Path) -> None:
    text = FAILING.replace("violates Bounded", "violates Steps").replace(
        "PROPERTIES Steps", "PROPERTIES Steps Live"
    )
    found = problems(write(tmp_path, text, "MCThing_fail_over"))
    assert any("so list only Steps" in p for p in found)


def test_a_deadlock_can_only_be_expected_where_it_is_checked(tmp_path: Path) -> None:
    text = FAILING.replace("violates Bounded", "deadlock").replace("deadlock: yes", "deadlock: no")
    found = problems(write(tmp_path, text, "MCThing_fail_over"))
    assert any("expects a deadlock but has check-deadlock: no" in p for p in found)


def test_names_tell_must_fail_from_must_pass(tmp_path: Path) -> None:
    rule = "a must-fail is named ..._fail_MUTATION.cfg"
    assert any(rule in p for p in problems(write(tmp_path, GOOD, "MCThing_fail_over")))
    assert any(rule in p for p in problems(write(tmp_path, FAILING, "MCThing_over")))
    assert any("named MCThing_CASE.cfg" in p for p in problems(write(tmp_path, GOOD, "MCThings")))


def test_an_unreadable_file_is_a_mistake_too(tmp_path: Path) -> None:
    path = tmp_path / "MCThing.cfg"
    path.write_bytes(b"\xff\xfe")
    assert any("cannot be read" in p for p in problems(path))
