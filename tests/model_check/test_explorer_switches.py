"""Both ways to switch threads, and a processor of another kind, give the same executions."""

from __future__ import annotations

import shutil

import pytest

from model_check.explorer import Options, build, explore
from model_check.explorer.programs import FOLDER
from model_check.report import CannotRun
from tests.exploring import source

#: Variables of a thread, errno and a wait in a loop: what a switch must keep apart or keep.
LOCALS = """
#include <errno.h>
static _Thread_local int mine = 5; static atomic_int x, go;
THREAD(one) { mine += 1; errno = 7; STORE(x, mine, relaxed); STORE(go, 1, release);
    mine += 1; bwx_check(mine == 7 && errno == 7, "one's own"); END; }
THREAD(two) { errno = 9; while (!LOAD(go, acquire)) ; mine += LOAD(x, relaxed);
    bwx_check(mine == 11 && errno == 9, "two's own"); END; }
int main(void) { RUN(one, two); bwx_check(mine == 5, "main's own"); return 0; }
"""
_CROSS = "aarch64-linux-gnu-gcc"
_PROGRAMS = {
    "locals": ("", []),
    "stack": ("stack_fixed.c", []),
    "queue": ("classic/michael_scott_queue.c", []),
    "lock": ("classic/reader_writer_lock.c", []),
    "broken lock": ("classic/reader_writer_lock.c", ["-DRELAXED_READER_UNLOCK"]),
}


@pytest.mark.parametrize("name", _PROGRAMS)
@pytest.mark.parametrize(
    ("compiler", "portable"),
    [("gcc", True), ("clang", False), ("clang", True), (_CROSS, False), (_CROSS, True)],
)
def test_executions_do_not_depend_on_how_threads_are_switched(
    name: str, compiler: str, portable: bool
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    if compiler == _CROSS and shutil.which("qemu-aarch64") is None:
        pytest.skip("qemu-aarch64 is not installed: nothing runs what the cross compiler makes")
    file, flags = _PROGRAMS[name]
    path = FOLDER / file if file else source(LOCALS)
    expected = explore(build([path], flags=flags), Options(model="rc11"))
    program = build([path], compiler=compiler, flags=flags, portable=portable)
    result = explore(program, Options(model="rc11"))
    assert result.verdict == expected.verdict
    assert result.exhaustive == expected.exhaustive
    # Without our assembly a wait in a loop may be seen at another turn: other executions, one end.
    if not portable or name in {"stack", "queue"}:
        assert result.executions == expected.executions


def test_compiler_for_another_processor_needs_something_that_runs_its_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if shutil.which(_CROSS) is None:
        pytest.skip(f"{_CROSS} is not installed")
    real = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if "qemu" in name else real(name))
    with pytest.raises(CannotRun, match="which this machine cannot run; install qemu-aarch64"):
        build([FOLDER / "stack_fixed.c"], compiler=_CROSS)
