"""TLC's messages as an outcome: what was explored, what was violated, what went wrong.

TLC runs with -tool, which frames each message:

    @!@!@STARTMSG 2110:1 @!@!@
    Invariant Bounded is violated.
    @!@!@ENDMSG 2110 @!@!@

The code (2110) and the class (0 info, 1 error, 2 bug of TLC, 3 warning, 4 state) stay the
same from version to version while the wording changes a little, so codes decide here, and
words only name things. A message can hold another one, even in the middle of a line.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum

from model_check.tlc.trace import State, parse_state

_MARK = re.compile(r"@!@!@(?:STARTMSG (\d+):(\d+)|ENDMSG (\d+)) @!@!@")
_COUNT = re.compile(r"([\d,]+) (distinct states found|states generated|states left on queue)")
_COVERAGE = re.compile(r"<(.+?) line \d+, col \d+ to line .+? of module .+?>: (\d+):(\d+)")
#: What spec/Notice.tla prints.
_NOTICE = re.compile(r'<<"(watched|taken)", "(\w+)">>$')
_NAMED = re.compile(r"(?:Invariant|Action property|Property|Temporal property) (\S+) ")
_SIMULATED = re.compile(r"([\d,]+) states generated|states generated: ([\d,]+)")
_DEPTH = re.compile(r"(?:Progress\(|graph search is )([\d,]+)")
#: How TLC introduces any exception; what it was comes after.
_PREAMBLE = re.compile(r"TLC threw an unexpected exception\.\n(?:.*\n)*?The exception was a ")
_NOISE = ("Parsing file ", "Semantic processing of module ", "Picked up ")

_ERROR, _BUG = 1, 2
_STATE_CODES = frozenset({2216, 2217, 2218, 2122})
_OUT_OF_MEMORY = frozenset({1001, 1002, 1003})
#: "TLC threw an unexpected exception": what is inside says it better.
_EXCEPTION = 1000
#: Errors that only lead over to the trace.
_LEAD = frozenset({2121, 2264})
_PARSE_FAILED = frozenset({3002, 3003})
_FINISHED, _SUCCESS, _DEPTH_REACHED = 2186, 2193, 2194
_STATS, _PROGRESS = 2199, 2200
#: The same of a simulation, where TLC gives -1 for what it does not count.
_SIMULATED_PROGRESS, _SIMULATED_STATS = 2209, 2210
_LIVENESS = 2212
_COVERAGE_BEGINS, _ACTION_COVERAGE = 2201, 2772
_DANGEROUS_SYMMETRY = 2279
#: How many lines that are no message (SANY's complaints, a JVM's last words) are kept.
_KEPT_LINES = 200


class Found(Enum):
    """What kind of violation TLC reported."""

    INVARIANT = "invariant"
    PROPERTY = "property"
    DEADLOCK = "deadlock"
    ASSUMPTION = "assumption"


_VIOLATIONS = {
    2104: Found.ASSUMPTION,
    2107: Found.INVARIANT,
    2108: Found.PROPERTY,
    2110: Found.INVARIANT,
    2112: Found.PROPERTY,
    2114: Found.DEADLOCK,
    2116: Found.PROPERTY,
}
_INITIAL_VIOLATIONS = frozenset({2107, 2108})


@dataclass(frozen=True)
class Violation:
    """One violation; ``name`` as TLC gives it, None where it gives none."""

    found: Found
    name: str | None
    text: str


@dataclass
class Outcome:
    """All that one run of TLC said, filled in while it runs."""

    states: int = 0
    distinct: int = 0
    left: int = 0
    depth: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    trace: list[State] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    other: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    succeeded: bool = False  # "Model checking completed. No error has been found."
    ended: bool = False  # TLC came to its own end
    parse_failed: bool = False
    out_of_memory: bool = False
    unsound_symmetry: bool = False
    liveness: bool = False  # some PROPERTY speaks of what happens at some time
    timed_out: bool = False
    exit_code: int | None = None
    seconds: float = 0.0


@dataclass
class _Message:
    code: int
    severity: int
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


class Parser:
    """Turns lines of TLC's output into an Outcome; feed it every line, in order."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.outcome = Outcome()
        self._open: list[_Message] = []

    def feed(self, line: str) -> None:
        """Take in one line, with or without its end."""
        line = line.rstrip("\r\n")
        position = 0
        marked = False
        for mark in _MARK.finditer(line):
            marked = True
            self._text(line[position : mark.start()], only_if_any=True)
            position = mark.end()
            if mark[1]:
                self._open.append(_Message(int(mark[1]), int(mark[2])))
            else:
                self._close(int(mark[3]))
        self._text(line[position:], only_if_any=marked)

    def _text(self, text: str, *, only_if_any: bool) -> None:
        if only_if_any and not text.strip():
            return
        if self._open:
            self._open[-1].lines.append(text)
        elif notice := _NOTICE.match(text):
            self.outcome.actions[notice[2]] += notice[1] == "taken"
        elif text.strip() and not text.startswith(_NOISE):
            self.outcome.other.append(text)
            if "OutOfMemoryError" in text:
                self.outcome.out_of_memory = True

    def _close(self, code: int) -> None:
        while self._open:
            message = self._open.pop()
            self._take(message)
            if message.code == code:
                return

    def _take(self, message: _Message) -> None:
        code, text = message.code, message.text
        if code in _VIOLATIONS:
            self._violation(message)
        elif code in _STATE_CODES:
            self.outcome.trace.append(parse_state(text))
        elif code in {_STATS, _PROGRESS, _DEPTH_REACHED}:
            self._counts(text)
        elif code in {_SIMULATED_PROGRESS, _SIMULATED_STATS}:
            self._simulated(text)
        elif code in {_COVERAGE_BEGINS, _ACTION_COVERAGE}:
            self._coverage(code, text)
        elif code in {_SUCCESS, _FINISHED, _LIVENESS, _DANGEROUS_SYMMETRY}:
            self._event(code)
        else:
            self._error(message)

    def _event(self, code: int) -> None:
        if code == _SUCCESS:
            self.outcome.succeeded = True
        elif code == _FINISHED:
            self.outcome.ended = True
        elif code == _LIVENESS:
            self.outcome.liveness = True
        else:
            self.outcome.unsound_symmetry = True

    def _coverage(self, code: int, text: str) -> None:
        if code == _COVERAGE_BEGINS:
            self.outcome.actions.clear()  # each report counts from the beginning of the run
            return
        covered = _COVERAGE.match(text)
        if covered:
            self.outcome.actions[covered[1].split("(")[0]] += int(covered[3])

    def _error(self, message: _Message) -> None:
        outcome, code = self.outcome, message.code
        if code in _OUT_OF_MEMORY or "OutOfMemoryError" in message.text:
            outcome.out_of_memory = True
        if code in _PARSE_FAILED:
            outcome.parse_failed = True
        # A message inside another (class 0, within "TLC threw an exception") says what it was.
        nested = bool(self._open)
        if code == _EXCEPTION and outcome.errors:
            return  # what was inside says it better
        if (message.severity in (_ERROR, _BUG) or nested) and code not in _LEAD and message.text:
            outcome.errors.append(_PREAMBLE.sub("", message.text))

    def _violation(self, message: _Message) -> None:
        text = message.text
        named = _NAMED.match(text)
        name = named[1] if named and named[1] != "line" else None
        first, _, rest = text.partition("\n")
        self.outcome.violations.append(Violation(_VIOLATIONS[message.code], name, first))
        if message.code in _INITIAL_VIOLATIONS:
            self.outcome.trace = [parse_state(f"1: <Initial predicate>\n{rest}")]

    def _simulated(self, text: str) -> None:
        found = _SIMULATED.search(text)
        if found:
            self.outcome.states = _number(found[1] or found[2])

    def _counts(self, text: str) -> None:
        for number, what in _COUNT.findall(text):
            if what == "states generated":
                self.outcome.states = _number(number)
            elif what == "distinct states found":
                self.outcome.distinct = _number(number)
            else:
                self.outcome.left = _number(number)
        depth = _DEPTH.search(text)
        if depth:
            self.outcome.depth = _number(depth[1])


def _number(text: str) -> int:
    return int(text.replace(",", ""))
