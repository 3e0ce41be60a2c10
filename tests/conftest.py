"""What all tests share: the root of the checkout, and Hypothesis' profiles.

A failing Hypothesis test prints its falsifying example and a @reproduce_failure line; the profile
"more" (HYPOTHESIS_PROFILE=more) tries ten times as many examples.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# A shell starts what it runs in the background with Ctrl-C ignored, and children inherit that: the
# tests that interrupt a program could not reach it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("more", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the root of the checkout."""
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is to be run with a compiler that this machine lacks: one of the two is enough."""
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        words = {value for value in item.callspec.params.values() if isinstance(value, str)}
        for compiler in words & {"gcc", "clang"}:
            if shutil.which(compiler) is None:
                item.add_marker(pytest.mark.skip(reason=f"{compiler} is not installed"))
