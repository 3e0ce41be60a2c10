"""Which calls of the library keep the GIL: the short ones, and no others."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

_BINDING = Path(__file__).resolve().parents[2] / "impl" / "bwtree" / "build_ffi.py"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_ffi", _BINDING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("binding") / "native.c"
    build.builder().emit_c_code(str(path))
    return path.read_text(encoding="utf-8")


def releasing(source: str) -> set[str]:
    """The functions that are called without the GIL."""
    calls = re.findall(
        r"Py_BEGIN_ALLOW_THREADS\n(?:(?!Py_END).*\n)*?  \{ (?:result = )?(\w+)\(", source
    )
    return set(calls)


def test_short_calls_keep_the_gil_and_long_ones_release_it(build: ModuleType, made: str) -> None:
    short = {"bwpy_get", "bw_put", "bw_cursor_next", "bwpy_walk_open", "bwpy_floor", "bwpy_last"}
    long = {"bw_get_many", "bw_put_many", "bw_count", "bw_clear", "bw_delete_range", "bw_close"}
    long |= {"bw_consolidate", "bw_collect", "bwpy_pop_first", "bw_cursor_next_many", "bw_size"}
    assert short | long <= releasing(made)
    kept = releasing(made) - releasing(build.keep_gil(made, build._SHORT))
    assert kept == set(build._SHORT)
    assert short <= kept
    assert not long & kept


def test_a_call_that_is_not_there_is_refused(build: ModuleType, made: str) -> None:
    with pytest.raises(ValueError, match="bw_gone: called at 0 places"):
        build.keep_gil(made, ["bw_gone"])
