"""Builds of a changed engine: the C tests and the recorder, under several compilers' flags.

The library is linked as a shared object that all programs load, so a changed source file costs one
compilation and one link. Objects are kept by their preprocessed text. Two things need the library's
objects themselves: test_forced_races, which stands before functions that files of the library call
in each other, and nothing else.

The recorder is the extension of `model_check.recorder`, so that `bwcheck lin` can run on a broken
engine in a process of its own (`recorded.py`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import get_ident

from model_check.explorer.build import COMPILER, cache_folder
from model_check.explorer.harness import engine_folder
from model_check.recorder.build_ffi import builder
from model_check.report import CannotRun

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "c"
_CHECKERS = ROOT / "model_check"
#: The programs that are linked with the library's own objects, and how.
_WRAPPED = {
    "test_forced_races": ("-Wl,--wrap=bw_page_range", "-Wl,--wrap=bw_find"),
    "test_worker": ("-Wl,--wrap=pthread_create",),
}
_RECORDED = "test_recorded"
#: The engine's cursor once more, in the recorder, where it tells what it reads.
TOLD = "told_cursor.c"
VECTORS = {
    "search_avx2.c": ("-mavx2",),
    "search_avx512.c": ("-mavx512f", "-mpopcnt", "-mbmi"),
}
_LINE = re.compile(rb"^# .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Flavour:
    """How everything is compiled; ``link``: what the linker is told, too."""

    name: str
    flags: tuple[str, ...]
    link: tuple[str, ...] = ()


PLAIN = Flavour("plain", ("-O1", "-g"))
ASAN = Flavour(
    "asan",
    (
        *("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        "-fno-omit-frame-pointer",
    ),
    ("-fsanitize=address,undefined",),
)
# gcc warns that its ThreadSanitizer does not model atomic_thread_fence.
TSAN = Flavour("tsan", ("-O1", "-g", "-fsanitize=thread", "-Wno-tsan"), ("-fsanitize=thread",))


class NotCompiled(Exception):
    """The changed engine does not compile; the message is the compiler's."""


def include_flags(source: Path, engine: Path) -> list[str]:
    """Say where a source finds its headers: several folders have a check.h of their own."""
    own = source.parent == engine / "src"
    test = source.parent == TESTS
    folders = [engine / "include"]
    if own or test or source.name == TOLD:
        folders.append(engine / "src")
    if test:
        folders.append(TESTS)
    if not own:
        folders += [_CHECKERS, _CHECKERS / "recorder"]
    if not own and not test:
        folders += [_CHECKERS / "linearizability", Path(sysconfig.get_paths()["include"])]
    return [f"-I{folder}" for folder in folders]


def _run(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise NotCompiled(done.stderr.decode("utf-8", "replace"))
    return done.stdout


class Builds:
    """Builds of one engine (a folder like impl/) in one flavour."""

    def __init__(
        self, flavour: Flavour, folder: Path | None = None, *, compiler: str = COMPILER
    ) -> None:
        """Take the engine of ``folder`` (the project's own by default). Raises CannotRun."""
        if shutil.which(compiler) is None:
            raise CannotRun(f"{compiler} is not installed, and broken engines are built with it")
        self._flavour = flavour
        self._folder = folder or engine_folder()
        self._compiler = compiler
        self._objects = cache_folder() / "builds" / "objects"
        self._objects.mkdir(parents=True, exist_ok=True)
        self._made: list[Path] = []

    def library(self) -> Path:
        """Link the shared library. Raises NotCompiled."""
        return self._link("libbw.so", self._engine, ("-shared",))

    def program(self, name: str) -> Path:
        """Build a program of tests/c; it loads the library. Raises NotCompiled."""
        objects = [self._object(TESTS / f"{name}.c")]
        if name == _RECORDED:
            more = ("-Wl,--wrap=bw_page_range", *self._with(self.library()))
            return self._link(name, [*objects, *self._recorder], more)
        if name in _WRAPPED:
            return self._link(name, [*objects, *self._engine], _WRAPPED[name])
        return self._link(name, objects, self._with(self.library()))

    def recorder(self) -> Path:
        """Build the extension `model_check._recorder` over the engine. Raises NotCompiled."""
        source = self._objects / "_recorder.c"
        part = source.with_name(f"{source.name}.{os.getpid()}.{get_ident()}")
        builder().emit_c_code(str(part))
        part.replace(source)
        objects = [self._object(source), *self._recorder]
        return self._link("_recorder.abi3.so", objects, ("-shared", *self._with(self.library())))

    def discard(self) -> None:
        """Remove what was made here: objects and programs that nobody will ask for again."""
        for path in self._made:
            path.unlink(missing_ok=True)
        self._made.clear()

    @cached_property
    def _engine(self) -> list[Path]:
        return [self._object(path) for path in sorted((self._folder / "src").glob("*.c"))]

    @cached_property
    def _recorder(self) -> list[Path]:
        parts = ("recorder", "linearizability")
        return [
            self._object(path) for part in parts for path in sorted((_CHECKERS / part).glob("*.c"))
        ]

    def _with(self, library: Path) -> tuple[str, ...]:
        return (str(library), f"-Wl,-rpath,{library.parent}")

    def _object(self, source: Path) -> Path:
        command = [
            *(self._compiler, "-std=c11", "-fPIC", "-pthread", *self._flavour.flags),
            *VECTORS.get(source.name, ()),
            *include_flags(source, self._folder),
        ]
        text = _run([*command, "-E", str(source)])
        digest = hashlib.sha256(f"{self._compiler} {self._flavour}\0{source.name}\0".encode())
        # What a line is called does not matter, but assertions print where they stand.
        digest.update(_LINE.sub(b"", text))
        target = self._objects / f"{digest.hexdigest()[:32]}.o"
        if not target.is_file():
            made = target.with_name(f"{target.name}.{os.getpid()}.{get_ident()}")
            _run([*command, "-c", str(source), "-o", str(made)])
            made.replace(target)
            self._made.append(target)
        return target

    def _link(self, name: str, objects: Sequence[Path], more: Sequence[str]) -> Path:
        digest = hashlib.sha256(" ".join([str(self._flavour), name, *more]).encode())
        for path in objects:
            digest.update(path.name.encode())
        folder = cache_folder() / "builds" / digest.hexdigest()[:24]
        target = folder / name
        if not target.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            made = folder / f"{name}.{os.getpid()}.{get_ident()}"
            sources = [str(path) for path in objects]
            _run(
                [
                    *(self._compiler, *self._flavour.link, *sources, *more),
                    *("-lm", "-pthread", "-o", str(made)),
                ]
            )
            made.replace(target)
            self._made.append(target)
        return target


def programs() -> list[str]:
    """Name the programs of tests/c. Raises CannotRun where they are not."""
    found = sorted(path.stem for path in TESTS.glob("test_*.c"))
    if not found:
        raise CannotRun(
            "the C tests (tests/c) are not here: broken engines can be tested from a checkout of "
            "the project only"
        )
    return found
