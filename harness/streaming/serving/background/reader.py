"""Reads the stored frames of a run from Redis, in any process, during the run or later.

Rules of this file: frames come in order, each once, as they were written; the status of the run is
read only when no frame came, so a run that ended is read to its end and a writer that died is not
waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.streaming.serving.background.errors import RunUnknownError, WriterGoneError
from harness.streaming.serving.background.run_log import COMPLETE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from harness.streaming.serving.background.run_log import EntryId, RunLog, RunStatus


class StoredEvent(NamedTuple):
    """A stored client event: its number and its bytes."""

    number: int
    frame: bytes


async def read_events(log: RunLog, after: int) -> AsyncGenerator[StoredEvent, None]:
    """Yield the stored events of a run.

    Args:
        log: the run.
        after: the number of the last event that the caller has; 0 for none.

    Raises:
        RedisUnavailableError: Redis cannot be reached.
        RunUnknownError: nothing is stored of the run, or it expired meanwhile.
        WriterGoneError: the stored events end before the run did.
        RedisFailedError: Redis failed.
    """
    await log.ensure_reachable()
    position: EntryId = (after, 0)
    progress = False  # whether the last read ended with an event
    while progress or not _at_end(await log.status(), position, log.run_id):
        progress = False
        for entry in await log.entries_after(position):
            position, progress = entry.id, entry.frame is not None
            if entry.frame is not None:
                yield StoredEvent(position[0], entry.frame)


def _at_end(status: RunStatus, position: EntryId, run_id: str) -> bool:
    """Return whether a reader at a position has read everything.

    Raises:
        RunUnknownError: nothing is stored of the run.
        WriterGoneError: no more will be stored, but the run is not complete.
    """
    if status.last is None:
        raise RunUnknownError(run_id)
    if status.last > position or (status.end is None and status.alive):
        return False
    if status.end != COMPLETE:
        raise WriterGoneError(run_id, status.end or "its writer sends no heartbeat")
    return True
