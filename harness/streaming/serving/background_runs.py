"""Runs whose frames are kept in Redis: with a client or without one, read now and again later.

Rules of this file: what a client of its own is sent never depends on Redis; a run without a client
is read, from its first breath to its last, by one task; nobody is told that such a run exists
before its frames are kept; whoever follows a run gets its frames as they were written, and where
they stop before the run did, an end that says so.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.streaming.abort import joined
from harness.streaming.serving.background.errors import BackgroundError
from harness.streaming.serving.run_follower import RunFollower
from harness.streaming.serving.run_stream import READY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from harness.streaming.serving.background import Background, Writer
    from harness.streaming.serving.runs.store import Run
    from harness.streaming.serving.service import StreamingService, StreamRequest

AGAIN_S = 1.0  # between two attempts to listen for cancellations
PATIENCE_S = 10.0  # how long runs that were cancelled may take to end
_log = logging.getLogger(__name__)


class BackgroundRuns:
    """The runs of a service, kept in one Redis; while it is open, other processes may cancel them.

    Args:
        service: whose runs; it tracks them.
        background: where their frames are kept.

    Raises:
        InputError: the service tracks no runs, so nobody could name one to follow it.
    """

    def __init__(self, service: StreamingService, background: Background):
        if service.runs is None:
            raise InputError("only a run that is tracked can be kept: give the service its runs")
        self._service, self._background, self._runs = service, background, service.runs
        self._going: dict[asyncio.Task[None], asyncio.Future[Run]] = {}

    async def __aenter__(self) -> Self:
        self._hearing = asyncio.create_task(self._hear(), name="calling off")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hearing.cancel()
        try:
            await joined(self._hearing)
        finally:
            await self.aclose()

    async def stream(
        self, request: StreamRequest
    ) -> tuple[Run | None, AsyncGenerator[bytes, None]]:
        """Create a run and return it with its frames, which are kept while they pass.

        Where they cannot be, the log says so and the client gets them all the same.

        Raises:
            Exception: as ``StreamingService.stream`` does.
        """
        run, frames = await self._service.stream(request)
        passing = self._passing(run, frames)
        await anext(passing)  # as far as READY: from here on closing it closes the frames
        return run, passing

    async def start(self, request: StreamRequest) -> Run:
        """Create a run that goes on without a client, and return it as soon as it can be followed.

        Raises:
            RedisAwayError: no Redis is there; says how to start one.
            RunTakenError: the frames of a run of that id are kept already.
            Exception: as ``StreamingService.stream`` does.
        """
        opened: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(request, opened), name="background run")
        self._going[task] = opened
        task.add_done_callback(self._forget)
        try:
            return await opened
        except asyncio.CancelledError:
            task.cancel()
            await joined(task)
            raise

    async def follow(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Return the frames of a run behind one of them, to its end, with pings in its silences.

        Args:
            run_id: the run.
            after: the number of the last frame the reader has; 0 is none.

        Raises:
            RedisAwayError: no Redis is there; says how to start one.
            RunUnknownError: nothing is kept of the run.
            InputError: the number is none.
        """
        numbered = self._background.numbered(run_id, after)
        await self._background.ensure_kept(run_id)
        return RunFollower(self._service, self._runs, run_id, after).frames(numbered)

    async def cancel(self, run_id: str) -> bool:
        """Cancel a run, in whatever process it goes on; say whether any heard of it.

        Raises:
            RedisFailedError: the run is not in this process, and no other can be told.
        """
        if self._service.registry.fire(run_id):
            return True
        return await self._background.calling_off.call(run_id) > 0

    async def aclose(self) -> None:
        """Cancel the runs that have no client, and wait for their ends."""
        for opened in self._going.values():
            if opened.done() and not opened.cancelled() and opened.exception() is None:
                self._service.registry.fire(opened.result().id)
        if self._going:
            await asyncio.wait(self._going, timeout=PATIENCE_S)
        for task in list(self._going):
            task.cancel()
            await joined(task)

    async def _hear(self) -> None:
        """Cancel what other processes call off; where Redis is away, listen again later."""
        heard = True
        while True:
            try:
                async with aclosing(self._background.calling_off.calls()) as calls:
                    async for run_id in calls:
                        heard = True
                        if run_id is not None:
                            self._service.registry.fire(run_id)
            except BackgroundError as error:
                if heard:
                    _log.warning("no other process can cancel our runs: %s", error)
                heard = False
                await asyncio.sleep(AGAIN_S)

    async def _passing(
        self, run: Run | None, frames: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(frames):
            writer = await self._writer(run)
            pieces = frames if writer is None else writer.writing(frames)
            yield READY
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece

    async def _writer(self, run: Run | None) -> Writer | None:
        if run is None:
            return None
        try:
            return await self._background.writer(run.id)
        except BackgroundError as error:
            _log.warning("run %r is not kept: %s", run.id, error)
            return None

    async def _live(self, request: StreamRequest, opened: asyncio.Future[Run]) -> None:
        """Open a run, say so, and read it to its end."""
        try:
            await self._background.check()
            run, frames = await self._service.stream(request)
            assert run is not None  # noqa: S101 - the service tracks its runs
            async with aclosing(frames):
                writer = await self._background.writer(run.id)
                if opened.cancelled():
                    return  # nobody will ever know of the run
                opened.set_result(run)
                async with aclosing(writer.writing(frames)) as pieces:
                    async for _ in pieces:
                        pass
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)
            elif not opened.cancelled():
                raise

    def _forget(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a task that is over, nor its failure be unseen."""
        self._going.pop(task).cancel()
        if not task.cancelled() and task.exception() is not None:
            _log.error("a background run broke off", exc_info=task.exception())
