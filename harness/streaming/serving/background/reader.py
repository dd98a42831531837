"""Reads the frames of a run from Redis: from any place, now or later, to their end.

Rules of this file: wherever no frame came it looks whether there is anything left to wait for, so
it ends where the run has ended and never waits for a writer that is gone; while frames come it asks
for nothing else; each frame comes once, in order, as it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.streaming.serving.background.errors import RunUnknownError, WriterGoneError
from harness.streaming.serving.background.run_log import COMPLETE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.streaming.serving.background.run_log import Place, RunLog, RunStatus


class StoredEvent(NamedTuple):
    """A frame of a run and its number."""

    number: int
    frame: bytes


async def read_events(log: RunLog, after: int) -> AsyncGenerator[StoredEvent, None]:
    """Yield the frames of a run behind one of them, with their numbers.

    Args:
        log: the run.
        after: the number of the last frame the reader has; 0 is none.

    Raises:
        RedisAwayError: no Redis is there.
        RunUnknownError: nothing is kept of the run, or not any more.
        WriterGoneError: its frames end before the run did.
        RedisFailedError: Redis went away.
    """
    await log.reach()
    place: Place = (after, 0)
    spoken = False  # whether the writer's last word was a frame
    while spoken or not _over(await log.standing(), place, log.run_id):
        spoken = False
        for entry in await log.behind(place):
            place, spoken = entry.place, entry.frame is not None
            if entry.frame is not None:
                yield StoredEvent(place[0], entry.frame)


def _over(standing: RunStatus, place: Place, run_id: str) -> bool:
    """Say whether a reader that stands at a place has seen everything."""
    if standing.last is None:
        raise RunUnknownError(run_id)
    if standing.last > place or (standing.end is None and standing.alive):
        return False
    if standing.end != COMPLETE:
        raise WriterGoneError(run_id, standing.end or "its writer gives no sign of life")
    return True
