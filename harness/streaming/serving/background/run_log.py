"""What Redis holds of one run: a stream whose entry ids are the frames' own numbers.

====================  ============================================================================
``0-1``               the run has begun
``n-0``               frame number n, byte for byte
``n-2``               the end behind frame n: ``complete``, or why it is not
====================  ============================================================================

So whoever has seen frame n reads on behind ``n-0``, and Redis itself refuses a number that does not
rise. Beside the stream stands a key that expires unless its writer gives a sign of life.

Rules of this file: what belongs together is one transaction; both keys of a run live in one slot
of a cluster; the time is Redis's own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.streaming.serving.background.errors import RunTakenError, RunUnknownError
from harness.streaming.serving.background.redis_client import ensure_there, redis_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.streaming.serving.background.settings import Settings

Place: TypeAlias = tuple[int, int]  # an entry id

COMPLETE = "complete"
READ_AT_ONCE = 256  # entries
_BEGIN, _FRAME, _END = b"begin", b"frame", b"end"


class Entry(NamedTuple):
    """One entry; ``frame`` is None where it is a mark and no frame."""

    place: Place
    frame: bytes | None


class RunStatus(NamedTuple):
    """How a run stands: its last entry, or None where nothing is kept of it.

    ``end`` is ``COMPLETE``, why it broke off, or None while it goes on; ``alive`` tells whether its
    writer has given a sign of life.
    """

    last: Place | None
    end: str | None
    alive: bool


class RunLog:
    """One run in Redis.

    Args:
        client: of ``door.connect``.
        settings: where and for how long.
        run_id: the run.

    Every method raises RedisFailedError where Redis goes away.
    """

    def __init__(self, client: Any, settings: Settings, run_id: str):
        self._client, self._settings, self.run_id = client, settings, run_id
        slot = f"{settings.prefix}:{{{run_id}}}"
        self._frames, self._alive = f"{slot}:frames", f"{slot}:alive"

    async def reach(self) -> None:
        """Make sure that Redis is there.

        Raises:
            RedisAwayError: it is not.
        """
        await ensure_there(self._client, self._settings.url)

    async def begin(self) -> None:
        """Open the run for its one writer.

        Raises:
            RedisAwayError: no Redis is there.
            RunTakenError: the run has been opened before.
        """
        await self.reach()
        with redis_errors():
            if await self._client.exists(self._frames):
                raise RunTakenError(self.run_id)
            batch = self._client.pipeline(transaction=True)
            batch.xadd(self._frames, {_BEGIN: self.run_id}, id=_id((0, 1)))
            await self._commit(self._alive_in(batch))

    async def append(self, frames: Sequence[tuple[int, bytes]]) -> None:
        """Write frames with their numbers; without any it is a sign of life.

        Raises:
            RunUnknownError: Redis has lost the run.
        """
        with redis_errors():
            await self._commit(self._alive_in(self._batch(frames)))

    async def end(self, frames: Sequence[tuple[int, bytes]], last: int, end: str) -> None:
        """Write the last frames, and that no more will come.

        Args:
            frames: those that were not written yet.
            last: the number of the last frame of the run.
            end: ``COMPLETE``, or why it broke off.

        Raises:
            RunUnknownError: Redis has lost the run.
        """
        batch = self._batch(frames)
        batch.xadd(self._frames, {_END: end}, id=_id((last, 2)), nomkstream=True)
        batch.delete(self._alive)
        with redis_errors():
            await self._commit(batch)

    async def standing(self) -> RunStatus:
        """Return how the run stands, as of one moment."""
        batch = self._client.pipeline(transaction=True)
        batch.xrevrange(self._frames, count=1)
        batch.exists(self._alive)
        with redis_errors():
            found, alive = await batch.execute()
        if not found:
            return RunStatus(None, None, alive=False)
        [(entry_id, fields)] = found
        end = fields.get(_END)
        return RunStatus(_place(entry_id), None if end is None else end.decode(), bool(alive))

    async def behind(self, place: Place) -> list[Entry]:
        """Return the entries behind one; waits for them, but not for long."""
        with redis_errors():
            found = await self._client.xread(
                {self._frames: _id(place)},
                count=READ_AT_ONCE,
                block=_milliseconds(self._settings.block),
            )
        _heed()  # or a silent run would be waited for until it speaks
        return [
            Entry(_place(entry_id), fields.get(_FRAME))
            for _, entries in found
            for entry_id, fields in entries
        ]

    def _batch(self, frames: Sequence[tuple[int, bytes]]) -> Any:
        batch = self._client.pipeline(transaction=True)
        for number, frame in frames:
            batch.xadd(self._frames, {_FRAME: frame}, id=_id((number, 0)), nomkstream=True)
        return batch

    def _alive_in(self, batch: Any) -> Any:
        """Put a sign of life with a batch."""
        return batch.set(self._alive, 1, px=_milliseconds(self._settings.alive_for))

    async def _commit(self, batch: Any) -> None:
        """Run a batch, and let the frames live on; a run that was lost is not begun again."""
        batch.pexpire(self._frames, _milliseconds(self._settings.ttl))
        *_, still_there = await batch.execute()
        if not still_there:
            raise RunUnknownError(self.run_id)


def _id(place: Place) -> str:
    return f"{place[0]}-{place[1]}"


def _place(entry_id: bytes) -> Place:
    number, _, mark = entry_id.partition(b"-")
    return int(number), int(mark)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _heed() -> None:
    """Raise the cancellation of this task that redis-py lost while it was connecting."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
