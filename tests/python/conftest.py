"""Trees for the tests of the Python package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bwtree import BwTree

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def tree() -> Iterator[BwTree]:
    """Give an empty tree whose pages split after a few entries."""
    with BwTree(leaf_capacity=2, inner_capacity=3, leaf_log=2, inner_log=2) as tiny:
        yield tiny
        if not tiny.closed:
            tiny.self_check(quiescent=True)
