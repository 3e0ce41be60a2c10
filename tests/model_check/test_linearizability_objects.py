"""Objects of every kind: what models allow, models of one's own, what an explanation says."""

from __future__ import annotations

import itertools
import random
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from model_check.linearizability import (
    IMPOSSIBLE,
    MODELS,
    Model,
    Operation,
    Outcome,
    check_operations,
    render_calls,
)
from model_check.linearizability.models import (
    CasRegister,
    Counter,
    Map,
    Mutex,
    Queue,
    Register,
    Set,
    Stack,
    find_model,
)
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from pathlib import Path


def call(
    name: str,
    begin: int,
    end: int | None,
    argument: Hashable = None,
    result: Hashable = None,
    *,
    process: Hashable = 0,
    key: Hashable = None,
) -> Operation:
    return Operation(process, name, argument, result, begin, end, key)


def accepted(model: Model, *calls: Operation) -> bool:
    report = check_operations(calls, model)
    assert report.outcome is not Outcome.UNKNOWN
    return report.ok


# ------------------------------------------------------------------ each model


def test_a_register_holds_what_was_written_last() -> None:
    writes = [call("write", 0, 1, 1), call("write", 2, 3, 2)]
    assert accepted(Register(), *writes, call("read", 4, 5, None, 2))
    assert not accepted(Register(), *writes, call("read", 4, 5, None, 1))
    assert accepted(Register(), *writes, call("read", 1, 5, None, 1))
    assert accepted(Register(7), call("read", 0, 1, None, 7))
    assert not accepted(Register(7), call("read", 0, 1))


def test_a_cas_takes_place_exactly_where_it_says_so() -> None:
    first = call("write", 0, 1, 1)
    for expected, result, right in ((1, True, True), (1, False, False), (2, False, True),
                                    (2, True, False)):  # fmt: skip
        cas = call("cas", 2, 3, (expected, 5), result)
        assert accepted(CasRegister(), first, cas) == right
    done = call("cas", 2, 3, (1, 5))
    assert accepted(CasRegister(), first, done, call("read", 4, 5, None, 5))
    assert not accepted(CasRegister(), first, done, call("read", 4, 5, None, 1))


def test_true_is_not_one() -> None:
    assert not accepted(Register(), call("write", 0, 1, True), call("read", 2, 3, None, 1))


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        (call("get", 2, 3, None, 1), True),
        (call("get", 2, 3), False),
        (call("exchange", 2, 3, 5, 1), True),
        (call("exchange", 2, 3, 5, 2), False),
        (call("insert", 2, 3, 5, result=False), True),
        (call("insert", 2, 3, 5, result=True), False),
        (call("insert_or_get", 2, 3, 5, 1), True),
        (call("insert_or_get", 2, 3, 5), False),
        (call("update", 2, 3, 5, 1), True),
        (call("update", 2, 3, 5), False),
        (call("overwrite", 2, 3, 5), True),
        (call("remove", 2, 3, None, result=True), True),
        (call("remove", 2, 3, None, result=False), False),
        (call("take", 2, 3, None, 1), True),
        (call("take", 2, 3), False),
        (call("compare_exchange", 2, 3, (1, 5), 1), True),
        (call("compare_exchange", 2, 3, (2, 5), 1), True),
        (call("compare_exchange", 2, 3, (2, 5), 2), False),
    ],
)
def test_a_call_on_a_map_has_its_result_in_one_state_only(
    operation: Operation, right: bool
) -> None:
    assert accepted(Map(), call("put", 0, 1, 1), operation) == right


def test_keys_are_objects_of_their_own() -> None:
    calls = [call("put", 0, 1, 1, key="x"), call("put", 2, 3, 2, key="y")]
    assert accepted(Map(), *calls, call("get", 4, 5, None, 1, key="x"))
    report = check_operations([*calls, call("get", 4, 5, None, 2, key="x")], Map())
    assert report.violation is not None
    assert report.violation.object == "x"
    assert report.objects == 2


def test_a_set_knows_each_element() -> None:
    added = call("add", 0, 1, "a", result=True)
    assert accepted(Set(), added, call("contains", 2, 3, "a", result=True))
    assert accepted(Set(), added, call("contains", 2, 3, "b", result=False))
    assert not accepted(Set(), added, call("add", 2, 3, "a", result=True))
    assert accepted(Set(), added, call("add", 2, 3, "a"), call("remove", 4, 5, "a", result=True))
    assert not accepted(Set(), added, call("remove", 2, 3, "a"), call("remove", 4, 5, "a", True))


