"""The engine under the explorer: the library and small programs over the tree, as data."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

from model_check.explorer.build import Program, build
from model_check.report import CannotRun

#: Linked because search.c names them; the programs ask for the scalar search.
_WIDE = {"search_avx2.c": ["-mavx2"], "search_avx512.c": ["-mavx512f", "-mpopcnt", "-mbmi"]}
_PROGRAMS = Path(__file__).parent / "programs"


def engine_folder() -> Path:
    """Give the folder impl/ of the library's sources."""
    folder = Path(__file__).parents[2] / "impl"
    if not (folder / "src" / "tree.c").is_file():
        raise CannotRun(
            "the library's sources (impl/src) are not here: the engine can be explored from a "
            "checkout of the project only"
        )
    return folder


def build_engine(
    *, compiler: str = "gcc", flags: Sequence[str] = (), folder: Path | None = None
) -> Program:
    """Build programs/engine.c with the library's sources (scalar search).

    ``folder``: another impl/ than the project's, as a mutant is.
    """
    folder = folder or engine_folder()
    wide = platform.machine() in {"x86_64", "AMD64"}
    library = sorted(
        source for source in (folder / "src").glob("*.c") if wide or source.name not in _WIDE
    )
    return build(
        [_PROGRAMS / "engine.c", *library],
        compiler=compiler,
        flags=[f"-I{folder / 'include'}", *flags],
        own_flags=_WIDE,
    )
