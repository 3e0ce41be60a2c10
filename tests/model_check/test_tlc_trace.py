"""A step of a trace is printed as the places that changed, whatever the values are."""

from __future__ import annotations

import pytest

from model_check.tlc.trace import changes, parse_state, parse_value, render, spread


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1", "1", []),
        ("1", "2", ["v: 1 → 2"]),
        ("TRUE", "FALSE", ["v: TRUE → FALSE"]),
        ('"a, b"', '"]"', ['v: "a, b" → "]"']),
        ("(a :> 0 @@ b :> 0)", "(a :> 0 @@ b :> 1)", ["v[b]: 0 → 1"]),
        ("[pc |-> 1, arg |-> <<2>>]", "[pc |-> 3, arg |-> <<2>>]", ["v.pc: 1 → 3"]),
        ("(t1 :> [pc |-> 1])", "(t1 :> [pc |-> 2])", ["v[t1].pc: 1 → 2"]),
        ("<<1, 2>>", "<<1, 2, {3, 4}>>", ["v: appended {3, 4}"]),
        ("<<1, 2>>", "<<1, 5>>", ["v[2]: 2 → 5"]),
        ("<<1, 2>>", "<<2>>", ["v: <<1, 2>> → <<2>>"]),
        ("<<>>", "<<1>>", ["v: <<>> → <<1>>"]),
        ("{}", "{<<1, 2>>}", ["v: {} → {<<1, 2>>}"]),
        ("1..3", "1..4", ["v: 1..3 → 1..4"]),
        ("-1", "0", ["v: -1 → 0"]),
        ("(<<1, a>> :> 0)", "(<<1, a>> :> 1)", ["v[<<1, a>>]: 0 → 1"]),
        ("(a :> 0)", "(a :> 0 @@ b :> 1)", ["v: (a :> 0) → (a :> 0 @@ b :> 1)"]),
        ("odd ?value", "odd ?other", ["v: odd ?value → odd ?other"]),
    ],
)
def test_only_what_changed_is_said(old: str, new: str, said: list[str]) -> None:
    assert changes("v", parse_value(old), parse_value(new)) == said


@pytest.mark.parametrize("text", ["", "<<1, 2", "[a |-> ]", "(1 :> )", "{,}", "1 2", "<<1>> >>"])
def test_text_that_is_no_value_stays_text(text: str) -> None:
    assert parse_value(text) == text


def test_a_value_over_several_lines_is_one_value() -> None:
    state = parse_state(
        "2: <Go(t1) line 6, col 10 to line 6, col 64 of module Lasso>\n"
        "/\\ map = ( 1 :> [low |-> 1,\n"
        "         high |-> 2] )\n"
        "/\\ x = 1\n"
    )
    assert (state.number, state.action, state.where) == (2, "Go(t1)", "Lasso:6")
    assert state.variables == (("map", "( 1 :> [low |-> 1, high |-> 2] )"), ("x", "1"))


def test_a_long_value_of_the_first_state_is_shown_part_by_part() -> None:
    value = parse_value(f'<<[log |-> <<1, 2>>, text |-> "{"x" * 90}"], [log |-> <<>>]>>')
    assert spread("heap", value) == [
        "heap[1].log = <<1, 2>>",
        f'heap[1].text = "{"x" * 90}"',
        "heap[2] = [log |-> <<>>]",
    ]
    assert spread("heap", parse_value("<<1, 2>>")) == ["heap = <<1, 2>>"]


def test_a_step_that_changes_nothing_says_so() -> None:
    states = [parse_state("1: <Initial predicate>\nx = 1"), parse_state("2: <Stay line 1, col 1 to "
              "line 1, col 9 of module M>\nx = 1")]  # fmt: skip
    assert render(states) == ["  1  initial state", "       x = 1", "  2  Stay  (M:1)",
                              "       (no change)"]  # fmt: skip
