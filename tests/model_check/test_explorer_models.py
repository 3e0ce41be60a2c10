"""The memory models allow what they should: litmus tests, and a search without reduction."""

from __future__ import annotations

import random

import pytest

from model_check.explorer import COMPILER, Options, explore
from tests.exploring import explored, program

RLX, ACQ, REL = "relaxed", "acquire", "release"


def _two(first: str, second: str, registers: str, outcome: str) -> str:
    names = ", ".join(registers)
    return (
        f"static atomic_int x, y; static int {names};"
        f"THREAD(one) {{ {first} END; }} THREAD(two) {{ {second} END; }}"
        f'int main(void) {{ RUN(one, two); bwx_outcome("{outcome}", {names}); return 0; }}'
    )


def sb(store: str, load: str, fence: str = "") -> str:
    """Each thread stores to one location and reads the other's."""
    return _two(
        f"STORE(x, 1, {store}); {fence} a = LOAD(y, {load});",
        f"STORE(y, 1, {store}); {fence} b = LOAD(x, {load});",
        "ab",
        "%d%d",
    )


def mp(store: str, load: str) -> str:
    """One thread passes a message to the other."""
    return _two(
        f"STORE(x, 1, relaxed); STORE(y, 1, {store});",
        f"a = LOAD(y, {load}); b = LOAD(x, relaxed);",
        "ab",
        "%d%d",
    )


LB = _two(
    "a = LOAD(x, relaxed); STORE(y, 1, relaxed);",
    "b = LOAD(y, relaxed); STORE(x, 1, relaxed);",
    "ab",
    "%d%d",
)
TWO_WRITERS = (
    "static atomic_int x, y;"
    "THREAD(one) { STORE(x, 1, relaxed); STORE(y, 2, relaxed); END; }"
    "THREAD(two) { STORE(y, 1, relaxed); STORE(x, 2, relaxed); END; }"
    'int main(void) { RUN(one, two); bwx_outcome("%d%d", x, y); return 0; }'
)
IRIW = (
    "static atomic_int x, y; static int a, b, c, d;"
    "THREAD(one) {{ STORE(x, 1, relaxed); END; }} THREAD(two) {{ STORE(y, 1, relaxed); END; }}"
    "THREAD(three) {{ a = LOAD(x, acquire); {fence} b = LOAD(y, acquire); END; }}"
    "THREAD(four) {{ c = LOAD(y, acquire); {fence} d = LOAD(x, acquire); END; }}"
    "int main(void) {{ RUN(one, two, three, four);"
    ' bwx_outcome("%d%d%d%d", a, b, c, d); return 0; }}'
)


def outcomes(text: str, model: str, compiler: str = COMPILER) -> set[str]:
    result = explored(text, Options(model=model), compiler)
    assert result.exhaustive
    assert result.finding is None
    return set(result.outcomes)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    ("text", "sc", "rc11"),
    [
        (sb(RLX, RLX), "01 10 11", "00 01 10 11"),
        (sb(REL, ACQ), "01 10 11", "00 01 10 11"),
        (sb(RLX, RLX, "FENCE(acq_rel);"), "01 10 11", "00 01 10 11"),
        (sb(RLX, RLX, "FENCE(seq_cst);"), "01 10 11", "01 10 11"),
        (mp(RLX, RLX), "00 01 11", "00 01 10 11"),
        (mp(REL, RLX), "00 01 11", "00 01 10 11"),
        (mp(REL, ACQ), "00 01 11", "00 01 11"),
        (LB, "00 01 10", "00 01 10"),
        (TWO_WRITERS, "12 21 22", "11 12 21 22"),
    ],
)
def test_litmus_outcomes_are_exactly_those_of_the_model(
    text: str, sc: str, rc11: str, compiler: str
) -> None:
    assert outcomes(text, "sc", compiler) == set(sc.split())
    assert outcomes(text, "rc11", compiler) == set(rc11.split())


