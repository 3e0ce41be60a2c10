"""What becomes of one mutant that a program has made.

In this order, until something notices: it does not compile, and is none; its machine code is that
of the engine as it is, and so it is none either; a C test fails that takes less than a second; a
program of the explorer's catalogue ends otherwise than it must, within a few thousand executions
each; a recorded history is not linearizable; another C test fails. What is left survives.

The longer C tests run in the order of how many mutants of the same file they have noticed before.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model_check.explorer.build import COMPILER, cache_folder
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import steps
from model_check.explorer.harness import build_harness, engine_folder, explore_text
from model_check.mutants.builds import VECTORS, Flavour, NotCompiled
from model_check.mutants.cells import Histories, Programs
from model_check.mutate.generate import Change
from model_check.report import CannotRun

STILLBORN, SAME_CODE, SURVIVED = "does not compile", "the same machine code", "survived"
#: A C test that takes longer runs after everything else.
_FAST_SECONDS = 1.0
#: Of each case that the explorer runs: executions, and seconds in all.
_EXECUTIONS, _EXPLORER_SECONDS = 2_000, 20.0
#: Operations of each recorded history.
_OPERATIONS = 5_000
_CODE = Flavour("code", ("-O2", "-DNDEBUG"))


@dataclass(frozen=True)
class Fate:
    """What noticed a mutant (empty if nothing), by what, and after how many seconds."""

    change: Change
    fate: str
    by: str = ""
    what: str = ""
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """True when a test, the explorer, or a history noticed."""
        return self.by != ""


class Judges:
    """All that a mutant goes through, prepared once. Raises CannotRun."""

    def __init__(self, *, seed: int = 0) -> None:
        """Run everything on the engine as it is first."""
        self._origin = engine_folder()
        self._tests = Programs("C tests")
        self._histories = Histories(seed, _OPERATIONS)
        self._seed = seed
        self._codes: dict[str, str] = {}
        self._noticers: dict[str, Counter[str]] = defaultdict(Counter)
        self._base = cache_folder() / "mutate"
        shutil.rmtree(self._base, ignore_errors=True)

    def judge(self, change: Change) -> Fate:
        """Make the mutant in a folder of its own, and see what notices."""
        name = hashlib.sha256(repr(change).encode()).hexdigest()[:16]
        folder = self._base / name
        for part in ("src", "include"):
            shutil.copytree(self._origin / part, folder / part)
        path = folder / "src" / change.file
        path.write_bytes(change.applied(path.read_bytes()))
        begin = time.monotonic()
        try:
            if self._is_same(change, folder):
                return Fate(change, SAME_CODE)
            fate, by, what = self._noticed(change, folder)
        except NotCompiled:
            return Fate(change, STILLBORN)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Fate(change, fate, by, what, round(time.monotonic() - begin, 2))

    def _noticed(self, change: Change, folder: Path) -> tuple[str, str, str]:
        cell = self._tests.judge(folder, slower_than=0.0, faster_than=_FAST_SECONDS)
        if cell.killed:
            return "killed", f"C tests: {cell.by}", cell.what
        found = self._explored(change, folder)
        if found:
            return "killed", *found
        cell = self._histories.judge(folder)
        if cell.killed:
            return "killed", "histories", cell.what
        noticers = self._noticers[change.file]
        often = [name for name, _ in noticers.most_common()]
        cell = self._tests.judge(folder, slower_than=_FAST_SECONDS, first=often)
        if cell.killed:
            noticers[cell.by] += 1
            return "killed", f"C tests: {cell.by}", cell.what
        return SURVIVED, "", ""

    def _explored(self, change: Change, folder: Path) -> tuple[str, str] | None:
        if change.file.startswith("search_avx"):
            return None  # not part of what the explorer runs
        try:
            if change.file.endswith(".c"):
                program = build_harness(stand_in=folder / "src" / change.file)
            else:
                program = build_harness(folder=folder)
        except CannotRun as error:
            raise NotCompiled(str(error)) from error
        begin = time.monotonic()
        for case, plan in _quick():
            if time.monotonic() - begin > _EXPLORER_SECONDS:
                break
            try:
                result = explore_text(program, case.text, plan.options(self._seed))
            except CannotRun:  # goes beyond what the explorer models
                continue
            if result.finding is not None:
                return f"explorer: {case.name}", result.finding.kind
        return None

    def _is_same(self, change: Change, folder: Path) -> bool:
        """Say whether the optimized machine code is that of the engine as it is."""
        names = (
            [change.file]
            if change.file.endswith(".c")
            else [path.name for path in sorted((folder / "src").glob("*.c"))]
        )
        return all(self._code(self._origin, name) == self._code(folder, name) for name in names)

    def _code(self, folder: Path, name: str) -> str:
        known = self._codes.get(name) if folder == self._origin else None
        if known is not None:
            return known
        # From inside the folder, so that no path is part of the text.
        command = [
            *(COMPILER, "-std=c11", "-fPIC", "-pthread", *_CODE.flags, *VECTORS.get(name, ())),
            *("-Iinclude", "-Isrc", "-S", f"src/{name}", "-o", "-"),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode != 0:
            raise NotCompiled(done.stderr.decode("utf-8", "replace"))
        code = hashlib.sha256(done.stdout).hexdigest()
        if folder == self._origin:
            self._codes[name] = code
        return code


def _quick() -> Iterator[tuple[Case, Plan]]:
    """Give the plans of the catalogue that are small: those in sc, few executions of each."""
    for case, plan in steps():
        if case.expected == "nothing found" and plan.model == "sc":
            most = min(plan.executions or _EXECUTIONS, _EXECUTIONS)
            yield case, Plan(**{**plan.__dict__, "executions": most})
