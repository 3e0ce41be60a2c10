"""Whether every memory order of the engine earns its keep.

Each atomic access and fence in impl/src (the .c, .h and .inc files) is weakened by one step, a
fence also removed, and the catalogue is run on what comes out, in rc11 (or sc, for cases without a
plan there). A mutant is *killed* when some case ends otherwise than it must; the others *survive*:
then the order is stronger than this catalogue can tell, and must be weakened or argued.

Arguments stand in orders_accepted.json: file, function, statement, change, reason. One that fits no
mutant any more, and one whose mutant is killed, is an error, as is a survivor without one.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from model_check.explorer.build import COMPILER, Program, cache_folder
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import CATALOGUE
from model_check.explorer.catalogue_orders import ORDER_CASES
from model_check.explorer.harness import build_harness, engine_folder, explore_text
from model_check.explorer.result import Result
from model_check.report import CannotRun

ACCEPTED = Path(__file__).parent / "orders_accepted.json"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_FENCE = re.compile(r"atomic_thread_fence\(\s*memory_order_(\w+)\s*\)")
_ORDER = re.compile(r"\bmemory_order_(acquire|release|acq_rel|seq_cst)\b")
_FUNCTION = re.compile(r"^[a-z][\w *]*?(\w+)\([^;{]*\{$", re.MULTILINE)
_WEAKER: Mapping[str, tuple[str, ...]] = {
    "seq_cst": ("acq_rel",),
    "acq_rel": ("acquire", "release"),
    "acquire": ("relaxed",),
    "release": ("relaxed",),
}


@dataclass(frozen=True)
class Mutant:
    """One weakening: at ``offset`` of ``file``, ``old`` becomes ``new``.

    ``function`` and ``code``, its statement, say where it is when lines have moved. ``change``: in
    words.
    """

    file: str
    line: int
    function: str
    code: str
    change: str
    offset: int
    old: str
    new: str

    @property
    def place(self) -> str:
        """Give FILE:LINE."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``case`` and ``finding`` are empty if it survived.

    ``skipped``: cases that the explorer could not run on it (too many fences, say).
    """

    mutant: Mutant
    case: str
    model: str
    finding: str
    executions: int
    seconds: float
    skipped: str = ""

    @property
    def killed(self) -> bool:
        """True when the catalogue noticed."""
        return self.finding != ""


@dataclass(frozen=True)
class Accepted:
    """Why a survivor stays as it is."""

    file: str
    function: str
    code: str
    change: str
    reason: str


# ---- mutants ----


def _without_comments(text: str) -> str:
    """Blank comments out, so that offsets and lines stay."""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _statement(code: str, offset: int) -> tuple[int, str]:
    """Give where the statement at ``offset`` begins, and its text on one line."""
    begin = max(code.rfind(mark, 0, offset) for mark in ";{}") + 1
    ends = [at for at in (code.find(mark, offset) for mark in ";{") if at >= 0]
    return begin, " ".join(code[begin : min(ends, default=len(code))].split())


def _on_failure(code: str, match: re.Match[str]) -> bool:
    """Say whether this is the order that a compare-exchange has when it fails."""
    before = code[_statement(code, match.start())[0] : match.start()]
    call = before.rfind("compare_exchange")
    return call >= 0 and "memory_order_" in before[call:]


def mutants_of(file: str, text: str) -> list[Mutant]:
    """Give every weakening by one step in the text of one file."""
    code = _without_comments(text)

    def mutant(offset: int, old: str, new: str, change: str) -> Mutant:
        line = code.count("\n", 0, offset) + 1
        names = _FUNCTION.findall(code, 0, offset)
        function = names[-1] if names else ""
        return Mutant(file, line, function, _statement(code, offset)[1], change, offset, old, new)

    fences = list(_FENCE.finditer(code))
    made = [
        mutant(match.start(), match[0], "((void)0)", f"{match[1]} fence removed")
        for match in fences
    ]
    for match in _ORDER.finditer(code):
        in_fence = any(fence.start() <= match.start() < fence.end() for fence in fences)
        # An acq_rel fence is weaker; an acquire or release one without its half is none.
        for weaker in _WEAKER[match[1]]:
            if in_fence and weaker == "relaxed":
                continue
            what = "fence " if in_fence else "failure: " if _on_failure(code, match) else ""
            change = f"{what}{match[1]} to {weaker}"
            made.append(mutant(match.start(), match[0], f"memory_order_{weaker}", change))
    return sorted(made, key=lambda each: each.line)


def all_mutants(folder: Path | None = None) -> list[Mutant]:
    """Give every weakening by one step in impl/src, in the order of files and lines."""
    source = (folder or engine_folder()) / "src"
    files = sorted(path for path in source.iterdir() if path.suffix in {".c", ".h", ".inc"})
    return [mutant for path in files for mutant in mutants_of(path.name, path.read_text("utf-8"))]


def chosen(mutants: Sequence[Mutant], only: str | None) -> list[Mutant]:
    """Keep those at FILE or FILE:LINE; all if ``only`` is None. Raises CannotRun."""
    if only is None:
        return list(mutants)
    kept = [each for each in mutants if only in {each.place, each.file}]
    if not kept:
        near = sorted({each.place for each in mutants if each.file == only.partition(":")[0]})
        hint = f"; in this file: {', '.join(near)}" if near else ""
        raise CannotRun(f"--only {only}: no memory order stands there{hint}")
    return kept


# ---- running ----

#: Builds the library in a folder: the source folder of a mutant to a program.
Builder = Callable[[Path], Program]
#: Explores one case.
Runner = Callable[[Program, Case, Plan], Result]


def order_plans(cases: Sequence[Case] = CATALOGUE) -> list[tuple[Case, Plan]]:
    """Give what each mutant goes through: the rc11 plans of each case.

    Those about single orders first, then small ones, so that nearly every mutant dies soon; one
    that survives goes through all of them.
    """
    plans = [
        (case, plan)
        for case in cases
        if case.expected == "nothing found"
        for plan in case.plans
        if plan.model == "rc11"
    ]
    rank = {"exhaustive": 0, "bounded": 1, "pct": 2, "random": 3}
    own = {case.name for case in ORDER_CASES}
    return sorted(plans, key=lambda each: (each[0].name not in own, rank[each[1].strategy]))


class Workshop:
    """Folders in which mutants are made, one for each worker, so that objects stay cached."""

    def __init__(self, jobs: int, origin: Path, base: Path) -> None:
        """Copy ``origin`` (impl/) ``jobs`` times into ``base``."""
        self._origin = origin
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            folder = base / str(number)
            shutil.rmtree(folder, ignore_errors=True)
            for part in ("src", "include"):
                shutil.copytree(origin / part, folder / part)
            self._free.put(folder)

    def judge(
        self, mutant: Mutant, plans: Sequence[tuple[Case, Plan]], build: Builder, run: Runner
    ) -> Fate:
        """Make the mutant in a free folder, run the plans until one notices, mend it again."""
        folder = self._free.get()
        path = folder / "src" / mutant.file
        original = (self._origin / "src" / mutant.file).read_text("utf-8")
        try:
            path.write_text(_changed(original, mutant), "utf-8")
            return _judged(mutant, build(folder), plans, run)
        finally:
            path.write_text(original, "utf-8")
            self._free.put(folder)


def _changed(text: str, mutant: Mutant) -> str:
    end = mutant.offset + len(mutant.old)
    if text[mutant.offset : end] != mutant.old:
        raise CannotRun(f"{mutant.place} has changed while it was being looked at; start again")
    return text[: mutant.offset] + mutant.new + text[end:]


def _judged(
    mutant: Mutant, program: Program, plans: Sequence[tuple[Case, Plan]], run: Runner
) -> Fate:
    begin = time.monotonic()
    executions = 0
    skipped = []
    for case, plan in plans:
        try:
            result = run(program, case, plan)
        except CannotRun:
            skipped.append(case.name)
            continue
        executions += result.executions
        if result.finding is not None:
            seconds = time.monotonic() - begin
            kind = result.finding.kind
            return Fate(mutant, case.name, plan.model, kind, executions, seconds)
    if len(skipped) == len(plans):
        raise CannotRun(f"{mutant.place}: no case of the catalogue can be run on this mutant")
    return Fate(mutant, "", "", "", executions, time.monotonic() - begin, ", ".join(skipped))


def judge_all(
    mutants: Sequence[Mutant],
    *,
    jobs: int = 1,
    compiler: str = COMPILER,
    seed: int = 0,
    factor: int = 1,
    build: Builder | None = None,
    run: Runner | None = None,
    told: Callable[[Fate], None] | None = None,
    origin: Path | None = None,
) -> list[Fate]:
    """Run the catalogue on every mutant; ``told`` hears of each as soon as it is decided.

    ``factor`` multiplies the executions of plans that bound them.
    """
    plans = [(case, plan.scaled(factor)) for case, plan in order_plans()]
    build = build or (lambda folder: build_harness(compiler=compiler, folder=folder))
    run = run or (lambda program, case, plan: explore_text(program, case.text, plan.options(seed)))
    shop = Workshop(jobs, origin or engine_folder(), cache_folder() / "orders")

    def one(mutant: Mutant) -> Fate:
        fate = shop.judge(mutant, plans, build, run)
        if told is not None:
            told(fate)
        return fate

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, mutants))


# ---- survivors ----


def read_accepted(path: Path = ACCEPTED) -> list[Accepted]:
    """Read the accepted survivors. Raises CannotRun."""
    try:
        entries = json.loads(path.read_text("utf-8"))
        accepted = [Accepted(**entry) for entry in entries]
    except (OSError, ValueError, TypeError) as error:
        raise CannotRun(
            f"{path} cannot be read ({error}); it is a list of objects with file, function, "
            "code, change, reason"
        ) from error
    for entry in accepted:
        if not entry.reason.strip():
            raise CannotRun(
                f"{path}: {entry.file}: {entry.code}: an accepted survivor has a reason"
            )
    return accepted


def problems(fates: Sequence[Fate], accepted: Iterable[Accepted], *, complete: bool) -> list[str]:
    """Say what is not as it must be; ``complete``: all mutants were judged, not a selection."""
    said = []
    reasons = {(each.file, each.function, each.code, each.change) for each in accepted}
    met = set()
    for fate in fates:
        mutant = fate.mutant
        key = (mutant.file, mutant.function, mutant.code, mutant.change)
        if key in reasons:
            met.add(key)
            if fate.killed:
                said.append(
                    f"{mutant.place}: {mutant.change} is accepted as a survivor, but {fate.case} "
                    f"finds a {fate.finding}: take it out of {ACCEPTED.name}"
                )
        elif not fate.killed:
            said.append(
                f"{mutant.place}: {mutant.change} survives in `{mutant.code}`: weaken the order, "
                f"add a case that notices, or argue it in {ACCEPTED.name}"
            )
    if complete:
        said += [
            f"{ACCEPTED.name}: nothing in {function} of {file} is `{code}` with {change} any more: "
            "take it out"
            for file, function, code, change in sorted(reasons - met)
        ]
    return said


# ---- reports ----


def as_json(fates: Sequence[Fate], said: Sequence[str]) -> str:
    """Give the table as JSON text."""
    rows = []
    for fate in fates:
        row = asdict(fate.mutant) | asdict(fate) | {"killed": fate.killed}
        del row["mutant"], row["offset"], row["old"], row["new"]
        rows.append(row)
    document = {
        "mutants": len(fates),
        "killed": sum(fate.killed for fate in fates),
        "problems": list(said),
        "rows": rows,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_markdown(fates: Sequence[Fate], accepted: Iterable[Accepted]) -> str:
    """Give the table as a page for docs/: without lines and times, so that it changes seldom."""
    reasons = {(each.file, each.function, each.code, each.change): each.reason for each in accepted}
    cases = {case.name: case for case in CATALOGUE}
    killed = sum(fate.killed for fate in fates)
    table = []
    argued = []
    for fate in fates:
        mutant = fate.mutant
        code = mutant.code.replace("|", "\\|")
        reason = reasons.get((mutant.file, mutant.function, mutant.code, mutant.change))
        by = f"`{fate.case}`" if fate.killed else "argued" if reason else "**not explained**"
        after = f"{fate.executions:,}" if fate.killed else "–"
        table.append(
            f"| {mutant.file} | {mutant.function} | `{code}` | {mutant.change} | {by} "
            f"| {fate.finding or '–'} | {after} |"
        )
        if not fate.killed and reason:
            argued.append(f"- {mutant.file}, `{mutant.function}`, {mutant.change}: {reason}")
    open_ = len(fates) - killed - len(argued)
    names = sorted({fate.case for fate in fates if fate.killed})
    lines = [
        "# Memory orders: what each is needed for",
        "",
        "Made by `bwcheck orders --markdown docs/memory-orders.md`: each atomic access and fence",
        "of `impl/src` weakened by one step, a fence also removed, and the catalogue run",
        "on the library that comes out, in rc11, until a program ends otherwise than it must.",
        "Relaxed accesses have no weaker order and are not here.",
        "",
        f"{len(fates)} mutants: {killed} killed, {len(argued)} argued, {open_} not explained.",
        "",
        "| file | function | statement | change | found by | finding | after executions |",
        "|---|---|---|---|---|---|---:|",
        *table,
        "",
        "## Argued",
        "",
        *argued,
        "",
        "## The programs that find them",
        "",
        "The language is that of [program.h](../model_check/explorer/engine/program.h) and",
        "[inside.h](../model_check/explorer/engine/inside.h). On the library as it is nothing is",
        "found in them.",
        "",
        "| program | what it is about | text |",
        "|---|---|---|",
        *(f"| `{name}` | {cases[name].what} | `{cases[name].text}` |" for name in names),
    ]
    return "\n".join(lines) + "\n"
