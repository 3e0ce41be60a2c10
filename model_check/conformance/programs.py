"""Programs of the explorer's harness whose executions are compared with the specs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model_check.conformance import delta_log, epochs, record, structure
from model_check.conformance.trace import Trace
from model_check.explorer.build import Program
from model_check.explorer.run import Options

_EPOCHS, _LOG, _TREE = "EpochReclamation", "DeltaLog", "StructureModification"
_OPTION = re.compile(r"\b(\w+)=(\d+)")


@dataclass(frozen=True)
class Subject:
    """A program, and the specs of which its executions are behaviours."""

    name: str
    text: str
    modules: tuple[str, ...]


#: Small logs and bags, so that freezing, tagging, advancing and freeing come often.
PROGRAMS: Sequence[Subject] = (
    Subject(
        "puts and a remove on two slots",
        "options leaf_capacity=4 leaf_log=2 retire_batch=1; before put 10 1; "
        "thread put 10 5, put 11 2, put 12 3, get 10, put 10 1; "
        "thread put 10 7, remove 11, put 13 3, get 11, remove 10",
        (_EPOCHS, _LOG),
    ),
    Subject(
        "decisions, and consolidations unasked",
        "options leaf_capacity=8 leaf_log=3 retire_batch=2; before put 10 1; "
        "thread insert 10 5, update 11 2, compare_exchange 10 1 3, get 10, consolidate; "
        "thread put 10 7, consolidate, insert 11 5, remove 11, put 13 3, get 11",
        (_EPOCHS, _LOG),
    ),
    Subject(
        "one slot, three threads",
        "options leaf_capacity=4 leaf_log=1 retire_batch=1; "
        "thread insert 10 1, get 10, remove 10; thread insert 10 2, get 10; "
        "thread remove 10, put 11 3, get 11",
        (_EPOCHS, _LOG),
    ),
    Subject(
        "readers beside pages that are freed",
        "options leaf_capacity=4 leaf_log=1 retire_batch=1; before put 10 1; "
        "thread put 10 2, put 10 3, put 10 4, put 10 5, collect; thread get 10, get 10, advance",
        (_EPOCHS,),
    ),
    Subject(
        "splits, posts and merges",
        "options leaf_capacity=2 leaf_log=1 inner_log=2 inner_capacity=3 retire_batch=1 "
        "merge_threshold=50; before put 10 1, put 20 2, put 30 3, put 40 4; "
        "thread remove 10, remove 20, collect; "
        "thread remove 40, put 15 2, put 16 3, put 17 4, collect",
        (_EPOCHS, _TREE),
    ),
    Subject(
        "a tree of three levels that loses them and grows again",
        "options leaf_capacity=2 leaf_log=1 inner_log=2 inner_capacity=3 retire_batch=1 "
        "merge_threshold=50; before put 10 1, put 20 2, put 30 3, put 40 4, put 50 5, put 60 6, "
        "put 70 7, put 80 8; thread remove 10, remove 20, remove 30, remove 40, remove 50, "
        "remove 60, collect, put 30 3, put 40 3, put 20 3, put 10 1; thread remove 80, remove 70, "
        "insert 75 1, collect, compare_exchange 75 1 2, update 40 7, get 30, get 20",
        (_TREE,),
    ),
    Subject(
        "merges and a collapse beside splits",
        "options leaf_capacity=2 leaf_log=1 inner_log=2 inner_capacity=3 retire_batch=1 "
        "merge_threshold=50; before put 10 1, put 20 2; thread put 30 3, put 40 4, put 50 5, "
        "remove 30, remove 40, remove 50, collect; "
        "thread put 25 4, remove 10, remove 20, put 10 3, collect",
        (_TREE,),
    ),
    Subject(
        "three threads that advance",
        "options leaf_capacity=4 leaf_log=1 retire_batch=1; before put 10 1; "
        "thread put 10 2, advance, advance, advance; "
        "thread get 10, advance, get 10, advance, get 10; thread advance, advance, get 10, advance",
        (_EPOCHS,),
    ),
    Subject(
        "a thread that ends and one that comes late",
        "options leaf_capacity=4 leaf_log=1 retire_batch=2 attach=1; before put 10 1; "
        "thread put 10 2, put 10 3, advance, advance; thread put 10 4, get 10, advance",
        (_EPOCHS,),
    ),
)


class FindingError(Exception):
    """What the explorer found in an execution that should only have told its events."""


def traces_of(
    program: Program,
    subject: Subject,
    *,
    seed: int = 0,
    executions: int = 3,
    modules: Sequence[str] = (_EPOCHS, _LOG, _TREE),
    broken: bool = False,
) -> Iterator[Trace]:
    """Give the traces of some random executions, each of its own seed.

    Raises FindingError when the explorer finds something or an execution does not end, unless the
    engine is one that is ``broken`` on purpose.
    """
    options = Options(strategy="random", executions=executions, seed=seed, leaks=False)
    found, wrong = record.run(program, subject.text, options)
    if not broken and (wrong is not None or len(found) < executions):
        reason = wrong or f"{len(found)} of {executions} executions came to their end"
        raise FindingError(f"{subject.name}, seed {seed}: {reason}")
    for number, execution in enumerate(found):
        name = f"{subject.name}, seed {seed}, execution {number}"
        if _EPOCHS in subject.modules and _EPOCHS in modules:
            yield from epochs.traces(execution.events, name)
        if _LOG in subject.modules and _LOG in modules:
            yield delta_log.trace(execution.events, name)
        if _TREE in subject.modules and _TREE in modules:
            limits = {word: int(number) for word, number in _OPTION.findall(subject.text)}
            yield structure.trace(execution.events, name, limits)
