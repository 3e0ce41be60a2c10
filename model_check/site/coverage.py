"""Which lines and branches of impl/src each kind of evidence reaches, by gcov.

The library is compiled once with counters, and optimized no further than a debugger would like.
Each kind then runs with a folder of its own for them: the C tests but the recorded one, recorded
histories, and the programs of the explorer's catalogue, each run once on real threads (the explorer
runs them many times over, so that is a lower bound of what it reaches). gcovr, from a package, adds
up what was counted.

Coverage says what was run, not that it was checked: that is what the mutants are for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_check.console import progress
from model_check.explorer.build import INCLUDE
from model_check.explorer.catalogue_engine import CATALOGUE
from model_check.explorer.harness import engine_folder
from model_check.mutants.builds import ROOT, TESTS, TOLD, VECTORS, include_flags, programs
from model_check.mutants.cells import OPERATIONS
from model_check.recorder.build_ffi import builder
from model_check.report import CannotRun

KEPT = Path("build/check/coverage.json")
ALL = "all together"
_FLAGS = ("-std=gnu11", "-Og", "-g", "-fPIC", "-pthread")
_COUNTERS = ("--coverage", "-fprofile-update=atomic")
_WRAP = ("-Wl,--wrap=bw_page_range", "-Wl,--wrap=bw_find")
_RECORDED, _WRAPPED, _CANNOT_RUN = "test_recorded", "test_forced_races", 77
_SECONDS = 600


@dataclass(frozen=True)
class Covered:
    """What one kind of evidence reaches of one file."""

    evidence: str
    file: str
    lines: int
    lines_reached: int
    branches: int
    branches_reached: int


def sources_digest() -> str:
    """Say of which sources a measurement is."""
    digest = hashlib.sha256()
    for path in sorted((engine_folder() / "src").iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _run(command: Sequence[str | Path], what: str, **environment: str) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            errors="replace",
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotRun(f"{what} has not ended after {_SECONDS} s") from error
    if done.returncode not in {0, _CANNOT_RUN}:
        said = (done.stdout + done.stderr).strip().splitlines()[-5:]
        raise CannotRun(f"{what} ended with {done.returncode}: {' / '.join(said)}")
    return done.stdout


class Build:
    """Everything that is run, compiled with counters for the library's part."""

    def __init__(self, folder: Path) -> None:
        """Compile the library into ``folder``. Raises CannotRun."""
        self._folder = folder
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._library = list(
                pool.map(
                    lambda path: self._compile(path, *_COUNTERS, *VECTORS.get(path.name, ())),
                    sorted((engine_folder() / "src").glob("*.c")),
                )
            )

    def _compile(self, source: Path, *flags: str) -> Path:
        target = self._folder / f"{source.parent.name}-{source.stem}.o"
        where = [*include_flags(source, engine_folder()), "-c", str(source), "-o", str(target)]
        _run(["gcc", *_FLAGS, *flags, *where], f"gcc for {source.name}")
        return target

    def _link(self, name: str, objects: Sequence[Path], *flags: str) -> Path:
        target = self._folder / name
        # The recorder has a cursor of its own (told_cursor.c), in the place of the library's.
        told = any(path.stem.endswith(Path(TOLD).stem) for path in objects)
        library = [path for path in self._library if not told or path.name != "src-cursor.o"]
        command = ["gcc", "--coverage", *map(str, [*objects, *library]), *flags]
        _run([*command, "-lm", "-pthread", "-o", target], f"the link of {name}")
        return target

    def test(self, name: str) -> Path:
        """Build a program of tests/c."""
        wrap = _WRAP if name == _WRAPPED else ()
        return self._link(name, [self._compile(TESTS / f"{name}.c")], *wrap)

    def harness(self) -> Path:
        """Build the explorer's harness for real threads."""
        engine = ROOT / "model_check" / "explorer" / "engine"
        more = (f"-I{INCLUDE}", f"-I{engine_folder() / 'src'}")
        # scalar.c stands for the vector searches, which are here.
        sources = sorted(path for path in engine.glob("*.c") if path.name != "scalar.c")
        return self._link("harness", [self._compile(path, *more) for path in sources])

    def recorder(self) -> Path:
        """Build the recorder of histories."""
        source = self._folder / "recorder_module.c"
        builder().emit_c_code(str(source))
        parts = ("recorder", "linearizability")
        objects = [self._compile(source)]
        for part in parts:
            folder = ROOT / "model_check" / part
            objects += [
                self._compile(path, *(_COUNTERS if path.name == TOLD else ("-O2",)))
                for path in sorted(folder.glob("*.c"))
            ]
        return self._link("_recorder.abi3.so", objects, "-shared")


