"""Defects: the engine broken on purpose, one change of the text of impl/src each.

They are errors of the protocol, and the weakenings of memory orders that are known by name; all
other weakenings are made by :mod:`model_check.explorer.orders`. A defect is found when a case of
the catalogue ends otherwise than it must. The cases that a defect names are tried first, then
all others.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_check.explorer.build import COMPILER, Program, cache_folder
from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_engine import CATALOGUE, named
from model_check.explorer.harness import build_harness, engine_folder, environment, explore_text
from model_check.explorer.result import Finding
from model_check.explorer.shrink import shrink
from model_check.report import CannotRun


@dataclass(frozen=True)
class Defect:
    """One change of impl/src: ``old``, which stands once in ``file``, becomes ``new``.

    ``cases``: those that are about it, tried first. ``more``: further pairs of old and new, where
    the change takes more than one place.
    """

    name: str
    file: str
    old: str
    new: str
    cases: tuple[str, ...]
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What the catalogue said of a defect: nothing but figures when it survived.

    ``executions`` and ``seconds`` until it was found, all cases tried together, without the
    build. ``found``: the counterexample as it was found; ``shrunk``: the simplest of its kind,
    which has fewer preemptions, and so most often fewer steps.
    """

    defect: Defect
    executions: int
    seconds: float
    case: Case | None = None
    plan: Plan | None = None
    found: Finding | None = None
    shrunk: Finding | None = None

    @property
    def killed(self) -> bool:
        """True when something was found."""
        return self.found is not None


_POP_FIRST = """    for (;;) {
        uint64_t first;
        uint64_t seen;
        bw_status status = bw_first(tree, &first, &seen);
        if (status == BW_OK)
            status = bw_remove(tree, first, &seen);
        else if (status == BW_NOT_FOUND)
            return status;
        if (status == BW_NOT_FOUND)
            continue;
        if (status == BW_OK && key != NULL)
            *key = first;
        if (status == BW_OK && value != NULL)
            *value = seen;
        return status;
    }
"""

DEFECTS: Sequence[Defect] = (
    # ---- the protocol ----
    Defect(
        "a search does not cross the right link of a page that was split",
        "page.h",
        "return key >= page->high && page->right != BW_NO_PID;",
        "(void)key;\n    (void)page;\n    return false;",
        ("split-count",),
    ),
    Defect(
        "a losing appender does not look at the slots that it lost",
        "write.c",
        "            bw_log_scan(leaf, key, &scan);\n",
        "            scan.frozen = ++scan.next == leaf->log_slots;\n",
        ("append-same-key",),
    ),
    Defect(
        "a remove gives back a wrong old value",
        "write.c",
        "        *seen = current;\n",
        "        *seen = current + (kind == REMOVE);\n",
        ("update-remove",),
    ),
    Defect(
        "a consolidation without the last slot",
        "consolidate.c",
        "    const unsigned records = length;",
        "    const unsigned records = length - 1;",
        ("append-consolidation",),
    ),
    Defect(
        "a page is published before its contents",
        "consolidate.c",
        "    if (bw_map_install(self->tree, pid, page, fresh)) {\n",
        "    const uint8_t blocks = fresh->blocks;\n"
        "    fresh->blocks = 0;\n"
        "    bool won = bw_map_install(self->tree, pid, page, fresh);\n"
        "    fresh->blocks = blocks;\n"
        "    if (won) {\n",
        ("append-consolidation",),
    ),
    Defect(
        "a split is installed before its right page",
        "split.c",
        "        bw_map_store(tree, right, right_page);\n"
        "        *won = bw_map_install(tree, pid, page, left_page);\n",
        "        *won = bw_map_install(tree, pid, page, left_page);\n"
        "        if (*won)\n"
        "            bw_map_store(tree, right, right_page);\n",
        ("split-read-posting",),
    ),
    Defect(
        "a post does not look whether its page is alive",
        "split.c",
        "            done = !is_alive(tree, duty);\n",
        "            done = false;\n",
        ("merge-while-posting",),
    ),
    Defect(
        "pop_first is first and then remove",
        "trim.c",
        "    return pop(tree, FIRST, key, value);\n",
        _POP_FIRST,
        ("pop-put",),
    ),
    # ---- epochs ----
    Defect(
        "pages and their records are freed one epoch early",
        "epoch.c",
        "enum { GRACE = 2 };",
        "enum { GRACE = 1 };",
        ("epoch-behind", "pin-seal-advance"),
    ),
    Defect(
        "pages and their records are freed at once",
        "epoch.c",
        "enum { GRACE = 2 };",
        "enum { GRACE = 0 };",
        ("pin-retire-collect",),
    ),
    Defect(
        "the epoch advances past a pinned thread",
        "epoch.c",
        "if (announced != 0 && announced != epoch) {",
        "if (announced != 0 && announced + 1 < epoch) {",
        ("pin-retire-collect",),
    ),
    # ---- memory orders ----
    Defect(
        "the slot's compare-and-swap does not release",
        "tree.h",
        "    return atomic_compare_exchange_strong_explicit(&page->log[slot], &expected, word,\n"
        "                                                   memory_order_release, ",
        "    return atomic_compare_exchange_strong_explicit(&page->log[slot], &expected, word,\n"
        "                                                   memory_order_relaxed, ",
        ("append-read",),
    ),
    Defect(
        "the mapping table's load does not acquire",
        "tree.h",
        "return atomic_load_explicit(&tree->map[pid], memory_order_acquire);",
        "return atomic_load_explicit(&tree->map[pid], memory_order_relaxed);",
        ("append-consolidation",),
    ),
    Defect(
        "pinning has no fence",
        "tree.h",
        "    atomic_thread_fence(memory_order_seq_cst);\n",
        "",
        ("pin-retire-collect",),
    ),
)


