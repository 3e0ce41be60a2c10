"""One order of the events of real threads that told them without any order between them.

Three things are known. Each thread's events came in the order in which it told them. What an event
saw tells what came before it: an append took the first free slot, a load found the page that some
exchange had put there, an epoch was read while it was the epoch (`_Memory`; `order_tree` for
merges). And an event's access
came after the time at which its thread told the event before it, and before its own time (with some
slack: a store may be seen later than the clock that was read after it).

An order is looked for that keeps all three, by going forward with the earliest event that can come
next, and back where none can. An event that only reads comes as soon as it can: it takes nothing
from the others. The epoch moves on only when nobody has still to read the one before. TLC then
decides whether the order is a behaviour of the spec. If there is none, the events contradict each
other: that is a rejection, too.

Two things that only weak memory shows are told apart. A thread's unpin may be seen late, up to the
fence of its next pin: who meets the old announcement meanwhile would have met none (`SCAN`), or
gives up without need (`SCAN_LATE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from model_check.conformance.order_tree import Tree
from model_check.conformance.trace import Event
from model_check.conformance.undo import Undo, all_of, nothing, put

#: Nanoseconds by which a store may be seen later than the time read after it.
SLACK = 3_000
#: Steps back before the search is given up.
PATIENCE = 200_000

_SWAPS = frozenset(("INSTALL", "SPLIT", "INSTALL_RUN", "DROP", "UNITE", "COLLAPSE", "BURY"))
_LOST = frozenset(
    (
        "INSTALL_LOST",
        "SPLIT_LOST",
        "RUN_LOST",
        "DROP_LOST",
        "UNITE_LOST",
        "COLLAPSE_LOST",
        "BURY_LOST",
    )
)
#: Events that see something and change nothing of what others see.
_READS = _LOST | {
    *("READ_EPOCH", "ADVANCE_START", "TAG", "COMMIT_LOST", "SCAN", "SCAN_BLOCKED", "LOOK"),
    *("LOAD_MAPPING", "APPEND_LOST", "ANSWER", "RETIRE"),
}
#: Events that tell the epoch at their moment.
_EPOCH = frozenset(("READ_EPOCH", "ADVANCE_START", "TAG", "COMMIT", "COMMIT_LOST"))
_NEVER = 1 << 64


@dataclass(frozen=True)
class Timed:
    """An event, and when it was told (ns)."""

    time: int
    event: Event


class NoOrderError(Exception):
    """The events contradict each other; ``longest`` is the most that could be put in order.

    ``decided`` False: they may not, the search was only given up.
    """

    def __init__(self, longest: list[Event], heads: list[Event], *, decided: bool = True) -> None:
        """Keep how far an order came, and the events of which none can come next."""
        super().__init__(f"no order of the threads' events goes on after {len(longest)} of them")
        self.longest = longest
        self.heads = heads
        self.decided = decided


@dataclass
class _Memory:
    """What events see: the epoch, announcements, the mapping table, how far logs are filled."""

    epoch: int = 1
    announced: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)  # what a registration announced last
    mapped: dict[int, int] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)
    alive: set[int] = field(default_factory=set)  # pages published and not freed
    tree: Tree = field(default_factory=Tree)

    def sees(self, event: Event) -> Event | None:
        """Give the event if it can come now, as it is to be told; None if it cannot."""
        words, name = event.words, event.name
        ok = True
        if name in _EPOCH:
            ok = self.epoch == words[1]
        elif name == "FREE":
            ok = self.epoch >= words[2]
        elif name in ("SCAN", "SCAN_BLOCKED"):
            now = self.announced.get(words[0], 0)
            if now != words[2] and now == 0 and self.last.get(words[0]) == words[2]:
                if name == "SCAN":
                    return replace(event, words=(words[0], words[1], 0))
                return replace(event, name="SCAN_LATE")
            ok = now == words[2]
        elif name == "LOAD_MAPPING":
            # Odd: no page, but the link of a free page id, of which nothing is told (mapping.c).
            ok = words[0] % 2 == 1 or self.mapped.get(words[1], words[0]) == words[0]
        elif name == "APPEND":
            ok = self.filled.get(words[0], 0) == words[1]
        elif name == "APPEND_LOST":
            ok = self.filled.get(words[0], 0) > words[1]
        elif name == "LOOK":
            filled = self.filled.get(words[0], 0)
            ok = filled >= words[1] if words[2] else filled == words[1]
        elif name == "PUBLISH":
            ok = words[0] not in self.alive
        elif name in _SWAPS:
            ok = self.mapped.get(words[1]) == words[0] and words[2] not in self.alive
        elif name in _LOST:
            ok = self.mapped.get(words[1]) != words[0]
        return event if ok and self.tree.sees(event) else None

    def take(self, event: Event) -> Undo:
        """Take an event that can come now; gives what undoes it."""
        return all_of([*self.tree.take(event), self._take(event)])

    def _take(self, event: Event) -> Undo:
        words, name = event.words, event.name
        if name == "COMMIT":
            self.epoch += 1
            return self._earlier_epoch
        if name in ("ANNOUNCE", "UNPIN"):
            told = words[1] if name == "ANNOUNCE" else 0
            undo = [put(self.announced, words[0], told)]
            if told:
                undo.append(put(self.last, words[0], told))
            return all_of(undo)
        if name == "APPEND":
            return put(self.filled, words[0], words[1] + 1)
        if name == "PUBLISH" or name in _SWAPS:
            page = words[0] if name == "PUBLISH" else words[2]
            undo = [put(self.mapped, words[1], page), put(self.filled, page, 0)]
            if name != "BURY":
                self.alive.add(page)
                undo.append(lambda: self.alive.discard(page))
            return all_of(undo)
        if name == "FREE" and words[0] in self.alive:
            self.alive.discard(words[0])
            return lambda: self.alive.add(words[0])
        return nothing

    def _earlier_epoch(self) -> None:
        self.epoch -= 1


@dataclass
class _Choice:
    """A place of the search: who could come next there, and what undoes whom it took."""

    others: list[int]
    taken: int
    undo: Undo


def ordered(threads: Sequence[Sequence[Timed]]) -> list[Event]:
    """Give one order of all events. Raises NoOrderError when they contradict each other."""
    memory = _Memory()
    epochs = [_next_epochs(events) for events in threads]
    at = [0] * len(threads)
    order: list[Event] = []
    choices: list[_Choice] = []
    total = sum(map(len, threads))
    longest: list[Event] = []
    patience = PATIENCE
    while len(order) < total:
        ready = _ready(threads, at, memory, epochs)
        while not ready:
            if len(order) > len(longest):
                longest = list(order)
            patience -= 1
            if not choices or patience == 0:
                raise NoOrderError(longest, _heads(threads, longest), decided=not choices)
            choice = choices.pop()
            choice.undo()
            order.pop()
            at[choice.taken] -= 1
            ready = choice.others
        who, *others = ready
        event = memory.sees(threads[who][at[who]].event)
        if event is None:
            message = "an event that could come next cannot"
            raise AssertionError(message)
        choices.append(_Choice(others, who, memory.take(event)))
        order.append(event)
        at[who] += 1
    return order


def _next_epochs(events: Sequence[Timed]) -> list[int]:
    """Give for each place the epoch that the next event of the thread tells that tells one."""
    found = [_NEVER] * (len(events) + 1)
    for k in range(len(events) - 1, -1, -1):
        event = events[k].event
        found[k] = event.words[1] if event.name in _EPOCH else found[k + 1]
    return found


def _ready(
    threads: Sequence[Sequence[Timed]],
    at: Sequence[int],
    memory: _Memory,
    epochs: Sequence[Sequence[int]],
) -> list[int]:
    """Give the threads whose next event can come now, the likeliest first.

    An event that was told before another one's thread had told what came before that, comes first.
    """
    heads = [t for t, k in enumerate(at) if k < len(threads[t])]
    if not heads:
        return []
    latest = min(threads[t][at[t]].time for t in heads) + SLACK
    found = []
    for t in heads:
        if at[t] > 0 and threads[t][at[t] - 1].time > latest:
            continue
        event = threads[t][at[t]].event
        seen = memory.sees(event)
        if seen is None:
            continue
        if seen is event and event.name in _READS:
            return [t]
        if event.name == "COMMIT" and any(
            epochs[u][at[u]] <= memory.epoch for u in heads if u != t
        ):
            continue
        found.append(t)
    found.sort(key=lambda t: threads[t][at[t]].time)
    # A call takes nothing from the others either, but is not earlier than it need be: there are
    # more moments without a call then.
    calls = found and threads[found[0]][at[found[0]]].event.name == "CALL"
    return found[:1] if calls else found


def _heads(threads: Sequence[Sequence[Timed]], order: Sequence[Event]) -> list[Event]:
    """Give each thread's next event behind the beginning of an order."""
    done: dict[int, int] = {}
    for event in order:
        done[event.thread] = done.get(event.thread, 0) + 1
    places = [(events, done.get(events[0].event.thread, 0)) for events in threads if events]
    return [events[k].event for events, k in places if k < len(events)]
