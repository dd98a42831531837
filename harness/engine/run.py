"""The main job: run every scenario on every target, evaluate the results and emit events.

The run does not know who listens. It can be interrupted at any moment, also by throwing a
KeyboardInterrupt into it: results that are ready are emitted first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from harness.checks.evaluation import ScenarioRun
from harness.engine.events import BadInput, RunEvent, RunFinished, RunStarted
from harness.engine.results import ScenarioResult
from harness.engine.work_units import WorkUnit, in_order, run_here, run_in_workers

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from harness.engine.baseline import Baseline
    from harness.engine.scenario_runner import Sweep
    from harness.engine.work_units import UnitResult
    from harness.errors import InputError
    from harness.scenarios import Scenario


@dataclass(frozen=True)
class Settings:
    """How to run.

    Args:
        targets: addresses, in the order of a report's columns.
        timeout: seconds one target has for one stream.
        baseline: failures that are accepted for now, or None.
        workers: processes that share the work; 1 is this process.
        cluster: the address of a dask scheduler whose workers share it instead, or None.
        sweep: aborts streams where a scenario's ``consumer`` asks for it; a module-level function,
            because it is sent to the workers. ``harness.aborting.sweep`` is the built-in one.
    """

    targets: tuple[str, ...] = ("builtin",)
    timeout: float = 10.0
    baseline: Baseline | None = None
    workers: int = 1
    cluster: str | None = None
    sweep: Sweep | None = None


def run(
    scenarios: Sequence[Scenario], settings: Settings, bad_input: Sequence[InputError] = ()
) -> Generator[RunEvent, None, None]:
    """Yield the events of running all scenarios on all targets.

    Args:
        scenarios: what to run.
        settings: on which targets, and how.
        bad_input: files that could not be used; emitted first, and counted.

    Raises:
        HarnessError: a scenario run ended every worker that tried it.
        InputError: no scheduler answers at the address of the cluster.
    """
    started = perf_counter()
    runs = [ScenarioRun(scenario, target) for scenario in scenarios for target in settings.targets]
    totals, interrupted = _Totals(runs, settings), False
    try:
        yield RunStarted(len(scenarios), settings.targets)
        for error in bad_input:
            yield BadInput(error)
        yield from in_order(_results(runs, settings), totals.add)
    except KeyboardInterrupt:
        interrupted = True
    yield RunFinished(
        totals.results,
        perf_counter() - started,
        totals.verdicts,
        () if interrupted or settings.baseline is None else settings.baseline.stale(),
        len(bad_input),
        interrupted,
    )


def _results(
    runs: Sequence[ScenarioRun], settings: Settings
) -> Generator[Sequence[UnitResult], None, None]:
    everything = WorkUnit(0, tuple(runs), settings.timeout, settings.sweep)
    if settings.workers == 1 and settings.cluster is None:
        return run_here(everything)
    return run_in_workers(everything, settings.workers, settings.cluster)


class _Totals:
    """The findings so far, by verdict and target."""

    def __init__(self, runs: Sequence[ScenarioRun], settings: Settings) -> None:
        self._runs, self._baseline = runs, settings.baseline
        self.results = 0
        self.verdicts: dict[str, Counter[str]] = {name: Counter() for name in settings.targets}

    def add(self, result: UnitResult) -> ScenarioResult:
        """Count one result, accepted failures as ``known``, and return it as an event."""
        run = self._runs[result.position]
        findings = tuple(result.findings)
        if self._baseline is not None:
            findings = tuple(map(self._baseline.apply, findings))
        self.results += 1
        self.verdicts[run.target].update(finding.verdict for finding in findings)
        return ScenarioResult(run.scenario, run.target, result.outcome, findings, result.seconds)
