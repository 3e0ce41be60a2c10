"""A counterexample as a table: who holds what before and after the step.

    DeltaLog, AppendRecord breaks "I2: slots and bases are written once"
    Thread: Thread1 Thread2   Page: Page1 …
    t = Thread1, n = Slot2
                            before            after
      mapping               Page1             Page1
      at(Thread1)           append            rest         *

A relation is a row with the tuples that it holds of. A star marks what the step changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import z3

from model_check.proofs.system import State, Symbol, System, Term


@dataclass(frozen=True)
class Counterexample:
    """A query that fails: its goal, and the table that shows why."""

    goal: str
    text: str

    @staticmethod
    def of(
        system: System,
        part: str,
        goal: str,
        model: Any,
        universe: Mapping[str, Sequence[Term]],
        before: State,
        after: State,
        parameters: Mapping[str, Term],
    ) -> Counterexample:
        """Read the table off a model."""
        show = _Shower(model, universe)
        lines = [f'{system.name}, {part} breaks "{goal}"']
        lines.append(
            "   ".join(f"{sort}: {' '.join(map(str, some))}" for sort, some in universe.items())
        )
        if parameters:
            chosen = (f"{name} = {show.value(term)}" for name, term in parameters.items())
            lines.append(", ".join(chosen))
        rows = []
        for symbol in system.symbols:
            old, new = show.rows(symbol, before), show.rows(symbol, after)
            rows += [(at, old[at], "" if symbol.rigid else new[at]) for at in old]
        wide = [max(len(row[i]) for row in [*rows, ("", "before", "after")]) for i in range(3)]
        lines.append(f"  {'':{wide[0]}}  {'before':{wide[1]}}  after")
        for name, old_value, new_value in rows:
            star = "  *" if new_value not in ("", old_value) else ""
            line = f"  {name:{wide[0]}}  {old_value:{wide[1]}}  {new_value:{wide[2]}}{star}"
            lines.append(line.rstrip())
        return Counterexample(goal, "\n".join(lines))


class _Shower:
    """Values of a model as text."""

    def __init__(self, model: Any, universe: Mapping[str, Sequence[Term]]) -> None:
        self._model = model
        self._universe = universe
        self._names = {
            str(model.eval(element, model_completion=True)): str(element)
            for elements in universe.values()
            for element in elements
        }

    def value(self, term: Term) -> str:
        text = str(self._model.eval(term, model_completion=True))
        return self._names.get(text, text)

    def rows(self, symbol: Symbol, state: State) -> dict[str, str]:
        """Give the rows of a symbol: one for each argument, or one for a relation."""
        meaning = getattr(state, symbol.name)
        if not symbol.arguments:
            return {symbol.name: self.value(meaning)}
        tuples = list(product(*(self._universe[str(sort)] for sort in symbol.arguments)))
        values = {at: self.value(meaning(*at)) for at in tuples}
        if symbol.result != z3.BoolSort():
            return {f"{symbol.name}({', '.join(map(str, at))})": v for at, v in values.items()}
        of = [" ".join(map(str, at)) for at, v in values.items() if v == "True"]
        return {symbol.name: "{" + ", ".join(of) + "}"}
