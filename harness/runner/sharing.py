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

from harness.runner.player import Player
from harness.runner.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from harness.checks.judging import Pair
    from harness.model import Finding, Outcome

R = TypeVar("R")

SHARES = 32  # of one worker: sweeps of neighbours are long, and progress is to show


class Told(NamedTuple):
    """What came of one pair; ``place`` is its own in the plan, ``seconds`` the whole of it."""

    place: int
    outcome: Outcome
    findings: tuple[Finding, ...]
    seconds: float


class Share(NamedTuple):
    """Neighbours in the plan.

    Args:
        first: the place of the first pair.
        pairs: what to tell, and to whom.
        timeout: seconds one target has for one stream.
    """

    first: int
    pairs: tuple[Pair, ...]
    timeout: float


def here(share: Share) -> Generator[Sequence[Told], None, None]:
    """Tell the pairs of a share in this process, one by one."""
    player, memory = Player(share.timeout), Player(share.timeout, in_memory=True)
    with player, memory:
        teller = Teller(player, memory)
        for place, pair in enumerate(share.pairs, share.first):
            started = perf_counter()
            outcome, findings = teller.tell(pair)
            yield (Told(place, outcome, tuple(findings), perf_counter() - started),)


def work(share: Share) -> list[Told]:
    """Do one share; the function that every worker imports."""
    return list(chain.from_iterable(here(share)))


def elsewhere(
    whole: Share, workers: int, cluster: str | None = None
) -> Generator[Sequence[Told], None, None]:
    """Tell the pairs in processes of their own; they come as their shares are done.

    Args:
        whole: all pairs.
        workers: how many processes.
        cluster: the scheduler of those processes; None starts them here.

    Raises:
        HarnessError: a share was too much for its workers.
        InputError: there is no such scheduler.
    """
    from harness.runner import crew  # who runs alone starts nobody

    some = shares(whole, workers)
    if cluster is None:
        hands = crew.processes(work, some, workers)
    else:
        hands = crew.cluster(work, some, cluster)
    with closing(hands) as done:
        for _, told in done:
            yield told


def shares(whole: Share, workers: int) -> list[Share]:
    """Cut a plan into about ``SHARES`` shares for each worker."""
    size = math.ceil(len(whole.pairs) / (workers * SHARES)) or 1
    return [
        Share(whole.first + at, whole.pairs[at : at + size], whole.timeout)
        for at in range(0, len(whole.pairs), size)
    ]


def in_order(
    telling: Generator[Sequence[Told], None, None], say: Callable[[Told], R]
) -> Generator[R, None, None]:
    """Yield what is said of each pair, in the order of the plan.

    Args:
        telling: what was told, a few at a time and in any order, from place 0 on.
        say: what to yield; called once a pair.
    """
    early: list[Told] = []
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
