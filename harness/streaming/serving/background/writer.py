"""Stores the frames of a run in Redis while they pass through to another consumer.

Rules of this file: the frames that pass through are not changed, delayed or lost, whatever happens
to Redis; a failure is recorded and logged, never raised; frames are stored in batches, in order,
each once, by one task, which is done before the consumer sees the end of the source; pings are not
stored.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from harness.errors import HarnessError
from harness.streaming.closing import close_source, joined
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
    """The only writer of a run.

    ``written`` is the number of the last event that is stored, ``failure`` is why nothing more is
    stored, or None.

    Args:
        log: the run, begun.
        settings: how frames are batched.
    """

    def __init__(self, log: RunLog, settings: Settings):
        self._log, self._settings = log, settings
        self._reader = ClientEventReader()
        self._last = 0
        self._waiting: list[tuple[int, bytes]] = []
        self._some, self._full = asyncio.Event(), asyncio.Event()  # a frame waits; a batch waits
        self._end: str | None = None
        self.written = 0
        self.failure: HarnessError | None = None

    async def writing(self, source: AsyncIterator[Piece]) -> AsyncGenerator[Piece, None]:
        """Yield what the source yields, and store the events in it.

        If the source ends, the run is complete; if it raises or the consumer aborts, the stored run
        ends as broken off.

        Args:
            source: the bytes or text of the whole run, cut anywhere; it is closed here.
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
                for event in self._reader.feed(piece):
                    self._enqueue(event)
            except HarnessError as error:
                self._fail(error)

    def _enqueue(self, event: ClientEvent) -> None:
        """Add an event to the next batch, under its own number if that increases."""
        if event.label == "ping":
            return
        self._last = max(self._last + 1, event.seq_id or 0)
        self._waiting.append((self._last, write(numbered(event, self._last, self._log.run_id))))
        self._some.set()
        if len(self._waiting) >= self._settings.batch_size:
            self._full.set()

    def _close(self, end: str) -> None:
        """Have the task store what waits and the end of the run; the first end counts."""
        if self._end is None:
            self._end = end
        self._some.set()
        self._full.set()

    def _fail(self, error: HarnessError) -> None:
        _log.warning("run %r is not stored any more: %s", self._log.run_id, error)
        self.failure = error
        self._close(str(error))

    async def _write(self) -> None:
        """Store what waits whenever it is due, and send a heartbeat if nothing is."""
        try:
            while self._end is None:
                await _wait(self._some, self._settings.heartbeat_interval)
                await _wait(self._full, self._settings.batch_age)
                batch = self._batch()
                await self._log.append(batch)
                self.written = batch[-1][0] if batch else self.written
            await self._log.end(self._batch(), self._last, self._end)
            self.written = self._last
        except HarnessError as error:
            self._fail(error)

    def _batch(self) -> list[tuple[int, bytes]]:
        batch, self._waiting = self._waiting, []
        self._some.clear()
        self._full.clear()
        return batch


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
