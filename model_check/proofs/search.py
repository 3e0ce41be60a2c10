"""The search of one page, bit by bit, for every page and every key.

The functions below follow impl/src/search.inc and its three versions of the step "how many of these
16 keys are <= k", operation by operation, on bit-vectors of the widths that the C code has. z3
finds no page and no key for which they give anything but the lower bound:

    lane     a lane's comparison is `keys[i] <= key`, unsigned (AVX2 has signed ones only)
    sorted   in sorted keys, the lanes that say yes come first
    count    then more than j are counted exactly if lane j says yes: popcounts, packing and all;
             of keys, and of samples
    samples  samples of keys are in the keys' order, whatever bits they lack, and below the padding
    floor    samples, then one block: the last entry with a key <= key, or -1, whatever the fill
    find     a key of the base is found where it is, whichever entry that is
    word     tag, record and kind come out of a slot's word as they went in
    tag      comparing tags first never hides the record of a key, whatever the hash
    child    "best <= record's key <= key" in one comparison, and what is kept after it

`floor` is asked for each of the 16 blocks that the search may end in. It takes count_le_16 as
`count` has it: any number c with "c > j exactly if keys[j] <= key"; and the count of samples as
`samples` leaves it: it counts every block whose first key is <= key, maybe some more, no padding.
A page has at most 256 entries, so a search sees 16 samples and 16 keys of one block; what it does
not see is sorted around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import z3

Term = Any

WIDTHS = ("scalar", "avx2", "avx512")
BLOCK, SAMPLES, CAPACITY = 16, 16, 256
NO_SAMPLE = (1 << 31) - 1
_KEY, _WORD = 64, 32
_ONES = (1 << _KEY) - 1
_TOP = 1 << (_KEY - 1)

MUTATIONS = {
    "signed_comparison": "AVX2 compares without flipping the top bits",
    "samples_unbounded": "the sample of a key far behind the last block is cut, not the greatest",
    "samples_trusted": "the first key of the block that the samples say is not looked at",
    "entries_unbounded": "padding of the last block is counted as entries",
    "strictly_less": "keys below k are counted, not keys up to k",
    "tag_of_low_bits": "the tag is compared with the low bits of the key's hash",
    "child_without_best": "a record below the best separator so far is taken",
}


def _bit(condition: Term) -> Term:
    return z3.If(condition, z3.BitVecVal(1, _WORD), z3.BitVecVal(0, _WORD))


def _popcount(mask: Term) -> Term:
    """Model __builtin_popcount."""
    return z3.Sum([z3.ZeroExt(_WORD - 1, z3.Extract(i, i, mask)) for i in range(mask.size())])


def _movemask(lanes: Sequence[Term]) -> Term:
    """Model a mask instruction: lane i gives bit i."""
    one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
    return z3.Concat(*[z3.If(lane, one, zero) for lane in reversed(lanes)])


def lane(width: str, a: Term, key: Term, mutation: str = "none") -> Term:
    """Give what the comparison of one lane says: a <= key, or of AVX2 a > key."""
    if width == "avx2":
        top = z3.BitVecVal(0 if mutation == "signed_comparison" else _TOP, _KEY)
        return (a ^ top) > (key ^ top)  # _mm256_cmpgt_epi64, signed
    return z3.ULT(a, key) if mutation == "strictly_less" else z3.ULE(a, key)


def count_of_lanes(width: str, lanes: Sequence[Term]) -> Term:
    """Give count_le_16 from what 16 lanes say."""
    if width == "scalar":
        return z3.Sum([_bit(each) for each in lanes])
    if width == "avx2":
        a, b, c, d = (_parts(lanes[first : first + 4], 2) for first in (0, 4, 8, 12))
        return 16 - z3.LShR(_popcount(_movemask(_packs(_packs(a, b), _packs(c, d)))), 1)
    low, high = _movemask(lanes[:8]), _movemask(lanes[8:])
    return _popcount(z3.ZeroExt(_WORD - 16, z3.Concat(high, low)))  # kunpackb


def _parts(lanes: Sequence[Term], parts: int) -> list[Term]:
    """Take each lane of a register, all ones or all zeros, as so many smaller ones."""
    return [each for each in lanes for _ in range(parts)]


def _packs(a: Sequence[Term], b: Sequence[Term]) -> list[Term]:
    """Model the packing of two registers into one, half by half: 1 and 0 stay what they are."""
    half = len(a) // 2
    return [*a[:half], *b[:half], *a[half:], *b[half:]]


def count_of_samples(width: str, lanes: Sequence[Term]) -> Term:
    """Give count_samples from what 16 lanes say: a <= sample, or of AVX2 a > sample."""
    if width == "scalar":
        return z3.Sum([_bit(each) for each in lanes])
    if width == "avx2":
        packed = _parts(_packs(lanes[:8], lanes[8:]), 2)  # two bytes each
        return 16 - z3.LShR(_popcount(_movemask(packed)), 1)
    return _popcount(z3.ZeroExt(_WORD - 16, _movemask(lanes)))


def sample(low: Term, shift: Term, key: Term, mutation: str = "none") -> Term:
    """Model bw_page_sample."""
    distance = z3.LShR(key - low, shift)
    cut = z3.Extract(_WORD - 1, 0, distance)
    if mutation == "samples_unbounded":
        return cut
    return z3.If(z3.ULT(distance, NO_SAMPLE), cut, z3.BitVecVal(NO_SAMPLE - 1, _WORD))


def count_le_16(width: str, keys: Sequence[Term], key: Term, mutation: str = "none") -> Term:
    """Model count_le_16 of search_scalar.c, search_avx2.c or search_avx512.c."""
    return count_of_lanes(width, [lane(width, a, key, mutation) for a in keys])


@dataclass(frozen=True)
class Page:
    """What a search sees of a page: the count, the low fence, and the keys of the block it ends in.

    ``firsts`` are the first keys of all blocks, which samples stand for.
    """

    count: Term
    low: Term
    firsts: Sequence[Term]
    chosen: Sequence[Term]

    def filled(self, i: int) -> Term:
        """Say whether the page has an entry i."""
        return z3.UGT(self.count, i)


Count = Callable[[Sequence[Term], Term], Term]


def entries_up_to(page: Page, b: int, key: Term, count: Count, mutation: str = "none") -> Term:
    """Model entries_up_to, for a page whose chosen block is number b."""
    entries = count(page.chosen, key)
    if mutation == "entries_unbounded":
        return entries
    filled = page.count - b * BLOCK
    return z3.If(z3.ULT(entries, filled), entries, filled)


def ends_in(page: Page, b: int, blocks: Term, key: Term, mutation: str = "none") -> Term:
    """Say when a search that has counted so many blocks, at least one, ends in block b.

    It goes back from the last one counted while a block's first key is greater than the key.
    """
    if mutation == "samples_trusted":
        return blocks == b + 1
    passed = [
        z3.Implies(z3.UGT(blocks, j), z3.UGT(page.firsts[j], key)) for j in range(b + 1, SAMPLES)
    ]
    stays = z3.BoolVal(True) if b == 0 else z3.ULE(page.firsts[b], key)
    return z3.And(z3.UGT(blocks, b), stays, *passed)


def tag_of(hashed: Term) -> Term:
    """Model the end of bw_tag: the upper 16 bits of the key times a constant."""
    return z3.LShR(hashed, 48)


def tag(key: Term) -> Term:
    """Model bw_tag."""
    return tag_of(key * z3.BitVecVal(0x9E3779B97F4A7C15, _KEY))


def word(its_tag: Term, record: Term, kind: Term) -> Term:
    """Model bw_word."""
    return its_tag << 48 | record | kind


# ---- what is asked -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A sentence, and the negation of it as terms that together should have no model."""

    name: str
    negation: Callable[[str], list[Term]]


