"""Break the engine on purpose: every memory order weakened by one step, and known defects.

A mutant is one change of the text of impl/src. :func:`order_mutants` makes one for each way to
weaken one memory order by one step, and for each fence's removal; :data:`DEFECTS` are protocol
errors. A mutant is killed when the catalogue finds something.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.explorer.build import Program, cache_folder
from model_check.explorer.catalogue import Plan, plans
from model_check.explorer.engine import build_engine, engine_folder
from model_check.report import CannotRun

_ORDER = re.compile(r"memory_order_(acq_rel|acquire|release|seq_cst)")
_FENCE = re.compile(r"atomic_thread_fence\(memory_order_(\w+)\);")
_FUNCTION = re.compile(r"^[a-z][\w *]*?(\w+)\([^;{]*\{$", re.MULTILINE)
_WEAKER = {
    "acq_rel": ("acquire", "release"),
    "acquire": ("relaxed",),
    "release": ("relaxed",),
}


@dataclass(frozen=True)
class Mutant:
    """One change of impl/src: ``old``, at ``offset`` of ``file``, becomes ``new``."""

    name: str
    file: str
    offset: int
    old: str
    new: str
    function: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the catalogue said of a mutant: ``plan`` and ``finding`` None when it survived."""

    mutant: Mutant
    plan: Plan | None
    finding: str | None
    sentence: str
    executions: int
    steps: int
    seconds: float

    @property
    def killed(self) -> bool:
        """True when something was found."""
        return self.finding is not None


def _function(text: str, offset: int) -> str:
    """Name the function whose body holds the place: the last one that begins before it."""
    names = _FUNCTION.findall(text, 0, offset)
    return names[-1] if names else ""


def order_mutants(folder: Path | None = None) -> Iterator[Mutant]:
    """Give every weakening by one step of every memory order in impl/src."""
    source = (folder or engine_folder()) / "src"
    for file in sorted([*source.glob("*.c"), *source.glob("*.h")]):
        text = file.read_text(encoding="utf-8")
        fences = [match.span() for match in _FENCE.finditer(text)]
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            name = f"{file.name}:{line} fence removed"
            within = _function(text, match.start())
            yield Mutant(name, file.name, match.start(), match[0], "(void)0;", within)
            if match[1] == "seq_cst":
                name = f"{file.name}:{line} fence seq_cst to acq_rel"
                weaker = match[0].replace("seq_cst", "acq_rel")
                yield Mutant(name, file.name, match.start(), match[0], weaker, within)
        for match in _ORDER.finditer(text):
            if any(begin <= match.start() < end for begin, end in fences):
                continue
            line = text.count("\n", 0, match.start()) + 1
            for weaker in _WEAKER.get(match[1], ()):
                name = f"{file.name}:{line} {match[1]} to {weaker}"
                change = f"memory_order_{weaker}"
                within = _function(text, match.start())
                yield Mutant(name, file.name, match.start(), match[0], change, within)


def _defect(name: str, file: str, old: str, new: str) -> tuple[str, str, str, str]:
    return name, file, old, new


#: Errors in the protocol, as text of a file that stands there once.
DEFECTS: Sequence[tuple[str, str, str, str]] = (
    _defect("freed one epoch early", "epoch.c", "enum { GRACE = 2 };", "enum { GRACE = 1 };"),
    _defect(
        "epoch advanced past a pinned thread",
        "epoch.c",
        "if (announced != 0 && announced != epoch) {",
        "if (announced != 0 && announced + 1 < epoch) {",
    ),
    _defect(
        "split installed before its right page",
        "split.c",
        "        bw_map_store(tree, right, right_page);\n"
        "        won = bw_map_install(tree, pid, page, left_page);\n",
        "        won = bw_map_install(tree, pid, page, left_page);\n"
        "        if (won)\n"
        "            bw_map_store(tree, right, right_page);\n",
    ),
    _defect(
        "post without the check that its page is alive",
        "split.c",
        "            done = !is_alive(tree, duty);\n",
        "            done = false;\n",
    ),
)


def defect_mutants(folder: Path | None = None) -> Iterator[Mutant]:
    """Give the defects that are changes of text; raises CannotRun when the text has gone."""
    source = (folder or engine_folder()) / "src"
    for name, file, old, new in DEFECTS:
        text = (source / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise CannotRun(f"the mutant {name!r} does not fit {file} any more: {old!r}")
        yield Mutant(name, file, text.index(old), old, new)


def _build(mutant: Mutant, compiler: str) -> Program:
    """Build the changed engine, always in the same folder: its objects are found again."""
    origin = engine_folder()
    folder = cache_folder() / "mutant"
    with (cache_folder() / "mutant.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(origin / "src", folder / "src")
        shutil.copytree(origin / "include", folder / "include")
        path = folder / "src" / mutant.file
        text = path.read_text(encoding="utf-8")
        end = mutant.offset + len(mutant.old)
        if text[mutant.offset : end] != mutant.old:
            raise CannotRun(f"the mutant {mutant.name!r} does not fit {mutant.file} any more")
        path.write_text(text[: mutant.offset] + mutant.new + text[end:], encoding="utf-8")
        return build_engine(compiler=compiler, folder=folder)


def judge(
    mutant: Mutant, *, compiler: str = "gcc", executions: int = 1500, seed: int = 0
) -> Outcome:
    """Build the mutant and run the catalogue until something is found."""
    program = _build(mutant, compiler)
    begin = time.monotonic()
    total = 0
    for plan in plans(seed=seed, executions=executions):
        result = plan.run(program)
        total += result.executions
        if result.finding is not None:
            return Outcome(
                mutant,
                plan,
                result.finding.kind,
                result.finding.sentence,
                total,
                len(result.finding.steps),
                time.monotonic() - begin,
            )
    return Outcome(mutant, None, None, "", total, 0, time.monotonic() - begin)
