"""The explorer: run C programs through their interleavings and weak-memory behaviours.

:func:`build` compiles a program (gcc or clang with ``-fsanitize=thread``) and links it with
the runtime of this folder in libtsan's place; :func:`explore` runs it through its executions
and gives a :class:`Result`. ``bwcheck explore`` is the same on the command line.
docs/explorer.md is the how-to.
"""

from __future__ import annotations

from model_check.explorer.build import COMPILER, Program, build
from model_check.explorer.result import Finding, Result, Step
from model_check.explorer.run import Options, explore

__all__ = ["COMPILER", "Finding", "Options", "Program", "Result", "Step", "build", "explore"]
