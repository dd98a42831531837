"""What runs next: one step after the other, in the order asked for, and counted.

A step is what asyncio calls a handle: a task from one await to the next, or a callback. Between two
steps everybody waits, so that is where somebody else may interfere: *at* step k means just before
it, and before time passes for its sake.
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
        clock: passes on where nothing is ready.

    ``steps`` counts those that were made.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[Handle] = deque()
        self._deeds: dict[int, Callable[[], object]] = {}
        self.steps = 0

    def add(self, handle: Handle) -> None:
        """Run something after all that is ready by now."""
        self._ready.append(handle)

    def at(self, step: int, deed: Callable[[], object]) -> None:
        """Do something at a step of that number; nothing happens if it never comes to that."""
        self._deeds[step] = deed

    def step(self, until: float) -> bool:
        """Make the next step; False where none is to be made before a moment in time."""
        deed = self._deeds.pop(self.steps, None)
        if deed is not None:
            deed()
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
