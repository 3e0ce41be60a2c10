"""TLC's messages are understood by their codes, in the words of older and newer versions."""

from __future__ import annotations

from model_check.tlc.output import Found, Outcome, Parser, Violation


def outcome(*parts: str) -> Outcome:
    parser = Parser()
    for part in parts:
        for line in part.splitlines():
            parser.feed(line + "\n")
    return parser.outcome


def message(code: int, severity: int, text: str) -> str:
    return f"@!@!@STARTMSG {code}:{severity} @!@!@\n{text}\n@!@!@ENDMSG {code} @!@!@"


def test_counts_are_read_with_and_without_rates() -> None:
    seen = outcome(
        message(2200, 0, "Progress(4) at 2026: 1,017 states generated, 10 distinct states found, "
                "3 states left on queue."),
    )  # fmt: skip
    assert (seen.states, seen.distinct, seen.left, seen.depth) == (1017, 10, 3, 4)
    seen = outcome(
        message(2200, 0, "Progress(1,234) at 2026: 5,678 states generated (1,697 s/min), "
                "910 distinct states found (998 ds/min), 0 states left on queue."),
    )  # fmt: skip
    assert (seen.states, seen.distinct, seen.left, seen.depth) == (5678, 910, 0, 1234)


def test_a_simulation_counts_states_only() -> None:
    progress = message(2209, 0, "Progress(-1) at 2026: 1,017 states generated, -1 distinct states "
                       "found, -1 states left on queue.")  # fmt: skip
    seen = outcome(progress)
    assert (seen.states, seen.distinct, seen.left, seen.depth) == (1017, 0, 0, 0)
    stats = message(2210, 0, "The number of states generated: 2,163\nSimulation using seed 3")
    assert outcome(progress, stats).states == 2163


def test_liveness_properties_are_noticed() -> None:
    assert outcome(message(2212, 0, "Implied-temporal checking has 1 branches.")).liveness
    assert not outcome(message(2186, 0, "Finished")).liveness


def test_action_counts_add_up_over_places_in_either_wording() -> None:
    seen = outcome(
        message(2773, 0, "<Init line 6, col 1 to line 6, col 4 of module Counter>: 1:1"),
        message(2772, 0, "<Up line 7, col 1 to line 7, col 5 of module Counter>: 9:12"),
        message(2772, 0, "<Up line 7, col 1 to line 7, col 5 of module Counter (7 10 11 22)>: 1:3"),
        message(2772, 0, "<Down(t) line 9, col 1 to line 9, col 5 of module Counter>: 0:0"),
    )
    assert dict(seen.actions) == {"Up": 15, "Down": 0}


def test_a_later_coverage_report_replaces_an_earlier_one() -> None:
    report = (
        message(2201, 0, "The coverage statistics at 2026-01-01"),
        message(2772, 0, "<Up line 7, col 1 to line 7, col 5 of module Counter>: 9:12"),
    )
    assert dict(outcome(*report, *report).actions) == {"Up": 12}


def test_actions_that_the_run_notices_count_once_or_not_at_all() -> None:
    seen = outcome('<<"watched", "Up">>', '<<"watched", "Down">>', '<<"taken", "Up">>')
    assert dict(seen.actions) == {"Up": 1, "Down": 0}


def test_violations_are_named_where_tlc_names_them() -> None:
    seen = outcome(
        message(2110, 1, "Invariant Bounded is violated."),
        message(2112, 1, "Action property Steps is violated."),
        message(2112, 1, "Action property line 19, col 17 to line 19, col 28 of module M "
                "is violated."),
        message(2116, 1, "Temporal properties were violated.\n"),
        message(2114, 1, "Deadlock reached."),
    )  # fmt: skip
    assert [(v.found, v.name) for v in seen.violations] == [
        (Found.INVARIANT, "Bounded"),
        (Found.PROPERTY, "Steps"),
        (Found.PROPERTY, None),
        (Found.PROPERTY, None),
        (Found.DEADLOCK, None),
    ]


def test_a_violation_by_the_initial_state_has_a_trace_of_one_state() -> None:
    seen = outcome(message(2107, 1, "Invariant Low is violated by the initial state:\nx = 1\n"))
    assert seen.violations == [
        Violation(Found.INVARIANT, "Low", "Invariant Low is violated by the initial state:")
    ]
    assert [state.variables for state in seen.trace] == [(("x", "1"),)]


def test_a_message_inside_another_says_what_went_wrong() -> None:
    seen = outcome(
        "@!@!@STARTMSG 1000:1 @!@!@\n"
        "TLC threw an unexpected exception.\n"
        "The exception was a java.lang.RuntimeException\n"
        ": @!@!@STARTMSG 2154:0 @!@!@\n"
        "Cannot cast StringValue to IntValue\n"
        "@!@!@ENDMSG 2154 @!@!@\n"
        "@!@!@ENDMSG 1000 @!@!@\n"
    )
    assert seen.errors == ["Cannot cast StringValue to IntValue"]


def test_what_introduces_every_exception_is_left_out() -> None:
    seen = outcome(
        message(1000, 1, "TLC threw an unexpected exception.\nThis was probably caused by an error "
                "in the spec or model.\nThe exception was a java.lang.RuntimeException\n: <<>>"),
    )  # fmt: skip
    assert seen.errors == ["java.lang.RuntimeException\n: <<>>"]


def test_output_that_stops_in_the_middle_is_no_success() -> None:
    seen = outcome("@!@!@STARTMSG 2193:0 @!@!@\nModel checking completed. No error has been")
    assert not seen.succeeded
    assert not seen.ended


def test_lines_outside_messages_are_kept_but_not_without_bound() -> None:
    seen = outcome("Parsing file /tmp/M.tla", "a word of a JVM", *["more"] * 1000)
    assert "Parsing file /tmp/M.tla" not in seen.other
    assert len(seen.other) == 200


def test_out_of_memory_is_seen_in_a_message_and_outside_one() -> None:
    assert outcome(message(1001, 1, "Java ran out of memory.")).out_of_memory
    assert outcome("Terminating due to java.lang.OutOfMemoryError: Java heap").out_of_memory
