"""Cases of failed allocations and stopped threads, and of the checks themselves."""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import (
    ALL,
    FOUR,
    SC_ALL,
    SC_SOME,
    SOME,
    STOPPED,
    Case,
    Plan,
)

FAILURES: Sequence[Case] = (
    # ---- failed allocations: each allocation of a thread may fail, one of them ----
    Case(
        "no-memory-append",
        "an append without a record, a consolidation without a page",
        "options failures=1; before put 10 1; thread put 10 5; thread put 10 6",
        ALL,
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
        f"options failures=1; before {FOUR}; thread remove 30, remove 40; thread put 20 5",
        SOME,
    ),
    Case(
        "no-memory-collapse",
        "a collapse without its root",
        f"options failures=1; before {FOUR}, remove 40; thread remove 30, consolidate; "
        "thread get 10, put 50 5",
        SC_SOME,
    ),
    Case(
        "no-memory-range",
        "a deletion of a range that ends early",
        f"options failures=1; before {FOUR}; thread delete_range 15 35; thread put 20 5",
        SC_ALL,
    ),
    Case(
        "no-memory-pop",
        "a pop without a record",
        f"options failures=1; before {FOUR}; thread pop_first, pop_first; thread pop_last",
        SOME,
    ),
    Case(
        "no-memory-registration",
        "a first call that cannot register",
        "options failures=1 attach=0 detach=0; before put 10 1; thread put 20 2, get 20; "
        "thread get 10",
        ALL,
    ),
    Case(
        "no-memory-cursor",
        "a cursor that cannot be made",
        f"options failures=1; before {FOUR}; thread walk 0 4 0; thread put 15 5",
        SC_ALL,
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
        f"before {FOUR}; thread remove 30, remove 40; thread put 35 5, get 20",
        STOPPED,
    ),
    Case(
        "progress-merge-consolidate",
        "nobody waits for one who merges and consolidates everything",
        f"before {FOUR}; thread remove 30, remove 40, consolidate; thread put 35 5, get 20",
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
)