def test_readers_of_independent_writes_agree_only_behind_seq_cst_fences() -> None:
    disagree = "1010"
    assert disagree not in outcomes(IRIW.format(fence=""), "sc")
    assert disagree in outcomes(IRIW.format(fence=""), "rc11")
    assert disagree not in outcomes(IRIW.format(fence="FENCE(seq_cst);"), "rc11")


def test_fences_order_nothing_through_a_chain_of_relaxed_accesses() -> None:
    """A global view that each fence joins would forbid this; RC11 does not."""
    text = """
    static atomic_int x, y, z; static int a, b, c;
    THREAD(one) { STORE(x, 1, relaxed); FENCE(seq_cst); STORE(y, 1, relaxed); END; }
    THREAD(two) { a = LOAD(y, relaxed); STORE(z, 1, relaxed); END; }
    THREAD(three) { b = LOAD(z, relaxed); FENCE(seq_cst); c = LOAD(x, relaxed); END; }
    int main(void) { RUN(one, two, three); bwx_outcome("%d%d%d", a, b, c); return 0; }
    """
    assert "110" in outcomes(text, "rc11")
    assert "110" not in outcomes(text, "sc")


def test_seq_cst_accesses_are_exact() -> None:
    assert outcomes(sb("seq_cst", "seq_cst"), "rc11") == {"01", "10", "11"}
    assert outcomes(sb("seq_cst", "acquire"), "rc11") == {"00", "01", "10", "11"}
    plain = IRIW.format(fence="")
    every = plain.replace("relaxed", "seq_cst").replace("acquire", "seq_cst")
    assert "1010" not in outcomes(every, "rc11")
    assert "1010" in outcomes(plain.replace("relaxed", "seq_cst"), "rc11")
    assert outcomes(TWO_WRITERS.replace("relaxed", "seq_cst"), "rc11") == {"12", "21", "22"}


def test_seq_cst_accesses_do_not_order_through_other_threads_releases() -> None:
    """Z6.U of the paper: C11 forbade this, compilers do not, RC11 allows it."""
    text = """
    static atomic_int x, y; static int a, b, c;
    THREAD(one) { STORE(x, 1, seq_cst); STORE(y, 1, release); END; }
    THREAD(two) { b = atomic_fetch_add(&y, 1); c = LOAD(y, relaxed); END; }
    THREAD(three) { STORE(y, 3, seq_cst); a = LOAD(x, seq_cst); END; }
    int main(void) { RUN(one, two, three); bwx_outcome("%d%d%d", a, b, c); return 0; }
    """
    assert "013" in outcomes(text, "rc11")
    assert "013" not in outcomes(text, "sc")


def test_rmws_never_read_the_same_store() -> None:
    text = """
    static atomic_int x; static int a, b;
    THREAD(one) { a = atomic_fetch_add_explicit(&x, 1, memory_order_relaxed); END; }
    THREAD(two) { b = atomic_fetch_add_explicit(&x, 1, memory_order_relaxed); END; }
    int main(void) { RUN(one, two); bwx_outcome("%d%d%d", a, b, x); return 0; }
    """
    for model in ("sc", "rc11"):
        assert outcomes(text, model) == {"012", "102"}


def test_release_sequence_goes_through_rmws() -> None:
    text = """
    static atomic_int x, y; static int a, b;
    THREAD(one) { STORE(x, 1, relaxed); STORE(y, 1, release); END; }
    THREAD(two) { atomic_fetch_add_explicit(&y, 1, memory_order_relaxed); END; }
    THREAD(three) { a = LOAD(y, acquire); b = LOAD(x, relaxed); END; }
    int main(void) { RUN(one, two, three); bwx_outcome("%d%d", a, b); return 0; }
    """
    seen = outcomes(text, "rc11")
    assert "21" in seen
    assert "20" not in seen


