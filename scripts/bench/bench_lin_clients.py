"""Histories of one object by simulated clients that are always busy, for bench_lin.py.

Each client begins its next call when the last one has returned, so that as many calls are in flight
as there are clients. A call takes effect at some instant of its interval, drawn like its length;
the results are those of the calls in the order of these instants. So a history is right, but for
one that is spoilt on purpose.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from model_check.linearizability import Part

_LONGEST = 1000  #: ticks of a call


class Interval(NamedTuple):
    """A call before it is known what it does."""

    instant: int
    invoked: int
    responded: int
    client: int


def intervals(calls: int, clients: int, dice: random.Random) -> list[Interval]:
    """Give at least ``calls`` calls, as many of each client, in the order in which they happen."""
    made = []
    for client in range(clients):
        now = dice.randrange(_LONGEST)
        for _ in range(-(-calls // clients)):
            end = now + 1 + dice.randrange(_LONGEST)
            made.append(Interval(dice.randint(now, end), now, end, client))
            now = end + 1
    return sorted(made)


def _part(at: Interval, need: str, want: int, effect: str = "keeps", give: int = 0) -> Part:
    return Part(at.invoked, at.responded, need, want, effect, give, at.client, 0)


def key_of_a_map(calls: int, clients: int, seed: int) -> list[Part]:
    """Give calls that tell what they saw, and write values that differ: an order is forced.

    40 % get, 25 % put, 15 % insert, 15 % remove, 5 % update.
    """
    dice = random.Random(seed)
    held, fresh, parts = None, 0, []
    for at in intervals(calls, clients, dice):
        need = "absent" if held is None else "value"
        kind = dice.random()
        removes = 0.8 <= kind < 0.95 and held is not None
        writes = 0.4 <= kind < 0.65 or (0.65 <= kind < 0.8 and held is None)
        writes = writes or (kind >= 0.95 and held is not None)
        fresh += writes
        effect = "deletes" if removes else "sets" if writes else "keeps"
        parts.append(_part(at, need, held or 0, effect, fresh if writes else 0))
        held = fresh if writes else None if removes else held
    return sorted(parts)


def register(calls: int, clients: int, seed: int, *, wrong: bool, values: int = 5) -> list[Part]:
    """Give calls of few values: a search has to decide. ``wrong``: one read is of another value.

    40 % reads, 30 % blind writes, 30 % compare-and-set.
    """
    dice = random.Random(seed)
    held, parts = 0, []
    for at in intervals(calls, clients, dice):
        kind = dice.random()
        value = dice.randrange(values)
        if kind < 0.4:
            parts.append(_part(at, "value", held))
        elif kind < 0.7:
            parts.append(_part(at, "any", 0, "sets", value))
            held = value
        elif value == held:
            held = (value + 1) % values
            parts.append(_part(at, "value", value, "sets", held))
        else:
            parts.append(_part(at, "other", value))
    if wrong:
        before = range(len(parts) * 9 // 10)
        at_read = max(i for i in before if parts[i].need == "value" and parts[i].effect == "keeps")
        parts[at_read] = parts[at_read]._replace(want=values)  # never written
    return sorted(parts)