def _key(name: str) -> Term:
    return z3.BitVec(name, _KEY)


def _lane(width: str, mutation: str) -> list[Term]:
    a, key = _key("a"), _key("key")
    says = lane(width, a, key, mutation)
    return [(z3.Not(says) if width == "avx2" else says) != z3.ULE(a, key)]


def _sorted(_: str) -> list[Term]:
    a, b, key = _key("a"), _key("b"), _key("key")
    return [z3.ULE(a, b), z3.ULE(b, key), z3.Not(z3.ULE(a, key))]


def _count(of_lanes: Callable[[str, Sequence[Term]], Term], width: str, _: str) -> list[Term]:
    yes = [z3.Bool(f"lane{i}") for i in range(BLOCK)]
    first = [z3.Implies(yes[i + 1], yes[i]) for i in range(BLOCK - 1)]
    lanes = [z3.Not(each) for each in yes] if width == "avx2" else yes
    count = of_lanes(width, lanes)
    right = [z3.UGT(count, j) == yes[j] for j in range(BLOCK)]
    return [*first, z3.Not(z3.And(z3.ULE(count, BLOCK), *right))]


def _samples(mutation: str) -> list[Term]:
    low, shift, a, b = _key("low"), _key("shift"), _key("a"), _key("b")
    of_a, of_b = (sample(low, shift, each, mutation) for each in (a, b))
    ordered = z3.And(of_a <= of_b, of_a >= 0, of_b < NO_SAMPLE)  # signed
    return [z3.ULT(shift, _KEY), z3.ULE(low, a), z3.ULE(a, b), z3.Not(ordered)]