#: A command, and what it is called.
Step = tuple[Sequence[str | Path], str]


def _c_tests(build: Build) -> Iterator[Step]:
    for name in programs():
        if name != _RECORDED:
            yield [build.test(name)], name


def _histories(build: Build) -> Iterator[Step]:
    module = "model_check.mutants.recorded"
    command = [sys.executable, "-m", module, str(build.recorder()), str(OPERATIONS), "0"]
    yield command, "the recorded runs"


def _explorer(build: Build) -> Iterator[Step]:
    path = build.harness()
    for case in CATALOGUE:
        if case.expected == "nothing found":
            yield [path, case.text], f"case {case.name}"


#: Kind of evidence to what it runs.
KINDS: Mapping[str, Callable[[Build], Iterator[Step]]] = {
    "C tests": _c_tests,
    "histories": _histories,
    "programs of the explorer, once each": _explorer,
}


def measure(kinds: Mapping[str, Callable[[Build], Iterator[Step]]] = KINDS) -> list[Covered]:
    """Run every kind of evidence with counters, and add up. Raises CannotRun."""
    if shutil.which("gcov") is None or shutil.which("gcc") is None:
        raise CannotRun("gcc and gcov are needed to measure coverage; install gcc")
    found: list[Covered] = []
    with tempfile.TemporaryDirectory(prefix="bwcheck-coverage-") as name:
        folder = Path(name)
        objects = folder / "objects"
        objects.mkdir()
        strip = str(len(objects.parts) - 1)
        with progress("coverage", len(kinds)) as reporter:
            reporter.now("compiling the library with counters")
            build = Build(objects)
            reports = []
            for kind, steps in kinds.items():
                counted = folder / kind.replace(" ", "-").replace(",", "")
                counted.mkdir()
                where = {"GCOV_PREFIX": str(counted), "GCOV_PREFIX_STRIP": strip}
                # Processes may end at once: each locks the files of counters that it adds to.
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    running = {
                        pool.submit(_run, command, what, **where): what
                        for command, what in steps(build)
                    }
                    for ended in as_completed(running):
                        ended.result()
                        reporter.now(running[ended])
                for notes in objects.glob("*.gcno"):
                    if (counted / f"{notes.stem}.gcda").is_file():
                        shutil.copy(notes, counted)
                report = folder / f"{counted.name}.json"
                _gcovr("--object-directory", counted, "--json", report, counted)
                reports.append(report)
                found += _read(kind, report)
                reporter.step(kind)
            together = folder / "together.json"
            _gcovr(*(part for path in reports for part in ("-a", path)), "--json", together)
            found += _read(ALL, together)
    return found


def _gcovr(*arguments: str | Path) -> None:
    where = ("--root", ROOT, "--filter", f"{engine_folder()}/src/")
    how = ("--gcov-ignore-parse-errors", "--merge-mode-functions", "merge-use-line-min")
    _run([sys.executable, "-m", "gcovr", *where, *how, *arguments], "gcovr")


def _read(evidence: str, report: Path) -> list[Covered]:
    found = []
    for file in json.loads(report.read_text("utf-8"))["files"]:
        lines: dict[int, bool] = {}
        branches: dict[tuple[int, int], bool] = {}
        for line in file["lines"]:
            if line.get("gcovr/noncode") or line.get("gcovr/excluded"):
                continue
            number = line["line_number"]
            lines[number] = lines.get(number, False) or line["count"] > 0
            for index, branch in enumerate(line.get("branches", ())):
                place = (number, index)
                branches[place] = branches.get(place, False) or branch["count"] > 0
        name = Path(file["file"]).name
        found.append(
            Covered(
                evidence, name, len(lines), sum(lines.values()), len(branches),
                sum(branches.values()),
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: each.file)


def write(found: Sequence[Covered], path: Path = KEPT) -> None:
    """Keep a measurement, with the sources that it is of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"sources": sources_digest(), "files": [asdict(each) for each in found]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read(path: Path = KEPT) -> list[Covered]:
    """Give the kept measurement; empty if there is none, or one of other sources."""
    try:
        document: Any = json.loads(path.read_text("utf-8"))
        if document["sources"] != sources_digest():
            return []
        return [Covered(**each) for each in document["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
