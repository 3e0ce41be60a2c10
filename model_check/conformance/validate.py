"""TLC's verdict on traces: accepted, or where one is stuck, and what could be done there.

Many traces go into one generated module over a Trace module of spec/, and through one run of TLC:
each is a first state of its own. What has not been accepted goes through a second run, which says
how far each comes, and a third one, which prints the state at that place. Long traces are taken
apart where they say that they can be; their pieces are traces like others, which must end where the
next one begins.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from model_check.conformance.trace import Trace, tla
from model_check.proofs.graph import parse
from model_check.report import CannotRun
from model_check.tlc.process import generated
from model_check.tlc.tools import Toolchain

#: Not at a line's beginning: TLC's reports of progress come in between.
_BEGINS = re.compile(r'<<\s*"(?:accepted|at|state|broken)"')
_BRACKET = re.compile(r"<<|>>")
#: So many events are worth a run of TLC of their own, where runs go side by side.
_EVENTS_A_RUN = 4_000
#: An event of the tree takes TLC longer than one of the others.
_WEIGHT = {"TraceStructureModification": 3}
#: So many letters must be saved by a name.
_WORTH_A_NAME = 40
_ROOT = "---- MODULE Traces ----\nEXTENDS Told\n====\n"

#: For each Trace module, its constants: from the numbers that its traces need.
_CONSTANTS: Mapping[str, Mapping[str, str]] = {
    "TraceEpochReclamation": {
        "Threads": "1..threads",
        "Unlinkers": "1..threads",
        "Advancers": "1..threads",
        "Objects": "1..objects",
        "Mutation": '"none"',
    },
    "TraceDeltaLog": {
        "Threads": "1..threads",
        "Keys": "1..keys",
        "Vals": "values",
        "Absent": '"absent"',
        "Menu": "[t \\in Threads |-> operations]",
        "Rounds": "0",
        "Workers": "1..threads",
        "LogCap": "log",
        "Pages": "1..threads + 1",
        "Mutation": '"none"',
    },
    "TraceStructureModification": {
        "Threads": "1..threads",
        "Keys": "1..keys",
        "Vals": "{}",
        "Absent": "0",
        "LeafCap": "leaf_capacity",
        "InnerCap": "inner_capacity",
        "LeafLog": "leaf_log",
        "InnerLog": "inner_log",
        **dict.fromkeys(("LeafMin", "InnerMin", "LeafFit", "InnerFit"), "0"),
        "Mutation": '"none"',
        "MaxPid": "pids",
        "MaxObj": "objects",
        **dict.fromkeys(("Trees", "Program"), "{}"),
        "AtWill": "TRUE",
        "CrossPost": "FALSE",
        "Reclaiming": "TRUE",
        "MayFail": "FALSE",
        "EnginePids": "0..pids",
    },
}

#: The numbers in which all traces of one run of TLC are alike: an advance scans all threads that
#: there are, a log is frozen when it is full, a page is cut when it is.
_ALIKE: Mapping[str, tuple[str, ...]] = {
    "TraceEpochReclamation": ("threads",),
    "TraceDeltaLog": ("log",),
    "TraceStructureModification": (*("leaf_capacity", "inner_capacity", "leaf_log", "inner_log"),),
}


@dataclass(frozen=True)
class Rejection:
    """Where a trace is no behaviour: its entry number ``at`` (from 0) has no step.

    ``state``: variable to value, as TLC has it there, empty if it was not asked. ``possible``:
    actions that could be taken, each with whom. ``broken``: invariants that the state does not
    keep. ``end``: the state in which a piece that ends there should have ended.
    """

    at: int
    broken: frozenset[str] = frozenset()
    end: Mapping[str, Any] | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    possible: Mapping[str, frozenset[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What TLC says of one trace."""

    trace: Trace
    rejection: Rejection | None

    @property
    def accepted(self) -> bool:
        """True if the trace is a behaviour of the spec."""
        return self.rejection is None

    def explain(self, before: int = 6) -> str:
        """Say where a trace is rejected: the accepted events before, the event, the state."""
        spec, entries = self.trace.module.removeprefix("Trace"), self.trace.entries
        if self.rejection is None:
            return f"{self.trace.name}: {len(entries)} events are a behaviour of {spec}"
        at = self.rejection.at
        if self.rejection.broken:
            what = f"the state after {at} events breaks {', '.join(sorted(self.rejection.broken))}"
        elif self.rejection.end is not None:
            what = (
                f"after {at} events {spec} is not in the state that was told: "
                f"{_shown(self.rejection.end)}"
            )
        else:
            what = f"event {at + 1} of {len(entries)}, {entries[at]}, is no step of {spec}"
        lines = [f"{self.trace.name}: {what}"]
        first = max(0, at - before)
        lines += [f"    {k + 1:>5}  {entry}" for k, entry in enumerate(entries[first:at], first)]
        if at < len(entries):
            lines.append(f"  > {at + 1:>5}  {entries[at]}")
        lines += [f"    {name} = {_shown(value)}" for name, value in self.rejection.state.items()]
        possible = [
            f"{name} by {', '.join(map(str, sorted(whom)))}"
            for name, whom in self.rejection.possible.items()
            if whom
        ]
        lines.append("    could be taken: " + ("; ".join(possible) or "nothing"))
        return "\n".join(lines)


