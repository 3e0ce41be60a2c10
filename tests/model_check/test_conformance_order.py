"""The events of real threads get an order that keeps what each of them saw."""

from __future__ import annotations

import pytest

from model_check.conformance import order_tree
from model_check.conformance.order import NoOrderError, Timed, ordered
from model_check.conformance.threads import split
from model_check.conformance.trace import Event, names


def _line(thread: int, time: int, name: str, *words: int) -> str:
    return " ".join(map(str, (thread, time, names().index(name), *words)))


def test_events_of_threads_are_ordered_by_what_they_saw_not_by_their_clocks() -> None:
    threads = split(
        [
            _line(0, 10, "PUBLISH", 96, 0, 0),
            _line(1, 50, "APPEND", 96, 1, 1, 0, 4, 7, 7),
            _line(2, 60, "APPEND", 96, 0, 1, 0, 4, 8, 8),
        ]
    )
    assert [event.thread for event in ordered(threads)] == [0, 2, 1]


def test_an_earlier_choice_is_taken_back_when_it_leads_nowhere() -> None:
    threads = split(
        [
            _line(1, 10, "APPEND", 96, 0, 1, 0, 4, 7, 7),
            _line(2, 25, "UNPIN", 16, 0, 0),
            _line(2, 30, "LOOK", 96, 0, 0, 0, 4),
        ]
    )
    assert [event.name for event in ordered(threads)] == ["UNPIN", "LOOK", "APPEND"]


def test_the_link_of_a_free_page_id_is_no_page_that_a_load_contradicts() -> None:
    threads = split(
        [
            _line(0, 1, "PUBLISH", 96, 4, 0),
            _line(1, 20, "LOAD_MAPPING", (1 << 33) - 1, 4, 0),
        ]
    )
    assert {event.name for event in ordered(threads)} == {"PUBLISH", "LOAD_MAPPING"}


def test_the_epoch_does_not_move_while_somebody_has_still_to_read_it() -> None:
    threads = split(
        [
            _line(1, 10, "COMMIT", 16, 1, 0),
            _line(2, 15, "ANNOUNCE", 32, 1, 0),
            _line(2, 900, "READ_EPOCH", 32, 1, 0),
        ]
    )
    assert [event.name for event in ordered(threads)] == ["ANNOUNCE", "READ_EPOCH", "COMMIT"]


REMOVE, DELETE, MARK = 5, 2, 3


def test_a_page_is_removed_after_its_entry_was_marked_whatever_the_clocks_say() -> None:
    threads = split(
        [
            _line(0, 1, "PUBLISH", 96, 0, 0, 1, 0, 0, 0, 0),
            _line(0, 2, "PUBLISH", 112, 7, 0, 0, 40, 0, 0, 0),
            _line(1, 20, "APPEND", 112, 0, REMOVE, 0, 4, 0, 0),
            _line(2, 30, "APPEND", 96, 0, MARK, 1, 4, 40, 7),
        ]
    )
    assert [event.thread for event in ordered(threads)] == [0, 0, 2, 1]


def test_a_page_id_that_is_buried_is_published_when_it_has_come_back() -> None:
    events = [
        ("APPEND", (112, 0, REMOVE, 0, 4, 0, 0)),
        ("APPEND", (128, 0, 6, 0, 4, 40, 7)),
        ("UNITE", (128, 3, 144, 0, 20, 0, 0, 0)),
        ("APPEND", (96, 1, DELETE, 1, 4, 40, 7 << 32)),
        ("BURY", (112, 7, 8)),
    ]
    seen = order_tree.Tree()
    for event in (
        Event(0, "PUBLISH", (96, 0, 0, 1, 0, 0, 0, 0)),
        Event(0, "PUBLISH", (112, 7, 0, 0, 40, 0, 0, 0)),
        Event(0, "PUBLISH", (128, 3, 0, 0, 20, 0, 0, 0)),
        Event(0, "APPEND", (96, 0, MARK, 1, 4, 40, 7)),
    ):
        seen.take(event)
    for k, (name, words) in enumerate(events):
        for later, others in events[k + 1 :]:
            assert not seen.sees(Event(1, later, others)), f"{later} before {name}"
        assert seen.sees(Event(1, name, words))
        seen.take(Event(1, name, words))
    again = Event(1, "PUBLISH", (160, 7, 0, 0, 40, 0, 0, 0))
    assert not seen.sees(again)
    undo = seen.take(Event(2, "RECYCLE_PID", (112, 7, 0)))
    assert seen.sees(again)
    for each in reversed(undo):
        each()
    assert not seen.sees(again)


def test_threads_that_contradict_each_other_have_no_order() -> None:
    one = Event(1, "APPEND", (96, 0, 1, 0, 4, 7, 7))
    two = Event(2, "APPEND", (96, 0, 1, 0, 4, 8, 8))
    with pytest.raises(NoOrderError, match="goes on after 1") as caught:
        ordered([[Timed(1, one)], [Timed(2, two)]])
    assert caught.value.heads == [two]