def random_program(seed: int) -> str:
    """Give a program of 2 or 3 threads over 1 to 3 locations with random orders."""
    rng = random.Random(seed)
    locations, threads = rng.choice([1, 2, 2, 3]), rng.choice([2, 2, 3])
    strong = ["seq_cst"] if seed % 3 == 0 else []
    registers: list[str] = []
    bodies = []
    for _ in range(threads):
        lines = []
        for _ in range(rng.randint(1, 3 if threads == 3 else 4)):
            number = len(registers) + 1
            at = f"v{rng.randrange(locations)}"
            load = rng.choice([RLX, ACQ, *strong])
            order = rng.choice([RLX, REL, ACQ, "acq_rel", *strong])
            kind = rng.random()
            if kind < 0.6:
                lines.append(
                    f"r{number} = LOAD({at}, {load});"
                    if kind < 0.35
                    else f"STORE({at}, {number + 10}, {rng.choice([RLX, REL, *strong])});"
                )
            elif kind < 0.75:
                lines.append(
                    f"r{number} = atomic_fetch_add_explicit(&{at}, 100, memory_order_{order});"
                )
            elif kind < 0.88:
                weak = rng.choice(["weak", "strong"])
                lines.append(
                    f"{{ long e = {rng.choice([0, 11, 12])};"
                    f" atomic_compare_exchange_{weak}_explicit(&{at}, &e, {number + 10},"
                    f" memory_order_{order}, memory_order_{load}); r{number} = e; }}"
                )
            else:
                lines.append(f"FENCE({rng.choice(['seq_cst', 'seq_cst', 'acquire', 'release'])});")
            registers.append(f"r{number}")
        bodies.append(" ".join(lines))
    names = [*registers, *(f"v{i}" for i in range(locations))]
    return (
        f"static _Atomic long {', '.join(f'v{i}' for i in range(locations))};"
        f"static long {', '.join(registers)};"
        + "".join(f"THREAD(t{i}) {{ {body} END; }}" for i, body in enumerate(bodies))
        + f"int main(void) {{ RUN({', '.join(f't{i}' for i in range(threads))});"
        + f' bwx_outcome("{" ".join(["%ld"] * len(names))}", {", ".join(names)}); return 0; }}'
    )


@pytest.mark.parametrize("seed", range(12))
def test_reduction_loses_no_outcome(seed: int) -> None:
    """Compares with a search that tries every schedule and every result of each operation."""
    one = program(random_program(seed))
    for model in ("sc", "rc11"):
        reduced = explore(one, Options(model=model))
        every = explore(
            one,
            Options(
                model=model, strategy="bounded", preemptions=10**6, weak=10**6, executions=200_000
            ),
        )
        assert reduced.exhaustive
        assert set(every.outcomes) <= set(reduced.outcomes), f"seed {seed}, {model}"
        if every.exhaustive:
            assert set(every.outcomes) == set(reduced.outcomes), f"seed {seed}, {model}"
        assert reduced.executions <= every.executions


@pytest.mark.parametrize(("threads", "orders"), [(2, 2), (3, 6), (4, 24), (5, 120)])
def test_writers_of_one_location_are_explored_once_for_each_order(
    threads: int, orders: int
) -> None:
    text = (
        "static atomic_int x; static int number;"
        "static void *body(void *mine) { STORE(x, (int)(long)mine, relaxed); return mine; }"
        "int main(void) { pthread_t all[8];"
        f"for (long i = 0; i < {threads}; i++) pthread_create(&all[i], NULL, body, (void *)i);"
        f"for (int i = 0; i < {threads}; i++) pthread_join(all[i], NULL);"
        "(void)number; return 0; }"
    )
    for model in ("sc", "rc11"):
        result = explored(text, Options(model=model))
        assert result.exhaustive
        assert (result.complete, result.blocked) == (orders, 0)


def test_plain_write_beside_an_atomic_changes_nothing_for_it() -> None:
    text = """
    static struct { int plain; atomic_int x; } pair __attribute__((aligned(8)));
    THREAD(one) { STORE(pair.x, 1, relaxed); pair.plain = LOAD(pair.x, relaxed); END; }
    THREAD(two) { STORE(pair.x, 2, relaxed); END; }
    int main(void) { RUN(one, two); bwx_outcome("%d%d", pair.plain, pair.x); return 0; }
    """
    for model in ("sc", "rc11"):
        assert outcomes(text, model) == {"11", "12", "22"}
