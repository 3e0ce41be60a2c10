"""The gold: litmus tests with their exact outcomes under SC and RC11, written down beforehand.

The outcomes come from the papers where these print the test (RC11: Lahav et al., PLDI 2017; names
and shapes: Maranget, Sarkar, Sewell, "A Tutorial Introduction to the ARM and POWER Relaxed Memory
Models"), else from going through each test's reads by hand. None was copied from a checker's
output: the test of `axioms` against this data is worth nothing otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_check.axioms.gold import buffering, message_passing, one_location, plain_accesses

if TYPE_CHECKING:
    from model_check.axioms.litmus import Litmus

#: All tests, in the order of their families.
TESTS: tuple[Litmus, ...] = (
    *message_passing.TESTS,
    *buffering.TESTS,
    *one_location.TESTS,
    *plain_accesses.TESTS,
)


def find(name: str) -> Litmus:
    """Give the test of this name; KeyError if there is none."""
    return {test.name: test for test in TESTS}[name]
