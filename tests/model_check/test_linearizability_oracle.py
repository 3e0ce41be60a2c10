"""The C checker and a checker small enough to be believed agree, on parts and on whole records."""

from __future__ import annotations

import random

import pytest

from model_check.linearizability import Outcome, Part, check, find_order, judge
from model_check.linearizability.differential import compare
from model_check.linearizability.oracle import linearizable
from model_check.recorder import History, Kind, Lane, Pair, Record, Status

BATCHES = 5
HISTORIES = 4_000  # of each batch, right ones and corrupted ones
COMPARED = 150_000  # compared in C, seed by seed
RECORD_BATCHES = 8
RECORD_HISTORIES = 700


def random_parts(dice: random.Random) -> tuple[list[Part], int | None]:
    """Give a history that is right by construction, then spoil about half of them."""
    count = dice.randint(1, 9)
    state = initial = dice.choice([None, 1])
    wide = dice.choice([1, 4, 12])
    parts = []
    for i in range(count):
        at = 10 * i + 30
        invoked, responded = at - dice.randint(0, 10 * wide), at + dice.randint(0, 10 * wide)
        need = "absent" if state is None else dice.choice(["value", "value", "value", "some"])
        if dice.random() < 0.1:
            need = "any"
        effect = dice.choice(["keeps", "sets", "sets", "deletes"])
        # Mostly unique values, as the recorder's are; a few that come again.
        give = dice.randint(1, 3) if dice.random() < 0.1 else 100 + i
        want = (state or 0) if need == "value" else 0
        parts.append(
            Part(max(invoked, 0), responded, need, want, effect, give * (effect == "sets"), 0, i)
        )
        state = {"keeps": state, "sets": give, "deletes": None}[effect]
    if dice.random() < 0.5:
        parts = spoil(parts, dice)
    return sorted(parts, key=lambda part: part.invoked), initial


def spoil(parts: list[Part], dice: random.Random) -> list[Part]:
    spoilt = list(parts)
    at = dice.randrange(len(spoilt))
    part = spoilt[at]
    how = dice.randrange(5)
    if how == 0:
        shift = dice.randint(-25, 25)
        invoked = max(part.invoked + shift, 0)
        spoilt[at] = part._replace(invoked=invoked, responded=max(part.responded + shift, invoked))
    elif how == 1:
        spoilt[at] = part._replace(need="value", want=dice.choice([p.give for p in parts]))
    elif how == 2:
        spoilt[at] = part._replace(need=dice.choice(["absent", "some"]))
    elif how == 3:
        del spoilt[at]
    else:
        other = dice.randrange(len(spoilt))
        twin = spoilt[other]
        spoilt[at] = part._replace(need=twin.need, want=twin.want)
        spoilt[other] = twin._replace(need=part.need, want=part.want)
    return spoilt


def explains(parts: list[Part], order: list[int], initial: int | None) -> bool:
    """Replay the order that the checker gives."""
    state = initial
    for place, i in enumerate(order):
        part = parts[i]
        if any(parts[j].responded < part.invoked for j in order[place + 1 :]):
            return False
        if part.need == "absent" and state is not None:
            return False
        if part.need == "some" and state is None:
            return False
        if part.need == "value" and state != part.want:
            return False
        state = {"keeps": state, "sets": part.give, "deletes": None}[part.effect]
    return sorted(order) == list(range(len(parts)))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_verdicts_on_random_small_histories_agree_with_the_oracle(batch: int) -> None:
    dice = random.Random(batch)
    verdicts = {True: 0, False: 0}
    for number in range(HISTORIES):
        parts, initial = random_parts(dice)
        expected = linearizable(parts, initial)
        judged = judge(parts, initial)
        assert judged is not None
        outcome, order = judged
        verdicts[expected] += 1
        said = {Outcome.OK: True, Outcome.VIOLATION: False}[outcome]
        assert said == expected, f"batch {batch}, history {number}: {parts} from {initial}"
        if expected:
            assert explains(parts, order, initial), f"batch {batch}, history {number}: {order}"
    assert min(verdicts.values()) > HISTORIES // 10, verdicts


@pytest.mark.parametrize("seed", range(3))
def test_all_algorithms_agree_on_random_histories(seed: int) -> None:
    figures = compare(seed, COMPARED, python_every=300, z3_every=20_000)
    assert figures.dispute == ""
    assert figures.compared == COMPARED
    assert figures.by_python == COMPARED // 300
    # The histories are of all sorts.
    for count in (figures.right, COMPARED - figures.right, figures.forced, figures.never_returned):
        assert count > COMPARED // 10


