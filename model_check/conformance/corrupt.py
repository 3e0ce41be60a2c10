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


def _earlier(before: str, *, of_its_thread: bool = False) -> tuple[Callable[[str], Places], Change]:
    """Move an entry in front of the last ``before`` that comes before it."""

    def is_one(entry: Entry, moved: Entry) -> bool:
        return entry.action == before and not (of_its_thread and entry.values[0] != moved.values[0])

    def place(entries: Entries, k: int) -> int:
        return max((j for j in range(k) if is_one(entries[j], entries[k])), default=-1)

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


def _field(name: str, by: int) -> Change:
    """Change a number of what an entry says of the tree."""

    def change(entries: Entries, k: int) -> list[Entry]:
        t, what = entries[k].values
        values = (t, {**what, name: what[name] + by})
        return [*entries[:k], replace(entries[k], values=values), *entries[k + 1 :]]

    return change


def _one_entry_less(entries: Entries, k: int) -> list[Entry]:
    t, what = entries[k].values
    base = list(what["fresh"]["base"])
    base[next(place for place, value in enumerate(base) if value)] = 0
    values = (t, {**what, "fresh": {**what["fresh"], "base": tuple(base)}})
    return [*entries[:k], replace(entries[k], values=values), *entries[k + 1 :]]


def _with_entries(entries: Entries) -> list[int]:
    """Give the exchanges for a page that is not empty."""
    return [
        k
        for k, entry in enumerate(entries)
        if entry.action == "SwapEntry" and any(entry.values[1]["fresh"]["base"])
    ]


def _used_again(entries: Entries) -> list[int]:
    """Give the places at which a page id comes back that is published again."""
    later: set[int] = set()
    found = []
    for k in range(len(entries) - 1, -1, -1):
        action, values = entries[k].action, entries[k].values
        if action == "PublishRight":
            later |= {page["pid"] for page in values[1]["pages"]}
        elif action == "RecyclePid" and values[1] in later:
            found.append(k)
    return found[::-1]


def _before(action: str, other: str) -> tuple[Places, Change]:
    """Move an entry in front of the last ``other`` of its thread that comes before it."""
    places, change = _earlier(other, of_its_thread=True)
    return places(action), change


def _of_a_root_child(kind: str) -> Places:
    """Give the removals that are for a merge, or for the collapse of the root."""
    return lambda entries: [
        k
        for k, entry in enumerate(entries)
        if entry.action == "RemovePage" and entry.values[1]["kind"] == kind
    ]


_EPOCHS, _LOG = "TraceEpochReclamation", "TraceDeltaLog"
_TREE = "TraceStructureModification"
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
    Corruption("a post without a look at its page", _TREE, _of("CheckAlive"), _without),
    Corruption("a post of another separator", _TREE, _of("PostSeparator"), _field("sep", 1)),
    Corruption("a removal without a mark", _TREE, _of("MarkEntry"), _without),
    Corruption("a merge without a removal", _TREE, _of_a_root_child("remove"), _without),
    Corruption("a collapse without a removal", _TREE, _of_a_root_child("shrink"), _without),
    Corruption("a union without a merge", _TREE, _of("MergePage"), _without),
    Corruption("an entry is deleted twice", _TREE, _of("DeleteEntry"), _twice),
    Corruption("a page is buried before its entry goes", _TREE, *_before("Bury", "DeleteEntry")),
    Corruption("a page is exchanged that is not frozen", _TREE, _of("AppendSlot"), _without),
    Corruption("a page is exchanged twice", _TREE, _of("SwapEntry"), _twice),
    Corruption("a fresh page lacks an entry", _TREE, _with_entries, _one_entry_less),
    Corruption("a right half that is nowhere", _TREE, _of("PublishRight"), _without),
    Corruption("a page that is never retired", _TREE, _of("Retire"), _without),
    Corruption("a page id is used that has not come back", _TREE, _used_again, _without),
    Corruption("a page id comes back twice", _TREE, _of("RecyclePid"), _twice),
    Corruption("a call of the tree gives another answer", _TREE, _of("Unpin"), _with(1, 99)),
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
