"""Plain accesses: when orders keep them apart, and when they race.

A race makes every outcome possible, so such a test has none written down: `race`. Under SC, too,
the orders as written decide about races, so a missing order shows there if plain interleaving leads
to the two accesses; where it takes a weak outcome to come there, the test races under RC11 only.
"""

from __future__ import annotations

from model_check.axioms.litmus import litmus

_READ_IF_SEEN = "a = y.acq; if a == 1: b = x.na"

PUBLISHING = (
    litmus(
        "MP+na+rel+acq",
        "x.na = 1; y.rel = 1",
        _READ_IF_SEEN,
        sees="a b",
        sc="00 11",
        why="The plain store happens before the plain load, which runs only if it must see it.",
    ),
    litmus(
        "MP+na+rel+acq+unconditional",
        "x.na = 1; y.rel = 1",
        "a = y.acq; b = x.na",
        sees="a b",
        sc="race",
        why="If the flag is not seen, the load is not ordered with the store.",
    ),
    litmus(
        "MP+na+rel+rlx",
        "x.na = 1; y.rel = 1",
        "a = y.rlx; if a == 1: b = x.na",
        sees="a b",
        sc="race",
        why="The load of the flag does not acquire.",
    ),
    litmus(
        "MP+na+rlx+acq",
        "x.na = 1; y.rlx = 1",
        _READ_IF_SEEN,
        sees="a b",
        sc="race",
        why="The store of the flag does not release.",
    ),
    litmus(
        "MP+na+fence_rel+fence_acq",
        "x.na = 1; fence.rel; y.rlx = 1",
        "a = y.rlx; fence.acq; if a == 1: b = x.na",
        sees="a b",
        sc="00 11",
        why="Fences order plain accesses, too.",
    ),
    litmus(
        "MP+na+fence_rel+fence_rel",
        "x.na = 1; fence.rel; y.rlx = 1",
        "a = y.rlx; fence.rel; if a == 1: b = x.na",
        sees="a b",
        sc="race",
        why="A release fence acquires nothing.",
    ),
    litmus(
        "MP+na+cas_rel+acq",
        "x.na = 1; c = y.cas.rel(0, 1)",
        _READ_IF_SEEN,
        sees="a b",
        sc="00 11",
        why="Publishing by compare-and-swap, as a log's append does.",
    ),
    litmus(
        "MP+na+cas_acq+acq",
        "x.na = 1; c = y.cas.acq(0, 1)",
        _READ_IF_SEEN,
        sees="a b",
        sc="race",
        why="The write of an acquire compare-and-swap is relaxed.",
    ),
    litmus(
        "MP+na+rel+rmw_rlx+acq",
        "x.na = 1; y.rel = 1",
        "c = y.add.rlx(1)",
        "a = y.acq; if a == 2: b = x.na",
        sees="a b",
        sc="00 10 21",
        why="2 is in the release sequence of 1.",
    ),
    litmus(
        "MP+na+rel+same_thread_rlx+acq",
        "x.na = 1; y.rel = 1; y.rlx = 2",
        "a = y.acq; if a == 2: b = x.na",
        sees="a b",
        sc="00 10 21",
        why="2 is in the release sequence of 1 (as in C11 and C17; under C++20 this races).",
    ),
    litmus(
        "MP+na+rel+store_rlx+acq",
        "x.na = 1; y.rel = 1",
        "c = y.rlx; if c == 1: y.rlx = 2",
        "a = y.acq; if a == 2: b = x.na",
        sees="a b",
        sc="race",
        why="A store of another thread is not in the release sequence, though it follows it.",
    ),
    litmus(
        "MP+na+rel+acq+rel+acq",
        "x.na = 1; y.rel = 1",
        "c = y.acq; if c == 1: y.rel = 2",
        "a = y.acq; if a == 2: b = x.na",
        sees="a b",
        sc="00 10 21",
        why="Happens-before is transitive.",
    ),
)

RACES = (
    litmus(
        "race+two_writes",
        "x.na = 1",
        "x.na = 2",
        sees="x",
        sc="race",
        why="Two plain stores with nothing between them.",
    ),
    litmus(
        "race+write_and_atomic_load",
        "x.na = 1",
        "a = x.sc",
        sees="a",
        sc="race",
        why="One plain access is enough for a race.",
    ),
    litmus(
        "race+atomic_store_and_plain_load",
        "x.sc = 1",
        "a = x.na",
        sees="a",
        sc="race",
        why="One plain access is enough for a race.",
    ),
    litmus(
        "no_race+two_loads",
        "a = x.na",
        "b = x.na",
        sees="a b",
        sc="00",
        why="Loads do not conflict.",
    ),
    litmus(
        "no_race+two_locations",
        "x.na = 1; a = x.na",
        "y.na = 1; b = y.na",
        sees="a b",
        sc="11",
        why="Different locations do not conflict.",
    ),
    litmus(
        "race+unreachable",
        "a = y.rlx; if a == 1: x.na = 1",
        "b = z.rlx; if b == 1: x.na = 2; y.rlx = 0",
        sees="a b x",
        sc="000",
        why="Accesses that no execution reaches do not race.",
    ),
)

