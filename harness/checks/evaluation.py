"""From an outcome to findings: the scenario's requirements first, then the invariants."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.expectations import EXPECTATIONS, meets
from harness.checks.invariants import INVARIANTS, evaluate_invariants
from harness.checks.matching import focus, is_open
from harness.model import Finding
from harness.protocols import protocol
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, Outcome, Verdict
    from harness.scenarios import Scenario

CHECKS = frozenset(EXPECTATIONS)
INVARIANT_NAMES = frozenset(invariant.name for invariant in INVARIANTS)


class ScenarioRun(NamedTuple):
    """One scenario to be run on one target.

    Args:
        scenario: the scenario.
        target: the target's name in reports; its address, where it has one.
        reproduce: the shell command that runs both again, "" for none; None where ``target`` is an
            address, from which the command follows.
    """

    scenario: Scenario
    target: str
    reproduce: str | None = None

    def finding(
        self, check: str, verdict: Verdict, expected: JSON = None, actual: JSON = None
    ) -> Finding:
        """Return a finding with the scenario's sources and the command that reproduces it."""
        return Finding(
            scenario=self.scenario.id,
            target=self.target,
            check=check,
            verdict=verdict,
            expected=expected,
            actual=actual,
            reproduce=self.command(),
            sources=self.scenario.spec,
        )

    def command(self, *options: str) -> str:
        """Return the shell command that runs this scenario on this target again.

        Args:
            options: further options of ``harness run``; without effect where the command is not
                one of ``harness run``.
        """
        if self.reproduce is not None:
            return self.reproduce
        arguments = ["harness", "run", self.scenario.id, "--target", self.target, *options]
        root = self.scenario.root
        if root != scenario_root():
            arguments += ["--scenarios", str(root)]
        return shlex.join(arguments)


def evaluate(run: ScenarioRun, outcome: Outcome) -> Iterator[Finding]:
    """Yield one finding for each requirement of a scenario and each invariant of a stream."""
    for key, expected in run.scenario.must.items():
        yield _requirement(run, outcome, key, expected, "fail")
    for key, expected in run.scenario.should.items():
        yield _requirement(run, outcome, key, expected, "warn")
    finish_reasons = protocol(run.scenario.protocol).finish
    for invariant, wrong in evaluate_invariants(outcome, finish_reasons):
        yield run.finding(invariant.name, "fail" if wrong else "pass", invariant.sentence, wrong)


def _requirement(
    run: ScenarioRun, outcome: Outcome, key: str, expected: JSON, violated: Verdict
) -> Finding:
    actual = EXPECTATIONS[key].read(outcome)
    if is_open(expected):
        return run.finding(key, "open", expected, actual)
    verdict: Verdict = "pass" if meets(key, expected, actual) else violated
    return run.finding(key, verdict, expected, focus(expected, actual))
