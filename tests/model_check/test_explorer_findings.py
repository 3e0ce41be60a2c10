"""Each kind of finding is found in a program that has it, and not in its corrected twin."""

from __future__ import annotations

import pytest

from model_check.explorer import Options, explore
from model_check.explorer.result import EXIT_CODES
from tests.exploring import explored, program

COUNTER = """
static atomic_int x;
THREAD(add) { int old = LOAD(x, relaxed); STORE(x, old + 1, relaxed); END; }
int main(void) { RUN(add, add); assert(x == 2); return 0; }
"""
ATOMIC_COUNTER = """
static atomic_int x;
THREAD(add) { atomic_fetch_add(&x, 1); END; }
int main(void) { RUN(add, add); assert(x == 2); return 0; }
"""
PUBLISH = """
static int data; static atomic_int ready;
THREAD(writer) {{ data = 7; STORE(ready, 1, {store}); END; }}
THREAD(reader) {{ if (LOAD(ready, {load})) assert(data == 7); END; }}
int main(void) {{ return RUN(writer, reader); }}
"""
SHARED_BLOCK = """
static _Atomic(int *) shared;
THREAD(user) {{ int *p = LOAD(shared, acquire); {use} END; }}
THREAD(owner) {{ int *p = atomic_exchange(&shared, NULL); if (p != NULL) {{ {give} }} END; }}
int main(void) {{ int *p = malloc(sizeof *p); *p = 1; shared = p; return RUN(user, owner); }}
"""
TWO_LOCKS = """
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static void both(pthread_mutex_t *first, pthread_mutex_t *second) {{
    pthread_mutex_lock(first); pthread_mutex_lock(second);
    pthread_mutex_unlock(second); pthread_mutex_unlock(first);
}}
THREAD(one) {{ both(&a, &b); END; }}
THREAD(two) {{ both({order}); END; }}
int main(void) {{ return RUN(one, two); }}
"""
WAIT = """
static atomic_int flag;
THREAD(waiter) {{ while (!LOAD(flag, acquire)) ; END; }}
THREAD(setter) {{ {set} END; }}
int main(void) {{ return RUN(waiter, setter); }}
"""
#: Bytes 8 to 15 are unwritten; 4 to 15 become what 0 to 11 were, or 0 to 7 what 4 to 11 were.
MOVED = (
    "unsigned char *p = malloc(16); memset(p, 1, 8); memmove(p + {to}, p + {source}, {n});"
    "unsigned char volatile v = p[{at}]; (void)v; free(p);"
)
ONE = "THREAD(idle) {{ END; }} int main(void) {{ {body} return RUN(idle); }}"


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("assertion", COUNTER, ATOMIC_COUNTER),
        (
            "data-race",
            PUBLISH.format(store="relaxed", load="acquire"),
            PUBLISH.format(store="release", load="acquire"),
        ),
        (
            "data-race",
            PUBLISH.format(store="release", load="relaxed"),
            PUBLISH.format(store="release", load="acquire"),
        ),
        (
            "use-after-free",
            SHARED_BLOCK.format(use="if (p != NULL) *p = 2;", give="free(p);"),
            SHARED_BLOCK.format(use="(void)p;", give="free(p);"),
        ),
        (
            "double-free",
            SHARED_BLOCK.format(use="(void)p;", give="free(p); free(p);"),
            SHARED_BLOCK.format(use="(void)p;", give="free(p);"),
        ),
        (
            "invalid-free",
            SHARED_BLOCK.format(use="(void)p;", give="free((char *)p + 1);"),
            SHARED_BLOCK.format(use="(void)p;", give="free(p);"),
        ),
        (
            "leak",
            SHARED_BLOCK.format(use="(void)p;", give="(void)p;"),
            SHARED_BLOCK.format(use="(void)p;", give="free(p);"),
        ),
        (
            "uninitialised",
            ONE.format(body="int *p = malloc(4); int volatile v = *p; (void)v; free(p);"),
            ONE.format(body="int *p = calloc(1, 4); int volatile v = *p; (void)v; free(p);"),
        ),
        (
            "uninitialised",
            ONE.format(body=MOVED.format(to=4, source=0, n=12, at=13)),
            ONE.format(body=MOVED.format(to=4, source=0, n=12, at=9)),
        ),
        (
            "uninitialised",
            ONE.format(body=MOVED.format(to=0, source=4, n=8, at=5)),
            ONE.format(body=MOVED.format(to=0, source=4, n=8, at=2)),
        ),
        (
            "out-of-bounds",
            ONE.format(body="volatile char *p = malloc(4); p[4] = 1; free((void *)p);"),
            ONE.format(body="volatile char *p = malloc(4); p[3] = 1; free((void *)p);"),
        ),
        ("deadlock", TWO_LOCKS.format(order="&b, &a"), TWO_LOCKS.format(order="&a, &b")),
        ("livelock", WAIT.format(set=""), WAIT.format(set="STORE(flag, 1, release);")),
        (
            "crash",
            ONE.format(body="static volatile int *volatile p; *p = 1;"),
            ONE.format(body="static volatile int v, *volatile p = &v; *p = 1;"),
        ),
        (
            "misuse",
            ONE.format(
                body="static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;"
                "pthread_mutex_unlock(&m);"
            ),
            ONE.format(
                body="static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;"
                "pthread_mutex_lock(&m); pthread_mutex_unlock(&m);"
            ),
        ),
    ],
)
def test_defect_is_found_and_its_repair_is_not(kind: str, wrong: str, right: str) -> None:
    found = explored(wrong)
    assert found.finding is not None
    assert found.verdict == found.finding.kind == kind, found.finding.sentence
    assert found.finding.exit_code == EXIT_CODES[kind]
    passed = explored(right)
    assert passed.finding is None, passed.finding.sentence
    assert passed.exhaustive


