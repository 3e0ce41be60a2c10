"""Cases of merges and of roots that collapse."""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import (
    ALL,
    EIGHT,
    FIVE,
    FOUR,
    HALF,
    MUCH_SC,
    READS,
    SC_SOME,
    SIX,
    SOME,
    THREE,
    WHOLE_RC11,
    WHOLE_SC,
    WRITES,
    Case,
)

MERGES: Sequence[Case] = (
    Case(
        "merge-append",
        "an append into a leaf that is being merged",
        f"before {FOUR}; thread remove 10, remove 20; thread put 20 5",
        SOME,
    ),
    Case(
        "merge-append-logs",
        "logs of two slots, so that MERGE stands beside a record",
        f"options leaf_log=2 inner_log=2; before {FOUR}; thread remove 10, remove 20; "
        "thread put 35 5",
        SOME,
    ),
    Case(
        "merge-read",
        "reads of a page that has been removed",
        f"before {FOUR}; thread remove 30, remove 40; thread get 30, get 20",
        SOME,
    ),
    Case(
        "merge-split",
        "a merge, and a split of the page that it goes into",
        f"before {FOUR}; thread remove 30, remove 40; thread put 12 5, put 14 6",
        SOME,
    ),
    Case(
        "merge-post",
        "a merge of a page whose separator is being posted",
        f"options {HALF}; before {FOUR}; thread put 50 5, put 60 6; "
        "thread remove 40, remove 30, consolidate",
        SOME,
    ),
    Case(
        "merge-merge",
        "two merges under one parent: one mark a page",
        f"before {SIX}; thread remove 50, remove 60; thread remove 10, remove 20",
        SOME,
    ),
    Case(
        "merge-merge-same",
        "two threads begin the same merge",
        f"before {FOUR}; thread remove 30, consolidate; thread remove 40, consolidate",
        SC_SOME,
    ),
    Case(
        "merge-inner",
        "inner pages with one child are merged under a reader",
        f"before {EIGHT}; thread delete_range 30 60; thread get 50, put 55 9",
        SOME,
    ),
    Case(
        "merge-cursor",
        "a cursor walks from the leaf that another goes into to the one that goes",
        f"before {FIVE}; thread remove 50; thread walk 30 4 0",
        WRITES,
        deep=(*WHOLE_SC, *WHOLE_RC11),
    ),
    Case(
        "cursor-removals",
        "a cursor walks while leaves on both sides of it lose keys",
        f"before {FOUR}; thread remove 20, remove 30; thread walk 0 4 2",
        ALL,
    ),
    Case(
        "merge-navigation",
        "floor and ceiling over a leaf that becomes empty and goes",
        f"before {FOUR}; thread remove 30, remove 40; thread floor 45, ceiling 25",
        SOME,
    ),
    Case(
        "merge-pop",
        "pops merge empty leaves at both ends",
        f"before {FOUR}; thread pop_first, pop_first; thread pop_last, remove 20",
        SOME,
    ),
    Case(
        "root-collapse-split",
        "a root loses its last but one child while the child is split",
        f"before {FOUR}; thread remove 30, remove 40, consolidate; thread put 12 5, put 14 6",
        SOME,
    ),
    Case(
        "root-collapse-read",
        "reads while the tree gets lower",
        f"before {FOUR}, remove 40; thread remove 30, consolidate; thread get 10, last",
        SOME,
    ),
    # ---- one removal that merges, beside one call: small enough to be explored to the end ----
    Case(
        "one-merge-get",
        "a get of the key whose removal merges its leaf",
        f"before {FIVE}; thread remove 50; thread get 50",
        READS,
        deep=WHOLE_RC11,
    ),
    Case(
        "one-merge-get-left",
        "a get in the leaf that the other goes into",
        f"before {FIVE}; thread remove 50; thread get 40",
        READS,
        deep=WHOLE_RC11,
    ),
    Case(
        "one-merge-insert-present",
        "an insert of a key that is there, in the leaf that the other goes into",
        f"before {FIVE}; thread remove 50; thread insert 40 6",
        READS,
        deep=WHOLE_RC11,
    ),
    Case(
        "one-merge-collect",
        "a merge, and one who advances the epoch and frees",
        f"before {FIVE}; thread remove 50; thread collect",
        WRITES,
        deep=MUCH_SC,
    ),
    Case(
        "one-merge-count",
        "a count over all leaves beside a merge",
        f"before {FIVE}; thread remove 50; thread count 0 100",
        WRITES,
        deep=WHOLE_SC,
    ),
    Case(
        "one-merge-floor",
        "a floor whose answer moves from the leaf that goes to its neighbour",
        f"before {FIVE}; thread remove 50; thread floor 60",
        WRITES,
        deep=WHOLE_SC,
    ),
    Case(
        "one-merge-put-elsewhere",
        "a put that splits another leaf under the same parent",
        f"before {FIVE}; thread remove 50; thread put 15 6",
        WRITES,
        deep=WHOLE_SC,
    ),
    Case(
        "one-merge-update",
        "an update of the key whose removal merges its leaf",
        f"before {FIVE}; thread remove 50; thread update 50 6",
        WRITES,
        deep=WHOLE_SC,
    ),
    Case(
        "one-merge-remove-twice",
        "the same key removed twice: one of them merges, or both together",
        f"before {FIVE}; thread remove 50; thread remove 50",
        WRITES,
        deep=WHOLE_SC,
    ),
    Case(
        "merge-while-posting",
        "the leaf that a split has just made is emptied before its separator is posted",
        f"before {FOUR}; thread put 50 5; thread remove 50",
        READS,
        deep=WHOLE_RC11,
    ),
    Case(
        "one-collapse-get",
        "a get while the last but one leaf goes, and the root with it",
        f"before {THREE}; thread remove 30; thread get 10",
        READS,
        deep=WHOLE_RC11,
    ),
    Case(
        "one-collapse-get-removed",
        "a get of the key that makes the root collapse",
        f"before {THREE}; thread remove 30; thread get 30",
        READS,
        deep=WHOLE_RC11,
    ),
)