# ------------------------------------------------------------------ whole records


KEYS = (0, 3, 4, 9, 2**64 - 1)
POINTS = (Kind.GET, Kind.PUT, Kind.INSERT, Kind.UPDATE, Kind.REMOVE, Kind.COMPARE_EXCHANGE)
DOWN = {Kind.FLOOR, Kind.LOWER, Kind.LAST, Kind.SCAN_BACKWARD, Kind.WALK_BACKWARD, Kind.POP_LAST}
POPS = {Kind.POP_FIRST, Kind.POP_LAST}
READS = [Kind(kind) for kind in range(Kind.WALK_BACKWARD + 1)]


def range_call(
    kind: Kind, state: dict[int, int], dice: random.Random, at: tuple[int, int], first: int
) -> tuple[Record, list[Pair]]:
    """Give what a range read of ``state`` records, and the pairs a scan returns."""
    key = dice.choice([*KEYS, 1, 7])
    entries = sorted(state.items(), reverse=kind in DOWN)
    if kind in {Kind.FIRST, Kind.LAST}:
        found = entries
    elif kind is Kind.FLOOR:
        found = [entry for entry in entries if entry[0] <= key]
    elif kind is Kind.LOWER:
        found = [entry for entry in entries if entry[0] < key]
    elif kind is Kind.HIGHER:
        found = [entry for entry in entries if entry[0] > key]
    elif kind in DOWN:
        found = [entry for entry in entries if entry[0] <= key]
    else:
        found = [entry for entry in entries if entry[0] >= key]
    if kind <= Kind.LAST:
        if not found:
            return Record.of(kind, key, at, status=Status.NOT_FOUND), []
        return Record.of(kind, key, at, argument=found[0][0], seen=found[0][1]), []
    limit, asked = dice.choice(KEYS), dice.randint(1, 3)
    if kind is Kind.SCAN_FORWARD:
        found = [entry for entry in found if entry[0] <= limit]
    if kind is Kind.SCAN_BACKWARD:
        found = [entry for entry in found if entry[0] >= limit]
    pairs = [Pair(*entry) for entry in found[:asked]]
    record = Record.of(kind, key, at, argument=limit, expected=asked, seen=first, count=len(pairs))
    return record, pairs


def point_call(
    kind: Kind, state: dict[int, int], dice: random.Random, at: tuple[int, int], value: int
) -> Record:
    key = dice.choice(KEYS)
    old = state.get(key)
    plain = Record.of(kind, key, at, seen=old or 0)
    absent = plain._replace(status=int(Status.NOT_FOUND))
    if kind is Kind.GET:
        return absent if old is None else plain
    if kind is Kind.PUT:
        state[key] = value
        status = Status.OK if old is None else Status.EXISTS
        return plain._replace(argument=value, status=int(status))
    if kind is Kind.INSERT:
        if old is not None:
            return plain._replace(argument=value, status=int(Status.EXISTS))
        state[key] = value
        return plain._replace(argument=value)
    if old is None:
        return absent._replace(argument=value)
    if kind is Kind.REMOVE:
        del state[key]
        return plain
    if kind is Kind.COMPARE_EXCHANGE and dice.random() < 0.3:
        return plain._replace(argument=value, expected=old + 1, status=int(Status.MISMATCH))
    state[key] = value
    return plain._replace(argument=value, expected=old)


def removal_call(
    kind: Kind, state: dict[int, int], dice: random.Random, at: tuple[int, int]
) -> Record:
    """Give what a pop or a deletion of ``state`` records, and carry it out."""
    if kind in POPS:
        if not state:
            return Record.of(kind, 0, at, status=Status.NOT_FOUND)
        key = max(state) if kind is Kind.POP_LAST else min(state)
        return Record.of(kind, key, at, seen=state.pop(key))
    low, high = dice.choice([*KEYS, 1, 7]), dice.choice(KEYS)
    gone = [key for key in state if low <= key <= high]
    for key in gone:
        del state[key]
    return Record.of(kind, low, at, argument=high, seen=len(gone))


