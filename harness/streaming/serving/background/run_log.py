"""What Redis holds of one run: a stream whose entry ids are the numbers of the client events.

====================  ============================================================================
``0-1``               the run has begun
``n-0``               event number n, byte for byte
``n-2``               the end after event n: ``complete``, or why the run broke off
====================  ============================================================================

So a reader that has event n continues after ``n-0``, and Redis itself refuses numbers that do not
increase. A second key expires unless the writer renews it with a heartbeat.

Rules of this file: commands that belong together are one transaction; both keys of a run are in one
slot of a cluster; only the clock of Redis is used.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.streaming.serving.background.errors import RunTakenError, RunUnknownError
from harness.streaming.serving.background.redis_client import ensure_reachable, redis_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.streaming.serving.background.settings import Settings

EntryId: TypeAlias = tuple[int, int]

COMPLETE = "complete"
READ_COUNT = 256  # entries of one read, at most
_BEGIN, _FRAME, _END = b"begin", b"frame", b"end"


class Entry(NamedTuple):
    """One entry; ``frame`` is None if it marks the begin or the end."""

    id: EntryId
    frame: bytes | None


class RunStatus(NamedTuple):
    """The status of a stored run.

    Args:
        last: the id of the last entry, None if nothing is stored of the run.
        end: ``COMPLETE``, why the run broke off, or None while it goes on.
        alive: whether its writer has sent a heartbeat in time.
    """

    last: EntryId | None
    end: str | None
    alive: bool


class RunLog:
    """One run in Redis.

    Args:
        client: of ``redis_client.connect``.
        settings: the key prefix and all times.
        run_id: the run.

    Every method raises RedisFailedError if Redis fails.
    """

    def __init__(self, client: Any, settings: Settings, run_id: str):
        self._client, self._settings, self.run_id = client, settings, run_id
        slot = f"{settings.prefix}:{{{run_id}}}"
        self._frames, self._alive = f"{slot}:frames", f"{slot}:alive"

    async def ensure_reachable(self) -> None:
        """Ping Redis.

        Raises:
            RedisUnavailableError: there is no reply.
        """
        await ensure_reachable(self._client, self._settings.url)

    async def begin(self) -> None:
        """Create the run, for its only writer.

        Raises:
            RedisUnavailableError: Redis cannot be reached.
            RunTakenError: the run exists.
        """
        await self.ensure_reachable()
        with redis_errors():
            if await self._client.exists(self._frames):
                raise RunTakenError(self.run_id)
            batch = self._client.pipeline(transaction=True)
            batch.xadd(self._frames, {_BEGIN: self.run_id}, id=_id((0, 1)))
            await self._commit(self._with_heartbeat(batch))

    async def append(self, frames: Sequence[tuple[int, bytes]]) -> None:
        """Store frames with their numbers; without any it is a heartbeat only.

        Raises:
            RunUnknownError: Redis has lost the run.
        """
        with redis_errors():
            await self._commit(self._with_heartbeat(self._batch(frames)))

    async def end(self, frames: Sequence[tuple[int, bytes]], last: int, end: str) -> None:
        """Store the last frames and the end of the run.

        Args:
            frames: those that were not stored yet.
            last: the number of the last event of the run.
            end: ``COMPLETE``, or why the run broke off.

        Raises:
            RunUnknownError: Redis has lost the run.
        """
        batch = self._batch(frames)
        batch.xadd(self._frames, {_END: end}, id=_id((last, 2)), nomkstream=True)
        batch.delete(self._alive)
        with redis_errors():
            await self._commit(batch)

    async def status(self) -> RunStatus:
        """Return the status of the run, read in one transaction."""
        batch = self._client.pipeline(transaction=True)
        batch.xrevrange(self._frames, count=1)
        batch.exists(self._alive)
        with redis_errors():
            entries, alive = await batch.execute()
        if not entries:
            return RunStatus(None, None, alive=False)
        [(entry_id, fields)] = entries
        end = fields.get(_END)
        return RunStatus(_entry_id(entry_id), None if end is None else end.decode(), bool(alive))

    async def entries_after(self, position: EntryId) -> list[Entry]:
        """Return the entries after a position; wait for them at most ``block`` seconds."""
        with redis_errors():
            streams = await self._client.xread(
                {self._frames: _id(position)},
                count=READ_COUNT,
                block=_milliseconds(self._settings.block),
            )
        _raise_lost_cancellation()  # otherwise a cancelled reader would wait for the next event
        return [
            Entry(_entry_id(entry_id), fields.get(_FRAME))
            for _, entries in streams
            for entry_id, fields in entries
        ]

    def _batch(self, frames: Sequence[tuple[int, bytes]]) -> Any:
        batch = self._client.pipeline(transaction=True)
        for number, frame in frames:
            batch.xadd(self._frames, {_FRAME: frame}, id=_id((number, 0)), nomkstream=True)
        return batch

    def _with_heartbeat(self, batch: Any) -> Any:
        return batch.set(self._alive, 1, px=_milliseconds(self._settings.heartbeat_timeout))

    async def _commit(self, batch: Any) -> None:
        """Run a batch and renew the frames' time to live; a lost run is not created again."""
        batch.pexpire(self._frames, _milliseconds(self._settings.ttl))
        *_, still_stored = await batch.execute()
        if not still_stored:
            raise RunUnknownError(self.run_id)


def _id(entry_id: EntryId) -> str:
    return f"{entry_id[0]}-{entry_id[1]}"


def _entry_id(text: bytes) -> EntryId:
    number, _, mark = text.partition(b"-")
    return int(number), int(mark)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _raise_lost_cancellation() -> None:
    """Raise the cancellation of this task that redis-py swallowed while it was connecting."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
