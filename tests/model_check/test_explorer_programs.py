"""The programs that come with the explorer: each says what it must end in, and compiles."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from model_check.explorer import programs

if TYPE_CHECKING:
    from pathlib import Path

_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fsyntax-only")
_STRUCTURES = (
    "treiber_stack michael_scott_queue harris_list chase_lev_deque seqlock double_checked_init "
    "hazard_pointer epoch_reclamation ticket_lock mcs_lock reader_writer_lock spsc_ring mpmc_ring "
    "peterson dekker"
)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "path", sorted((programs.FOLDER / "classic").glob("*.c")), ids=lambda path: path.stem
)
def test_a_classic_program_and_its_twins_compile_without_warnings(
    path: Path, compiler: str
) -> None:
    for each in programs.read(path):
        command = [compiler, *_STRICT, *each.flags(), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{each.name}: {' '.join(command)}\n{done.stderr}"


def test_every_classic_structure_passes_and_has_twins_that_must_fail() -> None:
    every = programs.catalogue("classic")
    for stem in _STRUCTURES.split():
        mine = [each for each in every if each.path.stem == stem]
        assert {e.model for e in mine if e.macro is None and e.fits(None)} == {"sc", "rc11"}, stem
        assert any(each.must_fail for each in mine), stem


def test_every_macro_of_a_classic_program_is_expected_to_fail_somewhere() -> None:
    for path in (programs.FOLDER / "classic").glob("*.c"):
        used = set(re.findall(r"#ifn?def (\w+)", path.read_text()))
        expected = {each.macro for each in programs.read(path) if each.must_fail}
        assert used == expected, path.name


def test_weak_memory_bugs_pass_under_sc() -> None:
    weak = [e for e in programs.catalogue("classic") if e.macro and e.fits(None)]
    assert {e.model for e in weak} == {"sc"}
    assert len(weak) >= 10


def test_every_kind_of_bad_input_is_there_and_ends_in_a_sentence_or_a_finding() -> None:
    stems = {each.path.stem for each in programs.catalogue("misuse")}
    assert stems >= {
        "does_not_compile",
        "never_ends",
        "forks",
        "inline_assembly",
        "unsupported_call",
        "no_threads",
        "nondeterministic",
    }
    for each in programs.catalogue("misuse"):
        assert not each.fits(None), each.name
        assert (each.word is not None) == (each.kinds == {programs.CANNOT_RUN}), each.name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/* x\n */\n", "nothing is expected"),
        ("/*\n * expect fail\n */\n", "is not in the form"),
        ("/*\n * expect: pass (tso)\n */\n", "names a memory model other than sc and rc11"),
    ],
)
def test_a_program_that_does_not_say_what_it_must_end_in_is_refused(
    text: str, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "program.c"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        programs.read(path)


def test_a_twin_passes_under_the_model_that_its_line_does_not_name(tmp_path: Path) -> None:
    path = tmp_path / "program.c"
    path.write_text("/*\n * expect -DRELAXED: data-race|assertion (rc11)\n */\n")
    sc, rc11 = programs.read(path)
    assert (sc.model, sc.fits(None), sc.must_fail) == ("sc", True, False)
    assert rc11.must_fail
    assert rc11.fits("assertion")
    assert rc11.fits("data-race")
    assert not rc11.fits(None)
    assert rc11.flags() == ["-DRELAXED"]
    assert rc11.name == "program -DRELAXED (rc11)"