def _shown(value: Any) -> str:
    """Write a value of TLC's short."""
    if isinstance(value, Mapping):
        return "[" + ", ".join(f"{name}: {_shown(part)}" for name, part in value.items()) + "]"
    if isinstance(value, tuple):
        return "<" + ", ".join(map(_shown, value)) + ">"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(_shown, value))) + "}"
    return str(value)


def validate(
    traces: Sequence[Trace],
    tools: Toolchain,
    *,
    spec: Path | None = None,
    jobs: int = 1,
    doubted: bool = False,
    asked: bool = True,
) -> list[Verdict]:
    """Give TLC's verdict on each of the traces, which may be of several modules.

    ``spec``: another folder of modules than the project's, as a mutant is. ``jobs``: runs of TLC
    at once. ``doubted``: most are expected to be rejected, so the first run says how far each
    comes. ``asked``: rejections come with the state at that place. Raises CannotRun.
    """
    pieces = [(k, piece) for k, trace in enumerate(traces) for piece in trace.pieces()]
    if spec is not None:  # what it needs is not known
        pieces = [(k, replace(piece, constants=traces[k].constants)) for k, piece in pieces]
    groups = defaultdict[tuple[str, ...], list[int]](list)
    for number, (_, piece) in enumerate(pieces):
        constants = [piece.constants[constant] for constant in _ALIKE[piece.module]]
        alike = (piece.module, *map(str, constants))
        groups[alike].append(number)

    def size(mine: Sequence[int]) -> int:
        some = [pieces[number][1] for number in mine]
        return sum(len(piece.entries) * _WEIGHT.get(piece.module, 1) for piece in some)

    def judge(mine: Sequence[int]) -> list[Verdict]:
        some = [pieces[number][1] for number in mine]
        verdicts = _group(some, tools, spec, doubted=doubted)
        return _asked(verdicts, tools, spec) if asked else verdicts

    def needs(number: int) -> int:
        """Order pieces by the objects that they need: a run has as many as its greediest."""
        return pieces[number][1].constants.get("objects", 0)

    # The longest first: the last one to end has then little to do alone.
    order = sorted(
        (
            share
            for mine in groups.values()
            for share in _shares(sorted(mine, key=needs), size, jobs)
        ),
        key=size,
        reverse=True,
    )
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(judge, order))
    verdicts = {
        number: each
        for mine, told in zip(order, found, strict=True)
        for number, each in zip(mine, told, strict=True)
    }
    whole = defaultdict[int, list[Verdict]](list)
    for number, (k, _) in enumerate(pieces):
        whole[k].append(verdicts[number])
    return [_joined(trace, whole[k]) for k, trace in enumerate(traces)]


