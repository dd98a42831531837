"""The stream of one run: prepares it, lets the agent speak, ends it, says how it ended.

Rules of this file: the run has one verdict, and until it is known it is that of a client who left,
so every way out ends the run; what was taken is given back in reverse on every path, in the task
that reads, and no cancellation interrupts that; the run is final in its store before the client is
told, and where somebody else ended it first, the client is told what stands; whoever is cancelled
is cancelled.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from harness.errors import ConversationBusyError, RunCancelled
from harness.streaming.cancellation import CancelSignal
from harness.streaming.closing import Undisturbed, aclose
from harness.streaming.serving.agent import AgentChunk, AgentRequest
from harness.streaming.serving.client_events import (
    DONE,
    INTERNAL,
    MESSAGE_TYPES,
    ClientEventBuilder,
    write,
)
from harness.streaming.serving.keepalive import with_keepalive
from harness.streaming.serving.run_end import CANCELLED, INCOMPLETE, RunEnd, run_end_of
from harness.streaming.serving.runs.statuses import status_of
from harness.streaming.serving.usage_totals import UsageTotals

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from harness.streaming.serving.client_events import ClientEvent
    from harness.streaming.serving.runs.lock import Lease
    from harness.streaming.serving.runs.store import Run, RunStore
    from harness.streaming.serving.service import StreamingService, StreamRequest

PATIENCE_S = 10.0  # how long a cancellation waits for the store and the lock
READY = b""  # no frame: the run is there, and all it needs is held
_log = logging.getLogger(__name__)

# What runs are read from. A web server may drop the frames of a client who left, and where all
# generators of a run become garbage at once, the event loop would close the inner ones under the
# outer one's feet. Held here, the inner ones wait to be closed by it.
_SPEAKING: set[AsyncGenerator[bytes, None]] = set()


class RunStream:
    """Streams one run, once.

    Args:
        service: the loop, and all it works with.
        request: what is asked.

    ``run`` is the run as it was seen last, None before ``READY`` and where runs are not tracked.
    """

    def __init__(self, service: StreamingService, request: StreamRequest):
        self._service, self._request = service, request
        self.run: Run | None = None
        self._held = AsyncExitStack()
        self._hold: Lease | None = None
        self._signal = CancelSignal()
        self._verdict = CANCELLED
        self._tally = UsageTotals()

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Yield ``READY``, then the run's frames, each whole.

        Raises:
            Exception: before ``READY``, why there is no run.
            CancelledError: the reader was cancelled; the run is, too, unless it had ended.
        """
        spoken = self._spoken()
        _SPEAKING.add(spoken)
        try:
            await self._prepare()
            yield READY
            async with aclosing(spoken):
                async for piece in spoken:
                    yield piece
        finally:
            _SPEAKING.discard(spoken)
            await Undisturbed(self._held.aclose(), PATIENCE_S)
        for frame in self._last_words():
            yield write(frame)

    async def _prepare(self) -> None:
        """Take what the run needs; the stack gives it back, the run's end before the lock."""
        service, request = self._service, self._request
        if service.conversations is not None and request.conversation is not None:
            holding = service.conversations(request.conversation)
            self._hold = await self._held.enter_async_context(holding)
        await service.admit(request)
        if service.runs is not None:
            await Undisturbed(self._create(service.runs))
        self._framer = ClientEventBuilder(None if self.run is None else self.run.id, service.otid)

    async def _create(self, runs: RunStore) -> None:
        request = self._request
        run = await runs.create(request.agent_id, request.metadata, request.run_id)
        self.run = run
        self._held.push_async_callback(self._finish, runs, run.id)
        watching = self._service.registry.watching(run.id)
        self._signal = await self._held.enter_async_context(watching)

    def _spoken(self) -> AsyncGenerator[bytes, None]:
        """Return the bytes of what the agent says, with pings where it is silent."""
        service, pieces = self._service, self._judged()
        if service.keepalive_s is None:
            return pieces
        return with_keepalive(pieces, service.keepalive_s, self._ping, service.call_later)

    def _ping(self) -> bytes:
        return write(self._framer.ping())

    async def _judged(self) -> AsyncGenerator[bytes, None]:
        """Yield what the agent says; what it raises becomes the verdict."""
        try:
            async with aclosing(self._said()) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception as error:  # noqa: BLE001 - the client is told, the log has the rest
            self._verdict = run_end_of(error)
            if self._verdict.failure is INTERNAL:
                _log.exception("run %s failed", self._name)

    async def _said(self) -> AsyncGenerator[bytes, None]:
        """Yield the messages of the agent until it says why it stops."""
        await self._start()
        agent = self._service.agent(AgentRequest(self.run, self._signal, self._tally.account))
        try:
            async for item in self._signal.reading(agent):
                self._ensure_held()
                if not isinstance(item, AgentChunk):
                    status_of(item)  # a reason no table knows is refused here, not in the store
                    self._verdict = RunEnd(item)
                    return
                self._tally.take(item)
                if item.chunk.kind in MESSAGE_TYPES:
                    yield write(self._message(item))
            self._verdict = CANCELLED if self._signal.fired else INCOMPLETE
        finally:
            await self._close(agent)

    def _message(self, said: AgentChunk) -> ClientEvent:
        place = {"message_id": said.message_id, "step_id": said.step_id}
        return self._framer.message(said.chunk, **place)

    async def _start(self) -> None:
        if self.run is not None and self._service.runs is not None:
            self.run = await self._service.runs.start(self.run.id)
            if self.run.terminal:  # somebody was faster: there is nothing to do any more
                raise RunCancelled

    def _ensure_held(self) -> None:
        if self._hold is not None and self._hold.lost:
            raise ConversationBusyError(self._hold.conversation)

    async def _close(self, agent: object) -> None:
        unclosed = await aclose(agent)
        if unclosed is not None:
            _log.warning("the agent of run %s could not be closed", self._name, exc_info=unclosed)

    async def _finish(self, runs: RunStore, run_id: str) -> None:
        """End the run by its verdict; where it had ended already, that is the verdict."""
        verdict = self._verdict
        try:
            self.run = await runs.finish(run_id, verdict.reason, verdict.metadata())
        except Exception:  # noqa: BLE001 - the client must hear its end, whatever became of the store
            _log.exception("run %s ended as %s, which could not be kept", run_id, verdict.reason)
            return
        stands = self.run.stop_reason
        if stands is not None and stands != verdict.reason:
            self._verdict = RunEnd(stands)

    @property
    def _name(self) -> str:
        return "without an id" if self.run is None else self.run.id

    def _last_words(self) -> Iterator[ClientEvent]:
        verdict, usage = self._verdict, self._tally.usage
        yield self._framer.stop_reason(verdict.reason, self._tally.finish)
        if usage is not None:
            yield self._framer.usage(usage, self._tally.steps, partial=self._tally.partial)
        if verdict.failure is not None:
            yield self._framer.error(verdict.failure, verdict.detail)
        yield DONE
