"""What came of a run: of one stream on a target, and of one scenario on a target."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.model import Finding, Outcome
    from harness.scenarios import Scenario

FAILING = frozenset({"fail", "untestable"})  # the verdicts that fail a run


class TargetResult(NamedTuple):
    """What one target delivered for one stream.

    Args:
        outcome: what the target reported; an empty ``Outcome`` where it reported none.
        problem: what the target did wrong besides its outcome (it raised, hung, blocked its thread
            or returned something that is not an outcome), or None.
        unsupported: the target does not support the protocol, so nothing was replayed to it.
    """

    outcome: Outcome
    problem: str | None = None
    unsupported: bool = False


@dataclass(frozen=True)
class ScenarioResult:
    """What came of one scenario on one target; also the event a run emits for it.

    Args:
        scenario: the scenario.
        target: the target's name in reports.
        outcome: what the target delivered for the scenario's stream.
        findings: one for each check that was evaluated.
        seconds: wall-clock time of everything, mutations and aborts included.
    """

    scenario: Scenario
    target: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that fail a run."""
        return tuple(finding for finding in self.findings if finding.verdict in FAILING)

    @property
    def failed(self) -> bool:
        """Whether any finding fails a run."""
        return bool(self.failures)

    def assert_passes(self) -> None:
        """Do nothing if every requirement and invariant holds.

        Raises:
            AssertionError: at least one does not; the text names each with its expected value, its
                actual value and the command that reproduces it.
        """
        __tracebackhide__ = True
        if self.failed:
            raise AssertionError("\n\n".join(map(describe, self.failures)))


def describe(finding: Finding) -> str:
    """Return a finding as four lines: its check, expected, actual, and how to reproduce it."""
    return "\n".join(
        (
            f"{finding.scenario}:{finding.check} ({finding.verdict})",
            f"expected:  {_json(finding.expected)}",
            f"actual:    {_json(finding.actual)}",
            f"reproduce: {finding.reproduce}",
        )
    )


def _json(value: object) -> str:
    """Return the JSON text of a value; half a surrogate pair, which UTF-8 lacks, stays escaped."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
