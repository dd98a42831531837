"""Virtual seconds: they pass at once, and only where nothing else is left to do."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import TimerHandle


class Clock:
    """Time, and the timers that wait for it; those of one moment go off in the order set.

    ``now`` is in seconds from 0.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._numbers = count()

    def set(self, timer: TimerHandle) -> None:
        """Wait for a timer; one whose time has passed goes off next."""
        heappush(self._timers, (timer.when(), next(self._numbers), timer))

    def advance(self, until: float) -> list[TimerHandle]:
        """Go to the next moment anybody waits for; return the timers that go off then.

        Args:
            until: seconds; a later moment is left for another time, and nothing goes off.
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