def test_a_queue_is_first_in_first_out_and_a_stack_is_not() -> None:
    puts = [call("push", 0, 1, 1), call("push", 2, 3, 2)]
    for model, first, second in ((Queue(), 1, 2), (Stack(), 2, 1)):
        takes = [call("pop", 4, 5, None, first), call("pop", 6, 7, None, second)]
        assert accepted(model, *puts, *takes, call("pop", 8, 9))
        assert not accepted(model, *puts, *takes[:1], call("pop", 8, 9))
        assert not accepted(model, *puts, call("pop", 4, 5, None, second))


def test_a_mutex_has_one_holder_who_alone_releases_it() -> None:
    held = call("acquire", 0, 1)
    assert accepted(Mutex(), held, call("release", 2, 3), call("acquire", 4, 5, process=1))
    assert not accepted(Mutex(), held, call("acquire", 2, 3, process=1))
    assert not accepted(Mutex(), held, call("release", 2, 3, process=1))


def test_a_counter_adds_up() -> None:
    adds = [call("add", 0, 1, 5), call("add", 2, 9, -2)]
    for value, right in ((5, True), (3, True), (-2, False), (4, False)):
        assert accepted(Counter(), *adds, call("read", 4, 6, None, value)) == right
    assert not accepted(Counter(), *adds, call("read", 10, 11, None, 5))


# ------------------------------------------------------------------ against a plain search


class PlainQueue(Model):
    """The same queue, stepped in Python."""

    name = "plain queue"
    initial = ()

    def step(self, state: Any, call: Operation) -> Any:
        if call.name == "enqueue":
            return (*state, call.argument)
        if not call.known:
            return state[1:] if state else IMPOSSIBLE
        if call.result is None:
            return state if not state else IMPOSSIBLE
        return state[1:] if state and state[0] == call.result else IMPOSSIBLE


class PlainStack(PlainQueue):
    def step(self, state: Any, call: Operation) -> Any:
        if call.name == "enqueue":
            return (call.argument, *state)
        return super().step(state, call)


class RenamedStack(Stack):
    """Takes enqueue and dequeue, too."""

    _PUTS = frozenset({"enqueue"})
    _TAKES = frozenset({"dequeue"})


def random_queue_calls(dice: random.Random, count: int, *, stack: bool) -> list[Operation]:
    state: deque[int] = deque()
    calls = []
    for i in range(count):
        at = 10 * i + 50
        begin, end = at - dice.randint(0, 25), at + dice.randint(0, 25)
        open_end = None if dice.random() < 0.08 else end
        if dice.random() < 0.55:
            value = dice.randint(1, 4)
            state.append(value)
            calls.append(call("enqueue", begin, open_end, value, process=i))
        else:
            result = (state.pop() if stack else state.popleft()) if state else None
            calls.append(call("dequeue", begin, open_end, None, result, process=i))
    if dice.random() < 0.5:
        at = dice.randrange(count)
        wrong = calls[at]
        if wrong.name == "dequeue":
            result = dice.choice([None, 1, 2, 3, 4])
            calls[at] = call("dequeue", wrong.invoked, wrong.responded, None, result, process=at)
    return calls


def by_all_orders(model: Model, calls: Sequence[Operation]) -> bool:
    """Try every order of every choice of the calls that never returned."""
    opened = [c for c in calls if not c.known]
    closed = [c for c in calls if c.known]
    for size in range(len(opened) + 1):
        for chosen in itertools.combinations(opened, size):
            if _ordered(model, model.initial, [*closed, *chosen]):
                return True
    return False


def _ordered(model: Model, state: Any, left: list[Operation]) -> bool:
    if not left:
        return True
    first = min((c.responded for c in left if c.responded is not None), default=10**9)
    for i, candidate in enumerate(left):
        if candidate.invoked <= first:
            after = model.step(state, candidate)
            if after is not IMPOSSIBLE and _ordered(model, after, left[:i] + left[i + 1 :]):
                return True
    return False


@pytest.mark.parametrize("stack", [False, True])
def test_queues_and_stacks_in_c_in_python_and_by_all_orders_agree(stack: bool) -> None:
    dice = random.Random(11 + stack)
    native: Model = RenamedStack() if stack else Queue()
    plain: Model = PlainStack() if stack else PlainQueue()
    verdicts = {True: 0, False: 0}
    for number in range(500):
        calls = random_queue_calls(dice, dice.randint(2, 7), stack=stack)
        expected = by_all_orders(plain, calls)
        verdicts[expected] += 1
        assert accepted(native, *calls) == expected, f"history {number}: {calls}"
        assert accepted(plain, *calls) == expected, f"history {number}: {calls}"
    assert min(verdicts.values()) > 50, verdicts