def random_history(
    dice: random.Random, kinds: list[Kind] = READS, *, ended: bool = False
) -> tuple[list[Lane], list[Pair]]:
    """Calls that overlap, half of them with one spoilt; `ended` reads everything at the end."""
    state = {key: i + 1 for i, key in enumerate(KEYS) if dice.random() < 0.4}
    initial = [Pair(*entry) for entry in sorted(state.items())]
    records: list[list[Record]] = [[], [], []]
    pairs: list[list[Pair]] = [[], [], []]
    wide = dice.choice([0, 2, 8])
    for number in range(dice.randint(2, 12)):
        moment = 10 * number + 1000
        at = (moment - dice.randint(0, 10 * wide + 1), moment + dice.randint(0, 10 * wide + 1))
        lane = dice.randrange(3)
        kind = dice.choice(kinds)
        if kind > Kind.WALK_BACKWARD:
            record = removal_call(kind, state, dice, at)
        elif kind in POINTS:
            record = point_call(kind, state, dice, at, 100 + number)
        else:
            record, given = range_call(kind, state, dice, at, len(pairs[lane]))
            pairs[lane] += given
        records[lane].append(record)
    if dice.random() < 0.5:
        lane = dice.choice([i for i in range(3) if records[i]])
        at_index = dice.randrange(len(records[lane]))
        record = records[lane][at_index]
        if record.kind == Kind.DELETE_RANGE and dice.random() < 0.5:
            records[lane][at_index] = record._replace(
                seen=max(record.seen + dice.choice([-1, 1]), 0)
            )
        elif record.kind in POPS and dice.random() < 0.5:
            records[lane][at_index] = record._replace(
                kind=int(Kind.POP_FIRST) + int(Kind.POP_LAST) - record.kind
            )
        elif record.kind >= Kind.SCAN_FORWARD and record.count:
            pair = pairs[lane][record.seen]
            pairs[lane][record.seen] = pair._replace(value=dice.randint(1, 112))
        elif dice.random() < 0.5 and record.kind <= Kind.REMOVE:
            records[lane][at_index] = record._replace(seen=dice.randint(1, 112))
        else:
            shift = dice.randint(-60, 60)
            records[lane][at_index] = record._replace(
                invoked=record.invoked + shift, responded=record.responded + shift
            )
    if ended:
        scan = Record.of(Kind.SCAN_FORWARD, 0, (5000, 5001), argument=2**64 - 1, expected=9)
        records.append([scan._replace(count=len(state))])
        pairs.append([Pair(*entry) for entry in sorted(state.items())])
    return [Lane(*both) for both in zip(records, pairs, strict=True)], initial


def covered(record: Record, pairs: list[Pair]) -> tuple[set[int], dict[int, int]]:
    """Say which keys a range read speaks of, and which it found: the definition, in slow motion."""
    kind = Kind(record.kind)
    if kind is Kind.DELETE_RANGE:
        return {key for key in KEYS if record.key <= key <= record.argument}, {}
    if kind <= Kind.LAST or kind in POPS:
        key = record.key if kind in POPS else record.argument
        found = {key: record.seen} if record.status == Status.OK else {}
    else:
        found = {p.key: p.value for p in pairs[record.seen : record.seen + record.count]}
    full = kind <= Kind.LAST or kind in POPS or record.count == record.expected
    low, high = 0, 2**64 - 1
    if kind in DOWN:
        high = {Kind.LAST: high, Kind.POP_LAST: high, Kind.LOWER: record.key - 1}.get(
            kind, record.key
        )
        low = record.argument if kind is Kind.SCAN_BACKWARD else low
        low = min(found) if full and found else low
    else:
        low = {Kind.FIRST: low, Kind.POP_FIRST: low, Kind.HIGHER: record.key + 1}.get(
            kind, record.key
        )
        high = record.argument if kind is Kind.SCAN_FORWARD else high
        high = max(found) if full and found else high
    return {key for key in KEYS if low <= key <= high}, found


def parts_of_key(lanes: list[Lane], key: int) -> list[Part]:
    parts = []
    for number, lane in enumerate(lanes):
        for index, r in enumerate(lane.records):
            ok = r.status == Status.OK
            need, want, effect, give = "absent", 0, "keeps", 0
            if r.kind > Kind.COMPARE_EXCHANGE:
                keys, found = covered(r, list(lane.pairs))
                if r.kind == Kind.DELETE_RANGE and key in keys:
                    need, effect = "any", "deletes"
                elif key in found:
                    need, want = "value", found[key]
                    effect = "deletes" if r.kind in POPS else "keeps"
                elif key not in keys:
                    continue
            elif r.key != key:
                continue
            elif r.kind in {Kind.INSERT, Kind.PUT}:
                need = "absent" if ok else "value"
            elif r.status != Status.NOT_FOUND:
                need = "value"
            if r.kind <= Kind.COMPARE_EXCHANGE:
                want = r.seen if need == "value" else 0
                changes = r.kind == Kind.PUT or (ok and r.kind != Kind.GET)
                if changes:
                    effect = "deletes" if r.kind == Kind.REMOVE else "sets"
                    give = 0 if effect == "deletes" else r.argument
                if r.kind == Kind.COMPARE_EXCHANGE and ok and r.seen != r.expected:
                    need = "never"
            parts.append(Part(r.invoked, r.responded, need, want, effect, give, number, index))
    return sorted(parts, key=lambda part: part.invoked)


