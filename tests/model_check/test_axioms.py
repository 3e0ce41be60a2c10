"""The axioms against the gold, two other ways to list outcomes, and mutants of the axioms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import z3

from model_check.axioms import axioms, exhaustive, interleavings
from model_check.axioms.arbitrary import arbitrary
from model_check.axioms.gold import TESTS, find
from model_check.axioms.litmus import Allowed, LitmusError, Update, bare, litmus, parse
from model_check.axioms.outcomes import MODELS, allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from model_check.axioms.candidates import Event
    from model_check.axioms.litmus import Litmus
    from model_check.axioms.outcomes import Model

_EVERY = pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
_UNDER = pytest.mark.parametrize("model", MODELS)
#: With four read-modify-writes there are too many graphs to list them one by one.
_SMALL = [t for t in TESTS if sum(isinstance(bare(s), Update) for s in t.statements()) < 4]
_SEEDS = pytest.mark.parametrize("seed", range(24))


def _gold(test: Litmus, model: Model) -> Allowed:
    return test.sc if model == "sc" else test.rc11


@_EVERY
@_UNDER
def test_axioms_give_exactly_the_gold(test: Litmus, model: Model) -> None:
    assert allowed(test, model) == _gold(test, model)


@pytest.mark.parametrize("test", _SMALL, ids=lambda test: test.name)
@_UNDER
def test_listing_all_graphs_gives_exactly_the_gold(test: Litmus, model: Model) -> None:
    assert exhaustive.allowed(test, model) == _gold(test, model)


@_EVERY
def test_running_all_interleavings_gives_the_gold_of_sc(test: Litmus) -> None:
    if test.sc.race:
        assert interleavings.outcomes(test), "a race has outcomes, though they mean nothing"
    else:
        assert interleavings.outcomes(test) == test.sc.outcomes


def test_the_gold_has_every_family_with_and_without_weak_outcomes() -> None:
    families = (
        "MP SB LB IRIW WRC RWC W+RWC ISA2 R S 2+2W WWC CoRR CoWW CoRW CoWR cas add seqlock hazard "
        "EBR Dekker lock race Z6.U"
    )
    names = [test.name for test in TESTS]
    assert len(names) == len(set(names)) >= 60
    for family in families.split():
        assert any(re.match(rf"{re.escape(family)}\d?\b", name) for name in names), family
    weak = [test for test in TESTS if test.rc11 != test.sc and not test.rc11.race]
    assert len(weak) >= 40
    assert sum(test.rc11.race for test in TESTS) >= 15
    assert any(test.rc11.race and not test.sc.race for test in TESTS)


@_SEEDS
@_UNDER
def test_axioms_and_listing_agree_on_random_tests(seed: int, model: Model) -> None:
    test = arbitrary(seed, plain=seed % 4 == 0)
    assert allowed(test, model) == exhaustive.allowed(test, model), test.source


@_SEEDS
def test_sc_is_what_all_interleavings_give_on_random_tests(seed: int) -> None:
    test = arbitrary(seed)
    assert allowed(test, "sc").outcomes == interleavings.outcomes(test), test.source


@_SEEDS
def test_a_program_of_seq_cst_accesses_only_behaves_as_under_sc(seed: int) -> None:
    test = _reordered(arbitrary(seed), "sc")
    assert allowed(test, "rc11") == allowed(test, "sc"), test.source


@_SEEDS
def test_weaker_orders_allow_no_less(seed: int) -> None:
    test = arbitrary(seed)
    relaxed = _reordered(test, "rlx")
    assert allowed(test, "rc11").outcomes <= allowed(relaxed, "rc11").outcomes, test.source


def _reordered(test: Litmus, order: str) -> Litmus:
    """The test with all its accesses (not its fences) of one order."""
    orders = r"(?<!fence)\.(rlx|acq_rel|acq|rel|sc)\b"
    source = [re.sub(orders, f".{order}", thread) for thread in test.source]
    threads = tuple(parse(test.name, thread) for thread in source)
    return replace(test, threads=threads, source=tuple(source))


def _nothing(*_: object) -> list[object]:
    return []


def _no_fences(graph: object, a: Event, b: Event) -> object:
    if "F" in {a.kind, b.kind}:
        return z3.BoolVal(False)
    return _SYNCHRONIZES(graph, a, b)


def _head_only(_graph: object, head: Event, tail: Event) -> object:
    return tail.exists if head is tail else z3.BoolVal(False)


_SYNCHRONIZES: Callable[..., object] = axioms._synchronizes


@pytest.mark.parametrize(
    ("rule", "instead", "notices"),
    [
        ("_coherence", _nothing, "CoRR"),
        ("_coherence", _nothing, "MP+rel+acq"),
        ("_atomicity", _nothing, "add+add"),
        ("_psc_acyclic", _nothing, "SB+fence_sc+fence_sc"),
        ("_psc_acyclic", _nothing, "IRIW+sc"),
        ("_acyclic", _nothing, "LB+rlx"),
        ("_synchronizes", _no_fences, "MP+fence_rel+fence_acq"),
        ("_in_release_sequence", _head_only, "MP+rel+rmw_rlx+acq"),
        ("_in_release_sequence", _head_only, "MP+rel+same_thread_rlx+acq"),
    ],
)
def test_without_one_of_its_rules_rc11_differs_from_the_gold(
    rule: str, instead: Callable[..., object], notices: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(axioms, rule, instead)
    test = find(notices)
    assert allowed(test, "rc11") != test.rc11


def test_rc11_without_the_axiom_of_sc_is_not_mistaken_for_it_by_the_sum_of_the_gold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(axioms, "_psc_acyclic", _nothing)
    special = [t for t in TESTS if any("sc" in thread for thread in t.source)]
    noticed = [t.name for t in special if allowed(t, "rc11") != t.rc11]
    assert len(noticed) >= 15, noticed


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("x.rlx == 1", "'x.rlx == 1' is no statement"),
        ("x.acq = 1", "has the order acq: use na, rlx, rel, sc"),
        ("a = x.rel", "has the order rel: use na, rlx, acq, sc"),
        ("fence.rlx", "has the order rlx: use acq, rel, acq_rel, sc"),
        ("a = x.cas.na(0, 1)", "has the order na"),
        ("x = y.rlx", "x is no register: use a letter from a to r"),
        ("a = b.rlx", "b is no location: use a letter from s to z"),
        ("if a == 1: if a == 1: x.rlx = 1", "not another guard"),
    ],
)
def test_a_test_that_is_not_in_the_notation_is_refused_with_a_sentence(
    statement: str, sentence: str
) -> None:
    with pytest.raises(LitmusError, match=re.escape(sentence)):
        litmus("name", statement, sees="x", sc="0", why="")


@pytest.mark.parametrize(
    ("sees", "sc", "weak", "sentence"),
    [
        ("a b", "00 1", "", "'1' does not give 2 digits"),
        ("a b", "00 00", "", "stands twice"),
        ("a b", "00", "00", "a=0 b=0 stands under sc and under weak"),
        ("a e", "00", "", "sees e, which no thread writes"),
    ],
)
def test_gold_that_cannot_be_meant_is_refused(sees: str, sc: str, weak: str, sentence: str) -> None:
    with pytest.raises(LitmusError, match=re.escape(sentence)):
        litmus("name", "a = x.rlx; b = x.rlx", "x.rlx = 1", sees=sees, sc=sc, weak=weak, why="")


def test_two_threads_cannot_share_a_register() -> None:
    with pytest.raises(LitmusError, match="two threads write the register a"):
        litmus("name", "a = x.rlx", "a = x.rlx", sees="a", sc="0", why="")