def test_a_long_queue_is_decided_at_once() -> None:
    calls = []
    for i in range(20_000):
        calls.append(call("enqueue", 10 * i, 10 * i + 12, i, process=0))
        calls.append(call("dequeue", 10 * i + 11, 10 * i + 25, None, i, process=1))
    report = check_operations(calls, Queue())
    assert report.ok
    assert report.peak < 100


# ------------------------------------------------------------------ witnesses


def versioned(calls: Sequence[Operation], versions: Sequence[int | None]) -> list[Operation]:
    return [replace(c, version=v) for c, v in zip(calls, versions, strict=True)]


def test_versions_are_a_witness_that_need_not_be_believed() -> None:
    # Equal values force no order; the versions tell one.
    calls = [call("write", 0, 90, i % 2, process=i) for i in range(30)]
    calls.append(call("read", 95, 96, None, 1))
    right = [*range(1, 31), 30]
    report = check_operations(versioned(calls, right), Register())
    assert (report.ok, report.witnessed, report.searched) == (True, 31, 0)
    assert report.how == "witness: 31 calls"
    # An order that explains nothing proves nothing: the search decides.
    report = check_operations(versioned(calls, [*range(30, 0, -1), 30]), Register())
    assert (report.ok, report.witnessed, report.searched) == (True, 0, 31)
    assert not check_operations(versioned([*calls[:-1], call("read", 95, 96, None, 7)], right),
                                Register()).ok  # fmt: skip


def test_a_witness_keeps_to_the_times() -> None:
    calls = [call("write", 0, 1, 1), call("write", 2, 3, 2), call("read", 4, 5, None, 1)]
    report = check_operations(versioned(calls, [2, 1, 2]), Register())
    assert report.outcome is Outcome.VIOLATION
    assert report.witnessed == 0


def test_a_call_that_never_returned_is_in_a_witness_if_its_version_was_seen() -> None:
    opened = call("enqueue", 0, None, 5, process=1)
    taken = call("dequeue", 3, 4, None, 5)
    report = check_operations(versioned([opened, taken], [1, 2]), Queue())
    assert (report.ok, report.witnessed) == (True, 2)
    report = check_operations(versioned([opened, taken], [None, 2]), Queue())
    assert (report.ok, report.witnessed) == (True, 0)


# ------------------------------------------------------------------ users' own


class Semaphore(Model):
    """The example of models.py."""

    name = "semaphore"
    initial = 2
    reads = frozenset({"value"})

    def step(self, state: int, call: Operation) -> Any:
        if call.name == "acquire":
            return state - 1 if state > 0 else IMPOSSIBLE
        if call.name == "release":
            return state + 1
        return state if call.result == state else IMPOSSIBLE


def test_a_model_of_ones_own() -> None:
    taken = [call("acquire", 0, 1), call("acquire", 0, 1, process=1)]
    assert accepted(Semaphore(), *taken, call("value", 2, 3, None, 0))
    assert accepted(Semaphore(), *taken, call("value", 0, 3, None, 1))
    assert not accepted(Semaphore(), *taken, call("acquire", 2, 3, process=2))
    assert accepted(Semaphore(), *taken, call("release", 2, None), call("acquire", 5, 6, process=2))


def test_objects_may_be_split_otherwise() -> None:
    class Zones(Semaphore):
        def object_of(self, call: Operation) -> Hashable:
            return str(call.key)[0]

    calls = [call("acquire", i, i + 1, key=key) for i, key in enumerate(["a1", "a2", "b1", "b2"])]
    assert check_operations(calls, Zones()).objects == 2
    assert not accepted(Zones(), *calls, call("acquire", 9, 10, key="a3"))


def test_what_a_model_raises_comes_out() -> None:
    class Broken(Semaphore):
        def step(self, state: int, call: Operation) -> Any:
            raise ZeroDivisionError(call.name)

    with pytest.raises(ZeroDivisionError, match="acquire"):
        check_operations([call("acquire", 0, 1)], Broken())


@pytest.mark.parametrize("name", sorted(MODELS))
def test_calls_that_a_model_does_not_have_are_refused(name: str) -> None:
    with pytest.raises(CannotRun, match=f"the model {name} has no 'fly'"):
        check_operations([call("fly", 0, 1)], MODELS[name]())


