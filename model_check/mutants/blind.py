"""Why a checker does not see a mutant of a kind that it reads, mutant by mutant.

A blind cell without a sentence here is a problem, and so is a sentence about a cell that is not
blind: then the checker has become better, or the sentence was wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model_check.explorer.orders import Accepted
from model_check.mutants.mutant import CHECKERS, Row
from model_check.mutants.registry import order_name

_SAME_INSTRUCTION = (
    "On x86-64 a relaxed access is the same instruction as an acquire or a release, so the tests "
    "run the same program; the explorer and the table of orders are for these."
)
_STORE_BUFFER = (
    "It takes an announcement that is still in the processor's store buffer while another thread "
    "advances the epoch twice and frees: no test brings that about."
)
_BETWEEN_TWO_CALLS = (
    "It takes a thread that stops between the two calls inside the pop while others change two "
    "keys: runs as short as these bring it about now and then only."
)

_WITHIN_A_PAGE_READ = (
    "It takes writes to two keys of a page while its values are looked up: with the few keys a "
    "page and the short runs of test_recorded, the one program that looks at pages, none was seen."
)

_BETWEEN_TWO_STEPS = (
    "It takes a thread that stops between two neighbouring steps of one call while others carry "
    "out the whole of a split or merge and use its page or page id again. In a short run at full "
    "speed none does; the explorer, the specs and tests that force such moments do."
)

_OUT_OF_BOUNDS = (
    "It takes three threads, or several calls of each: programs that are explored within a bound "
    "only, and not met there within 100 s. TLC rejects the same step in the specs."
)

_ONE_MOMENT = (
    "It takes a thread that stands still in one moment of a merge while others go on: beyond the "
    "bounds of the catalogue's programs, and not met there within 60 s. C tests that force such "
    "moments kill it, and TLC rejects the same step in the specs."
)
_FREED_LATER = (
    "The page is freed when the epoch has advanced twice, and reading it takes less than a "
    "microsecond: no program of this checker brings the one into the other."
)
_KEY_BY_KEY = "It judges what a walk gives key by key; each key is right for itself."
_NO_APPEND = (
    "Nothing can be appended to the root at that moment: its only child is frozen by REMOVE and "
    "has no right sibling, so there is no page to post, and its entry is neither marked nor "
    "deleted. What is broken is the rule that only frozen pages are replaced, on which the proofs "
    "rest; no answer changes."
)
_LATER = "Memory comes back later than it could; nothing else is different."

_HELP_ONLY = (
    "What it leaves out is help: the one who split posts the separator, and until then everybody "
    "finds the way by the right link. No answer depends on it, and no figure of a test."
)
_LOST_PUSH = (
    "It takes a thread that loses a push because another pushes in that moment: the programs of "
    "this checker push page ids too seldom at once."
)

#: Checker to mutant's name to the reason.
BLIND: Mapping[str, Mapping[str, str]] = {
    "explorer": {
        "a push that has lost links to what was first before": _LOST_PUSH,
        "a writer that has crossed a right link owes nothing": _HELP_ONLY,
        "a root that is not frozen is exchanged": _NO_APPEND,
        "pages are freed one epoch late": _LATER,
        "a helper with an old view of the parent takes a merge for finished": _OUT_OF_BOUNDS,
        "a post asks before its scan whether its page is alive": _OUT_OF_BOUNDS,
        "a parent is split at the separator of a page that is being merged": _ONE_MOMENT,
        "a merged page is gone before its separator is": _ONE_MOMENT,
        "an inner page with a mark is removed": _ONE_MOMENT,
        "a write believes a page that is being merged": _ONE_MOMENT,
        "a read believes a page that is being merged": _ONE_MOMENT,
        "the root collapses without a second look at it": _ONE_MOMENT,
        "navigation looks at a removed leaf again, not at its witness": _ONE_MOMENT,
        "a cursor reads its leaf when its pin has ended": _FREED_LATER,
        "a cursor looks the values of a page up anew": _KEY_BY_KEY,
        "a run of puts is installed although another was first": (
            "A run has eight keys at least, and the harness's put_many takes four."
        ),
        "AVX2 compares keys as signed numbers": (
            "The explorer builds the library without the files of wide vectors. z3 proves their "
            "steps bit by bit (`search: signed_comparison` is this mutant there)."
        ),
        "navigation writes one past its array of visited leaves": (
            "It takes 33 leaves without an answer in a row, and the catalogue's trees have six."
        ),
        "the self check walks over registrations without an acquire": (
            "No program of the catalogue checks a tree while its own worker registers."
        ),
    },
    "C tests": {
        "a push that has lost links to what was first before": _LOST_PUSH,
        "a writer that has crossed a right link owes nothing": _HELP_ONLY,
        "a pop that has lost keeps the link that it has read": _BETWEEN_TWO_STEPS,
        "a root that is not frozen is exchanged": _NO_APPEND,
        "a cursor looks the values of a page up anew": _WITHIN_A_PAGE_READ,
        "the slot's compare-and-swap does not release": _SAME_INSTRUCTION,
        "the mapping table's load does not acquire": _SAME_INSTRUCTION,
        "pinning has no fence": _STORE_BUFFER,
        "the list of free page ids does not count its pops": _BETWEEN_TWO_STEPS,
        "a leaf is emptied without being frozen": _BETWEEN_TWO_STEPS,
        "a deletion counts keys that others have removed": _BETWEEN_TWO_STEPS,
        "a cursor reads its leaf when its pin has ended": _FREED_LATER,
        "the self check walks over registrations without an acquire": (
            "On x86-64 the machine code is the same; ThreadSanitizer sees the missing order."
        ),
    },
    "ASan + UBSan": {
        "a writer that has crossed a right link owes nothing": _HELP_ONLY,
        "a root that is not frozen is exchanged": _NO_APPEND,
        "pop_first is first and then remove": _BETWEEN_TWO_CALLS,
        "the slot's compare-and-swap does not release": _SAME_INSTRUCTION,
        "the mapping table's load does not acquire": _SAME_INSTRUCTION,
        "pinning has no fence": _STORE_BUFFER,
        "the list of free page ids does not count its pops": _BETWEEN_TWO_STEPS,
        "a leaf is emptied without being frozen": _BETWEEN_TWO_STEPS,
        "a deletion counts keys that others have removed": _BETWEEN_TWO_STEPS,
        "a cursor reads its leaf when its pin has ended": _FREED_LATER,
        "a cursor looks the values of a page up anew": _WITHIN_A_PAGE_READ,
        "the self check walks over registrations without an acquire": (
            "The machine code is the same but for the checks of addresses, and all are right."
        ),
    },
    "TSan": {
        "a push that has lost links to what was first before": _LOST_PUSH,
        "a writer that has crossed a right link owes nothing": _HELP_ONLY,
        "a pop that has lost keeps the link that it has read": _BETWEEN_TWO_STEPS,
        "a push stores the head": _BETWEEN_TWO_STEPS,
        "pinning has no fence": _STORE_BUFFER,
        "the list of free page ids does not count its pops": _BETWEEN_TWO_STEPS,
        "a leaf is emptied without being frozen": _BETWEEN_TWO_STEPS,
        "a deletion counts keys that others have removed": _BETWEEN_TWO_STEPS,
        "a cursor looks the values of a page up anew": _WITHIN_A_PAGE_READ,
        "a root that is not frozen is exchanged": _NO_APPEND,
    },
    "histories": {
        "a push that has lost links to what was first before": _LOST_PUSH,
        "a writer that has crossed a right link owes nothing": _HELP_ONLY,
        "a root that is not frozen is exchanged": _NO_APPEND,
        "pages are freed one epoch late": _LATER,
        "a page is published before its contents": _BETWEEN_TWO_STEPS,
        "pop_first is first and then remove": _BETWEEN_TWO_CALLS,
        "the slot's compare-and-swap does not release": _SAME_INSTRUCTION,
        "the mapping table's load does not acquire": _SAME_INSTRUCTION,
        "pinning has no fence": _STORE_BUFFER,
        "a helper with an old view of the parent takes a merge for finished": _BETWEEN_TWO_STEPS,
        "the list of free page ids does not count its pops": _BETWEEN_TWO_STEPS,
        "a write believes a page that is being merged": _BETWEEN_TWO_STEPS,
        "a read believes a page that is being merged": _BETWEEN_TWO_STEPS,
        "the root collapses without a second look at it": _BETWEEN_TWO_STEPS,
        "navigation looks at a removed leaf again, not at its witness": _BETWEEN_TWO_STEPS,
        "a post asks before its scan whether its page is alive": _BETWEEN_TWO_STEPS,
        "the self check walks over registrations without an acquire": (
            "On x86-64 the machine code is the same."
        ),
        "navigation writes one past its array of visited leaves": (
            "Keys are spread over their space there, so no 33 neighbouring leaves are empty."
        ),
    },
}

#: Why a checker stays although others kill all that it kills; checker to the reason.
KEPT_ALL_THE_SAME: Mapping[str, str] = {
    "C tests": (
        "they need no more than a compiler, say in seconds what callers are promised, and are the "
        "only ones that make allocations fail and calls be misused"
    ),
    "ASan + UBSan": (
        "they see each access at its place, also one that happens to read what is right, and say "
        "who freed the memory; what the others find they explain"
    ),
}


def reason(row: Row, checker: str, accepted: Sequence[Accepted]) -> str:
    """Give why ``checker`` is blind to the row's mutant; empty if nobody has said."""
    if row.mutant.kind == "order":
        for each in accepted:
            name = order_name(each.file, each.function, each.code, each.change, 0)
            if name == row.mutant.name:
                return each.reason
    return BLIND.get(checker, {}).get(row.mutant.name, "")


