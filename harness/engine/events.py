"""What a run tells its listeners: frozen values, in the order in which they happen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.errors import InputError
    from harness.model import Finding, Outcome
    from harness.scenarios import Scenario

RED = frozenset({"fail", "untestable"})  # verdicts that break a run


@dataclass(frozen=True)
class RunStarted:
    """The run begins: how many scenarios go to which targets, and how long to wait for each."""

    scenarios: int
    targets: tuple[str, ...]


@dataclass(frozen=True)
class BadInput:
    """A file that could not be used; the others still run."""

    error: InputError


@dataclass(frozen=True)
class ScenarioFinished:
    """One scenario was told to one target and judged; ``seconds`` is the whole of it."""

    scenario: Scenario
    target: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def broken(self) -> bool:
        """Whether a law was broken."""
        return any(finding.verdict in RED for finding in self.findings)


@dataclass(frozen=True)
class RunFinished:
    """The run is over, or was interrupted: what was judged, by verdict and target."""

    judged: int
    seconds: float
    verdicts: Mapping[str, Counter[str]] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    bad_input: int = 0
    interrupted: bool = False

    def red(self, target: str) -> int:
        """Return how many findings of a target break the run."""
        return sum(self.verdicts.get(target, Counter())[verdict] for verdict in RED)


RunEvent: TypeAlias = RunStarted | BadInput | ScenarioFinished | RunFinished
