"""Writes the frames of a run to Redis while they pass by on their way to somebody else.

Rules of this file: the frames that pass are neither changed nor delayed nor lost, whatever becomes
of Redis; a failure is kept and logged, never raised; frames are written in batches, in order, each
once, by one task, which is done before the source's reader learns of the end; pings are not kept.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from harness.errors import HarnessError
from harness.streaming.abort import close_source, joined
from harness.streaming.serving.background.run_log import COMPLETE
from harness.streaming.serving.client_events import ClientEvent, ClientEventReader, numbered, write

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from harness.streaming.serving.background.run_log import RunLog
    from harness.streaming.serving.background.settings import Settings

_log = logging.getLogger(__name__)
_STOPPED = "it was stopped"

Piece = TypeVar("Piece", bytes, str)


class Writer:
    """The one writer of a run.

    ``written`` is the number of the last frame that stands in Redis, ``failure`` why nothing more
    is written, or None.

    Args:
        log: the run, begun.
        settings: how frames are batched.
    """

    def __init__(self, log: RunLog, settings: Settings):
        self._log, self._settings = log, settings
        self._reader = ClientEventReader()
        self._last = 0
        self._waiting: list[tuple[int, bytes]] = []
        self._some, self._enough = asyncio.Event(), asyncio.Event()  # frames wait; a batch does
        self._end: str | None = None
        self.written = 0
        self.failure: HarnessError | None = None

    async def writing(self, source: AsyncIterator[Piece]) -> AsyncGenerator[Piece, None]:
        """Yield what the source yields, and keep the frames in it.

        When the source ends, the run is complete; when it raises, or its reader leaves, the readers
        of the run are told that it broke off.

        Args:
            source: the frames of the whole run, cut anywhere; it is closed here.
        """
        task = asyncio.create_task(self._write())
        end = _STOPPED
        try:
            async for piece in source:
                self._take(piece)
                yield piece
            end = COMPLETE
        except Exception as error:
            end = f"{type(error).__name__}: {error}"
            raise
        finally:
            try:
                await close_source(source)
            finally:
                self._close(end)
                await joined(task)

    def _take(self, piece: bytes | str) -> None:
        if self.failure is None:
            try:
                for frame in self._reader.feed(piece):
                    self._keep(frame)
            except HarnessError as error:
                self._give_up(error)

    def _keep(self, frame: ClientEvent) -> None:
        """Let a frame wait with the others; its own number counts, where it has one that rises."""
        if frame.label == "ping":
            return
        self._last = max(self._last + 1, frame.seq_id or 0)
        self._waiting.append((self._last, write(numbered(frame, self._last, self._log.run_id))))
        self._some.set()
        if len(self._waiting) >= self._settings.batch_size:
            self._enough.set()

    def _close(self, end: str) -> None:
        """Let the task write what waits, and how the run ended; the first word counts."""
        if self._end is None:
            self._end = end
        self._some.set()
        self._enough.set()

    def _give_up(self, error: HarnessError) -> None:
        _log.warning("run %r is not kept any more: %s", self._log.run_id, error)
        self.failure = error
        self._close(str(error))

    async def _write(self) -> None:
        """Write what waits whenever it is due, and a sign of life where nothing is."""
        try:
            while self._end is None:
                await _wait(self._some, self._settings.heartbeat)
                await _wait(self._enough, self._settings.batch_age)
                batch = self._batch()
                await self._log.append(batch)
                self.written = batch[-1][0] if batch else self.written
            await self._log.end(self._batch(), self._last, self._end)
            self.written = self._last
        except HarnessError as error:
            self._give_up(error)

    def _batch(self) -> list[tuple[int, bytes]]:
        batch, self._waiting = self._waiting, []
        self._some.clear()
        self._enough.clear()
        return batch


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
