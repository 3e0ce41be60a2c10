"""Programs over the engine are made smaller while what was found stays."""

from __future__ import annotations

from model_check.explorer import Options
from model_check.explorer.harness import build_harness, explore_text
from model_check.explorer.reduce import VARIABLE, parse, reduce_text, smaller
from model_check.explorer.result import Finding
from model_check.explorer.show import show_result
from model_check.explorer.shrink import shrink

TEXT = (
    "options leaf_capacity=2 lie=1; before put_many 10 1 20 2; thread put 40 4, get 10; "
    "thread remove 20; after get 10"
)


def finding(kind: str, sentence: str = "") -> Finding:
    return Finding(kind=kind, sentence=sentence, thread=0, where="", other="", replay="")


def test_every_part_of_a_text_can_go() -> None:
    texts = set(smaller(TEXT))
    for missing in (
        TEXT.replace(" thread remove 20;", ""),
        TEXT.replace("put 40 4, ", ""),
        TEXT.replace(", get 10", ""),
        TEXT.replace("before put_many 10 1 20 2; ", ""),
        TEXT.replace("put_many 10 1 20 2", "put_many 20 2"),
        TEXT.replace("; after get 10", ""),
        TEXT.replace("leaf_capacity=2 ", ""),
    ):
        assert missing in texts
    assert all(any(section.word == "thread" for section in parse(text)) for text in texts)


def test_what_is_left_is_what_the_finding_needs() -> None:
    def attempt(text: str, _seconds: float) -> Finding | None:
        return finding("crash") if "remove 20" in text and "20 2" in text else None

    text, kept = reduce_text(TEXT, finding("crash"), attempt, seconds=5)
    assert text == "before put_many 20 2; thread remove 20"
    assert kept.kind == "crash"


def test_another_finding_is_no_smaller_one() -> None:
    whole = finding("assertion", "of 3 blocks, 2 came back")

    def other(_text: str, _seconds: float) -> Finding | None:
        return finding("assertion", "the harness cannot read its program")

    def same(_text: str, _seconds: float) -> Finding | None:
        return finding("assertion", "of 9 blocks, 7 came back")

    assert reduce_text(TEXT, whole, other, seconds=5)[0] == TEXT
    assert reduce_text(TEXT, whole, same, seconds=5)[0] == "thread"
    assert reduce_text(TEXT, whole, same, seconds=0)[0] == TEXT


def test_wrong_result_is_shown_by_one_operation() -> None:
    """lie=1 falsifies the result of each thread's first call: one call is enough to show it."""
    program, options = build_harness(), Options(strategy="random", executions=50)
    found = explore_text(program, TEXT, options)
    assert found.verdict == "not-linearizable"
    short = shrink(program, options, found, {VARIABLE: TEXT}, text_seconds=20)
    assert short.reduced is not None
    operations = [part for each in parse(short.reduced) for part in each.parts]
    assert "lie=1" in operations
    assert len(operations) <= 3
    assert short.finding is not None
    assert found.finding is not None
    assert len(short.finding.steps) < len(found.finding.steps)
    assert short.finding.preemptions == 0
    assert f"--engine '{short.reduced}'" in show_result(short, "")