@pytest.mark.parametrize("batch", range(RECORD_BATCHES))
def test_verdicts_on_random_records_agree_with_the_oracle_key_by_key(batch: int) -> None:
    dice = random.Random(1000 + batch)
    verdicts = {True: 0, False: 0}
    for number in range(RECORD_HISTORIES):
        lanes, initial = random_history(dice)
        before = {pair.key: pair.value for pair in initial}
        expected = all(linearizable(parts_of_key(lanes, key), before.get(key)) for key in KEYS)
        history = History.build(lanes, initial)
        report = check(history)
        verdicts[expected] += 1
        assert report.ok == expected, f"batch {batch}, history {number}: {lanes} from {initial}"
        assert (find_order(history) is not None) == expected
    assert min(verdicts.values()) > RECORD_HISTORIES // 10, verdicts


# ------------------------------------------------------------------ pops and deletions


def takers_of_key(parts: list[Part], initial: int | None) -> set[frozenset[tuple[int, int]]]:
    """Try every order of the parts; give each set of deletions that can have taken the key."""
    everything = (1 << len(parts)) - 1
    results: set[frozenset[tuple[int, int]]] = set()
    start: tuple[int, int | None, frozenset[tuple[int, int]]] = (0, initial, frozenset())
    tried, stack = {start}, [start]
    while stack:
        done, state, took = stack.pop()
        if done == everything:
            results.add(took)
            continue
        left = [i for i in range(len(parts)) if not done >> i & 1]
        first_response = min(parts[i].responded for i in left)
        for i in left:
            part = parts[i]
            fits = {"any": True, "absent": state is None, "value": state == part.want}
            if part.invoked > first_response or not fits.get(part.need, False):
                continue
            after = {"keeps": state, "sets": part.give, "deletes": None}[part.effect]
            takes = part.need == "any" and state is not None
            then = done | 1 << i, after, took | {(part.lane, part.record)} if takes else took
            if then not in tried:
                tried.add(then)
                stack.append(then)
    return results


def numbers_are_possible(lanes: list[Lane], before: dict[int, int]) -> bool:
    """Tell whether keys, each in an order of its own, can make up the numbers of all deletions."""
    said = {
        (number, index): record.seen
        for number, lane in enumerate(lanes)
        for index, record in enumerate(lane.records)
        if record.kind == Kind.DELETE_RANGE
    }
    sums = {tuple(0 for _ in said)}
    for key in KEYS:
        ways = takers_of_key(parts_of_key(lanes, key), before.get(key))
        sums = {
            tuple(n + (call in way) for n, call in zip(total, said, strict=True))
            for total in sums
            for way in ways
        }
    return tuple(said.values()) in sums


@pytest.mark.parametrize("batch", range(RECORD_BATCHES))
def test_verdicts_on_pops_and_deletions_agree_with_the_oracle(batch: int) -> None:
    dice = random.Random(2000 + batch)
    kinds = [*READS, *[Kind.POP_FIRST, Kind.POP_LAST] * 3, *[Kind.DELETE_RANGE] * 6]
    verdicts = {True: 0, False: 0}
    numbers, missed = 0, 0
    for number in range(RECORD_HISTORIES):
        lanes, initial = random_history(dice, kinds, ended=True)
        before = {pair.key: pair.value for pair in initial}
        alone = all(linearizable(parts_of_key(lanes, key), before.get(key)) for key in KEYS)
        possible = alone and numbers_are_possible(lanes, before)
        report = check(History.build(lanes, initial))
        ok = report.ok or bool(report.cycle)  # each key for itself is right
        verdicts[possible] += 1
        text = f"batch {batch}, history {number}: {lanes} from {initial}"
        # No right history is rejected; a wrong one may pass only for the numbers of its deletions.
        assert ok >= possible, text
        assert ok <= alone, text
        numbers += alone and not possible
        missed += ok and not possible
    assert min(verdicts.values()) > RECORD_HISTORIES // 10, verdicts
    assert numbers > 9
    assert missed <= numbers // 10, (missed, numbers)