def test_weak_memory_defect_is_found_only_under_rc11() -> None:
    text = """
    static atomic_int x, y, inside;
    THREAD(one) {{ STORE(x, 1, relaxed); {fence}
        if (!LOAD(y, relaxed)) assert(atomic_fetch_add_explicit(&inside, 1, {order}) == 0); END; }}
    THREAD(two) {{ STORE(y, 1, relaxed); {fence}
        if (!LOAD(x, relaxed)) assert(atomic_fetch_add_explicit(&inside, 1, {order}) == 0); END; }}
    int main(void) {{ return RUN(one, two); }}
    """
    wrong = text.format(fence="", order="memory_order_relaxed")
    right = text.format(fence="FENCE(seq_cst);", order="memory_order_relaxed")
    assert explored(wrong).verdict == "nothing found"
    assert explored(wrong, Options(model="rc11")).verdict == "assertion"
    assert explored(right, Options(model="rc11")).verdict == "nothing found"


@pytest.mark.parametrize("strategy", ["bounded", "pct", "random"])
def test_every_strategy_finds_the_lost_update(strategy: str) -> None:
    result = explored(COUNTER, Options(strategy=strategy, executions=2000))
    assert result.verdict == "assertion"


def test_bound_of_no_preemption_hides_the_lost_update() -> None:
    result = explored(COUNTER, Options(strategy="bounded", preemptions=0))
    assert result.verdict == "nothing found"
    assert result.exhaustive


def test_replay_repeats_the_finding_with_its_steps() -> None:
    one = program(COUNTER)
    found = explore(one).finding
    assert found is not None
    again = explore(one, Options(replay=found.replay))
    assert again.finding is not None
    assert again.finding.sentence == found.sentence
    assert again.executions == 1
    texts = [step.text for step in found.steps]
    assert "x.load(relaxed) = 0" in texts
    assert "x.store(1, relaxed)" in texts
    assert all(":" in step.where for step in found.steps if step.kind in {"load", "store"})


def test_replay_string_of_another_program_is_refused_by_name() -> None:
    result = explored(ATOMIC_COUNTER, Options(replay="7x9;"))
    assert result.verdict == "nondeterminism"


