"""The catalogue's part about single memory orders: the smallest program that needs each.

A large program shows little about one order: what it publishes is nearly always published a
second time, by something else. These have two threads, few three, with a step or two each, taken
from inside the library where whole calls would hide it (engine/inside.h), and are explored to the
end where nothing else is said. Threads keep their registrations to their ends (detach=0): giving
them back out of the exploration's sight would be one piece with the step before it, which then
could not be told from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from model_check.explorer.catalogue_case import ALL, WHOLE_RC11, WHOLE_SC, Case, Plan

_WHOLE = (*WHOLE_SC, *WHOLE_RC11)
# To the end (`deep`): more than a check has time for.
_FIRST = (
    Plan("sc", "exhaustive", executions=2000),
    Plan("rc11", "exhaustive", executions=3000),
)
# With one switch they have more than 2,000 executions each; to the end: `deep`.
_ONE_SWITCH = (
    Plan("sc", "bounded", preemptions=1, executions=2000),
    Plan("rc11", "bounded", preemptions=1, weak=0, executions=2000),
)

# A first chunk with the root's page and 12 pages that stay, and a second one that nothing else
# is in: shrinking begins when a whole chunk may be free.
_TWO_CHUNKS = "take_pages 0 12 80, take_pages 12 25 80"
_TWO_FREE_PIDS = "take_pid 0, take_pid 1, take_pid 2, give_pid 1, give_pid 2"
_EIGHT_BATCHES = ", ".join(f"give_pages {number} 1, hand_over" for number in range(8))

ORDER_CASES: Sequence[Case] = (
    # ---- epochs: the page that 10 is on is replaced, retired and freed, beside a reader of it ----
    Case(
        "order-unpin",
        "what a reader did is done when its page is freed",
        "options detach=0; before put 10 1; thread put 10 5, advance, advance; thread get 10",
        ALL,
    ),
    Case(
        "order-pinned-end",
        "the same for a reader that ends while it is pinned",
        "options detach=0; before put 10 1; thread put 10 5, advance, advance; thread pin, get 10",
        ALL,
    ),
    Case(
        "order-behind",
        "a page is retired under the epoch that its reader, who has advanced it, reads it in",
        "options detach=0; before put 10 1; thread put 10 5, advance; thread advance, get 10",
        ALL,
    ),
    Case(
        "order-handed-on",
        "a page is freed under an epoch that its reader has made",
        "options detach=0; before put 10 1; thread put 10 5, advance, advance; "
        "thread get 10, advance",
        ALL,
    ),
    Case(
        "order-by-a-third",
        "a page is freed under an epoch that a third thread has made when the reader was done",
        "options detach=0; before put 10 1; thread get 10; thread put 10 5, reclaim; "
        "thread advance, advance",
        _FIRST,
        deep=_WHOLE,
    ),
    Case(
        "order-orphans",
        "a thread takes over the bags of one that ends",
        "options detach=0; before put 10 1; thread put 10 5, detach; thread advance",
        ALL,
    ),
    # ---- registrations: one is made, or changes hands, beside those who walk over all ----
    Case(
        "order-registered",
        "two threads register: the one looks whether the other's registration is free",
        "options attach=0 detach=0; thread attach; thread attach",
        ALL,
    ),
    Case(
        "order-registered-advance",
        "an advance meets a new registration",
        "options attach=1 detach=0; thread advance; thread attach",
        ALL,
    ),
    Case(
        "order-registered-size",
        "bw_size meets a new registration",
        "options attach=1 detach=0; thread size; thread attach",
        ALL,
    ),
    Case(
        "order-registered-stats",
        "bw_get_stats meets a new registration in each of its walks",
        "options attach=1 detach=0; thread stats; thread attach",
        ALL,
    ),
    Case(
        "order-registered-shrink",
        "bw_memory_shrink meets a new registration in each of its walks",
        f"options pooling=1 attach=1 detach=0; before {_TWO_CHUNKS}, give_pages 0 37; "
        "thread shrink; thread attach",
        ALL,
    ),
    Case(
        "order-registered-close",
        "bw_close meets a new registration in each of its walks",
        "options attach=0 detach=0; thread close; thread attach",
        ALL,
    ),
    Case(
        "order-borrowed",
        "a registration that its thread gives back is emptied by a collector, and taken again",
        f"options detach=0 pooling=1; before {_TWO_CHUNKS}, give_pages 12 25; "
        "thread detach, give_pages 0 1; thread shrink",
        ALL,
    ),
    # ---- closing ----
    Case(
        "order-close",
        "a call is seen to be over",
        "options detach=0; before put 10 1; thread close; thread get 10",
        ALL,
    ),
    Case(
        "order-close-shrink",
        "a collector is seen to be at work, or done",
        "options detach=0 pooling=1; thread close; thread shrink",
        ALL,
    ),
    Case(
        "order-close-shrinks",
        "the first of two collectors is seen to be done, too",
        "options detach=0 pooling=1; thread shrink; thread shrink; thread close",
        ALL,
    ),
    Case(
        "order-cursor",
        "a tree is freed when its last cursor has been",
        "options detach=0; thread open_cursor, tell, free_cursor; thread told, free",
        ALL,
    ),
    # ---- page ids ----
    Case(
        "order-new-pid",
        "one who walks over all page ids meets a page that no other page names to it",
        "options detach=0; before put 10 1, put 20 2; thread put 30 3; thread level_stats 0",
        ALL,
    ),
    Case(
        "order-pids",
        "a page id is taken from the list while another is put on it",
        f"options detach=0 max_pids=4; before {_TWO_FREE_PIDS}, detach; "
        "thread give_pid 0, detach; thread take_pid 3",
        ALL,
    ),
    Case(
        "order-pids-left",
        "two page ids stay free while a third is put in front of them",
        f"options detach=0 max_pids=4; before {_TWO_FREE_PIDS}, detach; "
        "thread give_pid 0, detach; thread pids_left 2",
        ALL,
    ),
    # ---- memory ----
    Case(
        "order-depot",
        "a batch of free pages goes through the depot to another thread",
        "options detach=0 pooling=1; before take_pages 0 1 1; "
        "thread give_pages 0 1, hand_over; thread take_pages 1 1 1",
        ALL,
    ),
    Case(
        "order-depot-full",
        "the same when no stack of the depot is empty",
        f"options detach=0 pooling=1; before take_pages 0 9 1, {_EIGHT_BATCHES}; "
        "thread give_pages 8 1, hand_over; thread take_pages 10 2 1",
        ALL,
    ),
    Case(
        "order-depot-shrink",
        "a batch of free pages goes through the depot to a collector",
        f"options detach=0 pooling=1; before {_TWO_CHUNKS}, give_pages 12 25, take_pages 40 65 1, "
        "give_pages 40 64, detach; thread give_pages 104 1; thread shrink",
        ALL,
    ),
    Case(
        "order-chunk",
        "a collector meets a chunk that has just come",
        f"options detach=0 pooling=1; before {_TWO_CHUNKS}, give_pages 12 25; "
        "thread take_pages 40 1 80; thread shrink",
        _ONE_SWITCH,
        deep=_WHOLE,
    ),
    Case(
        "order-chunks-again",
        "a second collector meets the chunks that the first has put back",
        f"options detach=0 pooling=1; before {_TWO_CHUNKS}, give_pages 12 24; "
        "thread shrink; thread shrink",
        ALL,
    ),
    Case(
        "order-chunk-left",
        "a collector frees a chunk that its thread has just left",
        f"options detach=0 pooling=1; before {_TWO_CHUNKS}, give_pages 12 25, hand_over, detach; "
        "thread take_pages 40 1 80; thread shrink",
        _ONE_SWITCH,
        deep=_WHOLE,
    ),
)
