"""Small random histories with page reads, and the verdict of trying all orders on them.

What judges page reads in C (page_reads.h) is compared with this: :func:`random_history` makes a few
calls on a few keys, right or with one thing spoilt; :func:`some_order` tries all orders of their
steps. ``python -m model_check.linearizability.random_pages --histories 100k`` compares many.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from model_check.console import output, progress
from model_check.linearizability.check import Outcome, check
from model_check.recorder.history import History, Lane, Pair, Record, page_pairs
from model_check.recorder.native import BLIND, PAGED, PRESENT, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KEYS = 4
_DOWN = frozenset((Kind.SCAN_BACKWARD, Kind.WALK_BACKWARD))
_WALKS = frozenset((Kind.SCAN_FORWARD, Kind.SCAN_BACKWARD))


class Step(NamedTuple):
    """Something of one instant: what it needs of each key, and what it leaves there.

    ``needs`` is a value, None for absent, or one of ``SOME`` and ``ANY``.
    """

    invoked: int
    responded: int
    needs: Mapping[int, object]
    leaves: Mapping[int, int | None]
    behind: int = -1  #: the step that must come before it, by its number
    call: int = -1  #: the deletion that it is a part of: it counts what it took


SOME, ANY = object(), object()


@dataclass
class Case:
    """A history, as records and as the steps that they stand for."""

    lanes: list[Lane]
    steps: list[Step]
    removed: dict[int, int] = field(default_factory=dict)  #: of each deletion, as it says
    initial: dict[int, int] = field(default_factory=dict)
    named: bool = True  #: every call names what it replaced or removed

    def history(self) -> History:
        """Give the records as C reads them."""
        return History.build(self.lanes, [Pair(*item) for item in sorted(self.initial.items())])


# ---------------------------------------------------------------------- trying all orders


def some_order(case: Case) -> bool:
    """Tell whether some order of the steps keeps to their times and gives each what it saw."""
    steps, seen = case.steps, set[tuple[object, ...]]()

    def go(done: int, state: dict[int, int], took: dict[int, int]) -> bool:
        if done == (1 << len(steps)) - 1:
            return took == case.removed
        mark = (done, tuple(sorted(state.items())), tuple(sorted(took.items())))
        if mark in seen:
            return False
        seen.add(mark)
        left = [n for n in range(len(steps)) if not done >> n & 1]
        least = min(steps[n].responded for n in left)
        for n in left:
            step = steps[n]
            if step.invoked > least or (step.behind >= 0 and not done >> step.behind & 1):
                continue
            if not all(_meets(state.get(key), need) for key, need in step.needs.items()):
                continue
            after, taken = dict(state), dict(took)
            for key, value in step.leaves.items():
                if value is None:
                    if step.call >= 0:
                        taken[step.call] += key in after
                    after.pop(key, None)
                else:
                    after[key] = value
            if go(done | 1 << n, after, taken):
                return True
        return False

    return go(0, dict(case.initial), dict.fromkeys(case.removed, 0))


def _meets(found: int | None, need: object) -> bool:
    return need is ANY or (found is not None if need is SOME else found == need)


# ---------------------------------------------------------------------- making histories


class _Maker:
    """Calls of a few lanes, made on one map in some order, each within an interval around it."""

    def __init__(self, draw: random.Random, *, named: bool) -> None:
        self.draw, self.named = draw, named
        self.state: dict[int, int] = {}
        self.now = 0
        self.states: list[tuple[int, dict[int, int]]] = []
        self.value = 100
        self.spoil = draw.random() < 0.8

    def case(self) -> Case:
        draw = self.draw
        lanes = [Lane([], []) for _ in range(draw.randint(3, 4))]
        self.state = {k: 50 + k for k in range(KEYS) if draw.random() < 0.4}
        case = Case(lanes, [], initial=dict(self.state), named=self.named)
        self.states = [(0, dict(self.state))]
        free = [0] * len(lanes)
        for number in range(draw.randint(5, 9)):
            self.now = at = 20 * number + 100
            idle = [lane for lane, since in enumerate(free) if since <= at]
            if not idle:
                continue
            lane, reads = draw.choice(idle), draw.random() < 0.3
            # Torn reads show where a long call reads beside short ones that write.
            reach = 300 if reads else draw.choice((9, 9, 9, 100))
            begin = max(at - draw.randrange(reach), free[lane])
            end = at + draw.randrange(1, reach)
            free[lane] = end + 1
            (self._read if reads else self._write_call)(case, lanes[lane], begin, end)
        return case

    def _read(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        walks = self.draw.random() < 0.8
        (self._walk if walks else self._end)(case, lane, begin, end)

    def _write_call(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        dice = self.draw.random()
        if dice < 0.8 or self.named:
            self._point(case, lane, begin, end)
        elif dice < 0.9:
            self._delete(case, lane, begin, end)
        else:
            self._blind(case, lane, begin, end)

    def _write(self, key: int, value: int | None) -> None:
        self.state = {k: v for k, v in self.state.items() if k != key}
        if value is not None:
            self.state[key] = value
        self.states.append((self.now, self.state))

    def _point(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        draw, key = self.draw, self.draw.randrange(KEYS)
        seen = self.state.get(key)
        kind = draw.choice((Kind.PUT, Kind.PUT, Kind.PUT, Kind.REMOVE, Kind.REMOVE, Kind.GET))
        fields = {"seen": seen or 0, "status": int(Status.OK)}
        leaves: dict[int, int | None] = {}
        if kind is Kind.PUT:
            self.value += 1
            leaves = {key: self.value}
            fields["argument"] = self.value
            fields["status"] = int(Status.OK if seen is None else Status.EXISTS)
        elif seen is None:
            fields["status"] = int(Status.NOT_FOUND)
        elif kind is Kind.REMOVE:
            leaves = {key: None}
        cast_list(lane.records).append(Record.of(kind, key, (begin, end), **fields))
        case.steps.append(Step(begin, end, {key: seen}, leaves))
        for k, value in leaves.items():
            self._write(k, value)

    def _view(self, begin: int) -> dict[int, int]:
        """Give the state of now, or, where that is to be wrong, of some keys another time's.

        Mostly of a time since ``begin``: then each key for itself is right.
        """
        view = dict(self.state)
        if self.spoil and self.draw.random() < 0.7:
            before = [state for at, state in self.states if at < begin]
            since = [state for at, state in self.states if at >= begin]
            oldest = 2 if self.draw.random() < 0.05 else 1
            other = self.draw.choice([*before[-oldest:], *since])
            for key in range(KEYS):
                if self.draw.random() < 0.5:
                    view.pop(key, None)
                    if key in other:
                        view[key] = other[key]
        return view

    def _walk(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        """Walk over all keys from one on; pages are cut anywhere, and each has its own view."""
        draw = self.draw
        kind = draw.choice(tuple(sorted(_WALKS)))
        order = list(range(KEYS))
        if kind in _DOWN:
            order.reverse()
        order = order[draw.randrange(2) :]
        cuts = sorted(draw.sample(range(1, len(order)), draw.choice((0, 0, 1, 1, 2))))
        pages = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
        found: list[Pair] = []
        first = len(case.steps)
        for number, page in enumerate(pages):
            view = self._view(begin)
            found += [Pair(key, view[key]) for key in page if key in view]
            behind = first + number - 1 if number > 0 else -1
            case.steps.append(Step(begin, end, {key: view.get(key) for key in page}, {}, behind))
        record = Record.of(
            kind, order[0], (begin, end), argument=order[-1], expected=KEYS + 1,
            seen=len(lane.pairs), count=len(found), flags=PAGED,
            status=int(Status.OK if found else Status.NOT_FOUND),
        )  # fmt: skip
        cast_list(lane.records).append(record)
        cast_list(lane.pairs).extend([*found, *page_pairs([page[-1] for page in pages])])

    def _end(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        """Look for, or pop, the first key."""
        view, pops = self._view(begin), self.draw.random() < 0.4
        if pops:
            view = dict(self.state)
        key = min(view, default=None)
        needs: dict[int, object] = dict.fromkeys(range(KEYS if key is None else key))
        leaves: dict[int, int | None] = {}
        status = int(Status.NOT_FOUND if key is None else Status.OK)
        if key is None:
            record = Record.of(
                Kind.POP_FIRST if pops else Kind.FIRST, 0, (begin, end), status=status
            )
        else:
            needs[key] = view[key]
            if pops:
                leaves = {key: None}
                record = Record.of(Kind.POP_FIRST, key, (begin, end), seen=view[key])
            else:
                record = Record.of(Kind.FIRST, 0, (begin, end), argument=key, seen=view[key])
        cast_list(lane.records).append(record)
        case.steps.append(Step(begin, end, needs, leaves))
        for k in leaves:
            self._write(k, None)

    def _delete(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        low = self.draw.randrange(KEYS - 1)
        keys = [low, low + 1]
        number = len(case.steps)
        case.removed[number] = sum(key in self.state for key in keys)
        cast_list(lane.records).append(
            Record.of(
                Kind.DELETE_RANGE, low, (begin, end), argument=low + 1, seen=case.removed[number]
            )
        )
        for key in keys:
            case.steps.append(Step(begin, end, {key: ANY}, {key: None}, call=number))
            self._write(key, None)

    def _blind(self, case: Case, lane: Lane, begin: int, end: int) -> None:
        key = self.draw.randrange(KEYS)
        present = key in self.state and self.draw.random() < 0.5
        self.value += 1
        cast_list(lane.records).append(
            Record.of(
                Kind.PUT_MANY, key, (begin, end), argument=self.value, count=1,
                flags=PRESENT if present else BLIND, status=int(Status.EXISTS),
            )
        )  # fmt: skip
        need = SOME if present else ANY
        case.steps.append(Step(begin, end, {key: need}, {key: self.value}))
        self._write(key, self.value)


def cast_list(sequence: Sequence[object]) -> list[object]:
    """Give the list that a lane under construction holds."""
    assert isinstance(sequence, list)
    return sequence


def random_history(draw: random.Random, *, named: bool = True) -> Case:
    """Make a few calls of two or three lanes on a few keys; ``named``: no deletions of ranges."""
    return _Maker(draw, named=named).case()


# ---------------------------------------------------------------------- comparing


class Difference(Exception):
    """The C and trying all orders disagree; the message tells how to see it again."""


@dataclass
class Tally:
    """How many histories were compared, and what came out."""

    histories: int = 0
    right: int = 0
    wrong: int = 0
    by_pages: int = 0  #: of the wrong ones: each key for itself is right
    missed: int = 0  #: accepted wrong ones, among those with calls that name nothing


def compare(seed: int, histories: int, *, named: bool = True) -> Iterator[Tally]:
    """Judge random histories in both ways. Difference where that is not the same."""
    tally = Tally()
    for number in range(histories):
        case = random_history(random.Random(f"{seed} {number}"), named=named)
        report = check(case.history())
        right = some_order(case)
        again = f"seed {seed}, number {number}, named {named}"
        if report.outcome is Outcome.UNKNOWN:
            raise Difference(f"{again}: undecided: {report.reason}")
        if report.ok != right and (named or right):
            raise Difference(f"{again}: {report.outcome.value}, but trying all orders: {right}")
        tally.histories += 1
        tally.right += right
        tally.wrong += not right
        tally.by_pages += bool(report.cycle)
        tally.missed += report.ok and not right
        yield tally


def _count(text: str) -> int:
    return int(text[:-1]) * 1000 if text.endswith("k") else int(text)


def main() -> None:
    """Compare as many as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=_count, default=20_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for named in (True, False):
        begin, tally = time.monotonic(), Tally()
        with progress("compare", 20) as reporter:
            for tally in compare(given.seed, given.histories, named=named):
                if tally.histories % -(-given.histories // 20) == 0:
                    reporter.step(f"{tally.histories:,} histories")
        output().print(
            f"{tally.histories:,} histories in {time.monotonic() - begin:.0f} s, "
            f"{'all calls name what they replaced' if named else 'with deletions and put_many'}: "
            f"{tally.right:,} right, {tally.wrong:,} not, {tally.by_pages:,} of them only by page "
            f"reads; {tally.missed:,} wrong ones accepted"
        )


if __name__ == "__main__":
    main()