def changed(defect: Defect, folder: Path | None = None) -> str:
    """Give the text of the defect's file with it; raises CannotRun when it does not fit once."""
    path = (folder or engine_folder()) / "src" / defect.file
    text = path.read_text(encoding="utf-8")
    for old, new in ((defect.old, defect.new), *defect.more):
        if text.count(old) != 1:
            raise CannotRun(
                f"the defect {defect.name!r} fits {text.count(old)} places of {defect.file}, "
                f"not one: {old!r}; write it anew"
            )
        text = text.replace(old, new)
    return text


def broken_copy(defect: Defect) -> Path:
    """Give a copy of impl/ with the defect, whose path depends on all its text: objects last.

    Raises CannotRun when the defect does not fit.
    """
    text = changed(defect)
    origin = engine_folder()
    digest = hashlib.sha256()
    for path in sorted((origin / "src").iterdir()):
        digest.update(path.name.encode())
        digest.update((text if path.name == defect.file else path.read_text("utf-8")).encode())
    folder = cache_folder() / f"defect-{digest.hexdigest()[:24]}"
    if folder.is_dir():
        return folder
    made = folder.with_name(f"{folder.name}.{os.getpid()}")
    for part in ("src", "include"):
        shutil.copytree(origin / part, made / part)
    (made / "src" / defect.file).write_text(text, encoding="utf-8")
    try:
        made.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(made, ignore_errors=True)
    return folder


def build_defect(defect: Defect, compiler: str = COMPILER) -> Program:
    """Build the harness over the broken engine. Raises CannotRun."""
    folder = broken_copy(defect)
    if defect.file.endswith(".c"):  # all other objects are those of the engine itself
        return build_harness(compiler=compiler, stand_in=folder / "src" / defect.file)
    return build_harness(compiler=compiler, folder=folder)


def defect_plans(defect: Defect) -> Iterator[tuple[Case, Plan]]:
    """Give what is tried: the plans of its own cases, then of all others."""
    own = [named(name) for name in defect.cases]
    for case in [*own, *(each for each in CATALOGUE if each not in own)]:
        if case.expected == "nothing found":
            for plan in case.plans:
                yield case, plan


def judge(
    defect: Defect, *, compiler: str = COMPILER, seed: int = 0, limit: float | None = None
) -> Outcome:
    """Build the broken engine and run the catalogue until something is found.

    No case is begun when ``limit`` seconds are over.
    """
    program = build_defect(defect, compiler)
    begin = time.monotonic()
    executions = 0
    for case, plan in defect_plans(defect):
        if limit is not None and time.monotonic() - begin > limit:
            break
        options = plan.options(seed)
        try:
            result = explore_text(program, case.text, options)
        except CannotRun:  # what the defect does goes beyond what the explorer models
            continue
        executions += result.executions
        if result.finding is None:
            continue
        seconds = time.monotonic() - begin
        shrunk = shrink(program, options, result, environment(case.text)).finding
        return Outcome(defect, executions, seconds, case, plan, result.finding, shrunk)
    return Outcome(defect, executions, time.monotonic() - begin)
