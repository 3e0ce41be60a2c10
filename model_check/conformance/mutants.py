"""What `bwcheck conform` must reject: one changed line of the engine, or one action of a spec.

A changed engine does what the spec does not; a changed spec does less than the engine. Either is
seen in a trace, which must be rejected at the very action. A spec that does more than the engine is
not seen here. (`corrupt` has the third kind: traces that nobody ever did.) What other checkers must
reject as well is one of the engine's mutants, and written there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model_check.conformance import record
from model_check.conformance.programs import PROGRAMS, Subject, traces_of
from model_check.conformance.validate import explained, validate
from model_check.explorer.harness import engine_folder
from model_check.mutants.engine import ENGINE
from model_check.report import CannotRun
from model_check.tlc.process import SPEC
from model_check.tlc.tools import Toolchain

#: Seeds whose executions are looked at, one after the other, until one is rejected.
_SEEDS = 4


@dataclass(frozen=True)
class Mutant:
    """One change: ``old``, which stands once in ``file``, becomes ``new``.

    ``kind``: of impl/src ("code") or of spec/ ("spec"). ``step``: the actions at one of which a
    trace must be rejected.
    """

    name: str
    kind: Literal["code", "spec"]
    file: str
    old: str
    new: str
    module: str
    step: tuple[str, ...]


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``killed`` at ``action``, where it must be; ``told``: how."""

    mutant: Mutant
    killed: bool
    action: str
    told: str
    seconds: float


_EPOCHS, _LOG, _TREE = "EpochReclamation", "DeltaLog", "StructureModification"


def _engines(name: str, defect: str, module: str, step: tuple[str, ...]) -> Mutant:
    """Give one of the engine's mutants, which stands in one place."""
    found = next(each for each in ENGINE if each.name == defect)
    return Mutant(f"code: {name}", "code", found.file, found.old, found.new, module, step)


MUTANTS: Sequence[Mutant] = (
    # ---- one line of the engine ----
    _engines(
        "pages are freed one epoch early",
        "pages and their records are freed one epoch early",
        _EPOCHS,
        ("Free",),
    ),
    _engines(
        "a bag is tagged with the thread's own epoch",
        "a bag is tagged with the epoch that its thread has announced",
        _EPOCHS,
        ("Tag",),
    ),
    _engines(
        "the epoch advances past a pinned thread",
        "the epoch advances past a pinned thread",
        _EPOCHS,
        ("Scan",),
    ),
    _engines(
        "a losing appender does not look at the slots that it lost",
        "a losing appender does not look at the slots that it lost",
        _LOG,
        ("Append", "Install", "InstallLost"),
    ),
    _engines(
        "a consolidation without the last slot",
        "a consolidation without the last slot",
        _LOG,
        ("Return", "Append", "Look"),
    ),
    _engines(
        "a remove gives back a wrong old value",
        "a remove gives back a wrong old value",
        _LOG,
        ("Return",),
    ),
    Mutant(
        "code: a page is removed before its entry is marked",
        "code",
        "merge.c",
        "    bw_status status = mark_entry(self, duty, &marked, duties);\n",
        "    bw_status status = remove_page(self, duty, duties);\n"
        "    if (status == BW_OK)\n"
        "        status = mark_entry(self, duty, &marked, duties);\n",
        _TREE,
        ("RemovePage",),
    ),
    _engines(
        "a post without a look whether its page is alive",
        "a post does not look whether its page is alive",
        _TREE,
        ("PostSeparator",),
    ),
    _engines(
        "a page id is given back at once",
        "the page id of a merged page is given out again at once",
        _TREE,
        ("RecyclePid",),
    ),
    Mutant(
        "code: a root that is not frozen is exchanged",
        "code",
        "collapse.c",
        "        bw_log_freeze(root);\n",
        "",
        _TREE,
        ("Collapse",),
    ),
    _engines(
        "the root's child is removed without a look at the root",
        "the root collapses without a second look at it",
        _TREE,
        ("RemovePage",),
    ),
    _engines(
        "a page is buried before its entry is deleted",
        "a merged page is gone before its separator is",
        _TREE,
        ("Bury",),
    ),
    # ---- one action of a spec ----
    Mutant(
        "spec: objects are freed one epoch later",
        "spec",
        "EpochReclamation.tla",
        'IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2',
        'IF Mutation = "free_one_epoch_early" THEN 1 ELSE 3',
        _EPOCHS,
        ("Free",),
    ),
    Mutant(
        "spec: a pin announces the epoch of that moment",
        "spec",
        "EpochReclamation.tla",
        "announced' = [announced EXCEPT ![t] = seen[t]]",
        "announced' = [announced EXCEPT ![t] = G]",
        _EPOCHS,
        ("Announce",),
    ),
    Mutant(
        "spec: a thread that is not pinned blocks the epoch",
        "spec",
        "EpochReclamation.tla",
        '  \\/ ~Pinned(t) /\\ Mutation # "unpinned_thread_blocks"\n',
        "",
        _EPOCHS,
        ("Scan",),
    ),
    Mutant(
        "spec: an update answers from the base alone",
        "spec",
        "DeltaLog.tla",
        'IF Mutation = "answer_from_base" THEN Saw(Page(t).base, Op(t))',
        "IF TRUE THEN Saw(Page(t).base, Op(t))",
        _LOG,
        ("Return",),
    ),
    Mutant(
        "spec: a call that changes nothing does not answer from a frozen page",
        "spec",
        "DeltaLog.tla",
        '  /\\ thread[t].at = "frozen" /\\ Pending(t)\n  /\\ ~Effective',
        '  /\\ thread[t].at = "frozen" /\\ FALSE\n  /\\ ~Effective',
        _LOG,
        ("Look",),
    ),
    Mutant(
        "spec: pages and page ids are freed one epoch later",
        "spec",
        "StructureModification.tla",
        'IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2',
        'IF Mutation = "free_one_epoch_early" THEN 1 ELSE 3',
        _TREE,
        ("Free", "RecyclePid"),
    ),
    Mutant(
        "spec: a MARK says nothing of the entry",
        "spec",
        "TreePages.tla",
        '[] rec[1] = "mark"   -> [v EXCEPT ![rec[2]] = rec[3] + MarkBit]',
        '[] rec[1] = "mark"   -> v',
        _TREE,
        ("RemovePage",),
    ),
    Mutant(
        "spec: a child of the root is never removed",
        "spec",
        "StructureDescent.tla",
        '"shrink_without_root_check" THEN "remove" ELSE "check root")',
        '"shrink_without_root_check" THEN "remove" ELSE "unpin")',
        _TREE,
        ("CheckRoot",),
    ),
)