def test_limits_are_obeyed() -> None:
    calls = [call("enqueue", 0, 100 + i, i, process=i) for i in range(12)]
    calls += [call("dequeue", 200 + 10 * i, 205 + 10 * i, None, (i * 5) % 12, process=0)
              for i in range(11)]  # fmt: skip
    wrong = [*calls, call("dequeue", 500, 501, None, 99)]
    report = check_operations(wrong, Queue(), limit=2000)
    assert report.outcome is Outcome.UNKNOWN
    assert "more than 2,000 configurations" in report.reason
    late = check_operations(wrong, Queue(), seconds=0.05, limit=1 << 24)
    assert late.outcome is Outcome.UNKNOWN
    assert "not decided within" in late.reason


# ------------------------------------------------------------------ explanations


def explained(model: Model, *calls: Operation) -> tuple[list[str], str]:
    report = check_operations(calls, model)
    assert report.violation is not None
    return [str(c) for c, _ in report.violation.core], report.violation.why


def test_of_a_long_history_only_the_calls_that_matter_are_shown() -> None:
    dice = random.Random(3)
    calls, state = [], 0
    for i in range(400):
        begin = 10 * i
        if dice.random() < 0.5:
            state = i + 1
            calls.append(call("write", begin, begin + 14, state, process=i % 3))
        else:
            calls.append(call("read", begin + 5, begin + 8, None, state or None, process=i % 3))
    written = [c for c in calls if c.name == "write"]
    bad = call("read", 5000, 5001, None, written[40].argument, process=9)
    shown, why = explained(Register(), *calls, bad)
    assert len(shown) == 3  # the write that it saw, one that came after it, and the read
    assert shown[0] == f"write({written[40].argument})"
    assert why.startswith(f"process 9 read() → {written[40].argument} after this had returned")
    assert why.endswith(f"nothing wrote {written[40].argument} after that")


@pytest.mark.parametrize(
    ("calls", "sentence"),
    [
        (
            [call("put", 0, 1, 1), call("get", 2, 3, None, 7, process=1)],
            "process 1 get() → 7, but nothing had written 7 by then",
        ),
        (
            [call("insert_or_get", 0, 1, 17), call("take", 2, 3, None, 17, process=1),
             call("get", 4, 5, None, 17, process=2)],
            ("process 2 get() → 17 after this had returned: process 1 take() → 17; "
             "and nothing wrote 17 again"),
        ),
        (
            [call("insert_or_get", 0, 1, 17), call("take", 2, 9, None, 17, process=1),
             call("take", 3, 9, None, 17, process=2)],
            "both process 1 take() → 17 and process 2 take() → 17, but 17 was written once",
        ),
        (
            [call("get", 0, 1, None, 5), call("insert_or_get", 2, 3, 5, process=1)],
            "process 0 get() → 5, but nothing had written 5 by then",
        ),
        (
            [call("exchange", 0, 1, 5), call("get", 2, 3, process=1)],
            ("process 1 get() → nothing after this had returned: process 0 exchange(5) → nothing; "
             "and nothing removed it"),
        ),
    ],
)  # fmt: skip
def test_one_sentence_says_why(calls: list[Operation], sentence: str) -> None:
    assert explained(Map(), *calls)[1] == sentence


def test_a_queue_is_explained_without_what_has_nothing_to_do_with_it() -> None:
    calls = [call("enqueue", 10 * i, 10 * i + 1, i) for i in range(9)]
    takes = [0, 1, 2, 4, 3]
    calls += [call("dequeue", 100 + 10 * i, 101 + 10 * i, None, v, process=1)
              for i, v in enumerate(takes)]  # fmt: skip
    shown, _ = explained(Queue(), *calls)
    assert shown == ["enqueue(3)", "enqueue(4)", "dequeue() → 4"]


def test_a_violation_is_drawn_with_calls_that_never_returned() -> None:
    calls = [
        call("exchange", 0, None, 5),
        call("get", 2, 3, None, 5, process="b"),
        call("get", 4, 6, process="c"),
    ]
    report = check_operations(calls, Map())
    assert report.violation is not None
    console = Console(width=140)
    with console.capture() as capture:
        console.print(render_calls(report.violation))
    text = capture.get()
    assert "No order explains these 3 calls (3 in the whole history)." in text
    assert "Why: " in text
    assert "exchange(5) never returned" in text
    assert "====>" in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Mine:\n    pass\n", "no class Mine that is a Model"),
        ("def (\n", "cannot be imported: SyntaxError"),
        (
            "from model_check.linearizability import Model\nclass Mine(Model):\n    pass\n",
            r"class Mine has no method step\(state, call\)",
        ),
    ],
)
def test_a_model_of_ones_own_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CannotRun, match=sentence):
        find_model(f"{path}:Mine")
