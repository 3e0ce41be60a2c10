"""The harness of engine/: programs of map operations as data, run on the library that ships.

:func:`build_harness` links it with the explorer's runtime, :func:`build_native` with real
threads. A program's text goes into the environment variable ENGINE_PROGRAM
(engine/program.h says how it is written).
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from model_check.explorer.build import COMPILER, INCLUDE, Program, build, cache_folder
from model_check.explorer.result import Result
from model_check.explorer.run import Options, explore
from model_check.report import CannotRun

#: How the sentence begins that says what is wrong with a program's text (engine/harness.c).
UNREADABLE = "the harness cannot read its program"
_ENGINE = Path(__file__).parent / "engine"


def engine_folder() -> Path:
    """Give the folder impl/ of the library's sources. Raises CannotRun."""
    folder = Path(__file__).parents[2] / "impl"
    if not (folder / "src" / "tree.c").is_file():
        raise CannotRun(
            "the library's sources (impl/src) are not here: the engine can be explored from a "
            "checkout of the project only"
        )
    return folder


def environment(text: str) -> Mapping[str, str]:
    """Give the variable in which a program's text goes to the harness."""
    return {"ENGINE_PROGRAM": text}


def _sources(folder: Path, *, native: bool) -> list[Path]:
    own = [path for path in sorted(_ENGINE.glob("*.c")) if native or path.name != "native.c"]
    library = [
        path
        for path in sorted((folder / "src").glob("*.c"))
        if not path.name.startswith("search_avx")
    ]
    return [*own, *library]


def build_harness(
    *,
    compiler: str = COMPILER,
    flags: Sequence[str] = (),
    folder: Path | None = None,
    stand_in: Path | None = None,
) -> Program:
    """Build the harness for the explorer.

    ``folder``: another impl/ than the project's, as a mutant is. ``stand_in``: a source that is
    taken in place of the library's file of that name. Raises CannotRun.
    """
    folder = folder or engine_folder()
    include = (f"-I{folder / 'include'}", f"-I{folder / 'src'}")
    sources = [
        stand_in if stand_in is not None and path.name == stand_in.name else path
        for path in _sources(folder, native=False)
    ]
    return build(sources, compiler=compiler, flags=[*include, *flags])


def build_native(*, compiler: str = COMPILER, flags: Sequence[str] = ()) -> Path:
    """Build the harness for real threads; gives the executable. Raises CannotRun."""
    folder = engine_folder()
    sources = _sources(folder, native=True)
    headers = [
        *folder.rglob("*.h"),
        *folder.rglob("*.inc"),
        *_ENGINE.glob("*.h"),
        *INCLUDE.glob("*"),
    ]
    digest = hashlib.sha256("\0".join([compiler, *flags]).encode())
    for path in [*sources, *sorted(headers)]:
        digest.update(path.read_bytes())
    target = cache_folder() / f"harness-{digest.hexdigest()[:24]}"
    if target.is_file():
        return target
    made = target.with_suffix(f".{os.getpid()}")  # another process may make the same
    command = [
        *(compiler, "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wshadow", "-Werror"),
        *(f"-I{INCLUDE}", f"-I{folder / 'include'}", f"-I{folder / 'src'}", *flags),
        *(str(path) for path in sources),
        *("-lpthread", "-o", str(made)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotRun(f"the harness does not compile with {compiler}:\n{done.stderr}")
    made.replace(target)
    return target


def explore_text(program: Program, text: str, options: Options) -> Result:
    """Explore one program text with a harness that build_harness has built."""
    return explore(program, options, environment=environment(text))


def run_native(executable: Path, text: str, *, seed: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one program text on real threads: exit code 0, 10 (a check) or 20 (the history)."""
    return subprocess.run(
        [executable, text],
        env={"ENGINE_SEED": str(seed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def replay_line(text: str, result: Result, *, freeze: bool = False) -> str:
    """Give the command that repeats the execution in which something was found.

    ``freeze``: a thread was stopped for ever in the exploration.
    """
    replay = result.finding.replay if result.finding is not None else ""
    return (
        f"bwcheck explore --engine {shlex.quote(text)} --model {result.memory_model} "
        f"--spurious 0 {'--freeze ' if freeze else ''}--replay {shlex.quote(replay)}"
    )
