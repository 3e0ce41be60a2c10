"""Promise against outcome: a configuration is green or red, or it could not run.

Green is earned. A must-pass has to be explored to the end, from at least one state, with
every action that its header names taken; a simulated one has to come through as many random
behaviors as its header says, which is less, and is not called "pass". A must-fail has to
violate the very property that its header names. A spec that cannot be evaluated in a
reachable state is red, like a violation. A spec that cannot be read, or a run that ended too
soon, showed nothing either way: could not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model_check.report import Verdict
from model_check.tlc.config import ALL, Config, Kind, Simulation
from model_check.tlc.output import Found, Outcome, Violation

if TYPE_CHECKING:
    from model_check.tlc.run import Limits

_TLC_SPEC_PARSE, _TLC_CONFIG_PARSE, _TLC_ERROR = 150, 151, 255
#: Spec, safety or liveness evaluation failed; Assert failed.
_EVALUATION = frozenset({75, 76, 77, 14})
_LINES = 12


@dataclass(frozen=True)
class Judgement:
    """The verdict on one configuration: a few words for the table, a text if not green."""

    verdict: Verdict
    result: str
    problem: str = ""


def judge(config: Config, outcome: Outcome, limits: Limits) -> Judgement:
    """Compare what TLC found with what ``config`` promises."""
    return _could_not_run(config, outcome, limits) or _judge_finding(config, outcome)


def _could_not_run(config: Config, outcome: Outcome, limits: Limits) -> Judgement | None:
    """Tell the ways to end without a finding apart; None if there is a finding."""
    said = _said(outcome)
    if outcome.timed_out:
        return _broken(
            "timed out",
            f"not done after {limits.timeout:g} s, {outcome.states:,} states generated; "
            "raise --timeout, or make its constants smaller",
        )
    if outcome.out_of_memory:
        return _broken(
            "out of memory",
            f"Java ran out of its {limits.heap_mb} MiB heap; raise --heap, or lower --jobs",
        )
    if outcome.parse_failed or outcome.exit_code == _TLC_SPEC_PARSE:
        return _broken("parse error", f"{config.spec.name} cannot be parsed:\n{said}")
    if outcome.violations or outcome.exit_code in _EVALUATION:
        return None
    if outcome.exit_code == _TLC_CONFIG_PARSE or "configuration file" in said:
        return _broken("config error", f"TLC rejects {config.path.name}:\n{said}")
    if outcome.errors and outcome.ended:
        return None
    if outcome.exit_code == 0 and outcome.ended:
        return None
    return _broken("TLC crashed", f"TLC ended with exit code {outcome.exit_code}:\n{said}")


def _judge_finding(config: Config, outcome: Outcome) -> Judgement:
    if outcome.unsound_symmetry:
        return _red(
            "unsound",
            "a liveness property is checked under SYMMETRY, where TLC can miss violations; "
            "remove SYMMETRY from this configuration",
        )
    if outcome.errors and not outcome.violations:
        text = f"TLC cannot evaluate the spec:\n{_said(outcome)}"
        return (_red if outcome.trace else _broken)("spec error", text)
    if outcome.violations:
        return _judge_violation(config, outcome, outcome.violations[0])
    if config.must_fail:
        passed = str(config.simulate) if config.simulate else f"{outcome.distinct:,} states"
        return _red(
            "no error",
            f"must fail ({config.expected}), but all {passed} passed: "
            "the mutant is alive, or the property does not see it",
        )
    return _judge_completion(config, outcome)


def _judge_violation(config: Config, outcome: Outcome, violation: Violation) -> Judgement:
    name = _name(config, violation)
    what = "deadlock" if violation.found is Found.DEADLOCK else f"violates {name}"
    as_expected = (config.expect is Kind.DEADLOCK and violation.found is Found.DEADLOCK) or (
        config.expect is Kind.VIOLATES
        and violation.found in (Found.INVARIANT, Found.PROPERTY)
        and name == config.violates
    )
    if not as_expected:
        return _red(what, f"{_sentence(violation, name)} Expected: {config.expected}.")
    return _judge_actions(config, outcome) or Judgement(Verdict.GREEN, what)


def _name(config: Config, violation: Violation) -> str:
    """Name what was violated; the only PROPERTY there is, where TLC names none of the file.

    TLC names no temporal property before 2.20, and gives a place or a part's name for the
    initial predicate and the actions of a property that is a whole specification.
    """
    if violation.found is Found.PROPERTY and len(config.properties) == 1:
        return config.properties[0]
    if violation.found is Found.ASSUMPTION:
        return "an ASSUME"
    return violation.name or " or ".join(config.properties) or "a property"


def _sentence(violation: Violation, name: str) -> str:
    if violation.found in (Found.DEADLOCK, Found.ASSUMPTION):
        return violation.text
    return violation.text if name in violation.text else f"{violation.text} (It is {name}.)"


def _judge_completion(config: Config, outcome: Outcome) -> Judgement:
    if config.simulate:
        return _judge_simulation(config, config.simulate, outcome)
    if outcome.distinct == 0:
        return _red("no states", "Init has no state, so nothing was explored; correct Init")
    if not outcome.succeeded or outcome.left:
        return _broken(
            "not exhaustive", f"TLC stopped with {outcome.left:,} states left on its queue"
        )
    return _judge_actions(config, outcome) or Judgement(Verdict.GREEN, "pass")


def _judge_simulation(config: Config, simulation: Simulation, outcome: Outcome) -> Judgement:
    if outcome.liveness:
        return _red(
            "unsound",
            "a liveness property is checked by simulation, which sees only the beginnings of "
            "behaviors; list invariants and action properties only, or explore all behaviors",
        )
    if outcome.states < simulation.traces:
        return _broken(
            "not simulated",
            f"TLC stopped after {outcome.states:,} states, too few for {simulation}",
        )
    done = f"simulated {simulation.traces:,} traces"
    return _judge_actions(config, outcome) or Judgement(Verdict.GREEN, done)


def _judge_actions(config: Config, outcome: Outcome) -> Judgement | None:
    """Hold the actions taken against `fires`; None if all of them were taken."""
    if not config.fires:
        return None
    taken = outcome.actions
    if not taken:
        return _red("no action", "TLC reported no action at all, so none can have been taken")
    wanted = list(taken) if config.fires == (ALL,) else list(config.fires)
    unknown = [name for name in wanted if name not in taken]
    idle = [name for name in wanted if name in taken and not taken[name]]
    if unknown:
        return _red(
            "unknown action",
            f"fires names {', '.join(unknown)}, but the actions of Next are {', '.join(taken)}",
        )
    if idle:
        return _red(
            "idle action",
            f"never taken: {', '.join(idle)}. The configuration does not exercise what it "
            "claims to; enlarge its constants, or correct the action's guard",
        )
    return None


def _said(outcome: Outcome) -> str:
    """Give TLC's own words on what went wrong, not more than a screenful."""
    lines: list[str] = []
    for text in ([] if outcome.parse_failed else outcome.errors) or ["\n".join(outcome.other)]:
        lines += [line for line in text.splitlines() if line.strip()]
    shown = lines[:_LINES]
    more = [f"({len(lines) - _LINES} more lines)"] if len(lines) > _LINES else []
    return "\n".join(f"  {line}" for line in shown + more) or "  (nothing)"


def _red(result: str, problem: str) -> Judgement:
    return Judgement(Verdict.RED, result, problem)


def _broken(result: str, problem: str) -> Judgement:
    return Judgement(Verdict.BROKEN, result, problem)
