"""The schedule: runs one step after the other, in the order they were added, and counts them.

A step is one asyncio handle: a task from one await to the next, or a callback. Between two steps
all tasks wait, so this is where a test may intervene: *at* step k means just before that step, and
before time advances to reach it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import Handle
    from collections.abc import Callable

    from harness.simulation.clock import Clock


class Schedule:
    """The steps of one loop.

    Args:
        clock: advances when no step is ready.

    ``steps`` counts the steps that were run.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[Handle] = deque()
        self._interventions: dict[int, Callable[[], object]] = {}
        self.steps = 0

    def add(self, handle: Handle) -> None:
        """Add a step after all that are ready."""
        self._ready.append(handle)

    def at(self, step: int, intervention: Callable[[], object]) -> None:
        """Call a function just before the step of that number, if it is ever reached."""
        self._interventions[step] = intervention

    def step(self, until: float) -> bool:
        """Run the next step; return False if none is ready before the virtual time ``until``."""
        intervention = self._interventions.pop(self.steps, None)
        if intervention is not None:
            intervention()
        handle = self._next(until)
        if handle is None:
            return False
        self.steps += 1
        handle._run()  # noqa: SLF001 - what every loop does with its handles
        return True

    def _next(self, until: float) -> Handle | None:
        while True:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    return handle
            self._ready.extend(self._clock.advance(until))
            if not self._ready:
                return None