_ENTER, _LEAVE = "a = x.swap.acq(1); if a == 0: y.na = 1", "if a == 0: x.rel = 0"

EXCLUSION = (
    litmus(
        "lock+swap_acq+rel",
        f"{_ENTER}; {_LEAVE}",
        "b = x.swap.acq(1); if b == 0: c = y.na",
        sees="a b c",
        sc="010 001 100",
        why="The second owner acquires what the first released.",
    ),
    litmus(
        "lock+swap_acq+rlx",
        f"{_ENTER}; if a == 0: x.rlx = 0",
        "b = x.swap.acq(1); if b == 0: c = y.na",
        sees="a b c",
        sc="race",
        why="The lock is given back without a release.",
    ),
    litmus(
        "lock+swap_rlx+rel",
        f"{_ENTER}; {_LEAVE}",
        "b = x.swap.rlx(1); if b == 0: c = y.na",
        sees="a b c",
        sc="race",
        why="The lock is taken without an acquire.",
    ),
    litmus(
        "Dekker+fence_sc+fence_sc",
        "x.rlx = 1; fence.sc; a = y.rlx; if a == 0: z.na = 1",
        "y.rlx = 1; fence.sc; b = x.rlx; if b == 0: z.na = 2",
        sees="a b z",
        sc="011 102 110",
        why="The fences let one thread in at most.",
    ),
    litmus(
        "Dekker+fence_acq_rel+fence_acq_rel",
        "x.rlx = 1; fence.acq_rel; a = y.rlx; if a == 0: z.na = 1",
        "y.rlx = 1; fence.acq_rel; b = x.rlx; if b == 0: z.na = 2",
        sees="a b z",
        sc="011 102 110",
        weak="race",
        why="As SB: both may come in.",
    ),
    litmus(
        "Dekker+sc",
        "x.sc = 1; a = y.sc; if a == 0: z.na = 1",
        "y.sc = 1; b = x.sc; if b == 0: z.na = 2",
        sees="a b z",
        sc="011 102 110",
        why="seq_cst accesses let one thread in at most.",
    ),
)

_PIN = "x.rlx = 1; fence.sc; a = y.rlx; if a == 0: b = z.na"
_EBR = "0010 0001 1001 1010"

RECLAMATION = (
    litmus(
        "hazard+fences",
        _PIN,
        "y.rlx = 1; fence.sc; c = x.rlx; if c == 0: z.na = 1",
        sees="a b c z",
        sc="0010 1001 1010",
        why="x announces the reader, y unlinks the object, storing z frees it: who announces "
        "before looking is seen by who looks after unlinking.",
    ),
    litmus(
        "hazard+reader_without_fence",
        "x.rlx = 1; a = y.rlx; if a == 0: b = z.na",
        "y.rlx = 1; fence.sc; c = x.rlx; if c == 0: z.na = 1",
        sees="a b c z",
        sc="0010 1001 1010",
        weak="race",
        why="The announcement may wait past the look at the pointer.",
    ),
    litmus(
        "hazard+reclaimer_without_fence",
        _PIN,
        "y.rlx = 1; c = x.rlx; if c == 0: z.na = 1",
        sees="a b c z",
        sc="0010 1001 1010",
        weak="race",
        why="The unlinking may wait past the look at the announcements.",
    ),
    litmus(
        "EBR+unpin_rel+scan_acq",
        f"{_PIN}; x.rel = 0",
        "y.rlx = 1; fence.sc; c = x.acq; if c == 0: z.na = 1",
        sees="a b c z",
        sc=_EBR,
        why="Who sees the reader gone has its last access behind it.",
    ),
    litmus(
        "EBR+unpin_rlx+scan_acq",
        f"{_PIN}; x.rlx = 0",
        "y.rlx = 1; fence.sc; c = x.acq; if c == 0: z.na = 1",
        sees="a b c z",
        sc="race",
        why="The reader leaves without a release.",
    ),
    litmus(
        "EBR+unpin_rel+scan_rlx",
        f"{_PIN}; x.rel = 0",
        "y.rlx = 1; fence.sc; c = x.rlx; if c == 0: z.na = 1",
        sees="a b c z",
        sc="race",
        why="The reclaimer sees it gone without an acquire.",
    ),
)

TESTS = (*PUBLISHING, *RACES, *EXCLUSION, *RECLAMATION)