@contextmanager
def changed(mutant: Mutant) -> Iterator[Path]:
    """Give a folder like impl/ or spec/ with the change in it. Raises CannotRun if it fits not."""
    origin = engine_folder() if mutant.kind == "code" else SPEC
    inside = Path("src") if mutant.kind == "code" else Path()
    text = (origin / inside / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        message = (
            f"the mutant {mutant.name!r} fits {text.count(mutant.old)} places of {mutant.file}, "
            "not one; write it anew in model_check/conformance/mutants.py"
        )
        raise CannotRun(message)
    with tempfile.TemporaryDirectory(prefix="bwcheck-conform-") as name:
        folder = Path(name) / origin.name
        if mutant.kind == "code":
            shutil.copytree(origin / "src", folder / "src")
            shutil.copytree(origin / "include", folder / "include")
        else:
            folder.mkdir()
            for path in origin.glob("*.tla"):
                shutil.copy(path, folder)
        (folder / inside / mutant.file).write_text(
            text.replace(mutant.old, mutant.new), encoding="utf-8"
        )
        yield folder


def judge(mutant: Mutant, tools: Toolchain, programs: Sequence[Subject] = PROGRAMS) -> Fate:
    """Look for the step at which a mutant is rejected. Raises CannotRun."""
    begin = time.monotonic()
    with changed(mutant) as folder:
        killed, action, told = _in_traces(mutant, folder, tools, programs)
    return Fate(mutant, killed, action, told, time.monotonic() - begin)


def _in_traces(
    mutant: Mutant, folder: Path, tools: Toolchain, programs: Sequence[Subject]
) -> tuple[bool, str, str]:
    code = mutant.kind == "code"
    program = record.build(folder=folder if code else None)
    subjects = [each for each in programs if mutant.module in each.modules]
    other = None if code else folder
    for seed in range(_SEEDS):
        traces = [
            trace
            for subject in subjects
            for trace in traces_of(
                program, subject, seed=seed, modules=(mutant.module,), broken=True
            )
        ]
        verdicts = validate(
            traces, tools, spec=other, jobs=os.cpu_count() or 1, doubted=True, asked=False
        )
        for verdict in verdicts:
            if verdict.rejection is None:
                continue
            # A state that breaks an invariant is what the event before it has led to.
            at = verdict.rejection.at - bool(verdict.rejection.broken)
            entries = verdict.trace.entries
            action = entries[at].action if at < len(entries) else "the end"
            told = explained(verdict, tools, spec=other).explain()
            if action in mutant.step:
                return True, action, told
            wanted = " or ".join(mutant.step)
            return False, action, f"not rejected at {wanted}, but: {told}"
    message = f"{mutant.name}: the traces of {_SEEDS} seeds are accepted"
    return False, "", message
