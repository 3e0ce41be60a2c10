"""The reduced search sees what a search of everything sees, on random programs of a few words."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from model_check.explorer import Options, Program, build, explore
from tests.exploring import ROOT

assert ROOT  # its import says where compiled programs are cached
WORDS = Path(__file__).parent / "data" / "explorer" / "words.c"
EVERY = Options(strategy="bounded", preemptions=10**6, weak=10**6, executions=4000, traces=True)


@pytest.fixture(scope="module")
def words() -> Program:
    """Give the program that does what the variable WORDS says."""
    return build([WORDS])


def thread(rng: random.Random, letters: str, most: int) -> str:
    """Give the words of one thread: what is locked is unlocked, pieces do not wait."""
    text, mutex, piece = "", None, False
    for _ in range(rng.randint(1, most)):
        letter = rng.choice(letters)
        if letter == "m" and not piece:
            text += f"m{rng.randint(0, 1)}" if mutex is None else f"u{mutex}"
            mutex = int(text[-1]) if mutex is None else None
        elif letter == "(" and mutex is None:
            text += ")0" if piece else "(0"
            piece = not piece
        elif letter == "?":
            text += f"?0{rng.choice('lsac')}{rng.randint(0, 1)}"
        elif letter in "lsacwhz" or (letter in "ty" and not piece):
            text += letter + str(2 if letter == "h" else rng.randint(0, 1 if letter in "ty" else 2))
    return text + ("" if mutex is None else f"u{mutex}") + (")0" if piece else "")


def seen(program: Program, text: str, options: Options) -> tuple[str, bool, set[str], int | None]:
    """Explore the words: the verdict, whether to the end, the outcomes, how many traces."""
    result = explore(program, options, environment={"WORDS": text})
    return result.verdict, result.exhaustive, set(result.outcomes), result.distinct


@pytest.mark.parametrize(
    ("letters", "threads", "most"),
    [
        pytest.param("lsac", 4, 2, id="accesses"),
        pytest.param("lsac?h", 3, 3, id="branches and choices"),
        pytest.param("lsmtu", 3, 3, id="mutexes"),
        pytest.param("lsaw?", 3, 3, id="weak compare-exchanges"),
        pytest.param("lsy", 3, 3, id="waiting loops"),
        pytest.param("lsazm", 3, 3, id="threads that go no further"),
        pytest.param("lsac(", 3, 3, id="setup pieces"),
    ],
)
def test_the_reduced_search_sees_what_a_search_of_everything_sees(
    words: Program, letters: str, threads: int, most: int
) -> None:
    rng = random.Random(f"agreement {letters}")
    compared = 0
    while compared < 12:
        parts = [thread(rng, letters, most) for _ in range(threads)]
        text = "|".join(part for part in parts if part)
        every = seen(words, text, EVERY)
        if not text or (every[0] == "nothing found" and not every[1]):
            continue  # too large to be explored without reduction
        compared += 1
        reduced = seen(words, text, Options(traces=True))
        if every[0] != "nothing found":
            assert reduced[0] != "nothing found", text
        else:
            assert reduced == every, text


@pytest.mark.parametrize(
    ("text", "model"),
    [
        # What a thread does in one piece behind its step is touched by others: it must be woken.
        ("s1(0a2)0|l1|l2s2l0", "sc"),
        ("l2(0c1)0|(0s2)0|s1", "sc"),
        ("c2(0c1)0|c1c1|(0)0", "rc11"),
        ("s2(0c1)0|s1c0|c2s2", "rc11"),
        ("s0c1c0|s0(0c1)0|s0l1", "rc11"),
        # That something comes in one piece behind a step shows late: the search begins anew.
        ("l2l1?0(0s0a2)0|a1l2|l2a1l0", "sc"),
        # What could have come before a thread goes no further, also while it holds a mutex.
        ("a1l0|l1l1z0|l0", "sc"),
        ("m1z0u1|l0m1u1|m1a2?0s0u1", "sc"),
        ("m1z0u1|l0m1u1|m1a2?0s0u1", "rc11"),
    ],
)
def test_programs_of_which_executions_were_once_missed(
    words: Program, text: str, model: str
) -> None:
    every = seen(words, text, replace(EVERY, model=model, executions=20_000))
    assert every[1]
    assert seen(words, text, Options(model=model, traces=True)) == every
