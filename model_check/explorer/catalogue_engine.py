"""The catalogue: programs that bring the engine's protocols against one another.

Each case is a text for the harness (engine/program.h), what it is about, and how it is explored
under which memory model. Capacities are the smallest there are (leaves of two entries and one
slot, inner pages of three and one), so that a few operations reach consolidations, splits,
merges and changes of height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model_check.explorer.catalogue_case import Case, Plan
from model_check.explorer.catalogue_orders import ORDER_CASES

_FOUR = "put_many 10 1 20 2 30 3 40 4"
_SIX = f"{_FOUR}, put_many 50 5 60 6"
_EIGHT = f"{_SIX}, put_many 70 7 80 8"
_HALF = "merge_threshold=50"

ALL = (Plan("sc", "exhaustive"), Plan("rc11", "exhaustive"))
SC_ALL = (Plan("sc", "exhaustive"), Plan("rc11", "random", executions=1500))
SOME = (
    Plan("sc", "bounded", preemptions=2, executions=4000),
    Plan("rc11", "random", executions=1000),
    Plan("rc11", "pct", executions=1000),
)
# In rc11 an execution may have 64 pins: bw_consolidate pins once a page.
SC_SOME = SOME[:1]
STOPPED = (Plan("sc", "bounded", preemptions=0, executions=3000, freeze=True),)

CATALOGUE: Sequence[Case] = (
    # ---- append ----
    Case(
        "append-append",
        "two appends into one log with room for both",
        "options leaf_log=2; before put 10 1; thread put 20 2; thread put 30 3",
        ALL,
    ),
    Case(
        "append-same-key",
        "insert if absent, twice: one of them must see the other's value",
        "options leaf_log=2; thread insert 10 1, get 10; thread insert 10 2, get 10",
        ALL,
    ),
    Case(
        "append-exchange",
        "two compare-and-exchanges of one value: one succeeds",
        "options leaf_log=2; before put 10 1; thread compare_exchange 10 1 2; "
        "thread compare_exchange 10 1 3",
        ALL,
    ),
    Case(
        "append-read",
        "two reads see two appends in one order",
        "options leaf_capacity=4 leaf_log=4; before put 10 1; thread put 10 2, put 20 3; "
        "thread get 20, get 10",
        ALL,
    ),
    Case(
        "append-consolidation",
        "the append that fills a log, and whoever meets the full log",
        "before put 10 1; thread put 10 5; thread put 10 6",
        ALL,
    ),
    Case(
        "append-freeze",
        "FREEZE and an append want the same slot",
        "options leaf_log=2; before put 10 1, put 20 2, consolidate; thread put 10 5; "
        "thread consolidate",
        ALL,
    ),
    Case(
        "update-remove",
        "an update and a removal of one key, and a read after",
        "before put 10 1, put 20 2; thread update 10 5; thread remove 10, get 10",
        ALL,
    ),
    # ---- split ----
    Case(
        "append-split",
        "an append into a leaf that is being split",
        "before put 10 1, put 20 2; thread put 30 3; thread put 15 4",
        SC_ALL,
    ),
    Case(
        "split-read",
        "reads across a split whose separator is not posted yet",
        "before put 10 1, put 20 2; thread put 30 3; thread get 30, get 10",
        ALL,
    ),
    Case(
        "split-split",
        "two splits of neighbours post to one parent",
        f"before {_FOUR}; thread put 15 5, put 16 6; thread put 35 7, put 36 8",
        SOME,
    ),
    Case(
        "root-split",
        "a root that becomes one level higher under a reader and a writer",
        "before put 10 1, put 20 2; thread put 30 3, put 40 4; thread get 20, put 25 5",
        SOME,
    ),
    Case(
        "inner-split",
        "posting into a parent that is split itself",
        f"before {_EIGHT}; thread put 90 9, put 95 10; thread put 5 11, get 90",
        SOME,
    ),
    Case(
        "post-by-another",
        "a thread that crosses a right link posts the separator first",
        f"before {_FOUR}; thread put 50 5, put 60 6; thread put 55 7, put 65 8",
        SOME,
    ),
    # ---- merge ----
    Case(
        "merge-append",
        "an append into a leaf that is being merged",
        f"before {_FOUR}; thread remove 10, remove 20; thread put 20 5",
        SOME,
    ),
    Case(
        "merge-read",
        "reads of a page that has been removed",
        f"before {_FOUR}; thread remove 30, remove 40; thread get 30, get 20",
        SOME,
    ),
    Case(
        "merge-split",
        "a merge, and a split of the page that it goes into",
        f"before {_FOUR}; thread remove 30, remove 40; thread put 12 5, put 14 6",
        SOME,
    ),
    Case(
        "merge-post",
        "a merge of a page whose separator is being posted",
        f"options {_HALF}; before {_FOUR}; thread put 50 5, put 60 6; "
        "thread remove 40, remove 30, consolidate",
        SOME,
    ),
    Case(
        "merge-merge",
        "two merges under one parent: one mark a page",
        f"before {_SIX}; thread remove 50, remove 60; thread remove 10, remove 20",
        SOME,
    ),
    Case(
        "merge-merge-same",
        "two threads begin the same merge",
        f"before {_FOUR}; thread remove 30, consolidate; thread remove 40, consolidate",
        SC_SOME,
    ),
    Case(
        "merge-inner",
        "inner pages with one child are merged under a reader",
        f"before {_EIGHT}; thread delete_range 30 60; thread get 50, put 55 9",
        SOME,
    ),
    Case(
        "merge-cursor",
        "a cursor walks while the pages under it merge",
        f"before {_FOUR}; thread remove 20, remove 30; thread walk 0 4 2",
        ALL,
    ),
    Case(
        "merge-navigation",
        "floor and ceiling over leaves that become empty",
        f"before {_FOUR}; thread remove 20, remove 30; thread floor 35, ceiling 15",
        SOME,
    ),
    Case(
        "merge-pop",
        "pops merge empty leaves at both ends",
        f"before {_FOUR}; thread pop_first, pop_first; thread pop_last, remove 20",
        SOME,
    ),
    Case(
        "root-collapse-split",
        "a root loses its last but one child while the child is split",
        f"before {_FOUR}; thread remove 30, remove 40, consolidate; thread put 12 5, put 14 6",
        SOME,
    ),
    Case(
        "root-collapse-read",
        "reads while the tree gets lower",
        f"before {_FOUR}, remove 40; thread remove 30, consolidate; thread get 10, last",
        SOME,
    ),
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
        f"before {_FOUR}; thread delete_range 0 max; thread put 20 5",
        SOME,
    ),
    Case(
        "count-move",
        "a count beside an insert and a removal",
        f"before {_FOUR}; thread put 25 5, remove 10; thread count 0 100",
        ALL,
    ),
    Case(
        "batches",
        "put_many and get_many: each key by itself, puts in order",
        "before put 10 1, put 20 2; thread put_many 15 5 25 6; thread get_many 25 15 10",
        SC_ALL,
    ),
    # ---- memory ----
    Case(
        "pin-retire-collect",
        "a reader pins while a page is retired, the epoch advanced, the page freed",
        "before put 10 1; thread put 10 2, collect; thread get 10, get 10",
        ALL,
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
        SOME,
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
        SOME,
    ),
    Case(
        "reuse-of-page-ids",
        "page ids of merged pages name others under a slow reader",
        f"options max_pids=8; before {_FOUR}, remove 30, remove 40, consolidate, collect; "
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
        "free-page-ids",
        "two threads take page ids that a third has given back, and give theirs back",
        f"options max_pids=12 attach=0 detach=0; before {_EIGHT}, delete_range 0 max, consolidate, "
        "collect, detach; thread put 10 1, put 20 2, put 30 3, detach; "
        "thread put 40 4, put 50 5, put 60 6",
        SOME,
    ),
    Case(
        "shrink-shrink",
        "two threads give empty chunks back while they take from the depot",
        "options pooling=1; before put 10 1, put 10 2; thread put 20 3, collect; "
        "thread collect, put 30 4",
        SOME,
    ),
    Case(
        "shrink-taken-over",
        "a thread gathers what one that has ended left in its pools",
        "options pooling=1 attach=0 detach=0; before put 10 1; thread put 10 5, detach; "
        "thread collect, put 20 6",
        SOME,
    ),
    # ---- upkeep ----
    Case(
        "worker-writers",
        "the worker's step beside writers",
        f"before {_FOUR}; thread consolidate, collect; thread put 15 5, remove 30",
        SOME,
    ),
    Case(
        "look-inside",
        "stats and a self-check beside writers",
        f"before {_FOUR}; thread check, stats; thread put 15 5, remove 30",
        SOME,
    ),
    # ---- registration, closing ----
    Case(
        "registration",
        "two threads register with their first operations and end",
        "options attach=0 detach=0 leaf_log=2; before put 10 1; thread put 20 2; thread get 10",
        SOME,
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
        SOME,
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
        SOME,
    ),
    # ---- three threads ----
    Case(
        "three-appends",
        "three appends, two slots",
        "options leaf_log=2; before put 10 1; thread put 20 2; thread put 20 3; thread get 20",
        SOME,
    ),
    Case(
        "three-merge",
        "a merge, a writer and a reader",
        f"before {_FOUR}; thread remove 30, remove 40; thread put 35 5; thread get 35, get 20",
        SOME,
    ),
    # ---- failed allocations: each allocation of a thread may fail, one of them ----
    Case(
        "no-memory-append",
        "an append without a record, a consolidation without a page",
        "options failures=1; before put 10 1; thread put 10 5; thread put 10 6",
        SOME,
    ),
    Case(
        "no-memory-split",
        "a split without its pages",
        "options failures=1; before put 10 1, put 20 2; thread put 30 3, get 20; thread put 15 4",
        SOME,
    ),
    Case(
        "no-memory-merge",
        "a merge without the union's page, given up and finished by another",
        f"options failures=1; before {_FOUR}; thread remove 30, remove 40; thread put 20 5",
        SOME,
    ),
    Case(
        "no-memory-collapse",
        "a collapse without its root",
        f"options failures=1; before {_FOUR}, remove 40; thread remove 30, consolidate; "
        "thread get 10, put 50 5",
        SC_SOME,
    ),
    Case(
        "no-memory-range",
        "a deletion of a range that ends early",
        f"options failures=1; before {_FOUR}; thread delete_range 15 35; thread put 20 5",
        SOME,
    ),
    Case(
        "no-memory-pop",
        "a pop without a record",
        f"options failures=1; before {_FOUR}; thread pop_first, pop_first; thread pop_last",
        SOME,
    ),
    Case(
        "no-memory-registration",
        "a first call that cannot register",
        "options failures=1 attach=0 detach=0; before put 10 1; thread put 20 2, get 20; "
        "thread get 10",
        SOME,
    ),
    Case(
        "no-memory-cursor",
        "a cursor that cannot be made",
        f"options failures=1; before {_FOUR}; thread walk 0 4 0; thread put 15 5",
        SOME,
    ),
    # ---- progress: a thread is stopped for ever at each of its steps ----
    Case(
        "progress-append",
        "no append waits for another",
        "before put 10 1; thread put 10 5; thread put 10 6, get 10",
        STOPPED,
    ),
    Case(
        "progress-split",
        "nobody waits for a split",
        "before put 10 1, put 20 2; thread put 30 3; thread put 15 4, get 30",
        STOPPED,
    ),
    Case(
        "progress-merge",
        "nobody waits for a merge",
        f"before {_FOUR}; thread remove 30, remove 40; thread put 35 5, get 20",
        STOPPED,
    ),
    # ---- the checks of the checks ----
    Case(
        "must-fail-history",
        "a falsified result",
        "options leaf_log=2 lie=2; before put 10 1; thread get 10, get 10; thread put 20 2",
        (Plan("sc", "exhaustive"), Plan("rc11", "exhaustive")),
        expected="not-linearizable",
    ),
    Case(
        "must-fail-leak",
        "a block that the closed tree has not given back",
        "options leaf_log=2 leak=1; before put 10 1; thread put 20 2",
        (Plan("sc", "exhaustive"),),
        expected="assertion",
    ),
    # ---- single memory orders ----
    *ORDER_CASES,
)


def named(name: str) -> Case:
    """Give the case of this name."""
    return next(case for case in CATALOGUE if case.name == name)


def steps(cases: Sequence[Case] = CATALOGUE) -> Iterator[tuple[Case, Plan]]:
    """Give each case with each of its plans."""
    for case in cases:
        for plan in case.plans:
            yield case, plan
