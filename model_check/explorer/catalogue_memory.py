"""Cases of epochs, page ids and pools: when memory may be used again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from model_check.explorer.catalogue_case import (
    ALL,
    EIGHT,
    FOUR,
    MUCH_SC,
    SOME,
    WEAK,
    Case,
)

#: What gathers free memory looks at every size class of pages: long, but not without end.
LONG = tuple(replace(plan, steps=12_000) for plan in SOME)

MEMORY: Sequence[Case] = (
    Case(
        "pin-retire-collect",
        "a reader pins while a page is retired, the epoch advanced, the page freed",
        "before put 10 1; thread put 10 2, collect; thread get 10, get 10",
        ALL,
    ),
    Case(
        "pin-unlink-advance",
        "a reader pins between the unlinking of a page and two advances",
        "options leaf_log=2; before put 10 1, put 20 2; thread get 10; "
        "thread put 10 5, put 20 6, collect, collect",
        ALL,
    ),
    Case(
        "pin-seal-advance",
        "the same where another thread advances",
        "options leaf_log=2; before put 10 1, put 20 2, put 10 3; thread get 10; "
        "thread put 10 5, collect; thread collect, collect",
        SOME,
    ),
    Case(
        "epoch-behind",
        "a thread retires under an epoch that another has advanced meanwhile",
        "before put 10 1; thread put 10 5, collect; thread collect, get 10",
        SOME,
    ),
    Case(
        "epoch-by-a-third",
        "a third thread advances and frees while one retires and one reads",
        "before put 10 1; thread put 10 5; thread collect; thread get 10",
        SOME,
        deep=MUCH_SC,
    ),
    Case(
        "epoch-handed-on",
        "a thread that is pinned itself frees under an epoch that a reader has advanced",
        "before put 10 1; thread get 10, collect; thread put 10 5, pin, collect, unpin",
        SOME,
    ),
    Case(
        "bags-adopted",
        "a thread frees what another has retired and handed back",
        "options detach=0; before put 10 1; thread put 10 5, detach; thread collect, get 10; "
        "thread collect",
        WEAK,
    ),
    Case(
        "advance-advance",
        "two threads advance and free",
        "before put 10 1, put 20 2; thread remove 10, collect; thread put 20 5, collect",
        SOME,
    ),
    Case(
        "pin-by-hand",
        "a thread stays pinned over two reads",
        "before put 10 1; thread pin, get 10, get 10, unpin; thread put 10 2, collect",
        ALL,
    ),
    Case(
        "reuse-of-page-ids",
        "page ids of merged pages name others under a slow reader",
        f"options max_pids=8; before {FOUR}, remove 30, remove 40, consolidate, collect; "
        "thread put 50 5, put 60 6, collect; thread get 50, put 15 7",
        SOME,
    ),
    Case(
        "pools",
        "pages and records from pools, used again while others read",
        "options pooling=1; before put 10 1, put 20 2; thread put 10 5, put 10 6, collect; "
        "thread get 10, put 20 7",
        SOME,
    ),
    Case(
        "pools-merge",
        "pages of merged leaves, from pools, are used again by splits",
        f"options pooling=1; before {FOUR}; thread remove 10, remove 20, consolidate, collect; "
        "thread put 50 5, put 60 6, collect",
        LONG,
    ),
    Case(
        "free-page-ids",
        "two threads take page ids that a third has given back, and give theirs back",
        f"options max_pids=12 attach=0 detach=0; before {EIGHT}, delete_range 0 max, consolidate, "
        "collect, detach; thread put 10 1, put 20 2, put 30 3, detach; "
        "thread put 40 4, put 50 5, put 60 6",
        WEAK,
    ),
    Case(
        "page-ids-come-back",
        "a page id comes back to the head of the list of free ones while another is taken",
        "options detach=0 max_pids=4; before take_pid 0, take_pid 1, take_pid 2, give_pid 1, "
        "give_pid 2, detach; thread take_pid 3; thread take_pid 4, take_pid 5, give_pid 4, detach",
        ALL,
    ),
    Case(
        "shrink-shrink",
        "two threads give empty chunks back while they take from the depot",
        "options pooling=1; before put 10 1, put 10 2; thread put 20 3, collect; "
        "thread collect, put 30 4",
        LONG,
    ),
    Case(
        "shrink-taken-over",
        "a thread gathers what one that has ended left in its pools",
        "options pooling=1 attach=0 detach=0; before put 10 1; thread put 10 5, detach; "
        "thread collect, put 20 6",
        SOME,
    ),
)
