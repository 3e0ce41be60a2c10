"""Cases of merges and of roots that collapse."""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import (
    ALL,
    EIGHT,
    FOUR,
    HALF,
    SC_SOME,
    SIX,
    SOME,
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
        "the same with logs of two slots, so that REMOVE and MERGE stand beside records",
        f"options leaf_log=2 inner_log=2; before {FOUR}; thread remove 10, remove 20; "
        "thread put 20 5",
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
        "post-merge",
        "leaves that were just split are emptied while their separators are posted",
        f"options {HALF} leaf_log=2 inner_log=2; before {SIX}; thread put 70 7, put 80 8; "
        "thread remove 70, remove 80, remove 60, consolidate",
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
        "a cursor walks while the pages under it merge",
        f"before {FOUR}; thread remove 20, remove 30; thread walk 0 4 2",
        ALL,
    ),
    Case(
        "merge-navigation",
        "floor and ceiling over leaves that become empty",
        f"before {FOUR}; thread remove 20, remove 30; thread floor 35, ceiling 15",
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
)
