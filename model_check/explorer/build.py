"""Compile a program for the explorer and link it with the runtime.

The runtime is compiled by the same compiler, once for each version of its sources, into a
cache folder (``$BWCHECK_CACHE``, else bwtree-explorer in the user's cache folder). A program's
objects are cached by their preprocessed text.

A program that calls what the runtime does not model is refused here, by name.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from model_check.explorer.calls import HARMLESS, explain
from model_check.report import CannotRun

_FOLDER = Path(__file__).parent
_RUNTIME = _FOLDER / "runtime"
INCLUDE = _FOLDER / "include"
# What compiles where nobody says: gcc, and clang on a machine that has only that.
COMPILER = "gcc" if shutil.which("gcc") or not shutil.which("clang") else "clang"
_COMMON = ("-std=gnu11", "-g", "-fno-pie")
_RUNTIME_FLAGS = (*_COMMON, "-O2", "-fno-stack-protector", "-Wall", "-Wextra")
# Inlined copies would be accesses that nobody tells the runtime about.
_NOT_INLINED = [f"-fno-builtin-{name}" for name in ("memcpy", "memmove", "memset", "memcmp")]
_PROGRAM_FLAGS = (*_COMMON, "-O1", "-fsanitize=thread", *_NOT_INLINED, f"-I{INCLUDE}")
_THREADS = {"pthread_create", "thrd_create"}
_TRYLOCK = {"pthread_mutex_trylock", "mtx_trylock"}
_ASM = re.compile(r"#APP\n(.*?)#NO_APP", re.DOTALL)


@dataclass(frozen=True)
class Program:
    """A program that is ready to be explored: ``path`` is the executable.

    ``trylock``: it tries mutexes, so that the moment of an unlock matters, too.
    ``runner``: the emulator that runs it, if the compiler is one for another processor.
    """

    path: Path
    sources: tuple[Path, ...]
    compiler: str
    trylock: bool
    runner: tuple[str, ...] = ()


def cache_folder() -> Path:
    """Give the folder for compiled objects; made if need be."""
    base = os.environ.get("BWCHECK_CACHE")
    if base is None:
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        base = str(Path(home) / "bwtree-explorer")
    folder = Path(base)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the cache folder {folder} ({error.strerror}); set BWCHECK_CACHE"
        raise CannotRun(message) from error
    return folder


def _run(command: Sequence[str | Path], what: str) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise CannotRun(f"cannot run {command[0]} ({error.strerror})") from error
    if done.returncode != 0:
        raise CannotRun(f"{what}:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]


def _own(target: Path, suffix: str = "") -> Path:
    """Name what becomes ``target``, for this thread alone: others may build the same."""
    return target.with_name(f"{target.stem}.{os.getpid()}.{threading.get_ident()}{suffix}")


def wrapped() -> frozenset[str]:
    """Name the functions of the C library that the runtime takes over."""
    names: set[str] = set()
    for source in _RUNTIME.glob("*.c"):
        names.update(re.findall(r"\b__wrap_(\w+)\(", source.read_text(encoding="utf-8")))
    return frozenset(names - {"main"})


def _compiler(name: str) -> tuple[str, str]:
    path = shutil.which(name)
    if path is None:
        raise CannotRun(f"there is no compiler {name!r}; choose one with --cc")
    return path, _run([path, "--version"], f"{name} --version").splitlines()[0]


def _runner(path: str) -> tuple[str, ...]:
    """Give the emulator for what the compiler makes; nothing if this processor runs it."""
    target = _run([path, "-dumpmachine"], f"{path} -dumpmachine").strip()
    processor = target.split("-")[0]
    if processor == platform.machine():
        return ()
    emulator = shutil.which(f"qemu-{processor}")
    if emulator is None:
        raise CannotRun(
            f"{path} makes programs for {target}, which this machine cannot run; install "
            f"qemu-{processor} (Debian and Ubuntu: apt install qemu-user)"
        )
    root = _run([path, "-print-sysroot"], f"{path} -print-sysroot").strip()
    if root in {"", "/"}:
        root = f"/usr/{target}"
    return emulator, "-L", root


def _nm(path: str) -> str:
    """Name the compiler's own nm: another processor's objects need it."""
    return _run([path, "-print-prog-name=nm"], f"{path} -print-prog-name=nm").strip()


def runtime(compiler: str, *, portable: bool = False) -> Path:
    """Compile the runtime if need be; gives the folder with its objects.

    ``portable``: threads are switched by ucontext in place of our assembly.
    """
    path, version = _compiler(compiler)
    flags = [*_RUNTIME_FLAGS, *(["-DBWX_UCONTEXT"] if portable else [])]
    sources = sorted([*_RUNTIME.glob("*.c"), *_RUNTIME.glob("*.S")])
    if not sources:
        raise CannotRun(f"the runtime's sources are missing from {_RUNTIME}")
    text = "".join(
        file.read_text(encoding="utf-8")
        for file in [*sources, *sorted(_RUNTIME.glob("*.h")), *sorted(INCLUDE.glob("*.h"))]
    )
    folder = cache_folder() / f"runtime-{_hash(text, path, version, *flags)}"
    if folder.is_dir():
        return folder
    work = _own(folder)
    work.mkdir(exist_ok=True)

    def one(source: Path) -> None:
        _run(
            [path, *flags, f"-I{INCLUDE}", "-c", source, "-o", work / f"{source.name}.o"],
            f"the explorer's own {source.name} does not compile",
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, sources))
    try:
        work.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _object(path: str, version: str, source: Path, flags: Sequence[str]) -> Path:
    """Compile one source of the program, by way of assembly, which shows inline assembly."""
    everything = [*_PROGRAM_FLAGS, *([] if "clang" in version else ["-Wno-tsan"]), *flags]
    if not source.is_file():
        raise CannotRun(f"there is no file {source}")
    failed = f"{source} does not compile"
    text = _run([path, *everything, "-E", source], failed)
    target = cache_folder() / f"object-{_hash(text, path, version, *everything)}.o"
    if target.is_file():
        return target
    # What was hashed is compiled, whatever becomes of the source meanwhile.
    whole, assembly, made = _own(target, ".i"), _own(target, ".s"), _own(target, ".o")
    whole.write_text(text, encoding="utf-8")
    _run([path, *everything, "-x", "cpp-output", "-S", whole, "-o", assembly], failed)
    whole.unlink()
    for block in _ASM.findall(assembly.read_text(encoding="utf-8")):
        code = [
            line.strip()
            for line in block.splitlines()
            if line.strip() and not line.strip().startswith(("#", "//", "/*"))
        ]
        harmless = {"pause", "rep; nop", "rep nop", "nop", "isb", "yield"}
        if any(line.rstrip(";") not in harmless for line in code):
            assembly.unlink()
            raise CannotRun(
                f"{source} has inline assembly ({code[0]!r}): the explorer cannot see what it "
                "does to memory; use <stdatomic.h> in its place"
            )
    _run([path, "-c", assembly, "-o", made], failed)
    assembly.unlink()
    made.replace(target)
    return target


def _symbols(nm: str, objects: Iterable[Path]) -> set[str]:
    defined: set[str] = set()
    needed: set[str] = set()
    for line in _run([nm, *objects], "cannot list the program's symbols").splitlines():
        fields = line.split()
        if len(fields) < 2 or line.endswith(":"):
            continue
        kind, name = fields[-2], fields[-1]
        (needed if kind in {"U", "w", "v"} else defined).add(name)
    return needed - defined if "main" in defined else (needed - defined) | {"main"}


def build(
    sources: Sequence[Path],
    *,
    compiler: str = COMPILER,
    flags: Sequence[str] = (),
    own_flags: Mapping[str, Sequence[str]] | None = None,
    portable: bool = False,
) -> Program:
    """Compile and link ``sources``, a program with a main function.

    ``flags`` go to the compiler (-D, -I, -O…), ``own_flags`` for single files, by name.
    ``compiler`` may be one for another processor, if qemu can run what it makes.
    ``portable``: threads are switched by ucontext, as where the runtime has no assembly.
    Raises CannotRun when the program does not compile, has inline assembly, calls something
    that is not modelled, or starts no thread.
    """
    path, version = _compiler(compiler)
    runner = _runner(path)
    own = own_flags or {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(
            pool.map(
                lambda source: _object(path, version, source, [*flags, *own.get(source.name, [])]),
                sources,
            )
        )
    needed = _symbols(_nm(path), objects)
    taken_over = wrapped()
    if "main" in needed:
        raise CannotRun(f"{', '.join(map(str, sources))}: there is no main function")
    unknown = sorted(
        name
        for name in needed
        if name not in taken_over
        and name not in HARMLESS
        and not name.startswith(("__tsan_", "bwx_", "_GLOBAL_OFFSET_TABLE_"))
    )
    if unknown:
        raise CannotRun("\n".join(explain(name) for name in unknown))
    if not needed & _THREADS:
        raise CannotRun(
            "the program starts no thread (neither pthread_create nor thrd_create): there is "
            "nothing to interleave"
        )
    parts = runtime(compiler, portable=portable)
    target = cache_folder() / f"program-{_hash(parts.name, *map(str, objects))}"
    if not target.is_file():
        joined, made = _own(target, ".o"), _own(target)
        wraps = [f"-Wl,--wrap={name}" for name in sorted(needed & taken_over)]
        # First the program alone, where calls go to the runtime; then with it.
        _run([path, "-r", "-nostdlib", "-o", joined, *objects, *wraps], "cannot link the program")
        rest = [parts / "markers_begin.S.o", joined, parts / "markers_end.S.o"]
        rest += [file for file in parts.glob("*.o") if not file.name.startswith("markers")]
        _run(
            [path, "-no-pie", "-Wl,--wrap=main", "-o", made, *rest, "-lpthread", "-lm"],
            "cannot link the program with the runtime",
        )
        joined.unlink()
        made.replace(target)
    return Program(
        path=target,
        sources=tuple(sources),
        compiler=compiler,
        trylock=bool(needed & _TRYLOCK),
        runner=runner,
    )
