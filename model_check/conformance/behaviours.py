"""What TLC says that a spec can do: its whole graph of states, or behaviours at random."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_check.proofs.graph import Graph, read, read_state
from model_check.report import CannotRun
from model_check.tlc.process import Said, generated
from model_check.tlc.tools import Toolchain

#: What a Tour module prints of a step that the engine cannot take: the action, and why.
_LEFT_OUT = re.compile(r'<<"left out", "(\w+)", "(.*?)">>')
_STATE = re.compile(r"^STATE_\d+ ==\s*$", re.MULTILINE)
_BEHAVIOUR = re.compile(r"^-+ MODULE .* -+$", re.MULTILINE)
_END = re.compile(r"^=+$", re.MULTILINE)


@dataclass(frozen=True)
class Model:
    """A Tour module of spec/ with constants: definitions, and a configuration without its spec.

    ``view`` and ``symmetry`` are operators under which states are one.
    """

    module: str
    definitions: str
    constants: str
    view: str
    symmetry: str | None = None

    def text(self) -> str:
        """Write the module that is given to TLC."""
        return f"---- MODULE Tour ----\nEXTENDS {self.module}\n{self.definitions}\n====\n"


def explore(model: Model, tools: Toolchain, spec: Path | None) -> tuple[Graph, Counter[str]]:
    """Give the graph of what the engine can do, and what was left out: action and reason.

    ``spec``: another folder of modules than the project's. Raises CannotRun.
    """
    config = f"SPECIFICATION TourSpec\n{model.constants}VIEW {model.view}\n"
    config += "ACTION_CONSTRAINT Possible\n"
    if model.symmetry is not None:
        config += f"SYMMETRY {model.symmetry}\n"
    options = ("-deadlock", "-dump", "dot,actionlabels", "graph.dot")
    said = _tlc(model, config, options, "graph.dot", tools, spec)
    left = Counter(f"{action}: {why}" for action, why in _LEFT_OUT.findall(said.text))
    return read(said.written or ""), left


def simulate(
    model: Model, tools: Toolchain, *, behaviours: int, depth: int, seed: int
) -> list[list[dict[str, Any]]]:
    """Give random behaviours of what the engine can do, as sequences of states. Raises CannotRun.

    Each has ``depth`` states, fewer where it came to an end.
    """
    config = f"SPECIFICATION PossibleSpec\n{model.constants}"
    options = (
        *("-deadlock", "-simulate", f"num={behaviours},file=behaviour"),
        *("-depth", str(depth), "-seed", str(seed)),
    )
    said = _tlc(model, config, options, "behaviour_*", tools, None)
    found = [
        [read_state(state.strip()) for state in _STATE.split(each)[1:]]
        for each in _BEHAVIOUR.split(_END.sub("", said.written or ""))[1:]
    ]
    if len(found) != behaviours:
        message = f"TLC was asked for {behaviours} behaviours and has written {len(found)}"
        raise CannotRun(message)
    return found


def _tlc(
    model: Model,
    config: str,
    options: Sequence[str],
    written: str,
    tools: Toolchain,
    spec: Path | None,
) -> Said:
    files = {"Tour.tla": model.text(), "Tour.cfg": config}
    options = (*options, "-fp", "0")  # the same numbers for the same states
    said = generated(files, "Tour", tools, options=options, written=written, spec=spec)
    if said.code != 0 or said.written is None:
        last = "\n".join(said.text.splitlines()[-20:])
        message = f"TLC cannot explore {model.module}:\n{last}"
        raise CannotRun(message)
    return said
