"""Models that users write in C answer as those in Python do; what cannot be used is refused."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from model_check.linearizability import IMPOSSIBLE, Model, Operation, check_operations
from model_check.linearizability.models import find_model
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

SEMAPHORE = r"""
#include <lin_user_model.h>

static void initial(void *state) { *(int64_t *)state = 2; }

static int step(void *state, const lin_user_call *call) {
    int64_t *left = state;
    if (lin_is(call, "acquire"))
        return *left > 0 && ((*left)--, 1);
    if (lin_is(call, "release"))
        return (*left)++, 1;
    return call->result == NULL || call->result->number == *left;
}

const lin_user_model semaphore = {sizeof(int64_t), initial, step, "value"};
const lin_user_model lazy = {sizeof(int64_t), initial, NULL, NULL};
const lin_user_model nothing = {0, NULL, step, NULL};
"""
#: A name that is set if it is as expected, or gives itself back.
NAME = r"""
#include <lin_user_model.h>

static int step(void *state, const lin_user_call *call) {
    if (lin_is(call, "rename") && call->count == 2) {
        if (strcmp(state, call->arguments[0].text) != 0)
            return call->result == NULL || call->result->number == 0;
        memset(state, 0, 16);
        strncpy(state, call->arguments[1].text, 15);
        return call->result == NULL || call->result->number == 1;
    }
    return call->result != NULL && call->result->kind == LIN_USER_TEXT &&
           strcmp(state, call->result->text) == 0;
}

const lin_user_model name = {16, NULL, step, "get"};
"""


class Semaphore(Model):
    name = "semaphore"
    initial = 2
    reads = frozenset({"value"})

    def step(self, state: int, call: Operation) -> Any:
        if call.name == "acquire":
            return state - 1 if state > 0 else IMPOSSIBLE
        if call.name == "release":
            return state + 1
        return state if not call.known or call.result == state else IMPOSSIBLE


def model(folder: Path, text: str, name: str) -> Model:
    path = folder / "mine.c"
    path.write_text(text, encoding="utf-8")
    return find_model(f"{path}:{name}")


def history(seed: int) -> list[Operation]:
    """Make a small history of a semaphore that may be right, some of its calls never returned."""
    dice = random.Random(seed)
    calls, left = [], 2
    for process in range(9):
        begin = dice.randrange(30)
        end = None if dice.random() < 0.15 else begin + 1 + dice.randrange(12)
        name = dice.choice(["acquire", "release", "value"])
        left = max(left + {"acquire": -1, "release": 1, "value": 0}[name], 0)
        seen = left + dice.choice([0, 0, 1]) if name == "value" else None
        calls.append(Operation(process, name, None, seen, begin, end))
    return calls


def test_it_agrees_with_the_same_model_in_python(tmp_path: Path) -> None:
    native = model(tmp_path, SEMAPHORE, "semaphore")
    verdicts = []
    for seed in range(300):
        calls = history(seed)
        verdicts.append(check_operations(calls, Semaphore()).outcome)
        assert check_operations(calls, native).outcome is verdicts[-1], f"seed {seed}"
    assert len(set(verdicts)) == 2


def test_texts_pairs_and_an_empty_first_state(tmp_path: Path) -> None:
    def call(name: str, begin: int, argument: Hashable, result: Hashable) -> Operation:
        return Operation(0, name, argument, result, begin, begin + 1)

    right = [
        call("rename", 0, ("", "ada"), True),
        call("rename", 2, ("", "bob"), False),
        call("get", 4, None, "ada"),
    ]
    native = model(tmp_path, NAME, "name")
    assert check_operations(right, native).ok
    assert not check_operations([*right, call("get", 6, None, "bob")], native).ok


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("int main(", "semaphore", "does not compile with"),
        (SEMAPHORE, "gone", "cannot use the model gone: it has no such lin_user_model"),
        (SEMAPHORE, "lazy", "its step is NULL"),
        (SEMAPHORE, "nothing", "its state_bytes is not 1 to 65,536"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, text: str, name: str, sentence: str
) -> None:
    with pytest.raises(CannotRun, match=sentence):
        model(tmp_path, text, name)


def test_a_missing_file_and_a_value_that_c_has_no_word_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="there is no such file"):
        find_model(f"{tmp_path / 'gone.c'}:semaphore")
    native = model(tmp_path, SEMAPHORE, "semaphore")
    for odd, shown in ((2.5, r"2\.5"), ("a\0b", r"'a\\x00b'"), (2**63, str(2**63))):
        call = Operation(0, "value", None, odd, 0, 1, line=7)
        with pytest.raises(CannotRun, match=f"line 7: value: a model in C takes .* got {shown}"):
            check_operations([call], native)
