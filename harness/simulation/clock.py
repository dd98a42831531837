"""Virtual time: it advances at once, and only when nothing else is ready to run."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import TimerHandle


class Clock:
    """Virtual time and its timers; timers of the same time fire in the order they were set.

    ``now`` is in seconds, starting at 0.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._numbers = count()

    def set(self, timer: TimerHandle) -> None:
        """Add a timer; one whose time has passed fires at the next ``advance``."""
        heappush(self._timers, (timer.when(), next(self._numbers), timer))

    def advance(self, until: float) -> list[TimerHandle]:
        """Advance to the time of the next timer; return the timers that fire then.

        Args:
            until: seconds; if the next timer is later, time stands still and none fires.
        """
        due: list[TimerHandle] = []
        while self._timers:
            when, _, timer = self._timers[0]
            if due and when > self.now:
                break
            if when > until and not timer.cancelled():
                break
            heappop(self._timers)
            if not timer.cancelled():
                self.now = max(self.now, when)
                due.append(timer)
        return due
