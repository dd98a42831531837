"""What a run emits to its listeners: frozen values, in the order in which they happen.

A listener is anything with ``handle(event)``; ``harness/reports`` has the built-in ones. Besides
the events below, a run emits one ``ScenarioResult`` for each scenario and target.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.engine.results import FAILING, ScenarioResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.errors import InputError


@dataclass(frozen=True)
class RunStarted:
    """The run begins.

    Args:
        scenarios: how many scenarios will be run.
        targets: the names of the targets each of them runs on.
    """

    scenarios: int
    targets: tuple[str, ...]


@dataclass(frozen=True)
class BadInput:
    """A scenario file that could not be used; the others still run."""

    error: InputError


@dataclass(frozen=True)
class RunFinished:
    """The run is over, or was interrupted.

    Args:
        results: how many scenario results it emitted.
        seconds: wall-clock time of the run.
        verdicts: target -> how many findings have each verdict.
        stale: baseline entries whose check no longer fails.
        bad_input: how many scenario files could not be used.
        interrupted: whether the run was stopped before its end.
    """

    results: int
    seconds: float
    verdicts: Mapping[str, Counter[str]] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    bad_input: int = 0
    interrupted: bool = False

    def failures(self, target: str) -> int:
        """Return how many findings of a target fail the run."""
        return sum(self.verdicts.get(target, Counter())[verdict] for verdict in FAILING)


RunEvent: TypeAlias = RunStarted | BadInput | ScenarioResult | RunFinished
