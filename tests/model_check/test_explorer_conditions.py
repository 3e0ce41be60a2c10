"""Condition variables under the explorer: who is woken, by whom, and what if nobody is."""

from __future__ import annotations

import pytest

from model_check.explorer import Options
from tests.exploring import explored

SHARED = """
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int ready, taken; static atomic_int order;
"""
#: One thread waits until another has said that it may go on.
WAIT = (
    SHARED
    + """
THREAD(waiter) {{ pthread_mutex_lock(&m); {loop} (!ready) pthread_cond_wait(&c, &m);
    assert(ready); pthread_mutex_unlock(&m); END; }}
THREAD(setter) {{ pthread_mutex_lock(&m); ready = 1; {signal} pthread_mutex_unlock(&m); END; }}
int main(void) {{ return RUN(waiter, setter); }}
"""
)


def test_wait_in_a_loop_ends_and_wait_behind_an_if_meets_a_spurious_wakeup() -> None:
    signal = "pthread_cond_signal(&c);"
    right = explored(WAIT.format(loop="while", signal=signal))
    assert right.verdict == "nothing found"
    assert right.exhaustive
    assert explored(WAIT.format(loop="if", signal=signal)).verdict == "assertion"
    # Without spurious wakeups the `if` is enough here.
    never = explored(WAIT.format(loop="if", signal=signal), Options(wakeups=0))
    assert never.verdict == "nothing found"


@pytest.mark.parametrize("wakeups", [0, 1, 2])
def test_missing_signal_is_a_deadlock_which_no_spurious_wakeup_hides(wakeups: int) -> None:
    found = explored(WAIT.format(loop="while", signal=""), Options(wakeups=wakeups))
    assert found.verdict == "deadlock"
    assert found.finding is not None
    assert "waits at a condition variable for a signal" in found.finding.sentence


def test_signal_without_the_mutex_can_be_lost() -> None:
    text = """
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static atomic_int ready;
    THREAD(waiter) {{ pthread_mutex_lock(&m); while (!LOAD(ready, acquire))
        pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m); END; }}
    THREAD(setter) {{ {lock} STORE(ready, 1, release); {unlock} pthread_cond_signal(&c); END; }}
    int main(void) {{ return RUN(waiter, setter); }}
    """
    lock, unlock = "pthread_mutex_lock(&m);", "pthread_mutex_unlock(&m);"
    assert explored(text.format(lock="", unlock="")).verdict == "deadlock"
    assert explored(text.format(lock=lock, unlock=unlock)).verdict == "nothing found"


#: Two wait for one thing each; the outcome says who went on first.
TWO_WAITERS = (
    SHARED
    + """
static void take(int number) {{
    pthread_mutex_lock(&m);
    while (!ready) pthread_cond_wait(&c, &m);
    ready--; bwx_outcome("%d", number);
    pthread_mutex_unlock(&m);
}}
THREAD(one) {{ take(1); END; }}
THREAD(two) {{ take(2); END; }}
THREAD(giver) {{ for (int i = 0; i < 2; i++) {{ pthread_mutex_lock(&m); ready++;
    {wake}(&c); pthread_mutex_unlock(&m); }} END; }}
int main(void) {{ return RUN({threads}); }}
"""
)


@pytest.mark.parametrize("wake", ["pthread_cond_signal", "pthread_cond_broadcast"])
@pytest.mark.parametrize("threads", ["one, two, giver", "giver, one, two", "two, giver, one"])
@pytest.mark.parametrize("wakeups", [0, 1])
def test_either_waiter_may_be_woken_first(wake: str, threads: str, wakeups: int) -> None:
    result = explored(TWO_WAITERS.format(wake=wake, threads=threads), Options(wakeups=wakeups))
    assert result.verdict == "nothing found"
    assert result.exhaustive
    assert set(result.outcomes) == {"1 2", "2 1"}


