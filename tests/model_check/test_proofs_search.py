"""The search of a page: proved bit by bit, and the model is what the compiled library does."""

from __future__ import annotations

import random
import subprocess
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import z3

from model_check.proofs import search
from tests.building import ROOT, built, run

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = {1: "scalar", 2: "avx2", 3: "avx512"}


@pytest.mark.parametrize(
    "claim", ["sorted", "samples", "find", "word", "tag", "child", "floor, block 15"]
)
def test_claim_is_proved(claim: str) -> None:
    assert search.ask(claim) == (True, "")


@pytest.mark.parametrize("width", search.WIDTHS)
def test_each_instruction_set_counts_keys_up_to_the_probe(width: str) -> None:
    assert search.ask(f"lane, {width}") == (True, "")
    assert search.ask(f"count, {width}") == (True, "")
    assert search.ask(f"count of samples, {width}") == (True, "")


@pytest.mark.parametrize("mutation", search.MUTATIONS)
def test_broken_search_has_a_counterexample(mutation: str) -> None:
    holds, why = search.ask(search.BROKEN[mutation], mutation)
    assert holds is False
    assert "does not hold of" in why


def test_padding_counts_only_for_the_greatest_key() -> None:
    _, why = search.ask("floor, block 0", "entries_unbounded")
    (key,) = (line.split()[1] for line in why.splitlines() if line.split()[0] == "key")
    assert int(key, 16) == 2**64 - 1


def answers(cases: list[tuple[list[int], int]]) -> list[list[list[int]]]:
    """Give what the library answers: for each case, the lines of tests/c/search_answers.c."""
    folder = built("debug")
    (library,) = (path for path in Path(folder).glob("libbwtree*.a"))
    program = folder / "tests" / "search_answers"
    run(
        *("cc", "-std=c11", "-D_GNU_SOURCE", "-I", ROOT / "impl/include", "-I", ROOT / "impl/src"),
        *("-I", ROOT / "tests/c", ROOT / "tests/c/search_answers.c", library),
        *("-o", program, "-lpthread"),
    )
    text = "".join(f"{len(keys)} {probe} {' '.join(map(str, keys))}\n" for keys, probe in cases)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    blocks = done.stdout.split("\n\n")[:-1]
    return [
        [[int(word) for word in line.split()] for line in block.splitlines()] for block in blocks
    ]


def modelled_floor(width: str, keys: list[int], probe: int) -> int:
    """Evaluate the model that the proof is about, for a page that begins at 0."""

    def bits(value: int, size: int = 64) -> z3.BitVecRef:
        return z3.BitVecVal(value, size)

    def number(term: z3.BitVecRef) -> int:
        return int(z3.simplify(term).as_long())

    def count(some: Sequence[z3.BitVecRef], key: z3.BitVecRef) -> z3.BitVecRef:
        return search.count_le_16(width, some, key)

    firsts = keys[:: search.BLOCK]
    shift = max(0, firsts[-1].bit_length() - 30) if firsts else 0

    def sample(key: int) -> z3.BitVecRef:
        return search.sample(bits(0), bits(shift), bits(key))

    padding = [bits(search.NO_SAMPLE, 32)] * (search.SAMPLES - len(firsts))
    lanes = [each <= sample(probe) for each in [*map(sample, firsts), *padding]]  # signed
    of_samples = [z3.Not(each) for each in lanes] if width == "avx2" else lanes
    blocks = number(search.count_of_samples(width, of_samples))
    if blocks == 0:
        return -1
    ones = 2**64 - 1
    padded = keys + [ones] * (search.CAPACITY - len(keys))
    some = [bits(key) for key in padded[:: search.BLOCK]]
    (b,) = (
        b
        for b in range(search.SAMPLES)
        if z3.is_true(
            z3.simplify(
                search.ends_in(
                    search.Page(bits(len(keys), 32), bits(0), some, []),
                    b,
                    bits(blocks, 32),
                    bits(probe),
                )
            )
        )
    )
    chosen = [bits(key) for key in padded[search.BLOCK * b : search.BLOCK * (b + 1)]]
    page = search.Page(bits(len(keys), 32), bits(0), some, chosen)
    return search.BLOCK * b + number(search.entries_up_to(page, b, bits(probe), count)) - 1


def cases() -> list[tuple[list[int], int]]:
    """Give pages of every kind of fill, and probes at, beside and far from their keys."""
    dice = random.Random(7)
    found = []
    for n in (0, 1, 2, 15, 16, 17, 31, 32, 33, 128, 239, 240, 241, 255, 256):
        low = dice.choice((0, 2**63 - n // 2, 2**64 - 2 * n - 1))
        keys = sorted(dice.sample(range(low, low + 2 * n + 1), n))
        if n % 2 == 0:  # spread, so that samples lack bits, but for some neighbours
            keys = sorted(
                {key % 256 if key % 3 else key * 0x9E3779B97F4A7C15 % 2**64 for key in keys}
            )
        probes = {0, 2**63 - 1, 2**63, 2**64 - 1, dice.randrange(2**64)}
        for key in dice.sample(keys, min(len(keys), 3)):
            probes |= {key, max(key - 1, 0), min(key + 1, 2**64 - 1)}
        found += [(keys, probe) for probe in sorted(probes)]
    return found


def test_the_model_answers_what_the_compiled_library_answers() -> None:
    tried = cases()
    said = answers(tried)
    assert len(said) == len(tried)
    for (keys, probe), lines in zip(tried, said, strict=True):
        assert lines
        for level, floor, found, tag in lines:
            assert floor == bisect_right(keys, probe) - 1
            assert floor == modelled_floor(LEVELS[level], keys, probe)
            assert bool(found) == (probe in keys)
            assert tag == z3.simplify(search.tag(z3.BitVecVal(probe, 64))).as_long()