class _Counts:
    """Stands for count_le_16: any number that `count` allows, remembered as side conditions."""

    def __init__(self) -> None:
        self.conditions: list[Term] = []

    def __call__(self, keys: Sequence[Term], key: Term) -> Term:
        count = z3.FreshConst(z3.BitVecSort(_WORD), "count")
        self.conditions.append(z3.ULE(count, BLOCK))
        self.conditions += [z3.UGT(count, j) == z3.ULE(a, key) for j, a in enumerate(keys)]
        return count


def _page(b: int) -> tuple[Page, list[Term]]:
    """Give any page, with the keys of its block b, and what makes it a page."""
    page = Page(
        z3.BitVec("entries", _WORD),
        _key("low"),
        [_key(f"first{i}") for i in range(SAMPLES)],
        [_key(f"key{i}") for i in range(BLOCK)],
    )
    said = [z3.ULE(page.count, CAPACITY)]
    for i in range(SAMPLES):
        before = (
            z3.UGT(page.firsts[i], page.firsts[i - 1]) if i else z3.ULE(page.low, page.firsts[0])
        )
        said.append(z3.Implies(page.filled(BLOCK * i), before))
    for i, each in enumerate(page.chosen):
        before = z3.UGT(each, page.chosen[i - 1]) if i else each == page.firsts[b]
        said.append(z3.If(page.filled(BLOCK * b + i), before, each == _ONES))
    if b + 1 < SAMPLES:
        beyond = z3.ULT(page.chosen[-1], page.firsts[b + 1])
        said.append(z3.Implies(page.filled(BLOCK * (b + 1)), beyond))
    return page, said


def _blocks(page: Page, key: Term) -> tuple[Term, list[Term]]:
    """Give any number that blocks_up_to may give for a key from the low fence on.

    By `samples` and `count`: each block that begins at or before the key is counted, perhaps more,
    and no padding.
    """
    blocks = z3.BitVec("blocks", _WORD)
    said = [z3.ULE(blocks, SAMPLES)]
    for j, first in enumerate(page.firsts):
        said.append(
            z3.Implies(z3.And(page.filled(BLOCK * j), z3.ULE(first, key)), z3.UGT(blocks, j))
        )
        said.append(z3.Implies(z3.UGT(blocks, j), page.filled(BLOCK * j)))
    return blocks, said


def _floor(b: int, mutation: str) -> list[Term]:
    page, said = _page(b)
    key, counts = _key("key"), _Counts()
    blocks, counted = _blocks(page, key)
    entries = entries_up_to(page, b, key, counts, mutation)
    nowhere = z3.Or(z3.ULT(key, page.low), blocks == 0)
    floor = z3.If(nowhere, z3.BitVecVal(-1, _WORD), BLOCK * b + entries - 1)
    ends = z3.Or(nowhere, ends_in(page, b, blocks, key, mutation))
    said += [z3.Implies(z3.ULE(page.low, key), z3.And(counted)), ends, *counts.conditions]
    right = [z3.And(floor == -1, z3.Or(page.count == 0, z3.ULT(key, page.firsts[0])))]
    for i, each in enumerate(page.chosen):
        at = BLOCK * b + i
        is_last = page.count == at + 1
        if i + 1 < BLOCK:
            is_last = z3.Or(is_last, z3.UGT(page.chosen[i + 1], key))
        elif b + 1 < SAMPLES:
            is_last = z3.Or(is_last, z3.UGT(page.firsts[b + 1], key))
        right.append(z3.And(floor == at, page.filled(at), z3.ULE(each, key), is_last))
    return [*said, z3.Not(z3.Or(right))]


