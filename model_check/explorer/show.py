"""Print a result for people: figures, outcomes, and a counterexample in columns."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from model_check.explorer.result import Finding, Result, Step

_WIDTH = 34


def show_result(result: Result, names: str) -> str:
    """Give the whole result as text; ``names``: of the sources, as the command line has them."""
    lines = []
    if result.outcomes:
        lines.append("outcomes:")
        width = max(len(text) for text in result.outcomes)
        lines += [
            f"  {text:<{width}}  {count:,}" for text, count in sorted(result.outcomes.items())
        ]
        if result.outcomes_lost:
            lines.append(f"  and others, in {result.outcomes_lost:,} executions: too many to list")
    if result.reduced is not None:
        names = f"--engine {shlex.quote(result.reduced)}"
        lines += ["the same is found in a smaller program:", f"  {result.reduced}", ""]
    if result.finding is not None:
        lines += [*show_finding(result.finding), ""]
        lines.append(
            f"replay: bwcheck explore {names} --model {result.memory_model} "
            f"--replay '{result.finding.replay}' (with --spurious, --failures and --freeze as here)"
        )
    if result.finding is not None:
        lines.append(f"{result.finding.kind.upper()} after {result.executions:,} executions")
    elif result.exhaustive:
        lines.append(
            f"nothing found: all {result.complete:,} executions explored "
            f"({result.memory_model}, within {result.bound})"
        )
    else:
        lines.append(
            f"nothing found in {result.executions:,} executions ({result.memory_model}, "
            f"{result.strategy}; ended by {result.why}): this is no proof"
        )
    if result.rounds:
        counts = ", ".join(f"{bound}: {count:,}" for bound, count in enumerate(result.rounds))
        lines.append(f"executions with at most so many preemptions: {counts}")
    if result.strategy == "pct" and result.longest:
        lines.append(_pct(result))
    if result.distinct is not None:
        lines.append(
            f"{result.distinct:,} of {result.complete:,} complete executions differ: "
            f"{result.executions / max(result.distinct, 1):.3f} begun for each"
        )
    lines.append(
        f"{result.executions:,} executions ({result.blocked:,} redundant, {result.cut:,} cut) in "
        f"{result.seconds:.2f} s: {result.executions_per_second:,.0f} a second and process, "
        f"{result.memory / 1024:,.0f} MiB"
    )
    return "\n".join(lines)


def _pct(result: Result) -> str:
    """State the bound of PCT: how probable it is that a defect of this depth was met."""
    one = 1 / (result.threads * result.longest ** (result.depth - 1))
    every = -math.expm1(result.executions * math.log1p(-one)) if one < 1 else 1.0
    return (
        f"pct: a defect of {result.depth} orderings among {result.threads} threads and "
        f"{result.longest} choices is met by one execution with a probability of at least "
        f"{one:.2g}, by all of these with {every:.2g}"
    )


def _wrap(text: str, width: int) -> list[str]:
    """Break at spaces, and where a word is too long."""
    lines = [""]
    pieces = [word[at : at + width] for word in text.split() for at in range(0, len(word), width)]
    for word in pieces:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def show_finding(finding: Finding) -> list[str]:
    """Give a finding: its sentence, and one column a thread, one row a step."""
    lines = [f"{finding.kind}: {finding.sentence}"]
    if finding.where:
        lines.append(f"  at {finding.where}" + (f", and {finding.other}" if finding.other else ""))
    if finding.stack:
        lines.append("  called from " + ", ".join(finding.stack))
    if finding.steps:
        lines += ["", *columns(finding.steps)]
    return lines


def columns(steps: Sequence[Step]) -> list[str]:
    """Draw steps: a column a thread, the source line and what is remarkable behind it."""
    threads = sorted({step.thread for step in steps})
    place = {thread: index for index, thread in enumerate(threads)}
    header = "step  " + "".join(f"{f'thread {thread}':<{_WIDTH}}" for thread in threads)
    lines = [header.rstrip(), "-" * len(header.rstrip())]
    for step in steps:
        texts = _wrap(step.text + (f" [{step.note}]" if step.note else ""), _WIDTH - 2)
        for row, text in enumerate(texts):
            left = f"{step.number:>4}  " if row == 0 else " " * 6
            cell = " " * (_WIDTH * place[step.thread]) + text
            where = f"{step.where}" if row == 0 else ""
            lines.append(f"{left}{cell:<{_WIDTH * len(threads)}}{where}".rstrip())
    return lines
