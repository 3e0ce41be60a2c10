"""One location: coherence, and what read-modify-writes promise.

Under RC11 a single location behaves as under SC, whatever the orders: no test here has a weak
outcome, except where a second location joins in.
"""

from __future__ import annotations

from model_check.axioms.litmus import litmus


def _both_readers(*orders: str) -> str:
    """Combine what two readers may see: each one word of the same order."""
    words = [order.split() for order in orders]
    return " ".join(sorted({one + other for order in words for one in order for other in order}))


COHERENCE = (
    litmus(
        "CoRR",
        "x.rlx = 1",
        "a = x.rlx; b = x.rlx",
        sees="a b",
        sc="00 01 11",
        why="Two loads never see a location go back.",
    ),
    litmus(
        "CoRR+two_writers",
        "x.rlx = 1",
        "x.rlx = 2",
        "a = x.rlx; b = x.rlx",
        sees="a b x",
        sc="002 012 022 112 122 222 001 021 011 221 211 111",
        why="Loads follow the modification order, which the final value shows.",
    ),
    litmus(
        "CoRR2",
        "x.rlx = 1",
        "x.rlx = 2",
        "a = x.rlx; b = x.rlx",
        "c = x.rlx; e = x.rlx",
        sees="a b c e",
        sc=_both_readers("00 01 02 11 12 22", "00 01 02 11 21 22"),
        why="Two readers agree on the modification order: 1221 is not allowed.",
    ),
    litmus(
        "CoRR+acq_then_rlx",
        "x.rel = 1",
        "a = x.acq; b = x.rlx",
        sees="a b",
        sc="00 01 11",
        why="Orders do not weaken coherence.",
    ),
    litmus(
        "CoWW",
        "x.rlx = 1; x.rlx = 2",
        "a = x.rlx",
        sees="a x",
        sc="02 12 22",
        why="The stores of one thread to a location come in program order.",
    ),
    litmus(
        "CoWW+two_readers",
        "x.rlx = 1; x.rlx = 2",
        "a = x.rlx; b = x.rlx",
        sees="a b",
        sc="00 01 02 11 12 22",
        why="A reader may miss values, but not see them in another order.",
    ),
    litmus(
        "CoRW1",
        "a = x.rlx; x.rlx = 1",
        "b = x.rlx",
        sees="a b",
        sc="00 01",
        why="A load does not see a later store of its own thread.",
    ),
    litmus(
        "CoRW2",
        "a = x.rlx; x.rlx = 1",
        "x.rlx = 2",
        sees="a x",
        sc="01 02 21",
        why="What was loaded before a store comes before it in modification order.",
    ),
    litmus(
        "CoWR",
        "x.rlx = 1; a = x.rlx",
        "x.rlx = 2",
        sees="a x",
        sc="11 12 22",
        why="A thread sees its own store, or one after it in modification order.",
    ),
    litmus(
        "CoWR+both",
        "x.rlx = 1; a = x.rlx",
        "x.rlx = 2; b = x.rlx",
        sees="a b",
        sc="12 22 11",
        why="1 and 2 come in one order for both: 21 would need each to be the later one.",
    ),
    litmus(
        "CoWR+rel+acq",
        "x.rlx = 1; y.rel = 1",
        "x.rlx = 2; a = y.acq; b = x.rlx",
        sees="a b x",
        sc="022 122 021 011 111",
        why="If 1 happens before the load and comes after 2, the load cannot see 2: no 121.",
    ),
    litmus(
        "CoWR+rlx",
        "x.rlx = 1; y.rlx = 1",
        "x.rlx = 2; a = y.rlx; b = x.rlx",
        sees="a b x",
        sc="022 122 021 011 111",
        weak="121",
        why="Without happens-before the load may see the thread's own older store.",
    ),
)

UPDATES = (
    litmus(
        "add+add",
        "a = x.add.rlx(1)",
        "b = x.add.rlx(1)",
        sees="a b x",
        sc="012 102",
        why="No addition is lost.",
    ),
    litmus(
        "add+add+add",
        "a = x.add.rlx(1)",
        "b = x.add.rlx(1)",
        "c = x.add.rlx(1)",
        sees="a b c x",
        sc="0123 0213 1023 1203 2013 2103",
        why="Every order of three, no addition lost.",
    ),
    litmus(
        "add+store",
        "a = x.add.rlx(1)",
        "x.rlx = 5",
        sees="a x",
        sc="05 56",
        why="A store cannot come between the read and the write of an addition.",
    ),
    litmus(
        "swap+swap",
        "a = x.swap.rlx(1)",
        "b = x.swap.rlx(2)",
        sees="a b x",
        sc="012 201",
        why="One comes first, the other sees it.",
    ),
    litmus(
        "add+load+load",
        "a = x.add.rlx(1)",
        "b = x.rlx; c = x.rlx",
        sees="b c",
        sc="00 01 11",
        why="Coherence holds for read-modify-writes as for stores.",
    ),
    litmus(
        "cas+cas",
        "a = x.cas.rlx(0, 1)",
        "b = x.cas.rlx(0, 2)",
        sees="a b x",
        sc="011 202",
        why="Exactly one succeeds.",
    ),
    litmus(
        "weak_cas+weak_cas",
        "a = x.weak_cas.rlx(0, 1)",
        "b = x.weak_cas.rlx(0, 2)",
        sees="a b x",
        sc="000 001 011 002 202",
        why="At most one succeeds, and each may fail without a reason.",
    ),
    litmus(
        "weak_cas_alone",
        "a = x.weak_cas.sc(0, 1)",
        sees="a x",
        sc="00 01",
        why="It may fail though nobody else is there.",
    ),
    litmus(
        "cas+store",
        "a = x.cas.rlx(0, 1)",
        "x.rlx = 2",
        sees="a x",
        sc="02 22",
        why="A compare-and-swap that saw 0 comes directly after it, so 2 comes last.",
    ),
    litmus(
        "cas+load",
        "x.rlx = 1",
        "a = x.cas.rlx(0, 2); b = x.rlx",
        sees="a b x",
        sc="021 011 111",
        why="A failed compare-and-swap is a load: the next load sees nothing older.",
    ),
    litmus(
        "cas_strong_sees_what_it_expects",
        "x.rlx = 1",
        "a = x.cas.rlx(1, 2)",
        sees="a x",
        sc="01 12",
        why="A strong compare-and-swap that sees 1 stores 2.",
    ),
    litmus(
        "add+add+two_locations",
        "a = x.add.rlx(1); b = y.add.rlx(1)",
        "c = y.add.rlx(1); e = x.add.rlx(1)",
        sees="a b c e",
        sc="0011 0101 1100",
        why="1010 would be load buffering: both would read from an addition that comes later.",
    ),
)

TESTS = (*COHERENCE, *UPDATES)
