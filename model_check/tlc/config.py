r"""What a TLC configuration promises: the header of a spec/MC*.cfg, checked before any run.

A configuration begins with comment lines that say what TLC must find:

    \* what:   one plain sentence
    \* module: MCEpochReclamation
    \* tier:   check | deep
    \* expect: pass | violates NAME | deadlock
    \* fires:  Pin, Announce  (actions that must be taken at least once; or: all)
    \* check-deadlock: yes | no
    \* simulate: 500 traces of depth 300  (random behaviours, where all of them are too many)

A comment line indented by five blanks or more goes on with the line before. A mistake in
a header is found here, with file and line, because a header that is read wrongly makes a
check that cannot fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("what", "module", "tier", "expect", "fires", "check-deadlock", "simulate")
OPTIONAL = frozenset({"fires", "simulate"})
TIERS = ("check", "deep")
ALL = "all"
#: The action constraint that says which actions were taken (spec/Notice.tla).
NOTICE = "Notice"

_KEY_LINE = re.compile(r"\\\*\s{0,4}([A-Za-z][\w-]*):\s*(.*?)\s*$")
_MORE_LINE = re.compile(r"\\\*\s{5,}(\S.*?)\s*$")
_SIMULATE = re.compile(r"([1-9]\d*) traces of depth ([1-9]\d*)$")
_NAME = re.compile(r"[A-Za-z_]\w*$")
_TOKEN = re.compile(r'"[^"]*"|<-|[\w!]+|[^\s\w]')
_KEYWORDS = {
    "INVARIANT": "invariants",
    "INVARIANTS": "invariants",
    "PROPERTY": "properties",
    "PROPERTIES": "properties",
    "ACTION_CONSTRAINT": "constraints",
    "ACTION_CONSTRAINTS": "constraints",
}
_OTHER_KEYWORDS = frozenset(
    {
        *("CONSTANT", "CONSTANTS", "SPECIFICATION", "INIT", "NEXT", "SYMMETRY", "VIEW"),
        *("CONSTRAINT", "CONSTRAINTS"),
        *("CHECK_DEADLOCK", "ALIAS", "POSTCONDITION", "TYPE", "TYPE_CONSTRAINT"),
    }
)


class Kind(Enum):
    """What TLC must find."""

    PASS = "pass"  # noqa: S105 - not a password
    VIOLATES = "violates"
    DEADLOCK = "deadlock"


@dataclass(frozen=True)
class Simulation:
    """How many random behaviours are looked at instead of all, each of how many steps at most."""

    traces: int
    depth: int

    def __str__(self) -> str:
        """Give it as the header does."""
        return f"{self.traces} traces of depth {self.depth}"


@dataclass(frozen=True)
class Config:
    """One configuration and its promise."""

    path: Path
    what: str
    module: str
    tier: str
    expect: Kind
    violates: str | None  # the property, when expect is VIOLATES
    fires: tuple[str, ...]  # ("all",) for every action of Next
    check_deadlock: bool
    invariants: tuple[str, ...]
    properties: tuple[str, ...]
    simulate: Simulation | None = None  # None: every behaviour
    notices: bool = False  # the run itself says which actions it took: spec/Notice.tla

    @property
    def name(self) -> str:
        """Give the file name without .cfg: what --config takes."""
        return self.path.stem

    @property
    def spec(self) -> Path:
        """Give the module's file."""
        return self.path.with_name(f"{self.module}.tla")

    @property
    def must_fail(self) -> bool:
        """Tell whether this is a mutant."""
        return self.expect is not Kind.PASS

    @property
    def expected(self) -> str:
        """Give the promise in words."""
        return f"violates {self.violates}" if self.violates else self.expect.value