def test_stale_value_is_marked_in_the_counterexample() -> None:
    text = PUBLISH.format(store="relaxed", load="relaxed")
    text = text.replace("static int data", "static atomic_int data")
    text = text.replace("data = 7", "STORE(data, 7, relaxed)").replace(
        "data == 7", "LOAD(data, relaxed) == 7"
    )
    found = explored(text, Options(model="rc11")).finding
    assert found is not None
    assert any("not the newest" in step.note for step in found.steps)


def test_failed_allocations_are_explored_when_asked_for() -> None:
    text = ONE.format(body="volatile int *p = malloc(4); *p = 1; free((void *)p);")
    assert explored(text).verdict == "nothing found"
    assert explored(text, Options(failures=1)).verdict == "crash"


def test_thread_locals_are_private_and_fresh_in_every_execution() -> None:
    text = """
    static _Thread_local int mine = 5; static atomic_int x;
    THREAD(one) { assert(mine == 5); mine = 6; atomic_fetch_add(&x, 1); assert(mine == 6); END; }
    int main(void) { assert(mine == 5); mine = 9; RUN(one, one); assert(mine == 9); return 0; }
    """
    result = explored(text)
    assert result.verdict == "nothing found"
    assert result.executions == 2


def test_condition_variable_that_is_signalled_too_early_deadlocks() -> None:
    text = """
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    static int ready;
    THREAD(waiter) {{ pthread_mutex_lock(&m); {loop} pthread_cond_wait(&c, &m);
        pthread_mutex_unlock(&m); END; }}
    THREAD(setter) {{ pthread_mutex_lock(&m); ready = 1; pthread_cond_signal(&c);
        pthread_mutex_unlock(&m); END; }}
    int main(void) {{ return RUN(waiter, setter); }}
    """
    assert explored(text.format(loop="")).verdict == "deadlock"
    assert explored(text.format(loop="while (!ready)")).verdict == "nothing found"


def test_lock_held_by_a_stopped_thread_blocks_the_others() -> None:
    text = """
    static atomic_int lock, count;
    THREAD(add) {{ bwx_nonblocking_begin(); {body} bwx_nonblocking_end(); END; }}
    int main(void) {{ return RUN(add, add); }}
    """
    options = Options(strategy="bounded", freeze=True, weak=1)
    spin = "while (atomic_exchange(&lock, 1)) ; STORE(count, 1, relaxed); STORE(lock, 0, release);"
    assert explored(text.format(body=spin), options).verdict == "blocking"
    free = "atomic_fetch_add(&count, 1);"
    assert explored(text.format(body=free), options).verdict == "nothing found"


REGISTER = """
enum {{ WRITE, READ }};
static int apply(void *state, const bwx_call *call) {{
    uint64_t *value = state;
    if (call->operation == WRITE) {{ *value = call->arguments[0]; return 1; }}
    return call->value == *value;
}}
static const bwx_model model = {{sizeof(uint64_t), apply, NULL}};
static atomic_int x, y;
THREAD(writer) {{ bwx_invoke(WRITE, 1, 0, 0); {write} bwx_respond(0, 0); END; }}
THREAD(reader) {{ for (int i = 0; i < 2; i++) {{ bwx_invoke(READ, 0, 0, 0);
    bwx_respond(0, (uint64_t){read}); }} END; }}
int main(void) {{ bwx_use_model(&model); return RUN(writer, reader); }}
"""


def test_history_that_is_not_linearizable_is_found() -> None:
    right = REGISTER.format(write="STORE(x, 1, release);", read="LOAD(x, acquire)")
    wrong = REGISTER.format(
        write="STORE(y, 1, release); STORE(x, 1, release);",
        read="(i == 0 ? LOAD(y, acquire) : LOAD(x, acquire))",
    )
    for model in ("sc", "rc11"):
        assert explored(right, Options(model=model)).verdict == "nothing found"
        assert explored(wrong, Options(model=model)).verdict == "not-linearizable"
