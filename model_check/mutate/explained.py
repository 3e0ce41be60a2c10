"""Survivors that are no mutants: what they change cannot be seen through the interface.

explained.json is a list of objects: `file`, `function`, and, where not all of the function is
meant, `code` (the statement) and `change` (the change in words); `reason` says why nobody can see
the difference. Most are about speed alone: what is loaded early, how long a loser waits, when a
page is thought to be worth a merge. An entry that fits no mutant any more is a problem, and so is
one about a mutant that is killed, if it names the statement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.mutate.generate import Change
from model_check.mutate.judge import Fate
from model_check.report import CannotRun

FILE = Path(__file__).parent / "explained.json"


@dataclass(frozen=True)
class Explained:
    """Why a survivor, or all of a function, cannot be noticed."""

    file: str
    function: str
    reason: str
    code: str = ""
    change: str = ""

    def fits(self, change: Change) -> bool:
        """Say whether this is about ``change``."""
        return (
            (self.file, self.function) == (change.file, change.function)
            and self.code in {"", change.code}
            and self.change in {"", change.what}
        )


def read(path: Path = FILE) -> list[Explained]:
    """Read the file. Raises CannotRun."""
    try:
        entries = [Explained(**entry) for entry in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise CannotRun(
            f"{path} cannot be read ({error}); it is a list of objects with file, function, "
            "reason, and perhaps code and change"
        ) from error
    for entry in entries:
        if not entry.reason.strip():
            raise CannotRun(f"{path}: {entry.file}, {entry.function}: there is no reason")
    return entries


def reason(change: Change, entries: Sequence[Explained]) -> str:
    """Give why ``change`` cannot be noticed; empty if nobody has said."""
    return next((entry.reason for entry in entries if entry.fits(change)), "")


def problems(
    fates: Sequence[Fate], every: Sequence[Change], entries: Sequence[Explained]
) -> list[str]:
    """Say what is wrong with the explanations."""
    said = [
        f"{FILE.name}: no mutant of {entry.function} in {entry.file} fits "
        f"`{entry.code}` {entry.change}: take it out"
        for entry in entries
        if not any(entry.fits(change) for change in every)
    ]
    said += [
        f"{fate.change.place}: {fate.change.what} is explained as no mutant, but {fate.by} kills it"
        for fate in fates
        if fate.killed and any(entry.code != "" and entry.fits(fate.change) for entry in entries)
    ]
    return said