class ConfigError(Exception):
    """Headers with mistakes; ``problems`` holds one sentence each, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(problems))
        self.problems = problems


def read_config(path: Path) -> Config:
    """Read and check one configuration. Raises ConfigError with every mistake found."""
    return _Reader(path).read()


class _Reader:
    """Reads one file; collects mistakes so that all are reported at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.values: dict[str, str] = {}
        self.lines: dict[str, int] = {}

    def wrong(self, line: int, sentence: str) -> None:
        self.problems.append(f"{self.path}:{line}: {sentence}")

    def read(self) -> Config:
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{self.path}:1: cannot be read ({error})"]) from error
        self.read_header(text.splitlines())
        body = _Body(text)
        config = self.check(body)
        if self.problems or config is None:
            raise ConfigError(self.problems)
        return config

    def read_header(self, lines: list[str]) -> None:
        last: str | None = None
        for number, line in enumerate(lines, start=1):
            stripped = line.strip()
            if not stripped.startswith("\\*"):
                if stripped:
                    break
                continue
            key_line = _KEY_LINE.match(stripped)
            more = _MORE_LINE.match(stripped)
            if key_line:
                last = self.read_key(number, key_line[1], key_line[2])
            elif more and last:
                self.values[last] += f" {more[1]}"
            else:
                last = None
        for key in KEYS:
            if key not in self.values and key not in OPTIONAL:
                self.wrong(1, f"the header has no line '\\* {key}:'; add one")

    def read_key(self, number: int, key: str, value: str) -> str | None:
        if key not in KEYS:
            self.wrong(number, f"unknown key '{key}'; the keys are {', '.join(KEYS)}")
            return None
        if key in self.values:
            self.wrong(number, f"'{key}' is given twice (first in line {self.lines[key]})")
            return None
        self.lines[key] = number
        self.values[key] = value
        return key

    def at(self, key: str) -> int:
        return self.lines.get(key, 1)

    def check(self, body: _Body) -> Config | None:
        values = self.values
        if "what" in values and not values["what"]:
            self.wrong(self.at("what"), "'what' is empty; say in one plain sentence what is shown")
        module = values.get("module", "")
        if "module" in values:
            self.check_module(module)
        tier = values.get("tier", "")
        if "tier" in values and tier not in TIERS:
            self.wrong(self.at("tier"), f"unknown tier '{tier}'; use {' or '.join(TIERS)}")
        deadlock = values.get("check-deadlock", "")
        if "check-deadlock" in values and deadlock not in ("yes", "no"):
            self.wrong(self.at("check-deadlock"), f"check-deadlock is '{deadlock}'; use yes or no")
        expect = self.check_expect(body, deadlock)
        fires = self.check_fires(expect)
        simulate = self.check_simulate()
        if body.deadlock_line:
            self.wrong(
                body.deadlock_line,
                "CHECK_DEADLOCK is decided by the header here; remove it and use check-deadlock",
            )
        if expect is None:
            return None
        kind, violates = expect
        self.check_notice(body, simulate)
        self.check_name(kind, module)
        self.check_pass(kind, body, deadlock)
        return Config(
            path=self.path,
            what=values.get("what", ""),
            module=module,
            tier=tier,
            expect=kind,
            violates=violates,
            fires=fires,
            check_deadlock=deadlock == "yes",
            invariants=tuple(body.invariants),
            properties=tuple(body.properties),
            simulate=simulate,
            notices=NOTICE in body.constraints,
        )

    def check_simulate(self) -> Simulation | None:
        if "simulate" not in self.values:
            return None
        said = self.values["simulate"]
        matched = _SIMULATE.match(said)
        if matched is None:
            sentence = f"simulate is '{said}'; write for example: 500 traces of depth 300"
            self.wrong(self.at("simulate"), sentence)
            return None
        return Simulation(traces=int(matched[1]), depth=int(matched[2]))

    def check_module(self, module: str) -> None:
        line = self.at("module")
        if not _NAME.match(module):
            self.wrong(line, f"module '{module}' is not the name of a module")
        elif not self.path.with_name(f"{module}.tla").is_file():
            self.wrong(line, f"there is no {module}.tla beside this file; write it or correct it")

    def check_expect(self, body: _Body, deadlock: str) -> tuple[Kind, str | None] | None:
        if "expect" not in self.values:
            return None
        line = self.at("expect")
        words = self.values["expect"].split()
        if words == ["pass"]:
            return Kind.PASS, None
        if words == ["deadlock"]:
            if deadlock == "no":
                self.wrong(line, "expects a deadlock but has check-deadlock: no; set it to yes")
            return Kind.DEADLOCK, None
        if len(words) == 2 and words[0] == "violates":
            self.check_violates(line, words[1], body)
            return Kind.VIOLATES, words[1]
        said = self.values["expect"]
        self.wrong(line, f"expect is '{said}'; use pass, deadlock, or violates NAME")
        return None

    def check_violates(self, line: int, name: str, body: _Body) -> None:
        if name in body.invariants:
            return
        if name not in body.properties:
            self.wrong(
                line,
                f"expects {name} to be violated, but the file lists no INVARIANT or PROPERTY "
                f"of that name; TLC would never look at it",
            )
        elif len(body.properties) > 1:
            self.wrong(
                line,
                f"expects the property {name} to be violated but lists "
                f"{len(body.properties)} properties; TLC does not say which one failed, "
                f"so list only {name}",
            )

    def check_fires(self, expect: tuple[Kind, str | None] | None) -> tuple[str, ...]:
        line = self.at("fires")
        if "fires" not in self.values:
            if expect is not None and expect[0] is Kind.PASS:
                self.wrong(1, "the header has no line '\\* fires:'; name the actions, or say all")
            return ()
        names = tuple(re.split(r"\s*,\s*|\s+", self.values["fires"].strip(" ,")))
        for name in names:
            if not _NAME.match(name):
                self.wrong(line, f"fires holds '{name}', which is not the name of an action")
        if ALL in names and len(names) > 1:
            self.wrong(line, "fires holds 'all' beside other names; use one or the other")
        return names

    def check_notice(self, body: _Body, simulate: Simulation | None) -> None:
        if simulate and NOTICE in body.constraints:
            self.wrong(
                self.at("simulate"),
                f"a simulation cannot have ACTION_CONSTRAINT {NOTICE} (TLC gives its register to "
                "nobody there); remove it, and -coverage says what was taken",
            )

    def check_name(self, kind: Kind, module: str) -> None:
        stem = self.path.stem
        if module and stem != module and not stem.startswith(f"{module}_"):
            self.wrong(
                self.at("module"),
                f"the file should be named {module}_CASE.cfg after its module {module}",
            )
        if ("_fail_" in stem) is (kind is Kind.PASS):
            rule = "a must-fail is named ..._fail_MUTATION.cfg, a must-pass is not"
            self.wrong(self.at("expect"), f"expects '{self.values['expect']}', but {rule}")

    def check_pass(self, kind: Kind, body: _Body, deadlock: str) -> None:
        if kind is not Kind.PASS:
            return
        if body.mutation not in (None, '"none"'):
            self.wrong(
                body.mutation_line,
                f'expects pass but has Mutation = {body.mutation}; use "none"',
            )
        if not body.invariants and not body.properties and deadlock == "no":
            self.wrong(
                self.at("expect"),
                "checks nothing: it has no INVARIANT, no PROPERTY and check-deadlock: no",
            )


