"""What the explorer cannot run is refused in a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_check.explorer import Options, build
from model_check.report import CannotRun
from tests.exploring import explored, program

IDLE = "THREAD(idle) {{ {body} END; }} int main(void) {{ return RUN(idle, idle); }}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("int main(void) { return 1 +; }", "does not compile"),
        (
            "#include <unistd.h>\n" + IDLE.format(body="if (fork() == 0) _exit(0);"),
            "calls fork",
        ),
        (IDLE.format(body='__asm__ volatile("mfence" : : : "memory");'), "inline assembly"),
        (IDLE.format(body="static pthread_barrier_t b; pthread_barrier_wait(&b);"), "barrier"),
        ("int main(void) { return 0; }", "starts no thread"),
        (IDLE.format(body="").replace("int main", "int other"), "no main function"),
    ],
)
def test_program_is_refused_before_it_runs(text: str, names: str) -> None:
    with pytest.raises(CannotRun, match=names):
        program(text)


def test_missing_file_and_compiler_are_named() -> None:
    with pytest.raises(CannotRun, match="there is no file"):
        build([Path("nowhere.c")])
    with pytest.raises(CannotRun, match="no compiler"):
        build([Path("nowhere.c")], compiler="no-such-cc")


def test_compiler_barrier_is_no_assembly() -> None:
    text = IDLE.format(body='__asm__ volatile("" : : : "memory");')
    assert explored(text).verdict == "nothing found"


def test_atomic_accesses_of_two_sizes_are_refused() -> None:
    text = "static _Atomic long x;" + IDLE.format(
        body="STORE(x, 1, relaxed); STORE(*(atomic_int *)&x, 1, relaxed);"
    )
    with pytest.raises(CannotRun, match="different sizes"):
        explored(text)


def test_program_that_depends_on_something_else_is_nondeterministic() -> None:
    """A count of executions is kept where the explorer does not look: in the environment."""
    text = """
    #include <unistd.h>
    static atomic_int x;
    THREAD(one) { STORE(x, 1, relaxed); END; }
    THREAD(two) { if (getenv("HOME") != NULL && ((char *)getenv("HOME"))[0]++ % 2 == 0)
        STORE(x, 2, relaxed); END; }
    int main(void) { return RUN(one, two); }
    """
    assert explored(text, Options(executions=50)).verdict == "nondeterminism"


def test_loop_without_end_is_a_livelock() -> None:
    text = "static atomic_int x;" + IDLE.format(
        body="for (int i = 0;; i++) atomic_fetch_add(&x, 1);"
    )
    assert explored(text, Options(steps=200)).verdict == "livelock"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options(model="tso"), "--model"),
        (Options(strategy="guess"), "--strategy"),
        (Options(depth=0), "--depth"),
        (Options(steps=1), "--steps"),
    ],
)
def test_options_out_of_range_are_named(options: Options, names: str) -> None:
    with pytest.raises(CannotRun, match=names):
        options.check()
