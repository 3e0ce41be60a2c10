"""TLC's verdict on traces: accepted, or where one is stuck, and what could be done there.

Many traces go into one generated module over a Trace module of spec/, and through one run of TLC:
each is a first state of its own. What has not been accepted goes through a second run, which
prints the place and the state where no step is left. Long traces are taken apart where they say
that they can be; their pieces are traces like others, which must end where the next one begins.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model_check.conformance.trace import Trace, tla
from model_check.proofs.graph import parse
from model_check.report import CannotRun
from model_check.tlc.process import generated
from model_check.tlc.tools import Toolchain

#: Not at a line's beginning: TLC's reports of progress come in between.
_BEGINS = re.compile(r'<<\s*"(?:accepted|stuck)"')
_BRACKET = re.compile(r"<<|>>")
#: About as many events go through one run of TLC: it takes as long as to start it two or three
#: times.
_EVENTS_A_RUN = 6_000
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
}

#: The number in which all traces of one run of TLC are alike: an advance scans all threads that
#: there are, and a log is frozen when it is full.
_ALIKE: Mapping[str, str] = {"TraceEpochReclamation": "threads", "TraceDeltaLog": "log"}


@dataclass(frozen=True)
class Rejection:
    """Where a trace is no behaviour: its entry number ``at`` (from 0) has no step.

    ``state``: variable to value, as TLC has it there. ``possible``: actions that could be taken,
    each with whom. ``broken``: invariants that the state does not keep. ``end``: the state in which
    a piece that ends there should have ended.
    """

    at: int
    state: Mapping[str, Any]
    possible: Mapping[str, frozenset[Any]]
    broken: frozenset[str]
    end: Mapping[str, Any] | None = None


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
) -> list[Verdict]:
    """Give TLC's verdict on each of the traces, which may be of several modules.

    ``spec``: another folder of modules than the project's, as a mutant is. ``jobs``: runs of TLC
    at once. ``doubted``: most are expected to be rejected, so the first run explains. Raises
    CannotRun.
    """
    pieces = [(k, piece) for k, trace in enumerate(traces) for piece in trace.pieces()]
    groups = defaultdict[tuple[str, int], list[int]](list)
    for number, (_, piece) in enumerate(pieces):
        groups[piece.module, piece.constants[_ALIKE[piece.module]]].append(number)

    def size(mine: Sequence[int]) -> int:
        return sum(len(pieces[number][1].entries) for number in mine)

    def judge(mine: Sequence[int]) -> list[Verdict]:
        return _group([pieces[number][1] for number in mine], tools, spec, doubted=doubted)

    # The longest first: the last one to end has then little to do alone.
    order = sorted(
        (share for mine in groups.values() for share in _shares(mine, size)),
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


def _shares(mine: Sequence[int], size: Callable[[Sequence[int]], int]) -> list[list[int]]:
    """Give out pieces to as many runs of TLC as are worth their start."""
    shares: list[list[int]] = [[]]
    wanted = size(mine) / max(1, round(size(mine) / _EVENTS_A_RUN))
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
    verdicts: dict[int, Verdict] = {}
    left = list(range(len(traces)))
    if not doubted:
        for told in _run(traces, tools, spec, explain=False):
            verdicts[told[1] - 1] = Verdict(traces[told[1] - 1], None)
        left = [k for k in left if k not in verdicts]
    for told in _run([traces[k] for k in left], tools, spec, explain=True) if left else ():
        k = left[told[1] - 1]
        if told[0] == "accepted":
            if not doubted:
                message = f"TLC accepts {traces[k].name} at its second look only"
                raise CannotRun(message)
            verdicts[k] = Verdict(traces[k], None)
            continue
        at, whole = told[2] - 1, len(traces[k].entries)
        end = traces[k].end if at == whole and not told[5] else None
        rejection = Rejection(at, told[3], told[4], told[5], end)
        known = verdicts.get(k)
        # Where several ways lead on, the one that leads farthest; or the one that is accepted.
        if known is None or (known.rejection is not None and known.rejection.at < rejection.at):
            verdicts[k] = Verdict(traces[k], rejection)
    missing = [trace.name for k, trace in enumerate(traces) if k not in verdicts]
    if missing:
        message = f"TLC has said nothing about {missing[0]}: neither accepted nor stuck"
        raise CannotRun(message)
    return [verdicts[k] for k in range(len(traces))]


def _run(
    traces: Sequence[Trace], tools: Toolchain, spec: Path | None, *, explain: bool
) -> Iterator[tuple[Any, ...]]:
    """Run TLC on traces of one module; give what it prints."""
    module = traces[0].module
    needs: dict[str, int] = {}
    values: set[str] = set()
    operations: set[str] = set()
    for trace in traces:
        for name, number in trace.constants.items():
            needs[name] = max(needs.get(name, 0), number)
        values |= trace.values
        operations |= {tla(e.values[1]) for e in trace.entries if e.action == "Invoke"}
    body, config = [], [f"CONSTANT Explain = {'TRUE' if explain else 'FALSE'}"]
    for name, meaning in _CONSTANTS[module].items():
        text = meaning
        for need, number in needs.items():
            text = re.sub(rf"\b{need}\b", str(number), text)
        text = text.replace("values", "{" + ", ".join(f'"{v}"' for v in sorted(values)) + "}")
        text = text.replace("operations", "{" + ", ".join(sorted(operations)) + "}")
        body.append(f"The{name} == {text}")
        config.append(f"CONSTANT {name} <- The{name}")
    named = _Named()
    rows = [f"Trace{k} == {trace.told(named)}" for k, trace in enumerate(traces, 1)]
    body += [*named.definitions(), *rows]
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
    """Writes values as TLA+, composed ones once: TLC reads a name faster."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def __call__(self, value: Any) -> str:
        """Write a value, or the name that it has."""
        text = tla(value)
        if isinstance(value, (int, str)):
            return text
        return self.names.setdefault(text, f"Value{len(self.names)}")

    def definitions(self) -> list[str]:
        """Give the definitions of the names."""
        return [f"{name} == {text}" for text, name in self.names.items()]


def _told(text: str) -> Iterator[tuple[Any, ...]]:
    """Read what the Trace module has printed."""
    for begin in _BEGINS.finditer(text):
        depth = 0
        for bracket in _BRACKET.finditer(text, begin.start()):
            depth += 1 if bracket[0] == "<<" else -1
            if depth == 0:
                yield parse(text[begin.start() : bracket.end()])
                break