def _find(_: str) -> list[Term]:
    """From `floor` and a page's being sorted alone; keys as any ordered numbers."""
    keys = z3.Function("keys", z3.IntSort(), z3.IntSort())
    i, j, count, floor, entry, key = z3.Ints("i j count floor entry key")
    ascending = z3.ForAll([i, j], z3.Implies(z3.And(i >= 0, i < j, j < count), keys(i) < keys(j)))
    after = z3.Or(floor + 1 == count, keys(floor + 1) > key)
    is_floor = z3.Or(
        z3.And(floor == -1, z3.Or(count == 0, keys(0) > key)),
        z3.And(floor >= 0, floor < count, keys(floor) <= key, after),
    )
    found = z3.And(floor >= 0, keys(floor) == key)
    is_there = z3.And(entry >= 0, entry < count, keys(entry) == key)
    wrong = z3.Or(z3.And(is_there, z3.Not(z3.And(found, floor == entry))), found & (floor >= count))
    return [ascending, count >= 0, is_floor, wrong]


def _a_word() -> tuple[Term, Term, Term, Term, list[Term]]:
    """Give the hash of a record's key, the record, its kind, the word, and what they must be."""
    hashed, record, kind = _key("hash"), _key("record"), _key("kind")
    said = [record & 0xFFFF00000000000F == 0, z3.ULE(kind, 6)]
    return hashed, record, kind, word(tag_of(hashed), record, kind), said


def _word_is_kept(_: str) -> list[Term]:
    hashed, record, kind, its_word, said = _a_word()
    kept = z3.And(
        z3.LShR(its_word, 48) == tag_of(hashed),
        its_word & 0x0000FFFFFFFFFFF0 == record,
        its_word & 15 == kind,
    )
    return [*said, z3.Not(kept)]


def _tag(mutation: str) -> list[Term]:
    bits = z3.BitVecSort(_KEY)
    hash_of = z3.Function("hash_of", bits, bits)
    _, record, kind, _, said = _a_word()
    its_key, key = _key("its_key"), _key("key")
    its_word = word(tag_of(hash_of(its_key)), record, kind)
    probe = hash_of(key) & 0xFFFF if mutation == "tag_of_low_bits" else tag_of(hash_of(key))
    freezes = z3.UGE(its_word & 15, 4)
    filtered = z3.And(z3.LShR(its_word, 48) == probe, z3.Not(freezes), its_key == key)
    return [*said, filtered != z3.And(z3.Not(freezes), its_key == key)]


def _child(mutation: str) -> list[Term]:
    best, key, its_key = _key("best"), _key("key"), _key("its_key")
    reach, beyond = key - best, its_key - best
    taken = z3.ULE(beyond, reach)
    if mutation == "child_without_best":
        taken = z3.ULE(its_key, key)
    right = z3.And(
        taken == z3.And(z3.ULE(best, its_key), z3.ULE(its_key, key)),
        z3.Implies(taken, z3.And(best + beyond == its_key, reach - beyond == key - its_key)),
    )
    return [z3.ULE(best, key), z3.Not(right)]


CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        *(Claim(f"lane, {width}", partial(_lane, width)) for width in WIDTHS),
        Claim("sorted", _sorted),
        *(Claim(f"count, {width}", partial(_count, count_of_lanes, width)) for width in WIDTHS),
        *(
            Claim(f"count of samples, {width}", partial(_count, count_of_samples, width))
            for width in WIDTHS
        ),
        Claim("samples", _samples),
        *(Claim(f"floor, block {b}", partial(_floor, b)) for b in range(SAMPLES)),
        Claim("find", _find),
        Claim("word", _word_is_kept),
        Claim("tag", _tag),
        Claim("child", _child),
    )
}

#: The claim that each mutation breaks.
BROKEN = {
    "signed_comparison": "lane, avx2",
    "strictly_less": "lane, scalar",
    "samples_unbounded": "samples",
    "samples_trusted": "floor, block 15",
    "entries_unbounded": "floor, block 0",
    "tag_of_low_bits": "tag",
    "child_without_best": "child",
}


def ask(name: str, mutation: str = "none", milliseconds: int = 60_000) -> tuple[bool | None, str]:
    """Say whether a claim holds (None: not decided), with the counterexample if it does not."""
    terms = CLAIMS[name].negation(mutation)
    solver = z3.Solver() if name in ("tag", "find") else z3.SolverFor("QF_BV")
    solver.set("timeout", milliseconds)
    solver.add(*terms)
    answer = solver.check()
    if answer == z3.unsat:
        return True, ""
    if answer == z3.unknown:
        return None, ""
    model = solver.model()
    values = sorted((d.name(), model[d]) for d in model.decls() if d.arity() == 0)
    shown = (f"  {n:10} {v.as_long():#x}" for n, v in values if z3.is_bv_value(v))
    return False, f'search: "{name}" does not hold of\n' + "\n".join(shown)
