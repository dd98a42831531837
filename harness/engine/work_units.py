"""A run's pairs of scenario and target, told here or in shares by other processes.

Rules of this file: a share is told by names and values only, so that it travels; who tells a pair
decides nothing but when: what was told is passed on in the order of the plan, and once. Who
interrupts gets what was told out of turn, before the interrupt goes on.
"""

from __future__ import annotations

import math
from contextlib import closing
from heapq import heappop, heappush
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from harness.engine.replayer import Replayer
from harness.engine.scenario_runner import ScenarioRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from harness.checks.evaluation import ScenarioRun
    from harness.model import Finding, Outcome

R = TypeVar("R")

SHARES = 32  # of one worker: sweeps of neighbours are long, and progress is to show


class ScenarioResult(NamedTuple):
    """What came of one pair; ``place`` is its own in the plan, ``seconds`` the whole of it."""

    place: int
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float


class WorkUnit(NamedTuple):
    """Neighbours in the plan.

    Args:
        first: the place of the first pair.
        pairs: what to tell, and to whom.
        timeout: seconds one target has for one stream.
    """

    first: int
    pairs: tuple[ScenarioRun, ...]
    timeout: float


def run_here(share: WorkUnit) -> Generator[Sequence[ScenarioResult], None, None]:
    """Tell the pairs of a share in this process, one by one."""
    player, memory = Replayer(share.timeout), Replayer(share.timeout, in_memory=True)
    with player, memory:
        teller = ScenarioRunner(player, memory)
        for place, pair in enumerate(share.pairs, share.first):
            started = perf_counter()
            outcome, findings = teller.tell(pair)
            yield (ScenarioResult(place, outcome, tuple(findings), perf_counter() - started),)


def run_unit(share: WorkUnit) -> list[ScenarioResult]:
    """Do one share; the function that every worker imports."""
    return list(chain.from_iterable(run_here(share)))


def run_in_workers(
    whole: WorkUnit, workers: int, cluster: str | None = None
) -> Generator[Sequence[ScenarioResult], None, None]:
    """Tell the pairs in processes of their own; they come as their shares are done.

    Args:
        whole: all pairs.
        workers: how many processes.
        cluster: the scheduler of those processes; None starts them here.

    Raises:
        HarnessError: a share was too much for its workers.
        InputError: there is no such scheduler.
    """
    from harness.engine import workers as crew

    some = split(whole, workers)
    if cluster is None:
        hands = crew.processes(run_unit, some, workers)
    else:
        hands = crew.cluster(run_unit, some, cluster)
    with closing(hands) as done:
        for _, told in done:
            yield told


def split(whole: WorkUnit, workers: int) -> list[WorkUnit]:
    """Cut a plan into about ``SHARES`` shares for each worker."""
    size = math.ceil(len(whole.pairs) / (workers * SHARES)) or 1
    return [
        WorkUnit(whole.first + at, whole.pairs[at : at + size], whole.timeout)
        for at in range(0, len(whole.pairs), size)
    ]


def in_order(
    telling: Generator[Sequence[ScenarioResult], None, None], say: Callable[[ScenarioResult], R]
) -> Generator[R, None, None]:
    """Yield what is said of each pair, in the order of the plan.

    Args:
        telling: what was told, a few at a time and in any order, from place 0 on.
        say: what to yield; called once a pair.
    """
    early: list[ScenarioResult] = []
    place = 0
    try:
        with closing(telling):
            for some in telling:
                for told in some:
                    heappush(early, told)
                while early and early[0].place == place:
                    place += 1
                    yield say(heappop(early))
    except KeyboardInterrupt:
        while early:
            yield say(heappop(early))
        raise
