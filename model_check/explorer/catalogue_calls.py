"""Cases of calls that concern more than one key, of upkeep, of threads that come and go."""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import (
    ALL,
    FOUR,
    MUCH_SC,
    SC_ALL,
    SOME,
    Case,
    Plan,
)

CALLS: Sequence[Case] = (
    # ---- ranges, batches, ends ----
    Case(
        "pop-pop",
        "two pops of one key from either end",
        "before put 10 1; thread pop_first; thread pop_last",
        ALL,
    ),
    Case(
        "pop-put",
        "a pop while a smaller key comes, by a thread that then sees the greater one",
        "before put 20 2; thread put 10 1, get 20; thread pop_first",
        ALL,
    ),
    Case(
        "delete-range-put",
        "a leaf dropped at one stroke, and a put into it",
        f"before {FOUR}; thread delete_range 0 max; thread put 20 5",
        SOME,
    ),
    Case(
        "delete-range-append",
        "a leaf that is emptied before its log is full, and a put into it",
        "options leaf_capacity=4 leaf_log=4; before put 10 1; thread delete_range 0 max; "
        "thread put 20 5",
        ALL,
    ),
    Case(
        "delete-range-remove",
        "a range that is deleted key by key, one of which another removes",
        "options leaf_capacity=4 leaf_log=4; before put 10 1, put 20 2; thread delete_range 10 15; "
        "thread remove 10",
        ALL,
    ),
    Case(
        "count-move",
        "a count beside an insert and a removal",
        f"before {FOUR}; thread put 25 5, remove 10; thread count 0 100",
        ALL,
    ),
    Case(
        "batches",
        "put_many and get_many: each key by itself, puts in order",
        "before put 10 1, put 20 2; thread put_many 15 5 25 6; thread get_many 25 15 10",
        SC_ALL,
    ),
    # ---- upkeep ----
    Case(
        "worker-writers",
        "the worker's step beside writers",
        f"before {FOUR}; thread consolidate, collect; thread put 15 5, remove 30",
        SOME,
    ),
    Case(
        "worker-thread",
        "the tree's own worker, which wakes while others write",
        "options worker=1; thread put 10 1, put 20 2; thread put 20 5, remove 10",
        (Plan("sc", "random", executions=300), Plan("rc11", "random", executions=300)),
    ),
    Case(
        "look-inside",
        "stats and a self-check beside writers",
        f"before {FOUR}; thread check, stats; thread put 15 5, remove 30",
        SOME,
    ),
    # ---- registration, closing ----
    Case(
        "registration",
        "two threads register with their first operations and end",
        "options attach=0 detach=0 leaf_log=2; before put 10 1; thread put 20 2; thread get 10",
        (*ALL, Plan("rc11", "exhaustive", spurious=1)),
    ),
    Case(
        "registration-by-hand",
        "two threads register, work, and give their registrations back",
        "options attach=0 detach=0; before put 10 1; thread attach, put 20 2, detach; "
        "thread attach, get 10, detach",
        ALL,
    ),
    Case(
        "registration-looked-at",
        "a thread adds up the figures of threads that register meanwhile",
        "options attach=0 detach=0 leaf_log=2; before put 10 1; thread put 20 2; "
        "thread size, stats, check",
        SOME,
    ),
    Case(
        "pinned-end",
        "a thread that ends while it is pinned does not hold up the epoch",
        "options detach=0; before put 10 1; thread pin, get 10; thread put 10 5, collect",
        ALL,
    ),
    Case(
        "registration-taken-over",
        "a thread takes over what another has handed back, with its bags",
        "options attach=0 detach=0; before put 10 1; thread remove 10, detach; "
        "thread attach, put 20 2, collect",
        SOME,
    ),
    Case(
        "close",
        "closing while a call is in flight: it is busy, or the call is refused or done",
        "options leaf_log=2; before put 10 1; thread put 20 2; thread close, get 10",
        ALL,
    ),
    Case(
        "close-close",
        "two threads close, a third writes",
        "options leaf_log=2; before put 10 1; thread close; thread close; thread put 10 2",
        SC_ALL,
    ),
    # ---- three threads ----
    Case(
        "three-appends",
        "three appends, two slots",
        "options leaf_log=2; before put 10 1; thread put 20 2; thread put 20 3; thread get 20",
        SOME,
        deep=MUCH_SC,
    ),
    Case(
        "three-split",
        "a split, a removal and a read",
        "before put 10 1, put 20 2; thread put 30 3; thread remove 10; thread get 20",
        SOME,
    ),
    Case(
        "three-merge",
        "a merge, a writer and a reader",
        f"before {FOUR}; thread remove 30, remove 40; thread put 35 5; thread get 35, get 20",
        SOME,
    ),
)
