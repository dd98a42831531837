"""Runs whose client events are stored in Redis: with a client or without, read now or later.

Rules of this file: what a run's own client receives never depends on Redis; a run without a client
is read by one task from beginning to end; the caller does not get such a run before it can be
followed; a follower receives the events as they were written, and where they stop before the run
did, an end that says so.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.streaming.closing import joined
from harness.streaming.serving.background.errors import BackgroundError
from harness.streaming.serving.run_follower import RunFollower
from harness.streaming.serving.service import READY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from harness.streaming.serving.background import EventStore, Writer
    from harness.streaming.serving.runs.store import Run
    from harness.streaming.serving.service import StreamingService, StreamRequest

RETRY_S = 1.0  # between two attempts to listen for cancellations
CLOSE_S = 10.0  # how long cancelled runs may take to end
_log = logging.getLogger(__name__)


class BackgroundRuns:
    """Stores the runs of a service in one Redis; while it is open, other processes can cancel them.

    Args:
        service: the service; it must track its runs.
        event_store: where their client events are stored.

    Raises:
        InputError: the service tracks no runs, so no stored run could be identified.
    """

    def __init__(self, service: StreamingService, event_store: EventStore):
        if service.runs is None:
            raise InputError("only tracked runs can be stored: pass `runs` to the service")
        self._service, self._event_store, self._runs = service, event_store, service.runs
        self._tasks: dict[asyncio.Task[None], asyncio.Future[Run]] = {}

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen_for_cancels(), name="cancel channel")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.cancel()
        try:
            await joined(self._listener)
        finally:
            await self.aclose()

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run and return it with its frames, which are stored while they pass through.

        If they cannot be stored, that is logged and the client receives them all the same.

        Raises:
            Exception: as ``StreamingService.stream`` does.
        """
        run, frames = await self._service.stream(request)
        stored = self._stored(run, frames)
        await anext(stored)  # until READY: from then on, closing it closes the frames
        return run, stored

    async def start(self, request: StreamRequest) -> Run:
        """Create a run that goes on without a client, and return it when it can be followed.

        Raises:
            RedisUnavailableError: Redis cannot be reached; the message says how to start one.
            RunTakenError: a run with that id is stored already.
            Exception: as ``StreamingService.stream`` does.
        """
        opened: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(request, opened), name="background run")
        self._tasks[task] = opened
        task.add_done_callback(self._discard)
        try:
            return await opened
        except asyncio.CancelledError:
            task.cancel()
            await joined(task)
            raise

    async def follow(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Return the stored frames of a run, from any event to its end, with pings in between.

        Args:
            run_id: the run.
            after: the number of the last event that the caller has; 0 for none.

        Raises:
            RedisUnavailableError: Redis cannot be reached; the message says how to start one.
            RunUnknownError: nothing is stored of the run.
            InputError: ``after`` is negative.
        """
        events = self._event_store.events(run_id, after)
        await self._event_store.ensure_stored(run_id)
        return RunFollower(self._service, self._runs, run_id, after).frames(events)

    async def cancel(self, run_id: str) -> bool:
        """Cancel a run in whatever process it runs; return whether any process received that.

        Raises:
            RedisFailedError: the run is not in this process, and the others cannot be reached.
        """
        if self._service.registry.fire(run_id):
            return True
        return await self._event_store.cancel_channel.publish(run_id) > 0

    async def aclose(self) -> None:
        """Cancel the runs that have no client, and wait until they have ended."""
        for opened in self._tasks.values():
            if opened.done() and not opened.cancelled() and opened.exception() is None:
                self._service.registry.fire(opened.result().id)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        for task in list(self._tasks):
            task.cancel()
            await joined(task)

    async def _listen_for_cancels(self) -> None:
        """Cancel the runs that other processes name; if Redis fails, log it once and retry."""
        connected = True
        while True:
            try:
                async with aclosing(self._event_store.cancel_channel.listen()) as run_ids:
                    async for run_id in run_ids:
                        connected = True
                        if run_id is not None:
                            self._service.registry.fire(run_id)
            except BackgroundError as error:
                if connected:
                    _log.warning("other processes cannot cancel runs of this process: %s", error)
                connected = False
                await asyncio.sleep(RETRY_S)

    async def _stored(
        self, run: Run | None, frames: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(frames):
            writer = await self._writer(run)
            stored = frames if writer is None else writer.writing(frames)
            yield READY
            async with aclosing(stored):
                async for frame in stored:
                    yield frame

    async def _writer(self, run: Run | None) -> Writer | None:
        if run is None:
            return None
        try:
            return await self._event_store.writer(run.id)
        except BackgroundError as error:
            _log.warning("run %r is not stored: %s", run.id, error)
            return None

    async def _run(self, request: StreamRequest, opened: asyncio.Future[Run]) -> None:
        """Create a run, pass it to the caller, and read it to its end."""
        try:
            await self._event_store.ensure_reachable()
            run, frames = await self._service.stream(request)
            assert run is not None  # noqa: S101 - the service tracks its runs
            async with aclosing(frames):
                writer = await self._event_store.writer(run.id)
                if opened.cancelled():
                    return  # the caller does not wait for the run any more
                opened.set_result(run)
                async with aclosing(writer.writing(frames)) as stored:
                    async for _ in stored:
                        pass
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)
            elif not opened.cancelled():
                raise

    def _discard(self, task: asyncio.Task[None]) -> None:
        """Forget a task that is done: release its caller, and log its failure."""
        self._tasks.pop(task).cancel()
        if not task.cancelled() and task.exception() is not None:
            _log.error("a background run failed", exc_info=task.exception())