def _shares(
    mine: Sequence[int], size: Callable[[Sequence[int]], int], most: int
) -> list[list[int]]:
    """Give out pieces to as many runs of TLC as are worth their start, ``most`` at most."""
    shares: list[list[int]] = [[]]
    wanted = size(mine) / max(1, min(most, round(size(mine) / _EVENTS_A_RUN)))
    for number in mine:
        if shares[-1] and size(shares[-1]) + size([number]) / 2 > wanted:
            shares.append([])
        shares[-1].append(number)
    return shares


def _joined(trace: Trace, pieces: Sequence[Verdict]) -> Verdict:
    """Give the verdict on a trace from those on its pieces: where the first one is rejected."""
    begin = 0
    for verdict in pieces:
        rejection = verdict.rejection
        if rejection is not None:
            return Verdict(trace, replace(rejection, at=begin + rejection.at))
        begin += len(verdict.trace.entries)
    return Verdict(trace, None)


def _group(
    traces: Sequence[Trace], tools: Toolchain, spec: Path | None, *, doubted: bool
) -> list[Verdict]:
    """Give the verdicts on traces of one configuration."""
    reached: dict[int, int] = {}
    broken: dict[int, frozenset[str]] = {}
    accepted: set[int] = set()
    for follow in (False, True)[doubted:]:
        left = [k for k in range(len(traces)) if k not in accepted]
        if not left:
            break
        for told in _run([traces[k] for k in left], tools, spec, follow=follow):
            k = left[told[1] - 1]
            match told[0]:
                case "accepted" if follow and not doubted:
                    message = f"TLC accepts {traces[k].name} at its second look only"
                    raise CannotRun(message)
                case "accepted":
                    accepted.add(k)
                # Where several ways lead on, the one that leads farthest.
                case "at" if told[2] > reached.get(k, 0):
                    reached[k] = told[2]
                    broken.pop(k, None)
                case "broken" if told[2] == reached.get(k):
                    broken[k] = told[3]
    verdicts = []
    for k, trace in enumerate(traces):
        if k in accepted:
            verdicts.append(Verdict(trace, None))
        elif k in reached:
            at, wrong = reached[k] - 1, broken.get(k, frozenset())
            end = trace.end if at == len(trace.entries) and not wrong else None
            verdicts.append(Verdict(trace, Rejection(at, wrong, end)))
        else:
            message = f"TLC has said nothing about {trace.name}: neither accepted nor how far"
            raise CannotRun(message)
    return verdicts


def explained(verdict: Verdict, tools: Toolchain, *, spec: Path | None = None) -> Verdict:
    """Give the verdict with the state at which the trace was rejected. Raises CannotRun."""
    rejection = verdict.rejection
    if rejection is None:
        return verdict
    begin = 0
    for piece in verdict.trace.pieces():
        end = begin + len(piece.entries)
        if rejection.at < end or (rejection.at == end and rejection.end == piece.end):
            mine = Verdict(piece, replace(rejection, at=rejection.at - begin))
            (found,) = _asked([mine], tools, spec)
            if found.rejection is not None:
                return Verdict(verdict.trace, replace(found.rejection, at=rejection.at))
        begin = end
    return verdict


def _asked(verdicts: Sequence[Verdict], tools: Toolchain, spec: Path | None) -> list[Verdict]:
    """Give the verdicts, rejections with what TLC says of the state at that place."""
    found = list(verdicts)
    places: list[tuple[int, int]] = []
    for k, verdict in enumerate(verdicts):
        if verdict.rejection is not None:
            places.append((k, verdict.rejection.at))
    if not places:
        return found
    short = [replace(found[k].trace, entries=found[k].trace.entries[: at + 1]) for k, at in places]
    for told in _run(short, tools, spec, ask=[at + 1 for _, at in places]):
        if told[0] != "state":
            continue
        # Of several states at that place the last one: nothing leads on from there.
        k = places[told[1] - 1][0]
        rejection = found[k].rejection
        if rejection is not None:
            at_place = replace(rejection, state=told[3], possible=told[4])
            found[k] = Verdict(found[k].trace, at_place)
    return found