class _Body:
    """What the runner needs to know of the part that TLC reads."""

    def __init__(self, text: str) -> None:
        self.invariants: list[str] = []
        self.properties: list[str] = []
        self.constraints: list[str] = []
        self.deadlock_line = 0
        self.mutation: str | None = None
        self.mutation_line = 1
        section: str | None = None
        before: list[str] = []
        for line, token in _tokens(text):
            if token in _KEYWORDS:
                section = _KEYWORDS[token]
            elif token in _OTHER_KEYWORDS:
                section = None
                if token == "CHECK_DEADLOCK":  # noqa: S105 - a keyword of TLC
                    self.deadlock_line = line
            elif section == "invariants":
                self.invariants.append(token)
            elif section == "properties":
                self.properties.append(token)
            elif section == "constraints":
                self.constraints.append(token)
            elif before[-2:] == ["Mutation", "="]:
                self.mutation, self.mutation_line = token, line
            before.append(token)


def _tokens(text: str) -> list[tuple[int, str]]:
    """Split a cfg into tokens with their line numbers, comments left out."""

    def blank(comment: re.Match[str]) -> str:
        return "\n" * comment[0].count("\n")

    text = re.sub(r"\(\*.*?\*\)", blank, text, flags=re.DOTALL)
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("\\*", 1)[0]
        found += [(number, token) for token in _TOKEN.findall(code)]
    return found
