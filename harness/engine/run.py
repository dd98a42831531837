"""Tell every scenario to every target, judge what comes back, and say what happens.

The run emits happenings and never knows who listens. It can be interrupted at any moment, also by
throwing a KeyboardInterrupt into it: what was judged so far is told first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun
from harness.engine.baseline import Baseline
from harness.engine.events import BadInput, RunEvent, RunFinished, RunStarted, ScenarioFinished
from harness.engine.work_units import WorkUnit, in_order, run_here, run_in_workers

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from harness.engine.work_units import ScenarioResult
    from harness.errors import InputError
    from harness.scenarios import Scenario


@dataclass(frozen=True)
class Settings:
    """How to run.

    Args:
        targets: addresses, in the order of the report's columns.
        timeout: seconds one target has for one stream.
        baseline: failures that are accepted for now.
        workers: processes to share it; one is this process.
        cluster: the dask scheduler whose workers share it instead, or None.
    """

    targets: tuple[str, ...] = ("builtin",)
    timeout: float = 10.0
    baseline: Baseline = field(default_factory=Baseline)
    workers: int = 1
    cluster: str | None = None


def run(
    scenarios: Sequence[Scenario], settings: Settings, bad_input: Sequence[InputError] = ()
) -> Generator[RunEvent, None, None]:
    """Yield what happens while all scenarios are told to all targets.

    Args:
        scenarios: what to tell.
        settings: to whom, and how patiently.
        bad_input: files that could not be used; reported first and counted.

    Raises:
        HarnessError: a pair of scenario and target was too much for every worker.
        InputError: no cluster answers where one is said to be.
    """
    started = perf_counter()
    pairs = [ScenarioRun(scenario, target) for scenario in scenarios for target in settings.targets]
    tally, interrupted = _Tally(pairs, settings), False
    try:
        yield RunStarted(len(scenarios), settings.targets)
        for error in bad_input:
            yield BadInput(error)
        yield from in_order(_telling(pairs, settings), tally.judged)
    except KeyboardInterrupt:
        interrupted = True
    yield RunFinished(
        tally.count,
        perf_counter() - started,
        tally.verdicts,
        () if interrupted else settings.baseline.stale(),
        len(bad_input),
        interrupted,
    )


def _telling(
    pairs: Sequence[ScenarioRun], settings: Settings
) -> Generator[Sequence[ScenarioResult], None, None]:
    whole = WorkUnit(0, tuple(pairs), settings.timeout)
    if settings.workers == 1 and settings.cluster is None:
        return run_here(whole)
    return run_in_workers(whole, settings.workers, settings.cluster)


class _Tally:
    """What was judged so far, by verdict and target."""

    def __init__(self, pairs: Sequence[ScenarioRun], settings: Settings) -> None:
        self._pairs, self._baseline = pairs, settings.baseline
        self.count = 0
        self.verdicts: dict[str, Counter[str]] = {name: Counter() for name in settings.targets}

    def judged(self, told: ScenarioResult) -> ScenarioFinished:
        """Count what was told of a pair, accepted failures as such."""
        pair = self._pairs[told.place]
        findings = tuple(map(self._baseline.hold, told.findings))
        self.count += 1
        self.verdicts[pair.target].update(finding.verdict for finding in findings)
        return ScenarioFinished(pair.scenario, pair.target, told.outcome, findings, told.seconds)
