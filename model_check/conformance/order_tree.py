"""What a write to the tree tells of the writes before it.

A thread that goes on with a merge which another has begun has read the other's record, without an
event of its own. But the step says so: nobody removes a page whose entry is not marked, takes in
one that is not removed, deletes the entry of one that is not taken in, or buries one whose entry is
there; an exchanged page was frozen; a page id that was buried is not published before it came back.
`order` keeps to that, so that clocks need not tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from model_check.conformance.trace import Event
from model_check.conformance.undo import Undo, put

_PUT, _DELETE, _MARK, _FREEZE, _REMOVE, _MERGE = range(1, 7)
#: How far the merge of a page id has come.
_NOT, _MARKED, _REMOVED, _TAKEN_IN, _DELETED, _BURIED = range(6)
_NO_PID = -1
_FROZEN_FIRST = frozenset(("INSTALL", "SPLIT", "INSTALL_RUN", "DROP"))


@dataclass
class Tree:
    """Merges, and which pages are frozen."""

    stage: dict[int, int] = field(default_factory=dict)  # by page id
    pid: dict[int, int] = field(default_factory=dict)  # by page
    low: dict[int, int] = field(default_factory=dict)
    frozen: dict[int, int] = field(default_factory=dict)
    takes_in: dict[int, int] = field(default_factory=dict)  # page, and the page id that MERGE names
    only_child: dict[int, int] = field(default_factory=dict)  # of pid 0, removed to become the root

    def sees(self, event: Event) -> bool:
        """Tell whether all is there that the event's thread must have seen."""
        words = event.words
        match event.name:
            case "APPEND" if words[2] == _REMOVE:
                alone = self.low.get(words[0], 0) == 0
                return alone or self._stage(self.pid.get(words[0], _NO_PID)) == _MARKED
            case "APPEND" if words[2] == _MERGE:
                return self._stage(words[6]) == _REMOVED
            case "APPEND" if words[2] == _DELETE and words[3] > 0:
                return self._stage(words[6] >> 32) == _TAKEN_IN
            case "UNITE":
                return self.takes_in.get(words[0], _NO_PID) != _NO_PID
            case "COLLAPSE":
                child = self.only_child.get(0, _NO_PID)
                return self.frozen.get(words[0]) == 1 and self._stage(child) == _REMOVED
            case "BURY":
                return self._stage(words[1]) == _DELETED
            case "PUBLISH":
                return self._stage(words[1]) == _NOT
            case name if name in _FROZEN_FIRST:
                return self.frozen.get(words[0]) == 1
        return True

    def _stage(self, pid: int) -> int:
        return self.stage.get(pid, _NOT)

    def take(self, event: Event) -> list[Undo]:
        """Take the event; gives what undoes it."""
        words = event.words
        match event.name:
            case "APPEND":
                return self._append(event)
            case "UNITE":
                merged = self.takes_in[words[0]]
                return [
                    put(self.stage, merged, _TAKEN_IN),
                    *self._know(words[2], words[1], words),
                ]
            case "COLLAPSE":
                child = self.only_child[0]
                return [put(self.stage, child, _DELETED), *self._know(words[2], words[1], words)]
            case "BURY":
                return [put(self.stage, words[1], _BURIED)]
            case "RECYCLE_PID":
                return [put(self.stage, words[1], _NOT)]
            case "PUBLISH":
                return self._know(words[0], words[1], words)
            case name if name in _FROZEN_FIRST:
                return self._know(words[2], words[1], words)
        return []

    def _know(self, page: int, pid: int, words: tuple[int, ...]) -> list[Undo]:
        return [
            put(self.pid, page, pid),
            put(self.low, page, words[4] if len(words) > 4 else 0),
            put(self.frozen, page, 0),
            put(self.takes_in, page, _NO_PID),
        ]

    def _append(self, event: Event) -> list[Undo]:
        page, slot, kind, level, slots, _, value = event.words
        undo = []
        if slot + 1 == slots or kind >= _FREEZE:
            undo.append(put(self.frozen, page, 1))
        if kind == _MARK and self._stage(value) == _NOT:
            undo.append(put(self.stage, value, _MARKED))
        elif kind == _REMOVE:
            pid = self.pid.get(page, _NO_PID)
            undo.append(put(self.stage, pid, _REMOVED))
            if self.low.get(page, 0) == 0:
                undo.append(put(self.only_child, 0, pid))
        elif kind == _MERGE:
            undo.append(put(self.takes_in, page, value))
        elif kind == _DELETE and level > 0:
            undo.append(put(self.stage, value >> 32, _DELETED))
        return undo