def _run(
    traces: Sequence[Trace],
    tools: Toolchain,
    spec: Path | None,
    *,
    follow: bool = False,
    ask: Sequence[int] = (),
) -> Iterator[tuple[Any, ...]]:
    """Run TLC on traces of one module; give what it prints.

    ``follow``: it says how far each trace comes. ``ask``: for each the event (from 1) before which
    it prints the state.
    """
    module = traces[0].module
    needs: dict[str, int] = {}
    values: set[str] = set()
    operations: set[str] = set()
    for trace in traces:
        for name, number in trace.constants.items():
            needs[name] = max(needs.get(name, 0), number)
        values |= trace.values
        operations |= {tla(e.values[1]) for e in trace.entries if e.action == "Invoke"}
    body, config = [], [f"CONSTANT Follow = {str(follow).upper()}", "CONSTANT Ask <- TheAsk"]
    body.append(f"TheAsk == {tla([*ask] or [0] * len(traces))}")
    for name, meaning in _CONSTANTS[module].items():
        text = meaning
        for need, number in needs.items():
            text = re.sub(rf"\b{need}\b", str(number), text)
        text = text.replace("values", "{" + ", ".join(f'"{v}"' for v in sorted(values)) + "}")
        text = text.replace("operations", "{" + ", ".join(sorted(operations)) + "}")
        body.append(f"The{name} == {text}")
        config.append(f"CONSTANT {name} <- The{name}")
    named = _Named()
    for trace in traces:
        trace.told(named.count)
    rows = [f"Trace{k} == {trace.told(named.write)}" for k, trace in enumerate(traces, 1)]
    body += [*named.definitions, *rows]
    body.append(f"TheTraces == <<{', '.join(f'Trace{k}' for k in range(1, len(traces) + 1))}>>")
    config += ["CONSTANT Traces <- TheTraces", "SPECIFICATION TraceSpec", "CONSTRAINT Told"]
    # (TLC looks for PlusCal in the module that it is given, line by line: nothing is there.)
    text = f"---- MODULE Told ----\nEXTENDS {module}\n" + "\n".join(body) + "\n====\n"
    said = generated(
        {"Told.tla": text, "Traces.tla": _ROOT, "Traces.cfg": "\n".join(config) + "\n"},
        "Traces",
        tools,
        options=("-deadlock",),
        workers=1,
        spec=spec,
    )
    if said.code != 0:
        last = "\n".join(said.text.splitlines()[-25:])
        message = f"TLC cannot look at traces of {module}:\n{last}"
        raise CannotRun(message)
    yield from _told(said.text)


class _Named:
    """Writes TLA+; what is composed and comes again has a name, which TLC reads faster."""

    def __init__(self) -> None:
        self.uses = Counter[str]()
        self.names: dict[str, str] = {}
        self.definitions: list[str] = []

    def count(self, value: Any) -> str:
        """Note that a value is to be written."""
        if isinstance(value, (int, str)):
            return tla(value)
        text = tla(value)
        self.uses[text] += 1
        if self.uses[text] == 1:
            tla(value, self.count)
        return text

    def write(self, value: Any) -> str:
        """Write a value, or the name that it has."""
        if isinstance(value, (int, str)):
            return tla(value)
        text = tla(value)
        name = self.names.get(text)
        if name is None:
            composed = tla(value, self.write)
            if (self.uses[text] - 1) * len(text) < _WORTH_A_NAME:
                return composed
            name = self.names[text] = f"V{len(self.names)}"
            self.definitions.append(f"{name}=={composed}")
        return name


def _told(text: str) -> Iterator[tuple[Any, ...]]:
    """Read what the Trace module has printed."""
    for begin in _BEGINS.finditer(text):
        depth = 0
        for bracket in _BRACKET.finditer(text, begin.start()):
            depth += 1 if bracket[0] == "<<" else -1
            if depth == 0:
                yield parse(text[begin.start() : bracket.end()])
                break