def problems(rows: Sequence[Row], accepted: Sequence[Accepted]) -> list[str]:
    """Say what is not as it must be; cells that nobody has tried yet are no part of it."""
    said = []
    for row in rows:
        argued = row.mutant.kind == "order" and bool(reason(row, "explorer", accepted))
        if not row.killed and not argued and row.whole:
            said.append(f"{row.mutant.key} ({row.mutant.where}): no checker kills it")
        said += [
            f"{row.mutant.key}: {cell.checker} does not see it, and nobody says why: see blind.py"
            for cell in row.cells
            if not cell.killed and not reason(row, cell.checker, accepted)
        ]
        said += [
            f"{row.mutant.key}: {cell.checker} kills it ({cell.by}), but blind.py says why not"
            for cell in row.cells
            if cell.killed and row.mutant.name in BLIND.get(cell.checker, {})
        ]
    names = {row.mutant.name for row in rows}
    said += [
        f"blind.py speaks of {name!r}, which is no mutant"
        for reasons in BLIND.values()
        for name in reasons
        if name not in names
    ]
    alone = only_by(rows)
    used = {cell.checker for row in rows for cell in row.cells}
    for checker in CHECKERS:
        if checker in used and not alone[checker] and checker not in KEPT_ALL_THE_SAME:
            said.append(f"{checker} kills no mutant that no other kills: why is it kept?")
    return said


def only_by(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Give, for each checker, the mutants that no other kills."""
    alone: dict[str, list[str]] = {checker: [] for checker in CHECKERS}
    for row in rows:
        killers = [cell.checker for cell in row.cells if cell.killed]
        if len(killers) == 1:
            alone[killers[0]].append(row.mutant.name)
    return alone
