"""From an outcome to findings: a scenario's own law first, then the laws of every stream."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from harness.checks.expectations import EXPECTATIONS, meets
from harness.checks.invariants import INVARIANTS, violated_invariants
from harness.checks.matching import focus, is_open
from harness.model import Finding
from harness.protocols import protocol
from harness.scenarios import scenario_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import JSON, Outcome, Verdict
    from harness.scenarios import Scenario

CHECKS = frozenset(EXPECTATIONS)
INVARIANT_NAMES = frozenset(law.name for law in INVARIANTS)


class ScenarioRun(NamedTuple):
    """What is being judged: one scenario, told to one target."""

    scenario: Scenario
    target: str

    def finding(
        self, check: str, verdict: Verdict, expected: JSON = None, actual: JSON = None
    ) -> Finding:
        """Return a finding with the scenario's sources and the command that shows it again."""
        return Finding(
            scenario=self.scenario.id,
            target=self.target,
            check=check,
            verdict=verdict,
            expected=expected,
            actual=actual,
            reproduce=self.reproduce(),
            sources=self.scenario.spec,
        )

    def reproduce(self, *options: str) -> str:
        """Return the command that tells this scenario to this target again."""
        words = ["harness", "run", self.scenario.id, "--target", self.target, *options]
        root = self.scenario.root
        return shlex.join(words if root == scenario_root() else [*words, "--scenarios", str(root)])


def evaluate(pair: ScenarioRun, outcome: Outcome) -> Iterator[Finding]:
    """Yield one finding for each check of a scenario and each law of every stream."""
    for key, expected in pair.scenario.must.items():
        yield _expectation(pair, outcome, key, expected, "fail")
    for key, expected in pair.scenario.should.items():
        yield _expectation(pair, outcome, key, expected, "warn")
    for law, wrong in violated_invariants(outcome, protocol(pair.scenario.protocol).finish):
        yield pair.finding(law.name, "fail" if wrong else "pass", law.says, wrong)


def _expectation(
    pair: ScenarioRun, outcome: Outcome, key: str, expected: JSON, broken: Verdict
) -> Finding:
    actual = EXPECTATIONS[key](outcome)
    if is_open(expected):
        return pair.finding(key, "open", expected, actual)
    verdict: Verdict = "pass" if meets(key, expected, actual) else broken
    return pair.finding(key, verdict, expected, focus(expected, actual))
