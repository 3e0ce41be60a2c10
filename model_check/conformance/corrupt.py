"""Traces that must be rejected: true ones with one thing changed that no engine may do.

Each corruption looks in a trace for places where it applies, changes the first, the middle or the
last of them, and gives a trace of which TLC must say that it is no behaviour of the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from model_check.conformance.trace import Entry, Trace

Entries = Sequence[Entry]
#: Gives the places where a corruption applies, and the trace with it at one of them.
Places = Callable[[Entries], list[int]]
Change = Callable[[Entries, int], list[Entry]]


@dataclass(frozen=True)
class Corruption:
    """One kind of change of the traces of one module."""

    name: str
    module: str
    places: Places
    change: Change


def _of(*actions: str) -> Places:
    return lambda entries: [k for k, entry in enumerate(entries) if entry.action in actions]


def _without(entries: Entries, k: int) -> list[Entry]:
    return [*entries[:k], *entries[k + 1 :]]


def _with(position: int, by: int) -> Change:
    """Change the value at ``position`` of the entry by ``by``."""

    def change(entries: Entries, k: int) -> list[Entry]:
        values = list(entries[k].values)
        values[position] += by
        return [*entries[:k], replace(entries[k], values=tuple(values)), *entries[k + 1 :]]

    return change


def _twice(entries: Entries, k: int) -> list[Entry]:
    return [*entries[: k + 1], *entries[k:]]


def _earlier(before: str) -> tuple[Callable[[str], Places], Change]:
    """Move an entry in front of the last ``before`` that comes before it."""

    def place(entries: Entries, k: int) -> int:
        return max((j for j in range(k) if entries[j].action == before), default=-1)

    def places(action: str) -> Places:
        return lambda entries: [
            k
            for k, entry in enumerate(entries)
            if entry.action == action and place(entries, k) >= 0
        ]

    def change(entries: Entries, k: int) -> list[Entry]:
        j = place(entries, k)
        return [*entries[:j], entries[k], *entries[j:k], *entries[k + 1 :]]

    return places, change


_before_commit, _move_before_commit = _earlier("Commit")
_before_unlink, _move_before_unlink = _earlier("Unlink")


def _scanned_then_commit(entries: Entries) -> list[int]:
    """Give the scans of attempts that came to their end."""
    found, open_scans = [], dict[int, list[int]]()
    for k, entry in enumerate(entries):
        who = entry.values[0]
        if entry.action == "AdvanceStart":
            open_scans[who] = []
        elif entry.action == "Scan":
            open_scans.setdefault(who, []).append(k)
        elif entry.action in ("Commit", "CommitLost"):
            found += open_scans.pop(who, [])
    return found


def _followed_by(action: str, later: str) -> Places:
    """Give the places of ``action`` behind which a ``later`` comes at some time."""

    def places(entries: Entries) -> list[int]:
        last = max((k for k, entry in enumerate(entries) if entry.action == later), default=-1)
        return [k for k, entry in enumerate(entries) if entry.action == action and k < last]

    return places


def _rooms(entries: Entries) -> list[int]:
    """Give the scans that ended at a NULL slot."""
    return [
        k for k, entry in enumerate(entries) if entry.action == "Look" and entry.values[2] == "room"
    ]


def _other_answer(entries: Entries, k: int) -> list[Entry]:
    t, answer = entries[k].values
    seen = {entry.values[1] for entry in entries if entry.action == "Return"} | {"absent", "v0"}
    other = min(seen - {answer})
    return [*entries[:k], replace(entries[k], values=(t, other)), *entries[k + 1 :]]


def _other_slot(entries: Entries, k: int) -> list[Entry]:
    t, page, what = entries[k].values
    values = (t, page, {**what, "slot": what["slot"] + 1})
    return [*entries[:k], replace(entries[k], values=values), *entries[k + 1 :]]


_EPOCHS, _LOG = "TraceEpochReclamation", "TraceDeltaLog"
CORRUPTIONS: Sequence[Corruption] = (
    Corruption("a pin that does not announce", _EPOCHS, _of("Announce"), _without),
    Corruption("an epoch read that was not there", _EPOCHS, _of("ReadEpoch"), _with(1, 1)),
    Corruption("an announcement of another epoch", _EPOCHS, _of("Announce"), _with(1, 1)),
    Corruption("an object is retired twice", _EPOCHS, _of("Retire"), _twice),
    Corruption("an object is freed twice", _EPOCHS, _of("Free"), _twice),
    Corruption("a bag's tag is older than the epoch", _EPOCHS, _of("Tag"), _with(1, -1)),
    Corruption(
        "an object is freed before the epoch has moved",
        _EPOCHS,
        _before_commit("Free"),
        _move_before_commit,
    ),
    Corruption(
        "an object is retired before it is unlinked",
        _EPOCHS,
        _before_unlink("Retire"),
        _move_before_unlink,
    ),
    Corruption(
        "the epoch moves without a look at a thread", _EPOCHS, _scanned_then_commit, _without
    ),
    Corruption("the epoch moves by two", _EPOCHS, _of("Commit"), _twice),
    Corruption("the epoch moves from another one", _EPOCHS, _of("Commit"), _with(1, -1)),
    Corruption("an update that appends nothing", _LOG, _of("Append"), _without),
    Corruption("a record in the slot behind the next one", _LOG, _of("Append"), _other_slot),
    Corruption("a record is appended twice", _LOG, _of("Append"), _twice),
    Corruption("a call gives another answer", _LOG, _of("Return"), _other_answer),
    Corruption("a scan that sees a slot too many", _LOG, _rooms, _with(1, 1)),
    Corruption("a load of the page before", _LOG, _of("LoadMapping"), _with(1, -1)),
    Corruption("a page is installed twice", _LOG, _of("Install"), _twice),
    Corruption(
        "a page that is never installed", _LOG, _followed_by("Install", "LoadMapping"), _without
    ),
    Corruption("a slot that is lost to nobody", _LOG, _of("AppendLost"), _twice),
)


def corrupted(traces: Sequence[Trace], most: int = 3) -> Iterator[tuple[Corruption, Trace]]:
    """Give for each corruption at most ``most`` (of three) traces with it, of different traces."""
    for corruption in CORRUPTIONS:
        given = 0
        for trace in traces:
            if trace.module != corruption.module or given == most:
                continue
            places = corruption.places(trace.entries)
            if not places:
                continue
            k = places[(0, len(places) // 2, -1)[given]]
            changed = tuple(corruption.change(trace.entries, k))
            yield (
                corruption,
                replace(
                    trace,
                    name=f"{corruption.name} (at event {k + 1} of {trace.name})",
                    entries=changed,
                    cuts=(),
                ),
            )
            given += 1
