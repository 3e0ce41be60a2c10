"""Cases of appends, consolidations and splits."""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import (
    ALL,
    EIGHT,
    FOUR,
    SC_SOME,
    SOME,
    WEAK,
    WHOLE_SC,
    Case,
    Plan,
)

APPENDS: Sequence[Case] = (
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
        "append-upkeep",
        "an append into a page that is consolidated before its log is full",
        "options leaf_capacity=4 leaf_log=4; before put 10 1; thread put 10 5; thread consolidate",
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
        (*SC_SOME, Plan("rc11", "random", executions=1500)),
        deep=WHOLE_SC,
    ),
    Case(
        "split-read",
        "reads across a split whose separator is not posted yet",
        "before put 10 1, put 20 2; thread put 30 3; thread get 30, get 10",
        ALL,
    ),
    Case(
        "split-read-posting",
        "a read that crosses the right link of a leaf whose separator is not posted yet",
        f"before {FOUR}; thread put 35 5; thread get 40",
        ALL,
    ),
    Case(
        "split-count",
        "a count that goes from leaf to leaf beside a split",
        f"before {FOUR}; thread put 35 5; thread count 0 100",
        ALL,
    ),
    Case(
        "split-cursor",
        "a cursor walks back from the end over leaves that are being split",
        f"before {FOUR}; thread put 50 5, put 60 6; thread walk max 0 6",
        ALL,
    ),
    Case(
        "split-split",
        "two splits of neighbours post to one parent",
        f"before {FOUR}; thread put 15 5, put 16 6; thread put 35 7, put 36 8",
        WEAK,
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
        f"before {EIGHT}; thread put 90 9, put 95 10; thread put 5 11, get 90",
        SOME,
    ),
    Case(
        "inner-split-consolidate",
        "the same beside one who consolidates every page",
        # In rc11 an execution may have 64 pins: bw_consolidate pins once a page.
        f"before {EIGHT}; thread put 90 9, put 95 10; thread consolidate",
        SC_SOME,
    ),
    Case(
        "post-by-another",
        "a thread that crosses a right link posts the separator first",
        f"before {FOUR}; thread put 50 5, put 60 6; thread put 55 7, put 65 8",
        SOME,
    ),
)