def test_signal_for_the_wrong_waiter_is_a_deadlock_and_a_broadcast_is_not() -> None:
    """Producer and consumer at one condition variable: the classic reason for broadcasts."""
    text = """
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static int full;
    THREAD(put) {{ pthread_mutex_lock(&m); while (full) pthread_cond_wait(&c, &m);
        full = 1; {wake}(&c); pthread_mutex_unlock(&m); END; }}
    THREAD(get) {{ pthread_mutex_lock(&m); while (!full) pthread_cond_wait(&c, &m);
        full = 0; {wake}(&c); pthread_mutex_unlock(&m); END; }}
    int main(void) {{ return RUN(get, get, put, put); }}
    """
    none = Options(wakeups=0)
    assert explored(text.format(wake="pthread_cond_signal"), none).verdict == "deadlock"
    right = explored(text.format(wake="pthread_cond_broadcast"), none)
    assert right.verdict == "nothing found"
    assert right.exhaustive


def test_timed_wait_times_out_or_is_woken() -> None:
    text = """
    #include <errno.h>
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    THREAD(waiter) { struct timespec t = {0}; pthread_mutex_lock(&m);
        int code = pthread_cond_timedwait(&c, &m, &t); pthread_mutex_unlock(&m);
        bwx_outcome("%s", code == ETIMEDOUT ? "late" : code == 0 ? "woken" : "?"); END; }
    THREAD(other) { pthread_mutex_lock(&m); pthread_cond_signal(&c); pthread_mutex_unlock(&m);
        END; }
    int main(void) { return RUN(waiter, other); }
    """
    for options in (Options(), Options(timeouts=0), Options(wakeups=0)):
        result = explored("#include <time.h>\n" + text, options)
        assert set(result.outcomes) == {"late", "woken"}


def test_order_of_time_outs_is_explored_when_nothing_else_can_happen() -> None:
    text = (
        SHARED
        + """
    #include <time.h>
    static void wait_for(int number) { struct timespec t = {0}; pthread_mutex_lock(&m);
        pthread_cond_timedwait(&c, &m, &t); pthread_mutex_unlock(&m);
        if (atomic_exchange(&order, number) == 0) bwx_outcome("%d first", number); }
    THREAD(one) { wait_for(1); END; } THREAD(two) { wait_for(2); END; }
    int main(void) { return RUN(one, two); }
    """
    )
    for timeouts in (0, 1):
        result = explored(text, Options(timeouts=timeouts, wakeups=0))
        assert set(result.outcomes) == {"1 first", "2 first"}


@pytest.mark.parametrize("seed", range(8))
def test_reduction_loses_no_outcome_at_condition_variables(seed: int) -> None:
    """Compares with a search of all schedules, on programs of waits, signals and broadcasts."""
    calls = [
        "while (LOAD(x, relaxed) < 2) pthread_cond_wait(&c, &m);",
        "pthread_cond_timedwait(&c, &m, &t);",
        "pthread_cond_signal(&c);",
        "pthread_cond_broadcast(&c);",
    ]
    bodies = [calls[seed % 2], calls[2 + seed // 2 % 2], calls[(seed + seed // 4) % 4]]
    text = (
        SHARED
        + "#include <time.h>\nstatic atomic_int x;"
        + "".join(
            f"THREAD(t{i}) {{ struct timespec t = {{0}}; (void)t; pthread_mutex_lock(&m);"
            f" atomic_fetch_add(&x, 1); {body} taken = taken * 4 + {i + 1};"
            " pthread_mutex_unlock(&m); pthread_cond_broadcast(&c); END; }"
            for i, body in enumerate(bodies)
        )
        + 'int main(void) { RUN(t0, t1, t2); bwx_outcome("%d", taken); return 0; }'
    )
    for wakeups in (0, 1):
        reduced = explored(text, Options(wakeups=wakeups))
        every = explored(
            text,
            Options(strategy="bounded", preemptions=10**6, wakeups=wakeups, executions=100_000),
        )
        assert reduced.exhaustive
        assert set(every.outcomes) <= set(reduced.outcomes)
        assert every.exhaustive
        assert set(every.outcomes) == set(reduced.outcomes)
