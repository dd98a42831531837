"""The scenario runs of one job, done in this process or divided among workers.

Rules of this file: a work unit holds names and values only, so that it can be sent to another
process; results are passed on in the order of the job, each once, whichever worker did
them; an interrupt passes on what was done out of order before it goes on.
"""

from __future__ import annotations

import math
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from harness.engine.replayer import Replayer
from harness.engine.scenario_runner import ScenarioRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from harness.checks.evaluation import ScenarioRun
    from harness.engine.scenario_runner import Sweep
    from harness.model import Finding, Outcome

R = TypeVar("R")
P = TypeVar("P", bound="Positioned")

UNITS_PER_WORKER = 32  # sweeps of neighbours take long, and progress is to be seen


class UnitResult(NamedTuple):
    """A ``ScenarioResult`` as a worker sends it back: the position stands for the scenario run.

    Args:
        position: the place of the scenario run in the job, counted from 0.
        outcome: what the target delivered.
        findings: one for each check that was evaluated.
        seconds: wall-clock time of everything.
    """

    position: int
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float


class WorkUnit(NamedTuple):
    """Consecutive scenario runs of a job.

    Args:
        first: the position of the first of them.
        runs: the scenario runs.
        timeout: seconds one target has for one stream.
        sweep: aborts streams; a module-level function, or None.
    """

    first: int
    runs: tuple[ScenarioRun, ...]
    timeout: float
    sweep: Sweep | None = None


def run_here(unit: WorkUnit) -> Generator[Sequence[UnitResult], None, None]:
    """Do a work unit in this process; yield each result alone, as it is done."""
    replayer, memory = Replayer(unit.timeout), Replayer(unit.timeout, in_memory=True)
    with replayer, memory:
        runner = ScenarioRunner(replayer, memory, unit.sweep)
        for position, run in enumerate(unit.runs, unit.first):
            result = runner.run(run)
            yield (UnitResult(position, result.outcome, result.findings, result.seconds),)


def run_unit(unit: WorkUnit) -> list[UnitResult]:
    """Do a work unit and return its results; the function that every worker imports."""
    return list(chain.from_iterable(run_here(unit)))


def run_in_workers(
    job: WorkUnit, workers: int, cluster: str | None = None
) -> Generator[Sequence[UnitResult], None, None]:
    """Divide a job among processes; yield the results of each unit as it is done.

    Args:
        job: all scenario runs, as one unit.
        workers: how many processes.
        cluster: the scheduler of those processes; None starts them here.

    Raises:
        HarnessError: a unit ended every worker that tried it.
        InputError: no scheduler answers at that address.
    """
    from harness.engine import workers as pool

    units = split(job, workers)
    if cluster is None:
        results = pool.processes(run_unit, units, workers)
    else:
        results = pool.cluster(run_unit, units, cluster)
    with closing(results) as done:
        for _, some in done:
            yield some


def split(job: WorkUnit, workers: int) -> list[WorkUnit]:
    """Divide a job into about ``UNITS_PER_WORKER`` units for each worker."""
    size = math.ceil(len(job.runs) / (workers * UNITS_PER_WORKER)) or 1
    return [
        job._replace(first=job.first + at, runs=job.runs[at : at + size])
        for at in range(0, len(job.runs), size)
    ]


class Positioned(Protocol):
    """A result that knows its place in the job."""

    @property
    def position(self) -> int:
        """The place, counted from 0."""


def in_order(
    batches: Generator[Sequence[P], None, None],
    emit: Callable[[P], R],
    after_batch: Callable[[], R] | None = None,
) -> Generator[R, None, None]:
    """Yield what is emitted for each result, in the order of the job.

    Args:
        batches: results, a few at a time and in any order, from position 0 on.
        emit: what to yield for a result; called once for each.
        after_batch: what to yield after each batch, even if none of its results could be passed on;
            None yields nothing.
    """
    early: dict[int, P] = {}
    position = 0
    try:
        with closing(batches):
            for batch in batches:
                early.update((result.position, result) for result in batch)
                while position in early:
                    position += 1
                    yield emit(early.pop(position - 1))
                if after_batch:
                    yield after_batch()
    except KeyboardInterrupt:
        for later in sorted(early):
            yield emit(early.pop(later))
        raise
