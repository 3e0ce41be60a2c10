"""For pytest: explore a program and fail with its counterexample.

from model_check.explorer.testing import assert_nothing_found

def test_stack_keeps_what_is_pushed() -> None:
    assert_nothing_found("stack.c", model="rc11")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model_check.explorer.build import COMPILER, build
from model_check.explorer.result import Result
from model_check.explorer.run import Options, explore
from model_check.explorer.show import show_result
from model_check.explorer.shrink import shrink


def assert_nothing_found(
    *sources: str | Path,
    compiler: str = COMPILER,
    flags: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    exhaustive: bool = True,
    **options: Any,
) -> Result:
    """Explore a program; raises AssertionError with the counterexample of what was found.

    ``options`` are fields of :class:`Options`. ``exhaustive``: it is an error, too, if a time
    limit or a number of executions ended the exploration; give False for random strategies.
    """
    paths = [Path(source) for source in sources]
    program = build(paths, compiler=compiler, flags=flags)
    chosen = Options(**options)
    result = explore(program, chosen, environment=environment)
    if result.finding is not None:
        raise AssertionError(
            show_result(
                shrink(program, chosen, result, environment=environment), " ".join(map(str, paths))
            )
        )
    if exhaustive and not result.exhaustive:
        raise AssertionError(f"not explored to the end: {result.why}")
    return result
